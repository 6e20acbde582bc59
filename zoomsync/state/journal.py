"""The files of the state: `state.json` and its journal, lines of JSON, each sealed and durable before it counts."""

import json
import os
import re
import threading
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from zoomsync.errors import StateUnusable
from zoomsync.files import PRIVATE_FILE, Refusals, open_regular, read_file, sync, write_all
from zoomsync.formatting import escaped_json
from zoomsync.state.schema import FORMAT, Document, Step

STATE = Refusals(
    error=StateUnusable,
    no_room="free some space on its file system, or raise the quota or file size limit",
    no_right="run zoomsync as the user that owns it, and check the modes of its folders",
    otherwise="check this path and the disk that it is on",
    names_path=True,
)
"""Of the folder of state, lock and audit."""

STEP = TypeAdapter(Step)
DOCUMENT = TypeAdapter(Document)
SEAL = b'{"crc32":"%08x",'
FORMAT_IN_FILE = re.compile(rb'\{"crc32":"[0-9a-f]{8}","format":([0-9]+),')
"""How `state.json` begins, in this and every later format."""
LIMIT = 4 << 30
"""Of each file of the state: some millions of meetings."""
# What a power cut leaves in a line that was never acknowledged; one NUL alone is a flipped bit.
HOLE = b"\0\0"


def damaged(path: Path, fact: str) -> StateUnusable:
    """The error for a file that is not what was written."""
    hint = f"restore the whole folder {path.parent} from a backup; nothing was changed in it"
    return StateUnusable(f"{path}: {fact}", hint=hint)


def seal(body: bytes, seed: int = 0) -> bytes:
    """`body`, a JSON object that is not empty, with its checksum (seeded with the previous one) as first key."""
    return SEAL % zlib.crc32(body, seed) + body[1:]


def unseal(sealed: bytes, seed: int = 0) -> bytes | None:
    """What was sealed with that seed; None when a bit of it differs."""
    rest = memoryview(sealed)[len(SEAL % 0) :]
    checksum = zlib.crc32(rest, zlib.crc32(b"{", seed))
    return b"{" + rest if sealed.startswith(SEAL % checksum) else None


def packed(value: Step | Document) -> bytes:
    """As JSON in one line, without what is at its default."""
    adapter: TypeAdapter[Any] = STEP if isinstance(value, Step) else DOCUMENT
    try:
        return escaped_json(adapter.dump_json(value, exclude_defaults=True).decode()).encode()
    except PydanticSerializationError:
        # half a character: a message names a file whose name is no UTF-8 (what Zoom says was cleaned when it was read)
        plain = adapter.dump_python(value, mode="json", exclude_defaults=True)
        whole = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode(errors="replace").decode()
        return escaped_json(whole).encode()


def read_document(path: Path, data: bytes) -> tuple[Document, int]:
    """What `state.json` says, and the seed of its journal; raises `StateUnusable`."""
    begin = FORMAT_IN_FILE.match(data)
    if begin and int(begin[1]) > FORMAT:
        fact = f"has format {int(begin[1])}, and this zoomsync knows formats up to {FORMAT}"
        hint = "run the newer zoomsync that wrote it, or restore a backup from before the upgrade"
        raise StateUnusable(f"{path}: {fact}", hint=hint)
    body = unseal(data)
    if body is None:
        raise damaged(path, "is damaged" if data.strip(b"\0\r\n\t ") else "is empty")
    try:
        return DOCUMENT.validate_json(body), zlib.crc32(body)
    except ValidationError as error:
        raise _misfit(path, error) from error


def read_step(journal: Path, number: int, body: bytes) -> Step:
    """The step of a journal's line; raises `StateUnusable`."""
    try:
        return STEP.validate_json(body)
    except ValidationError as error:
        raise _misfit(f"{journal}: line {number}", error) from error


def _misfit(where: Path | str, error: ValidationError) -> StateUnusable:
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    hint = "run the zoomsync that wrote it, or restore the whole folder from a backup"
    return StateUnusable(f"{where}: does not fit format {FORMAT}: {place}: {first['msg'].lower()}", hint=hint)


class Journal:
    """A journal whose first line is sealed with `seed`: `read` what is there, or `open` it to go on behind that.

    An `append` is durable when it returns, and leaves no trace when it raises. Two threads may append: the pass, and
    the one that says its last word while the pass still hangs in a write.
    """

    def __init__(self, path: Path, *, seed: int) -> None:
        self.path = path
        self._seed = seed
        """The checksum of the last line, with which the next one is sealed."""
        self.size = 0
        """The bytes of its whole lines."""
        self._fd = -1
        self._is_sound = False
        self._lock = threading.Lock()

    def read(self) -> list[bytes]:
        """All whole lines, unsealed. A torn last one is left out: nothing was acknowledged on it.

        Raises `StateUnusable` for any other damage, and `FileNotFoundError`.
        """
        *lines, tail = read_file(self.path, LIMIT).split(b"\n")
        if lines and not tail and HOLE in lines[-1]:
            tail = lines.pop()
        bodies = []
        for number, line in enumerate(lines, start=1):
            body = unseal(line, self._seed)
            if body is None:
                raise damaged(self.path, f"line {number} is damaged")
            self._seed = zlib.crc32(body, self._seed)
            bodies.append(body)
        if unseal(tail[:-1], self._seed) is not None:
            raise damaged(self.path, f"line {len(lines) + 1} is damaged")
        self.size = sum(len(line) + 1 for line in lines)
        return bodies

    def open(self) -> None:
        """Make ready to append, durably: a new journal is made, and what lies behind the lines that were read goes."""
        # only a new one is made: one that vanished since it was read would come back full of NULs
        flags = os.O_WRONLY | os.O_APPEND | (0 if self.size else os.O_CREAT)
        self._fd = open_regular(self.path, flags, PRIVATE_FILE)
        there = os.fstat(self._fd).st_size
        if there < self.size:
            self.close()
            raise damaged(self.path, "has lost lines since it was read")
        # lines that are all whole are flushed with the next one, before anything is done that rests on them
        if there != self.size or not there:
            # what goes is a torn line, or what a killed pass left under the name of a new journal
            os.ftruncate(self._fd, self.size)
            os.fsync(self._fd)
            sync(self.path.parent)
        self._is_sound = True

    def append(self, body: bytes) -> None:
        """Add one sealed line. `DiskFull` or `StateUnusable`: it is not in the journal."""
        with self._lock:
            if not self._is_sound:
                hint = "check the disk, then run zoomsync again"
                raise StateUnusable(f"{self.path}: an earlier write failed", hint=hint)
            line = seal(body, self._seed) + b"\n"
            with STATE.explained(self.path):
                try:
                    write_all(self._fd, line)
                except OSError:
                    self._is_sound = False
                    with suppress(OSError):  # take back what was written of it
                        os.ftruncate(self._fd, self.size)
                        os.fsync(self._fd)
                        self._is_sound = True
                    raise
            self.size += len(line)
            self._seed = zlib.crc32(body, self._seed)

    def close(self) -> None:
        """Release the file and refuse further lines; closing twice does no harm."""
        self._is_sound = False
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
