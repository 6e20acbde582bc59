"""Deleting: durable before the call what is deleted and on what proof, and after it what became of it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.decisions import published
from tests.fakes import NOW, FakeClock, FakeZoom, a_cloud_file, a_file, a_meeting, a_receipt
from zoomsync.errors import (
    DeletionRefused,
    MeetingFailed,
    NotAuthorized,
    ServiceUnavailable,
    ZoomsyncError,
)
from zoomsync.model import HOUR, Entry, Intent, RecordingFile, Stamp, Verdict
from zoomsync.rules.delete import Delete
from zoomsync.state import State, audit
from zoomsync.sync.breaker import ASK_AFTER, Breaker
from zoomsync.sync.deleter import Deleter

FILES = tuple(a_file(id=f"file-{number}") for number in (1, 2, 3, 4))
MEETING = a_meeting(files=FILES)
RECEIPT = a_receipt(MEETING, cloud=tuple(a_cloud_file(file) for file in FILES))
DELETION = Delete(
    meeting=MEETING,
    receipt=RECEIPT,
    verdict=Verdict(safe=True, reason="1 file, content verified", receipt=RECEIPT),
    files=FILES,
    mode="trash",
    reason="stored",
)
ENTRY = published(MEETING, receipt=RECEIPT)


class Place:
    """A state and an audit in a folder, and a Zoom that has the meeting."""

    def __init__(self, folder: Path) -> None:
        self.zoom = FakeZoom()
        self.zoom.meetings = {MEETING.uuid: MEETING}
        self.state = State.open(folder / "state.json", new_id="f" * 32)
        self.state.put(ENTRY)
        self.path = folder / "audit.jsonl"
        clock, ids = FakeClock(), (f"{number:032x}" for number in range(99))
        self.audit = audit.Audit(self.path, clock, pass_id="c0ffee00")
        self.deleter = Deleter(self.zoom, self.state, self.audit, clock, lambda: next(ids))

    def delete(self) -> Entry:
        return self.deleter.delete(DELETION, ENTRY)

    def settle(self) -> None:
        self.deleter.settle_open(Breaker(self.zoom.ping))

    def fails(self, **errors: ZoomsyncError) -> None:
        """The deletion of these files: `fails(file_2=…)`."""
        self.zoom.deletions = {name.replace("_", "-"): error for name, error in errors.items()}

    @property
    def lines(self) -> list[tuple[Any, ...]]:
        """The audit: each deletion with its file, each answer with its words."""
        return [(line["event"], line.get("file", line.get("answer"))) for line in audit.read(self.path)]

    @property
    def open(self) -> list[str]:
        """Ids of the files whose deletion is not settled."""
        return [intent.target for intent in self.state.open_intents()]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    with found.state, found.audit:
        yield found


def test_each_file_is_announced_deleted_and_answered(place: Place) -> None:
    after = place.delete()

    assert (set(after.deleted), after.refusal, place.open) == ({file.id for file in FILES}, None, [])
    assert place.state.entries[MEETING.uuid] == after
    assert place.lines == [line for file in FILES for line in [("deleting", file.id), ("answer", "204")]]


def test_a_refusal_ends_the_deletion_of_the_meeting(place: Place) -> None:
    place.fails(file_2=DeletionRefused("zoom: in use by a webinar"))

    after = place.delete()

    assert (set(after.deleted), after.refusal and after.refusal.error) == ({"file-1"}, "zoom: in use by a webinar")
    assert place.lines[2:] == [("deleting", "file-2"), ("answer", "refused: zoom: in use by a webinar")]
    assert place.open == []


def test_a_missing_right_is_answered_and_ends_more_than_the_meeting(place: Place) -> None:
    place.fails(file_1=NotAuthorized("zoom: scope missing"))

    with pytest.raises(NotAuthorized):
        place.delete()

    assert place.lines == [("deleting", "file-1"), ("answer", "refused: zoom: scope missing")]
    assert (place.open, place.state.entries[MEETING.uuid]) == ([], ENTRY)


def test_what_became_of_a_deletion_without_an_answer_stays_open(place: Place) -> None:
    place.fails(file_2=ServiceUnavailable("zoom: HTTP 500"))

    after = place.delete()

    assert (set(after.deleted), after.refusal and after.refusal.tries) == ({"file-1"}, 0)
    assert place.lines[2:] == [("deleting", "file-2"), ("answer", "none: zoom: HTTP 500")]
    assert place.open == ["file-2"]


def test_deletions_without_an_answer_one_after_the_other_are_given_up(place: Place) -> None:
    place.fails(file_1=ServiceUnavailable("zoom: HTTP 500"))

    given_up = []
    for _ in range(ASK_AFTER):
        place.delete()
        given_up.append(place.deleter.is_given_up)

    assert given_up == [False, False, True]
    assert place.open == ["file-1"] * ASK_AFTER


@pytest.mark.parametrize(
    ("is_there", "answer", "deleted"),
    [(True, "still in the cloud", {"file-1"}), (False, "gone from the cloud", {"file-1", "file-2"})],
)
def test_the_next_pass_finds_out_what_became_of_it(
    place: Place, is_there: bool, answer: str, deleted: set[str]
) -> None:
    place.fails(file_2=ServiceUnavailable("zoom: HTTP 500"))
    place.state.put(place.delete())
    if not is_there:
        place.zoom.meetings = {MEETING.uuid: a_meeting(files=FILES[2:])}

    place.settle()

    assert (place.open, place.lines[-1]) == ([], ("settled", answer))
    assert place.state.entries[MEETING.uuid].deleted == dict.fromkeys(deleted, NOW)


def test_it_stays_open_while_zoom_does_not_answer(place: Place) -> None:
    place.fails(file_2=ServiceUnavailable("zoom: HTTP 500"))
    place.delete()
    place.zoom.meetings = {MEETING.uuid: ServiceUnavailable("zoom: HTTP 502")}

    place.settle()

    assert (place.open, place.lines[-1]) == (["file-2"], ("answer", "none: zoom: HTTP 500"))


def test_a_meeting_that_zoom_never_answers_about_is_asked_with_pauses_what_became_of_its_deletion(place: Place) -> None:
    place.fails(file_2=ServiceUnavailable("zoom: HTTP 500"))
    place.state.put(place.delete())
    place.zoom.meetings = {MEETING.uuid: ServiceUnavailable("zoom: HTTP 502")}

    place.settle()
    refusal = place.state.entries[MEETING.uuid].refusal
    place.settle()

    assert refusal is not None
    assert (refusal.unanswered, refusal.next_at, refusal.error) == (2, NOW + 2 * HOUR, "zoom: HTTP 502")
    assert place.zoom.asked == [f"meeting {MEETING.uuid}"]


def test_a_zoom_that_is_down_is_not_asked_on_and_delays_no_deletion(place: Place) -> None:
    place.fails(file_1=ServiceUnavailable("zoom: HTTP 500"))
    for _ in range(ASK_AFTER):
        place.state.put(place.delete())
    before = place.state.entries[MEETING.uuid]
    place.zoom.meetings = {MEETING.uuid: ServiceUnavailable("zoom: HTTP 502")}
    place.zoom.down = ServiceUnavailable("zoom: HTTP 503")
    breaker = Breaker(place.zoom.ping)
    for _ in range(ASK_AFTER - 1):
        breaker.failed()

    with pytest.raises(ServiceUnavailable, match="503"):
        place.deleter.settle_open(breaker)

    assert (place.state.entries[MEETING.uuid], place.open) == (before, ["file-1"] * ASK_AFTER)


def test_after_the_first_file_is_refused_zoom_is_asked_for_no_other(place: Place) -> None:
    place.fails(file_1=DeletionRefused("zoom: in use by a webinar"))

    place.delete()

    assert [file for _, file, _ in place.zoom.deleted] == ["file-1"]
    assert place.lines == [("deleting", "file-1"), ("answer", "refused: zoom: in use by a webinar")]


def test_after_the_first_file_had_no_answer_zoom_is_asked_for_no_other(place: Place) -> None:
    place.fails(file_1=ServiceUnavailable("zoom: HTTP 500"))

    after = place.delete()

    assert [file for _, file, _ in place.zoom.deleted] == ["file-1"]
    assert (after.deleted, place.open, place.state.entries[MEETING.uuid].deleted) == ({}, ["file-1"], {})


def test_a_right_that_vanishes_in_the_middle_leaves_what_was_done_and_no_open_intent(place: Place) -> None:
    place.fails(file_2=NotAuthorized("zoom: scope missing"))

    with pytest.raises(NotAuthorized):
        place.delete()

    assert (place.open, set(place.state.entries[MEETING.uuid].deleted)) == ([], {"file-1"})
    assert place.lines[2:] == [("deleting", "file-2"), ("answer", "refused: zoom: scope missing")]


def test_a_zoom_that_cannot_be_asked_leaves_every_intent_open(place: Place) -> None:
    place.fails(file_1=ServiceUnavailable("zoom: HTTP 500"))
    for _ in range(2):
        place.delete()
    place.zoom.meetings = {MEETING.uuid: MeetingFailed("zoom: refused")}

    place.settle()

    assert (place.open, len(place.zoom.asked), len(place.lines)) == (["file-1"] * 2, 2, 4)


@pytest.mark.parametrize(("files", "deleted"), [(FILES, set()), (FILES[2:], {"file-1", "file-2"})])
def test_two_deletions_without_an_answer_are_settled_each_for_itself(
    place: Place, files: tuple[RecordingFile, ...], deleted: set[str]
) -> None:
    place.fails(file_1=ServiceUnavailable("zoom: HTTP 500"), file_2=ServiceUnavailable("zoom: HTTP 502"))
    for file in FILES[:2]:
        place.deleter.delete(replace(DELETION, files=(file,)), ENTRY)
    place.zoom.meetings = {MEETING.uuid: a_meeting(files=files)}

    place.settle()

    answer = "gone from the cloud" if deleted else "still in the cloud"
    assert (place.open, place.lines[-2:]) == ([], [("settled", answer)] * 2)
    assert set(place.state.entries[MEETING.uuid].deleted) == deleted


def test_what_was_deleted_without_an_answer_is_settled_also_if_nothing_is_known_of_its_meeting(place: Place) -> None:
    place.state.begin(Intent(id="a" * 32, at=NOW, action="delete", uuid="forgotten==", target="file-9"))

    place.settle()

    assert (place.open, place.lines) == ([], [("settled", "gone from the cloud")])


def test_the_proof_is_as_old_as_the_oldest_reading_of_a_stored_file(place: Place) -> None:
    first = RECEIPT.files[0]
    files = (replace(first, name=f"{hours}.mp4", stamp=Stamp(at=NOW - hours * HOUR)) for hours in (1, 3, 2))
    receipt = replace(RECEIPT, files=(*RECEIPT.files, *files))
    verdict = Verdict(safe=True, reason="4 files, content verified", receipt=receipt)

    place.deleter.delete(replace(DELETION, receipt=receipt, verdict=verdict), ENTRY)

    proofs = [line["proof"] for line in audit.read(place.path) if line["event"] == "deleting"]
    assert [one["verified_at"] for one in proofs] == ["2026-03-10T09:00:00Z"] * 4
    assert {one["verified"] for one in proofs} == {"4 files, content verified"}
