"""What has happened in a pass, counted, row by row, and as the lines that a person reads at its end."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from zoomsync.errors import BUG
from zoomsync.formatting import in_general, kind, plural, size_in_words
from zoomsync.model import AuthorSource, Entry, Meeting, Outcome

ACTIONS = {Outcome.PARKED: "failed", Outcome.UNPROVEN: "kept", Outcome.ALTERED: "kept"}
"""What a row says of an outcome, if that is not its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One decision or result, as a person and a script read it."""

    action: str
    """Of a dry run: `delete`, `publish`, `wait`, `skip`; of a pass: `failed`, `refused`, `kept`, `lost`, `gone`."""
    reason: str
    uuid: str
    number: str
    topic: str
    host: str
    start: str
    size: int = 0
    joined: int = 0
    """Of a dry run: bytes of the segments that are to be stitched."""
    hint: str = ""


def row(action: str, of: Meeting | Entry, reason: str, *, size: int = 0, joined: int = 0, hint: str = "") -> Row:
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
        joined=joined,
        hint=hint,
    )


def deletions_first(rows: Iterable[Row]) -> list[Row]:
    """The order in which a dry run shows its rows."""
    order = ("delete", "publish", "wait", "skip")
    return sorted(rows, key=lambda one: order.index(one.action) if one.action in order else len(order))


@dataclass(slots=True)
class Tally:
    """What has happened so far in a pass, counted."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    deleted_files: int = 0
    bytes: int = 0
    calls: int = 0
    downloads: int = 0
    authors: Counter[AuthorSource] = field(default_factory=Counter)
    """Dry run: the hosts of the meetings that are due, by what publishing would do about their authors."""
    rows: list[Row] = field(default_factory=list)
    """Dry run: every decision. Else: what failed, was refused or lost."""
    left: list[str] = field(default_factory=list)
    """What was not looked at and is left for the next pass, in words."""
    is_authorized: bool = False
    """Whether Zoom and the destination took the credentials in this pass."""

    @property
    def counts(self) -> dict[str, int]:
        """For `Run.counts`."""
        sums = {
            "deleted_files": self.deleted_files,
            "bytes": self.bytes,
            "calls": self.calls,
            "downloads": self.downloads,
        }
        return {**{outcome.value: self.outcomes[outcome] for outcome in Outcome}, **sums}

    @property
    def code(self) -> int:
        """The exit code of what happened within the pass: a bug, a failure of something, or 0."""
        if self.outcomes[Outcome.BUGS]:
            return BUG
        return int(any(count for outcome, count in self.outcomes.items() if outcome.is_failure))

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Something that went wrong with one meeting, or with the list of one user (`of` is None)."""

    action: str
    subject: str
    """The meeting's uuid, the user's address."""
    of: Entry | Meeting | None
    reason: str
    hint: str
    room: str = ""
    """If there was no room for it: what room there is."""

    def __str__(self) -> str:
        return f"{self.action}: {self.reason}{f' ({self.hint})' if self.hint else ''}"

    @property
    def facts(self) -> dict[str, object]:
        """What a JSON log line says of it."""
        return {"event": self.action.replace(" ", "_"), "action": self.action, "reason": self.reason, "hint": self.hint}

    @property
    def group(self) -> tuple[str, ...]:
        """What it has in common with others that went wrong for the same reason."""
        return (self.action, "no room" if self.room else in_general(self.reason, self.subject), self.hint)

    def of_many(self, group: Sequence["Said"]) -> str:
        """The line for all of its group: how many, how much, why, and the remedy."""
        size = sum(one.of.size for one in group if one.of is not None)
        what = plural(len(group), "list" if self.of is None else "meeting") + (
            f", {size_in_words(size)}" if size else ""
        )
        if self.room:
            return f"no room for {what}: {self.room} ({self.hint})"
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.action}: {what}: {in_general(self.reason, self.subject)}{hint}"
