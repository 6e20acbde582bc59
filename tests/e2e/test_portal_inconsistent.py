"""Whole passes into a portal that contradicts itself, or fails for one item alone: the rest goes on as it should."""

from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest

from tests.e2e.harness import a_stage
from tests.e2e.portal_site import ALICE, TRASH, AtPortal, PortalSite, impatient
from tests.sandbox.faults import Fault, black_hole, page
from tests.sandbox.message import Answer, Ending, Request
from tests.sandbox.portal.faults import lost_request, portal_error
from tests.sandbox.portal.media import Media
from tests.sandbox.stage import Stage
from zoomsync import app
from zoomsync.http import Http
from zoomsync.model import Phase

BOB = "bob@example.org"
WRONG: dict[str, Any] = {"endpoints": {"media_get": {"path": "media/{media}"}}}
"""A row of the table that says of this portal what is not so."""


def meetings(*names: str) -> Stage:
    """A meeting of Alice for each name, the last one the newest."""
    stage = a_stage()
    for number, name in enumerate(names):
        add(stage, name, days=9 - number)
    return stage


def add(stage: Stage, name: str, host: str = "alice", *, days: float = 0) -> None:
    """One more meeting."""
    stage.meeting(name, host, days, name.title())
    stage.video(name, seconds=1)


def due(at_portal: AtPortal, *names: str, **settings: Any) -> PortalSite:
    """A site whose meetings were all published eight days ago."""
    site = at_portal(meetings(*names), config=TRASH | {"workers": 2}, **settings)
    assert site.sync().counts["published"] == len(names)
    site.clock.advance(days=8)
    return site


def gone(site: PortalSite) -> set[str]:
    """Short names of the meetings that were deleted at Zoom."""
    uuids = {uuid for uuid, _, _ in site.world.deletions}
    return {name for name, uuid in site.world.names.items() if uuid in uuids}


def phases(site: PortalSite) -> dict[str, Phase]:
    """What has become of each meeting."""
    return {name: site.entry(name).phase for name in site.world.names}


def path_of(media: Media) -> str:
    """Where it is read."""
    return f"/mashup/{media.id}$"


def test_a_row_that_was_wrong_for_some_passes_removes_doubles_and_deletes_nothing(at_portal: AtPortal) -> None:
    site = due(at_portal, "one", "two", "three")
    stage = Stage(site.world)
    add(stage, "new", days=-7.5)
    stage.transcript("two", seconds=1)
    site.below = WRONG
    site.configure()

    bad = [site.sync()]
    reported = site.reported()
    site.clock.advance(hours=2)
    bad.append(site.sync())

    said = "media_search lists media {}, and media_get says that it is not there"
    assert [one.code for one in bad] == [1, 1]
    assert [(one.counts["unproven"], one.counts["failed"]) for one in bad] == [(2, 1), (2, 2)]
    assert {name: said.format(site.one(name).id) in reported[name] for name in ("one", "two", "three")} == {
        "one": True, "two": True, "three": True
    }  # fmt: skip
    assert "media_get does not show it" in site.reported()["new"]
    assert site.run("status", "--check").code == 1
    assert Phase.REMOVED not in phases(site).values()
    assert gone(site) == set()
    assert len(site.portal.media) == 4

    site.below = {}
    site.configure()
    site.clock.advance(days=1)
    good = site.sync()
    site.clock.advance(days=8)
    last = site.sync()

    assert (good.code, last.code) == (0, 0)
    assert gone(site) == {"one", "two", "three", "new"}
    assert [one.file_name for one in site.one("two").captions] == ["video.vtt"]
    assert len(site.portal.media) == 4
    assert site.reported() == {}


