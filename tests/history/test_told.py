"""Histories told in full: what has to hold in each is in `judge.py`."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.history.disk import Blow, Strike
from tests.history.history import History
from tests.history.place import a_place

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the disk of a history looks into /proc")


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with a_place(tmp_path) as place:
        yield History(place)


def ended(history: History) -> None:
    history.rests()
    history.check()


@pytest.mark.parametrize("step", range(1, 14))
@pytest.mark.parametrize("seed", [0, 1])
def test_the_power_goes_while_late_texts_of_a_segment_are_put_into_an_item(
    history: History, step: int, seed: int
) -> None:
    history.meets("A1 A2 T1")
    history.syncs()
    history.adds(0, "T2")
    history.waits(hours=1)
    history.syncs(strike=Strike(Blow.POWER, step, "replace"), seed=seed)
    ended(history)


@pytest.mark.parametrize("step", range(1, 19))
def test_the_power_goes_while_a_late_segment_changes_an_item(history: History, step: int) -> None:
    history.meets("A1 T1")
    history.syncs()
    history.adds(0, "A2")
    history.waits(hours=1)
    history.syncs(strike=Strike(Blow.POWER, step, "fsync"), seed=step)
    ended(history)


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("where", range(3))
def test_a_person_moves_what_a_killed_pass_published_and_has_another_author_by_then(
    history: History, step: int, where: int
) -> None:
    history.meets("A1 T1")
    history.syncs(strike=Strike(Blow.KILL, step, "rmdir"))
    history.renames(0, where)
    history.configures(6)
    history.meets("A1")
    history.syncs()
    ended(history)


def test_a_person_edits_a_text_while_zoom_alters_it(history: History) -> None:
    history.meets("A1 T1")
    history.syncs()
    history.edits(0, 0)
    history.alters(1)
    history.waits(hours=1)
    history.syncs()
    ended(history)


def test_an_older_library_is_put_back_after_its_cloud_copies_went(history: History) -> None:
    history.meets("A1 T1")
    history.syncs()
    history.backs_up()
    history.waits(days=3)
    history.syncs()
    history.meets("A1")
    history.syncs()
    history.restores_library()
    ended(history)


def test_a_pass_with_a_wrong_clock_ends_what_a_killed_one_began_and_does_nothing_else(history: History) -> None:
    history.meets("A1")
    history.syncs()
    history.adds(0, "B1")
    history.waits(hours=1)
    history.syncs(strike=Strike(Blow.KILL, 1, "unlink"))
    history.misreads(0)
    ended(history)


@pytest.mark.parametrize("blow", [Blow.KILL, Blow.POWER])
@pytest.mark.parametrize("of", ["commit", "replace"])
@pytest.mark.parametrize("step", range(1, 5))
def test_what_is_older_than_the_lookback_is_listed_again_if_the_first_pass_dies(
    history: History, step: int, of: str, blow: Blow
) -> None:
    history.meets("A1", hours=20 * 24)
    history.syncs(strike=Strike(blow, step, of), seed=step)
    history.waits(hours=1)
    history.syncs()
    history.judge_completeness()  # before a sweep lists everything again
    history.check()
