"""Cloud files fetched to staging: proven, resumed, and never with a token where it does not belong."""

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import requests

from zoomsync.errors import DownloadFailed, ServiceUnavailable, Subject
from zoomsync.files import CHUNK
from zoomsync.formatting import escaped, plural, size_in_words
from zoomsync.http import Http, is_brief
from zoomsync.model import Arrival, Clock, Fetched, Meeting, RecordingFile
from zoomsync.redaction import said
from zoomsync.zoom import content
from zoomsync.zoom.allowlist import Addresses
from zoomsync.zoom.body import Bandwidth, CutAway, beginning, chunks, is_page, page
from zoomsync.zoom.keys import DownloadRefused, Key, Keys
from zoomsync.zoom.oauth import Token, TokenSource
from zoomsync.zoom.partial_file import PartialFile

TRANSFERS = 5
"""Transfers in a row that bring next to nothing new before a file is given up for this time; one within `brief`."""
REQUESTS = 4
"""How often one address is asked while its server is out of order; once within `brief`."""
HOPS = 5
REDIRECTS = (301, 302, 303, 307, 308)
LONGEST_TEXT = 64 * 10**6
"""Bytes of a text that are taken in any case; more only if Zoom lists at least half of them."""


class Downloads:
    """Fetches files from `download_hosts`, hosts below them and `api_url`'s own. Shared by all threads.

    `http` is one without a rate: downloads do not count as API calls. `bandwidth` is in bytes a second, over all.
    """

    def __init__(
        self,
        http: Http,
        tokens: TokenSource,
        *,
        accepts: Callable[[Token], bool],
        reread: Callable[[str], Meeting | None],
        download_hosts: Sequence[str],
        api_url: str,
        clock: Clock,
        bandwidth: int | None = None,
    ) -> None:
        self._http = http
        self._keys = Keys(tokens, accepts=accepts, reread=reread, clock=clock)
        self._addresses = Addresses(download_hosts, api_url)
        self._clock = clock
        self._bandwidth = Bandwidth(bandwidth, clock)

    def fetch(
        self,
        meeting: Meeting,
        file: RecordingFile,
        folder: Path,
        progress: Callable[[int], None],
        *,
        known: str = "",
        any_size: bool = False,
    ) -> Fetched:
        """The file in `folder`, its size, type and first bytes proven; what is there already is used.

        What has not the size that Zoom lists is taken if it comes twice the same: a text always, video and sound if a
        person wants it (`any_size`). `known` is the SHA-256 with which it came before: then once is enough.
        `progress` gets bytes as they come, negative ones when it begins again. Raises `DownloadFailed`,
        `DiskFull`, `Unfit`, `Unreachable`, and `NotAuthorized` if a new token is refused.
        """
        part = PartialFile(folder, meeting.uuid, file, self._clock)
        download = _Download(
            http=self._http,
            keys=self._keys,
            addresses=self._addresses,
            clock=self._clock,
            bandwidth=self._bandwidth,
            meeting=meeting,
            file=file,
            part=part,
            progress=progress,
            expected=file.size if file.kind.is_media and not (known or any_size) else None,
            known=known,
            any_size=any_size or not file.kind.is_media or file.size is None,
        )
        if not file.url:
            raise download.failed("Zoom gives no download address", "is it stored on premises?")
        if ready := part.ready():
            progress(ready.size)
            return ready
        with part:
            progress(part.size)
            return part.finish(download.bring())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Download:
    """One file on its way."""

    http: Http
    keys: Keys
    addresses: Addresses
    clock: Clock
    bandwidth: Bandwidth
    meeting: Meeting
    file: RecordingFile
    part: PartialFile
    progress: Callable[[int], None]
    expected: int | None
    """The bytes that it must have. Zoom's size is right for media, not always for text (seen, undocumented)."""
    known: str
    """The SHA-256 with which it came before; may be empty."""
    any_size: bool
    """Whether it may have another size than Zoom lists, if it comes so twice."""

    @property
    def most(self) -> float:
        """The most bytes that are taken; media of unknown size may take what the disk has to spare."""
        if self.expected is not None:
            return self.expected
        if self.file.kind.is_media and self.file.size is None:
            return math.inf
        return max(2 * (self.file.size or 0), LONGEST_TEXT)

    def failed(self, fact: str, hint: str = "it is tried again") -> DownloadFailed:
        """The error that names this file."""
        what = f"{escaped(self.file.label)} {escaped(self.file.id)} of meeting {escaped(self.meeting.uuid)}"
        return DownloadFailed(f"zoom: {what}: {fact}", hint=hint, subject=Subject("file", self.file.id))

    def bring(self) -> Arrival:
        """Transfers until the file is whole, as long as each one brings something new."""
        keys, most, idle = self.keys.of(self.meeting, self.file), self.part.size, 0
        key = next(keys)
        enough = max(1, min(CHUNK, (self.expected or 0) // 100))  # new bytes that make another transfer worth it
        while True:
            self.clock.check()
            try:
                return self._transfer(key)
            except DownloadRefused as refused:
                try:
                    key = keys.send(refused)
                except StopIteration:
                    raise self._refused(refused) from None
            except CutAway as cut:
                self.part.keep()
                idle = 0 if self.part.size >= most + (CHUNK if cut.is_slow else enough) else idle + 1
                if idle == (1 if is_brief() else TRANSFERS):
                    raise self.failed(f"{cut} ({plural(idle, 'try')})", cut.hint) from None
                self.clock.sleep(min(2.0**idle, 30))
                if idle == 0:
                    keys = self.keys.of(self.meeting, self.file)
                    next(keys)
            most = max(most, self.part.size)

    def _refused(self, refused: DownloadRefused) -> DownloadFailed:
        """The error once there is no other key."""
        if refused.about != "credential":
            return self.failed(str(refused))
        return self.failed(f"refused: {refused}", "may the account's admin download this recording in Zoom's portal?")

    def _transfer(self, key: Key) -> Arrival:
        """Fetch what is still missing, in one answer; raises `DownloadRefused` or `CutAway`."""
        part, whole, as_page, is_chunked = self.part, self.expected, False, False
        if whole is None and part.size:  # only of a known size can be said what is missing
            self._begin_again("")
        if not part.size or part.size != whole:
            with self._open(key, start=part.size) as answer:
                announced, as_page = self._admit(answer), is_page(answer)
                is_chunked = answer.headers.get("Transfer-Encoding", "").lower() == "chunked"
                for chunk in chunks(answer, self.bandwidth):
                    before = part.size
                    part.append(chunk)
                    self.progress(len(chunk))
                    if before < content.ENOUGH <= part.size:
                        self._look(is_page=as_page)
                    if part.size > self.most:
                        raise self._too_long()
                    self.clock.check()
            whole = announced if whole is None else whole
        if not part.size and self.file.size is not None:  # https://github.com/onyx-dot-app/onyx/pull/14481
            raise CutAway(f"nothing came of {plural(self.file.size, 'byte')}")
        self._look(is_page=as_page)
        if whole is not None and part.size != whole:
            raise CutAway(f"{part.size:,} of {plural(whole, 'byte')} came", self._accept)
        measured = part.size if self.file.kind.is_media else whole  # a text may be cut at any size
        if measured is not None and measured == self.file.size:
            return Arrival.ONCE
        self._compare(key)
        return Arrival.TWICE if is_chunked or whole is not None else Arrival.OPEN

    def _compare(self, key: Key) -> None:
        """Raise `CutAway` unless what came comes twice: its size alone does not prove it."""
        if self.part.sha256 == self.known:
            return
        if not self.any_size:
            reason = f"{plural(self.part.size, 'byte')} came, {self.file.size or 0:,} are listed"
            raise self._begin_again(reason, self._accept)
        if self._second_digest(key) != self.part.sha256:
            raise self._begin_again("it came differently twice")

    @property
    def _accept(self) -> str:
        """The remedy if Zoom lists another size of video or sound than it has."""
        command = f"zoomsync sync --meeting {escaped(self.meeting.uuid)} --accept-size"
        return f"if it stays so: `{command}` stores it as it comes and keeps the cloud copy"

    def _begin_again(self, reason: str, hint: str = "it is tried again") -> CutAway:
        """Take back what came, and what was reported as progress."""
        if self.part.size:
            self.progress(-self.part.size)
        self.part.restart()
        return CutAway(reason, hint)

    def _too_long(self) -> Exception:
        """More came than can be the file. Zoom's size of media is right; texts have a limit of their own."""
        if self.expected is not None:
            reason = f"more came than the {plural(self.expected, 'byte')} that Zoom lists"
            return self._begin_again(reason, self._accept)
        return self.failed(f"more than {size_in_words(self.most)} come, {self.file.size or 0:,} bytes are listed")

    def _look(self, *, is_page: bool) -> None:
        """Judge the first bytes, whatever they are served as; `is_page`: as a web page."""
        if no := content.refusal_in(self.part.head, self.file.extension, is_page=is_page):
            self._begin_again(no)
            raise DownloadRefused(no)
        if wrong := content.mismatch(self.part.head, self.file.extension):
            raise self._begin_again(wrong)

    def _admit(self, answer: requests.Response) -> int | None:
        """Judge status, packing and length; the size of the whole file that they announce."""
        part, file = self.part, self.file
        if answer.status_code not in (200, 206):
            self._refuse(answer)
        self._require_plain(answer)
        length = answer.headers.get("Content-Length", "")
        before = part.size if answer.status_code == 206 else 0
        total = before + int(length) if re.fullmatch("[0-9]{1,18}", length) else None
        is_known = self.expected is not None or not content.has_signature(file.extension)
        if is_page(answer) and is_known and total != file.size:
            raise page(answer)
        if total is not None and self.expected is None and total > self.most:
            raise self._too_long()
        if None not in (total, self.expected) and total != self.expected:
            if no := content.refusal_in(beginning(answer), file.extension):
                raise DownloadRefused(no)
            # Zoom's two sizes do differ at times: https://github.com/lanec/zoom-batch-downloader/issues/18
            raise self._begin_again(f"{total:,} bytes are announced, {self.expected:,} listed", self._accept)
        if part.size or answer.status_code == 206:
            self._resume(answer)
        part.validator = answer.headers.get("ETag", "")
        return total

    def _require_plain(self, answer: requests.Response) -> None:
        """Refuse what is packed: nobody asked for it, and a little of it can be a lot."""
        packing = answer.headers.get("Content-Encoding", "").strip().lower()
        if packing in ("", "identity"):
            return
        if is_page(answer):
            raise page(answer)
        hint = "look whether a proxy of this machine packs it; it is tried again"
        raise self.failed(f"it comes packed ({escaped(packing[:40])}), which nobody asked for", hint)

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
        fact = f"HTTP {answer.status_code}, {said(beginning(answer))}"
        is_named = "Authorization" in answer.request.headers
        if answer.status_code in (401, 403) and is_named:
            raise DownloadRefused(fact)
        if answer.status_code in (401, 403, 404, 410):
            raise DownloadRefused(fact, "address" if is_named else "signature")
        if answer.status_code == 416:
            raise self._begin_again(fact)
        if not is_named:  # a new signed address comes with the next transfer
            raise CutAway(fact)
        raise self.failed(fact)

    def _open(self, key: Key, *, start: int) -> requests.Response:
        """The answer at the end of the redirects, each of which is judged before it is followed.

        Usually Zoom redirects once, to a signed address that needs no token (seen, undocumented).
        """
        url = key.url
        for _ in range(HOPS + 1):
            if problem := self.addresses.problem(url):
                raise self.failed(problem, "if the host is Zoom's, add it to zoom.download_hosts")
            headers = {"Accept-Encoding": "identity"}
            if start:
                headers["Range"] = f"bytes={start}-"
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

    def _second_digest(self, key: Key) -> str:
        """The hash of the whole file, fetched once more and not kept."""
        digest, size = hashlib.sha256(), 0
        with self._open(key, start=0) as answer:
            if answer.status_code != 200:
                raise CutAway(f"HTTP {answer.status_code} when it was fetched a second time")
            self._require_plain(answer)
            for chunk in chunks(answer, self.bandwidth):
                self.clock.check()
                digest.update(chunk)
                size += len(chunk)
                if size > self.part.size:
                    break
        return digest.hexdigest()
