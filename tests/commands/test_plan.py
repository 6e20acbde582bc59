"""What a dry run comes to: how much, when it is from, how long it takes, and whether there is room."""

from dataclasses import replace

import pytest

from tests.status.builders import a_run
from zoomsync.commands.plan import Totals, pace
from zoomsync.model import HOUR, MINUTE
from zoomsync.sync.tally import Row

GB = 10**9


def a_row(
    action: str = "publish", month: str = "2026-03", host: str = "ada@example.org", size: int = GB, joined: int = 0
) -> Row:
    start = f"{month}-01T09:30:00Z"
    return Row(action=action, reason="", uuid="", number="", topic="", host=host, start=start, size=size, joined=joined)


PLAN = Totals(
    publish=[a_row(), a_row(month="2026-01", size=3 * GB, joined=3 * GB), a_row(host="bob@example.org")],
    delete=[a_row("delete")],
    free=20 * GB,
    keep_free=2 * GB,
    pace=10**6,
)


def test_a_plan_comes_to() -> None:
    assert [*PLAN.lines("at the destination")] == [
        "to fetch: 3 meetings of 2 hosts, 5.0 GB, about 1 h 23 min at the pace of the last passes",
        "  2026-01  1 meeting   3.0 GB",
        "  2026-03  2 meetings  2.0 GB",
        "to stitch: 1 meeting, 3.0 GB, read and written once more; the largest needs 6.0 GB for a while",
        "deletions in Zoom: 1 meeting, 1.0 GB",
        "free at the destination: 20.0 GB, of which 2.0 GB are kept free",
    ]


def test_scripts_read_the_same() -> None:
    assert PLAN.document() == {
        "fetch": {
            "meetings": 3,
            "hosts": 2,
            "bytes": 5 * GB,
            "months": {"2026-01": {"meetings": 1, "bytes": 3 * GB}, "2026-03": {"meetings": 2, "bytes": 2 * GB}},
            "seconds": 5000,
        },
        "stitch": {"meetings": 1, "bytes": 3 * GB},
        "delete": {"meetings": 1, "bytes": GB},
        "lacking_bytes": 0,
    }


def test_what_has_no_room_is_told_in_the_plan() -> None:
    short = replace(PLAN, free=12 * GB)  # 5 GB arrive, the largest stitching needs 6 GB meanwhile, 2 GB are kept free

    assert [*short.lines("for staging")][-1] == "NOT ENOUGH ROOM: 1.0 GB more are needed; what has no room waits"
    assert short.lacking == GB


def test_an_empty_plan_is_short() -> None:
    empty = Totals(publish=[], delete=[], free=GB, keep_free=0, pace=0.0)

    assert [*empty.lines("for staging")] == [
        "to fetch: 0 meetings of 0 hosts, 0 bytes",
        "free for staging: 1.0 GB, of which 0 bytes are kept free",
    ]


@pytest.mark.parametrize(("fetched", "expected"), [(3_600_000_000, 1_000_000.0), (99_999_999, 0.0)])
def test_the_pace_is_that_of_passes_that_fetched_much(fetched: int, expected: float) -> None:
    much = a_run(1, took=HOUR, counts={"bytes": fetched})

    assert pace((much, a_run(2, took=MINUTE, counts={"bytes": 10}), a_run(3, code=None))) == expected
