"""What zoomsync makes at the portal: media and their attributes; each once."""

import logging
import re
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from zoomsync.destinations.vidizmo.client import PortalClient, PortalRefused
from zoomsync.destinations.vidizmo.finder import Finder
from zoomsync.destinations.vidizmo.intents import IntentLog
from zoomsync.destinations.vidizmo.media import DRAFT, PENDING, PUBLISHED, Handout, MediaItem
from zoomsync.destinations.vidizmo.operations import RECEIPT_ATTRIBUTE
from zoomsync.destinations.vidizmo.receipts import CAPTION, HANDOUT, Held, attached, ordered, packed, stored_as
from zoomsync.destinations.vidizmo.text import OTHER_FORMAT, description_of, format_of, portal_name, tag_of, title_of
from zoomsync.destinations.vidizmo.upload import Uploaded, Uploads
from zoomsync.destinations.vidizmo.verify import LONGEST_TRANSCODING, is_there, unseen
from zoomsync.errors import ConfigError, Forbidden, NotAuthorized, OutcomeUnknown, Unreachable
from zoomsync.model import Author, Clock, Intent, Item, ItemFile, Kind, StoredFile

log = logging.getLogger(__name__)

TRANSCODED_IN = timedelta(minutes=10)
"""When a portal that refuses captions before it has transcoded is asked again."""
_LANGUAGE = re.compile(rb"^Language:[ \t]*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)[ \t]*\r?$", re.MULTILINE)


class AttachmentWriter:
    """Attaches files to media. Shared by all workers.

    The portal shows of an attached file no more than its name, perhaps its size. So that it is ours is known by what is
    written down before the call: which bytes, under a name that was free.
    """

    def __init__(
        self, portal: PortalClient, uploads: Uploads, unanswered: IntentLog, clock: Clock, *, language: str
    ) -> None:
        self._portal = portal
        self._uploads = uploads
        self._unanswered = unanswered
        self._clock = clock
        self._language = language

    def attach(self, uuid: str, file: ItemFile, on: MediaItem, host: StoredFile) -> tuple[StoredFile, MediaItem]:
        """As captions where the media can have them, else as a handout: how it is stored, and the media with it.

        `host` is the media's own content. What an earlier call attached for this meeting is not attached again.
        """
        for earlier in self._earlier(uuid, file, on):
            return earlier, on
        culture = self._culture(file, on, host)
        if culture:
            try:
                return self._attached(uuid, file, on, host, culture)
            except (PortalRefused, Forbidden) as refused:
                if isinstance(refused, PortalRefused) and _is_about_upload(refused):
                    raise
                log.warning("media %s: %s is attached as a handout: %s", on.id, file.name, refused)
        return self._attached(uuid, file, on, host, "")

    def _attached(
        self, uuid: str, file: ItemFile, on: MediaItem, host: StoredFile, culture: str
    ) -> tuple[StoredFile, MediaItem]:
        """With a culture as captions, else as a handout."""
        taken = (on.captions or {}) if culture else [one.name for one in on.handouts or ()]
        place = attached(on.id, CAPTION if culture else HANDOUT)
        stored = replace(stored_as(file, place), name=_free_name(file.name, taken))
        name = portal_name(stored.name)
        uploaded = self._uploads.upload(file, name)
        intent = self._unanswered.begin(
            "attach", uuid=uuid, target=str(file.role), place=place, name=stored.name, sha256=file.sha256
        )
        try:
            self._call(intent, on, uploaded, culture)
        except PortalRefused as refused:
            if refused.status != 409:
                self._uploads.forget(file)
            self._wait_for_transcoding(intent, on, host, refused)
            raise
        if culture:
            return stored, replace(on, captions={**(on.captions or {}), name: culture})
        return stored, replace(on, handouts=(*(on.handouts or ()), Handout(name=name, size=file.size)))

    def _earlier(self, uuid: str, file: ItemFile, on: MediaItem) -> Iterator[StoredFile]:
        """The file as an earlier call attached it: the answer said so, or the media shows it."""
        for intent in self._unanswered.open("attach", uuid=uuid):
            known = intent.details
            stored = replace(stored_as(file, known["place"]), name=known["name"])
            on_it = known["place"].startswith(f"{on.id}/")
            if not on_it or (intent.target, known["sha256"]) != (str(file.role), file.sha256):
                continue
            is_shown = is_there(stored, {on.id: on})
            is_told = on.handouts is not None and on.captions is not None
            if "done" in known and not is_shown:
                raise unseen(stored, on.id)
            if is_shown and (is_told or "done" in known):
                yield stored

    def _wait_for_transcoding(self, intent: Intent, media: MediaItem, host: StoredFile, refused: PortalRefused) -> None:
        """Raise `Unsettled` where the portal refuses what it will take once it has transcoded; not for ever."""
        began = host.stamp.at if host.stamp is not None else self._unanswered.oldest(intent)
        if refused.status != 409 or media.processed is not False or self._clock.now() - began > LONGEST_TRANSCODING:
            return
        raise OutcomeUnknown(
            f"media {media.id} takes {portal_name(intent.details['name'])} once the portal has transcoded it",
            hint="the next pass tries again",
            until=self._clock.now() + TRANSCODED_IN,
        ) from refused

    def _culture(self, file: ItemFile, on: MediaItem, host: StoredFile) -> str:
        """The language in which a file is this media's captions; empty: it is none, or that language is taken."""
        is_track = file.role.kind == Kind.CAPTIONS and file.name.lower().endswith(".vtt")
        if not is_track or file.source is None or format_of(host.name) == OTHER_FORMAT:
            return ""
        culture = _language_of(file.source) or self._language
        return "" if culture in (on.captions or {}).values() else culture

    def _call(self, intent: Intent, media: MediaItem, uploaded: Uploaded, culture: str) -> None:
        try:
            if culture:
                self._portal.call("caption_add", media=media.id, culture=culture, **asdict(uploaded))
            else:
                self._portal.call("handout_add", media=media.id, **asdict(uploaded))
        except (PortalRefused, NotAuthorized):
            self._unanswered.settle(intent)
            raise
        self._unanswered.learn(intent, done="yes")


