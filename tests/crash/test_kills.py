"""Killed at any instant and run again, passes end in the same library as an undisturbed one."""

import json
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.crash.place import NEVER, Ended, Kill, Place, serving
from tests.crash.tools import SEED
from tests.sandbox.stage import VIEWS, Stage
from tests.sandbox.world import World
from tests.sandbox.worlds import empty_world
from zoomsync.state import State

NOW = datetime.now(UTC)
ALL = 16
"""Files that the account comes to hold before they are deleted."""
DELETING = {"delete_recordings": "trash", "delete_after": "0s", "delete_all_accounts": True}


def an_account() -> World:
    """Meetings of every make: as it is, copied together, encoded again, with texts, with what comes later."""
    stage = Stage(empty_world(NOW))
    stage.meeting("plain", "alice", 2, "Plain")
    stage.video("plain", seconds=1)
    stage.texts("plain", seconds=1)
    for name, days, width in (("pair", 3, 320), ("other-size", 4, 240)):
        stage.meeting(name, "alice", days, f"Two segments: {name}")
        stage.video(name, 1, seconds=1)
        stage.transcript(name, 1, seconds=1)
        stage.video(name, 2, at=60, seconds=1, width=width)
        stage.transcript(name, 2, at=60, seconds=1)
    stage.meeting("growing", "alice", 5, "More comes later")
    stage.video("growing", 1, seconds=1)
    stage.world.hold("late", lambda: stage.video("growing", 2, at=60, seconds=1))
    stage.world.hold("late", lambda: stage.video("plain", 1, VIEWS[1], seconds=1))
    stage.world.hold("later", lambda: stage.video("pair", 3, at=120, seconds=1))
    stage.world.prepare()
    return stage.world


@dataclass(frozen=True)
class Chapter:
    """What happens to the account, and how it is synchronised then."""

    name: str
    arrives: str = ""
    arguments: tuple[str, ...] = ()
    refetches: bool = False
    """Whether a video that is published is made again of files that are fetched again."""


CHAPTERS = (
    Chapter("first", arguments=("--no-delete",)),
    Chapter("late", arrives="late", arguments=("--no-delete",), refetches=True),
    Chapter("deletion"),
    Chapter("later", arrives="later", arguments=("--no-delete",)),
)
Kills = Callable[[Chapter], Sequence[Kill]]


@dataclass(frozen=True)
class Undisturbed:
    """What a life without kills came to, chapter by chapter."""

    items: dict[str, dict[str, str]]
    ends: dict[str, Ended]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """A life without kills."""
    items, ends = {}, {}
    with serving(Place(tmp_path_factory.mktemp("undisturbed"), an_account(), **DELETING)) as place:
        for chapter in CHAPTERS:
            begin(chapter, place)
            ends[chapter.name] = place.sync(*chapter.arguments)
            items[chapter.name] = place.items()
            assert ends[chapter.name].code == 0, ends[chapter.name].said
        assert len(place.sandbox.world.deletions) == ALL
    return Undisturbed(items=items, ends=ends)


def begin(chapter: Chapter, place: Place) -> None:
    if chapter.arrives:
        place.sandbox.world.release(chapter.arrives)


def live(place: Place, kills: Kills, undisturbed: Undisturbed, *, each: int = 0) -> int:
    """A life in which passes are killed; after each chapter all is as in an undisturbed one. Returns the kills.

    With `each`, so many of the kills of a chapter have to strike, and no more.
    """
    count = 0
    for chapter in CHAPTERS:
        begin(chapter, place)
        struck = 0
        for kill in kills(chapter):
            struck += survive(place, chapter, kill).code == -9
            if struck == each:
                break
        count += struck
        last = survive(place, chapter, NEVER)
        assert (last.code, place.leftovers(), place.unaccounted()) == (0, [], []), last.said
        assert place.items() == undisturbed.items[chapter.name], last.said
    assert sorted(place.sandbox.world.deletions) == sorted(set(place.sandbox.world.deletions))
    assert len(place.sandbox.world.deletions) == ALL
    return count


def survive(place: Place, chapter: Chapter, kill: Kill) -> Ended:
    """A pass that may be killed; one that was not ends well. What was published is not fetched again."""
    before = place.published()
    ended = place.sync(*chapter.arguments, kill=kill)
    assert ended.code in (0, -9), (kill, ended.code, ended.said)
    assert place.orphans() == [], kill
    place.wait_for_locks()
    assert chapter.refetches or not ended.downloaded & before, kill
    return ended


