"""What the portal has of a meeting: media read by id, found by uuid, and those that an earlier call may have made."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from zoomsync.destinations.vidizmo import receipts
from zoomsync.destinations.vidizmo.client import UNLIKE, PortalClient, PortalRefused
from zoomsync.destinations.vidizmo.intents import IntentLog
from zoomsync.destinations.vidizmo.media import GONE, STATES, MediaItem, read_attributes, read_media, text_of
from zoomsync.destinations.vidizmo.operations import RECEIPT_ATTRIBUTE
from zoomsync.destinations.vidizmo.receipts import Held
from zoomsync.destinations.vidizmo.text import tag_of
from zoomsync.errors import MeetingFailed, OutcomeUnknown
from zoomsync.formatting import moment
from zoomsync.model import Intent, Role

PROBED = 5
"""How many media are tried before it is said that none can be read."""


class Finder:
    """Looks for media. Shared by all workers; every answer is fresh."""

    def __init__(self, portal: PortalClient, unanswered: IntentLog, *, uuid_attribute: str) -> None:
        self._portal = portal
        self._unanswered = unanswered
        self._uuid_attribute = uuid_attribute

    def read(self, media: str) -> MediaItem | None:
        """One media; None: the portal does not show it, or says that it is purged."""
        found = self._shown(media)
        return None if found is None or found.status == GONE else found

    def read_all(self, ids: Iterable[str], uuid: str) -> dict[str, MediaItem]:
        """Those of a meeting's media that are there, by id.

        Raises `MeetingFailed` when one is not shown that the search lists: that is nobody's deed.
        """
        found = {one: self._shown(one) for one in dict.fromkeys(ids)}
        self._require_unlisted([one for one, media in found.items() if media is None], uuid)
        return {one: media for one, media in found.items() if media is not None and media.status != GONE}

    def search(self, uuid: str) -> dict[str, MediaItem]:
        """Every media of this meeting, in all states, by id; as far as the portal's index knows.

        A uuid is full of what search languages take for operators: so the tag is searched for, too.
        Raises `MeetingFailed` for one that is listed and not shown.
        """
        found = {one: self._shown(one) for one in self._listed(uuid)}
        for one, media in found.items():
            if media is None:  # whose it is nobody can tell
                raise _inconsistent(one)
        return {
            one: media
            for one, media in found.items()
            if media is not None and media.status != GONE and self.is_of(media, uuid)
        }

    def is_of(self, media: MediaItem, uuid: str) -> bool:
        """Whether a media says that it is of this meeting."""
        return self.uuid_of(media) == uuid

    def uuid_of(self, media: MediaItem) -> str:
        """Of which meeting a media says that it is; empty: it does not say."""
        return media.attribute(self._uuid_attribute)

    def unanswered(self, uuid: str, stored: Collection[str] = ()) -> dict[str, MediaItem]:
        """The media that earlier calls made and the ledger does not know yet, by id; `stored` are those that it knows.

        Raises `Unsettled` while it cannot be known whether there is one.
        """
        made: dict[str, MediaItem] = {}
        for intent in self._unanswered.open("create", uuid=uuid):
            media = self._made_by(intent, {*made, *stored})
            if media is not None:
                made[media.id] = media
        return made

    def _shown(self, media: str) -> MediaItem | None:
        try:
            answer = self._portal.call("media_get", media=media)
        except PortalRefused as refused:
            if refused.status in (404, 410):
                return None
            raise
        return read_media(answer)

    def _listed(self, uuid: str) -> dict[str, None]:
        """The ids that the search has for a meeting, in its order; one of two ways is enough."""
        listed: dict[str, None] = {}
        refused = 0
        for keyword in (uuid, tag_of(uuid)):
            try:
                listed |= dict.fromkeys(self._entries(keyword, uuid))
            except PortalRefused as error:
                refused += 1
                if error.status not in UNLIKE or refused == 2:
                    raise
        return listed

    def _require_unlisted(self, hidden: Collection[str], uuid: str) -> None:
        listed = self._listed(uuid) if hidden else ()
        for media in hidden:
            if media in listed:
                raise _inconsistent(media)

    def _entries(self, keyword: str, uuid: str) -> Iterator[str]:
        """Ids from the search's answer, without what it says to be of another meeting; it need not say."""
        for answer, page in self._portal.pages("media_search", keyword=keyword, statuses=list(STATES)):
            for one in page:
                if text_of(read_attributes(answer, one), self._uuid_attribute) in ("", uuid):
                    yield self._portal.id(answer, "id", one)

    def _made_by(self, intent: Intent, others: Collection[str]) -> MediaItem | None:
        made = intent.details.get("media", "")
        if made:
            media = self.read(made)
            if media is not None or "seen" in intent.details:
                return self._kept(intent, media)
        else:
            found = [
                one
                for one in self.search(intent.uuid).values()
                if one.id not in others and _is(one, Role.parse(intent.target))
            ]
            if found:
                return self._kept(self._unanswered.learn(intent, media=found[0].id), found[0])
        shown = self._unanswered.shows_from(intent)
        if shown is not None:
            raise _unsettled(intent, shown)
        if made and not self._can_read():
            raise MeetingFailed(
                f"portal: media {made} was made, and media_get does not show it",
                hint="destination.endpoints.media_get says how to read one; it is not made a second time",
            )
        if made:
            self._require_unlisted([made], intent.uuid)
        return self._kept(intent, None)

    def _can_read(self) -> bool:
        """Whether `media_get` shows some media that the search lists."""
        answer, page = next(self._portal.pages("media_search", keyword="", statuses=list(STATES)))
        return any(self._shown(self._portal.id(answer, "id", one)) is not None for one in page[:PROBED])

    def _kept(self, intent: Intent, media: MediaItem | None) -> MediaItem | None:
        """The intent stays open until the ledger knows the media; without one it has come to nothing."""
        if media is None:
            self._unanswered.settle(intent)
        elif "seen" not in intent.details:
            self._unanswered.learn(intent, seen="yes")
        return media


def _inconsistent(media: str) -> MeetingFailed:
    return MeetingFailed(
        f"portal: media_search lists media {media}, and media_get says that it is not there",
        hint="a search may lag behind a removal; else destination.endpoints.media_get says how to read one",
    )


def fullest_first(media: Iterable[MediaItem]) -> list[MediaItem]:
    """In the order in which they count, should there be two of a kind: who holds more, then who came first."""

    def rank(one: MediaItem) -> tuple[int, int, str]:
        own = held_by(one)
        return (-len(own.files) if own is not None else 0, len(one.id), one.id)

    return sorted(media, key=rank)


def _is(media: MediaItem, role: Role) -> bool:
    kept = held_by(media)
    return kept is None or any(file.role == role and not receipts.manner_of(file) for file in kept.files)


def held_by(media: MediaItem) -> Held | None:
    """What a media says that it holds; None: it does not say, or not in whole."""
    return receipts.unpacked(media.attribute(RECEIPT_ATTRIBUTE), media.id)


def _unsettled(intent: Intent, shown: datetime) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"whether the portal made {intent.target} shows at {moment(shown)}",
        hint="destination.index_lag says how long the portal's index may take",
        until=shown,
    )
