"""Portals that contradict themselves, forget what they had, or are of another time: nothing is concluded in haste."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from tests.destinations.contract import LATE, Journal, an_item, without
from tests.destinations.vidizmo.portals import Open, Wired, new_id
from tests.fakes import FakeClock, a_meeting
from tests.sandbox.faults import Fault, lost_answer
from tests.sandbox.portal.faults import lost_request, portal_error
from zoomsync.destinations.vidizmo.client import PortalRefused
from zoomsync.destinations.vidizmo.intents import IntentLog
from zoomsync.errors import MeetingFailed, OutcomeUnknown, PartlyStored, RemovedByPerson, Unreachable, ZoomsyncError
from zoomsync.model import Item, Receipt

UUID = a_meeting().uuid
INDEX_LAG = timedelta(minutes=15)
"""What a config assumes of an index."""


def published(site: Wired, folder: Path) -> Receipt:
    """An item with captions and a chat, whose receipt the ledger has."""
    receipt = site.published(an_item(folder, late=LATE))
    site.settle()
    site.later()
    return receipt


def alive(site: Wired) -> int:
    """How many media there are that nobody deleted."""
    return sum(media.deleted is None for media in site.portal.media.values())


def hide(site: Wired) -> None:
    """The portal says of every media that it is not there."""
    site.portal.fail(operation="media_get", with_=portal_error(404, "MashupNotFoundException"), times=None)


def hide_as_gone(site: Wired) -> None:
    """Likewise, in other words."""
    site.portal.fail(operation="media_get", with_=portal_error(410, "MashupGoneException"), times=None)


def move(site: Wired) -> None:
    """The portal has the operation elsewhere, all of a sudden."""
    site.portal.settings.paths["media_get"] = ("GET", "media/{id}")


@pytest.mark.parametrize("befall", [hide, hide_as_gone, move])
class TestMediaThatTheSearchListsAndTheirReadingDoesNotShow:
    """That is a matter of the table of operations, or of the portal: no person's deed, and no reason to make more."""

    def refused(self, ask: Callable[[], object], place: str) -> None:
        with pytest.raises(MeetingFailed, match=f"media_search lists media {place}, and media_get says") as raised:
            ask()
        assert not isinstance(raised.value, RemovedByPerson)
        assert "destination.endpoints.media_get" in raised.value.hint

    def test_nothing_is_proven_removed_or_made(
        self, begin: Open, tmp_path: Path, befall: Callable[[Wired], None]
    ) -> None:
        site = begin()
        receipt = published(site, tmp_path)
        befall(site)

        self.refused(lambda: site.destination.verify(receipt), receipt.place)
        self.refused(lambda: site.destination.find(UUID), receipt.place)
        self.refused(lambda: site.published(an_item(tmp_path, late=LATE), receipt), receipt.place)
        self.refused(lambda: site.published(an_item(tmp_path, late=LATE)), receipt.place)

        assert (len(site.portal.media), site.portal.calls("media_update")[1:]) == (1, [])
        assert site.portal.calls("upload_start")[3:] == []

    def test_where_a_search_tells_no_attributes_what_the_ledger_knows_is_not_removed_either(
        self, begin: Open, tmp_path: Path, befall: Callable[[Wired], None]
    ) -> None:
        site = begin(search_attributes="none")
        receipt = published(site, tmp_path)
        befall(site)

        self.refused(lambda: site.destination.verify(receipt), receipt.place)
        self.refused(lambda: site.published(an_item(tmp_path, late=LATE), receipt), receipt.place)

        assert len(site.portal.media) == 1

    def test_once_it_is_shown_again_all_goes_on(
        self, begin: Open, tmp_path: Path, befall: Callable[[Wired], None]
    ) -> None:
        site = begin()
        receipt = published(site, tmp_path)
        befall(site)
        with suppress(MeetingFailed):
            site.published(an_item(tmp_path, late=LATE), receipt)
        site.portal.heal()
        site.portal.settings.paths.clear()
        site.later()

        assert site.destination.verify(receipt).safe
        assert site.published(an_item(tmp_path, late=LATE), receipt) == receipt


