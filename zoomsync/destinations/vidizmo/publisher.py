"""Publishes one item: adds what the portal lacks of it, and makes the receipt of what is there.

A pass that was killed at any instant can be run again: every media item is found, and has its own part of the receipt.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from zoomsync.destinations.vidizmo.client import PortalRefused
from zoomsync.destinations.vidizmo.media import (
    MediaItem,
    attached_as,
    fullest_first,
    media_of,
    media_receipt,
    sorted_receipt,
)
from zoomsync.destinations.vidizmo.text import attached_to
from zoomsync.destinations.vidizmo.verify import is_there, not_shown, stamped
from zoomsync.destinations.vidizmo.writer import Writer
from zoomsync.errors import Forbidden, MeetingFailed, PartlyStored
from zoomsync.model import Author, CloudFile, Item, ItemFile, Receipt, Role, StoredFile

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Publisher:
    """Makes the portal have one item."""

    item: Item
    author: Author
    known: Receipt | None
    """What the state knows."""
    media: dict[str, MediaItem]
    """What the portal has of the meeting now, by id."""
    writer: Writer
    destination: str
    _stored: list[StoredFile] = field(default_factory=list)
    """What is stored already, by the state and by the media items' own receipts; the state comes first."""
    _cloud: list[CloudFile] = field(default_factory=list)
    _changed: set[str] = field(default_factory=set)
    """The ids of the media items that were changed."""
    _lacking: dict[str, MeetingFailed] = field(default_factory=dict)

    def publish(self) -> Receipt:
        """Add what is missing, write every media item's part of the receipt, read again what was changed.

        Raises `PartlyStored` if the portal did not take something that belongs to a video.
        """
        for own in (self.known, *(one.receipt for one in fullest_first(self.media.values()))):
            if own is not None:
                self._stored += [file for file in own.files if file not in self._stored]
                self._cloud += [one for one in own.cloud if one not in self._cloud]
        # Videos first: the rest is attached to them.
        files = sorted(self.item.files, key=lambda file: not file.role.is_media)
        added = self._added([(file, self._stored_already(file)) for file in files])
        receipt = self._receipt(added)
        self._write_receipts(receipt)
        receipt = self._stamped(receipt)
        for first in self._lacking.values():
            fact, hint = str(first), first.hint
            raise PartlyStored(fact, hint=hint, service="portal", receipt=receipt, lacking=self._lacking)
        return receipt

    def _stored_already(self, file: ItemFile) -> StoredFile | None:
        """How the file is stored already, if it is: the very same bytes, or made of the very same ones."""
        found = [one for one in self._stored if one.role == file.role and is_there(one, self.media)]
        exact = [one for one in found if (one.size, one.sha256) == (file.size, file.sha256)]
        same = exact or [one for one in found if file.source is None or self._is_same_origin(file, one)]
        if not same and file.source is None:
            message = f"{file.name}: not stored at the portal, and not in staging"
            raise MeetingFailed(message, hint="it is fetched again by the next pass", service="portal")
        return next((replace(one, made_of=file.made_of) for one in same), None)

    def _is_same_origin(self, file: ItemFile, stored: StoredFile) -> bool:
        """Whether it was made of the very same bytes: stitched again, a video may differ in a few of its own."""
        ours = {one.id: one.sha256 for one in self.item.cloud}
        theirs = {one.id: one.sha256 for one in self._cloud if one.stored == stored.name}
        has_same = all(one in ours and ours[one] == theirs.get(one) for one in file.made_of)
        return file.made_of == stored.made_of and has_same

    def _added(self, files: Sequence[tuple[ItemFile, StoredFile | None]]) -> dict[str, StoredFile]:
        """How each file is stored, by its name in the item, now that all that can be added is."""
        before = (one for one in self._stored if not attached_as(one) and is_there(one, self.media))
        contents = {one.role: one for one in before}
        added: dict[str, StoredFile] = {}
        for file, already in files:
            self.writer.clock.check()
            try:
                stored = already or self._add(file, contents)
            except (PortalRefused, Forbidden) as refused:
                if not contents or file.role.is_media:
                    raise
                # A refused text keeps no video back: the item goes out without it.
                problem = refused.become(MeetingFailed, f"{file.name}: {refused}")
                self._lacking |= dict.fromkeys(file.made_of, problem)
                continue
            if not attached_as(stored):
                contents[file.role] = stored
            added[file.name] = stored
        return added

    def _add(self, file: ItemFile, contents: Mapping[Role, StoredFile]) -> StoredFile:
        """As a media item of its own, or attached to one of those whose contents are given by role."""
        if not contents or file.role.is_media:
            made = self.writer.create(self.item, file, self.author)
            self.media[made.id] = made
            return file.as_stored(place=made.id)
        content = contents[attached_to(file.role, contents)]
        stored, media = self.writer.attach(self.item.meeting.uuid, file, self.media[content.place], content)
        self.media[media.id] = media
        self._changed.add(media.id)
        return stored

    def _receipt(self, added: Mapping[str, StoredFile]) -> Receipt:
        """Of the item's files, and of what else was stored before and nothing replaces."""
        roles = {file.role for file in self.item.files if file.name in added}
        rest = [one for one in self._stored if one.role not in roles and is_there(one, self.media)]
        ours = [replace(one, stored=added[one.stored].name) for one in self.item.cloud if one.stored in added]
        names, covered = {one.name for one in rest}, {one.id for one in ours}
        theirs = {one.id: one for one in self._cloud if one.stored in names and one.id not in covered}
        files = [*added.values(), *{one.role: one for one in rest}.values()]
        whole = sorted_receipt(files, [*ours, *theirs.values()])
        place = media_of(whole.files[0])
        return Receipt(
            uuid=self.item.meeting.uuid,
            destination=self.destination,
            place=place,
            author=self.media[place].author or self.author.email,
            files=whole.files,
            cloud=whole.cloud,
        )

    def _write_receipts(self, receipt: Receipt) -> None:
        """Give every media item its part of the receipt; what was changed must then be shown.

        Else a later pass would say that a person removed it.
        """
        for media in list(self.media.values()):
            own, part = media.receipt, media_receipt(receipt, media.id)
            if self.known is not None and not part.files and media.id not in map(media_of, self.known.files):
                continue  # A person copied one of ours with its attributes: the state knows which one is ours.
            is_superseded = own is not None and _digest(own.content) != _digest(part.content)
            if own == part and media.uuid == receipt.uuid:
                continue
            try:
                self.writer.write_receipt(media, receipt.uuid, part, is_draft=is_superseded)
            except (PortalRefused, Forbidden) as refused:
                if is_superseded:
                    raise
                log.warning("media %s: its receipt is refused, only the state knows what it has: %s", media.id, refused)
            self._changed.add(media.id)
        self.media |= self.writer.finder.read_all(self._changed, receipt.uuid)
        for media in self.media.values():
            if media.receipt is None or media.uuid != receipt.uuid:
                lost = "media %s: the portal does not give back its custom attributes whole: only the state knows of it"
                log.warning(lost, media.id)
        for file in receipt.files:
            if media_of(file) in self._changed and not is_there(file, self.media):
                raise not_shown(file, self.media[media_of(file)])

    def _stamped(self, receipt: Receipt) -> Receipt:
        """With the version of each media item that was made or changed now; the others keep the stamp of the state."""
        known = {(one.role, one.place): one.stamp for one in (self.known.files if self.known else ())}
        now = self.writer.clock.now()
        files = []
        for file in receipt.files:
            stamp = known.get((file.role, file.place))
            media = self.media.get(media_of(file))
            is_fresh = stamp is None or media_of(file) in self._changed
            files.append(stamped(file, media, now) if is_fresh and media is not None else replace(file, stamp=stamp))
        return replace(receipt, files=tuple(files))


def _digest(content: StoredFile | None) -> str:
    """The SHA-256 of a media item's own content; empty: another one has it now."""
    return content.sha256 if content is not None else ""
