"""What a command costs, counted in a process of its own: these machines are too noisy for times alone."""

import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass

from tests.crash.place import ROOT, Place

COUNTING = """
import json, os, sys

counts = {"open": 0, "subprocess.Popen": 0, "fsync": 0}


def seen(event, _):
    if event in counts:
        counts[event] += 1


def fsync(descriptor, flush=os.fsync):
    seen("fsync", ())
    flush(descriptor)


def ended(code, end=os._exit):
    modules = sorted(sys.modules)
    print(json.dumps({"code": code, "counts": counts, "modules": modules}), file=sys.__stderr__, flush=True)
    end(code)


sys.addaudithook(seen)
os.fsync, os._exit = fsync, ended

from zoomsync import cli

cli.main()
"""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one command."""

    opens: int
    """Files that Python opened, modules among them; fewer once all are compiled."""
    processes: int
    """That it started."""
    flushes: int
    seconds: float
    """Of processor time."""
    modules: frozenset[str]
    """That were imported at its end."""


def cost(place: Place, *arguments: str) -> Cost:
    """What a command costs that ends with 0."""
    argv = [sys.executable, "-c", COUNTING, "-c", str(place.config), *arguments]
    # compiled modules are kept, as in an installation
    environ = {**os.environ, "PYTHONPYCACHEPREFIX": str(place.folder / "compiled")}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, env=environ, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stderr.splitlines()[-1])
    return Cost(
        opens=found["counts"]["open"],
        processes=found["counts"]["subprocess.Popen"],
        flushes=found["counts"]["fsync"],
        seconds=after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime,
        modules=frozenset(found["modules"]),
    )
