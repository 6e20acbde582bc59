"""Tiny segments made by the real ffmpeg, and eyes and ears for what comes out."""

import json
import os
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from zoomsync.errors import Stopped
from zoomsync.media.ffmpeg import Tools, find_tools
from zoomsync.media.stitch import Stitched, stitch

RED, GREEN, BLUE, BLACK = "red", "lime", "blue", "black"
COLOURS = {RED: (255, 0, 0), GREEN: (0, 255, 0), BLUE: (0, 0, 255), BLACK: (0, 0, 0)}
RED_440, GREEN_880 = [(RED, 440)] * 2, [(GREEN, 880)] * 2


class MachineClock:
    """A `model.Clock` on the machine's time, that another thread can stop."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def stop(self) -> None:
        self._stopped.set()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        self._stopped.wait(seconds)
        self.check()

    def check(self) -> None:
        if self._stopped.is_set():
            raise Stopped(15)


class Studio:
    """Makes segments, and looks at and listens to videos."""

    def __init__(self, tools: Tools, folder: Path) -> None:
        self.tools = tools
        self._folder = folder

    def ffmpeg(self, *argv: str) -> bytes:
        command = [str(self.tools.ffmpeg), "-nostdin", "-v", "error", "-y", *argv]
        return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout

    def segment(
        self,
        name: str,
        *,
        colour: str = RED,
        tone: int = 440,
        size: str = "160x96",
        fps: int = 20,
        seconds: float = 2.0,
        video: str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 20",
        audio: str = "-c:a aac -ar 32000 -ac 1",
        maps: str = "-map 0:v -map 1:a",
        more: str = "-movflags +faststart",
    ) -> Path:
        """One file; `maps` chooses the tracks and their order."""
        path = self._folder / name
        picture = ["-f", "lavfi", "-i", f"color=c={colour}:s={size}:r={fps}:d={seconds}"]
        sound = ["-f", "lavfi", "-i", f"sine=f={tone}:r=48000:d={seconds}"]
        codecs = [*(video.split() if "0:v" in maps else ()), *(audio.split() if "1:a" in maps else ())]
        self.ffmpeg(*picture, *sound, *maps.split(), *codecs, *more.split(), str(path))
        return path

    def colour(self, path: Path, at: float) -> str:
        """The colour shown at a time, by its nearest name."""
        grab = ["-ss", f"{at}", "-i", f"file:{path}", "-frames:v", "1", "-vf", "crop=64:64,scale=1:1"]
        pixel = self.ffmpeg(*grab, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
        return min(COLOURS, key=lambda name: sum(abs(a - b) for a, b in zip(COLOURS[name], pixel, strict=True)))

    def tone(self, path: Path, at: float) -> int:
        """The pitch heard for half a second from a time on, to 20 Hz; 0 is silence."""
        take = ["-ss", f"{at}", "-t", "0.5", "-i", f"file:{path}", "-map", "0:a", "-ac", "1", "-ar", "8000"]
        raw = self.ffmpeg(*take, "-f", "s16le", "-")
        heard: tuple[int, ...] = struct.unpack(f"<{len(raw) // 2}h", raw)
        assert len(heard) > 3500, f"only {len(heard)} of 4000 samples"
        if max(map(abs, heard)) < 100:
            return 0
        rises = sum(one < 0 <= two for one, two in pairwise(heard))
        return round(rises / (len(heard) / 8000) / 20) * 20

    def look(self, path: Path) -> Any:
        """All that ffprobe shows."""
        command = [str(self.tools.ffprobe), "-v", "error", "-show_format", "-show_streams", "-show_chapters"]
        ran = subprocess.run([*command, "-of", "json", f"file:{path}"], check=True, capture_output=True, timeout=30)
        return json.loads(ran.stdout)

    def seen_and_heard(self, path: Path) -> list[tuple[str, int]]:
        """Colour and pitch in both halves of four seconds, close to the join and away from it."""
        colours = [self.colour(path, at) for at in (0.2, 1.9, 2.1, 3.8)]
        return list(zip(colours, [self.tone(path, at) for at in (0.2, 1.4, 2.1, 3.4)], strict=True))


class Stitcher:
    """Stitches into a folder of the test's own."""

    def __init__(self, tools: Tools, folder: Path) -> None:
        self.tools = tools
        self.folder = folder
        self.target = folder / "video.mp4"
        self.clock = MachineClock()

    def __call__(self, *inputs: Path, chapters: Sequence[str] = (), reencode: bool = True, **changed: Any) -> Stitched:
        wanted: dict[str, Any] = {
            "title": "Weekly",
            "created": datetime(2026, 3, 1, 10, 30, tzinfo=UTC),
            "clock": self.clock,
            "seconds_limit": 60,
            **changed,
        }
        return stitch(self.tools, inputs, self.target, chapters=chapters, reencode=reencode, **wanted)

    def left_behind(self) -> list[str]:
        return [path.name for path in self.folder.iterdir()]


@pytest.fixture(scope="session")
def tools() -> Tools:
    return find_tools(path=os.environ.get("PATH", ""), environ=os.environ)


@pytest.fixture(scope="session")
def studio(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tools, tmp_path_factory.mktemp("segments"))


@pytest.fixture(scope="session")
def red(studio: Studio) -> Path:
    """Two seconds of red and 440 Hz: the first segment of most tests."""
    return studio.segment("red.mp4")


@pytest.fixture(scope="session")
def green(studio: Studio) -> Path:
    """Two seconds of green and 880 Hz, made just like `red`."""
    return studio.segment("green.mp4", colour=GREEN, tone=880)


@pytest.fixture
def clock() -> MachineClock:
    return MachineClock()


@pytest.fixture
def join(tools: Tools, tmp_path: Path) -> Stitcher:
    return Stitcher(tools, tmp_path)


def processes_with(marker: Path) -> list[int]:
    """The processes that have a word with this path on their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.fsencode(marker) in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether it comes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
