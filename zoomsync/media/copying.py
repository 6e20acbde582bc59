"""Joining segments that agree, by copying: nothing is decoded, nothing is lost."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import ffmpeg

from zoomsync.media.bench import Bench, Cut, Labels

WHITELIST = "file,pipe"
KEEP_TIMES: dict[str, object] = {"copyts": None}
"""Else ffmpeg takes the lead-in of AAC, which begins below zero, for the beginning and moves all else by its length."""


def join_by_copying(bench: Bench, cuts: Sequence[Cut], labels: Labels) -> None:
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


def same_time_base(bench: Bench, cuts: Sequence[Cut]) -> list[Cut]:
    """The cuts, those with another time base than the finest one remuxed to it."""
    finest = max(_ticks(cut) for cut in cuts)
    return [
        cut if _ticks(cut) == finest else _remuxed(bench, bench.folder / f"remuxed{number}", cut, finest)
        for number, cut in enumerate(cuts)
    ]


def finished(
    bench: Bench, tracks: Sequence[object], cuts: Sequence[Cut], labels: Labels, codecs: dict[str, object]
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


def _labelled(bench: Bench, argv: Sequence[str], cuts: Sequence[Cut], labels: Labels) -> list[str]:
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


def _line(bench: Bench, number: int, path: Path) -> bytes:
    """A line of the concat demuxer's list, which knows no way to write a line break: such a path gets a link."""
    path = path.absolute()
    if "\n" in str(path) or "\r" in str(path):
        link = bench.folder / f"part{number}"
        link.symlink_to(path)
        path = link
    return b"file 'file:" + os.fsencode(path).replace(b"'", rb"'\''") + b"'\n"


def _ticks(cut: Cut) -> int:
    """Ticks a second of its video, else of its audio."""
    stream = cut.media.video or cut.media.audio
    return int(stream.time_base.partition("/")[2] or 0) if stream else 0


def _remuxed(bench: Bench, path: Path, cut: Cut, ticks: int) -> Cut:
    source = ffmpeg.input(f"file:{cut.path}", f="mov", protocol_whitelist=WHITELIST)
    tracks = [source[str(one.index)] for one in cut.media.streams]
    output = ffmpeg.output(*tracks, f"file:{path}", f="mp4", c="copy", video_track_timescale=ticks)
    bench.make(output.compile(cmd=bench.command))
    return replace(cut, path=path, media=bench.count(path))
