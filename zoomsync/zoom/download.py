"""Cloud files fetched to staging: proven, resumed, and never with a token where it does not belong."""

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import requests

from zoomsync.errors import DownloadFailed
from zoomsync.files import CHUNK
from zoomsync.formatting import escaped, plural, size_in_words
from zoomsync.http import Http, is_brief
from zoomsync.model import Arrival, Clock, Fetched, Meeting, RecordingFile
from zoomsync.redaction import said
from zoomsync.zoom import content
from zoomsync.zoom.allowlist import Addresses
from zoomsync.zoom.body import Bandwidth, CutAway, Source, beginning, chunks, is_page, is_strong, page, validator_of
from zoomsync.zoom.keys import DownloadRefused, Key, Keys
from zoomsync.zoom.oauth import Token, TokenSource
from zoomsync.zoom.partial_file import PartialFile
from zoomsync.zoom.ranges import Ranges

TRANSFERS = 5
"""Transfers in a row that bring next to nothing new before a file is given up for this time; one within `brief`."""
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
        self._unable = set[str]()
        """The hosts that do not honour ranges, as this pass found."""

    def fetch(
        self,
        meeting: Meeting,
        file: RecordingFile,
        folder: Path,
        progress: Callable[[int], None],
        *,
        known: str = "",
        any_size: bool = False,
        idle: Executor | None = None,
    ) -> Fetched:
        """The file in `folder`, its size, type and first bytes proven; what is there already is used.

        What has not the size that Zoom lists is taken if it comes twice the same: a text always, video and sound if a
        person wants it (`any_size`). `known` is the SHA-256 with which it came before: then once is enough.
        `progress` gets bytes as they come, negative ones when it begins again. The threads of `idle`, of which this is
        one, help with a large file that comes slowly. Raises `DownloadFailed`, `DiskFull`, `Unfit`, `Unreachable`, and
        `NotAuthorized` if a new token is refused.
        """
        expected = file.size if file.kind.is_media and not (known or any_size) else None
        part = PartialFile(folder, meeting.uuid, file, self._clock, size=expected)
        source = Source(
            http=self._http, addresses=self._addresses, bandwidth=self._bandwidth, meeting=meeting, file=file
        )
        if not file.url:
            raise source.failed("Zoom gives no download address", "is it stored on premises?")
        if ready := part.ready():
            progress(ready.size)
            return ready
        ranges = Ranges(
            part,
            source,
            key=lambda: next(self._keys.of(meeting, file)),
            progress=progress,
            clock=self._clock,
            idle=idle if file.kind.is_media else None,
            unable=self._unable,
        )
        download = _Download(
            source=source,
            keys=self._keys,
            ranges=ranges,
            clock=self._clock,
            meeting=meeting,
            file=file,
            part=part,
            progress=progress,
            expected=expected,
            known=known,
            any_size=any_size or not file.kind.is_media or file.size is None,
        )
        with part:
            progress(part.stretches.came)
            with ranges:
                arrival = download.bring()
            return part.finish(arrival)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Came:
    """How an answer ended."""

    announced: int | None = None
    """Bytes of the whole file."""
    is_page: bool = False
    is_chunked: bool = False
    is_end: bool = False
    """Whether nothing is to come behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Download:
    """One file on its way."""

    source: Source
    keys: Keys
    ranges: Ranges
    clock: Clock
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

    def bring(self) -> Arrival:
        """Transfers until the file is whole, as long as each one brings something new."""
        keys, most, idle = self.keys.of(self.meeting, self.file), self.part.stretches.came, 0
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
                idle = 0 if self.part.stretches.came >= most + (CHUNK if cut.is_slow else enough) else idle + 1
                if idle == (1 if is_brief() else TRANSFERS):
                    raise self.source.failed(f"{cut} ({plural(idle, 'try')})", cut.hint) from None
                self.clock.sleep(min(2.0**idle, 30))
                if idle == 0:
                    keys = self.keys.of(self.meeting, self.file)
                    next(keys)
            most = max(most, self.part.stretches.came)

    def _refused(self, refused: DownloadRefused) -> DownloadFailed:
        """The error once there is no other key."""
        if refused.about != "credential":
            return self.source.failed(str(refused))
        return self.source.failed(
            f"refused: {refused}", "may the account's admin download this recording in Zoom's portal?"
        )

    def _transfer(self, key: Key) -> Arrival:
        """Fetch what is still missing; raises `DownloadRefused` or `CutAway`."""
        part, came = self.part, _Came()
        if part.stretches.whole is None and part.size:  # only of a known size can be said what is missing
            self._begin_again("")
        while not part.join() or not part.size:
            if part.stretches.begin_stream() is None:
                self.ranges.go_on()
                continue
            try:
                came = self._stream(key)
            finally:
                part.stretches.stream = None
            if came.is_end:
                break
        whole = came.announced if part.stretches.whole is None else part.stretches.whole
        if not part.size and self.file.size is not None:  # https://github.com/onyx-dot-app/onyx/pull/14481
            raise CutAway(f"nothing came of {plural(self.file.size, 'byte')}")
        self._look(is_page=came.is_page)
        if whole is not None and part.size != whole:
            raise CutAway(f"{part.stretches.came:,} of {plural(whole, 'byte')} came", self._accept)
        measured = part.size if self.file.kind.is_media else whole  # a text may be cut at any size
        if measured is not None and measured == self.file.size:
            return Arrival.ONCE
        self._compare(key)
        return Arrival.TWICE if came.is_chunked or whole is not None else Arrival.OPEN

    def _stream(self, key: Key) -> "_Came":
        """What is missing next, in one answer, up to what is there already or others bring."""
        part, before = self.part, self.part.size
        stop = part.stretches.stream.stop if part.stretches.stream is not None else 0
        is_last = part.stretches.whole is None or stop >= part.stretches.whole
        span = f"{before}-{'' if is_last else stop - 1}" if before or not is_last else ""
        with self.source.open(key, span, part.validator) as answer:
            announced, as_page = self._admit(answer), is_page(answer)
            stretches = part.stretches
            stream = stretches.stream or stretches.begin_stream()  # it may have begun again
            if stream is None:
                raise TypeError("of a file that begins again nothing is there")
            for chunk in self.ranges.watched(answer):
                before, size = part.size, stretches.claim(stream, len(chunk))
                part.write(stream, chunk[:size])
                self.progress(size)
                if before < content.ENOUGH <= part.size:
                    self._look(is_page=as_page)
                if part.size > self.most:
                    raise self._too_long()
                self.clock.check()
                self.ranges.consider()
                if size < len(chunk) or stretches.is_cut(stream):
                    break
        is_chunked = answer.headers.get("Transfer-Encoding", "").lower() == "chunked"
        is_end = stretches.whole is None or stream.left > 0 or stream.stop >= stretches.whole
        return _Came(announced=announced, is_page=as_page, is_chunked=is_chunked, is_end=is_end)

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
        self.ranges.end()
        if came := self.part.stretches.came:
            self.progress(-came)
        self.part.restart()
        return CutAway(reason, hint)

    def _too_long(self) -> Exception:
        """More came than can be the file. Zoom's size of media is right; texts have a limit of their own."""
        if self.expected is not None:
            reason = f"more came than the {plural(self.expected, 'byte')} that Zoom lists"
            return self._begin_again(reason, self._accept)
        return self.source.failed(
            f"more than {size_in_words(self.most)} come, {self.file.size or 0:,} bytes are listed"
        )

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
        if answer.status_code == 416:
            raise self._begin_again(f"HTTP 416, {said(beginning(answer))}")
        if answer.status_code not in (200, 206):
            self.source.refuse(answer)
        self.source.require_plain(answer)
        length, stream, whole = answer.headers.get("Content-Length", ""), part.stretches.stream, part.stretches.whole
        others = whole - (stream.asked - stream.start) if whole is not None and stream is not None else 0
        before = others if answer.status_code == 206 else 0
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
        part.validator = validator_of(answer) or (part.validator if part.stretches.came else "")
        if part.stretches.whole is None and self.file.size is not None and is_strong(part.validator):
            part.stretches.whole = total if self.file.kind.is_media else None
        return total

    def _resume(self, answer: requests.Response) -> None:
        """Go on only if the answer holds exactly what is missing; a whole one is taken from its beginning."""
        part, validator, stream = self.part, validator_of(answer), self.part.stretches.stream
        span = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", "").strip())
        asked = (str(part.size), str(stream.asked - 1 if stream is not None else 0))
        fits = span and span.groups()[:2] == asked and span[3] in ("*", str(part.stretches.whole))
        is_same = validator == part.validator or "" in (validator, part.validator)
        if answer.status_code == 206 and fits and is_same:
            return
        cut = self._begin_again("another part came than the one asked for")
        if answer.status_code == 206:
            raise cut

    def _second_digest(self, key: Key) -> str:
        """The hash of the whole file, fetched once more and not kept."""
        digest, size = hashlib.sha256(), 0
        with self.source.open(key) as answer:
            if answer.status_code != 200:
                raise CutAway(f"HTTP {answer.status_code} when it was fetched a second time")
            self.source.require_plain(answer)
            for chunk in chunks(answer, self.source.bandwidth):
                self.clock.check()
                digest.update(chunk)
                size += len(chunk)
                if size > self.part.size:
                    break
        return digest.hexdigest()
