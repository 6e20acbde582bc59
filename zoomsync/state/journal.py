"""The journal of the state: sealed lines of JSON, each durable before it counts."""

import os
import threading
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from zoomsync.errors import StateUnusable
from zoomsync.files import PRIVATE_FILE, Refusals, sync, write_all

STATE = Refusals(
    error=StateUnusable,
    no_room="free some space on its file system, or raise the quota or file size limit",
    no_right="run zoomsync as the user that owns it, and check the modes of its folders",
    otherwise="check this path and the disk that it is on",
    names_path=True,
)
AGAIN = "check the disk, then run zoomsync again"
HOLE = b"\0\0"
"""What a power cut leaves in a line that was never acknowledged; one NUL alone is a flipped bit."""


def damaged(path: Path, fact: str) -> StateUnusable:
    """The error for a file that is not what was written."""
    return StateUnusable(
        f"{path}: {fact}", hint=f"restore the whole folder {path.parent} from a backup; nothing was changed in it"
    )


def seal(body: bytes, seed: int = 0) -> bytes:
    """`body`, a JSON object that is not empty, with its checksum (seeded with the previous one) as first key."""
    return _seal(zlib.crc32(body, seed)) + body[1:]


def unseal(sealed: bytes, seed: int = 0) -> bytes | None:
    """What was sealed with that seed; None when a bit of it differs."""
    rest = memoryview(sealed)[len(_seal(0)) :]
    checksum = zlib.crc32(rest, zlib.crc32(b"{", seed))
    return b"{" + rest if sealed.startswith(_seal(checksum)) else None


def _seal(checksum: int) -> bytes:
    return b'{"crc32":"%08x",' % checksum


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The whole lines of a journal."""

    bodies: tuple[bytes, ...] = ()
    size: int = 0
    """The bytes that they fill: what follows is a torn line."""
    seed: int
    """The last checksum: the seed of the next line."""


def replay(path: Path, seed: int) -> Replay:
    """Read a journal whose first line was sealed with `seed`.

    A torn last line is left out: nothing was acknowledged on it. Any other damage is `StateUnusable`, a missing file
    `FileNotFoundError`.
    """
    *lines, tail = path.read_bytes().split(b"\n")
    if lines and not tail and HOLE in lines[-1]:
        tail = lines.pop()
    bodies = []
    for number, line in enumerate(lines, start=1):
        body = unseal(line, seed)
        if body is None:
            raise damaged(path, f"line {number} is damaged")
        seed = zlib.crc32(body, seed)
        bodies.append(body)
    if unseal(tail[:-1], seed) is not None:
        raise damaged(path, f"line {len(lines) + 1} is damaged")
    return Replay(bodies=tuple(bodies), size=sum(len(line) + 1 for line in lines), seed=seed)


class Journal:
    """An open journal: each `append` is durable when it returns, and leaves no trace when it raises.

    Two threads may append: the pass, and the one that says its last word while the pass still hangs in a write.
    """

    def __init__(self, path: Path, fd: int, *, size: int, seed: int) -> None:
        self.path = path
        self._fd = fd
        self._size = size
        self.seed = seed
        self._is_sound = True
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: Path, *, seed: int) -> "Journal":
        """Make an empty one, durably; what a crash left under this name goes."""
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
        os.fsync(fd)
        sync(path.parent)
        return cls(path, fd, size=0, seed=seed)

    @classmethod
    def resume(cls, path: Path, whole: Replay) -> "Journal":
        """Go on after the last whole line; a torn one is cut off."""
        fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        if os.fstat(fd).st_size != whole.size:
            os.ftruncate(fd, whole.size)
            os.fsync(fd)
        return cls(path, fd, size=whole.size, seed=whole.seed)

    def append(self, body: bytes) -> None:
        """Add one sealed line. `DiskFull` or `StateUnusable`: it is not in the journal."""
        with self._lock:
            if not self._is_sound:
                raise StateUnusable(f"{self.path}: an earlier write failed", hint=AGAIN)
            line = seal(body, self.seed) + b"\n"
            try:
                write_all(self._fd, line)
            except OSError as error:
                self._take_back()
                raise STATE.refusal(self.path, error) from error
            self._size += len(line)
            self.seed = zlib.crc32(body, self.seed)

    def _take_back(self) -> None:
        self.retire()
        with suppress(OSError):
            os.ftruncate(self._fd, self._size)
            os.fsync(self._fd)
            self._is_sound = True

    def retire(self) -> None:
        """Refuse further lines: whether this journal or the next one counts is not certain."""
        self._is_sound = False

    def close(self) -> None:
        """Release the file; closing twice does no harm."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1
        self._is_sound = False
