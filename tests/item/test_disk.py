"""Disk space is reserved over all workers before a meeting is begun."""

import threading
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from zoomsync.errors import DiskFull, Stopped
from zoomsync.item import disk
from zoomsync.item.disk import Disk

GB = 10**9


def a_disk(folder: Path, room: int, clock: FakeClock | None = None) -> Disk:
    """A disk on which `room` bytes can be promised, whatever the real one has."""
    return Disk(keep_free=disk.free_bytes(folder) - room, clock=clock or FakeClock())


def test_what_fits_is_promised_and_given_back(tmp_path: Path) -> None:
    space = a_disk(tmp_path, 10 * GB)

    for _ in range(3):
        with space.reserve({tmp_path: 6 * GB}):
            pass


def test_what_can_never_fit_is_refused_with_the_numbers(tmp_path: Path) -> None:
    space = a_disk(tmp_path, GB)

    with pytest.raises(DiskFull) as caught, space.reserve({tmp_path: 6 * GB}):
        pass

    assert str(caught.value).startswith(f"{tmp_path}: needs 6.0 GB, but ")
    assert str(caught.value).endswith(" are to stay free (min_free_disk)")
    assert "free some space" in caught.value.hint


def test_what_an_earlier_try_brought_needs_no_room_again(tmp_path: Path) -> None:
    space = a_disk(tmp_path, GB)

    with space.reserve({tmp_path: 6 * GB}, staged=6 * GB):
        pass
    with pytest.raises(DiskFull), space.reserve({tmp_path: 6 * GB}, staged=4 * GB):
        pass


def test_another_worker_waits_until_there_is_room_again(tmp_path: Path) -> None:
    clock = FakeClock()
    space = a_disk(tmp_path, 10 * GB, clock)
    begun, order = threading.Event(), []

    def other() -> None:
        begun.set()
        with space.reserve({tmp_path: 6 * GB}):
            order.append("second")

    thread = threading.Thread(target=other)
    with space.reserve({tmp_path: 6 * GB}):
        thread.start()
        begun.wait(30)
        while not clock.slept:
            threading.Event().wait(0.001)
        order.append("first")
    thread.join(30)

    assert order == ["first", "second"]


def test_a_worker_that_waits_can_be_stopped(tmp_path: Path) -> None:
    clock = FakeClock()
    space = a_disk(tmp_path, 10 * GB, clock)
    clock.stop()

    with pytest.raises(Stopped), space.reserve({tmp_path: 6 * GB}), space.reserve({tmp_path: 6 * GB}):
        pass


def test_what_was_written_is_not_counted_twice(tmp_path: Path) -> None:
    clock = FakeClock()
    space = a_disk(tmp_path, 10 * GB, clock)
    clock.stop()

    with space.reserve({tmp_path: 6 * GB}) as wrote:
        wrote(disk.device(tmp_path), 3 * GB)
        with space.reserve({tmp_path: 6 * GB}):
            pass
        wrote(disk.device(tmp_path), 4 * GB)
        with space.reserve({tmp_path: 9 * GB}):
            pass


def test_more_than_was_reserved_is_written_only_as_long_as_there_is_room(tmp_path: Path) -> None:
    space, here = a_disk(tmp_path, 10 * GB), disk.device(tmp_path)

    with space.reserve({tmp_path: GB}) as wrote, space.reserve({tmp_path: 5 * GB}):
        wrote(here, 6 * GB)
        space.keep_free += 6 * GB
        with pytest.raises(DiskFull, match=f"^{tmp_path}: needs more than was reserved, but .* .min_free_disk.$"):
            wrote(here, 1)


def test_what_was_reserved_is_written_whatever_others_took(tmp_path: Path) -> None:
    space, here = a_disk(tmp_path, 10 * GB), disk.device(tmp_path)

    with space.reserve({tmp_path: GB}) as wrote:
        space.keep_free += 20 * GB
        wrote(here, GB)
        wrote(here, -GB)
        wrote(here, GB)


def test_two_folders_of_one_file_system_share_its_room(tmp_path: Path) -> None:
    space = a_disk(tmp_path, 10 * GB)

    with pytest.raises(DiskFull), space.reserve({tmp_path / "staging": 6 * GB, tmp_path / "library": 6 * GB}):
        pass


def test_a_reservation_is_given_back_when_the_work_fails(tmp_path: Path) -> None:
    space = a_disk(tmp_path, 10 * GB)

    with pytest.raises(RuntimeError), space.reserve({tmp_path: 6 * GB}):
        raise RuntimeError

    with space.reserve({tmp_path: 6 * GB}):
        pass


def test_a_folder_that_does_not_exist_yet_is_judged_by_what_is_above_it(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"

    assert disk.existing(folder) == tmp_path
    assert disk.device(folder) == tmp_path.stat().st_dev
    assert disk.free_bytes(folder) > 0


@pytest.mark.parametrize("hidden", ["in/it", "x" * 300])
def test_a_folder_that_cannot_be_looked_at_is_judged_by_what_is_above_it(tmp_path: Path, hidden: str) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)

    assert disk.existing(closed / hidden) == closed
    assert disk.device(closed / hidden) == tmp_path.stat().st_dev
