"""Failures that the destination caused, or a missing right: whose fault each was shows when the pass is over."""

from zoomsync.book import Book
from zoomsync.errors import Forbidden, Unreachable
from zoomsync.model import Entry
from zoomsync.patience import GIVEN_UP


class Blame:
    """Collects them; one host who may not publish never stops the others."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._failed: list[tuple[Entry, Unreachable | Forbidden]] = []
        self._in_a_row = 0
        self._hosts: set[str] = set()
        """Whom something was forbidden."""

    def add(self, entry: Entry, error: Unreachable | Forbidden) -> bool:
        """Write down one more; whether that is one too many in a row."""
        self._book.failed(entry, error)
        self._failed.append((entry, error))
        self._in_a_row += isinstance(error, Unreachable) or entry.host_id not in self._hosts
        if isinstance(error, Forbidden):
            self._hosts.add(entry.host_id)
        return self._in_a_row >= GIVEN_UP

    def came_through(self) -> None:
        """One meeting was worked off."""
        self._in_a_row = 0

    def settle(self) -> Forbidden | None:
        """What failed again while others came through was about the meeting: a try. Else it was nobody's fault.

        What is forbidden again where others came through in earlier passes is a try, too: else it would be in the way
        of what is older for ever. Returns what tells that the account may not publish at all.
        """
        counts = self._book.tally.counts
        came_through = counts["published"] + counts["updated"]
        refused = [(entry, error) for entry, error in self._failed if isinstance(error, Forbidden)]
        if came_through or self._book.holds_any:
            self._book.blame(self._failed if came_through else refused)
        return refused[0][1] if refused and not came_through else None
