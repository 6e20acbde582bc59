"""How long a pass bears with a Zoom that is out of order: one question may fail, a row of them ends the pass."""

from zoomsync.errors import ZoomsyncError

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
