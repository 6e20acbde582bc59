"""What a join by copying needs of its segments, and where it puts their sound."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.media.conftest import (
    FLASH_AT,
    GREEN,
    GREEN_880,
    MIRRORED,
    ON_ITS_SIDE,
    RED,
    RED_440,
    UPSIDE_DOWN,
    Stitcher,
    Studio,
)
from zoomsync.errors import Unjoinable
from zoomsync.media import concat, mp4, webvtt
from zoomsync.media.stitch import Stitched

CUE = "WEBVTT\n\n00:00.400 --> 00:00.520\nflash\n"


def is_together(studio: Studio, stitched: Stitched, fps: int) -> None:
    """Flash, beep, caption and chapter of each segment lie within a frame and 50 ms, whatever comes before them."""
    begins = [sum(stitched.durations[:number]) for number in range(len(stitched.durations))]
    text, _ = webvtt.join_captions([(CUE, begin) for begin in begins])
    captions = [one for one in webvtt.parse_captions(text) if isinstance(one, webvtt.Cue)]
    chapters = [float(one["start_time"]) for one in studio.look(stitched.path)["chapters"]]
    marks = pytest.approx([begin + FLASH_AT for begin in begins], abs=1 / fps + 0.05)
    assert studio.flashes(stitched.path) == marks
    assert studio.beeps(stitched.path, back_to_back=False) == marks
    assert studio.beeps(stitched.path, back_to_back=True) == marks
    assert [one.start / 1000 for one in captions] == marks
    assert [one + FLASH_AT for one in chapters] == marks


@pytest.mark.parametrize(
    ("seconds", "sound", "fps", "rate"),
    [
        pytest.param(1.0, 1.0, 25, 48000, id="of one length"),
        pytest.param(1.01, 0.97, 30, 44100, id="sound shorter than picture"),
        pytest.param(1.0, 1.03, 25, 32000, id="sound longer than picture"),
        pytest.param(1.0, 0.6, 25, 16000, id="sound much shorter than picture"),
    ],
)
def test_over_many_joins_by_copying_all_stays_together(
    join: Stitcher, studio: Studio, seconds: float, sound: float, fps: int, rate: int
) -> None:
    one = studio.flash("flash.mp4", seconds=seconds, sound=sound, fps=fps, rate=rate)

    stitched = join(*[one] * 13, chapters=["part"] * 13, reencode=False)

    is_together(studio, stitched, fps)


@pytest.mark.parametrize("number", [pytest.param(5, id="few"), pytest.param(40, id="forty", marks=pytest.mark.soak)])
def test_over_many_encoded_segments_all_stays_together(join: Stitcher, studio: Studio, number: int) -> None:
    """Each is 1.01 s long, which is no whole number of frames."""
    names = [f"encoded{place}.mp4" for place in range(number)]
    inputs = [
        studio.flash(
            name, seconds=1.01, sound=0.97, fps=30 if place % 2 else 25, size="64x48" if place % 3 else "48x64"
        )
        for place, name in enumerate(names)
    ]

    stitched = join(*inputs, chapters=names)

    assert stitched.reencoded
    is_together(studio, stitched, 30)


def shifted(studio: Studio, source: Path, late: str, seconds: float) -> Path:
    """The segment with its `a` (sound) or `v` (picture) so much later."""
    path = source.with_name(f"{late} {seconds} late {source.name}")
    maps = ["-map", "0:v", "-map", "1:a"] if late == "a" else ["-map", "1:v", "-map", "0:a"]
    studio.ffmpeg("-i", str(source), "-itsoffset", str(seconds), "-i", str(source), *maps, "-c", "copy", str(path))
    return path


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("late", ["a", "v"])
@pytest.mark.parametrize("is_copied", [True, False])
def test_sound_and_picture_may_begin_apart_in_any_segment(
    join: Stitcher, studio: Studio, red: Path, green: Path, place: int, late: str, is_copied: bool
) -> None:
    last = green if is_copied else studio.segment("wide.mp4", colour=GREEN, tone=880, size="192x96")
    inputs = [red, red, last]
    inputs[place] = shifted(studio, inputs[place], late, 0.7)

    stitched = join(*inputs)

    durations = [2.0, 2.0, 2.0]
    durations[place] = 2.7
    begin = sum(durations[:place])
    shown, tone = (GREEN, 880) if place == 2 else (RED, 440)
    assert stitched.reencoded is not is_copied
    assert stitched.durations == pytest.approx(durations, abs=0.02)
    assert studio.colour(join.target, begin + 1.0) == shown
    assert studio.tone(join.target, begin + 0.8) == tone
    assert studio.tone(join.target, begin + 0.1) == (0 if late == "a" else tone)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("timecode", "data tmcd"),
        ("chapters", "data"),
        ("cover", "data mjpeg"),
        ("subtitle", "subtitle mov_text"),
        ("order", ""),
        ("order and timecode", "data tmcd"),
    ],
)
def test_tracks_that_nobody_watches_do_not_keep_segments_apart(
    join: Stitcher, studio: Studio, red: Path, green: Path, caplog: pytest.LogCaptureFixture,
    name: str, told: str, place: int,
) -> None:  # fmt: skip
    inputs = [red, green]
    inputs[place] = with_more(studio, inputs[place], name)

    with caplog.at_level(logging.WARNING):
        stitched = join(*inputs, reencode=False)

    lines = [record.getMessage() for record in caplog.records]
    tracks = [one["codec_type"] for one in studio.look(join.target)["streams"]]
    assert stitched == Stitched(path=join.target, durations=(2.0, 2.0), reencoded=False)
    assert studio.seen_and_heard(join.target) == [*RED_440, (GREEN, 880), (GREEN, 880)]
    assert sorted(tracks) == ["audio", "video"]
    assert [line.partition(": ")[2].startswith("tracks left out") and told in line for line in lines] == [True] * bool(
        told
    )


def with_more(studio: Studio, source: Path, name: str) -> Path:
    """The segment with a track more, or in another order."""
    text, labels, cover = (source.with_name(f"more.{ending}") for ending in ("srt", "txt", "jpg"))
    text.write_text("1\n00:00:00,500 --> 00:00:01,000\nhello\n")
    labels.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle=secret\n")
    studio.ffmpeg("-f", "lavfi", "-i", "color=blue:s=32x32", "-frames:v", "1", str(cover))
    more: dict[str, tuple[str, ...]] = {
        "timecode": ("-map", "0", "-timecode", "01:00:00:00"),
        "chapters": ("-i", str(labels), "-map", "0", "-map_chapters", "1"),
        "cover": ("-i", str(cover), "-map", "0", "-map", "1", "-disposition:v:1", "attached_pic"),
        "subtitle": ("-i", str(text), "-map", "0", "-map", "1", "-c:s", "mov_text"),
        "order": ("-map", "0:a", "-map", "0:v"),
        "order and timecode": ("-map", "0:a", "-map", "0:v", "-timecode", "01:00:00:00"),
    }
    path = source.with_name(f"{name} {source.name}")
    copied = ["-c:v", "copy", "-c:a", "copy"]
    studio.ffmpeg("-i", str(source), *more[name], *copied, str(path))
    return path


def test_a_second_sound_that_all_segments_have_is_kept(join: Stitcher, studio: Studio, red: Path, green: Path) -> None:
    inputs = []
    for one, other in ((red, green), (green, red)):
        inputs.append(one.with_name(f"two sounds {one.name}"))
        studio.ffmpeg(*("-i", str(one), "-i", str(other), "-map", "0", "-map", "1:a", "-c", "copy", str(inputs[-1])))

    join(*inputs, reencode=False)

    second = join.folder / "second.m4a"
    studio.ffmpeg("-i", str(join.target), "-map", "0:a:1", "-c", "copy", "-y", str(second))
    assert [studio.tone(join.target, at) for at in (0.2, 2.2)] == [440, 880]
    assert [studio.tone(second, at) for at in (0.2, 2.2)] == [880, 440]


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        pytest.param(UPSIDE_DOWN, "video rotation -?180 instead of none", id="upside down"),
        pytest.param(ON_ITS_SIDE, "video rotation -?90 instead of none", id="on its side"),
        pytest.param(MIRRORED, "video .*display matrix differs", id="mirrored"),
    ],
)
def test_segments_that_are_turned_otherwise_are_not_copied(
    join: Stitcher, studio: Studio, red: Path, matrix: tuple[int, int, int, int], why: str
) -> None:
    other = studio.turned(red, "turned.mp4", matrix)

    with pytest.raises(Unjoinable, match=f"segment 2: {why}"):
        join(red, other, reencode=False)
    assert join(red, other).reencoded


def test_segments_with_wider_pixels_are_not_copied(join: Stitcher, studio: Studio, red: Path) -> None:
    other = red.with_name("wide pixels.mp4")
    studio.ffmpeg("-i", str(red), "-map", "0", "-aspect", "20:9", "-c", "copy", str(other))

    with pytest.raises(Unjoinable, match="segment 2: video pixel aspect 4/3 instead of 1"):
        join(red, other, reencode=False)
    join(red, other)

    shown = studio.look(join.target)["streams"][0]
    assert (shown["width"], shown["height"], shown["sample_aspect_ratio"]) == (214, 96, "1:1")


def test_segments_that_are_all_turned_stay_so(join: Stitcher, studio: Studio, red: Path) -> None:
    turned = studio.turned(red, "all turned.mp4", ON_ITS_SIDE)

    join(turned, turned, reencode=False)

    (matrix,) = [one for one in studio.look(join.target)["streams"][0]["side_data_list"] if "rotation" in one]
    assert (abs(matrix["rotation"]), studio.colour(join.target, 3.0)) == (90, RED)


def two_sounds(studio: Studio, red: Path) -> Path:
    path = red.with_name("room two sounds.mp4")
    studio.ffmpeg("-i", str(red), "-i", str(red), "-map", "0", "-map", "1:a", "-c", "copy", str(path))
    return path


B_FRAMES = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -x264-params bframes=2:keyint=9 -fps_mode vfr"
ROOMS: dict[str, Callable[[Studio, Path], Path]] = {
    "picture and sound": lambda _, red: red,
    "sound alone": lambda studio, _: studio.segment("room.m4a", maps="-map 1:a"),
    "picture alone": lambda studio, _: studio.segment("room mute.mp4", maps="-map 0:v"),
    "two sounds": two_sounds,
    "frames at odd times": lambda studio, _: studio.segment(
        "room odd.mp4", seconds=5, video=f"{B_FRAMES} -vf select=mod(n\\,3)"
    ),
    "no index that is understood": lambda studio, red: studio.turned(red, "room turned.mp4", ON_ITS_SIDE),
}


@pytest.mark.parametrize("name", ROOMS)
def test_the_room_for_the_index_suffices(
    join: Stitcher, studio: Studio, red: Path, started: list[list[str]], name: str
) -> None:
    segment = ROOMS[name](studio, red)
    started.clear()

    join(*[segment] * 3, title="Long title" * 9000, chapters=["part" * 999] * 3, reencode=False)

    assert [argv for argv in started if "+faststart" in argv] == []
    with join.target.open("rb") as file:
        kinds = [atom.kind for atom in mp4.atoms(file, 0, join.target.stat().st_size)]
    assert kinds.index("moov") < kinds.index("mdat")


def test_where_the_room_does_not_suffice_some_is_made(
    join: Stitcher, studio: Studio, red: Path, green: Path, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concat, "index_room", lambda _: 100)

    assert join(red, green, reencode=False).reencoded is False

    content = join.target.read_bytes()
    assert len([argv for argv in started if "+faststart" in argv]) == 1
    assert content.index(b"moov") < content.index(b"mdat")
    assert studio.seen_and_heard(join.target) == [*RED_440, *GREEN_880]
