"""What a pass finds out at the portal before it publishes anything: that authors can be found, made and raised."""

from typing import Any

import pytest

from tests.destinations.vidizmo.portals import ME, Open, Wired, wired
from tests.fakes import FakeClock, a_user
from tests.sandbox.faults import Fault
from tests.sandbox.message import json_answer
from tests.sandbox.portal.faults import portal_error
from zoomsync.errors import ConfigError, NotAuthorized, Unreachable
from zoomsync.model import AuthorSource, User

ADA = a_user().email
NOBODY = Fault(instead=lambda _: json_answer({"users": [], "totalCount": 0}))
FORBIDDEN = portal_error(403, "AccessDeniedException")


def again(site: Wired, **below: Any) -> Wired:
    """Another destination on the same portal."""
    return Wired(site.portal, site.clock, destination=below)


@pytest.mark.parametrize("users", ["portal", "scim"])
@pytest.mark.parametrize("name", ["viewer", "contributor"])
def test_a_group_that_is_called_otherwise_stops_the_pass_before_anybody_is_made(
    begin: Open, name: str, users: str
) -> None:
    site = begin()
    scim = {"users": users, "scim_url": site.portal.scim_url, "scim_token": site.portal.scim_token}

    with pytest.raises(ConfigError, match=r"destination\.groups: the portal has no group called Mitwirkende"):
        again(site, groups={name: "Mitwirkende"}, **scim)

    assert len(site.portal.users) == 1


def test_groups_that_may_not_be_read_are_reported_and_who_may_upload_publishes(
    begin: Open, caplog: pytest.LogCaptureFixture
) -> None:
    site = begin()
    ada = site.portal.add_user(ADA, "Contributor")
    site.portal.fail(operation="group_list", with_=FORBIDDEN, times=None)

    author = site.later().author_for(a_user())

    assert "group_list: HTTP 403, AccessDeniedException" in caplog.text
    assert "nobody can be created or raised" in caplog.text
    assert author.id == ada.id
    assert site.destination.author_for(a_user(email="new@example.org")).source is AuthorSource.FALLBACK


def test_a_look_up_that_does_not_even_find_who_signs_in_makes_nobody(begin: Open) -> None:
    site = begin()
    site.portal.fail(operation="user_find", with_=NOBODY, times=None)

    with pytest.raises(ConfigError, match=f"finds no user {ME}, who signs in") as raised:
        site.later()

    assert "destination.endpoints.user_find.answer" in raised.value.hint
    assert site.portal.invitations == []


def test_where_nobody_is_made_that_is_only_reported(begin: Open, caplog: pytest.LogCaptureFixture) -> None:
    site = begin(destination={"create_users": False})
    site.portal.fail(operation="user_find", with_=NOBODY, times=None)

    assert site.later().author_for(a_user()).email == ME
    assert f"finds no user {ME}, who signs in: perhaps it finds nobody" in caplog.text


def test_publishing_as_me_needs_neither_groups_nor_users(begin: Open) -> None:
    site = begin(config={"publish_as": "me"})
    site.portal.fail(operation="group_list", with_=FORBIDDEN, times=None)
    site.portal.fail(operation="user_find", with_=FORBIDDEN, times=None)

    assert site.later().author_for(a_user()).email == ME


def test_publishing_as_me_without_a_look_up_is_reported(begin: Open, caplog: pytest.LogCaptureFixture) -> None:
    site = begin(config={"publish_as": "me"})
    site.portal.fail(operation="user_find", with_=FORBIDDEN, times=None)

    site.later()

    assert "portal: user_find: HTTP 403, AccessDeniedException" in caplog.text
    assert f"items of {ME} are published without naming an author" in caplog.text


@pytest.mark.parametrize("me", ["nobody@example.org", "twice@example.org"])
def test_me_that_is_not_one_user_stops_the_pass(begin: Open, me: str) -> None:
    site = begin()
    for _ in range(2):
        site.portal.add_user("twice@example.org", "Contributor")

    with pytest.raises(ConfigError, match=f"me: the portal has (0|2) users called {me}"):
        Wired(site.portal, site.clock, me=me)


class TestTheNamesOfNewUsers:
    """Meetings name the address of their host, and no names: Zoom is asked for them, of whom is made alone."""

    host = User(id="u1", email=ADA)

    def test_who_is_made_has_the_names_that_zoom_has(self, begin: Open) -> None:
        site = begin()
        site.zoom.people = (a_user(id="u1"),)

        site.destination.author_for(self.host)

        ada = site.portal.user(ADA)
        assert (ada.first_name, ada.last_name, site.zoom.asked) == ("Ada", "Lovelace", ["u1"])

    def test_nobody_is_asked_for_whom_the_portal_knows(self, begin: Open) -> None:
        site = begin()
        site.portal.add_user(ADA, "Contributor")

        site.destination.author_for(self.host)

        assert site.zoom.asked == []

    def test_who_has_left_zoom_is_made_without_names(self, begin: Open) -> None:
        site = begin()

        author = site.destination.author_for(self.host)

        assert (author.email, site.portal.user(ADA).first_name) == (ADA, "")

    def test_where_zoom_refuses_it_is_reported(
        self, begin: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        site = begin()

        def refused(email: str) -> User:
            raise NotAuthorized(f"zoom: {email}: the app lacks user:read:user:admin")

        monkeypatch.setattr(site.zoom, "user", refused)

        assert site.destination.author_for(self.host).email == ADA
        assert f"zoom: {ADA}: its names are not known: zoom: u1: the app lacks user:read:user:admin" in caplog.text


def test_a_scim_that_leaves_out_empty_lists_says_of_who_is_in_no_group_just_that(begin: Open) -> None:
    """RFC 7643, 2.5: a list that is left out is an empty one."""
    plain = begin()
    below = {"users": "scim", "scim_url": plain.portal.scim_url, "scim_token": plain.portal.scim_token}
    ada = json_answer({"Resources": [{"id": plain.portal.add_user(ADA).id, "userName": ADA, "active": True}]})
    in_none = Fault(change=lambda request, answer: ada if ADA in request.query.get("filter", "") else answer)
    plain.portal.fail(operation="scim_user_find", with_=in_none, times=None)
    with wired(plain.portal, FakeClock(), destination=below) as site:
        author = site.destination.author_for(a_user())

    assert author.note == "falls back to me: in no group that may upload (destination.groups.uploading)"


def test_where_no_groups_are_shown_that_is_reported(begin: Open, caplog: pytest.LogCaptureFixture) -> None:
    plain = begin(scim_shows_groups=False)
    below = {"users": "scim", "scim_url": plain.portal.scim_url, "scim_token": plain.portal.scim_token}
    plain.portal.add_user(ADA, "Viewer")
    with wired(plain.portal, FakeClock(), destination=below) as site:
        author = site.destination.author_for(a_user())

    assert "portal: does not say in which groups users are: Viewer stays Viewer" in caplog.text
    assert (author.email, author.source) == (ADA, AuthorSource.PLAIN)


def test_another_address_of_scim_is_named(begin: Open) -> None:
    site = begin()

    with pytest.raises(Unreachable, match="portal: scim: GET Users: HTTP 404") as raised:
        again(site, users="scim", scim_url=f"{site.portal.url}/elsewhere", scim_token=site.portal.scim_token)

    assert raised.value.hint == "check destination.scim_url"
