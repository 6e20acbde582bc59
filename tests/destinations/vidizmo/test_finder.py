"""How media are found again at a portal by its search alone."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import an_item
from tests.destinations.vidizmo.portals import ME, Open, Wired
from tests.fakes import a_meeting
from tests.sandbox.faults import lost_answer
from tests.sandbox.portal.media import Media
from tests.sandbox.portal.showing import Showing
from zoomsync.destinations.vidizmo.operations import TABLE
from zoomsync.destinations.vidizmo.text import tag_of
from zoomsync.errors import Unreachable
from zoomsync.model import Receipt

UUID = a_meeting().uuid


def after_a_pass(site: Wired, tmp_path: Path, uuid: str = UUID) -> Receipt:
    """The item of a meeting, published in a pass that has ended: no intent is left to find it by."""
    receipt = site.published(an_item(tmp_path / "staging", a_meeting(uuid=uuid, files=())))
    site.settle()
    site.later()
    return receipt


def test_what_is_published_under_a_host_is_found_by_the_account_that_signs_in(begin: Open, tmp_path: Path) -> None:
    site = begin()
    receipt = after_a_pass(site, tmp_path)

    assert site.portal.users[site.only.author].email != ME
    assert site.destination.find(UUID) == receipt


@pytest.mark.parametrize("shows", ["full", "empty", "none"])
@pytest.mark.parametrize("keyword", ["substring", "words", "ignored", "plain", "refusing"])
def test_each_meeting_has_its_own_media_whatever_a_search_finds_and_shows(
    begin: Open, tmp_path: Path, keyword: str, shows: str
) -> None:
    site = begin(keyword=keyword, search_attributes=shows)
    receipts = {uuid: after_a_pass(site, tmp_path, uuid) for uuid in (UUID, "/abc//DEF+ghj==", "DEF")}

    assert {uuid: site.destination.find(uuid) for uuid in receipts} == receipts
    assert site.destination.find("/abc//DEF") is None
    assert len({receipt.place for receipt in receipts.values()}) == 3


@pytest.mark.parametrize("keyword", ["substring", "plain"])
def test_nothing_is_published_twice_by_a_pass_that_knows_of_nothing(begin: Open, tmp_path: Path, keyword: str) -> None:
    site = begin(keyword=keyword)
    receipt = after_a_pass(site, tmp_path)

    assert site.published(an_item(tmp_path / "staging")) == receipt
    assert len(site.portal.media) == 1


def test_media_are_searched_for_by_uuid_and_then_by_tag(begin: Open) -> None:
    site = begin()

    site.destination.find(UUID)

    asked = [one.document for one in site.portal.calls("media_search")]
    assert [one.pop("keyword") for one in asked] == [UUID, tag_of(UUID)]
    states = {"Drafted", "PendingForApproval", "Published", "Rejected"}
    assert [states - set(one.pop("status")) for one in asked] == [set(), set()]
    rest = {"pageSize": 50, "pageIndex": 0, "isGlobal": True, "mashupSearchParts": ["CustomAttributes", "Tags"]}
    assert asked == [rest, rest]


@pytest.mark.parametrize(
    ("part", "found"), [("CustomAttributes", True), ("Tags", True), ("Title", False)], ids=["uuid", "tag", "neither"]
)
def test_either_of_uuid_and_tag_is_enough_to_find_a_media(begin: Open, tmp_path: Path, part: str, found: bool) -> None:
    body: Any = TABLE["media_search"].body
    site = begin(destination={"endpoints": {"media_search": {"body": {**body, "mashupSearchParts": [part]}}}})
    after_a_pass(site, tmp_path)
    site.only.description = ""

    assert (site.destination.find(UUID) is not None) is found


def test_a_media_item_without_its_uuid_or_its_tag_is_found_by_the_other(begin: Open, tmp_path: Path) -> None:
    site = begin()
    receipt = after_a_pass(site, tmp_path)
    site.only.description, site.only.tags = "", []

    assert site.destination.find(UUID) == receipt


def test_the_attribute_of_the_uuid_is_made_to_be_searched_for_and_to_hinder_nobody(begin: Open, tmp_path: Path) -> None:
    site = begin()

    site.published(an_item(tmp_path / "staging"))

    made = [row for one in site.portal.calls("attribute_create") for row in one.document]
    (uuid,) = [row for row in made if row["fieldName"] == "ZoomMeetingUUID"]
    assert (uuid["fieldTypeId"], uuid["searchable"]) == ("Text", "true")
    assert {row["isMandatory"] for row in made} == {"false"}


@pytest.mark.parametrize(
    "shown", [{}, {"value": None}, {"fieldValue": UUID}, {"fieldName": "Department", "value": "HR"}]
)
def test_an_entry_that_does_not_tell_its_uuid_is_looked_at(
    begin: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: dict[str, Any]
) -> None:
    plain = Showing.found

    def found(self: Showing, media: Media, parts: Collection[str]) -> dict[str, Any]:
        return plain(self, media, parts) | {"customAttributes": [{"fieldName": "ZoomMeetingUUID", **shown}]}

    monkeypatch.setattr(Showing, "found", found)
    site = begin()
    site.portal.fail(operation="media_create", with_=lost_answer())
    with pytest.raises(Unreachable):
        site.published(an_item(tmp_path / "staging"))
    site.clock.advance(minutes=20)
    site.later()

    site.published(an_item(tmp_path / "staging"))

    assert len(site.portal.media) == 1
