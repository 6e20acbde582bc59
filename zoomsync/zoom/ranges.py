"""A large file in ranges: while one connection brings it in order, idle ones bring stretches of what lies ahead.

All are of one validator. What comes fast enough in one piece is never asked for in ranges.
"""

import logging
import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, nullcontext, suppress
from contextvars import copy_context
from typing import Self

import requests

from zoomsync.errors import DownloadFailed, NotAuthorized, Unreachable
from zoomsync.http import brief, is_brief
from zoomsync.model import Clock
from zoomsync.redaction import host_of
from zoomsync.zoom.body import CutAway, Source, chunks, is_strong, validator_of
from zoomsync.zoom.keys import DownloadRefused, Key
from zoomsync.zoom.partial_file import SYNC_EVERY, PartialFile
from zoomsync.zoom.stretches import Stretch

LEAST, MOST = 4 << 20, 64 << 20
"""Bytes of a stretch: fewer are not worth a request of their own, more are too many to be read again."""
STRETCH_SECONDS = 2.0
"""How long a stretch takes at the speed of the connection that goes on in order."""
WORTH_SECONDS = 2.0
"""What is left of a file and comes within these is left to one connection."""
WARM_UP_SECONDS = 0.1
"""After these the speed of a connection is believed."""
FAILURES = 5
"""So many helpers in a row that bring nothing are the last ones of this file."""
STUCK_SECONDS = 5.0
"""So long one is waited for that brings what is next in order, and so long again if it is nearly done."""
POLL_SECONDS = 0.1

log = logging.getLogger(__name__)


