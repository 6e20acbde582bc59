"""What auth-check learns of each row of the table of operations, without writing."""

from typing import Any

import pytest

from tests.destinations.contract import an_item
from tests.destinations.vidizmo.portals import Open, Wired, wired
from tests.fakes import FakeClock
from tests.sandbox.portal.faults import portal_error
from zoomsync.model import Surveyed

GROUPS = "Administrator, All Users, Content Manager, Contributor, Viewer"


def rows(site: Wired) -> dict[str, Surveyed]:
    return {one.name: one for one in site.destination.survey()}


def test_nothing_is_written_by_looking(begin: Open) -> None:
    site = begin()
    site.portal.forget()

    found = rows(site)

    assert {one.operation for one in site.portal.requests} == {
        "user_find",
        "group_list",
        "category_list",
        "attribute_list",
        "media_search",
    }
    assert found["media_get"].message == "not checkable: the portal shows no media yet"
    assert found["upload_start"].message.endswith("(the vendor's pages describe it)")
    assert found["media_create"].message == "not checkable without writing: POST mashup (assumed)"


def test_what_a_media_item_does_not_tell_is_reported(begin: Open, tmp_path: Any) -> None:
    places = {"processed": "", "handouts": "attachments"}
    site = begin(destination={"endpoints": {"media_get": {"answer": places}}})
    site.published(an_item(tmp_path))

    assert rows(site)["media_get"].message == f"media {site.only.id} shows no processed, no handouts"
    assert rows(site)["media_get"].result == "unchecked"


@pytest.mark.parametrize(
    ("destination", "name", "message", "hint", "code"),
    [
        (
            {"groups": {"contributor": "Mitwirkende"}},
            "group_list",
            "destination.groups: the portal has no group called Mitwirkende",
            f"it has: {GROUPS}",
            2,
        ),
        (
            {"endpoints": {"user_find": {"answer": {"email": "mail"}}}},
            "user_find",
            "portal: finds no user service@example.org, who signs in: so everybody would be taken for new",
            "destination.endpoints.user_find.answer (or scim_url) says where users are; or set create_users: false",
            2,
        ),
        (
            {"endpoints": {"media_search": {"answer": {"found": "items"}}}},
            "media_search",
            "portal: media_search: the answer holds no found",
            "another portal may have it elsewhere: destination.endpoints.media_search.answer.found says where",
            6,
        ),
    ],
)
def test_a_row_that_does_not_fit_is_refused_with_its_remedy(
    begin: Open, destination: dict[str, Any], name: str, message: str, hint: str, code: int
) -> None:
    plain = begin()
    with wired(plain.portal, FakeClock(), is_attached=False, destination=destination) as site:
        found = rows(site)[name]

    assert (found.result, found.message, found.hint, found.code) == ("refused", message, hint, code)


def test_a_lack_of_rights_is_code_3(begin: Open) -> None:
    site = begin()
    site.portal.fail(operation="attribute_list", with_=portal_error(403, "AccessDeniedException"))

    found = rows(site)["attribute_list"]

    assert (found.result, found.code) == ("refused", 3)


def test_with_scim_the_portals_own_rows_of_users_are_not_used(begin: Open) -> None:
    plain = begin()
    token = plain.portal.settings.scim_token
    below = {"users": "scim", "scim_url": f"{plain.portal.url}/scim/v2", "scim_token": token}
    site = Wired(plain.portal, FakeClock(), destination=below)

    found = rows(site)

    assert found["scim"].message == "confirmed: finds service@example.org, in All Users, Content Manager"
    assert {found[name].message for name in ("user_find", "group_list", "group_add_user")} == {
        "not used: users are found and made by SCIM"
    }
    site.destination.detach()
