"""Joining segments that agree, by copying: nothing is decoded, nothing is lost."""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import ffmpeg

from zoomsync.media.probe import WHITELIST, ProbeResult, Stream
from zoomsync.media.sound import joined_sound
from zoomsync.media.verify import Expected, of_copy
from zoomsync.media.workspace import Workspace, expect_success

COMPARED = ("codec", "profile", "width", "height", "pix_fmt", "pixel_aspect", "rotation", "display_matrix",
            "sample_rate", "channels", "time_base", "extradata")  # fmt: skip
"""ffmpeg joins what differs in one of these, and exits with 0, but the result does not play, or half of it lies on its
side: seen, see tests/media/test_verify.py."""
UNREADABLE = ("display_matrix", "extradata")
"""What says nothing to people."""
METADATA = "metadata"
INDEX_HEAD = 8 * 1024
"""Bytes of an index beside its tables and labels."""
LABEL_HEAD = 1024
"""Bytes that a label takes beside its text, which is in the index twice at most."""
MOST_SAID = 24
"""Bytes in which an index says how large a packet is, when it is shown, and that it needs no other."""
SAID_OF_CHUNK = 6
"""Bytes in which it says how many packets a chunk has: 12 where the one before has another number, which is so in every
second one at most, as tracks come in turns."""
SHORT_PLACES = 4_000_000_000
"""Bytes of a file within which a place is a number of 4 bytes; behind that it has 8."""
NO_INDEX_ROOM = "reserved_moov_size is too small"
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
    has_video: bool


def kept_tracks(segments: Sequence[ProbeResult]) -> list[tuple[Stream, ...]]:
    """Of each segment the tracks that a copy has: picture and sound, and subtitles if all segments have the like."""
    subtitles = {tuple(one.codec for one in segment.of_kind("subtitle")) for segment in segments}
    kinds = ("video", "audio", "subtitle")[: 3 if len(subtitles) == 1 else 2]
    return [tuple(one for kind in kinds for one in segment.of_kind(kind)) for segment in segments]


def differences(segments: Sequence[ProbeResult], compared: Collection[str] = COMPARED) -> list[str]:
    """In what the segments differ from the first one, each `segment 2: video width 320 instead of 160`."""
    first, *others = kept_tracks(segments)
    return [f"segment {n}: {fact}" for n, one in enumerate(others, start=2) for fact in _facts(first, one, compared)]


def _facts(first: Sequence[Stream], other: Sequence[Stream], compared: Collection[str]) -> Iterator[str]:
    kinds, others = [one.kind for one in first], [one.kind for one in other]
    if kinds != others:
        yield f"tracks {', '.join(others)} instead of {', '.join(kinds)}"
        return
    for wanted, found in zip(first, other, strict=True):
        for name in compared if wanted.kind != "subtitle" else ():
            one, two = getattr(wanted, name), getattr(found, name)
            if one != two:
                detail = "differs" if name in UNREADABLE else f"{two or 'none'} instead of {one or 'none'}"
                yield f"{found.kind} {name.replace('_', ' ')} {detail}"


def join_by_copying(workspace: Workspace, segments: Sequence[ProbeResult], labels: Labels) -> Expected:
    """Write the segments one after another to `workspace.result`; what the caller must find in it.

    Raises `Unstitchable` when ffmpeg fails.
    """
    begins = [0.0, *accumulate(segment.duration for segment in segments)]
    source = _listed(workspace, segments)
    tracks: list[object] = []
    sounds: list[Path] = []
    packets: dict[int, int] = {}
    for stream in kept_tracks(segments)[0]:
        # Track by track: `-map 0` fails on data tracks, which MP4 has no place for (seen, undocumented).
        track = source[str(stream.index)]
        if stream.kind == "audio":
            number = segments[0].of_kind("audio").index(stream)
            same = [segment.of_kind("audio")[number] for segment in segments]
            if joined := joined_sound(workspace, segments, same, begins):
                path, packets[number] = joined
                track = ffmpeg.input(f"file:{path}", f="aac", protocol_whitelist=WHITELIST)
                sounds.append(path)
        tracks.append(track)
    durations = tuple(segment.duration for segment in segments)
    write_result(workspace, tracks, durations, labels, {"c": "copy", **KEEP_TIMES}, room=index_room(segments))
    for path in sounds:
        path.unlink()
    return of_copy(segments, packets)


def index_room(segments: Sequence[ProbeResult]) -> int:
    """Bytes that the index of a copy of these segments needs, but for its labels.

    Packets of one track that lie between two of others are one chunk; so there are no more chunks than twice the
    packets of all tracks but the largest, beside those that end because they are a megabyte long.
    """
    kept = kept_tracks(segments)
    tables = sum(track.index_size or MOST_SAID * (track.packets or 0) for tracks in kept for track in tracks)
    counts = [sum(track.packets or 0 for track in same) for same in zip(*kept, strict=True)]
    size = sum(segment.path.stat().st_size for segment in segments)
    chunks = 2 * (sum(counts) - max(counts)) + (size >> 20) + len(counts) * (len(segments) + 1)
    place = 8 if size > SHORT_PLACES else 4
    return INDEX_HEAD + tables + sum(counts) + chunks * (SAID_OF_CHUNK + place)


