"""The operations on media: create, read, change, delete, captions and handouts."""

import math
import re
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any

from tests.sandbox.message import Answer, json_answer
from tests.sandbox.portal.blobs import Blob, Blobs
from tests.sandbox.portal.call import (
    Call,
    Check,
    Handler,
    Refused,
    checked,
    is_count,
    is_filled,
    is_id,
    is_text,
    is_value,
    list_of,
    object_of,
    one_of,
)
from tests.sandbox.portal.media import FORMATS, SENDABLE, Caption, Catalogue, Handout, Media
from tests.sandbox.portal.people import People, PortalUser
from tests.sandbox.portal.presetting import publish_settings, without_publish_settings
from tests.sandbox.portal.settings import PortalSettings
from tests.sandbox.portal.showing import Showing

REFERENCE = object_of({"id": is_id}, {"name": is_text})
CONTENT = {"fileGuid": is_filled, "fileName": is_filled}
SIZED = object_of({**CONTENT, "size": is_count})
CHANGEABLE: dict[str, Check] = {
    "title": is_filled,
    "description": is_text,
    "status": one_of(*SENDABLE),
    "author": object_of({"id": is_id}),
    "category": REFERENCE,
    "tags": list_of(object_of({"name": is_filled})),
    "customAttributes": list_of(object_of({"fieldName": is_filled, "value": is_value})),
}


