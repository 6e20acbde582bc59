"""Where a video is made: a folder beside it, the tools, and the time that is left."""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from zoomsync.errors import Unstitchable
from zoomsync.media.ffmpeg import Ran, Tools, run
from zoomsync.media.probe import Media, probe
from zoomsync.model import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What every step of a stitch needs."""

    tools: Tools
    clock: Clock
    folder: Path
    """For temporary files; it is removed at the end."""
    deadline: float
    """On the monotonic clock."""

    @property
    def command(self) -> list[str]:
        """How every ffmpeg command begins."""
        return [str(self.tools.ffmpeg), "-nostdin", "-hide_banner", "-v", "warning"]

    @property
    def result(self) -> Path:
        """Where the stitched video is made before it takes its place."""
        return self.folder / "result"

    def run(self, argv: Sequence[str]) -> Ran:
        """As `tools.run`, within the time left."""
        return run(self.tools, argv, clock=self.clock, seconds=self._seconds_left)

    def make(self, argv: Sequence[str]) -> None:
        """Run what must succeed without a word of damage, else raise `Unstitchable`."""
        ran = self.run(argv)
        if ran.code or ran.damage:
            raise Unstitchable(f"ffmpeg failed: {ran.said}")

    def count(self, path: Path) -> Media:
        """Probe a file from end to end."""
        return probe(self.tools, path, self.clock, count=True, seconds=self._seconds_left)

    @property
    def _seconds_left(self) -> float:
        return max(0.0, self.deadline - self.clock.monotonic())


@dataclass(frozen=True, slots=True, kw_only=True)
class CutAway:
    """A segment's file with what is in it."""

    path: Path
    media: Media


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What players show."""

    title: str
    created: datetime
    chapters: tuple[str, ...]
    """One a segment, or none."""

    @property
    def metadata(self) -> list[str]:
        """As values of ffmpeg's `-metadata`."""
        created = self.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return [f"title={plain(self.title)}", f"creation_time={created}"]

    def ffmetadata(self, durations: Sequence[float]) -> str:
        """The chapters, one over each duration, in ffmpeg's metadata format."""
        lines, start = [";FFMETADATA1"], 0.0
        for title, duration in zip(self.chapters, durations, strict=bool(self.chapters)):
            times = f"START={start * 1000:.0f}\nEND={(start + duration) * 1000:.0f}"
            lines.append(f"[CHAPTER]\nTIMEBASE=1/1000\n{times}\ntitle={_escaped(plain(title))}")
            start += duration
        return "\n".join([*lines, ""])


@contextmanager
def bench_beside(target: Path, *, tools: Tools, clock: Clock, seconds: float) -> Iterator[Workspace]:
    """A bench in a folder beside `target`; what a killed pass left there is cleared away first."""
    name = hashlib.sha256(target.name.encode(errors="surrogateescape")).hexdigest()[:16]
    folder = target.with_name(f".stitch-{name}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield Workspace(tools=tools, clock=clock, folder=folder, deadline=clock.monotonic() + seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def plain(text: str) -> str:
    """`text` as an argument of a process can hold it: no NUL, no half of a character."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _escaped(text: str) -> str:
    """For a value in ffmpeg's metadata format, which takes a line break even after an escaped backslash as escaped."""
    ended = f"{text} " if text.endswith("\\") else text
    return "".join(f"\\{one}" if one in "=;#\\\n" else one for one in ended)
