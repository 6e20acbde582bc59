"""Joining segments by copying: bytes and processes of a whole pass, and of more segments; the time beside `cat`."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.counted import command, compiled, cost, used
from tests.bench.marks import Row
from tests.bench.table import IS_QUICK, MB, show, side_by_side, speed
from tests.crash.big import Stored, long_video
from tests.crash.place import Place
from tests.crash.place import serving as at_work
from tests.sandbox.media import ffmpeg
from tests.sandbox.settings import wall_clock
from tests.sandbox.stage import Stage
from tests.sandbox.world import World
from tests.sandbox.worlds import empty_world
from zoomsync.clock import SystemClock
from zoomsync.media.ffmpeg import find_tools
from zoomsync.media.stitch import stitch

SIZE = 250 * MB
SECONDS = 5 if IS_QUICK else 24
"""Of a segment; 24 have 31 MB, ten times as much a second as a recording."""
BEFORE = {2: ("5.5 ×", "2.7 ×", "16"), 12: ("5.8 ×", "3 ×", "65"), 40: ("5.9 ×", "3 ×", "205")}
NUMBERS = (2, 12) if IS_QUICK else (2, 12, 40)
GAP = 600
"""Seconds from one segment to the next."""


def run(folder: Path) -> Iterator[Row]:
    """Print the tables."""
    if not IS_QUICK:
        _beside_cat(folder)
    segment = _segment(folder / "segment.mp4")
    found = {number: _pass(folder / str(number), segment, number) for number in NUMBERS}
    size = segment.stat().st_size
    title = f"a pass that joins segments of {size // MB} MB, by their bytes"
    shown = [[f"{number}", f"{read:.2f}", f"{wrote:.2f}", f"{ran}"] for number, (read, wrote, ran) in found.items()]
    show(title, ["segments", "read", "written", "processes"], shown)
    for number in (NUMBERS[0], NUMBERS[-1]):
        (read, wrote, ran), (was_read, was_written, were_run) = found[number], BEFORE[number]
        what = f"join by copying, {number} × {round(size / 10**6)} MB"
        yield Row(what=f"{what}: bytes read", before=was_read, now=read, most=2.2, unit="×")
        yield Row(what=f"{what}: bytes written", before=was_written, now=wrote, most=2.1, unit="×")
        yield Row(what=f"{what}: processes", before=were_run, now=ran, most=6)


def _segment(path: Path) -> Path:
    """Noise and a tone."""
    noise = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "320x180", "-r", "25", "-i", "/dev/urandom"]
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", str(SECONDS)]
    codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-g", "25", "-c:a", "aac"]
    subprocess.run([ffmpeg(), "-nostdin", "-v", "error", *noise, *tone, *codecs, str(path)], check=True)
    return path


def _pass(folder: Path, segment: Path, number: int) -> tuple[float, float, int]:
    """Bytes read and written by those of the segments, downloads included, less a pass with nothing new; processes."""
    folder.mkdir()
    with at_work(Place(folder / "first", _world(segment, number))) as place:
        ran, environ = cost(place, "-q", "sync").processes, compiled(place)
    with at_work(Place(folder / "second", _world(segment, number))) as place:
        first, second = (used(command(place, "-q", "sync"), environ) for _ in range(2))
        (item,) = place.library.glob("published/*/*/*/*.mp4")
        whole = number * segment.stat().st_size
        assert item.stat().st_size > 0.99 * whole
    shutil.rmtree(folder)
    return (first.read - second.read) / whole, (first.written - second.written) / whole, ran


def _world(segment: Path, number: int) -> World:
    stage = Stage(empty_world(wall_clock()))
    stage.meeting("long", "alice", 1, "Long")
    for part in range(number):
        stage.file("long", Stored(segment), "MP4", "active_speaker", "MP4", at=part * GAP, seconds=SECONDS)
    return stage.world


def _beside_cat(folder: Path) -> None:
    """How long a join takes."""
    segment = long_video(folder / "long.mp4", SIZE)
    tools = find_tools(path=os.environ["PATH"], environ=os.environ)

    def zoomsync() -> None:
        stitch(tools, [segment, segment], folder / "stitched.mp4", title="Bench", created=datetime.now(UTC),
               chapters=["one", "two"], reencode=False, clock=SystemClock(), seconds_limit=600)  # fmt: skip

    parts = folder / "parts"
    parts.write_text(f"file '{segment}'\n" * 2)

    def alone() -> None:
        argv = [ffmpeg(), "-nostdin", "-v", "error", "-y", "-f", "concat", "-safe", "0", "-i", str(parts)]
        subprocess.run([*argv, "-c", "copy", "-movflags", "+faststart", str(folder / "alone.mp4")], check=True)

    def cat() -> None:
        with (folder / "cat").open("wb") as out:
            subprocess.run(["cat", str(segment), str(segment)], stdout=out, check=True)
            os.fsync(out.fileno())

    acts: dict[str, Callable[[], object]] = {
        "zoomsync stitch (counted, proven, fsync)": zoomsync,
        "ffmpeg concat alone": alone,
        "cat, fsync": cat,
    }
    found = side_by_side(acts)
    whole = 2 * segment.stat().st_size
    rows = [[name, *speed(times, whole)] for name, times in found.items()]
    show(f"stitching 2 x {whole // 2 // MB} MB by stream copy", ["", "median", "least", "most", "speed"], rows)
    for one in folder.iterdir():
        one.unlink()
