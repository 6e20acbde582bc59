"""One file on its way to staging: `NAME.part`, and beside it a note of what is expected of it and what is durable.

After a power cut a file may have its size and lack its bytes: what is gone on with hashes to what the note says. A file
that was proven says in its own name what it hashes to, so that one that comes whole at once needs no note.
"""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

from zoomsync import files
from zoomsync.files import CHUNK, STAGING
from zoomsync.model import Arrival, Clock, Fetched, RecordingFile
from zoomsync.zoom.content import HEAD

SYNC_EVERY = 64 * 10**6
"""Bytes after which what came is made durable and noted, so that a power cut costs no more than these."""


class PartialFile:
    """One cloud file in staging; what was proven or begun in an earlier pass is found again.

    Open it with `with` to write. Raises `DiskFull`, and `Unfit` if the folder cannot be written.
    """

    def __init__(self, folder: Path, uuid: str, file: RecordingFile, clock: Clock) -> None:
        name = hashlib.sha256(f"{uuid}\0{file.id}".encode()).hexdigest()[:32]
        self._folder = folder
        self._begin = f"{name}-{file.size}-"
        self._end = f".{file.extension or 'bin'}"
        self._part = folder / f"{name}.part"
        self._sidecar = folder / f"{name}.sidecar.json"
        self._listed = file.size
        self._can_resume = file.kind.is_media and file.size is not None
        self._clock = clock
        self._out: IO[bytes]
        self._forget()
        self._note: dict[str, object] = {}
        """What is known from before; nothing if that cannot be read: the file is then fetched again."""
        with suppress(OSError, ValueError, TypeError, RecursionError):
            self._note = dict(json.loads(files.read_file(self._sidecar)))

    def _forget(self) -> None:
        self._hash = hashlib.sha256()
        self.size = 0
        """Bytes so far."""
        self.head = b""
        """The first of them."""
        self.validator = ""
        """The ETag under which they came, if there was one: a later transfer goes on with the same bytes."""
        self._durable = 0
        """How many of them the note vouches for."""

    @property
    def sha256(self) -> str:
        """Of the bytes so far."""
        return self._hash.hexdigest()

    def ready(self) -> Fetched | None:
        """The file, if it was proven before and still is as it was then."""
        with STAGING.explained(self._folder):
            for path in self._folder.glob(f"{self._begin}*"):
                arrival, _, proven = path.name.removeprefix(self._begin).removesuffix(self._end).partition("-")
                if path.is_file() and arrival in set(Arrival):
                    self._forget()
                    self._read(path, path.stat().st_size)
                    if self.sha256 == proven and (arrival != Arrival.ONCE or self.size == self._listed):
                        return Fetched(path=path, size=self.size, sha256=proven, arrival=Arrival(arrival))
        return None

    def __enter__(self) -> Self:
        self._forget()
        with STAGING.explained(self._folder):
            self._find_durable()
            self._out = files.open_file(self._part, "r+b" if self.size else "wb")
            self._out.truncate(self.size)
            self._out.seek(self.size)
        return self

    def _find_durable(self) -> None:
        """Count what the note vouches for; nothing if that is not there any more."""
        size, listed = self._note.get("durable"), self._note.get("listed")
        if not (self._can_resume and listed == self._listed and isinstance(size, int) and self._part.is_file()):
            return
        self._read(self._part, size)
        if (self.size, self.sha256) == (size, self._note.get("durable_sha256")):
            self.validator, self._durable = str(self._note.get("validator") or ""), size
        else:
            self._forget()

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        with STAGING.explained(self._folder), self._out:
            if failed is not None and self._can_resume:
                self.keep()
            elif failed is not None:
                self._out.truncate(0)  # what nobody goes on from takes no room

    def append(self, chunk: bytes) -> None:
        """Add the next bytes."""
        with STAGING.explained(self._folder):
            self._out.write(chunk)
        self._count(chunk)
        if self.size - self._durable >= SYNC_EVERY:
            self.keep()

    def keep(self) -> None:
        """Make what came durable, then note it: a later transfer goes on from here."""
        if self._can_resume and self.size > self._durable:
            self._sync()
            self._write_note()

    def _sync(self) -> None:
        with STAGING.explained(self._folder):
            self._out.flush()
            os.fsync(self._out.fileno())
        self._durable = self.size

    def restart(self) -> None:
        """Forget what came so far."""
        self._forget()
        with STAGING.explained(self._folder):
            self._out.seek(0)
            self._out.truncate()

    def finish(self, arrival: Arrival) -> Fetched:
        """Give the proven bytes their final name, once they are durable."""
        self._sync()
        path = self._folder / f"{self._begin}{arrival}-{self.sha256}{self._end}"
        with STAGING.explained(self._folder):
            self._part.replace(path)
        return Fetched(path=path, size=self.size, sha256=self.sha256, arrival=arrival)

    def _count(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        self.head += chunk[: HEAD - len(self.head)]
        self.size += len(chunk)

    def _read(self, path: Path, size: int) -> None:
        """Count the first `size` bytes of what is there."""
        with files.open_file(path) as file:
            while self.size < size and (chunk := file.read(min(CHUNK, size - self.size))):
                self._clock.check()
                self._count(chunk)

    def _write_note(self) -> None:
        note = {
            "listed": self._listed,
            "validator": self.validator,
            "durable": self._durable,
            "durable_sha256": self.sha256,
        }
        with STAGING.explained(self._folder):
            files.write(self._sidecar, json.dumps(note).encode())
