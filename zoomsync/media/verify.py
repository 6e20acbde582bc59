"""Whether a stitched video really contains its segments: the exit code of ffmpeg does not say so."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from zoomsync.errors import Unstitchable
from zoomsync.media.ffmpeg import shown_output
from zoomsync.media.probe import ONLY_FILES, ProbeResult
from zoomsync.media.workspace import Workspace

SECONDS_A_JOIN = 0.2
AROUND = 2.0
"""Seconds decoded on either side of a join, and at the end."""


def prove(workspace: Workspace, segments: Sequence[ProbeResult], *, is_copy: bool) -> None:
    """Return when `workspace.result` has the length of all segments, every packet of them (of a copy), and decodes at
    each join and at its end as well as the segments do there; else raise `Unstitchable`, which says what is wrong.
    """
    result = workspace.count(workspace.result)
    facts = [*_lengths(result, segments), *(_packets(result, segments) if is_copy else ())]
    if facts:
        raise Unstitchable(f"the stitched video is wrong: {'; '.join(facts)}")
    joins = accumulate(segment.duration for segment in segments)
    heard = {join: _complaints(workspace, workspace.result, join - AROUND, 2 * AROUND) for join in joins}
    if not any(heard.values()):
        return
    # What a segment complains of by itself, being damaged or entered between two keyframes, is not the join's fault.
    excused: set[str] = set()
    for segment in segments:
        excused |= _complaints(workspace, segment.path, 0.0, AROUND)
        excused |= _complaints(workspace, segment.path, segment.duration - AROUND, AROUND)
    for join, lines in heard.items():
        if left := lines - excused:
            fact = shown_output("; ".join(sorted(left)))
            raise Unstitchable(f"the stitched video does not decode at {join:.1f} s: {fact}")


def _complaints(workspace: Workspace, path: Path, start: float, seconds: float) -> set[str]:
    """What ffmpeg says when it decodes a stretch, without the numbers, which depend on the place."""
    source = ["-ss", f"{max(0.0, start):.3f}", *ONLY_FILES, "-f", "mov", "-i", f"file:{path}"]
    decode = ["-t", f"{seconds:.3f}", "-map", "0:v?", "-map", "0:a?", "-f", "null", "-"]
    ran = workspace.ffmpeg([*source, *decode], level="error")
    lines = {re.sub(r"\d+", "#", line) for line in ran.complaints}
    return lines | ({f"exit code {ran.code}"} if ran.code else set())


def _lengths(result: ProbeResult, segments: Sequence[ProbeResult]) -> Iterator[str]:
    last = segments[-1]
    before = sum(segment.duration for segment in segments[:-1])
    lengths = [("all", result.duration, before + last.duration)]
    for kind in ("video", "audio"):
        track, end = result.first(kind), last.first(kind)
        if track is None and any(segment.first(kind) for segment in segments):
            yield f"no {kind}"
        elif track and track.duration is not None:
            own = end.duration if end and end.duration is not None else last.duration
            lengths.append((kind, track.duration, before + own))
    for what, found, wanted in lengths:
        if abs(found - wanted) > SECONDS_A_JOIN * (len(segments) - 1):
            yield f"{what} {found:.2f} s instead of {wanted:.2f} s"


def _packets(result: ProbeResult, segments: Sequence[ProbeResult]) -> Iterator[str]:
    """Of video and audio; of subtitles the format itself wants empty ones in between."""
    for kind in ("video", "audio"):
        counts = [sum(one.packets or 0 for one in file.streams if one.kind == kind) for file in (result, *segments)]
        found, wanted = counts[0], sum(counts[1:])
        if found != wanted:
            yield f"{kind} {found} packets instead of {wanted}"
