"""The items of a remote: found by meeting without listing more than needed, and judged by content."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from zoomsync.destinations.base import Everything
from zoomsync.destinations.layout import MANIFEST, TOPS, Places, Recording, each_item, newest, was_removed
from zoomsync.destinations.marker import FOLDER
from zoomsync.destinations.rclone.remote import Entry, Remote, steady
from zoomsync.errors import MeetingFailed, ServiceUnavailable
from zoomsync.model import Receipt, Stamp, StoredFile
from zoomsync.naming import suffix
from zoomsync.progress import Progress

READERS = 8
"""So many `recording.json` are read at a time when a remote is adopted."""
INHERITED = f"{FOLDER}/inherited.txt"
"""The suffixes of all that lay in the remote when it was last ahead of the state, and of what may have been stored
without an answer; one a line."""


@dataclass(slots=True)
class Items:
    """Shared by all threads."""

    remote: Remote
    by_hash: bool
    """Whether the store's own hashes may prove content."""
    progress: Progress
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _places: Places | None = None
    """Of all items; None: not listed yet."""
    _inherited: bytes | None = None
    """The suffixes that are written down; None: not read yet."""

    @property
    def proof(self) -> str:
        """The hash of the store that proves content; empty: what is to be proven is read back."""
        return self.remote.proof if self.by_hash else ""

    def locate(
        self, uuid: str, place: str = "", *, library: str, is_known: bool = False, is_ahead: bool = False
    ) -> Recording | None:
        """The item of a meeting; of several (a person copied it) always the same one.

        `place` is where it was or, for one that is not known, would be. `is_ahead`: whether the remote may hold items
        that the state does not know. Raises `MeetingFailed` if its `recording.json` is damaged, or missing where the
        state knows the item.
        """
        if place and (found := self.at(place, uuid, library=library)):
            return found
        ending = suffix(uuid)
        if is_known or is_ahead or self._is_inherited(ending):
            for folders in self._nearest_first(place, ending):
                others = (self.at(one, uuid, library=library) for one in folders if one != place)
                if matches := [one for one in others if one is not None]:
                    return newest(matches)
        if is_known and place and self.remote.files(place, hashed=False):
            hint = "restore it from a backup; or remove the folder, then `sync --meeting` fetches it again"
            raise MeetingFailed(f"{self.remote.name(place)}/{MANIFEST}: missing", hint=hint, service="remote")
        return None

    def at(self, place: str, uuid: str, *, library: str) -> Recording | None:
        """The item of this meeting in this folder."""
        found = self._read(place, library)
        return found if found and found.receipt.uuid == uuid else None

    def _read(self, place: str, library: str) -> Recording | None:
        path = f"{place}/{MANIFEST}"
        data = self.remote.read(path)
        if data is None:
            return None
        return Recording.parse(data, self.remote.name(path), place=place, destination=library, service="remote")

    def files(self, place: str) -> dict[str, Entry]:
        """The files of an item that was just read; a list without its `recording.json` is none, and proves nothing."""
        there = self.remote.files(place)
        if MANIFEST not in there:
            message = f"{self.remote.name(place)}: its list lacks {MANIFEST}, which was just read"
            raise ServiceUnavailable(message, hint="the next pass looks again", service="remote")
        return there

    def add(self, place: str) -> None:
        """Remember an item that was just published."""
        with self._lock:
            self._places = self._places and self._places.with_one(place)

    def places(self) -> Places:
        """All of it is listed, once a pass, unless an item was moved since."""
        with self._lock:
            if self._places is None:
                self._places = steady(
                    lambda: Places(place for top in TOPS for place in self.remote.places_of(MANIFEST, top))
                )
            return self._places

    def everything(self, library: str, after: str) -> Everything:
        """Each item, or why it cannot be read."""
        return each_item(self.places(), lambda place: self._read(place, library), after, readers=READERS)

    def note_all(self) -> None:
        """Write down what lies here: a later pass finds by it what the state does not know."""
        if lines := self.places().lines:
            self.remote.write(INHERITED, lines)

    def note(self, uuid: str, begin_change: Callable[[], None]) -> None:
        """Write down that the item of this meeting may lie here, and the state does not know it."""
        line = f"{suffix(uuid)}\n".encode()
        if not self._is_inherited(suffix(uuid)):
            with self._lock:
                self._inherited = (self._inherited or b"") + line  # this pass finds it, whatever comes of the change
        begin_change()
        with self._lock:
            noted = self.remote.read(INHERITED) or b""
            if line not in noted:
                self.remote.write(INHERITED, noted + line)

    def _nearest_first(self, place: str, ending: str) -> Iterator[list[str]]:
        """Folders that may be the item: of the same author and year; anywhere; and if it was moved since all was
        listed, anywhere as it is now."""
        yield self._beside(place, ending)
        known = self._anywhere(ending)
        yield known
        if known:
            with self._lock:
                self._places = None
            yield self._anywhere(ending)

    def _beside(self, place: str, ending: str) -> list[str]:
        """Of the same author and year, under another name or no draft any more."""
        parent = place.partition("/")[2].rpartition("/")[0]
        folders = [f"{top}/{parent}" for top in TOPS] if parent else []
        return [f"{one}/{name}" for one in folders for name in self.remote.folders(one) or () if f"[{ending}]" in name]

    def _anywhere(self, ending: str) -> list[str]:
        return self.places().of(ending)

    def _is_inherited(self, ending: str) -> bool:
        with self._lock:
            if self._inherited is None:
                self._inherited = self.remote.read(INHERITED) or b""
            return ending.encode() in self._inherited

    def flaw(self, place: str, file: StoredFile, there: Mapping[str, Entry]) -> str:
        """What became of a stored file, in words; empty: it is whole, by a hash of the store or read back."""
        listed = there.get(file.name)
        if listed is not None and listed.size not in (file.size, -1):  # a store may not know
            return f"{file.name} has {listed.size} bytes, {file.size} were stored"
        wanted = self.hash_of(file)
        if wanted and listed is not None and listed.hash:
            is_whole = wanted == listed.hash
        else:
            with self.progress.working(f"{file.name} is read back", file.size, is_due=False) as moved:
                found = self.remote.read_back(f"{place}/{file.name}", moved)
            if found is None and listed is None:  # a list may be late, or not whole
                return was_removed(file)
            if found is None:
                message = f"{self.remote.name(place)}/{file.name}: is listed, and is not there"
                raise ServiceUnavailable(message, hint="the next pass looks again", service="remote")
            is_whole = found == file.sha256
        return "" if is_whole else f"{file.name} was changed: its content is not what was stored"

    def to_read(self, receipt: Receipt) -> int:
        """The bytes that judging these files downloads."""
        return sum(one.size for one in receipt.files if not self.hash_of(one))

    def hash_of(self, file: StoredFile) -> str:
        """The store's hash of a whole file; empty: not known. Of a copy in another place it may be the uploader's."""
        if self.proof == "sha256":
            return file.sha256
        look, mark = (file.stamp.look if file.stamp else ""), self.remote.mark
        return look.removeprefix(mark) if self.proof and look.startswith(mark) else ""


def with_stamps(receipt: Receipt, known: Receipt | None) -> Receipt:
    """The receipt with what the state remembers of the same files: no `recording.json` has that."""
    stamps: dict[tuple[str, str], Stamp | None] = {}
    if known is not None and known.destination == receipt.destination:
        stamps = {(one.name, one.sha256): one.stamp for one in known.files}
    files = (replace(one, stamp=stamps.get((one.name, one.sha256), one.stamp)) for one in receipt.files)
    return replace(receipt, files=tuple(files))
