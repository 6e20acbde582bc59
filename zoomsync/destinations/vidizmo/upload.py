"""Uploading: initialise, blocks in parallel, commit; flat in memory, and resumed where a killed one stopped."""

import base64
import errno
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from zoomsync.destinations.vidizmo.client import PortalClient, PortalRefused, PortalResponse
from zoomsync.errors import DiskFull, MeetingFailed, Unfit
from zoomsync.model import DAY, Clock, ItemFile

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


BLOCK = 4 << 20
SMALLEST_BLOCK = 64 << 10
THREADS = 4
"""Blocks in flight at once, over all uploads: they and no more are in memory."""
COMMITS = 2
"""How often the portal is told that all blocks are there: one that lost some gets them again."""
LONGEST = 7 * DAY
"""An upload that began longer ago is not gone on with: portals tidy up."""
POLL_SECONDS = 0.2
REFETCH = "it is fetched again by the next pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """A file that the portal holds and that belongs to nothing yet."""

    file_guid: str
    file_name: str
    file_size: int

    def values(self) -> dict[str, Any]:
        """By which an operation names it."""
        return {"file_guid": self.file_guid, "file_name": self.file_name, "file_size": self.file_size}


class Uploads:
    """The uploads of a pass. Shared by all workers; `close` when it ends."""

    def __init__(
        self,
        portal: PortalClient,
        clock: Clock,
        new_id: Callable[[], str],
        *,
        block_size: int = BLOCK,
        threads: int = THREADS,
    ) -> None:
        self._portal = portal
        self._clock = clock
        self._new_id = new_id
        self._block_size = block_size
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="upload")

    def close(self) -> None:
        """Begin no further block."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def upload(self, file: ItemFile, name: str) -> Uploaded:
        """Bring a staged file to the portal under this name; what an earlier pass sent of it is not sent again.

        Raises `MeetingFailed` for a file that is not as it was proven, and what `Portal.call` raises.
        """
        source = file.source
        if source is None or not source.is_file() or source.stat().st_size != file.size:
            raise MeetingFailed(f"{file.name}: not in staging as it was proven", hint=REFETCH)
        return self._upload(source, Note(source), self._planned(file, name))

    def forget(self, file: ItemFile) -> None:
        """Begin anew next time: the portal does not know this upload any more."""
        if file.source is not None:
            Note(file.source).remove()

    def _planned(self, file: ItemFile, name: str) -> Upload:
        return Upload(
            portal=self._portal.url,
            sha256=file.sha256,
            size=file.size,
            file_name=name,
            blob_id=_guid(self._new_id()),
            file_guid=_guid(self._new_id()),
            block_size=self._block_size,
            began=self._clock.now().isoformat(),
        )

    def _upload(self, source: Path, note: Note, planned: Upload) -> Uploaded:
        resumed = self._resumed(note, planned)
        reached = resumed or self._begin(note, planned)
        try:
            if not reached.committed:
                self._finish(source, note, reached)
        except PortalRefused as refused:
            note.remove()
            if (again := self._anew(reached.upload, refused, is_resumed=resumed is not None)) is None:
                raise
        else:
            upload = reached.upload
            return Uploaded(file_guid=upload.file_guid, file_name=upload.file_name, file_size=upload.size)
        return self._upload(source, note, again)

    def _resumed(self, note: Note, planned: Upload) -> Reached | None:
        """What an earlier pass, or an earlier try, has come to; None: nothing that could be gone on with."""
        reached = note.read()
        if reached is None or not reached.upload.is_of(planned):
            return None
        if not 0 <= reached.upload.age(self._clock.now()) < LONGEST.total_seconds():
            return None
        return reached if reached.committed else self._still_there(reached)

    def _anew(self, upload: Upload, refused: PortalRefused, *, is_resumed: bool) -> Upload | None:
        """How to begin again at once: in smaller blocks, or because the portal had forgotten; None: not."""
        is_too_large = refused.status == 413 and upload.block_size > SMALLEST_BLOCK
        if not is_too_large and not (is_resumed and refused.status == 404):
            return None
        return replace(
            upload,
            block_size=upload.block_size // 2 if is_too_large else upload.block_size,
            blob_id=_guid(self._new_id()),
            file_guid=_guid(self._new_id()),
            began=self._clock.now().isoformat(),
        )

    def _begin(self, note: Note, planned: Upload) -> Reached:
        note.begin(planned)
        self._call("upload_start", planned)
        return Reached(upload=planned, sent=frozenset(), committed=False)

    def _still_there(self, reached: Reached) -> Reached | None:
        """The upload with the blocks that the portal has; None: it has forgotten it.

        A portal that does not tell is taken at its earlier word for each block.
        """
        try:
            answer = self._call("upload_status", reached.upload)
        except PortalRefused as refused:
            return None if refused.status == 404 else reached
        ids = answer.list("blocks")
        count = _blocks(reached.upload)
        return replace(reached, sent=frozenset(number for number in range(count) if _block_id(number) in ids))

    def _finish(self, source: Path, note: Note, reached: Reached) -> None:
        upload, sent = reached.upload, reached.sent
        for attempt in range(1, COMMITS + 1):
            self._send(source, note, upload, [n for n in range(_blocks(upload)) if n not in sent])
            try:
                self._commit(upload)
            except PortalRefused as refused:
                if attempt == COMMITS or refused.status in (404, 413):
                    raise
                found = self._still_there(replace(reached, sent=frozenset()))
                sent = found.sent if found is not None else frozenset()
            else:
                note.add("committed")
                return

    def _commit(self, upload: Upload) -> None:
        answer = self._call("upload_commit", upload, block_ids=[_block_id(n) for n in range(_blocks(upload))])
        size = answer.text("size")
        if size and size != str(upload.size):
            raise PortalRefused(
                f"portal: upload_commit: {upload.file_name}: {size} bytes arrived, {upload.size} were sent",
                hint="it is uploaded again by the next pass",
                status=0,
                name="",
            )

    def _send(self, source: Path, note: Note, upload: Upload, numbers: Iterable[int]) -> None:
        """Send these blocks, a few at a time; the first failure ends it."""
        turn = threading.Lock()

        def send(number: int) -> None:
            self._clock.check()
            self._call(
                "upload_block",
                upload,
                data=_block(source, upload, number),
                block_id=_block_id(number),
                block_number=number,
            )
            with turn:
                note.add(number)

        futures = {self._pool.submit(send, number) for number in numbers}
        try:
            self._wait_for(futures)
        finally:
            for future in futures:
                future.cancel()
            wait(futures)

    def _wait_for(self, futures: set[Future[None]]) -> None:
        left = futures
        while left:
            self._clock.check()
            done, left = wait(left, timeout=POLL_SECONDS, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()

    def _call(self, operation: str, upload: Upload, *, data: bytes | None = None, **values: object) -> PortalResponse:
        names = {"blob_id": upload.blob_id, "file_name": upload.file_name, "file_guid": upload.file_guid}
        return self._portal.call(operation, data=data, size=upload.size, **names, **values)


def _blocks(upload: Upload) -> int:
    """At least one: an empty file has an empty one."""
    return max(1, -(-upload.size // upload.block_size))


def _block(source: Path, upload: Upload, number: int) -> bytes:
    """One block; raises `MeetingFailed` when the file shrank."""
    at = number * upload.block_size
    try:
        descriptor = os.open(source, os.O_RDONLY)
        try:
            data = os.pread(descriptor, upload.block_size, at)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise MeetingFailed(f"{source.name}: {(error.strerror or 'cannot be read').lower()}", hint=REFETCH) from error
    if len(data) != min(upload.block_size, upload.size - at):
        raise MeetingFailed(f"{source.name}: changed in staging", hint=REFETCH)
    return data


def _block_id(number: int) -> str:
    """Base64 of the six-digit index."""
    return base64.b64encode(f"{number:06}".encode()).decode()


def _guid(digits: str) -> str:
    """32 hex digits in the form of a GUID."""
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
