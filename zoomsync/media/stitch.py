"""Making one video of the segments of a view."""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from zoomsync.errors import DiskFull, DownloadFailed, Unfit, Unjoinable, Unstitchable
from zoomsync.media import mp4
from zoomsync.media.concat import differences, join_by_copying, same_time_base, without_time_base
from zoomsync.media.ffmpeg import ROOM, Tools, shown_output
from zoomsync.media.transcode import join_by_encoding
from zoomsync.media.verify import prove
from zoomsync.media.workspace import CutAway, Labels, Workspace, bench_beside
from zoomsync.model import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Stitched:
    """A proven video."""

    path: Path
    durations: tuple[float, ...]
    """Seconds of each segment as it is in the video: by their sums captions, chat and chapters are shifted."""
    reencoded: bool
    why: str = ""
    """Why it could not be copied."""


def stitch(
    tools: Tools,
    inputs: Sequence[Path],
    target: Path,
    *,
    title: str,
    created: datetime,
    chapters: Sequence[str],
    reencode: bool,
    clock: Clock,
    seconds_limit: float,
) -> Stitched:
    """Join the segments `inputs` of one view, in order, into `target`: MP4 with video, M4A where no segment has any.

    Copies where the segments agree, else encodes anew; the result is proven before it appears under its name.
    `chapters` has a title for each segment, or is empty. The temporary files lie beside `target` and are always
    removed. Raises `Unstitchable` for what is wrong with a segment or the result, its leaf `Unjoinable` when copying
    will not do and `reencode` is false, `DiskFull`, `Unfit`, and `Stopped`.
    """
    labels = Labels(title=title, created=created, chapters=tuple(chapters))
    try:
        with bench_beside(target, tools=tools, clock=clock, seconds=seconds_limit) as bench:
            cuts = [_cut(bench, number, path) for number, path in enumerate(inputs, start=1)]
            why = _copied(bench, cuts, labels)
            if why and not reencode:
                raise Unjoinable(f"the segments cannot be joined by copying: {why}", hint="set `reencode: true`")
            if why:
                join_by_encoding(bench, cuts, labels)
                prove(bench, cuts, is_copy=False)
            _put(bench.result, target)
    except OSError as cause:
        raise _unfit(target, cause) from cause
    return Stitched(path=target, durations=tuple(cut.media.duration for cut in cuts), reencoded=bool(why), why=why)


def _cut(bench: Workspace, number: int, path: Path) -> CutAway:
    """A segment that is whole; else `Unstitchable`, naming it."""
    try:
        mp4.check(path, path.stat().st_size)
        return CutAway(path=path, media=bench.count(path))
    except (DownloadFailed, Unstitchable, FileNotFoundError) as cause:
        raise Unstitchable(f"segment {number}: {shown_output(str(cause))}", hint=mp4.HINT) from cause


def _copied(bench: Workspace, cuts: Sequence[CutAway], labels: Labels) -> str:
    """Join by copying and prove it; returns why that was not possible, or nothing."""
    if facts := differences([without_time_base(cut.media) for cut in cuts]):
        return _few(facts)
    try:
        even = cuts if not differences([cut.media for cut in cuts]) else same_time_base(bench, cuts)
        if facts := differences([cut.media for cut in even]):
            return _few(facts)
        join_by_copying(bench, even, labels)
        prove(bench, even, is_copy=True)
    except Unstitchable as cause:
        bench.result.unlink(missing_ok=True)
        return str(cause)
    return ""


def _few(facts: Sequence[str]) -> str:
    return "; ".join(facts[:3]) + (f" and {len(facts) - 3} more" if len(facts) > 3 else "")


def _put(result: Path, target: Path) -> None:
    """Durably on disk, then under its name."""
    _flush(result)
    result.replace(target)
    _flush(target.parent)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unfit(target: Path, cause: OSError) -> Unfit:
    where = f"{shown_output(target.name)}: {cause.strerror}"
    if cause.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(where, hint=ROOM)
    return Unfit(where, hint="check the folder of `staging` in the config")
