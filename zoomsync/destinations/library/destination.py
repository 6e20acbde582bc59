"""The library: a folder of items that needs no server. Its layout and its promises are those of the README."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from zoomsync.destinations.base import Attachment
from zoomsync.destinations.library import marker
from zoomsync.destinations.library.index import Index
from zoomsync.destinations.library.manifest import Recording
from zoomsync.destinations.library.marker import LIBRARY, LibraryLock
from zoomsync.destinations.library.transaction import Allotted, Change, Transaction, allot
from zoomsync.destinations.library.verify import inspect
from zoomsync.errors import LibraryUnusable, MeetingFailed, RemovedByPerson
from zoomsync.files import FileModes, group_id, has_content, has_size, sync
from zoomsync.model import Author, Clock, Item, Receipt, StoredFile, Surveyed, User, Verdict
from zoomsync.naming import COMPONENT_BYTES, FOLDER_BYTES, safe_component, suffix


def author_for(host: User, *, publish_as: str, me: str, aliases: Mapping[str, str]) -> Author:
    """The folder of `me`, or of the host's alias or e-mail in lower case; without an e-mail of `me`.

    The note says what else than the e-mail decided.
    """
    if publish_as == "me" and me:
        return _folder(me, "publish_as is me")
    by_lower = {zoom.lower(): own for zoom, own in aliases.items()}
    own = by_lower.get(host.email.lower(), "")
    if own or host.email:
        return _folder(own or host.email, "alias" if own else "")
    if me:
        return _folder(me, "falls back to me: the host has no e-mail")
    return Author(id=safe_component(host.id or "unknown"), email="", note="the host has no e-mail, and me is not set")


def _folder(email: str, note: str) -> Author:
    address = email.strip().lower()
    return Author(id=safe_component(address), email=address, note=note)


class LibraryDestination:
    """A destination in a folder. `attach` comes first; then every method may be called from any thread."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        publish_as: str = "zoom_user",
        me: str = "",
        aliases: Mapping[str, str] | None = None,
        dir_mode: int = 0o750,
        file_mode: int = 0o640,
        group: str | None = None,
    ) -> None:
        self.path = path
        self._clock = clock
        self._publish_as = publish_as
        self._me = me
        self._aliases = aliases or {}
        self._modes = (dir_mode, file_mode, group)
        self._now = (0, "")
        self._hold = LibraryLock(path)
        self._index = Index(path, clock)

    @property
    def id(self) -> str:
        """The id in the marker; `""` before `attach`."""
        return self._hold.id

    @property
    def last_change(self) -> tuple[int, str]:
        """The last pass that changed the library, and the id of its run; (0, "") when none did."""
        return self._hold.last_change

    @property
    def can_replace(self) -> bool:
        """Yes: an update puts new files beside the old ones, then removes those."""
        return True

    @property
    def changed(self) -> bool:
        """Whether this pass has changed the library, or may have."""
        return self._hold.changed

    def attach(self, attachment: Attachment) -> None:
        """Take the library for this pass, finishing what a killed one began.

        Refuses with `LibraryUnusable` a library that is not the one, or not at the point, that the state knows, unless
        a new one is to be begun; with `PassRunning` one that another pass holds.
        """
        self._now = (attachment.pass_number, attachment.run)
        if attachment.dry_run:
            self._hold.look(attachment)
            return
        self._hold.take(attachment, self._access())
        self._finish_all()

    def detach(self) -> None:
        """Let go of the library's lock."""
        self._hold.release()

    def check(self) -> str:
        """Write and remove one probe file; a library that is not there yet is probed where it would be made."""
        if self.path.exists() and not self.path.is_dir():
            raise LibraryUnusable(f"{self.path}: not a folder", hint="check destination.path in the config")
        folder = next((one for one in (self.path / marker.FOLDER, self.path) if one.is_dir()), self.path.parent)
        probe = folder / f"{marker.FOLDER}-probe"
        with LIBRARY.explained(folder):
            probe.unlink(missing_ok=True)
            try:
                with probe.open("xb") as file:
                    file.write(b"zoomsync was here\n")
                self._access().grant(probe)
                sync(probe)
            finally:
                probe.unlink(missing_ok=True)
        if found := self._hold.on_disk():
            return f"library {found[:8]} at {self.path}, writable"
        return f"library at {self.path}: new, will be created"

    def author_for(self, host: User) -> Author:
        """The folder of a host: its alias or e-mail, or that of `me`."""
        return author_for(host, publish_as=self._publish_as, me=self._me, aliases=self._aliases)

    def prospect(self, host: User) -> Author:
        """The author, and in words whether there is a folder for it already."""
        author = self.author_for(host)
        there = "exists" if self._has_author(author) else "would be created"
        return replace(author, note=f"{author.note}, {there}" if author.note else there)

    def survey(self) -> Iterator[Surveyed]:
        """Nothing beside `check`: a folder has no operations that could differ."""
        return iter(())

    def _has_author(self, author: Author) -> bool:
        name = safe_component(author.id, COMPONENT_BYTES)
        with LIBRARY.explained(self.path):
            return any((self.path / top / name).is_dir() for top in ("published", "drafts"))

    def find(self, uuid: str, known: Receipt | None = None) -> Receipt | None:
        """The receipt of a meeting's item, wherever a person moved it; None where there is none.

        Raises `MeetingFailed` for an item whose `recording.json` is missing or damaged.
        """
        del known  # the folder tells it all
        with LIBRARY.explained(self.path):
            found = self._index.locate(uuid, library=self.id)
        return found[1].receipt if found else None

    def publish(self, item: Item, author: Author, previous: Receipt | None, *, asked: bool = False) -> Receipt:
        """Make the library hold this item; see `Destination`. Staged files are moved away.

        `previous` is what the state knows: given it, an item that is gone or altered is a person's wish and raises
        `RemovedByPerson`; without it or when asked, an item that is found is checked by content, mended and completed.
        """
        uuid = item.meeting.uuid
        known = previous if previous is not None and previous.destination == self.id and not asked else None
        aside = self._aside(uuid)
        with LIBRARY.explained(self.path):
            self._finish(aside)
            found = self._index.locate(uuid, library=self.id)
            if found is not None:
                return self._update(item, aside, *found, known)
            if known is not None:
                self._hold.confirm()
                raise RemovedByPerson(f"{known.place}: removed from the library", hint=_again(uuid))
            return self._begin(item, author, aside)

    def verify(self, receipt: Receipt) -> Verdict:
        """Judge by content whether every stored file of this receipt is whole; see `inspect`."""
        if receipt.destination != self.id:
            said = f"stored in another library ({receipt.destination[:8]})"
            return Verdict(safe=False, reason=said, receipt=receipt)
        try:
            with LIBRARY.explained(self.path):
                found = self._index.locate(receipt.uuid, library=self.id)
                verdict = inspect(receipt, found, self._clock)
        except MeetingFailed as error:
            return Verdict(safe=False, reason=str(error), receipt=receipt)
        if verdict.removed:
            self._hold.confirm()
        return verdict

    def _begin(self, item: Item, author: Author, aside: Transaction) -> Receipt:
        allotted = allot(item, (), None)
        ending = f"[{suffix(item.meeting.uuid)}]"
        folder = f"{safe_component(item.folder, FOLDER_BYTES)} {ending}"
        top = "drafts" if item.draft else "published"
        name = safe_component(author.id, COMPONENT_BYTES)
        place = f"{top}/{name}/{safe_component(item.year)}/{folder}"
        receipt = self._receipt(item, allotted, author=name, place=place)
        new = Recording(revision=1, title=item.title, meeting=item.metadata, receipt=receipt)
        self._begin_change()
        aside.prepare(allotted, new, Change(uuid=receipt.uuid, place=place))
        self._finish(aside)
        if published := self.find(receipt.uuid):
            return published
        raise MeetingFailed(f"{place}: gone right after it was published", hint="look who else changes the library")

    def _update(self, item: Item, aside: Transaction, folder: Path, old: Recording, known: Receipt | None) -> Receipt:
        intact = self._intact(folder, old.receipt, known)
        allotted = allot(item, intact, folder)
        receipt = self._receipt(item, allotted, author=old.receipt.author, place=old.receipt.place)
        is_mended = any(one.file is not None for one in allotted)
        if is_mended or (receipt.files, receipt.cloud) != (old.receipt.files, old.receipt.cloud):
            names = {file.name for file in receipt.files}
            gone = tuple((one.name, one.size, one.sha256) for one in old.receipt.files if one.name not in names)
            new = Recording(revision=old.revision + 1, title=old.title, meeting=item.metadata, receipt=receipt)
            self._begin_change()
            aside.prepare(allotted, new, Change(uuid=receipt.uuid, place="", superseded=gone))
            self._finish(aside)
        return _stamped(receipt, known)

    def _intact(self, folder: Path, old: Receipt, known: Receipt | None) -> tuple[StoredFile, ...]:
        """The stored files that are whole: by size where the state knows the item, else by content."""
        if known is None:
            return tuple(one for one in old.files if has_content(folder / one.name, one.size, one.sha256, self._clock))
        for one in old.files:
            if not has_size(folder / one.name, one.size):
                self._hold.confirm()
                raise RemovedByPerson(f"{folder / one.name}: removed or changed", hint=_again(old.uuid))
        return old.files

    def _receipt(self, item: Item, allotted: tuple[Allotted, ...], *, author: str, place: str) -> Receipt:
        names = {file.name: one.stored.name for file, one in zip(item.files, allotted, strict=True)}
        return Receipt(
            uuid=item.meeting.uuid,
            destination=self.id,
            place=place,
            author=author,
            files=tuple(one.stored for one in allotted),
            cloud=tuple(replace(one, stored=names.get(one.stored, one.stored)) for one in item.cloud),
        )

    def _begin_change(self) -> None:
        self._hold.confirm()
        self._hold.touch(*self._now)

    def _finish(self, aside: Transaction) -> None:
        """Finish a change that is whole, if there is one."""
        change = aside.read()
        if change is None:
            return
        self._begin_change()
        if change.place:
            self._index.add(aside.create(change))
        elif found := self._index.locate(change.uuid, library=self.id):
            aside.update(change, found[0])
        else:
            aside.clear()

    def _finish_all(self) -> None:
        home = self._changes()
        with LIBRARY.explained(self.path):
            for folder in sorted(home.iterdir()) if home.is_dir() else ():
                with suppress(MeetingFailed):  # said again when this meeting is published
                    self._finish(self._aside_in(folder))
                with suppress(OSError):
                    folder.rmdir()

    def _aside(self, uuid: str) -> Transaction:
        return self._aside_in(self._changes() / sha256(uuid.encode("utf-8", "surrogatepass")).hexdigest()[:32])

    def _aside_in(self, folder: Path) -> Transaction:
        return Transaction(folder, root=self.path, access=self._access(), clock=self._clock)

    def _changes(self) -> Path:
        return self.path / marker.FOLDER / safe_component(self._hold.state) / "changes"

    def _access(self) -> FileModes:
        dir_mode, file_mode, group = self._modes
        return FileModes(dir_mode=dir_mode, file_mode=file_mode, gid=group_id(group))


def _again(uuid: str) -> str:
    return f"it is left alone; `zoomsync sync --meeting {uuid}` publishes it again"


def _stamped(receipt: Receipt, known: Receipt | None) -> Receipt:
    """The receipt with the stamps that the state kept for the files that stayed."""
    stamps = {file: file.stamp for file in known.files} if known is not None else {}
    return replace(receipt, files=tuple(replace(file, stamp=stamps.get(file)) for file in receipt.files))
