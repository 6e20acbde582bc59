"""Where the items of a library are: walked once a pass, found by meeting wherever a person put them."""

import os
import re
import threading
from pathlib import Path

from zoomsync.destinations.library import manifest
from zoomsync.destinations.library.manifest import Recording
from zoomsync.errors import MeetingFailed
from zoomsync.model import Clock
from zoomsync.naming import suffix

TOPS = ("published", "drafts")
WALKS = 3
"""So often the library is walked when a person moves folders meanwhile."""
_SUFFIX = re.compile(r"\[([0-9a-f]{8})\]")


class Index:
    """The folders of a library whose names have a meeting's suffix. Shared by all threads."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self._root = root
        self._clock = clock
        self._lock = threading.Lock()
        self._folders: dict[str, set[Path]] | None = None
        """Suffix → folders; None: not walked yet."""

    def add(self, folder: Path) -> None:
        """Remember an item that was just published."""
        with self._lock:
            if self._folders is not None:
                _add(folder, self._folders)

    def locate(self, uuid: str, *, library: str) -> tuple[Path, Recording] | None:
        """The item of a meeting; of several (a person copied it) always the same one.

        Raises `MeetingFailed` when a folder has the suffix but does not say whose it is.
        """
        matches, unknown = [], []
        for folder in self._named(suffix(uuid)):
            # a person may give a folder a name that is no UTF-8, which no state and no JSON could hold
            place = os.fsencode(folder.relative_to(self._root).as_posix()).decode("utf-8", "replace")
            recording = manifest.read_manifest(folder, place=place, library=library)
            if recording is None:
                unknown.append(folder)
            elif recording.receipt.uuid == uuid:
                matches.append((folder, recording))
        if unknown and not matches:
            hint = "restore it from a backup; or remove the folder, then `sync --meeting` fetches it again"
            raise MeetingFailed(f"{unknown[0]}: {manifest.NAME} is missing", hint=hint, service="library")
        return min(matches, key=lambda match: (-match[1].revision, str(match[0])), default=None)

    def _named(self, ending: str) -> list[Path]:
        """The folders with this suffix that are there now; walks again when one has been moved since."""
        with self._lock:
            if self._folders is None or not all(one.is_dir() for one in self._folders.get(ending, ())):
                self._folders = self._walk()
            return sorted(self._folders.get(ending, ()))

    def _walk(self, walks: int = WALKS) -> dict[str, set[Path]]:
        """Every folder that is an item or could hold some; raises `OSError` rather than overlook one."""
        found: dict[str, set[Path]] = {}
        try:
            for top in TOPS:
                if (self._root / top).is_dir():
                    for folder, below, names in os.walk(self._root / top, onerror=_fail):
                        self._clock.check()
                        if manifest.NAME in names:
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


def _fail(error: OSError) -> None:
    raise error
