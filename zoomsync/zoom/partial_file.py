"""One file on its way to staging: `NAME.part`, and beside it a note of what is expected of it and what is durable.

After a power cut a file may have its size and lack its bytes: what is gone on with hashes to what the note says. A file
that was proven says in its own name what it hashes to, so that one that comes whole at once needs no note.

A stretch that comes ahead of what is in order has a hash of its own. Once all before it is there, it is read again for
the hash of the whole.
"""

import hashlib
import json
import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

from zoomsync import files
from zoomsync.files import CHUNK, STAGING
from zoomsync.model import Arrival, Clock, Fetched, RecordingFile
from zoomsync.zoom.content import HEAD
from zoomsync.zoom.stretches import Stretch, Stretches

SYNC_EVERY = 64 * 10**6
"""Bytes after which what came is made durable and noted, so that a power cut costs no more than these."""
FLUSH_EVERY = 8 << 20
"""Bytes after which the disk begins to write them, so that nobody waits long for it in the end."""
QUEUED = 2
"""Pieces that are hashed, or wait for that, while the next one comes."""


class PartialFile:
    """One cloud file in staging; what was proven or begun in an earlier pass is found again.

    Open it with `with` to write. Raises `DiskFull`, and `Unfit` if the folder cannot be written. One thread has it;
    others may only `write` stretches that they took.
    """

    def __init__(self, folder: Path, uuid: str, file: RecordingFile, clock: Clock, *, size: int | None = None) -> None:
        name = hashlib.sha256(f"{uuid}\0{file.id}".encode()).hexdigest()[:32]
        self._folder = folder
        self._begin = f"{name}-{file.size}-"
        self._end = f".{file.extension or 'bin'}"
        self._part = folder / f"{name}.part"
        self._sidecar = folder / f"{name}.sidecar.json"
        self._listed = file.size
        self._size = size
        self._can_resume = file.kind.is_media and file.size is not None
        self._clock = clock
        self._out: IO[bytes]
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="hash")
        self._hashing = deque[Future[None]]()
        self._forget()
        self._note: dict[str, object] = {}
        """What is known from before; nothing if that cannot be read: the file is then fetched again."""
        with suppress(OSError, ValueError, TypeError, RecursionError):
            self._note = dict(json.loads(files.read_file(self._sidecar)))

    def _forget(self) -> None:
        self._settle()
        self._hash = hashlib.sha256()
        self.stretches = Stretches(whole=self._size)
        """Which bytes are there; more than a part of them only where they are of the same `validator`."""
        self.head = b""
        """The first of them."""
        self.validator = ""
        """What tells this state of the file from another one: a later transfer goes on with the same bytes."""
        self._durable = 0
        """How many bytes the note vouches for."""

    @property
    def size(self) -> int:
        """Bytes so far, without a gap."""
        return self.stretches.size

    @property
    def sha256(self) -> str:
        """Of these bytes."""
        self._settle()
        return self._hash.hexdigest()

    def ready(self) -> Fetched | None:
        """The file, if it was proven before and still is as it was then."""
        with STAGING.explained(self._folder):
            for path in self._folder.glob(f"{self._begin}*"):
                arrival, _, proven = path.name.removeprefix(self._begin).removesuffix(self._end).partition("-")
                if path.is_file() and arrival in set(Arrival):
                    sha256, status = files.digest(path, self._clock)
                    if sha256 == proven and (arrival != Arrival.ONCE or status.st_size == self._listed):
                        return Fetched(path=path, size=status.st_size, sha256=proven, arrival=Arrival(arrival))
        return None

    def __enter__(self) -> Self:
        self._forget()
        with STAGING.explained(self._folder):
            self._find_durable()
            self._out = files.open_file(self._part, "r+b" if self.stretches.came else "wb")
            self._out.truncate(max([self.size, *(one.end for one in self.stretches.ahead)]))
        return self

    def _find_durable(self) -> None:
        """Count what the note vouches for; nothing if that is not there any more."""
        size, listed = self._note.get("durable"), self._note.get("listed")
        if not (self._can_resume and listed == self._listed and isinstance(size, int) and self._part.is_file()):
            return
        self._read(size)
        if (self.size, self.sha256) != (size, self._note.get("durable_sha256")):
            self._forget()
            return
        self.validator, whole = str(self._note.get("validator") or ""), self._note.get("whole")
        if self.stretches.whole is None and isinstance(whole, int):
            self.stretches.whole = whole
        with suppress(ValueError, TypeError):
            for start, length, sha256 in self._note.get("ahead") or ():  # type: ignore[attr-defined]  # if not, it is caught
                self._find_ahead(start, length, sha256)
        self._durable = self.stretches.came

    def _find_ahead(self, start: int, length: int, sha256: str) -> None:
        """Count a stretch that the note vouches for, if it is there."""
        ahead, end = self.stretches.ahead, start + length
        if not (ahead[-1].end if ahead else self.size) <= start < end <= (self.stretches.whole or 0):
            return
        found = Stretch(start=start, stop=end, asked=end, is_running=False)
        with files.open_file(self._part) as file:
            file.seek(start)
            while found.left and (chunk := file.read(min(CHUNK, found.left))):
                self._clock.check()
                found.hash.update(chunk)
                found.size = found.claimed = found.size + len(chunk)
        if not found.left and found.hash.hexdigest() == sha256:
            ahead.append(found)

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        with STAGING.explained(self._folder), self._out, self._beside:
            if failed is not None and self._can_resume:
                self.keep()
            elif failed is not None:
                self._out.truncate(0)  # what nobody goes on from takes no room

    def write(self, stretch: Stretch, chunk: bytes) -> None:
        """Add the next bytes of a stretch."""
        with STAGING.explained(self._folder):
            _write_at(self._out.fileno(), chunk, stretch.end)
            _begin_flush(self._out.fileno(), stretch.end, len(chunk))
        with self.stretches.lock:
            if stretch is self.stretches.stream:
                self._count(chunk)
            else:
                stretch.hash.update(chunk)
            stretch.size += len(chunk)

    def join(self) -> bool:
        """Count what lies behind the bytes in order already; whether the file is whole with that."""
        ahead = self.stretches.ahead
        while ahead and ahead[0].start <= self.size and not ahead[0].is_running:
            with STAGING.explained(self._folder):
                self._read(ahead[0].end)
            with self.stretches.lock:
                ahead = self.stretches.ahead = self.stretches.ahead[1:]
        return self.size == self.stretches.whole

    def keep(self, least: int = 1) -> None:
        """If so many bytes came, make them durable, then note them: a later transfer goes on from here."""
        if not self._can_resume or self.stretches.came < self._durable + least:
            return
        with self.stretches.lock:
            came = self.stretches.came
            ahead = [(one.start, one.size, one.hash.hexdigest()) for one in self.stretches.ahead if one.size]
        self._sync()
        self._write_note(ahead)
        self._durable = came

    def _sync(self) -> None:
        with STAGING.explained(self._folder):
            os.fsync(self._out.fileno())

    def restart(self) -> None:
        """Forget what came so far; nobody writes a stretch of it any more."""
        self._forget()
        with STAGING.explained(self._folder):
            self._out.truncate(0)

    def finish(self, arrival: Arrival) -> Fetched:
        """Give the proven bytes their final name, once they are durable."""
        self._sync()
        path = self._folder / f"{self._begin}{arrival}-{self.sha256}{self._end}"
        with STAGING.explained(self._folder):
            self._part.replace(path)
        return Fetched(path=path, size=self.size, sha256=self.sha256, arrival=arrival)

    def _settle(self) -> None:
        while self._hashing:
            self._hashing.popleft().result()

    def _count(self, chunk: bytes) -> None:
        """Add to what is known of the bytes in order: much at once is hashed while more of it comes."""
        if len(chunk) < CHUNK // 4:
            self._settle()
            self._hash.update(chunk)
        else:
            if len(self._hashing) == QUEUED:
                self._hashing.popleft().result()
            self._hashing.append(self._beside.submit(self._hash.update, chunk))
        self.head += chunk[: HEAD - len(self.head)]
        self.stretches.size += len(chunk)

    def _read(self, size: int) -> None:
        """Count what is there up to `size`."""
        with files.open_file(self._part) as file:
            file.seek(self.size)
            while self.size < size and (chunk := file.read(min(CHUNK, size - self.size))):
                self._clock.check()
                self._count(chunk)

    def _write_note(self, ahead: Sequence[tuple[int, int, str]]) -> None:
        note = {
            "listed": self._listed,
            "whole": self.stretches.whole,
            "validator": self.validator,
            "durable": self.size,
            "durable_sha256": self.sha256,
            "ahead": ahead,
        }
        with STAGING.explained(self._folder):
            files.write(self._sidecar, json.dumps(note).encode())


def _begin_flush(descriptor: int, place: int, size: int) -> None:
    """Have the disk begin with each `FLUSH_EVERY` bytes that end within what was written; nobody waits for it.

    Linux takes this advice so, and keeps what is being written in its cache: `generic_fadvise` in
    https://github.com/torvalds/linux/blob/master/mm/fadvise.c
    """
    end = (place + size) // FLUSH_EVERY * FLUSH_EVERY
    if end > place and hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, end - FLUSH_EVERY, FLUSH_EVERY, os.POSIX_FADV_DONTNEED)


def _write_at(descriptor: int, data: bytes, place: int) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(descriptor, left, place)
        left, place = left[written:], place + written
