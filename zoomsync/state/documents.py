"""What a row of `state.db` holds: a document, compressed, with its checksum; and by what its entry is found."""

import math
import sqlite3
import zlib
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from zoomsync.model import Entry, Intent
from zoomsync.naming import suffix
from zoomsync.rules.ledger import facts
from zoomsync.state.page import damaged, json_of, misfit
from zoomsync.state.schema import FORMAT

MOST = 2**53
"""Of sizes that are added up."""
COLUMNS = (
    "uuid, ending, number, host, start, phase, is_open, is_notable, destination, author, size, stored_at, turn, "
    "deleted_at, crc32, document"
)
_ENTRY: TypeAdapter[Any] = TypeAdapter(Entry)
_INTENT: TypeAdapter[Any] = TypeAdapter(Intent)
_WORDS = (
    b'"},{"name":"recording.json"},{"id":"","kind":"chat","type":"CHAT","view":"chat_file","extension":"txt"'
    b'"summary","SUMMARY","timeline","TIMELINE","json","closed_caption","CC","audio_only","audio","M4A","m4a"'
    b'"active_speaker","gallery_view","shared_screen","speaker_view","America/New_York","Asia/","Europe/London","UTC"'
    b'"phase":"waiting","skipped","lost","removed","due_at":"2026-01-01T00:00:00Z","auto_delete":"2027-'
    b'"retry":{"tries":1,"error":"","hint":"","at":"2026-","next_at":"2026-","since":"2026-"},"refusal":"kept":"'
    b'"asked":"","differs":"","arrival":"twice","offsets":[0.0,"place":"","stamp":{"at":"2026-","version":"","look":"'
    b'"phase":"deleted","reason":"stored; deleted from Zoom 2026-01-01 00:00 UTC","changed_at":"2026-"deleted":{"'
    b'{"uuid":"==","number":"8","host_id":"","host_email":"@example.org","topic":"","start":"2026-01-01T00:00:00Z",'
    b'"timezone":"Europe/Berlin","phase":"published","reason":"stored 2026-01-01 00:00 UTC","first_seen":"2026-01-01T'
    b'00:00:00Z","changed_at":"2026-01-01T00:00:00Z","size":1,"receipt":{"uuid":"==","destination":"","place":'
    b'"published/@example.org/2026/2026-01-01 00-00  []","author":"@example.org","files":[{"name":"video.mp4","role":'
    b'"video","size":,"sha256":"","made_of":["","stamp":{"at":"2026-01-01T00:00:00Z"}},{"name":"captions.vtt","role":'
    b'"captions","size":,"sha256":"","made_of":["","offsets":[0.0]}],"cloud":[{"id":"","kind":"video","type":"MP4",'
    b'"view":"shared_screen_with_speaker_view","start":"2026-01-01T00:00:00Z","size":,"fetched_size":,"sha256":"",'
    b'"stored":"video.mp4","end":"2026-01-01T00:00:00Z","extension":"mp4"},{"id":"","kind":"captions","type":'
    b'"TRANSCRIPT","view":"audio_transcript","start":"2026-01-01T00:00:00Z","size":,"fetched_size":,"sha256":"",'
    b'"stored":"captions.vtt","end":"2026-01-01T00:00:00Z","extension":"vtt"}]},"stored_at":"2026-01-01T00:00:00Z"}'
)
"""What documents have in common, which each is compressed against: without it they take twice the room.

It is a part of the format: not a byte of it may change.
"""


def packed(value: Entry | Intent) -> tuple[int, bytes]:
    """The checksum, of the document and of how it lies there, and the document, compressed."""
    adapter = _ENTRY if isinstance(value, Entry) else _INTENT
    document = json_of(adapter, value).encode()
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=_WORDS)
    compressed = deflate.compress(document) + deflate.flush()
    return zlib.crc32(compressed, zlib.crc32(document)), compressed


def entry_of(path: Path, key: int, crc32: object, document: bytes) -> Entry:
    """The entry of a row; raises `StateUnusable` if a bit of it differs, or it is of another version."""
    found: Entry = _unpacked(_ENTRY, path, f"entry {key}", crc32, document)
    return found


def intent_of(path: Path, key: int, crc32: object, document: bytes) -> Intent:
    """The intent of a row, likewise."""
    found: Intent = _unpacked(_INTENT, path, f"intent {key}", crc32, document)
    return found


def _unpacked(adapter: TypeAdapter[Any], path: Path, what: str, crc32: object, compressed: bytes) -> Any:
    try:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS, zdict=_WORDS)
        document = inflate.decompress(compressed) + inflate.flush()
        is_whole = zlib.crc32(compressed, zlib.crc32(document)) == crc32
    except (zlib.error, TypeError) as error:
        raise damaged(path, f"{what} is damaged") from error
    if not is_whole:
        raise damaged(path, f"{what} is damaged")
    try:
        return adapter.validate_json(document)
    except ValidationError as error:
        raise misfit(f"{path}: {what}", error, FORMAT) from error


def write(
    connection: sqlite3.Connection,
    entries: Iterable[Entry],
    begun: Iterable[Intent] = (),
    settled: Collection[str] = (),
) -> None:
    """Remember these, and close those."""
    for entry in entries:
        _write_entry(connection, entry)
    for intent in begun:
        connection.execute(
            "INSERT INTO intent (id, crc32, document) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE "
            "SET crc32 = excluded.crc32, document = excluded.document",
            (text(intent.id), *packed(intent)),
        )
    connection.executemany("DELETE FROM intent WHERE id = ?", [(text(one),) for one in settled])


def _write_entry(connection: sqlite3.Connection, entry: Entry) -> None:
    known, receipt = facts(entry), entry.receipt
    values = (
        text(entry.uuid),
        ending(entry.uuid),
        text(entry.number),
        _key(connection, "host", id=entry.host_id, email=entry.host_email),
        seconds(entry.start),
        entry.phase.value,
        known.is_open,
        known.is_notable,
        None if receipt is None else _key(connection, "name", text=receipt.destination),
        None if receipt is None else _key(connection, "name", text=receipt.author),
        min(known.size, MOST),
        seconds(entry.stored_at),
        known.turn,
        seconds(known.deleted_at),
        *packed(entry),
    )
    update = f"UPDATE entry SET ({COLUMNS}) = ({', '.join('?' * len(values))}) WHERE ending = ? AND uuid = ?"
    if not connection.execute(update, (*values, values[1], values[0])).rowcount:
        connection.execute(f"INSERT INTO entry ({COLUMNS}) VALUES ({', '.join('?' * len(values))})", values)


def _key(connection: sqlite3.Connection, table: str, **columns: str) -> int:
    """Of this row in a table of texts, which is made if it is missing."""
    texts = [*map(text, columns.values())]
    found = connection.execute(
        f"SELECT key FROM {table} WHERE {' AND '.join(f'{name} = ?' for name in columns)}", texts
    ).fetchone()
    if found is not None:
        return int(found[0])
    made = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(texts))})"
    return int(connection.execute(made, texts).lastrowid or 0)


def ending(uuid: str) -> int:
    """How the name of its item's folder ends, as a number."""
    return int(suffix(uuid), 16)


def seconds(when: datetime | None) -> int | None:
    """Whole ones since 1970."""
    return None if when is None else math.floor(when.timestamp())


def time_of(seconds: int | None) -> datetime | None:
    """The moment that so many seconds mean."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def text(of: str) -> str:
    """What SQLite can hold: no half characters."""
    return of.encode(errors="replace").decode()
