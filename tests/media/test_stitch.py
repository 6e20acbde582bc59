import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.media.conftest import BLACK, GREEN, GREEN_880, RED_440, Stitcher, Studio
from zoomsync.errors import Unjoinable
from zoomsync.media import webvtt
from zoomsync.media.stitch import Stitched


def test_segments_that_agree_are_copied(join: Stitcher, studio: Studio, red: Path, green: Path) -> None:
    stitched = join(red, green)

    assert stitched == Stitched(path=join.target, durations=(2.0, 2.0), reencoded=False)
    assert studio.seen_and_heard(join.target) == [*RED_440, *GREEN_880]
    assert join.left_behind() == ["video.mp4"]


def test_a_copy_begins_at_zero_and_is_no_frame_longer(join: Stitcher, studio: Studio, red: Path, green: Path) -> None:
    join(red, green)

    tracks = studio.look(join.target)["streams"][:2]
    assert [(one["start_time"], one["duration"]) for one in tracks] == [("0.000000", "4.000000")] * 2


def test_the_order_is_the_one_given(join: Stitcher, studio: Studio, red: Path, green: Path) -> None:
    join(green, red, red)

    assert studio.seen_and_heard(join.target) == [*GREEN_880, *RED_440]
    assert studio.look(join.target)["format"]["duration"].startswith("6.0")


def test_only_another_time_base_is_cured_without_encoding(join: Stitcher, studio: Studio, red: Path) -> None:
    other = studio.segment("timebase.mp4", colour=GREEN, tone=880, more="-video_track_timescale 90000")

    assert join(red, other, reencode=False) == Stitched(path=join.target, durations=(2.0, 2.0), reencoded=False)
    assert studio.seen_and_heard(join.target) == [*RED_440, *GREEN_880]
    assert join(other, red, reencode=False).reencoded is False
    assert studio.seen_and_heard(join.target) == [*GREEN_880, *RED_440]


DIFFERENT = [
    pytest.param({"size": "320x180"}, GREEN_880, "video width 320 instead of 160", id="frame size"),
    pytest.param({"size": "96x160"}, GREEN_880, "video width 96 instead of 160", id="upright"),
    pytest.param({"video": "-c:v mpeg4 -q:v 4"}, GREEN_880, "video codec mpeg4 instead of h264", id="codec"),
    pytest.param({"fps": 30}, GREEN_880, "video extradata differs", id="frame rate"),
    pytest.param({"audio": "-c:a aac -ar 48000 -ac 2"}, GREEN_880, "audio sample rate 48000 instead of", id="sound"),
    pytest.param({"maps": "-map 0:v"}, [(GREEN, 0)] * 2, "tracks video instead of video, audio", id="no audio"),
    pytest.param({"maps": "-map 1:a"}, [(BLACK, 880)] * 2, "tracks audio instead of video, audio", id="no video"),
]


@pytest.mark.parametrize(("changed", "looks", "why"), DIFFERENT)
def test_segments_that_differ_are_encoded(
    join: Stitcher, studio: Studio, red: Path, changed: dict[str, Any], looks: list[tuple[str, int]], why: str
) -> None:
    other = studio.segment("other.mp4", **{"colour": GREEN, "tone": 880, **changed})

    stitched = join(red, other)

    assert (stitched.durations, stitched.reencoded) == ((2.0, 2.0), True), why
    assert studio.seen_and_heard(join.target) == [*RED_440, *looks]
    join(other, red)
    assert studio.seen_and_heard(join.target) == [*looks, *RED_440]


@pytest.mark.parametrize(("changed", "looks", "why"), DIFFERENT)
def test_segments_that_differ_stay_apart_where_encoding_is_off(
    join: Stitcher, studio: Studio, red: Path, changed: dict[str, Any], looks: list[tuple[str, int]], why: str
) -> None:
    other = studio.segment("other.mp4", **{"colour": GREEN, "tone": 880, **changed})

    with pytest.raises(Unjoinable, match=f"cannot be joined by copying: segment 2: {why}"):
        join(red, other, reencode=False)

    assert join.left_behind() == [], looks


