"""What the state learns of a library."""

from pathlib import Path
from typing import cast

import pytest

from tests.fakes import FakeClock
from zoomsync.destinations.base import Destination, Everything
from zoomsync.errors import ServiceUnavailable
from zoomsync.model import Outcome
from zoomsync.state import State
from zoomsync.sync.breaker import ASK_AFTER
from zoomsync.sync.reconciler import adopt
from zoomsync.sync.tally import Tally


class Silent:
    """A store that shows no item, and ends the reading of them once nobody asks for more."""

    def __init__(self) -> None:
        self.shown = self.has_ended = 0

    def everything(self) -> Everything:
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

    assert (store.shown, store.has_ended, tally.outcomes) == (ASK_AFTER, 1, {Outcome.UNADOPTED: ASK_AFTER})
