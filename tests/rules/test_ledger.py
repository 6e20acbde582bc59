"""How an entry changes by what was decided and by what happened."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decisions import a_retry, published
from tests.fakes import NOW, START, a_file, a_meeting, a_piece, a_receipt, an_entry
from tests.state.builders import any_value
from zoomsync.errors import (
    DeletionRefused,
    DestinationUnsupported,
    DiskFull,
    DownloadFailed,
    MeetingFailed,
    NotAuthorized,
    OutcomeUnknown,
    RemovedByPerson,
    StillProcessing,
    Unreachable,
    ZoomsyncError,
)
from zoomsync.model import DAY, HOUR, Entry, Phase, Retry
from zoomsync.rules import ledger
from zoomsync.rules.delete import Keep, why_kept
from zoomsync.rules.ledger import Done, Turn, facts
from zoomsync.rules.publish import Decision, Publish, Rules, Skip, Wait, is_open
from zoomsync.rules.retry import Cause

LATER = NOW + HOUR
NEWS = Publish(meeting=a_meeting(), files=(a_file(),), new=(a_file(),), previous=None, reason="1 segment")


@pytest.mark.parametrize("phase", [Phase.REMOVED, Phase.ERASED])
def test_what_is_known_to_have_been_removed_stays_so_when_its_library_is_adopted(phase: Phase) -> None:
    before = replace(an_entry(), phase=phase, receipt=None)

    assert ledger.adopted(a_receipt(), {}, before, NOW) == before


def test_a_meeting_is_first_remembered_as_waiting() -> None:
    meeting = a_meeting(auto_delete=NOW + DAY)

    assert ledger.begun(meeting, None, NOW) == Entry(
        uuid=meeting.uuid,
        number="85012345678",
        host_id="host-ada",
        host_email="ada@example.org",
        topic="Weekly planning",
        start=START,
        timezone="Europe/Berlin",
        phase=Phase.WAITING,
        reason="seen",
        first_seen=NOW,
        changed_at=NOW,
        auto_delete=NOW + DAY,
        size=1000,
    )


def test_what_zoom_says_now_replaces_what_it_said_and_the_rest_stays() -> None:
    entry = published(first_seen=START)
    meeting = a_meeting(
        topic="New topic", host_id="host-bob", host_email="bob@example.org", files=(a_file(), a_piece("T1", size=5))
    )

    assert ledger.begun(meeting, entry, NOW) == replace(
        entry, topic="New topic", host_id="host-bob", host_email="bob@example.org", size=1005
    )


def test_a_host_that_zoom_does_not_name_is_still_known() -> None:
    entry = an_entry()

    assert ledger.begun(a_meeting(host_id="", host_email=""), entry, NOW) == entry


def test_a_meeting_first_seen_in_the_future_is_seen_now() -> None:
    entry = an_entry(first_seen=NOW + 400 * DAY)

    assert ledger.begun(a_meeting(), entry, NOW) == replace(entry, first_seen=NOW)


ANSWERED: dict[str, tuple[Entry, Decision, dict[str, Any]]] = {
    "waits": (
        an_entry(),
        Wait(reason="settles", due_at=LATER),
        {"phase": Phase.WAITING, "reason": "settles", "due_at": LATER},
    ),
    "stored, a late file waits": (
        published(),
        Wait(reason="settles", due_at=LATER),
        {"phase": Phase.PUBLISHED, "reason": "settles", "due_at": LATER, "pending": ("settles",)},
    ),
    "to be published": (
        an_entry(due_at=NOW),
        NEWS,
        {"phase": Phase.WAITING, "reason": "due: 1 segment", "due_at": None},
    ),
    "stored, a late file is to be published": (
        published(),
        NEWS,
        {"phase": Phase.PUBLISHED, "reason": "due: 1 segment", "pending": ("1 segment",)},
    ),
    "deleted by us, a late file is to be published": (
        published(phase=Phase.DELETED),
        NEWS,
        {"phase": Phase.PUBLISHED, "reason": "due: 1 segment", "pending": ("1 segment",)},
    ),
    "lost, and back": (an_entry(phase=Phase.LOST), NEWS, {"phase": Phase.WAITING, "reason": "due: 1 segment"}),
    "removed, asked for": (published(phase=Phase.REMOVED), NEWS, {}),
    "removed, asked for, waits": (published(phase=Phase.REMOVED), Wait(reason="settles"), {}),
    "skipped": (
        an_entry(due_at=NOW),
        Skip(reason="too short"),
        {"phase": Phase.SKIPPED, "reason": "too short", "due_at": None},
    ),
    "stored stays stored": (
        published(pending=("a file",)),
        Skip(reason="listed in exclude_meetings"),
        {"phase": Phase.PUBLISHED, "reason": "listed in exclude_meetings", "pending": ()},
    ),
    "removed stays removed": (
        published(phase=Phase.REMOVED),
        Skip(reason="listed in exclude_meetings"),
        {"phase": Phase.REMOVED, "reason": "listed in exclude_meetings"},
    ),
    "stored, gone from the cloud": (
        published(retry=a_retry(NOW)),
        Skip(reason="gone", phase=Phase.DELETED),
        {"phase": Phase.DELETED, "reason": "gone", "retry": None},
    ),
    "lost": (
        an_entry(retry=a_retry(None)),
        Skip(reason="gone", phase=Phase.LOST),
        {"phase": Phase.LOST, "reason": "gone", "retry": None},
    ),
    "parked, excluded": (
        an_entry(retry=a_retry(None)),
        Skip(reason="listed in exclude_meetings"),
        {"phase": Phase.SKIPPED, "reason": "listed in exclude_meetings", "retry": None},
    ),
    "parked stays parked": (
        an_entry(retry=a_retry(None)),
        Wait(reason="parked after 10 tries"),
        {"reason": "parked after 10 tries"},
    ),
    "the command line leaves it out": (
        an_entry(retry=a_retry(LATER), due_at=LATER),
        Skip(reason="began after --until", phase=None),
        {},
    ),
}


@pytest.mark.parametrize("case", ANSWERED)
def test_an_answer_changes_an_entry(case: str) -> None:
    entry, answer, changes = ANSWERED[case]

    assert ledger.answered(entry, answer, LATER) == (replace(entry, changed_at=LATER, **changes) if changes else entry)


def test_an_answer_that_changes_nothing_is_no_change() -> None:
    entry = an_entry(reason="settles", due_at=LATER)

    assert ledger.answered(entry, Wait(reason="settles", due_at=LATER), LATER) is entry


def done(**changes: Any) -> Done:
    """One new file was stored."""
    return replace(Done(receipt=a_receipt(), stored=1, fetched=1, size=1000), **changes)


def test_what_was_published_is_stored_from_now_on() -> None:
    entry = an_entry(retry=a_retry(NOW), due_at=NOW, reason="due")

    assert ledger.stored(entry, done(), LATER) == replace(
        entry,
        phase=Phase.PUBLISHED,
        reason="stored 2026-03-10 13:00 UTC",
        changed_at=LATER,
        due_at=None,
        receipt=a_receipt(),
        stored_at=LATER,
        retry=None,
    )


def test_a_late_file_makes_deletion_count_anew() -> None:
    after = ledger.stored(published(refusal=a_retry(None)), done(stored=1), LATER)

    assert (after.stored_at, after.refusal) == (LATER, None)


def test_a_publication_without_a_new_file_does_not_count_anew() -> None:
    before = published()

    assert ledger.stored(before, done(stored=0), LATER).stored_at == before.stored_at


def test_a_file_that_failed_alone_is_tried_again_although_the_item_is_stored() -> None:
    problem = DownloadFailed("chat.txt: cut off", hint="wait")

    after = ledger.stored(an_entry(), done(pending=("chat_file: cut off",), problem=problem), NOW)

    assert (after.phase, after.pending, after.due_at) == (Phase.PUBLISHED, ("chat_file: cut off",), NOW + HOUR)
    assert after.retry == Retry(tries=1, error="chat.txt: cut off", hint="wait", at=NOW, next_at=NOW + HOUR, since=NOW)


@pytest.mark.parametrize(
    ("error", "tries", "reason", "next_at"),
    [
        (MeetingFailed("video: cut off"), 4, "failed: video: cut off", NOW + 8 * HOUR),
        (OutcomeUnknown("portal: not known yet"), 4, "failed: portal: not known yet", NOW + 8 * HOUR),
        (DiskFull("staging: no room"), 3, "failed: staging: no room", NOW),
        (StillProcessing("zoom: still processed"), 3, "failed: zoom: still processed", NOW),
        (DestinationUnsupported("portal: no such operation"), 3, "failed: portal: no such operation", NOW),
    ],
)
def test_a_failure_is_remembered(error: ZoomsyncError, tries: int, reason: str, next_at: Any) -> None:
    entry = an_entry(retry=a_retry(NOW))

    after = ledger.failed(entry, error, NOW)

    retry = Retry(tries=tries, error=str(error), hint="", at=NOW, next_at=next_at, since=NOW - HOUR)
    assert after == replace(entry, reason=reason, changed_at=NOW, retry=retry, due_at=next_at)


def test_what_a_server_did_not_answer_is_no_try_and_is_left_alone_for_a_while() -> None:
    entry = an_entry(retry=a_retry(NOW))

    after = ledger.failed(entry, Unreachable("zoom: HTTP 503"), NOW)
    taken_back = ledger.failed(entry, Unreachable("zoom: HTTP 503"), NOW, Cause.ELSEWHERE)

    retry = Retry(tries=3, error="zoom: HTTP 503", hint="", at=NOW, next_at=NOW + HOUR, since=NOW - HOUR, unanswered=1)
    expected = replace(entry, reason="failed: zoom: HTTP 503", changed_at=NOW, retry=retry, due_at=NOW + HOUR)
    assert after == expected
    assert taken_back == replace(expected, retry=replace(retry, next_at=NOW, unanswered=0), due_at=NOW)


def test_the_tenth_failure_parks() -> None:
    entry = an_entry(retry=a_retry(NOW, tries=9))

    after = ledger.failed(entry, MeetingFailed("video: cut off"), NOW)

    assert after.reason == "parked after 10 tries: video: cut off"
    assert after.retry is not None
    assert after.retry.is_parked


def test_what_a_person_removed_is_left_alone() -> None:
    entry = published(retry=a_retry(NOW), pending=("a file",), due_at=NOW)

    assert ledger.failed(entry, RemovedByPerson("published/ada: removed"), LATER) == replace(
        entry,
        phase=Phase.REMOVED,
        reason="published/ada: removed",
        changed_at=LATER,
        due_at=None,
        retry=None,
        pending=(),
    )


def test_each_deleted_file_is_remembered() -> None:
    before = published(deleted={"file-text": NOW}, refusal=a_retry(NOW))

    after = ledger.deleted(before, "file-video", LATER)

    assert after == replace(before, deleted={"file-text": NOW, "file-video": LATER}, refusal=None, changed_at=LATER)
    assert before.deleted == {"file-text": NOW}


@pytest.mark.parametrize(
    ("error", "cause", "tries", "unanswered", "next_at"),
    [
        (DeletionRefused("in use"), None, 1, 0, NOW + HOUR),
        (Unreachable("zoom: HTTP 503"), None, 0, 1, NOW + HOUR),
        (Unreachable("zoom: HTTP 503"), Cause.ELSEWHERE, 0, 0, NOW),
        (NotAuthorized("portal: refused"), None, 0, 0, NOW),
    ],
    ids=["refused", "unanswered", "unanswered because the service was down", "credential"],
)
def test_a_refused_deletion_is_remembered(
    error: ZoomsyncError, cause: Cause | None, tries: int, unanswered: int, next_at: Any
) -> None:
    before = published()

    refusal = Retry(tries=tries, error=str(error), hint="", at=NOW, next_at=next_at, since=NOW, unanswered=unanswered)
    assert ledger.refused(before, error, NOW, cause) == replace(before, changed_at=NOW, refusal=refusal)


def rules_for(entry: Entry, *, is_sweep: bool, retry_failed: bool, has_asked: bool) -> Rules:
    """Those that ask for most of this entry."""
    stored_in = entry.receipt.destination if entry.receipt is not None else ""
    return Rules(
        now=datetime(2100, 1, 1, tzinfo=UTC),
        since=START,
        settle=HOUR,
        min_duration=HOUR,
        views="all",
        kinds=frozenset(),
        hosts=None,
        is_sweep=is_sweep,
        retry_failed=retry_failed,
        destination=entry.asked if has_asked else stored_in,
        delete="trash",
    )


@given(entry=any_value(Entry), is_sweep=st.booleans(), retry_failed=st.booleans(), has_asked=st.booleans())
@settings(max_examples=300, deadline=None)
def test_what_a_rule_asks_for_is_found_by_the_facts_of_an_entry(entry: Entry, **asked: bool) -> None:
    rules, known = rules_for(entry, **asked), facts(entry)

    assert known.is_open or not is_open(entry, rules)
    decision = why_kept(entry, rules)
    may_go = decision is None or isinstance(decision, Keep)
    assert known.turn is not None or not may_go
    assert known.turn is not Turn.KEPT or decision is not None or rules.is_sweep
    assert known.is_notable or not known.is_open
