"""Whoever brings bytes of a file, and whatever becomes of them: each byte is brought by one alone, and all are in the
end."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoomsync.zoom.stretches import Stretch, Stretches

WHOLE, MOST, LEAST = 1_000, 150, 40
ACTS = st.lists(
    st.tuples(st.sampled_from(["stream", "cut", "take", "bring", "give back", "join"]), st.integers(0, 200))
)


class Life:
    """Connections that bring a file, step by step."""

    def __init__(self) -> None:
        self.stretches = Stretches(whole=WHOLE)
        self.brought = [0] * WHOLE
        self.helpers: list[Stretch] = []

    def act(self, what: str, number: int) -> None:
        """One step of one of them."""
        stretches, helper = self.stretches, self.helpers[number % len(self.helpers)] if self.helpers else None
        if what == "stream" and (stretches.stream or stretches.begin_stream()):
            self.stream(number)
        elif what == "cut":
            stretches.stream = None
        elif what == "take" and (taken := stretches.take(MOST, LEAST)):
            self.helpers.append(taken)
        elif what == "bring" and helper is not None:
            self.bring(helper, number)
        elif what == "give back" and helper is not None:
            self.helpers.remove(helper)
            stretches.give_back(helper)
        elif what == "join":
            self.join()

    def stream(self, number: int) -> None:
        """Bytes in order come, as many as are asked for at most."""
        stream = self.stretches.stream
        assert stream is not None
        size = self.bring(stream, min(number, stream.asked - stream.end))
        self.stretches.size += size
        if self.stretches.is_cut(stream) or stream.end == stream.asked:
            self.stretches.stream = None

    def bring(self, stretch: Stretch, number: int) -> int:
        """Bytes of a stretch come."""
        size = self.stretches.claim(stretch, number)
        for place in range(stretch.end, stretch.end + size):
            self.brought[place] += 1
        stretch.size += size
        return size

    def join(self) -> None:
        """As `PartialFile.join` does."""
        while (ahead := self.stretches.ahead) and ahead[0].start <= self.stretches.size and not ahead[0].is_running:
            self.stretches.size = ahead[0].end
            del ahead[0]


@given(ACTS)
def test_each_byte_is_brought_once(acts: Sequence[tuple[str, int]]) -> None:
    life = Life()
    for what, number in acts:
        life.act(what, number)
    for helper in life.helpers:
        life.stretches.give_back(helper)
    life.helpers.clear()
    for _ in range(WHOLE):
        life.join()
        life.act("stream", WHOLE)

    assert (life.brought, life.stretches.size) == ([1] * WHOLE, WHOLE)


@pytest.mark.parametrize(("left", "stop", "taken"), [(1_000, 150, (150, 300)), (200, 900, (900, 1_000))])
def test_who_has_most_left_leaves_what_it_would_bring_last(left: int, stop: int, taken: tuple[int, int]) -> None:
    stretches = Stretches(whole=WHOLE, size=WHOLE - left)
    stream = stretches.begin_stream()

    found = stretches.take(MOST, LEAST)

    assert stream is not None
    assert found is not None
    assert (stream.stop, (found.start, found.stop)) == (stop, taken)


def test_what_would_not_pay_is_left_to_who_brings_it() -> None:
    stretches = Stretches(whole=WHOLE, size=WHOLE - 2 * LEAST + 1)
    stretches.begin_stream()

    assert (stretches.has_more(LEAST), stretches.take(MOST, LEAST)) == (False, None)


def test_what_comes_in_order_does_not_stop_for_who_has_brought_nothing() -> None:
    stretches = Stretches(whole=WHOLE)
    stream = stretches.begin_stream()
    helper = stretches.take(MOST, LEAST)
    assert stream is not None
    assert helper is not None

    claimed = stretches.claim(stream, 400)

    assert (claimed, stretches.claim(helper, 10), stretches.ahead) == (400, 0, [])
