"""One publication: what the portal has of an item, what it lacks, and the receipt that comes of it.

Killed at any instant and run again, it goes on: whatever it made says itself what it holds, and is found again.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from zoomsync.destinations.vidizmo import receipts
from zoomsync.destinations.vidizmo.client import PortalRefused
from zoomsync.destinations.vidizmo.finder import Finder, fullest_first, held_by
from zoomsync.destinations.vidizmo.media import MediaItem
from zoomsync.destinations.vidizmo.receipts import manner_of, media_of, share_of, stored_as
from zoomsync.destinations.vidizmo.text import host_role
from zoomsync.destinations.vidizmo.verify import is_there, stamped, unseen
from zoomsync.destinations.vidizmo.writer import AttachmentWriter, Writer
from zoomsync.errors import Forbidden, MeetingFailed, PartlyStored
from zoomsync.model import Author, Clock, CloudFile, Item, ItemFile, Receipt, Role, StoredFile

log = logging.getLogger(__name__)


class Publication:
    """Makes the portal hold one item. `shelf` is what it has of the meeting now, `known` what the state knows."""

    def __init__(
        self,
        item: Item,
        author: Author,
        *,
        known: Receipt | None,
        shelf: Mapping[str, MediaItem],
        writer: Writer,
        attaching: AttachmentWriter,
        looker: Finder,
        clock: Clock,
        destination: str,
    ) -> None:
        self._item = item
        self._author = author
        self._known = known
        self._shelf = dict(shelf)
        self._writer = writer
        self._attaching = attaching
        self._looker = looker
        self._clock = clock
        self._destination = destination
        self._stored: list[StoredFile] = []
        self._cloud: list[CloudFile] = []
        self._changed: set[str] = set()
        self._lacking: dict[str, MeetingFailed] = {}

    def run(self) -> Receipt:
        """Add what is missing, let each media say what it holds, read again what was changed.

        Raises `PartlyStored` when the portal did not take something that belongs to a video.
        """
        self._take_stock()
        receipt = self._concluded(self._added([self._as_stored(file) for file in self._in_order()]))
        for problem in self._lacking.values():
            raise PartlyStored(
                str(problem), hint=problem.hint, service="portal", receipt=receipt, lacking=self._lacking
            )
        return receipt

    def _take_stock(self) -> None:
        """What there is, by the media's own account; what the state knows comes first where both tell of a role."""
        known = self._known
        if known is not None:
            self._stored += known.files
            self._cloud += known.cloud
        for media in fullest_first(self._shelf.values()):
            own = held_by(media)
            if own is not None:
                self._stored += [file for file in own.files if file not in self._stored]
                self._cloud += [one for one in own.cloud if one not in self._cloud]

    def _in_order(self) -> list[ItemFile]:
        """Videos first: the rest is attached to them."""
        return sorted(self._item.files, key=lambda file: not file.role.is_media)

    def _as_stored(self, file: ItemFile) -> tuple[ItemFile, StoredFile | None]:
        """The file with how it is stored already, if it is."""
        found = [one for one in self._stored if one.role == file.role and is_there(one, self._shelf)]
        exact = [one for one in found if (one.size, one.sha256) == (file.size, file.sha256)]
        same = exact or [one for one in found if file.source is None or self._is_same_origin(file, one)]
        if not same and file.source is None:
            raise MeetingFailed(
                f"{file.name}: not stored at the portal, and not in staging",
                hint="it is fetched again by the next pass",
            )
        return file, next(iter(same), None)

    def _is_same_origin(self, file: ItemFile, stored: StoredFile) -> bool:
        """Whether it was made of the very same bytes: stitched again, a video may differ in a few of its own."""
        ours = {one.id: one.sha256 for one in self._item.cloud}
        theirs = {one.id: one.sha256 for one in self._cloud if one.stored == stored.name}
        return file.made_of == stored.made_of and all(
            one in ours and ours[one] == theirs.get(one) for one in file.made_of
        )

    def _added(self, files: Sequence[tuple[ItemFile, StoredFile | None]]) -> dict[str, StoredFile]:
        """Item name → how it is stored, now that all of it is."""
        before = (one for one in self._stored if not manner_of(one) and is_there(one, self._shelf))
        media = {one.role: one for one in before}
        added: dict[str, StoredFile] = {}
        for file, kept in files:
            self._clock.check()
            stored = kept or self._add_or_leave(file, media)
            if stored is None:
                continue
            if not manner_of(stored):
                media[file.role] = stored
            added[file.name] = stored
        return added

    def _add_or_leave(self, file: ItemFile, media: Mapping[Role, StoredFile]) -> StoredFile | None:
        """Refused texts keep no video from being known: the item goes out without them."""
        try:
            return self._add(file, media)
        except (PortalRefused, Forbidden) as refused:
            if not media or file.role.is_media:
                raise
            problem = refused.become(MeetingFailed, f"{file.name}: {refused}")
            self._lacking |= dict.fromkeys(file.made_of, problem)
            return None

    def _add(self, file: ItemFile, media: Mapping[Role, StoredFile]) -> StoredFile:
        """A media of its own, or attached to one of `media` (by role)."""
        if media and not file.role.is_media:
            return self._attach(file, media[host_role(file.role, media)])
        made = self._writer.create(self._item, file, self._author)
        self._shelf[made.id] = made
        return stored_as(file, made.id)

    def _attach(self, file: ItemFile, host: StoredFile) -> StoredFile:
        stored, media = self._attaching.attach(self._item.meeting.uuid, file, self._shelf[host.place], host)
        self._shelf[media.id] = media
        self._changed.add(media.id)
        return stored

    def _concluded(self, added: Mapping[str, StoredFile]) -> Receipt:
        files, cloud = self._final(added)
        receipt = self._receipt(files, cloud)
        for media in list(self._shelf.values()):
            own, share = held_by(media), share_of(receipt, media.id)
            if self._is_anothers(media, share):
                continue
            is_superseded = own is not None and _content_of(own.files) != _content_of(share.files)
            if own != share or not self._looker.is_of(media, receipt.uuid):
                self._tell(media, receipt.uuid, share, is_draft=is_superseded)
                self._changed.add(media.id)
        self._shelf |= self._looker.read_all(self._changed, receipt.uuid)
        self._require_memory(receipt)
        self._require_shown(receipt)
        return self._stamped(receipt)

    def _is_anothers(self, media: MediaItem, share: receipts.Held) -> bool:
        """Whether a person copied a media of ours with all that it says: the state knows which one is ours."""
        return self._known is not None and not share.files and media.id not in map(media_of, self._known.files)

    def _tell(self, media: MediaItem, uuid: str, share: receipts.Held, *, is_draft: bool) -> None:
        """What is stored is stored, also where the media may not say so: then only the state knows."""
        try:
            self._writer.tell(media, uuid, share, is_draft=is_draft)
        except PortalRefused as refused:
            if is_draft:
                raise
            log.warning("media %s: cannot say what it holds, only the state knows: %s", media.id, refused)

    def _require_shown(self, receipt: Receipt) -> None:
        """What was attached now must be seen to be there: else a later pass would say that a person removed it."""
        for file in receipt.files:
            if media_of(file) in self._changed and not is_there(file, self._shelf):
                raise unseen(file, media_of(file))

    def _require_memory(self, receipt: Receipt) -> None:
        """Tell when the portal does not give back what a media says of itself: it is what a lost state is made from."""
        for media in self._shelf.values():
            if held_by(media) is None or not self._looker.is_of(media, receipt.uuid):
                log.warning(
                    "media %s: the portal does not give back its custom attributes whole: only the state knows of it",
                    media.id,
                )

    def _final(self, added: Mapping[str, StoredFile]) -> tuple[list[StoredFile], list[CloudFile]]:
        """The item's files and what else was stored before, which nothing replaces."""
        roles = {file.role for file in self._item.files if file.name in added}
        rest = [one for one in self._stored if one.role not in roles and is_there(one, self._shelf)]
        files = [*added.values(), *{one.role: one for one in rest}.values()]
        ours = [replace(one, stored=added[one.stored].name) for one in self._item.cloud if one.stored in added]
        names, covered = {one.name for one in rest}, {one.id for one in ours}
        theirs = {one.id: one for one in self._cloud if one.stored in names and one.id not in covered}
        return files, [*ours, *theirs.values()]

    def _receipt(self, files: Sequence[StoredFile], cloud: Sequence[CloudFile]) -> Receipt:
        whole = receipts.ordered(files, cloud)
        return Receipt(
            uuid=self._item.meeting.uuid,
            destination=self._destination,
            place=media_of(whole.files[0]),
            author=self._shelf[media_of(whole.files[0])].author or self._author.email,
            files=whole.files,
            cloud=whole.cloud,
        )

    def _stamped(self, receipt: Receipt) -> Receipt:
        """With the version of each media that was made or changed now; the others keep the stamp of the state."""
        known = {(one.role, one.place): one.stamp for one in (self._known.files if self._known else ())}
        now = self._clock.now()
        files = []
        for file in receipt.files:
            stamp = known.get((file.role, file.place))
            is_ours = stamp is None or media_of(file) in self._changed
            media = self._shelf.get(media_of(file))
            files.append(stamped(file, media, now) if is_ours and media is not None else replace(file, stamp=stamp))
        return replace(receipt, files=tuple(files))


def _content_of(files: Sequence[StoredFile]) -> StoredFile | None:
    return next((file for file in files if not manner_of(file)), None)
