"""What `sync --dry-run` prints: the plan row by row, and what it comes to."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta

from zoomsync import app
from zoomsync.config import Config
from zoomsync.console import Terminal
from zoomsync.formatting import columns, plural, size_in_words, span_in_words
from zoomsync.item.disk import free_bytes
from zoomsync.model import MINUTE, AuthorSource, Run
from zoomsync.state import State
from zoomsync.sync.tally import Row, Tally, deletions_first

ROWS_SHOWN = 50
"""If a dry run has more rows than this, all but the deletions are summed up, unless `-v`."""
AUTHORS = {
    AuthorSource.NEW: "would be created",
    AuthorSource.RAISED: "would be raised",
    AuthorSource.FALLBACK: "fall back to me",
}
"""What is said about authors; nothing about those that exist."""
ENOUGH_BYTES = 100_000_000
"""Passes that fetched less say little about how fast it goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What a plan comes to."""

    publish: list[Row]
    delete: list[Row]
    free: int
    """Bytes free where the items go, or are staged."""
    keep_free: int
    pace: float
    """Bytes a second of the last passes; 0: not known."""

    @property
    def size(self) -> int:
        """Bytes to fetch."""
        return _size(self.publish)

    @property
    def lacking(self) -> int:
        """Bytes that are missing to have room for all of it, and for what its largest stitching needs meanwhile."""
        stitching = max((2 * row.joined for row in self.publish), default=0)
        return max(0, self.size + stitching + self.keep_free - self.free)

    @property
    def months(self) -> dict[str, dict[str, int]]:
        """`2026-03` → meetings and bytes to fetch, oldest first."""
        counts = Counter(row.start[:7] for row in self.publish)
        return {
            month: {"meetings": counts[month], "bytes": _size([r for r in self.publish if r.start.startswith(month)])}
            for month in sorted(counts)
        }

    def document(self) -> dict[str, object]:
        """For scripts."""
        joined = [row for row in self.publish if row.joined]
        return {
            "fetch": {
                "meetings": len(self.publish),
                "hosts": len({row.host for row in self.publish}),
                "bytes": self.size,
                "months": self.months,
                "seconds": int(self.size / self.pace) if self.pace else None,
            },
            "stitch": {"meetings": len(joined), "bytes": sum(row.joined for row in joined)},
            "delete": {"meetings": len(self.delete), "bytes": _size(self.delete)},
            "lacking_bytes": self.lacking,
        }

    def lines(self, where: str) -> Iterator[str]:
        """For people."""
        hosts, long = plural(len({row.host for row in self.publish}), "host"), ""
        if self.pace:
            long = f", about {span_in_words(_rounded(self.size / self.pace))} at the pace of the last passes"
        yield f"to fetch: {plural(len(self.publish), 'meeting')} of {hosts}, {size_in_words(self.size)}{long}"
        if len(self.months) > 1:
            rows = [(m, plural(t["meetings"], "meeting"), size_in_words(t["bytes"])) for m, t in self.months.items()]
            yield from (f"  {line}" for line in columns(rows))
        if joined := [row for row in self.publish if row.joined]:
            size = size_in_words(sum(row.joined for row in joined))
            most = size_in_words(2 * max(row.joined for row in joined))
            yield (
                f"to stitch: {plural(len(joined), 'meeting')}, {size}, read and written once more; "
                f"the largest needs {most} for a while"
            )
        if self.delete:
            yield f"deletions in Zoom: {plural(len(self.delete), 'meeting')}, {size_in_words(_size(self.delete))}"
        yield f"free {where}: {size_in_words(self.free)}, of which {size_in_words(self.keep_free)} are kept free"
        if self.lacking:
            yield f"NOT ENOUGH ROOM: {size_in_words(self.lacking)} more are needed; what has no room waits"


def print_plan(terminal: Terminal, config: Config, state: State, tally: Tally) -> None:
    """Print what a pass would do; deletions first."""
    rows = deletions_first(tally.rows)
    folder = config.destination.storage
    totals = Totals(
        publish=[row for row in rows if row.action == "publish"],
        delete=[row for row in rows if row.action == "delete"],
        free=free_bytes(folder or app.staging(config, "")),
        keep_free=config.min_free_disk,
        pace=pace(state.runs),
    )
    if terminal.as_json:
        counts = tally.counts | {f"author_{source}": tally.authors[source] for source in AuthorSource}
        plan = {"rows": [asdict(row) for row in rows], "counts": counts, "totals": totals.document()}
        terminal.document(plan | {"not_looked_at": tally.left, "free_bytes": totals.free})
        return
    shown = rows if terminal.verbose or len(rows) <= ROWS_SHOWN else totals.delete
    if shown:
        head = ("action", "start", "host", "topic", "size", "reason")
        cells = ((r.action, r.start[:16], r.host, r.topic[:40], size_in_words(r.size), r.reason) for r in shown)
        terminal.table(head, cells)
    if len(shown) < len(rows):
        sums = ((a, h, str(n), size_in_words(s), r) for a, r, h, n, s in tally.totals() if a != "delete")
        terminal.table(("action", "host", "meetings", "size", "reason"), sums)
    authors = [f"{count:,} {text}" for source, text in AUTHORS.items() if (count := tally.authors[source])]
    lines = [*totals.lines("at the destination" if folder is not None else "for staging")]
    lines += [f"authors: {', '.join(authors)}"] if authors else []
    lines += [f"API calls: {tally.calls}", *(f"not looked at: {line}" for line in tally.left)]
    terminal.lines(lines)


def pace(runs: tuple[Run, ...]) -> float:
    """Bytes a second of the passes that fetched much; 0 if there were none."""
    telling = [run for run in runs if run.ended_at is not None and run.counts.get("bytes", 0) >= ENOUGH_BYTES]
    seconds = sum((run.ended_at - run.started_at).total_seconds() for run in telling if run.ended_at is not None)
    return sum(run.counts["bytes"] for run in telling) / seconds if seconds > 0 else 0.0


def _rounded(seconds: float) -> timedelta:
    """To minutes, or hours if it takes long: more would be a promise."""
    step = 60 * MINUTE if seconds > 6 * 3600 else MINUTE
    return step * max(1, round(seconds / step.total_seconds()))


def _size(rows: list[Row]) -> int:
    return sum(row.size for row in rows)
