"""Media that cannot be stitched or played: what Zoom has is stored, told once, and not tried again for ever."""

import hashlib
import itertools
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site
from tests.sandbox import faults, media
from tests.sandbox.content import Text
from tests.sandbox.media import Clip
from tests.sandbox.stage import VIEWS, Stage
from zoomsync.item import build

SPEAKER = VIEWS[0]
MAPPED = ("-map", "0:v", "-map", "1:a", "-t", "4", "-c", "copy")


def changed(*arguments: str, clip: Clip, folder: Path) -> bytes:
    """A clip as ffmpeg makes it anew."""
    path = folder / f"changed.{clip.suffix}"
    media._run(["-y", "-i", str(clip.path), *arguments, str(path)])
    return path.read_bytes()


def unreadable(_: Path) -> bytes:
    """All there, but not one frame decodes: zeros where the frames were."""
    whole = Clip(segment=2).path.read_bytes()
    begin = whole.index(b"mdat") + 4
    return whole[:begin] + bytes(len(whole) - begin)


def without_index(_: Path) -> bytes:
    return Clip(segment=2).path.read_bytes().replace(b"moov", b"free")


def av1(folder: Path) -> bytes:
    """The wheel's ffmpeg makes it, and does not read it; others may."""
    made = ("-c:v", "libsvtav1", "-preset", "12", "-c:a", "copy")
    content = changed(*made, clip=Clip(segment=2, seconds=1), folder=folder)
    with suppress(RuntimeError):
        media._run(["-i", str(folder / "changed.mp4"), "-f", "null", "-"])
        pytest.skip("this ffmpeg reads AV1")
    return content


def lines(site: Site) -> list[str]:
    """The warnings of a pass, and what it stored and fetched."""
    result = site.sync()
    assert (result.code, result.document["run"]["counts"]["failed"]) == (0, 0), result.stderr
    return [line for line in result.stderr.splitlines() if "warning" in line]


def pair(stage: Stage, second: bytes) -> None:
    stage.meeting("pair", "alice", 2, "Weekly")
    stage.video("pair", 1)
    stage.transcript("pair", 1)
    stage.file("pair", Text(second), "MP4", SPEAKER, "MP4", at=60)
    stage.transcript("pair", 2, at=60)


@pytest.mark.parametrize(
    ("second", "told", "fetched"),
    [(unreadable, 2, 5), (without_index, 2, 5), (av1, 1, 4)],
)
def test_segments_that_cannot_be_stitched_are_separate_videos(
    begin: Begin, stage: Stage, tmp_path: Path, second: Callable[[Path], bytes], told: int, fetched: int
) -> None:
    content = second(tmp_path)
    pair(stage, content)
    site = begin(stage.world)

    warnings = lines(site)

    assert sum("segments stay separate videos" in line for line in warnings) == 1
    assert (len(warnings), len(site.downloads())) == (told, fetched), warnings
    shown = [name for name in site.names("pair") if not name.startswith("segments/")]
    assert shown == ["video.1.mp4", "video.1.vtt", "video.2.mp4", "video.2.vtt"]
    assert (site.item("pair") / "video.2.mp4").read_bytes() == content
    library = site.library()
    site.clock.advance(days=2)
    assert (lines(site), site.downloads(), site.library()) == ([], [], library)
    assert site.leftovers() == []


def test_time_that_runs_out_makes_separate_videos_and_costs_no_download(
    begin: Begin, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "BASE_SECONDS", -1e9)
    stage.meeting("pair", "alice", 2, "Weekly")
    for number, at in ((1, 0), (2, 60)):
        stage.video("pair", number, at=at)
        stage.video("pair", number, VIEWS[1], at=at)
    site = begin(stage.world)

    (warning,) = lines(site)

    assert "video, video.gallery_view: the segments stay separate videos: ffprobe" in warning
    assert warning.endswith("did not end in time")
    assert (len(site.downloads()), len(site.names("pair"))) == (4, 4)


def test_sound_without_a_sample_is_stored_beside_the_video(begin: Begin, stage: Stage, tmp_path: Path) -> None:
    empty = changed("-t", "0", "-c", "copy", clip=Clip(segment=2, codec=""), folder=tmp_path)
    stage.meeting("pair", "alice", 2, "Weekly")
    for number, at in ((1, 0), (2, 60)):
        stage.video("pair", number, at=at)
        stage.transcript("pair", number, at=at)
    stage.audio("pair", 1)
    stage.file("pair", Text(empty), "M4A", "audio_only", "M4A", at=60)
    site = begin(stage.world)

    warnings = lines(site)

    assert sum("audio: the segments stay separate" in line for line in warnings) == 1
    assert len(warnings) == 2
    videos = [name for name in site.names("pair") if not name.startswith("segments/")]
    assert videos == ["audio.1.m4a", "audio.2.m4a", "video.mp4", "video.vtt"]


