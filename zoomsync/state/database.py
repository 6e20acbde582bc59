"""`state.db`: a file of SQLite, its tables, and what each of its errors means.

A step is one transaction, on the disk when it is committed: WAL with `synchronous=FULL`. Only the pass that has the
lock writes. Who only reads leaves no trace: while nobody writes, the file alone is all there is and is read as it lies
there, without a lock; while a pass writes, or after one was killed, through SQLite's own log beside it.
"""

import os
import sqlite3
import stat
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from zoomsync.errors import DiskFull, StateUnusable, ZoomsyncError
from zoomsync.files import PRIVATE_FILE, open_regular, put_in_place, sync
from zoomsync.state.page import FORMAT, STATE, damaged, newer

Row: TypeAlias = tuple[Any, ...]

OURS = 0x7A6F6F6D
"""`application_id`, as https://www.sqlite.org/pragma.html#pragma_application_id asks for: `zoom`."""
ELSEWHERE = "a network file system cannot hold it: set `state` to a path on a local one"
SECONDS = 10.0
"""How long a lock of another program is waited for."""
TABLES = """
CREATE TABLE state (id TEXT NOT NULL, steps INTEGER NOT NULL);
CREATE TABLE host (key INTEGER PRIMARY KEY, id TEXT NOT NULL, email TEXT NOT NULL, UNIQUE (id, email));
CREATE TABLE name (key INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE entry (
    key INTEGER PRIMARY KEY, ending INTEGER NOT NULL, number INTEGER NOT NULL, host INTEGER NOT NULL,
    start INTEGER NOT NULL, phase INTEGER NOT NULL, is_open INTEGER NOT NULL, is_notable INTEGER NOT NULL,
    destination INTEGER, author INTEGER, size INTEGER NOT NULL, stored_at INTEGER, turn INTEGER, deleted_at INTEGER,
    crc32 INTEGER NOT NULL, document BLOB NOT NULL
);
CREATE INDEX by_ending ON entry (ending);
CREATE INDEX by_number ON entry (number);
CREATE INDEX by_host ON entry (host);
CREATE INDEX by_phase ON entry (phase);
CREATE INDEX opened ON entry (key) WHERE is_open;
CREATE INDEX notable ON entry (key) WHERE is_notable;
CREATE INDEX stored ON entry (destination, host, author, phase, stored_at, size, deleted_at)
    WHERE destination IS NOT NULL;
CREATE INDEX to_delete ON entry (destination, turn, stored_at, host) WHERE turn IS NOT NULL;
CREATE TABLE intent (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, crc32 INTEGER NOT NULL, document BLOB NOT NULL);
"""

_NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE")
"""A quota and a limit of file sizes come as IOERR_WRITE (https://www.sqlite.org/rescode.html#ioerr_write)."""
_NO_RIGHT = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")
_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT", "SQLITE_ERROR", "SQLITE_MISMATCH")
_LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite, or the disk below it, refuses into the error that says what to do about it."""
    try:
        with STATE.explained(path):
            yield
    except UnicodeDecodeError as error:
        raise damaged(path, f"is damaged: {error}") from error
    except sqlite3.Error as error:
        if (name := getattr(error, "sqlite_errorname", None)) is None:
            raise  # a bug: the statement is wrong, or the database is closed
        raise _problem(path, name, str(error)) from error


def _problem(path: Path, name: str, says: str) -> ZoomsyncError:
    message = f"{path}: SQLite says: {says}"
    if name.startswith(_NO_ROOM):
        return DiskFull(f"{path}: no room for it: {says}", hint=STATE.no_room)
    if name.startswith(_DAMAGE):
        return damaged(path, f"is damaged: {says}")
    if name.startswith(_LOCKED):
        hint = "end the program that has it open, `fuser -v` on it names that; then run zoomsync again"
        return StateUnusable(f"{path}: locked by another program", hint=hint)
    if name.startswith(_NO_RIGHT):
        hint = f"{STATE.no_right}; to look at a copy of it, copy the folder to where you may write"
        return StateUnusable(message, hint=hint)
    return StateUnusable(message, hint=f"check the disk; {ELSEWHERE}")


def beside(path: Path) -> Path:
    """The database that belongs to this `state.json`."""
    return path.with_suffix(".db") if path.suffix == ".json" else path.with_name(f"{path.name}.db")


def logs(path: Path) -> tuple[Path, Path]:
    """SQLite's own log of what is not in the file yet, and its index, which exist while somebody writes."""
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


