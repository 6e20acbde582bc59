"""Deleting the cloud copies of what earlier passes published: which, in what order, against what proof."""

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import replace
from datetime import datetime
from itertools import islice

from zoomsync.console import log_context
from zoomsync.destinations.base import Destination
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
from zoomsync.sync.breaker import GIVEN_UP, Patience
from zoomsync.sync.recorder import Recorder, row


class Deleter:
    """Carries out deletions, one at a time; the only place that calls Zoom to delete."""

    def __init__(self, zoom: Zoom, state: State, audit: Audit, clock: Clock, new_id: Callable[[], str]) -> None:
        self._zoom = zoom
        self._state = state
        self._audit = audit
        self._clock = clock
        self._new_id = new_id
        self._patience = Patience()

    def run(self, deletion: Delete, entry: Entry, verified_at: datetime) -> Entry:
        """Delete the files of one meeting; the entry tells what became of it. A refusal ends it, `refusal` says why."""
        for file in deletion.files:
            self._clock.check()
            entry = self._one(deletion, file, entry, verified_at)
            if entry.refusal is not None:
                break
        return entry

    def _one(self, deletion: Delete, file: RecordingFile, entry: Entry, verified_at: datetime) -> Entry:
        intent = Intent(
            id=self._new_id(),
            at=self._clock.now(),
            action="delete",
            uuid=entry.uuid,
            target=file.id,
            details={"mode": deletion.mode},
        )
        self._state.begin(intent)  # first: what the audit announces is then always answered or settled
        self._audit.before(intent, entry, file, deletion.verdict, action=deletion.mode, verified_at=verified_at)
        try:
            answer = self._zoom.delete_file(entry.uuid, file.id, deletion.mode)
        except (DeletionRefused, NotAuthorized) as refused:
            self._audit.after(intent.id, f"refused: {refused}")
            if isinstance(refused, NotAuthorized):
                self._state.settle(intent.id)
                raise
            entry = ledger.refused(entry, refused, self._clock.now())
        except ServiceUnavailable as unknown:  # the intent stays open: the next pass finds out what became of it
            self._audit.after(intent.id, f"none: {unknown}")
            self._patience.lose(unknown)
            doubt = unknown.become(Unreachable, f"no answer, the next pass finds out what became of it: {unknown}")
            return ledger.refused(entry, doubt, self._clock.now())
        else:
            self._patience.regain()
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
                log.warning("a deletion without an answer stays open: %s", error)
                self._patience.lose(error)
                continue
            entry = self._state.entries.get(intent.uuid)
            is_there = found is not None and any(file.id == intent.target for file in found.files)
            self._audit.settled(intent.id, "still in the cloud" if is_there else "gone from the cloud")
            log.info("deletion without an answer settled: %s", "not done" if is_there else "done")
            if entry is not None and not is_there:
                self._state.settle(intent.id, ledger.deleted(entry, intent.target, self._clock.now()))
            else:
                self._state.settle(intent.id)


log = logging.getLogger(__name__)

POLL_SECONDS = 0.1


