"""What a person asked for by `--meeting` and could not be done at once: where it goes on, and where it ends."""

import shutil
from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site, a_stage
from tests.e2e.portal_site import AtPortal, PortalSite
from tests.e2e.test_portal_asked import a_meeting
from tests.sandbox.portal.faults import portal_error
from zoomsync.model import Phase


@pytest.fixture
def failing(at_portal: AtPortal) -> PortalSite:
    """Its media were rejected and then removed; `--meeting` could not make them again."""
    stage = a_meeting()
    stage.meeting("bobs", "bob", 3, "Of Bob")
    stage.video("bobs", seconds=1)
    site = at_portal(stage)
    site.sync()
    for media in site.media("m"):
        media.status = "Rejected"
    assert site.sync("--meeting", site.uuid("m")).code == 1
    for media in site.media("m"):
        media.deleted = site.clock.now()
    site.portal.fail(operation="media_create", with_=portal_error(400, "OddException"), times=None)
    assert site.sync("--meeting", site.uuid("m")).code == 1
    return site


def test_a_wish_that_fails_is_reported_until_it_is_parked_and_then_too(failing: PortalSite) -> None:
    reported, checks = set(), []
    for _ in range(12):
        failing.clock.advance(days=1, hours=1)
        failing.sync()
        checks.append(failing.run("status", "--check").code)
        reported |= {row["error"].partition(" (")[0] for row in failing.run("--json", "status").document["failed"]}

    retry = failing.entry("m").retry
    assert (checks, reported) == ([1] * 12, {"portal: media_create: HTTP 400, OddException"})
    assert retry is not None
    assert retry.is_parked
    assert (failing.entry("m").phase, "was rejected" in failing.entry("m").reason) == (Phase.REMOVED, True)


def test_a_wish_is_done_once_it_can_be(failing: PortalSite) -> None:
    failing.portal.heal()
    failing.clock.advance(hours=2)

    assert (failing.sync().code, len(failing.media("m"))) == (0, 2)
    assert (failing.entry("m").phase, failing.entry("m").asked, failing.reported()) == (Phase.PUBLISHED, "", {})


def test_a_pass_for_somebody_else_leaves_the_wish(failing: PortalSite) -> None:
    failing.portal.heal()
    failing.clock.advance(hours=2)

    failing.sync("--user", "bob@example.org")

    assert failing.media("m") == []


def test_another_destination_knows_nothing_of_the_wish(failing: PortalSite) -> None:
    Site.configure(failing)

    failing.sync()

    receipt = failing.entry("m").receipt
    assert receipt is not None
    assert (receipt.destination.startswith("127.0.0.1"), failing.files()) == (True, [])


def test_another_destination_does_not_report_the_wish_for_ever(failing: PortalSite) -> None:
    Site.configure(failing)
    for file in failing.world.meetings[failing.uuid("m")].files:
        file.deleted = True
    failing.clock.advance(days=3)

    assert failing.sync().code == 0
    assert (failing.run("status", "--check").code, failing.run("--json", "status").document["failed"]) == (0, [])


def test_a_wish_ends_once_zoom_does_not_have_the_meeting_any_more(failing: PortalSite) -> None:
    for file in failing.world.meetings[failing.uuid("m")].files:
        file.deleted = True
    failing.clock.advance(hours=2)

    failing.sync()

    assert (failing.entry("m").phase, failing.entry("m").asked, failing.entry("m").retry) == (Phase.REMOVED, "", None)
    assert "was rejected" in failing.entry("m").reason


class TestRemovedFromALibrary:
    """An item that is removed whole is made again of what Zoom has, and the config wants, by now."""

    @pytest.mark.parametrize("recordings", [{"views": "best"}, {"files": ["video", "captions"]}])
    def test_the_config_wants_less_now(self, begin: Begin, recordings: dict[str, Any]) -> None:
        stage = a_meeting()
        stage.audio("m", seconds=1)
        site = begin(stage.world)
        site.sync()
        shutil.rmtree(site.item("m"))
        site.configure(recordings=recordings)

        assert site.sync("--meeting", site.uuid("m")).code == 0
        assert "video.mp4" in {path.name for path in site.item("m").iterdir()}

    def test_zoom_has_one_view_less(self, begin: Begin) -> None:
        site = begin(a_meeting().world)
        site.sync()
        shutil.rmtree(site.item("m"))
        videos = [file for file in site.world.meetings[site.uuid("m")].files if file.extension == "MP4"]
        videos[1].deleted = True

        assert site.sync("--meeting", site.uuid("m")).code == 0
        assert [path.name for path in site.item("m").glob("*.mp4")] == ["video.mp4"]

    def test_zoom_has_one_segment_less(self, begin: Begin) -> None:
        stage = a_stage()
        stage.meeting("m", "alice", 2, "Plain meeting")
        for number in (1, 2):
            stage.video("m", number, at=120 * (number - 1), seconds=1)
        site = begin(stage.world)
        site.sync()
        shutil.rmtree(site.item("m"))
        first = site.world.meetings[site.uuid("m")].files[0]
        first.deleted = True

        result = site.sync("--meeting", site.uuid("m"))

        assert result.code == 0
        assert "made again without all that video.mp4 was made of: Zoom does not have it any more" in result.stderr
        first.deleted = False
        site.clock.advance(days=1)
        site.sync()
        receipt = site.entry("m").receipt
        assert receipt is not None
        assert first.id in receipt.files[0].made_of

    def test_zoom_has_no_video_any_more(self, begin: Begin) -> None:
        site = begin(a_meeting().world)
        site.sync()
        receipt = site.entry("m").receipt
        shutil.rmtree(site.item("m"))
        for file in site.world.meetings[site.uuid("m")].files:
            file.deleted = file.extension == "MP4"

        result = site.sync("--meeting", site.uuid("m"))

        assert (result.code, site.entry("m").phase, site.entry("m").receipt) == (1, Phase.REMOVED, receipt)
        assert "video.mp4 is gone, and Zoom has nothing left to make it of" in result.stderr
        assert "look into Zoom's trash (30 days)" in result.stderr
