"""Whether a stitched video really contains its segments: the exit code of ffmpeg does not say so."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from zoomsync.errors import DownloadFailed, Unstitchable
from zoomsync.formatting import plural
from zoomsync.media import mp4
from zoomsync.media.ffmpeg import DECODING, shown_output
from zoomsync.media.probe import ONLY_FILES, ProbeResult, decodes
from zoomsync.media.workspace import Workspace

SECONDS_OFF = 0.1
"""By how much a track may end early or late, however many joins there are: a frame of picture or sound, and 50 ms."""
AROUND = 1.0
"""Seconds decoded on either side of a join, and at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What one track of the result must be."""

    kind: str
    end: float
    """Seconds."""
    packets: int | None = None
    """None if nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the result must be."""

    durations: tuple[float, ...]
    """Seconds of each segment in it."""
    tracks: tuple[Track, ...]
    """Of picture and sound, those of a kind in order. Of subtitles the format itself wants empty packets in between."""
    display_matrix: str = ""
    """How the picture is turned."""


def of_copy(segments: Sequence[ProbeResult], sounds: Mapping[int, int]) -> Expected:
    """What a copy of these segments must be; `sounds`: the packets of audio tracks that were laid anew, by number."""
    *others, last = segments
    before = sum(segment.duration for segment in others)
    tracks = []
    for kind in ("video", "audio"):
        for number in range(max(len(segment.of_kind(kind)) for segment in segments)):
            same = [found[number] for segment in segments if len(found := segment.of_kind(kind)) > number]
            is_last = len(last.of_kind(kind)) > number and same[-1].end is not None
            end = (same[-1].end or 0.0) - last.start if is_last else last.duration
            packets = sum(one.packets or 0 for one in same)
            laid = sounds.get(number) if kind == "audio" else None
            tracks.append(Track(kind=kind, end=before + end, packets=laid or packets))
    video = segments[0].first("video")
    durations = tuple(segment.duration for segment in segments)
    return Expected(
        durations=durations, tracks=tuple(tracks), display_matrix=video.display_matrix if video is not None else ""
    )


def prove(workspace: Workspace, segments: Sequence[ProbeResult], expected: Expected) -> None:
    """Return when `workspace.result` is whole, ends where it must, has every packet, and decodes at each join and at
    its end as well as the segments do there; else raise `Unstitchable`, which says what is wrong.
    """
    try:
        mp4.check(workspace.result, workspace.result.stat().st_size)
    except DownloadFailed as cut:
        raise Unstitchable(f"the stitched video is wrong: {cut}") from cut
    result = workspace.count(workspace.result)
    if facts := list(_facts(result, expected)):
        raise Unstitchable(f"the stitched video is wrong: {'; '.join(facts)}")
    joins = list(accumulate(expected.durations))
    if decodes(workspace.tools, workspace.result, _around(joins), workspace.clock, seconds=workspace.left):
        return
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


def _around(joins: Sequence[float]) -> list[tuple[float, float]]:
    """The stretches around the joins, those that touch as one."""
    found: list[tuple[float, float]] = []
    for join in joins:
        begin, end = max(0.0, join - AROUND), join + AROUND
        if found and begin <= found[-1][1]:
            begin, _ = found.pop()
        found.append((begin, end))
    return found


def _complaints(workspace: Workspace, path: Path, start: float, seconds: float) -> set[str]:
    """What ffmpeg says when it decodes a stretch, without the numbers, which depend on the place."""
    source = [*DECODING, "-ss", f"{max(0.0, start):.3f}", *ONLY_FILES, "-f", "mov", "-i", f"file:{path}"]
    decode = ["-t", f"{seconds:.3f}", "-map", "0:v?", "-map", "0:a?", "-f", "null", "-"]
    ran = workspace.ffmpeg([*source, *decode], level="error")
    lines = {re.sub(r"\d+", "#", line) for line in ran.complaints}
    return lines | ({f"exit code {ran.code}"} if ran.code else set())


def _facts(result: ProbeResult, expected: Expected) -> Iterator[str]:
    """What is wrong with the result. Tracks are compared by their ends: one may begin later than the others."""
    lengths = [("all", result.duration, sum(expected.durations))]
    counts = []
    for kind in dict.fromkeys(track.kind for track in expected.tracks):
        found, wanted = result.of_kind(kind), [track for track in expected.tracks if track.kind == kind]
        if len(found) < len(wanted):
            yield f"no {kind}" if not found else f"{plural(len(found), f'{kind} track')} instead of {len(wanted)}"
        for one, track in zip(found, wanted, strict=False):
            lengths.append((kind, track.end if one.end is None else one.end, track.end))
            counts.append((kind, one.packets, track.packets))
    for what, end, wanted_end in lengths:
        if abs(end - wanted_end) > SECONDS_OFF:
            yield f"{what} {end:.2f} s instead of {wanted_end:.2f} s"
    for what, packets, wanted_packets in counts:
        if wanted_packets is not None and packets != wanted_packets:
            yield f"{what} {packets or 0} packets instead of {wanted_packets}"
    if (video := result.first("video")) and video.display_matrix != expected.display_matrix:
        yield f"the picture is turned by {video.rotation} degrees"
