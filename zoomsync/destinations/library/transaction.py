"""One change of the library, made ready aside, then finished: killed at any instant, it is finished later or redone.

A change has a folder of its own on the library's file system. New files gather in `files/` under their final names,
with the `recording.json` to be; then `change.json` says, durably, that it is whole. From then on it is only finished.
"""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from zoomsync.destinations.library import manifest
from zoomsync.destinations.library.manifest import Recording
from zoomsync.errors import MeetingFailed
from zoomsync.files import FileModes, has_content, has_size, inside, make_folders, move, sync, write
from zoomsync.model import Clock, Item, ItemFile, StoredFile

REFETCH = "it is fetched again by the next pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotted:
    """A file of an item and how it is stored: anew from `file.source`, or as it was (`file` None)."""

    stored: StoredFile
    file: ItemFile | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What `change.json` says of a change that is whole."""

    uuid: str
    place: str
    """Where a new item goes; `""` for an update of one that is there."""
    superseded: tuple[tuple[str, int, str], ...] = ()
    """Name, size and SHA-256 of each old file that goes when the update is done."""


def allot(item: Item, old: Sequence[StoredFile], folder: Path | None) -> tuple[Allotted, ...]:
    """Give each file of the item its stored name; `old`: what is stored and intact, `folder`: the item, if there.

    Raises `MeetingFailed` for a file that is to be kept but is not stored.
    """
    taken = {manifest.NAME, *(file.name.casefold() for file in old)}
    by_role = {file.role: file for file in old}
    found = []
    for file in item.files:
        stored = by_role.get(file.role)
        if stored is not None and (file.source is None or (stored.size, stored.sha256) == (file.size, file.sha256)):
            found.append(Allotted(stored=stored, file=None))
            continue
        name = _free_name(file.name, taken, folder)
        taken.add(name.casefold())
        found.append(Allotted(stored=file.as_stored(name=name), file=file))
    return tuple(found)


def _free_name(wanted: str, taken: set[str], folder: Path | None) -> str:
    """`wanted`, or a further version of it where that name is taken or anything at all is there."""
    path = PurePosixPath(wanted)
    version = 1
    name = wanted
    while name.casefold() in taken or (folder is not None and os.path.lexists(folder / name)):
        version += 1
        name = str(path.with_name(f"{path.stem}.v{version}{path.suffix}"))
    return name


class Transaction:
    """The folder of one change."""

    def __init__(self, path: Path, *, root: Path, access: FileModes, clock: Clock) -> None:
        self._path = path
        self._root = root
        self._access = access
        self._clock = clock
        self._files = path / "files"
        self._note = path / "change.json"

    def prepare(self, allotted: Sequence[Allotted], new: Recording, change: Change) -> None:
        """Gather the new files, those of a killed run included, and declare the change whole."""
        fresh = {one.stored.name: one.file for one in allotted if one.file is not None}
        make_folders(self._root, self._path, FileModes(dir_mode=0o700, file_mode=0o600))
        make_folders(self._path, self._files, self._access)
        self._drop_all_but(set(fresh))
        for name, file in fresh.items():
            self._gather(inside(self._files, self._files / name), file)
        write(self._files / manifest.NAME, new.document)
        self._access.grant(self._files / manifest.NAME)
        for folder in self._folders():
            sync(folder)
        write(self._note, _document(change))

    def read(self) -> Change | None:
        """The change that was declared whole and is not finished yet."""
        try:
            document = json.loads(self._note.read_bytes())
            superseded = tuple((str(name), int(size), str(sha256)) for name, size, sha256 in document["superseded"])
            return Change(uuid=document["uuid"], place=document["place"], superseded=superseded)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise MeetingFailed(f"{self._note}: damaged", hint=f"remove {self._path}; {REFETCH}") from error

    def create(self, change: Change) -> Path:
        """Finish a new item: rename it into its place. Returns where it is."""
        target = self._root / change.place
        if self._files.is_dir():
            target = _free_place(target)
            make_folders(self._root, target.parent, self._access)
            self._files.rename(target)
            sync(target.parent)
        self.clear()
        return target

    def update(self, change: Change, folder: Path) -> None:
        """Finish an update of the item in `folder`: new files, then `recording.json`, then the old files go."""
        for file in sorted(self._gathered()):
            if file.name != manifest.NAME or file.parent != self._files:
                self._place(file, folder / file.relative_to(self._files))
        news = self._files / manifest.NAME
        if news.exists():
            news.replace(inside(self._root, folder) / manifest.NAME)
            sync(folder)
        for name, size, sha256 in change.superseded:
            self._remove(folder, folder / name, size, sha256)
        self.clear()

    def clear(self) -> None:
        """Remove the change's folder; `change.json` last, so that nothing half removed looks unfinished."""
        if self._files.is_dir():
            shutil.rmtree(self._files)
        self._note.unlink(missing_ok=True)
        with suppress(OSError):  # a file that is not ours keeps the folder
            self._path.rmdir()

    def _gather(self, target: Path, file: ItemFile) -> None:
        if not has_content(target, file.size, file.sha256, self._clock):
            if file.source is None or not has_size(file.source, file.size):
                raise MeetingFailed(f"{file.name}: not in staging as it was proven", hint=REFETCH)
            make_folders(self._files, target.parent, self._access)
            move(file.source, target, sha256=file.sha256, clock=self._clock)
        self._access.grant(target)
        sync(target)

    def _place(self, file: Path, target: Path) -> None:
        make_folders(self._root, target.parent, self._access)
        if os.path.lexists(target):
            self.clear()
            raise MeetingFailed(f"{target}: appeared during the update, it is left alone", hint=REFETCH)
        file.rename(target)
        sync(target.parent)

    def _remove(self, folder: Path, path: Path, size: int, sha256: str) -> None:
        """Remove an old file if it still has the bytes of the old receipt: else it is a person's by now."""
        if has_content(inside(self._root, path), size, sha256, self._clock):
            path.unlink()
            sync(path.parent)
        if path.parent != folder and path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()

    def _drop_all_but(self, names: set[str]) -> None:
        for file in list(self._gathered()):
            if file.relative_to(self._files).as_posix() not in names:
                file.unlink()

    def _gathered(self) -> Iterator[Path]:
        return (path for path in self._files.rglob("*") if not path.is_dir())

    def _folders(self) -> Iterator[Path]:
        yield self._files
        yield from (path for path in self._files.rglob("*") if path.is_dir())


def _free_place(wanted: Path) -> Path:
    """`wanted`, or where some other thing is there a numbered one beside it; the suffix stays at the end."""
    number = 1
    place = wanted
    while os.path.lexists(place):
        number += 1
        stem, bracket, ending = wanted.name.rpartition(" [")
        place = wanted.with_name(f"{stem} ({number}){bracket}{ending}")
    return place


def _document(change: Change) -> bytes:
    fields = {"uuid": change.uuid, "place": change.place, "superseded": change.superseded}
    return json.dumps(fields, indent=2).encode() + b"\n"
