"""What a row of `state.db` holds: a document, compressed, with its checksum; and by what its entry is found."""

import json
import math
import re
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from zoomsync.model import Entry, Intent, Phase
from zoomsync.naming import suffix
from zoomsync.rules.ledger import facts
from zoomsync.state.page import FORMAT, damaged, json_of, misfit

PHASES = (
    Phase.WAITING,
    Phase.SKIPPED,
    Phase.PUBLISHED,
    Phase.DELETED,
    Phase.LOST,
    Phase.REMOVED,
    Phase.ERASED,
)
"""Each by its number in a row."""
MOST = 2**53
"""Of sizes that are added up."""
COLUMNS = (
    "ending, number, host, start, phase, is_open, is_notable, destination, author, size, stored_at, turn, "
    "deleted_at, crc32, document"
)
T = TypeVar("T", Entry, Intent)
_ADAPTERS: Mapping[type, TypeAdapter[Any]] = {Entry: TypeAdapter(Entry), Intent: TypeAdapter(Intent)}
_WORDS = (
    b'","kind":"chat","type":"CHAT","view":"chat_file","extension":"txt"},{"id":"summary","SUMMARY","timeline","TIMELI'
    b'NE","json","closed_caption","CC","audio","type":"M4A","view":"audio_only","extension":"m4a"active_speaker","gall'
    b'ery_view","shared_screen","speaker_view","America/New_York","Asia/","Europe/London","UTC","phase":"waiting","rea'
    b'son":"skipped","lost","removed","failed: ","due_at":"2026-01-01T00:00:00Z","auto_delete":"2027-","retry":{"tries'
    b'":1,"error":"","hint":"","at":"2026-","next_at":"2026-","since":"2026-"},"refusal":{"kept":"","asked":"","differ'
    b's":"","pending":["","arrival":"twice","offsets":[0.0,"place":"","stamp":{"at":"2026-01-01T00:00:00Z","version":"'
    b'","look":"","name":"audio.m4a","role":"audio","name":"chat.txt","role":"chat","name":"video.gallery_view.mp4","r'
    b'ole":"video.gallery_view","phase":"deleted","reason":"stored; deleted from Zoom 2026-01-01 00:00 UTC","first_see'
    b'n":"2026-"stored_at":"2026-01-01T00:00:00Z","deleted":{\x03:"2026-01-01T00:00:00Z",\x05:"2026-01-01T00:00:00Z"}}'
    b'{"uuid":"==","number":"8","host_id":"","host_email":".org","topic":"","start":"2026-01-01T00:00:00Z","timezone":'
    b'"Europe/Berlin","phase":"published","reason":"stored 2026-01-01 00:00 UTC","first_seen":"2026-01-01T00:00:00Z","'
    b'changed_at":"2026-01-01T00:00:00Z","size":1,"receipt":{"uuid":"==","destination":\x01,"place":"published/.org/20'
    b'26/2026-01-01 00-00  []","author":"","files":[{"name":"video.mp4","role":"video","size":1,"sha256":\x02,"made_of'
    b'":[\x03]},{"name":"captions.vtt","role":"captions","size":1,"sha256":\x04,"made_of":[\x05]}],"cloud":[{"id":\x03'
    b',"kind":"video","type":"MP4","view":"shared_screen_with_speaker_view","start":"2026-01-01T00:00:00Z","size":1,"f'
    b'etched_size":1,"sha256":\x02,"stored":"video.mp4","end":"2026-01-01T00:00:00Z","extension":"mp4"},{"id":\x05,"ki'
    b'nd":"captions","type":"TRANSCRIPT","view":"audio_transcript","start":"2026-01-01T00:00:00Z","size":1,"fetched_si'
    b'ze":1,"sha256":\x06,"stored":"captions.vtt","end":"2026-01-01T00:00:00Z","extension":"vtt"}]},"stored_at":"2026-'
    b'01-01T00:00:00Z"}'
)
"""What documents have in common, which each is compressed against: without it they take half as much room again.

It is a part of the format: not a byte of it may change.
"""
_HEX = re.compile(rb'"(?:[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"')
"""Digests and ids, which no compression makes as short as their bytes are."""
_TOPIC = re.compile(rb'"topic":("(?:[^"\\]|\\.)*")')
_MARKS = 31
"""So many bytes are in no document: they stand for the first digests and ids."""


