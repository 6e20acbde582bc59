"""What a person reads of the status: whole pages."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.fakes import NOW, START, a_meeting, an_entry
from tests.status.builders import NO_STATE, a_retry, a_run, a_state, alive, gone, parked, some_config, stored
from zoomsync.model import DAY, HOUR, MINUTE, AuthorizationStatus, Gap, Intent, Phase, Process
from zoomsync.state import State
from zoomsync.status import document, lines


def the_page(state: State, is_alive: Callable[[Process], bool] = gone, **config: Any) -> str:
    return "\n".join(lines(document(state, some_config(**config), NOW, is_alive)))


def test_before_the_first_pass() -> None:
    assert (
        the_page(NO_STATE)
        == """\
Sync process: Never run
Last synced attempt: never
Last recording fetched till: nothing fetched yet
Authorization status: Zoom: not checked yet; destination: not checked yet"""
    )


def test_all_well() -> None:
    runs = (a_run(before=2 * HOUR + 5 * MINUTE, counts={"published": 2, "skipped": 9, "bytes": 1_234_567}),)

    assert (
        the_page(a_state(stored(), runs=runs, fetched_till=START))
        == """\
Sync process: Finished
Last synced attempt: 2026-03-10 09:55 UTC (2 h 5 min ago)
Last recording fetched till: 2026-03-01 10:30 UTC (9 d 1 h ago)
Authorization status: Zoom: authorized; destination: authorized (checked 2026-03-10 11:00 UTC, 1 h ago)
Next sweep: 2026-03-15 12:00 UTC (in 5 days)
Meetings: 1 published
Stored: 1 item, 1.0 kB, 1.0 kB of it in the last 30 days

Last runs:
  pass  id        started               took  exit  result
  1     00000001  2026-03-10 09:55 UTC  1 h   0     Finished; 2 published, 1.2 MB fetched"""
    )


def test_everything_that_can_be_shown() -> None:
    state = a_state(
        an_entry(a_meeting(uuid="w==", topic="Board"), reason="settles until 2026-03-10 12:30 UTC"),
        an_entry(a_meeting(uuid="f==", topic="Failing"), retry=a_retry(), reason="failed: x"),
        an_entry(a_meeting(uuid="d==", topic="No room"), retry=a_retry(tries=0, next_at=NOW, hint="")),
        an_entry(a_meeting(uuid="p==", topic="Parked"), retry=parked(), auto_delete=NOW + 3 * DAY),
        an_entry(a_meeting(uuid="z==", topic="Late"), auto_delete=NOW - DAY),
        stored(a_meeting(uuid="r==", topic="Kept"), refusal=a_retry(error="zoom: in use by a webinar", hint="")),
        stored(a_meeting(uuid="t==", topic="Talk"), pending=("audio_transcript: still processing",)),
        an_entry(a_meeting(uuid="l==", topic="Gone"), phase=Phase.LOST, reason="gone from the cloud"),
        an_entry(a_meeting(uuid="m==", topic="Mine"), phase=Phase.REMOVED, reason="video.mp4: changed by a person"),
        stored(
            a_meeting(uuid="o==", topic="Odd"),
            phase=Phase.REMOVED,
            reason="chat.txt differs",
            differs="chat.txt differs",
        ),
        an_entry(a_meeting(uuid="s1=="), phase=Phase.SKIPPED, reason="12 s long, shorter than the minimum"),
        an_entry(a_meeting(uuid="s2=="), phase=Phase.SKIPPED, reason="9 s long, shorter than the minimum"),
        runs=(
            a_run(1, before=DAY, code=6, why="zoom: does not answer"),
            a_run(2, code=1, counts={"failed": 2, "no_room": 1, "removed": 1}, narrowed="1 meeting"),
        ),
        intents=(Intent(id="1" * 32, at=NOW - HOUR, action="delete", uuid="r==", target="file-video"),),
        gaps=(
            Gap(since=NOW - 9 * DAY, until=NOW - 8 * DAY),
            Gap(since=NOW - DAY, until=NOW, user="host-ada"),
            Gap(
                since=NOW - DAY,
                until=NOW,
                user="host-bob",
                email="bob@example.org",
                retry=a_retry(tries=0, error="zoom: HTTP 500", next_at=NOW + 2 * HOUR),
            ),
        ),
    )

    assert (
        the_page(state)
        == """\
