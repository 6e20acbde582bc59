"""Deleting the cloud copies of what earlier passes published: which, in what order, against what proof."""

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import replace
from datetime import datetime
from itertools import islice

from zoomsync import deletion, ledger, plan
from zoomsync.about import about
from zoomsync.book import Book
from zoomsync.deleting import Deleting
from zoomsync.deletion import Deletable
from zoomsync.errors import Forbidden, MeetingFailed, StillProcessing, Unreachable
from zoomsync.http import OutOfOrder
from zoomsync.model import Clock, Entry, Meeting, Receipt, Verdict
from zoomsync.patience import GIVEN_UP, Patience
from zoomsync.report import row
from zoomsync.shop import Destination, Reader
from zoomsync.words import plural

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1


class Cleaning:
    """The deletions of one pass. In a dry run (`deleting` is None) it verifies and deletes nothing."""

    def __init__(
        self,
        *,
        zoom: Reader,
        book: Book,
        destination: Destination,
        deleting: Deleting | None,
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

    def run(
        self, entries: Iterable[Entry], rules: plan.Rules, *, limit: int, is_over: Callable[[], bool]
    ) -> list[Meeting]:
        """Delete what is due, the longest stored first; returns the meetings that have late files to be published.

        It ends early, and `left` says why, at `limit` meetings or when time `is_over`.
        """
        due = sorted(
            (entry for entry in entries if deletion.is_due(entry, rules) is None),
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

    def _judge(self, entry: Entry, rules: plan.Rules) -> Deletable | Meeting | None:
        """The meeting as it is in the cloud now: deletable, or with late files; None: neither."""
        self._clock.check()
        try:
            found = self._zoom.meeting(entry.uuid)
        except StillProcessing:
            return None
        except (MeetingFailed, OutOfOrder) as problem:
            self._book.refused(ledger.refused(entry, problem, self._clock.now()), problem)
            if isinstance(problem, OutOfOrder):
                self._patience.lose(problem)
            return None
        self._patience.regain()
        answer = deletion.judge(entry, found, rules)
        if isinstance(answer, Deletable):
            return answer
        if isinstance(answer, plan.Publish):
            return answer.meeting
        self._book.answer(entry, answer)
        return None

    def _delete(self, entry: Entry, found: Deletable, future: Future[Verdict] | None, rules: plan.Rules) -> bool:
        """Delete the files of one meeting; whether one was deleted."""
        if future is None or self._deleting is None:
            size = sum(file.size or 0 for file in found.files)
            waits = f"; last time {entry.kept}" if entry.kept else ""
            self._book.tally.rows.append(row("delete", entry, f"{found.reason}{waits}", size=size))
            self._book.tally.counts["delete"] += 1
            return True
        verdict = self._wait_for(future, found.receipt)
        action = deletion.decide(found, verdict, rules.delete)
        if not isinstance(action, deletion.Delete):
            self._book.not_deleted(entry, action, passing=verdict.passing)
            return False
        entry = replace(entry, receipt=verdict.receipt)
        with about(entry):
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
