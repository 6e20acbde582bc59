"""A process that runs zoomsync and can be made to die before one of the steps by which it changes the disk."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

STEPS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.link", "os.truncate",
         "subprocess.Popen"}  # fmt: skip
"""Python's own audit events; writing and flushing have none and are counted by the functions that do it."""
CALLS = ("write", "pwrite", "fsync")
NEVER = 1 << 30
SMALL_RANGES = {"LEAST": 10_000, "MOST": 40_000, "SYNC_EVERY": 60_000, "WORTH_SECONDS": 0.1, "WARM_UP_SECONDS": 0.05}
"""Measures of ranges by which a file of some hundred kilobytes is large."""


def context() -> ForkServerContext:
    """Starts processes that need not import everything again."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(["tests.crash.dying", "zoomsync.cli", "zoomsync.commands.sync", "rich", "ffmpeg"])
    return made


def start(
    arguments: Sequence[str], output: Path, *, die_before: int = NEVER, has_small_ranges: bool = False
) -> ForkServerProcess:
    """`zoomsync ARGUMENTS` as a process of its own, both outputs in a file; killed before its step `die_before`."""
    arguments, small = tuple(arguments), SMALL_RANGES if has_small_ranges else {}
    process = context().Process(target=zoomsync, args=(arguments, str(output), die_before, small))
    process.start()
    return process


def zoomsync(arguments: Sequence[str], output: str, die_before: int, measures: Mapping[str, float]) -> None:
    """What the process does; `measures` are those by which a file is large and slow."""
    from zoomsync.cli import main
    from zoomsync.zoom import ranges

    for name, value in measures.items():
        setattr(ranges, name, value)
    fd = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    step = _death(die_before, Path(f"{output}.steps"))
    sys.addaudithook(lambda event, facts: step() if event in STEPS or _is_writing(event, facts) else None)
    for name in CALLS:
        setattr(os, name, _counted(getattr(os, name), step))
    sys.argv = ["zoomsync", *arguments]
    main()


def _death(left: int, report: Path) -> Callable[[], None]:
    """Called before each step; the number of those that were done is written at a regular end."""
    done = [0]
    end = os._exit

    def step() -> None:
        if done[0] >= left:
            os.kill(os.getpid(), signal.SIGKILL)
        done[0] += 1

    def ending(code: int) -> None:
        report.write_text(str(done[0]))
        end(code)

    os._exit = ending  # type: ignore[assignment]  # ends as well
    return step


def _is_writing(event: str, facts: tuple[Any, ...]) -> bool:
    return event == "open" and isinstance(facts[1], str) and bool(set("wax+") & set(facts[1]))


def _counted(real: Callable[..., Any], step: Callable[[], None]) -> Callable[..., Any]:
    def counted(*arguments: Any, **more: Any) -> Any:
        step()
        return real(*arguments, **more)

    return counted
