"""What is sent to SCIM and what is made of its answers, word by word."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.destinations.vidizmo.portals import ME, Open, Wired, wired
from tests.fakes import FakeClock, a_user
from tests.sandbox.faults import lost_answer
from tests.sandbox.portal.faults import portal_error
from zoomsync.errors import Unreachable

ADA = a_user().email
Sited = Callable[..., Wired]


@pytest.fixture
def by_scim(begin: Open) -> Iterator[Sited]:
    """`by_scim(scim_filters=False)`: a destination that finds users by SCIM, on a portal of these settings."""
    with ExitStack() as stack:

        def opened(**settings: Any) -> Wired:
            portal = begin(**settings).portal
            below = {"users": "scim", "scim_url": portal.scim_url, "scim_token": portal.scim_token}
            return stack.enter_context(wired(portal, FakeClock(), destination=below))

        yield opened


def made(site: Wired) -> list[Any]:
    """What was sent to make users."""
    return [one.document for one in site.portal.calls("scim_user_create")]


def test_a_new_user_is_active_and_has_an_address_and_the_names_of_zoom(by_scim: Sited) -> None:
    site = by_scim()

    site.destination.author_for(a_user())

    assert made(site) == [
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": ADA,
            "name": {"givenName": "Ada", "familyName": "Lovelace"},
            "emails": [{"value": ADA, "primary": True}],
            "active": True,
        }
    ]


def test_a_name_that_zoom_does_not_know_is_left_out(by_scim: Sited) -> None:
    site = by_scim()

    site.destination.author_for(a_user(first_name=""))

    assert [one["name"] for one in made(site)] == [{"familyName": "Lovelace"}]


def test_who_is_disabled_is_not_made_author(by_scim: Sited) -> None:
    site = by_scim()
    site.portal.add_user(ADA, "Contributor", active=False)

    assert site.destination.author_for(a_user()).email == ME


def test_of_all_who_are_listed_only_the_host_is_taken_and_only_into_the_right_group(by_scim: Sited) -> None:
    site = by_scim(scim_filters=False)
    others = {name: site.portal.add_user(f"{name}@example.org", "Contributor") for name in ("xada", "bob")}
    ada = site.portal.add_user(ADA.upper(), "Viewer")

    author = site.destination.author_for(a_user())

    assert author.id == ada.id
    assert ada.groups == ["Viewer", "Contributor"]
    assert [one.groups for one in others.values()] == [["Contributor"], ["Contributor"]]


def test_where_scim_cannot_be_reached_that_is_said(by_scim: Sited) -> None:
    site = by_scim()
    site.portal.fail(operation="scim_user_find", with_=portal_error(), times=None)

    with pytest.raises(Unreachable, match=r"^portal: scim: .*HTTP 500, InternalServerException"):
        site.destination.author_for(a_user())


def test_a_user_whose_making_was_not_answered_is_not_made_at_once_again(by_scim: Sited) -> None:
    site = by_scim()
    site.portal.fail(operation="scim_user_create", with_=lost_answer())

    with pytest.raises(Unreachable):
        site.destination.author_for(a_user())

    assert len(made(site)) == 1
    site.clock.advance(hours=1)
    assert site.later().author_for(a_user()).email == ADA
    assert (len(made(site)), site.portal.user(ADA).groups) == (1, ["Contributor"])
