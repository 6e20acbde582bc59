"""The portal as a destination: items are media, found by the meeting's uuid in a custom attribute."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from zoomsync.destinations.base import Attachment
from zoomsync.destinations.vidizmo import receipts
from zoomsync.destinations.vidizmo.authors import PortalAuthors
from zoomsync.destinations.vidizmo.client import PortalClient, PortalRefused
from zoomsync.destinations.vidizmo.finder import Finder, fullest_first, held_by
from zoomsync.destinations.vidizmo.intents import IntentLog
from zoomsync.destinations.vidizmo.media import REJECTED, MediaItem
from zoomsync.destinations.vidizmo.operations import RECEIPT_ATTRIBUTE
from zoomsync.destinations.vidizmo.publisher import Publication
from zoomsync.destinations.vidizmo.receipts import media_of
from zoomsync.destinations.vidizmo.self_check import SelfCheck
from zoomsync.destinations.vidizmo.upload import Uploads
from zoomsync.destinations.vidizmo.verify import altered, judge
from zoomsync.destinations.vidizmo.writer import AttachmentWriter, Writer
from zoomsync.errors import MeetingFailed, RemovedByPerson, Unreachable
from zoomsync.model import Author, Clock, CloudFile, Item, Receipt, Role, Stamp, StoredFile, Surveyed, User, Verdict


class VidizmoDestination:
    """See `base.Destination`. What it makes is never replaced or deleted by it."""

    def __init__(
        self,
        portal: PortalClient,
        authors: PortalAuthors,
        shelf: Finder,
        writer: Writer,
        attaching: AttachmentWriter,
        uploads: Uploads,
        survey: SelfCheck,
        unanswered: IntentLog,
        clock: Clock,
        *,
        name: str,
    ) -> None:
        self._portal = portal
        self._authors = authors
        self._shelf = shelf
        self._writer = writer
        self._attaching = attaching
        self._uploads = uploads
        self._survey = survey
        self._unanswered = unanswered
        self._clock = clock
        self._id = name

    @property
    def id(self) -> str:
        """Host and tenant."""
        return self._id

    @property
    def last_change(self) -> None:
        """Not told: a portal does not count passes."""
        return None

    @property
    def can_replace(self) -> bool:
        """No: nothing is known that replaces a media's video."""
        return False

    def attach(self, attachment: Attachment) -> None:
        """Sign in, find the category and what authors need: what is wrong there stops a pass before it begins."""
        self._portal.sign_in()
        try:
            self._writer.find_category()
            self._authors.ready()
        except PortalRefused as refused:  # here it concerns every meeting
            raise refused.become(Unreachable) from refused
        if not attachment.dry_run:
            self._unanswered.tidy()

    def detach(self) -> None:
        """Begin no further upload, and end every connection."""
        self._uploads.close()
        self._portal.close()

    def check(self) -> str:
        """Sign in; nothing is written, since no operation is known that removes a probe."""
        self._portal.sign_in()
        return f"portal {self.id}, signed in as {self._portal.account.email}"

    def survey(self) -> Iterator[Surveyed]:
        """What each row of the table of operations is worth here."""
        return self._survey.rows()

    def author_for(self, host: User) -> Author:
        """The author under whom this host's items are published, made if need be."""
        return self._authors.author_for(host)

    def prospect(self, host: User) -> Author:
        """What `author_for` would come to; changes nothing."""
        return self._authors.prospect(host)

    def find(self, uuid: str, known: Receipt | None = None) -> Receipt | None:
        """The receipt of what there is of a meeting, as its media tell it; None where there are none.

        What is `known` is read too: a search may not list it yet, and a media may not say any more what it holds.
        Raises `Unsettled`, `RemovedByPerson` for one that was rejected, and `MeetingFailed` where nobody says what one
        holds.
        """
        known = self._ours(known)
        ours = _media(known)
        shelf = self._whole_shelf(uuid, ours)
        _require_wanted([media for media in shelf.values() if not ours or media.id in ours], uuid)
        return self._told(uuid, shelf, known)

    def publish(self, item: Item, author: Author, previous: Receipt | None, *, requested: bool = False) -> Receipt:
        """Make the portal hold this item; see `Destination`.

        `previous` is what the state knows: given it, what is gone, rejected or altered is a person's wish and raises
        `RemovedByPerson`; without it or when requested, what the portal has is taken, and what is missing is added.
        """
        uuid = item.meeting.uuid
        known = self._ours(previous)
        if known is None or requested:
            shelf = self._whole_shelf(uuid, _media(known))
            _require_wanted(shelf.values(), uuid)
            self._require_same(uuid, shelf, known)
        else:
            shelf = self._shelf.unanswered(uuid, _media(known))
            _require_account(shelf.values())
            shelf |= self._shelf.read_all(_media(known), uuid)
            self._require_untouched(known, shelf)
        self._writer.prepare()
        publication = Publication(
            item,
            author,
            known=known,
            shelf=shelf,
            writer=self._writer,
            attaching=self._attaching,
            looker=self._shelf,
            clock=self._clock,
            destination=self.id,
        )
        return publication.run()

    def verify(self, receipt: Receipt) -> Verdict:
        """Read every media of the receipt again; see `judge`. Raises what `Portal.call` raises."""
        if receipt.destination != self.id:
            said = f"stored in another destination ({receipt.destination})"
            return Verdict(safe=False, reason=said, receipt=receipt)
        shelf = self._shelf.read_all(_media(receipt), receipt.uuid)
        verdict = judge(receipt, shelf, self._clock.now())
        for media in shelf.values():
            own = self._shelf.uuid_of(media)
            if own not in ("", receipt.uuid):
                return Verdict(safe=False, reason=f"media {media.id} is of another meeting now", receipt=receipt)
            if not own and (verdict.safe or verdict.passing):
                where = "destination.endpoints.media_get.answer.attributes"
                fact = f"media {media.id}: the portal does not say of which meeting it is ({where})"
                verdict = Verdict(safe=False, reason=fact, receipt=receipt, silent=True)
        return verdict

    def _ours(self, known: Receipt | None) -> Receipt | None:
        """What the state knows, if it is of this portal."""
        return known if known is not None and known.destination == self.id else None

    def _require_same(self, uuid: str, shelf: dict[str, MediaItem], known: Receipt | None) -> None:
        """Raise `MeetingFailed` for a media whose content is not what was stored: nothing is known that replaces it."""
        receipt = self._told(uuid, shelf, known)
        for media, fact in altered(receipt, shelf) if receipt is not None else ():
            raise MeetingFailed(
                f"media {media.id}: {fact}",
                hint=f"compare them; to have Zoom's again, delete it there, then run `zoomsync sync --meeting {uuid}`",
            )

    def _whole_shelf(self, uuid: str, ours: set[str]) -> dict[str, MediaItem]:
        """All media of a meeting: made by earlier calls, listed by the search, and `ours`, which the state knows."""
        shelf = self._shelf.unanswered(uuid, ours)
        shelf |= self._shelf.search(uuid)
        _require_account(media for media in shelf.values() if media.id not in ours)
        for one in ours.difference(shelf):
            media = self._shelf.read(one)
            if media is not None and self._shelf.uuid_of(media) in ("", uuid):
                shelf[one] = media
        return shelf

    def _told(self, uuid: str, shelf: dict[str, MediaItem], known: Receipt | None) -> Receipt | None:
        """The state's media come first: a person may have copied one, with all that it says."""
        ours, stamps = _media(known), _stamps(known)
        files: dict[Role, StoredFile] = {}
        cloud: list[CloudFile] = []
        ranked = sorted(fullest_first(shelf.values()), key=lambda media: media.id not in ours)
        for own in [_account_of(media, known) for media in ranked]:
            new = [file for file in own.files if file.role not in files]
            files |= {file.role: replace(file, stamp=stamps.get((file.role, file.place))) for file in new}
            cloud += [one for one in own.cloud if one.stored in {file.name for file in new}]
        if not files:
            return None
        whole = receipts.ordered(files.values(), cloud)
        place = media_of(whole.files[0])
        return Receipt(
            uuid=uuid,
            destination=self.id,
            place=place,
            author=shelf[place].author,
            files=whole.files,
            cloud=whole.cloud,
        )

    def _require_untouched(self, known: Receipt, shelf: dict[str, MediaItem]) -> None:
        for media in shelf.values():
            if self._shelf.uuid_of(media) not in ("", known.uuid):
                raise RemovedByPerson(f"media {media.id} is of another meeting now", hint=_again(known.uuid))
        verdict = judge(known, shelf, self._clock.now())
        if verdict.removed:
            rejected = _rejected(shelf.values())
            hint = _anew(rejected[0], known.uuid) if rejected else _again(known.uuid)
            raise RemovedByPerson(f"media {known.place}: {verdict.reason}", hint=hint)