class Ranges:
    """Those who help with one file. `idle` is the pool of all connections; without one nobody helps.

    The job that fetches the file has a connection, and waits only for helpers that have one, too: they never wait for
    each other. A helper brings one stretch and queues up again, behind other files; the next one is asked for when an
    answer is there, so that files that come at the same time have as many each.
    """

    def __init__(
        self,
        part: PartialFile,
        source: Source,
        *,
        key: Callable[[], Key],
        progress: Callable[[int], None],
        clock: Clock,
        idle: Executor | None,
        unable: set[str],
    ) -> None:
        self._part = part
        self._source = source
        self._key = key
        """A key for one request, which the token in force goes into."""
        self._progress = progress
        self._clock = clock
        self._idle = idle
        self._unable = unable
        """The hosts that do not honour ranges, as this pass found."""
        self._changed = threading.Condition()
        """Of all that follows."""
        self._helpers: list[Future[None]] = []
        self._answers: set[requests.Response] = set()
        self._is_asked = False
        """Whether a helper is queued up."""
        self._helping, self._most, self._failures = 0, 64, 0
        self._again_at = -math.inf
        self._size = LEAST
        """Of a stretch."""
        self._began = 0.0
        """When the first connection went on in order, and from which byte."""
        self._begin = 0
        self._waited = 0.0
        """Seconds that it has kept us waiting since."""
        self._awaited: tuple[Stretch, int, float] | None = None
        """What is waited for, its size then, and since when."""
        self._is_able = False
        """Whether ranges of what it brings may be asked for."""
        self._is_over = idle is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def watched(self, answer: requests.Response) -> Iterator[bytes]:
        """The pieces of this answer, with which bytes come in order from now on."""
        self._began, self._begin, self._waited = self._clock.monotonic(), self._part.size, 0.0
        is_refused = answer.headers.get("Accept-Ranges", "").strip().lower() == "none"
        self._is_able = is_strong(self._part.validator) and not is_refused and host_of(answer.url) not in self._unable
        begin = self._began
        for piece in chunks(answer, self._source.bandwidth):
            self._waited += self._clock.monotonic() - begin
            yield piece
            begin = self._clock.monotonic()

    def consider(self) -> None:
        """Ask for help if what is left takes long at the speed at which bytes come in order. Raises as `check`.

        Only what is waited for them counts: if it is the disk that is slow, more connections are no help.
        """
        self._part.keep(SYNC_EVERY)
        self._check()
        seconds, whole = self._clock.monotonic() - self._began, self._part.stretches.whole
        if self._is_over or whole is None or not self._is_able or seconds < WARM_UP_SECONDS:
            return
        speed, limit = (self._part.size - self._begin) / max(self._waited, 1e-6), self._source.bandwidth.rate
        self._size = int(min(max(LEAST, STRETCH_SECONDS * speed), MOST))
        is_slow = whole - self._part.stretches.came > WORTH_SECONDS * speed
        if is_slow and (limit is None or 2 * speed < limit):
            self._ask()

    def _ask(self) -> None:
        """Queue a helper up, unless one is, or there is nothing for it to do."""
        with self._changed:
            may = not self._is_over and not self._is_asked and self._helping < self._most
            if may and self._clock.monotonic() >= self._again_at and self._part.stretches.has_more(LEAST):
                if self._idle is None:
                    raise TypeError("nobody is idle where there is no pool")
                self._is_asked = True
                self._helpers = [one for one in self._helpers if not one.done() or _problem(one) is not None]
                self._helpers.append(self._idle.submit(copy_context().run, self._help))

    def _help(self) -> None:
        """Bring one stretch."""
        with self._changed:
            self._is_asked = False
            stretch = self._take()
        if stretch is not None:
            self._try(stretch)
            self._ask()

    def go_on(self) -> None:
        """While others bring what is next in order: bring a stretch, or wait a moment. Raises as `consider`."""
        self._part.keep(SYNC_EVERY)
        self._check()
        self._clock.check()
        with self._changed:
            stretch = self._take()
            if stretch is None:
                self._changed.wait(POLL_SECONDS if self._helping else 0)
        if stretch is not None:
            self._try(stretch)
        else:
            self._relieve()

    def _relieve(self) -> None:
        """Take back what comes next in order from one that brings it far too slowly."""
        stretches, now = self._part.stretches, self._clock.monotonic()
        with stretches.lock:
            first = stretches.ahead[0] if stretches.ahead else None
        if first is None or self._awaited is None or self._awaited[0] is not first:
            self._awaited = (first, first.size, now) if first is not None else None
            return
        _, size, since = self._awaited
        if now - since >= STUCK_SECONDS and first.left * (now - since) >= (first.size - size) * STUCK_SECONDS:
            with first.writing:
                stretches.give_back(first)

    def _take(self) -> Stretch | None:
        """What one more connection may bring."""
        if self._is_over or self._helping >= self._most or self._clock.monotonic() < self._again_at:
            return None
        stretch = self._part.stretches.take(self._size, LEAST)
        self._helping += stretch is not None
        return stretch

    def _try(self, stretch: Stretch) -> None:
        """Bring a stretch. What does not come is brought by others, in order at last: no file fails for it."""
        try:
            with nullcontext() if is_brief() else brief(seconds=math.inf):
                self._bring(stretch, self._key())
        except (CutAway, DownloadRefused, DownloadFailed, Unreachable, NotAuthorized) as problem:
            log.debug("of bytes %d to %d %d came: %s", stretch.start, stretch.asked, stretch.size, problem)
        finally:
            with self._changed:
                self._judge(stretch)
                self._helping -= 1
                self._part.stretches.give_back(stretch)
                self._changed.notify_all()

    def _judge(self, stretch: Stretch) -> None:
        """Have fewer help, and not at once, if this one brought next to nothing: a server may want no more of them."""
        if stretch.left <= 0 or stretch.size >= LEAST // 4:
            self._failures = 0
            return
        self._failures += 1
        self._most = max(1, self._helping - 1)
        self._again_at = self._clock.monotonic() + 2.0**self._failures
        self._is_over = self._is_over or self._failures == FAILURES

    def _bring(self, stretch: Stretch, key: Key) -> None:
        """One stretch, or as much of it as nobody else takes over."""
        stretches = self._part.stretches
        span = f"{stretch.start}-{stretch.asked - 1}"
        with self._source.open(key, span, self._part.validator) as answer:
            self._admit(answer, stretch)
            self._ask()
            with self._known(answer):
                for chunk in chunks(answer, self._source.bandwidth):
                    with stretch.writing:
                        if not (size := stretches.claim(stretch, len(chunk))):
                            return  # perhaps the file is whole meanwhile, and closed
                        self._part.write(stretch, chunk[:size])
                        self._progress(size)
                    self._clock.check()
                    if size < len(chunk) or stretches.is_cut(stretch):
                        return
        if stretch.left:
            raise CutAway("the connection broke or stalled")

    def _admit(self, answer: requests.Response, stretch: Stretch) -> None:
        """Raise unless it is exactly what was asked for; who does not honour ranges is not asked for any again."""
        if answer.status_code not in (200, 206):
            self._source.refuse(answer)
        span = f"bytes {stretch.start}-{stretch.asked - 1}"
        fits = answer.headers.get("Content-Range", "").strip() in (f"{span}/{self._part.stretches.whole}", f"{span}/*")
        is_plain = answer.headers.get("Content-Encoding", "identity").strip().lower() == "identity"
        validator = validator_of(answer)
        if answer.status_code == 206 and fits and is_plain and validator == self._part.validator:
            return
        if validator in ("", self._part.validator):
            self._unable.add(host_of(answer.url))
        self._is_over = True
        raise CutAway("another part came than the one asked for")

    @contextmanager
    def _known(self, answer: requests.Response) -> Iterator[None]:
        """Within it, `end` ends this answer."""
        with self._changed:
            if self._is_over:
                raise CutAway("nobody waits for it")
            self._answers.add(answer)
        try:
            yield
        finally:
            with self._changed:
                self._answers.discard(answer)

    def _check(self) -> None:
        """Raise what kept a helper from writing: a full disk, or a fault of ours."""
        for one in self._helpers:
            if (problem := _problem(one)) is not None:
                raise problem

    def end(self) -> None:
        """Nobody helps any more: the rest comes in order. What a helper still waits for is written nowhere."""
        with self._changed:
            self._is_over = True
            for answer in self._answers:
                with suppress(OSError, ValueError, RuntimeError):
                    answer.raw.shutdown()  # so that the connection is free for others
        for one in self._helpers:
            one.cancel()
        for stretch in list(self._part.stretches.ahead):
            with stretch.writing:
                self._part.stretches.give_back(stretch)


def _problem(helper: Future[None]) -> BaseException | None:
    """What ended a helper for good."""
    return helper.exception() if helper.done() and not helper.cancelled() else None
