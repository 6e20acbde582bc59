"""What the portal holds: media with their attributes, captions and handouts."""

import uuid as guids
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.sandbox.portal.blobs import Blob

STATUSES = ("Drafted", "PendingForApproval", "Published", "Rejected", "Purged")
SENDABLE = STATUSES[:3]
FORMATS = {".mp4": "Video", ".m4a": "Audio"}
"""The format that a file must be given by its ending; any other is a Document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A text track."""

    culture: str
    file_name: str
    blob: Blob


@dataclass(frozen=True, slots=True, kw_only=True)
class Handout:
    """A file attached to a media item."""

    file_name: str
    blob: Blob


@dataclass(kw_only=True)
class Attribute:
    """A custom attribute: it must be there before a media item can have it."""

    id: str
    field_name: str
    is_searchable: bool = True
    type: str = "Text"
    """Of any other, values need not be texts."""


@dataclass(kw_only=True)
class Media:
    """One mashup. A test may change any of it, as a person at the portal would."""

    id: str
    title: str
    description: str
    format: str
    status: str
    author: str
    """The id of a user."""
    blob: Blob
    created: datetime
    updated: datetime
    uuid: str = field(default_factory=lambda: str(guids.uuid4()))
    uploader: str = ""
    """The id of the user who was signed in."""
    category: str | None = None
    tags: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    captions: list[Caption] = field(default_factory=list)
    handouts: list[Handout] = field(default_factory=list)
    extra: dict[str, object] = field(default_factory=dict)
    """Viewing-access, download, comment and share fields that were sent."""
    version: int = 1
    processed: datetime | None = None
    """When transcoding ends; None: never."""
    published: datetime | None = None
    deleted: datetime | None = None
    shown_size: int | None = None
    """What the portal says instead of the true size."""
    content_status: str = ""
    """The contentStatus that a person gave it: `Deleted`, `Purged`."""
    content_is_deleted: bool = False
    """Its content lies in the recycle bin."""

    @property
    def blocks(self) -> list[str]:
        """Of the upload that it was made from, in order."""
        return self.blob.committed or []

    @property
    def content(self) -> bytes:
        """The bytes that arrived; for small ones, while the portal runs."""
        return self.blob.data

    @property
    def size(self) -> int:
        """Of what arrived."""
        return self.blob.size

    @property
    def sha256(self) -> str:
        """Of what arrived."""
        return self.blob.sha256


class Catalogue:
    """All media, attributes, categories and tags; each by id."""

    def __init__(self, ids: Iterator[int]) -> None:
        self.ids = ids
        self.media: dict[str, Media] = {}
        self.attributes: dict[str, Attribute] = {}
        self.categories: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        """Id by name."""

    def next_id(self) -> str:
        """One that was never used."""
        return str(next(self.ids))

    def add_category(self, name: str) -> str:
        """A new category; its id."""
        number = self.next_id()
        self.categories[number] = name
        return number

    def attribute(self, name: str) -> Attribute | None:
        """By its field name."""
        return next((one for one in self.attributes.values() if one.field_name == name), None)

    def tag(self, name: str) -> str:
        """The id of a tag, which is made on first use."""
        if name not in self.tags:
            self.tags[name] = self.next_id()
        return self.tags[name]

    def indexed(self, now: datetime, lag: float) -> list[Media]:
        """What a search knows now: neither the newest, nor that something was just deleted."""
        before = now - timedelta(seconds=lag)
        return [
            one for one in self.media.values() if one.created <= before and (not one.deleted or one.deleted > before)
        ]
