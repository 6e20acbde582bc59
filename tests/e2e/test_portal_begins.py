"""How passes begin at a portal that refuses a row, or a look-up of one host; and what each command says of it."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import a_stage
from tests.e2e.portal_site import ALICE, AtPortal, PortalSite
from tests.sandbox.faults import Fault
from tests.sandbox.message import json_answer
from tests.sandbox.portal.faults import on_arrival, portal_error
from tests.sandbox.stage import Stage
from zoomsync.destinations.vidizmo.operations import TABLE
from zoomsync.http import TRIES

BOB = "bob@example.org"
ROWS = {"user_find", "group_list", "category_list"}


def one_meeting() -> Stage:
    """Alice's only recording."""
    stage = a_stage()
    stage.meeting("plain", "alice", 2, "Plain")
    stage.video("plain", seconds=1)
    return stage


def newest_of_bob(number: int) -> Stage:
    """Recordings of Alice from a week ago, and newer ones of Bob."""
    stage = a_stage()
    stage.world.add_user("Bob Example")
    for one in range(2):
        stage.meeting(f"alice{one}", "alice", 8 - one, f"Alice {one}")
        stage.video(f"alice{one}", seconds=1)
    for one in range(number):
        stage.meeting(f"bob{one}", "bob", 1 + one / 10, f"Bob {one}")
        stage.video(f"bob{one}", seconds=1)
    return stage


def only(email: str, status: int) -> Fault:
    """Refused where this address is asked for; the portal's own answer for all others."""
    refused = json_answer({"name": "OddException"}, status=status)
    return Fault(change=lambda request, answer: refused if email.encode() in request.body else answer)


def elsewhere(row: str) -> dict[str, Any]:
    """The settings of a portal that has this row elsewhere."""
    return {"paths": {row: (TABLE[row].method, f"elsewhere/{row.replace('_', '-')}")}}


def a_site(at_portal: AtPortal, **settings: Any) -> PortalSite:
    """One that needs every row at the start of a pass."""
    site = at_portal(one_meeting(), {"category": "Lectures"}, **settings)
    site.portal.add_category("Lectures")
    return site


def rows(site: PortalSite) -> tuple[int, dict[str, str]]:
    """The code of `auth-check`, and the level of each row that it tells of."""
    result = site.run("--json", "auth-check", "--only", "destination")
    reported = [row for row in result.document["checks"] if row["name"] == "operation"]
    return result.code, {row["message"].partition(":")[0]: row["level"] for row in reported}


class TestARowThatThePortalRefuses:
    """Nothing can be published, which is said by every command, at once."""

    @pytest.mark.parametrize("row", sorted(ROWS))
    @pytest.mark.parametrize("status", [404, 400])
    def test_the_pass_fails_and_status_says_so_however_often(self, at_portal: AtPortal, row: str, status: int) -> None:
        site = a_site(at_portal)
        site.portal.fail(operation=row, with_=portal_error(status, "OddException"), times=None)

        codes = []
        for _ in range(3):
            result = site.run("sync")
            codes.append((result.code, site.run("status", "--check").code))
            site.clock.advance(hours=20)

        assert codes == [(6, 1)] * 3
        assert f"portal: {row}: HTTP {status}, OddException" in result.stderr
        assert f"destination.endpoints.{row} overrides what zoomsync sends" in result.stderr
        assert "Failed" in site.run("status").stdout
        assert site.portal.media == {}

    def test_so_it_is_with_scim(self, at_portal: AtPortal) -> None:
        site = a_site(at_portal)
        site.below |= {"users": "scim", "scim_token": site.portal.scim_token, "scim_url": f"{site.portal.url}/nowhere"}
        site.configure()

        codes = [site.run("sync").code, site.run("status", "--check").code, site.run("users").code]

        assert codes == [6, 1, 6]
        assert rows(site)[0] == 6
        assert "scim" in rows(site)[1]

    @pytest.mark.parametrize("row", sorted(ROWS - {"category_list"}))
    def test_users_end_with_the_same_code(self, at_portal: AtPortal, row: str) -> None:
        site = a_site(at_portal, **elsewhere(row))

        result = site.run("users")

        assert result.code == 6
        assert f"portal: {row}: HTTP 404" in result.stderr

    @pytest.mark.parametrize("row", sorted(ROWS))
    @pytest.mark.parametrize(("status", "code"), [(404, 6), (400, 6), (500, 6), (403, 3)])
    def test_auth_check_still_tells_what_every_row_is_worth(
        self, at_portal: AtPortal, row: str, status: int, code: int
    ) -> None:
        site = a_site(at_portal)
        site.portal.fail(operation=row, with_=portal_error(status, "OddException"), times=None)

        ended, reported = rows(site)

        assert set(reported) == set(TABLE)
        assert [name for name, level in reported.items() if level == "fail"] == [row]
        assert ended == code

    @pytest.mark.parametrize(
        ("row", "place"), [("user_find", "users"), ("group_list", "groups"), ("category_list", "categories")]
    )
    def test_so_it_does_where_an_answer_is_another_one(self, at_portal: AtPortal, row: str, place: str) -> None:
        site = a_site(at_portal)
        site.portal.fail(operation=row, with_=Fault(instead=lambda _: json_answer({"data": {place: []}})), times=None)

        ended, reported = rows(site)

        assert (ended, set(reported), reported[row]) == (6, set(TABLE), "fail")

    def test_so_it_does_for_what_the_config_has_wrong(self, at_portal: AtPortal) -> None:
        site = at_portal(one_meeting(), {"groups": {"contributor": "Mitwirkende"}})

        ended, reported = rows(site)

        assert (ended, set(reported), reported["group_list"]) == (2, set(TABLE), "fail")

    def test_a_wrong_password_is_tried_once_and_no_row_is_reported(self, at_portal: AtPortal) -> None:
        """Else the portal would lock the account."""
        site = at_portal(one_meeting(), {"password": "wrong"})

        ended, reported = rows(site)

        assert (ended, reported) == (3, {})
        assert len(site.portal.calls("sign_in")) == 1


