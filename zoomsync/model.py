"""The nouns of zoomsync: frozen values. Every time is timezone-aware UTC, every size is in bytes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class Secret:
    """A text that no output shows; `reveal()` reads it anew, so a rotated one is picked up."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read

    def reveal(self) -> str:
        """The text itself; raises what reading it raises (`ConfigError`)."""
        return self._read()

    def __repr__(self) -> str:
        return "Secret('…')"


class Clock(Protocol):
    """Time and the wish to end, passed in: only `cli.py` holds the real one. Shared by all threads."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC."""

    def monotonic(self) -> float:
        """Seconds for measuring spans."""

    def sleep(self, seconds: float) -> None:
        """Wait; raises `Stopped` as soon as the pass is to end."""

    def check(self) -> None:
        """Raise `Stopped` if the pass is to end; called in every long loop."""


class Kind(StrEnum):
    """What a file is for; the values are those of `recordings.files`."""

    VIDEO = "video"
    AUDIO = "audio"
    CAPTIONS = "captions"
    CHAT = "chat"
    TIMELINE = "timeline"
    SUMMARY = "summary"
    OTHER = "other"

    @property
    def is_media(self) -> bool:
        """Whether segments are told apart by files of this kind and stitched from them."""
        return self in (Kind.VIDEO, Kind.AUDIO)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A Zoom user. Pending ones have no id and record nothing."""

    id: str
    email: str
    first_name: str = ""
    last_name: str = ""
    status: str = "active"
    """`active`, `inactive` or `pending`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFile:
    """One entry of `recording_files`, identified by its GUID."""

    id: str
    """Zoom's GUID; where Zoom sends none, `noid-…` made from what it did send (never deletable)."""
    kind: Kind
    type: str
    """Zoom's `file_type` in upper case, e.g. MP4; an open set."""
    extension: str
    """Lower case, no dot, e.g. `mp4`."""
    view: str
    """Zoom's `recording_type`, e.g. `shared_screen_with_speaker_view`; `""` when absent."""
    size: int | None
    """As Zoom lists it; right for media, not always for text. None when it says none or 0."""
    start: datetime | None
    end: datetime | None
    processing: bool = False
    url: str = field(default="", repr=False, compare=False)
    """Where it is downloaded; a secret in effect: never stored, never logged. Empty: not in the cloud."""

    @property
    def label(self) -> str:
        """What a person calls it: its view, else its type."""
        return self.view or self.type.lower() or "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """One occurrence, identified by `uuid`. Topic, host and number can change or repeat: never keys."""

    uuid: str
    number: str
    """The meeting number, digits, or `""`."""
    host_id: str
    host_email: str
    """May be empty on a list of one user; filled in by who knows the user."""
    topic: str
    type: str
    """Zoom's meeting type as text; 5, 6 and 9 are webinars, 99 a portal upload."""
    start: datetime
    timezone: str
    """IANA name or `""`."""
    duration: int
    """Zoom's rounded minutes; 0 when short or running. Shown only."""
    files: tuple[RecordingFile, ...]
    auto_delete: datetime | None = None
    """When Zoom deletes it by itself, if it says so."""
    listed_at: datetime
    """When this description was read from Zoom."""
    download_token: Secret | None = field(default=None, compare=False, repr=False)
    """`download_access_token`, when read by uuid."""

    @property
    def size(self) -> int:
        """The bytes that Zoom lists for all its files together."""
        return sum(file.size or 0 for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The files of one stretch of recording; stop and start makes another."""

    start: datetime
    end: datetime
    files: tuple[RecordingFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that arrived whole in staging and was proven."""

    path: Path
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudFile:
    """A cloud file as it was fetched, and the stored file that contains it."""

    id: str
    kind: Kind
    type: str
    view: str
    start: datetime | None
    size: int | None
    """As Zoom listed it when it was fetched: what a later reading is compared with."""
    fetched_size: int
    sha256: str
    """Of the bytes as fetched."""
    stored: str
    """`StoredFile.name` of the file that contains it."""
    end: datetime | None = None
    extension: str = ""

    def as_listed(self) -> RecordingFile:
        """The file as Zoom listed it; without an address: it need not be in the cloud any more."""
        return RecordingFile(
            id=self.id,
            kind=self.kind,
            type=self.type,
            extension=self.extension,
            view=self.view,
            size=self.size,
            start=self.start,
            end=self.end,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """How a stored file looked on disk when its content was last verified."""

    mtime_ns: int
    inode: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One file of an item at the destination."""

    name: str
    """Relative to the item, `/`-separated; a versioned name after an update."""
    role: str
    """What it is in the item, stable over versions: `video`, `video.gallery_view`, `segments/1 chat_file` …"""
    size: int
    sha256: str
    made_of: tuple[str, ...]
    """Ids of the cloud files whose content went into it, in order."""
    offsets: tuple[float, ...] = ()
    """For a stitched video: where each segment begins in it, in seconds; as long as `made_of`."""
    stamp: Stamp | None = field(default=None, compare=False)
    """Kept in the state only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a destination returned for an item: the only thing against which a cloud file is deleted."""

    uuid: str
    destination: str
    """The destination's id (library: from its marker), never its path."""
    place: str
    """Where the item is; relative to the library, or the portal's media id. A hint: `find` is by uuid."""
    author: str
    files: tuple[StoredFile, ...]
    cloud: tuple[CloudFile, ...]

    def covers(self, file: RecordingFile) -> bool:
        """Whether this very cloud file (same id, listed size and start) is contained in a stored file."""
        stored = {one.name for one in self.files}
        return any(
            (one.id, one.size, one.start) == (file.id, file.size, file.start) and one.stored in stored
            for one in self.cloud
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """The destination's user under whom an item is published."""

    id: str
    """What the destination calls it (library: the folder's name)."""
    email: str
    note: str = ""
    """How it came about, for people: `exists`, `falls back to me`, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFile:
    """One file that the item is to have."""

    name: str
    """The wanted name in the item, e.g. `video.mp4` or `segments/1 gallery_view.mp4`."""
    role: str
    made_of: tuple[str, ...]
    source: Path | None
    """The staged file, which the destination may move away; None: keep the stored file of `role` as it is."""
    size: int
    sha256: str
    offsets: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Everything that is published for one meeting."""

    meeting: Meeting
    title: str
    folder: str
    """The item's folder name without its suffix: date, time and topic, already safe for a file system."""
    year: str
    draft: bool
    files: tuple[ItemFile, ...]
    cloud: tuple[CloudFile, ...]
    """`stored` holds the `ItemFile.name`; the destination maps it to the name it really gave."""
    metadata: Mapping[str, object]
    """JSON-ready, from an allow-list: no links, no passcodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the stored files of a receipt were just found whole."""

    safe: bool
    reason: str
    """`3 files, 1.2 GB, content verified`, or what is wrong."""
    receipt: Receipt
    """The receipt judged, with fresh stamps and the present place."""
    removed: bool = False
    """Whether a person removed or changed something (as against: could not be read now)."""


class Phase(StrEnum):
    """Where a meeting stands in the ledger."""

    WAITING = "waiting"
    SKIPPED = "skipped"
    PUBLISHED = "published"
    DELETED = "deleted"
    """Published, and every covered cloud file was deleted by us."""
    LOST = "lost"
    """Gone from the cloud before it was fetched."""
    REMOVED = "removed"
    """A person took it out of, or changed it in, the destination: left alone."""
    ERASED = "erased"
    """Erased on request: never fetched again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """What went wrong with one meeting, and when it is tried again."""

    tries: int
    """Failures that the meeting itself caused."""
    error: str
    hint: str
    at: datetime
    """When it last failed."""
    next_at: datetime | None
    """None: parked."""

    @property
    def is_parked(self) -> bool:
        """Whether it is not tried again by itself."""
        return self.next_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the state remembers of one meeting."""

    uuid: str
    number: str
    host_id: str
    host_email: str
    topic: str
    start: datetime
    phase: Phase
    reason: str
    """The sentence that `status` shows: why it is where it is."""
    first_seen: datetime
    changed_at: datetime
    due_at: datetime | None = None
    """Waiting: no question is worth asking before this."""
    auto_delete: datetime | None = None
    size: int = 0
    receipt: Receipt | None = None
    stored_at: datetime | None = None
    """When the last new file was stored: `delete_after` counts from here."""
    retry: Retry | None = None
    """A failed publication, also of late files of a published item."""
    refusal: Retry | None = None
    """A refused deletion."""
    deleted: Mapping[str, datetime] = field(default_factory=dict)
    """Ids of cloud files that we deleted, and when."""
    pending: tuple[str, ...] = ()
    """Published: what is still to come, in words (a caption that failed, …)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch of time that has not been listed completely yet, for all users or for one."""

    since: datetime
    until: datetime
    user: str | None = None
    """A user's id; None: all users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Written before a call that cannot be repeated; settled after its answer, or at the next start."""

    id: str
    """Made up by us: 32 hex digits."""
    at: datetime
    action: str
    """`delete`; later `create`, `invite`, …"""
    uuid: str
    target: str
    """What it is done to: for `delete` the cloud file's id."""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Who runs a pass, so that `status` can tell running from interrupted without a lock."""

    pid: int
    host: str
    started: str
    """The kernel's start time of the process, so that a reused pid is not taken for it; may be `""`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationStatus:
    """What was last known about the credentials."""

    zoom: str = "not checked yet"
    destination: str = "not checked yet"
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The record of one pass."""

    id: str
    """Eight hex digits; on every log line of the pass."""
    number: int
    started_at: datetime
    process: Process
    ended_at: datetime | None = None
    code: int | None = None
    """The exit code; None while it runs."""
    why: str = ""
    """What ended it, when something did."""
    narrowed: str = ""
    """How the pass was narrowed, in words; empty for a whole pass."""
    authorization: AuthorizationStatus = field(default_factory=AuthorizationStatus)
    counts: Mapping[str, int] = field(default_factory=dict)
    """`published`, `updated`, `deleted`, `waiting`, `skipped`, `failed`, `bytes`, `calls`, `downloads` …"""


MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