CHOSEN: dict[str, tuple[Kill, ...]] = {
    "first": (
        Kill(step=0),
        Kill(request=1, path="/oauth/"),
        Kill(request=1, path="/accounts/", is_answered=True),
        Kill(request=2, path="/ssrweb/"),
        Kill(request=4, path="/ssrweb/", is_answered=True),
    ),
    "late": (Kill(request=2, path="/ssrweb/"),),
    "deletion": tuple(
        Kill(request=number, method="DELETE", is_answered=is_answered)
        for number in (1, 2)
        for is_answered in (False, True)
    ),
    "later": (Kill(request=1, path="/ssrweb/", is_answered=True),),
}


def test_passes_killed_at_chosen_requests_end_like_undisturbed_ones(tmp_path: Path, undisturbed: Undisturbed) -> None:
    with serving(Place(tmp_path, an_account(), **DELETING)) as place:
        count = live(place, lambda chapter: CHOSEN[chapter.name], undisturbed)

    assert count == sum(map(len, CHOSEN.values()))


def drawn(source: random.Random, whole: Ended) -> Kill:
    """A kill anywhere in a pass that would come to the same; more often early on, since later ones find work done."""
    kind = source.choice(["request", "step", "step", "moment"])
    early = source.random() ** 2
    if kind == "request":
        return Kill(request=1 + int(early * whole.requests), is_answered=source.random() < 0.5)
    if kind == "step":
        return Kill(step=int(early * whole.steps))
    return Kill(seconds=0.02 + 0.6 * early)


def drawn_kills(seed: int, undisturbed: Undisturbed) -> Kills:
    """Kills in each chapter, the same ones for the same seed; of 50, some come when the pass has ended."""
    source = random.Random(seed)
    return lambda chapter: [drawn(source, undisturbed.ends[chapter.name]) for _ in range(50)]


def test_passes_killed_anywhere_end_like_undisturbed_ones(tmp_path: Path, undisturbed: Undisturbed) -> None:
    with serving(Place(tmp_path, an_account(), **DELETING)) as place:
        count = live(place, drawn_kills(SEED, undisturbed), undisturbed, each=3)

    assert count == 3 * len(CHAPTERS)


@pytest.mark.soak
def test_two_hundred_killed_passes_end_like_undisturbed_ones(tmp_path: Path, undisturbed: Undisturbed) -> None:
    count = 0
    for number in range(10):
        with serving(Place(tmp_path / str(number), an_account(), **DELETING)) as place:
            count += live(place, drawn_kills(SEED + number, undisturbed), undisturbed, each=5)

    assert count == 10 * 5 * len(CHAPTERS)


@pytest.mark.parametrize("each", [29, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("is_lost", [False, True])
def test_an_adoption_killed_before_any_step_goes_on_or_is_asked_for_again(
    tmp_path: Path, is_lost: bool, each: int
) -> None:
    stage = Stage(empty_world(NOW))
    for name in ("known", "later"):
        stage.meeting(name, "alice", 2, name)
        stage.video(name, seconds=1)
    late = stage.world.meetings.pop(stage.world.names["later"])
    with serving(Place(tmp_path, stage.world)) as place:
        place.sync()
        shutil.copytree(place.state.parent, tmp_path / "older")
        stage.world.meetings |= {late.uuid: late}
        place.sync()
        stage.world.meetings.clear()
        stage.meeting("next", "alice", 2, "next")
        stage.video("next", seconds=1)
        shutil.copytree(place.library, tmp_path / "whole")
        endings = list[tuple[int, int, bool]]()
        while not endings or endings[-1][0] == -9:
            shutil.rmtree(place.library)
            shutil.copytree(tmp_path / "whole", place.library)
            shutil.rmtree(place.state.parent)
            if not is_lost:
                shutil.copytree(tmp_path / "older", place.state.parent)
            killed = place.sync("--adopt-library", kill=Kill(step=each * len(endings)))
            marker = json.loads((place.library / ".zoomsync" / "library.json").read_bytes())
            begun, later, known = State.read(place.state), place.sync(), State.read(place.state)
            is_whole = known is not None and len(known.entries) == 3 and not known.head.adopting
            is_taken = begun is not None and (begun.head.id, begun.head.library_run) == (marker["state"], marker["run"])
            is_open = not is_taken and "sync --adopt-library" in later.said
            endings.append((killed.code, later.code, is_whole or is_open))

    assert set(endings) == {(-9, 5, True), (-9, 0, True), (0, 0, True)}
    assert len(endings) > 2
