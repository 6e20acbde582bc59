"""What a pass did, or would do: rows, counts, totals."""

from collections import Counter

import pytest

from tests.fakes import a_meeting, an_entry
from zoomsync.model import COUNTS, Entry, Meeting, Outcome
from zoomsync.sync.recorder import Row, Tally, deletions_first, row


@pytest.mark.parametrize("of", [a_meeting(), an_entry()])
def test_a_row_tells_of_a_meeting(of: Meeting | Entry) -> None:
    assert row("publish", of, "2 segments", size=1000, hint="wait") == Row(
        action="publish",
        reason="2 segments",
        uuid="/abc//DEF+ghi==",
        number="85012345678",
        topic="Weekly planning",
        host="ada@example.org",
        start="2026-03-01T10:30:00Z",
        size=1000,
        hint="wait",
    )


def test_a_host_without_an_address_is_told_by_its_id() -> None:
    assert row("skip", a_meeting(host_email=""), "stored").host == "host-ada"


def test_these_outcomes_make_a_pass_fail() -> None:
    failures = {outcome.value for outcome in Outcome if Tally(outcomes=Counter([outcome])).has_failures}

    assert failures == {
        "failed",
        "parked",
        "lost",
        "gone",
        "refused",
        "unproven",
        "altered",
        "unlisted",
        "unreadable",
        "undeletable",
    }


def test_an_outcome_that_was_taken_back_makes_no_pass_fail() -> None:
    tally = Tally(outcomes=Counter([Outcome.FAILED]))

    tally.outcomes[Outcome.FAILED] -= 1

    assert not tally.has_failures


def test_every_count_is_there_in_every_pass() -> None:
    tally = Tally(outcomes=Counter([Outcome.PUBLISHED, Outcome.PUBLISHED]), bytes=10, calls=3)

    assert tuple(tally.counts) == COUNTS
    assert {name: count for name, count in tally.counts.items() if count} == {"published": 2, "bytes": 10, "calls": 3}


def test_totals_sum_up_by_action_reason_and_host() -> None:
    bob = a_meeting(host_email="bob@example.org")
    tally = Tally(
        rows=[
            row("publish", a_meeting(), "1 segment, 1 file, 1.0 kB", size=1000),
            row("publish", a_meeting(), "2 segments, 9 files, 9.0 kB", size=9000),
            row("publish", bob, "1 segment, 1 file, 2.0 kB", size=2000),
            row("wait", bob, "settles until 2026-03-10 12:30 UTC"),
            row("wait", bob, "settles until 2026-03-10 12:31 UTC"),
            row("wait", bob, "tried again at 2026-03-10 12:31 UTC: cut off"),
        ]
    )

    assert tally.totals() == [
        ("publish", "", "ada@example.org", 2, 10_000),
        ("wait", "settles", "bob@example.org", 2, 0),
        ("publish", "", "bob@example.org", 1, 2000),
        ("wait", "tried again", "bob@example.org", 1, 0),
    ]


def test_a_dry_run_shows_deletions_first() -> None:
    rows = [row(action, a_meeting(), "") for action in ("skip", "wait", "publish", "delete", "failed", "delete")]

    assert [one.action for one in deletions_first(rows)] == ["delete", "delete", "publish", "wait", "skip", "failed"]