Sync process: Finished with failures (they are listed below; narrowed to 1 meeting)
Last synced attempt: 2026-03-10 10:00 UTC (2 h ago)
Last recording fetched till: nothing fetched yet
Authorization status: Zoom: authorized; destination: authorized (checked 2026-03-10 11:00 UTC, 1 h ago)
Next sweep: 2026-03-15 12:00 UTC (in 5 days)
Meetings: 5 waiting, 2 skipped, 2 published, 1 lost, 2 removed or changed
Stored: 2 items, 2.0 kB, 2.0 kB of it in the last 30 days

Last runs:
  pass  id        started               took  exit  result
  2     00000002  2026-03-10 10:00 UTC  1 h   1     \
Finished with failures; 2 failed, 1 removed or changed, 1 no room; narrowed to 1 meeting
  1     00000001  2026-03-09 12:00 UTC  1 h   6     Failed: zoom: does not answer

At risk, deleted by Zoom within 7 days and not stored: 2 meetings
  2026-03-01 10:30 UTC  ada@example.org  “Late” (z==): \
Zoom was to delete it 2026-03-09 12:00 UTC (1 d ago); not settled yet
  2026-03-01 10:30 UTC  ada@example.org  “Parked” (p==): \
Zoom deletes it 2026-03-13 12:00 UTC (in 3 days); not settled yet

Failed: 3 meetings
  2026-03-01 10:30 UTC  ada@example.org  “Parked” (p==): \
video: download cut at 12 bytes (look at the network); parked after 10 tries
  2026-03-01 10:30 UTC  ada@example.org  “Failing” (f==): \
video: download cut at 12 bytes (look at the network); 2 tries, again 2026-03-10 13:00 UTC (in 1 h)
  2026-03-01 10:30 UTC  ada@example.org  “No room” (d==): \
video: download cut at 12 bytes; again with the next pass
  what is parked: `zoomsync sync --meeting WHAT` tries it again, exclude_meetings gives it up

Deletion refused, or not answered: 1 meeting
  2026-03-01 10:30 UTC  ada@example.org  “Kept” (r==): \
zoom: in use by a webinar; 2 tries, again 2026-03-10 13:00 UTC (in 1 h)
  what must stay in Zoom's cloud: hold_meetings ends these tries

Stored otherwise than its receipt says: 1 meeting
  2026-03-01 10:30 UTC  ada@example.org  “Odd” (o==): chat.txt differs

Gaps, not listed completely yet:
  2026-03-01 12:00 UTC to 2026-03-02 12:00 UTC: all users
  2026-03-09 12:00 UTC to 2026-03-10 12:00 UTC: ada@example.org
  2026-03-09 12:00 UTC to 2026-03-10 12:00 UTC: bob@example.org: \
zoom: HTTP 500; tried again 2026-03-10 14:00 UTC (in 2 h)

Waiting: 3 meetings
  2026-03-01 10:30 UTC  ada@example.org  “Late” (z==): not settled yet
  2026-03-01 10:30 UTC  ada@example.org  “Board” (w==): settles until 2026-03-10 12:30 UTC
  2026-03-01 10:30 UTC  ada@example.org  “Talk” (t==): stored, still to come: audio_transcript: still processing

Lost, gone from Zoom's cloud before it was fetched: 1 meeting
  2026-03-01 10:30 UTC  ada@example.org  “Gone” (l==): gone from the cloud

Removed or changed at the destination by a person, left alone: 1 meeting
  2026-03-01 10:30 UTC  ada@example.org  “Mine” (m==): video.mp4: changed by a person

Skipped:
  2 × shorter than the minimum

