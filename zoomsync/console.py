"""The terminal: log lines, tables, progress. Data goes to stdout, all else to stderr; rich only on a terminal."""

import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from textwrap import TextWrapper
from typing import TYPE_CHECKING, Any

from zoomsync.errors import ConfigError, Stopped, Unfit, ZoomsyncError
from zoomsync.formatting import columns, escaped, iso, json_text, quoted

if TYPE_CHECKING:
    from zoomsync.model import Entry, Meeting

FORMAT = 1
MARKS = {"ok": "green", "warn": "yellow", "fail": "bold red"}
MEETING: ContextVar["Meeting | Entry | None"] = ContextVar("MEETING", default=None)
"""The meeting that this thread works on."""


@contextmanager
def log_context(meeting: "Meeting | Entry | None") -> Iterator[None]:
    """Log lines of this thread are about this meeting until the end of the block; None: about none."""
    token = MEETING.set(meeting)
    try:
        yield
    finally:
        MEETING.reset(token)


def write_stderr(text: str) -> None:
    """A log line on stderr; on a full disk it changes no exit code."""
    with suppress(OSError):
        sys.stderr.write(f"{text}\n")


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
    write_log: Callable[[str], None] = write_stderr
    """Where log lines go: to stderr, or above what moves there."""

    def start_logging(self) -> None:
        """Send zoomsync's log lines to stderr."""
        handler = LogHandler(self)
        handler.setFormatter(LogFormatter(self))
        logger = logging.getLogger("zoomsync")
        logger.handlers[:] = [handler]
        logger.propagate = False
        logger.setLevel(logging.ERROR if self.quiet else logging.DEBUG if self.verbose else logging.INFO)

    def text(self, text: str) -> None:
        """Text on stdout as it is."""
        _write(text)

    def document(self, value: Mapping[str, Any]) -> None:
        """One JSON document on stdout; its `format` is raised if the meaning of a key changes."""
        _write(json_text({"format": FORMAT, **value}, indent=2, default=_plain) + "\n")

    def lines(self, lines: Iterable[str]) -> None:
        """Plain lines on stdout, control characters escaped; for a terminal that is too narrow they are folded."""
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        for line in lines:
            for part in [escaped(line)] if width is None else folded(escaped(line), width):
                _write(f"{part}\n")

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Columns on stdout; what a terminal is too narrow for stands below its row, and no word is ever broken."""
        rows = [head, *rows]
        lines, width = columns(rows), shutil.get_terminal_size().columns
        fits = len(head)
        while sys.stdout.isatty() and fits > 1 and max(map(len, lines)) > width:
            fits -= 1
            lines = columns([row[:fits] for row in rows])
        rests = ("; ".join(cell for cell in row[fits:] if cell) for row in rows)
        for line, rest in zip(lines, rests, strict=True):
            self.lines([line, f"    {rest}"] if rest else [line])

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
            facts = {"event": "error", "code": error.code, "hint": error.hint, "problems": problems}
            logging.getLogger("zoomsync").error("%s", error, extra=fields(**facts))
            return
        lines = [f"zoomsync: error: {escaped(str(error))}", *(f"  {escaped(problem)}" for problem in problems)]
        lines += [f"zoomsync: hint: {escaped(error.hint)}"] if error.hint else []
        write_stderr("\n".join(lines))


def folded(line: str, width: int) -> list[str]:
    """A line in parts that fit, broken at blanks only; what follows is indented a little more."""
    if len(line) <= width:
        return [line]
    begin = line[: len(line) - len(line.lstrip())]
    fold = TextWrapper(max(width, 20), begin, f"{begin}    ", break_long_words=False, break_on_hyphens=False)
    return fold.wrap(line.strip())


def fields(**facts: object) -> dict[str, object]:
    """What a JSON log line says besides its message, for `extra` of a logging call; `event` names what happened."""
    return {"facts": facts}


class LogHandler(logging.Handler):
    """Hands log lines to the terminal."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        self._terminal.write_log(self.format(record))


class LogFormatter(logging.Formatter):
    """Log lines as text, or as one JSON object each.

    An object has `at`, `level`, `pass`, `event`, `message`; about a meeting `host`, `topic`, `start`, `number` and
    `uuid`; and what `fields` adds.
    """

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
            found: dict[str, Any] = {
                "at": at,
                "level": level,
                "pass": terminal.run_id,
                "event": "bug" if traceback else "note",
            }
            found |= {"message": message} | getattr(record, "facts", {})
            if about is not None:
                found |= {"host": about.host_email or about.host_id, "topic": about.topic}
                found |= {"start": _plain(about.start), "number": about.number, "uuid": about.uuid}
            return json_text(found | ({"traceback": traceback} if traceback else {}), default=_plain)
        parts = [f"{time:%Y-%m-%dT%H:%M:%SZ}", level, terminal.run_id]
        if about is not None:
            from zoomsync.naming import suffix

            host, uuid = about.host_email or about.host_id, f" {about.uuid}" if terminal.verbose else ""
            parts.append(
                escaped(f"{host} {quoted(about.topic)} {about.start:%Y-%m-%dT%H:%MZ} [{suffix(about.uuid)}]{uuid}")
            )
        line = " ".join(part for part in [*parts, escaped(message)] if part)
        line = "\n".join([line, *(escaped(one) for one in traceback.split("\n"))]) if traceback else line
        if terminal.colour and record.levelno >= logging.WARNING:
            return f"\x1b[{31 if record.levelno >= logging.ERROR else 33}m{line}\x1b[0m"
        return line


def open_streams() -> None:
    """Make all three standard streams take everything: the next file opened would stand in for a closed one."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("r+"))  # noqa: SIM115  # open for as long as we run
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


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
    """A time as everywhere in zoomsync's documents, to the second."""
    return iso(value) or "" if isinstance(value, datetime) else str(value)
