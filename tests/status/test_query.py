"""Times: to the minute, and how long ago; what happened in the future counts as unset."""

from datetime import timedelta

import pytest

from tests.fakes import NOW
from zoomsync.model import DAY, HOUR, MINUTE
from zoomsync.status.query import away, iso, past, told

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(), "just now"),
        (-59 * SECOND, "just now"),
        (59 * SECOND, "just now"),
        (-MINUTE, "1 min ago"),
        (-(2 * HOUR + 5 * MINUTE + 59 * SECOND), "2 h 5 min ago"),
        (-3 * DAY, "3 days ago"),
        (HOUR + SECOND, "in 1 h"),
        (-(9 * DAY + HOUR), "9 d 1 h ago"),
    ],
)
def test_how_far_a_time_lies_away_is_said_to_the_minute(span: timedelta, words: str) -> None:
    assert away(span) == words


def test_a_time_is_told_in_utc_with_how_long_ago() -> None:
    assert told(iso(NOW - 2 * HOUR), NOW) == "2026-03-10 10:00 UTC (2 h ago)"


def test_no_time_is_told_in_the_words_that_fit() -> None:
    assert (told(iso(None), NOW), told(None, NOW, unset="never")) == ("unknown", "never")


@pytest.mark.parametrize(("when", "counts"), [(NOW, NOW), (NOW - DAY, NOW - DAY), (NOW + SECOND, None), (None, None)])
def test_what_happened_in_the_future_counts_as_unset(when: object, counts: object) -> None:
    assert past(when, NOW) == counts  # type: ignore[arg-type]  # the table's columns are objects
