"""Failures that the destination caused, or a missing right: whose fault each was shows when the pass is over."""

from zoomsync import plan
from zoomsync.book import Book
from zoomsync.errors import Forbidden, Unreachable
from zoomsync.model import Entry
from zoomsync.patience import GIVEN_UP


class Blame:
    """Collects them; a host who may not publish never stops the others."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._failed: list[tuple[Entry, Unreachable | Forbidden]] = []
        self._in_a_row = 0
        self._refused: dict[str, Forbidden] = {}
        """Id of a host → what was forbidden."""

    def add(self, entry: Entry, error: Unreachable | Forbidden) -> bool:
        """Write down one more; whether that is one too many in a row.

        Where the destination took something before, what it forbids is about the host.
        """
        self._book.failed(entry, error)
        self._failed.append((entry, error))
        if isinstance(error, Forbidden):
            self._refused[entry.host_id] = error
        self._in_a_row += isinstance(error, Unreachable) or not self._book.holds_any
        return self._in_a_row >= GIVEN_UP

    def put_off(self, entry: Entry) -> plan.Wait | None:
        """Nothing is fetched for nothing: where something of this host's was forbidden in this pass, the rest waits.

        It comes first in the next pass, so that what is in its way may be about one meeting alone.
        """
        known = self._refused.get(entry.host_id)
        return None if known is None else plan.Wait(reason=f"not begun after another one of its host: {known}")

    def came_through(self) -> None:
        """One meeting was worked off."""
        self._in_a_row = 0

    def settle(self) -> Forbidden | None:
        """What failed again while others came through was about the meeting: a try. Else it was nobody's fault.

        Returns what tells that the account may not publish at all.
        """
        counts = self._book.tally.counts
        if counts["published"] + counts["updated"]:
            self._book.blame(self._failed)
            return None
        return next(iter(self._refused.values()), None)
