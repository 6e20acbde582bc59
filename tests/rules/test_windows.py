"""Gaps and windows: no stretch of time is forgotten before it was listed completely."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import NOW
from zoomsync.model import DAY, HOUR, Gap, Retry
from zoomsync.rules.windows import Window, add_gap, close_gap, sorted_windows, windows_of, with_ids

USERS = (None, "ada", "bob")
Stretch = tuple[int, int]
"""Hours after `NOW`."""


def at(hours: int) -> datetime:
    return NOW + hours * HOUR


def a_gap(since: int, until: int, user: str | None = None) -> Gap:
    return Gap(since=at(since), until=at(until), user=user)


def failed_gap(window: Window, user: str) -> Gap:
    """The stretch that could not be listed for a user."""
    return Gap(since=window.since, until=window.until, user=user)


def a_window(since: int, until: int, user: str | None = None) -> Window:
    return Window(since=at(since), until=at(until), user=user)


def hours(found: Iterable[Gap | Window], user: str | None) -> set[int]:
    """The hours of one user's gaps."""
    return {
        hour
        for one in found
        if one.user == user
        for hour in range(int((one.since - NOW) / HOUR), int((one.until - NOW) / HOUR))
    }


STRETCHES = st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))
GAPS = st.lists(st.tuples(STRETCHES, st.sampled_from(USERS)), max_size=8)


def added(stretches: Iterable[tuple[Stretch, str | None]]) -> tuple[Gap, ...]:
    found: tuple[Gap, ...] = ()
    for (since, until), user in stretches:
        found = add_gap(found, a_gap(since, until, user))
    return found


def test_a_window_has_a_newer_and_an_older_half() -> None:
    assert a_window(0, 10, "ada").halves == (a_window(5, 10, "ada"), a_window(0, 5, "ada"))


@given(GAPS)
def test_adding_keeps_every_hour_and_merges_what_touches(stretches: list[tuple[Stretch, str | None]]) -> None:
    found = added(stretches)

    for user in USERS:
        assert hours(found, user) == {
            h for (since, until), who in stretches if who == user for h in range(since, until)
        }
        own = sorted((gap for gap in found if gap.user == user), key=lambda gap: gap.since)
        assert all(one.until < other.since for one, other in pairwise(own))


@given(GAPS, STRETCHES, st.sampled_from(USERS), st.sets(st.sampled_from(["ada", "bob"])))
def test_closing_loses_no_hour_that_was_not_listed(
    stretches: list[tuple[Stretch, str | None]], listed: Stretch, of: str | None, failed: set[str]
) -> None:
    window, before = a_window(*listed, of), added(stretches)
    failed = failed if of is None else failed & {of}

    after = close_gap(before, window, [failed_gap(window, user) for user in failed])

    inside = set(range(*listed))
    for user in USERS:
        was_listed = of in (None, user) and user not in failed
        expected = hours(before, user) - inside if was_listed else hours(before, user)
        assert hours(after, user) == (expected | inside if user in failed else expected)


@given(GAPS, STRETCHES, st.sampled_from(USERS))
def test_closing_twice_is_closing_once(
    stretches: list[tuple[Stretch, str | None]], listed: Stretch, of: str | None
) -> None:
    once = close_gap(added(stretches), a_window(*listed, of))

    assert close_gap(once, a_window(*listed, of)) == once


MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)).map(lambda when: when.replace(tzinfo=NOW.tzinfo))  # noqa: DTZ001  # wants naive bounds


@given(MOMENTS, MOMENTS)
def test_windows_cover_a_stretch_newest_first_each_what_zoom_lists_in_one_go(since: datetime, until: datetime) -> None:
    found = list(windows_of(since, until, "ada"))

    if since >= until:
        assert found == []
        return
    assert found[0].until == until
    assert found[-1].since == since
    for newer, older in pairwise(found):
        assert older.until - newer.since == min(DAY, older.until - since)
    for window in found:
        first, last = window.days
        assert first <= window.since.date() <= window.until.date() < last
        assert last - first <= timedelta(days=30)
        assert window.user == "ada"


@given(MOMENTS, MOMENTS)
def test_a_gap_is_gone_when_all_its_windows_are_closed(since: datetime, until: datetime) -> None:
    left = add_gap((), Gap(since=since, until=until))
    for window in sorted_windows(left):
        left = close_gap(left, window)

    assert left == ()


