"""The proof stands alone: it finds what the comparison of the segments was to prevent."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.media.conftest import GREEN, MachineClock, Stitcher, Studio
from zoomsync.errors import Unjoinable, Unstitchable
from zoomsync.media import stitch as stitch_module
from zoomsync.media.ffmpeg import Tools
from zoomsync.media.probe import ProbeResult
from zoomsync.media.verify import prove
from zoomsync.media.workspace import Workspace, workspace_beside


@pytest.fixture
def workspace(tools: Tools, clock: MachineClock, tmp_path: Path) -> Iterator[Workspace]:
    with workspace_beside(tmp_path / "video.mp4", tools=tools, clock=clock, seconds=60) as workspace:
        yield workspace


def segments(workspace: Workspace, *paths: Path) -> list[ProbeResult]:
    return [workspace.count(path) for path in paths]


def test_half_of_a_recording_is_not_the_whole(workspace: Workspace, red: Path, green: Path) -> None:
    shutil.copy(red, workspace.result)

    with pytest.raises(
        Unstitchable,
        match=r"^the stitched video is wrong: all 2\.00 s instead of 4\.00 s; video 2\.00 s instead of 4\.00 s; "
        r"audio 2\.00 s instead of 4\.00 s; video 40 packets instead of 80; audio 64 packets instead of 128$",
    ):
        prove(workspace, segments(workspace, red, green), is_copy=True)


def test_a_track_that_got_lost_is_missed(workspace: Workspace, studio: Studio, red: Path) -> None:
    shutil.copy(studio.segment("mute4.mp4", seconds=4, maps="-map 0:v"), workspace.result)

    with pytest.raises(Unstitchable, match=r"^the stitched video is wrong: no audio$"):
        prove(workspace, segments(workspace, red, red), is_copy=False)


def test_of_a_copy_every_packet_counts(workspace: Workspace, studio: Studio, red: Path) -> None:
    shutil.copy(studio.segment("slow4.mp4", seconds=4, fps=10), workspace.result)

    prove(workspace, segments(workspace, red, red), is_copy=False)
    with pytest.raises(Unstitchable, match=r"^the stitched video is wrong: video 40 packets instead of 80"):
        prove(workspace, segments(workspace, red, red), is_copy=True)


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
    join: Stitcher, studio: Studio, red: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any]
) -> None:
    other = studio.segment("other.mp4", **{"colour": GREEN, "tone": 880, **changed})
    monkeypatch.setattr(stitch_module, "differences", lambda *_: ())

    with pytest.raises(Unjoinable, match=r"joined by copying: (the stitched video|ffmpeg failed)"):
        join(red, other, reencode=False)
