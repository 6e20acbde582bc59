"""How long it takes until a command has answered."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench.table import seconds, show, side_by_side
from tests.crash.place import ROOT, Place, ended
from tests.crash.place import serving as at_work
from tests.sandbox.settings import wall_clock
from tests.sandbox.worlds import small_world


def run(folder: Path) -> None:
    """Print the table."""
    with at_work(Place(folder, small_world(wall_clock()))) as place:
        assert ended(place.command("-q", "sync"))[0] == 0
        acts: dict[str, Callable[[], object]] = {
            "python -c pass": lambda: subprocess.run([sys.executable, "-c", "pass"], check=True, cwd=ROOT),
            "zoomsync --version": lambda: ended(place.command("--version")),
            "zoomsync status": lambda: ended(place.command("status")),
            "zoomsync sync, nothing to do": lambda: ended(place.command("-q", "sync")),
        }
        found = side_by_side(acts, runs=5)
    show("starting", ["", "median", "least", "most"], [[name, *seconds(times)] for name, times in found.items()])
