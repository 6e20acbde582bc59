"""Times taken and shown."""

import os
import statistics
import time
from collections.abc import Callable, Sequence

MB = 1 << 20
IS_QUICK = bool(os.environ.get("QUICK"))
"""Whether a short form is wanted, which shows that all works: `make bench QUICK=1`."""


def side_by_side(acts: dict[str, Callable[[], object]], *, runs: int = 3) -> dict[str, list[float]]:
    """Seconds of each act's runs, taken in turns, so that a busy moment strikes all alike."""
    found: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(runs):
        for name, act in acts.items():
            begun = time.perf_counter()
            act()
            found[name].append(time.perf_counter() - begun)
    return found


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """One table."""
    cells = [list(head), *map(list, rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    print(f"\n{title}")
    for row in cells:
        aligned = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  ".join(["", row[0].ljust(widths[0]), *aligned]))


def seconds(found: Sequence[float]) -> list[str]:
    """Median, least and most, as cells."""
    return [f"{value:.2f} s" for value in (statistics.median(found), min(found), max(found))]


def speed(found: Sequence[float], size: int) -> list[str]:
    """As `seconds`, and the median speed."""
    return [*seconds(found), f"{size / MB / statistics.median(found):.0f} MB/s"]