@pytest.mark.parametrize("status", ["Archived", "Deleted", "publish"])
def test_a_state_that_nobody_knows_proves_nothing(begin: Open, tmp_path: Path, status: str) -> None:
    site = begin()
    receipt = published(site, tmp_path)
    site.only.status = status

    verdict = site.destination.verify(receipt)

    assert (verdict.safe, verdict.removed, verdict.passing, verdict.silent) == (False, False, False, False)
    assert verdict.reason == f"media {receipt.place} is in the state {status}, which means nothing to zoomsync"


@pytest.mark.parametrize(
    ("status", "is_safe", "is_removed", "is_passing"),
    [
        ("published", True, False, False),
        ("PUBLISHED", True, False, False),
        ("drafted", True, False, False),
        ("pendingforapproval", False, False, True),
        ("REJECTED", False, True, False),
        ("purged", False, True, False),
    ],
)
def test_a_state_is_known_in_whatever_case(
    begin: Open, tmp_path: Path, status: str, is_safe: bool, is_removed: bool, is_passing: bool
) -> None:
    site = begin()
    receipt = published(site, tmp_path)
    site.only.status = status

    verdict = site.destination.verify(receipt)

    assert (verdict.safe, verdict.removed, verdict.passing) == (is_safe, is_removed, is_passing)


class TestCallsFromTheFuture:
    """The clock was ahead when they were made; an index that is waited for until then would hold up everything."""

    def test_calls_from_the_future_count_from_now_on_and_only_once(self) -> None:
        clock, journal = FakeClock(), Journal()
        intents = IntentLog(journal, clock, new_id, portal="portal", index_lag=INDEX_LAG)
        now = clock.now()
        clock.advance(days=400)
        intent = intents.begin("create", uuid=UUID, target="video")
        clock.set(now)

        first = intents.shows_from(intent)
        (kept,) = journal.open_intents()
        clock.advance(minutes=5)
        second = intents.shows_from(kept)
        clock.advance(minutes=10)

        assert (kept.id, kept.at, first, second) == (intent.id, now, now + INDEX_LAG, now + INDEX_LAG)
        assert intents.shows_from(kept) is None

    @pytest.mark.parametrize("fault", [lost_request(), lost_answer()], ids=["not made", "made"])
    def test_the_item_is_there_once_after_as_long_as_any_index_takes(
        self, begin: Open, tmp_path: Path, fault: Fault
    ) -> None:
        site, right = begin(index_lag=600), FakeClock()
        now = right.now()
        site.portal.settings.clock = right.now
        site.clock.advance(days=400)
        site.portal.fail(operation="media_create", with_=fault)
        with pytest.raises(Unreachable):
            site.published(an_item(tmp_path))
        made = len(site.portal.media)
        site.clock.set(now)
        site.later()

        with pytest.raises(OutcomeUnknown) as raised:
            site.destination.find(UUID)
        for clock in (site.clock, right):
            clock.advance(INDEX_LAG.total_seconds())
        receipt = site.published(an_item(tmp_path))

        assert raised.value.until == now + INDEX_LAG
        assert (made, len(site.portal.media)) == (int(fault.change is not None), 1)
        assert site.later().verify(receipt).safe


class TestWhatAPersonDeletesBeforeTheLedgerKnowsOfIt:
    """It was made and seen, so nothing is waited for; that the ledger would have it there is nobody's wish."""

    def made_and_deleted(self, site: Wired, folder: Path, *, seen_later: bool) -> None:
        """The pass that makes the media loses the portal; it sees it before that, or a later pass does."""
        fault = lost_answer() if seen_later else lost_request()
        site.portal.fail(operation="media_create" if seen_later else "caption_add", with_=fault, times=2)
        with pytest.raises(Unreachable):
            site.published(an_item(folder, late=LATE))
        site.portal.heal()
        assert not seen_later or site.later().find(UUID) is not None
        site.only.deleted = site.clock.now()
        site.later()

    @pytest.mark.parametrize("seen_later", [False, True])
    def test_what_was_deleted_is_made_again_at_once_and_once(
        self, begin: Open, tmp_path: Path, seen_later: bool
    ) -> None:
        site = begin()
        self.made_and_deleted(site, tmp_path, seen_later=seen_later)

        assert site.destination.find(UUID) is None
        receipt = site.published(an_item(tmp_path, late=LATE))

        assert (alive(site), len(site.portal.media)) == (1, 2)
        assert site.only.id == receipt.place
        assert site.later().verify(receipt).safe
        assert site.published(an_item(tmp_path, late=LATE), receipt) == receipt
        assert alive(site) == 1

    def test_an_index_that_still_lists_it_is_waited_for(self, begin: Open, tmp_path: Path) -> None:
        site = begin(index_lag=300)
        self.made_and_deleted(site, tmp_path, seen_later=False)
        site.portal.media[next(iter(site.portal.media))].created -= timedelta(hours=1)

        with pytest.raises(MeetingFailed, match="media_search lists media") as raised:
            site.destination.find(UUID)
        site.clock.advance(minutes=6)
        receipt = site.published(an_item(tmp_path, late=LATE))

        assert "a search may lag behind a removal" in raised.value.hint
        assert (alive(site), site.only.id) == (1, receipt.place)


