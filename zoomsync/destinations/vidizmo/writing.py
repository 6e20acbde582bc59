"""What zoomsync makes at the portal: media, captions, handouts, and their attributes; each once."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from zoomsync.destinations.vidizmo.describing import (
    description_of,
    format_of,
    portal_name,
    tag_of,
    title_of,
)
from zoomsync.destinations.vidizmo.held import ATTRIBUTE, Held, ordered, packed
from zoomsync.destinations.vidizmo.media import Media
from zoomsync.destinations.vidizmo.portal import Portal, Refused
from zoomsync.destinations.vidizmo.shelf import Shelf
from zoomsync.destinations.vidizmo.unanswered import Unanswered
from zoomsync.destinations.vidizmo.upload import Uploaded, Uploads
from zoomsync.errors import ConfigError, NotAuthorized, Unsettled
from zoomsync.model import Author, Clock, Item, ItemFile, StoredFile

DRAFT = "Drafted"
PENDING = "PendingForApproval"
PUBLISHED = "Published"
TRANSCODED_IN = timedelta(minutes=10)
"""When a portal that refuses captions before it has transcoded is asked again."""
_LANGUAGE = re.compile(rb"^Language:[ \t]*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)[ \t]*\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How items are published, from the config."""

    uuid_attribute: str = "ZoomMeetingUUID"
    category: str | None = None
    tags: tuple[str, ...] = ()
    force_pending: bool = False
    language: str = "en-US"
    """Of captions that do not say theirs."""

    def status(self, *, draft: bool) -> str:
        """The state in which an item is made. With moderation the portal may make another of it."""
        if draft:
            return DRAFT
        return PENDING if self.force_pending else PUBLISHED


