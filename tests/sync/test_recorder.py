"""What a pass did, or would do: rows, counts, totals."""

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tests.fakes import NOW, FakeClock, a_meeting, an_entry
from zoomsync.destinations.base import Destination
from zoomsync.errors import DiskFull, MeetingFailed, ServiceUnavailable, Unreachable
from zoomsync.model import COUNTS, HOUR, Entry, Intent, Meeting, Outcome, Retry
from zoomsync.rules.request import SyncRequest
from zoomsync.state import State
from zoomsync.sync.recorder import MOST_LINES, Recorder
from zoomsync.sync.tally import Row, Tally, deletions_first, row


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
    failures = {outcome.value for outcome in Outcome if Tally(outcomes=Counter([outcome])).code == 1}

    assert failures == {
        "failed",
        "parked",
        "lost",
        "gone",
        "refused",
        "unproven",
        "altered",
        "differs",
        "unread",
        "unadopted",
        "unlisted",
        "unreadable",
        "undeletable",
    }


def test_a_bug_is_told_apart_from_what_else_failed() -> None:
    assert Tally(outcomes=Counter([Outcome.FAILED, Outcome.BUGS])).code == 70


def test_an_outcome_that_was_taken_back_makes_no_pass_fail() -> None:
    tally = Tally(outcomes=Counter([Outcome.FAILED]))

    tally.outcomes[Outcome.FAILED] -= 1

    assert tally.code == 0


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


class Account:
    """A recorder with its state; `errors` are the lines that a quiet pass prints."""

    def __init__(self, folder: Path, log: pytest.LogCaptureFixture) -> None:
        self.state = State.open(folder / "state.json", new_id="f" * 32)
        self.recorder = Recorder(self.state, FakeClock(), cast("Destination", None), SyncRequest(), Tally())
        self._log = log
        log.set_level(logging.ERROR)

    def known(self, count: int, size: int = 1000) -> list[Entry]:
        """So many meetings that the ledger knows."""
        entries = [an_entry(uuid=f"{number}==", size=size) for number in range(count)]
        self.state.put(*entries)
        return entries

    @property
    def errors(self) -> list[str]:
        return [one.getMessage() for one in self._log.records if one.levelno >= logging.ERROR]


@pytest.fixture
def account(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Account]:
    found = Account(tmp_path, caplog)
    with found.state:
        yield found


@pytest.mark.parametrize("level", [logging.ERROR, logging.INFO])
def test_what_went_wrong_with_one_meeting_has_its_line_for_who_watches_at_once(
    account: Account, caplog: pytest.LogCaptureFixture, level: int
) -> None:
    caplog.set_level(level)
    (entry,) = account.known(1)

    account.recorder.failed(entry, MeetingFailed("video: cut off", hint="wait"))
    assert len(account.errors) == (level == logging.INFO)
    account.recorder.sum_up()

    assert account.errors == ["failed: video: cut off (wait)"]
    account.recorder.sum_up()
    assert len(account.errors) == 1


def test_what_happens_to_many_for_one_reason_is_one_line(account: Account) -> None:
    for entry in account.known(3):
        account.recorder.failed(entry, Unreachable(f"zoom: meeting {entry.uuid}: HTTP 500 at 2026-03-10", hint="wait"))
    (other,) = account.known(1)
    account.recorder.failed(other, MeetingFailed("video: cut off"))

    account.recorder.sum_up()

    assert account.errors == [
        "failed: 3 meetings, 3.0 kB: zoom: meeting …: HTTP 500 at … (wait)",
        "failed: video: cut off",
    ]


def test_what_has_no_room_is_summed_up_whatever_each_needs(account: Account) -> None:
    for entry in account.known(128, size=30_000_000):
        needs = f"/staging: needs {entry.uuid}"
        account.recorder.failed(entry, DiskFull(needs, room="0 bytes free at /staging, 2.0 GB kept", hint="free some"))

    account.recorder.sum_up()

    assert account.errors == ["no room for 128 meetings, 3.8 GB: 0 bytes free at /staging, 2.0 GB kept (free some)"]


