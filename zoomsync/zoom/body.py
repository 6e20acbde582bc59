"""The body of the answer to a download: piece by piece and not too fast, or the page that came instead of it."""

import threading
from collections.abc import Iterator

import requests
import urllib3.exceptions

from zoomsync.files import CHUNK
from zoomsync.http.connection import TooSlow, beginning_of
from zoomsync.model import Clock
from zoomsync.redaction import said
from zoomsync.zoom import content
from zoomsync.zoom.keys import DownloadRefused

BURST = 1.0
"""Seconds for which bytes that nobody took may be taken later."""


class Bandwidth:
    """So many bytes a second at most, over all threads: a bucket that fills by the clock. None: no limit."""

    def __init__(self, rate: int | None, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._full_at = -BURST
        self._lock = threading.Lock()
        self.piece = CHUNK if rate is None else max(1, min(CHUNK, rate // 16))
        """The most bytes to take at once, so that many threads have a share of each second."""

    def took(self, size: int) -> None:
        """Return when so many bytes may have been taken; by the clock, so that `Stopped` ends the wait."""
        if self._rate is None:
            return
        with self._lock:
            now = self._clock.monotonic()
            self._full_at = max(self._full_at, now - BURST) + size / self._rate
            pause = self._full_at - now
        if pause > 0:
            self._clock.sleep(pause)


class CutAway(Exception):
    """The transfer ended before the file was whole and proven; another one may go on."""

    def __init__(self, fact: str, hint: str = "it is tried again", *, is_slow: bool = False) -> None:
        super().__init__(fact)
        self.hint = hint
        self.is_slow = is_slow


def chunks(answer: requests.Response, bandwidth: Bandwidth) -> Iterator[bytes]:
    """The body piece by piece, each as soon as it is there, so that a cut loses nothing of it; raises `CutAway`.

    Our own pauses come between two readings: the patience with the server does not count them.
    """
    try:
        while chunk := answer.raw.read1(bandwidth.piece, decode_content=False):
            yield chunk
            bandwidth.took(len(chunk))
    except urllib3.exceptions.HTTPError as error:
        # not `from error`: its text may hold the URL
        if isinstance(error.__cause__, TooSlow):
            raise CutAway("it came too slowly", is_slow=True) from None
        raise CutAway("the connection broke or stalled") from None


def is_page(answer: requests.Response) -> bool:
    """Whether it is served as a web page; only its bytes say whether it is one."""
    return answer.headers.get("Content-Type", "").lower().startswith("text/html")


def page(answer: requests.Response) -> DownloadRefused:
    """What a page says in place of the file."""
    return DownloadRefused(f"HTTP {answer.status_code}, {said(beginning(answer))}")


def beginning(answer: requests.Response) -> bytes:
    """The first bytes of a body that is no file."""
    return beginning_of(answer, content.HEAD)
