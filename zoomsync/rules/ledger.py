"""How an entry of the ledger changes by what was decided or what happened. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from zoomsync.errors import (
    DestinationUnsupported,
    MeetingFailed,
    RemovedByPerson,
    StillProcessing,
    Unreachable,
    ZoomsyncError,
)
from zoomsync.formatting import moment
from zoomsync.model import Entry, Meeting, Phase, Receipt
from zoomsync.rules.delete import doubts, is_doubtful
from zoomsync.rules.publish import Decision, Skip, Wait, may_be_open
from zoomsync.rules.retry import Cause, after_failure


def begun(meeting: Meeting, entry: Entry | None, now: datetime) -> Entry:
    """The entry with the meeting's present facts; a new one waits."""
    facts = {
        "number": meeting.number,
        "host_id": meeting.host_id or (entry.host_id if entry is not None else ""),
        "topic": meeting.topic,
        "timezone": meeting.timezone or (entry.timezone if entry is not None else ""),
        "auto_delete": meeting.auto_delete,
        "size": meeting.size,
    }
    if entry is not None:
        email, first_seen = meeting.host_email or entry.host_email, min(entry.first_seen, now)
        return replace(entry, host_email=email, first_seen=first_seen, **facts)  # type: ignore[arg-type]  # by name
    return Entry(
        uuid=meeting.uuid,
        host_email=meeting.host_email,
        start=meeting.start,
        phase=Phase.WAITING,
        reason="seen",
        first_seen=now,
        changed_at=now,
        **facts,  # type: ignore[arg-type]  # by name
    )


def adopted(receipt: Receipt, meeting: Mapping[str, Any], before: Entry | None, now: datetime) -> Entry:
    """The entry of an item that was found in the library; `meeting` is what the item says of it.

    What the state knows of it stands, unless the item has more. Raises `ValueError`, `TypeError`,
    `AttributeError` or `OverflowError` if the item does not say when its meeting began.
    """
    if before is None:
        host = meeting.get("host") or {}
        before = Entry(
            uuid=receipt.uuid,
            number=str(meeting.get("number") or ""),
            host_id=str(host.get("id") or ""),
            host_email=str(host.get("email") or ""),
            topic=str(meeting.get("topic") or ""),
            start=_start(meeting),
            timezone=str(meeting.get("timezone") or ""),
            phase=Phase.WAITING,
            reason="",
            first_seen=now,
            changed_at=now,
        )
    known = before.receipt
    is_known = known is not None and (
        known.destination != receipt.destination or set(known.cloud) >= set(receipt.cloud)
    )
    if is_known or before.phase in (Phase.REMOVED, Phase.ERASED):
        return before
    reason = f"found in the library {moment(now)}"
    changes = {"due_at": None, "retry": None, "pending": (), "stored_at": None, "receipt": receipt}
    return _changed(before, now, phase=Phase.PUBLISHED, reason=reason, **changes)


def _start(meeting: Mapping[str, Any]) -> datetime:
    start = datetime.fromisoformat(meeting.get("start"))  # type: ignore[arg-type]  # or it raises
    if start.tzinfo is None:
        raise ValueError("of no time zone")
    return start.astimezone(UTC)