def test_lists_that_could_not_be_read_for_one_reason_are_one_line(account: Account) -> None:
    for user in ("ada@example.org", "bob@example.org"):
        account.recorder.not_listed(user, ServiceUnavailable(f"zoom: recordings of {user}: HTTP 500", hint="wait"))
    account.recorder.not_listed("eve@example.org", MeetingFailed("zoom: no rights"))

    account.recorder.sum_up()

    assert account.errors == [
        "not listed: 2 lists: …: zoom: recordings of …: HTTP 500 (wait)",
        "not listed: eve@example.org: zoom: no rights",
    ]


@pytest.mark.parametrize("reasons", [MOST_LINES, MOST_LINES + 60])
def test_however_many_reasons_there_are_the_lines_are_few(account: Account, reasons: int) -> None:
    for number, entry in enumerate(account.known(reasons)):
        account.recorder.failed(entry, MeetingFailed(f"video: cut off in {number}"))

    account.recorder.sum_up()

    rest = ["60 failures more, for other reasons: see `zoomsync status`"] * (reasons > MOST_LINES)
    assert (len(account.errors), account.errors[MOST_LINES:]) == (MOST_LINES + len(rest), rest)


def a_bug() -> None:
    raise ZeroDivisionError("a bug")


@pytest.mark.parametrize("is_known", [True, False])
def test_a_bug_met_in_one_meeting_is_its_failure(account: Account, is_known: bool) -> None:
    meeting = a_meeting(uuid="0==")
    entries = account.known(int(is_known))

    with account.recorder.guarded(meeting):
        a_bug()

    outcomes = account.recorder.tally.outcomes
    assert (outcomes[Outcome.BUGS], outcomes[Outcome.FAILED]) == (1, 1)
    reasons = [account.state.entries[entry.uuid].reason for entry in entries]
    assert reasons == ["failed: bug: ZeroDivisionError: a bug"] * is_known


def test_one_bug_in_many_meetings_has_one_traceback(account: Account) -> None:
    for entry in account.known(5):
        with account.recorder.guarded(entry):
            a_bug()

    account.recorder.sum_up()

    assert account.errors[0] == "a bug in zoomsync"
    assert len(account.errors) == 2
    assert account.recorder.tally.outcomes[Outcome.BUGS] == 5


def test_what_is_no_bug_passes_the_guard(account: Account) -> None:
    with pytest.raises(Unreachable), account.recorder.guarded(a_meeting()):
        raise Unreachable("zoom: no answer")

    assert account.recorder.tally.outcomes[Outcome.BUGS] == 0


def a_retry(next_at: float, unanswered: int) -> Retry:
    """A publication without an answer, tried again after so many hours."""
    at = NOW + next_at * HOUR
    return Retry(tries=0, error="portal: HTTP 500", hint="", at=NOW, next_at=at, since=NOW, unanswered=unanswered)


SILENT = ServiceUnavailable("portal: HTTP 500")


def test_a_publication_without_an_answer_is_left_alone_unless_the_service_was_down(account: Account) -> None:
    (entry,) = account.known(1)

    account.recorder.failed(entry, SILENT)
    first = account.state.entries[entry.uuid]
    account.recorder.take_back(entry, SILENT)

    assert (first.retry, first.due_at) == (a_retry(1, 1), NOW + HOUR)
    assert account.state.entries[entry.uuid].retry == a_retry(0, 0)


@pytest.mark.parametrize("action", ["create", "attach", "delete"])
def test_what_became_of_a_call_without_an_answer_is_found_out_by_the_next_pass(account: Account, action: str) -> None:
    (entry,) = account.known(1)
    intent = Intent(id="1" * 32, at=NOW, action=action, uuid=entry.uuid, target="video")
    account.state.begin(intent)

    account.recorder.failed(entry, SILENT)
    first = account.state.entries[entry.uuid]
    account.recorder.failed(first, SILENT)

    is_begun = action != "delete"
    assert (first.retry, first.due_at) == (a_retry(0 if is_begun else 1, 1), NOW + HOUR * (not is_begun))
    assert account.state.entries[entry.uuid].retry == a_retry(2, 2)


def test_a_deletion_without_an_answer_is_taken_back_likewise(account: Account) -> None:
    (entry,) = account.known(1)

    account.recorder.refused(entry, SILENT)
    first = account.state.entries[entry.uuid].refusal
    account.recorder.take_back_refusal(entry, SILENT)

    assert (first, account.state.entries[entry.uuid].refusal) == (a_retry(1, 1), a_retry(0, 0))
