"""Whether what the portal has proves enough to delete in Zoom, and what a receipt is worth when the state is lost."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.destinations.contract import CAPTIONS, LATE, VIDEO, a_staged, an_item, with_files, without
from tests.destinations.vidizmo.portals import Open, Wired, remove, replace_content
from tests.fakes import a_meeting
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer
from tests.sandbox.portal.faults import portal_error
from zoomsync.destinations.vidizmo.media import MediaReceipt, media_receipt, packed, unpacked
from zoomsync.destinations.vidizmo.operations import RECEIPT_ATTRIBUTE
from zoomsync.errors import MeetingFailed, RemovedByPerson, Unreachable
from zoomsync.model import Item, Receipt, Verdict

UUID = "/abc//DEF+ghi=="


def published(site: Wired, tmp_path: Path) -> Receipt:
    """An item with captions and a chat, whose receipt the ledger has."""
    receipt = site.published(an_item(tmp_path, late=LATE))
    site.settle()
    return receipt


def reported(verdict: Verdict) -> tuple[bool, bool, bool, str]:
    """Safe, removed by a person, will pass; and why."""
    return verdict.safe, verdict.removed, verdict.passing, verdict.reason


def test_what_is_there_as_it_was_published_is_safe(begin: Open, tmp_path: Path) -> None:
    site = begin()
    receipt = published(site, tmp_path)

    verdict = site.later().verify(receipt)

    assert reported(verdict) == (True, False, False, "3 files, 1.5 kB, sizes verified at the portal")
    assert len(site.portal.calls("media_get")) == 3


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("Rejected", "video.mp4 was rejected in the portal (media {id})"),
        ("Purged", "video.mp4 was removed from the portal"),
    ],
)
def test_what_was_rejected_or_purged_was_removed_by_a_person(
    begin: Open, tmp_path: Path, status: str, reason: str
) -> None:
    site = begin()
    receipt = published(site, tmp_path)
    site.only.status = status

    assert reported(site.destination.verify(receipt)) == (False, True, False, reason.format(id=receipt.place))


def test_what_nobody_has_approved_yet_waits(begin: Open, tmp_path: Path) -> None:
    site = begin()
    receipt = published(site, tmp_path)
    site.only.status = "PendingForApproval"

    reason = f"media {receipt.place} waits for approval in the portal"
    assert reported(site.destination.verify(receipt)) == (False, False, True, reason)


@pytest.mark.parametrize("status", ["Drafted", "Published"])
def test_any_other_state_is_as_good(begin: Open, tmp_path: Path, status: str) -> None:
    site = begin()
    receipt = published(site, tmp_path)
    site.only.status = status

    assert site.destination.verify(receipt).safe


def test_what_is_still_transcoded_waits(begin: Open, tmp_path: Path) -> None:
    site = begin(transcoding=3600)
    receipt = published(site, tmp_path)

    assert reported(site.destination.verify(receipt)) == (
        False,
        False,
        True,
        "video.mp4: the portal still transcodes it",
    )
    site.clock.advance(hours=1)
    assert site.destination.verify(receipt).safe


def test_a_size_that_differs_from_the_beginning_is_nobodys_deed(begin: Open, tmp_path: Path) -> None:
    site = begin(size_error=-1)
    receipt = published(site, tmp_path)

    safe, removed, _, reason = reported(site.destination.verify(receipt))
    assert (safe, removed) == (False, False)
    assert reason == f"video.mp4 has {len(VIDEO) - 1} bytes at the portal, {len(VIDEO)} were stored"


@pytest.mark.parametrize("name", ["captions.vtt", "chat.txt"])
def test_captions_and_chat_must_be_there(begin: Open, tmp_path: Path, name: str) -> None:
    site = begin()
    receipt = published(site, tmp_path)
    site.only.captions = [one for one in site.only.captions if one.file_name != name]
    site.only.handouts = [one for one in site.only.handouts if one.file_name != name]

    verdict = site.destination.verify(receipt)

    assert reported(verdict) == (False, True, False, f"{name} was removed from media {receipt.place}")
    assert verdict.lacking == (name,)


def test_a_person_may_edit_what_people_read(begin: Open, tmp_path: Path) -> None:
    site = begin()
    receipt = published(site, tmp_path)
    site.only.title = "A better title"
    site.only.version += 1

    assert site.destination.verify(receipt).safe


def test_content_of_the_same_size_is_reported_by_its_version(begin: Open, tmp_path: Path) -> None:
    site = begin()
    receipt = published(site, tmp_path)
    replace_content(site.portal, receipt.place, b"X" + VIDEO[1:])

    safe, removed, _, reason = reported(site.destination.verify(receipt))
    assert (safe, removed) == (False, True)
    assert reason.startswith("video.mp4 was replaced at the portal: version ")


@pytest.mark.parametrize(
    ("places", "reason"),
    [
        ({"size": ""}, "video.mp4: the portal does not say its size (destination.endpoints.media_get.answer.size)"),
        ({"processed": ""}, "video.mp4: the portal does not say whether it is transcoded"),
        ({"handout_size": ""}, "chat.txt: the portal does not say its size"),
    ],
)
def test_what_the_portal_does_not_say_proves_nothing(
    begin: Open, tmp_path: Path, places: dict[str, str], reason: str
) -> None:
    site = begin(destination={"endpoints": {"media_get": {"answer": places}}})
    receipt = published(site, tmp_path)

    safe, removed, passing, said = reported(site.destination.verify(receipt))
    assert (safe, removed, passing) == (False, False, False)
    assert said.startswith(reason)


def test_what_cannot_be_read_now_is_nobodys_deed(begin: Open, tmp_path: Path) -> None:
    site = begin()
    receipt = published(site, tmp_path)
    site.portal.fail(operation="media_get", times=None, with_=portal_error())

    with pytest.raises(Unreachable, match=r"media_get: .* InternalServerException \(incident"):
        site.destination.verify(receipt)


def test_what_a_person_removed_gets_nothing_late(begin: Open, tmp_path: Path) -> None:
    site = begin()
    first = site.published(an_item(tmp_path))
    site.settle()
    replace_content(site.portal, first.place, b"X" + VIDEO[1:])

    with pytest.raises(RemovedByPerson, match=r"video\.mp4 was replaced"):
        site.published(without(an_item(tmp_path, late=LATE), "video", "captions"), first)

    assert site.only.handouts == []


def test_a_rejected_item_is_left_alone_also_on_a_persons_wish(begin: Open, tmp_path: Path) -> None:
    site = begin()
    published(site, tmp_path)
    site.only.status = "Rejected"

    with pytest.raises(RemovedByPerson, match="was rejected in the portal") as raised:
        site.published(an_item(tmp_path, late=LATE))

    assert (
        raised.value.hint == f"approve or delete media {site.only.id} there, then run `zoomsync sync --meeting {UUID}`"
    )


class TestAfterTheStateWasLost:
    """Each media says itself what it holds, in a custom attribute."""

    def test_the_receipt_is_found_again(self, begin: Open, tmp_path: Path) -> None:
        site = begin()
        receipt = published(site, tmp_path)
        fresh = Wired(site.portal, site.clock)

        found = fresh.destination.find(UUID)

        assert found == receipt
        assert fresh.destination.verify(receipt).safe
        fresh.destination.detach()

    def test_a_media_item_has_the_sums_of_every_cloud_file(self, begin: Open, tmp_path: Path) -> None:
        site = begin()
        receipt = published(site, tmp_path)

        own = unpacked(site.only.attributes[RECEIPT_ATTRIBUTE], site.only.id)

        assert own == MediaReceipt(files=receipt.files, cloud=receipt.cloud)

    @pytest.mark.parametrize("value", ["", "zs1:", "zs1:!!!!", "somebody's note", None])
    def test_a_media_item_without_a_readable_receipt_is_not_published_a_second_time(
        self, begin: Open, tmp_path: Path, value: str | None
    ) -> None:
        site = begin()
        published(site, tmp_path)
        text = site.only.attributes[RECEIPT_ATTRIBUTE]
        site.only.attributes[RECEIPT_ATTRIBUTE] = text[:-8] if value is None else value

        with pytest.raises(MeetingFailed, match=f"media {site.only.id}: what it holds cannot be read") as raised:
            site.later().find(UUID)

        assert "delete the media in the portal" in raised.value.hint

    def test_the_state_alone_is_enough_to_go_on(self, begin: Open, tmp_path: Path) -> None:
        site = begin()
        first = site.published(an_item(tmp_path))
        site.settle()
        site.only.attributes[RECEIPT_ATTRIBUTE] = "gone"

        second = site.published(without(an_item(tmp_path, late=LATE), "video", "captions"), first)

        assert site.destination.verify(second).safe
        assert site.destination.find(UUID) == second

    def test_what_another_meeting_says_is_not_taken(self, begin: Open, tmp_path: Path) -> None:
        site = begin(keyword="ignored")
        published(site, tmp_path)
        site.published(an_item(tmp_path, a_meeting(uuid="other==", files=())))

        assert site.destination.find("a third one") is None

    def test_what_was_removed_is_found_no_more_though_the_index_says_so(self, begin: Open, tmp_path: Path) -> None:
        site = begin(index_lag=600)
        receipt = published(site, tmp_path)
        site.clock.advance(minutes=30)
        remove(site.portal, receipt)

        assert site.later().find(UUID) is None


def test_a_second_copy_becomes_a_draft_that_holds_nothing(begin: Open, tmp_path: Path) -> None:
    """As an index that was slower than `index_lag` may bring about."""
    site = begin()
    receipt = published(site, tmp_path)
    alone = replace(receipt, files=(replace(receipt.files[0], place="77"),))
    attributes = {**site.only.attributes, RECEIPT_ATTRIBUTE: packed(media_receipt(alone, "77"))}
    site.portal.media["77"] = replace(site.only, id="77", captions=[], handouts=[], attributes=attributes)

    again = site.published(an_item(tmp_path, late=LATE))

    states = {one.id: one.status for one in site.portal.media.values()}
    assert states == {receipt.place: "Published", "77": "Drafted"}
    assert (again, site.destination.find(UUID)) == (receipt, receipt)


def test_a_receipt_packs_small(tmp_path: Path) -> None:
    files = [a_staged(tmp_path, f"{number}.mp4", CAPTIONS * number) for number in range(1, 9)]
    item = with_files(a_meeting(files=()), files)
    whole = MediaReceipt(files=tuple(file.as_stored(place="41") for file in item.files), cloud=item.cloud)

    text = packed(whole)

    assert unpacked(text, "41") == whole
    assert len(text) < 2000


def test_stamps_are_the_states_and_tell_what_was_looked_at(begin: Open, tmp_path: Path) -> None:
    site = begin()
    receipt = published(site, tmp_path)
    site.clock.advance(timedelta(days=1).total_seconds())

    verdict = site.destination.verify(receipt)

    (before, after) = receipt.files[0].stamp, verdict.receipt.files[0].stamp
    assert before is not None
    assert after is not None
    assert (before.version, before.look) == (after.version, after.look) == ("2", after.look)
    assert after.at - before.at == timedelta(days=1)


def lost(site: Wired, item: Item, previous: Receipt | None) -> None:
    """Publish, and die before the last media is known to be made."""
    site.portal.fail(operation="media_create", with_=Fault(change=lambda _, __: Answer(stop_after=-1)))
    with suppress(Unreachable):
        site.published(item, previous)
    site.later()


def test_a_known_media_that_tells_nothing_is_not_taken_for_a_part_that_was_perhaps_made(
    begin: Open, tmp_path: Path
) -> None:
    site = begin()
    first = published(site, tmp_path)
    whole = without(an_item(tmp_path, late=LATE), "video", "captions", "chat").files
    late = with_files(a_meeting(files=()), [*whole, a_staged(tmp_path, "video.part-2.mp4", VIDEO * 3)])
    lost(site, late, first)
    del site.portal.media[first.place].attributes[RECEIPT_ATTRIBUTE]

    second = site.published(late, first)

    assert [one.sha256 for one in site.portal.media.values()] == [late.files[0].sha256, late.files[-1].sha256]
    assert site.destination.verify(second).safe


@pytest.mark.parametrize("is_update", [False, True])
def test_a_media_item_that_was_made_and_tells_nothing_is_not_made_again(
    begin: Open, tmp_path: Path, is_update: bool
) -> None:
    site = begin()
    first = published(site, tmp_path) if is_update else None
    stored = without(an_item(tmp_path, late=LATE), "video", "captions", "chat").files if is_update else ()
    late = with_files(a_meeting(files=()), [*stored, a_staged(tmp_path, "video.part-2.mp4", VIDEO * 3)])
    lost(site, late, first)
    made = [*site.portal.media.values()][-1]
    del made.attributes[RECEIPT_ATTRIBUTE]

    with pytest.raises(MeetingFailed, match=f"media {made.id}: what it holds cannot be read from its attribute"):
        site.published(late, first)

    assert len(site.portal.media) == (2 if is_update else 1)
