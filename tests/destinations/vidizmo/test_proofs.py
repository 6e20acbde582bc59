"""What a deletion rests on: each media item read afresh, and what is said of its content, as far as it is said."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import LATE, VIDEO, an_item, without
from tests.destinations.vidizmo.portals import Open, Wired, replace_content, wired
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Request, json_answer
from tests.sandbox.portal.media import Caption
from zoomsync.errors import MeetingFailed, RemovedByPerson
from zoomsync.model import Receipt, Verdict

HASHED = {"endpoints": {"media_get": {"answer": {"sha256": "contentHash"}}}}


def published(site: Wired, folder: Path) -> Receipt:
    """An item with captions and a chat, whose receipt the ledger has."""
    receipt = site.published(an_item(folder, late=LATE))
    site.settle()
    site.later()
    return receipt


def reported(verdict: Verdict) -> tuple[bool, bool, bool, bool]:
    """Safe, removed by a person, will pass, not said."""
    return verdict.safe, verdict.removed, verdict.passing, verdict.silent


def test_each_deletion_asks_for_each_media_item_and_remembers_nothing(begin: Open, tmp_path: Path) -> None:
    site = begin()
    receipt = published(site, tmp_path)
    site.portal.forget()

    first = site.destination.verify(receipt).safe
    site.only.handouts.clear()
    second = site.destination.verify(receipt)

    assert (first, second.safe, second.removed) == (True, False, True)
    assert [one.operation for one in site.portal.requests if "search" not in one.path] == ["media_get"] * 2


def answering(tell: Callable[[Any], Any]) -> Fault:
    """What a portal tells, told otherwise."""

    def change(_: Request, answer: Answer) -> Answer:
        return json_answer(tell(json.loads(answer.content.read(0, answer.content.size))))

    return Fault(change=change)


class TestAHash:
    """A portal that says the SHA-256 of the content."""

    def test_of_the_same_content_is_the_proof(self, begin: Open, tmp_path: Path) -> None:
        site = begin(destination=HASHED)
        receipt = published(site, tmp_path)
        site.only.extra["contentHash"] = receipt.files[0].sha256.upper()

        verdict = site.destination.verify(receipt)

        assert verdict.safe
        assert verdict.reason == "3 files, 1.5 kB, sizes, and SHA-256 of each media item, verified at the portal"

    @pytest.mark.parametrize("is_newer", [False, True])
    def test_of_other_content_stops_it_whatever_the_size(self, begin: Open, tmp_path: Path, is_newer: bool) -> None:
        site = begin(destination=HASHED)
        receipt = published(site, tmp_path)
        site.only.extra["contentHash"] = "0" * 64
        site.only.title, site.only.version = "Edited, too", site.only.version + is_newer

        verdict = site.destination.verify(receipt)

        assert reported(verdict) == (False, is_newer, False, False)
        assert verdict.reason == "video.mp4 has other content at the portal (SHA-256) than what was stored"

    @pytest.mark.parametrize("value", ["d41d8cd98f00b204e9800998ecf8427e", "", None, 7, "x" * 64])
    def test_that_is_none_is_taken_for_nothing(self, begin: Open, tmp_path: Path, value: Any) -> None:
        site = begin(destination=HASHED)
        receipt = published(site, tmp_path)
        site.only.extra["contentHash"] = value

        verdict = site.destination.verify(receipt)

        assert (verdict.safe, "SHA-256" in verdict.reason) == (True, False)

    def test_proves_what_the_size_does_not(self, begin: Open, tmp_path: Path) -> None:
        places = {"sha256": "contentHash", "size": ""}
        site = begin(destination={"endpoints": {"media_get": {"answer": places}}})
        receipt = published(site, tmp_path)
        before = site.destination.verify(receipt)
        site.only.extra["contentHash"] = receipt.files[0].sha256

        assert (reported(before)[3], site.destination.verify(receipt).safe) == (True, True)


@pytest.mark.parametrize("ask", ["verify", "publish"])
def test_an_answer_about_another_media_item_proves_nothing(begin: Open, tmp_path: Path, ask: str) -> None:
    """A cache or a wrong row may give it, with the right uuid and size."""
    site = begin()
    receipt = published(site, tmp_path)

    site.portal.fail(operation="media_get", with_=answering(lambda told: {**told, "id": 7}), times=None)

    with pytest.raises(MeetingFailed, match=f"asked for media {receipt.place}, the answer is about 7") as raised:
        if ask == "verify":
            site.destination.verify(receipt)
        else:
            site.published(an_item(tmp_path, late=LATE), receipt)

    assert not isinstance(raised.value, RemovedByPerson)
    assert len(site.portal.media) == 1


@pytest.mark.parametrize("size", [0, -1, None, "", "many", True, [7]])
def test_a_size_that_is_none_or_nothing_proves_nothing(begin: Open, tmp_path: Path, size: Any) -> None:
    site = begin(destination={"endpoints": {"media_get": {"answer": {"size": "contentSize"}}}})
    receipt = published(site, tmp_path)
    site.only.extra["contentSize"] = size

    verdict = site.destination.verify(receipt)

    assert (verdict.safe, verdict.removed) == (False, False)
    assert verdict.silent is (size not in (0, -1) or size is True or size == "")


def test_what_was_replaced_is_seen_though_its_size_is_not_said(begin: Open, tmp_path: Path) -> None:
    site = begin(destination={"endpoints": {"media_get": {"answer": {"size": ""}}}})
    receipt = published(site, tmp_path)
    replace_content(site.portal, receipt.place, b"X" + VIDEO[1:])

    assert reported(site.destination.verify(receipt)) == (False, True, False, False)


def test_a_version_that_transcoding_raises_is_no_replacement_though_the_portal_is_silent_about_that(
    begin: Open, tmp_path: Path
) -> None:
    places = {"endpoints": {"media_get": {"answer": {"processed": "content.0.none"}}}}
    site = begin(destination=places, contents=True, transcoding=600, version_by_transcoding=True)
    receipt = published(site, tmp_path)
    site.clock.advance(hours=1)

    assert reported(site.destination.verify(receipt)) == (False, False, False, True)


class TestAfterTheStateWasLost:
    """What was found is known from then on: as it looked, and since when."""

    def test_what_is_never_transcoded_does_not_wait_for_ever(self, begin: Open, tmp_path: Path) -> None:
        site = begin(transcoding=None)
        published(site, tmp_path)
        with wired(site.portal, site.clock) as fresh:
            found = fresh.destination.find("/abc//DEF+ghi==")
            assert found is not None
            first = fresh.destination.verify(found)
            site.clock.advance(days=3)
            second = fresh.destination.verify(found)

        assert (reported(first), reported(second)) == ((False, False, True, False), (False, False, False, False))
        assert "the portal has not transcoded it since" in second.reason

    def test_what_is_replaced_later_is_seen(self, begin: Open, tmp_path: Path) -> None:
        site = begin()
        receipt = published(site, tmp_path)
        with wired(site.portal, site.clock) as fresh:
            found = fresh.destination.find(receipt.uuid)
            assert found is not None
            replace_content(site.portal, receipt.place, b"X" + VIDEO[1:])

            assert reported(fresh.destination.verify(found)) == (False, True, False, False)


class TestContentsInDetail:
    """A portal whose captions stand among what changes with the content."""

    def test_what_people_edit_is_no_replacement(self, begin: Open, tmp_path: Path) -> None:
        site = begin(contents=True)
        receipt = published(site, tmp_path)
        site.only.captions.append(Caption(culture="fr", file_name="theirs.vtt", blob=site.only.captions[0].blob))
        site.only.version += 1
        with_captions = site.destination.verify(receipt)
        site.only.title = "A better title"
        site.only.version += 1

        assert (with_captions.safe, site.destination.verify(with_captions.receipt).safe) == (True, True)

    @pytest.mark.parametrize("status", ["Deleted", "Purged"])
    def test_deleted_content_gets_nothing_late(self, begin: Open, tmp_path: Path, status: str) -> None:
        site = begin(contents=True)
        first = site.published(an_item(tmp_path))
        site.settle()
        site.only.content_status = status
        site.later()

        with pytest.raises(RemovedByPerson, match=r"video\.mp4 was removed from the portal"):
            site.published(without(an_item(tmp_path, late=LATE), "video", "captions"), first)

        assert (site.only.handouts, len(site.portal.media)) == ([], 1)
        assert site.destination.find(first.uuid, first) is None


def test_what_lies_in_an_envelope_is_compared_without_what_changes(begin: Open, tmp_path: Path) -> None:
    """Else a replacement of the same size would look like an edit."""
    names = ("id", "status", "size", "version", "attributes", "handouts", "processed", "captions", "updated")
    table = {"attributes": "customAttributes", "processed": "isProcessed", "updated": "updatedDate"}
    places = {name: f"data.{table.get(name, name)}" for name in names}
    site = begin(destination={"endpoints": {"media_get": {"answer": places}}})
    site.portal.fail(operation="media_get", with_=answering(lambda told: {"data": told}), times=None)
    receipt = published(site, tmp_path)
    site.only.title, site.only.version = "A better title", site.only.version + 1
    edited = site.destination.verify(receipt)
    replace_content(site.portal, receipt.place, b"X" + VIDEO[1:])

    assert (edited.safe, reported(site.destination.verify(edited.receipt))) == (True, (False, True, False, False))
