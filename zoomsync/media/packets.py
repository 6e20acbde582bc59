"""Where the packets of a track lie in an MP4 file, and when they are shown: ISO/IEC 14496-12, 8.6 and 8.7.

What is well formed and usual is read, piece by piece, however long it is; anything else is `Odd`.
"""

import os
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise, repeat
from struct import iter_unpack
from typing import IO

from zoomsync.media.mp4 import Atom, Atoms, Odd, expect

BLOCK = 12 * 4096
"""Bytes of a table read at once: whole rows of 1, 2 or 3 numbers."""
MOST_ALIKE = 1 << 16
"""Packets of one size, of which no table says how many there are: chapters have such, picture and sound do not."""
MOST_TICKS = 1 << 31
MOST_DELAY = 1 << 28
"""Ticks by which a frame is shown later than it is decoded: ffmpeg believes no more."""
PLAIN = 0x10000
"""Neither faster nor slower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Numbers in a file."""

    begin: int
    count: int
    width: int = 4
    """Bytes of a number."""
    alike: int = 0
    """If set, all are this one, and none is written down."""

    def numbers(self, file: IO[bytes]) -> Iterator[int]:
        """All of them."""
        if self.alike:
            yield from repeat(self.alike, self.count)
            return
        size = self.count * self.width
        for place in range(0, size, BLOCK):
            found = array("I" if self.width == 4 else "Q")
            found.frombytes(os.pread(file.fileno(), min(BLOCK, size - place), self.begin + place))
            if sys.byteorder == "little":
                found.byteswap()
            yield from found

    def rows(self, file: IO[bytes], columns: int) -> Iterator[tuple[int, ...]]:
        """So many at a time."""
        return zip(*[self.numbers(file)] * columns, strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packets:
    """Where they lie."""

    sizes: Table
    chunks: Table
    """Where each run of packets begins that lie back to back."""
    counts: Table
    """From which chunk on, counted from 1, there are how many packets in each."""

    def runs(self, file: IO[bytes]) -> Iterator[tuple[int, int]]:
        """Where each chunk begins, and how many packets it has. Raises `Odd`."""
        chunks = self.chunks.numbers(file)
        lines = chain(self.counts.rows(file, 3), [(self.chunks.count + 1, 1, 1)])
        for number, ((begin, count, entry), (end, _, _)) in enumerate(pairwise(lines)):
            expect(entry == 1 and count > 0 and begin < end <= self.chunks.count + 1 and (number or begin == 1))
            yield from zip(islice(chunks, end - begin), repeat(count), strict=False)

    def places(self, file: IO[bytes]) -> Iterator[tuple[int, int]]:
        """Begin and size of each packet."""
        sizes = self.sizes.numbers(file)
        for chunk, count in self.runs(file):
            place = chunk
            for size in islice(sizes, count):
                yield place, size
                place += size


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a track is shown, in its own ticks."""

    start: int
    skipped: int
    """What its packets have before the start: an encoder's lead-in."""
    length: int


def read_packets(file: IO[bytes], table: Atoms, media: Sequence[Atom], most: int) -> Packets:
    """Where the packets lie, each within one of the file's atoms of media and of `most` bytes at most."""
    is_long = "co64" in table.kinds
    found = Packets(
        sizes=_sizes(file, table.only("stsz")),
        chunks=_table(file, table.only("co64" if is_long else "stco"), width=8 if is_long else 4),
        counts=_table(file, table.only("stsc"), columns=3),
    )
    sizes, begins, packets = found.sizes.numbers(file), [one.begin for one in media], 0
    for chunk, count in found.runs(file):
        place = chunk
        for size in islice(sizes, count):
            if not 0 < size <= most:
                raise Odd
            place += size
        expect(begins[0] <= chunk and place <= media[bisect_right(begins, chunk) - 1].end)
        packets += count
    expect(packets == found.sizes.count)
    _expect_keys(file, table, packets)
    return found


def read_timing(file: IO[bytes], track: Atoms, table: Atoms, packets: int, scale: float) -> Timing:
    """When the packets of a track are shown; `scale`: its ticks to one of the movie.

    An edit list may have it begin later, or leave out what an encoder adds at both ends: 8.6.6. Anything else that it
    can do is odd.
    """
    ticks = last = count = 0
    for number, last in _table(file, table.only("stts"), columns=2).rows(file, 2):
        expect(0 < last < MOST_TICKS and number > 0)
        ticks, count = ticks + number * last, count + number
    expect(count == packets)
    delay = _delay(file, table, packets)
    if "edts" not in track.kinds:
        expect(delay == 0)
        return Timing(start=0, skipped=0, length=ticks)
    body = track.inside("edts").content("elst")
    lines = list(iter_unpack(">QqI" if body[0] else ">IiI", body[8:]))
    expect(body[0] <= 1 and len(lines) == int.from_bytes(body[4:8]) and all(rate == PLAIN for _, _, rate in lines))
    late, nothing, _ = lines.pop(0) if len(lines) > 1 else (0, -1, PLAIN)
    expect(len(lines) == 1 and nothing == -1)
    shown, skipped = round(lines[0][0] * scale), lines[0][1] - delay
    left = ticks - skipped
    expect(0 <= skipped < ticks and left - last < shown <= left + scale)
    return Timing(start=round(late * scale), skipped=skipped, length=min(left, shown))


def _table(file: IO[bytes], atom: Atom, *, columns: int = 1, width: int = 4, head: int = 4) -> Table:
    """The table in an atom: how many rows it has, and then they alone."""
    file.seek(atom.begin + head)
    count, begin = int.from_bytes(file.read(4)) * columns, atom.begin + head + 4
    expect(count and atom.end - begin == count * width)
    return Table(begin=begin, count=count, width=width)


def _sizes(file: IO[bytes], atom: Atom) -> Table:
    file.seek(atom.begin + 4)
    alike, count = int.from_bytes(file.read(4)), int.from_bytes(file.read(4))
    if alike:
        expect(atom.end - atom.begin == 12 and 0 < count <= MOST_ALIKE)
        return Table(begin=0, count=count, alike=alike)
    return _table(file, atom, head=8)


def _expect_keys(file: IO[bytes], table: Atoms, packets: int) -> None:
    """Raise `Odd` unless the first packet is one of those that need no other: 8.6.2. Without a list all are."""
    if "stss" not in table.kinds:
        return
    before = 0
    for number in _table(file, table.only("stss")).numbers(file):
        expect(before < number <= packets and (before or number == 1))
        before = number


def _delay(file: IO[bytes], table: Atoms, packets: int) -> int:
    """The ticks by which the first packet is shown later than it is decoded: 8.6.1.3."""
    if "ctts" not in table.kinds:
        return 0
    first, count = -1, 0
    for number, delay in _table(file, table.only("ctts"), columns=2).rows(file, 2):
        expect(number > 0 and delay < MOST_DELAY)
        first, count = delay if first < 0 else first, count + number
    expect(count == packets)
    return first
