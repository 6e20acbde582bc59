"""What a destination holds, and what it returned for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self

from pydantic import ConfigDict, with_config
from pydantic_core import CoreSchema, core_schema

from zoomsync.model.zoom import Arrival, Fetched, Kind, Meeting, RecordingFile

ORIGINAL = "original"
"""The kind of a file as fetched, kept beside what was made of it."""
_ORIGINAL = re.compile(r"segments/(0|[1-9][0-9]{0,8}) (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Role:
    """What a file is in its item, stable over versions of the file.

    It is written as `video`, `video.gallery_view`, `video.2`, `captions.cc.part-2`, and for an original as
    `segments/1 chat_file`. State, manifests and portals keep it in this form: `parse` and `str` are inverse, also for
    texts that no version wrote.
    """

    kind: str
    """`video`, `audio`, `captions`, `chat` …, or `ORIGINAL`."""
    words: tuple[str, ...] = ()
    """What tells it from others of its kind: its view, `2` for a segment's own video, `part-2`, `twin-2`."""
    segment: int | None = None
    """Of an original: the number of its segment, from 1."""

    @staticmethod
    @lru_cache(maxsize=1024)
    def parse(text: str) -> "Role":
        """The role that is written so."""
        if found := _ORIGINAL.fullmatch(text):
            return Role(ORIGINAL, tuple(found[2].split(".")), int(found[1]))
        kind, *words = text.split(".")
        return Role(kind, tuple(words))

    def __str__(self) -> str:
        if self.segment is not None:
            return f"segments/{self.segment} {'.'.join(self.words)}"
        return ".".join((self.kind, *self.words))

    @property
    def is_original(self) -> bool:
        """Whether it is a file as fetched, beside what was made of it."""
        return self.segment is not None

    @property
    def is_media(self) -> bool:
        """Whether it is a video or sound of the item, no original."""
        return self.kind in (Kind.VIDEO, Kind.AUDIO)

    @property
    def is_main(self) -> bool:
        """Whether it holds video or sound, or proves what does: an item without it is not whole."""
        return self.is_media or self.is_original

    @property
    def is_primary(self) -> bool:
        """Whether it is the video, or the sound, that spans the whole meeting."""
        return self.is_media and not self.words

    @property
    def is_part(self) -> bool:
        """Whether it came late and could not be joined with the file of its kind."""
        return any(word.startswith("part-") for word in self.words)

    def further(self, word: int | str) -> "Role":
        """One more of its kind: `video`, 2 → `video.2`."""
        return replace(self, words=(*self.words, str(word)))

    def is_within(self, other: Self) -> bool:
        """Whether it is `other` or one made from it by `further`, once or more often."""
        begin = self.words[: len(other.words)]
        return (self.kind, begin, self.segment) == (other.kind, other.words, other.segment)

    def is_single(self, whole: Self) -> bool:
        """Whether it is one segment of `whole`, as a file of its own: `video.2` of `video`."""
        return self.is_within(whole) and len(self.words) == len(whole.words) + 1 and self.words[-1].isdecimal()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> CoreSchema:
        """In documents a role is its text."""
        text = core_schema.str_schema()
        serialization = core_schema.to_string_ser_schema()
        return core_schema.no_info_after_validator_function(cls.parse, text, serialization=serialization)


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
    arrival: Arrival = Arrival.ONCE
    """How it came; receipts of earlier versions do not say, so they prove what came once."""

    @classmethod
    def of(cls, file: RecordingFile, fetched: Fetched, stored: str) -> "CloudFile":
        """A file as Zoom lists it and as it came; `stored` is the name of the file that contains it."""
        return cls(
            id=file.id,
            kind=file.kind,
            type=file.type,
            view=file.view,
            start=file.start,
            end=file.end,
            extension=file.extension,
            size=file.size,
            fetched_size=fetched.size,
            sha256=fetched.sha256,
            stored=stored,
            arrival=fetched.arrival,
        )

    @property
    def is_whole(self) -> bool:
        """Whether it is proven that all of it came, as each deletion asks for: the bytes that Zoom listed, or twice the
        same if Zoom listed no size.
        """
        is_measured = self.size == self.fetched_size
        is_alike = self.size is None and self.arrival is Arrival.TWICE
        return self.sha256 != "" and self.fetched_size > 0 and (is_measured or is_alike)

    @property
    def is_settled(self) -> bool:
        """Whether it need not be fetched again: it is whole, or it comes like that each time."""
        return self.is_whole or self.arrival is not Arrival.ONCE

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


