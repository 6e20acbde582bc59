"""Joining segments that agree, by copying: nothing is decoded, nothing is lost."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import ffmpeg

from zoomsync.media.probe import Media, Stream
from zoomsync.media.workspace import CutAway, Labels, Workspace

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


WHITELIST = "file,pipe"
KEEP_TIMES: dict[str, object] = {"copyts": None}
"""Else ffmpeg takes the lead-in of AAC, which begins below zero, for the beginning and moves all else by its length."""


def join_by_copying(bench: Workspace, cuts: Sequence[CutAway], labels: Labels) -> None:
    """Write the cuts one after another to `bench.result`; the caller proves it.

    Raises `Unstitchable` when ffmpeg fails.
    """
    parts = bench.folder / "parts"
    parts.write_bytes(b"".join(_line(bench, number, cut.path) for number, cut in enumerate(cuts)))
    source = ffmpeg.input(
        f"file:{parts}", f="concat", safe=0, protocol_whitelist=WHITELIST, format_whitelist="concat,mov"
    )
    tracks = [source[str(one.index)] for one in cuts[0].media.streams if one.kind != "data"]
    bench.make(finished(bench, tracks, cuts, labels, {"c": "copy", **KEEP_TIMES}))


def same_time_base(bench: Workspace, cuts: Sequence[CutAway]) -> list[CutAway]:
    """The cuts, those with another time base than the finest one remuxed to it."""
    finest = max(_ticks(cut) for cut in cuts)
    return [
        cut if _ticks(cut) == finest else _remuxed(bench, bench.folder / f"remuxed{number}", cut, finest)
        for number, cut in enumerate(cuts)
    ]


def finished(
    bench: Workspace, tracks: Sequence[object], cuts: Sequence[CutAway], labels: Labels, codecs: dict[str, object]
) -> list[str]:
    """The command that writes `tracks` to `bench.result`, with title, date and chapters, ready for streaming."""
    has_video = any(cut.media.video for cut in cuts)
    output = ffmpeg.output(
        *tracks,
        f"file:{bench.result}",
        f="mp4" if has_video else "ipod",
        movflags="+faststart",
        **codecs,
    )
    return _labelled(bench, output.compile(cmd=bench.command), cuts, labels)


def _labelled(bench: Workspace, argv: Sequence[str], cuts: Sequence[CutAway], labels: Labels) -> list[str]:
    """Title and date, and chapters from a further input, from which nothing else of the segments' own labels comes.

    Spliced in: ffmpeg-python drops an input whose tracks nobody uses, and makes one text of a list of values.
    `-map_metadata -1` would empty the chapters too.
    """
    file = bench.folder / "chapters"
    file.write_text(labels.ffmetadata([cut.media.duration for cut in cuts]), encoding="utf-8", newline="\n")
    inputs = [place for place, word in enumerate(argv) if word == "-i"]
    after, number = inputs[-1] + 2, str(len(inputs))
    further = ["-f", "ffmetadata", "-protocol_whitelist", WHITELIST, "-i", f"file:{file}"]
    taken = ["-map_metadata", number, "-map_chapters", number]
    taken += [word for one in labels.metadata for word in ("-metadata", one)]
    return [*argv[:after], *further, *argv[after:-1], *taken, argv[-1]]


def _line(bench: Workspace, number: int, path: Path) -> bytes:
    """A line of the concat demuxer's list, which knows no way to write a line break: such a path gets a link."""
    path = path.absolute()
    if "\n" in str(path) or "\r" in str(path):
        link = bench.folder / f"part{number}"
        link.symlink_to(path)
        path = link
    return b"file 'file:" + os.fsencode(path).replace(b"'", rb"'\''") + b"'\n"


def _ticks(cut: CutAway) -> int:
    """Ticks a second of its video, else of its audio."""
    stream = cut.media.video or cut.media.audio
    return int(stream.time_base.partition("/")[2] or 0) if stream else 0


def _remuxed(bench: Workspace, path: Path, cut: CutAway, ticks: int) -> CutAway:
    source = ffmpeg.input(f"file:{cut.path}", f="mov", protocol_whitelist=WHITELIST)
    tracks = [source[str(one.index)] for one in cut.media.streams]
    output = ffmpeg.output(*tracks, f"file:{path}", f="mp4", c="copy", video_track_timescale=ticks)
    bench.make(output.compile(cmd=bench.command))
    return replace(cut, path=path, media=bench.count(path))