def _language_of(source: Path) -> str:
    """The language that captions say in their head; empty: they do not."""
    try:
        with source.open("rb") as file:
            head = re.split(rb"\r?\n\r?\n", file.read(2048), maxsplit=1)[0]
    except OSError:  # uploading it says what is wrong
        return ""
    found = _LANGUAGE.search(head)
    return found[1].decode() if found else ""


def _free_name(wanted: str, taken: Collection[str]) -> str:
    """`wanted`, or a further version of it where the media has another file of that name."""
    stem, dot, ending = wanted.rpartition(".")
    name, version = wanted, 1
    while portal_name(name) in taken:
        version += 1
        name = f"{stem}.v{version}{dot}{ending}"
    return name


def _is_about_upload(refused: PortalRefused) -> bool:
    return refused.status in (404, 410) or "blob" in refused.name.lower()


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

    def __init__(
        self, portal: PortalClient, uploads: Uploads, shelf: Finder, unanswered: IntentLog, manner: Manner
    ) -> None:
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

    def create(self, item: Item, file: ItemFile, author: Author) -> MediaItem:
        """Make a media of a staged file. Never twice: what is not known to have come to nothing stays written down."""
        uploaded = self._uploads.upload(file, portal_name(file.name))
        intent = self._unanswered.begin("create", uuid=item.meeting.uuid, target=str(file.role))
        try:
            answer = self._portal.call("media_create", **self._fields(item, file, author, uploaded))
        except PortalRefused as refused:
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
            raise OutcomeUnknown(
                f"the portal does not show media {intent.details['media']} yet, which it just made",
                hint="the next pass looks again",
                until=self._unanswered.shows_from(intent),
            )
        self._require_uuid(media, intent)
        self._unanswered.learn(intent, seen="yes")
        return media

    def _require_uuid(self, media: MediaItem, intent: Intent) -> None:
        """Else nothing that is made could be found again: so no pass makes more until this one is seen, or deleted."""
        if not self._shelf.is_of(media, intent.uuid):
            self._unanswered.learn(intent, mute="yes")
            raise Unreachable(
                f"portal: media_get: media {media.id} shows no {self._manner.uuid_attribute}, by which it is found",
                hint="another portal may have it elsewhere: see destination.endpoints.media_get.answer.attributes",
                service="portal",
            )

    def tell(self, media: MediaItem, uuid: str, own: Held, *, is_draft: bool = False) -> None:
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
            **asdict(uploaded),
        }

    def _attributes(self) -> set[str]:
        answer, found = self._portal.listed("attribute_list")
        return {answer.text("name", one) for one in found}

    def _make_attribute(self, name: str, is_shown: str) -> None:
        try:
            self._portal.call("attribute_create", field=name, displayable=is_shown, searchable=is_shown)
        except PortalRefused:
            if name not in self._attributes():  # else another one made it meanwhile
                raise


def is_about_upload(refused: PortalRefused) -> bool:
    """Whether the portal may mean that it does not know what was uploaded: then it is uploaded again."""
    return refused.status in (404, 410) or bool(re.search("(?i)blob|content|file", refused.name))


def _named(attributes: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    return {
        "attribute_names": [name for name, _ in attributes],
        "attribute_values": [value for _, value in attributes],
    }