@with_config(ConfigDict(extra="ignore"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """When a stored file was last verified, and how a portal described it then.

    In states of earlier versions it has what is not looked at any more: modification time and inode.
    """

    at: datetime
    version: str = ""
    """The portal's version of the media that holds it."""
    look: str = ""
    """A digest of what else the portal said of that media; of a file at a remote, the store's hash of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One file of an item at the destination."""

    name: str
    """Relative to the item, `/`-separated; a versioned name after an update."""
    role: Role
    size: int
    sha256: str
    made_of: tuple[str, ...]
    """Ids of the cloud files whose content went into it, in order."""
    offsets: tuple[float, ...] = ()
    """For a stitched video: where each segment begins in it, in seconds; as long as `made_of`."""
    place: str = ""
    """Where it is by itself, if items are no folders: the portal's media, and how it is attached to it."""
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

    def proof(self, file: RecordingFile) -> tuple[CloudFile, StoredFile] | None:
        """This very cloud file (same id, listed size and start) as it came whole, and the stored file that has it.

        Every deletion rests on this. None: nothing proves that the file is stored.
        """
        stored = {one.name: one for one in self.files}
        for one in self.cloud:
            is_same = (one.id, one.size, one.start) == (file.id, file.size, file.start)
            if is_same and one.is_whole and one.stored in stored:
                return one, stored[one.stored]
        return None

    def covers(self, file: RecordingFile) -> bool:
        """Whether this cloud file is stored and need not be fetched: less than a deletion asks for.

        A size or start that Zoom does not list (any more) says nothing against it.
        """
        stored = {one.name for one in self.files}
        return any(
            one.id == file.id
            and file.size in (None, one.size)
            and file.start in (None, one.start)
            and one.is_settled
            and one.stored in stored
            for one in self.cloud
        )


class AuthorSource(StrEnum):
    """How an author comes about."""

    PLAIN = "plain"
    NEW = "new"
    """The destination did not know the host: a user is made."""
    RAISED = "raised"
    """A user who may only look: made one who may publish."""
    FALLBACK = "fallback"
    """`me`, because the host cannot be the author."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """The destination's user under whom an item is published."""

    id: str
    """What the destination calls it (library: the folder's name)."""
    email: str
    note: str = ""
    """How it came about, for people: `exists`, `falls back to me`, …"""
    source: AuthorSource = AuthorSource.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFile:
    """One file that the item is to have."""

    name: str
    """The wanted name in the item, e.g. `video.mp4` or `segments/1 gallery_view.mp4`."""
    role: Role
    made_of: tuple[str, ...]
    source: Path | None
    """The staged file, flushed, which the destination may move away; None: keep the stored file of `role` as it is."""
    size: int
    sha256: str
    offsets: tuple[float, ...] = ()

    def as_stored(self, *, name: str = "", place: str = "") -> StoredFile:
        """The file once it is stored, under another name if one is given."""
        return StoredFile(
            name=name or self.name,
            role=self.role,
            size=self.size,
            sha256=self.sha256,
            made_of=self.made_of,
            offsets=self.offsets,
            place=place,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """One thing that a destination can be asked for, and whether it could be tried out."""

    name: str
    result: Literal["confirmed", "unchecked", "refused"]
    message: str
    hint: str = ""
    code: int = 0
    """Of what was refused: the exit code that it asks for."""


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
    altered: bool = False
    """Of that: whether something is there with other bytes. Nobody can tell a person's change from damage."""
    lacking: tuple[str, ...] = ()
    """The names of the stored files that are not there as they were stored."""
    passing: bool = False
    """Whether time alone mends what is wrong: the portal still transcodes."""
    silent: bool = False
    """Whether nothing speaks against it, but the destination does not say enough to prove it."""
    unread: bool = False
    """Whether it could not be read now, which says nothing of it."""
    hint: str = ""
    """The remedy, if the item could not be judged; `reason` then says where."""
