"""A remote of rclone as a destination: the layout of a library, on a store without locks and renames."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from zoomsync.destinations.base import Attachment, DestinationContext, Everything
from zoomsync.destinations.layout import Recording, again, arrange, author_folder, author_for, in_words, item_place
from zoomsync.destinations.marker import FOLDER
from zoomsync.destinations.rclone.client import Client
from zoomsync.destinations.rclone.items import Items, with_stamps
from zoomsync.destinations.rclone.lease import Lease
from zoomsync.destinations.rclone.process import Rclone
from zoomsync.destinations.rclone.refusals import ColdStorage
from zoomsync.destinations.rclone.remote import Entry, Remote
from zoomsync.destinations.rclone.verify import inspect
from zoomsync.destinations.rclone.writer import Begun, Writer
from zoomsync.errors import (
    Forbidden,
    LibraryUnusable,
    MeetingFailed,
    NotAuthorized,
    RemovedByPerson,
    Subject,
    Unfit,
    Unreachable,
    ZoomsyncError,
)
from zoomsync.model import Author, Item, Receipt, StoredFile, Surveyed, User, Verdict

if TYPE_CHECKING:
    from zoomsync.destinations.rclone.settings import RcloneSettings

log = logging.getLogger(__name__)

FORGOTTEN = timedelta(days=60)
"""So long nobody tried again what a pass had begun: its meeting is parked, excluded or lost."""
CENTURY = 10**9 * 60 * 60 * 24 * 365 * 100
"""In nanoseconds: rclone's precision of a store without modification times."""


