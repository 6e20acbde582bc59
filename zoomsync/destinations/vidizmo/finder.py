"""Finds what the portal has of a meeting: media items by id, by the search, and what an earlier call may have made."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from zoomsync.destinations.vidizmo.client import UNLIKE, PortalClient, PortalRefused
from zoomsync.destinations.vidizmo.intents import IntentLog
from zoomsync.destinations.vidizmo.media import (
    GONE,
    STATES,
    MediaItem,
    read_attributes,
    read_media,
    shows_attached,
    text_of,
)
from zoomsync.destinations.vidizmo.operations import RECEIPT_ATTRIBUTE
from zoomsync.destinations.vidizmo.text import tag_of
from zoomsync.errors import Forbidden, MeetingFailed, OutcomeUnknown, Unreachable
from zoomsync.formatting import moment
from zoomsync.model import Intent, Role

PROBED = 5
"""How many media items are tried before it is said that none can be read."""


@dataclass(frozen=True, slots=True)
class Finder:
    """Looks for media items. Shared by all workers; every answer is fresh."""

    client: PortalClient
    intents: IntentLog
    uuid_attribute: str

    def read(self, media_id: str) -> MediaItem | None:
        """One media item; None: the portal does not show it, or says that it is purged."""
        found = self._shown(media_id)
        return None if found is None or found.status == GONE else found

    def read_all(self, ids: Iterable[str], uuid: str) -> dict[str, MediaItem]:
        """Those of a meeting's media items that are there, by id.

        Raises `MeetingFailed` if the search lists one that is not shown: no person did that.
        """
        found = {one: self._shown(one) for one in dict.fromkeys(ids)}
        if hidden := [one for one, media in found.items() if media is None]:
            self._require_unlisted(hidden, self._listed(uuid))
        return {one: media for one, media in found.items() if media is not None and media.status != GONE}

    def search(self, uuid: str) -> dict[str, MediaItem]:
        """Every media item of this meeting, in all states, by id; as far as the portal's index knows.

        Raises `MeetingFailed` for one that is listed and not shown: nobody can say whose it is.
        """
        found = {one: self._shown(one) for one in self._listed(uuid)}
        self._require_unlisted([one for one, media in found.items() if media is None], found)
        return {one: media for one, media in found.items() if media and media.status != GONE and media.uuid == uuid}

    def created(self, uuid: str, known: Collection[str] = ()) -> dict[str, MediaItem]:
        """The media items that earlier calls made and the ledger does not have yet, by id; `known` are those it has.

        Raises `OutcomeUnknown` while it cannot be known whether there is one.
        """
        made: dict[str, MediaItem] = {}
        for intent in self.intents.open("create", uuid=uuid):
            if media := self._made_by(intent, {*made, *known}):
                made[media.id] = media
        return made

    def whole(self, uuid: str, known: Collection[str]) -> dict[str, MediaItem]:
        """All media items of a meeting, by id: made by earlier calls, listed by the search, and those that are `known`.

        Raises as `created`, `search` and `require_receipts` do.
        """
        media = self.created(uuid, known) | self.search(uuid)
        require_receipts(one for one in media.values() if one.id not in known)
        for own in set(known).difference(media):
            if (found := self.read(own)) and found.uuid in ("", uuid):
                media[own] = found
        return media

    def does_show(self, kind: str) -> bool:
        """Whether one of the media items that the search lists shows by its name what zoomsync attached as this kind.

        If it does, then what a media item does not show is not there: it has no other name, and is in no other list.
        """
        answer, page = next(self.client.pages("media_search", keyword="", statuses=list(STATES)))
        unread = 0
        for one in page:
            try:
                media = self._shown(self.client.id(answer, "id", one))
            except (MeetingFailed, Forbidden, Unreachable):  # nobody asked for this one
                unread += 1
                if unread == PROBED:
                    return False
                continue
            if media is not None and shows_attached(media, kind):
                return True
        return False

    def _shown(self, media_id: str) -> MediaItem | None:
        try:
            answer = self.client.call("media_get", media=media_id)
        except PortalRefused as refused:
            if refused.is_gone:
                return None
            raise
        found = read_media(answer, self.uuid_attribute)
        if found.id.casefold() != media_id.casefold():
            message = f"portal: media_get: asked for media {media_id}, the answer is about {found.id}"
            hint = "destination.endpoints.media_get says how to read one"
            raise MeetingFailed(message, hint=hint, service="portal")
        return found

    def _listed(self, uuid: str) -> dict[str, None]:
        """The ids that the search has for a meeting, in its order, without those that it says are of another meeting.

        A uuid is full of what search languages take for operators: so the tag is searched for, too, and one of the
        two ways is enough.
        """
        listed: dict[str, None] = {}
        refused = 0
        for keyword in (uuid, tag_of(uuid)):
            try:
                for answer, page in self.client.pages("media_search", keyword=keyword, statuses=list(STATES)):
                    for one in page:
                        if text_of(read_attributes(answer, one), self.uuid_attribute) in ("", uuid):
                            listed[self.client.id(answer, "id", one)] = None
            except PortalRefused as error:
                refused += 1
                if error.status not in UNLIKE or refused == 2:
                    raise
        return listed

    def _require_unlisted(self, hidden: Iterable[str], listed: Collection[str]) -> None:
        hint = "a search may lag behind a removal; else destination.endpoints.media_get says how to read one"
        for one in hidden:
            if one in listed:
                message = f"portal: media_search lists media {one}, and media_get says that it is not there"
                raise MeetingFailed(message, hint=hint, service="portal")

    def _made_by(self, intent: Intent, others: Collection[str]) -> MediaItem | None:
        """What a call made; None: nothing, and then its intent is closed.

        Else it stays open until the ledger has the media item, and remembers that it was seen: one that is missing
        after that was removed.
        """
        made = intent.details.get("media", "")
        if made:
            found = self.read(made)
        else:
            media, role = self.search(intent.uuid).values(), Role.parse(intent.target)
            found = next((one for one in media if one.id not in others and _may_be(one, role)), None)
        if found is None and "seen" not in intent.details:
            if shown := self.intents.shows_from(intent):
                message = f"whether the portal made {intent.target} shows at {moment(shown)}"
                hint = "destination.index_lag says how long the portal's index may take"
                raise OutcomeUnknown(message, hint=hint, until=shown, service="portal")
            if made:
                self._require_reading(made)
                self._require_unlisted([made], self._listed(intent.uuid))
        if found is None:
            self.intents.settle(intent)
        elif "seen" not in intent.details:
            self.intents.learn(intent, media=found.id, seen="yes")
        return found

    def _require_reading(self, made: str) -> None:
        """Raise `MeetingFailed` unless `media_get` shows some media item that the search lists."""
        answer, page = next(self.client.pages("media_search", keyword="", statuses=list(STATES)))
        if all(self._shown(self.client.id(answer, "id", one)) is None for one in page[:PROBED]):
            message = f"portal: media {made} was made, and media_get does not show it"
            hint = "destination.endpoints.media_get says how to read one; it is not made a second time"
            raise MeetingFailed(message, hint=hint, service="portal")


def require_receipts(media: Iterable[MediaItem]) -> None:
    """Raise `MeetingFailed` for one without its part of the receipt: nothing else says what it contains."""
    hint = "restore the attribute, or delete the media in the portal: then the meeting is published again"
    for one in media:
        if one.receipt is None:
            message = f"media {one.id}: what it holds cannot be read from its attribute {RECEIPT_ATTRIBUTE}"
            raise MeetingFailed(message, hint=hint, service="portal")


def _may_be(media: MediaItem, role: Role) -> bool:
    """Whether its own content has this role; one that does not say it may have it."""
    if media.receipt is None:
        return True
    content = media.receipt.content
    return content is not None and content.role == role
