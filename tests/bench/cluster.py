"""A pass on a cluster of 1, 2 and 3 workers, each of which has one connection: how much faster more of them are."""

import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.marks import Row
from tests.bench.table import IS_QUICK, MB, show
from tests.cluster.machines import a_site_on, machines
from tests.crash.big import Padded
from tests.sandbox.media import Clip
from tests.sandbox.settings import wall_clock
from tests.sandbox.stage import VIEWS, Stage
from tests.sandbox.world import World
from tests.sandbox.worlds import empty_world

MEETINGS = 6 if IS_QUICK else 12
SIZE = 8 * MB
SPEED = 4 * MB
"""Bytes a second of one connection."""
WORKERS = (1, 2, 3)


def run(folder: Path) -> Iterator[Row]:
    """Print the table."""
    took: dict[int, float] = {}
    (folder / "cluster").mkdir()
    with machines(folder / "cluster") as cluster:
        for count in WORKERS:
            cluster.refill(count)
            place = folder / f"{count}"
            place.mkdir()
            with a_site_on(cluster, place, _meetings(), connections=count, workers=2 * count) as site:
                site.sandbox.settings.speed = SPEED
                site.run("auth-check", "--only", "local")  # every worker has imported what it needs
                begun = time.perf_counter()
                assert site.sync().code == 0
                took[count] = time.perf_counter() - begun
    what = f"cluster, {MEETINGS} meetings of {SIZE // MB} MB, one connection of {SPEED // MB} MB/s a worker"
    rows = [
        [f"{count} of them", f"{one:.1f} s", f"{MEETINGS * SIZE / MB / one:.1f} MB/s", f"{took[1] / one:.2f} ×"]
        for count, one in took.items()
    ]
    show(what, ["workers", "one pass", "in all", "beside one"], rows)
    yield Row(what=f"{what}: 3 workers beside 1", before="–", now=took[1] / took[3], least=2.4, unit="×")


def _meetings() -> World:
    stage = Stage(empty_world(wall_clock()))
    for number in range(MEETINGS):
        name = f"meeting-{number}"
        stage.meeting(name, "alice", 2 + number / 24, f"Meeting {number}")
        stage.file(name, Padded(Clip(seconds=2), SIZE), "MP4", VIEWS[0], "MP4", seconds=2)
    return stage.world
