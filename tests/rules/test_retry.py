"""When a meeting that failed is tried again."""

from dataclasses import replace
from typing import Any

import pytest

from tests.decisions import a_retry
from tests.fakes import NOW
from zoomsync.model import DAY, HOUR, Retry
from zoomsync.rules.retry import after_failure


def test_ten_tries_with_growing_pauses_then_it_is_parked() -> None:
    pauses: list[float | None] = []
    retry = None
    for _ in range(10):
        retry = after_failure(retry, error="cut off", hint="", now=NOW)
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

    after = after_failure(before, error="disk full", hint="free some", now=NOW, is_try=False)

    assert after == Retry(tries=tries, error="disk full", hint="free some", at=NOW, next_at=next_at, since=since)
