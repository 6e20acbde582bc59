"""Segments that had to be re-encoded, at the portal: one video, whose segments beside it prove it; never a second."""

import pytest

from tests.e2e.harness import a_stage
from tests.e2e.portal_site import TRASH, AtPortal
from tests.e2e.test_portal_days_later import killed_at
from tests.sandbox.portal.faults import lost_request, portal_error
from tests.sandbox.stage import Stage
from zoomsync.model import Phase


@pytest.fixture
def odd() -> Stage:
    """Two segments of different sizes: they are re-encoded."""
    stage = a_stage()
    stage.meeting("m", "alice", 2, "M")
    stage.video("m", seconds=1)
    stage.video("m", 2, at=120, seconds=1, width=640, height=360)
    return stage


def test_killed_before_its_segments_are_beside_it_it_is_completed(at_portal: AtPortal, odd: Stage) -> None:
    site = at_portal(odd, config=TRASH)
    killed_at(site, "media_create", is_done=True)
    site.clock.advance(hours=26)

    result, again = site.sync(), site.sync()
    site.clock.advance(days=8)
    last = site.sync()

    assert (result.code, again.counts.get("up_to_date"), len(site.one("m").handouts)) == (0, 1, 2)
    assert (last.code, last.counts["deleted"]) == (0, 1)


def test_what_could_not_be_attached_is_attached_by_the_next_pass(at_portal: AtPortal, odd: Stage) -> None:
    site = at_portal(odd)
    site.portal.fail(operation="handout_add", with_=lost_request(), times=None)
    first = site.sync()
    site.portal.heal()
    site.clock.advance(hours=2)

    second = site.sync()

    assert (first.code, second.code, len(site.one("m").handouts)) == (1, 0, 2)


def test_a_portal_that_takes_them_only_after_transcoding_gets_one_video(at_portal: AtPortal, odd: Stage) -> None:
    site = at_portal(odd, captions_wait=True, transcoding=3600)

    for _ in range(6):
        assert site.sync().code == 0
        site.clock.advance(minutes=15)

    assert len(site.one("m").handouts) == 2


@pytest.mark.parametrize("status", [400, 403])
def test_a_portal_that_never_takes_them_gets_one_video_and_zoom_keeps_the_meeting(
    at_portal: AtPortal, odd: Stage, status: int
) -> None:
    site = at_portal(odd, config=TRASH)
    site.portal.fail(operation="handout_add", with_=portal_error(status, "HandoutTypeException"), times=None)

    codes = []
    for _ in range(4):
        codes.append(site.sync().code)
        site.clock.advance(hours=70)

    assert (codes, len(site.media("m")), site.world.deletions) == ([1] * 4, 1, [])
    assert site.entry("m").phase is Phase.PUBLISHED
    assert "HandoutTypeException" in site.reported()["m"]


def test_two_late_ones_that_never_get_theirs_become_one_part(at_portal: AtPortal) -> None:
    stage = a_stage()
    stage.meeting("m", "alice", 2, "M")
    stage.video("m", seconds=1)
    site = at_portal(stage)
    site.sync()
    stage.video("m", 2, at=120, seconds=1)
    stage.video("m", 3, at=240, seconds=1, width=640, height=360)
    site.portal.fail(operation="handout_add", with_=portal_error(400, "HandoutTypeException"), times=None)

    for _ in range(3):
        site.clock.advance(days=1)
        assert site.sync().code == 1

    assert len(site.media("m")) == 2


def test_joined_captions_that_are_forbidden_once_are_there_as_a_handout(at_portal: AtPortal) -> None:
    stage = a_stage()
    stage.meeting("m", "alice", 2, "M")
    for number in (1, 2):
        stage.video("m", number, at=120 * (number - 1), seconds=2)
        stage.texts("m", number, at=120 * (number - 1), seconds=2)
    site = at_portal(stage, config=TRASH)
    site.portal.fail(operation="caption_add", with_=portal_error(403, "QuotaException"))

    result = site.sync()

    names = [one.file_name for one in site.one("m").handouts]
    assert (result.code, "video.vtt" in names, len(names)) == (0, True, len(set(names)))
    assert "is attached as a handout: portal: caption_add: HTTP 403, QuotaException" in result.stderr


def test_the_same_text_of_two_segments_is_there_twice(at_portal: AtPortal) -> None:
    stage = a_stage()
    stage.meeting("m", "alice", 2, "M")
    for number in (1, 2):
        stage.video("m", number, at=120 * (number - 1), seconds=1)
        stage.texts("m", number, at=120 * (number - 1), seconds=1)
    site = at_portal(stage)

    site.sync()

    receipt = site.entry("m").receipt
    assert receipt is not None
    attached = [(file.place, file.name) for file in receipt.files]
    assert len(set(attached)) == len(attached)