def test_the_largest_frame_and_the_best_sound_are_taken(join: Stitcher, studio: Studio, red: Path) -> None:
    other = studio.segment("better.mp4", size="322x182", fps=50, audio="-c:a aac -ar 48000 -ac 2")

    join(red, other)

    video, audio = studio.look(join.target)["streams"][:2]
    assert (video["width"], video["height"], video["avg_frame_rate"]) == (322, 182, "50/1")
    assert (audio["sample_rate"], audio["channels"]) == ("48000", 2)


def test_subtitles_in_the_file_are_carried_along(join: Stitcher, studio: Studio, red: Path) -> None:
    text = red.with_name("text.srt")
    text.write_text("1\n00:00:00,500 --> 00:00:01,000\nAlice: hello\n")
    subtitled = red.with_name("subtitled.mp4")
    tracks = ["-map", "0", "-map", "1", "-c", "copy", "-c:s", "mov_text"]
    studio.ffmpeg("-i", str(red), "-i", str(text), *tracks, str(subtitled))

    join(subtitled, subtitled, reencode=False)

    shown = studio.ffmpeg("-i", str(join.target), "-map", "0:s", "-f", "webvtt", "-").decode()
    assert [one.start for one in webvtt.parse_captions(shown) if isinstance(one, webvtt.Cue)] == [500, 2500]


@pytest.mark.parametrize("audio", ["-c:a aac -ar 32000 -ac 1", "-c:a aac -ar 48000 -ac 2"])
def test_recordings_of_sound_alone_are_joined(join: Stitcher, studio: Studio, audio: str) -> None:
    join.target = join.folder / "audio.m4a"
    first = studio.segment("first.m4a", maps="-map 1:a")
    second = studio.segment("second.m4a", maps="-map 1:a", tone=880, audio=audio)

    join(first, second, chapters=["one", "two"])

    assert [studio.tone(join.target, at) for at in (0.2, 1.4, 2.1, 3.4)] == [440, 440, 880, 880]
    assert studio.look(join.target)["format"]["tags"]["major_brand"].strip() == "M4A"


def test_tracks_of_unequal_length_stay_in_step(join: Stitcher, studio: Studio, red: Path, green: Path) -> None:
    """Sound that ends a second before the picture does not pull the next segment's sound forward."""
    codecs = "-c:v copy -c:a aac -ar 32000 -ac 1"
    short = red.with_name("short sound.mp4")
    studio.ffmpeg("-i", str(red), "-af", "atrim=duration=1", *codecs.split(), str(short))

    assert join(short, green, reencode=False).durations == (2.0, 2.0)
    assert (studio.tone(join.target, 0.2), studio.tone(join.target, 2.1)) == (440, 880)


AWKWARD = 'It\'s "50%": 1/2; a=b #c \\ d\n\x1b[31m 会議 🎉'


@pytest.mark.parametrize("is_copied", [True, False])
def test_title_date_and_chapters_are_set_whatever_they_contain(
    join: Stitcher, studio: Studio, red: Path, green: Path, is_copied: bool
) -> None:
    other = green if is_copied else studio.segment("mute.mp4", maps="-map 0:v")

    join(red, other, title=AWKWARD, chapters=["=;#\\", AWKWARD])

    shown = studio.look(join.target)
    tags = shown["format"]["tags"]
    assert (tags["title"], tags["creation_time"]) == (AWKWARD, "2026-03-01T10:30:00.000000Z")
    assert [(one["start_time"], one["end_time"], one["tags"]["title"]) for one in shown["chapters"]] == [
        ("0.000000", "2.000000", "=;#\\ "),
        ("2.000000", "4.000000", AWKWARD),
    ]


def test_a_title_that_no_argument_can_hold_is_still_a_title(join: Stitcher, studio: Studio, red: Path) -> None:
    join(red, red, title="a\0b\ud83d")

    assert studio.look(join.target)["format"]["tags"]["title"] == "ab?"


