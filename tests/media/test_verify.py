"""The proof stands alone: it finds what the comparison of the segments was to prevent."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.media.conftest import GREEN, ON_ITS_SIDE, MachineClock, Studio
from zoomsync.errors import Unstitchable
from zoomsync.media.ffmpeg import Tools
from zoomsync.media.probe import ProbeResult
from zoomsync.media.verify import Expected, Track, of_copy, prove
from zoomsync.media.workspace import Workspace, workspace_beside


@pytest.fixture
def workspace(tools: Tools, clock: MachineClock, tmp_path: Path) -> Iterator[Workspace]:
    with workspace_beside(tmp_path / "video.mp4", tools=tools, clock=clock, seconds=60) as workspace:
        yield workspace


def segments(workspace: Workspace, *paths: Path) -> list[ProbeResult]:
    return [workspace.count(path) for path in paths]


def test_half_of_a_recording_is_not_the_whole(workspace: Workspace, red: Path, green: Path) -> None:
    shutil.copy(red, workspace.result)
    inputs = segments(workspace, red, green)

    with pytest.raises(
        Unstitchable,
        match=r"^the stitched video is wrong: all 2\.00 s instead of 4\.00 s; video 2\.00 s instead of 4\.00 s; "
        r"audio 2\.00 s instead of 4\.00 s; video 40 packets instead of 80; audio 64 packets instead of 128$",
    ):
        prove(workspace, inputs, of_copy(inputs, {}))


def test_a_track_that_got_lost_is_missed(workspace: Workspace, studio: Studio, red: Path) -> None:
    shutil.copy(studio.segment("mute4.mp4", seconds=4, maps="-map 0:v"), workspace.result)
    inputs = segments(workspace, red, red)

    with pytest.raises(Unstitchable, match=r"^the stitched video is wrong: no audio$"):
        prove(workspace, inputs, of_copy(inputs, {}))


def test_a_second_track_that_got_lost_is_missed(workspace: Workspace, red: Path) -> None:
    shutil.copy(red, workspace.result)
    two = Expected(durations=(2.0,), tracks=(Track(kind="audio", end=2.0), Track(kind="audio", end=2.0)))

    with pytest.raises(Unstitchable, match=r"^the stitched video is wrong: 1 audio track instead of 2$"):
        prove(workspace, segments(workspace, red), two)


def test_every_packet_counts(workspace: Workspace, studio: Studio, red: Path) -> None:
    shutil.copy(studio.segment("slow4.mp4", seconds=4, fps=10), workspace.result)
    inputs = segments(workspace, red, red)

    with pytest.raises(Unstitchable, match=r"^the stitched video is wrong: video 40 packets instead of 80"):
        prove(workspace, inputs, of_copy(inputs, {1: 1}))


@pytest.mark.parametrize(("off", "is_wrong"), [(0.09, False), (-0.09, False), (0.12, True), (-0.12, True)])
def test_what_ends_late_or_early_is_found_however_many_joins_there_are(
    workspace: Workspace, red: Path, off: float, *, is_wrong: bool
) -> None:
    shutil.copy(red, workspace.result)
    expected = Expected(durations=(0.2,) * 10, tracks=(Track(kind="audio", end=2.0 + off),))
    inputs = segments(workspace, red)

    if is_wrong:
        with pytest.raises(Unstitchable, match=r"wrong: audio 2\.00 s instead of \d\.\d\d s$"):
            prove(workspace, inputs, expected)
    else:
        prove(workspace, inputs, expected)


def test_a_picture_that_lies_on_its_side_is_found(workspace: Workspace, studio: Studio, red: Path) -> None:
    shutil.copy(studio.turned(red, "lying.mp4", ON_ITS_SIDE), workspace.result)
    inputs = segments(workspace, red)

    with pytest.raises(Unstitchable, match=r"wrong: the picture is turned by -?90 degrees$"):
        prove(workspace, inputs, of_copy(inputs, {}))


@pytest.mark.parametrize("join", [4, 8, 12])
def test_a_join_that_does_not_decode_is_named_by_its_place(workspace: Workspace, studio: Studio, join: int) -> None:
    """Bytes are overwritten where the packets of these seconds lie; the index and all lengths stay right."""
    whole = studio.segment("whole.mp4", seconds=12, more="-vf noise=alls=40:allf=t")
    shown = studio.packets(whole)
    content = bytearray(whole.read_bytes())
    for place, size, at in shown:
        if join - 0.5 <= at <= join + 0.5:
            content[place + 5 : place + size] = bytes(size - 5)
    workspace.result.write_bytes(content)
    clean = segments(workspace, studio.segment("clean.mp4", seconds=4))
    expected = Expected(durations=(4.0, 4.0, 4.0), tracks=())

    with pytest.raises(Unstitchable, match=rf"^the stitched video does not decode at {join}\.0 s: .*Invalid data"):
        prove(workspace, clean, expected)


def test_a_decoder_that_dies_without_a_word_is_told_by_its_exit_code(
    workspace: Workspace, red: Path, tmp_path: Path
) -> None:
    shutil.copy(red, workspace.result)
    dying = tmp_path / "ffmpeg"
    dying.write_text(f'#!/bin/sh\ncase "$*" in *{workspace.result}*) exit 3 ;; esac\n')
    dying.chmod(0o755)
    inputs = segments(workspace, red)

    with pytest.raises(Unstitchable, match=r"^the stitched video does not decode at 2\.0 s: exit code 3$"):
        prove(
            replace(workspace, tools=replace(workspace.tools, ffmpeg=dying, ffprobe=dying)), inputs, of_copy(inputs, {})
        )


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"video": "-c:v mpeg4 -q:v 4"}, id="codec"),
        pytest.param({"more": "-video_track_timescale 90000"}, id="time base"),
        pytest.param({"audio": "-c:a aac -ar 48000 -ac 2"}, id="sample rate"),
        pytest.param({"maps": "-map 0:v"}, id="no audio"),
        pytest.param({"maps": "-map 1:a -map 0:v"}, id="track order"),
    ],
)
def test_what_ffmpeg_joins_wrongly_in_silence_is_not_proven(
    workspace: Workspace, studio: Studio, red: Path, changed: dict[str, Any]
) -> None:
    other = studio.segment("other.mp4", **{"colour": GREEN, "tone": 880, **changed})
    parts = workspace.folder / "parts"
    parts.write_text(f"file 'file:{red}'\nfile 'file:{other}'\n")
    copied = ["-map", "0:v?", "-map", "0:a?", "-c", "copy", "-f", "mp4"]
    studio.ffmpeg("-f", "concat", "-safe", "0", "-i", str(parts), *copied, str(workspace.result))
    inputs = segments(workspace, red, other)

    with pytest.raises(Unstitchable, match=r"^the stitched video (is wrong|does not decode)"):
        prove(workspace, inputs, of_copy(inputs, {}))
