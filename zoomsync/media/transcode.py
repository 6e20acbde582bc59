"""Joining segments that differ, by decoding and encoding them again: slow, but whatever they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import ffmpeg

from zoomsync.errors import Unstitchable
from zoomsync.media.concat import WHITELIST, Labels, write_result
from zoomsync.media.probe import ProbeResult
from zoomsync.media.workspace import Workspace

FASTEST = Fraction(60)
USUAL = Fraction(25)
VIDEO_ENCODERS: dict[str, dict[str, object]] = {
    "libx264": {"preset": "veryfast", "crf": 20},
    "libopenh264": {"b:v": "3M"},
    "mpeg4": {"q:v": 3},
}
"""In this order, whichever the binary has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What every segment is brought to: the most that any of them has."""

    width: int
    """Even, as yuv420p wants it; 0 when there is no video at all."""
    height: int
    frame_rate: Fraction
    sample_rate: int
    """0 when there is no audio at all."""
    layout: str
    """`mono` or `stereo`."""


def shape_of(segments: Sequence[ProbeResult]) -> Shape:
    """The largest frame, the highest rates and the most channels among the segments."""
    videos = [video for segment in segments if (video := segment.first("video"))]
    audios = [audio for segment in segments if (audio := segment.first("audio"))]
    largest = max(((one.width, one.height) for one in videos), key=lambda size: size[0] * size[1], default=(0, 0))
    frame_rate = max((one.frame_rate for one in videos), default=USUAL) or USUAL
    highest = max((one.sample_rate for one in audios), default=0)
    usual_rate = 44100 if highest and 44100 % highest == 0 else 48000
    return Shape(
        width=largest[0] + largest[0] % 2,
        height=largest[1] + largest[1] % 2,
        frame_rate=min(frame_rate, FASTEST).limit_denominator(1001),
        sample_rate=usual_rate if highest else 0,
        layout="stereo" if any(one.channels > 1 for one in audios) else "mono",
    )


def join_by_encoding(workspace: Workspace, segments: Sequence[ProbeResult], labels: Labels) -> None:
    """Write the segments one after another to `workspace.result`, black and silent if a track is missing.

    Only the first video and the first audio track are taken. Raises `Unstitchable` when ffmpeg fails.
    """
    shape = shape_of(segments)
    streams: list[Any] = []
    for segment in segments:
        source = ffmpeg.input(f"file:{segment.path}", f="mov", protocol_whitelist=WHITELIST)
        if shape.width:
            streams.append(_picture(segment, source, shape))
        if shape.sample_rate:
            streams.append(_sound(segment, source, shape))
    joined = ffmpeg.concat(*streams, v=int(shape.width > 0), a=int(shape.sample_rate > 0)).node
    tracks: list[Any] = []
    codecs: dict[str, object] = {}
    if shape.width:
        tracks.append(joined[0].filter("fps", str(shape.frame_rate)))
        codecs |= {"pix_fmt": "yuv420p", **_video_codec(workspace)}
    if shape.sample_rate:
        tracks.append(joined[len(tracks)])
        codecs |= {"c:a": "aac", "b:a": "128k"}
    write_result(workspace, tracks, segments, labels, codecs)


def _picture(segment: ProbeResult, source: Any, shape: Shape) -> Any:
    """A segment's video in the common frame, or black for its length."""
    video = segment.first("video")
    if video is None:
        size, rate = f"{shape.width}x{shape.height}", shape.frame_rate
        graph = f"color=c=black:s={size}:r={rate}:d={segment.duration},format=yuv420p,setsar=1"
        return ffmpeg.input(graph, f="lavfi")["v"]
    return (
        source[str(video.index)]
        .filter("scale", shape.width, shape.height, force_original_aspect_ratio="decrease")
        .filter("pad", shape.width, shape.height, "(ow-iw)/2", "(oh-ih)/2")
        .filter("setsar", 1)
        .filter("fps", str(shape.frame_rate), start_time=0)
        .filter("format", "yuv420p")
    )


def _sound(segment: ProbeResult, source: Any, shape: Shape) -> Any:
    """A segment's audio at the common rate, or silence for its length."""
    audio = segment.first("audio")
    if audio is None:
        graph = f"anullsrc=r={shape.sample_rate}:cl={shape.layout},atrim=duration={segment.duration}"
        return ffmpeg.input(graph, f="lavfi")["a"]
    sampled = source[str(audio.index)].filter("aresample", shape.sample_rate)
    return sampled.filter("aformat", channel_layouts=shape.layout)


def _video_codec(workspace: Workspace) -> dict[str, object]:
    listed = workspace.ffmpeg(["-encoders"]).stdout.split()
    for name, settings in VIDEO_ENCODERS.items():
        if name in listed:
            return {"c:v": name, **settings}
    raise Unstitchable("ffmpeg: has no encoder for video", hint="install one that has libx264: `apt install ffmpeg`")
