"""One file on its way to staging: `NAME.part`, and beside it a note of what is expected of it and what came."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

from zoomsync import files
from zoomsync.files import STAGING
from zoomsync.model import Clock, Fetched, RecordingFile
from zoomsync.zoom.content import HEAD


class PartialFile:
    """One cloud file in staging; what was proven or begun in an earlier pass is found again.

    Open it with `with` to write. Raises `DiskFull`, and `Unfit` if the folder cannot be written.
    """

    def __init__(self, folder: Path, uuid: str, file: RecordingFile, clock: Clock) -> None:
        name = hashlib.sha256(f"{uuid}\0{file.id}".encode()).hexdigest()[:32]
        self.path = folder / f"{name}.{file.extension or 'bin'}"
        self._part = folder / f"{name}.part"
        self._sidecar = folder / f"{name}.sidecar.json"
        self._listed = file.size
        self._can_resume = file.kind.is_media and file.size is not None
        self._clock = clock
        self._out: BinaryIO
        self._forget()
        self._note: dict[str, object] = {}
        """What is known from before; nothing if that cannot be read: the file is then fetched again."""
        with suppress(OSError, ValueError, TypeError):
            self._note = dict(json.loads(self._sidecar.read_bytes()))

    def _forget(self) -> None:
        self._hash = hashlib.sha256()
        self.size = 0
        """Bytes so far."""
        self.head = b""
        """The first of them."""
        self.validator = ""
        """The ETag under which they came, if there was one."""

    @property
    def sha256(self) -> str:
        """Of the bytes so far."""
        return self._hash.hexdigest()

    def ready(self) -> Fetched | None:
        """The file, if it was proven before and still is as it was then."""
        proven = self._note.get("sha256")
        if proven is None or self._note.get("listed") != self._listed or not self.path.is_file():
            return None
        with STAGING.explained(self.path.parent):
            self._read(self.path)
        return Fetched(path=self.path, size=self.size, sha256=self.sha256) if self.sha256 == proven else None

    def __enter__(self) -> Self:
        self._forget()
        with STAGING.explained(self.path.parent):
            if self._can_resume and self._note.get("listed") == self._listed and self._part.is_file():
                self._read(self._part)
                self.validator = str(self._note.get("validator") or "")
            self._out = self._part.open("r+b" if self.size else "wb")
            self._out.seek(self.size)
        self._write_note()
        if self.size > (self._listed or 0):
            self.restart()
        return self

    def __exit__(self, *_: object) -> None:
        with STAGING.explained(self.path.parent):
            self._out.close()

    def append(self, chunk: bytes) -> None:
        """Add the next bytes."""
        with STAGING.explained(self.path.parent):
            self._out.write(chunk)
        self._count(chunk)

    def restart(self) -> None:
        """Forget what came so far."""
        self._forget()
        with STAGING.explained(self.path.parent):
            self._out.seek(0)
            self._out.truncate()

    def came_under(self, validator: str) -> None:
        """Remember the ETag of what comes now, by which a later pass knows that it goes on with the same bytes."""
        if validator != self.validator:
            self.validator = validator
            self._write_note()

    def finish(self) -> Fetched:
        """Make the proven bytes durable under their final name."""
        with STAGING.explained(self.path.parent):
            self._out.flush()
            files.sync(self._part)
        self._write_note(self.sha256)
        with STAGING.explained(self.path.parent):
            files.put_in_place(self._part, self.path)
        return Fetched(path=self.path, size=self.size, sha256=self.sha256)

    def _count(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        self.head += chunk[: HEAD - len(self.head)]
        self.size += len(chunk)

    def _read(self, path: Path) -> None:
        with path.open("rb") as file:
            for chunk in files.chunks(file, self._clock):
                self._count(chunk)

    def _write_note(self, sha256: str | None = None) -> None:
        note = {"listed": self._listed, "validator": self.validator, "sha256": sha256}
        with STAGING.explained(self.path.parent):
            files.write(self._sidecar, json.dumps(note).encode())