class RcloneDestination:
    """See `base.Destination`."""

    can_replace = True
    """An update puts new files beside the old ones, then removes those."""

    def __init__(self, settings: "RcloneSettings", context: DestinationContext, rclone: Rclone) -> None:
        self._context, self._clock, self._rclone = context, context.clock, rclone
        self._client = Client(rclone=rclone, clock=context.clock)
        self.remote = Remote(settings.remote, self._client)
        self._items = Items(self.remote, by_hash=settings.verify == "hash", progress=context.progress)
        self._lease = Lease(self.remote, context.clock, self._items.note_all)
        self.remote.guard = self._lease.check
        self._writer = Writer(items=self._items, lease=self._lease, context=context)

    @property
    def id(self) -> str:
        """The id in the marker; `""` before `attach`."""
        return self._lease.marker.id

    @property
    def last_change(self) -> tuple[int, str]:
        return self._lease.marker.pass_number, self._lease.marker.run

    def attach(self, attachment: Attachment) -> None:
        """Start rclone, take the remote for this pass, and finish what a killed one began."""
        self._rclone.start(self._client.version)
        self.remote.open()
        self._lease.look(attachment)
        if attachment.adopt:
            log.info("%s: %s", self.remote.root, in_words(self._items.places()))
        if not attachment.dry_run and not attachment.reconcile:
            for begun in self._writer.begun():
                try:
                    self._finish(begun)
                except LibraryUnusable:
                    raise
                except (MeetingFailed, Unreachable, Forbidden, Unfit) as error:  # its own, as the marker could be
                    log.debug("%s: %s", begun.place, error)  # read, or a full store: raised again when it is published

    def detach(self) -> None:
        """Give the remote back, and end rclone."""
        try:
            with suppress(ZoomsyncError):  # the next pass of this state takes it all the same
                self._lease.release()
        finally:
            self._rclone.stop()

    def ping(self) -> None:
        """Read the marker: is the remote still there?"""
        self._lease.confirm()

    def check(self) -> str:
        """Write, read back and remove a probe, and the folders that it made."""
        path, data = f"{FOLDER}/probe-{self._context.new_id()}", b"zoomsync was here\n"
        made = self.remote.lacking(FOLDER)
        self.remote.write(path, data)
        found = self.remote.read(path)
        self.remote.remove(path)
        for one in made:
            one.remove_folder("")
        if found != data:
            message = f"{self.remote.name(path)}: was written, and is read back otherwise"
            raise LibraryUnusable(message, hint="look at what stands between: a cache, a proxy?", service="remote")
        kind = (self.remote.abilities and self.remote.abilities.type) or "of a type that rclone's config does not name"
        where = f"{self.remote.root} ({kind}, rclone {self._rclone.version}), written and read back"
        return f"library at {where}: new" if self._lease.is_new else f"library {self.id[:8]} at {where}"

    def survey(self) -> Iterator[Surveyed]:
        """What the store can do, and what that means for deletion in Zoom."""
        found, proof = self.remote.abilities, self._items.proof
        if found is None:  # it could not be reached
            return
        if proof:
            meaning = f"its own {proof.upper()} proves content; a file that has none is read back before a deletion"
        else:
            has = f" ({', '.join(found.hashes)} do not)" if found.hashes else ""
            why = f"none proves content{has}" if self._items.by_hash else "none is asked for (verify: download)"
            meaning = f"{why}: each file is read back before its cloud copy is deleted in Zoom"
        moves = "renames" if found.can_move else "does not rename, nor needs to: recording.json comes last"
        times = "keeps modification times" if found.precision < CENTURY else "keeps no modification times"
        for name, message in (
            ("hashes", meaning),
            ("move", moves),
            ("modification times", f"{times}; nothing rests on them"),
        ):
            yield Surveyed(name=name, result="confirmed", message=message)
        config = self._rclone.config
        with suppress(OSError):  # one that is not there, rclone has told of
            if config is not None and config.stat().st_mode & 0o077:
                said = f"{config}: others may read it, and it holds credentials"
                yield Surveyed(name="config", result="unchecked", message=said, hint=f"chmod 600 {config}")

    def author_for(self, host: User) -> Author:
        return author_for(host, self._context)

    def prospect(self, host: User) -> Author:
        """A folder that nobody has to make."""
        author = self.author_for(host)
        return replace(author, note=f"{author.note}, a folder" if author.note else "a folder")

    def find(self, uuid: str, known: Receipt | None = None) -> Receipt | None:
        with self._about(uuid):
            found = self._locate(uuid, known)
            return with_stamps(found.receipt, known) if found else None

    def everything(self, after: str = "") -> Everything:
        return self._items.everything(self.id, after)

    def publish(self, item: Item, author: Author, previous: Receipt | None, *, requested: bool = False) -> Receipt:
        """What the state does not know, or a person requested, is checked by content."""
        uuid = item.meeting.uuid
        known = previous if previous is not None and previous.destination == self.id and not requested else None
        with self._about(uuid):
            for begun in self._writer.begun(uuid):
                self._finish(begun)
            place = item_place(item, author)
            found = self._locate(uuid, previous, place)
            if found is not None:
                return self._update(item, found, previous, known)
            if known is not None:
                self._lease.confirm()
                raise RemovedByPerson(f"{known.place}: removed from the remote", hint=again(uuid), service="remote")
            return self._create(item, author, place)

    def verify(self, receipt: Receipt) -> Verdict:
        """Judge by content whether every stored file of this receipt is whole; see `inspect`."""
        if receipt.destination != self.id:
            reason = f"stored in another library ({receipt.destination[:8]})"
            return Verdict(safe=False, reason=reason, receipt=receipt)
        try:
            with self._about(receipt.uuid):
                found = self._locate(receipt.uuid, receipt)
                verdict = inspect(receipt, found, self._items, self._clock)
        except MeetingFailed as error:
            is_cold = isinstance(error, ColdStorage)
            return Verdict(safe=False, reason=str(error), receipt=receipt, unread=is_cold, hint=error.hint)
        if verdict.removed:
            self._lease.confirm()
        return verdict

    def to_download(self, receipt: Receipt) -> int:
        return self._items.to_read(receipt)

    def _locate(self, uuid: str, known: Receipt | None, wanted: str = "") -> Recording | None:
        """The item: where it was or, if the state knows of none here, would be (`wanted`); else elsewhere."""
        is_here = known is not None and known.destination == self.id
        place = known.place if known is not None and is_here else wanted
        return self._items.locate(uuid, place, library=self.id, is_known=is_here, is_ahead=self._lease.is_ahead)

    def _create(self, item: Item, author: Author, wanted: str) -> Receipt:
        uuid = item.meeting.uuid
        place, there = self._free(wanted, uuid)
        nothing = Receipt(uuid=uuid, destination=self.id, place=place, author=author_folder(author), files=(), cloud=())
        receipt, new = arrange(item, nothing, self._is_taken(nothing, there))
        recording = Recording(revision=1, title=item.title, meeting=item.metadata, receipt=receipt)
        stored = self._writer.store(recording, new, None, there)
        self._items.add(place)
        return stored

    def _update(self, item: Item, old: Recording, previous: Receipt | None, known: Receipt | None) -> Receipt:
        there = self._items.files(old.receipt.place)
        stored = with_stamps(old.receipt, previous)
        intact = self._intact(stored, known, there)
        receipt, new = arrange(item, replace(stored, files=intact), self._is_taken(stored, there))
        if not new and (receipt.files, receipt.cloud) == (stored.files, stored.cloud):
            return receipt
        recording = Recording(revision=old.revision + 1, title=old.title, meeting=item.metadata, receipt=receipt)
        return self._writer.store(recording, new, replace(old, receipt=stored), there)

    def _is_taken(self, receipt: Receipt, there: Mapping[str, Entry]) -> Callable[[str], bool]:
        """Whether a person may have a file of that name there, on a store that knows no case: what no pass brought."""
        here = (one for one in self._writer.begun(receipt.uuid) if one.place == receipt.place)
        taken = {name.casefold() for name in there.keys() - {name for one in here for name in one.new}}
        return lambda name: name.casefold() in taken

    def _intact(self, old: Receipt, known: Receipt | None, there: Mapping[str, Entry]) -> tuple[StoredFile, ...]:
        """The stored files that are whole: by size if the state knows the item, else by content."""
        if known is None:
            return tuple(one for one in old.files if not self._items.flaw(old.place, one, there))
        for one in old.files:
            is_listed = one.name in there and there[one.name].size in (one.size, -1)
            if not is_listed and self._items.flaw(old.place, one, there):
                self._lease.confirm()
                message = f"{self.remote.name(old.place)}/{one.name}: removed or changed"
                is_there = one.name in there
                raise RemovedByPerson(message, altered=is_there, hint=again(old.uuid), service="remote")
        return old.files

    def _free(self, wanted: str, uuid: str) -> tuple[str, dict[str, Entry]]:
        """A folder for a new item, and what a killed pass left there; one that holds anything else is left alone."""
        ours = {one.place for one in self._writer.begun(uuid)}
        title, _, ending = wanted.rpartition(" ")  # see `item_place`
        place, number = wanted, 1
        while True:
            there = self.remote.files(place)
            if not there or place in ours:
                return place, there
            number += 1
            place = f"{title} ({number}) {ending}"

    def _finish(self, begun: Begun) -> None:
        """Finish a change whose `recording.json` is there already: nobody may have told the state of that item.

        If it was sent and is not there, a person may have moved the item. One of which nothing is there, or that no
        pass went on with for long, is forgotten; what it left stays.
        """
        found = self._items.at(begun.place, begun.intent.uuid, library=self.id)
        names = {one.name for one in found.receipt.files} if found else set()
        there = self.remote.files(begun.place)
        is_done = begun.new <= names and found is not None and not names & {one.name for one in begun.old}
        if is_done or (found is None and begun.is_sent):
            self._items.note(begun.intent.uuid, self._lease.begin_change)
        if is_done:
            self._writer.finish(begun, there)
        elif not there:
            self._context.intents.settle(begun.intent.id)
        elif self._clock.now() - begun.intent.at > FORGOTTEN:
            log.warning("%s: never completed, what lies there is left alone", self.remote.name(begun.place))
            self._context.intents.settle(begun.intent.id)

    @contextmanager
    def _about(self, uuid: str) -> Iterator[None]:
        """What goes wrong meanwhile, and could be this meeting's own trouble, names it."""
        try:
            yield
        except (Unreachable, MeetingFailed) as error:
            error.subject = error.subject or Subject("meeting", uuid)
            raise
        except NotAuthorized as error:
            self._lease.confirm()  # else it is the credential
            raise error.become(Forbidden) from error
