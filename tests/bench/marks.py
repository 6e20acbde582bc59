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
BEGIN, END = "<!-- made by `make bench`: begin -->\n", "<!-- end -->\n"


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
        shown = f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.2g}"
        return f"{shown} {self.unit}".rstrip()


def write(rows: Iterable[Row], *, is_all: bool) -> None:
    """Put them into the manual's page: all of its table, or in place of those of the same name, and behind the rest."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    old, _, after = rest.partition(END)
    lines = [] if is_all else [line for line in old.splitlines() if line.startswith("|")][2:]
    table = {line.split(" | ")[0]: line for line in lines}
    new = {line.split(" | ")[0]: line for line in map(_line, (row.cells for row in rows))}
    made = "\n".join([_line(HEAD), "|---" * len(HEAD) + "|", *(table | new).values()])
    PAGE.write_text(f"{before}{BEGIN}{made}\n\n{_where()}\n{END}{after}", encoding="utf-8")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _where() -> str:
    """On what they were measured."""
    git = ["git", "describe", "--always", "--exclude=*", "--dirty=, changed"]
    commit = subprocess.run(git, capture_output=True, text=True, cwd=ROOT, check=True).stdout.strip()
    machine = f"{os.cpu_count()} processors, Python {platform.python_version()}"
    return f"Measured on {datetime.now(UTC):%Y-%m-%d}, commit {commit}, {machine}."
