"""Captions and handouts: each of ours once, and never another's file taken for ours, whatever its name and size."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import CAPTIONS, LATE, VIDEO, a_staged, an_item, with_files, without
from tests.destinations.vidizmo.portals import Open, Wired
from tests.fakes import a_meeting
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Ending
from tests.sandbox.portal.blobs import Blob
from tests.sandbox.portal.faults import portal_error
from tests.sandbox.portal.media import Attribute, Caption, Handout
from zoomsync.destinations.vidizmo.media import attached_as
from zoomsync.errors import PartlyStored, Unreachable
from zoomsync.model import Item, Receipt

UUID = "/abc//DEF+ghi=="
OTHER = b"x" * len(LATE)


def a_blob(folder: Path, name: str, content: bytes) -> Blob:
    """What a person uploaded."""
    folder.mkdir()
    blob = Blob(guid=name, blob_id=name, file_name=name, folder=folder, size=len(content), sha256="theirs")
    blob.path.write_bytes(content)
    return blob


def texts(site: Wired) -> dict[str, bytes]:
    """What is attached to the one media, by its name."""
    attached: list[Caption | Handout] = [*site.only.captions, *site.only.handouts]
    return {one.file_name: one.blob.data for one in attached}


def the_video(site: Wired, folder: Path) -> Receipt:
    """The item without captions and chat, in the ledger."""
    receipt = site.published(with_files(a_meeting(files=()), [a_staged(folder, "video.mp4", VIDEO)]))
    site.settle()
    return receipt


def the_rest(folder: Path, chat: bytes = LATE) -> Item:
    """What came late."""
    return without(an_item(folder, late=chat), "video")


def test_a_persons_handout_of_the_same_name_and_size_is_not_ours(begin: Open, tmp_path: Path) -> None:
    site = begin()
    first = the_video(site, tmp_path)
    site.only.handouts.append(Handout(file_name="chat.txt", blob=a_blob(tmp_path / "blob", "chat.txt", OTHER)))

    second = site.published(the_rest(tmp_path), first)

    assert texts(site) == {"captions.vtt": CAPTIONS, "chat.txt": OTHER, "chat.v2.txt": LATE}
    assert [file.name for file in second.files] == ["video.mp4", "captions.vtt", "chat.v2.txt"]
    assert {one.stored for one in second.cloud} == {file.name for file in second.files}
    assert site.later().verify(second).safe
    assert site.destination.find(UUID) == second


@pytest.mark.parametrize(("culture", "kind"), [("en-US", "handout"), ("fr-FR", "caption")])
def test_a_persons_captions_of_the_same_name_are_not_ours(begin: Open, tmp_path: Path, culture: str, kind: str) -> None:
    site = begin()
    first = the_video(site, tmp_path)
    theirs = a_blob(tmp_path / "blob", "captions.vtt", b"WEBVTT\n")
    site.only.captions.append(Caption(culture=culture, file_name="captions.vtt", blob=theirs))

    second = site.published(the_rest(tmp_path), first)

    ours = {str(file.role): file for file in second.files}["captions"]
    assert attached_as(ours) == kind
    assert ours.name == ("captions.vtt" if kind == "handout" else "captions.v2.vtt")
    assert len(site.only.captions) + len(site.only.handouts) == 3
    assert kind != "caption" or texts(site)["captions.v2.vtt"] == CAPTIONS
    assert kind != "handout" or site.only.handouts[0].blob.data == CAPTIONS
    assert site.later().verify(second).safe


def without_answer() -> Fault:
    """It is done, and the connection dies before that is said."""
    return Fault(change=lambda _, __: Answer(stop_after=-1, ending=Ending.RESET))


@pytest.mark.parametrize("operation", ["handout_add", "media_update"])
def test_what_was_attached_and_not_answered_is_not_taken_for_other_bytes(
    begin: Open, tmp_path: Path, operation: str
) -> None:
    site = begin()
    first = the_video(site, tmp_path)
    fault = without_answer() if operation == "handout_add" else Fault(instead=lambda _: Answer(stop_after=-1))
    site.portal.fail(operation=operation, with_=fault, times=2)
    with suppress(Unreachable):
        site.published(the_rest(tmp_path, chat=OTHER), first)
    site.portal.heal()
    site.later()

    second = site.published(the_rest(tmp_path), first)

    assert texts(site) == {"captions.vtt": CAPTIONS, "chat.txt": OTHER, "chat.v2.txt": LATE}
    assert [file.sha256 for file in second.files if str(file.role) == "chat"] == [the_rest(tmp_path).files[-1].sha256]


@pytest.mark.parametrize("operation", ["caption_add", "handout_add"])
def test_what_was_attached_without_an_answer_is_there_once(begin: Open, tmp_path: Path, operation: str) -> None:
    site = begin()
    first = the_video(site, tmp_path)
    site.portal.fail(operation=operation, with_=without_answer(), times=2)
    with suppress(Unreachable):
        site.published(the_rest(tmp_path), first)
    site.later()
    site.clock.advance(days=3)

    second = site.published(the_rest(tmp_path), first)

    assert [len(site.only.captions), len(site.only.handouts)] == [1, 1]
    assert site.destination.verify(second).safe
    site.settle()
    assert site.journal.open_intents() == ()


@pytest.mark.parametrize("place", ["captions", "handouts"])
def test_a_portal_that_does_not_show_what_is_attached_proves_nothing_and_gets_it_once(
    begin: Open, tmp_path: Path, place: str
) -> None:
    site = begin(destination={"endpoints": {"media_get": {"answer": {place: ""}}}})
    receipt = site.published(an_item(tmp_path, late=LATE))
    site.settle()

    verdict = site.later().verify(receipt)
    again = site.published(without(an_item(tmp_path, late=LATE), "video", "captions", "chat"), receipt)

    assert (verdict.safe, verdict.removed, verdict.silent) == (False, False, True)
    assert verdict.reason.endswith(
        f"the portal does not say which {place} a media item has (destination.endpoints.media_get.answer.{place})"
    )
    assert again == receipt
    assert [len(site.only.captions), len(site.only.handouts)] == [1, 1]


def test_where_the_portal_does_not_show_it_the_answer_is_remembered(begin: Open, tmp_path: Path) -> None:
    site = begin(destination={"endpoints": {"media_get": {"answer": {"handouts": ""}}}})
    first = the_video(site, tmp_path)
    site.portal.fail(operation="media_update", with_=Fault(instead=lambda _: Answer(stop_after=-1)), times=2)
    with suppress(Unreachable):
        site.published(the_rest(tmp_path), first)
    site.portal.heal()
    site.later()

    site.published(the_rest(tmp_path), first)

    assert [one.file_name for one in site.only.handouts] == ["chat.txt"]


def test_a_refused_file_is_not_remembered_as_attached(begin: Open, tmp_path: Path) -> None:
    site = begin()
    first = the_video(site, tmp_path)
    late = a_staged(tmp_path, "captions.vtt", b"no captions at all")
    item = without(with_files(a_meeting(files=()), [a_staged(tmp_path, "video.mp4", VIDEO), late]), "video")

    site.portal.fail(operation="handout_add", with_=portal_error(400, "InvalidHandoutException"))

    with pytest.raises(PartlyStored, match=r"captions\.vtt: portal: handout_add: HTTP 400, InvalidHandout") as raised:
        site.published(item, first)

    assert site.journal.open_intents() == ()
    assert [file.name for file in raised.value.receipt.files] == ["video.mp4"]
    assert list(raised.value.lacking) == list(late.made_of)


def test_other_attributes_come_back_as_they_were(begin: Open, tmp_path: Path) -> None:
    site = begin()
    first = the_video(site, tmp_path)
    theirs: dict[str, Any] = {"Rooms": ["A 1", "B 2"], "Public": True, "Seats": 7, "Note": "", "Level": None}
    for number, name in enumerate(theirs):
        site.portal.catalogue.attributes[f"x{number}"] = Attribute(id=f"x{number}", field_name=name, type="Any")
    site.only.attributes.update(theirs)

    site.published(the_rest(tmp_path), first)

    kept = {name: value for name, value in site.only.attributes.items() if name in theirs}
    assert kept == {name: value for name, value in theirs.items() if value is not None}


def test_a_file_that_was_attached_under_another_name_keeps_it(begin: Open, tmp_path: Path) -> None:
    site = begin()
    first = the_video(site, tmp_path)
    site.only.handouts.append(Handout(file_name="chat.txt", blob=a_blob(tmp_path / "blob", "chat.txt", OTHER)))
    second = site.published(the_rest(tmp_path), first)
    site.settle()

    site.later()
    third = site.published(without(the_rest(tmp_path), "video", "captions", "chat"), second)

    assert third == second
    assert len(site.only.handouts) == 2
