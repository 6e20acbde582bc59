"""Which cloud copies one pass deletes, in what order, and what it verifies for that."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.decisions import a_retry, published, rules
from tests.fakes import NOW, FakeClock, FakeZoom, a_cloud_file, a_file, a_meeting, a_receipt
from zoomsync.destinations.base import Destination
from zoomsync.errors import Forbidden, MeetingFailed, StillProcessing, Unreachable, ZoomsyncError
from zoomsync.model import DAY, HOUR, Arrival, Entry, Meeting, Outcome, Phase, Verdict
from zoomsync.rules.request import SyncRequest
from zoomsync.state import State, audit
from zoomsync.sync.breaker import Breaker
from zoomsync.sync.deleter import Deleter, Deletions
from zoomsync.sync.recorder import Recorder
from zoomsync.sync.tally import Tally

RULES = rules(delete="trash", delete_after=7 * DAY)


def meeting(name: str, **changes: Any) -> Meeting:
    """A meeting of one video, `file-NAME`."""
    return a_meeting(**{"uuid": name, "files": (a_file(id=f"file-{name}"),)} | changes)


def stored(name: str, days: float = 8, **changes: Any) -> Entry:
    """A meeting that was stored so many days ago."""
    return published(meeting(name), stored_at=NOW - days * DAY, **changes)


class Place:
    """A pass that deletes, before a Zoom in memory; `verdicts` are what verifying raises, or says instead of yes."""

    def __init__(self, folder: Path, *, is_dry: bool = False) -> None:
        self.zoom, self.clock = FakeZoom(), FakeClock()
        self.state = State.open(folder / "state.json", new_id="f" * 32)
        self.tally = Tally()
        request = SyncRequest(dry_run=is_dry)
        destination = cast("Destination", SimpleNamespace(can_replace=True))
        self.recorder = Recorder(self.state, self.clock, destination, request, self.tally)
        self.verdicts: dict[str, Callable[[Entry], Verdict] | ZoomsyncError] = {}
        self.verified: list[str] = []
        ids = (f"{number:032x}" for number in range(99))
        self.audit = audit.Audit(folder / "audit.jsonl", self.clock, pass_id="c0ffee00")
        deleter = None if is_dry else Deleter(self.zoom, self.state, self.audit, self.clock, lambda: next(ids))
        breakers = (Breaker(self.zoom.ping), Breaker(lambda: None))
        self.deletions = Deletions(self.zoom, self.recorder, breakers, self.verify, deleter)

    def verify(self, entry: Entry) -> Future[Verdict]:
        self.verified.append(entry.uuid)
        done: Future[Verdict] = Future()
        answer = self.verdicts.get(entry.uuid)
        if isinstance(answer, ZoomsyncError):
            done.set_exception(answer)
        else:
            done.set_result(answer(entry) if answer is not None else whole(entry))
        return done

    def run(self, *entries: Entry, limit: int = 99, ahead: int = 2, until: float = 99, **changes: Any) -> list[str]:
        """One pass over these entries; the ids of the files that were deleted, in order."""
        self.state.put(*entries)
        self.zoom.meetings = {**{one.uuid: meeting(one.uuid) for one in entries}, **self.zoom.meetings}
        is_over = lambda: len(self.zoom.deleted) >= until  # noqa: E731
        rules = replace(RULES, **changes)
        self.deletions.run(rules, includes=lambda _: True, limit=limit, ahead=ahead, is_over=is_over)
        return [file for _, file, _ in self.zoom.deleted]

    def entry(self, name: str) -> Entry:
        return self.state.entries[name]

    @property
    def outcomes(self) -> dict[Outcome, int]:
        return {outcome: count for outcome, count in self.tally.outcomes.items() if count}


def whole(entry: Entry) -> Verdict:
    assert entry.receipt is not None
    return Verdict(safe=True, reason="1 file, content verified", receipt=entry.receipt)


def unsafe(**facts: Any) -> Callable[[Entry], Verdict]:
    return lambda entry: replace(whole(entry), safe=False, reason="video.mp4: cut", **facts)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    with found.state, found.audit:
        yield found


@pytest.fixture
def dry(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path, is_dry=True)
    with found.state, found.audit:
        yield found


def test_the_longest_stored_goes_first_and_what_failed_before_last(place: Place) -> None:
    refused = a_retry(NOW - HOUR)

    done = place.run(stored("b", 9), stored("a", 30, refusal=refused), stored("c", 8), stored("d", 20), stored("e", 1))

    assert done == ["file-d", "file-b", "file-c", "file-a"]
    assert [place.entry(one).phase for one in "abcde"] == [*[Phase.DELETED] * 4, Phase.PUBLISHED]


def test_what_is_stored_equally_long_goes_in_the_order_in_which_it_came(place: Place) -> None:
    assert place.run(*(stored(name) for name in "cab")) == ["file-c", "file-a", "file-b"]


def test_a_limit_counts_meetings_that_were_deleted_alone(place: Place) -> None:
    place.verdicts = {"a": unsafe()}

    done = place.run(stored("a", 30), stored("b", 20), stored("c", 10), stored("d", 9), limit=2)

    assert (done, place.tally.left) == (["file-b", "file-c"], ["deletions beyond delete_limit (2)"])


def test_when_time_is_over_nothing_more_is_begun(place: Place) -> None:
    assert place.run(stored("a", 9), stored("b", 8), until=1) == ["file-a"]
    assert place.tally.left == ["deletions: time was up"]


def test_only_what_is_due_is_verified_and_no_more_than_a_few_ahead(place: Place) -> None:
    place.run(*(stored(name) for name in "abcdef"), stored("early", 1), limit=1, ahead=3)

    assert place.verified == ["a", "b", "c", "d"]


def test_a_dry_run_says_what_would_go_up_to_the_limit_and_verifies_nothing(dry: Place) -> None:
    short = meeting("b", files=(a_file(id="file-b", size=None),))
    dry.zoom.meetings = {"b": short}
    entries = [stored("a", 30), published(short, stored_at=NOW - 20 * DAY), stored("c", 10)]

    done = dry.run(*entries, limit=2)

    assert (done, dry.verified, dry.tally.left) == ([], [], ["deletions beyond delete_limit (2)"])
    assert [(row.action, row.uuid, row.size) for row in dry.tally.rows] == [("delete", "a", 1000), ("delete", "b", 0)]
    assert dry.outcomes == {Outcome.DELETE: 2}


@pytest.mark.parametrize(
    ("answer", "outcome", "phase", "kept"),
    [
        (unsafe(), Outcome.UNPROVEN, Phase.PUBLISHED, ""),
        (unsafe(removed=True), Outcome.ALTERED, Phase.REMOVED, ""),
        (unsafe(passing=True), None, Phase.PUBLISHED, "not deleted: video.mp4: cut"),
        (MeetingFailed("video.mp4: damaged"), Outcome.UNPROVEN, Phase.PUBLISHED, ""),
        (Forbidden("portal: refused"), Outcome.UNPROVEN, Phase.PUBLISHED, ""),
        (Unreachable("portal: HTTP 500"), Outcome.UNPROVEN, Phase.PUBLISHED, ""),
    ],
)
def test_what_is_not_proven_stays_and_stops_no_other(
    place: Place, answer: Any, outcome: Outcome | None, phase: Phase, kept: str
) -> None:
    place.verdicts = {"a": answer}

    done = place.run(stored("a", 9), stored("b"))

    assert done == ["file-b"]
    assert (place.entry("a").phase, place.entry("a").kept) == (phase, kept)
    assert place.outcomes == {Outcome.DELETED: 1} | ({outcome: 1} if outcome is not None else {})
    is_asked_again = outcome is Outcome.UNPROVEN
    assert (place.entry("a").refusal is not None) is is_asked_again


@pytest.mark.parametrize(
    ("found", "late"),
    [
        (meeting("a", files=(a_file(id="file-a"), a_file(id="file-late", view="gallery_view"))), ["a"]),
        (meeting("a", files=(a_file(id="file-a", size=7),)), ["a"]),
        (StillProcessing("zoom: still processing"), []),
        (MeetingFailed("zoom: refused"), []),
    ],
)
def test_what_zoom_shows_otherwise_now_is_not_deleted(place: Place, found: Any, late: list[str]) -> None:
    place.zoom.meetings = {"a": found}

    done = place.run(stored("a", 9), stored("b"))

    assert (done, [one.uuid for one in place.deletions.late]) == (["file-b"], late)


def test_what_is_gone_from_the_cloud_is_no_deletion(place: Place) -> None:
    place.state.put(stored("a"))
    place.deletions.run(RULES, includes=lambda _: True, limit=9, ahead=1, is_over=lambda: False)

    assert (place.zoom.deleted, place.entry("a").phase) == ([], Phase.DELETED)
    assert place.outcomes == {Outcome.UP_TO_DATE: 1}


BOTH = (a_file(id="file-a"), a_file(id="file-short", view="gallery_view"))


def partly(**changes: Any) -> Entry:
    """A meeting of two files, of which the second came twice in another size than Zoom lists."""
    of = meeting("a", files=BOTH)
    short = a_cloud_file(BOTH[1], fetched_size=400, arrival=Arrival.TWICE)
    receipt = a_receipt(of, cloud=(a_cloud_file(BOTH[0]), short))
    return published(of, receipt=receipt, stored_at=NOW - 8 * DAY, **changes)


REASON = "stored, but kept in Zoom: gallery_view: 400 bytes came twice, Zoom lists 1,000"


def test_what_came_whole_goes_and_what_did_not_stays_with_its_reason(place: Place) -> None:
    place.zoom.meetings = {"a": meeting("a", files=BOTH)}

    done = place.run(partly())

    after = place.entry("a")
    assert (done, set(after.deleted), after.phase, after.kept) == (["file-a"], {"file-a"}, Phase.PUBLISHED, REASON)
    assert place.outcomes == {Outcome.DELETED: 1}


def test_what_is_kept_is_asked_about_and_verified_no_more(place: Place) -> None:
    entry = partly(deleted={"file-a": NOW - DAY})

    done = place.run(entry)

    assert (done, place.zoom.asked, place.verified, place.entry("a").kept) == ([], [], [], REASON)
    assert place.outcomes == {}


def test_a_sweep_asks_whether_what_is_kept_is_still_there_and_verifies_nothing_for_it(place: Place) -> None:
    entry = partly(deleted={"file-a": NOW - DAY}, kept=REASON)
    place.zoom.meetings = {"a": meeting("a", files=BOTH[1:])}

    place.run(entry, is_sweep=True)
    before = place.entry("a").phase
    place.zoom.meetings = {"a": meeting("a", files=())}
    place.run(entry, is_sweep=True)

    assert (before, place.entry("a").phase, place.verified) == (Phase.PUBLISHED, Phase.DELETED, [])


def test_a_dry_run_says_what_is_kept(dry: Place) -> None:
    dry.run(partly(deleted={"file-a": NOW - DAY}))

    assert [(row.action, row.reason) for row in dry.tally.rows] == [("wait", REASON)]
