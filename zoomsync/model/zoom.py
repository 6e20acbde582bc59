"""Zoom: its users, meetings and files, the segments that they make up, and the API itself as a pass uses it."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from zoomsync.model.runtime import Secret


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
        """Whether segments are distinguished by files of this kind, and stitched from them."""
        return self in (Kind.VIDEO, Kind.AUDIO)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A Zoom user. Pending ones have no id and record nothing."""

    id: str
    email: str
    first_name: str = ""
    last_name: str = ""
    status: str = "active"
    """`active`, `inactive` or `pending`; `not looked up`: Zoom does not say now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFile:
    """One entry of `recording_files`, identified by its GUID."""

    id: str
    """Zoom's GUID; if Zoom sends none, `noid-…` made from what it did send (never deletable)."""
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
    length: timedelta | None = None
    """How long it lasts if Zoom gives no end: as the meeting does, and once it was fetched as it plays."""
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
    def host(self) -> User:
        """Its host, as far as the meeting itself says."""
        return User(id=self.host_id, email=self.host_email, status="unknown")

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


class Arrival(StrEnum):
    """How a file came: what it proves depends on the size that Zoom lists."""

    ONCE = "once"
    TWICE = "twice"
    """Two times with the same bytes, and each time its end was announced."""
    OPEN = "open"
    """Two times with the same bytes, but nothing said where it ends: it may have been cut twice at the same place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that arrived in staging and was proven."""

    path: Path
    size: int
    sha256: str
    arrival: Arrival = Arrival.ONCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What came with a token."""

    scopes: frozenset[str]
    """What the app may do; empty: Zoom did not say."""
    server_date: datetime | None = None
    """Zoom's clock; None: Zoom did not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Every recording of one window of time."""

    meetings: tuple[Meeting, ...]
    """Each uuid once, in Zoom's order."""
    unreadable: tuple[str, ...] = ()
    """What Zoom lists but no meeting can be made of, in words: to be reported."""


class Zoom(Protocol):
    """Zoom's API. Every method raises `NotAuthorized` and `Unreachable`, and may be called from several threads."""

    over_at: float
    """By `Clock.monotonic()`: when no further page of a list is asked for, and `TimeOver` raised instead."""

    def authorize(self) -> Authorization:
        """Get a token."""

    def ping(self) -> None:
        """The reference question, which concerns no user and no meeting; returns if Zoom answers."""

    def users(self, status: str) -> list[User]:
        """All users with this status: `active`, `inactive` or `pending`."""

    def user(self, email: str) -> User | None:
        """The user with this address (or id); None: the account has none. Raises `UserFailed` if Zoom says neither."""

    def recordings(self, since: date, until: date, *, user: str | None) -> Listing:
        """Every recording that began from `since` to `until`, of a user (id or address) or of the account (None).

        It is complete, or this raises: `AccountListFailed`, and `ListingFailed` for a user.
        """

    def trash(self, user: str) -> Listing:
        """What of a user's (id or address) lies in Zoom's trash, without its files. Raises `ListingFailed`."""

    def meeting(self, uuid: str) -> Meeting | None:
        """The meeting as it is now; None: gone. Raises `StillProcessing`, and `MeetingFailed` if Zoom refuses it."""

    def delete_file(self, uuid: str, file_id: str, action: str) -> str:
        """Delete one file: to the `trash`, or for good (`delete`); returns Zoom's answer in words.

        Raises `DeletionRefused`. After `Unreachable` it is unknown whether the file was deleted.
        """
