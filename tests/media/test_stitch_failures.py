from pathlib import Path
from typing import Any

import pytest

from tests.media.conftest import GREEN, GREEN_880, RED_440, MachineClock, Stitcher, Studio, processes_with
from zoomsync.errors import Stopped, Unfit, Unjoinable, Unstitchable
from zoomsync.media import stitch as stitch_module


def without_index(content: bytes) -> bytes:
    return content.replace(b"moov", b"free")


@pytest.mark.parametrize(
    ("damage", "fact"),
    [
        pytest.param(lambda content: content[: len(content) * 2 // 3], "cut inside its mdat atom", id="truncated"),
        pytest.param(without_index, "no moov atom", id="no index"),
        pytest.param(lambda _: b"", "no ftyp", id="empty"),
        pytest.param(
            lambda content: content[: content.index(b"mdat") + 4] + bytes(len(content) - content.index(b"mdat") - 4),
            "no usable video or audio in it",
            id="zeroes",
        ),
    ],
)
@pytest.mark.parametrize("place", [0, 1])
def test_a_damaged_segment_is_named_and_nothing_appears(
    join: Stitcher, tmp_path: Path, red: Path, damage: Any, fact: str, place: int
) -> None:
    (tmp_path / "in").mkdir()
    bad = tmp_path / "in" / "bad.mp4"
    bad.write_bytes(damage(red.read_bytes()))
    inputs = [red, red]
    inputs[place] = bad

    with pytest.raises(Unstitchable, match=f"^segment {place + 1}: .*{fact}"):
        join(*inputs)

    assert join.left_behind() == ["in"]


def test_a_missing_segment_is_named(join: Stitcher, red: Path, tmp_path: Path) -> None:
    with pytest.raises(Unstitchable, match=r"^segment 2: .*gone\.mp4"):
        join(red, tmp_path / "gone.mp4")


def test_a_folder_that_is_not_there_is_the_environments_fault(join: Stitcher, red: Path, tmp_path: Path) -> None:
    join.target = tmp_path / "gone" / "video.mp4"

    with pytest.raises(Unfit, match=r"/gone/\.stitch-\w+: no such file or directory$"):
        join(red, red)


def test_a_copy_that_is_not_proven_is_encoded(
    join: Stitcher, studio: Studio, red: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the frame size were not compared: what is found then is found by the proof alone."""
    other = studio.segment("large.mp4", colour=GREEN, tone=880, video="-c:v mpeg4 -q:v 4")
    monkeypatch.setattr(stitch_module, "differences", lambda *_: ())

    stitched = join(red, other)

    assert stitched.reencoded
    assert studio.seen_and_heard(join.target) == [*RED_440, *GREEN_880]
    with pytest.raises(Unjoinable, match=r"by copying: (ffmpeg failed|the stitched video)"):
        join(red, other, reencode=False)


def test_an_older_video_stays_until_the_new_one_is_proven(join: Stitcher, red: Path, tmp_path: Path) -> None:
    join.target.write_bytes(b"older")

    with pytest.raises(Unstitchable):
        join(red, tmp_path / "gone.mp4")

    assert join.target.read_bytes() == b"older"


def test_what_a_killed_pass_left_is_cleared_away(
    join: Stitcher, red: Path, green: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr("zoomsync.media.workspace.shutil.rmtree", lambda *_, **__: None)
        join(red, green)
    left = [name for name in join.left_behind() if name.startswith(".stitch-")]

    join(red, green)

    assert (len(left), join.left_behind()) == (1, ["video.mp4"])


class StopsOnceWriting(MachineClock):
    """Wants the pass to end as soon as ffmpeg has begun to write the result."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def check(self) -> None:
        if list(self._folder.glob(".stitch-*/result")):
            self.stop()
        super().check()


def test_a_stop_in_the_middle_leaves_nothing(join: Stitcher, studio: Studio, red: Path, tmp_path: Path) -> None:
    long = studio.segment("long.mp4", size="640x360", seconds=30, audio="-c:a aac -ar 48000 -ac 2")

    with pytest.raises(Stopped):
        join(red, long, clock=StopsOnceWriting(tmp_path))

    assert (join.left_behind(), processes_with(tmp_path)) == ([], [])


def test_a_frame_that_would_take_gigabytes_is_not_decoded(
    join: Stitcher, studio: Studio, red: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = studio.segment("large frame.mp4", size="320x180")
    monkeypatch.setattr(stitch_module, "MOST_PIXELS", 160 * 96)

    with pytest.raises(Unstitchable, match=r"^segment 2: frames of 320 × 180, and 8K is the most$"):
        join(red, large)


def test_pixels_so_wide_that_the_frame_would_take_gigabytes_are_refused(
    join: Stitcher, studio: Studio, red: Path
) -> None:
    wide = red.with_name("wide pixels.mp4")
    studio.ffmpeg("-i", str(red), "-aspect", "10000:1", "-c", "copy", str(wide))

    with pytest.raises(Unstitchable):
        join(red, wide)
    assert join.left_behind() == []


def test_time_that_runs_out_fails_the_meeting(join: Stitcher, red: Path, green: Path) -> None:
    with pytest.raises(Unstitchable, match="did not end in time"):
        join(red, green, seconds_limit=0)
