"""How the sound of segments is laid one behind the other."""

from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest

from tests.media.conftest import MachineClock, Studio
from zoomsync.media.ffmpeg import Tools
from zoomsync.media.probe import ProbeResult
from zoomsync.media.sound import Cut, cuts, joined_sound
from zoomsync.media.workspace import Workspace, workspace_beside


@pytest.fixture
def workspace(tools: Tools, clock: MachineClock, tmp_path: Path) -> Iterator[Workspace]:
    with workspace_beside(tmp_path / "video.mp4", tools=tools, clock=clock, seconds=60) as workspace:
        yield workspace


def joined(workspace: Workspace, *segments: ProbeResult) -> bytes:
    """The sound of these segments."""
    begins = [0.0, *accumulate(segment.duration for segment in segments)]
    found = joined_sound(workspace, segments, [one.of_kind("audio")[0] for one in segments], begins)
    assert found is not None
    return found[0].read_bytes()


def test_packets_lie_one_behind_the_other_within_half_a_packet_of_their_time() -> None:
    rate, packet = 48000, 1024 / 48000
    begins = [0.0, 1.0, 2.0, 3.5]

    found = cuts(begins, [-packet, -packet, 0.3], [48, 40, 50], rate)

    assert found == [
        Cut(silence=0, first=1, taken=47),  # the lead-in of the encoder goes
        Cut(silence=0, first=1, taken=39),
        Cut(silence=22, first=0, taken=50),  # sound that ends early or begins late leaves a hole
    ]


def test_sound_that_goes_on_behind_its_segment_is_cut() -> None:
    assert cuts([0.0, 1.0, 2.0], [0.0, 0.0], [60, 60], 48000) == [
        Cut(silence=0, first=0, taken=47),
        Cut(silence=0, first=0, taken=47),
    ]


def test_the_packets_that_are_taken_are_those_that_ffmpeg_takes(
    workspace: Workspace, studio: Studio, red: Path, green: Path
) -> None:
    """Of a file that lies in fragments, of which the index is not understood, it is asked for them."""
    segments = [workspace.count(path) for path in (red, green)]
    fragments = []
    for segment in segments:
        path = segment.path.with_name(f"fragments {segment.path.name}")
        studio.ffmpeg("-i", str(segment.path), "-c", "copy", "-movflags", "frag_keyframe+empty_moov", str(path))
        fragments.append(segment.model_copy(update={"path": path}))

    found = joined(workspace, *segments)

    assert found.count(b"\xff\xf1") >= 125
    assert found == joined(workspace, *fragments)


def test_a_hole_is_filled_with_silence(workspace: Workspace, studio: Studio) -> None:
    flash = workspace.count(studio.flash("silence flash.mp4", seconds=1.0, sound=0.6))
    whole = workspace.count(studio.flash("silence whole.mp4", seconds=1.0))

    filled = joined(workspace, flash, whole)

    silent = (workspace.folder / "silence").read_bytes()
    assert filled.count(silent) == 18
    assert joined(workspace, whole, whole).count(silent) == 0
