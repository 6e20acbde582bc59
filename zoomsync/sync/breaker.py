"""Failures that the destination caused, or a missing right: whose fault each was shows when the pass is over."""

from collections import Counter
from datetime import datetime

from zoomsync.errors import Forbidden, Unreachable, ZoomsyncError
from zoomsync.model import Entry
from zoomsync.rules.publish import Wait, is_lost_soon
from zoomsync.sync.recorder import Recorder

GIVEN_UP = 3
"""After so many failures in a row the pass ends."""


class Patience:
    """Counts the failures in a row, so that one broken recording or list never stops all others."""

    def __init__(self) -> None:
        self._lost = 0

    def lose(self, error: ZoomsyncError) -> None:
        """One more question was not answered. Raises `error` once that is no matter of this question alone."""
        self._lost += 1
        if self._lost >= GIVEN_UP:
            raise error

    def regain(self) -> None:
        """A question was answered."""
        self._lost = 0


class Breaker:
    """Collects them; a host who may not publish never stops the others."""

    def __init__(self, book: Recorder) -> None:
        self._book = book
        self._failed: list[tuple[Entry, Unreachable | Forbidden]] = []
        self._in_a_row = 0
        self._refused: dict[str, Forbidden] = {}
        """Id of a host who may not publish, as it seems → what is forbidden."""
        self._times: Counter[str] = Counter()
        """Id of a host → how often in a row something was forbidden."""

    def add(self, entry: Entry, error: Unreachable | Forbidden) -> bool:
        """Write down one more; whether that is one too many in a row.

        Where the destination took something before, what it forbids now is about a host or a meeting.
        """
        self._book.failed(entry, error)
        self._failed.append((entry, error))
        if isinstance(error, Unreachable):
            self._in_a_row += 1
        elif entry.host_id not in self._refused:
            self._times[entry.host_id] += 1
            if self._times[entry.host_id] >= GIVEN_UP or not self._book.holds_any(entry.host_id):
                self._refused[entry.host_id] = error
            self._in_a_row += not self._book.holds_any()
        return self._in_a_row >= GIVEN_UP

    def put_off(self, entry: Entry, now: datetime) -> Wait | None:
        """Nothing is fetched for nothing: where a host may not publish, the rest of it waits; not what is lost soon.

        Where the destination holds something of the host, what it forbids is about one meeting, until that is common.
        """
        known = self._refused.get(entry.host_id)
        if known is None or is_lost_soon(entry.auto_delete, now):
            return None
        return Wait(reason=f"not begun after another one of its host: {known}")

    def came_through(self, entry: Entry) -> None:
        """One meeting was worked off, or nothing was to be done."""
        if entry.host_id not in self._refused:
            self._in_a_row = 0
            self._times.pop(entry.host_id, None)

    def settle(self) -> Forbidden | None:
        """What failed again while others came through was about the meeting: a try. Else it was nobody's fault.

        Returns what tells that the account may not publish at all.
        """
        counts = self._book.tally.counts
        if counts["published"] + counts["updated"]:
            self._book.blame(self._failed)
            return None
        return next((error for _, error in self._failed if isinstance(error, Forbidden)), None)
