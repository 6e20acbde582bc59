"""What opens a download: the token in force, the meeting's own, and the address."""

import logging
import threading
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Literal, NamedTuple

from zoomsync.errors import MeetingFailed, ServiceUnavailable
from zoomsync.http import is_brief
from zoomsync.model import Clock, Meeting, RecordingFile
from zoomsync.rules.publish import STALE
from zoomsync.zoom.oauth import Token, TokenSource

REFUSAL_PAUSES = (1.0, 2.0)
"""Seconds after which the same token is shown again to a download that refuses it."""
KNOWN = 100
"""Of how many meetings the last reading is kept for their other files."""

log = logging.getLogger(__name__)


class Key(NamedTuple):
    """A token and where to show it."""

    credential: str
    url: str


class DownloadRefused(Exception):
    """Zoom answers "no" to this key; says what came instead of the file."""

    def __init__(self, fact: str, about: Literal["credential", "address", "signature"] = "credential") -> None:
        super().__init__(fact)
        self.about = about
        """What another one of may help; `signature`: that of the address that Zoom redirects to."""


class Keys:
    """Finds what opens a file. Shared by all threads."""

    def __init__(
        self,
        tokens: TokenSource,
        *,
        accepts: Callable[[Token], bool],
        reread: Callable[[str], Meeting | None],
        clock: Clock,
    ) -> None:
        self._tokens = tokens
        self._accepts = accepts
        self._reread = reread
        self._clock = clock
        self._asking = threading.Lock()
        self._accepted: tuple[Token, float] | None = None
        """The token that the API took, and when it said so."""
        self._rereading = threading.Lock()
        self._known: dict[str, Meeting] = {}
        """The last meetings that were read again, by uuid."""

    def of(self, meeting: Meeting, file: RecordingFile) -> Generator[Key, DownloadRefused, None]:
        """What to open the file with, one after the other; is sent why the last one was refused.

        A good token is refused now and then: https://github.com/Jericho/ZoomNet/issues/348. A new one is minted only if
        the API does not take this one either, for a new one may end the old one in all other requests. The meeting's
        own token opens what has a passcode (there, and https://github.com/chamilo/chamilo-lms/pull/9027). An address
        that leads nowhere may have expired: the meeting, read again, has a fresh one. What it has then opens its other
        files at once.
        """
        token, pauses = self._tokens.current(), () if is_brief() else REFUSAL_PAUSES
        known = self._recent(self._known.get(meeting.uuid))
        if known is not None and known.download_token is not None:
            yield Key(known.download_token.reveal(), _url(known, file))
        refused = yield Key(token.value, file.url)
        for seconds in pauses[:1] if refused.about == "signature" else ():
            self._clock.sleep(seconds)
            refused = yield Key(token.value, file.url)
        if refused.about == "credential" and (in_force := self._in_force(token)) is not token:
            token = in_force
            refused = yield Key(token.value, file.url)
        fresh = self._fresh(meeting)
        url = _url(fresh, file)
        if url != file.url:
            refused = yield Key(token.value, url)
        if refused.about != "credential":
            return
        if fresh.download_token is not None:
            yield Key(fresh.download_token.reveal(), url)
        for seconds in pauses:
            self._clock.sleep(seconds)
            token = self._in_force(token)
            yield Key(token.value, url)

    def _in_force(self, token: Token) -> Token:
        """This token if the API still takes it, else a new one; asked once for all downloads that wonder meanwhile."""
        wondered_at = self._clock.monotonic()
        with self._asking:
            if (current := self._tokens.current()) is not token:
                return current
            if self._accepted is not None and self._accepted[0] is token and self._accepted[1] >= wondered_at:
                return token
            if not self._accepts(token):
                return self._tokens.renew(token)
            self._accepted = token, self._clock.monotonic()
            return token

    def _fresh(self, meeting: Meeting) -> Meeting:
        """The meeting as Zoom describes it now, with its own token; asked once for all its files.

        As it was if Zoom does not say: what came of the download is the better reason.
        """
        with self._rereading:
            own = meeting if meeting.download_token is not None else None
            if known := self._recent(own) or self._recent(self._known.get(meeting.uuid)):
                return known
            try:
                found = self._reread(meeting.uuid) or meeting
            except (MeetingFailed, ServiceUnavailable) as error:
                log.debug("%s", error)
                found = meeting
            if len(self._known) >= KNOWN:
                self._known.pop(next(iter(self._known)))
            self._known[meeting.uuid] = replace(found, listed_at=self._clock.now())
            return found

    def _recent(self, meeting: Meeting | None) -> Meeting | None:
        """A reading that may still be used."""
        is_recent = meeting is not None and self._clock.now() - meeting.listed_at <= STALE
        return meeting if is_recent else None


def _url(meeting: Meeting, file: RecordingFile) -> str:
    """The address of a file as this reading has it."""
    return next((one.url for one in meeting.files if one.id == file.id and one.url), file.url)
