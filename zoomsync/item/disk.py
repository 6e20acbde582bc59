"""Room on the disk, reserved before a meeting is begun: over all workers, per file system; and staging kept tidy."""

import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from zoomsync.errors import DiskFull, Unfit
from zoomsync.files import STAGING, Refusals, fact, rehearse
from zoomsync.formatting import size_in_words
from zoomsync.model import Clock, Entry, Phase

if TYPE_CHECKING:
    from zoomsync.rules.update import Arrangement

POLL_SECONDS = 0.2


Wrote: TypeAlias = Callable[[int, int], None]
"""Called with a file system and how many more of the reserved bytes are on it, so that they are not counted twice."""


@dataclass(slots=True, kw_only=True)
class Disk:
    """The free space of the file systems that a pass writes to. Shared by all threads."""

    keep_free: int
    clock: Clock
    _promised: list[dict[int, int]] = field(default_factory=list, init=False)
    """Of each reservation: file system → bytes that are still to be written."""
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    @contextmanager
    def reserve(self, needs: Mapping[Path, int], staged: int = 0) -> Iterator[Wrote]:
        """Wait until there is room for `needs` (folder → bytes) while others may still give some back.

        `staged` are bytes of the first folder's that lie there already, from an earlier try.
        Raises `DiskFull` when there is no room although nobody else has a reservation. What is given raises it too,
        once more is written than was reserved (Zoom does not list every size) and only what is kept free is left.
        """
        folders = {device(folder): folder for folder in needs}

        def wrote(where: int, size: int) -> None:
            with self._lock:
                is_more = size > left.get(where, 0)
                left[where] = max(0, left.get(where, 0) - size)
                if is_more and where in folders and self._room(where, folders[where]) < 0:
                    raise self._full(folders[where], "more than was reserved")

        left: dict[int, int] = {}
        for folder, size in needs.items():
            left[device(folder)] = left.get(device(folder), 0) + size
        while not self._promise(left, needs, staged):
            self.clock.sleep(POLL_SECONDS)
        try:
            yield wrote
        finally:
            with self._lock:
                self._promised = [other for other in self._promised if other is not left]

    def _promise(self, left: dict[int, int], needs: Mapping[Path, int], staged: int) -> bool:
        """Whether there is room, which is promised then; False: perhaps later, when others give theirs back."""
        with self._lock:
            for number, folder in enumerate(needs):
                where = device(folder)
                if self._room(where, folder) + (0 if number else staged) >= left[where]:
                    continue
                if self._promised:
                    return False
                raise self._full(folder, size_in_words(left[where]))
            self._promised.append(left)
            return True

    def _room(self, where: int, folder: Path) -> int:
        """What is neither promised nor kept free; less than 0: there is less."""
        return free_bytes(folder) - sum(other.get(where, 0) for other in self._promised) - self.keep_free

    def _full(self, folder: Path, needed: str) -> DiskFull:
        free, kept = size_in_words(free_bytes(folder)), size_in_words(self.keep_free)
        message = f"{folder}: needs {needed}, but {free} are free and {kept} are to stay free (min_free_disk)"
        hint = "free some space, or lower min_free_disk; the meeting is tried in the next pass"
        return DiskFull(message, room=f"{free} free at {folder}, {kept} kept (min_free_disk)", hint=hint)


def needed(plan: "Arrangement", staging: Path, storage: Path | None) -> tuple[int, dict[Path, int]]:
    """The bytes that arrive, and what is written for them to each folder: the files, and what is stitched of them.

    `storage` is where items lie on this machine: if that is another file system, they are copied there.
    """
    from zoomsync.rules.layout import How

    arriving = sum(file.size or 0 for file in plan.fetch)
    stitched = sum(file.size or 0 for output in plan.build if output.how is How.STITCH for file in output.inputs)
    needs = {staging: arriving + 2 * stitched}
    if storage is not None and device(storage) != device(staging):
        needs[storage] = arriving + stitched
    return arriving, needs


def tidy(folder: Path, known: Callable[[str], Iterable[Entry]]) -> None:
    """Remove the staging folders of meetings that are not open; nothing else is touched. Raises `Unfit`.

    `known` says which meetings are remembered whose folder has this name.
    """
    with STAGING.explained(folder):
        for one in folder.iterdir() if folder.is_dir() else ():
            is_ours = re.fullmatch("[0-9a-f]{8}", one.name) and one.is_dir() and not one.is_symlink()
            if is_ours and not any(map(_is_unfinished, known(one.name))):
                shutil.rmtree(one)


def _is_unfinished(entry: Entry) -> bool:
    return bool(entry.phase is Phase.WAITING or entry.retry or entry.pending)


def free_bytes(folder: Path) -> int:
    """What this user may still write below `folder`, which need not exist yet."""
    try:
        return shutil.disk_usage(existing(folder)).free
    except OSError as error:
        hint = "check that the file system is mounted and readable"
        raise Unfit(f"{folder}: {fact(error)}", hint=hint) from error


def device(folder: Path) -> int:
    """The file system of `folder`, which need not exist yet."""
    return existing(folder).stat().st_dev


def existing(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that exists and may be looked at."""
    for one in (folder, *folder.parents):
        with suppress(OSError):
            one.stat()
            return one
    return folder


def rehearse_below(folder: Path, key: str, refusals: Refusals) -> bool:
    """Rehearse a pass in a folder, or above if it is to be made; returns whether there are locks. Raises `Unfit`."""
    there = existing(folder)
    if not there.is_dir():
        raise Unfit(f"{there}: not a folder", hint=f"move it away, or check {key} in the config")
    with refusals.explained(there):
        return rehearse(there)
