"""The items of a library: found by meeting wherever a person put them, and read."""

import errno
import os
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path

from zoomsync.destinations.layout import MANIFEST, TOPS, Recording
from zoomsync.errors import MeetingFailed
from zoomsync.files import fact, read_file
from zoomsync.formatting import plural
from zoomsync.model import Clock
from zoomsync.naming import suffix

WALKS = 3
"""So often the library is walked when a person moves folders meanwhile."""
_SUFFIX = re.compile(r"\[([0-9a-f]{8})\]")
_DATED = re.compile(r"\d{4}-\d\d-\d\d \d\d-\d\d")


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


@dataclass(slots=True)
class Index:
    """The folders of a library whose names have a meeting's suffix. Shared by all threads."""

    root: Path
    clock: Clock
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _folders: dict[str, set[Path]] | None = None
    """Suffix → folders; None: not walked yet."""
    _closed: list[Path] = field(default_factory=list)
    """Folders that a person closed to this user, or that another user made: nobody knows what lies in there."""

    def add(self, folder: Path) -> None:
        """Remember an item that was just published."""
        with self._lock:
            if self._folders is not None:
                _add(folder, self._folders)

    def locate(self, uuid: str, *, library: str, is_known: bool = False) -> tuple[Path, Recording] | None:
        """The item of a meeting; of several (a person copied it) always the same one.

        Raises `MeetingFailed` when a folder has the suffix but does not say whose it is, and when an item that is known
        to be stored may lie in a folder that cannot be read.
        """
        ending, matches, unknown = suffix(uuid), [], []
        with self._lock:
            if self._folders is None or not all(one.is_dir() for one in self._folders.get(ending, ())):
                self._folders = self._walk()  # again when one of them has been moved since
            named = sorted(self._folders.get(ending, ()))
        for folder in named:
            # a person may give a folder a name that is no UTF-8, which no state and no JSON could hold
            place = os.fsencode(folder.relative_to(self.root).as_posix()).decode("utf-8", "replace")
            recording = read_manifest(folder, place=place, library=library)
            if recording is None:
                unknown.append(folder)
            elif recording.receipt.uuid == uuid:
                matches.append((folder, recording))
        if unknown and not matches:
            hint = "restore it from a backup; or remove the folder, then `sync --meeting` fetches it again"
            raise MeetingFailed(f"{unknown[0]}: {MANIFEST} is missing", hint=hint, service="library")
        if is_known and not matches and self._closed:
            raise _refused(self._closed[0])
        return min(matches, key=lambda match: (-match[1].revision, str(match[0])), default=None)

    def in_words(self) -> str:
        """How many items there are, and how far back they go."""
        folders = self._walk()
        if self._closed:
            raise _refused(self._closed[0])
        names = (folder.name[:16] for some in folders.values() for folder in some if _DATED.match(folder.name))
        oldest = min(names, default="")
        since = f", the oldest of {oldest}: recordings.since must not be later" if oldest else ""
        return f"{plural(len(folders), 'item')} found{since}"

    def _walk(self, walks: int = WALKS) -> dict[str, set[Path]]:
        """Every folder that is an item or could hold some; raises `OSError` rather than overlook one.

        One that is closed to this user goes to `_closed`: it costs its own items alone.
        """
        found: dict[str, set[Path]] = {}
        self._closed = []

        def note(error: OSError) -> None:
            if error.errno != errno.EACCES or Path(error.filename).parent == self.root:
                raise error
            self._closed.append(Path(error.filename))
            _add(Path(error.filename), found)

        try:
            for top in TOPS:
                if (self.root / top).is_dir():
                    for folder, below, names in os.walk(self.root / top, onerror=note):
                        self.clock.check()
                        if MANIFEST in names:
                            below.clear()
                        _add(Path(folder), found)
        except FileNotFoundError:  # a person is moving folders just now
            if walks == 1:
                raise
            return self._walk(walks - 1)
        return found


def _add(folder: Path, folders: dict[str, set[Path]]) -> None:
    for ending in _SUFFIX.findall(folder.name):
        folders.setdefault(ending, set()).add(folder)


def _refused(folder: Path) -> OSError:
    return PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
