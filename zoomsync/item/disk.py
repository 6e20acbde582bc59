"""Disk space, reserved before a meeting is begun: over all workers, per file system."""

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from zoomsync.errors import DiskFull, Unfit
from zoomsync.files import fact
from zoomsync.formatting import size_in_words
from zoomsync.model import Clock

POLL_SECONDS = 0.2


class Reservation:
    """Bytes promised to one meeting; what it has written already is not counted twice."""

    def __init__(self, left: dict[int, int], lock: threading.Lock) -> None:
        self._left = left
        self._lock = lock

    def wrote(self, device: int, size: int) -> None:
        """`size` bytes of the promise are on the disk by now."""
        with self._lock:
            self._left[device] = max(0, self._left.get(device, 0) - size)


class Disk:
    """The free space of the file systems that a pass writes to. Shared by all threads."""

    def __init__(self, *, keep_free: int, clock: Clock) -> None:
        self._keep_free = keep_free
        self._clock = clock
        self._lock = threading.Lock()
        self._promised: list[dict[int, int]] = []
        """Of each reservation: file system → bytes that are still to be written."""

    @contextmanager
    def reserve(self, needs: Mapping[Path, int], staged: int = 0) -> Iterator[Reservation]:
        """Wait until there is room for `needs` (folder → bytes) while others may still give some back.

        `staged` are bytes of the first folder's that lie there already, from an earlier try.
        Raises `DiskFull` when there is no room although nobody else has a reservation.
        """
        left: dict[int, int] = {}
        for folder, size in needs.items():
            left[device(folder)] = left.get(device(folder), 0) + size
        while not self._promise(left, needs, staged):
            self._clock.sleep(POLL_SECONDS)
        try:
            yield Reservation(left, self._lock)
        finally:
            with self._lock:
                self._promised = [other for other in self._promised if other is not left]

    def _promise(self, left: dict[int, int], needs: Mapping[Path, int], staged: int) -> bool:
        """Whether there is room, which is promised then; False: perhaps later, when others give theirs back."""
        with self._lock:
            for number, folder in enumerate(needs):
                where = device(folder)
                promised = sum(other.get(where, 0) for other in self._promised)
                room = free_bytes(folder) + (0 if number else staged) - promised - self._keep_free
                if room >= left[where]:
                    continue
                if self._promised:
                    return False
                needed, free, kept = map(size_in_words, (left[where], free_bytes(folder), self._keep_free))
                message = f"{folder}: needs {needed}, but {free} are free and {kept} of them are kept (min_free_disk)"
                hint = "free some space, or lower min_free_disk; the meeting is tried in the next pass"
                raise DiskFull(message, hint=hint)
            self._promised.append(left)
            return True


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
