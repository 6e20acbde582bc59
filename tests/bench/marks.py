"""The table of the marks: what each thing cost once, what it costs now, and what it shall cost at most."""

import math
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.readme import DOC, ROOT

PAGE = DOC / "growth.md"
HEAD = ("what", "before", "now", "mark", "reached")
END = "<!-- end -->\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that was measured. These machines are noisy: counts, and ratios taken side by side, not times."""

    what: str
    before: str
    """In version 0.2.0."""
    now: float
    most: float = math.inf
    """The mark: at most this."""
    least: float = -math.inf
    """Or at least this."""
    unit: str = ""
    """As in `80 MB`; blank for a count."""

    @property
    def is_reached(self) -> bool:
        """Whether the mark is."""
        return self.least <= self.now <= self.most

    @property
    def cells(self) -> tuple[str, ...]:
        """In the table."""
        mark = f"≤ {self._number(self.most)}" if math.isfinite(self.most) else f"≥ {self._number(self.least)}"
        return self.what, self.before, self._number(self.now), mark, "yes" if self.is_reached else "**no**"

    def _number(self, value: float) -> str:
        shown = f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.3g}"
        return f"{shown} {self.unit}".rstrip()


def write(rows: Iterable[Row], *, is_all: bool) -> None:
    """Put them into the manual's page: all of its table, or in place of those of the same name, and behind the rest."""
    old = [] if is_all else [line[2:-2].split(" | ") for line in _parts("marks")[1].splitlines() if line[:2] == "| "]
    cells = {row[0]: row for row in [*old[1:], *(row.cells for row in rows)]}
    put("marks", table(HEAD, cells.values()))


def put(name: str, made: str) -> None:
    """Put what was made into the part of the manual's page that has this name, and say on what it was measured."""
    before, _, after = _parts(name)
    PAGE.write_text(f"{before}{made}\n\n{_where()}\n{after}", encoding="utf-8")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """As Markdown."""
    return "\n".join([_line(head), "|---" * len(head) + "|", *map(_line, rows)])


def _parts(name: str) -> tuple[str, str, str]:
    """The page before a part that is made, the part, and the page behind it."""
    page, begin = PAGE.read_text(encoding="utf-8"), f"<!-- {name}, made by `make bench` -->\n"
    before, found, rest = page.partition(begin)
    assert found, f"{PAGE} has no part {name}"
    part, end, after = rest.partition(END)
    return before + begin, part, end + after


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _where() -> str:
    """On what something was measured."""
    git = ["git", "describe", "--always", "--exclude=*", "--dirty=, changed"]
    commit = subprocess.run(git, capture_output=True, text=True, cwd=ROOT, check=True).stdout.strip()
    machine = f"{os.cpu_count()} processors, Python {platform.python_version()}"
    return f"Measured on {datetime.now(UTC):%Y-%m-%d}, commit {commit}, {machine}."
