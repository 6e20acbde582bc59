"""One change of the library, made ready aside, then finished: killed at any instant, it is finished later or redone.

A change has a folder of its own on the library's file system. New files gather in `files/` under their final names,
with the `recording.json` to be. That folder becomes a new item in one step. For an update `change.json` says, durably,
that all is gathered; from then on it is only finished.

What lies in staging is durable before it comes here, so each file is flushed once, and each folder when it is whole.
"""

import os
import shutil
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from pydantic import TypeAdapter

from zoomsync.destinations.layout import MANIFEST, Recording
from zoomsync.errors import MeetingFailed
from zoomsync.files import (
    OPEN_FILE,
    PRIVATE,
    FileModes,
    has_content,
    has_size,
    inside,
    make_folders,
    move,
    read_file,
    sync,
    write,
    write_aside,
)
from zoomsync.model import Clock, ItemFile

FILES = "files"
NOTE = "change.json"
REFETCH = "it is fetched again by the next pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What `change.json` says of an update that is whole."""

    uuid: str
    place: str
    """Where the item was."""
    superseded: tuple[tuple[str, int, str], ...]
    """Name, size and SHA-256 of each old file that goes when the update is done."""


_CHANGE = TypeAdapter(Change)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """The folder of one change, and of the library."""

    path: Path
    root: Path
    modes: FileModes
    clock: Clock

    def gather(self, new: Mapping[str, ItemFile], recording: Recording, change: Change | None = None) -> None:
        """Bring the new files together, those of a killed pass included, durably; declare an update (`change`) whole.

        Raises `MeetingFailed` for a file that is to be kept but is not stored, or is not in staging as it was proven.
        """
        files = self.path / FILES
        folders = [files]
        if self.path.is_dir():
            _remove_all_but(new, files)
        make_folders(self.root, self.path.parent, PRIVATE)
        make_folders(self.root, self.path, PRIVATE, flush=False)
        make_folders(self.path, files, self.modes, flush=False)
        for name, file in new.items():
            target = inside(files, files / name)
            if not has_content(target, file.size, file.sha256, self.clock):
                if file.source is None or not has_size(file.source, file.size):
                    message = f"{file.name}: not in staging as it was proven"
                    raise MeetingFailed(message, hint=REFETCH, service="disk")
                make_folders(files, target.parent, self.modes, flush=False)
                move(file.source, target, sha256=file.sha256, clock=self.clock)
            self.modes.grant(target)
            folders += [one for one in target.parents if files in one.parents and one not in folders]
        aside = write_aside(files / MANIFEST, recording.document, mode=self.modes.file_mode or OPEN_FILE)
        self.modes.grant(aside)
        aside.rename(files / MANIFEST)
        for folder in folders:
            sync(folder)
        if change is not None:
            write(self.path / NOTE, _CHANGE.dump_json(change, indent=2) + b"\n")
            sync(self.path.parent)

    def read(self) -> Change | None:
        """The change that was declared whole and is not finished yet."""
        try:
            return _CHANGE.validate_json(read_file(self.path / NOTE))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError as error:
            hint = f"remove {self.path}; {REFETCH}"
            raise MeetingFailed(f"{self.path / NOTE}: damaged", hint=hint, service="library") from error

    def create(self, wanted: str) -> Path:
        """What was gathered becomes a new item, if possible in the place `wanted`. Returns where it is."""
        place, files = self.root / wanted, self.path / FILES
        # what is in the way is left alone; the suffix, by which an item is found, stays at the end
        title, bracket, suffix = place.name.rpartition(" [")
        others = (place.with_name(f"{title} ({number}){bracket}{suffix}") for number in count(2))
        place = next(one for one in chain([place], others) if not os.path.lexists(one))
        make_folders(self.root, place.parent, self.modes)
        files.rename(place)
        try:
            sync(place.parent)
        except OSError:
            place.rename(files)  # else it would be there although it failed
            raise
        with suppress(OSError):  # a file that is not ours keeps the folder
            self.path.rmdir()
        return place

    def update(self, change: Change, folder: Path) -> None:
        """Finish an update of the item in `folder`: new files, then `recording.json`, then the old files go.

        An old file goes only if it still has the bytes of the old receipt: else it is a person's by now.
        """
        files = self.path / FILES
        found = (file for file in sorted(files.rglob("*")) if not file.is_dir() and file != files / MANIFEST)
        new = {file: folder / file.relative_to(files) for file in found}
        for target in filter(os.path.lexists, new.values()):
            self.clear()
            message = f"{target}: appeared during the update, it is left alone"
            raise MeetingFailed(message, hint=REFETCH, service="library")
        for file, target in new.items():
            make_folders(self.root, target.parent, self.modes)
            file.rename(target)
        if (files / MANIFEST).exists():
            (files / MANIFEST).replace(inside(self.root, folder) / MANIFEST)
        for changed in {folder, *(target.parent for target in new.values())}:
            sync(changed)
        for name, size, sha256 in change.superseded:
            path = inside(self.root, folder / name)
            if has_content(path, size, sha256, self.clock):
                path.unlink()
            if path.parent != folder and path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()
        if change.superseded:
            for changed in filter(Path.is_dir, {folder, *((folder / name).parent for name, *_ in change.superseded)}):
                sync(changed)
        self.clear()

    def clear(self) -> None:
        """Remove the change's folder; `change.json` last, so that nothing half removed looks unfinished."""
        if (self.path / FILES).is_dir():
            shutil.rmtree(self.path / FILES)
        (self.path / NOTE).unlink(missing_ok=True)
        with suppress(OSError):  # a file that is not ours keeps the folder
            self.path.rmdir()


def _remove_all_but(wanted: Container[str], files: Path) -> None:
    """Of what a killed pass gathered, nothing stays that this one does not want."""
    for path in sorted(files.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            with suppress(OSError):  # it holds something that is wanted
                path.rmdir()
        elif path.relative_to(files).as_posix() not in wanted:
            path.unlink()