@pytest.mark.parametrize("is_copied", [True, False])
def test_no_title_is_too_long_and_none_is_an_argument(
    join: Stitcher, studio: Studio, red: Path, green: Path, monkeypatch: pytest.MonkeyPatch, is_copied: bool
) -> None:
    seen: list[str] = []
    started = subprocess.Popen

    def noted(argv: list[str], **options: Any) -> "subprocess.Popen[bytes]":
        seen.extend(argv)
        return started(argv, **options)

    monkeypatch.setattr(subprocess, "Popen", noted)
    long, part = "Secret plan; " * 16_000, "Secret part = 1; " * 16_000
    other = green if is_copied else studio.segment("mute2.mp4", maps="-map 0:v")

    join(red, other, title=long, chapters=["one", part])

    shown = studio.look(join.target)
    assert shown["format"]["tags"]["title"] == long
    assert shown["chapters"][1]["tags"]["title"].startswith("Secret part = 1; Secret")  # a chapter has 64 kB at most
    assert "Secret" not in "".join(seen)


def test_labels_of_the_segments_are_not_taken_over(join: Stitcher, studio: Studio, red: Path) -> None:
    named = studio.segment("named.mp4", more="-metadata title=secret -metadata comment=secret")

    join(named, red)

    assert "secret" not in str(studio.look(join.target))


@pytest.mark.parametrize(
    "name", ["it's.mp4", 'a "b".mp4', "http:x.mp4", "a\nb.mp4", "🎉 é #1?.mp4", "-i.mp4", "%03d.mp4"]
)
@pytest.mark.parametrize("is_copied", [True, False])
def test_awkward_names_are_only_names(
    join: Stitcher, studio: Studio, red: Path, green: Path, tmp_path: Path, name: str, is_copied: bool
) -> None:
    source = green if is_copied else studio.segment("upright.mp4", colour=GREEN, tone=880, size="96x160")
    folder = tmp_path / f"in {name}"
    folder.mkdir()
    (folder / name).hardlink_to(source)
    join.target = folder / f"out {name}"

    join(red, folder / name)

    assert studio.seen_and_heard(join.target) == [*RED_440, *GREEN_880]


def test_players_can_start_before_the_file_is_there_whole(join: Stitcher, red: Path, green: Path) -> None:
    join(red, green)

    content = join.target.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("place", [0, 1])
def test_a_glitch_that_came_from_the_cloud_is_not_the_joins_fault(join: Stitcher, studio: Studio, place: int) -> None:
    whole = studio.segment("noise.mp4", more="-vf noise=alls=40:allf=t -movflags +faststart")
    content = bytearray(whole.read_bytes())
    content[-3000:-2940] = bytes(60)
    (glitched := whole.with_name("glitch.mp4")).write_bytes(content)
    inputs = [whole, whole]
    inputs[place] = glitched

    assert join(*inputs, reencode=False) == Stitched(path=join.target, durations=(2.0, 2.0), reencoded=False)


def test_frames_at_odd_times_and_far_between_keyframes_are_copied(join: Stitcher, studio: Studio) -> None:
    video = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -x264-params bframes=2:keyint=60:open-gop=1"
    odd = "-vf noise=alls=40:allf=t,select=mod(n\\,3) -fps_mode vfr"
    inputs = [studio.segment(f"odd{number}.mp4", video=f"{video} {odd}", seconds=5) for number in (1, 2)]

    assert join(*inputs, reencode=False).reencoded is False


@pytest.mark.parametrize("number", [2, 12, pytest.param(40, marks=pytest.mark.soak)])
def test_a_copy_takes_as_few_processes_however_many_segments_there_are(
    join: Stitcher, red: Path, started: list[list[str]], number: int
) -> None:
    """One joins, one decodes around the joins."""
    join(*[red] * number, chapters=["part"] * number, reencode=False)

    assert len(started) == 2
