"""The account of every deletion: `audit.jsonl`, a JSON object a line, only ever appended to, never pruned.

Each line has `at`, `event`, `intent` (one id for one deletion) and `pass` (the id of the run). By `event`:

`deleting`
    durable before the call: `uuid`, `number`, `topic`, `host`, `start` (the meeting's), `file`, `kind`, `view`,
    `file_start`, `size` (as listed), `sha256` (as fetched), `action` (`trash` or `delete`) and `proof`, the stored file
    that contains it: `destination`, `place`, `stored`, `stored_size`, `stored_sha256`, `verified` (how), `verified_at`.
`answer`
    after the call: `answer`, what Zoom said; `none: …` if no answer came.
`settled`
    when a pass ended between the two, or no answer came: `answer`, what the next pass found.

Times are ISO 8601 in UTC. A line that a crash cut stays as it is; the next one begins on its own line.
"""

import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

from zoomsync.files import PRIVATE_FILE, make_private_folder, open_regular, read_file, sync, write_all
from zoomsync.formatting import iso, json_text
from zoomsync.model import Clock, Entry, Intent, RecordingFile, Verdict
from zoomsync.state.page import LIMIT, STATE


class Audit(AbstractContextManager["Audit"]):
    """The open account of one pass, made if it is missing. All methods raise `DiskFull` or `StateUnusable`."""

    def __init__(self, path: Path, clock: Clock, *, pass_id: str) -> None:
        self.path = path
        self._clock = clock
        self._pass_id = pass_id
        with STATE.explained(path):
            make_private_folder(path.parent)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
            self._fd = open_regular(path, flags, PRIVATE_FILE, follow=True)  # a link leads where a person wants it
            sync(path.parent)

    def before(
        self, intent: Intent, entry: Entry, file: RecordingFile, verdict: Verdict, *, action: str, verified_at: datetime
    ) -> None:
        """Write down what is about to be deleted, and on what proof; call only once this has returned.

        Raises `ValueError` if the verdict proves nothing for this file: then it must not be deleted.
        """
        proof = verdict.receipt.proof(file) if verdict.safe else None
        if proof is None:
            raise ValueError(f"{file.id}: not proven to be stored")
        cloud, stored = proof
        self._append(
            "deleting",
            intent.id,
            uuid=entry.uuid,
            number=entry.number,
            topic=entry.topic,
            host=entry.host_email or entry.host_id,
            start=iso(entry.start),
            file=file.id,
            kind=file.kind.value,
            view=file.view,
            file_start=iso(file.start),
            size=file.size,
            sha256=cloud.sha256,
            action=action,
            proof={
                "destination": verdict.receipt.destination,
                "place": verdict.receipt.place,
                "stored": stored.name,
                "stored_size": stored.size,
                "stored_sha256": stored.sha256,
                "verified": verdict.reason,
                "verified_at": iso(verified_at),
            },
        )

    def after(self, intent_id: str, answer: str) -> None:
        """Write down what the call answered."""
        self._append("answer", intent_id, answer=answer)

    def settled(self, intent_id: str, answer: str) -> None:
        """Write down what became of a call whose answer an ended pass did not see."""
        self._append("settled", intent_id, answer=answer)

    def close(self) -> None:
        """Release the file."""
        os.close(self._fd)

    def __exit__(self, *_: object) -> None:
        self.close()

    def _append(self, event: str, intent_id: str, **facts: object) -> None:
        """One line, on the disk when this returns; first a line end, if a crash cut the line before."""
        known = {"at": iso(self._clock.now()), "event": event, "intent": intent_id, "pass": self._pass_id, **facts}
        with STATE.explained(self.path):
            size = os.fstat(self._fd).st_size
            is_cut = size > 0 and os.pread(self._fd, 1, size - 1) != b"\n"
            write_all(self._fd, b"\n" * is_cut + json_text(known).encode() + b"\n")


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Every line, oldest first; none if there is no file. What is not a record comes as `event` `unreadable`.

    A last line without its end, cut or just being written, is left out.
    """
    with STATE.explained(path):
        lines = read_file(path, LIMIT, follow=True).split(b"\n")[:-1] if path.exists() else []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        yield record if isinstance(record, dict) and record else {"event": "unreadable", "line": number}
