"""Deleting the cloud copies of what earlier passes published: which, in what order, against what proof."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

from zoomsync.console import fields, log_context
from zoomsync.errors import (
    DeletionRefused,
    Forbidden,
    MeetingFailed,
    NotAuthorized,
    ServiceUnavailable,
    StillProcessing,
    Unreachable,
)
from zoomsync.formatting import plural
from zoomsync.http import brief
from zoomsync.model import Clock, Entry, Intent, Meeting, Outcome, RecordingFile, Verdict, Zoom
from zoomsync.rules import ledger
from zoomsync.rules.delete import KEPT, Deletable, Delete, Keep, decide_deletion, recheck, why_kept
from zoomsync.rules.publish import Publish, Rules
from zoomsync.rules.retry import is_asked_briefly, is_delayed
from zoomsync.state import State
from zoomsync.state.audit import Audit
from zoomsync.sync.breaker import ASK_AFTER, Breaker
from zoomsync.sync.recorder import Recorder

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1


class Deleter:
    """The only place that calls Zoom to delete: one file at a time, each with its intent and its lines in the audit."""

    def __init__(self, zoom: Zoom, state: State, audit: Audit, clock: Clock, new_id: Callable[[], str]) -> None:
        self._zoom = zoom
        self._state = state
        self._audit = audit
        self._clock = clock
        self._new_id = new_id
        self._unanswered = 0
        """Deletions in a row that came back without an answer."""

    def delete(self, deletion: Delete, entry: Entry) -> Entry:
        """Delete the files of one meeting; returns what became of its entry. The first refusal ends it."""
        for file in deletion.files:
            self._clock.check()
            entry = self._delete_file(deletion, file, entry)
            if entry.refusal is not None:
                break
        return entry

    def _delete_file(self, deletion: Delete, file: RecordingFile, entry: Entry) -> Entry:
        now = self._clock.now()
        intent = Intent(
            id=self._new_id(),
            at=now,
            action="delete",
            uuid=entry.uuid,
            target=file.id,
            details={"mode": deletion.mode},
        )
        # When the content of the stored files was read last: the oldest of their stamps.
        verified_at = min((one.stamp.at for one in deletion.receipt.files if one.stamp), default=now)
        self._state.begin(intent)  # before the audit: what that announces is then always answered or settled
        # 6: the proof is durable before Zoom is asked to delete
        self._audit.before(intent, entry, file, deletion.verdict, action=deletion.mode, verified_at=verified_at)
        try:
            answer = self._zoom.delete_file(entry.uuid, file.id, deletion.mode)
        except NotAuthorized as refused:
            self._audit.after(intent.id, f"refused: {refused}")
            self._state.settle(intent.id)
            raise
        except DeletionRefused as refused:
            self._audit.after(intent.id, f"refused: {refused}")
            entry = ledger.refused(entry, refused, self._clock.now())
        except ServiceUnavailable as unknown:  # the intent stays open: the next pass finds out what became of it
            self._audit.after(intent.id, f"none: {unknown}")
            self._unanswered += 1
            doubt = unknown.become(Unreachable, f"no answer, the next pass finds out what became of it: {unknown}")
            return ledger.refused(entry, doubt, self._clock.now())
        else:
            self._unanswered = 0
            self._audit.after(intent.id, answer)
            entry = ledger.deleted(entry, file.id, self._clock.now())
        self._state.settle(intent.id, entry)
        return entry

    @property
    def is_given_up(self) -> bool:
        """Whether so many deletions in a row had no answer that Zoom is asked for no more in this pass."""
        return self._unanswered >= ASK_AFTER

    def settle_open(self, breaker: Breaker) -> None:
        """Find out what became of deletions whose answer an earlier pass never saw."""
        for intent in [one for one in self._state.open_intents() if one.action == "delete"]:
            self._settle(intent, self._state.entries.get(intent.uuid), breaker)

    def _settle(self, intent: Intent, entry: Entry | None, breaker: Breaker) -> None:
        now, refusal = self._clock.now(), entry.refusal if entry is not None else None
        is_broken = refusal is not None and refusal.unanswered > 1  # once is the deletion itself
        if is_broken and refusal is not None and is_delayed(refusal, now):
            return
        try:
            with brief(on=is_broken):
                found = self._zoom.meeting(intent.uuid)
        except MeetingFailed:  # not now: a later pass finds out
            return
        except ServiceUnavailable as error:
            log.warning("what became of a deletion without an answer is not known yet: %s", error)
            before = [] if entry is None else [entry]
            self._state.put(*(ledger.refused(one, error, now) for one in before))
            breaker.failed(lambda: self._state.put(*before))
            return
        breaker.answered()
        is_there = found is not None and any(file.id == intent.target for file in found.files)
        self._audit.settled(intent.id, "still in the cloud" if is_there else "gone from the cloud")
        log.info("a deletion without an answer was %s", "not done" if is_there else "done")
        done = [] if entry is None or is_there else [ledger.deleted(entry, intent.target, now)]
        self._state.settle(intent.id, *done)


class Deletions:
    """Decides which cloud copies one pass deletes. In a dry run (no `deleter`) it verifies and deletes nothing."""

    def __init__(
        self,
        zoom: Zoom,
        recorder: Recorder,
        breakers: tuple[Breaker, Breaker],
        verify: Callable[[Entry], Future[Verdict]],
        deleter: Deleter | None,
    ) -> None:
        self._zoom = zoom
        self._recorder = recorder
        self._zoom_breaker, self._destination_breaker = breakers
        self._verify = verify
        self._deleter = deleter
        self.late: list[Meeting] = []
        """Meetings that turned out to have late files, to be published first."""

    def run(
        self,
        rules: Rules,
        *,
        includes: Callable[[Entry], bool],
        limit: int,
        ahead: int,
        is_over: Callable[[], bool],
    ) -> None:
        """Delete what is due of what this pass `includes`, the longest stored first, what failed before last.

        `late` has what is to be published. It ends early at `limit` meetings, when time `is_over`, or when deletions
        have no answer. The stored files of up to `ahead` meetings are verified at a time. Raises `ZoomsyncError` if
        Zoom or the destination is down.
        """
        deleted = 0
        for entry, verdict in self._verified(self._due(rules, includes), ahead):
            left = ""
            if deleted >= limit:
                left = f"deletions beyond delete_limit ({limit})"
            elif self._deleter is not None and self._deleter.is_given_up:
                left = f"deletions: {ASK_AFTER} in a row came back without an answer"
            elif is_over():
                left = "deletions: time was up"
            if left:
                self._recorder.tally.left.append(left)
                break
            with self._recorder.guarded(entry):
                found = self._read_again(entry, rules)
                if isinstance(found, Meeting):
                    self.late.append(found)
                elif found is not None:
                    deleted += self._delete(entry, found, verdict, rules)

    def _due(self, rules: Rules, includes: Callable[[Entry], bool]) -> Iterator[Entry]:
        """What may go by the ledger; of others it is written down why they stay, if that lasts."""
        before, with_kept = rules.now - rules.delete_after, rules.is_sweep or self._deleter is None
        ledger = self._recorder.entries
        stored = ledger.to_delete(rules.destination, rules.selects, before=before, with_kept=with_kept)
        for entry in filter(includes, stored):
            decision = why_kept(entry, rules)
            if decision is None:
                yield entry
            elif isinstance(decision, Keep):
                self._recorder.kept(entry, decision)

    def _verified(self, due: Iterable[Entry], ahead: int) -> Iterator[tuple[Entry, Future[Verdict] | None]]:
        """Each entry with the verdict on its stored files, which workers look at a few entries ahead.

        None: what Zoom did not list as it came mostly still is so, and is verified only if it is not.
        """
        in_flight: deque[tuple[Entry, Future[Verdict] | None]] = deque()
        try:
            for entry in due:
                is_early = self._deleter is not None and not entry.kept.startswith(KEPT)
                in_flight.append((entry, self._verify(entry) if is_early else None))
                if len(in_flight) == ahead:
                    yield in_flight.popleft()
            while in_flight:
                yield in_flight.popleft()
        finally:
            for _, future in in_flight:
                if future is not None:
                    future.cancel()

    def _read_again(self, entry: Entry, rules: Rules) -> Deletable | Meeting | None:
        """The meeting as it is in the cloud now: deletable, or with late files; None: neither."""
        self._recorder.clock.check()
        try:
            with brief(on=is_asked_briefly(entry.refusal)):
                found = self._zoom.meeting(entry.uuid)
        except StillProcessing:
            return None
        except (MeetingFailed, ServiceUnavailable) as problem:
            self._recorder.refused(entry, problem)
            if isinstance(problem, ServiceUnavailable):
                self._zoom_breaker.failed(partial(self._recorder.take_back_refusal, entry, problem))
            return None
        self._zoom_breaker.answered()
        decision = recheck(entry, found, rules)
        if isinstance(decision, Deletable):
            return decision
        if isinstance(decision, Publish):
            return decision.meeting
        if isinstance(decision, Keep):
            self._recorder.kept(entry, decision)
        else:
            self._recorder.decided(entry, decision)
        return None

    def _delete(self, entry: Entry, found: Deletable, future: Future[Verdict] | None, rules: Rules) -> bool:
        """Delete the files of one meeting; whether one was deleted."""
        if self._deleter is None:
            self._recorder.would_delete(entry, found.reason, sum(file.size or 0 for file in found.files))
            return True
        try:
            verdict = self._wait_for(future or self._verify(entry))
        except (MeetingFailed, Forbidden) as error:
            verdict = Verdict(safe=False, reason=str(error), receipt=found.receipt)
        except Unreachable as problem:  # about this item: that proves nothing and stops no other
            self._recorder.refused(entry, problem, Outcome.UNPROVEN)
            self._destination_breaker.failed(partial(self._recorder.take_back_refusal, entry, problem))
            return False
        self._destination_breaker.answered()
        action = decide_deletion(found, verdict, rules.delete)
        if not isinstance(action, Delete):
            self._recorder.not_deleted(entry, action, is_passing=verdict.passing)
            return False
        before = replace(entry, receipt=verdict.receipt)
        with log_context(before), brief(on=entry.refusal is not None and entry.refusal.unanswered > 0):
            after = self._deleter.delete(action, before)
            done = len(after.deleted) - len(before.deleted)
            if done:
                log.info(
                    "deleted from Zoom (%s): %s",
                    action.mode,
                    plural(done, "file"),
                    extra=fields(event="deleted", files=done),
                )
        self._recorder.deleted(before, after, files=len(action.files), kept=found.kept)
        return done > 0

    def _wait_for(self, future: Future[Verdict]) -> Verdict:
        """The destination's verdict, or what it raised."""
        while not future.done():
            self._recorder.clock.sleep(POLL_SECONDS)
        return future.result()
