"""Whole passes into portals that differ from the table of operations in several ways at once."""

import shutil
from typing import Any

import pytest

from tests.e2e.harness import a_stage, served
from tests.e2e.portal_site import ALICE, AtPortal, PortalSite, holdings
from tests.sandbox.portal.variants import combined
from tests.sandbox.stage import VIEWS, Stage

BOB = "bob@example.org"
PORTALS = {
    "an old one": (
        "offset",
        "ids as strings",
        "bare lists",
        "roles",
        "a token without quotes",
        "captions take the place of others",
    ),
    "a foreign one": (
        "lists elsewhere",
        "ids of both kinds",
        "groups of other names",
        "a search that chokes on signs",
        "tokens that end with a 401",
        "blocks listed twice",
    ),
    "a documented one": ("contents in detail", "ids as strings", "a search for words"),
    "a strict one": (
        "pageIndex counts items",
        "whole addresses",
        "operations elsewhere",
        "moderation",
        "a search that tells no attributes",
        "no list of blocks",
    ),
}


def two_hosts() -> Stage:
    """Alice, unknown to the portal, with another view and texts; Bob, a viewer there, with a recording."""
    stage = a_stage()
    stage.world.add_user("Bob Example")
    stage.meeting("rich", "alice", 3, "Rich")
    stage.video("rich", seconds=1)
    stage.video("rich", 1, VIEWS[1], seconds=1)
    stage.texts("rich", seconds=1)
    stage.meeting("plain", "bob", 2, "Plain")
    stage.video("plain", seconds=1)
    return stage


def assert_whole(site: PortalSite) -> None:
    """Every recording is there once and whole, under its host, who can upload by now and was invited if new."""
    alice, bob = site.portal.user(ALICE), site.portal.user(BOB)
    main, gallery = site.media("rich")
    plain = site.one("plain")
    shot = {name: [served(file) for file in site.world.meetings[site.uuid(name)].files] for name in ("rich", "plain")}

    assert [one.sha256 for one in (main, gallery)] == shot["rich"][:2]
    assert plain.sha256 == shot["plain"][0]
    assert {one.status for one in site.portal.media.values()} <= {"Published", "PendingForApproval"}
    assert ([one.file_name for one in main.captions], len(main.handouts)) == (["video.vtt"], 3)
    assert [one.author for one in (main, gallery, plain)] == [alice.id, alice.id, bob.id]
    assert ("Contributor" in alice.groups, "Contributor" in bob.groups) == (True, True)
    assert [one.email for one in site.portal.invitations] == [ALICE]


@pytest.mark.parametrize("name", PORTALS)
def test_a_pass_publishes_everything_once_even_if_its_state_is_lost(at_portal: AtPortal, name: str) -> None:
    kind = combined(*PORTALS[name])
    site = at_portal(two_hosts(), kind.destination, **kind.settings)
    site.portal.add_user(BOB, "Viewer")

    first, second = site.sync(), site.sync()
    before = holdings(site.portal)
    shutil.rmtree(site.folder / "state")
    third = site.sync()

    assert (first.code, first.counts["published"]) == (0, 2)
    assert (second.code, second.counts) == (0, {"up_to_date": 2, "calls": second.counts["calls"]})
    assert_whole(site)
    assert (third.code, holdings(site.portal) == before) == (0, True)


@pytest.mark.parametrize("settings", [{}, {"membership": "roles"}], ids=["groups", "roles"])
def test_users_come_by_scim_from_end_to_end(at_portal: AtPortal, settings: dict[str, Any]) -> None:
    site = at_portal(two_hosts(), **settings)
    site.below = {"users": "scim", "scim_url": site.portal.scim_url, "scim_token": site.portal.scim_token}
    site.configure()
    site.portal.add_user(BOB, "Viewer")

    checked = site.run("auth-check", "--only", "destination")
    first, second = site.sync("-v"), site.sync()

    assert (checked.code, first.code, second.code) == (0, 0, 0)
    assert (first.counts["published"], second.counts["up_to_date"]) == (2, 2)
    assert_whole(site)
    assert {one.operation for one in site.portal.requests} & {"user_find", "user_create", "group_add_user"} == set()
    assert site.portal.scim_token not in site.seen_text() + checked.stdout + first.stdout + first.stderr
