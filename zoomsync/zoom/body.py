"""A download as it is asked for and answered: piece by piece and not too fast, or a page that came instead of it."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urljoin

import requests
import urllib3.exceptions

from zoomsync.errors import DownloadFailed, ServiceUnavailable, Subject
from zoomsync.files import CHUNK
from zoomsync.formatting import escaped
from zoomsync.http import Http
from zoomsync.http.connection import TooSlow, beginning_of, moment_of
from zoomsync.model import Clock, Meeting, RecordingFile
from zoomsync.redaction import said
from zoomsync.zoom import content
from zoomsync.zoom.allowlist import Addresses
from zoomsync.zoom.keys import DownloadRefused, Key

REQUESTS = 4
"""How often one address is asked while its server is out of order; once within `brief`."""
HOPS = 5
REDIRECTS = (301, 302, 303, 307, 308)

BURST = 1.0
"""Seconds for which bytes that nobody took may be taken later."""


class Bandwidth:
    """So many bytes a second at most, over all threads: a bucket that fills by the clock. None: no limit."""

    def __init__(self, rate: int | None, clock: Clock) -> None:
        self.rate = rate
        self._clock = clock
        self._full_at = -BURST
        self._lock = threading.Lock()
        self.piece = CHUNK if rate is None else max(1, min(CHUNK, rate // 16))
        """The most bytes to take at once, so that many threads have a share of each second."""

    def took(self, size: int) -> None:
        """Return when so many bytes may have been taken; by the clock, so that `Stopped` ends the wait."""
        if self.rate is None:
            return
        with self._lock:
            now = self._clock.monotonic()
            self._full_at = max(self._full_at, now - BURST) + size / self.rate
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file at Zoom. For all threads that bring it."""

    http: Http
    addresses: Addresses
    bandwidth: Bandwidth
    meeting: Meeting
    file: RecordingFile

    def failed(self, fact: str, hint: str = "it is tried again") -> DownloadFailed:
        """The error that names this file."""
        what = f"{escaped(self.file.label)} {escaped(self.file.id)} of meeting {escaped(self.meeting.uuid)}"
        return DownloadFailed(f"zoom: {what}: {fact}", hint=hint, subject=Subject("file", self.file.id))

    def open(self, key: Key, span: str = "", validator: str = "") -> requests.Response:
        """The answer at the end of the redirects, each of which is judged before it is followed.

        Usually Zoom redirects once, to a signed address that needs no token (seen, undocumented). `span` (`5-` or
        `5-9`) are the bytes wanted, all of them if the file has another validator by now.
        """
        url = key.url
        for _ in range(HOPS + 1):
            if problem := self.addresses.problem(url):
                raise self.failed(problem, "if the host is Zoom's, add it to zoom.download_hosts")
            headers = {"Accept-Encoding": "identity"}
            if span:
                headers["Range"] = f"bytes={span}"
            if span and is_strong(validator):
                headers["If-Range"] = validator
            if self.addresses.may_see_token(url, key.url):
                headers["Authorization"] = f"Bearer {key.credential}"
            subject = Subject("file", self.file.id)
            try:
                answer = self.http.request(
                    "GET", url, repeatable=True, tries=REQUESTS, subject=subject, stream=True, headers=headers
                )
            except ServiceUnavailable as error:
                raise self.failed(str(error).removeprefix(f"{self.http.name}: ")) from error
            if answer.status_code not in REDIRECTS:
                return answer
            with answer:
                try:
                    url = urljoin(url, answer.headers.get("Location", ""))
                except ValueError:
                    url = ""
        raise self.failed(f"redirected more than {HOPS} times")

    def refuse(self, answer: requests.Response) -> None:
        """Raise what a status of its own means."""
        fact = f"HTTP {answer.status_code}, {said(beginning(answer))}"
        is_named = "Authorization" in answer.request.headers
        if answer.status_code in (401, 403) and is_named:
            raise DownloadRefused(fact)
        if answer.status_code in (401, 403, 404, 410):
            raise DownloadRefused(fact, "address" if is_named else "signature")
        if answer.status_code == 416 or not is_named:  # a new signed address comes with the next transfer
            raise CutAway(fact)
        raise self.failed(fact)

    def require_plain(self, answer: requests.Response) -> None:
        """Refuse what is packed: nobody asked for it, and a little of it can be a lot."""
        packing = answer.headers.get("Content-Encoding", "").strip().lower()
        if packing in ("", "identity"):
            return
        if is_page(answer):
            raise page(answer)
        hint = "look whether a proxy of this machine packs it; it is tried again"
        raise self.failed(f"it comes packed ({escaped(packing[:40])}), which nobody asked for", hint)


def validator_of(answer: requests.Response) -> str:
    """What tells this state of a file from another: its ETag, or when it was modified if that is long enough ago.

    https://www.rfc-editor.org/rfc/rfc9110#section-8.8.2.2
    """
    if etag := answer.headers.get("ETag", "").strip():
        return etag
    modified = answer.headers.get("Last-Modified", "").strip()
    then, now = moment_of(modified), moment_of(answer.headers.get("Date", "").strip())
    return modified if then and now and now - then >= timedelta(minutes=1) else ""


def is_strong(validator: str) -> bool:
    """Whether parts of a file fit together that have it: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5."""
    return re.fullmatch('"[!#-~]*"', validator) is not None or moment_of(validator) is not None


def is_page(answer: requests.Response) -> bool:
    """Whether it is served as a web page; only its bytes say whether it is one."""
    return answer.headers.get("Content-Type", "").lower().startswith("text/html")


def page(answer: requests.Response) -> DownloadRefused:
    """What a page says in place of the file."""
    return DownloadRefused(f"HTTP {answer.status_code}, {said(beginning(answer))}")


def beginning(answer: requests.Response) -> bytes:
    """The first bytes of a body that is no file."""
    return beginning_of(answer, content.HEAD)
