"""What zoomsync makes at the portal: media and their attributes; each once."""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zoomsync.destinations.vidizmo.describing import (
    description_of,
    format_of,
    portal_name,
    tag_of,
    title_of,
)
from zoomsync.destinations.vidizmo.held import Held, ordered, packed, stored_as
from zoomsync.destinations.vidizmo.media import DRAFT, PENDING, PUBLISHED, Media
from zoomsync.destinations.vidizmo.portal import Portal, Refused
from zoomsync.destinations.vidizmo.shelf import Shelf
from zoomsync.destinations.vidizmo.unanswered import Unanswered
from zoomsync.destinations.vidizmo.upload import Uploaded, Uploads
from zoomsync.errors import ConfigError, NotAuthorized, Unreachable, Unsettled
from zoomsync.model import Author, Intent, Item, ItemFile
from zoomsync.operations import RECEIPT_ATTRIBUTE

PLAIN = (400, 404, 405, 410, 411, 413, 414, 415, 422)
"""Refusals after which nothing was made; what else is answered may come from something before the portal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How items are published, from the config."""

    uuid_attribute: str = "ZoomMeetingUUID"
    category: str | None = None
    tags: tuple[str, ...] = ()
    force_pending: bool = False

    def status(self, *, draft: bool) -> str:
        """The state in which an item is made. With moderation the portal may make another of it."""
        if draft:
            return DRAFT
        return PENDING if self.force_pending else PUBLISHED


class Writer:
    """Writes to the portal. Shared by all workers."""

    def __init__(self, portal: Portal, uploads: Uploads, shelf: Shelf, unanswered: Unanswered, manner: Manner) -> None:
        self._portal = portal
        self._uploads = uploads
        self._shelf = shelf
        self._unanswered = unanswered
        self._manner = manner
        self._lock = threading.Lock()
        self._is_prepared = False
        self._category: str | None = None

    def prepare(self) -> None:
        """See to it that the custom attributes exist, and are shown by what earlier passes made; once."""
        with self._lock:
            if self._is_prepared:
                return
            known = self._attributes()
            for name, is_shown in ((self._manner.uuid_attribute, "true"), (RECEIPT_ATTRIBUTE, "false")):
                if name not in known:
                    self._make_attribute(name, is_shown)
            for intent in self._unanswered.open("create", uuid=None):
                if "mute" in intent.details and (media := self._shelf.read(intent.details["media"])) is not None:
                    self._require_uuid(media, intent)
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
            hint = f"it has: {names}; correct the name, or make the category there"
            raise ConfigError(f"destination.category: the portal has no {wanted}", hint=hint)
        self._category = ids.get(wanted, wanted)

    def create(self, item: Item, file: ItemFile, author: Author) -> Media:
        """Make a media of a staged file. Never twice: what is not known to have come to nothing stays written down."""
        uploaded = self._uploads.upload(file, portal_name(file.name))
        intent = self._unanswered.begin("create", uuid=item.meeting.uuid, target=file.role)
        try:
            answer = self._portal.call("media_create", **self._fields(item, file, author, uploaded))
        except Refused as refused:
            if refused.status in PLAIN:
                self._unanswered.settle(intent)
            else:
                self._unanswered.unheard(intent)
            if is_about_upload(refused):
                self._uploads.forget(file)
            raise
        except (NotAuthorized, Unreachable):
            self._unanswered.unheard(intent)
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
        self._require_uuid(media, intent)
        self._unanswered.learn(intent, seen="yes")
        return media

    def _require_uuid(self, media: Media, intent: Intent) -> None:
        """Else nothing that is made could be found again: so no pass makes more until this one is seen, or deleted."""
        if not self._shelf.is_of(media, intent.uuid):
            self._unanswered.learn(intent, mute="yes")
            raise Unreachable(
                f"portal: media_get: media {media.id} shows no {self._manner.uuid_attribute}, by which it is found",
                hint="another portal may have it elsewhere: see destination.endpoints.media_get.answer.attributes",
            )

    def tell(self, media: Media, uuid: str, own: Held, *, is_draft: bool = False) -> None:
        """Let a media say what it holds; its other attributes stay as they are. `is_draft`: nobody sees it any more."""
        ours = {self._manner.uuid_attribute: uuid, RECEIPT_ATTRIBUTE: packed(own)}
        others = [one for one in media.attributes if one[0] and one[0] not in ours and one[1] is not None]
        self._portal.call(
            "media_update",
            media=media.id,
            parts="CustomAttributes,Status" if is_draft else "CustomAttributes",
            status=DRAFT if is_draft else None,
            **_named([*others, *ours.items()]),
        )

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
            **_named([(self._manner.uuid_attribute, item.meeting.uuid), (RECEIPT_ATTRIBUTE, packed(own))]),
            **uploaded.values(),
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


def is_about_upload(refused: Refused) -> bool:
    """Whether the portal may mean that it does not know what was uploaded: then it is uploaded again."""
    return refused.status in (404, 410) or bool(re.search("(?i)blob|content|file", refused.name))


def _named(attributes: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    return {
        "attribute_names": [name for name, _ in attributes],
        "attribute_values": [value for _, value in attributes],
    }
