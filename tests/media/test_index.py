"""The index of a file says what ffprobe says of it, or nothing: then ffprobe is asked."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.media.conftest import ON_ITS_SIDE, MachineClock, Studio
from zoomsync.errors import ZoomsyncError
from zoomsync.media.ffmpeg import Tools
from zoomsync.media.index import Index, inspect, read_index
from zoomsync.media.probe import ProbeResult, first_packet, probe

NOBODY = Tools(ffmpeg=Path("/no/ffmpeg"), ffprobe=Path("/no/ffprobe"), version="", source="PATH", environ={})
B_FRAMES = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -x264-params bframes=2:keyint=60"
UNTOLD = {"densest_rate", "average_rate", "sample_aspect", "first", "index_size"}
"""The rates of frames are asked of ffprobe when they are needed; square pixels have two forms."""


def facts(found: ProbeResult) -> list[dict[str, object]]:
    return [
        {**one.model_dump(exclude=UNTOLD), "aspect": one.pixel_aspect} if one.kind != "data" else {"kind": one.kind}
        for one in found.streams
    ]


def copied(studio: Studio, source: Path, name: str, *options: str) -> Path:
    path = source.with_name(name)
    studio.ffmpeg("-i", str(source), *options, "-c:v", "copy", "-c:a", "copy", str(path))
    return path


def late(studio: Studio, source: Path, name: str) -> Path:
    """The file with its sound 0.7 s later."""
    return copied(studio, source, name, "-itsoffset", "0.7", "-i", str(source), "-map", "0:v", "-map", "1:a")


def with_chapters(studio: Studio, source: Path, name: str) -> Path:
    labels = source.with_name("index chapters.txt")
    labels.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle=one\n")
    return copied(studio, source, name, "-i", str(labels), "-map", "0", "-map_chapters", "1")


def with_hidden_frames(studio: Studio, source: Path, name: str) -> Path:
    """The file from 1.3 s on: what lies between there and the keyframe before is in it, but is not shown."""
    path = source.with_name(name)
    studio.ffmpeg("-ss", "1.3", "-i", str(source), "-c", "copy", str(path))
    return path


def with_text(studio: Studio, source: Path, name: str) -> Path:
    text = source.with_name("index text.srt")
    text.write_text("1\n00:00:00,500 --> 00:00:01,000\nhello\n")
    return copied(studio, source, name, "-i", str(text), "-map", "0", "-map", "1", "-c:s", "mov_text")


UNDERSTOOD: dict[str, Callable[[Studio, Path, str], Path]] = {
    "as recorded": lambda studio, _, name: studio.segment(name, video=B_FRAMES, more="-vf noise=alls=40:allf=t"),
    "index last": copied,
    "sound alone": lambda studio, _, name: studio.segment(name, maps="-map 1:a", audio="-c:a aac -ar 44100 -ac 2"),
    "picture alone": lambda studio, _, name: studio.segment(name, maps="-map 0:v", fps=30),
    "sound first": lambda studio, _, name: studio.segment(name, maps="-map 1:a -map 0:v"),
    "late sound": late,
    "short sound": lambda studio, _, name: studio.flash(name, seconds=1.01, sound=0.6, rate=32000),
    "chapters": with_chapters,
}
ODD: dict[str, Callable[[Studio, Path, str], Path]] = {
    "fragments": lambda studio, red, name: copied(studio, red, name, "-movflags", "frag_keyframe+empty_moov"),
    "another codec": lambda studio, _, name: studio.segment(name, video="-c:v mpeg4 -q:v 4"),
    "all colours": lambda studio, _, name: studio.segment(name, video="-c:v libx264 -pix_fmt yuv444p"),
    "turned": lambda studio, red, name: studio.turned(red, name, ON_ITS_SIDE),
    "wide pixels": lambda studio, red, name: copied(studio, red, name, "-aspect", "20:9"),
    "subtitles": with_text,
    "a timecode": lambda studio, red, name: copied(studio, red, name, "-timecode", "01:00:00:00"),
    "an edit": with_hidden_frames,
}


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_an_index_says_what_ffprobe_says(
    tools: Tools, clock: MachineClock, studio: Studio, red: Path, name: str
) -> None:
    path = UNDERSTOOD[name](studio, red, f"index {name}.mp4")

    index, told = read_index(path), probe(tools, path, clock, count=True)

    assert index is not None and index.contents is not None
    assert facts(index.contents) == facts(told)
    assert (index.contents.start, index.contents.duration) == pytest.approx((told.start, told.duration), abs=0.001)
    for one in index.contents.streams:
        if one.kind != "data":
            assert one.first == pytest.approx(first_packet(tools, path, one.index, clock, seconds=10), abs=1e-5)


@pytest.mark.parametrize("name", ODD)
def test_of_what_is_odd_ffprobe_is_asked(
    tools: Tools, clock: MachineClock, studio: Studio, red: Path, name: str
) -> None:
    path = ODD[name](studio, red, f"odd {name}.mp4")

    index = read_index(path)

    assert index is None or index.contents is None
    assert inspect(tools, path, clock) == probe(tools, path, clock)


def test_what_is_usual_starts_no_process(clock: MachineClock, red: Path) -> None:
    assert inspect(NOBODY, red, clock).duration == 2.0


def test_a_packet_lies_where_its_index_says(studio: Studio, red: Path) -> None:
    index = read_index(red)

    assert index is not None and index.tracks[0] is not None
    with red.open("rb") as file:
        places = list(index.tracks[0].packets.places(file))
    assert places == [(place, size) for place, size, _ in studio.packets(red)]


@pytest.mark.parametrize("content", [b"", b"<html></html>", bytes(5000), b"\0\0\0\x08moov"])
def test_what_is_no_recording_has_no_index(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)

    assert read_index(path) is None
    assert read_index(tmp_path / "gone.mp4") is None


@pytest.mark.parametrize("kind", [b"stsz", b"stts", b"stsc", b"stco"])
@pytest.mark.parametrize("count", [0, 1, 2**32 - 1])
def test_a_count_that_is_not_that_of_its_table_is_odd(red: Path, tmp_path: Path, kind: bytes, count: int) -> None:
    """However long the table claims to be, no memory is taken for it; nor for packets that are all alike."""
    content = bytearray(red.read_bytes())
    begin = content.index(kind, content.index(b"soun")) + (12 if kind == b"stsz" else 8)
    content[begin : begin + 4] = count.to_bytes(4)
    if kind == b"stsz":
        content[begin - 4 : begin] = (1).to_bytes(4)
    (path := tmp_path / "a.mp4").write_bytes(content)

    index = read_index(path)

    assert index is not None
    assert (index.tracks[1], index.contents) == (None, None)


ATOMS = re.compile(
    b"mvhd|tkhd|mdhd|hdlr|dref|stsd|avc1|avcC|pasp|mp4a|esds|stts|ctts|stss|stsc|stsz|stco|elst|edts|trak|stbl|moov|mdat"
)
VALUES = (0, 1, 127, 128, 255)


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The file with up to three bytes changed, near the beginning of an atom or of its media."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 3))):
        place = chance.choice([found.start() for found in ATOMS.finditer(content)]) + chance.randrange(-4, 60)
        changed[place] = chance.choice((*VALUES, chance.randrange(256)))
    return bytes(changed)


@pytest.mark.parametrize("rounds", [pytest.param(60, id="some"), pytest.param(1500, marks=pytest.mark.soak, id="many")])
def test_where_a_damaged_index_is_understood_ffprobe_says_the_same(
    tools: Tools, clock: MachineClock, studio: Studio, tmp_path: Path, rounds: int
) -> None:
    contents = [
        UNDERSTOOD[name](studio, Path(), f"damaged {name}.mp4").read_bytes() for name in ("sound first", "as recorded")
    ]
    chance, path = random.Random(rounds), tmp_path / "damaged.mp4"
    understood = 0
    for number in range(rounds):
        path.write_bytes(damaged(contents[number % 2], chance))
        if (index := read_index(path)) is None or index.contents is None:
            continue
        understood += 1
        try:
            told = probe(tools, path, clock, count=True)
        except ZoomsyncError as refused:
            pytest.fail(f"round {number}: {refused}")
        assert facts(index.contents) == facts(told), f"round {number}"
    assert understood > rounds / 10


def test_no_index_does_harm(red: Path, tmp_path: Path) -> None:
    """Whatever its numbers are, it is understood or it is not."""
    content, chance, path = red.read_bytes(), random.Random(1), tmp_path / "hostile.mp4"
    found: list[Index | None] = []
    for _ in range(1000):
        path.write_bytes(damaged(content, chance))
        found.append(read_index(path))

    assert {None} < {one and one.contents and one.contents.duration for one in found}
