"""What is inside a media file, as ffprobe sees it."""

import json
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AliasPath, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from zoomsync.errors import Unstitchable
from zoomsync.media.ffmpeg import DECODING, ToolRun, Tools, run, shown_output
from zoomsync.model import Clock

WHITELIST = "file,pipe"
ONLY_FILES = ("-protocol_whitelist", WHITELIST)
"""Before every input: a file that names other places is not followed there."""
ENTRIES = (
    "stream=index,codec_type,codec_name,codec_tag_string,profile,width,height,pix_fmt,sample_aspect_ratio,"
    "sample_rate,channels,time_base,r_frame_rate,avg_frame_rate,start_time,duration,nb_read_packets,nb_read_frames,extradata_hash:"
    "stream_disposition=attached_pic:stream_side_data=rotation,displaymatrix:format=start_time,duration"
)
FASTEST = Fraction(60)
USUAL = Fraction(30)


def _ratio(text: object) -> object:
    """`4:3` and `30000/1001` as a fraction of that; what says nothing (`0/0`, `0:1`, `N/A`) as 0."""
    if isinstance(text, Fraction):
        return text
    found = re.fullmatch(r"(\d+)[:/](\d+)", str(text))
    return Fraction(int(found[1]), int(found[2])) if found and int(found[2]) else Fraction(0)


Ratio: TypeAlias = Annotated[Fraction, BeforeValidator(_ratio)]


class _Document(BaseModel):
    """A part of ffprobe's JSON, in which most numbers are texts and anything may be missing."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True, validate_by_name=True, validate_by_alias=True)


class _SideData(_Document):
    displaymatrix: str = ""
    rotation: int = 0


class Stream(_Document):
    """One track. What does not apply to its kind is 0 or empty."""

    index: int
    codec_type: str = ""
    is_cover: bool = Field(False, validation_alias=AliasPath("disposition", "attached_pic"))
    codec: str = Field("", validation_alias="codec_name")
    codec_tag: str = Field("", validation_alias="codec_tag_string")
    """Four letters of the file's own, also for what ffmpeg does not know: `tmcd`."""
    profile: str = ""
    width: int = 0
    height: int = 0
    pix_fmt: str = ""
    sample_aspect: Ratio = Field(Fraction(0), validation_alias="sample_aspect_ratio")
    side_data: tuple[_SideData, ...] = Field((), validation_alias="side_data_list")
    sample_rate: int = 0
    channels: int = 0
    time_base: str = ""
    """`1/12800`."""
    extradata: str = Field("", validation_alias="extradata_hash")
    """Hash of the codec's set-up data: without the same, frames of one do not decode with the other's."""
    densest_rate: Ratio = Field(Fraction(0), validation_alias="r_frame_rate")
    """The lowest rate that has a place for each frame; 0 when unknown, and up to the ticks of the time base."""
    average_rate: Ratio = Field(Fraction(0), validation_alias="avg_frame_rate")
    start: float = Field(0.0, validation_alias="start_time")
    """Seconds at which it begins in the file."""
    duration: float | None = None
    """Seconds."""
    packets: int | None = Field(None, validation_alias="nb_read_packets")
    """None when not counted."""
    frames: int | None = Field(None, validation_alias="nb_read_frames")
    """As decoded; None when not tried."""
    first: float | None = None
    """Seconds at which its first packet belongs, see `first_packet`; None if it was not asked for."""
    index_size: int = 0
    """Bytes of the tables that say how large its packets are and when they are shown; 0 if nobody looked."""

    @property
    def kind(self) -> str:
        """`video`, `audio`, `subtitle`; all else, also a cover picture, is `data`."""
        is_shown = self.codec_type in ("video", "audio", "subtitle") and not self.is_cover
        return self.codec_type if is_shown else "data"

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel by its height."""
        return self.sample_aspect or Fraction(1)

    @property
    def display_matrix(self) -> str:
        """By what players turn and flip the picture; empty: they show it as it is."""
        return next((one.displaymatrix for one in self.side_data if one.displaymatrix), "")

    @property
    def rotation(self) -> int:
        """Degrees by which they turn it."""
        return next((one.rotation for one in self.side_data if one.displaymatrix), 0)

    @property
    def end(self) -> float | None:
        """Seconds at which it ends in the file."""
        return None if self.duration is None else self.start + self.duration

    @property
    def frame_rate(self) -> Fraction:
        """Frames a second that lose none of them; if the file says nothing that can be meant, what is usual or more.

        A screen share is still for minutes, then moves: its average says nothing of that.
        """
        if 1 <= self.densest_rate <= 4 * FASTEST:
            return min(self.densest_rate, FASTEST)
        return min(max(self.average_rate, USUAL), FASTEST)

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height in square pixels as a player shows it, turned upright."""
        width = round(self.width * self.pixel_aspect)
        return (self.height, width) if self.rotation % 180 else (width, self.height)


