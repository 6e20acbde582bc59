"""The library: a folder of items that needs no server. Its layout and its promises are those of README and manual."""

import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from zoomsync.destinations.base import Attachment, DestinationContext, Everything
from zoomsync.destinations.layout import TOPS, Recording, again, arrange, author_folder, author_for, item_place
from zoomsync.destinations.library.index import Found, Index
from zoomsync.destinations.library.marker import ITEM, LIBRARY, LIBRARY_ITSELF, LibraryLock, read_marker
from zoomsync.destinations.marker import FOLDER
from zoomsync.errors import LibraryUnusable, MeetingFailed, RemovedByPerson
from zoomsync.files import FileModes, has_content, has_size, rehearse
from zoomsync.model import Author, Item, Receipt, StoredFile, Surveyed, User, Verdict

log = logging.getLogger(__name__)

if TYPE_CHECKING:  # and what changes or reads an item is imported once one is changed or read
    from zoomsync.destinations.library.settings import LibrarySettings
    from zoomsync.destinations.library.transaction import Transaction


class LibraryDestination:
    """See `base.Destination`."""

    can_replace = True
    """An update puts new files beside the old ones, then removes those."""

    def __init__(self, settings: "LibrarySettings", context: DestinationContext) -> None:
        self.path = settings.path
        self._settings = settings
        self._context = context
        self._clock = context.clock
        self._index = Index(settings.path, context.clock)
        self._lock = LibraryLock(settings.path, self._index.note_all)

    @property
    def id(self) -> str:
        """The id in the marker; `""` before `attach`."""
        return self._lock.marker.id

    @property
    def last_change(self) -> tuple[int, str]:
        return self._lock.marker.pass_number, self._lock.marker.run

    def attach(self, attachment: Attachment) -> None:
        """Take the library for this pass, and finish what a killed one began."""
        if attachment.dry_run:
            self._lock.look(attachment)
        else:
            self._lock.take(attachment, self._modes)
        if attachment.adopt:
            with LIBRARY_ITSELF.explained(self.path):
                log.info("%s: %s", self.path, self._index.in_words())
        if not attachment.dry_run:
            self._lock.claim(attachment)
            if not attachment.reconcile:  # the marker shows an older copy until the state has forgotten what that lacks
                self._finish_all()

    def detach(self) -> None:
        self._lock.release()

    def ping(self) -> None:
        """Read the marker: is the library still there?"""
        self._lock.confirm()

    def check(self) -> str:
        """Rehearse a pass in each folder that it writes to; for a library that is not there yet, in the one above."""
        if self.path.exists() and not self.path.is_dir():
            raise LibraryUnusable(f"{self.path}: not a folder", hint="check destination.path in the config")
        there = [one for one in (self.path, *(self.path / name for name in (FOLDER, *TOPS))) if one.is_dir()]
        with LIBRARY_ITSELF.explained(self.path):
            has_locks = [rehearse(folder, self._modes) for folder in there or [self.path.parent]]
        but = "" if all(has_locks) else "; its file system has no locks: let no copy of this state work in it"
        if marker := read_marker(self.path):
            return f"library {marker.id[:8]} at {self.path}, writable{but}"
        return f"library at {self.path}: new, will be created{but}"

    def author_for(self, host: User) -> Author:
        return author_for(host, self._context)

    def prospect(self, host: User) -> Author:
        """The note says whether there is a folder for the author already."""
        author = self.author_for(host)
        name = author_folder(author)
        with LIBRARY.explained(self.path):
            exists = any((self.path / top / name).is_dir() for top in TOPS)
        there = "has a folder" if exists else "gets a folder"
        return replace(author, note=f"{author.note}, {there}" if author.note else there)

    def survey(self) -> Iterator[Surveyed]:
        """Nothing beside `check`: a folder has no operations that could differ."""
        return iter(())

    def find(self, uuid: str, known: Receipt | None = None) -> Receipt | None:
        """Raises `MeetingFailed` for an item whose `recording.json` is missing or damaged."""
        found = self._locate(uuid, known)
        return found[1].receipt if found else None

    def everything(self, after: str = "") -> Everything:
        with LIBRARY_ITSELF.explained(self.path):
            yield from self._index.everything(self.id, after)

    def _locate(self, uuid: str, known: Receipt | None, wanted: str = "") -> Found | None:
        """The item: where it was or, if the state knows of none here, would be (`wanted`); else elsewhere."""
        is_here = known is not None and known.destination == self.id
        place = known.place if known is not None and is_here else wanted
        with ITEM.explained(self.path):
            return self._index.locate(
                uuid, place, library=self.id, is_known=known is not None, is_ahead=self._lock.is_ahead
            )

    def publish(self, item: Item, author: Author, previous: Receipt | None, *, requested: bool = False) -> Receipt:
        """Staged files are moved away. What the state does not know, or a person requested, is checked by content."""
        uuid = item.meeting.uuid
        known = previous if previous is not None and previous.destination == self.id and not requested else None
        transaction = self._transaction(self._changes / sha256(uuid.encode()).hexdigest()[:32])
        with LIBRARY.explained(self.path):
            self._finish(transaction)
            found = self._locate(uuid, previous, item_place(item, author))
            if found is not None:
                return self._update(item, transaction, *found, known)
            if known is not None:
                self._lock.confirm()
                raise RemovedByPerson(f"{known.place}: removed from the library", hint=again(uuid), service="library")
            return self._create(item, author, transaction)

    def verify(self, receipt: Receipt) -> Verdict:
        """Judge by content whether every stored file of this receipt is whole; see `inspect`."""
        if receipt.destination != self.id:
            reason = f"stored in another library ({receipt.destination[:8]})"
            return Verdict(safe=False, reason=reason, receipt=receipt)
        from zoomsync.destinations.library.verify import inspect, says_nothing

        try:
            with ITEM.explained(self.path):
                verdict = inspect(receipt, self._locate(receipt.uuid, receipt), self._clock)
        except MeetingFailed as error:
            unread = says_nothing(error.__cause__)
            return Verdict(safe=False, reason=str(error), receipt=receipt, unread=unread, hint=error.hint)
        if verdict.removed:
            self._lock.confirm()
        return verdict

    def to_download(self, receipt: Receipt) -> int:
        """Nothing: it lies here."""
        del receipt
        return 0

    def _create(self, item: Item, author: Author, transaction: "Transaction") -> Receipt:
        uuid = item.meeting.uuid
        place = item_place(item, author)
        nothing = Receipt(uuid=uuid, destination=self.id, place=place, author=author_folder(author), files=(), cloud=())
        receipt, new = arrange(item, nothing, lambda _: False)
        self._lock.begin_change()
        recording = Recording(revision=1, title=item.title, meeting=item.metadata, receipt=receipt)
        transaction.gather(new, recording)
        with ITEM.explained(self.path):
            folder = transaction.create(place)
        self._index.add(folder)
        return replace(receipt, place=folder.relative_to(self.path).as_posix())

    def _update(
        self, item: Item, transaction: "Transaction", folder: Path, old: Recording, known: Receipt | None
    ) -> Receipt:
        intact = self._intact(folder, old.receipt, known)
        receipt, new = arrange(item, replace(old.receipt, files=intact), lambda name: os.path.lexists(folder / name))
        if new or (receipt.files, receipt.cloud) != (old.receipt.files, old.receipt.cloud):
            from zoomsync.destinations.library.transaction import Change

            gone = old.superseded(receipt)
            recording = Recording(revision=old.revision + 1, title=old.title, meeting=item.metadata, receipt=receipt)
            self._lock.begin_change()
            transaction.gather(new, recording, Change(uuid=receipt.uuid, place=receipt.place, superseded=gone))
            self._finish(transaction)
        return receipt

    def _intact(self, folder: Path, old: Receipt, known: Receipt | None) -> tuple[StoredFile, ...]:
        """The stored files that are whole: by size if the state knows the item, else by content."""
        if known is None:
            return tuple(one for one in old.files if has_content(folder / one.name, one.size, one.sha256, self._clock))
        for one in old.files:
            if not has_size(folder / one.name, one.size):
                self._lock.confirm()
                message = f"{folder / one.name}: removed or changed"
                is_there = os.path.lexists(folder / one.name)
                raise RemovedByPerson(message, altered=is_there, hint=again(old.uuid), service="library")
        return old.files

    def _finish(self, transaction: "Transaction") -> None:
        """Finish an update that is whole, if there is one."""
        change = transaction.read()
        if change is None:
            return
        self._lock.begin_change()
        with ITEM.explained(self.path):
            if found := self._index.locate(change.uuid, change.place, library=self.id, is_known=True):
                transaction.update(change, found[0])
            else:
                transaction.clear()

    def _finish_all(self) -> None:
        with LIBRARY_ITSELF.explained(self._changes):
            begun = sorted(self._changes.iterdir()) if self._changes.is_dir() else []
        for folder in begun:
            with suppress(MeetingFailed), LIBRARY.explained(folder):  # raised again when this meeting is published
                self._finish(self._transaction(folder))
            with suppress(OSError):
                folder.rmdir()

    @property
    def _changes(self) -> Path:
        """The folder of all changes that are made ready or not finished yet."""
        return self.path / FOLDER / self._lock.marker.state / "changes"

    def _transaction(self, folder: Path) -> "Transaction":
        from zoomsync.destinations.library.transaction import Transaction

        return Transaction(path=folder, root=self.path, modes=self._modes, clock=self._clock)

    @cached_property
    def _modes(self) -> FileModes:
        """Raises `LibraryUnusable` for a group that this machine does not know."""
        gid, group = None, self._settings.group
        if group is not None:
            import grp

            try:
                gid = int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid
            except (KeyError, ValueError) as error:
                hint = "check destination.group in the config, or create the group"
                raise LibraryUnusable(f"destination.group: no group {group!r} on this machine", hint=hint) from error
        return FileModes(dir_mode=self._settings.dir_mode, file_mode=self._settings.file_mode, gid=gid)
