"""What one more item costs, and a pass in a library that holds many."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.bench.counted import Calls, command, compiled, cost, traced
from tests.bench.marks import Row
from tests.bench.table import IS_QUICK
from tests.crash.place import Place
from tests.crash.place import serving as at_work
from tests.sandbox import texts
from tests.sandbox.settings import wall_clock
from tests.sandbox.stage import Stage
from tests.sandbox.world import World
from tests.sandbox.worlds import empty_world

MORE = 4
"""Items, by which what one costs shows."""
ITEMS = 2_000 if IS_QUICK else 100_000
AUTHORS = 100
DELETING = {"delete_recordings": "trash", "delete_after": "0s", "delete_all_accounts": True}


def run(folder: Path) -> Iterator[Row]:
    """Print nothing but the rows."""
    if shutil.which("strace") is None:
        print("without strace nobody counts what an item asks of the kernel")
    else:
        yield from _margin(folder / "one", "item of one file", has_all=False, before=(15.3, 64, 2), most=(7, 30, 1))
        yield from _margin(folder / "four", "item of four files", has_all=True, before=(33.6, 125, 4), most=(12, 60, 2))
    yield from _many(folder / "many")


def _margin(
    folder: Path, what: str, *, has_all: bool, before: tuple[float, int, int], most: tuple[int, int, int]
) -> Iterator[Row]:
    """A pass with more items less one with fewer, by the items; the first pass compiles."""
    folder.mkdir()
    _, few, many = (_traced(folder, number, has_all=has_all) for number in (0, 1, 1 + MORE))
    names = ("flushes", "opens", "processes")
    for name, shown, was, mark in zip(names, ("fsyncs", "opens", "processes"), before, most, strict=True):
        now = (getattr(many, name) - getattr(few, name)) / MORE
        yield Row(what=f"{what}: {shown}", before=str(was), now=now, most=mark)


def _traced(folder: Path, number: int, *, has_all: bool) -> Calls:
    with at_work(Place(folder / str(number), _world(max(1, number), has_all=has_all))) as place:
        environ = {**compiled(place), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
        return traced(command(place, "-q", "sync"), environ)


def _world(meetings: int, *, has_all: bool) -> World:
    stage = Stage(empty_world(wall_clock()))
    for number in range(meetings):
        _add(stage, f"meeting {number}", has_all=has_all)
    return stage.world


def _add(stage: Stage, name: str, *, has_all: bool) -> None:
    """A meeting of one file, or also with its sound, captions and chat."""
    stage.meeting(name, "alice", 1, name)
    stage.video(name)
    if has_all:
        stage.audio(name)
        stage.transcript(name)
        stage.file(name, texts.chat(1, "cloud"), "CHAT", "chat_file", "TXT", at=0, seconds=8)


def _many(folder: Path) -> Iterator[Row]:
    with at_work(Place(folder, _world(1, has_all=False))) as place:
        cost(place, "-q", "sync")
        (author,) = (place.library / "published").iterdir()
        for number in range(ITEMS):
            year = author.with_name(f"{number % AUTHORS}") / "2025" if number % AUTHORS else next(author.iterdir())
            (year / f"2025-01-01 10-00 Old [{number:08x}]").mkdir(parents=True)
        stage = Stage(place.sandbox.world)
        what = f"library of {ITEMS:,} items, {{}}: directory reads"
        _add(stage, "new", has_all=False)
        yield Row(what=what.format("one new meeting"), before="all", now=cost(place, "-q", "sync").folders, most=50)
        stage.transcript("new")
        yield Row(what=what.format("one late file"), before="all", now=cost(place, "-q", "sync").folders, most=50)
        place.configure(**DELETING)
        yield Row(what=what.format("two deletions"), before="all", now=cost(place, "-q", "sync").folders, most=50)
        assert len(place.sandbox.world.deletions) == 3