def answered(entry: Entry, answer: Decision, now: datetime) -> Entry:
    """The entry after a decision. One with a receipt stays where it is, unless the decision moves it."""
    is_stored = entry.receipt is not None
    if isinstance(answer, Skip):
        if answer.phase is None:
            return entry
        phase = entry.phase if is_stored and answer.phase is Phase.SKIPPED else answer.phase
        differs = entry.differs
        if phase is Phase.REMOVED is not entry.phase:
            differs = answer.reason if answer.is_altered else ""
        changes = {"due_at": None, "retry": None, "pending": (), "asked": "", "differs": differs}
        return _changed(entry, now, phase=phase, reason=answer.reason, **changes)
    if entry.phase is Phase.REMOVED:  # requested: it stays removed until it is stored again
        return entry
    phase = Phase.PUBLISHED if is_stored else Phase.WAITING
    reason, due_at = (answer.reason, answer.due_at) if isinstance(answer, Wait) else (f"due: {answer.reason}", None)
    pending = (answer.reason,) if is_stored else ()
    return _changed(entry, now, phase=phase, reason=reason, due_at=due_at, pending=pending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What working on a meeting came to."""

    receipt: Receipt
    stored: int
    """Cloud files stored that the state did not know to be."""
    fetched: int
    """Files fetched for them."""
    size: int
    """Bytes fetched for them."""
    pending: tuple[str, ...] = ()
    """What is still to come, in words."""
    problem: MeetingFailed | None = None
    """Why some file other than video and audio is still missing."""


def stored(entry: Entry, done: Done, now: datetime) -> Entry:
    """The entry of a meeting that the destination has now."""
    retry = None
    if done.problem is not None:
        retry = after_failure(entry.retry, done.problem, now)
    return replace(
        entry,
        phase=Phase.PUBLISHED,
        reason=f"stored {moment(now)}",
        changed_at=now,
        due_at=retry.next_at if retry is not None else None,
        receipt=done.receipt,
        stored_at=now if done.stored or entry.stored_at is None else entry.stored_at,
        retry=retry,
        pending=done.pending,
        refusal=None,
        kept="",
        differs="",
        asked="",
    )


def found_whole(entry: Entry, now: datetime) -> Entry:
    """The entry of an item that `--verify` read; what was altered counts as stored again."""
    if entry.phase is not Phase.REMOVED:
        return replace(entry, differs="")
    return _changed(entry, now, phase=Phase.PUBLISHED, reason=f"found whole again {moment(now)}", differs="")


def cause_of(error: ZoomsyncError) -> Cause:
    """What a failure says of the meeting that it happened to, by the kind of error.

    That a server does not answer is taken for this meeting's trouble until the service itself turns out to be down.
    """
    if isinstance(error, Unreachable):
        return Cause.UNANSWERED
    is_own = isinstance(error, MeetingFailed) and not isinstance(error, StillProcessing | DestinationUnsupported)
    return Cause.ITSELF if is_own else Cause.ELSEWHERE


def failed(entry: Entry, error: ZoomsyncError, now: datetime, cause: Cause | None = None) -> Entry:
    """The entry after a failure, of this cause or of the one that the kind of error tells.

    What a person removed is left alone from now on; what is there with other bytes is told until it is whole.
    """
    if isinstance(error, RemovedByPerson):
        differs = str(error) if error.altered else ""
        changes = {"due_at": None, "retry": None, "pending": (), "asked": "", "differs": differs}
        return _changed(entry, now, phase=Phase.REMOVED, reason=str(error), **changes)
    retry = after_failure(entry.retry, error, now, cause or cause_of(error))
    reason = f"parked after {retry.tries} tries: {error}" if retry.is_parked else f"failed: {error}"
    if entry.phase is Phase.REMOVED:  # why it is, stays the reason
        reason = entry.reason
    return replace(entry, reason=reason, changed_at=now, retry=retry, due_at=retry.next_at)


def deleted(entry: Entry, file_id: str, now: datetime) -> Entry:
    """The entry after one of its cloud files was deleted by us."""
    return replace(entry, deleted={**entry.deleted, file_id: now}, changed_at=now, refusal=None, kept="")


def refused(entry: Entry, error: ZoomsyncError, now: datetime, cause: Cause | None = None) -> Entry:
    """The entry after its cloud copy could not be deleted."""
    cause = cause or (Cause.ITSELF if isinstance(error, MeetingFailed) else cause_of(error))
    refusal = after_failure(entry.refusal, error, now, cause)
    return replace(entry, refusal=refusal, changed_at=now, kept="")


class Turn(IntEnum):
    """In which order the cloud copies of what is stored are looked at, to be deleted."""

    FIRST = 1
    FAILED_BEFORE = 2
    KEPT = 3
    """It is known why it stays: looked at by a sweep alone, and told by a dry run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """By what an entry can be found among a million: a rule that asks for less than all of them rests on these."""

    is_open: bool
    """Whether a pass may have to look at it although no list shows it, see `rules.publish.is_open`."""
    is_notable: bool
    """Whether it may be in one of the lists that a person looks at; all that is open is."""
    turn: Turn | None
    """None: its cloud copy cannot be due for deletion, see `rules.delete.why_kept`."""
    size: int
    """Bytes stored."""
    deleted_at: datetime | None
    """When we last deleted a file of it."""


def facts(entry: Entry) -> Facts:
    """What the ledger keeps of an entry beside it, to find it by."""
    is_published = entry.phase is Phase.PUBLISHED
    is_open = may_be_open(entry)
    is_kept = is_published and (entry.refusal is not None or entry.kept != "" or doubts(entry) != "")
    is_odd = (is_published and entry.receipt is None) or entry.differs != ""
    return Facts(
        is_open=is_open,
        is_notable=is_open or is_kept or is_odd,
        turn=_turn(entry) if is_published else None,
        size=sum(file.size for file in entry.receipt.files) if entry.receipt is not None else 0,
        deleted_at=max(entry.deleted.values(), default=None),
    )


def _turn(entry: Entry) -> Turn | None:
    if entry.receipt is None or entry.stored_at is None or entry.retry is not None or entry.pending:
        return None
    if entry.kept and is_doubtful(entry):
        return Turn.KEPT
    return Turn.FIRST if entry.refusal is None else Turn.FAILED_BEFORE


def _changed(entry: Entry, now: datetime, **changes: object) -> Entry:
    """The entry with these changes; `changed_at` moves only when something did."""
    after = replace(entry, **changes)  # type: ignore[arg-type]  # by name
    return entry if after == entry else replace(after, changed_at=now)
