"""Making one video of the segments of a view."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from zoomsync.errors import DownloadFailed, Unjoinable, Unstitchable
from zoomsync.files import STAGING, sync
from zoomsync.media import mp4
from zoomsync.media.concat import COMPARED, Labels, differences, join_by_copying, with_one_time_base
from zoomsync.media.ffmpeg import Tools, shown_output
from zoomsync.media.probe import ProbeResult
from zoomsync.media.transcode import join_by_encoding
from zoomsync.media.verify import prove
from zoomsync.media.workspace import Workspace, workspace_beside
from zoomsync.model import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Stitched:
    """A proven video."""

    path: Path
    durations: tuple[float, ...]
    """Seconds of each segment as it is in the video: by their sums captions, chat and chapters are shifted."""
    reencoded: bool


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
    """Join the segments `inputs` of one view, in order, into `target`: MP4 with video, M4A if no segment has any.

    Copies if the segments agree, else encodes them; the result is proven before it appears under its name.
    `chapters` has a title for each segment, or is empty. The temporary files lie beside `target` and are always
    removed. Raises `Unstitchable` for what is wrong with a segment or the result, its leaf `Unjoinable` when copying
    will not do and `reencode` is false, `DiskFull`, `Unfit`, and `Stopped`.
    """
    labels = Labels(title=title, created=created, chapters=tuple(chapters))
    place = workspace_beside(target, tools=tools, clock=clock, seconds=seconds_limit)
    with STAGING.explained(target), place as workspace:
        segments = [_segment(workspace, number, path) for number, path in enumerate(inputs, start=1)]
        why = _copy(workspace, segments, labels)
        if why and not reencode:
            raise Unjoinable(f"the segments cannot be joined by copying: {why}", hint="set `reencode: true`")
        if why:
            join_by_encoding(workspace, segments, labels)
            prove(workspace, segments, is_copy=False)
        sync(workspace.result)
        workspace.result.replace(target)
        sync(target.parent)
    return Stitched(path=target, durations=tuple(segment.duration for segment in segments), reencoded=bool(why))


def _segment(workspace: Workspace, number: int, path: Path) -> ProbeResult:
    """A segment that is whole; else `Unstitchable`, naming it."""
    try:
        mp4.check(path, path.stat().st_size)
        return workspace.count(path)
    except (DownloadFailed, Unstitchable, FileNotFoundError) as cause:
        raise Unstitchable(f"segment {number}: {shown_output(str(cause))}", hint=mp4.HINT) from cause


def _copy(workspace: Workspace, segments: Sequence[ProbeResult], labels: Labels) -> str:
    """Join by copying and prove it; returns why that was not possible, or nothing.

    Segments of which only the time bases differ are remuxed to one first.
    """
    facts = differences(segments, [name for name in COMPARED if name != "time_base"])
    try:
        if not facts and differences(segments):
            segments = with_one_time_base(workspace, segments)
            facts = differences(segments)
        if facts:
            return "; ".join(facts[:3]) + (f" and {len(facts) - 3} more" if len(facts) > 3 else "")
        join_by_copying(workspace, segments, labels)
        prove(workspace, segments, is_copy=True)
    except Unstitchable as cause:
        workspace.result.unlink(missing_ok=True)
        return str(cause)
    return ""
