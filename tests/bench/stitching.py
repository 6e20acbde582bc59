"""Stitching two segments by stream copy, with and without its proof, beside `cat`."""

import os
import subprocess
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.marks import Row
from tests.bench.table import MB, show, side_by_side, speed
from tests.crash.big import long_video
from tests.sandbox.media import ffmpeg
from zoomsync.clock import SystemClock
from zoomsync.media.ffmpeg import find_tools
from zoomsync.media.stitch import stitch

SIZE = 250 * MB


def run(folder: Path) -> Iterable[Row]:
    """Print the table."""
    segment = long_video(folder / "segment.mp4", SIZE)
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
    return ()
