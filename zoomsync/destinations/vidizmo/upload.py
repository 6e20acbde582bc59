"""Uploads a file: start, blocks in parallel, commit; flat in memory, and continued where a killed pass stopped.

The three steps: https://vidsupport.freshdesk.com/support/solutions/articles/17000136717-using-rest-api-uploading-content
"""

import base64
import json
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import InitVar, asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from zoomsync.destinations.vidizmo.client import PortalClient, PortalRefused, PortalResponse
from zoomsync.errors import MeetingFailed
from zoomsync.files import STAGING, fact, open_file, read_file
from zoomsync.model import DAY, Clock, ItemFile

SUFFIX = ".upload"
BLOCK = 4 << 20
SMALLEST_BLOCK = 64 << 10
THREADS = 4
"""Blocks in flight at once, over all uploads: they and no more are in memory."""
COMMITS = 2
"""How often an upload is committed: between two commits, blocks that the portal lost are sent again."""
LONGEST = 7 * DAY
"""An upload that began longer ago is not continued: a portal may have tidied it away (not documented: assumed)."""
POLL_SECONDS = 0.2
REFETCH = "it is fetched again by the next pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One upload to one portal: what is sent, under which names, in blocks of which size; and how far it has come."""

    portal: str
    sha256: str
    size: int
    file_name: str
    blob_id: str
    file_guid: str
    block_size: int
    began: str
    """ISO 8601."""

    sent: frozenset[int] = frozenset()
    """Numbers of the blocks that the portal took."""
    committed: bool = False

    @property
    def block_ids(self) -> list[str]:
        """One for each block, in order: base64 of its six-digit number. An empty file has one empty block."""
        count = max(1, -(-self.size // self.block_size))
        return [base64.b64encode(f"{number:06}".encode()).decode() for number in range(count)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """A file that the portal has and that belongs to nothing yet, by the names that operations have for its values."""

    file_guid: str
    file_name: str
    file_size: int


class Note:
    """The note beside a staged file: a line that says what is uploaded, a line for each block, `committed` at last.

    A line that a crash tore or lost costs a block that is sent again. What the disk refuses is `DiskFull` or `Unfit`.
    """

    def __init__(self, source: Path) -> None:
        self._path = source.with_name(source.name + SUFFIX)

    def read(self) -> Upload | None:
        """None: there is no note, or it makes no sense."""
        with STAGING.explained(self._path):
            try:
                first, *rest = read_file(self._path).decode(errors="replace").split("\n")
            except FileNotFoundError:
                return None
        whole = rest[:-1]
        try:
            upload = Upload(**json.loads(first))
            datetime.fromisoformat(upload.began)
        except (ValueError, TypeError, RecursionError):
            return None
        sent = frozenset(int(line) for line in whole if line.isascii() and line.isdecimal())
        return replace(upload, sent=sent, committed="committed" in whole)

    def begin(self, upload: Upload) -> None:
        """Write that this upload begins, over whatever was there."""
        first = {name: value for name, value in asdict(upload).items() if name not in ("sent", "committed")}
        with STAGING.explained(self._path), open_file(self._path, "wb") as file:
            file.write(json.dumps(first).encode() + b"\n")

    def add(self, line: int | str) -> None:
        """Add the number of a block, or `committed`."""
        with STAGING.explained(self._path), open_file(self._path, "ab") as file:
            file.write(f"{line}\n".encode())

    def remove(self) -> None:
        """The next upload of this file begins from nothing."""
        with STAGING.explained(self._path):
            self._path.unlink(missing_ok=True)


@dataclass(slots=True)
class Uploads:
    """The uploads of a pass. Shared by all workers; `close` when it ends."""

    client: PortalClient
    clock: Clock
    new_id: Callable[[], str]
    block_size: int = BLOCK
    threads: InitVar[int] = THREADS
    _pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="upload")

    def close(self) -> None:
        """Begin no further block."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def upload(self, file: ItemFile, name: str) -> Uploaded:
        """Bring a staged file to the portal under this name; blocks that an earlier pass sent are not sent again.

        If the portal finds the blocks too large, they are halved. If it has forgotten what an earlier pass sent,
        everything is sent again. Raises `MeetingFailed` for a file that is not as it was proven, and what
        `PortalClient.call` raises.
        """
        source = file.source
        if source is None or not source.is_file() or source.stat().st_size != file.size:
            raise MeetingFailed(f"{file.name}: not in staging as it was proven", hint=REFETCH, service="disk")
        note = Note(source)
        upload = Upload(
            portal=self.client.url,
            sha256=file.sha256,
            size=file.size,
            file_name=name,
            block_size=self.block_size,
            **self._new_names(),
        )
        resumed = self._resumed(note, upload)
        while True:
            if resumed is None:
                note.begin(upload)
                self._call("upload_start", upload)
            upload = resumed or upload
            try:
                if not upload.committed:
                    self._finish(source, note, upload)
            except PortalRefused as refused:
                note.remove()
                # 413, 404: not documented, assumed.
                is_too_large = refused.status == 413 and upload.block_size > SMALLEST_BLOCK
                is_forgotten = refused.status == 404 and resumed is not None
                if not is_too_large and not is_forgotten:
                    raise
                size = upload.block_size // 2 if is_too_large else upload.block_size
                upload = replace(upload, block_size=size, sent=frozenset(), **self._new_names())
                resumed = None
            else:
                return Uploaded(file_guid=upload.file_guid, file_name=upload.file_name, file_size=upload.size)

    def forget(self, file: ItemFile) -> None:
        """Send it from the beginning next time: the portal does not know this upload any more."""
        if file.source is not None:
            Note(file.source).remove()

    def _new_names(self) -> dict[str, Any]:
        """By what the portal knows a new upload: the client makes up a GUID for the blob and one for the file."""
        blob_id, file_guid = (str(UUID(self.new_id())) for _ in range(2))
        return {"blob_id": blob_id, "file_guid": file_guid, "began": self.clock.now().isoformat()}

    def _resumed(self, note: Note, wanted: Upload) -> Upload | None:
        """What an earlier pass, or an earlier try, sent of the same bytes; None: nothing can be continued."""
        earlier = note.read()
        if earlier is None:
            return None
        same = ("portal", "sha256", "size", "file_name")
        age = self.clock.now() - datetime.fromisoformat(earlier.began)
        if any(getattr(earlier, name) != getattr(wanted, name) for name in same) or not timedelta() <= age < LONGEST:
            return None
        return earlier if earlier.committed else self._as_the_portal_says(earlier)

    def _as_the_portal_says(self, upload: Upload) -> Upload | None:
        """The upload with the blocks that the portal has; None: it has forgotten it.

        If a portal does not list blocks, what it answered to each block counts.
        """
        try:
            answer = self._call("upload_status", upload)
        except PortalRefused as refused:
            return None if refused.status == 404 else upload
        ids = answer.list("blocks")
        return replace(upload, sent=frozenset(n for n, own in enumerate(upload.block_ids) if own in ids))

    def _finish(self, source: Path, note: Note, upload: Upload) -> None:
        sent = upload.sent
        for attempt in range(1, COMMITS + 1):
            self._send(source, note, upload, [n for n in range(len(upload.block_ids)) if n not in sent])
            try:
                self._commit(upload)
            except PortalRefused as refused:
                if attempt == COMMITS or refused.status in (404, 413):
                    raise
                found = self._as_the_portal_says(replace(upload, sent=frozenset()))
                sent = found.sent if found is not None else frozenset()
            else:
                note.add("committed")
                return

    def _commit(self, upload: Upload) -> None:
        answer = self._call("upload_commit", upload, block_ids=upload.block_ids)
        size = answer.text("size")
        if size and size != str(upload.size):
            message = f"portal: upload_commit: {upload.file_name}: {size} bytes arrived, {upload.size} were sent"
            raise PortalRefused(message, hint="it is uploaded again by the next pass", status=0, name="")

    def _send(self, source: Path, note: Note, upload: Upload, numbers: Iterable[int]) -> None:
        """Send these blocks, a few at a time; the first failure ends it."""
        turn, ids = threading.Lock(), upload.block_ids

        def send(number: int) -> None:
            self.clock.check()
            data = _read_block(source, upload, number)
            self._call("upload_block", upload, data=data, block_id=ids[number], block_number=number)
            with turn:
                note.add(number)

        # Each in a context of its own, so that what holds for this thread (`brief`) holds for the pool's, too.
        futures = {self._pool.submit(copy_context().run, send, number) for number in numbers}
        left = futures
        try:
            while left:
                self.clock.check()
                done, left = wait(left, timeout=POLL_SECONDS, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
        finally:
            for future in futures:
                future.cancel()
            wait(futures)

    def _call(self, operation: str, upload: Upload, *, data: bytes | None = None, **values: object) -> PortalResponse:
        names = {"blob_id": upload.blob_id, "file_name": upload.file_name, "file_guid": upload.file_guid}
        return self.client.call(operation, data=data, size=upload.size, **names, **values)


def _read_block(source: Path, upload: Upload, number: int) -> bytes:
    """One block; raises `MeetingFailed` if the file shrank."""
    at = number * upload.block_size
    try:
        with open_file(source) as file:
            data = os.pread(file.fileno(), upload.block_size, at)
    except OSError as error:
        raise MeetingFailed(f"{source.name}: {fact(error)}", hint=REFETCH, service="disk") from error
    if len(data) != min(upload.block_size, upload.size - at):
        raise MeetingFailed(f"{source.name}: changed in staging", hint=REFETCH, service="disk")
    return data
