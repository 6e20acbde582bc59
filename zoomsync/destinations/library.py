"""The library: a folder of items that needs no server. Its layout and its promises are those of the README."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from zoomsync.destinations import marker
from zoomsync.destinations.authors import author_for
from zoomsync.destinations.change import Allotted, Aside, Change, allot
from zoomsync.destinations.files import Access, group_id, holds, is_file_of, make_folders, refusals, sync
from zoomsync.destinations.index import Index
from zoomsync.destinations.inspection import inspect
from zoomsync.destinations.marker import Known, Marker
from zoomsync.destinations.recording import Recording
from zoomsync.errors import LibraryUnusable, MeetingFailed, PassRunning, RemovedByPerson
from zoomsync.model import Author, Clock, Item, Receipt, StoredFile, User, Verdict
from zoomsync.naming import COMPONENT_BYTES, FOLDER_BYTES, safe_component, suffix


class Library:
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
        self.changed = False
        """Whether this pass has changed the library, or may have."""
        self._clock = clock
        self._publish_as = publish_as
        self._me = me
        self._aliases = aliases or {}
        self._modes = (dir_mode, file_mode, group)
        self._marker = Marker(id="", state="", pass_number=0)
        self._pass_number = 0
        self._index = Index(path, clock)
        self._lock = threading.Lock()
        self._pass_lock: FileLock | None = None

    @property
    def id(self) -> str:
        """The id in the marker; `""` before `attach`."""
        return self._marker.id

    def attach(
        self,
        *,
        state_id: str,
        known_id: str | None,
        library_pass: int,
        pass_number: int,
        begin_new: bool,
        new_id: str,
        dry_run: bool,
    ) -> None:
        """Take the library for this pass (`pass_number`, the one about to run), finishing what a killed one began.

        Refuses with `LibraryUnusable` a library that is not the one, or not at the point, that the state knows
        (`known_id`, `library_pass`), unless `begin_new`; with `PassRunning` one that another pass holds. A dry run
        refuses likewise, takes no lock and writes nothing.
        """
        known = Known(state=state_id, library=known_id, library_pass=library_pass, pass_number=pass_number)
        self._pass_number = pass_number
        self._marker = self._fitting(known, begin_new=begin_new, new_id=new_id)
        if dry_run:
            return
        self._make_home()
        self._take_lock()
        self._marker = self._fitting(known, begin_new=begin_new, new_id=new_id)
        if marker.read(self.path) != self._marker:
            marker.record(self.path, self._marker)
        self._finish_all()

    def detach(self) -> None:
        """Let go of the library's lock."""
        if self._pass_lock is not None:
            self._pass_lock.release()
            self._pass_lock = None

    def touch(self, pass_number: int) -> None:
        """Write down, durably, that this pass changes the library; called before its first change."""
        with self._lock:
            if not self.changed:
                self._marker = replace(self._marker, pass_number=pass_number)
                marker.record(self.path, self._marker)
                self.changed = True

    def check(self) -> str:
        """Write and remove one probe file; a library that is not there yet is probed where it would be made."""
        folder = next((one for one in (self.path / marker.FOLDER, self.path) if one.is_dir()), self.path.parent)
        probe = folder / f"{marker.FOLDER}-probe"
        with refusals(folder):
            probe.write_bytes(b"zoomsync was here\n")
            try:
                self._access().grant(probe)
                sync(probe)
            finally:
                probe.unlink()
        if found := self._on_disk():
            return f"library {found[:8]} at {self.path}, writable"
        return f"library at {self.path}: new, it can be made"

    def author_for(self, host: User) -> Author:
        """The folder of a host: its alias or e-mail, or that of `me`."""
        return author_for(host, publish_as=self._publish_as, me=self._me, aliases=self._aliases)

    def find(self, uuid: str) -> Receipt | None:
        """The receipt of a meeting's item, wherever a person moved it; None where there is none.

        Raises `MeetingFailed` for an item whose `recording.json` is missing or damaged.
        """
        with refusals(self.path):
            found = self._index.locate(uuid, library=self.id)
        return found[1].receipt if found else None

    def publish(self, item: Item, author: Author, previous: Receipt | None) -> Receipt:
        """Make the library hold this item; see `Destination`. Staged files are moved away.

        `previous` is what the state knows: given it, an item that is gone or altered is a person's wish and raises
        `RemovedByPerson`; without it, an item that is found is checked by content, mended and completed.
        """
        uuid = item.meeting.uuid
        known = previous if previous is not None and previous.destination == self.id else None
        aside = self._aside(uuid)
        with refusals(self.path):
            self._finish(aside)
            found = self._index.locate(uuid, library=self.id)
            if found is not None:
                return self._update(item, aside, *found, known)
            if known is not None:
                self._confirm()
                raise RemovedByPerson(f"{known.place}: removed from the library", hint=_again(uuid))
            return self._begin(item, author, aside)

    def verify(self, receipt: Receipt) -> Verdict:
        """Judge by content whether every stored file of this receipt is whole; see `inspect`."""
        if receipt.destination != self.id:
            said = f"stored in another library ({receipt.destination[:8]})"
            return Verdict(safe=False, reason=said, receipt=receipt)
        try:
            with refusals(self.path):
                found = self._index.locate(receipt.uuid, library=self.id)
                verdict = inspect(receipt, found, self._clock)
        except MeetingFailed as error:
            return Verdict(safe=False, reason=str(error), receipt=receipt)
        if verdict.removed:
            self._confirm()
        return verdict

    def _begin(self, item: Item, author: Author, aside: Aside) -> Receipt:
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

    def _update(self, item: Item, aside: Aside, folder: Path, old: Recording, known: Receipt | None) -> Receipt:
        intact = self._intact(folder, old.receipt, known)
        allotted = allot(item, intact, folder)
        receipt = self._receipt(item, allotted, author=old.receipt.author, place=old.receipt.place)
        if (receipt.files, receipt.cloud) != (old.receipt.files, old.receipt.cloud):
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
            return tuple(one for one in old.files if holds(folder / one.name, one.size, one.sha256, self._clock))
        for one in old.files:
            if not is_file_of(folder / one.name, one.size):
                self._confirm()
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
        self._confirm()
        self.touch(self._pass_number)

    def _finish(self, aside: Aside) -> None:
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
        with refusals(self.path):
            for folder in sorted(home.iterdir()) if home.is_dir() else ():
                with suppress(MeetingFailed):  # said again when this meeting is published
                    self._finish(self._aside_in(folder))
                with suppress(OSError):
                    folder.rmdir()

    def _aside(self, uuid: str) -> Aside:
        return self._aside_in(self._changes() / sha256(uuid.encode("utf-8", "surrogatepass")).hexdigest()[:32])

    def _aside_in(self, folder: Path) -> Aside:
        return Aside(folder, root=self.path, access=self._access(), clock=self._clock)

    def _changes(self) -> Path:
        return self.path / marker.FOLDER / safe_component(self._marker.state) / "changes"

    def _access(self) -> Access:
        dir_mode, file_mode, group = self._modes
        return Access(dir_mode=dir_mode, file_mode=file_mode, gid=group_id(group))

    def _fitting(self, known: Known, *, begin_new: bool, new_id: str) -> Marker:
        """The marker to go on with; raises the misfit of the one on disk unless another library may begin."""
        found = marker.read(self.path)
        problem = marker.misfit(found, known, self.path)
        if problem is not None and not begin_new:
            raise problem
        if found is None or problem is not None:
            return Marker(id=new_id, state=known.state, pass_number=0)
        return found

    def _make_home(self) -> None:
        try:
            with refusals(self.path):
                if not self.path.is_dir():
                    make_folders(self.path.parent, self.path, self._access())
                make_folders(self.path, self.path / marker.FOLDER, self._access())
        except MeetingFailed as error:  # here it concerns every meeting
            raise LibraryUnusable(str(error), hint=error.hint) from error

    def _take_lock(self) -> None:
        path = self.path / marker.FOLDER / "lock"
        lock = FileLock(path, timeout=0, thread_local=False)
        try:
            with refusals(path):
                lock.acquire()
        except Timeout as error:
            raise PassRunning(f"{self.path}: another pass is running in this library") from error
        self._pass_lock = lock

    def _confirm(self) -> None:
        """Before anything is written, or a person is said to have removed something: is the library still there?"""
        if self._on_disk() != self.id:
            hint = "is its file system still mounted? check destination.path in the config"
            raise LibraryUnusable(f"{self.path}: library {self.id[:8]} went away during the pass", hint=hint)

    def _on_disk(self) -> str:
        found = marker.read(self.path)
        return found.id if found else ""


def _again(uuid: str) -> str:
    return f"it is left alone; `zoomsync sync --meeting {uuid}` publishes it again"


def _stamped(receipt: Receipt, known: Receipt | None) -> Receipt:
    """The receipt with the stamps that the state kept for the files that stayed."""
    stamps = {file: file.stamp for file in known.files} if known is not None else {}
    return replace(receipt, files=tuple(replace(file, stamp=stamps.get(file)) for file in receipt.files))
