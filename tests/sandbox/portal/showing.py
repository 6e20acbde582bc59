"""How media look in answers."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sandbox.portal.blobs import Blob
from tests.sandbox.portal.media import Catalogue, Media
from tests.sandbox.portal.people import People
from tests.sandbox.portal.settings import PortalSettings


class Showing:
    """Media as JSON."""

    def __init__(self, settings: PortalSettings, people: People, catalogue: Catalogue) -> None:
        self._settings = settings
        self._people = people
        self._catalogue = catalogue

    def id(self, own: str) -> int | str:
        """In the form that this portal gives to the ids of media and what belongs to them."""
        return int(own) if self._settings.ids == "numbers" else own

    def found(self, media: Media, parts: Collection[str]) -> dict[str, Any]:
        """As in the answer of a search, which may keep custom attributes to itself."""
        shown = self._entry(media, parts)
        if "customAttributes" in shown and self._settings.search_attributes == "empty":
            shown["customAttributes"] = []
        if self._settings.search_attributes == "none":
            shown.pop("customAttributes", None)
        return shown

    def _entry(self, media: Media, parts: Collection[str]) -> dict[str, Any]:
        """Custom attributes and tags only if they were asked for."""
        shown = self._basics(media) | self._times(media) | media.extra
        if "CustomAttributes" in parts:
            shown["customAttributes"] = [{"fieldName": key, "value": text} for key, text in media.attributes.items()]
        if "Tags" in parts:
            shown["tags"] = [{"id": self.id(self._catalogue.tag(name)), "name": name} for name in media.tags]
        return shown

    def whole(self, media: Media) -> dict[str, Any]:
        """As in the answer for one."""
        captions = [{"culture": one.culture, "fileName": one.file_name} for one in media.captions]
        handouts = [{"fileName": one.file_name, "size": one.blob.size} for one in media.handouts]
        whole = self._entry(media, ("CustomAttributes", "Tags")) | {"handouts": handouts}
        if self._settings.contents:
            return whole | {"content": [self._content(media, captions)]}
        return whole | {"isProcessed": self.is_processed(media), "captions": captions}

    def _content(self, media: Media, captions: list[dict[str, str]]) -> dict[str, Any]:
        """The object contentInfo (help article 17000110694), with a rendition beside the file that came."""
        is_processed = self.is_processed(media)
        files = [{"fileName": media.blob.file_name, "size": media.size}]
        files += [{"fileName": f"720p-{media.version}.mp4", "size": media.size // 2}] if is_processed else []
        urls = [{**one, "closedCaptionUrl": f"/captions/{media.id}/{one['fileName']}"} for one in captions]
        return {"id": self.id(media.id), "fileName": media.blob.file_name, "contentStorageId": media.blob.blob_id,
                "contentType": media.format.lower(), "isDeleted": media.content_is_deleted,
                "contentStatus": media.content_status or ("Completed" if is_processed else "SubmitForProcessing"),
                "contentDetails": {"closedCaptions": urls, "contentFiles": files}}  # fmt: skip

    def is_processed(self, media: Media) -> bool:
        """Whether transcoding has ended."""
        return media.processed is not None and media.processed <= self._settings.clock()

    def status(self, media: Media) -> str:
        """The state that it is in by now."""
        delay = self._settings.approval
        is_approved = delay is not None and media.created + timedelta(seconds=delay) <= self._settings.clock()
        return "Published" if media.status == "PendingForApproval" and is_approved else media.status

    def _basics(self, media: Media) -> dict[str, Any]:
        category = media.category and {
            "id": self.id(media.category),
            "name": self._catalogue.categories[media.category],
        }
        size = media.size + self._settings.size_error if media.shown_size is None else media.shown_size
        return {
            "id": self.id(media.id), "uuid": media.uuid, "title": media.title, "description": media.description,
            "author": self._author(media.author), "category": category, "size": size,
            "version": media.version + self._is_changed_by_itself(media),
            "status": self.status(media), "format": media.format,
            "estimatedDuration": duration(media.blob) if self.is_processed(media) else 0,
        }  # fmt: skip

    def _times(self, media: Media) -> dict[str, Any]:
        updated = media.updated
        if media.processed and self._is_changed_by_itself(media):
            updated = max(updated, media.processed)
        return {"defaultViewingAccess": "Private", "createdDate": _stamp(media.created),
                "updatedDate": _stamp(updated), "publishedOn": _stamp(media.published)}  # fmt: skip

    def _is_changed_by_itself(self, media: Media) -> bool:
        return self._settings.version_by_transcoding and self.is_processed(media)

    def _author(self, own: str) -> dict[str, Any]:
        user = self._people.users[own]
        return {"id": own if self._settings.ids == "strings" else int(own), "firstName": user.first_name,
                "lastName": user.last_name, "emailAddress": user.email}  # fmt: skip


def duration(blob: Blob) -> int:
    """Milliseconds, as the file's movie header near its beginning says; 0 where there is none."""
    head = blob.head
    place = head.find(b"mvhd") + 4
    if place < 4 or head[place]:  # no such header, or one of a version that small files do not have
        return 0
    scale, length = (int.from_bytes(head[at : at + 4], "big") for at in (place + 12, place + 16))
    return length * 1000 // scale if scale else 0


def _stamp(when: datetime | None) -> str | None:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if when else None