def test_an_item_in_a_state_that_nobody_knows_stays_in_zoom_until_its_state_is_known(at_portal: AtPortal) -> None:
    site = due(at_portal, "odd", "plain")
    site.one("odd").status = "Archived"
    why = f"media {site.one('odd').id} is in the state Archived, which means nothing to zoomsync"

    first = site.sync()
    check = site.run("status", "--check")
    reported = site.reported()
    second = site.sync()
    site.one("odd").status = "PUBLISHED"
    site.clock.advance(days=1)
    third = site.sync()

    assert (first.code, first.counts["deleted"], first.counts["unproven"]) == (1, 1, 1)
    assert why in first.stderr
    assert (check.code, site.uuid("odd") in check.stdout, why in reported["odd"]) == (1, True, True)
    assert (second.code, second.counts.get("deleted")) == (1, None)
    assert (third.code, third.counts["deleted"], gone(site)) == (0, 1, {"odd", "plain"})


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (portal_error(403, "AccessDeniedException"), "media_get: HTTP 403, AccessDeniedException (incident"),
        (portal_error(401, "UnauthorizedException"), "media_get: HTTP 401, UnauthorizedException (incident"),
        (page(200, "Hotel"), "answers a page titled “Hotel” instead of JSON"),
        (portal_error(500), "media_get: 127.0.0.1"),
        (portal_error(400, "MashupLockedException"), "media_get: HTTP 400, MashupLockedException (incident"),
    ],
    ids=["403", "401", "a page", "500", "400"],
)
def test_one_item_that_cannot_be_verified_keeps_no_other_from_being_deleted(
    at_portal: AtPortal, fault: Fault, said: str
) -> None:
    site = due(at_portal, "zero", "one", "two", "three", "four")
    site.portal.fail(path_of(site.one("one")), operation="media_get", with_=fault, times=None)

    first = site.sync()
    reported = site.reported()
    site.portal.heal()
    site.clock.advance(days=1)
    second = site.sync()

    assert (first.code, first.counts["deleted"], first.counts["unproven"]) == (1, 4, 1)
    assert list(reported) == ["one"]
    assert said in reported["one"]
    assert said in first.stderr
    assert (second.code, second.counts["deleted"]) == (0, 1)
    assert gone(site) == {"zero", "one", "two", "three", "four"}


def test_failures_that_are_not_in_a_row_do_not_stop_the_deletions(at_portal: AtPortal) -> None:
    names = [f"m{number}" for number in range(8)]
    site = due(at_portal, *names)
    broken = {name for number, name in enumerate(names) if number % 2}
    for name in broken:
        site.portal.fail(path_of(site.one(name)), operation="media_get", with_=portal_error(), times=None)

    result = site.sync()

    assert (result.code, result.counts["unproven"], gone(site)) == (1, 4, set(names) - broken)


def before_losing(action: Callable[[], object]) -> Fault:
    """The action runs, and no answer comes."""

    def instead(_: Request) -> Answer:
        action()
        return Answer(stop_after=-1, ending=Ending.RESET)

    return Fault(instead=instead)


def refuse(site: PortalSite, _: pytest.MonkeyPatch) -> Callable[[], object]:
    """The portal goes down when it is first asked about an item."""
    end = Thread(target=site.portal.go_down)
    site.portal.fail(operation="media_get", with_=before_losing(end.start))
    site.portal.fail(operation="media_get", with_=lost_request(), times=None)

    def mend() -> None:
        end.join()
        site.portal.come_up()

    return mend


def stall(site: PortalSite, patch: pytest.MonkeyPatch) -> Callable[[], object]:
    """It takes every question about an item, and answers none."""
    patch.setattr(Http, "__init__", impatient(0.4))
    patch.setattr(app, "TRIES", 2)
    site.portal.fail(operation="media_get", with_=black_hole(), times=None)
    return patch.undo


@pytest.mark.parametrize(
    ("down", "code", "asked"), [(refuse, 6, 3), (stall, 1, 7)], ids=["down", "well, but for its items"]
)
@pytest.mark.parametrize("to_publish", [0, 4])
def test_a_portal_that_answers_about_no_item_lets_nothing_be_deleted_and_ends_the_pass_only_if_it_is_down(
    at_portal: AtPortal,
    monkeypatch: pytest.MonkeyPatch,
    down: Callable[..., Callable[[], object]],
    code: int,
    asked: int,
    to_publish: int,
) -> None:
    names = [f"m{number}" for number in range(7)]
    site = due(at_portal, *names)
    for number in range(to_publish):
        add(Stage(site.world), f"new{number}", days=-7 - number / 10)
    mend = down(site, monkeypatch)

    broken = site.sync()
    mend()
    site.portal.heal()
    after = dict(site.state().entries)
    site.clock.advance(days=1)
    healed = site.sync()

    refusals = [one for name in names if (one := after[site.uuid(name)].refusal) is not None]
    assert (broken.code, broken.counts["unproven"], len(refusals)) == (code, asked, asked)
    assert ("deletions given up for this pass" in broken.stderr) == (code == 6)
    assert {after[site.uuid(name)].phase for name in names} == {Phase.PUBLISHED}
    pauses = {refusal.next_at - refusal.at for refusal in refusals if refusal.next_at is not None}
    assert pauses == ({timedelta(0)} if code == 6 else {timedelta(hours=1)})  # no item is to blame for a portal
    assert (healed.code, healed.counts["deleted"]) == (0, 7)
    assert len(site.portal.media) == 7 + to_publish


