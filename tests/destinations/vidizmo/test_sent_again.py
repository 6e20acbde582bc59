"""Texts that the portal says it took and does not show: sent again once that proves that they are not there."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import CAPTIONS, LATE, VIDEO, a_staged, an_item, with_files, without
from tests.destinations.vidizmo.portals import Open, Wired
from tests.fakes import a_meeting
from tests.sandbox.faults import Fault, body, lost_answer
from tests.sandbox.portal.faults import lost_request, portal_error
from tests.sandbox.portal.media import Handout
from zoomsync.errors import MeetingFailed, OutcomeUnknown, Unreachable
from zoomsync.model import Item, Receipt

INDEX_LAG = timedelta(minutes=15)
ADDING = ("caption_add", "handout_add")
EMPTY, ODD = body("", "application/json"), body('{"x":1}', "application/json")
NOT_DONE = pytest.mark.parametrize("answer", [EMPTY, ODD, body("[]", "application/json")], ids=["empty", "x", "[]"])


def begun(begin: Open, folder: Path, *, shows: bool = True, **settings: Any) -> tuple[Wired, Receipt]:
    """A video that the ledger has; and, if the portal is known to show texts, another item with some."""
    site = begin(**settings)
    if shows:
        site.published(an_item(folder, a_meeting(uuid="other==", files=()), late=LATE))
    first = site.published(with_files(a_meeting(files=()), [a_staged(folder, "video.mp4", VIDEO)]))
    site.settle()
    return site, first


def texts(folder: Path, kind: str) -> Item:
    """What came late: captions or a chat."""
    if kind == "caption_add":
        return without(an_item(folder), "video")
    files = [a_staged(folder, "video.mp4", VIDEO), a_staged(folder, "chat.txt", LATE)]
    return without(with_files(a_meeting(files=()), files), "video")


def attached(site: Wired, receipt: Receipt) -> list[bytes]:
    """What is attached to the media item of a receipt."""
    media = site.portal.media[receipt.place]
    return [one.blob.data for one in media.captions] + [one.blob.data for one in media.handouts]


def attempt(site: Wired, item: Item, known: Receipt, fault: Fault, operation: str) -> None:
    """A pass in which the portal answers so to every call of this operation."""
    site.portal.fail(operation=operation, with_=fault, times=None)
    with suppress(MeetingFailed, Unreachable):
        site.published(item, known)
    site.portal.heal()
    site.later()


@NOT_DONE
@pytest.mark.parametrize("kind", ADDING)
def test_it_is_sent_again_once_it_must_show_and_there_it_is_once(
    begin: Open, tmp_path: Path, kind: str, answer: Fault
) -> None:
    site, first = begun(begin, tmp_path)
    item = texts(tmp_path, kind)
    attempt(site, item, first, answer, kind)

    with pytest.raises(OutcomeUnknown) as waits:
        site.published(item, first)
    site.clock.advance(INDEX_LAG.total_seconds())
    site.later()
    receipt = site.published(item, first)

    assert waits.value.until == site.clock.now()
    assert attached(site, first) == [CAPTIONS if kind == "caption_add" else LATE]
    assert site.later().verify(receipt).safe
    assert site.published(item, receipt) == receipt
    assert len(attached(site, first)) == 1


@pytest.mark.parametrize("kind", ADDING)
def test_while_it_goes_on_it_is_sent_once_a_pass(begin: Open, tmp_path: Path, kind: str) -> None:
    site, first = begun(begin, tmp_path)
    item = texts(tmp_path, kind)
    before = len(site.portal.calls(kind))
    for _ in range(3):
        attempt(site, item, first, EMPTY, kind)
        site.clock.advance(hours=1)

    assert len(site.portal.calls(kind)) - before == 3
    assert len([one for one in site.journal.open_intents() if one.action == "attach"]) == 1


@pytest.mark.parametrize("kind", ADDING)
def test_the_ledger_does_not_come_to_think_that_it_is_stored(begin: Open, tmp_path: Path, kind: str) -> None:
    site, first = begun(begin, tmp_path)

    attempt(site, texts(tmp_path, kind), first, EMPTY, kind)

    assert site.destination.find(first.uuid, first) == first


@pytest.mark.parametrize("kind", ADDING)
def test_a_portal_that_was_never_seen_to_show_any_gets_it_once(begin: Open, tmp_path: Path, kind: str) -> None:
    """Its row may say wrongly where they are: an empty list there proves nothing."""
    site, first = begun(begin, tmp_path, shows=False)
    item = texts(tmp_path, kind)
    attempt(site, item, first, EMPTY, kind)
    before = len(site.portal.calls(kind))

    for _ in range(3):
        site.clock.advance(hours=1)
        site.later()
        with pytest.raises(MeetingFailed, match="and does not show it among its") as raised:
            site.published(item, first)

    assert len(site.portal.calls(kind)) == before
    assert "destination.endpoints.media_get.answer." in raised.value.hint


@pytest.mark.parametrize("kind", ADDING)
def test_a_portal_that_gives_other_names_gets_it_once(begin: Open, tmp_path: Path, kind: str) -> None:
    site, first = begun(begin, tmp_path, shows=False)
    item, media = texts(tmp_path, kind), site.portal.media[first.place]

    for _ in range(3):
        with suppress(MeetingFailed):
            site.published(item, first)
        media.captions = [replace(one, file_name=f"1f-{one.file_name}") for one in media.captions]
        media.handouts = [replace(one, file_name=f"1f-{one.file_name}") for one in media.handouts]
        site.clock.advance(hours=1)
        site.later()

    assert len(attached(site, first)) == 1


def test_a_portal_that_shows_another_size_gets_it_once(begin: Open, tmp_path: Path) -> None:
    site, first = begun(begin, tmp_path)
    item, media = texts(tmp_path, "handout_add"), site.portal.media[first.place]
    attempt(site, item, first, lost_answer(), "handout_add")
    media.handouts = [Handout(file_name="chat.txt", blob=replace(media.handouts[0].blob, size=1))]
    site.clock.advance(hours=1)
    site.later()

    with pytest.raises(MeetingFailed, match=rf"chat\.txt has 1 bytes at the portal, {len(LATE)} were sent") as raised:
        site.published(item, first)

    assert len(media.handouts) == 1
    assert "answer.handout_size says where its size is" in raised.value.hint


@pytest.mark.parametrize("kind", ADDING)
@pytest.mark.parametrize("fault", [lost_request(), lost_answer()], ids=["not done", "done"])
def test_without_an_answer_it_is_sent_again_when_it_must_show(
    begin: Open, tmp_path: Path, kind: str, fault: Fault
) -> None:
    """What was sent may still be on its way when the next pass begins."""
    site, first = begun(begin, tmp_path)
    item, media = texts(tmp_path, kind), site.portal.media[first.place]
    attempt(site, item, first, fault, kind)
    late = (media.captions, media.handouts)
    media.captions, media.handouts = [], []

    with pytest.raises(OutcomeUnknown, match=f"whether media {first.place} has"):
        site.published(item, first)
    media.captions, media.handouts = late
    site.clock.advance(INDEX_LAG.total_seconds())
    site.later()
    site.published(item, first)

    assert len(attached(site, first)) == 1


def test_what_is_attached_in_one_way_is_known_where_the_other_is_not_shown(begin: Open, tmp_path: Path) -> None:
    site, first = begun(begin, tmp_path, destination={"endpoints": {"media_get": {"answer": {"captions": ""}}}})
    item = texts(tmp_path, "handout_add")
    attempt(site, item, first, lost_answer(), "handout_add")
    site.clock.advance(hours=1)

    site.published(item, first)

    assert attached(site, first) == [LATE]


@pytest.mark.parametrize("status", [400, 403, 500])
def test_media_that_cannot_be_read_keep_nobody_from_knowing_that_others_are_shown(
    begin: Open, tmp_path: Path, status: int
) -> None:
    site, first = begun(begin, tmp_path)
    item = texts(tmp_path, "handout_add")
    site.portal.media["0"] = replace(site.portal.media[first.place], id="0", attributes={})
    attempt(site, item, first, EMPTY, "handout_add")
    site.clock.advance(hours=1)
    broken = site.portal.fail("/mashup/0$", operation="media_get", with_=portal_error(status), times=None)

    site.published(item, first)

    assert broken.struck
    assert attached(site, first) == [LATE]
