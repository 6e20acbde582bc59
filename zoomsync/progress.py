"""What moves on a terminal while a pass runs: one live area, and the log lines above it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from zoomsync.console import Terminal, write_stderr
from zoomsync.formatting import escaped, plural, size_in_words, span_in_words

if TYPE_CHECKING:
    import rich.progress


class Progress:
    """What moves while a pass runs; here nobody sees it. Shared by all threads."""

    def due(self, meetings: int, size: int) -> None:
        """So many more meetings are due, with so many bytes to come."""

    def ended(self) -> None:
        """One of the meetings that were due has ended, well or not."""

    @contextmanager
    def working(self, on: str, size: int | None = None, *, is_due: bool = True) -> Iterator[Callable[[int], None]]:
        """Something takes its time until the block ends: a file of `size` bytes on its way, a video being stitched.

        Yields what is called with the bytes as they arrive, and with fewer than 0 when a transfer begins again.
        `is_due`: whether these bytes are among those that `due` counted.
        """
        del on, size, is_due
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
    def working(self, on: str, size: int | None = None, *, is_due: bool = True) -> Iterator[Callable[[int], None]]:
        with self.drawing:
            task = self._live.add_task(f"  {escaped(on)}", total=size)

        def moved(more: int) -> None:
            self._live.advance(task, more)
            self._live.advance(self._whole, more if is_due else 0)

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
