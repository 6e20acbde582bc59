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
FLASH_AT = 0.4
ON_ITS_SIDE, UPSIDE_DOWN, MIRRORED = (0, 1, -1, 0), (-1, 0, 0, -1), (-1, 0, 0, 1)
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

    def flash(
        self,
        name: str,
        *,
        seconds: float = 1.0,
        sound: float | None = None,
        fps: int = 25,
        rate: int = 48000,
        size: str = "64x48",
    ) -> Path:
        """A dark and silent segment with a flash and a beep at `FLASH_AT`; `sound`: how long its audio is."""
        path = self._folder / name
        lit, heard = f"between(t,{FLASH_AT - 0.001},{FLASH_AT + 0.119})", f"between(t\\,{FLASH_AT}\\,{FLASH_AT + 0.12})"
        picture = ["-f", "lavfi", "-i", f"color=black:s={size}:r={fps}:d={seconds}"]
        tone = ["-f", "lavfi", "-i", f"aevalsrc=0.8*sin(2*PI*1000*t)*{heard}:s={rate}:d={sound or seconds}"]
        codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
        self.ffmpeg(*picture, *tone, "-vf", f"drawbox=c=white:t=fill:enable='{lit}'", *codecs, str(path))
        return path

    def turned(self, source: Path, name: str, matrix: tuple[int, int, int, int]) -> Path:
        """The segment with another display matrix: ISO/IEC 14496-12, 8.3.2, in the header of its first track."""
        content = bytearray(source.read_bytes())
        begin = content.index(b"tkhd") + 44
        a, b, c, d = (one * 65536 for one in matrix)
        content[begin : begin + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
        path = source.with_name(name)
        path.write_bytes(content)
        return path

    def flashes(self, path: Path) -> list[float]:
        """The seconds at which flashes begin, by the time of decoded frames."""
        look = ["-map", "0:v:0", "-vf", "scale=1:1:flags=area,format=gray,fps=200"]
        return _begins(self.ffmpeg("-i", f"file:{path}", *look, "-f", "rawvideo", "-"), 200, 128)

    def beeps(self, path: Path, *, back_to_back: bool) -> list[float]:
        """The seconds at which beeps begin: by the time of decoded sound, or by counting its samples."""
        sync = "" if back_to_back else ":async=1:min_hard_comp=0.002:first_pts=0"
        listen = ["-map", "0:a:0", "-af", f"aresample=8000{sync}", "-ac", "1", "-f", "s16le", "-"]
        raw = self.ffmpeg("-i", f"file:{path}", *listen)
        return _begins([abs(one) for one in struct.unpack(f"<{len(raw) // 2}h", raw)], 8000, 8000)

    def colour(self, path: Path, at: float) -> str:
        """The colour shown at a time, by its nearest name."""
        grab = ["-ss", f"{at}", "-i", f"file:{path}", "-frames:v", "1", "-vf", "crop=64:64,scale=1:1"]
        pixel = self.ffmpeg(*grab, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
        return min(COLOURS, key=lambda name: sum(abs(a - b) for a, b in zip(COLOURS[name], pixel, strict=True)))

    def tone(self, path: Path, at: float) -> int:
        """The pitch heard for half a second from a time on, to 20 Hz; 0 is silence."""
        take = ["-i", f"file:{path}", "-ss", f"{at}", "-t", "0.5", "-map", "0:a:0", "-ac", "1", "-ar", "8000"]
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

    def packets(self, path: Path) -> list[tuple[int, int, float]]:
        """Of each packet of the first video: where it lies in the file, its size, and its second."""
        wanted = ["-select_streams", "v:0", "-show_entries", "packet=pos,size,pts_time", "-of", "json"]
        command = [str(self.tools.ffprobe), "-v", "error", *wanted, f"file:{path}"]
        ran = subprocess.run(command, check=True, capture_output=True, timeout=30)
        found = json.loads(ran.stdout)["packets"]
        return [(int(one["pos"]), int(one["size"]), float(one["pts_time"])) for one in found]

    def seen_and_heard(self, path: Path) -> list[tuple[str, int]]:
        """Colour and pitch in both halves of four seconds, close to the join and away from it."""
        colours = [self.colour(path, at) for at in (0.2, 1.9, 2.1, 3.8)]
        return list(zip(colours, [self.tone(path, at) for at in (0.2, 1.4, 2.1, 3.4)], strict=True))


def _begins(levels: Sequence[int], rate: int, threshold: int) -> list[float]:
    """The seconds at which levels exceed a threshold after a twentieth of a second below it."""
    loud = [place for place, level in enumerate(levels) if level > threshold]
    return [two / rate for one, two in pairwise([-rate, *loud]) if two - one > rate / 20]


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


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The command line of each process that is started from now on."""
    found: list[list[str]] = []

    def noted(argv: list[str], *, start: Any = subprocess.Popen, **options: Any) -> "subprocess.Popen[bytes]":
        found.append([str(word) for word in argv])
        return start(argv, **options)  # type: ignore[no-any-return]

    monkeypatch.setattr("zoomsync.media.ffmpeg.subprocess.Popen", noted)
    return found


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
