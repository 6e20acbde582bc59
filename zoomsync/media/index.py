"""The index of an MP4 file, its `moov` atom: what it says of the tracks, read without running anything.

Only what is well formed and usual is understood: H.264 and AAC-LC as recorders write them. Of anything else the answer
is None, and ffprobe is asked. Layout: ISO/IEC 14496-12; of H.264 in it 14496-15, of AAC 14496-14.
"""

import hashlib
import struct
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from zoomsync.files import open_file
from zoomsync.media.codecs import expect_elements, expect_keyframe, read_aac, read_avc
from zoomsync.media.ffmpeg import Tools
from zoomsync.media.mp4 import Atom, Atoms, expect
from zoomsync.media.packets import MOST_TICKS, Packets, read_packets, read_timing
from zoomsync.media.probe import ProbeResult, Stream, probe
from zoomsync.model import Clock

LARGEST = 128 << 20
"""Bytes of an index: an hour of video has 3 MB."""
USUAL = {"ftyp", "moov", "mdat", "free", "skip", "wide"}
"""At the top. Fragments lie in others."""
FOREIGN_TO_MOVIE = {"mvex", "cmov", "pssh", "meta"}
FOREIGN_TO_TRACK = {"meta", "senc"}
FOREIGN_TO_TABLE = {"stz2", "senc", "saiz", "saio", "subs"}
"""By these ffmpeg sees other tracks or packets than the tables have."""
COVER = b"covr"
"""Among the labels: a picture, which ffmpeg takes for a track."""
PICTURE, SOUND, TEXT = b"vide", b"soun", b"text"
SIZES_AND_TIMES = ("stsz", "stts", "ctts", "stss")
SECONDS_OFF = 0.1
"""By how much what the movie says of its length may differ from that of its tracks."""
MOST_LABELS = 1 << 20
MOST_BYTES = 1 << 30
"""Of a packet."""
MOST_AAC = 2 * 6144 // 8
"""Bytes of a packet of two channels: ISO/IEC 14496-3, 4.5.1."""
SQUARE = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
"""The matrix of a picture that is shown as it is."""
MOST_UNITS = 1000
LONGEST_SETUP = 500
UNREADABLE = (ValueError, LookupError, struct.error)
"""What comes of reading what is malformed; `Odd` is one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One track that is understood."""

    stream: Stream
    packets: Packets


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What an index says."""

    tracks: tuple[Track | None, ...]
    """By the numbers that ffmpeg gives them; None: it is not understood."""
    contents: ProbeResult | None
    """What ffprobe would say of the file, but for the rates of frames; None: ask it."""


def inspect(tools: Tools, path: Path, clock: Clock) -> ProbeResult:
    """What is in a file: as its index says, else as ffprobe does. Raises what `probe` raises."""
    index = read_index(path)
    return probe(tools, path, clock) if index is None or index.contents is None else index.contents


def read_index(path: Path) -> Index | None:
    """The index of a file, or None if it cannot be read or is not understood."""
    try:
        with open_file(path) as file:
            return _index(path, file)
    except (*UNREADABLE, OSError):
        return None


def _index(path: Path, file: IO[bytes]) -> Index:
    top = Atoms(file, Atom(kind="", begin=0, end=file.seek(0, 2)))
    place = top.only("moov")
    expect(top.kinds <= USUAL and place.end - place.begin <= LARGEST)
    movie = Atoms(file, place, FOREIGN_TO_MOVIE)
    expect("udta" not in movie.kinds or COVER not in movie.content("udta", MOST_LABELS))
    header = movie.content("mvhd")
    clock, length = _length(header)
    expect(struct.unpack_from(">9i", header, 48 if header[0] else 36) == SQUARE)
    bodies = [Atoms(file, one, FOREIGN_TO_TRACK) for one in movie.every("trak")]
    source = _Source(
        file=file,
        media=top.every("mdat"),
        clock=clock,
        chapters={number for body in bodies for number in _chapters(body)},
    )
    tracks = tuple(_track(number, body, source) for number, body in enumerate(bodies))
    return Index(tracks=tracks, contents=_contents(path, tracks, length / clock))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """What reading a track needs beside its own atoms."""

    file: IO[bytes]
    media: Sequence[Atom]
    clock: int
    """Ticks a second of the movie."""
    chapters: Collection[int]
    """The ids of tracks that name chapters."""


def _contents(path: Path, tracks: Sequence[Track | None], seconds: float) -> ProbeResult | None:
    """What is in the file, if all of it is understood and lasts as long as the movie says."""
    streams = tuple(track.stream for track in tracks if track is not None)
    if len(streams) < len(tracks) or not streams:
        return None
    start, end = min(one.start for one in streams), max(one.end or 0.0 for one in streams)
    expect(abs(end - seconds) < SECONDS_OFF)
    return ProbeResult(path=path, start=start, duration=round(end - start, 6), streams=streams)


def _length(body: bytes) -> tuple[int, int]:
    """Ticks a second, and the length in such, of an `mvhd` or `mdhd`."""
    expect(body[0] <= 1)
    clock, length = struct.unpack_from(">IQ" if body[0] else ">II", body, 20 if body[0] else 12)
    expect(0 < clock < MOST_TICKS)
    return clock, length


def _chapters(track: Atoms) -> list[int]:
    """The ids of the tracks by which it names its chapters: 8.3.3."""
    if "tref" not in track.kinds or "chap" not in (names := track.inside("tref")).kinds:
        return []
    body = names.content("chap")
    return [int.from_bytes(body[place : place + 4]) for place in range(0, len(body), 4)]


def _track(number: int, track: Atoms, source: _Source) -> Track | None:
    try:
        header, media = track.content("tkhd"), track.inside("mdia")
        (clock, length), kind = _length(media.content("mdhd")), media.content("hdlr")[8:12]
        information = media.inside("minf")
        table = information.inside("stbl", FOREIGN_TO_TABLE)
        _expect_here(information)
        expect(struct.unpack_from(">9i", header, 52 if header[0] else 40) == SQUARE)
        packets = read_packets(source.file, table, source.media, MOST_AAC if kind == SOUND else MOST_BYTES)
        timing = read_timing(source.file, track, table, packets.sizes.count, clock / source.clock)
        expect(timing.length + timing.skipped <= length and timing.skipped <= (clock // 2 if kind == SOUND else 0))
        described = _described(kind, header, table, packets, source)
        expect(kind != SOUND or described["sample_rate"] == clock)
    except UNREADABLE:
        return None
    ticks = {"start": timing.start, "duration": timing.length, "first": timing.start - timing.skipped}
    seconds = {name: round(value / clock, 6) for name, value in ticks.items()}
    size = sum(atom.end - atom.begin for kind in SIZES_AND_TIMES for atom in table.every(kind))
    facts = {"index": number, "time_base": f"1/{clock}", "packets": packets.sizes.count, "index_size": size}
    return Track(stream=Stream.model_validate({**facts, **seconds, **described}), packets=packets)


def _described(kind: bytes, header: bytes, table: Atoms, packets: Packets, source: _Source) -> dict[str, object]:
    """What a track of this kind is."""
    if kind == PICTURE:
        return _picture(header, table, packets, source.file)
    if kind == SOUND:
        return _sound(table, packets, source.file)
    expect(kind == TEXT and int.from_bytes(header[20:24] if header[0] else header[12:16]) in source.chapters)
    return {"codec_type": "data", "codec": "bin_data", "codec_tag": "text"}


def _expect_here(information: Atoms) -> None:
    """Raise `Odd` unless the packets lie in this file: 8.7.2."""
    places = information.inside("dinf").content("dref")
    expect(len(places) == 20 and places[4:16] == b"\0\0\0\1\0\0\0\x0curl " and places[19] & 1)


def _entry(table: Atoms, file: IO[bytes], kind: bytes, head: int, known: set[str]) -> tuple[bytes, Atoms]:
    """The only entry of an `stsd`: its first `head` bytes, and the atoms behind them: 8.5.2."""
    body, place = table.content("stsd"), table.only("stsd")
    size, name, here = struct.unpack_from(">I4s6xH", body, 8)
    expect(body[4:8] == b"\0\0\0\1" and size == len(body) - 8 and name == kind and here == 1)
    found = Atoms(file, replace(place, begin=place.begin + 8 + head))
    expect(found.kinds <= known)
    return body[8 : 8 + head], found


def _picture(header: bytes, table: Atoms, packets: Packets, file: IO[bytes]) -> dict[str, object]:
    """What a track of H.264 is: 12.1.3. Its pixels are square, and it begins with a whole picture."""
    entry, inner = _entry(table, file, b"avc1", 86, {"avcC", "pasp", "colr", "btrt", "fiel"})
    setup = inner.content("avcC")
    avc = read_avc(setup)
    sequence = avc.sequence
    expect(struct.unpack_from(">II", header, len(header) - 8) == (sequence.width << 16, sequence.height << 16))
    expect(struct.unpack_from(">HH", entry, 32) == (sequence.width, sequence.height))
    if "pasp" in inner.kinds:
        wide, high = struct.unpack(">II", inner.content("pasp"))
        expect(wide == high > 0)
    if "colr" in inner.kinds:
        colour = inner.content("colr")
        expect(colour[:4] == b"nclc" or (colour[:4] == b"nclx" and colour[10] < 128))  # not of the full range
    expect_keyframe(avc, _units(file, *next(packets.places(file))))
    return {
        "codec_type": "video",
        "codec": "h264",
        "codec_tag": "avc1",
        "profile": sequence.profile,
        "width": sequence.width,
        "height": sequence.height,
        "pix_fmt": "yuv420p",
        "extradata": _hash(setup),
    }


def _units(file: IO[bytes], begin: int, size: int) -> Iterator[bytes]:
    """The NAL units of a packet, of long ones their beginnings: ISO/IEC 14496-15, 5.3.2."""
    end, number = begin + size, 0
    while begin < end:
        file.seek(begin)
        length = int.from_bytes(file.read(4))
        number += 1
        expect(0 < length <= end - begin - 4 and number <= MOST_UNITS)
        yield file.read(min(length, LONGEST_SETUP))
        begin += 4 + length


def _sound(table: Atoms, packets: Packets, file: IO[bytes]) -> dict[str, object]:
    """What a track of AAC-LC is: 12.2.3."""
    entry, inner = _entry(table, file, b"mp4a", 36, {"esds", "btrt"})
    expect(entry[16:18] == bytes(2))  # else it has QuickTime's form
    setup = _setup(inner.content("esds"))
    aac = read_aac(setup)
    begin, size = next(packets.places(file))
    file.seek(begin)
    expect_elements(aac, file.read(size))
    expect(struct.unpack_from(">H", entry, 24)[0] in (aac.channels, 2))
    expect(struct.unpack_from(">I", entry, 32)[0] == aac.sample_rate << 16)
    return {
        "codec_type": "audio",
        "codec": "aac",
        "codec_tag": "mp4a",
        "profile": "LC",
        "sample_rate": aac.sample_rate,
        "channels": aac.channels,
        "extradata": _hash(setup),
    }


def _setup(body: bytes) -> bytes:
    """The decoder's set-up data in an `esds`: ISO/IEC 14496-1, 7.2.6.5 to 7.2.6.7."""
    place, length = 4, 0
    for tag, rest in ((3, 3), (4, 13), (5, 0)):
        expect(body[place] == tag)
        length, more = 0, True
        while more:
            place += 1
            length, more = length << 7 | body[place] & 0x7F, body[place] >= 0x80
        place += 1
        expect(0 < length <= len(body) - place)
        expect((tag == 3 and not body[place + 2]) or (tag == 4 and body[place] == 0x40) or tag == 5)
        place += rest
    return body[place : place + length]


def _hash(setup: bytes) -> str:
    """As ffprobe says it."""
    return f"SHA256:{hashlib.sha256(setup).hexdigest()}"
