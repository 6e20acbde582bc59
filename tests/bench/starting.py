"""How long it takes until a command has answered, and what that costs."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tests.bench.counted import Usage, command, compiled, traced, used
from tests.bench.marks import Row
from tests.bench.table import IS_QUICK, seconds, show, side_by_side
from tests.crash.place import ROOT, Place, ended
from tests.crash.place import serving as at_work
from tests.sandbox.settings import wall_clock
from tests.sandbox.worlds import small_world

RUNS = 2 if IS_QUICK else 5
NOTHING_NEW = "zoomsync sync, nothing to do"
LIBRARIES = "import click, pydantic, requests, sqlite3, yaml; pydantic.create_model('Nothing')"
"""What a pass needs before a line of zoomsync runs."""
COMMANDS = {
    "zoomsync --version": ("--version",),
    "zoomsync sync --help": ("sync", "--help"),
    "zoomsync status": ("status",),
    NOTHING_NEW: ("-q", "sync"),
}


def run(folder: Path) -> Iterator[Row]:
    """Print the tables."""
    with at_work(Place(folder, small_world(wall_clock()))) as place:
        assert ended(place.command("-q", "sync"))[0] == 0
        acts: dict[str, Callable[[], object]] = {
            "python -c pass": lambda: subprocess.run([sys.executable, "-c", "pass"], check=True, cwd=ROOT),
            **{name: partial(answered, place, each) for name, each in COMMANDS.items()},
        }
        found = side_by_side(acts, runs=RUNS)
        show("starting", ["", "median", "least", "most"], [[name, *seconds(times)] for name, times in found.items()])
        yield from _costs(place)


def _costs(place: Place) -> Iterator[Row]:
    """Of what is compiled already."""
    environ = compiled(place)
    usage = {name: _usage(command(place, *each), environ) for name, each in COMMANDS.items()}
    for name in ("zoomsync --version", "zoomsync sync --help"):
        yield Row(what=f"{name}: processor", before="0.3 s", now=usage[name].seconds, most=0.12, unit="s")
    yield Row(what=f"{NOTHING_NEW}: processor", before="0.7 s", now=usage[NOTHING_NEW].seconds, most=0.35, unit="s")
    if shutil.which("strace") is None:
        print("without strace nobody counts what a pass asks of the kernel")
        return
    calls = traced(command(place, *COMMANDS[NOTHING_NEW]), environ)
    alone = traced([sys.executable, "-c", LIBRARIES], {**environ, "PYDANTIC_DISABLE_PLUGINS": "__all__"})
    print(f"{NOTHING_NEW}: of {calls.opens} opens {alone.opens} are those of Python and the libraries alone")
    yield Row(what=f"{NOTHING_NEW}: opens", before="812", now=calls.opens, most=400)
    yield Row(what=f"{NOTHING_NEW}: fsyncs", before="12", now=calls.flushes, most=4)
    yield Row(what=f"{NOTHING_NEW}: processes", before="5", now=calls.processes, most=1)


def _usage(argv: Sequence[str], environ: dict[str, str]) -> Usage:
    """The median of several runs, by their processor time."""
    found = sorted((used(argv, environ) for _ in range(RUNS)), key=lambda usage: usage.seconds)
    return found[(RUNS - 1) // 2]


def answered(place: Place, arguments: Sequence[str]) -> None:
    """Run a command to its end."""
    ended(place.command(*arguments))