def test_one_that_comes_differently_twice_is_not_stored(begin: Begin, stage: Stage) -> None:
    stage.meeting("bad", "alice", 2, "Weekly")
    video = stage.video("bad")
    site = begin(stage.world)
    for place in (80, 90):
        site.sandbox.fail(f"/ssrweb/.*{video.id}", with_=faults.corrupt(place, 4000), times=1)

    result = site.sync()

    assert (result.code, site.files(), len(site.downloads())) == (1, [], 2)
    assert "no usable video or audio" in result.reasons("failed")[site.uuid("bad")]


@pytest.mark.parametrize(
    ("rest", "said", "downloads"),
    [
        pytest.param(bytes(5000), "5,000 bytes behind its last atom, all zero", 1, id="zeros"),
        pytest.param(bytes(1), "1 byte behind its last atom, all zero", 1, id="one zero"),
        pytest.param(b"<html>" * 99, "came the same twice: 594 bytes behind its last atom", 2, id="a page"),
        pytest.param(hashlib.sha512(b"").digest() * 99, "came the same twice: 6,336 bytes behind", 2, id="noise"),
        pytest.param(b"\0\0\1\0free" + bytes(9), "came the same twice: 17 bytes behind", 2, id="a cut atom"),
    ],
)
def test_what_lies_behind_a_whole_video_does_not_keep_it_out(
    begin: Begin, stage: Stage, rest: bytes, said: str, downloads: int
) -> None:
    content = Clip(segment=1, seconds=2).path.read_bytes() + rest
    stage.meeting("long", "alice", 2, "Weekly")
    stage.file("long", Text(content), "MP4", SPEAKER, "MP4")
    site = begin(stage.world)

    (warning,) = lines(site)

    assert said in warning
    assert (site.item("long") / "video.mp4").read_bytes() == content
    assert len(site.downloads()) == downloads


@pytest.mark.parametrize("rest", [bytes(5000), b"<html>" * 99])
def test_segments_with_a_rest_are_stitched(begin: Begin, stage: Stage, rest: bytes) -> None:
    stage.meeting("pair", "alice", 2, "Weekly")
    for number, at in ((1, 0), (2, 60)):
        content = Clip(segment=number, seconds=2).path.read_bytes() + rest
        stage.file("pair", Text(content), "MP4", SPEAKER, "MP4", at=at)
    site = begin(stage.world)

    assert len(lines(site)) == 2

    assert site.names("pair") == ["video.mp4"]
    shown = media.read_clock(site.item("pair") / "video.mp4")
    assert [one for place, one in enumerate(shown) if place % 10 == 5] == [(1, 0), (1, 1), (2, 0), (2, 1)]


@pytest.mark.parametrize("has_sound", [True, False])
def test_texts_lie_beside_separate_videos_whether_there_is_sound_alone_or_not(
    begin: Begin, stage: Stage, has_sound: bool
) -> None:
    stage.meeting("pair", "alice", 2, "Weekly")
    for number, at, width in ((1, 0, 320), (2, 60, 240)):
        stage.video("pair", number, at=at, width=width)
        stage.texts("pair", number, at=at)
        if has_sound:
            stage.audio("pair", number, at=at)
    site = begin(stage.world, reencode=False)

    assert lines(site) == []

    names = {"video.1.mp4", "video.2.mp4", "video.1.vtt", "video.2.vtt", "chat.1.txt", "chat.2.txt"}
    assert names <= set(site.names("pair"))
    assert ("audio.m4a" in site.names("pair")) is has_sound
    assert {"video.vtt", "chat.txt"}.isdisjoint(site.names("pair"))


def test_a_topic_of_any_length_is_the_title(begin: Begin, stage: Stage) -> None:
    topic = "=;#\\ Endless " * 16_000
    stage.meeting("pair", "alice", 2, topic)
    for number, at in ((1, 0), (2, 60)):
        stage.video("pair", number, at=at, seconds=2)
    site = begin(stage.world, title="{topic}")

    assert lines(site) == []

    metadata = media._run(["-i", str(site.item("pair") / "video.mp4"), "-f", "ffmetadata", "-"]).decode()
    assert "Endless" in metadata


@pytest.mark.parametrize("width", [320, 240])
def test_sound_that_begins_late_in_a_segment_keeps_nothing_out(
    begin: Begin, stage: Stage, tmp_path: Path, width: int
) -> None:
    """Joined by copying, and encoded if the frames differ: the picture goes on, and the sound is where it belongs."""
    clip = Clip(segment=1, seconds=4)
    late = changed("-itsoffset", "0.7", "-i", str(clip.path), *MAPPED, clip=clip, folder=tmp_path)
    stage.meeting("pair", "alice", 2, "Weekly")
    stage.file("pair", Text(late), "MP4", SPEAKER, "MP4", seconds=4)
    stage.video("pair", 2, at=60, seconds=4, width=width)
    site = begin(stage.world)

    assert lines(site) == []

    video = site.item("pair") / "video.mp4"
    clock, tones = media.read_clock(video), media.read_tones(video)
    assert [one for one, _ in itertools.groupby(clock) if one != (0, 0)] == [(n, s) for n in (1, 2) for s in range(4)]
    assert tones[-4:] == pytest.approx([media.tone(2, second) for second in range(4)], rel=0.01)
