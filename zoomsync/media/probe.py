"""What is inside a media file, as ffprobe sees it."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zoomsync.errors import Unstitchable
from zoomsync.media.ffmpeg import Tools, find_tools, run, shown_output
from zoomsync.model import Clock

__all__ = ["ONLY_FILES", "Media", "Stream", "Tools", "find_tools", "probe"]

ONLY_FILES = ("-protocol_whitelist", "file,pipe")
"""Before every input: a file that names other places is not followed there."""
ENTRIES = (
    "stream=index,codec_type,codec_name,profile,width,height,pix_fmt,sample_rate,channels,time_base,avg_frame_rate,"
    "duration,nb_read_packets,extradata_hash:stream_disposition=attached_pic:format=duration"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One track. What does not apply to its kind is 0 or empty."""

    index: int
    kind: str
    """`video`, `audio`, `subtitle`; all else, also a cover picture, is `data`."""
    codec: str
    profile: str = ""
    width: int = 0
    height: int = 0
    pix_fmt: str = ""
    sample_rate: int = 0
    channels: int = 0
    time_base: str = ""
    """`1/12800`."""
    extradata: str = ""
    """Hash of the codec's set-up data: without the same, frames of one do not decode with the other's."""
    frame_rate: Fraction = Fraction(0)
    """Frames a second on average; 0 when unknown."""
    duration: float | None = None
    """Seconds."""
    packets: int | None = None
    """As read from end to end; None when not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A media file: seconds and tracks."""

    duration: float
    streams: tuple[Stream, ...]

    @property
    def video(self) -> Stream | None:
        """The first video track."""
        return self.first("video")

    @property
    def audio(self) -> Stream | None:
        """The first audio track."""
        return self.first("audio")

    def first(self, kind: str) -> Stream | None:
        """The first track of a kind."""
        return next((one for one in self.streams if one.kind == kind), None)


def probe(tools: Tools, path: Path, clock: Clock, *, count: bool = False, seconds: float = 60.0) -> Media:
    """Read the tracks of the MP4 or M4A file `path`; with `count` all of it, to count the packets.

    Raises `Unstitchable` when it is not such a file, damaged, or has neither video nor audio; see also `tools.run`.
    """
    counting = ["-count_packets"] if count else []
    asked = ["-show_entries", ENTRIES, "-show_data_hash", "sha256", *counting, "-of", "json"]
    argv = [str(tools.ffprobe), "-hide_banner", "-v", "error", *asked, *ONLY_FILES, "-f", "mov", f"file:{path}"]
    ran = run(tools, argv, clock=clock, seconds=seconds)
    if ran.code or ran.damage:
        raise Unstitchable(f"{shown_output(path.name)}: unreadable: {ran.said.replace(f'file:{path}: ', '')}")
    try:
        return _Document.model_validate_json(ran.stdout).media()
    except (ValidationError, ValueError, ZeroDivisionError) as cause:
        raise Unstitchable(f"{shown_output(path.name)}: no usable video or audio in it") from cause


class _Part(BaseModel):
    """A part of ffprobe's JSON, in which most numbers are texts and anything may be missing."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)


class _Disposition(_Part):
    attached_pic: int = 0


class _Stream(_Part):
    index: int
    codec_type: str = "data"
    codec_name: str = ""
    profile: str = ""
    width: int = 0
    height: int = 0
    pix_fmt: str = ""
    sample_rate: int = 0
    channels: int = 0
    time_base: str = ""
    extradata_hash: str = ""
    avg_frame_rate: str = ""
    duration: float | None = None
    nb_read_packets: int | None = None
    disposition: _Disposition = _Disposition()

    def stream(self) -> Stream:
        is_shown = self.codec_type in ("video", "audio", "subtitle") and not self.disposition.attached_pic
        return Stream(
            index=self.index,
            kind=self.codec_type if is_shown else "data",
            codec=self.codec_name,
            profile=self.profile,
            width=self.width,
            height=self.height,
            pix_fmt=self.pix_fmt,
            sample_rate=self.sample_rate,
            channels=self.channels,
            time_base=self.time_base,
            extradata=self.extradata_hash,
            frame_rate=Fraction(0) if self.avg_frame_rate in ("", "0/0") else Fraction(self.avg_frame_rate),
            duration=self.duration,
            packets=self.nb_read_packets,
        )


class _Format(_Part):
    duration: float = Field(gt=0)


class _Document(_Part):
    streams: tuple[_Stream, ...] = ()
    format: _Format

    def media(self) -> Media:
        media = Media(duration=self.format.duration, streams=tuple(one.stream() for one in self.streams))
        if media.video is None and media.audio is None:
            raise ValueError("no tracks")
        if any(one.kind == "video" and not one.pix_fmt for one in media.streams):
            raise ValueError("not one frame could be decoded")
        return media
