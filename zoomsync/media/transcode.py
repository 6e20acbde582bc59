"""Joining segments that differ, by decoding and encoding them anew: slow, but whatever they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import ffmpeg

from zoomsync.errors import Unstitchable
from zoomsync.media.concat import WHITELIST, finished
from zoomsync.media.workspace import CutAway, Labels, Workspace

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
    """Even; 0 when there is no video at all."""
    height: int
    frame_rate: Fraction
    sample_rate: int
    """0 when there is no audio at all."""
    layout: str
    """`mono` or `stereo`."""


def shape_of(cuts: Sequence[CutAway]) -> Shape:
    """The largest frame, the highest rates and the most channels among the segments."""
    videos = [cut.media.video for cut in cuts if cut.media.video]
    audios = [cut.media.audio for cut in cuts if cut.media.audio]
    largest = max(((one.width, one.height) for one in videos), key=lambda size: size[0] * size[1], default=(0, 0))
    rate = max((one.frame_rate for one in videos), default=USUAL) or USUAL
    return Shape(
        width=largest[0] + largest[0] % 2,
        height=largest[1] + largest[1] % 2,
        frame_rate=min(rate, FASTEST).limit_denominator(1001),
        sample_rate=_usual_rate(max((one.sample_rate for one in audios), default=0)),
        layout="stereo" if any(one.channels > 1 for one in audios) else "mono",
    )


def _usual_rate(highest: int) -> int:
    if not highest:
        return 0
    return 44100 if 44100 % highest == 0 else 48000


def join_by_encoding(bench: Workspace, cuts: Sequence[CutAway], labels: Labels) -> None:
    """Write the cuts one after another to `bench.result`, black and silent where a track is missing.

    Only the first video and the first audio track are taken. Raises `Unstitchable` when ffmpeg fails.
    """
    shape = shape_of(cuts)
    tracks: list[Any] = []
    codecs: dict[str, object] = {}
    streams = [stream for cut in cuts for stream in _streams(cut, shape)]
    joined = ffmpeg.concat(*streams, v=int(shape.width > 0), a=int(shape.sample_rate > 0)).node
    if shape.width:
        tracks.append(joined[0].filter("fps", str(shape.frame_rate)))
        codecs |= {"pix_fmt": "yuv420p", **_video_codec(bench)}
    if shape.sample_rate:
        tracks.append(joined[len(tracks)])
        codecs |= {"c:a": "aac", "b:a": "128k"}
    bench.make(finished(bench, tracks, cuts, labels, codecs))


def _streams(cut: CutAway, shape: Shape) -> list[Any]:
    """One segment's video, if the result has any, and audio likewise."""
    source = ffmpeg.input(f"file:{cut.path}", f="mov", protocol_whitelist=WHITELIST)
    streams = []
    if shape.width:
        video = cut.media.video
        streams.append(_framed(source[str(video.index)], shape) if video else _black(cut, shape))
    if shape.sample_rate:
        audio = cut.media.audio
        streams.append(_sampled(source[str(audio.index)], shape) if audio else _silence(cut, shape))
    return streams


def _framed(video: Any, shape: Shape) -> Any:
    return (
        video.filter("scale", shape.width, shape.height, force_original_aspect_ratio="decrease")
        .filter("pad", shape.width, shape.height, "(ow-iw)/2", "(oh-ih)/2")
        .filter("setsar", 1)
        .filter("fps", str(shape.frame_rate), start_time=0)
        .filter("format", "yuv420p")
    )


def _sampled(audio: Any, shape: Shape) -> Any:
    return audio.filter("aresample", shape.sample_rate).filter("aformat", channel_layouts=shape.layout)


def _black(cut: CutAway, shape: Shape) -> Any:
    size, rate = f"{shape.width}x{shape.height}", shape.frame_rate
    graph = f"color=c=black:s={size}:r={rate}:d={cut.media.duration},format=yuv420p,setsar=1"
    return ffmpeg.input(graph, f="lavfi")["v"]


def _silence(cut: CutAway, shape: Shape) -> Any:
    graph = f"anullsrc=r={shape.sample_rate}:cl={shape.layout},atrim=duration={cut.media.duration}"
    return ffmpeg.input(graph, f="lavfi")["a"]


def _video_codec(bench: Workspace) -> dict[str, object]:
    listed = bench.run([str(bench.tools.ffmpeg), "-hide_banner", "-encoders"]).stdout.split()
    for name, settings in VIDEO_ENCODERS.items():
        if name in listed:
            return {"c:v": name, **settings}
    raise Unstitchable("ffmpeg: has no encoder for video", hint="install one that has libx264: `apt install ffmpeg`")
