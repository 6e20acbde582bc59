"""One file on its way to staging: `NAME.part`, and beside it what is expected of it and what came of it."""

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Self

from zoomsync.errors import DiskFull, Unfit
from zoomsync.model import Fetched, RecordingFile
from zoomsync.zoom.content import HEAD

CHUNK = 1 << 20


class Staged:
    """The staged form of one cloud file; what was proven or begun in an earlier pass is found again.

    Open it with `with` to write. Raises `DiskFull`, and `Unfit` where the folder cannot be written.
    """

    def __init__(self, folder: Path, uuid: str, file: RecordingFile, check: Callable[[], None]) -> None:
        name = hashlib.sha256(f"{uuid}\0{file.id}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self.path = folder / f"{name}.{file.extension or 'bin'}"
        self._part = folder / f"{name}.part"
        self._sidecar = folder / f"{name}.sidecar.json"
        self._listed = file.size
        self._can_resume = file.kind.is_media and file.size is not None
        self._check = check
        self._out: IO[bytes] | None = None
        self._hash = hashlib.sha256()
        self.size = 0
        """Bytes so far."""
        self.head = b""
        """The first of them."""
        self.validator = ""
        """The ETag under which they came, if there was one."""

    def ready(self) -> Fetched | None:
        """The file, if it was proven before and still is as it was then."""
        note = self._note()
        if note.get("sha256") is None or note.get("listed") != self._listed or not self.path.is_file():
            return None
        with _disk(self.path):
            size, sha256 = self._digest(self.path)
        return Fetched(path=self.path, size=size, sha256=sha256) if sha256 == note["sha256"] else None

    def __enter__(self) -> Self:
        note = self._note()
        self._forget()
        with _disk(self._part):
            if self._can_resume and note.get("listed") == self._listed and self._part.is_file():
                self.size, _ = self._digest(self._part)
                self.validator = str(note.get("validator") or "")
            self._out = self._part.open("r+b" if self.size else "wb")
            self._out.seek(self.size)
        self._write_note()
        if self.size > (self._listed or 0):
            self.restart()
        return self

    def __exit__(self, *_: object) -> None:
        if self._out:
            with _disk(self._part):
                self._out.close()

    def append(self, chunk: bytes) -> None:
        """Add the next bytes."""
        with _disk(self._part):
            self._file.write(chunk)
        self._count(chunk)

    def restart(self) -> None:
        """Forget what came so far."""
        self._forget()
        with _disk(self._part):
            self._file.seek(0)
            self._file.truncate()

    def came_under(self, validator: str) -> None:
        """Remember the ETag of what comes now, by which a later pass knows that it goes on with the same bytes."""
        if validator != self.validator:
            self.validator = validator
            self._write_note()

    @property
    def sha256(self) -> str:
        """Of the bytes so far."""
        return self._hash.hexdigest()

    def finish(self) -> Fetched:
        """Make the proven bytes durable under their final name."""
        with _disk(self._part):
            self._file.flush()
            os.fsync(self._file.fileno())
        self._write_note(self.sha256)
        with _disk(self.path):
            self._part.replace(self.path)
            _fsync_folder(self.path.parent)
        return Fetched(path=self.path, size=self.size, sha256=self.sha256)

    @property
    def _file(self) -> IO[bytes]:
        if self._out is None:
            raise ValueError("not open for writing")
        return self._out

    def _forget(self) -> None:
        self.size, self.head, self._hash, self.validator = 0, b"", hashlib.sha256(), ""

    def _count(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        self.head += chunk[: HEAD - len(self.head)]
        self.size += len(chunk)

    def _digest(self, path: Path) -> tuple[int, str]:
        self._forget()
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                self._check()
                self._count(chunk)
        return self.size, self.sha256

    def _note(self) -> dict[str, object]:
        """What is known from before; nothing where that cannot be read: the file is then fetched anew."""
        with suppress(OSError, ValueError):
            note = json.loads(self._sidecar.read_bytes())
            return note if isinstance(note, dict) else {}
        return {}

    def _write_note(self, sha256: str | None = None) -> None:
        note = {"listed": self._listed, "validator": self.validator, "sha256": sha256}
        aside = self._sidecar.with_suffix(".new")
        with _disk(self._sidecar), aside.open("w", encoding="utf-8") as out:
            json.dump(note, out)
            out.flush()
            os.fsync(out.fileno())
        with _disk(self._sidecar):
            aside.replace(self._sidecar)


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull(f"{path.parent}: {error.strerror}", hint="free some space, or set `staging`") from error
        hint = "make the staging folder writable, or set `staging`"
        raise Unfit(f"{path.parent}: {error.strerror or error}", hint=hint) from error


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
