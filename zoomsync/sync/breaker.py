"""Whose trouble it is when a service does not answer: that of one subject, or of the service itself."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from zoomsync.errors import Forbidden, ZoomsyncError
from zoomsync.model import Entry, Outcome
from zoomsync.rules.publish import Wait, is_lost_soon
from zoomsync.sync.recorder import Recorder

ASK_AFTER = 3
"""So many subjects in a row without an answer, and the service is asked the reference question."""


class Breaker:
    """Watches one service. The reference question concerns no subject: if it is answered, the trouble is theirs.

    It is asked with all patience (every retry of the client), so that a subject needs none once it has failed.
    """

    def __init__(self, reference: Callable[[], object]) -> None:
        self._reference = reference
        self._in_a_row: list[Callable[[], object]] = []
        self._down: ZoomsyncError | None = None
        """What the service said when it turned out to be down."""

    def answered(self) -> None:
        """A subject was answered, in whatever way: those before it failed by themselves."""
        self._in_a_row.clear()
        self._down = None

    def forget(self) -> None:
        """What comes now is judged afresh: a service that was down may be back."""
        self._down = None

    def failed(self, take_back: Callable[[], object] = lambda: None) -> None:
        """One more subject was not answered. Raises `ZoomsyncError` if the service turns out to be down.

        `take_back` is called then: what was written down against this subject was not its trouble.
        """
        self._in_a_row.append(take_back)
        if self._down is not None:
            self.is_down(self._down)
            raise self._down
        if len(self._in_a_row) >= ASK_AFTER:
            self.ask()

    def ask(self) -> None:
        """Put the reference question. Raises what the service answers if it is down."""
        try:
            self._reference()
        except ZoomsyncError as down:
            self.is_down(down)
            raise
        self._in_a_row.clear()

    def is_down(self, error: ZoomsyncError) -> None:
        """The service itself is out of order: the last subjects are not to blame, and it is not asked again."""
        self._down = error
        open_ones, self._in_a_row = self._in_a_row, []
        for take_back in open_ones:
            take_back()

    def settle(self) -> ZoomsyncError | None:
        """At the end: what the reference question says, if the last subjects failed; None: the service is well."""
        try:
            if self._in_a_row:
                self.ask()
        except ZoomsyncError as down:
            return down
        return None


class ForbiddenHosts:
    """The hosts for whom the destination forbids to publish."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._failed: list[tuple[Entry, Forbidden]] = []
        self._in_a_row = 0
        self._refused: dict[str, Forbidden] = {}
        """Id of a host who may not publish, as it seems → what is forbidden."""
        self._forbidden: Counter[str] = Counter()
        """Id of a host → how often in a row something was forbidden."""

    def add(self, entry: Entry, error: Forbidden) -> bool:
        """Write down one more failure; returns whether so many failed in a row that the pass is to end.

        If the destination has stored anything before, what it forbids now concerns one host or one meeting.
        """
        self._recorder.failed(entry, error)
        self._failed.append((entry, error))
        host = entry.host_id
        if host not in self._refused:
            self._forbidden[host] += 1
            if self._forbidden[host] >= ASK_AFTER or not self._recorder.has_stored(host):
                self._refused[host] = error
            self._in_a_row += not self._recorder.has_stored()
        return self._in_a_row >= ASK_AFTER

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

        If nothing was stored, no meeting is to blame; returns then what the account may not do.
        """
        outcomes = self._recorder.tally.outcomes
        if outcomes[Outcome.PUBLISHED] or outcomes[Outcome.UPDATED]:
            self._recorder.count_as_tries(self._failed)
            return None
        return next((error for _, error in self._failed), None)