def _media(known: Receipt | None) -> set[str]:
    """The ids of the media of a receipt."""
    return {media_of(file) for file in known.files} if known is not None else set()


def _stamps(known: Receipt | None) -> dict[tuple[Role, str], Stamp | None]:
    """When each file of a receipt was looked at, by role and place."""
    return {(file.role, file.place): file.stamp for file in known.files} if known is not None else {}


def _account_of(media: MediaItem, known: Receipt | None) -> receipts.Held:
    """What a media says that it holds; what the state knows, where it says nothing of that."""
    own = held_by(media) or receipts.Held(files=(), cloud=())
    share = receipts.share_of(known, media.id) if known is not None else own
    is_ours = {one.id for one in own.cloud} & {one.id for one in share.cloud} or not share.files
    return own if is_ours else share


def _rejected(shelf: Iterable[MediaItem]) -> list[MediaItem]:
    return [media for media in shelf if media.status == REJECTED]


def _require_wanted(shelf: Iterable[MediaItem], uuid: str) -> None:
    for media in _rejected(shelf):
        raise RemovedByPerson(f"media {media.id} was rejected in the portal", hint=_anew(media, uuid))


def _require_account(shelf: Iterable[MediaItem]) -> None:
    """What only a media itself can tell of must be told by it."""
    for media in shelf:
        if held_by(media) is None:
            raise MeetingFailed(
                f"media {media.id}: what it holds cannot be read from its attribute {RECEIPT_ATTRIBUTE}",
                hint="restore the attribute, or delete the media in the portal: then the meeting is published again",
            )


def _anew(rejected: MediaItem, uuid: str) -> str:
    return f"approve or delete media {rejected.id} there, then run `zoomsync sync --meeting {uuid}`"


def _again(uuid: str) -> str:
    return (
        f"it is left alone; `zoomsync sync --meeting {uuid}` publishes it again, once what was altered is deleted there"
    )
