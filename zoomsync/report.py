"""What a pass did, or would do: counts and rows. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from zoomsync.model import Entry, Meeting
from zoomsync.words import kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One decision or result, as a person and a script read it."""

    action: str
    """Of a dry run: `delete`, `publish`, `wait`, `skip`; of a pass: `failed`, `refused`, `kept`, `lost`."""
    reason: str
    uuid: str
    number: str
    topic: str
    host: str
    start: str
    size: int = 0
    hint: str = ""


def row(action: str, of: Meeting | Entry, reason: str, *, size: int = 0, hint: str = "") -> Row:
    """The row of a meeting."""
    return Row(
        action=action,
        reason=reason,
        uuid=of.uuid,
        number=of.number,
        topic=of.topic,
        host=of.host_email or of.host_id,
        start=of.start.isoformat(timespec="seconds").replace("+00:00", "Z"),
        size=size,
        hint=hint,
    )


@dataclass(slots=True)
class Tally:
    """What has happened so far in a pass; its only mutable account."""

    counts: Counter[str] = field(default_factory=Counter)
    rows: list[Row] = field(default_factory=list)
    """Dry run: every decision. Else: what failed, was refused or lost."""

    is_authorized: bool = False
    """Whether Zoom and the destination took the credentials in this pass."""

    @property
    def has_failures(self) -> bool:
        """Whether something in the pass failed: exit 1."""
        return any(self.counts[name] for name in FAILURES)

    def totals(self) -> list[tuple[str, str, str, int, int]]:
        """Rows summed up by action, reason and host: (action, reason, host, meetings, bytes), largest first."""
        meetings: Counter[tuple[str, str, str]] = Counter()
        sizes: Counter[tuple[str, str, str]] = Counter()
        for one in self.rows:
            reason = "" if one.action in ("publish", "delete") else kind(one.reason)
            key = (one.action, reason, one.host)
            meetings[key] += 1
            sizes[key] += one.size
        return [(*key, count, sizes[key]) for key, count in meetings.most_common()]


FAILURES = (
    "failed",
    "parked",
    "lost",
    "gone",
    "refused",
    "unproven",
    "altered",
    "unlisted",
    "unreadable",
    "undeletable",
)
"""Counts that make a pass end with exit 1."""


def deletions_first(rows: Iterable[Row]) -> list[Row]:
    """The order of a dry run's rows."""
    order = ("delete", "publish", "wait", "skip")
    return sorted(rows, key=lambda one: order.index(one.action) if one.action in order else len(order))
