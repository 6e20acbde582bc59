"""The account of a pass: what was decided and what came of it, in the ledger, in the log and counted."""

import logging
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from zoomsync.console import fields, log_context
from zoomsync.destinations.base import Destination
from zoomsync.errors import DiskFull, MeetingFailed, RemovedByPerson, ZoomsyncError
from zoomsync.formatting import moment, plural, size_in_words
from zoomsync.model import Clock, Entry, Intent, Meeting, Outcome, Phase, Retry
from zoomsync.rules import ledger
from zoomsync.rules.delete import Keep
from zoomsync.rules.ledger import Done
from zoomsync.rules.named import Named
from zoomsync.rules.publish import Decision, Publish, Skip, Wait, decide_gone
from zoomsync.rules.request import SyncRequest
from zoomsync.rules.retry import Cause
from zoomsync.rules.segments import to_join
from zoomsync.state import Head, State
from zoomsync.sync.tally import ACTIONS, Said, Tally, row

log = logging.getLogger(__name__)

MOST_LINES = 20
"""So many reasons have a line of their own at the end of a pass."""
UNPROVEN = "look at it in the destination; list it in hold_meetings to keep it in Zoom without this message"
PUBLISHING = ("create", "attach")
"""What intents say that a publication does."""
ASK_AT_ONCE = "`zoomsync sync --retry-failed` asks at once"
ALTERED = "`sync --meeting WHAT` fetches it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A meeting to be published, and what the ledger says of it."""

    action: Publish
    entry: Entry