class TestUploadsThatThePortalHasForgotten:
    """What was committed in an earlier pass and belongs to nothing yet may be tidied away: then it is sent again."""

    def forgotten(self, site: Wired, folder: Path, operation: str) -> Receipt | None:
        """An upload is committed, what it is for is not heard, and all uploads are forgotten; a video is known."""
        known = None
        if operation != "media_create":
            known = site.published(an_item(folder))
            site.settle()
        site.portal.fail(operation=operation, with_=lost_request(), times=2)
        with pytest.raises(Unreachable):
            site.published(self.item(folder, known), known)
        site.portal.heal()
        site.portal.blobs.clear()
        site.portal.forget()
        site.clock.advance(minutes=20)
        site.later()
        return known

    def item(self, folder: Path, known: Receipt | None) -> Item:
        whole = an_item(folder, late=LATE)
        return whole if known is None else without(whole, "video", "captions")

    @pytest.mark.parametrize("operation", ["media_create", "handout_add"])
    @pytest.mark.parametrize(
        ("status", "name"),
        [
            (400, "BlobNotFoundException"),
            (400, "ContentMissingException"),
            (404, "ResourceNotFoundException"),
            (410, "GoneException"),
        ],
    )
    def test_the_next_pass_sends_it_again(
        self, begin: Open, tmp_path: Path, operation: str, status: int, name: str
    ) -> None:
        site = begin()
        known = self.forgotten(site, tmp_path, operation)
        site.portal.fail(operation=operation, with_=portal_error(status, name))
        with pytest.raises((PortalRefused, PartlyStored), match=name):
            site.published(self.item(tmp_path, known), known)
        sent = len(site.portal.calls("upload_start"))

        receipt = site.published(self.item(tmp_path, known), known)

        assert (sent, len(site.portal.calls("upload_start")) > 0) == (0, True)
        assert (alive(site), site.only.handouts[0].blob.data) == (1, LATE)
        assert site.later().verify(receipt).safe

    def test_what_is_refused_for_another_reason_is_not_sent_again(self, begin: Open, tmp_path: Path) -> None:
        site = begin()
        site.portal.fail(operation="media_create", with_=portal_error(400, "TitleTooLongException"))
        with pytest.raises(PortalRefused, match="TitleTooLong"):
            site.published(an_item(tmp_path))
        before = len(site.portal.calls("upload_block"))

        site.published(an_item(tmp_path))

        assert (before, len(site.portal.calls("upload_block"))) == (1, 2)


@pytest.mark.parametrize("shows", ["none", "empty"])
@pytest.mark.parametrize("keyword", ["substring", "words"])
def test_what_is_listed_without_attributes_and_not_shown_is_not_made_again_by_a_pass_that_knows_of_nothing(
    begin: Open, tmp_path: Path, shows: str, keyword: str
) -> None:
    site = begin(search_attributes=shows, keyword=keyword)
    site.published(an_item(tmp_path, late=LATE))
    site.settle()
    site.later()
    site.portal.fail(operation="media_get", with_=portal_error(404, "MashupNotFoundException"), times=None)

    with pytest.raises(ZoomsyncError):
        site.published(an_item(tmp_path, late=LATE))

    assert len(site.portal.media) == 1
