"""The items of a library: found by meeting wherever a person put them, and read."""

import errno
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from zoomsync.destinations.base import Everything
from zoomsync.destinations.layout import MANIFEST, SUFFIX, TOPS, Places, Recording, each_item, in_words
from zoomsync.destinations.marker import FOLDER
from zoomsync.errors import MeetingFailed
from zoomsync.files import fact, read_file, write
from zoomsync.model import Clock
from zoomsync.naming import suffix

WALKS = 3
"""So often the library is walked when a person moves folders meanwhile."""
INHERITED = "inherited.txt"
"""In `.zoomsync`: the suffixes of all that lay in the library when it was last ahead of the state, one a line."""


def read_manifest(folder: Path, *, place: str, library: str) -> Recording | None:
    """What the item in `folder` says of itself, None without `recording.json`; `MeetingFailed` if unreadable."""
    path = folder / MANIFEST
    try:
        data = read_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        hint = "check its mode and owner, and the disk"
        raise MeetingFailed(f"{path}: {fact(error)}", hint=hint, service="library") from error
    return Recording.parse(data, str(path), place=place, destination=library, service="library")


Found: TypeAlias = tuple[Path, Recording]


@dataclass(slots=True)
class Index:
    """Where the items of a library lie. Shared by all threads.

    An item is looked for from near to far. The library is walked once a pass at most, and only for an item that must
    be somewhere.
    """

    root: Path
    clock: Clock
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _places: Places | None = None
    """Of all items; None: not walked yet."""
    _closed: list[Path] = field(default_factory=list)
    """Folders that a person closed to this user, or that another user made: nobody knows what lies in there."""
    _beside: dict[Path, bytearray] = field(default_factory=dict)
    """Folder → the suffixes in it, when it was listed first."""
    _inherited: bytes | None = None
    """The suffixes that are written down; None: not read yet."""

    def locate(
        self, uuid: str, place: str = "", *, library: str, is_known: bool = False, is_ahead: bool = False
    ) -> Found | None:
        """The item of a meeting; of several (a person copied it) always the same one.

        `place` is where it was or, for one that is not known, would be. `is_ahead`: whether the library may hold items
        that the state does not know. Raises `MeetingFailed` when a folder has the suffix but does not say whose it is,
        and when an item that is known to be stored may lie in a folder that cannot be read.
        """
        ending, unknown = suffix(uuid), []
        is_somewhere = is_known or is_ahead or self._places is not None or self._is_inherited(ending)
        for folders in self._nearest_first(ending, place, is_somewhere=is_somewhere):
            matches = []
            for folder in folders:
                recording = self._read(folder, library)
                if recording is not None and recording.receipt.uuid == uuid:
                    matches.append((folder, recording))
                elif recording is None and folder.is_dir():
                    unknown.append(folder)
            if matches:
                return min(matches, key=lambda match: (-match[1].revision, str(match[0])))
        if unknown:
            raise _without_manifest(unknown[0])
        if self._closed and (is_known or self._is_inherited(ending)):
            raise _refused(self._closed[0])
        return None

    def _nearest_first(self, ending: str, place: str, *, is_somewhere: bool) -> Iterator[list[Path]]:
        """Folders that may be the item: at its place; of the same author and year; of the author; anywhere."""
        if is_somewhere and place and self._is_own(self.root / place):
            yield [self.root / place]
        match place.split("/"):
            case [_, author, year, _] if self._places is None:
                authors = [self.root / top / author for top in TOPS]
                yield self._named(ending, [folder / year for folder in authors])
                if is_somewhere:
                    yield self._named(ending, [folder / one for folder in authors for one in self._listed(folder)])
        if is_somewhere:
            with self._lock:
                if self._places is None or not all(map(os.path.isdir, self._places.of(ending))):
                    self._places = self._walk()  # again when one of them has been moved since
                found = self._places.of(ending)
            yield [Path(folder) for folder in found]

    def _named(self, ending: str, folders: Iterable[Path]) -> list[Path]:
        """What lies in these folders under this suffix."""
        found: list[Path] = []
        for folder in folders:
            if folder not in self._beside:
                self._beside[folder] = bytearray(" ".join(SUFFIX.findall("".join(self._listed(folder)))).encode())
            if ending.encode() in self._beside[folder]:
                found += [folder / name for name in self._listed(folder) if f"[{ending}]" in name]
        return sorted(found)

    def _listed(self, folder: Path) -> list[str]:
        """The names in a folder; none if it cannot be read: that proves nothing."""
        with suppress(OSError):
            return [one.name for one in folder.iterdir()] if self._is_own(folder) else []
        return []

    def _is_own(self, folder: Path) -> bool:
        """Whether no link leads to it: behind one, nothing is looked for."""
        return Path(os.path.realpath(folder)) == Path(os.path.realpath(self.root)) / folder.relative_to(self.root)

    def add(self, folder: Path) -> None:
        """Remember an item that was just published."""
        with self._lock:
            self._places = self._places and self._places.with_one(str(folder))
            if folder.parent in self._beside:
                self._beside[folder.parent] += f" {folder.name}".encode()

    def note_all(self) -> None:
        """Write down, durably, what lies here: a later pass finds by it what the state does not know."""
        with self._lock:
            if self._places is None:
                self._places = self._walk()
            if lines := self._places.lines:
                write(self.root / FOLDER / INHERITED, lines)

    def _is_inherited(self, ending: str) -> bool:
        if self._inherited is None:
            try:
                self._inherited = read_file(self.root / FOLDER / INHERITED)
            except (FileNotFoundError, NotADirectoryError):
                self._inherited = b""
        return ending.encode() in self._inherited

    def everything(self, library: str, after: str) -> Everything:
        """Each item, or why it cannot be read; first the folders that are closed to this user."""
        with self._lock:
            places = self._places = self._places or self._walk()
        hint = "have it opened to the user of zoomsync"
        for folder in self._closed:
            yield MeetingFailed(f"{folder}: permission denied", hint=hint, service="library")

        def read(place: str) -> Recording | None:
            folder = Path(place)
            if folder in self._closed:  # which is named already
                return None
            found = self._read(folder, library)
            if found is None and folder.is_dir():
                raise _without_manifest(folder)
            return found

        yield from each_item(places, read, after)

    def _read(self, folder: Path, library: str) -> Recording | None:
        # a person may give a folder a name that is no UTF-8, which no state and no JSON could hold
        found_at = os.fsencode(folder.relative_to(self.root).as_posix()).decode("utf-8", "replace")
        return read_manifest(folder, place=found_at, library=library)

    def in_words(self) -> str:
        """How many items there are, and how far back they go."""
        places = self._places = self._walk()
        if self._closed:
            raise _refused(self._closed[0])
        return in_words(places)

    def _walk(self, walks: int = WALKS) -> Places:
        """Every folder that is an item or could hold some; raises `OSError` rather than overlook one.

        One that is closed to this user goes to `_closed`: it costs its own items alone.
        """
        found = Places()
        self._closed = []

        def note(error: OSError) -> None:
            if error.errno != errno.EACCES or Path(error.filename).parent == self.root:
                raise error
            self._closed.append(Path(error.filename))
            found.add(error.filename)

        try:
            for top in TOPS:
                if (self.root / top).is_dir():
                    for folder, below, names in os.walk(self.root / top, onerror=note):
                        self.clock.check()
                        if MANIFEST in names:
                            below.clear()
                        found.add(folder)
        except FileNotFoundError:  # a person is moving folders just now
            if walks == 1:
                raise
            return self._walk(walks - 1)
        return found


def _without_manifest(folder: Path) -> MeetingFailed:
    hint = "restore it from a backup; or remove the folder, then `sync --meeting` fetches it again"
    return MeetingFailed(f"{folder}: {MANIFEST} is missing", hint=hint, service="library")


def _refused(folder: Path) -> OSError:
    return PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
