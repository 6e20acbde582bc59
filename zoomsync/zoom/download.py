"""Cloud files fetched to staging: proven, resumed, and never with a token where it does not belong."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import requests
import urllib3.exceptions

from zoomsync.errors import DownloadFailed, ServiceUnavailable, Subject
from zoomsync.formatting import escaped, plural
from zoomsync.http import Http
from zoomsync.model import Clock, Fetched, Meeting, RecordingFile
from zoomsync.redaction import said
from zoomsync.zoom import content
from zoomsync.zoom.allowlist import Addresses
from zoomsync.zoom.oauth import TokenSource
from zoomsync.zoom.partial_file import CHUNK, Staged

TRIES = 5
"""Transfers in a row that bring next to nothing new before a file is given up for this time."""
ASKED = 4
"""How often one address is asked while its server is out of order."""
HOPS = 5
ADDRESS = "if the host is Zoom's, add it to zoom.download_hosts"
REDIRECTS = (301, 302, 303, 307, 308)


class DownloadRefused(Exception):
    """Zoom answers "no" with this credential; says what came instead of the file."""


class Cut(Exception):
    """The transfer ended before the file was whole and proven; another one may go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One file to be fetched."""

    meeting: Meeting
    file: RecordingFile
    staged: Staged
    progress: Callable[[int], None]

    @property
    def expected(self) -> int | None:
        """The bytes that it must have; Zoom's size is right for media alone."""
        return self.file.size if self.file.kind.is_media else None

    @property
    def subject(self) -> Subject:
        """Whom an error concerns."""
        return Subject("file", self.file.id)

    @property
    def step(self) -> int:
        """How many new bytes make a cut transfer worth another one."""
        return max(1, min(CHUNK, (self.expected or 0) // 100))

    def failed(self, fact: str, hint: str = "it is tried again") -> DownloadFailed:
        """The error that names this file."""
        what = f"{escaped(self.file.label)} {escaped(self.file.id)} of meeting {escaped(self.meeting.uuid)}"
        return DownloadFailed(f"zoom: {what}: {fact}", hint=hint, subject=self.subject)

    def begin_again(self) -> None:
        """Take back what was told as progress."""
        if self.staged.size:
            self.progress(-self.staged.size)
        self.staged.restart()


class Downloads:
    """Fetches files from `download_hosts`, hosts below them and `api_url`'s own. Shared by all threads.

    `http` is one without a rate: downloads do not count as API calls.
    """

    def __init__(
        self, http: Http, tokens: TokenSource, *, download_hosts: Sequence[str], api_url: str, clock: Clock
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._addresses = Addresses(download_hosts, api_url)
        self._clock = clock

    def fetch(self, meeting: Meeting, file: RecordingFile, folder: Path, progress: Callable[[int], None]) -> Fetched:
        """The file whole in `folder`, its size, type and first bytes proven; what is there already is used.

        `progress` is told bytes as they come, negative ones when it begins again. Raises `DownloadFailed`,
        `DiskFull`, `Unfit`, `Unreachable`, and `NotAuthorized` where a new token is refused.
        """
        staged = Staged(folder, meeting.uuid, file, self._clock.check)
        errand = Errand(meeting=meeting, file=file, staged=staged, progress=progress)
        if not file.url:
            raise errand.failed("Zoom gives no download address", hint="is it stored on premises?")
        if ready := staged.ready():
            progress(ready.size)
            return ready
        with staged:
            progress(staged.size)
            self._bring(errand)
            return staged.finish()

    def _bring(self, errand: Errand) -> None:
        """Transfers until the file is whole, as long as each one brings something new."""
        credentials, most, idle, reason = self._credentials(errand.meeting), errand.staged.size, 0, ""
        credential: str | None = next(credentials)
        while credential is not None:
            self._clock.check()
            try:
                return self._transfer(errand, credential)
            except DownloadRefused as refused:
                credential, reason = next(credentials, None), str(refused)
            except Cut as cut:
                idle = 0 if errand.staged.size >= most + errand.step else idle + 1
                if idle == TRIES:
                    raise errand.failed(f"{cut} ({plural(idle, 'try')})") from None
                self._clock.sleep(min(2.0**idle, 30))
                if idle == 0:
                    credentials = self._credentials(errand.meeting)
                    credential = next(credentials)
            most = max(most, errand.staged.size)
        raise errand.failed(
            f"refused: {reason}", hint="may the account's admin download this recording in Zoom's portal?"
        )

    def _credentials(self, meeting: Meeting) -> Iterator[str]:
        """What to show one after the other when a download is refused."""
        token = self._tokens.current()
        yield token.value
        yield self._tokens.renew(token).value
        if meeting.download_token:
            yield meeting.download_token.reveal()

    def _transfer(self, errand: Errand, credential: str) -> None:
        """What is still missing, in one answer; raises `Refused` or `Cut`."""
        staged, whole = errand.staged, errand.expected
        if not staged.size or staged.size != whole:
            with self._open(errand, credential, start=staged.size) as answer:
                announced = self._admit(errand, answer)
                for chunk in _chunks(answer):
                    self._append(errand, chunk)
                    self._clock.check()
            whole = announced if whole is None else whole
        self._look(errand)
        if whole is not None and staged.size != whole:
            raise Cut(f"{staged.size:,} of {plural(whole, 'byte')} came")
        if whole is None and self._digest(errand, credential) != staged.sha256:
            errand.begin_again()
            raise Cut("its length is unknown, and it came differently twice")

    def _append(self, errand: Errand, chunk: bytes) -> None:
        staged, before = errand.staged, errand.staged.size
        staged.append(chunk)
        errand.progress(len(chunk))
        if before < content.ENOUGH <= staged.size:
            self._look(errand)
        if errand.expected is not None and staged.size > errand.expected:
            errand.begin_again()
            raise Cut(f"more came than the {plural(errand.expected, 'byte')} that Zoom lists")

    def _look(self, errand: Errand) -> None:
        """Judge the first bytes."""
        head, extension = errand.staged.head, errand.file.extension
        if no := content.refusal_in(head, extension):
            errand.begin_again()
            raise DownloadRefused(no)
        if wrong := content.mismatch(head, extension):
            errand.begin_again()
            raise Cut(wrong)

    def _admit(self, errand: Errand, answer: requests.Response) -> int | None:
        """Judge status, type and length; the size of the whole file that they announce."""
        staged, kind = errand.staged, answer.headers.get("Content-Type", "").lower()
        if answer.status_code not in (200, 206):
            self._refuse(errand, answer)
        if kind.startswith("text/html") and errand.file.extension not in ("html", "htm"):
            raise DownloadRefused(f"HTTP {answer.status_code}, {said(_beginning(answer))}")
        if staged.size or answer.status_code == 206:
            self._resume(errand, answer)
        announced = _length(answer)
        total = None if announced is None else staged.size + announced
        if None not in (total, errand.expected) and total != errand.expected:
            if no := content.refusal_in(_beginning(answer), errand.file.extension):
                raise DownloadRefused(no)
            errand.begin_again()
            raise Cut(f"{total:,} bytes are announced, {errand.expected:,} listed")
        staged.came_under(answer.headers.get("ETag", ""))
        return total

    def _resume(self, errand: Errand, answer: requests.Response) -> None:
        """Go on only where the answer holds exactly what is missing; a whole one is taken from its beginning."""
        staged, validator = errand.staged, answer.headers.get("ETag", "")
        span = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", "").strip())
        asked = (str(staged.size), str((errand.expected or 0) - 1))
        fits = span and span.groups()[:2] == asked and span[3] in ("*", str(errand.expected))
        is_same = validator == staged.validator or "" in (validator, staged.validator)
        if answer.status_code == 206 and fits and is_same:
            return
        errand.begin_again()
        if answer.status_code == 206:
            raise Cut("another part came than the one asked for")

    def _refuse(self, errand: Errand, answer: requests.Response) -> None:
        fact = f"HTTP {answer.status_code}, {said(_beginning(answer))}"
        is_named = "Authorization" in answer.request.headers
        if answer.status_code in (401, 403) and is_named:
            raise DownloadRefused(fact)
        if answer.status_code == 416:
            errand.begin_again()
        if answer.status_code == 416 or not is_named:  # a signed address that has expired is made anew
            raise Cut(fact)
        raise errand.failed(fact)

    def _open(self, errand: Errand, credential: str, *, start: int) -> requests.Response:
        """The answer at the end of the redirects, each of which is judged before it is followed."""
        url = errand.file.url
        for _ in range(HOPS + 1):
            if problem := self._addresses.problem(url):
                raise errand.failed(problem, hint=ADDRESS)
            answer = self._get(errand, url, credential, start)
            if answer.status_code not in REDIRECTS:
                return answer
            with answer:
                url = _next(url, answer.headers.get("Location", ""))
        raise errand.failed(f"redirected more than {HOPS} times")

    def _get(self, errand: Errand, url: str, credential: str, start: int) -> requests.Response:
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        if self._addresses.may_see_token(url, errand.file.url):
            headers["Authorization"] = f"Bearer {credential}"
        try:
            return self._http.request(
                "GET", url, repeatable=True, tries=ASKED, subject=errand.subject, stream=True, headers=headers
            )
        except ServiceUnavailable as error:
            raise errand.failed(str(error).removeprefix(f"{self._http.name}: ")) from error

    def _digest(self, errand: Errand, credential: str) -> str:
        """The hash of the whole file, fetched once more and not kept."""
        digest = hashlib.sha256()
        with self._open(errand, credential, start=0) as answer:
            if answer.status_code != 200:
                raise Cut(f"HTTP {answer.status_code} when it was fetched a second time")
            for chunk in _chunks(answer):
                self._clock.check()
                digest.update(chunk)
        return digest.hexdigest()


def _next(url: str, location: str) -> str:
    with suppress(ValueError):
        return urljoin(url, location)
    return ""


def _length(answer: requests.Response) -> int | None:
    """The bytes that the body will have; None: it does not say, or counts packed ones."""
    value = answer.headers.get("Content-Length", "")
    is_packed = answer.headers.get("Content-Encoding", "identity").lower() != "identity"
    return int(value) if value.isascii() and value.isdigit() and not is_packed else None


def _chunks(answer: requests.Response) -> Iterator[bytes]:
    """The body piece by piece, each as soon as it is there, so that a cut loses nothing of it; raises `Cut`."""
    try:
        while chunk := answer.raw.read1(CHUNK, decode_content=True):
            yield chunk
    except urllib3.exceptions.HTTPError:
        # not `from error`: its text may hold the URL
        raise Cut("the connection broke or stalled") from None


def _beginning(answer: requests.Response) -> bytes:
    """The first bytes of a body that is no file."""
    with suppress(requests.RequestException, urllib3.exceptions.HTTPError):
        return next(answer.iter_content(content.HEAD), b"")
    return b""