@pytest.fixture
def forbidden(at_portal: AtPortal) -> PortalSite:
    """Bob is a viewer, whom the config takes for one who may upload: the portal refuses each item of his, for ever."""
    stage = meetings("alice1", "alice2")
    stage.world.add_user("Bob Example")
    add(stage, "bob1", "bob", days=1)
    below = {"groups": {"viewer": "All Users", "uploading": ["Contributor", "Viewer"]}}
    site = at_portal(stage, below, {"workers": 1, "filter_accounts": [ALICE, BOB]})
    site.portal.add_user(BOB, "Viewer")
    return site


def test_a_meeting_that_is_forbidden_holds_up_no_other_and_is_parked_in_the_end(forbidden: PortalSite) -> None:
    site, codes, tries = forbidden, [], []
    for number in range(12):
        result = site.sync()
        codes.append(result.code)
        entry = site.entry("bob1")
        assert result.counts["published"] == (2 if number == 0 else 1)
        assert entry.retry is not None
        assert (
            "media_create: HTTP 403, AccessDeniedException: author: bob@example.org may not upload"
            in (site.reported()["bob1"])
        )
        tries.append(entry.retry.tries)
        add(Stage(site.world), f"later{number}", days=-1 - number)
        site.clock.advance(days=1.5)

    parked = site.entry("bob1").retry
    assert tries == [*range(11), 10]
    assert codes == [1] * 11 + [0]
    assert parked is not None
    assert parked.is_parked
    assert site.run("status", "--check").code == 1
    assert site.media("bob1") == []


def test_where_nothing_else_comes_through_it_is_the_account_that_is_forbidden(
    forbidden: PortalSite,
) -> None:
    forbidden.sync()
    before = forbidden.entry("bob1").retry
    forbidden.clock.advance(hours=2)

    result = forbidden.sync()

    after = forbidden.entry("bob1").retry
    assert result.code == 3
    assert before is not None
    assert after is not None
    assert (before.tries, after.tries) == (0, 0)


def some_who_may_not_publish(at_portal: AtPortal, *, each: int = 1) -> PortalSite:
    """Hosts whom the portal takes for nobody who may upload, with recordings of yesterday; one of Alice's is stored."""
    stage = a_stage()
    add(stage, "new", days=1.5)
    below = {"groups": {"viewer": "All Users", "uploading": ["Contributor", "Viewer"]}}
    site = at_portal(stage, below, {"workers": 1, "recordings": {"since": "2025-12-01"}})
    site.sync()
    for name in HOSTS:
        if f"{name}@example.org" not in {user.email for user in stage.world.users.values()}:
            stage.world.add_user(f"{name.title()} Example")
        site.portal.add_user(f"{name}@example.org", "Viewer")
        for number in range(each):
            add(stage, f"{name}{number}", name, days=1 + number / 24)
    return site


HOSTS = ("bob", "carol", "dave", "erin", "faye")


def test_hosts_who_may_not_publish_do_not_keep_what_is_older_from_being_published(at_portal: AtPortal) -> None:
    site = some_who_may_not_publish(at_portal)
    add(Stage(site.world), "old", days=60)
    site.clock.advance(hours=2)

    result = site.sync("--since", "2025-12-01")

    assert (result.code, len(site.media("old"))) == (1, 1)
    assert set(site.reported()) == {f"{name}0" for name in HOSTS}
    site.clock.advance(days=2)
    site.sync()
    assert site.run("status", "--check").code == 1


def test_of_a_host_who_may_not_publish_one_recording_is_fetched_to_find_out(at_portal: AtPortal) -> None:
    site = some_who_may_not_publish(at_portal, each=4)
    site.clock.advance(hours=2)

    result = site.sync()

    assert (result.code, result.counts["failed"], len(site.downloads())) == (3, len(HOSTS), len(HOSTS))
    assert set(site.reported()) == {f"{name}{number}" for name in HOSTS for number in range(4)}


