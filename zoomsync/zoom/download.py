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
from zoomsync.files import CHUNK
from zoomsync.formatting import escaped, plural
from zoomsync.http import Http, is_brief
from zoomsync.model import Clock, Fetched, Meeting, RecordingFile
from zoomsync.redaction import said
from zoomsync.zoom import content
from zoomsync.zoom.allowlist import Addresses
from zoomsync.zoom.oauth import Token, TokenSource
from zoomsync.zoom.partial_file import PartialFile

TRANSFERS = 5
"""Transfers in a row that bring next to nothing new before a file is given up for this time; one within `brief`."""
REQUESTS = 4
"""How often one address is asked while its server is out of order; once within `brief`."""
REFUSAL_PAUSES = (1.0, 2.0)
"""Seconds after which the same token is shown again to a download that refuses it."""
HOPS = 5
REDIRECTS = (301, 302, 303, 307, 308)


class DownloadRefused(Exception):
    """Zoom answers "no" with this credential; says what came instead of the file."""


class CutAway(Exception):
    """The transfer ended before the file was whole and proven; another one may go on."""


class Downloads:
    """Fetches files from `download_hosts`, hosts below them and `api_url`'s own. Shared by all threads.

    `http` is one without a rate: downloads do not count as API calls.
    """

    def __init__(
        self,
        http: Http,
        tokens: TokenSource,
        *,
        accepts: Callable[[Token], bool],
        download_hosts: Sequence[str],
        api_url: str,
        clock: Clock,
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._accepts = accepts
        self._addresses = Addresses(download_hosts, api_url)
        self._clock = clock

    def fetch(self, meeting: Meeting, file: RecordingFile, folder: Path, progress: Callable[[int], None]) -> Fetched:
        """The file whole in `folder`, its size, type and first bytes proven; what is there already is used.

        `progress` gets bytes as they come, negative ones when it begins again. Raises `DownloadFailed`,
        `DiskFull`, `Unfit`, `Unreachable`, and `NotAuthorized` if a new token is refused.
        """
        part = PartialFile(folder, meeting.uuid, file, self._clock)
        download = _Download(
            http=self._http,
            credentials_for=self._credentials,
            addresses=self._addresses,
            clock=self._clock,
            meeting=meeting,
            file=file,
            part=part,
            progress=progress,
            expected=file.size if file.kind.is_media else None,
        )
        if not file.url:
            raise download.failed("Zoom gives no download address", "is it stored on premises?")
        if ready := part.ready():
            progress(ready.size)
            return ready
        with part:
            progress(part.size)
            download.bring()
            return part.finish()

    def _credentials(self, meeting: Meeting) -> Iterator[str]:
        """What to show one after the other if a download is refused.

        A good token is refused now and then: https://github.com/Jericho/ZoomNet/issues/348. A new one is minted only if
        the API does not take this one either, for a new one may end the old one in all other requests. The meeting's
        own token opens what has a passcode (seen, undocumented).
        """
        token = self._tokens.current()
        yield token.value
        if not self._accepts(token):
            token = self._tokens.renew(token)
            yield token.value
        if meeting.download_token:
            yield meeting.download_token.reveal()
        for seconds in () if is_brief() else REFUSAL_PAUSES:
            self._clock.sleep(seconds)
            if not self._accepts(token):
                token = self._tokens.renew(token)
            yield token.value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Download:
    """One file on its way."""

    http: Http
    credentials_for: Callable[[Meeting], Iterator[str]]
    addresses: Addresses
    clock: Clock
    meeting: Meeting
    file: RecordingFile
    part: PartialFile
    progress: Callable[[int], None]
    expected: int | None
    """The bytes that it must have. Zoom's size is right for media, not always for text (seen, undocumented)."""

    def failed(self, fact: str, hint: str = "it is tried again") -> DownloadFailed:
        """The error that names this file."""
        what = f"{escaped(self.file.label)} {escaped(self.file.id)} of meeting {escaped(self.meeting.uuid)}"
        return DownloadFailed(f"zoom: {what}: {fact}", hint=hint, subject=Subject("file", self.file.id))

    def bring(self) -> None:
        """Transfers until the file is whole, as long as each one brings something new."""
        credentials, most, idle, reason = self.credentials_for(self.meeting), self.part.size, 0, ""
        credential: str | None = next(credentials)
        enough = max(1, min(CHUNK, (self.expected or 0) // 100))  # new bytes that make another transfer worth it
        while credential is not None:
            self.clock.check()
            try:
                return self._transfer(credential)
            except DownloadRefused as refused:
                credential, reason = next(credentials, None), str(refused)
            except CutAway as cut:
                idle = 0 if self.part.size >= most + enough else idle + 1
                if idle == (1 if is_brief() else TRANSFERS):
                    raise self.failed(f"{cut} ({plural(idle, 'try')})") from None
                self.clock.sleep(min(2.0**idle, 30))
                if idle == 0:
                    credentials = self.credentials_for(self.meeting)
                    credential = next(credentials)
            most = max(most, self.part.size)
        raise self.failed(f"refused: {reason}", "may the account's admin download this recording in Zoom's portal?")

    def _transfer(self, credential: str) -> None:
        """Fetch what is still missing, in one answer; raises `DownloadRefused` or `CutAway`."""
        part, whole = self.part, self.expected
        if not part.size or part.size != whole:
            with self._open(credential, start=part.size) as answer:
                announced = self._admit(answer)
                for chunk in _chunks(answer):
                    before = part.size
                    part.append(chunk)
                    self.progress(len(chunk))
                    if before < content.ENOUGH <= part.size:
                        self._look()
                    if self.expected is not None and part.size > self.expected:
                        raise self._begin_again(f"more came than the {plural(self.expected, 'byte')} that Zoom lists")
                    self.clock.check()
            whole = announced if whole is None else whole
        self._look()
        if whole is not None and part.size != whole:
            raise CutAway(f"{part.size:,} of {plural(whole, 'byte')} came")
        if whole is None and self._second_digest(credential) != part.sha256:
            raise self._begin_again("its length is unknown, and it came differently twice")

    def _begin_again(self, reason: str) -> CutAway:
        """Take back what came, and what was reported as progress."""
        if self.part.size:
            self.progress(-self.part.size)
        self.part.restart()
        return CutAway(reason)

    def _look(self) -> None:
        """Judge the first bytes."""
        if no := content.refusal_in(self.part.head, self.file.extension):
            self._begin_again(no)
            raise DownloadRefused(no)
        if wrong := content.mismatch(self.part.head, self.file.extension):
            raise self._begin_again(wrong)

    def _admit(self, answer: requests.Response) -> int | None:
        """Judge status, type and length; the size of the whole file that they announce."""
        part, file, media_type = self.part, self.file, answer.headers.get("Content-Type", "").lower()
        if answer.status_code not in (200, 206):
            self._refuse(answer)
        if media_type.startswith("text/html") and file.extension not in ("html", "htm"):
            raise DownloadRefused(f"HTTP {answer.status_code}, {said(_beginning(answer))}")
        if part.size or answer.status_code == 206:
            self._resume(answer)
        length = answer.headers.get("Content-Length", "")
        is_packed = answer.headers.get("Content-Encoding", "identity").lower() != "identity"  # it counts packed bytes
        total = part.size + int(length) if length.isascii() and length.isdigit() and not is_packed else None
        if None not in (total, self.expected) and total != self.expected:
            if no := content.refusal_in(_beginning(answer), file.extension):
                raise DownloadRefused(no)
            # Zoom's two sizes do differ at times: https://github.com/lanec/zoom-batch-downloader/issues/18
            raise self._begin_again(f"{total:,} bytes are announced, {self.expected:,} listed")
        part.came_under(answer.headers.get("ETag", ""))
        return total

    def _resume(self, answer: requests.Response) -> None:
        """Go on only if the answer holds exactly what is missing; a whole one is taken from its beginning."""
        part, validator = self.part, answer.headers.get("ETag", "")
        span = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", "").strip())
        asked = (str(part.size), str((self.expected or 0) - 1))
        fits = span and span.groups()[:2] == asked and span[3] in ("*", str(self.expected))
        is_same = validator == part.validator or "" in (validator, part.validator)
        if answer.status_code == 206 and fits and is_same:
            return
        cut = self._begin_again("another part came than the one asked for")
        if answer.status_code == 206:
            raise cut

    def _refuse(self, answer: requests.Response) -> None:
        """Raise what a status of its own means."""
        fact = f"HTTP {answer.status_code}, {said(_beginning(answer))}"
        is_named = "Authorization" in answer.request.headers
        if answer.status_code in (401, 403) and is_named:
            raise DownloadRefused(fact)
        if answer.status_code == 416:
            raise self._begin_again(fact)
        if not is_named:  # a signed address that has expired: a new one comes with the next transfer
            raise CutAway(fact)
        raise self.failed(fact)

    def _open(self, credential: str, *, start: int) -> requests.Response:
        """The answer at the end of the redirects, each of which is judged before it is followed.

        Usually Zoom redirects once, to a signed address that needs no token (seen, undocumented).
        """
        url = self.file.url
        for _ in range(HOPS + 1):
            if problem := self.addresses.problem(url):
                raise self.failed(problem, "if the host is Zoom's, add it to zoom.download_hosts")
            headers = {"Accept-Encoding": "identity"}
            if start:
                headers["Range"] = f"bytes={start}-"
            if self.addresses.may_see_token(url, self.file.url):
                headers["Authorization"] = f"Bearer {credential}"
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

    def _second_digest(self, credential: str) -> str:
        """The hash of the whole file, fetched once more and not kept."""
        digest = hashlib.sha256()
        with self._open(credential, start=0) as answer:
            if answer.status_code != 200:
                raise CutAway(f"HTTP {answer.status_code} when it was fetched a second time")
            for chunk in _chunks(answer):
                self.clock.check()
                digest.update(chunk)
        return digest.hexdigest()


def _chunks(answer: requests.Response) -> Iterator[bytes]:
    """The body piece by piece, each as soon as it is there, so that a cut loses nothing of it; raises `CutAway`."""
    try:
        while chunk := answer.raw.read1(CHUNK, decode_content=True):
            yield chunk
    except urllib3.exceptions.HTTPError:
        # not `from error`: its text may hold the URL
        raise CutAway("the connection broke or stalled") from None


def _beginning(answer: requests.Response) -> bytes:
    """The first bytes of a body that is no file."""
    with suppress(requests.RequestException, urllib3.exceptions.HTTPError):
        return next(answer.iter_content(content.HEAD), b"")
    return b""
