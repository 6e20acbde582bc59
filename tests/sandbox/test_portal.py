"""The stand-in portal: sign-in, users and groups by its own API and by SCIM."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fakes import FakeClock
from tests.sandbox.portal.client import WRONG, Client, portal_with, refusal
from tests.sandbox.portal.server import Portal


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    with Portal(**getattr(request, "param", {})) as portal, Client(portal) as one:
        yield one


def test_a_token_is_a_bare_json_string_by_either_mode(client: Client) -> None:
    by_password, by_secret = client.sign_in(), client.sign_in(password=None, clientSecret=client.portal.client_secret)

    assert [by_password.text, by_secret.text] == ['"portal.token.2.e30"', '"portal.token.3.e30"']


@portal_with(token_form="bare")
def test_a_token_can_come_unquoted(client: Client) -> None:
    assert client.sign_in().text == "portal.token.2.e30"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"password": "wrong"}, (401, "InvalidCredentialsException")),
        ({"emailAddress": "nobody@example.org"}, (401, "InvalidCredentialsException")),
        ({"clientSecret": "both"}, WRONG),
        ({"password": None}, WRONG),
        ({"username": "x"}, WRONG),
    ],
)
def test_a_wrong_sign_in_is_refused(client: Client, changed: dict[str, Any], expected: tuple[int, str]) -> None:
    assert refusal(client.sign_in(**changed)) == expected


@portal_with(application_id="app", secret_is_expired=True, wrong_credentials_status=400)
def test_an_application_id_can_be_wanted_and_a_secret_ends(client: Client) -> None:
    secret = {"password": None, "clientSecret": client.portal.client_secret}

    assert refusal(client.sign_in()) == (400, "InvalidCredentialsException")
    assert client.sign_in(applicationId="app").status_code == 200
    assert refusal(client.sign_in(applicationId="app", **secret)) == (400, "ClientSecretExpiredException")


def test_a_bad_token_is_http_400_and_none_at_all_401(client: Client) -> None:
    bad = client.ask("GET", "group", headers={"Authorization": "Bearer made up"})
    none = client.ask("GET", "group", headers={"Authorization": None})

    assert [refusal(bad), refusal(none)] == [(400, "InvalidAccessTokenException"), (401, "InvalidAccessTokenException")]


def test_a_token_ends_when_idle_and_use_keeps_it() -> None:
    clock = FakeClock()
    with Portal(clock=clock.now, token_idle=1200) as portal, Client(portal) as client:
        seen = []
        for seconds in (1100, 1100, 1200):
            clock.advance(seconds)
            seen.append(client.ask("GET", "group").status_code)

    assert seen == [200, 200, 400]


@portal_with(single_session=True, expired_status=401)
def test_a_sign_in_can_end_the_tokens_before_it(client: Client) -> None:
    client.sign_in()

    assert refusal(client.ask("GET", "group")) == (401, "InvalidAccessTokenException")


def test_every_error_has_an_incident_that_the_portal_remembers(client: Client) -> None:
    answers = [client.ask("GET", "mashup/1"), client.ask("GET", "nowhere")]

    assert [one.json()["incidentId"] for one in answers] == client.portal.incidents
    assert [refusal(one) for one in answers] == [(404, "MashupNotFoundException"), (404, "ResourceNotFoundException")]


def test_users_are_found_by_any_part_of_address_or_name(client: Client) -> None:
    ann = client.portal.add_user("ann@example.org", "Viewer", first="Ann", last="Lee")
    client.portal.add_user("joann@example.org", "Contributor", active=False)
    first, second = client.find("Ann@example.org")

    assert first == {
        "id": int(ann.id),
        "emailAddress": "ann@example.org",
        "firstName": "Ann",
        "lastName": "Lee",
        "isActive": True,
        "groups": [{"id": client.group(name), "name": name} for name in ("All Users", "Viewer")],
        "lastLoginDate": first["lastLoginDate"],
    }
    assert (second["emailAddress"], second["isActive"]) == ("joann@example.org", False)


@portal_with(finds_in_names=False)
def test_several_users_can_have_one_address(client: Client) -> None:
    for _ in range(2):
        client.portal.add_user("twin@example.org", "Contributor")
    client.portal.add_user("not.twin@example.org")

    assert [one["emailAddress"] for one in client.find("twin@example.org")] == ["twin@example.org"] * 2


def test_a_new_user_gets_one_mail_with_a_link_that_dies_after_a_day(client: Client) -> None:
    created = client.create_user("new@example.org", "Contributor")
    (mail,) = client.portal.invitations

    assert created.status_code == 201
    assert (created.json()["isActive"], created.json()["lastLoginDate"]) == (True, None)
    assert (mail.email, (mail.expires - mail.sent).total_seconds()) == ("new@example.org", 86400)
    assert client.ask("POST", f"user/{created.json()['id']}/invitation").status_code == 200
    assert len(client.portal.invitations) == 2


def test_a_user_is_created_once_and_without_a_wish_uninvited(client: Client) -> None:
    client.create_user("new@example.org", sendInvitation=False)

    assert refusal(client.create_user("New@Example.org")) == (409, "UserAlreadyExistsException")
    assert client.portal.invitations == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"emailAddress": "no address"}, WRONG),
        ({"groups": [{"id": 99}]}, (404, "GroupNotFoundException")),
        ({"groups": ["Contributor"]}, WRONG),
        ({"role": "Contributor"}, WRONG),
        ({"sendInvitation": "true"}, WRONG),
    ],
)
def test_a_wrong_new_user_is_refused(client: Client, changed: dict[str, Any], expected: tuple[int, str]) -> None:
    assert refusal(client.create_user("new@example.org", **changed)) == expected
    assert client.portal.people.called("new@example.org") == []


@portal_with(create_users=False)
def test_adding_users_can_be_switched_off(client: Client) -> None:
    assert refusal(client.create_user("new@example.org")) == (400, "UserCreationDisabledException")


@portal_with(licences=1)
def test_licences_run_out_for_new_users_and_for_raised_ones(client: Client) -> None:
    viewer = client.portal.add_user("viewer@example.org", "Viewer")
    first, second = client.create_user("one@example.org"), client.create_user("two@example.org")
    raised = client.raise_user(viewer.id, "Contributor")

    assert (first.status_code, viewer.groups) == (201, ["Viewer"])
    assert [refusal(one) for one in (second, raised)] == [(400, "LicenseLimitExceededException")] * 2


def test_a_group_is_added_and_none_removed(client: Client) -> None:
    viewer = client.portal.add_user("viewer@example.org", "Viewer")
    twice = [client.raise_user(viewer.id, "Contributor").status_code for _ in range(2)]

    assert (twice, viewer.groups) == ([200, 200], ["Viewer", "Contributor"])


@portal_with(membership="roles", renamed={"Contributor": "Mitwirkende"})
def test_older_versions_have_roles_of_which_a_user_has_one(client: Client) -> None:
    viewer = client.portal.add_user("viewer@example.org", "Viewer")
    client.raise_user(viewer.id, "Mitwirkende")

    assert [one["name"] for one in client.find("viewer@")[0]["groups"]] == ["Mitwirkende"]
    assert refusal(client.create_user("new@example.org", "Viewer", "Manager")) == WRONG


@portal_with(manages_users=False)
def test_the_account_may_lack_the_right_to_users(client: Client) -> None:
    assert refusal(client.ask("GET", "group")) == (403, "AccessDeniedException")


def scim(client: Client, method: str, path: str, **more: Any) -> requests.Response:
    head = {"Authorization": f"Bearer {client.portal.scim_token}", "Content-Type": "application/scim+json"}
    return client.http.request(method, client.portal.scim_url + path, headers=head, timeout=5, **more)


NEW = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
    "userName": "new@example.org",
    "name": {"givenName": "New", "familyName": "User"},
}


def adding(user: str) -> dict[str, Any]:
    step = {"op": "add", "path": "members", "value": [{"value": user}]}
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [step]}


def test_scim_finds_creates_and_raises_users(client: Client) -> None:
    made = scim(client, "POST", "/Users", json=NEW).json()
    found = scim(client, "GET", "/Users", params={"filter": 'userName eq "New@example.org"'}).json()
    (group,) = scim(client, "GET", "/Groups", params={"filter": 'displayName eq "Contributor"'}).json()["Resources"]
    raised = scim(client, "PATCH", f"/Groups/{group['id']}", json=adding(made["id"]))

    assert found["Resources"] == [made]
    assert (raised.status_code, raised.content) == (204, b"")
    assert client.portal.user("new@example.org").groups == ["Contributor"]
    assert [one.email for one in client.portal.invitations] == ["new@example.org"]
    assert [one.operation for one in client.portal.requests] == [
        "scim_user_create", "scim_user_find", "scim_group_list", "scim_group_add_user",
    ]  # fmt: skip


def test_scim_refuses_in_its_own_words(client: Client) -> None:
    scim(client, "POST", "/Users", json=NEW)
    again = scim(client, "POST", "/Users", json=NEW)
    answers = [
        again,
        scim(client, "POST", "/Users", json={"userName": "x@example.org"}),
        scim(client, "GET", "/Users", params={"filter": 'emails co "x"'}),
        scim(client, "GET", "/Users/99"),
        client.http.get(f"{client.portal.scim_url}/Users", timeout=5),
    ]
    client.portal.settings.licences = 0
    answers.append(scim(client, "POST", "/Users", json=NEW | {"userName": "y@example.org"}))

    assert [one.status_code for one in answers] == [409, 400, 400, 404, 401, 403]
    assert again.json() == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": "409",
        "detail": "UserAlreadyExistsException",
        "scimType": "uniqueness",
    }


def test_scim_leaves_out_what_has_no_value(client: Client) -> None:
    client.portal.settings.membership = "roles"
    client.portal.people.groups = {key: one for key, one in client.portal.groups.items() if one.name != "All Users"}
    made = scim(client, "POST", "/Users", json={"schemas": NEW["schemas"], "userName": "bare@example.org"}).json()

    assert set(made) == {"schemas", "id", "userName", "active", "emails", "meta"}


@portal_with(scim_shows_groups=False)
def test_scim_may_never_show_groups(client: Client) -> None:
    client.portal.add_user("ann@example.org", "Contributor")
    (found,) = scim(client, "GET", "/Users", params={"filter": 'userName eq "ann@example.org"'}).json()["Resources"]

    assert "groups" not in found


@pytest.mark.parametrize(
    "changed",
    [
        {"role": "Contributor"},
        {"groups": [{"value": "1"}]},
        {"name": {"firstName": "New"}},
        {"emails": ["new@example.org"]},
        {"active": "true"},
        {"userName": ""},
    ],
)
def test_scim_refuses_fields_that_it_does_not_know(client: Client, changed: dict[str, Any]) -> None:
    answer = scim(client, "POST", "/Users", json=NEW | changed)

    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidSyntax")
    assert client.portal.people.called("new@example.org") == []


@portal_with(scim_filters=False)
def test_scim_may_list_everyone_whoever_was_asked_for(client: Client) -> None:
    people = scim(client, "GET", "/Users", params={"filter": 'userName eq "nobody@example.org"'}).json()["Resources"]
    groups = scim(client, "GET", "/Groups", params={"filter": 'displayName eq "Viewer"'}).json()["Resources"]

    assert [one["userName"] for one in people] == [client.portal.email]
    assert len(groups) == len(client.portal.groups)
