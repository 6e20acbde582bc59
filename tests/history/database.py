"""SQLite on a disk that can fail. What it writes is no call of Python's, so its files are looked at around each step.

A commit is a step, and so is the end of a connection, when the log goes into the file. Of a commit that was under way a
kill leaves half in the log, a power cut any part. Of a log that was going into the file a power cut leaves half there.
SQLite flushes the log and its name with each commit: all before the last one stays. The index of the log, memory that
processes share, is as it was for whoever comes after a kill, and gone after a power cut.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

from tests.history.disk import Blow, Disk, Gone, files_in
from tests.history.nodes import Node

PAGE = 8192
FULL = 2
"""Of `PRAGMA synchronous`: with less a commit flushes nothing."""


class Connection(sqlite3.Connection):
    """One that is watched."""

    of: "Databases"
    path: Path | None = None
    """None: it lies in no folder."""
    is_writing = False

    def execute(self, sql: str, *more: Any) -> sqlite3.Cursor:
        """A dead process does nothing."""
        real = super().execute
        if self.path is None or sql == "ROLLBACK":
            return real(sql, *more)
        if sql == "COMMIT":
            is_flushed = real("PRAGMA synchronous").fetchone()[0] >= FULL
            return self.of.commit(self.path, lambda: real(sql), is_flushed=is_flushed)
        if self.of.disk.is_over:
            raise Gone
        return real(sql, *more)

    def close(self) -> None:
        """The last connection brings the log into the file."""
        if self.path and self.is_writing and not self.of.disk.is_over and size_of(log_of(self.path)):
            self.of.close(self.path, super().close)
        else:
            super().close()


class Databases:
    """Those on one disk."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self._open: list[Connection] = []
        self._left: dict[Path, tuple[Node | None, bytes]] | None = None
        """What lay there when the process died."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """All that SQLite does in a pass. Goes around `Disk.watched`."""
        self.disk.at_end, self._left = self._dies, None
        with patch.object(sqlite3, "connect", self._connector(sqlite3.connect)):
            try:
                yield
            finally:
                while self._open:  # of a dead process
                    sqlite3.Connection.close(self._open.pop())
                self._bring_back()

    def commit(self, path: Path, really: Callable[[], sqlite3.Cursor], *, is_flushed: bool) -> sqlite3.Cursor:
        log, was_over = log_of(path), self.disk.is_over
        try:
            self.disk.room("commit")
        except Gone:
            if not was_over and log.exists():
                self._tear(log, really)
            raise
        except OSError as error:
            refused = sqlite3.OperationalError(str(error))
            refused.sqlite_errorname = "SQLITE_FULL" if self.disk.is_full else "SQLITE_IOERR_FSYNC"
            raise refused from error
        done = really()
        if log.exists() and is_flushed:
            self._flushed(log)
        return done

    def close(self, path: Path, really: Callable[[], None]) -> None:
        before = path.read_bytes()
        try:
            self.disk.step("checkpoint")
        except Gone:
            really()
            after = path.read_bytes()
            if self._left is not None and self._struck_by(Blow.POWER):
                pages = range(0, len(after), PAGE)
                torn = [after[at : at + PAGE] if at // PAGE % 2 else before[at : at + PAGE] for at in pages]
                self._left[path] = (self._left[path][0], b"".join(torn))
            raise
        really()
        if not log_of(path).exists():
            self.disk.changes.append([self.disk.named(str(log_of(path)), None)])

    def _tear(self, log: Path, really: Callable[[], object]) -> None:
        assert self._left is not None
        sure = self._left[log][1]
        self._node_of(log).data = sure
        really()
        now = log.read_bytes()
        rest = now[len(sure) :] if self._struck_by(Blow.POWER) else now[len(sure) : (len(sure) + len(now)) // 2]
        self._left[log] = (self.disk.node(str(log)), sure + rest)

    def _node_of(self, path: Path) -> Node:
        """Of a file that SQLite wrote, which may have been made unseen."""
        node = self.disk.node(str(path))
        if node is None:
            self.disk.made(str(path), node := Node(data=b""))
        return node

    def _flushed(self, path: Path) -> None:
        """What is in it is safe, and so is its name."""
        self._node_of(path).data = path.read_bytes()
        if (folder := self.disk.node(str(path.parent))) is not None:
            self.disk.flush(folder)

    def _struck_by(self, blow: Blow) -> bool:
        return self.disk.strike is not None and self.disk.strike.blow is blow

    def _dies(self) -> None:
        self._left = {path: (self.disk.node(str(path)), path.read_bytes()) for path in self._files()}

    def _bring_back(self) -> None:
        """What connections did that were closed after the end did not happen."""
        for path in self._files() if self._left is not None else ():
            if self._left is not None and path not in self._left:
                path.unlink()
        for path, (node, data) in (self._left or {}).items():
            path.write_bytes(data)
            if node is not None:
                self.disk.live[path.stat().st_ino] = node

    def _files(self) -> list[Path]:
        return [path for path in files_in(self.disk.root) if ".db" in path.name and not path.name.startswith(".")]

    def _connector(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def connect(address: str, **options: Any) -> Any:
            made = real(address, factory=Connection, **options)
            made.of = self
            made.path = Path(unquote(address.removeprefix("file:").partition("?")[0])) if address else None
            made.is_writing = "mode=rw" in address
            self._open.append(made)
            return made

        return connect


def log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
