"""What a command costs, counted in a process of its own: these machines are too noisy for times alone."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.crash.place import ROOT, Place

COUNTING = """
import json, os, sys

counts = {"open": 0, "subprocess.Popen": 0, "fsync": 0, "folder": 0}
place = os.path.dirname(sys.argv[2])


def seen(event, facts):
    if event in counts:
        counts[event] += 1
    elif event in ("os.listdir", "os.scandir") and (isinstance(facts[0], int) or str(facts[0]).startswith(place)):
        counts["folder"] += 1


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
    folders: int
    """Of the place, whose names it read."""
    seconds: float
    """Of processor time."""
    modules: frozenset[str]
    """That were imported at its end."""


def cost(place: Place, *arguments: str) -> Cost:
    """What a command costs that ends with 0."""
    argv = [sys.executable, "-c", COUNTING, "-c", str(place.config), *arguments]
    environ = compiled(place)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, env=environ, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stderr.splitlines()[-1])
    return Cost(
        opens=found["counts"]["open"],
        processes=found["counts"]["subprocess.Popen"],
        flushes=found["counts"]["fsync"],
        folders=found["counts"]["folder"],
        seconds=after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime,
        modules=frozenset(found["modules"]),
    )


MEASURING = """
import json, resource, subprocess, sys, time


def counted():
    with open("/proc/self/io") as file:
        found = dict(line.split(": ") for line in file)
    return int(found["rchar"]), int(found["wchar"])


before, begun = counted(), time.monotonic()
ran = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
wall, after = time.monotonic() - begun, counted()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
facts = {"code": ran.returncode, "read": after[0] - before[0], "written": after[1] - before[1],
         "peak": used.ru_maxrss * 1024, "seconds": used.ru_utime + used.ru_stime, "wall": wall}
print(json.dumps(facts))
"""
"""A small process between: the peak of one that is started counts from that of the one that starts it."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Of a command and all processes that it waited for."""

    read: int
    """Bytes, of files and pipes, from the cache too; what comes and goes through a socket is not among them."""
    written: int
    peak: int
    """Bytes of memory that the largest one had at a time."""
    seconds: float
    """Of processor time."""
    wall: float
    """Seconds until it ended."""


def used(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> Usage:
    """What a command uses that ends with 0. Linux alone counts that."""
    measuring = [sys.executable, "-c", MEASURING, *argv]
    ran = subprocess.run(measuring, capture_output=True, text=True, cwd=ROOT, env=environ, check=True)
    facts = json.loads(ran.stdout)
    assert facts.pop("code") == 0, ran.stderr
    return Usage(**facts)


@dataclass(frozen=True, kw_only=True)
class Calls:
    """What a command and all its processes ask of the kernel."""

    opens: int
    """Files and folders that were opened."""
    flushes: int
    folders: int
    """Readings of a folder; of a small one there are two: what it has, and that there is no more."""
    processes: int
    """That it started."""


def traced(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> Calls:
    """What a command that ends with 0 asks of the kernel, by strace: C libraries, SQLite and tools too."""
    strace = shutil.which("strace")
    assert strace, "apt install strace"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "calls"
        calls = "trace=open,openat,openat2,creat,fsync,fdatasync,syncfs,sync_file_range,getdents64,execve"
        tracing = [strace, "-f", "-qq", "-e", "signal=none", "-e", calls, "-o", str(out), *argv]
        ran = subprocess.run(tracing, capture_output=True, text=True, cwd=ROOT, env=environ, check=False)
        lines = out.read_text(errors="replace").splitlines()
    assert ran.returncode == 0, ran.stderr

    def count(name: str) -> int:
        done = re.compile(rf"\d+ +(?:{name}\(|<\.\.\. (?:{name}) resumed>).*\) += \d")
        return sum(done.match(line) is not None for line in lines)

    return Calls(
        opens=count("open|openat|openat2|creat"),
        flushes=count("fsync|fdatasync|syncfs|sync_file_range"),
        folders=count("getdents64"),
        processes=count("execve") - 1,
    )


def command(place: Place, *arguments: str) -> list[str]:
    """`zoomsync` in a place, for `used` and `traced`."""
    return [sys.executable, "-m", "zoomsync", "-c", str(place.config), *arguments]


def compiled(place: Place) -> dict[str, str]:
    """An environment in which compiled modules are kept, as in an installation."""
    environ = {**os.environ, "PYTHONPYCACHEPREFIX": str(place.folder / "compiled")}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return environ
