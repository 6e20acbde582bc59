"""Where the packets of a track lie in an MP4 file, and when they are shown: ISO/IEC 14496-12, 8.6 and 8.7.

What is well formed and usual is read; anything else is `Odd`.
"""

import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise
from struct import iter_unpack

from zoomsync.media.mp4 import Atom, Atoms, expect

MOST_BYTES = 1 << 30
"""Of a packet."""
MOST_ALIKE = 1 << 16
"""Packets of one size: chapters have such, picture and sound do not."""
MOST_TICKS = 1 << 31
MOST_DELAY = 1 << 28
"""Ticks by which a frame is shown later than it is decoded: ffmpeg believes no more."""
PLAIN = 0x10000
"""Neither faster nor slower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packets:
    """Where they lie."""

    sizes: Sequence[int]
    chunks: Sequence[int]
    """Where each run of packets begins that lie back to back."""
    in_chunks: Sequence[int]
    """How many packets each run has."""

    def places(self) -> Iterator[tuple[int, int]]:
        """Begin and size of each packet."""
        sizes = iter(self.sizes)
        for chunk, number in zip(self.chunks, self.in_chunks, strict=True):
            place = chunk
            for size in islice(sizes, number):
                yield place, size
                place += size


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a track is shown, in its own ticks."""

    start: int
    skipped: int
    """What its packets have before the start: an encoder's lead-in."""
    length: int


def read_packets(table: Atoms, media: Sequence[Atom]) -> Packets:
    """Where the packets lie, each within one of the file's atoms of media."""
    sizes = _sizes(table.only("stsz"))
    is_long = table.maybe("co64") is not None
    chunks = _numbers(table.only("co64" if is_long else "stco")[4:], kind="Q" if is_long else "I")
    lines = _numbers(table.only("stsc")[4:], columns=3)
    expect(sizes and chunks and lines and min(sizes) > 0 and max(sizes) < MOST_BYTES)
    begins, counts = [*lines[::3], len(chunks) + 1], lines[1::3]
    expect(begins[0] == 1 and set(lines[2::3]) == {1} and min(counts) > 0)
    in_chunks = array("I")
    for (begin, end), number in zip(pairwise(begins), counts, strict=True):
        expect(begin < end <= len(chunks) + 1)
        in_chunks.extend(array("I", [number]) * (end - begin))
    expect(sum(in_chunks) == len(sizes))
    found = Packets(sizes=sizes, chunks=chunks, in_chunks=in_chunks)
    _expect_inside(found, media)
    if (body := table.maybe("stss")) is not None:  # the packets that need no other, else all
        keys = _numbers(body[4:])
        expect(keys and keys[0] == 1 and keys[-1] <= len(sizes) and all(one < two for one, two in pairwise(keys)))
    return found


def read_timing(track: Atoms, table: Atoms, count: int, scale: float) -> Timing:
    """When the `count` packets of a track are shown; `scale`: its ticks to one of the movie.

    An edit list may have it begin later, or leave out what an encoder adds at both ends: 8.6.6. Anything else that it
    can do is odd.
    """
    lengths, delay = _numbers(table.only("stts")[4:], columns=2), 0
    expect(lengths and sum(lengths[::2]) == count and min(lengths) > 0 and max(lengths) < MOST_TICKS)
    ticks = sum(number * length for number, length in zip(lengths[::2], lengths[1::2], strict=True))
    if (body := table.maybe("ctts")) is not None:
        delays = _numbers(body[4:], columns=2)
        expect(delays and sum(delays[::2]) == count and min(delays[::2]) > 0 and max(delays[1::2]) < MOST_DELAY)
        delay = delays[1]
    if "edts" not in track.kinds:
        expect(delay == 0)
        return Timing(start=0, skipped=0, length=ticks)
    body = track.inside("edts").only("elst")
    lines = list(iter_unpack(">QqI" if body[0] else ">IiI", body[8:]))
    expect(body[0] <= 1 and len(lines) == int.from_bytes(body[4:8]) and all(rate == PLAIN for _, _, rate in lines))
    late, nothing, _ = lines.pop(0) if len(lines) > 1 else (0, -1, PLAIN)
    expect(len(lines) == 1 and nothing == -1)
    shown, skipped = round(lines[0][0] * scale), lines[0][1] - delay
    left = ticks - skipped
    expect(0 <= skipped < ticks and left - lengths[-1] < shown <= left + scale)
    return Timing(start=round(late * scale), skipped=skipped, length=min(left, shown))


def _numbers(body: bytes, columns: int = 1, kind: str = "I") -> "array[int]":
    """The numbers of a table, which begins with how many rows it has and fills the rest of its atom."""
    found = array(kind)
    expect(len(body) - 4 == int.from_bytes(body[:4]) * columns * found.itemsize)
    found.frombytes(body[4:])
    if sys.byteorder == "little":
        found.byteswap()
    return found


def _sizes(body: bytes) -> "array[int]":
    alike, count = int.from_bytes(body[4:8]), int.from_bytes(body[8:12])
    if alike:
        expect(len(body) == 12 and 0 < count <= MOST_ALIKE)
        return array("I", [alike]) * count
    return _numbers(body[8:])


def _expect_inside(packets: Packets, media: Sequence[Atom]) -> None:
    """Raise `Odd` unless each packet lies within one of these atoms."""
    begins, done = [one.begin for one in media], 0
    sums = [0, *accumulate(packets.sizes)]
    for begin, number in zip(packets.chunks, packets.in_chunks, strict=True):
        end = begin + sums[done + number] - sums[done]
        expect(begin >= begins[0] and end <= media[bisect_right(begins, begin) - 1].end)
        done += number