@pytest.mark.parametrize("status", [302, 405, 415])
def test_what_is_no_portal_is_no_wrong_password(at_portal: AtPortal, status: int) -> None:
    site = at_portal(one_meeting())
    headers = {"Location": "https://login.example.org/"} if status == 302 else None
    site.portal.fail(operation="sign_in", with_=portal_error(status, "OddException", headers), times=None)

    result = site.run("sync")

    assert result.code == 6
    assert "check destination.url" in result.stderr


@pytest.mark.parametrize("status", [500, 403, 401])
class TestALookUpThatFailsOverOneHost:
    """It is about the recordings of that host alone."""

    @pytest.fixture
    def site(self, at_portal: AtPortal, status: int) -> PortalSite:
        site = at_portal(newest_of_bob(4), config={"workers": 1})
        site.portal.fail(operation="user_find", with_=only(BOB, status), times=None)
        return site

    def test_others_are_published_and_that_host_is_parked_in_the_end(self, site: PortalSite) -> None:
        first = site.sync()
        published = [len(site.media(name)) for name in ("alice0", "alice1")]
        tries = []
        for _ in range(14):
            tries.append(site.entry("bob0").retry)
            site.clock.advance(days=1)
            site.sync()

        parked = [site.entry(f"bob{number}").retry for number in range(4)]
        assert (first.code, published, first.counts["failed"]) == (1, [1, 1], 4)
        assert [one.tries for one in tries if one][:4] == [1, 2, 3, 4]
        assert [one is not None and one.is_parked for one in parked] == [True] * 4
        assert all(f"asked for {BOB}" in site.reported()[f"bob{number}"] for number in range(4))
        assert len(site.portal.media) == 2

    def test_the_address_is_asked_about_once_a_pass(self, site: PortalSite, status: int) -> None:
        """With repetitions, as any request has them: after a new token, and where the portal is out of order."""
        site.sync()

        asked = [one.document["keyword"] for one in site.portal.calls("user_find")]
        assert asked.count(BOB) == {403: 1, 401: 2, 500: TRIES}[status]
        assert len(site.portal.calls("sign_in")) <= 2

    def test_who_is_selected_is_reported_all_the_same(self, site: PortalSite) -> None:
        listed = site.run("--json", "users")
        dry = site.run("sync", "--dry-run")

        notes = {row["email"]: (row["author"], row["note"]) for row in listed.document["users"]}
        assert (listed.code, dry.code) == (0, 0)
        assert notes[ALICE] == (ALICE, "would be created and invited")
        assert notes[BOB][0] == ""
        assert re.search(rf"user_find: .*HTTP \d+, OddException.*asked for {BOB}", notes[BOB][1])
        assert f"{BOB}: author not known: portal: user_find: " in dry.stderr
        assert "authors: 1 would be created" in dry.stdout


