"""The terminal: log lines, tables, progress. Data goes to stdout, all else to stderr; rich only on a terminal."""

import json
import logging
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Self

from zoomsync.errors import ConfigError, Stopped, Unfit, ZoomsyncError
from zoomsync.formatting import escaped
from zoomsync.model import Entry, Meeting

MEETING: ContextVar[Meeting | Entry | None] = ContextVar("MEETING", default=None)


@contextmanager
def log_context(meeting: Meeting | Entry) -> Iterator[None]:
    """Log lines of this thread are about this meeting until the end of the block."""
    token = MEETING.set(meeting)
    try:
        yield
    finally:
        MEETING.reset(token)


LEVELS = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}

MARKS = {"ok": "green", "warn": "yellow", "fail": "bold red"}


class Terminal:
    """How this run talks to people and scripts."""

    def __init__(self, *, as_json: bool, quiet: bool, verbose: bool, log_format: str, colour: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.verbose = verbose
        self.log_format = log_format
        self.colour = colour
        """Whether stderr is a terminal that takes colour."""
        self.run_id = ""

    def start_logging(self) -> None:
        """Send zoomsync's log lines to stderr."""
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines(self) if self.log_format == "json" else TextLines(self))
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
        """Columns on stdout, as wide as they need to be; under cron the same without lines and colour."""
        cells = [[escaped(str(cell)) for cell in row] for row in rows]
        if sys.stdout.isatty():
            _rich_table(head, cells)
            return
        widths = [max(len(row[n]) for row in [list(head), *cells]) for n in range(len(head))]
        for row in [list(head), *cells]:
            _write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")

    def check(self, level: str, name: str, message: str, hint: str) -> None:
        """One thing that was looked at, on stdout, with its remedy below; coloured on a terminal."""
        line = f" {name:<11}  {escaped(message)}\n" + (f"{'':<18}hint: {escaped(hint)}\n" if hint else "")
        if sys.stdout.isatty():
            _rich_mark(f"{level:<4}", MARKS[level], line)
            return
        _write(f"{level:<4} {line}")

    def error(self, error: ZoomsyncError) -> None:
        """What, where and the remedy."""
        problems = error.problems if isinstance(error, ConfigError) else ()
        if self.log_format == "json":
            fields = {"error": str(error), "hint": error.hint, "code": error.code}
            lines = [json.dumps(fields | ({"problems": problems} if problems else {}))]
        else:
            lines = [f"zoomsync: error: {escaped(str(error))}", *(f"  {escaped(problem)}" for problem in problems)]
            lines += [f"zoomsync: hint: {escaped(error.hint)}"] if error.hint else []
        with suppress(OSError):  # a log on a full disk changes no exit code
            sys.stderr.write("".join(f"{line}\n" for line in lines))


def _plain(value: object) -> str:
    """A time as ISO 8601 with `Z`, as everywhere in zoomsync's documents."""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


@contextmanager
def all_written() -> Iterator[None]:
    """At the end all of stdout is; a reader who has gone ends us as SIGPIPE would, without a word."""
    try:
        yield
        with explained():
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Stopped(signal.SIGPIPE) from None


def _write(text: str) -> None:
    with explained():
        sys.stdout.write(text)


@contextmanager
def explained() -> Iterator[None]:
    """Around what only writes to stdout: the file that it goes to can be on a full disk."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unfit(
            f"standard output: {(error.strerror or '').lower()}", hint="free some space where it is sent to"
        ) from error


def _rich_mark(mark: str, style: str, line: str) -> None:
    from rich.console import Console
    from rich.text import Text

    text = Text.assemble((mark, style), f" {line}")
    Console(file=sys.stdout, highlight=False, soft_wrap=True).print(text, end="")


def _rich_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in head:
        table.add_column(name, overflow="fold")  # an address that was cut could not be copied
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console(file=sys.stdout, highlight=False).print(table)


class TextLines(logging.Formatter):
    """`12:34:56 warning a1b2c3d4 87654321 2026-03-01T10:30Z uuid= what happened`."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback, which only a bug has, below it."""
        time = datetime.fromtimestamp(record.created, UTC)
        parts = [f"{time:%Y-%m-%dT%H:%M:%SZ}", LEVELS.get(record.levelno, "info"), self._terminal.run_id, _about()]
        line = " ".join(part for part in [*parts, escaped(record.getMessage())] if part)
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        if self._terminal.colour and record.levelno >= logging.WARNING:
            return f"\x1b[{31 if record.levelno >= logging.ERROR else 33}m{line}\x1b[0m"
        return line


class JsonLines(logging.Formatter):
    """One JSON object a line: `at`, `level`, `pass`, `message`, and `meeting` where it is about one."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        fields: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": LEVELS.get(record.levelno, "info"),
            "pass": self._terminal.run_id,
            "message": record.getMessage(),
        }
        meeting = MEETING.get()
        if meeting is not None:
            fields["meeting"] = {"uuid": meeting.uuid, "number": meeting.number, "start": meeting.start.isoformat()}
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields)


def _about() -> str:
    meeting = MEETING.get()
    if meeting is None:
        return ""
    return f"{escaped(meeting.number) or '-'} {meeting.start:%Y-%m-%dT%H:%MZ} {escaped(meeting.uuid)}"


class Progress:
    """Bytes as they arrive: a bar for all meetings on a terminal, nothing elsewhere."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if self._shown:
            from rich.console import Console
            from rich.progress import DownloadColumn, SpinnerColumn, TextColumn, TransferSpeedColumn
            from rich.progress import Progress as Bar

            columns = (SpinnerColumn(), TextColumn("fetching"), DownloadColumn(), TransferSpeedColumn())
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("fetch", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def told(self, _uuid: str, size: int) -> None:
        """So many bytes more (or fewer, when a transfer begins again)."""
        if self._bar is not None:
            self._bar.advance(self._task, size)
