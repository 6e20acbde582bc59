"""Where a video is made: a folder beside it, the tools, and the time that is left."""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from zoomsync.errors import Unstitchable
from zoomsync.media.ffmpeg import ToolRun, Tools, run
from zoomsync.media.index import read_index
from zoomsync.media.probe import ProbeResult, Stream, first_packet, probe
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
        return run(self.tools, argv, clock=self.clock, seconds=self.left)

    def make(self, args: Sequence[str]) -> None:
        """Run ffmpeg, which must succeed without a word of damage, else raise `Unstitchable`."""
        expect_success(self.ffmpeg(args))

    def probe(self, path: Path) -> ProbeResult:
        """What is in a file, as ffprobe says."""
        return probe(self.tools, path, self.clock, seconds=self.left)

    def count(self, path: Path) -> ProbeResult:
        """What is in a file, with its packets: as its index says, else as ffprobe counts from end to end."""
        index = read_index(path)
        if index is not None and index.contents is not None:
            return index.contents
        return probe(self.tools, path, self.clock, count=True, seconds=self.left)

    def first_packet(self, path: Path, track: Stream) -> float | None:
        """Where the first packet of a track belongs, in seconds."""
        if track.first is not None:
            return track.first
        return first_packet(self.tools, path, track.index, self.clock, seconds=self.left)

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - self.clock.monotonic()


def expect_success(ran: ToolRun) -> None:
    """Raise `Unstitchable` if ffmpeg failed, or says that something is damaged."""
    if ran.failure:
        raise Unstitchable(f"ffmpeg failed: {ran.failure}")


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
