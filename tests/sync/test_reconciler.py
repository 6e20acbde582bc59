"""What the state learns of a library."""

import math
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from tests.fakes import FakeClock, a_receipt
from zoomsync.destinations.base import Destination, Everything
from zoomsync.destinations.layout import BATCH, Places, Recording, each_item
from zoomsync.errors import MeetingFailed, ServiceUnavailable, Stopped
from zoomsync.model import Outcome
from zoomsync.naming import suffix
from zoomsync.state import State
from zoomsync.sync.breaker import ASK_AFTER
from zoomsync.sync.reconciler import adopt
from zoomsync.sync.tally import Tally


class Silent:
    """A store that shows no item, and ends the reading of them once nobody asks for more."""

    id = "library-1"

    def __init__(self) -> None:
        self.shown = self.has_ended = 0

    def everything(self, after: str = "") -> Everything:
        assert not after
        try:
            for self.shown in range(1, 1000):
                yield ServiceUnavailable("no answer", service="remote")
        finally:
            self.has_ended = 1

    def ping(self) -> None:
        raise ServiceUnavailable("the marker neither", service="remote")


def test_a_store_that_shows_no_item_is_soon_asked_whether_it_is_out_of_order(tmp_path: Path) -> None:
    store = Silent()
    tally = Tally()

    with (
        State.open(tmp_path / "state.json", new_id="0" * 32) as state,
        pytest.raises(ServiceUnavailable, match="the marker neither"),
    ):
        adopt(state, cast("Destination", store), FakeClock(), tally, is_dry=False)

    assert (store.shown, store.has_ended, tally.outcomes) == (ASK_AFTER, 1, {Outcome.UNADOPTED: 0})


class Shelf:
    """A library of many items, one of them damaged, that takes a second to show each."""

    id = "library-1"

    def __init__(self, clock: FakeClock) -> None:
        uuids = {suffix(uuid): uuid for uuid in map(str, range(450))}
        self._uuids = {f"published/ada/2026/A lecture [{ending}]": uuid for ending, uuid in uuids.items()}
        self._clock = clock
        self.shown: list[str] = []

    def everything(self, after: str = "") -> Everything:
        return each_item(Places(self._uuids), self._read, after)

    def _read(self, place: str) -> Recording | None:
        self._clock.advance(1)
        self.shown.append(place)
        if self._uuids[place] == "7":
            raise MeetingFailed(f"{place}: damaged")
        receipt = replace(a_receipt(), uuid=self._uuids[place], place=place, destination=self.id)
        return Recording(revision=1, title="", meeting={"start": "2026-03-01T10:30:00Z"}, receipt=receipt)

    def ping(self) -> None:
        pass


@pytest.mark.parametrize("how", ["over", "stopped"])
def test_an_adoption_that_takes_long_goes_on_where_it_was_until_all_is_known(tmp_path: Path, how: str) -> None:
    shelf, passes = Shelf(FakeClock()), 0

    with State.open(tmp_path / "state.json", new_id="0" * 32) as state:
        state.update(adopting=shelf.id)
        while state.head.adopting:
            passes += 1
            clock = shelf._clock = FakeClock()
            clock.stop_after = 300 if how == "stopped" else None
            over_at = clock.monotonic() + 150 if how == "over" else math.inf
            with suppress(Stopped):
                adopt(state, cast("Destination", shelf), clock, last := Tally(), is_dry=False, over_at=over_at)
        known = {entry.uuid for entry in state.entries.everything()}
        left_out = state.head.unadopted

    assert last.outcomes[Outcome.UNADOPTED] == 1  # so that the pass that ends it does not end with 0
    assert (passes, len(known), left_out) == (3 if how == "over" else 2, 449, {shelf.id: 1})
    assert len(set(shelf.shown)) == 450
    assert len(shelf.shown) <= 450 + (BATCH if how == "stopped" else 0)
