"""What the lists of the status are asked of: what happened in the future counts as unset, and lists have an end."""

from datetime import datetime

import pytest

from tests.fakes import NOW, an_entry
from tests.status.builders import a_state, alive, some_config
from zoomsync.model import DAY, MINUTE, Phase
from zoomsync.status import document
from zoomsync.status.query import past


@pytest.mark.parametrize(("when", "counts"), [(NOW, NOW), (NOW - DAY, NOW - DAY), (NOW + MINUTE, None), (None, None)])
def test_what_happened_in_the_future_counts_as_unset(when: datetime | None, counts: datetime | None) -> None:
    assert past(when, NOW) == counts


def test_of_what_is_skipped_the_newest_are_listed_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(document.__globals__, "SKIPPED_SHOWN", 2)
    entries = (an_entry(uuid=f"{n}", start=NOW - n * DAY, phase=Phase.SKIPPED, reason="2 s long") for n in range(3))

    skipped = document(a_state(*entries), some_config(), NOW, alive)["skipped"]

    assert ([row["uuid"] for row in skipped["rows"]], sum(skipped["counts"].values())) == (["0", "1"], 3)
