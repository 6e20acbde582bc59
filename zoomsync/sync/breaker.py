"""When to stop asking: failures in a row, and meetings that failed through the destination."""

from collections import Counter
from datetime import datetime

from zoomsync.errors import Forbidden, Unreachable, ZoomsyncError
from zoomsync.model import Entry, Outcome
from zoomsync.rules.publish import Wait, is_lost_soon
from zoomsync.sync.recorder import Recorder

GIVE_UP_AFTER = 3
"""So many failures in a row are not about one recording, list or host."""


class Breaker:
    """Counts the failures in a row of one service, so that one broken recording or list never stops all others."""

    def __init__(self) -> None:
        self._failures = 0

    def failed(self, error: ZoomsyncError) -> None:
        """One more question was not answered. Raises `error` if that was the third in a row."""
        self._failures += 1
        if self._failures >= GIVE_UP_AFTER:
            raise error

    def answered(self) -> None:
        """A question was answered."""
        self._failures = 0


class DestinationFailures:
    """The meetings of a pass that failed because the destination did not answer, or forbids something."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._failed: list[tuple[Entry, Unreachable | Forbidden]] = []
        self._in_a_row = 0
        self._refused: dict[str, Forbidden] = {}
        """Id of a host who may not publish, as it seems → what is forbidden."""
        self._forbidden: Counter[str] = Counter()
        """Id of a host → how often in a row something was forbidden."""

    def add(self, entry: Entry, error: Unreachable | Forbidden) -> bool:
        """Write down one more failure; returns whether so many failed in a row that the pass is to end.

        If the destination has stored anything before, what it forbids now concerns one host or one meeting.
        """
        self._recorder.failed(entry, error)
        self._failed.append((entry, error))
        host = entry.host_id
        if isinstance(error, Unreachable):
            self._in_a_row += 1
        elif host not in self._refused:
            self._forbidden[host] += 1
            if self._forbidden[host] >= GIVE_UP_AFTER or not self._recorder.has_stored(host):
                self._refused[host] = error
            self._in_a_row += not self._recorder.has_stored()
        return self._in_a_row >= GIVE_UP_AFTER

    def postponed(self, entry: Entry, now: datetime) -> Wait | None:
        """If the destination refused this host, its other meetings wait, so that no download is wasted.

        Meetings that Zoom deletes soon do not wait.
        """
        refused = self._refused.get(entry.host_id)
        if refused is None or is_lost_soon(entry.auto_delete, now):
            return None
        return Wait(reason=f"not begun after another one of its host: {refused}")

    def succeeded(self, entry: Entry) -> None:
        """A meeting was stored, or there was nothing to do for it."""
        if entry.host_id not in self._refused:
            self._in_a_row = 0
            self._forbidden.pop(entry.host_id, None)

    def settle(self) -> Forbidden | None:
        """At the end of the pass: if others were stored, each failure was about its own meeting, and counts as a try.

        If nothing was stored, none counts; returns then what the account may not do, if that was the cause.
        """
        outcomes = self._recorder.tally.outcomes
        if outcomes[Outcome.PUBLISHED] or outcomes[Outcome.UPDATED]:
            self._recorder.count_as_tries(self._failed)
            return None
        return next((error for _, error in self._failed if isinstance(error, Forbidden)), None)
