"""Where a video is made: a folder beside it, the tools, and the time that is left."""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from zoomsync.errors import Unstitchable
from zoomsync.media.ffmpeg import ToolRun, Tools, run
from zoomsync.media.probe import ProbeResult, first_packet, probe
from zoomsync.model import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What every step of a stitch needs."""

    tools: Tools
    clock: Clock
    folder: Path
    """For temporary files; it is removed at the end."""
    result: Path
    """Where the stitched video is made before it takes its place."""
    deadline: float
    """On the monotonic clock."""

    def ffmpeg(self, args: Sequence[str], *, level: str = "warning") -> ToolRun:
        """Run ffmpeg within the time left."""
        argv = [str(self.tools.ffmpeg), "-nostdin", "-hide_banner", "-v", level, *args]
        return run(self.tools, argv, clock=self.clock, seconds=self.deadline - self.clock.monotonic())

    def make(self, args: Sequence[str]) -> None:
        """Run ffmpeg, which must succeed without a word of damage, else raise `Unstitchable`."""
        if failure := self.ffmpeg(args).failure:
            raise Unstitchable(f"ffmpeg failed: {failure}")

    def count(self, path: Path) -> ProbeResult:
        """Probe a file from end to end."""
        return probe(self.tools, path, self.clock, count=True, seconds=self.deadline - self.clock.monotonic())

    def first_packet(self, path: Path, index: int) -> float | None:
        """Where the first packet of a track belongs, in seconds."""
        return first_packet(self.tools, path, index, self.clock, seconds=self.deadline - self.clock.monotonic())


@contextmanager
def workspace_beside(target: Path, *, tools: Tools, clock: Clock, seconds: float) -> Iterator[Workspace]:
    """A workspace in a folder beside `target`; what a killed pass left there is removed first."""
    name = hashlib.sha256(target.name.encode(errors="surrogateescape")).hexdigest()[:16]
    folder = target.with_name(f".stitch-{name}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    deadline = clock.monotonic() + seconds
    try:
        yield Workspace(tools=tools, clock=clock, folder=folder, result=folder / "result", deadline=deadline)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
