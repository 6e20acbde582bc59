"""The terminal: log lines, tables, progress. Data goes to stdout, all else to stderr; rich only on a terminal."""

import logging
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from zoomsync.errors import ConfigError, Stopped, Unfit, ZoomsyncError
from zoomsync.formatting import columns, escaped, iso, json_text, plural, quoted, size_in_words, span_in_words

if TYPE_CHECKING:
    import rich.progress

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
        """Plain lines on stdout, control characters escaped."""
        for line in lines:
            _write(escaped(line) + "\n")

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Columns on stdout; if a terminal is too narrow for them, each row is folded, but never within a word."""
        rows = list(rows)
        lines = columns([head, *rows])
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        if width is not None and max(map(len, lines)) > width:
            fold = partial(wrap, width=width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
            lines = [part for row in (head, *rows) for part in fold("  ".join(escaped(cell) for cell in row if cell))]
        self.lines(lines)

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


class Progress:
    """What moves while a pass runs; here nobody sees it. Shared by all threads."""

    def due(self, meetings: int, size: int) -> None:
        """So many more meetings are due, with so many bytes to come."""

    def ended(self) -> None:
        """One of the meetings that were due has ended, well or not."""

    @contextmanager
    def working(self, on: str, size: int | None = None) -> Iterator[Callable[[int], None]]:
        """Something takes its time until the block ends: a file of `size` bytes on its way, a video being stitched.

        Yields what is called with the bytes as they arrive, and with fewer than 0 when a transfer begins again.
        """
        del on, size
        yield lambda _size: None


class LiveProgress(Progress):
    """One live area on a terminal: a line for the whole pass, below it each thing that is being worked on."""

    def __init__(self, live: "rich.progress.Progress", calls: Callable[[], int]) -> None:
        self._live = live
        self._calls = calls
        self._whole = live.add_task("", total=None)
        self.drawing = threading.RLock()
        """Whoever draws has it: rich erases as many lines as it drew last, and miscounts if two threads draw."""
        self._due, self._ended, self._size = 0, 0, 0

    def due(self, meetings: int, size: int) -> None:
        with self.drawing:
            self._due, self._size = self._due + meetings, self._size + size
        self._live.update(self._whole, total=self._size)

    def ended(self) -> None:
        with self.drawing:
            self._ended += 1

    @contextmanager
    def working(self, on: str, size: int | None = None) -> Iterator[Callable[[int], None]]:
        with self.drawing:
            task = self._live.add_task(f"  {escaped(on)}", total=size)

        def moved(more: int) -> None:
            self._live.advance(task, more)
            self._live.advance(self._whole, more)

        try:
            yield moved
        finally:
            with self.drawing:
                self._live.remove_task(task)

    def draw(self, until: threading.Event) -> None:
        """Draw ten times a second."""
        while not until.wait(0.1):
            with self.drawing:
                self._live.refresh()

    def described(self, task: "rich.progress.Task") -> str:
        """What a line is about."""
        if task.id != self._whole:
            return task.description
        calls = plural(self._calls(), "API call")
        return f"{self._ended:,} of {plural(self._due, 'meeting')}, {calls}" if self._due else f"asking Zoom, {calls}"

    def amount(self, task: "rich.progress.Task") -> str:
        """How far it is, how fast, and how long it still takes."""
        done = size_in_words(int(task.completed))
        parts = [f"{done} of {size_in_words(int(task.total))}" if task.total else done] if task.completed else []
        parts += [f"{size_in_words(int(task.speed))}/s"] if task.speed else []
        left = task.time_remaining
        parts += [f"{span_in_words(timedelta(seconds=left))} left"] if left and task.id == self._whole else []
        return ", ".join(parts)


@contextmanager
def progress_shown(terminal: Terminal, calls: Callable[[], int], *, shown: bool) -> Iterator[Progress]:
    """What moves in a pass, on stderr if `shown`, with log lines above it. `calls` counts what Zoom was asked."""
    if not shown:
        yield Progress()
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import ProgressColumn, SpinnerColumn, Task
    from rich.table import Column
    from rich.text import Text

    class Said(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(progress.described(task))

    class Amount(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(progress.amount(task))

    console = Console(stderr=True, highlight=False)
    one_line = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    parts = (SpinnerColumn(), Said(table_column=one_line), Amount(table_column=Column(no_wrap=True, justify="right")))
    bars = Bars(*parts, console=console, transient=True, expand=True, auto_refresh=False)
    progress = LiveProgress(bars, calls)

    def write_above(text: str) -> None:
        with progress.drawing:
            console.print(Text.from_ansi(text), soft_wrap=True)

    ended = threading.Event()
    artist = threading.Thread(target=progress.draw, args=(ended,), daemon=True)
    with bars:
        artist.start()
        terminal.write_log = write_above
        try:
            yield progress
        finally:
            terminal.write_log = write_stderr
            ended.set()
            artist.join()


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
