"""`sync --verify`: reads again what receipts name; fetches nothing, deletes nothing. What differs is remembered.

An item that could not be read now is named; what was known of it stays.
"""

import logging
import math
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import replace

from zoomsync.console import fields, log_context
from zoomsync.destinations.base import Destination
from zoomsync.errors import Forbidden, MeetingFailed, Unreachable, UsageError, ZoomsyncError
from zoomsync.formatting import plural, quoted, size_in_words
from zoomsync.model import Clock, Entry, Outcome, Phase, Receipt, Verdict
from zoomsync.naming import suffix
from zoomsync.progress import Progress
from zoomsync.rules import ledger
from zoomsync.rules.named import Named
from zoomsync.rules.request import SyncRequest
from zoomsync.state import State
from zoomsync.sync.breaker import ASK_AFTER, Breaker
from zoomsync.sync.tally import Tally, row
from zoomsync.sync.workers import GRACE_SECONDS, Workers

log = logging.getLogger(__name__)

HINT = "damage: restore it, or `sync --meeting WHAT` fetches it again if Zoom has it still; a change: exclude_meetings"


class Verifier:
    """Reads items, a few at a time; what differs goes to the tally."""

    def __init__(
        self,
        destination: Destination,
        state: State,
        tally: Tally,
        clock: Clock,
        progress: Progress,
        request: SyncRequest,
        excluded: Named,
    ) -> None:
        self._destination = destination
        self._state = state
        self._tally = tally
        self._clock = clock
        self._progress = progress
        self._request = request
        self._excluded = excluded
        self._breaker = Breaker(destination.ping)
        self._silent: list[tuple[Entry, Unreachable]] = []
        """Items about which the service did not answer, and may be down."""
        limit = request.max_duration
        self._over_at = math.inf if limit is None else clock.monotonic() + limit.total_seconds()

    def run(self, run_id: str, executor: Executor, size: int) -> None:
        """Read what is asked for, `size` items at a time, once they are counted; of a sample what the run's id draws.

        Raises `UsageError` for a name of nothing that is stored here, and what concerns all items.
        """
        self._refuse_unknown()
        left = total = far = 0
        for _, receipt in self._chosen(run_id):
            left, total, far = left + 1, total + _size(receipt), far + self._destination.to_download(receipt)
        downloads = size_in_words(far) if far else "nothing"
        log.info("%s to verify, %s, %s of it to be downloaded", plural(left, "item"), size_in_words(total), downloads)
        self._progress.due(left, total)
        workers = Workers(executor, size, self._clock, self._read)
        try:
            for (entry, receipt), future in workers.work_off(self._chosen(run_id), may_begin=self._may_begin):
                self._progress.ended()
                self._take(entry, receipt, future)
                left -= 1
            if down := self._breaker.settle():
                raise down
            self._answered()
        except ZoomsyncError:
            self._tally.outcomes[Outcome.UNREAD] += left + len(self._silent)
            raise
        finally:
            for _ in workers.drain(GRACE_SECONDS):
                pass
            if left := left + len(self._silent):
                self._tally.left.append(f"{plural(left, 'item')} to be read")

    def _refuse_unknown(self) -> None:
        for what, named in self._request.meetings.each():
            if not any(map(self._is_stored, self._state.entries.named(named))):
                raise UsageError(
                    f"--meeting {what}: nothing of that name is stored", hint="`status --meeting` says why"
                )

    def _chosen(self, run_id: str) -> Iterator[tuple[Entry, Receipt]]:
        request, entries = self._request, self._state.entries

        def is_chosen(entry: Entry) -> bool:
            is_of_user = not request.users or entry.host_email.lower() in request.users
            is_drawn = int(suffix(f"{run_id} {entry.uuid}"), 16) < request.sample * 2**32
            is_in_sample = is_drawn or entry.differs != ""  # an alarm does not wait for chance to be confirmed, or end
            return is_of_user and request.spans(entry.start) and is_in_sample and self._is_stored(entry)

        named = entries.named(request.meetings) if request.meetings else entries.in_destination(self._destination.id)
        return ((entry, entry.receipt) for entry in named if entry.receipt is not None and is_chosen(entry))

    def _is_stored(self, entry: Entry) -> bool:
        is_altered = entry.phase is Phase.REMOVED and entry.differs != "" and entry not in self._excluded
        is_there = entry.phase in (Phase.PUBLISHED, Phase.DELETED) or is_altered
        return is_there and entry.receipt is not None and entry.receipt.destination == self._destination.id

    def _may_begin(self) -> bool:
        return self._clock.monotonic() < self._over_at

    def _read(self, item: tuple[Entry, Receipt]) -> Verdict:
        entry, receipt = item
        with self._progress.working(f"{quoted(entry.topic)} is read", _size(receipt)) as moved:
            verdict = self._destination.verify(receipt)
            moved(_size(receipt))
        return verdict

    def _take(self, entry: Entry, receipt: Receipt, future: "Future[Verdict]") -> None:
        """Write down what came of one item. Raises what concerns all of them."""
        try:
            verdict = future.result()
        except (Forbidden, MeetingFailed) as error:
            self._write_down(entry, Outcome.UNREAD, str(error), error.hint)
        except Unreachable as error:  # about this item, unless the service turns out to be down
            self._breaker.failed()
            self._silent.append((entry, error))
            if len(self._silent) == ASK_AFTER:  # then the service was asked, and answered
                self._answered()
        else:
            self._breaker.answered()
            self._answered()
            if verdict.safe:
                self._write_down(entry, Outcome.VERIFIED)
                return
            is_open = verdict.passing or verdict.silent
            outcome = Outcome.UNREAD if verdict.unread else Outcome.UNVERIFIED if is_open else Outcome.DIFFERS
            reason = verdict.reason if verdict.hint else f"{receipt.place}: {verdict.reason}"
            self._write_down(entry, outcome, reason, verdict.hint or HINT)

    def _write_down(self, entry: Entry, outcome: Outcome, reason: str = "", hint: str = "") -> None:
        """Count and report it, and remember what differs."""
        self._tally.outcomes[outcome] += 1
        if outcome is Outcome.DIFFERS:
            after = replace(entry, differs=reason)
        elif outcome is Outcome.VERIFIED:
            after = ledger.found_whole(entry, self._clock.now())
        elif outcome is Outcome.UNREAD:
            after, reason = entry, f"could not be read now: {reason}"
        else:
            after = replace(entry, differs="" if entry.phase is not Phase.REMOVED else entry.differs)
        if after != entry:
            self._state.put(after)
        if not reason:
            return
        self._tally.rows.append(row(outcome.value, entry, reason, hint=hint))
        with log_context(entry):
            level = logging.ERROR if outcome.is_failure else logging.WARNING
            log.log(level, "%s: %s (%s)", outcome.value, reason, hint, extra=fields(event=outcome.value, reason=reason))

    def _answered(self) -> None:
        """The service is not down: it has no answer for these items alone."""
        silent, self._silent = self._silent, []
        for entry, error in silent:
            self._write_down(entry, Outcome.UNREAD, str(error), error.hint)


def _size(receipt: Receipt) -> int:
    return sum(file.size for file in receipt.files)
