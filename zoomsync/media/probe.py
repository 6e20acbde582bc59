"""What is inside a media file, as ffprobe sees it."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from pydantic import AliasPath, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from zoomsync.errors import Unstitchable
from zoomsync.media.ffmpeg import Tools, run, shown_output
from zoomsync.model import Clock

ONLY_FILES = ("-protocol_whitelist", "file,pipe")
"""Before every input: a file that names other places is not followed there."""
ENTRIES = (
    "stream=index,codec_type,codec_name,profile,width,height,pix_fmt,sample_rate,channels,time_base,avg_frame_rate,"
    "duration,nb_read_packets,extradata_hash:stream_disposition=attached_pic:format=duration"
)


class _Document(BaseModel):
    """A part of ffprobe's JSON, in which most numbers are texts and anything may be missing."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True, validate_by_name=True, validate_by_alias=True)


class Stream(_Document):
    """One track. What does not apply to its kind is 0 or empty."""

    index: int
    codec_type: str = ""
    is_cover: bool = Field(False, validation_alias=AliasPath("disposition", "attached_pic"))
    codec: str = Field("", validation_alias="codec_name")
    profile: str = ""
    width: int = 0
    height: int = 0
    pix_fmt: str = ""
    sample_rate: int = 0
    channels: int = 0
    time_base: str = ""
    """`1/12800`."""
    extradata: str = Field("", validation_alias="extradata_hash")
    """Hash of the codec's set-up data: without the same, frames of one do not decode with the other's."""
    frame_rate: Annotated[Fraction, BeforeValidator(lambda rate: 0 if rate in ("", "0/0") else rate)] = Field(
        Fraction(0), validation_alias="avg_frame_rate"
    )
    """Frames a second on average; 0 when unknown."""
    duration: float | None = None
    """Seconds."""
    packets: int | None = Field(None, validation_alias="nb_read_packets")
    """As read from end to end; None when not counted."""

    @property
    def kind(self) -> str:
        """`video`, `audio`, `subtitle`; all else, also a cover picture, is `data`."""
        is_shown = self.codec_type in ("video", "audio", "subtitle") and not self.is_cover
        return self.codec_type if is_shown else "data"


class ProbeResult(_Document):
    """A media file: where it is, its seconds and its tracks."""

    path: Path
    duration: float = Field(gt=0, validation_alias=AliasPath("format", "duration"))
    streams: tuple[Stream, ...] = ()

    @model_validator(mode="after")
    def _has_tracks(self) -> "ProbeResult":
        if not (self.first("video") or self.first("audio")):
            raise ValueError("no tracks")
        if any(one.kind == "video" and not one.pix_fmt for one in self.streams):
            raise ValueError("not one frame could be decoded")
        return self

    def first(self, kind: str) -> Stream | None:
        """The first track of a kind."""
        return next((one for one in self.streams if one.kind == kind), None)


def probe(tools: Tools, path: Path, clock: Clock, *, count: bool = False, seconds: float = 60.0) -> ProbeResult:
    """Read the tracks of the MP4 or M4A file `path`; with `count` all of it, to count the packets.

    Raises `Unstitchable` when it is not such a file, damaged, or has neither video nor audio; see also `ffmpeg.run`.
    """
    counting = ["-count_packets"] if count else []
    wanted = ["-show_entries", ENTRIES, "-show_data_hash", "sha256", *counting, "-of", "json"]
    argv = [str(tools.ffprobe), "-hide_banner", "-v", "error", *wanted, *ONLY_FILES, "-f", "mov", f"file:{path}"]
    ran = run(tools, argv, clock=clock, seconds=seconds)
    if ran.failure:
        raise Unstitchable(f"{shown_output(path.name)}: unreadable: {ran.failure.replace(f'file:{path}: ', '')}")
    try:
        return ProbeResult.model_validate({**json.loads(ran.stdout), "path": path})
    except (ValueError, ZeroDivisionError) as cause:
        raise Unstitchable(f"{shown_output(path.name)}: no usable video or audio in it") from cause
