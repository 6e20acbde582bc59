"""Whole passes whose limit is the wire: one file after the other, and as many at once as there are connections."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.bench.marks import Row
from tests.bench.table import MB, seconds, show
from tests.crash.big import Padded
from tests.crash.place import Place, ended, serving
from tests.sandbox.faults import Fault
from tests.sandbox.media import Clip
from tests.sandbox.message import Answer, Request
from tests.sandbox.settings import wall_clock
from tests.sandbox.stage import VIEWS, Stage
from tests.sandbox.worlds import empty_world

FILES = 8
SIZE = 8 * MB
SPEED = 4 * MB
"""Bytes a second of one connection."""
MEETINGS = 60
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
    big = f"one meeting of {FILES} files of {SIZE // MB} MB, {SPEED // MB} MB/s a connection"
    small = f"{MEETINGS} meetings of 3 small files, {LATENCY * 1000:.0f} ms before each answer"
    for name, (title, made) in {"big": (big, _big), "small": (small, _small)}.items():
        found = {
            way: _taken(folder / f"{name}-{number}", made, keys) for number, (way, keys) in enumerate(WAYS.items())
        }
        first = next(iter(found.values()))
        rows = [[way, seconds([took])[0], f"{first / took:.1f} ×"] for way, took in found.items()]
        show(title, ["", "one pass", "faster"], rows)
        fastest = first / min(found.values())
        if name == "small":
            yield Row(what=f"{small}: beside one after the other", before="3", now=fastest, least=8, unit="×")


def _taken(folder: Path, made: Callable[[Place], None], keys: dict[str, Any]) -> float:
    """Seconds of a pass that fetches all."""
    place = Place(folder, empty_world(wall_clock()), concatenate_recordings=False, **keys)
    made(place)
    with serving(place):
        begun = time.perf_counter()
        code, _, stderr = ended(place.command("-q", "sync"))
        took = time.perf_counter() - begun
    assert code == 0, stderr
    return took


def _big(place: Place) -> None:
    stage = Stage(place.sandbox.world)
    stage.meeting("big", "alice", 2, "Big")
    for number in range(FILES):
        content = Padded(Clip(segment=number + 1, seconds=2), SIZE)
        stage.file("big", content, "MP4", VIEWS[0], "MP4", at=60 * number, seconds=2)
    place.sandbox.settings.speed = SPEED


def _small(place: Place) -> None:
    stage = Stage(place.sandbox.world)
    for number in range(MEETINGS):
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