def test_recordings_of_others_are_fetched_however_old_they_are(at_portal: AtPortal) -> None:
    stage = newest_of_bob(3)
    stage.meeting("old", "alice", 45, "Old")
    stage.video("old", seconds=1)
    site = at_portal(stage, config={"workers": 1, "recordings": {"since": "2026-01-01"}})
    site.portal.fail(operation="user_find", with_=only(BOB, 500), times=None)

    site.sync()
    site.clock.advance(days=1)
    site.sync()

    assert len(site.media("old")) == 1


def test_a_password_file_that_is_gone_ends_the_pass(at_portal: AtPortal, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.touch(mode=0o600)
    site = at_portal(newest_of_bob(4), {"password": None, "password_file": str(file)}, {"workers": 1})
    file.write_text(site.portal.password)

    def lose() -> None:
        file.unlink()
        site.portal.signing.revoke()

    site.portal.fail(operation="media_create", with_=on_arrival(lose))

    result = site.sync()

    assert result.code == 2
    assert (result.counts["failed"], len(site.portal.media)) == (1, 0)
    told = [line for line in result.stderr.splitlines() if "error" in line and "destination.password_file" in line]
    assert len(told) <= 2


def test_a_lost_invitation_is_reported_and_the_pass_goes_on(at_portal: AtPortal) -> None:
    site = at_portal(newest_of_bob(2), {"invitation": "call"}, {"workers": 1})
    site.portal.fail(operation="user_invite", with_=portal_error(500))

    results = [site.sync(), site.sync()]

    reported = "created; whether the invitation went out is not known: look, and send it by hand"
    assert [one.code for one in results] == [0, 0]
    assert [one.stderr.count(reported) for one in results] == [1, 0]
    assert [len(site.portal.calls("user_invite")), len(site.portal.invitations)] == [2, 1]
    authors = {site.portal.users[media.author].email for media in site.portal.media.values()}
    assert authors == {ALICE, BOB}
    assert site.state().open_intents() == ()


@pytest.mark.parametrize(("group", "active"), [("Contributor", False), ("Viewer", True)])
def test_me_who_cannot_publish_is_reported_before_anything_is(at_portal: AtPortal, group: str, active: bool) -> None:
    site = at_portal(one_meeting(), config={"publish_as": "me", "me": "boss@example.org"})
    site.portal.add_user("boss@example.org", group, active=active)

    results = [site.run("sync"), site.run("users"), site.run("auth-check", "--only", "destination")]

    assert [one.code for one in results] == [2, 2, 2]
    assert all("me: boss@example.org is disabled, or may not upload" in one.stdout + one.stderr for one in results)
    assert site.portal.media == {}


def test_who_was_made_and_is_not_shown_yet_is_not_foreseen_as_new(at_portal: AtPortal) -> None:
    site = at_portal(newest_of_bob(0), {"max_new_users": 1}, {"workers": 1})
    nobody = json_answer({"users": [], "totalCount": 0})
    hidden = Fault(change=lambda request, answer: nobody if ALICE.encode() in request.body else answer)
    site.portal.fail(operation="user_find", with_=hidden, times=None)
    site.sync()
    stage = Stage(site.world)
    stage.meeting("more", "alice", 1, "More")
    stage.video("more", seconds=1)

    notes = {row["email"]: row["note"] for row in site.run("--json", "users", "--all").document["users"]}
    dry = site.run("sync", "--dry-run")

    assert notes[ALICE] == "created already, and not shown by the portal's search yet"
    assert dry.code == 0
    assert "would be created" not in dry.stdout


@pytest.mark.parametrize("key", ["incidentId", "error"])
def test_no_password_is_shown_or_kept_that_a_portal_says_back(at_portal: AtPortal, key: str) -> None:
    password = "o'Brien\"s"
    site = at_portal(one_meeting(), password=password)
    echo = json_answer({key: {"request": password}}, status=401)
    site.portal.fail(operation="sign_in", with_=Fault(instead=lambda _: echo), times=None)

    results = [site.run("-v", "sync"), site.run("auth-check", "--only", "destination")]

    assert [one.code for one in results] == [3, 3]
    assert "Brien" not in "".join(one.stdout + one.stderr for one in results) + site.seen_text()
