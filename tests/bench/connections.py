"""Whole passes whose limit is the wire: one file after the other, and as many at once as there are connections."""

import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from tests.bench.counted import command, compiled
from tests.bench.marks import Row
from tests.bench.table import IS_QUICK, MB, seconds, show, side_by_side
from tests.crash.big import Padded
from tests.crash.place import ROOT, Place, serving
from tests.sandbox.faults import Fault
from tests.sandbox.media import Clip
from tests.sandbox.message import Answer, Request
from tests.sandbox.settings import wall_clock
from tests.sandbox.stage import VIEWS, Stage
from tests.sandbox.worlds import empty_world

FILES = 2
SIZE = 64 * MB
SPEED = 8 * MB
"""Bytes a second of one connection."""
MEETINGS = 6 if IS_QUICK else 60
"""Of which one comes after the other."""
LATENCY = 0.05
"""Seconds before each answer of a download server."""
WAYS: dict[str, dict[str, Any]] = {
    "one after the other": {"workers": 1, "connections": 1},
    "4 at once": {"workers": 4, "connections": 4},
    "as it comes (4 workers, 8 connections)": {},
    "16 workers, 32 connections": {"workers": 16, "connections": 32},
}


def run(folder: Path) -> Iterator[Row]:
    """Print both tables."""
    yield from _big(folder)
    yield from _small(folder)


def _big(folder: Path) -> Iterator[Row]:
    """One meeting of large files, beside aria2c with as many connections."""
    title = f"one meeting of {FILES} files of {SIZE // MB} MB, {SPEED // MB} MB/s a connection"
    turns = count()
    acts: dict[str, Callable[[], object]] = {
        "zoomsync, a whole pass": lambda: _taken(folder / f"big-{next(turns)}", _slow, {}),
        "zoomsync with one connection for each file": lambda: _taken(
            folder / f"big-{next(turns)}", _slow, {"connections": FILES}
        ),
    }
    if aria2c := shutil.which("aria2c"):
        acts["aria2c -x4 -j8"] = lambda: _aria2c(aria2c, folder / f"aria2c-{next(turns)}")
    _taken(folder / "compiling", _slow, {})
    found = side_by_side(acts, runs=1 if IS_QUICK else 5)
    show(title, ["", "median", "least", "most"], [[name, *seconds(took)] for name, took in found.items()])
    if aria2c:
        pairs = zip(found["zoomsync, a whole pass"], found["aria2c -x4 -j8"], strict=True)
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        yield Row(what=f"{title}: time beside aria2c -x4 -j8", before="8.1 ×", now=ratio, most=1.25, unit="×")


def _small(folder: Path) -> Iterator[Row]:
    """Many meetings of small files, at a rate that the first moments of a pass do not spoil."""
    title = f"meetings of 3 small files, {LATENCY * 1000:.0f} ms before each answer"
    rates = {}
    for number, (way, keys) in enumerate(WAYS.items()):
        many = MEETINGS * (1 if number == 0 else 4)
        few, all_of_them = (
            _taken(folder / f"small-{number}-{size}", partial(_late, size), keys) for size in (MEETINGS // 3, many)
        )
        rates[way] = (many - MEETINGS // 3) / (all_of_them - few)
    first = next(iter(rates.values()))
    rows = [[way, f"{rate:.1f}", f"{rate / first:.1f} ×"] for way, rate in rates.items()]
    show(title, ["", "meetings a second", "faster"], rows)
    for way in list(WAYS)[2:]:
        now = rates[way] / first
        yield Row(what=f"{title}: {way} beside one after the other", before="3 ×", now=now, least=8, unit="×")


def _taken(folder: Path, made: Callable[[Place], None], keys: dict[str, Any]) -> float:
    """Seconds of a pass that fetches all."""
    place = Place(folder, empty_world(wall_clock()), **{"concatenate_recordings": False, "workers": 4, **keys})
    made(place)
    environ = {**compiled(place), "PYTHONPYCACHEPREFIX": str(folder.parent / "compiled")}
    with serving(place):
        begun = time.perf_counter()
        subprocess.run(command(place, "-q", "sync"), env=environ, cwd=ROOT, check=True)
        return time.perf_counter() - begun


def _slow(place: Place) -> None:
    stage = Stage(place.sandbox.world)
    stage.meeting("big", "alice", 2, "Big")
    for number in range(FILES):
        content = Padded(Clip(segment=number + 1, seconds=2), SIZE)
        stage.file("big", content, "MP4", VIEWS[0], "MP4", at=60 * number, seconds=2)
    place.sandbox.settings.speed = SPEED


def _aria2c(aria2c: str, folder: Path) -> None:
    """The same files, with as many connections."""
    place = Place(folder, empty_world(wall_clock()))
    _slow(place)
    with serving(place):
        bearer = f"Authorization: Bearer {place.sandbox.tokens.mint()}"
        files = [file.id for meeting in place.sandbox.world.meetings.values() for file in meeting.files]
        listed = "".join(f"{place.sandbox.url}/rec/download/{one}\n out={one}\n" for one in files)
        argv = [aria2c, "-q", "-x4", "-s4", "-k1M", "-j8", "--header", bearer, "-i", "-", "-d", str(folder)]
        subprocess.run(argv, input=listed, text=True, check=True)
    assert all((folder / one).stat().st_size == SIZE for one in files)


def _late(meetings: int, place: Place) -> None:
    stage = Stage(place.sandbox.world)
    for number in range(meetings):
        name = f"small-{number}"
        stage.meeting(name, "alice", 2 + number / 24, f"Small {number}")
        stage.texts(name)
    for meeting in place.sandbox.world.meetings.values():
        del meeting.files[3:]

    def late(_: Request, answer: Answer) -> Answer:
        time.sleep(LATENCY)
        return answer

    for path in ("/rec/download/", "/ssrweb/"):
        place.sandbox.fail(path, with_=Fault(change=late), times=None)
