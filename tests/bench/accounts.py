"""The calls to Zoom that a large account costs."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from tests.bench.marks import Row
from tests.bench.table import IS_QUICK
from tests.crash.place import Place, ended, serving
from tests.sandbox.settings import wall_clock
from tests.sandbox.worlds import large_world

USERS, MEETINGS, DAYS = 10_000, 3_000, 21
REACH = timedelta(days=30)


def run(folder: Path) -> Iterator[Row]:
    """Two passes; in the short form the meetings are too short to be fetched."""
    world = large_world(wall_clock(), users=USERS, meetings=MEETINGS, days=DAYS)
    recordings = {"since": (world.now - REACH).isoformat(), "min_duration": "1h" if IS_QUICK else "0s"}
    with serving(Place(folder / "place", world, workers=4, recordings=recordings)) as place:
        first, second = _calls(place), _calls(place)
    what = f"{USERS:,} users, {MEETINGS:,} meetings in {DAYS} days: calls of "
    yield Row(what=f"{what}the first pass", before="19", now=first, most=20)
    yield Row(what=f"{what}a pass with nothing new", before="9", now=second, most=6)


def _calls(place: Place) -> int:
    """Of a pass to Zoom's API."""
    place.sandbox.forget()
    code, _, stderr = ended(place.command("-q", "sync"))
    assert code == 0, stderr
    return place.sandbox.count("", "^/(v2|oauth)/")
