"""Whether a stitched video really holds its segments: ffmpeg's exit code does not tell."""

from collections.abc import Iterator, Sequence

from zoomsync.errors import Unstitchable
from zoomsync.media.bench import Bench, Cut
from zoomsync.media.probe import ONLY_FILES, Media, Stream

SECONDS_A_JOIN = 0.2
AROUND = 2.0
"""Seconds decoded on either side of a join, and at the end."""


def prove(bench: Bench, cuts: Sequence[Cut], *, is_copy: bool) -> None:
    """Return when `bench.result` has the length of all cuts, every packet of them (of a copy), and decodes at each
    join and at its end; else raise `Unstitchable`, which says what is wrong.
    """
    result = bench.count(bench.result)
    facts = [*_lengths(result, cuts), *(_packets(result, cuts) if is_copy else ())]
    if facts:
        raise Unstitchable(f"the stitched video is wrong: {'; '.join(facts)}")
    for start in _joins(cuts):
        _decode(bench, max(0.0, start - AROUND), 2 * AROUND)
    _decode(bench, max(0.0, result.duration - AROUND), 2 * AROUND)


def _joins(cuts: Sequence[Cut]) -> Iterator[float]:
    start = 0.0
    for cut in cuts[:-1]:
        start += cut.media.duration
        yield start


def _lengths(result: Media, cuts: Sequence[Cut]) -> Iterator[str]:
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


def _packets(result: Media, cuts: Sequence[Cut]) -> Iterator[str]:
    for place, track in enumerate(_kept(result)):
        wanted = sum(_kept(cut.media)[place].packets or 0 for cut in cuts)
        if track.packets != wanted:
            yield f"{track.kind} {track.packets} packets instead of {wanted}"


def _kept(media: Media) -> list[Stream]:
    return [one for one in media.streams if one.kind != "data"]


def _decode(bench: Bench, start: float, seconds: float) -> None:
    source = [*ONLY_FILES, "-f", "mov", "-i", f"file:{bench.result}"]
    argv = [
        str(bench.tools.ffmpeg),
        "-nostdin",
        "-hide_banner",
        "-v",
        "error",
        "-xerror",
        "-ss",
        f"{start:.3f}",
        *source,
    ]
    ran = bench.run([*argv, "-t", f"{seconds:.3f}", "-map", "0:v?", "-map", "0:a?", "-f", "null", "-"])
    if ran.code or ran.stderr.strip():
        raise Unstitchable(f"the stitched video does not decode at {start:.1f} s: {ran.said}")
