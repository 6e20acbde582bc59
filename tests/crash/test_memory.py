"""A recording of gigabytes costs the memory of a small one: fetched, stitched, verified, deleted."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.crash.big import Padded, Stored, long_video
from tests.crash.place import Place, serving
from tests.sandbox.content import Content
from tests.sandbox.media import Clip
from tests.sandbox.stage import Stage
from tests.sandbox.world import World
from tests.sandbox.worlds import empty_world

NOW = datetime.now(UTC)
DELETING = {"delete_recordings": "trash", "delete_after": "0s", "delete_all_accounts": True}
MB = 1 << 20
SLACK = 32 * MB
MOST = 200 * MB


def an_account(*contents: Content) -> World:
    """One meeting, a segment for each content."""
    stage = Stage(empty_world(NOW))
    stage.meeting("one", "alice", 3, "One")
    for number, content in enumerate(contents):
        stage.file("one", content, "MP4", "active_speaker", "MP4", at=3600 * number)
    return stage.world


def peaks(folder: Path, world: World) -> list[int]:
    """The most memory, in bytes, that a first pass and one that verifies and deletes used."""
    with serving(Place(folder, world, **DELETING)) as place:
        found = [_peak(place), _peak(place)]
        assert len(world.deletions) == len(next(iter(world.meetings.values())).files)
    return found


def _peak(place: Place) -> int:
    peak = 0
    with place.command("sync") as process:
        while process.poll() is None:
            peak = max(peak, _high_water(process.pid))
            time.sleep(0.01)
        assert process.returncode == 0, process.stderr and process.stderr.read()
    return peak


def _high_water(pid: int) -> int:
    """The most that a process used since it began its program; rusage would count the memory of whoever forked it."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) * 1024 if found else 0


def test_a_file_of_200_megabytes_costs_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    clip = Clip(seconds=1)
    small = peaks(tmp_path / "small", an_account(clip))
    large = peaks(tmp_path / "large", an_account(Padded(clip, 200 * MB)))

    assert max(after - before for before, after in zip(small, large, strict=True)) < SLACK
    assert max(large) < MOST


@pytest.mark.soak
def test_two_gigabytes_and_two_long_segments_cost_no_more_memory_either(tmp_path: Path) -> None:
    small = peaks(tmp_path / "small", an_account(Clip(seconds=1), Clip(seconds=1)))
    large = peaks(tmp_path / "large", an_account(Padded(Clip(seconds=1), 2048 * MB)))
    segment = Stored(long_video(tmp_path / "long.mp4", 700 * MB))
    stitched = peaks(tmp_path / "stitched", an_account(segment, segment))

    for found in (large, stitched):
        assert max(after - before for before, after in zip(small, found, strict=True)) < SLACK
        assert max(found) < MOST
