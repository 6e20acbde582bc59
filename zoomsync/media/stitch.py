"""Making one video of the segments of a view."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import prod
from pathlib import Path

from zoomsync.errors import DownloadFailed, Unjoinable, Unstitchable
from zoomsync.files import STAGING
from zoomsync.media import mp4
from zoomsync.media.concat import COMPARED, Labels, differences, join_by_copying, kept_tracks, made_even
from zoomsync.media.ffmpeg import MOST_PIXELS, Tools, shown_output
from zoomsync.media.probe import ProbeResult, Stream
from zoomsync.media.transcode import encoded_tracks, join_by_encoding
from zoomsync.media.verify import Expected, prove
from zoomsync.media.workspace import Workspace, workspace_beside
from zoomsync.model import Clock

log = logging.getLogger(__name__)


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
    place = workspace_beside(target, tools=tools, clock=clock, seconds=seconds_limit)
    with STAGING.explained(target), place as workspace:
        segments = [_segment(workspace, number, path) for number, path in enumerate(inputs, start=1)]
        has_video = any(segment.first("video") for segment in segments)
        labels = Labels(title=title, created=created, chapters=tuple(chapters), has_video=has_video)
        copied = _copy(workspace, segments, labels)
        if isinstance(copied, str) and not reencode:
            raise Unjoinable(f"the segments cannot be joined by copying: {copied}", hint="set `reencode: true`")
        if isinstance(copied, str):
            segments = [workspace.probe(segment.path) for segment in segments]  # no index has the rates of frames
            expected, kept = join_by_encoding(workspace, segments, labels), encoded_tracks(segments)
            prove(workspace, segments, expected)
        else:
            expected, kept = copied, kept_tracks(segments)
        _log_left_out(target, segments, kept)
        workspace.result.replace(target)
    return Stitched(path=target, durations=expected.durations, reencoded=isinstance(copied, str))


def _segment(workspace: Workspace, number: int, path: Path) -> ProbeResult:
    """A segment that is whole; else `Unstitchable`, naming it."""
    try:
        mp4.check(path, path.stat().st_size)
        found = workspace.count(path)
    except (DownloadFailed, Unstitchable, FileNotFoundError) as cause:
        fact = str(cause).removeprefix(f"{shown_output(path.name)}: ")
        raise Unstitchable(f"segment {number}: {shown_output(fact)}") from cause
    for video in found.of_kind("video"):
        if max(video.width * video.height, prod(video.shown_size)) > MOST_PIXELS:
            raise Unstitchable(f"segment {number}: frames of {video.width} × {video.height}, and 8K is the most")
    return found


def _copy(workspace: Workspace, segments: Sequence[ProbeResult], labels: Labels) -> Expected | str:
    """Join by copying and prove it; or say why that is not possible.

    Segments of which only the time bases or the places of tracks differ are remuxed first.
    """
    facts = differences(segments, [name for name in COMPARED if name != "time_base"])
    try:
        if not facts:
            segments = made_even(workspace, segments)
            facts = differences(segments)
        if facts:
            return _few(facts)
        expected = join_by_copying(workspace, segments, labels)
        prove(workspace, segments, expected)
    except Unstitchable as cause:
        workspace.result.unlink(missing_ok=True)
        return str(cause)
    return expected


def _log_left_out(target: Path, segments: Sequence[ProbeResult], kept: Sequence[Sequence[Stream]]) -> None:
    """Say which tracks of the segments the video does not have."""
    facts = [
        f"segment {number}: {one.kind} {one.codec or one.codec_tag}"
        for number, (segment, tracks) in enumerate(zip(segments, kept, strict=True), start=1)
        for one in segment.streams
        if one not in tracks
    ]
    if facts:
        log.warning("%s: tracks left out, not all segments have the like: %s", shown_output(target.name), _few(facts))


def _few(facts: Sequence[str]) -> str:
    """The first of them."""
    return "; ".join(facts[:3]) + (f" and {len(facts) - 3} more" if len(facts) > 3 else "")
