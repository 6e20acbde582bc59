"""The portal as a destination: items are media items, found by the meeting's uuid in a custom attribute."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from zoomsync.destinations.base import Attachment, DestinationContext, Everything
from zoomsync.destinations.vidizmo.authors import PortalAuthors
from zoomsync.destinations.vidizmo.client import PortalClient, PortalRefused
from zoomsync.destinations.vidizmo.finder import Finder, require_receipts
from zoomsync.destinations.vidizmo.intents import IntentLog
from zoomsync.destinations.vidizmo.media import (
    REJECTED,
    MediaItem,
    MediaReceipt,
    fullest_first,
    media_of,
    media_receipt,
    sorted_receipt,
)
from zoomsync.destinations.vidizmo.publisher import Publisher
from zoomsync.destinations.vidizmo.self_check import SelfCheck
from zoomsync.destinations.vidizmo.upload import Uploads
from zoomsync.destinations.vidizmo.verify import altered, is_there, judge, stamped
from zoomsync.destinations.vidizmo.writer import Writer
from zoomsync.errors import MeetingFailed, RemovedByPerson, Unreachable
from zoomsync.http import Http
from zoomsync.model import Author, CloudFile, Item, Receipt, Role, StoredFile, Surveyed, User, Verdict

if TYPE_CHECKING:
    from zoomsync.destinations.vidizmo.settings import VidizmoSettings


class VidizmoDestination:
    """See `base.Destination`. What it makes is never replaced or deleted by it."""

    last_change = None
    """Not known: a portal does not count passes."""
    can_replace = False
    """No operation is known that replaces the video of a media item."""

    def __init__(self, settings: "VidizmoSettings", context: DestinationContext) -> None:
        """Nothing is sent yet."""
        self.id = settings.id
        self._settings = settings
        self._clock = clock = context.clock
        http = Http(name="portal", clock=clock, rate=None, tries=context.tries)
        self._client = client = PortalClient(http, settings)
        self._intents = intents = IntentLog(context.intents, clock, context.new_id, settings.id, settings.index_lag)
        self._finder = finder = Finder(client, intents, settings.uuid_attribute)
        self._uploads = uploads = Uploads(client, clock, context.new_id)
        self._writer = Writer(client, uploads, finder, intents, clock, settings)
        self._authors = PortalAuthors(client, intents, settings, context)

    def attach(self, attachment: Attachment) -> None:
        """Sign in, find the category and what authors need: what is wrong there stops a pass before it begins."""
        self._client.sign_in()
        try:
            self._writer.find_category()
            self._authors.ready()
        except PortalRefused as refused:  # here it concerns every meeting
            raise refused.become(Unreachable) from refused
        if not attachment.dry_run:
            self._intents.tidy()

    def detach(self) -> None:
        """Begin no further upload, and end every connection."""
        self._uploads.close()
        self._client.http.close()

    def ping(self) -> None:
        """Sign in again."""
        self._client.sign_in(stale=self._client.sign_in())

    def check(self) -> str:
        """Sign in; nothing is written, since no operation is known that removes a probe."""
        self._client.sign_in()
        return f"portal {self.id}, signed in as {self._settings.email}"

    def survey(self) -> Iterator[Surveyed]:
        """What each row of the table of operations is worth here."""
        return SelfCheck(self._client, self._authors.users, self._settings).rows()

    def author_for(self, host: User) -> Author:
        return self._authors.author_for(host)

    def prospect(self, host: User) -> Author:
        return self._authors.prospect(host)

    def find(self, uuid: str, known: Receipt | None = None) -> Receipt | None:
        """What is `known` is read too: a search may not list it yet, and a media item may have lost its attribute.

        Raises also `RemovedByPerson` for one that was rejected, and `MeetingFailed` for one whose receipt nobody has.
        """
        known = known if known is not None and known.destination == self.id else None
        ours = _media_ids(known)
        media = self._finder.whole(uuid, ours)
        self._require_not_rejected([one for one in media.values() if not ours or one.id in ours], uuid)
        return self._receipt(uuid, media, known)

    def everything(self, after: str = "") -> Everything:
        """None: a portal is no library that could be adopted."""
        del after
        yield from ()

    def publish(self, item: Item, author: Author, previous: Receipt | None, *, requested: bool = False) -> Receipt:
        """If the state does not know it, or a person requested it, what the portal has is taken, and the rest added."""
        uuid = item.meeting.uuid
        known = previous if previous is not None and previous.destination == self.id else None
        if known is None or requested:
            media = self._finder.whole(uuid, _media_ids(known))
            self._require_not_rejected(media.values(), uuid)
            self._require_unaltered(uuid, media, known)
        else:
            media = self._finder.created(uuid, _media_ids(known))
            require_receipts(media.values())
            media |= self._finder.read_all(_media_ids(known), uuid)
            self._require_untouched(known, media)
        self._writer.prepare()
        publisher = Publisher(
            item=item, author=author, known=known, media=media, writer=self._writer, destination=self.id
        )
        return publisher.publish()

    def verify(self, receipt: Receipt) -> Verdict:
        """Read every media item of the receipt again; see `judge`. Raises what `PortalClient.call` raises."""
        if receipt.destination != self.id:
            reason = f"stored in another destination ({receipt.destination})"
            return Verdict(safe=False, reason=reason, receipt=receipt)
        media = self._finder.read_all(_media_ids(receipt), receipt.uuid)
        return judge(receipt, media, self._clock.now())

    def to_download(self, receipt: Receipt) -> int:
        """Nothing: no media is read."""
        del receipt
        return 0

    def _receipt(self, uuid: str, media: dict[str, MediaItem], known: Receipt | None) -> Receipt | None:
        """The state's media items come first: a person may have copied one, with its attributes."""
        ours = _media_ids(known)
        stamps = {(file.role, file.place): file.stamp for file in (known.files if known is not None else ())}
        files: dict[Role, StoredFile] = {}
        cloud: list[CloudFile] = []
        for one in sorted(fullest_first(media.values()), key=lambda one: one.id not in ours):
            own = _receipt_of(one, known)
            new = [
                file
                for file in own.files
                if file.role not in files and (known is None or file in known.files or is_there(file, media))
            ]
            for file in new:
                stamp = stamps.get((file.role, file.place))
                files[file.role] = (
                    stamped(file, one, self._clock.now()) if stamp is None else replace(file, stamp=stamp)
                )
            cloud += [each for each in own.cloud if each.stored in {file.name for file in new}]
        if not files:
            return None
        whole = sorted_receipt(files.values(), cloud)
        place = media_of(whole.files[0])
        author = media[place].author
        return Receipt(uuid=uuid, destination=self.id, place=place, author=author, files=whole.files, cloud=whole.cloud)

    def _require_not_rejected(self, media: Iterable[MediaItem], uuid: str) -> None:
        for one in media:
            if one.status == REJECTED:
                message = f"media {one.id} was rejected in the portal"
                raise RemovedByPerson(message, hint=_approve(one, uuid), service="portal")

    def _require_unaltered(self, uuid: str, media: dict[str, MediaItem], known: Receipt | None) -> None:
        """Raise `MeetingFailed` for a media item whose content is not what was stored: no call can replace it."""
        receipt = self._receipt(uuid, media, known)
        for one, fact in altered(receipt, media) if receipt is not None else ():
            hint = f"compare them; to have Zoom's again, delete it there, then run `zoomsync sync --meeting {uuid}`"
            raise MeetingFailed(f"media {one.id}: {fact}", hint=hint, service="portal")

    def _require_untouched(self, known: Receipt, media: dict[str, MediaItem]) -> None:
        """Raise `RemovedByPerson` if something of what the state knows is gone, altered, or of another meeting now."""
        again = f"`zoomsync sync --meeting {known.uuid}` publishes it again"
        hint = f"it is left alone; {again}, once what was altered is deleted there"
        for one in media.values():
            if one.uuid not in ("", known.uuid):
                raise RemovedByPerson(f"media {one.id} is of another meeting now", hint=hint, service="portal")
        verdict = judge(known, media, self._clock.now())
        if verdict.removed:
            rejected = next((one for one in media.values() if one.status == REJECTED), None)
            hint = hint if rejected is None else _approve(rejected, known.uuid)
            raise RemovedByPerson(f"media {known.place}: {verdict.reason}", hint=hint, service="portal")


def _media_ids(receipt: Receipt | None) -> Collection[str]:
    """Of a receipt."""
    return {media_of(file) for file in receipt.files} if receipt is not None else set()


def _receipt_of(media: MediaItem, known: Receipt | None) -> MediaReceipt:
    """The media item's own part of the receipt; the state's, if it has none, or one of something else."""
    own = media.receipt or MediaReceipt(files=(), cloud=())
    part = media_receipt(known, media.id) if known is not None else own
    is_ours = {one.id for one in own.cloud} & {one.id for one in part.cloud} or not part.files
    return own if is_ours else part


def _approve(rejected: MediaItem, uuid: str) -> str:
    return f"approve or delete media {rejected.id} there, then run `zoomsync sync --meeting {uuid}`"
