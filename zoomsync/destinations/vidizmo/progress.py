"""How far an upload has come: a note beside the staged file, so that a killed upload goes on where it stopped."""

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from zoomsync.errors import DiskFull, Unfit

SUFFIX = ".upload"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One upload to one portal: what is sent, under which names, in blocks of which size."""

    portal: str
    sha256: str
    size: int
    file_name: str
    blob_id: str
    file_guid: str
    block_size: int
    began: str
    """ISO 8601."""

    def is_of(self, other: "Upload") -> bool:
        """Whether the same bytes go to the same portal under the same name."""
        mine, others = ((one.portal, one.sha256, one.size, one.file_name) for one in (self, other))
        return mine == others

    def age(self, now: datetime) -> float:
        """Seconds since it began."""
        return (now - datetime.fromisoformat(self.began)).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a note says."""

    upload: Upload
    sent: frozenset[int]
    """Numbers of the blocks that the portal took."""
    committed: bool


class Note:
    """The note of one staged file: a line that says what is uploaded, a line for each block, `committed` at last.

    A line that a crash tore or lost costs a block that is sent again. What the disk refuses is `DiskFull` or `Unfit`.
    """

    def __init__(self, source: Path) -> None:
        self._path = source.with_name(source.name + SUFFIX)

    def read(self) -> Reached | None:
        """None: there is none, or none that makes sense."""
        with _explained(self._path):
            if not self._path.is_file():
                return None
            first, *rest = self._path.read_text(encoding="utf-8", errors="replace").split("\n")
        whole = rest[:-1]
        try:
            upload = Upload(**json.loads(first))
            datetime.fromisoformat(upload.began)
        except (ValueError, TypeError):
            return None
        sent = frozenset(int(line) for line in whole if line.isascii() and line.isdecimal())
        return Reached(upload=upload, sent=sent, committed="committed" in whole)

    def begin(self, upload: Upload) -> None:
        """Begin it anew."""
        with _explained(self._path):
            self._path.write_text(json.dumps(asdict(upload)) + "\n", encoding="utf-8")

    def add(self, line: int | str) -> None:
        """Add the number of a block, or `committed`."""
        with _explained(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def remove(self) -> None:
        """Forget it."""
        with _explained(self._path):
            self._path.unlink(missing_ok=True)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        said = f"{path}: {(error.strerror or type(error).__name__).lower()}"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(said, hint="free some space on staging's file system") from error
        raise Unfit(said, hint="make the staging folder writable, or set `staging`") from error