class Writer:
    """Writes to the portal. Shared by all workers."""

    def __init__(
        self, portal: Portal, uploads: Uploads, shelf: Shelf, unanswered: Unanswered, manner: Manner, clock: Clock
    ) -> None:
        self._portal = portal
        self._uploads = uploads
        self._shelf = shelf
        self._unanswered = unanswered
        self._manner = manner
        self._clock = clock
        self._lock = threading.Lock()
        self._is_prepared = False
        self._category: str | None = None

    def prepare(self) -> None:
        """See to it that the custom attributes exist; once."""
        with self._lock:
            if self._is_prepared:
                return
            known = self._attributes()
            for name, is_shown in ((self._manner.uuid_attribute, "true"), (ATTRIBUTE, "false")):
                if name not in known:
                    self._make_attribute(name, is_shown)
            self._is_prepared = True

    def find_category(self) -> None:
        """Find the category of new items, if there is to be one. Raises `ConfigError`."""
        wanted = self._manner.category
        if wanted is None:
            return
        answer, found = self._portal.listed("category_list")
        ids = {answer.text("name", one): self._portal.id(answer, "id", one) for one in found}
        if wanted not in ids and wanted not in ids.values():
            names = ", ".join(sorted(ids)) or "none"
            raise ConfigError(f"destination.category: the portal has no {wanted}", hint=f"it has: {names}")
        self._category = ids.get(wanted, wanted)

    def create(self, item: Item, file: ItemFile, author: Author) -> Media:
        """Make a media of a staged file. Never twice: what is not known to have come to nothing stays written down."""
        uploaded = self._uploads.upload(file, portal_name(file.name))
        intent = self._unanswered.begin("create", uuid=item.meeting.uuid, target=file.role)
        try:
            answer = self._portal.call("media_create", **self._fields(item, file, author, uploaded))
        except (Refused, NotAuthorized) as refused:
            self._unanswered.settle(intent)
            if isinstance(refused, Refused) and re.search("(?i)blob|content|file", refused.name):
                self._uploads.forget(file)
            raise
        answer.required("id")
        intent = self._unanswered.learn(intent, media=self._portal.id(answer, "id"))
        media = self._shelf.read(intent.details["media"])
        if media is None:
            raise Unsettled(
                f"the portal does not show media {intent.details['media']} yet, which it just made",
                hint="the next pass looks again",
                until=self._unanswered.shows_from(intent),
            )
        self._unanswered.learn(intent, seen="yes")
        return media

    def caption(self, media: Media, file: ItemFile, name: str, culture: str) -> None:
        """Attach a text track."""
        uploaded = self._uploads.upload(file, name)
        self._attach("caption_add", media, uploaded, culture=culture)

    def handout(self, media: Media, file: ItemFile, name: str) -> None:
        """Attach a file."""
        self._attach("handout_add", media, self._uploads.upload(file, name))

    def tell(self, media: Media, uuid: str, own: Held, *, is_draft: bool = False) -> None:
        """Let a media say what it holds; its other attributes stay as they are. `is_draft`: nobody sees it any more."""
        attributes = {**media.attributes, self._manner.uuid_attribute: uuid, ATTRIBUTE: packed(own)}
        self._portal.call(
            "media_update",
            media=media.id,
            parts="CustomAttributes,Status" if is_draft else "CustomAttributes",
            status=DRAFT if is_draft else None,
            **_named(attributes),
        )

    def culture_of(self, source: Path) -> str:
        """The language that captions say in their head, or the configured one."""
        try:
            with source.open("rb") as file:
                head = re.split(rb"\r?\n\r?\n", file.read(2048), maxsplit=1)[0]
        except OSError:  # uploading it says what is wrong
            return self._manner.language
        found = _LANGUAGE.search(head)
        return found[1].decode() if found else self._manner.language

    def _attach(self, operation: str, media: Media, uploaded: Uploaded, **values: Any) -> None:
        try:
            self._portal.call(operation, media=media.id, **_content(uploaded), **values)
        except Refused as refused:
            if media.processed is not False:
                raise
            raise Unsettled(
                f"media {media.id} takes {uploaded.file_name} once the portal has transcoded it",
                hint="the next pass tries again",
                until=self._clock.now() + TRANSCODED_IN,
            ) from refused

    def _fields(self, item: Item, file: ItemFile, author: Author, uploaded: Uploaded) -> dict[str, Any]:
        own = ordered([stored_as(file, "")], [one for one in item.cloud if one.stored == file.name])
        return {
            "title": title_of(item, file.role),
            "description": description_of(item),
            "format": format_of(file.name),
            "status": self._manner.status(draft=item.draft),
            "author": self._portal.sent(author.id) if author.id else None,
            "category": self._portal.sent(self._category) if self._category else None,
            "tags": [*self._manner.tags, tag_of(item.meeting.uuid)],
            **_named({self._manner.uuid_attribute: item.meeting.uuid, ATTRIBUTE: packed(own)}),
            **_content(uploaded),
        }

    def _attributes(self) -> set[str]:
        answer, found = self._portal.listed("attribute_list")
        return {answer.text("name", one) for one in found}

    def _make_attribute(self, name: str, is_shown: str) -> None:
        try:
            self._portal.call("attribute_create", field=name, displayable=is_shown, searchable=is_shown)
        except Refused:
            if name not in self._attributes():  # else another one made it meanwhile
                raise


def stored_as(file: ItemFile, place: str) -> StoredFile:
    """A file of an item as it is stored there."""
    return StoredFile(
        name=file.name,
        role=file.role,
        size=file.size,
        sha256=file.sha256,
        made_of=file.made_of,
        offsets=file.offsets,
        place=place,
    )


def _named(attributes: Mapping[str, str]) -> dict[str, Any]:
    return {"attribute_names": [*attributes], "attribute_values": [*attributes.values()]}


def _content(uploaded: Uploaded) -> dict[str, Any]:
    return {"file_guid": uploaded.file_guid, "file_name": uploaded.file_name, "file_size": uploaded.file_size}
