"""The clips of the stand-in: their clock and their tones read back."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox import media
from tests.sandbox.media import Clip, read_clock, read_ticks, read_tones, tone
from tests.sandbox.picture import Tick
from tests.sandbox.worlds import full_world


@pytest.mark.parametrize(
    "changed",
    [{}, {"width": 240}, {"codec": "mpeg4"}, {"codec": "hevc"}, {"fps": 15}, {"sample_rate": 44_100, "channels": 2}],
)
def test_the_clock_and_the_tones_of_a_clip_read_back(changed: dict[str, Any]) -> None:
    clip = Clip(segment=2, view=3, seconds=3, **changed)

    assert read_ticks(clip.path) == [Tick(2, 3, second) for second in range(3) for _ in range(clip.fps)]
    assert read_tones(clip.path) == pytest.approx([tone(2, second) for second in range(3)], abs=2)


def test_the_clock_reads_back_from_a_picture_with_bars(tmp_path: Path) -> None:
    padded = tmp_path / "padded.mp4"
    command = [media.ffmpeg(), "-v", "error", "-i", str(Clip(segment=3, seconds=2, width=240).path)]
    pad = ["-vf", "scale=320:180:force_original_aspect_ratio=decrease,pad=480:180:-1:-1", "-c:a", "copy", str(padded)]
    subprocess.run([*command, *pad], check=True)

    assert read_clock(padded) == [(3, 0)] * 10 + [(3, 1)] * 10


def test_silence_and_darkness_are_told(tmp_path: Path) -> None:
    dark = tmp_path / "dark.mp4"
    sources = ["-f", "lavfi", "-i", "color=black:s=160x90:r=5:d=1", "-f", "lavfi", "-i", "anullsrc=d=1"]
    subprocess.run([media.ffmpeg(), "-v", "error", *sources, dark], check=True)

    assert (read_clock(dark), read_tones(dark)) == ([(0, 0)] * 5, [0.0])


def test_two_at_once_make_one_whole_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOOMSYNC_SANDBOX_CACHE", str(tmp_path))
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(lambda _: Clip(seconds=1).path, range(4)))

    assert list(tmp_path.iterdir()) == list(paths)
    assert read_clock(paths.pop()) == [(1, 0)] * 10


def test_every_clip_of_the_full_world_is_small() -> None:
    world = full_world(datetime.now(UTC))
    world.prepare()

    files = [file for meeting in world.meetings.values() for file in meeting.files]
    assert max(file.content.size for file in files) < 200_000
    assert sum(file.content.size for file in files) < 10_000_000