class Database:
    """One open file. Any thread may call; one is served at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection, seen: object = None) -> None:
        self.path = path
        self._use(connection)
        self._seen = seen
        """Of a file that is read as it lies there: what tells whether it is still so."""
        self.is_copy = False
        """Whether nobody sees what is written to it."""
        self.lock = threading.RLock()
        self._is_sound = True
        self.id, self.steps = "", 0
        """Of the state that it belongs to, and how many steps it has seen."""

    def _use(self, connection: sqlite3.Connection) -> None:
        """Who only looked need not say when it is enough: it is closed with this object."""
        self._connection = connection
        self._release = weakref.finalize(self, connection.close)

    @classmethod
    def to_write(cls, path: Path) -> "Database":
        """Open one that exists. Raises `StateUnusable`."""
        with explained(path):
            _refuse_odd(path)
            if logs(path)[0].exists():  # a killed pass left it; beside a file that was put back it makes a mixture
                look = cls.to_read(path)
                look.prove()
                look.close()
            opened = cls(path, _connected(path, "mode=rw"))
            opened._check()
            if opened.rows("PRAGMA journal_mode=WAL") != [("wal",)]:
                raise StateUnusable(f"{path}: SQLite cannot keep its log here", hint=ELSEWHERE)
            opened.rows("PRAGMA synchronous=FULL")
        return opened

    @classmethod
    def to_read(cls, path: Path) -> "Database":
        """Open one that exists, to look. Raises `StateUnusable`."""
        with explained(path):
            _refuse_odd(path)
            opened = cls(path, *_to_look(path))
            opened._check()
        return opened

    @classmethod
    def in_memory(cls, path: Path, like: "Database | None" = None) -> "Database":
        """A copy that nobody sees, or an empty one; SQLite gives it a nameless file if it grows large."""
        made = cls(path, _connected(Path(), ""))
        made.is_copy = True
        if like is None:
            _fill(made._connection, "imagined")
        else:
            like.copy_to(made._connection)
        made._check()
        return made

    def _check(self) -> None:
        """Whether this is what a zoomsync wrote, and one of this format."""
        ((ours,),) = self.rows("PRAGMA application_id")
        ((version,),) = self.rows("PRAGMA user_version")
        if not ours and not self.path.stat().st_size:
            raise damaged(self.path, "is empty")
        if ours != OURS:
            raise damaged(self.path, "is no database of zoomsync's")
        if version > FORMAT:
            raise newer(self.path, version)
        found = self.rows("SELECT id, steps FROM state")
        if len(found) != 1:
            raise damaged(self.path, "is damaged: it does not say whose it is")
        self.id, self.steps = found[0]

    def prove(self) -> None:
        """Raise `StateUnusable` unless all of it fits together: what an index hides is asked for in vain."""
        ((found,),) = self.rows("PRAGMA integrity_check(1)")
        if found != "ok":
            raise damaged(self.path, f"is damaged: {found}")

    def require_writable(self) -> None:
        """Raise `StateUnusable` if a pass could not write to it; nothing is written."""
        with explained(self.path):
            os.close(os.open(self.path, os.O_RDWR))

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """What a query finds."""
        with self.lock, explained(self.path):
            while self._seen is not None:
                with suppress(sqlite3.DatabaseError, UnicodeDecodeError):
                    found = self._connection.execute(sql, values).fetchall()
                    if self._seen == _look(self.path):
                        return found
                if self._seen == _look(self.path):
                    break  # then the error is one of the file itself
                self._release()
                connection, self._seen = _to_look(self.path)
                self._use(connection)
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def step(self) -> Iterator[sqlite3.Connection]:
        """One durable step: what is done in the block is on the disk after it, or nothing of it is."""
        with self.lock, explained(self.path):
            if not self._is_sound:
                hint = "check the disk, then run zoomsync again"
                raise StateUnusable(f"{self.path}: an earlier write failed", hint=hint)
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("UPDATE state SET steps = steps + 1")
                self._connection.execute("COMMIT")
            except BaseException as error:
                # after a failed flush nobody knows what of it is on the disk: the next pass finds out
                self._is_sound = "FSYNC" not in getattr(error, "sqlite_errorname", "")
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise
            self.steps += 1

    def copy_to(self, other: sqlite3.Connection) -> None:
        """Make another database the same as this one."""
        with self.lock, explained(self.path):
            self._connection.backup(other)

    def close(self) -> None:
        """Release it; what the log has goes into the file, and the log goes."""
        with self.lock, explained(self.path):
            self._release()


def create(path: Path, state_id: str, fill: Callable[[sqlite3.Connection], None] = lambda _: None) -> None:
    """Make a database with this content take the place of whatever is at `path`, durably; until then nothing changed.

    Raises `DiskFull`, `StateUnusable`.
    """
    aside = path.with_name(f".{path.name}.new")
    with explained(path):
        for old in (aside, *logs(aside)):
            old.unlink(missing_ok=True)
        os.close(open_regular(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
        connection = _connected(aside, "mode=rw")
        try:
            connection.execute("PRAGMA page_size=8192")  # entries fill it better than they fill smaller ones
            connection.execute("PRAGMA journal_mode=OFF")
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("BEGIN")
            _fill(connection, state_id)
            fill(connection)
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode=WAL")
        except BaseException:
            connection.close()
            aside.unlink(missing_ok=True)
            raise
        connection.close()
        sync(aside)
        for log in logs(path):  # of a database that was there before: it must not be taken for this one's
            log.unlink(missing_ok=True)
        sync(path.parent)
        put_in_place(aside, path)


def _fill(connection: sqlite3.Connection, state_id: str) -> None:
    for statement in TABLES.split(";\n"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id={OURS}")
    connection.execute(f"PRAGMA user_version={FORMAT}")
    connection.execute("INSERT INTO state VALUES (?, 0)", (state_id,))


def _connected(path: Path, options: str) -> sqlite3.Connection:
    address = f"file:{quote(os.fsencode(path))}?{options}" if options else ""
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=SECONDS)


def _to_look(path: Path) -> tuple[sqlite3.Connection, object]:
    """A connection to read, and what the file looks like if it is read as it lies there."""
    seen = _look(path)
    is_written = logs(path)[0].exists()
    return _connected(path, "mode=ro" if is_written else "mode=ro&immutable=1"), None if is_written else seen


def _look(path: Path) -> object:
    """Another one, if a pass has begun to write or has written since."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, logs(path)[0].exists()


def _refuse_odd(path: Path) -> None:
    if not stat.S_ISREG(path.lstat().st_mode):
        raise StateUnusable(f"{path}: not a regular file", hint=STATE.otherwise)