def test_days_are_those_of_utc_and_one_more() -> None:
    window = Window(
        since=datetime.fromisoformat("2026-03-01T23:59Z"), until=datetime.fromisoformat("2026-03-02T00:00Z")
    )

    assert window.days == (date(2026, 3, 1), date(2026, 3, 3))


@pytest.mark.parametrize(
    ("before", "gap", "after"),
    [
        ((), a_gap(0, 5), (a_gap(0, 5),)),
        ((), a_gap(5, 5), ()),
        ((), a_gap(5, 0), ()),
        ((a_gap(0, 5),), a_gap(5, 9), (a_gap(0, 9),)),
        ((a_gap(0, 5),), a_gap(6, 9), (a_gap(0, 5), a_gap(6, 9))),
        ((a_gap(0, 5), a_gap(6, 9)), a_gap(4, 7), (a_gap(0, 9),)),
        ((a_gap(0, 9),), a_gap(2, 3), (a_gap(0, 9),)),
        ((a_gap(0, 9),), a_gap(2, 3, "ada"), (a_gap(0, 9), a_gap(2, 3, "ada"))),
    ],
)
def test_a_stretch_is_added(before: tuple[Gap, ...], gap: Gap, after: tuple[Gap, ...]) -> None:
    assert add_gap(before, gap) == after


@pytest.mark.parametrize(
    ("before", "window", "failed", "after"),
    [
        ((a_gap(0, 9),), a_window(0, 9), (), ()),
        ((a_gap(0, 9),), a_window(3, 5), (), (a_gap(0, 3), a_gap(5, 9))),
        ((a_gap(0, 9),), a_window(9, 12), (), (a_gap(0, 9),)),
        ((a_gap(0, 9),), a_window(0, 9), ("ada",), (a_gap(0, 9, "ada"),)),
        ((), a_window(0, 9), ("ada", "bob"), (a_gap(0, 9, "ada"), a_gap(0, 9, "bob"))),
        ((a_gap(0, 9, "ada"),), a_window(0, 5), (), (a_gap(5, 9, "ada"),)),
        ((a_gap(0, 9, "ada"),), a_window(0, 5), ("ada",), (a_gap(0, 9, "ada"),)),
        ((a_gap(0, 9, "ada"),), a_window(5, 12), ("ada",), (a_gap(0, 12, "ada"),)),
        ((a_gap(0, 9), a_gap(0, 9, "bob")), a_window(0, 9, "ada"), (), (a_gap(0, 9), a_gap(0, 9, "bob"))),
        ((a_gap(0, 9, "ada"),), a_window(0, 9, "ada"), ("ada",), (a_gap(0, 9, "ada"),)),
    ],
)
def test_a_window_is_closed(
    before: tuple[Gap, ...], window: Window, failed: tuple[str, ...], after: tuple[Gap, ...]
) -> None:
    assert close_gap(before, window, [failed_gap(window, user) for user in failed]) == after


def a_reason(error: str) -> Retry:
    return Retry(tries=0, error=error, hint="", at=NOW, next_at=NOW)


def test_a_gap_of_a_user_has_the_address_and_the_newest_reason() -> None:
    window, retry = a_window(5, 12), a_reason("HTTP 500")
    before = replace(a_gap(0, 9, "ada"), email="old@example.org", retry=a_reason("no rights"))

    gap = window.as_gap("ada", "ada@example.org", retry)

    assert close_gap([before], window, [gap]) == (replace(gap, since=at(0)),)


def test_a_gap_under_an_address_becomes_that_of_the_user_once_the_id_is_known() -> None:
    under_address = replace(a_gap(0, 9, "ada@example.org"), email="ada@example.org", retry=a_reason("HTTP 500"))
    others = (a_gap(0, 2), a_gap(0, 2, "eve@example.org"))

    found = with_ids([*others, a_gap(5, 12, "ada"), under_address], {"ada@example.org": "ada"})

    assert set(found) == {*others, replace(a_gap(0, 12, "ada"), email="ada@example.org")}


def test_gaps_of_all_users_are_listed_before_those_of_one_and_the_newest_first() -> None:
    found = sorted_windows([a_gap(0, 3), a_gap(20, 25, "ada"), a_gap(5, 9), a_gap(10, 15, "bob")])

    assert list(found) == [a_window(5, 9), a_window(0, 3), a_window(20, 25, "ada"), a_window(10, 15, "bob")]
