"""What waits in the portal is reported as long as it waits."""

from tests.e2e.harness import a_stage
from tests.e2e.portal_site import TRASH, AtPortal
from tests.sandbox.faults import body
from tests.sandbox.stage import Stage


def a_meeting() -> Stage:
    stage = a_stage()
    stage.meeting("m", "alice", 2, "M")
    stage.video("m", seconds=1)
    return stage


def test_what_nobody_approves_stays_in_zoom_and_status_says_so(at_portal: AtPortal) -> None:
    site = at_portal(a_meeting(), {"moderation": "force-pending"}, TRASH)
    before = site.sync()
    site.clock.advance(days=8)

    waits = site.sync()
    site.sync()
    page, story = site.run("status"), site.run("status", "--meeting", site.uuid("m"))
    rows = site.run("--json", "sync", "--dry-run").document["rows"]

    why = f"media {site.one('m').id} waits for approval in the portal"
    assert (before.code, waits.code, site.world.deletions) == (0, 0, [])
    assert [why in row["reason"] for row in site.run("--json", "status").document["kept"]] == [True]
    assert "Kept in Zoom although it is stored: 1 meeting" in page.stdout
    assert why in page.stdout
    assert why in story.stdout
    reported = [row["reason"].partition("; last time ")[2] for row in rows if row["action"] == "delete"]
    assert reported == [f"not deleted: {why}"]


def test_once_it_is_approved_it_is_deleted_and_nothing_waits(at_portal: AtPortal) -> None:
    site = at_portal(a_meeting(), {"moderation": "force-pending"}, TRASH)
    site.sync()
    site.clock.advance(days=8)
    site.sync()
    site.one("m").status = "Published"

    deleted = site.sync()

    assert (deleted.counts["deleted"], site.run("--json", "status").document["kept"]) == (1, [])
    assert site.entry("m").kept == ""


def test_an_item_whose_attribute_is_too_short_is_known_and_reported(at_portal: AtPortal) -> None:
    stage = a_meeting()
    stage.texts("m", seconds=1)
    site = at_portal(stage, config=TRASH, attribute_length=900)
    site.sync()

    again = site.sync()
    site.clock.advance(days=8)
    last = site.sync()

    assert (again.code, again.counts["up_to_date"], len(site.media("m"))) == (0, 1, 1)
    assert (last.code, last.counts["deleted"]) == (0, 1)


def test_a_late_text_that_the_portal_took_and_does_not_show_is_sent_again_and_then_zoom_deletes_it(
    at_portal: AtPortal,
) -> None:
    stage = a_meeting()
    stage.meeting("other", "alice", 3, "Other")
    stage.video("other", 2, seconds=1)
    stage.transcript("other", 2, seconds=1)
    site = at_portal(stage, config=TRASH)
    first = site.sync()
    stage.transcript("m", seconds=1)
    site.portal.fail(operation="caption_add", with_=body("", "application/json"))
    site.clock.advance(hours=1)

    bad = site.sync()
    waits = site.sync("--retry-failed")
    site.clock.advance(hours=2)
    good = site.sync()
    site.clock.advance(days=8)
    last = site.sync()

    assert (first.code, bad.code, waits.code, good.code) == (0, 1, 0, 0)
    assert waits.counts["waiting"] == 1
    assert "the portal took video.vtt and does not show it among its captions" in bad.stderr
    assert [one.file_name for one in site.one("m").captions] == ["video.vtt"]
    assert (last.code, last.counts["deleted"], site.reported()) == (0, 2, {})
