"""When a meeting that failed is tried again."""

from dataclasses import replace
from typing import Any

import pytest

from tests.decisions import a_retry
from tests.fakes import NOW
from zoomsync.errors import MeetingFailed
from zoomsync.model import DAY, HOUR, Retry
from zoomsync.rules.retry import Cause, after_failure, is_delayed


def test_ten_tries_with_growing_pauses_then_it_is_parked() -> None:
    pauses: list[float | None] = []
    retry = None
    for _ in range(10):
        retry = after_failure(retry, MeetingFailed("cut off"), NOW)
        pauses.append((retry.next_at - NOW) / HOUR if retry.next_at is not None else None)

    assert pauses == [1, 2, 4, 8, 16, 24, 24, 24, 24, None]
    assert retry == Retry(tries=10, error="cut off", hint="", at=NOW, next_at=None, since=NOW)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (None, (0, NOW, NOW)),
        (a_retry(NOW - HOUR), (3, NOW - HOUR, NOW - HOUR)),
        (a_retry(None), (3, None, NOW - HOUR)),
        (replace(a_retry(None), since=NOW - DAY), (3, None, NOW - DAY)),
    ],
)
def test_what_the_surroundings_caused_is_no_try_and_it_is_remembered_since_when(
    before: Retry | None, expected: tuple[int, Any, Any]
) -> None:
    tries, next_at, since = expected

    after = after_failure(before, MeetingFailed("disk full", hint="free some"), NOW, Cause.ELSEWHERE)

    assert after == Retry(tries=tries, error="disk full", hint="free some", at=NOW, next_at=next_at, since=since)


def test_what_a_server_does_not_answer_is_left_alone_for_pauses_that_double_and_is_never_parked() -> None:
    pauses = []
    retry = None
    for _ in range(12):
        retry = after_failure(retry, MeetingFailed("HTTP 500"), NOW, Cause.UNANSWERED)
        pauses.append(retry.next_at and (retry.next_at - NOW) / HOUR)

    assert pauses == [1, 2, 4, 8, 16, 24, 24, 24, 24, 24, 24, 24]
    assert retry == Retry(tries=0, error="HTTP 500", hint="", at=NOW, next_at=NOW + DAY, since=NOW, unanswered=12)


@pytest.mark.parametrize(
    ("cause", "tries", "unanswered", "pause"),
    [(Cause.ITSELF, 4, 0, 8), (Cause.UNANSWERED, 3, 6, 24), (Cause.ELSEWHERE, 3, 5, -1)],
)
def test_an_answer_ends_the_row_of_those_that_were_missing_and_a_full_disk_does_not(
    cause: Cause, tries: int, unanswered: int, pause: int
) -> None:
    before = replace(a_retry(NOW - HOUR), unanswered=5)

    after = after_failure(before, MeetingFailed("again"), NOW, cause)

    assert (after.tries, after.unanswered, after.next_at) == (tries, unanswered, NOW + pause * HOUR)


def test_what_is_parked_stays_parked_whatever_a_server_answers() -> None:
    assert after_failure(a_retry(None), MeetingFailed("x"), NOW, Cause.UNANSWERED).is_parked


@pytest.mark.parametrize(
    ("retry", "expected"),
    [
        (a_retry(NOW), False),
        (a_retry(NOW + HOUR), True),
        (a_retry(None), True),
        (replace(a_retry(NOW + 9 * HOUR), at=NOW + HOUR), False),
    ],
)
def test_a_failure_is_delayed_until_it_is_due_unless_a_clock_was_wrong(retry: Retry, expected: bool) -> None:
    assert is_delayed(retry, NOW) is expected
