"""The state in which an item is at the portal: what makes it, and what it means for the cloud copy."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.harness import DAY, a_stage
from tests.e2e.portal_site import ALICE, TRASH, AtPortal, PortalSite
from tests.sandbox.portal.media import Media
from tests.sandbox.stage import Stage
from zoomsync.model import Phase
from zoomsync.naming import suffix

JUDGED: dict[str, Any] = {"moderation": True, "service_group": "Contributor"}
"""A portal that judges what the account that signs in publishes."""
PRIVILEGED: dict[str, Any] = {"moderation": True}
"""One that judges Contributors alone, and the account that signs in is none."""


def a_meeting_of_alice() -> Stage:
    stage = a_stage()
    stage.meeting("plain", "alice", 2, "Plain")
    stage.video("plain", seconds=1)
    return stage


@pytest.mark.parametrize(
    ("publish_state", "moderation", "portal", "status"),
    [
        ("published", "portal", {}, "Published"),
        ("published", "portal", PRIVILEGED, "Published"),
        ("published", "portal", JUDGED, "PendingForApproval"),
        ("published", "force-pending", {}, "PendingForApproval"),
        ("draft", "portal", JUDGED, "Drafted"),
        ("draft", "force-pending", {}, "Drafted"),
    ],
)
def test_what_a_contributor_recorded_is_published_in_the_state_that_config_and_portal_make_of_it(
    at_portal: AtPortal, publish_state: str, moderation: str, portal: dict[str, Any], status: str
) -> None:
    site = at_portal(a_meeting_of_alice(), {"moderation": moderation}, {"publish_state": publish_state}, **portal)
    alice = site.portal.add_user(ALICE, "Contributor")

    first, second = site.sync(), site.sync()

    assert (first.code, first.counts["published"], second.code, second.counts["up_to_date"]) == (0, 1, 0, 1)
    assert (site.one("plain").status, site.one("plain").author) == (status, alice.id)


@pytest.mark.parametrize("decided", ["PendingForApproval", "Published"])
def test_what_comes_late_changes_nothing_about_what_people_decided(at_portal: AtPortal, decided: str) -> None:
    stage = a_meeting_of_alice()
    site = at_portal(stage, **JUDGED)
    site.sync()
    site.one("plain").status = decided
    stage.texts("plain", seconds=1)
    site.clock.advance(hours=1)

    result = site.sync()

    assert (result.code, result.counts["updated"]) == (0, 1)
    assert (site.one("plain").status, len(site.one("plain").captions)) == (decided, 1)


def test_to_what_was_rejected_nothing_is_added(at_portal: AtPortal) -> None:
    stage = a_meeting_of_alice()
    site = at_portal(stage)
    site.sync()
    site.one("plain").status = "Rejected"
    stage.texts("plain", seconds=1)
    site.clock.advance(hours=1)

    added, again = site.sync(), site.sync()

    assert (added.code, again.code) == (0, 0)
    assert "was rejected in the portal" in added.stderr
    assert (site.one("plain").captions, site.one("plain").handouts, site.one("plain").version) == ([], [], 1)
    assert "was rejected in the portal" in site.reported()["plain"]


def _removed(site: PortalSite, media: Media) -> None:
    media.deleted = site.clock.now()


FATES: dict[str, tuple[Callable[[PortalSite, Media], object], str]] = {
    "pending": (lambda _, media: setattr(media, "status", "PendingForApproval"), "waits for approval in the portal"),
    "approved": (lambda _, __: None, ""),
    "withdrawn": (lambda _, media: setattr(media, "status", "Drafted"), ""),
    "rejected": (lambda _, media: setattr(media, "status", "Rejected"), "was rejected in the portal"),
    "purged": (lambda _, media: setattr(media, "status", "Purged"), "was removed from the portal"),
    "missing": (_removed, "was removed from the portal"),
    "altered": (lambda _, media: setattr(media, "shown_size", media.size - 1), "bytes at the portal"),
    "transcoding": (
        lambda site, media: setattr(media, "processed", site.clock.now() + 9 * DAY),
        "the portal has not transcoded it since",
    ),
}
"""What becomes of an item within the week after it was published, and why its cloud copy stays then; empty: it goes."""
WHY = {name: why for name, (_, why) in FATES.items() if why}
LEFT_ALONE = {"rejected", "purged", "missing"}


@pytest.fixture
def judged(at_portal: AtPortal) -> PortalSite:
    """A meeting of each fate, published for approval eight days ago."""
    stage = a_stage()
    for number, name in enumerate(FATES):
        stage.meeting(name, "alice", 1 + number / 10, name)
        stage.video(name, seconds=1)
    site = at_portal(stage, config=TRASH, **JUDGED)
    assert site.sync().counts["published"] == len(FATES)
    assert {one.status for one in site.portal.media.values()} == {"PendingForApproval"}
    for name, (befall, _) in FATES.items():
        site.one(name).status = "Published"
        befall(site, site.one(name))
    site.clock.advance(days=8)
    return site


def _gone(site: PortalSite) -> set[str]:
    """Short names of the meetings that were deleted at Zoom."""
    uuids = {uuid for uuid, _, _ in site.world.deletions}
    return {name for name, uuid in site.world.names.items() if uuid in uuids}


def test_only_what_the_portal_holds_whole_and_nobody_rejected_is_deleted_at_zoom(judged: PortalSite) -> None:
    result = judged.sync()

    assert _gone(judged) == FATES.keys() - WHY.keys()
    assert (result.code, result.counts["deleted"], result.counts["altered"], result.counts["unproven"]) == (1, 2, 3, 2)
    reported = {
        name: [line for line in _lines(result.stderr, judged.uuid(name)) if why in line] for name, why in WHY.items()
    }
    assert [name for name, lines in reported.items() if not lines] == []
    assert judged.run("status", "--check").code == 1


def test_status_and_later_passes_say_the_same_of_what_is_not_deleted(judged: PortalSite) -> None:
    judged.sync()
    before = len(judged.portal.media)

    second = judged.sync()
    reported = judged.reported()
    judged.clock.advance(days=2)
    third = judged.sync()

    assert {name: FATES[name][1] in reported[name] for name in LEFT_ALONE} == dict.fromkeys(LEFT_ALONE, True)
    assert {judged.entry(name).phase for name in LEFT_ALONE} == {Phase.REMOVED}
    assert (second.counts.get("deleted"), second.counts["unproven"]) == (None, 2)
    assert (third.counts["deleted"], third.counts["unproven"]) == (1, 1)
    assert _gone(judged) == FATES.keys() - WHY.keys() | {"transcoding"}
    assert len(judged.portal.media) == before


def test_what_is_rejected_between_two_deletions_is_not_deleted_further(at_portal: AtPortal) -> None:
    stage = a_stage()
    for name in ("first", "second"):
        stage.meeting(name, "alice", 2, name)
        stage.video(name, seconds=1)
    site = at_portal(stage, config=TRASH | {"delete_limit": 1})
    site.sync()
    site.clock.advance(days=8)
    site.sync()
    (gone,) = _gone(site)
    (left,) = {"first", "second"} - {gone}
    site.one(left).status = site.one(gone).status = "Rejected"

    result = site.sync()

    assert (result.code, _gone(site)) == (1, {gone})
    assert site.entry(left).phase is Phase.REMOVED
    assert "was rejected in the portal" in site.reported()[left]


def _lines(text: str, uuid: str) -> list[str]:
    return [line for line in text.splitlines() if f"[{suffix(uuid)}]" in line]
