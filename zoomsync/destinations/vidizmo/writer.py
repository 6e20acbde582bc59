"""Writes to the portal: media items with their attributes, and what is attached to them; each once."""

import logging
import re
import threading
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoomsync.destinations.vidizmo.client import PortalClient, PortalRefused
from zoomsync.destinations.vidizmo.finder import Finder
from zoomsync.destinations.vidizmo.intents import IntentLog
from zoomsync.destinations.vidizmo.media import (
    CAPTION,
    DRAFT,
    HANDOUT,
    PENDING,
    PUBLISHED,
    Attributes,
    MediaItem,
    MediaReceipt,
    attached_as,
    media_of,
    packed,
    sorted_receipt,
)
from zoomsync.destinations.vidizmo.operations import RECEIPT_ATTRIBUTE
from zoomsync.destinations.vidizmo.text import OTHER_FORMAT, description_of, format_of, portal_name, tag_of, title_of
from zoomsync.destinations.vidizmo.upload import Uploaded, Uploads
from zoomsync.destinations.vidizmo.verify import LONGEST_TRANSCODING, is_there, not_shown
from zoomsync.errors import ConfigError, Forbidden, NotAuthorized, OutcomeUnknown, Unreachable
from zoomsync.files import open_file
from zoomsync.formatting import moment
from zoomsync.model import Author, Clock, Intent, Item, ItemFile, Kind, StoredFile
from zoomsync.naming import versions

if TYPE_CHECKING:
    from zoomsync.destinations.vidizmo.settings import VidizmoSettings

log = logging.getLogger(__name__)

NOTHING_MADE = (400, 404, 405, 410, 411, 413, 414, 415, 422)
"""Refusals after which nothing was made. Any other may come from something before the portal, which got the request."""
TRANSCODED_IN = timedelta(minutes=10)
"""When a portal that refuses captions before it has transcoded is asked again."""
_LANGUAGE = re.compile(rb"^Language:[ \t]*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)[ \t]*\r?$", re.MULTILINE)


