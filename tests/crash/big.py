"""Cloud files of any size that are real MP4 all the same."""

import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.sandbox.content import Content
from tests.sandbox.media import ffmpeg


@dataclass(frozen=True)
class Padded:
    """Another MP4 with a `free` atom behind it, so that the whole has `size` bytes: playable, and nothing in memory."""

    first: Content
    size: int

    @cached_property
    def _head(self) -> bytes:
        begin = self.first.read(0, self.first.size)
        return begin + b"\x00\x00\x00\x01free" + (self.size - len(begin)).to_bytes(8, "big")

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`."""
        stop = min(stop, self.size)
        head = self._head[start:stop]
        return head + bytes(max(0, stop - start - len(head)))


@dataclass(frozen=True)
class Stored:
    """Content that lies in a file."""

    path: Path

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.path.stat().st_size

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`."""
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(stop - start)


def long_video(path: Path, size: int) -> Path:
    """Write a video of about `size` bytes, noise and a tone, in a few seconds."""
    loop = path.with_name(f"{path.name}.loop.mp4")
    noise = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "320x180", "-r", "25", "-i", "/dev/urandom"]
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
    codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-g", "25", "-c:a", "aac"]
    _run([*noise, *tone, "-t", "4", *codecs, str(loop)])
    times = max(0, size // loop.stat().st_size - 1)
    _run(["-stream_loop", str(times), "-i", str(loop), "-c", "copy", "-f", "mp4", str(path)])
    loop.unlink()
    return path


def _run(arguments: list[str]) -> None:
    command = [ffmpeg(), "-nostdin", "-hide_banner", "-v", "error", "-y", *arguments]
    subprocess.run(command, check=True, timeout=120)