@pytest.mark.parametrize("workers", [1, 4])
def test_one_media_that_is_forbidden_keeps_no_other_of_its_host_back(at_portal: AtPortal, workers: int) -> None:
    stage = meetings("restricted")
    site = at_portal(stage, config={"workers": workers})
    site.sync()
    site.portal.fail(
        path_of(site.one("restricted")),
        operation="media_get",
        with_=portal_error(403, "AccessDeniedException"),
        times=None,
    )
    stage.video("restricted", 2, at=120, seconds=1)
    for number in range(3):
        add(stage, f"older{number}", days=3 + number)
    for _ in range(3):
        site.clock.advance(days=1)
        site.sync()

    assert [len(site.media(f"older{number}")) for number in range(3)] == [1, 1, 1]
    assert "AccessDeniedException" in site.reported()["restricted"]


@pytest.mark.parametrize("workers", [1, 4])
def test_nor_what_zoom_deletes_soon_nor_what_failed_before(at_portal: AtPortal, workers: int) -> None:
    stage = meetings("restricted")
    site = at_portal(stage, config={"workers": workers})
    site.sync()
    stage.video("restricted", 2, at=120, seconds=1)
    names = [f"{kind}{number}" for kind in ("soon", "failed") for number in range(3)]
    for name in names:
        add(stage, name, days=8)
    for name in ("restricted", *names[:3]):
        site.world.meetings[site.uuid(name)].auto_delete = site.clock.now() + timedelta(days=2)
    site.portal.fail(operation="media_create", with_=portal_error(400, "OddException"), times=None)
    site.clock.advance(hours=1)
    site.sync()
    site.portal.heal()
    forbidden = portal_error(403, "AccessDeniedException")
    site.portal.fail(path_of(site.one("restricted")), operation="media_get", with_=forbidden, times=None)
    site.clock.advance(hours=3)

    site.sync()

    assert [len(site.media(name)) for name in names] == [1] * 6


def test_a_host_who_may_not_publish_is_asked_for_what_zoom_deletes_soon_all_the_same(at_portal: AtPortal) -> None:
    site = some_who_may_not_publish(at_portal, each=2)
    for name in HOSTS:
        for number in range(2):
            site.world.meetings[site.uuid(f"{name}{number}")].auto_delete = site.clock.now() + timedelta(days=1)
    site.clock.advance(hours=2)

    assert (site.sync().code, len(site.downloads())) == (3, 2 * len(HOSTS))


def test_a_portal_that_took_nothing_yet_and_forbids_everything_ends_the_pass(at_portal: AtPortal) -> None:
    stage = meetings(*(f"m{number}" for number in range(6)))
    site = at_portal(stage, config={"workers": 1})
    site.portal.fail(operation="media_create", with_=portal_error(403, "AccessDeniedException"), times=None)

    result = site.sync()

    assert (result.code, len(site.downloads())) == (3, 1)
    assert set(site.reported()) == {f"m{number}" for number in range(6)}


def test_hosts_who_may_not_publish_end_no_pass_by_what_zoom_deletes_soon(at_portal: AtPortal) -> None:
    stage = a_stage()
    if BOB not in {user.email for user in stage.world.users.values()}:
        stage.world.add_user("Bob Example")
    below = {"groups": {"viewer": "All Users", "uploading": ["Contributor", "Viewer"]}}
    site = at_portal(stage, below, {"workers": 1})
    site.portal.add_user(BOB, "Viewer")
    for number in range(4):
        add(stage, f"bob{number}", "bob", days=3)
        site.world.meetings[site.uuid(f"bob{number}")].auto_delete = site.clock.now() + timedelta(days=1.5)
    for name in ("soon", "later"):
        add(stage, name, days=3)
    site.world.meetings[site.uuid("soon")].auto_delete = site.clock.now() + timedelta(days=1.7)

    assert site.sync().code == 1
    assert (len(site.media("soon")), len(site.media("later"))) == (1, 1)


def test_of_a_host_who_lost_the_right_to_publish_a_few_recordings_are_fetched(at_portal: AtPortal) -> None:
    stage = meetings("first")
    site = at_portal(stage, config={"workers": 1})
    site.sync()
    for number in range(8):
        add(stage, f"later{number}", days=3)
    site.portal.fail(operation="media_create", with_=portal_error(403, "AccessDeniedException"), times=None)
    site.clock.advance(hours=1)

    assert (site.sync().code, len(site.downloads())) == (3, 3)
