"""Whether segments can be joined by copying: pure.

ffmpeg joins whatever it is given and says nothing: segments that differ in any of these come out wrong.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from zoomsync.media.probe import Media, Stream

COMPARED = (
    "codec",
    "profile",
    "width",
    "height",
    "pix_fmt",
    "sample_rate",
    "channels",
    "time_base",
    "extradata",
)


def differences(medias: Sequence[Media]) -> tuple[str, ...]:
    """In what the segments differ from the first one, each `segment 2: video width 320 instead of 160`."""
    return tuple(
        f"segment {number}: {fact}"
        for number, media in enumerate(medias[1:], start=2)
        for fact in _facts(medias[0], media)
    )


def without_time_base(media: Media) -> Media:
    """The same, so that segments can be compared in all but their time bases, which a remux can change."""
    return replace(media, streams=tuple(replace(one, time_base="") for one in media.streams))


def _facts(first: Media, other: Media) -> Iterator[str]:
    kinds, others = [one.kind for one in first.streams], [one.kind for one in other.streams]
    if kinds != others:
        yield f"tracks {', '.join(others)} instead of {', '.join(kinds)}"
        return
    for wanted, found in zip(first.streams, other.streams, strict=True):
        if wanted.kind != "data":
            yield from _stream_facts(wanted, found)


def _stream_facts(wanted: Stream, found: Stream) -> Iterator[str]:
    for name in COMPARED:
        one, two = getattr(wanted, name), getattr(found, name)
        if one != two:
            detail = "" if name == "extradata" else f" {two or 'none'} instead of {one or 'none'}"
            yield f"{found.kind} {name.replace('_', ' ')}{detail or ' differs'}"