@dataclass(slots=True)
class Writer:
    """Writes to the portal. Shared by all workers."""

    client: PortalClient
    uploads: Uploads
    finder: Finder
    intents: IntentLog
    clock: Clock
    settings: "VidizmoSettings"
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_prepared: bool = False
    _category: str | None = None
    _shown: dict[str, bool] = field(default_factory=dict)

    def find_category(self) -> None:
        """Find the category of new items, if there is to be one. Raises `ConfigError`."""
        wanted = self.settings.category
        if wanted is None:
            return
        ids = self.client.listed("category_list")
        if wanted not in ids and wanted not in ids.values():
            hint = f"it has: {', '.join(sorted(ids)) or 'none'}; correct the name, or make the category there"
            raise ConfigError(f"destination.category: the portal has no {wanted}", hint=hint)
        self._category = ids.get(wanted, wanted)

    def prepare(self) -> None:
        """Make sure, once, that the custom attributes exist, and that what earlier passes made shows them."""
        with self._lock:
            if self._is_prepared:
                return
            known = self.client.listed("attribute_list")
            for name, is_shown in ((self.settings.uuid_attribute, "true"), (RECEIPT_ATTRIBUTE, "false")):
                if name in known:
                    continue
                try:
                    self.client.call("attribute_create", field=name, displayable=is_shown, searchable=is_shown)
                except PortalRefused:
                    if name not in self.client.listed("attribute_list"):  # else somebody else made it meanwhile
                        raise
            for intent in self.intents.open("create", uuid=None):
                if "mute" in intent.details and (media := self.finder.read(intent.details["media"])) is not None:
                    self._require_uuid(media, intent)
            self._is_prepared = True

    def create(self, item: Item, file: ItemFile, author: Author) -> MediaItem:
        """Make a media item of a staged file, and never twice.

        Unless it is known that nothing was made, the intent stays open: the next pass looks for what was made.
        """
        uploaded = self.uploads.upload(file, portal_name(file.name))
        intent = self.intents.begin("create", uuid=item.meeting.uuid, target=str(file.role))
        try:
            answer = self.client.call("media_create", **self._fields(item, file, author, uploaded))
        except PortalRefused as refused:
            if refused.status in NOTHING_MADE:
                self.intents.settle(intent)
            else:
                self.intents.count_from_now(intent)
            # The portal may not know any more what was uploaded: then it is uploaded again.
            if refused.is_gone or re.search("(?i)blob|content|file", refused.name):
                self.uploads.forget(file)
            raise
        except (NotAuthorized, Unreachable):
            self.intents.count_from_now(intent)
            raise
        answer.required("id")
        intent = self.intents.learn(intent, media=self.client.id(answer, "id"))
        media = self.finder.read(intent.details["media"])
        if media is None:
            message = f"the portal does not show media {intent.details['media']} yet, which it just made"
            shown = self.intents.shows_from(intent)
            raise OutcomeUnknown(message, hint="the next pass looks again", until=shown, service="portal")
        self._require_uuid(media, intent)
        self.intents.learn(intent, seen="yes")
        return media

    def _fields(self, item: Item, file: ItemFile, author: Author, uploaded: Uploaded) -> dict[str, Any]:
        """No field for viewing, download, comments or shares: the portal's Default Publish Settings decide these."""
        # With moderation on, the portal itself makes "pending" of what a Contributor publishes:
        # https://help.vidizmo.com/en/support/solutions/articles/17000077716-understanding-content-moderation
        visible = PENDING if self.settings.moderation == "force-pending" else PUBLISHED
        own = sorted_receipt([file.as_stored()], [one for one in item.cloud if one.stored == file.name])
        return {
            "title": title_of(item, file.role),
            "description": description_of(item),
            "format": format_of(file.name),
            "status": DRAFT if item.draft else visible,
            "author": self.client.sent(author.id) if author.id else None,
            "category": self.client.sent(self._category) if self._category else None,
            "tags": [*self.settings.tags, tag_of(item.meeting.uuid)],
            **self._attributes(item.meeting.uuid, own),
            **asdict(uploaded),
        }

    def _attributes(self, uuid: str, receipt: MediaReceipt, others: Attributes = ()) -> dict[str, Any]:
        """Ours, beside the others that there are; by the names that operations have for them."""
        ours = {self.settings.uuid_attribute: uuid, RECEIPT_ATTRIBUTE: packed(receipt)}
        pairs = [(name, value) for name, value in others if name and name not in ours and value is not None]
        pairs += ours.items()
        return {"attribute_names": [name for name, _ in pairs], "attribute_values": [value for _, value in pairs]}

    def _require_uuid(self, media: MediaItem, intent: Intent) -> None:
        """Raise `Unreachable` if a new media item does not show its uuid: nothing could be found again.

        So no pass makes another one until this one shows it, or is deleted.
        """
        if media.uuid != intent.uuid:
            self.intents.learn(intent, mute="yes")
            name = self.settings.uuid_attribute
            message = f"portal: media_get: media {media.id} shows no {name}, by which it is found"
            hint = "another portal may have it elsewhere: see destination.endpoints.media_get.answer.attributes"
            raise Unreachable(message, hint=hint, service="portal")

    def write_receipt(self, media: MediaItem, uuid: str, receipt: MediaReceipt, *, is_draft: bool) -> None:
        """Write a media item's part of the receipt; its other attributes stay. `is_draft`: hide it from viewers."""
        self.client.call(
            "media_update",
            media=media.id,
            parts="CustomAttributes,Status" if is_draft else "CustomAttributes",
            status=DRAFT if is_draft else None,
            **self._attributes(uuid, receipt, media.attributes),
        )

    def attach(self, uuid: str, file: ItemFile, on: MediaItem, content: StoredFile) -> tuple[StoredFile, MediaItem]:
        """Attach a file as captions if the media item can have them, else as a handout; once.

        `content` is the media item's own content. Returns how the file is stored, and the media item with it. The
        portal shows the name of an attached file, perhaps its size. So it is known as ours by what is written down
        before the call: which bytes, under a name that was free.
        """
        if earlier := self._attached_earlier(uuid, file, on):
            return earlier, on
        culture = self._culture(file, on, content)
        if culture:
            try:
                return self._attach(uuid, file, on, content, culture)
            except (PortalRefused, Forbidden) as refused:
                if isinstance(refused, PortalRefused) and (refused.is_gone or "blob" in refused.name.lower()):
                    raise  # it is about the upload
                log.warning("media %s: %s is attached as a handout: %s", on.id, file.name, refused)
        return self._attach(uuid, file, on, content, "")

    def _attached_earlier(self, uuid: str, file: ItemFile, on: MediaItem) -> StoredFile | None:
        """The file as an earlier call attached it: the media item shows it; or the answer said so, if none is shown.

        None: no call did that, and each that tried is closed. Raises `OutcomeUnknown` while it may still show, and
        `MeetingFailed` if the portal took it and may have it all the same.
        """
        calls = [
            (intent, file.as_stored(name=intent.details["name"], place=intent.details["place"]))
            for intent in self.intents.open("attach", uuid=uuid)
            if (intent.target, intent.details["sha256"]) == (str(file.role), file.sha256)
        ]
        calls = [(intent, stored) for intent, stored in calls if media_of(stored) == on.id]
        for intent, stored in calls:
            if is_there(stored, {on.id: on}) and ("done" in intent.details or on.attached(stored) is not None):
                return stored
        for intent, stored in calls:
            name = portal_name(stored.name)
            if until := self.intents.shows_from(intent):
                message = f"whether media {on.id} has {name} shows at {moment(until)}"
                raise OutcomeUnknown(message, hint="the next pass looks again", until=until, service="portal")
            is_altered = name in (on.attached(stored) or ())
            if is_altered or ("done" in intent.details and not self._does_show(attached_as(stored))):
                raise not_shown(stored, on)
            self.intents.settle(intent)
        return None

    def _does_show(self, kind: str) -> bool:
        """Whether the portal is known to show what was attached as this kind: else what it does not show may be there.

        It is asked once in a pass.
        """
        with self._lock:
            if kind not in self._shown:
                self._shown[kind] = self.finder.does_show(kind)
            return self._shown[kind]

    def _attach(
        self, uuid: str, file: ItemFile, on: MediaItem, content: StoredFile, culture: str
    ) -> tuple[StoredFile, MediaItem]:
        """With a culture as captions, else as a handout."""
        place = f"{on.id}/{CAPTION if culture else HANDOUT}"
        taken = on.attached(file.as_stored(place=place)) or ()
        name = next(one for one in versions(file.name) if portal_name(one) not in taken)
        stored, shown = file.as_stored(name=name, place=place), portal_name(name)
        uploaded = asdict(self.uploads.upload(file, shown))
        known = {"place": place, "name": name, "sha256": file.sha256}
        intent = self.intents.begin("attach", uuid=uuid, target=str(file.role), **known)
        try:
            if culture:
                self.client.call("caption_add", media=on.id, culture=culture, **uploaded)
            else:
                self.client.call("handout_add", media=on.id, **uploaded)
        except NotAuthorized:
            self.intents.settle(intent)
            raise
        except Unreachable:
            self.intents.count_from_now(intent)
            raise
        except PortalRefused as refused:
            self.intents.settle(intent)
            if refused.status == 409:  # not documented: assumed
                self._require_transcoded(intent, on, content, refused)
            else:
                self.uploads.forget(file)
            raise
        self.intents.count_from_now(intent, done="yes")
        if culture:
            return stored, replace(on, captions={**(on.captions or {}), shown: culture})
        return stored, replace(on, handouts={**(on.handouts or {}), shown: file.size})

    def _require_transcoded(self, intent: Intent, on: MediaItem, content: StoredFile, refused: PortalRefused) -> None:
        """Raise `OutcomeUnknown` if the portal may refuse a file only until it has transcoded; not for ever."""
        began = content.stamp.at if content.stamp is not None else self.intents.oldest(intent)
        if on.processed is False and self.clock.now() - began <= LONGEST_TRANSCODING:
            message = f"media {on.id} takes {portal_name(intent.details['name'])} once the portal has transcoded it"
            until = self.clock.now() + TRANSCODED_IN
            raise OutcomeUnknown(message, hint="the next pass tries again", until=until, service="portal") from refused

    def _culture(self, file: ItemFile, on: MediaItem, content: StoredFile) -> str:
        """The language of a file that is to be this media item's captions; empty: it is none, or there are such."""
        is_track = file.role.kind == Kind.CAPTIONS and file.name.lower().endswith(".vtt")
        if not is_track or file.source is None or format_of(content.name) == OTHER_FORMAT:
            return ""
        culture = _language_of(file.source) or self.settings.language
        return "" if culture in (on.captions or {}).values() else culture


def _language_of(source: Path) -> str:
    """The language in the head of captions; empty: there is none."""
    try:
        with open_file(source) as file:
            head = re.split(rb"\r?\n\r?\n", file.read(2048), maxsplit=1)[0]
    except OSError:  # uploading it says what is wrong
        return ""
    found = _LANGUAGE.search(head)
    return found[1].decode() if found else ""