class Recorder:
    """Writes down what is decided and what happens, in ledger and tally together. A dry run writes no ledger."""

    def __init__(
        self, state: State, clock: Clock, destination: Destination, request: SyncRequest, tally: Tally
    ) -> None:
        self._state = state
        self._destination = destination
        self._requested = request.meetings
        self._is_dry = request.dry_run
        self.clock = clock
        self.entries = state.entries
        self.tally = tally
        self._said: dict[tuple[str, ...], list[Said]] = {}
        """What went wrong, by what it has in common."""
        self._bugs: set[tuple[str, str, int]] = set()
        """Those whose traceback is in the log: the kind of error, file and line."""

    @property
    def head(self) -> Head:
        """The facts about the whole account, as of now."""
        return self._state.head

    def has_stored(self, host: str | None = None) -> bool:
        """Whether the destination has stored anything before: of this host (id), or of anybody."""
        return self.entries.has_stored(self._destination.id, host)

    def put(self, *entries: Entry, settled: Iterable[str] = ()) -> None:
        """Remember entries and close intents, durably and together; what did not change is not written."""
        changed = [entry for entry in entries if entry != self.entries.get(entry.uuid)]
        if not self._is_dry:
            self._state.put(*changed, settled=settled)

    def move(self, head: Head, *, at_once: bool) -> None:
        """Go on with this head: it is on the disk `at_once`, or with the next one that is."""
        self._state.head = head
        if at_once and not self._is_dry:
            self._state.save()

    def planned(self, decisions: Iterable[tuple[Meeting, Decision]], known: Mapping[str, Entry]) -> list[Job]:
        """Write down what is to be done with each meeting, `known` by its uuid; returns what is to be published."""
        entries, jobs = list[Entry](), list[Job]()
        for meeting, decision in decisions:
            with self.guarded(meeting):
                entry = self._plan_one(meeting, decision, known.get(meeting.uuid))
                is_foreign = isinstance(decision, Skip) and decision.is_foreign
                if entry != known.get(meeting.uuid, entry if is_foreign else None):
                    entries.append(entry)
                if isinstance(decision, Publish):
                    jobs.append(Job(action=decision, entry=entry))
        if not self._is_dry:
            self._state.put(*entries)
        return jobs

    def _plan_one(self, meeting: Meeting, decision: Decision, before: Entry | None) -> Entry:
        now = self.clock.now()
        entry = ledger.answered(ledger.begun(meeting, before, now), decision, now)
        is_requested = meeting in self._requested
        if is_requested and isinstance(decision, Publish) and entry.receipt is not None:
            entry = replace(entry, asked=self._destination.id)
        self._count(meeting, decision)
        if is_requested:
            self._report_not_fetched(entry, decision)
        return entry

    def decided(self, entry: Entry, decision: Decision) -> None:
        """Write down a decision about a meeting that could not be read, or turned out not to be due any more."""
        self._count(entry, decision)
        if isinstance(decision, Wait) and entry in self._requested:
            self._report_not_fetched(entry, decision)
        if isinstance(decision, Skip) and decision.is_loss and entry.phase is not Phase.LOST:
            self._report(Outcome.LOST, entry, decision.reason)
        self.put(ledger.answered(entry, decision, self.clock.now()))

    def gone(self, entry: Entry) -> None:
        """Write down that Zoom does not have a meeting any more; one that a person asked for is a failure."""
        decision = decide_gone(entry)
        self.decided(entry, decision)
        is_reported = decision.is_loss and entry.phase is not Phase.LOST
        if entry in self._requested and not is_reported:
            trash = f"zoomsync deleted it on {moment(max(entry.deleted.values()))}: " if entry.deleted else ""
            hint = f"{trash}look into Zoom's trash (30 days)"
            self._report(Outcome.GONE, entry, "asked for, but Zoom does not have it now", hint)

    def _count(self, of: Meeting | Entry, decision: Decision) -> None:
        match decision:
            case Publish():
                action, outcome = "publish", Outcome.DUE
            case Wait():
                action, outcome = "wait", Outcome.WAITING
            case Skip(is_elsewhere=True):
                action, outcome = "skip", Outcome.ELSEWHERE
            case Skip(phase=Phase.PUBLISHED | Phase.DELETED):
                action, outcome = "skip", Outcome.UP_TO_DATE
            case Skip():
                action, outcome = "skip", Outcome.SKIPPED
        self.tally.outcomes[outcome] += 1
        if self._is_dry:
            size, joined = (decision.size, to_join(decision.new)) if isinstance(decision, Publish) else (0, 0)
            self.tally.rows.append(row(action, of, decision.reason, size=size, joined=joined))

    def _report_not_fetched(self, entry: Entry, decision: Decision) -> None:
        """Say why what a person asked for is not fetched."""
        if self._is_dry or isinstance(decision, Publish):
            return
        if isinstance(decision, Skip):
            self._report(Outcome.FAILED, entry, f"asked for, and not fetched: {decision.reason}")
            return
        with log_context(entry):
            log.warning("asked for, and not fetched yet: %s", decision.reason)

    # What came of a publication

    def stored(self, job: Job, done: Done) -> None:
        """Write down that the destination has a meeting."""
        after = ledger.stored(job.entry, done, self.clock.now())
        is_update = job.entry.stored_at is not None
        self.tally.outcomes[Outcome.UPDATED if is_update else Outcome.PUBLISHED] += 1
        self.tally.bytes += done.size
        head = replace(self.head, fetched_till=max(self.head.fetched_till or job.entry.start, job.entry.start))
        if (change := self._destination.last_change) is not None:
            head = replace(head, library_pass=change[0], library_run=change[1])
        # a library without this pass's change is an older copy from now on, whatever happens next
        self.move(head, at_once=head.library_run != self.head.library_run)
        self.put(after, settled=[one.id for one in self._begun(after)])
        with log_context(job.entry):
            verb = "found" if not done.fetched else "updated" if is_update else "published"
            what = f"{plural(done.fetched, 'file')}, {size_in_words(done.size)}" if done.fetched else "nothing fetched"
            log.info("%s: %s", verb, what, extra=fields(event=verb, files=done.fetched, bytes=done.size))
        if done.problem is not None:
            self._report_failure(job.entry, after, done.problem)

    def failed(self, entry: Entry, error: ZoomsyncError) -> None:
        """Write down a failure of one meeting; what a person removed is a failure only if it was asked for.

        If the answer to a call was lost that cannot be repeated, the next pass finds out what became of it.
        """
        now = self.clock.now()
        after = ledger.failed(entry, error, now)
        if after.retry is not None and after.retry.unanswered == 1 and self._begun(entry):
            after = replace(after, retry=replace(after.retry, next_at=now), due_at=now)
        self.put(after)
        if isinstance(error, RemovedByPerson) and entry not in self._requested:
            self.tally.outcomes[Outcome.REMOVED] += 1
            with log_context(entry):
                log.warning("%s", error, extra=fields(event="removed"))
        else:
            self._report_failure(entry, after, error)

    def _begun(self, entry: Entry) -> list[Intent]:
        """What was begun in the destination for this meeting, and nobody knows what became of it."""
        return [one for one in self._state.open_intents() if one.uuid == entry.uuid and one.action in PUBLISHING]

    def take_back(self, entry: Entry, error: ZoomsyncError) -> None:
        """Write down that a failure was the service's and not this meeting's; `entry` is from before it."""
        self.put(ledger.failed(entry, error, self.clock.now(), Cause.ELSEWHERE))

    def take_back_refusal(self, entry: Entry, error: ZoomsyncError) -> None:
        """Likewise of a deletion."""
        self.put(ledger.refused(entry, error, self.clock.now(), Cause.ELSEWHERE))

    @contextmanager
    def guarded(self, of: Entry | Meeting) -> Iterator[None]:
        """The guard around one meeting, in every step: a bug met in it is its failure, and stops nothing else."""
        try:
            yield
        except ZoomsyncError:
            raise
        except Exception as bug:  # noqa: BLE001  # the guard round each subject
            self.bug(bug)
            entry = of if isinstance(of, Entry) else self.entries.get(of.uuid)
            problem = MeetingFailed(f"bug: {type(bug).__name__}: {bug}", hint="report it")
            if entry is None:
                self._report(Outcome.FAILED, of, str(problem), problem.hint)
            else:
                self.failed(entry, problem)

    def bug(self, bug: Exception) -> None:
        """Count a bug; the log has where it is, once for each kind."""
        self.tally.outcomes[Outcome.BUGS] += 1
        where = traceback.extract_tb(bug.__traceback__)[-1]
        seen = (type(bug).__name__, where.filename, where.lineno or 0)
        log.log(logging.INFO if seen in self._bugs else logging.ERROR, "a bug in zoomsync", exc_info=bug)
        self._bugs.add(seen)

    def deletions_ended(self, error: ZoomsyncError) -> None:
        """Say that no more is deleted in this pass."""
        self.tally.outcomes[Outcome.UNDELETABLE] += 1
        self.tally.left.append("deletions: given up for this pass")
        said = Said(action="deletions given up for this pass", subject="", of=None, reason=str(error), hint=error.hint)
        self._say(said)

    def not_listed(self, user: str, problem: ZoomsyncError) -> None:
        """Say that the list of one user could not be read."""
        self._say(Said(action="not listed", subject=user, of=None, reason=f"{user}: {problem}", hint=problem.hint))

    def still_not_listed(self, user: str, trouble: Retry) -> None:
        """Say that the list of one user is not asked for again yet."""
        reason = f"{user}: {trouble.error}; again at {moment(trouble.next_at)}"
        self._say(Said(action="not listed", subject=user, of=None, reason=reason, hint=ASK_AT_ONCE))

    def count_as_tries(self, failures: Iterable[tuple[Entry, ZoomsyncError]]) -> None:
        """Count these failures as tries of their meetings, if those had failed in an earlier pass too.

        `failed` wrote each down when it happened; it comes with its entry from before.
        """
        for entry, error in failures:
            if entry.retry is None:
                continue
            after = ledger.failed(entry, error, self.clock.now(), Cause.ITSELF)
            self.put(after)
            if after.retry is not None and after.retry.is_parked:
                self.tally.outcomes[Outcome.FAILED] -= 1  # counted when it happened; it is parked instead
                self._report_failure(entry, after, error)

    def _report_failure(self, before: Entry, after: Entry, error: ZoomsyncError) -> None:
        if after.retry is not None and after.retry.is_parked and not (before.retry and before.retry.is_parked):
            self._report(Outcome.PARKED, after, f"{error}; parked", error.hint)
        else:
            room = error.room if isinstance(error, DiskFull) else ""
            self._report(Outcome.FAILED, after, str(error), error.hint, room=room)

    # What came of a deletion

    def would_delete(self, entry: Entry, reason: str, size: int) -> None:
        """Note what a pass would delete now."""
        last = f"; last time {entry.kept}" if entry.kept else ""
        self.tally.outcomes[Outcome.DELETE] += 1
        self.tally.rows.append(row("delete", entry, f"{reason}{last}", size=size))

    def kept(self, entry: Entry, decision: Keep) -> None:
        """Write down why what is left of a cloud copy stays; that is no failure, and said when it was stored."""
        self._count(entry, decision) if self._is_dry else self.put(replace(entry, kept=decision.reason))

    def deleted(self, before: Entry, after: Entry, *, files: int, kept: str) -> None:
        """Write down what became of the deletion of so many files, and why others are `kept`."""
        done = len(after.deleted) - len(before.deleted)
        self.tally.deleted_files += done
        self.tally.outcomes[Outcome.DELETED] += done == files
        if after.refusal is not None:
            self.put(after)
            self._report(Outcome.REFUSED, after, after.refusal.error, after.refusal.hint)
        elif kept:
            self.put(replace(after, kept=kept))
        else:
            reason = f"stored; deleted from Zoom {moment(self.clock.now())}"
            self.put(replace(after, phase=Phase.DELETED, reason=reason, due_at=None))

    def refused(self, entry: Entry, problem: ZoomsyncError, outcome: Outcome = Outcome.REFUSED) -> None:
        """Write down that a cloud copy, or (`UNPROVEN`) what is stored of it, could not be looked at."""
        self.put(ledger.refused(entry, problem, self.clock.now()))
        reason = f"not deleted: {problem}" if outcome is Outcome.UNPROVEN else str(problem)
        self._report(outcome, entry, reason, problem.hint)

    def not_deleted(self, entry: Entry, decision: Wait | Skip, *, is_passing: bool) -> None:
        """Write down why the stored files do not prove enough to delete; `is_passing`: time alone mends that."""
        if is_passing:
            with log_context(entry):
                log.info("%s", decision.reason)
            self.put(replace(entry, kept=decision.reason))
        elif isinstance(decision, Wait):
            unproven = MeetingFailed(decision.reason, hint=UNPROVEN)
            self.put(ledger.refused(entry, unproven, self.clock.now(), Cause.ELSEWHERE))
            self._report(Outcome.UNPROVEN, entry, decision.reason, UNPROVEN)
        else:
            left = "" if self._destination.can_replace else "; what is left of it there, delete first"
            self._report(Outcome.ALTERED, entry, decision.reason, f"{ALTERED}{left}")
            self.put(ledger.answered(entry, decision, self.clock.now()))

    def warn_at_end(self, named: Mapping[str, Named], *, deletes: bool) -> None:
        """Warn of what is stored elsewhere, and of what the config names (by its key) although nobody knows it."""
        for key, meetings in named.items():
            level = logging.ERROR if deletes and key == "hold_meetings" else logging.WARNING
            for what in self.entries.unmatched(meetings) if self.entries or not self._is_dry else ():
                log.log(level, "%s: %s: names no meeting that is known", key, what)
        if elsewhere := self.tally.outcomes[Outcome.ELSEWHERE]:
            log.warning(
                "%s stored in another destination than the one configured: left there, late files of them are not "
                "fetched; `sync --meeting WHAT` fetches one into this destination",
                plural(elsewhere, "meeting"),
            )

    def _report(self, outcome: Outcome, of: Entry | Meeting, reason: str, hint: str = "", *, room: str = "") -> None:
        """Count, show and log what a person should know of."""
        action = ACTIONS.get(outcome, outcome.value)
        self.tally.outcomes[outcome] += 1
        self.tally.rows.append(row(action, of, reason, hint=hint))
        self._say(Said(action=action, subject=of.uuid, of=of, reason=reason, hint=hint, room=room))

    def _say(self, said: Said) -> None:
        """Log it now for who watches, the first for a reason as an error, and keep it for `sum_up`."""
        group = self._said.setdefault(said.group, [])
        group.append(said)
        is_error = len(group) == 1 and log.isEnabledFor(logging.INFO)
        with log_context(said.of):
            log.log(logging.ERROR if is_error else logging.INFO, "%s", said, extra=fields(**said.facts))

    def sum_up(self) -> None:
        """What went wrong to many for one reason; to who does not watch each reason, `MOST_LINES` at most."""
        groups = [group for group in self._said.values() if len(group) > 1 or not log.isEnabledFor(logging.INFO)]
        for *others, last in groups[:MOST_LINES]:
            with log_context(None if others else last.of):
                facts = {**last.facts, "event": "summary", "count": len(others) + 1}
                log.error("%s", last.of_many([*others, last]) if others else last, extra=fields(**facts))
        if rest := sum(map(len, groups[MOST_LINES:])):
            log.error("%s more, for other reasons: see `zoomsync status`", plural(rest, "failure"))
        self._said.clear()
