"""The sound of a copy: the packets of AAC of all segments laid one behind the other, without holes and overlaps."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import ceil
from pathlib import Path
from typing import IO

import ffmpeg

from zoomsync.files import CHUNK, open_file
from zoomsync.media.codecs import adts_header
from zoomsync.media.index import read_index
from zoomsync.media.packets import Packets
from zoomsync.media.probe import WHITELIST, ProbeResult, Stream
from zoomsync.media.workspace import Workspace

FRAME = 1024
"""Samples in a packet of AAC-LC: ISO/IEC 14496-3, 4.5.1.1."""
MOST_PADDING = 3 * FRAME
"""Samples that an encoder adds behind the end, at most: seen."""
MOST_SILENCE = 86_400
"""Seconds: what claims to need more was crafted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What is taken of the sound of one segment, in packets."""

    silence: int
    """As many silent ones before it."""
    first: int
    """The number of the first one taken, from 0."""
    taken: int


def cuts(begins: Sequence[float], starts: Sequence[float], packets: Sequence[int], rate: int) -> list[Cut]:
    """How to lay the packets of all segments one behind the other, so that each is heard within half a packet of its
    time; `begins` has the seconds at which the segments begin and the end, `starts` those of each first packet.

    An encoder begins before a segment and ends behind it. Many players count samples and not time: of what overlaps
    each join would make them later, with each hole earlier.
    """
    done, found = 0, []
    for number, (start, count) in enumerate(zip(starts, packets, strict=True)):
        place = round((begins[number] + start) * rate)
        first = min(count, max(0, ceil((done - place) / FRAME - 0.5)))
        silence = max(0, round((place + first * FRAME - done) / FRAME))
        done += silence * FRAME
        taken = min(count - first, max(0, round((begins[number + 1] * rate - done) / FRAME)))
        done += taken * FRAME
        found.append(Cut(silence=silence, first=first, taken=taken))
    return found


def joined_sound(
    workspace: Workspace, segments: Sequence[ProbeResult], tracks: Sequence[Stream], begins: Sequence[float]
) -> tuple[Path, int] | None:
    """The same track of all segments in one file, and its packets; None if it is not AAC-LC without holes."""
    rate = tracks[0].sample_rate
    starts: list[float] = []
    for segment, track in zip(segments, tracks, strict=True):
        start = workspace.first_packet(segment.path, track)
        if (track.codec, track.profile) != ("aac", "LC") or start is None or track.end is None or not track.packets:
            return None
        length = track.packets * FRAME / rate
        if not -0.001 <= start + length - track.end <= MOST_PADDING / rate:
            return None
        starts.append(start - segment.start)
    parts = cuts(begins, starts, [track.packets or 0 for track in tracks], rate)
    if sum(cut.silence for cut in parts) * FRAME > MOST_SILENCE * rate:
        return None
    silent = _silence(workspace, tracks[0]) if any(cut.silence for cut in parts) else b""
    path = workspace.folder / f"sound{tracks[0].index}"
    with path.open("wb") as joined:
        for segment, track, cut in zip(segments, tracks, parts, strict=True):
            for _ in range(cut.silence):
                joined.write(silent)
            _add(workspace, segment.path, track, cut, joined)
    return path, sum(cut.silence + cut.taken for cut in parts)


def _add(workspace: Workspace, path: Path, track: Stream, cut: Cut, joined: IO[bytes]) -> None:
    """Add what is taken of a segment."""
    index = read_index(path)
    found = index.tracks[track.index] if index is not None else None
    if found is None or found.stream.kind != "audio":
        _extract(workspace, path, track, cut, joined)
        return
    with open_file(path) as file:
        for packet in _packets(file, found.packets, cut):
            workspace.clock.check()
            joined.write(adts_header(track.sample_rate, track.channels, len(packet)))
            joined.write(packet)


def _packets(file: IO[bytes], packets: Packets, cut: Cut) -> Iterator[bytes]:
    """Each packet that is taken. Nothing is read ahead: between two there is the picture, of which there is much."""
    for begin, size in islice(packets.places(file), cut.first, cut.first + cut.taken):
        yield os.pread(file.fileno(), size, begin)


def _extract(workspace: Workspace, path: Path, track: Stream, cut: Cut, joined: IO[bytes]) -> None:
    """Have ffmpeg do it, for a file with an index that is not understood."""
    piece = workspace.folder / "piece"
    drop = f"noise=amount=0:drop='lt(n,{cut.first})+gte(n,{cut.first + cut.taken})'"
    source = ffmpeg.input(f"file:{path}", f="mov", protocol_whitelist=WHITELIST)[str(track.index)]
    output = ffmpeg.output(source, f"file:{piece}", f="adts", c="copy", **{"bsf:a": drop})
    workspace.make(output.get_args())
    with piece.open("rb") as content:
        shutil.copyfileobj(content, joined, CHUNK)
    piece.unlink()


def _silence(workspace: Workspace, track: Stream) -> bytes:
    """One silent packet of the kind that the track has."""
    path = workspace.folder / "silence"
    source = ffmpeg.input(f"anullsrc=r={track.sample_rate}", f="lavfi")
    only_one = {"t": 0.1, "bsf:a": "noise=amount=0:drop='gt(n,0)'"}
    output = ffmpeg.output(source, f"file:{path}", f="adts", ac=track.channels, **{"c:a": "aac"}, **only_one)
    workspace.make([*output.get_args(), "-y"])
    return path.read_bytes()
