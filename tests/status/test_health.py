"""`status --check`: each reason why a person should look, and no other."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.fakes import NOW, a_meeting, an_entry
from tests.status.builders import NO_STATE, a_retry, a_run, a_state, alive, gone, parked, some_config, stored
from zoomsync.model import DAY, HOUR, MINUTE, Gap, Process, Run
from zoomsync.state import State, lock_file
from zoomsync.status import health
from zoomsync.status.health import NAMED


def the_health(
    state: State,
    is_alive: Callable[[Process], bool] = gone,
    max_age: timedelta = 26 * HOUR,
    locked_out: datetime | None = None,
    **config: Any,
) -> list[str]:
    found = health(state, some_config(**config), NOW, is_alive, max_age=max_age, locked_out=locked_out)
    return [str(one) for one in found]


def test_a_pass_that_finished_today_is_healthy() -> None:
    assert the_health(a_state(stored(), an_entry(a_meeting(uuid="w==")), runs=(a_run(),))) == []


def test_a_pass_that_finished_with_failures_is_no_reason_by_itself() -> None:
    assert the_health(a_state(an_entry(retry=a_retry(tries=1)), runs=(a_run(code=1),))) == []


def test_what_fails_again_and_again_is_a_reason_before_it_is_parked() -> None:
    reasons = the_health(a_state(an_entry(retry=a_retry(tries=2)), runs=(a_run(code=1), a_run(2))))

    assert reasons == [
        "failed more than once, tried again later: 1 meeting: “Weekly planning” 2026-03-01 10:30 UTC (/abc//DEF+ghi==)"
    ]


@pytest.mark.parametrize(("library", "is_shown"), [("library-1", True), ("another", False)])
def test_what_an_adoption_left_out_is_a_reason_until_one_of_that_library_leaves_out_none(
    library: str, is_shown: bool
) -> None:
    reasons = the_health(a_state(unadopted={library: 2}, runs=(a_run(),)))

    said = "`zoomsync sync --adopt-library` names each again, and takes over what is mended"
    assert reasons == [f"not taken over: the last adoption of the library left out 2 items: {said}"] * is_shown
    assert the_health(a_state(unadopted={library: 0}, runs=(a_run(),))) == []
    is_open = the_health(a_state(adopting=library, runs=(a_run(),)))
    assert ["not all taken over: an adoption" in one for one in is_open] == [True] * is_shown


@pytest.mark.parametrize(("hours", "is_shown"), [(23, False), (24, True)])
@pytest.mark.parametrize("tries", [0, 1])
def test_what_fails_for_a_day_by_no_fault_of_its_own_is_a_reason_too(hours: int, is_shown: bool, tries: int) -> None:
    retry = a_retry(tries=tries, next_at=NOW, since=NOW - hours * HOUR)
    entry = an_entry(retry=retry, first_seen=NOW - 9 * DAY)

    reasons = the_health(a_state(entry, runs=(a_run(code=1),)))

    assert ["failed more than once" in reason for reason in reasons] == [True] * is_shown


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"unlisted": 2}, ["not listed: pass 1 could not read 2 lists"]),
        ({"unreadable": 3}, ["not listed: pass 1 could make no meeting of 3 entries of Zoom's lists"]),
        ({"undeletable": 1}, ["not deleted: pass 1 could not delete what is due in Zoom; its log says why"]),
        ({"unlisted": 0, "unreadable": 0, "undeletable": 0}, []),
    ],
)
def test_what_a_pass_could_not_do_and_shows_in_no_meeting_is_a_reason(
    counts: dict[str, int], expected: list[str]
) -> None:
    assert the_health(a_state(runs=(a_run(code=1, counts=counts),))) == expected


def a_gap(user: str, error: str = "zoom: HTTP 500", email: str = "") -> Gap:
    return Gap(since=NOW - DAY, until=NOW, user=user, email=email, retry=a_retry(tries=0, error=error))


def test_a_user_whose_list_cannot_be_read_is_a_reason_under_the_address() -> None:
    gaps = (a_gap("host-bob", email="bob@example.org"), a_gap("host-eve", "no rights"), Gap(since=NOW - DAY, until=NOW))

    assert the_health(a_state(gaps=gaps, runs=(a_run(code=1),))) == [
        "not listed: recordings of bob@example.org: zoom: HTTP 500",
        "not listed: recordings of host-eve: no rights",
    ]


def test_many_users_whose_lists_cannot_be_read_are_summed_up() -> None:
    gaps = tuple(a_gap(f"host-{number:02}") for number in range(NAMED + 40))

    reasons = the_health(a_state(gaps=gaps, runs=(a_run(code=1),)))

    assert (len(reasons), reasons[-1]) == (NAMED + 1, "not listed: recordings of 40 more users")


def test_an_account_wide_list_that_cannot_be_read_is_no_reason_because_each_user_is_listed() -> None:
    assert the_health(a_state(account_list=a_retry(tries=0), runs=(a_run(),))) == []


def test_before_the_first_pass_it_never_ran() -> None:
    assert the_health(NO_STATE) == ["never run: the first pass is still to come"]


def test_switched_off_only_that_is_said_of_passes() -> None:
    assert the_health(a_state(runs=(a_run(code=6),)), enabled=False) == ["disabled: `enabled` is false in the config"]


NO_END = "too old: no whole pass has finished yet"


@pytest.mark.parametrize(
    ("runs", "reasons"),
    [
        ((a_run(narrowed="1 meeting"),), ["never run: only narrowed passes so far"]),
        (
            (a_run(1), a_run(2, before=HOUR, code=6, why="zoom: does not answer")),
            ["failed: pass 2, exit code 6: zoom: does not answer"],
        ),
        ((a_run(1), a_run(2, code=70)), ["failed: pass 2, exit code 70: it left no reason"]),
        (
            (a_run(1, before=49 * HOUR), a_run(2, code=6, why="zoom: does not answer")),
            [
                "failed: pass 2, exit code 6: zoom: does not answer",
                "too old: last whole pass finished 2026-03-08 12:00 UTC, 2 days ago (allowed: 1 d 2 h)",
            ],
        ),
        ((a_run(why="zoom: the time of this pass is over"),), [NO_END]),
        ((a_run(code=3, why="zoom: refused"),), ["failed: pass 1, exit code 3: zoom: refused", NO_END]),
        (
            (a_run(code=1, why="zoom: the time of this pass is over"),),
            ["failed: pass 1, exit code 1: zoom: the time of this pass is over", NO_END],
        ),
        ((a_run(1), a_run(2, code=None)), ["interrupted: pass 2, process 4711 on recorder is gone"]),
        ((a_run(1), a_run(2, code=143, why="stopped by signal 15")), ["interrupted: pass 2, stopped by signal 15"]),
        ((a_run(1), a_run(2, code=2, why="no such meeting", narrowed="1 meeting")), []),
        ((a_run(1), a_run(2, code=4)), []),
        ((a_run(before=27 * HOUR, took=HOUR),), []),
        (
            (a_run(before=27 * HOUR + MINUTE, took=HOUR),),
            ["too old: last whole pass finished 2026-03-09 09:59 UTC, 1 d 2 h ago (allowed: 1 d 2 h)"],
        ),
        (
            (a_run(1, before=27 * HOUR + MINUTE), a_run(2, narrowed="1 meeting")),
            ["too old: last whole pass finished 2026-03-09 09:59 UTC, 1 d 2 h ago (allowed: 1 d 2 h)"],
        ),
        ((a_run(before=-DAY),), [NO_END]),
    ],
)
def test_passes_are_judged_by_the_last_whole_one(runs: tuple[Run, ...], reasons: list[str]) -> None:
    assert the_health(a_state(runs=runs)) == reasons


OLD = "too old: last whole pass finished {} (allowed: 1 d 2 h)"


@pytest.mark.parametrize(
    ("runs", "reasons"),
    [
        ((a_run(code=None),), []),
        ((a_run(1, before=5 * HOUR), a_run(2, code=None)), []),
        ((a_run(1, before=9 * DAY), a_run(2, code=None)), [OLD.format("2026-03-01 13:00 UTC, 8 d 23 h ago")]),
        (
            (a_run(1, before=9 * HOUR), a_run(2, before=5 * HOUR, code=5, why="no ffmpeg"), a_run(3, code=None)),
            ["failed: pass 2, exit code 5: no ffmpeg"],
        ),
        (
            (a_run(1, before=28 * HOUR), a_run(2, before=27 * HOUR, code=None)),
            [
                "too old: pass 2 runs since 2026-03-09 09:00 UTC (allowed: 1 d 2 h)",
                OLD.format("2026-03-09 09:00 UTC, 1 d 3 h ago"),
            ],
        ),
        (
            (a_run(before=-DAY, code=None),),
            ["too old: pass 1 is running, but its start lies in the future"],
        ),
    ],
)
def test_a_running_pass_hides_nothing_of_the_last_that_ended(runs: tuple[Run, ...], reasons: list[str]) -> None:
    assert the_health(a_state(runs=runs), is_alive=alive) == reasons


WHY = "/srv/library: another pass is running in this library"
MET_IN_LIBRARY = tuple(a_run(number, before=HOUR, took=0 * HOUR, code=4, why=WHY) for number in (2, 3))
LOCKED = "locked out: passes meet a lock since 2026-03-10 11:00 UTC, and none of this state is running: "


@pytest.mark.parametrize(
    ("runs", "locked_out", "reasons"),
    [
        ((a_run(1), *MET_IN_LIBRARY), None, [LOCKED + WHY]),
        ((a_run(1),), NOW - HOUR, [LOCKED + f"`fuser -v {lock_file(some_config().state)}` says who holds it"]),
        ((a_run(1), *MET_IN_LIBRARY), NOW - MINUTE, [LOCKED + WHY]),
        ((a_run(1),), NOW - HOUR + MINUTE, []),
        ((a_run(1), *MET_IN_LIBRARY, a_run(4, before=MINUTE, took=MINUTE)), None, []),
        ((a_run(1, before=HOUR, took=MINUTE),), NOW - HOUR, []),
        ((a_run(1, code=None),), NOW - HOUR, []),
        ((a_run(1),), NOW + DAY, []),
    ],
    ids=["library", "state", "both", "not for an hour", "over", "held by our own", "running", "in the future"],
)
def test_a_lock_that_is_none_of_a_running_pass_is_a_reason_after_an_hour(
    runs: tuple[Run, ...], locked_out: datetime | None, reasons: list[str]
) -> None:
    assert the_health(a_state(runs=runs), is_alive=alive, locked_out=locked_out) == reasons


def test_the_allowed_age_can_be_set() -> None:
    state = a_state(runs=(a_run(before=3 * HOUR, took=HOUR),))

    assert the_health(state, max_age=HOUR) == [
        "too old: last whole pass finished 2026-03-10 10:00 UTC, 2 h ago (allowed: 1 h)"
    ]


def test_meetings_that_need_a_person_are_named() -> None:
    state = a_state(
        an_entry(a_meeting(uuid="p=="), retry=parked()),
        stored(a_meeting(uuid="r=="), refusal=a_retry()),
        an_entry(a_meeting(uuid="z=="), auto_delete=NOW + 7 * DAY),
        an_entry(a_meeting(uuid="later=="), auto_delete=NOW + 8 * DAY),
        stored(a_meeting(uuid="safe=="), auto_delete=NOW + DAY),
        runs=(a_run(),),
    )

    assert the_health(state) == [
        "parked, not tried again by itself: 1 meeting: “Weekly planning” 2026-03-01 10:30 UTC (p==)",
        "deletion from Zoom refused: 1 meeting: “Weekly planning” 2026-03-01 10:30 UTC (r==)",
        "deleted by Zoom within 7 days and not stored: 1 meeting: “Weekly planning” 2026-03-01 10:30 UTC (z==)",
    ]


def test_of_many_meetings_three_are_named_and_the_others_counted() -> None:
    entries = [an_entry(a_meeting(uuid=f"{number}==", topic="x" * 99), retry=parked()) for number in range(1200)]

    reasons = the_health(a_state(*entries, runs=(a_run(),)))

    assert [reason.count("==") for reason in reasons] == [3]
    assert [reason.count("x") for reason in reasons] == [3 * 59]
    assert reasons[0].startswith("parked, not tried again by itself: 1,200 meetings: “xxx")
    assert reasons[0].endswith(" and 1,197 more")


def test_what_was_parked_in_the_future_is_tried_again_and_no_reason() -> None:
    assert the_health(a_state(an_entry(retry=parked(at=NOW + DAY)), runs=(a_run(),))) == []


def test_what_the_config_gives_up_is_no_reason() -> None:
    state = a_state(
        an_entry(a_meeting(uuid="p=="), retry=parked(), auto_delete=NOW + DAY),
        stored(a_meeting(uuid="r=="), refusal=a_retry()),
        runs=(a_run(),),
    )

    assert the_health(state, exclude_meetings=["p=="], hold_meetings=["r=="]) == []


def test_switched_off_what_zoom_deletes_soon_is_still_shown() -> None:
    state = a_state(an_entry(auto_delete=NOW + DAY), runs=(a_run(),))

    assert [reason.partition(":")[0] for reason in the_health(state, enabled=False)] == [
        "disabled",
        "deleted by Zoom within 7 days and not stored",
    ]


def test_no_reason_moves_a_cursor() -> None:
    state = a_state(an_entry(topic="a\x1b[2J\nb", retry=parked()), runs=(a_run(),))

    assert the_health(state) == [
        "parked, not tried again by itself: 1 meeting: “a\\x1b[2J\\nb” 2026-03-01 10:30 UTC (/abc//DEF+ghi==)"
    ]
