"""Joining segments that agree, by copying: nothing is decoded, nothing is lost."""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import ffmpeg

from zoomsync.media.probe import ProbeResult
from zoomsync.media.workspace import Workspace

COMPARED = ("codec", "profile", "width", "height", "pix_fmt", "sample_rate", "channels", "time_base", "extradata")
"""ffmpeg joins what differs in one of these, and exits with 0, but the result does not play: seen, see
tests/media/test_verify.py."""
WHITELIST = "file,pipe"
KEEP_TIMES: dict[str, object] = {"copyts": None}
"""Else ffmpeg takes the lead-in of AAC, which begins below zero, for the beginning and moves all else by its length:
seen, see `test_a_copy_begins_at_zero_and_is_no_frame_longer`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What players show."""

    title: str
    created: datetime
    chapters: tuple[str, ...]
    """One a segment, or none."""


def differences(segments: Sequence[ProbeResult], compared: Collection[str] = COMPARED) -> list[str]:
    """In what the segments differ from the first one, each `segment 2: video width 320 instead of 160`."""
    first, *others = segments
    return [f"segment {n}: {fact}" for n, one in enumerate(others, start=2) for fact in _facts(first, one, compared)]


def _facts(first: ProbeResult, other: ProbeResult, compared: Collection[str]) -> Iterator[str]:
    kinds, others = [one.kind for one in first.streams], [one.kind for one in other.streams]
    if kinds != others:
        yield f"tracks {', '.join(others)} instead of {', '.join(kinds)}"
        return
    for wanted, found in zip(first.streams, other.streams, strict=True):
        for name in compared if wanted.kind != "data" else ():
            one, two = getattr(wanted, name), getattr(found, name)
            if one != two:
                detail = "differs" if name == "extradata" else f"{two or 'none'} instead of {one or 'none'}"
                yield f"{found.kind} {name.replace('_', ' ')} {detail}"


def join_by_copying(workspace: Workspace, segments: Sequence[ProbeResult], labels: Labels) -> None:
    """Write the segments one after another to `workspace.result`; the caller proves it.

    Raises `Unstitchable` when ffmpeg fails.
    """
    lines = []
    for number, segment in enumerate(segments):
        path = segment.path.absolute()
        if "\n" in str(path) or "\r" in str(path):  # the list has no way to write a line break
            link = workspace.folder / f"part{number}"
            link.symlink_to(path)
            path = link
        # A quote within quotes: https://ffmpeg.org/ffmpeg-utils.html, Quoting and escaping. `file:`, because a name
        # such as `http:x.mp4` is else taken for an address: https://ffmpeg.org/ffmpeg-protocols.html, file.
        lines.append(b"file 'file:" + os.fsencode(path).replace(b"'", rb"'\''") + b"'\n")
    parts = workspace.folder / "parts"
    parts.write_bytes(b"".join(lines))
    # Without `safe=0` a path that is absolute or names a protocol is refused:
    # https://ffmpeg.org/ffmpeg-formats.html, concat.
    allowed = {"protocol_whitelist": WHITELIST, "format_whitelist": "concat,mov"}
    source = ffmpeg.input(f"file:{parts}", f="concat", safe=0, **allowed)
    # Track by track: `-map 0` fails on data tracks, which MP4 has no place for (seen, undocumented).
    tracks = [source[str(one.index)] for one in segments[0].streams if one.kind != "data"]
    write_result(workspace, tracks, segments, labels, {"c": "copy", **KEEP_TIMES})


def with_one_time_base(workspace: Workspace, segments: Sequence[ProbeResult]) -> list[ProbeResult]:
    """The segments, those with another time base than the finest one remuxed to it."""
    ticks = [_ticks(segment) for segment in segments]
    even = []
    for number, segment in enumerate(segments):
        if ticks[number] == max(ticks):
            even.append(segment)
            continue
        path = workspace.folder / f"remuxed{number}"
        source = ffmpeg.input(f"file:{segment.path}", f="mov", protocol_whitelist=WHITELIST)
        tracks = [source[str(one.index)] for one in segment.streams]
        output = ffmpeg.output(*tracks, f"file:{path}", f="mp4", c="copy", video_track_timescale=max(ticks))
        workspace.make(output.get_args())
        even.append(workspace.count(path))
    return even


def _ticks(segment: ProbeResult) -> int:
    """Ticks a second of its video, else of its audio."""
    stream = segment.first("video") or segment.first("audio")
    return int(stream.time_base.partition("/")[2] or 0) if stream else 0


def write_result(
    workspace: Workspace,
    tracks: Sequence[object],
    segments: Sequence[ProbeResult],
    labels: Labels,
    codecs: dict[str, object],
) -> None:
    """Write `tracks` to `workspace.result`, with title, date and chapters, ready for streaming.

    Raises `Unstitchable` when ffmpeg fails.
    """
    has_video = any(segment.first("video") for segment in segments)
    # `faststart` puts the index first: a player need not have the whole file to begin.
    target = {"f": "mp4" if has_video else "ipod", "movflags": "+faststart"}
    args = ffmpeg.output(*tracks, f"file:{workspace.result}", **target, **codecs).get_args()
    chapters = workspace.folder / "chapters"
    chapters.write_text(_chapters(labels, segments), encoding="utf-8", newline="\n")
    # Chapters are a further input, from which alone labels are taken, so that none of the segments' own come along
    # (`-map_metadata -1` would empty the chapters too). It is spliced in: ffmpeg-python drops an input of which no
    # track is used, and makes one text of a list of values. All three seen, undocumented.
    inputs = [place for place, word in enumerate(args) if word == "-i"]
    after, number = inputs[-1] + 2, str(len(inputs))
    further = ["-f", "ffmetadata", "-protocol_whitelist", WHITELIST, "-i", f"file:{chapters}"]
    created = labels.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    taken = ["-map_metadata", number, "-map_chapters", number]
    taken += ["-metadata", f"title={_argument(labels.title)}", "-metadata", f"creation_time={created}"]
    workspace.make([*args[:after], *further, *args[after:-1], *taken, args[-1]])


def _chapters(labels: Labels, segments: Sequence[ProbeResult]) -> str:
    """A chapter over each segment: https://ffmpeg.org/ffmpeg-formats.html, Metadata."""
    lines, start = [";FFMETADATA1"], 0.0
    for title, segment in zip(labels.chapters, segments, strict=bool(labels.chapters)):
        shown = _argument(title)
        if shown.endswith("\\"):  # else the line break after it counts as escaped, though the backslash is: seen
            shown += " "
        escaped = "".join(f"\\{one}" if one in "=;#\\\n" else one for one in shown)
        times = f"START={start * 1000:.0f}\nEND={(start + segment.duration) * 1000:.0f}"
        lines.append(f"[CHAPTER]\nTIMEBASE=1/1000\n{times}\ntitle={escaped}")
        start += segment.duration
    return "\n".join([*lines, ""])


def _argument(text: str) -> str:
    """`text` as an argument of a process can hold it: no NUL, no half of a character."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
