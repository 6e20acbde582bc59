"""Joining segments that differ, by decoding and encoding them again: slow, but whatever they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from math import ceil
from typing import Any

import ffmpeg

from zoomsync.errors import Unstitchable
from zoomsync.media.concat import Labels, write_result
from zoomsync.media.ffmpeg import MOST_PIXELS, THREADS
from zoomsync.media.probe import USUAL, WHITELIST, ProbeResult, Stream
from zoomsync.media.verify import Expected, Track
from zoomsync.media.workspace import Workspace

SLOWEST = 20
"""Frames a second at least, for a segment ends with a frame; those of slower segments are shown more than once."""
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
    sounds: int
    """How many audio tracks: as many as every segment has that has sound."""


def shape_of(segments: Sequence[ProbeResult]) -> Shape:
    """The largest frame, the highest rates and the most channels among the segments."""
    videos = [video for segment in segments if (video := segment.first("video"))]
    audios = [audio for segment in segments for audio in segment.of_kind("audio")]
    sizes = (one.shown_size for one in videos)
    width, height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
    frame_rate = max((one.frame_rate for one in videos), default=USUAL).limit_denominator(1001)
    highest = max((one.sample_rate for one in audios), default=0)
    usual_rate = 44100 if highest and 44100 % highest == 0 else 48000
    return Shape(
        width=width + width % 2,
        height=height + height % 2,
        frame_rate=frame_rate * max(1, ceil(SLOWEST / frame_rate)),
        sample_rate=usual_rate if highest else 0,
        layout="stereo" if any(one.channels > 1 for one in audios) else "mono",
        sounds=min((number for one in segments if (number := len(one.of_kind("audio")))), default=0),
    )


def encoded_tracks(segments: Sequence[ProbeResult]) -> list[tuple[Stream, ...]]:
    """Of each segment the tracks that an encoded video has."""
    sounds = shape_of(segments).sounds
    return [(*segment.of_kind("video")[:1], *segment.of_kind("audio")[:sounds]) for segment in segments]


def frames_of(segments: Sequence[ProbeResult], frame_rate: Fraction) -> list[int]:
    """How many frames each segment gets, so that each begins within half a frame of the sum of those before."""
    ends = [round(end * frame_rate) for end in accumulate(Fraction(segment.duration) for segment in segments)]
    return [max(1, end - begin) for begin, end in pairwise([0, *ends])]


def join_by_encoding(workspace: Workspace, segments: Sequence[ProbeResult], labels: Labels) -> Expected:
    """Write the segments one after another to `workspace.result`, black and silent if a track is missing.

    Picture and sound of a segment are cut or filled to the same whole number of frames, so that nothing drifts apart,
    however many segments there are. Returns what the caller must find in it. Raises `Unstitchable` when ffmpeg fails.
    """
    shape = shape_of(segments)
    frames = frames_of(segments, shape.frame_rate)
    streams: list[Any] = []
    for segment, number in zip(segments, frames, strict=True):
        limits = {"threads": THREADS, "max_pixels": MOST_PIXELS, "protocol_whitelist": WHITELIST}
        source = _source(f"file:{segment.path}", len(streams), f="mov", **limits)
        if shape.width:
            streams.append(_picture(segment, source, shape, number, len(streams)))
        for track in range(shape.sounds):
            streams.append(_sound(segment, source, shape, track, number / shape.frame_rate, len(streams)))
    joined = ffmpeg.concat(*streams, v=int(shape.width > 0), a=shape.sounds).node
    tracks: list[Any] = []
    codecs: dict[str, object] = {}
    if shape.width:
        tracks.append(joined[0].filter("fps", str(shape.frame_rate)).filter("trim", end_frame=sum(frames)))
        codecs |= {"pix_fmt": "yuv420p", "threads": THREADS, **_video_codec(workspace)}
    if shape.sounds:
        tracks += [joined[len(tracks) + number] for number in range(shape.sounds)]
        codecs |= {"c:a": "aac", "b:a": "128k"}
    durations = tuple(float(number / shape.frame_rate) for number in frames)
    write_result(workspace, tracks, durations, labels, codecs)
    picture = [Track(kind="video", end=sum(durations), packets=sum(frames))] if shape.width else []
    sounds = [Track(kind="audio", end=sum(durations))] * shape.sounds
    return Expected(durations=durations, tracks=(*picture, *sounds))


def _source(name: str, number: int, **options: object) -> Any:
    """An input of ffmpeg. By the length of its queue it differs from an equal one: ffmpeg-python takes those for one,
    and then refuses to filter it twice (seen, undocumented)."""
    return ffmpeg.input(name, thread_queue_size=8 + number, **options)


def _picture(segment: ProbeResult, source: Any, shape: Shape, frames: int, place: int) -> Any:
    """So many frames of a segment's video in the common size, its last one repeated if it is too short; else black."""
    video = segment.first("video")
    if video is None:
        size, rate = f"{shape.width}x{shape.height}", shape.frame_rate
        graph = f"color=c=black:s={size}:r={rate},trim=end_frame={frames},format=yuv420p,setsar=1"
        return _source(graph, place, f="lavfi")["v"]
    # ffmpeg turns the picture upright before the first filter: https://ffmpeg.org/ffmpeg.html, -autorotate.
    return (
        source[str(video.index)]
        .filter("scale", "iw*sar", "ih")
        .filter("scale", shape.width, shape.height, force_original_aspect_ratio="decrease")
        .filter("pad", shape.width, shape.height, "(ow-iw)/2", "(oh-ih)/2")
        .filter("setsar", 1)
        .filter("fps", str(shape.frame_rate), start_time=0)
        .filter("tpad", stop=-1, stop_mode="clone")
        .filter("trim", end_frame=frames)
        .filter("format", "yuv420p")
    )


def _sound(segment: ProbeResult, source: Any, shape: Shape, track: int, seconds: Fraction, place: int) -> Any:
    """So many seconds of one audio track of a segment at the common rate, filled with silence; else silence alone."""
    length = {"end_sample": round(seconds * shape.sample_rate)}
    if track >= len(audios := segment.of_kind("audio")):
        graph = f"anullsrc=r={shape.sample_rate}:cl={shape.layout}"
        return _source(graph, place, f="lavfi")["a"].filter("atrim", **length)
    return (
        source[str(audios[track].index)]
        # Silence where timestamps leave a hole, also before the first sample; else what follows is early.
        .filter("aresample", shape.sample_rate, **{"async": 1, "min_hard_comp": 0.02, "first_pts": 0})
        .filter("aformat", channel_layouts=shape.layout)
        .filter("apad")
        .filter("atrim", **length)
    )


def _video_codec(workspace: Workspace) -> dict[str, object]:
    listed = workspace.ffmpeg(["-encoders"]).stdout.split()
    for name, settings in VIDEO_ENCODERS.items():
        if name in listed:
            return {"c:v": name, **settings}
    raise Unstitchable("ffmpeg: has no encoder for video", hint="install one that has libx264: `apt install ffmpeg`")
