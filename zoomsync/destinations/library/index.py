"""Where the items of a library are: walked once a pass, found by meeting wherever a person put them."""

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

from zoomsync.destinations.library import manifest
from zoomsync.destinations.library.manifest import Recording
from zoomsync.errors import MeetingFailed
from zoomsync.model import Clock
from zoomsync.naming import suffix

TOPS = ("published", "drafts")
_SUFFIX = re.compile(r"\[([0-9a-f]{8})\]")


class Index:
    """The folders of a library whose names have a meeting's suffix. Shared by all threads."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self._root = root
        self._clock = clock
        self._lock = threading.Lock()
        self._folders: dict[str, set[Path]] | None = None

    def add(self, folder: Path) -> None:
        """Remember an item that was just published."""
        with self._lock:
            if self._folders is not None:
                _note(self._folders, folder)

    def locate(self, uuid: str, *, library: str) -> tuple[Path, Recording] | None:
        """The item of a meeting; of several (a person copied it) always the same one.

        Raises `MeetingFailed` when a folder has the suffix but does not say whose it is.
        """
        folders = self._named(suffix(uuid))
        said = [
            (folder, manifest.read_manifest(folder, place=place_of(folder, self._root), library=library))
            for folder in folders
        ]
        matches = [(folder, one) for folder, one in said if one and one.receipt.uuid == uuid]
        if matches:
            return min(matches, key=lambda match: (-match[1].revision, str(match[0])))
        for folder, one in said:
            if one is None:
                hint = "restore it from a backup; or remove the folder, then `sync --meeting` fetches it again"
                raise MeetingFailed(f"{folder}: {manifest.NAME} is missing", hint=hint)
        return None

    def _named(self, ending: str) -> list[Path]:
        """The folders with this suffix that are there now; walks again when one has been moved since."""
        with self._lock:
            if self._folders is None or not all(one.is_dir() for one in self._folders.get(ending, ())):
                self._folders = self._walked()
            return sorted(self._folders.get(ending, ()))

    def _walked(self, tries: int = 3) -> dict[str, set[Path]]:
        found: dict[str, set[Path]] = {}
        try:
            for folder in self._walk():
                _note(found, folder)
        except FileNotFoundError:  # a person is moving folders just now
            if tries == 1:
                raise
            return self._walked(tries - 1)
        return found

    def _walk(self) -> Iterator[Path]:
        """Every folder that is an item or could hold some; raises `OSError` rather than overlook one."""
        for top in TOPS:
            if not (self._root / top).is_dir():
                continue
            for folder, below, names in os.walk(self._root / top, onerror=_fail):
                self._clock.check()
                if manifest.NAME in names:
                    below.clear()
                yield Path(folder)


def place_of(folder: Path, root: Path) -> str:
    """Where an item is, relative to the library, for people and as a hint."""
    return os.fsencode(folder.relative_to(root).as_posix()).decode("utf-8", "replace")


def _note(folders: dict[str, set[Path]], folder: Path) -> None:
    for ending in _SUFFIX.findall(folder.name):
        folders.setdefault(ending, set()).add(folder)


def _fail(error: OSError) -> None:
    raise error
