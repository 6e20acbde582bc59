"""The list of all items takes the memory of a few, and finds each by its suffix, whatever it is called."""

import tracemalloc
from hashlib import sha256

import pytest

from tests.state.test_crash import at_most
from zoomsync.destinations.layout import Places, in_words
from zoomsync.errors import DiskFull

MANY = 30_000


def folder(number: int) -> str:
    ending = sha256(str(number).encode()).hexdigest()[:8]
    return f"published/host-{number % 500}@example.org/2026/2026-01-{number % 28 + 1:02} 10-00 Lecture [{ending}]"


def test_folders_are_found_by_their_suffix_in_order_each_once() -> None:
    odd = "drafts/a/2026/\udcff copy [0000000a]"  # as a name that is no UTF-8 comes from the file system
    twice = "published/a/2026/[0000000b] Copy of it [0000000a]"

    places = Places([twice, "published/a [0000000c]/2026", odd, odd, "published/a/2026/no item"])

    assert [*places.suffixes()] == ["0000000a", "0000000b"]
    assert [places.of(one) for one in ("0000000a", "0000000b", "0000000c")] == [[odd, twice], [twice], []]
    assert [*places] == [odd, twice]
    assert places.lines == b"0000000a\n0000000b\n"


def test_many_take_no_memory_to_speak_of() -> None:
    tracemalloc.start()
    try:
        places = Places(map(folder, range(MANY)))
        number = sum(len(places.of(one)) for one in places.suffixes())
        words = in_words(map(folder, range(MANY)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert number == MANY
    assert words == "30,000 items found, the oldest of 2026-01-01 10-00: recordings.since must not be later"
    assert peak < 1_000_000  # the folders alone are three times as much


def test_without_room_for_them_nothing_is_taken_for_gone() -> None:
    places, number = Places(), 0

    with at_most(1_000_000), pytest.raises(DiskFull, match="no room for a temporary file") as full:
        for number in range(MANY):  # how far it came
            places.add(folder(number))

    assert "TMPDIR" in full.value.hint
    assert sum(1 for _ in places) == number  # all that were taken are found once there is room
    with at_most(1_000_000):
        assert next(one for one in map(places.with_one, map(folder, range(number, MANY))) if one is not places) is None
