"""Deleting the cloud copies of what earlier passes published: which, in what order, against what proof."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace

from zoomsync.console import log_context
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
from zoomsync.model import Clock, Entry, Intent, Meeting, Receipt, RecordingFile, Verdict, Zoom
from zoomsync.rules import ledger
from zoomsync.rules.delete import Deletable, Delete, decide_deletion, recheck, why_kept
from zoomsync.rules.publish import Publish, Rules
from zoomsync.state import State
from zoomsync.state.audit import Audit
from zoomsync.sync.breaker import GIVE_UP_AFTER, Breaker
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
        self._breaker = Breaker()

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
            self._breaker.failed(unknown)
            doubt = unknown.become(Unreachable, f"no answer, the next pass finds out what became of it: {unknown}")
            return ledger.refused(entry, doubt, self._clock.now())
        else:
            self._breaker.answered()
            self._audit.after(intent.id, answer)
            entry = ledger.deleted(entry, file.id, self._clock.now())
        self._state.settle(intent.id, entry)
        return entry

    def settle_open(self) -> None:
        """Find out what became of deletions whose answer an earlier pass never saw."""
        for intent in [one for one in self._state.open_intents() if one.action == "delete"]:
            try:
                found = self._zoom.meeting(intent.uuid)
            except MeetingFailed:  # not now: a later pass finds out
                continue
            except ServiceUnavailable as error:
                log.warning("what became of a deletion without an answer is not known yet: %s", error)
                self._breaker.failed(error)
                continue
            entry = self._state.entries.get(intent.uuid)
            is_there = found is not None and any(file.id == intent.target for file in found.files)
            self._audit.settled(intent.id, "still in the cloud" if is_there else "gone from the cloud")
            log.info("a deletion without an answer was %s", "not done" if is_there else "done")
            done = [] if entry is None or is_there else [ledger.deleted(entry, intent.target, self._clock.now())]
            self._state.settle(intent.id, *done)


class Deletions:
    """Decides which cloud copies one pass deletes. In a dry run (no `deleter`) it verifies and deletes nothing."""

    def __init__(
        self,
        zoom: Zoom,
        recorder: Recorder,
        breaker: Breaker,
        verify: Callable[[Receipt], Future[Verdict]],
        deleter: Deleter | None,
    ) -> None:
        self._zoom = zoom
        self._recorder = recorder
        self._breaker = breaker
        self._verify = verify
        self._deleter = deleter
        self._unverified = 0
        """How many receipts in a row the destination did not answer about."""

    def run(
        self, entries: Iterable[Entry], rules: Rules, *, limit: int, ahead: int, is_over: Callable[[], bool]
    ) -> list[Meeting]:
        """Delete what is due, the longest stored first; returns the meetings that have late files to be published.

        It ends early at `limit` meetings, when time `is_over`, or when the destination does not answer. The stored
        files of up to `ahead` meetings are verified at a time.
        """
        due = sorted(
            (entry for entry in entries if why_kept(entry, rules) is None),
            key=lambda entry: (entry.stored_at or rules.now, entry.uuid),
        )
        late: list[Meeting] = []
        deleted = 0
        for entry, verdict in self._verified(due, ahead):
            left = ""
            if deleted >= limit:
                left = f"deletions beyond delete_limit ({limit})"
            elif self._unverified >= GIVE_UP_AFTER:
                left = "deletions: the destination is out of order"
            elif is_over():
                left = "deletions: time was up"
            if left:
                self._recorder.tally.left.append(left)
                break
            found = self._read_again(entry, rules)
            if isinstance(found, Meeting):
                late.append(found)
            elif found is not None:
                deleted += self._delete(entry, found, verdict, rules)
        return late

    def _verified(self, due: list[Entry], ahead: int) -> Iterator[tuple[Entry, Future[Verdict] | None]]:
        """Each entry with the verdict on its stored files, which workers look at a few entries ahead."""
        if self._deleter is None:
            yield from ((entry, None) for entry in due)
            return
        in_flight: deque[tuple[Entry, Future[Verdict]]] = deque()
        try:
            for entry in due:
                if entry.receipt is None:
                    raise TypeError("a deletion is due only with a receipt")
                in_flight.append((entry, self._verify(entry.receipt)))
                if len(in_flight) == ahead:
                    yield in_flight.popleft()
            while in_flight:
                yield in_flight.popleft()
        finally:
            for _, future in in_flight:
                future.cancel()

    def _read_again(self, entry: Entry, rules: Rules) -> Deletable | Meeting | None:
        """The meeting as it is in the cloud now: deletable, or with late files; None: neither."""
        self._recorder.clock.check()
        try:
            found = self._zoom.meeting(entry.uuid)
        except StillProcessing:
            return None
        except (MeetingFailed, ServiceUnavailable) as problem:
            self._recorder.refused(entry, problem)
            if isinstance(problem, ServiceUnavailable):
                self._breaker.failed(problem)
            return None
        self._breaker.answered()
        decision = recheck(entry, found, rules)
        if isinstance(decision, Deletable):
            return decision
        if isinstance(decision, Publish):
            return decision.meeting
        self._recorder.decided(entry, decision)
        return None

    def _delete(self, entry: Entry, found: Deletable, future: Future[Verdict] | None, rules: Rules) -> bool:
        """Delete the files of one meeting; whether one was deleted."""
        if future is None or self._deleter is None:
            self._recorder.would_delete(entry, found.reason, sum(file.size or 0 for file in found.files))
            return True
        verdict = self._wait_for(future, found.receipt)
        action = decide_deletion(found, verdict, rules.delete)
        if not isinstance(action, Delete):
            self._recorder.not_deleted(entry, action, is_passing=verdict.passing)
            return False
        before = replace(entry, receipt=verdict.receipt)
        with log_context(before):
            after = self._deleter.delete(action, before)
            done = len(after.deleted) - len(before.deleted)
            if done:
                log.info("deleted from Zoom (%s): %s", action.mode, plural(done, "file"))
        self._recorder.deleted(before, after, files=len(action.files))
        return done > 0

    def _wait_for(self, future: Future[Verdict], receipt: Receipt) -> Verdict:
        """The destination's verdict; if it cannot say anything of one item, that proves nothing and stops no other."""
        while not future.done():
            self._recorder.clock.sleep(POLL_SECONDS)
        try:
            verdict = future.result()
        except (MeetingFailed, Forbidden, Unreachable) as error:
            self._unverified = self._unverified + 1 if isinstance(error, Unreachable) else 0
            return Verdict(safe=False, reason=str(error), receipt=receipt)
        self._unverified = 0
        return verdict