class ProbeResult(_Document):
    """A media file: where it is, its seconds and its tracks."""

    path: Path
    start: float = Field(0.0, validation_alias=AliasPath("format", "start_time"))
    """Seconds at which the first of its tracks begins."""
    duration: float = Field(gt=0, validation_alias=AliasPath("format", "duration"))
    streams: tuple[Stream, ...] = ()

    @model_validator(mode="after")
    def _has_tracks(self) -> "ProbeResult":
        if not (self.first("video") or self.first("audio")):
            raise ValueError("no tracks")
        if any(one.kind == "video" and not one.pix_fmt for one in self.streams):
            raise ValueError("not one frame could be decoded")
        return self

    def of_kind(self, kind: str) -> tuple[Stream, ...]:
        """The tracks of a kind, in order."""
        return tuple(one for one in self.streams if one.kind == kind)

    def first(self, kind: str) -> Stream | None:
        """The first track of a kind."""
        return next(iter(self.of_kind(kind)), None)


def probe(tools: Tools, path: Path, clock: Clock, *, count: bool = False, seconds: float = 60.0) -> ProbeResult:
    """Read the tracks of the MP4 or M4A file `path`; with `count` all of it, to count the packets.

    Raises `Unstitchable` when it is not such a file, damaged, or has neither video nor audio; see also `ffmpeg.run`.
    """
    counting = ["-count_packets"] if count else []
    ran = _looked(tools, path, counting, clock, seconds=seconds)
    if ran.failure:
        raise Unstitchable(f"{shown_output(path.name)}: unreadable: {ran.failure.replace(f'file:{path}: ', '')}")
    if (found := _read(ran, path)) is None:
        raise Unstitchable(f"{shown_output(path.name)}: no usable video or audio in it")
    return found


def decodes(
    tools: Tools, path: Path, stretches: Sequence[tuple[float, float]], clock: Clock, *, seconds: float
) -> bool:
    """Whether in these stretches, in seconds, each packet of picture and sound becomes a frame, without a complaint.

    One process looks at all of them, at each from the keyframe before it on. See `ffmpeg.run` for what it raises.
    """
    where = ",".join(f"{begin:.3f}%{end:.3f}" for begin, end in stretches)
    counting = [*DECODING, "-count_frames", "-count_packets", "-read_intervals", where]
    ran = _looked(tools, path, counting, clock, seconds=seconds)
    if ran.code or ran.complaints or (found := _read(ran, path)) is None:
        return False
    return all(one.frames == one.packets for kind in ("video", "audio") for one in found.of_kind(kind))


def _looked(tools: Tools, path: Path, how: Sequence[str], clock: Clock, *, seconds: float) -> ToolRun:
    wanted = ["-show_entries", ENTRIES, "-show_data_hash", "sha256", *how, "-of", "json"]
    argv = [str(tools.ffprobe), "-hide_banner", "-v", "error", *wanted, *ONLY_FILES, "-f", "mov", f"file:{path}"]
    return run(tools, argv, clock=clock, seconds=seconds)


def _read(ran: ToolRun, path: Path) -> ProbeResult | None:
    """What ffprobe said; None if there is neither picture nor sound."""
    try:
        return ProbeResult.model_validate({**json.loads(ran.stdout), "path": path})
    except (ValueError, ZeroDivisionError):
        return None


def first_packet(tools: Tools, path: Path, index: int, clock: Clock, *, seconds: float) -> float | None:
    """Seconds at which the first packet of a track is to be heard or seen; what an encoder adds lies before its start.

    None: the file does not say. See `ffmpeg.run` for what it raises.
    """
    wanted = ["-select_streams", str(index), "-show_entries", "packet=pts_time", "-read_intervals", "%+#1"]
    argv = [str(tools.ffprobe), "-hide_banner", "-v", "error", *wanted, "-of", "csv=p=0", *ONLY_FILES]
    ran = run(tools, [*argv, "-f", "mov", f"file:{path}"], clock=clock, seconds=seconds)
    try:
        return float(ran.stdout.strip().rstrip(","))
    except ValueError:
        return None
