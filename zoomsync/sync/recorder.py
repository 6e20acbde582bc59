"""The books of a pass: what was decided and what happened, in the ledger and counted. A dry run writes nothing."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from zoomsync.console import log_context
from zoomsync.destinations.base import Destination
from zoomsync.errors import MeetingFailed, RemovedByPerson, ZoomsyncError
from zoomsync.formatting import kind, moment, plural, size_in_words
from zoomsync.model import Clock, Entry, Meeting, Phase
from zoomsync.rules import ledger
from zoomsync.rules.ledger import Done
from zoomsync.rules.publish import Decision, Publish, Skip, SyncRequest, Wait
from zoomsync.state import Head, State


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


log = logging.getLogger(__name__)

UNPROVEN = "look at it in the destination; in hold_meetings it is kept in Zoom without further words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A meeting to be published, and where it stands."""

    action: Publish
    entry: Entry


class Recorder:
    """Keeps the ledger and the tally of one pass in step."""

    def __init__(self, state: State, clock: Clock, destination: Destination, order: SyncRequest) -> None:
        self._destination = destination
        self._state = state
        self._clock = clock
        self._asked = order.meetings
        self.is_dry = order.dry_run
        self.head: Head = state.head
        self.tally = Tally()

    @property
    def entries(self) -> list[Entry]:
        """The ledger as it is now."""
        return list(self._state.entries.values())

    def holds_any(self, host: str | None = None) -> bool:
        """Whether the destination took anything before; of this host (id), of anybody."""
        entries = self._state.entries.values()
        receipts = (entry.receipt for entry in entries if host in (None, entry.host_id))
        return any(one is not None and one.destination == self._destination.id for one in receipts)

    def entry(self, uuid: str) -> Entry | None:
        """What is remembered of a meeting."""
        return self._state.entries.get(uuid)

    def put(self, *entries: Entry, head: Head | None = None, settled: tuple[str, ...] = ()) -> None:
        """Remember entries and head and close intents, durably and together; what did not change is not written."""
        self.head = head or self.head
        changed = [entry for entry in entries if entry != self.entry(entry.uuid)]
        if not self.is_dry and (changed or settled or self.head != self._state.head):
            self._state.put(*changed, head=self.head if self.head != self._state.head else None, settled=settled)

    def decide(self, decided: Iterable[tuple[Meeting, Decision]], head: Head) -> list[Job]:
        """Write down what is to be done with each meeting; returns what is to be published."""
        entries, jobs = [], []
        for meeting, answer in decided:
            before = self.entry(meeting.uuid)
            entry = ledger.answered(ledger.begun(meeting, before, self._clock.now()), answer, self._clock.now())
            if meeting.uuid in self._asked and isinstance(answer, Publish) and entry.receipt is not None:
                entry = replace(entry, asked=self._destination.id)
            self._count(meeting, answer)
            self._tell_unfetched(entry, answer)
            if before is not None or not (isinstance(answer, Skip) and answer.is_foreign):
                entries.append(entry)
            if isinstance(answer, Publish):
                jobs.append(Job(action=answer, entry=entry))
        self.put(*entries, head=head)
        return jobs

    def _count(self, of: Meeting | Entry, answer: Decision) -> None:
        names = {Publish: ("publish", "due"), Wait: ("wait", "waiting"), Skip: ("skip", "skipped")}
        action, counted = names[type(answer)]
        if isinstance(answer, Skip) and answer.is_elsewhere:
            counted = "elsewhere"
        elif isinstance(answer, Skip) and answer.phase in (Phase.PUBLISHED, Phase.DELETED):
            counted = "up_to_date"
        self.tally.counts[counted] += 1
        if self.is_dry:
            size = answer.size if isinstance(answer, Publish) else 0
            self.tally.rows.append(row(action, of, answer.reason, size=size))

    def _tell_unfetched(self, entry: Entry, answer: Decision) -> None:
        """Tell why what a person asked for is not fetched."""
        if self.is_dry or entry.uuid not in self._asked or isinstance(answer, Publish):
            return
        if isinstance(answer, Wait):
            with log_context(entry):
                log.warning("asked for, and not fetched yet: %s", answer.reason)
            return
        self.tally.counts["failed"] += 1
        self._tell("failed", entry, f"asked for, and not fetched: {answer.reason}")

    def answer(self, entry: Entry, answer: Decision) -> None:
        """Write down an answer about a meeting that could not be read, or was not due any more."""
        self._count(entry, answer)
        if isinstance(answer, Wait):
            self._tell_unfetched(entry, answer)
        if isinstance(answer, Skip) and answer.is_loss and entry.phase is not Phase.LOST:
            self.tally.counts["lost"] += 1
            self._tell("lost", entry, answer.reason)
        self.put(ledger.answered(entry, answer, self._clock.now()))

    def stored(self, job: Job, done: Done) -> None:
        """Write down that the destination holds a meeting."""
        now = self._clock.now()
        after = ledger.stored(job.entry, done, now)
        is_update = job.entry.receipt is not None
        self.tally.counts["updated" if is_update else "published"] += 1
        self.tally.counts["bytes"] += done.size
        head = self.head
        if head.fetched_till is None or job.entry.start > head.fetched_till:
            head = replace(head, fetched_till=job.entry.start)
        if (change := self._destination.last_change) is not None:
            head = replace(head, library_pass=change[0], library_run=change[1])
        intents = self._state.open_intents()
        made = (one.id for one in intents if one.uuid == after.uuid and one.action in ("create", "attach"))
        self.put(after, head=head, settled=tuple(made))
        with log_context(job.entry):
            verb = "found" if not done.fetched else "updated" if is_update else "published"
            what = f"{plural(done.fetched, 'file')}, {size_in_words(done.size)}" if done.fetched else "nothing fetched"
            log.info("%s: %s", verb, what)
        if done.problem is not None:
            self._failed(job.entry, after, done.problem)

    def failed(self, entry: Entry, error: ZoomsyncError) -> None:
        """Write down a failure of one meeting; of one that was asked for, a person's deed is a failure too."""
        after = ledger.failed(entry, error, self._clock.now())
        self.put(after)
        if isinstance(error, RemovedByPerson) and entry.uuid not in self._asked:
            self.tally.counts["removed"] += 1
            with log_context(entry):
                log.warning("%s", error)
        else:
            self._failed(entry, after, error)

    def blame(self, unblamed: Iterable[tuple[Entry, ZoomsyncError]]) -> None:
        """Count as a try what `failed` wrote down as nobody's fault, of those that had failed before.

        Each comes with its entry from before this pass.
        """
        for entry, error in unblamed:
            if entry.retry is None:
                continue
            after = ledger.failed(entry, error, self._clock.now(), is_try=True)
            self.put(after)
            if after.retry is not None and after.retry.is_parked:
                self.tally.counts["failed"] -= 1
                self._failed(entry, after, error)

    def remind(self, held: Iterable[str]) -> None:
        """Tell of what is elsewhere, and of a hold that holds nothing: a typo there would let a recording go."""
        for uuid in sorted(one for one in held if self.entry(one) is None):
            log.warning("hold_meetings: %s: no meeting known has this uuid, so nothing is held by it", uuid)
        if elsewhere := self.tally.counts["elsewhere"]:
            log.warning(
                "%s stored in another destination than the one configured: left there, late files of them are not "
                "fetched; `sync --meeting UUID` fetches one into this destination",
                plural(elsewhere, "meeting"),
            )

    def missing(self, entry: Entry) -> None:
        """Tell that a meeting which a person asked for cannot be read from Zoom any more."""
        self.tally.counts["gone"] += 1
        trash = f"zoomsync deleted it on {moment(max(entry.deleted.values()))}: " if entry.deleted else ""
        self._tell(
            "gone", entry, "asked for, but Zoom does not have it now", f"{trash}look into Zoom's trash (30 days)"
        )

    def refused(self, entry: Entry, error: ZoomsyncError) -> None:
        """Write down that a cloud copy could not be deleted."""
        self.put(entry)
        self.tally.counts["refused"] += 1
        self._tell("refused", entry, str(error), error.hint)

    def deleted(self, before: Entry, after: Entry, done: int, *, all_of: int) -> None:
        """Write down what became of a deletion."""
        self.tally.counts["deleted_files"] += done
        self.tally.counts["deleted"] += done == all_of
        if after.refusal is not None:
            self.put(after)
            self.tally.counts["refused"] += 1
            self._tell("refused", before, after.refusal.error, after.refusal.hint)
        else:
            reason = f"stored; deleted from Zoom {moment(self._clock.now())}"
            self.put(replace(after, phase=Phase.DELETED, reason=reason, due_at=None))

    def not_deleted(self, entry: Entry, answer: Wait | Skip, *, passing: bool) -> None:
        """Write down why the stored files do not prove enough to delete; `passing`: not yet."""
        if passing:
            with log_context(entry):
                log.info("%s", answer.reason)
            if entry.kept != answer.reason:
                self.put(replace(entry, kept=answer.reason))
            return
        if isinstance(answer, Wait):
            unproven = MeetingFailed(answer.reason, hint=UNPROVEN)
            self.put(ledger.refused(entry, unproven, self._clock.now(), is_try=False))
            self.tally.counts["unproven"] += 1
            self._tell("kept", entry, answer.reason, UNPROVEN)
            return
        self.tally.counts["altered"] += 1
        hint = "`sync --meeting UUID` fetches it again; what is left of it in a portal, delete there first"
        self._tell("kept", entry, answer.reason, hint)
        self.put(ledger.answered(entry, answer, self._clock.now()))

    def _failed(self, before: Entry, after: Entry, error: ZoomsyncError) -> None:
        is_parked = after.retry is not None and after.retry.is_parked and not (before.retry and before.retry.is_parked)
        self.tally.counts["parked" if is_parked else "failed"] += 1
        self._tell("failed", after, f"{error}; parked" if is_parked else str(error), error.hint)

    def _tell(self, action: str, entry: Entry, reason: str, hint: str = "") -> None:
        self.tally.rows.append(row(action, entry, reason, hint=hint))
        with log_context(entry):
            log.error("%s: %s%s", action, reason, f" ({hint})" if hint else "")
