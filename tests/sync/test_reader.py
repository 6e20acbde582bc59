"""In which windows a pass lists: the lookback, then the gaps beyond it; narrowed, only the stretch asked for."""

from datetime import timedelta

import pytest

from tests.decisions import rules
from tests.fakes import NOW
from zoomsync.model import DAY, Gap
from zoomsync.rules.publish import SyncRequest
from zoomsync.sync.reader import windows_of_pass

LOOKBACK = Gap(since=NOW - 14 * DAY, until=NOW)


def ago(days: float) -> timedelta:
    return timedelta(days=days)


def a_gap(since: float, until: float, user: str | None = None) -> Gap:
    """Days ago."""
    return Gap(since=NOW - ago(since), until=NOW - ago(until), user=user)


@pytest.mark.parametrize(
    ("narrowing", "gaps", "expected"),
    [
        (SyncRequest(), (), [(14, 0, None)]),
        (SyncRequest(), (a_gap(3, 0),), [(14, 0, None)]),
        (SyncRequest(), (a_gap(20, 0),), [(14, 0, None), (20, 14, None)]),
        (SyncRequest(), (a_gap(60, 0),), [(14, 0, None), (43, 14, None), (60, 42, None)]),
        (SyncRequest(), (a_gap(20, 10, "ada"),), [(14, 0, None), (20, 14, "ada")]),
        (SyncRequest(), (a_gap(30, 25, "ada"), a_gap(60, 50)), [(14, 0, None), (60, 50, None), (30, 25, "ada")]),
        (SyncRequest(until=NOW + DAY), (a_gap(20, 0),), [(29, 0, None), (40, 28, None)]),
        (SyncRequest(until=NOW - 30 * DAY), (), [(40, 30, None)]),
        (SyncRequest(until=NOW - 50 * DAY), (), []),
    ],
)
def test_a_pass_lists_these_windows(
    narrowing: SyncRequest, gaps: tuple[Gap, ...], expected: list[tuple[float, float, str | None]]
) -> None:
    found = windows_of_pass(narrowing, rules(since=NOW - 40 * DAY), LOOKBACK, gaps)

    assert [((NOW - one.since) / DAY, (NOW - one.until) / DAY, one.user) for one in found] == expected


def test_the_lookback_ends_at_since() -> None:
    found = windows_of_pass(SyncRequest(), rules(since=NOW - 2 * DAY), LOOKBACK, ())

    assert [(one.since, one.until) for one in found] == [(NOW - 2 * DAY, NOW)]
