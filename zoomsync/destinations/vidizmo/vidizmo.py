"""The portal as a destination: items are media, found by the meeting's uuid in a custom attribute."""

from collections.abc import Iterable, Iterator

from zoomsync.destinations.vidizmo import held
from zoomsync.destinations.vidizmo.attaching import Attaching
from zoomsync.destinations.vidizmo.authors import Authors
from zoomsync.destinations.vidizmo.held import media_of
from zoomsync.destinations.vidizmo.judging import judge
from zoomsync.destinations.vidizmo.media import REJECTED, Media
from zoomsync.destinations.vidizmo.portal import Portal, Refused
from zoomsync.destinations.vidizmo.publication import Publication
from zoomsync.destinations.vidizmo.shelf import Shelf, fullest_first, held_by
from zoomsync.destinations.vidizmo.survey import Survey
from zoomsync.destinations.vidizmo.unanswered import Unanswered
from zoomsync.destinations.vidizmo.upload import Uploads
from zoomsync.destinations.vidizmo.writing import Writer
from zoomsync.errors import MeetingFailed, RemovedByPerson, Unreachable
from zoomsync.model import Author, Clock, CloudFile, Item, Receipt, StoredFile, Surveyed, User, Verdict
from zoomsync.operations import RECEIPT_ATTRIBUTE


class Vidizmo:
    """See `work.Destination`. What it makes is never replaced or deleted by it."""

    def __init__(
        self,
        portal: Portal,
        authors: Authors,
        shelf: Shelf,
        writer: Writer,
        attaching: Attaching,
        uploads: Uploads,
        survey: Survey,
        unanswered: Unanswered,
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

    def attach(self, *, dry_run: bool) -> None:
        """Sign in, find the category and what authors need: what is wrong there stops a pass before it begins."""
        self._portal.sign_in()
        try:
            self._writer.find_category()
            self._authors.ready()
        except Refused as refused:  # here it concerns every meeting
            raise Unreachable(str(refused), hint=refused.hint) from refused
        if not dry_run:
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

    def find(self, uuid: str) -> Receipt | None:
        """The receipt of what there is of a meeting, as its media tell it; None where there are none.

        Raises `Unsettled`, and `MeetingFailed` for a media that does not say what it holds.
        """
        shelf = self._shelf.unanswered(uuid)
        shelf |= self._shelf.search(uuid)
        _require_account(shelf.values())
        return self._told(uuid, shelf)

    def publish(self, item: Item, author: Author, previous: Receipt | None) -> Receipt:
        """Make the portal hold this item; see `Destination`.

        `previous` is what the state knows: given it, what is gone, rejected or altered is a person's wish and raises
        `RemovedByPerson`; without it, what the portal has of the meeting is taken, and what is missing is added.
        """
        known = previous if previous is not None and previous.destination == self.id else None
        stored = {media_of(file) for file in known.files} if known is not None else set()
        shelf = self._shelf.unanswered(item.meeting.uuid, stored)
        if known is None:
            shelf |= self._shelf.search(item.meeting.uuid)
        _require_account(shelf.values())
        if known is not None:
            shelf |= self._shelf.read_all(map(media_of, known.files), known.uuid)
            self._require_untouched(known, shelf)
        else:
            self._require_wanted(shelf, item.meeting.uuid)
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
        shelf = self._shelf.read_all(map(media_of, receipt.files), receipt.uuid)
        for media in shelf.values():
            if self._shelf.uuid_of(media) not in ("", receipt.uuid):
                return Verdict(safe=False, reason=f"media {media.id} is of another meeting now", receipt=receipt)
        return judge(receipt, shelf, self._clock.now())

    def _told(self, uuid: str, shelf: dict[str, Media]) -> Receipt | None:
        files: dict[str, StoredFile] = {}
        cloud: list[CloudFile] = []
        for media in fullest_first(shelf.values()):
            own = held_by(media) or held.Held(files=(), cloud=())
            new = [file for file in own.files if file.role not in files]
            files |= {file.role: file for file in new}
            cloud += [one for one in own.cloud if one.stored in {file.name for file in new}]
        if not files:
            return None
        whole = held.ordered(files.values(), cloud)
        place = media_of(whole.files[0])
        return Receipt(
            uuid=uuid,
            destination=self.id,
            place=place,
            author=shelf[place].author,
            files=whole.files,
            cloud=whole.cloud,
        )

    def _require_untouched(self, known: Receipt, shelf: dict[str, Media]) -> None:
        verdict = judge(known, shelf, self._clock.now())
        if verdict.removed:
            rejected = _rejected(shelf.values())
            hint = _anew(rejected[0], known.uuid) if rejected else _again(known.uuid)
            raise RemovedByPerson(f"media {known.place}: {verdict.reason}", hint=hint)

    def _require_wanted(self, shelf: dict[str, Media], uuid: str) -> None:
        for media in _rejected(shelf.values()):
            raise RemovedByPerson(
                f"media {media.id} was rejected in the portal",
                hint=_anew(media, uuid),
            )


def _rejected(shelf: Iterable[Media]) -> list[Media]:
    return [media for media in shelf if media.status == REJECTED]


def _require_account(shelf: Iterable[Media]) -> None:
    """What only a media itself can tell of must be told by it."""
    for media in shelf:
        if held_by(media) is None:
            raise MeetingFailed(
                f"media {media.id}: what it holds cannot be read from its attribute {RECEIPT_ATTRIBUTE}",
                hint="restore the attribute, or delete the media in the portal: then the meeting is published again",
            )


def _anew(rejected: Media, uuid: str) -> str:
    return f"approve media {rejected.id} there, or delete it and run `zoomsync sync --meeting {uuid}`"


def _again(uuid: str) -> str:
    return f"it is left alone; `zoomsync sync --meeting {uuid}` publishes it again"
