"""How a person names meetings: each way, and what is no way."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.fakes import a_meeting, an_entry
from zoomsync.naming import suffix
from zoomsync.rules.named import FORMS, Named, problem_with

UUID = "/abc//DEF+ghi=="
PLANNING = a_meeting(uuid=UUID, number="85012345678", start=datetime(2026, 3, 2, 23, 30, tzinfo=UTC))
END = suffix(UUID)


@pytest.mark.parametrize(
    ("what", "timezone", "is_named"),
    [
        (UUID, "UTC", True),
        (f" {UUID} ", "UTC", True),
        (UUID.lower(), "UTC", False),
        ("85012345678", "UTC", True),
        ("850 1234 5678", "UTC", True),
        ("850-1234-5678", "UTC", True),
        ("850\u00a01234\u00a05678", "UTC", True),
        ("8501234567", "UTC", False),
        ("85012345678@2026-03-02", "UTC", True),
        ("850 1234 5678 @ 2026-03-02", "UTC", True),
        ("85012345678@2026-03-03", "UTC", False),
        ("85012345678@2026-03-03", "Europe/Berlin", True),
        ("85012345678@2026-03-02", "Europe/Berlin", False),
        ("86012345678@2026-03-02", "UTC", False),
        (f"[{END}]", "UTC", True),
        (END, "UTC", True),
        ("[00000000]", "UTC", False),
    ],
)
def test_a_meeting_is_named(what: str, timezone: str, *, is_named: bool) -> None:
    assert (PLANNING in Named([what], timezone)) is is_named
    assert problem_with(what) == ""


def test_an_entry_is_named_like_its_meeting() -> None:
    entry = an_entry(uuid=UUID, number="85012345678")

    assert all(entry in Named([what]) for what in (UUID, "850 1234 5678", END))


@pytest.mark.parametrize(("day", "is_named"), [("2026-03-03", True), ("2026-03-02", False), ("2026-03-01", False)])
def test_with_each_meetings_own_zone_its_own_day_alone_names_it(day: str, *, is_named: bool) -> None:
    found = replace(PLANNING, timezone="Asia/Tokyo")
    entry = replace(an_entry(found), start=found.start, timezone="Asia/Tokyo")

    assert (found in Named([f"85012345678@{day}"], "meeting")) is is_named
    assert (entry in Named([f"85012345678@{day}"], "meeting")) is is_named


def test_a_daily_meeting_of_the_evening_before_is_not_named_too() -> None:
    """18:30 in Los Angeles is the next day in UTC."""
    days = [
        replace(PLANNING, timezone="America/Los_Angeles", start=datetime(2026, 3, day, 2, 30, tzinfo=UTC))
        for day in (8, 9)
    ]

    assert [one in Named(["85012345678@2026-03-08"], "meeting") for one in days] == [False, True]


@pytest.mark.parametrize(
    "what", ["", " ", ".", "..", "ada@example.org", "Weekly planning", "85012345678@", "@2026-03-02", "850@tomorrow"]
)
def test_what_names_no_meeting_says_how_to_write_it(what: str) -> None:
    assert problem_with(what) == f"{what!r} names no meeting: write {FORMS}"
