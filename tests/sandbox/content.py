"""What a cloud file contains: bytes, a clip made by ffmpeg, or as many made-up bytes as one likes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol


class Content(Protocol):
    """Bytes with a size, read piece by piece."""

    @property
    def size(self) -> int:
        """Number of bytes."""

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`."""


@dataclass(frozen=True, slots=True)
class Text:
    """Content held in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """Number of bytes."""
        return len(self.data)

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`."""
        return self.data[start:stop]


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of other content."""

    whole: Content
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.stop - self.start

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`, counted within the stretch."""
        return self.whole.read(self.start + start, min(self.start + stop, self.stop))


@dataclass(frozen=True)
class Filler:
    """A well-formed MP4 box structure of any size that no decoder could show: for tests of the transport alone.

    It costs the same memory at 10 kB and at 10 GB.
    """

    size: int
    seed: int = 0

    @cached_property
    def _head(self) -> bytes:
        kind = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42"
        return kind + b"\x00\x00\x00\x01mdat" + (self.size - len(kind)).to_bytes(8, "big")

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`."""
        stop = min(stop, self.size)
        head = self._head[start:stop]
        turn = bytes((self.seed + number) % 251 for number in range(251))
        first = (start + len(head)) % 251
        wanted = max(0, stop - start - len(head))
        return head + (turn * (wanted // 251 + 2))[first : first + wanted]
