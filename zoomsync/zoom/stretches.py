"""Who brings which bytes of a file: pure bookkeeping, shared by the connections that bring it."""

import hashlib
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash


@dataclass(slots=True, kw_only=True, eq=False)
class Stretch:
    """Bytes that one connection brings, from `start` on."""

    start: int
    stop: int
    """Where it is to end: never beyond `asked`, sooner if others bring the rest."""
    asked: int
    """Where the answer ends that the connection asked for."""
    size: int = 0
    """Bytes of it that are there."""
    claimed: int = 0
    """Bytes of it that are there or just being written."""
    is_running: bool = True
    writing: threading.Lock = field(default_factory=threading.Lock)
    """Whoever writes what it claimed has it."""
    hash: "_Hash" = field(default_factory=hashlib.sha256)
    """Of what is there; not of what comes in order."""

    @property
    def end(self) -> int:
        """The first byte that is not there yet."""
        return self.start + self.size

    @property
    def left(self) -> int:
        """Bytes that are still to come."""
        return self.stop - self.start - self.claimed


@dataclass(slots=True, kw_only=True)
class Stretches:
    """The bytes of a file that are there or come. One thread brings them in order, others may `take` some ahead."""

    whole: int | None
    """Bytes of the file; None: not known yet."""
    size: int = 0
    """Bytes from the first on without a gap."""
    stream: Stretch | None = None
    """What comes in order, right behind them."""
    ahead: list[Stretch] = field(default_factory=list)
    """What is there or comes beyond that, by place."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    """Whoever changes or counts any of it has it."""

    @property
    def came(self) -> int:
        """All bytes that are there."""
        with self.lock:
            return self.size + sum(one.size for one in self.ahead)

    def begin_stream(self) -> Stretch | None:
        """What is missing next, up to what is there or comes; None: that comes already."""
        with self.lock:
            stop = min([sys.maxsize if self.whole is None else self.whole, *(one.start for one in self.ahead)])
            self.stream = (
                Stretch(start=self.size, stop=stop, asked=stop) if self.size < stop or self.whole == 0 else None
            )
            return self.stream

    def take(self, most: int, least: int) -> Stretch | None:
        """At most `most` bytes that nobody brings yet, or else of those that another connection would bring last.

        None: no connection has twice `least` left.
        """
        with self.lock:
            if (hole := self._hole()) is None and self._share(most, least):
                hole = self._hole()
            if hole is None:
                return None
            start, stop = hole[0], min(hole[0] + most, hole[1])
            taken = Stretch(start=start, stop=stop, asked=stop)
            self.ahead = sorted([*self.ahead, taken], key=lambda one: one.start)
            return taken

    def has_more(self, least: int) -> bool:
        """Whether `take` would find something."""
        with self.lock:
            return self._hole() is not None or any(one.left >= 2 * least for one in self._running())

    def give_back(self, stretch: Stretch) -> None:
        """It is at its end, or nobody goes on with it."""
        with self.lock:
            stretch.stop, stretch.claimed, stretch.is_running = stretch.end, stretch.size, False
            if not stretch.size and stretch in self.ahead:
                self.ahead.remove(stretch)

    def claim(self, stretch: Stretch, size: int) -> int:
        """How many of the next `size` bytes belong to it, which then writes them."""
        with self.lock:
            if stretch is self.stream and size > stretch.left:
                self._extend(stretch, size)
            is_last = stretch is self.stream and (self.whole is None or stretch.stop >= self.whole)
            claimed = size if is_last else min(size, stretch.left)  # more may come than is listed, for others to judge
            stretch.claimed += claimed
            return claimed

    def is_cut(self, stretch: Stretch) -> bool:
        """Whether others bring what comes next in its answer."""
        with self.lock:
            if stretch is self.stream and not stretch.left:
                self._extend(stretch, 1)
            return not stretch.left and stretch.stop < stretch.asked

    def _extend(self, stream: Stretch, size: int) -> None:
        """Go on, for `size` bytes at least, with what was left to others who are gone or have brought nothing yet."""
        needed = stream.start + stream.claimed + size
        for one in list(self.ahead):
            if one.start < needed and one.is_running and not one.claimed:
                self.give_back(one)
        stream.stop = min([stream.asked, *(one.start for one in self.ahead)])

    def _running(self) -> Iterator[Stretch]:
        return (one for one in (self.stream, *self.ahead) if one is not None and one.is_running)

    def _hole(self) -> tuple[int, int] | None:
        """The first bytes that neither are there nor come."""
        at = self.size if self.stream is None else self.stream.stop
        for one in self.ahead:
            if at < one.start:
                return at, one.start
            at = max(at, one.stop)
        return (at, self.whole) if self.whole is not None and at < self.whole else None

    def _share(self, most: int, least: int) -> bool:
        """Let the connection that has most left leave some of it to others; whether there is one."""
        last = max(self._running(), key=lambda one: one.left, default=None)
        if last is None or last.left < 2 * least:
            return False
        last.stop -= max(last.left - most, (last.left + 1) // 2)
        return True
