"""One change of the library, made ready aside, then finished: killed at any instant, it is finished later or redone.

A change has a folder of its own on the library's file system. New files gather in `files/` under their final names,
with the `recording.json` to be; then `change.json` says, durably, that it is whole. From then on it is only finished.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from pydantic import TypeAdapter

from zoomsync.destinations.library import manifest
from zoomsync.destinations.library.manifest import Recording
from zoomsync.errors import MeetingFailed
from zoomsync.files import PRIVATE, FileModes, has_content, has_size, inside, make_folders, move, sync, write
from zoomsync.model import Clock, Item, ItemFile, StoredFile
from zoomsync.naming import versions

REFETCH = "it is fetched again by the next pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What `change.json` says of a change that is whole."""

    uuid: str
    place: str
    """Where a new item goes; `""` for an update of one that is there."""
    superseded: tuple[tuple[str, int, str], ...]
    """Name, size and SHA-256 of each old file that goes when the update is done."""


_CHANGE = TypeAdapter(Change)


def name_files(
    item: Item, old: Sequence[StoredFile], folder: Path | None
) -> tuple[tuple[StoredFile, ...], dict[str, ItemFile]]:
    """Each file of the item as it will be stored; and by stored name those of them that are new.

    `old`: what is stored and whole, which stays as it is unless the item has other content for its role.
    `folder`: the item, if it is there; a person's files in it keep their names.
    """
    taken = {manifest.NAME, *(file.name.casefold() for file in old)}
    by_role = {file.role: file for file in old}
    files = []
    new = {}
    for file in item.files:
        stored = by_role.get(file.role)
        if stored is None or (file.source is not None and (stored.size, stored.sha256) != (file.size, file.sha256)):
            free = (one for one in versions(file.name) if one.casefold() not in taken)
            name = next(one for one in free if folder is None or not os.path.lexists(folder / one))
            taken.add(name.casefold())
            stored = file.as_stored(name=name)
            new[name] = file
        files.append(stored)
    return tuple(files), new


class Transaction:
    """The folder of one change."""

    def __init__(self, path: Path, *, root: Path, modes: FileModes, clock: Clock) -> None:
        self._path = path
        self._root = root
        self._modes = modes
        self._clock = clock
        self._files = path / "files"
        self._manifest = self._files / manifest.NAME
        self._note = path / "change.json"

    def prepare(self, new: Mapping[str, ItemFile], recording: Recording, change: Change) -> None:
        """Gather the new files, those of a killed pass included, and declare the change whole.

        Raises `MeetingFailed` for a file that is to be kept but is not stored, or is not in staging as it was proven.
        """
        make_folders(self._root, self._path, PRIVATE)
        make_folders(self._path, self._files, self._modes)
        for path in self._gathered():
            if path.relative_to(self._files).as_posix() not in new:
                path.unlink()
        for name, file in new.items():
            target = inside(self._files, self._files / name)
            if not has_content(target, file.size, file.sha256, self._clock):
                if file.source is None or not has_size(file.source, file.size):
                    message = f"{file.name}: not in staging as it was proven"
                    raise MeetingFailed(message, hint=REFETCH, service="disk")
                make_folders(self._files, target.parent, self._modes)
                move(file.source, target, sha256=file.sha256, clock=self._clock)
            self._modes.grant(target)
            sync(target)
        write(self._manifest, recording.document)
        self._modes.grant(self._manifest)
        for folder in (self._files, *filter(Path.is_dir, self._files.rglob("*"))):
            sync(folder)
        write(self._note, _CHANGE.dump_json(change, indent=2) + b"\n")

    def _gathered(self) -> list[Path]:
        return sorted(path for path in self._files.rglob("*") if not path.is_dir())

    def read(self) -> Change | None:
        """The change that was declared whole and is not finished yet."""
        try:
            return _CHANGE.validate_json(self._note.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError as error:
            raise MeetingFailed(
                f"{self._note}: damaged", hint=f"remove {self._path}; {REFETCH}", service="library"
            ) from error

    def create(self, change: Change) -> Path:
        """Finish a new item: rename it into its place. Returns where it is."""
        wanted = self._root / change.place
        if not self._files.is_dir():  # it is in place already, but was killed before the change was cleared away
            self.clear()
            return wanted
        # what is in the way is left alone; the suffix, by which an item is found, stays at the end
        title, bracket, suffix = wanted.name.rpartition(" [")
        others = (wanted.with_name(f"{title} ({number}){bracket}{suffix}") for number in count(2))
        place = next(one for one in chain([wanted], others) if not os.path.lexists(one))
        make_folders(self._root, place.parent, self._modes)
        self._files.rename(place)
        sync(place.parent)
        self.clear()
        return place

    def update(self, change: Change, folder: Path) -> None:
        """Finish an update of the item in `folder`: new files, then `recording.json`, then the old files go.

        An old file goes only if it still has the bytes of the old receipt: else it is a person's by now.
        """
        for file in self._gathered():
            if file == self._manifest:
                continue
            target = folder / file.relative_to(self._files)
            make_folders(self._root, target.parent, self._modes)
            if os.path.lexists(target):
                self.clear()
                message = f"{target}: appeared during the update, it is left alone"
                raise MeetingFailed(message, hint=REFETCH, service="library")
            file.rename(target)
            sync(target.parent)
        if self._manifest.exists():
            self._manifest.replace(inside(self._root, folder) / manifest.NAME)
            sync(folder)
        for name, size, sha256 in change.superseded:
            path = inside(self._root, folder / name)
            if has_content(path, size, sha256, self._clock):
                path.unlink()
                sync(path.parent)
            if path.parent != folder and path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()
        self.clear()

    def clear(self) -> None:
        """Remove the change's folder; `change.json` last, so that nothing half removed looks unfinished."""
        if self._files.is_dir():
            shutil.rmtree(self._files)
        self._note.unlink(missing_ok=True)
        with suppress(OSError):  # a file that is not ours keeps the folder
            self._path.rmdir()
