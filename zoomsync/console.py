"""The terminal: log lines, tables, progress. Data goes to stdout, all else to stderr; rich only on a terminal."""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from zoomsync.errors import ConfigError, Stopped, Unfit, ZoomsyncError
from zoomsync.formatting import columns, escaped
from zoomsync.model import Entry, Meeting

MARKS = {"ok": "green", "warn": "yellow", "fail": "bold red"}
MEETING: ContextVar[Meeting | Entry | None] = ContextVar("MEETING", default=None)
"""The meeting that this thread works on."""


@contextmanager
def log_context(meeting: Meeting | Entry | None) -> Iterator[None]:
    """Log lines of this thread are about this meeting until the end of the block; None: about none."""
    token = MEETING.set(meeting)
    try:
        yield
    finally:
        MEETING.reset(token)


@dataclass(slots=True, kw_only=True)
class Terminal:
    """How this run talks to people and scripts."""

    as_json: bool
    quiet: bool = False
    verbose: bool = False
    log_format: str
    colour: bool = False
    """Whether stderr is a terminal that takes colour."""
    run_id: str = ""
    """Of the pass that runs; on each of its log lines."""

    def start_logging(self) -> None:
        """Send zoomsync's log lines to stderr."""
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(LogFormatter(self))
        logger = logging.getLogger("zoomsync")
        logger.handlers[:] = [handler]
        logger.propagate = False
        logger.setLevel(logging.ERROR if self.quiet else logging.DEBUG if self.verbose else logging.INFO)

    def document(self, value: Any) -> None:
        """One JSON document on stdout."""
        is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        _write(json.dumps(value, indent=2, ensure_ascii=not is_utf8, default=_plain) + "\n")

    def lines(self, lines: Iterable[str]) -> None:
        """Plain lines on stdout, control characters escaped."""
        for line in lines:
            _write(escaped(line) + "\n")

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Columns on stdout, as wide as they need to be; on a terminal a long cell is folded."""
        if not sys.stdout.isatty():
            self.lines(columns([head, *rows]))
            return
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        for name in head:
            table.add_column(name, overflow="fold")  # an address that was cut could not be copied
        for row in rows:
            table.add_row(*(escape(escaped(cell)) for cell in row))
        Console(file=sys.stdout, highlight=False).print(table)

    def check(self, level: str, name: str, message: str, hint: str) -> None:
        """One thing that was looked at, on stdout, with its remedy below; coloured on a terminal."""
        line = f" {name:<11}  {escaped(message)}\n" + (f"{'':<18}hint: {escaped(hint)}\n" if hint else "")
        if not sys.stdout.isatty():
            _write(f"{level:<4} {line}")
            return
        from rich.console import Console
        from rich.text import Text

        text = Text.assemble((f"{level:<4}", MARKS[level]), f" {line}")
        Console(file=sys.stdout, highlight=False, soft_wrap=True).print(text, end="")

    def error(self, error: ZoomsyncError) -> None:
        """What, where and the remedy, on stderr."""
        problems = error.problems if isinstance(error, ConfigError) else ()
        if self.log_format == "json":
            fields = {"error": str(error), "hint": error.hint, "code": error.code}
            lines = [json.dumps(fields | ({"problems": problems} if problems else {}))]
        else:
            lines = [f"zoomsync: error: {escaped(str(error))}", *(f"  {escaped(problem)}" for problem in problems)]
            lines += [f"zoomsync: hint: {escaped(error.hint)}"] if error.hint else []
        with suppress(OSError):  # a log on a full disk changes no exit code
            sys.stderr.write("".join(f"{line}\n" for line in lines))


class LogFormatter(logging.Formatter):
    """Log lines as text, or as one JSON object each: `at`, `level`, `pass`, `message`, `meeting` if it is about one."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback, which only a bug has, with it."""
        terminal, about = self._terminal, MEETING.get()
        time = datetime.fromtimestamp(record.created, UTC)
        level, message = record.levelname.lower(), record.getMessage()
        traceback = self.formatException(record.exc_info) if record.exc_info else ""
        if terminal.log_format == "json":
            at = time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            fields: dict[str, Any] = {"at": at, "level": level, "pass": terminal.run_id, "message": message}
            if about is not None:
                start = about.start.isoformat()
                fields["meeting"] = {"uuid": about.uuid, "number": about.number, "start": start}
            return json.dumps(fields | ({"traceback": traceback} if traceback else {}))
        parts = [f"{time:%Y-%m-%dT%H:%M:%SZ}", level, terminal.run_id]
        if about is not None:
            parts.append(f"{escaped(about.number) or '-'} {about.start:%Y-%m-%dT%H:%MZ} {escaped(about.uuid)}")
        line = " ".join(part for part in [*parts, escaped(message)] if part) + (f"\n{traceback}" if traceback else "")
        if terminal.colour and record.levelno >= logging.WARNING:
            return f"\x1b[{31 if record.levelno >= logging.ERROR else 33}m{line}\x1b[0m"
        return line


@contextmanager
def progress_bar(*, shown: bool) -> Iterator[Callable[[str, int], None]]:
    """A bar on stderr for all meetings together, if `shown`.

    Yields what moves it: called with a uuid and the bytes that arrived, or fewer than 0 when a transfer begins again.
    """
    if not shown:
        yield lambda _uuid, _size: None
        return
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn, TransferSpeedColumn

    shown_columns = (SpinnerColumn(), TextColumn("fetching"), DownloadColumn(), TransferSpeedColumn())
    with Progress(*shown_columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("fetch", total=None)
        yield lambda _uuid, size: bar.advance(task, size)


@contextmanager
def stdout_flushed() -> Iterator[None]:
    """At the end all of stdout is written; a reader who has gone ends us as SIGPIPE would, without a word."""
    try:
        yield
        with stdout_errors():
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Stopped(signal.SIGPIPE) from None


@contextmanager
def stdout_errors() -> Iterator[None]:
    """Around what only writes to stdout: raises `Unfit` if the file that it goes to is on a full disk."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        fact = f"standard output: {(error.strerror or '').lower()}"
        raise Unfit(fact, hint="free some space where it is sent to") from error


def _write(text: str) -> None:
    with stdout_errors():
        sys.stdout.write(text)


def _plain(value: object) -> str:
    """A time as ISO 8601 with `Z`, as everywhere in zoomsync's documents."""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