Begun, and the answer never seen; the next pass finds out:
  2026-03-10 11:00 UTC (1 h ago): delete file-video of r=="""
    )


@pytest.mark.parametrize(
    ("run", "changes", "line"),
    [
        ({"code": None}, {"is_alive": alive}, "Sync process: Running (pass 1, process 4711 on recorder)"),
        (
            {"code": None},
            {},
            "Sync process: Interrupted (process 4711 on recorder is gone; the next pass goes on from there)",
        ),
        (
            {"code": 143, "why": "stopped by signal 15"},
            {},
            "Sync process: Interrupted (stopped by signal 15; the next pass goes on from there)",
        ),
        ({"code": 3, "why": "zoom: wrong client secret"}, {}, "Sync process: Failed: zoom: wrong client secret"),
        (
            {"code": 5, "why": "disk: full", "narrowed": "1 user"},
            {},
            "Sync process: Failed: disk: full (narrowed to 1 user)",
        ),
        ({}, {"enabled": False}, "Sync process: Disabled"),
    ],
)
def test_the_first_line_says_how_the_last_pass_went(run: dict[str, Any], changes: dict[str, Any], line: str) -> None:
    assert the_page(a_state(runs=(a_run(**run),)), **changes).splitlines()[0] == line


def test_after_a_failed_pass_the_last_one_that_finished_is_shown() -> None:
    page = the_page(a_state(runs=(a_run(1, before=DAY), a_run(2, code=6, why="zoom: does not answer"))))

    assert page.splitlines()[4] == "Last whole pass that finished: 2026-03-09 13:00 UTC (23 h ago)"


@pytest.mark.parametrize(
    ("head", "config", "line"),
    [
        ({}, {"recordings": {"sweep": "never"}}, "Next sweep: never (recordings.sweep)"),
        ({"fingerprint": "changed"}, {}, "Next sweep: with the next pass"),
        ({"swept_at": NOW - 6 * DAY}, {}, "Next sweep: 2026-03-11 12:00 UTC (in 1 d)"),
    ],
)
def test_the_next_sweep_is_shown(head: dict[str, Any], config: dict[str, Any], line: str) -> None:
    assert line in the_page(a_state(runs=(a_run(),), **head), **config).splitlines()


def test_times_in_the_future_are_not_shown_as_facts() -> None:
    later = NOW + DAY
    authorization = AuthorizationStatus(zoom="authorized", destination="authorized", checked_at=later)

    page = the_page(a_state(runs=(a_run(before=-DAY),), fetched_till=later, authorization=authorization))

    assert page.splitlines()[1:4] == [
        "Last synced attempt: unknown: the time stored for it lies in the future (was the clock wrong?)",
        "Last recording fetched till: nothing fetched yet",
        "Authorization status: Zoom: authorized; destination: authorized",
    ]
    assert page.splitlines()[-1] == "  1     00000001  unknown        0     Finished"


def test_of_many_meetings_the_reasons_are_counted_and_twenty_rows_shown() -> None:
    def waiting(number: int, when: datetime) -> Any:
        reason = f"settles until {number}" if number % 4 else "still recorded or processed in Zoom"
        return an_entry(a_meeting(uuid=f"{number}==", topic="Talk", start=when), reason=reason)

    state = a_state(*(waiting(number, NOW - timedelta(hours=number)) for number in range(1, 24)))

    page = the_page(state).splitlines()

    begin = page.index("Waiting: 23 meetings")
    assert page[begin + 1 : begin + 4] == [
        "  18 × settles",
        "  5 × still recorded or processed in Zoom",
        "  2026-03-10 11:00 UTC  ada@example.org  “Talk” (1==): settles until 1",
    ]
    assert page[begin + 22 :] == [
        "  2026-03-09 16:00 UTC  ada@example.org  “Talk” (20==): still recorded or processed in Zoom",
        "  and 3 more; --json lists all",
    ]


def test_many_failures_are_counted_by_what_went_wrong() -> None:
    failures = [an_entry(a_meeting(uuid=f"{n}=="), reason=f"failed: {n}", retry=a_retry()) for n in range(21)]

    assert "  21 × video: download cut at 12 bytes" in the_page(a_state(*failures)).splitlines()


def test_no_line_moves_a_cursor() -> None:
    state = a_state(
        an_entry(topic="a\x1b[2J\nb", host_email="\u202eada", retry=a_retry(error="e\r", hint="h\a")),
        runs=(a_run(code=6, why="why\x1b"),),
        authorization=AuthorizationStatus(zoom="refused:\t"),
    )

    assert all(line.isprintable() for line in the_page(state).split("\n"))


def test_a_long_topic_is_cut() -> None:
    assert f"“{'x' * 59}…” (" in the_page(a_state(an_entry(topic="x" * 200)))
