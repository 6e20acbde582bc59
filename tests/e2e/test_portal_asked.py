"""`sync --meeting` at a portal: what the state knows is read, whatever the search or a media item says."""

import pytest

from tests.e2e.harness import a_stage
from tests.e2e.portal_site import TRASH, AtPortal
from tests.sandbox.portal.faults import portal_error
from tests.sandbox.stage import VIEWS, Stage


def a_meeting() -> Stage:
    """One of Alice's with texts and a second view, called m."""
    stage = a_stage()
    stage.meeting("m", "alice", 2, "Plain meeting")
    stage.video("m", seconds=1)
    stage.video("m", 1, VIEWS[1], seconds=1)
    stage.texts("m", seconds=1)
    return stage


def test_what_the_search_does_not_show_yet_is_not_made_again(at_portal: AtPortal) -> None:
    site = at_portal(a_meeting(), index_lag=3600)
    assert site.sync().code == 0
    made = site.media("m")
    site.portal.forget()

    for _ in range(2):
        assert site.sync("--meeting", site.uuid("m")).code == 0
        site.clock.advance(minutes=20)

    assert (site.media("m"), site.portal.calls("media_create")) == (made, [])


def test_what_is_gone_is_made_again_and_nothing_else_while_the_search_shows_nothing(at_portal: AtPortal) -> None:
    site = at_portal(a_meeting(), index_lag=3600)
    site.sync()
    main, view = site.media("m")
    view.deleted = site.clock.now()

    assert site.sync("--meeting", site.uuid("m")).code == 0

    again, other = site.media("m")
    assert (again, other.title, other.sha256) == (main, view.title, view.sha256)


def test_a_refused_text_is_mended_without_a_second_media(at_portal: AtPortal) -> None:
    site = at_portal(a_meeting(), index_lag=3600)
    site.portal.fail(operation="handout_add", with_=portal_error(400, "OddException"), times=None)
    assert site.sync().code == 1
    site.portal.heal()

    assert site.sync("--meeting", site.uuid("m")).code == 0

    assert (len(site.media("m")), site.reported()) == (2, {})
    names = [one.file_name for one in site.media("m")[0].handouts]
    assert sorted(names) == ["chat.txt", "summary.json", "timeline.json"]


@pytest.mark.parametrize("left", [{}, {"ZoomsyncReceipt": "cut"}], ids=["none", "a part of one"])
def test_a_media_item_that_does_not_say_any_more_what_it_is_says_it_again(
    at_portal: AtPortal, left: dict[str, str]
) -> None:
    site = at_portal(a_meeting())
    site.sync()
    main, view = site.media("m")
    whole = dict(main.attributes)
    main.attributes = dict(left)

    assert site.sync("--meeting", site.uuid("m")).code == 0

    assert (site.media("m"), main.attributes) == ([main, view], whole)


def test_nothing_is_deleted_while_a_media_item_does_not_say_of_which_meeting_it_is(at_portal: AtPortal) -> None:
    site = at_portal(a_meeting(), {}, TRASH)
    site.sync()
    main, _ = site.media("m")
    whole, main.attributes = main.attributes, {}
    site.clock.advance(days=8)

    result = site.sync()

    assert (result.code, site.world.deletions) == (1, [])
    fact = f"media {main.id}: the portal does not say of which meeting it is"
    assert site.reported() == {"m": f"not deleted: {fact} (destination.endpoints.media_get.answer.attributes)"}
    main.attributes = whole
    site.clock.advance(days=1)
    assert (site.sync().counts["deleted"], site.reported()) == (1, {})


def test_asking_for_what_was_rejected_is_a_failure_until_it_is_approved(at_portal: AtPortal) -> None:
    site = at_portal(a_meeting(), {}, TRASH)
    site.sync()
    main, _ = site.media("m")
    main.status = "Rejected"

    refused = site.sync("--meeting", site.uuid("m"))
    main.status = "Published"
    approved = site.sync("--meeting", site.uuid("m"))

    assert (refused.code, approved.code) == (1, 0)
    assert f"approve or delete media {main.id} there, then run `zoomsync sync --meeting" in refused.stderr
    site.clock.advance(days=8)
    assert site.sync().counts["deleted"] == 1
