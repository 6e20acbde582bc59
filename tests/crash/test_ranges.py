"""Killed at any instant while ranges of a file come, passes end in the same library as an undisturbed one."""

import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.crash.big import Padded
from tests.crash.place import Kill, Place, serving
from tests.crash.tools import SEED
from tests.sandbox.media import Clip
from tests.sandbox.stage import Stage
from tests.sandbox.worlds import empty_world

SIZE = 400_000
SPEED = 250_000
"""Bytes a second of each connection."""
TURN = bytes(range(251))


@dataclass(frozen=True)
class Marked(Padded):
    """As its base, but each byte is of its place."""

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`."""
        data = super().read(start, stop)
        own = max(0, min(len(self._head) - start, len(data)))
        begin = (start + own) % len(TURN)
        return data[:own] + (TURN * (len(data) // len(TURN) + 2))[begin : begin + len(data) - own]


def a_place(folder: Path) -> Place:
    """One meeting of one video that comes slowly."""
    stage = Stage(empty_world(datetime.now(UTC)))
    stage.meeting("one", "alice", 2, "One")
    stage.file("one", Marked(Clip(seconds=1), SIZE), "MP4", "active_speaker", "MP4", seconds=1)
    place = Place(folder, stage.world)
    place.sandbox.settings.speed = SPEED
    place.has_small_ranges = True
    return place


def survive(folder: Path, source: random.Random, kills: int, steps: int) -> int:
    """Passes that are killed, and a last one that is not; returns how many went on with what was there."""
    resumed = 0
    with serving(a_place(folder)) as place:
        (file,) = next(iter(place.sandbox.world.meetings.values())).files
        whole = file.content.read(0, SIZE)
        for _ in range(kills):
            ended = place.sync(kill=Kill(step=source.randrange(steps // 3, steps)))
            assert ended.code in (0, -9), ended.said
            place.wait_for_locks()
        place.sandbox.forget()
        last = place.sync()
        asked = [one.range for one in place.sandbox.seen("GET", "/ssrweb/")]
        assert (last.code, place.leftovers()) == (0, []), last.said
        (video,) = place.library.rglob("video.mp4")
        assert hashlib.sha256(video.read_bytes()).digest() == hashlib.sha256(whole).digest()
        resumed += None not in asked
    return resumed


def test_passes_killed_while_ranges_come_end_like_undisturbed_ones(tmp_path: Path) -> None:
    with serving(a_place(tmp_path / "undisturbed")) as place:
        ended = place.sync()
        asked = [one.range for one in place.sandbox.seen("GET", "/ssrweb/")]
    assert (ended.code, asked.count(None), len(asked) > 4) == (0, 1, True), ended.said

    survive(tmp_path / "killed", random.Random(SEED), 3, ended.steps)


@pytest.mark.soak
def test_two_hundred_passes_killed_while_ranges_come_end_like_undisturbed_ones(tmp_path: Path) -> None:
    with serving(a_place(tmp_path / "undisturbed")) as place:
        steps = place.sync().steps
    source = random.Random(SEED)

    resumed = sum(survive(tmp_path / str(number), source, 4, steps) for number in range(50))

    assert resumed > 10
