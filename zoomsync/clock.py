"""The real clock, the signals that end a pass, and the process itself: for the command line alone."""

import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from zoomsync.errors import Stopped

if TYPE_CHECKING:
    from zoomsync.model import Process

SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
LAST_WORD_SECONDS = 6.0
"""How long the pass may take to end by itself after a signal; then `last_word` is called."""
FAREWELL_SECONDS = 1.5
"""How long `last_word` may take; then the process exits, whatever still hangs."""


class SystemClock:
    """The real `Clock`; `stop` wakes every sleeper and ends the pass."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._signum = 0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Stopped(self._signum)

    def check(self) -> None:
        if self._stopping.is_set():
            raise Stopped(self._signum)

    def stop(self, signum: int) -> None:
        """End the pass."""
        self._signum = self._signum or signum
        self._stopping.set()


@contextmanager
def ending(clock: SystemClock, last_word: Callable[[int], None]) -> Iterator[None]:
    """Signals end the pass through the clock; if that takes too long, `last_word` is called and the process exits."""

    def stop(signum: int, _frame: object) -> None:
        clock.stop(signum)
        _after(LAST_WORD_SECONDS, give_up, signum)

    def give_up(signum: int) -> None:
        _after(FAREWELL_SECONDS, os._exit, 128 + signum)
        try:
            last_word(signum)
        finally:
            os._exit(128 + signum)

    before = {signum: signal.signal(signum, stop) for signum in SIGNALS}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _after(seconds: float, act: Callable[[int], object], number: int) -> None:
    timer = threading.Timer(seconds, act, [number])
    timer.daemon = True
    timer.start()


def process_environ() -> dict[str, str]:
    """What this process was started with."""
    return dict(os.environ)


def leave_no_core() -> None:
    """Have neither this process nor its children leave a core when they crash: tokens lie in memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def this_process() -> "Process":
    """This process, so that a later `status` can see whether it still runs."""
    from zoomsync.model import Process

    return Process(pid=os.getpid(), host=socket.gethostname(), started=_started(os.getpid()))


def is_alive(process: "Process") -> bool:
    """Whether a process of this machine still runs; of another machine it is taken to be."""
    if process.host != socket.gethostname():
        return True
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return not process.started or _started(process.pid) == process.started


def _started(pid: int) -> str:
    """The kernel's start time of a process; empty if it does not say, or only waits to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def speak_utf8() -> None:
    """Begin again in Python's UTF-8 mode if the locale has another encoding: names of files and texts are UTF-8.

    Nothing but a new start changes how Python decodes the names of files (PEP 540).
    """
    if sys.getfilesystemencoding() == "utf-8" or sys.flags.utf8_mode:
        return
    try:
        # as bytes: not every argument survives being decoded and encoded again (EUC-JP)
        arguments = Path("/proc/self/cmdline").read_bytes().split(b"\0")[1:-1]
    except OSError:
        arguments = [os.fsencode(one) for one in sys.orig_argv[1:]]
    os.execv(sys.executable, [os.fsencode(sys.executable), b"-X", b"utf8", *arguments])  # noqa: S606  # without a shell