def _listed(workspace: Workspace, segments: Sequence[ProbeResult]) -> Any:
    """The segments as one input."""
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
    return ffmpeg.input(f"file:{parts}", f="concat", safe=0, **allowed)


def made_even(workspace: Workspace, segments: Sequence[ProbeResult]) -> list[ProbeResult]:
    """The segments with the same tracks at the same places and of the same, finest time base.

    Those of which one of these is not so are remuxed, without the tracks that are not kept.
    """
    kept = kept_tracks(segments)
    if len({tuple((one.index, one.time_base) for one in tracks) for tracks in kept}) == 1:
        return list(segments)
    finest = max(map(_ticks, segments))
    even = []
    for number, (segment, tracks) in enumerate(zip(segments, kept, strict=True)):
        bases = [f"1/{finest if one.kind == 'video' else one.sample_rate}" for one in tracks if one.kind != "subtitle"]
        if [(one.index, one.time_base) for one in tracks[: len(bases)]] == list(enumerate(bases)):
            even.append(segment)
            continue
        path = workspace.folder / f"remuxed{number}"
        source = ffmpeg.input(f"file:{segment.path}", f="mov", protocol_whitelist=WHITELIST)
        wanted = [source[str(one.index)] for one in tracks]
        output = ffmpeg.output(*wanted, f"file:{path}", f="mp4", c="copy", video_track_timescale=finest)
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
    durations: Sequence[float],
    labels: Labels,
    codecs: dict[str, object],
    room: int = 0,
) -> None:
    """Write `tracks` to `workspace.result`, with title, date and chapters of these lengths, ready for streaming.

    The index comes first: a player need not have the whole file to begin. `room` is kept for it; where that is too
    little, or 0, all is read and written once more to make some. Raises `Unstitchable` when ffmpeg fails.
    """
    metadata = workspace.folder / METADATA
    metadata.write_text(_metadata(labels, durations), encoding="utf-8", newline="\n")
    if room:
        labelled = room + LABEL_HEAD * (len(labels.chapters) + 1) + 2 * metadata.stat().st_size
        ran = workspace.ffmpeg(_written(workspace, tracks, labels, codecs, {"moov_size": labelled}))
        # Then it has written the index over the media; Debian's 5.1 exits with 0: seen.
        if NO_INDEX_ROOM not in ran.stderr:
            expect_success(ran)
            return
        workspace.result.unlink()
    workspace.make(_written(workspace, tracks, labels, codecs, {"movflags": "+faststart"}))


def _written(
    workspace: Workspace, tracks: Sequence[object], labels: Labels, codecs: dict[str, object], index: dict[str, object]
) -> list[str]:
    """ffmpeg's arguments for the result."""
    # Without `write_tmcd` a timecode of the first segment makes a track of its own (seen, undocumented).
    target = {"f": "mp4" if labels.has_video else "ipod", "write_tmcd": 0, **index}
    args: list[str] = ffmpeg.output(*tracks, f"file:{workspace.result}", **target, **codecs).get_args()
    # Labels are a further input, from which alone they are taken, so that none of the segments' own come along
    # (`-map_metadata -1` would empty the chapters too). It is spliced in: ffmpeg-python drops an input of which no
    # track is used, and makes one text of a list of values. All three seen, undocumented.
    inputs = [place for place, word in enumerate(args) if word == "-i"]
    after, number = inputs[-1] + 2, str(len(inputs))
    further = ["-f", "ffmetadata", "-protocol_whitelist", WHITELIST, "-i", f"file:{workspace.folder / METADATA}"]
    taken = ["-map_metadata", number, "-map_chapters", number]
    return [*args[:after], *further, *args[after:-1], *taken, args[-1]]


def _metadata(labels: Labels, durations: Sequence[float]) -> str:
    """Title, date and a chapter over each segment: https://ffmpeg.org/ffmpeg-formats.html, Metadata.

    A process has no room for a long title in its arguments, and shows them to everybody.
    """
    created = labels.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines, begin = [";FFMETADATA1", f"title={_escaped(labels.title)}", f"creation_time={created}"], 0.0
    for title, seconds in zip(labels.chapters, durations, strict=bool(labels.chapters)):
        times = f"START={begin * 1000:.0f}\nEND={(begin + seconds) * 1000:.0f}"
        lines.append(f"[CHAPTER]\nTIMEBASE=1/1000\n{times}\ntitle={_escaped(title)}")
        begin += seconds
    return "\n".join([*lines, ""])


def _escaped(text: str) -> str:
    """`text` as a value of such a file: no NUL, no half of a character."""
    shown = text.replace("\0", "").encode("utf-8", "replace").decode()
    if shown.endswith("\\"):  # else the line break after it counts as escaped, though the backslash is: seen
        shown += " "
    return "".join(f"\\{one}" if one in "=;#\\\n" else one for one in shown)