class Mashups:
    """Media as a client makes and reads them."""

    def __init__(
        self, settings: PortalSettings, people: People, catalogue: Catalogue, blobs: Blobs, showing: Showing
    ) -> None:
        self._settings = settings
        self._people = people
        self._catalogue = catalogue
        self._blobs = blobs
        self._showing = showing
        self.overridden: list[tuple[str, str]] = []
        """Media id and path: publish settings that were sent though the admin did not set them."""

    def handlers(self) -> dict[str, Handler]:
        """By the name of the operation."""
        return {"media_create": self.create, "media_get": self.get, "media_update": self.update,
                "media_delete": self.delete, "caption_add": self.add_caption,
                "handout_add": self.add_handout}  # fmt: skip

    def create(self, call: Call) -> Answer:
        """A media of an upload that was committed."""
        document, extra = self._without_publish_settings(call.json())
        sent = checked(document, {"title": is_filled, "format": is_filled, "status": CHANGEABLE["status"],
                                   "author": CHANGEABLE["author"], "content": SIZED}, CHANGEABLE)  # fmt: skip
        blob = self._content(sent["content"])
        if sent["format"] != FORMATS.get(PurePath(blob.file_name).suffix.lower(), "Document"):
            raise Refused(400, "InvalidRequestException", f"format: {blob.file_name} is no {sent['format']}")
        now = self._settings.clock()
        media = Media(
            id="", title=sent["title"], description="", format=sent["format"], status="Drafted", blob=blob,
            author=call.caller.id, uploader=call.caller.id, created=now, updated=now, extra=extra,
            processed=self._processed(now),
        )  # fmt: skip
        self._change(media, sent, call.caller)
        media.id = self._catalogue.next_id()
        self._catalogue.media[media.id] = media
        self._flag(media, extra)
        return json_answer(self._showing.whole(media), status=201)

    def get(self, call: Call) -> Answer:
        """One media, whole."""
        return json_answer(self._showing.whole(self._find(call)))

    def update(self, call: Call) -> Answer:
        """Replace the parts that are named, and no others."""
        media = self._find(call)
        document, extra = self._without_publish_settings(call.json())
        sent = checked(document, {}, CHANGEABLE)
        named = {one.strip().lower() for one in call.request.query.get("parts", "").split(",")}
        if named != {name.lower() for name in (*sent, *(path for path in extra if "." not in path))}:
            raise Refused(400, "InvalidRequestException", "parts: not what the body holds")
        self._change(media, sent, call.caller)
        media.extra |= extra
        self._flag(media, extra)
        media.updated, media.version = self._settings.clock(), media.version + 1
        return json_answer(self._showing.whole(media))

    def delete(self, call: Call) -> Answer:
        """Gone for good; a search may find it a while longer."""
        media = self._find(call)
        media.status, media.deleted = "Purged", self._settings.clock()
        return json_answer({})

    def add_caption(self, call: Call) -> Answer:
        """A text track in WebVTT."""
        media = self._find(call)
        sent = call.fields({"culture": is_filled, "content": object_of(CONTENT)})
        if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", sent["culture"]):
            raise Refused(400, "InvalidRequestException", "culture: wrong value")
        blob = self._content(sent["content"])
        if not blob.head.removeprefix(b"\xef\xbb\xbf").startswith(b"WEBVTT"):
            raise Refused(400, "InvalidCaptionException", "not WebVTT")
        if media.format == "Document":
            raise Refused(400, "InvalidCaptionException", "a Document has no captions")
        self._is_ready(media)
        if self._settings.captions_replace:
            media.captions = [one for one in media.captions if one.culture != sent["culture"]]
        media.captions.append(Caption(culture=sent["culture"], file_name=blob.file_name, blob=blob))
        return json_answer({}, status=201)

    def add_handout(self, call: Call) -> Answer:
        """A file attached."""
        media = self._find(call)
        blob = self._content(call.fields({"content": SIZED})["content"])
        self._is_ready(media)
        media.handouts.append(Handout(file_name=blob.file_name, blob=blob))
        return json_answer({}, status=201)

    def _find(self, call: Call) -> Media:
        media = self._catalogue.media.get(call.arguments["id"])
        is_gone = media and (media.deleted or (media.status == "Purged" and self._settings.purged_is_missing))
        if media is None or is_gone:
            raise Refused(404, "MashupNotFoundException", f"{call.arguments['id']}: no such mashup")
        return media

    def _content(self, content: dict[str, Any]) -> Blob:
        blob = self._blobs.file(content["fileGuid"], content["fileName"])
        if content.get("size", blob.size) != blob.size:
            raise Refused(400, "InvalidRequestException", f"size: {blob.size} bytes were committed")
        return blob

    def _is_ready(self, media: Media) -> None:
        if self._settings.captions_wait and not self._showing.is_processed(media):
            raise Refused(409, "MashupNotProcessedException")

    def _change(self, media: Media, sent: dict[str, Any], caller: PortalUser) -> None:
        """All of it or nothing."""
        author = self._author(sent["author"]["id"], caller) if "author" in sent else media.author
        category = str(sent["category"]["id"]) if "category" in sent else media.category
        if category is not None and category not in self._catalogue.categories:
            raise Refused(400, "CategoryNotFoundException", f"{category}: no such category")
        attributes = {one["fieldName"]: one["value"] for one in sent.get("customAttributes", ())}
        if unknown := [name for name in attributes if self._catalogue.attribute(name) is None]:
            raise Refused(400, "CustomAttributeNotFoundException", *unknown)
        if wrong := [name for name, value in attributes.items() if not (is_text(value) or self._is_free(name))]:
            raise Refused(400, "InvalidRequestException", *(f"{name}: no text" for name in wrong))
        attributes = {name: self._fitting(name, value) for name, value in attributes.items()}
        media.author, media.category = author, category
        media.title, media.description = sent.get("title", media.title), sent.get("description", media.description)
        if "tags" in sent:
            media.tags = [one["name"] for one in sent["tags"]]
        if "customAttributes" in sent:
            media.attributes = attributes
        if "status" in sent:
            self._set_status(media, sent["status"], caller)

    def _is_free(self, name: str) -> bool:
        """Whether an attribute takes more than texts."""
        known = self._catalogue.attribute(name)
        return known is not None and known.type != "Text"

    def _fitting(self, name: str, value: Any) -> Any:
        """As it is kept: a text that is too long is refused, or cut."""
        most = self._settings.attribute_length
        if most is None or not isinstance(value, str) or len(value) <= most:
            return value
        if self._settings.attribute_cut:
            return value[:most]
        raise Refused(400, "InvalidRequestException", f"{name}: longer than {most} characters")

    def _processed(self, now: datetime) -> datetime | None:
        delay = self._settings.transcoding
        return None if delay is None or math.isinf(delay) else now + timedelta(seconds=delay)

    def _set_status(self, media: Media, status: str, caller: PortalUser) -> None:
        is_judged = self._settings.moderation and caller.is_moderated and status == "Published"
        media.status = "PendingForApproval" if is_judged else status
        media.published = self._settings.clock() if media.status == "Published" else None

    def _author(self, own: object, caller: PortalUser) -> str:
        user = self._people.users.get(str(own))
        if user is None or not user.is_active:
            raise Refused(400, "UserNotFoundException", f"author: {own} is no active user")
        if not user.may_upload:
            raise Refused(403, "AccessDeniedException", f"author: {user.email} may not upload")
        if user is not caller and not self._settings.publishes_for_others:
            raise Refused(403, "AccessDeniedException", "author: only the account that is signed in")
        return user.id

    def _without_publish_settings(self, document: Any) -> tuple[Any, dict[str, Any]]:
        """What is left, and the others by path."""
        extra = publish_settings(document)
        if self._settings.overriding == "refuse" and (own := self._not_set(extra)):
            raise Refused(400, "DefaultPublishSettingsException", *sorted(own))
        return without_publish_settings(document), extra

    def _not_set(self, extra: dict[str, Any]) -> list[str]:
        """Those that the admin did not set."""
        return [path for path in extra if path.rpartition(".")[2] not in self._settings.admin_fields]

    def _flag(self, media: Media, extra: dict[str, Any]) -> None:
        self.overridden += [(media.id, path) for path in self._not_set(extra)]
