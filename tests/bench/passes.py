"""Whole passes over the sandbox's full world."""

import time
from collections.abc import Iterable
from pathlib import Path

from tests.bench.marks import Row
from tests.bench.table import IS_QUICK, seconds, show
from tests.crash.place import Place, ended
from tests.crash.place import serving as at_work
from tests.sandbox.settings import wall_clock
from tests.sandbox.worlds import full_world

RUNS = 1 if IS_QUICK else 3


def run(folder: Path) -> Iterable[Row]:
    """Print the table."""
    found: dict[str, list[tuple[float, int, int]]] = {"first pass": [], "second pass": []}
    for number in range(RUNS):
        with at_work(Place(folder / str(number), full_world(wall_clock()))) as place:
            for taken in found.values():
                taken.append(_taken(place))
    rows = []
    for name, taken in found.items():
        times, calls, files = zip(*taken, strict=True)
        rows.append([name, *seconds(times), str(max(calls)), str(max(files))])
    show("sync over the sandbox's full world", ["", "median", "least", "most", "API calls", "files fetched"], rows)
    return ()


def _taken(place: Place) -> tuple[float, int, int]:
    """Seconds, API calls and files of a pass."""
    place.sandbox.forget()
    begun = time.perf_counter()
    code, _, stderr = ended(place.command("-q", "sync"))
    took = time.perf_counter() - begun
    assert code == 0, stderr
    return took, place.sandbox.count("", "^/(v2|oauth)/"), place.sandbox.count("GET", "^/ssrweb/")
