"""What the lists of the status are asked of: what happened in the future counts as unset."""

from datetime import datetime

import pytest

from tests.fakes import NOW
from zoomsync.model import DAY, MINUTE
from zoomsync.status.query import past


@pytest.mark.parametrize(("when", "counts"), [(NOW, NOW), (NOW - DAY, NOW - DAY), (NOW + MINUTE, None), (None, None)])
def test_what_happened_in_the_future_counts_as_unset(when: datetime | None, counts: datetime | None) -> None:
    assert past(when, NOW) == counts