class Deletions:
    """The deletions of one pass. In a dry run (`deleting` is None) it verifies and deletes nothing."""

    def __init__(
        self,
        *,
        zoom: Zoom,
        book: Recorder,
        destination: Destination,
        deleting: Deleter | None,
        executor: Executor,
        clock: Clock,
        ahead: int,
        patience: Patience,
    ) -> None:
        self._zoom = zoom
        self._book = book
        self._destination = destination
        self._deleting = deleting
        self._executor = executor
        self._clock = clock
        self._ahead = ahead
        self._patience = patience
        self._unreached = 0
        self.left = ""
        """What was due and is left for the next pass, in words."""

    def run(self, entries: Iterable[Entry], rules: Rules, *, limit: int, is_over: Callable[[], bool]) -> list[Meeting]:
        """Delete what is due, the longest stored first; returns the meetings that have late files to be published.

        It ends early, and `left` says why, at `limit` meetings or when time `is_over`.
        """
        due = sorted(
            (entry for entry in entries if why_kept(entry, rules) is None),
            key=lambda entry: (entry.stored_at or rules.now, entry.uuid),
        )
        late: list[Meeting] = []
        deleted = 0
        for entry, verdict in self._verified(due):
            if left := self._left(deleted, limit, is_over):
                self.left = left
                break
            found = self._judge(entry, rules)
            if isinstance(found, Meeting):
                late.append(found)
            elif found is not None:
                deleted += self._delete(entry, found, verdict, rules)
        return late

    def _left(self, deleted: int, limit: int, is_over: Callable[[], bool]) -> str:
        """Why no more is deleted; empty: go on."""
        if deleted >= limit:
            return f"deletions beyond delete_limit ({limit})"
        if self._unreached >= GIVEN_UP:
            return "deletions: the destination is out of order"
        return "deletions: time was up" if is_over() else ""

    def _verified(self, due: list[Entry]) -> Iterator[tuple[Entry, Future[Verdict] | None]]:
        """Each entry with the verdict on its stored files, which workers look at a few entries ahead."""
        if self._deleting is None:
            yield from ((entry, None) for entry in due)
            return
        waiting = iter(due)
        flight = [(entry, self._look(entry)) for entry in islice(waiting, self._ahead)]
        try:
            while flight:
                yield flight.pop(0)
                flight += [(entry, self._look(entry)) for entry in islice(waiting, 1)]
        finally:
            for _, future in flight:
                future.cancel()

    def _look(self, entry: Entry) -> Future[Verdict]:
        if entry.receipt is None:
            raise TypeError("a deletion is due only with a receipt")
        return self._executor.submit(self._destination.verify, entry.receipt)

    def _judge(self, entry: Entry, rules: Rules) -> Deletable | Meeting | None:
        """The meeting as it is in the cloud now: deletable, or with late files; None: neither."""
        self._clock.check()
        try:
            found = self._zoom.meeting(entry.uuid)
        except StillProcessing:
            return None
        except (MeetingFailed, ServiceUnavailable) as problem:
            self._book.refused(ledger.refused(entry, problem, self._clock.now()), problem)
            if isinstance(problem, ServiceUnavailable):
                self._patience.lose(problem)
            return None
        self._patience.regain()
        answer = recheck(entry, found, rules)
        if isinstance(answer, Deletable):
            return answer
        if isinstance(answer, Publish):
            return answer.meeting
        self._book.answer(entry, answer)
        return None

    def _delete(self, entry: Entry, found: Deletable, future: Future[Verdict] | None, rules: Rules) -> bool:
        """Delete the files of one meeting; whether one was deleted."""
        if future is None or self._deleting is None:
            size = sum(file.size or 0 for file in found.files)
            waits = f"; last time {entry.kept}" if entry.kept else ""
            self._book.tally.rows.append(row("delete", entry, f"{found.reason}{waits}", size=size))
            self._book.tally.counts["delete"] += 1
            return True
        verdict = self._wait_for(future, found.receipt)
        action = decide_deletion(found, verdict, rules.delete)
        if not isinstance(action, Delete):
            self._book.not_deleted(entry, action, passing=verdict.passing)
            return False
        entry = replace(entry, receipt=verdict.receipt)
        with log_context(entry):
            after = self._deleting.run(action, entry, _verified_at(verdict, self._clock.now()))
            done = len(after.deleted) - len(entry.deleted)
            if done:
                log.info("deleted from Zoom (%s): %s", action.mode, plural(done, "file"))
        self._book.deleted(entry, after, done, all_of=len(action.files))
        return done > 0

    def _wait_for(self, future: Future[Verdict], receipt: Receipt) -> Verdict:
        """What the destination says; that it cannot say anything of one item proves nothing, and stops no other."""
        while not future.done():
            self._clock.sleep(POLL_SECONDS)
        try:
            verdict = future.result()
        except (MeetingFailed, Forbidden, Unreachable) as error:
            self._unreached = self._unreached + 1 if isinstance(error, Unreachable) else 0
            return Verdict(safe=False, reason=str(error), receipt=receipt)
        self._unreached = 0
        return verdict


def _verified_at(verdict: Verdict, now: datetime) -> datetime:
    """When the content of the stored files was read last: the oldest of their stamps."""
    return min((file.stamp.at for file in verdict.receipt.files if file.stamp), default=now)
