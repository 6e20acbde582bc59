"""Whether a stitched video really holds its segments: ffmpeg's exit code does not tell."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from zoomsync.errors import Unstitchable
from zoomsync.media.ffmpeg import shown_output
from zoomsync.media.probe import ONLY_FILES, Media
from zoomsync.media.workspace import CutAway, Workspace

SECONDS_A_JOIN = 0.2
AROUND = 2.0
"""Seconds decoded on either side of a join, and at the end."""


def prove(bench: Workspace, cuts: Sequence[CutAway], *, is_copy: bool) -> None:
    """Return when `bench.result` has the length of all cuts, every packet of them (of a copy), and decodes at each
    join and at its end as well as the cuts do there; else raise `Unstitchable`, which says what is wrong.
    """
    result = bench.count(bench.result)
    facts = [*_lengths(result, cuts), *(_packets(result, cuts) if is_copy else ())]
    if facts:
        raise Unstitchable(f"the stitched video is wrong: {'; '.join(facts)}")
    _prove_decoding(bench, cuts)


def _prove_decoding(bench: Workspace, cuts: Sequence[CutAway]) -> None:
    """What a cut complains of by itself, being damaged or entered between two keyframes, is not the join's fault."""
    places = list(accumulate(cut.media.duration for cut in cuts))
    heard = {place: _complaints(bench, bench.result, place - AROUND, 2 * AROUND) for place in places}
    if not any(heard.values()):
        return
    excused = {line for cut in cuts for line in _own_complaints(bench, cut)}
    for place, lines in heard.items():
        if left := lines - excused:
            fact = shown_output("; ".join(sorted(left)))
            raise Unstitchable(f"the stitched video does not decode at {place:.1f} s: {fact}")


def _own_complaints(bench: Workspace, cut: CutAway) -> set[str]:
    end = cut.media.duration - AROUND
    return _complaints(bench, cut.path, 0.0, AROUND) | _complaints(bench, cut.path, end, AROUND)


def _complaints(bench: Workspace, path: Path, start: float, seconds: float) -> set[str]:
    """What ffmpeg says when it decodes a stretch, without the numbers, which depend on the place."""
    source = ["-ss", f"{max(0.0, start):.3f}", *ONLY_FILES, "-f", "mov", "-i", f"file:{path}"]
    argv = [str(bench.tools.ffmpeg), "-nostdin", "-hide_banner", "-v", "error", *source]
    ran = bench.run([*argv, "-t", f"{seconds:.3f}", "-map", "0:v?", "-map", "0:a?", "-f", "null", "-"])
    lines = {re.sub(r"\d+", "#", line) for line in ran.complaints}
    return lines | ({f"exit code {ran.code}"} if ran.code else set())


def _lengths(result: Media, cuts: Sequence[CutAway]) -> Iterator[str]:
    slack = SECONDS_A_JOIN * (len(cuts) - 1)
    before, last = sum(cut.media.duration for cut in cuts[:-1]), cuts[-1].media
    yield from _length("all", result.duration, before + last.duration, slack)
    for kind in ("video", "audio"):
        had, track = any(cut.media.first(kind) for cut in cuts), result.first(kind)
        if had and track is None:
            yield f"no {kind}"
        elif track and track.duration is not None:
            end = last.first(kind)
            own = end.duration if end and end.duration is not None else last.duration
            yield from _length(kind, track.duration, before + own, slack)


def _length(what: str, found: float, wanted: float, slack: float) -> Iterator[str]:
    if abs(found - wanted) > slack:
        yield f"{what} {found:.2f} s instead of {wanted:.2f} s"


def _packets(result: Media, cuts: Sequence[CutAway]) -> Iterator[str]:
    """Of video and audio; of subtitles the format itself wants empty ones in between."""
    for kind in ("video", "audio"):
        found, wanted = _count(result, kind), sum(_count(cut.media, kind) for cut in cuts)
        if found != wanted:
            yield f"{kind} {found} packets instead of {wanted}"


def _count(media: Media, kind: str) -> int:
    return sum(one.packets or 0 for one in media.streams if one.kind == kind)
