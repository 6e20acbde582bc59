"""Whole passes into a portal whose media have the documented object contentInfo: words for states, captions deeper."""

from typing import Any

import pytest

from tests.e2e.harness import a_stage
from tests.e2e.portal_site import TRASH, AtPortal, PortalSite
from tests.sandbox.stage import Stage
from zoomsync.model import Phase

SIZES = "content.*.contentDetails.contentFiles.*.size"


def a_meeting() -> Stage:
    """One of Alice's with texts, called m."""
    stage = a_stage()
    stage.meeting("m", "alice", 2, "Plain meeting")
    stage.video("m", seconds=1)
    stage.texts("m", seconds=1)
    return stage


def answering(**places: Any) -> dict[str, Any]:
    """What a site writes about the answer of `media_get`."""
    return {"endpoints": {"media_get": {"answer": places}}}


def row_of_media(site: PortalSite) -> tuple[str, str]:
    """What `auth-check` says of reading a media item."""
    found = site.run("--json", "auth-check", "--only", "destination").document
    (row,) = [one for one in found["checks"] if one["message"].startswith("media_get: ")]
    return row["level"], row["message"]


def test_what_it_holds_is_published_proven_and_then_deleted_at_zoom(at_portal: AtPortal) -> None:
    stage = a_meeting()
    site = at_portal(stage, config=TRASH, contents=True)
    first = site.sync()
    stage.transcript("m", at=30, seconds=1)
    site.clock.advance(hours=1)
    second, third = site.sync(), site.sync()
    site.clock.advance(days=8)

    checked, last = row_of_media(site), site.sync()

    assert (first.code, second.code, third.counts["up_to_date"]) == (0, 0, 1)
    assert len(site.one("m").captions) + len(site.one("m").handouts) >= 4
    assert checked[0] == "ok"
    assert checked[1].endswith("shows size, processed, attributes, captions, handouts; transcoded (Completed): yes")
    assert (last.code, last.counts["deleted"], site.reported()) == (0, 1, {})


@pytest.mark.parametrize("fate", [{"content_status": "purged"}, {"content_is_deleted": True}], ids=str)
def test_content_that_a_person_deleted_is_not_published_again_and_stays_in_zoom(
    at_portal: AtPortal, fate: dict[str, Any]
) -> None:
    stage = a_meeting()
    site = at_portal(stage, config=TRASH, contents=True)
    site.sync()
    vars(site.one("m")).update(fate)
    captions = len(site.one("m").captions)
    stage.video("m", 2, at=60, seconds=1)
    site.clock.advance(hours=1)
    late = site.sync()
    site.clock.advance(days=8)

    site.sync()

    assert late.code == 0
    assert (len(site.portal.media), len(site.one("m").captions), site.world.deletions) == (1, captions, [])
    assert site.entry("m").phase is Phase.REMOVED
    assert "was removed from the portal" in site.reported()["m"]


@pytest.mark.parametrize("status", ["Deleted", "Purged"])
def test_content_that_is_found_deleted_when_zoom_would_be_asked_stops_that(at_portal: AtPortal, status: str) -> None:
    site = at_portal(a_meeting(), config=TRASH, contents=True)
    site.sync()
    site.clock.advance(days=8)
    site.one("m").content_status = status

    last, again = site.sync(), site.sync()

    assert (last.code, last.counts["altered"], again.code, site.world.deletions) == (1, 1, 0, [])
    assert (site.entry("m").phase, len(site.portal.media)) == (Phase.REMOVED, 1)


def test_what_is_never_transcoded_waits_is_warned_of_and_stays_in_zoom(at_portal: AtPortal) -> None:
    site = at_portal(a_meeting(), config={**TRASH, "delete_after": "1d"}, contents=True, transcoding=None)
    site.sync()
    site.clock.advance(days=1, hours=1)
    waits = site.sync()
    site.clock.advance(days=8)

    late = site.sync()

    assert (waits.code, late.code, site.world.deletions) == (0, 1, [])
    assert "the portal has not transcoded it since" in late.stderr
    assert site.run("status", "--check").code == 1


def test_a_portal_with_other_words_is_understood_once_the_config_says_them(at_portal: AtPortal) -> None:
    site = at_portal(a_meeting(), config=TRASH, contents=True)
    site.sync()
    site.one("m").content_status = "Bereit"
    site.clock.advance(days=8)
    unknown = (site.sync(), row_of_media(site))
    site.below = answering(processed={"at": "content.*.contentStatus", "is": ["Bereit"], "gone": ["Weg"]})
    site.configure()
    site.clock.advance(days=1)

    known = site.sync()

    assert (unknown[0].code, unknown[1][1].endswith("; transcoded (Bereit): no")) == (1, True)
    assert (known.code, known.counts["deleted"]) == (0, 1)


@pytest.mark.parametrize(
    ("size", "code", "said"),
    [
        ({"at": SIZES, "sum": True}, 1, "the portal does not say its size but as a sum ("),
        ("content.0.contentDetails.contentFiles.0.size", 0, ""),
        ("content.0.contentDetails.contentFiles.1.size", 1, "bytes at the portal"),
    ],
    ids=["a sum", "the file that was sent", "a rendition"],
)
def test_a_sum_of_sizes_proves_nothing_and_the_size_of_the_right_file_does(
    at_portal: AtPortal, size: Any, code: int, said: str
) -> None:
    site = at_portal(a_meeting(), answering(size=size), TRASH, contents=True)
    published = site.sync()
    site.clock.advance(days=8)

    checked, last = row_of_media(site), site.sync()

    assert (published.code, last.code, len(site.world.deletions) > 0) == (0, code, not code)
    assert said in last.stderr
    assert ("its size is a sum" in checked[1]) == isinstance(size, dict)