def packed(value: Entry | Intent) -> tuple[int, bytes]:
    """The checksum, of the document and of how it lies there, and the document, compressed."""
    document = json_of(_ADAPTERS[type(value)], value).encode()
    found: dict[bytes, int] = {}

    def mark(one: re.Match[bytes]) -> bytes:
        is_free = len(found) < _MARKS
        return bytes([found.setdefault(one[0], len(found) + 1)]) if is_free or one[0] in found else one[0]

    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=_WORDS)
    compressed = deflate.compress(_HEX.sub(mark, document)) + deflate.flush()
    compressed += b"".join(
        bytes([len(one) - 2]) + bytes.fromhex(one[1:-1].replace(b"-", b"").decode()) for one in found
    )
    return zlib.crc32(compressed, zlib.crc32(document)), compressed


def _expanded(compressed: bytes) -> bytes:
    """The document; raises what damage leads to."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS, zdict=_WORDS)
    document, rest = inflate.decompress(compressed) + inflate.flush(), inflate.unused_data
    number = 0
    while rest:
        size, number = rest[0], number + 1
        text, rest = rest[1:33].hex() if size == 64 else rest[1:17].hex(), rest[33 if size == 64 else 17 :]
        document = document.replace(bytes([number]), b'"%b"' % (str(UUID(text)) if size == 36 else text).encode())
    return document


def topic_of(compressed: bytes) -> str:
    """The topic of an entry, without looking at the rest of it; empty if it is damaged."""
    with suppress(zlib.error, ValueError):
        document = zlib.decompressobj(-zlib.MAX_WBITS, zdict=_WORDS).decompress(compressed)
        if found := _TOPIC.search(document) or _TOPIC.search(_expanded(compressed)):  # it may look like a digest
            return str(json.loads(found[1]))
    return ""


def unpacked(kind: type[T], path: Path, key: int, crc32: object, compressed: bytes) -> T:
    """The entry or intent of a row; raises `StateUnusable` if a bit of it differs, or it is of another version."""
    what = f"{kind.__name__.lower()} {key}"
    try:
        document = _expanded(compressed)
        is_whole = zlib.crc32(compressed, zlib.crc32(document)) == crc32
    except (zlib.error, TypeError, ValueError) as error:
        raise damaged(path, f"{what} is damaged") from error
    if not is_whole:
        raise damaged(path, f"{what} is damaged")
    try:
        found: T = _ADAPTERS[kind].validate_json(document)
    except ValidationError as error:
        raise misfit(f"{path}: {what}", error, FORMAT) from error
    return found


def write(
    connection: sqlite3.Connection,
    path: Path,
    entries: Iterable[Entry],
    begun: Iterable[Intent] = (),
    settled: Collection[str] = (),
) -> None:
    """Remember these, and close those, in the database at `path`."""
    for entry in entries:
        _write_entry(connection, path, entry)
    for intent in begun:
        connection.execute(
            "INSERT INTO intent (id, crc32, document) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE "
            "SET crc32 = excluded.crc32, document = excluded.document",
            (text(intent.id), *packed(intent)),
        )
    connection.executemany("DELETE FROM intent WHERE id = ?", [(text(one),) for one in settled])


def _write_entry(connection: sqlite3.Connection, path: Path, entry: Entry) -> None:
    known, receipt = facts(entry), entry.receipt
    values = (
        ending(entry.uuid),
        text(entry.number),
        _key(connection, "host", id=entry.host_id, email=entry.host_email),
        seconds(entry.start),
        PHASES.index(entry.phase),
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
    marks = ", ".join("?" * len(values))
    rows = connection.execute("SELECT key, crc32, document FROM entry WHERE ending = ?", values[:1]).fetchall()
    for key in (row[0] for row in rows if unpacked(Entry, path, *row).uuid == entry.uuid):
        connection.execute(f"UPDATE entry SET ({COLUMNS}) = ({marks}) WHERE key = ?", (*values, key))
        return
    connection.execute(f"INSERT INTO entry ({COLUMNS}) VALUES ({marks})", values)


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
