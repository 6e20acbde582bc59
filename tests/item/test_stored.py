"""What is stored of a meeting is looked at before it is trusted: what is whole, what is made again, what stays gone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from tests.fakes import SHA, a_cloud_file, a_file, a_meeting, a_piece, a_receipt
from zoomsync.destinations.base import Destination
from zoomsync.errors import MeetingFailed, OutcomeUnknown, RemovedByPerson, ZoomsyncError
from zoomsync.item.worker import known_receipt, verified_receipt
from zoomsync.model import Receipt, RecordingFile, Role, StoredFile, Verdict
from zoomsync.rules.publish import Publish

VIDEO, TEXT = a_file(), a_piece("T1", 0, 1800, size=500)
MEETING = a_meeting(files=(VIDEO, TEXT))


def a_stored(name: str, role: str, *made_of: str) -> StoredFile:
    return StoredFile(name=name, role=Role.parse(role), size=1000, sha256=SHA, made_of=made_of)


RECEIPT = a_receipt(
    MEETING,
    files=(a_stored("video.mp4", "video", VIDEO.id), a_stored("video.vtt", "captions", TEXT.id)),
    cloud=(a_cloud_file(VIDEO), a_cloud_file(TEXT, stored="video.vtt")),
)


@dataclass
class Holder:
    """A destination that finds this, and says that of it."""

    found: Receipt | ZoomsyncError | None = RECEIPT
    safe: bool = False
    facts: dict[str, Any] | None = None

    def find(self, _uuid: str, _known: Receipt | None = None) -> Receipt | None:
        if isinstance(self.found, ZoomsyncError):
            raise self.found
        return self.found

    def verify(self, receipt: Receipt) -> Verdict:
        return Verdict(safe=self.safe, reason="what is wrong", receipt=receipt, **(self.facts or {}))


def look(holder: Holder, known: Receipt | None = RECEIPT, in_zoom: Sequence[RecordingFile] = MEETING.files) -> Any:
    """What is stored of the meeting, of which these files are still in the cloud."""
    found = replace(MEETING, files=tuple(in_zoom))
    job = Publish(meeting=found, files=tuple(in_zoom), new=(), previous=None, reason="")
    return verified_receipt(job, cast("Destination", holder), known)


def names(receipt: Receipt) -> tuple[list[str], list[str]]:
    return [one.name for one in receipt.files], [one.id for one in receipt.cloud]


def test_what_is_whole_is_trusted_as_it_is() -> None:
    assert look(Holder(safe=True)) == RECEIPT


@pytest.mark.parametrize("facts", [{"passing": True}, {"silent": True}])
def test_what_only_proves_too_little_is_not_made_again(facts: dict[str, Any]) -> None:
    assert look(Holder(facts=facts)) == RECEIPT


def test_what_is_not_there_is_begun() -> None:
    assert look(Holder(found=None), known=None) is None


def test_what_cannot_be_read_now_is_nobodys_to_mend() -> None:
    with pytest.raises(MeetingFailed, match=r"^published/.*: what is wrong$") as caught:
        look(Holder())

    assert caught.value.hint == "look at it there; once it is deleted, the item is made again"


def test_a_broken_file_is_made_again_of_what_zoom_has() -> None:
    found = look(Holder(facts={"lacking": ("video.vtt",)}))

    assert names(found) == (["video.mp4"], [VIDEO.id])


def test_a_broken_text_that_zoom_does_not_have_stays_gone() -> None:
    with pytest.raises(RemovedByPerson, match="what is wrong, and Zoom has nothing left to make it of"):
        look(Holder(facts={"lacking": ("video.vtt",)}), in_zoom=[VIDEO])


def test_a_broken_video_that_zoom_has_only_in_part_stays_gone() -> None:
    second = a_file(id="file-2")
    receipt = replace(RECEIPT, files=(a_stored("video.mp4", "video", VIDEO.id, second.id), RECEIPT.files[1]))

    with pytest.raises(RemovedByPerson, match=r"video\.mp4 is gone, and Zoom has nothing left|what is wrong"):
        look(Holder(found=receipt, facts={"lacking": ("video.mp4",)}), known=receipt, in_zoom=[TEXT])


@pytest.mark.parametrize("found", [None, replace(RECEIPT, files=RECEIPT.files[1:])])
def test_a_video_that_the_state_knows_and_nobody_has_is_a_persons_deed(found: Receipt | None) -> None:
    with pytest.raises(RemovedByPerson, match=r"video\.mp4 is gone, and Zoom has nothing left to make it of"):
        look(Holder(found=found, safe=True), in_zoom=[TEXT])


def test_if_nothing_of_the_kind_is_left_there_what_zoom_still_has_begins_the_item_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    receipt = replace(RECEIPT, files=(a_stored("video.mp4", "video", VIDEO.id, "file-gone"), RECEIPT.files[1]))

    assert look(Holder(found=None), known=receipt) is None
    assert caplog.messages == ["made again without all that video.mp4 was made of: Zoom does not have it any more"]


MORE = replace(RECEIPT, cloud=(*RECEIPT.cloud, a_cloud_file(a_file(id="file-late"), stored="video.mp4")))
OTHER = replace(RECEIPT, cloud=(a_cloud_file(a_file(id="file-other")),))


@pytest.mark.parametrize(
    ("found", "expected"),
    [(MORE, MORE), (RECEIPT, RECEIPT), (OTHER, RECEIPT), (None, RECEIPT), (MeetingFailed("damaged"), RECEIPT)],
    ids=["more, after a kill", "the same", "something else", "nothing", "unreadable"],
)
def test_more_than_the_state_knows_is_taken_from_the_destination(found: Any, expected: Receipt) -> None:
    assert known_receipt(MEETING.uuid, RECEIPT, cast("Destination", Holder(found=found))) == expected


@pytest.mark.parametrize("error", [OutcomeUnknown("not yet", until=None), RemovedByPerson("gone")])
def test_what_must_be_known_first_is_not_passed_over(error: ZoomsyncError) -> None:
    with pytest.raises(type(error)):
        known_receipt(MEETING.uuid, RECEIPT, cast("Destination", Holder(found=error)))
