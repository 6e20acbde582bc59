"""How long it takes until a command has answered, and what that costs."""

import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.bench.counted import cost
from tests.bench.table import seconds, show, side_by_side
from tests.crash.place import ROOT, Place, ended
from tests.crash.place import serving as at_work
from tests.sandbox.settings import wall_clock
from tests.sandbox.worlds import small_world

RUNS = 5
COMMANDS = {
    "zoomsync --version": ("--version",),
    "zoomsync sync --help": ("sync", "--help"),
    "zoomsync status": ("status",),
    "zoomsync sync, nothing to do": ("-q", "sync"),
}


def run(folder: Path) -> None:
    """Print the tables."""
    with at_work(Place(folder, small_world(wall_clock()))) as place:
        assert ended(place.command("-q", "sync"))[0] == 0
        acts: dict[str, Callable[[], object]] = {
            "python -c pass": lambda: subprocess.run([sys.executable, "-c", "pass"], check=True, cwd=ROOT),
            **{name: partial(answered, place, each) for name, each in COMMANDS.items()},
        }
        found = side_by_side(acts, runs=RUNS)
        costs = {name: [cost(place, *each) for _ in range(RUNS)] for name, each in COMMANDS.items()}
    show("starting", ["", "median", "least", "most"], [[name, *seconds(times)] for name, times in found.items()])
    rows = []
    for name, each in costs.items():
        last = each[-1]
        cpu = statistics.median(one.seconds for one in each)
        rows.append([name, f"{cpu:.2f} s", str(last.opens), str(last.flushes), str(last.processes)])
    show("what it costs", ["", "processor", "files opened", "flushes", "processes started"], rows)


def answered(place: Place, arguments: Sequence[str]) -> None:
    """Run a command to its end."""
    ended(place.command(*arguments))
