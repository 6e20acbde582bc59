"""SCIM 2.0 (RFC 7643, RFC 7644) for users and groups: what the portal offers beside its own API."""

import json
import re
from collections.abc import Sequence
from typing import Any

from tests.sandbox.message import Answer, Request, json_answer
from tests.sandbox.portal.accounts import Accounts
from tests.sandbox.portal.call import Check, Refused, checked, is_filled, is_flag, is_text, list_of, object_of
from tests.sandbox.portal.people import Group, People, PortalUser
from tests.sandbox.portal.settings import PortalSettings

PREFIX = "/scim/v2"
SCHEMAS = "urn:ietf:params:scim:schemas:core:2.0:"
MESSAGES = "urn:ietf:params:scim:api:messages:2.0:"
TYPE = {"Content-Type": "application/scim+json"}
STATUS = {"UserAlreadyExistsException": (409, "uniqueness")}
FILTER = r'(\w+) eq ("(?:[^"\\]|\\.)*")'


EMAIL = object_of({"value": is_filled}, {"type": is_text, "primary": is_flag, "display": is_text})
NEW_USER: tuple[dict[str, Check], dict[str, Check]] = (
    {"schemas": list_of(is_text), "userName": is_filled},
    {
        "name": object_of({}, {"givenName": is_text, "familyName": is_text, "formatted": is_text}),
        "displayName": is_text,
        "externalId": is_text,
        "emails": list_of(EMAIL),
        "active": is_flag,
    },
)
"""What a new user must have, and what it may: no groups, which are read-only (RFC 7643, 4.1.2)."""


class ScimError(Exception):
    """SCIM's "no"."""

    def __init__(self, status: int, detail: str, kind: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind


class Scim:
    """`/Users` and `/Groups`; its ids are the portal's, as strings."""

    def __init__(self, settings: PortalSettings, people: People, accounts: Accounts) -> None:
        self._settings = settings
        self._people = people
        self._accounts = accounts

    def answer(self, request: Request) -> Answer:
        """The answer to a request, errors included."""
        try:
            return self._answer(request)
        except ScimError as error:
            body = {"schemas": [f"{MESSAGES}Error"], "status": str(error.status), "detail": str(error)}
            kind = {"scimType": error.kind} if error.kind else {}
            return json_answer(body | kind, status=error.status, headers=TYPE)

    def _answer(self, request: Request) -> Answer:
        if not self._settings.scim or not (operation := scim_operation(request)):
            raise ScimError(404, "no such endpoint")
        if request.bearer != self._settings.scim_token:
            raise ScimError(401, "the token is not known")
        own = request.path.rpartition("/")[2]
        match operation:
            case "scim_user_find":
                return _listed(request, [self._user(one) for one in self._found(request)])
            case "scim_user_create":
                return self._create(_document(request, f"{SCHEMAS}User"))
            case "scim_user_get":
                return json_answer(self._user(self._person(own)), headers=TYPE)
            case "scim_group_list":
                return _listed(request, [_group(one) for one in self._groups(request)])
            case _:
                return self._patch(own, _document(request, f"{MESSAGES}PatchOp"))

    def _found(self, request: Request) -> list[PortalUser]:
        wanted = _filter(request, "userName")
        is_wanted = wanted is not None and self._settings.scim_filters
        return self._people.called(str(wanted)) if is_wanted else list(self._people.users.values())

    def _groups(self, request: Request) -> list[Group]:
        wanted = _filter(request, "displayName")
        every = list(self._people.groups.values())
        if wanted is None or not self._settings.scim_filters:
            return every
        return [one for one in every if one.shown.lower() == wanted.lower()]

    def _create(self, sent: dict[str, Any]) -> Answer:
        try:
            checked(sent, *NEW_USER)
        except Refused as refused:
            raise ScimError(400, "; ".join(refused.details), "invalidSyntax") from None
        name = sent.get("name", {})
        first, last = (str(name.get(key) or "") for key in ("givenName", "familyName"))
        try:
            user = self._accounts.new_user(sent["userName"], [], first, last)
        except Refused as refused:
            raise ScimError(*_translated(refused)) from None
        self._people.invite(user)
        return json_answer(self._user(user), status=201, headers=TYPE)

    def _patch(self, own: str, sent: dict[str, Any]) -> Answer:
        group = self._people.groups.get(own)
        if group is None:
            raise ScimError(404, f"{own}: no such group")
        steps = sent.get("Operations")
        if not isinstance(steps, list) or not all(_is_addition(one) for one in steps):
            raise ScimError(400, "only members can be added", "invalidPath")
        joining = [self._person(str(member["value"])) for one in steps for member in one["value"]]
        for user in joining:
            try:
                self._accounts.raise_to(user, group)
            except Refused as refused:
                raise ScimError(*_translated(refused)) from None
        return Answer(status=204)

    def _person(self, own: str) -> PortalUser:
        if own not in self._people.users:
            raise ScimError(404, f"{own}: no such user")
        return self._people.users[own]

    def _user(self, user: PortalUser) -> dict[str, Any]:
        """What has no value is left out: RFC 7643, 2.5."""
        groups = [{"value": one.id, "display": one.shown} for one in self._people.groups_of(user)]
        name = _filled({"givenName": user.first_name, "familyName": user.last_name})
        whole = {
            "schemas": [f"{SCHEMAS}User"], "id": user.id, "userName": user.email, "active": user.is_active,
            "name": name, "emails": [{"value": user.email, "type": "work", "primary": True}],
            "groups": groups if self._settings.scim_shows_groups else [],
            "meta": {"resourceType": "User", "location": f"{PREFIX}/Users/{user.id}"},
        }  # fmt: skip
        return _filled(whole)


def _filled(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value not in ("", [], {})}


def scim_operation(request: Request) -> str:
    """What a request below `/scim/v2` asks for; empty for nothing that there is."""
    if not (found := re.fullmatch(rf"{PREFIX}/(Users|Groups)(/[^/]+)?", request.path)):
        return ""
    known = {("GET", "Users", False): "scim_user_find", ("POST", "Users", False): "scim_user_create",
             ("GET", "Users", True): "scim_user_get", ("GET", "Groups", False): "scim_group_list",
             ("PATCH", "Groups", True): "scim_group_add_user"}  # fmt: skip
    return known.get((request.method, found[1], found[2] is not None), "")


def _listed(request: Request, entries: Sequence[object]) -> Answer:
    first, count = request.query.get("startIndex", "1"), request.query.get("count", "100")
    if not first.isdigit() or not count.isdigit():
        raise ScimError(400, "startIndex and count must be numbers", "invalidValue")
    start = max(1, int(first))
    page = entries[start - 1 :][: int(count)]
    body = {"schemas": [f"{MESSAGES}ListResponse"], "totalResults": len(entries), "startIndex": start,
            "itemsPerPage": len(page), "Resources": page}  # fmt: skip
    return json_answer(body, headers=TYPE)


def _filter(request: Request, attribute: str) -> str | None:
    if "filter" not in request.query:
        return None
    found = re.fullmatch(FILTER, request.query["filter"])
    if not found or found[1].lower() != attribute.lower():
        raise ScimError(400, f"only {attribute} eq can be filtered by", "invalidFilter")
    return str(json.loads(found[2]))


def _document(request: Request, schema: str) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0] not in ("application/scim+json", "application/json"):
        raise ScimError(415, "the body must be application/scim+json")
    try:
        document = json.loads(request.body)
    except ValueError:
        raise ScimError(400, "the body is not JSON", "invalidSyntax") from None
    if not isinstance(document, dict) or schema not in document.get("schemas", ()):
        raise ScimError(400, f"schemas: {schema} is missing", "invalidSyntax")
    return document


def _is_addition(step: object) -> bool:
    return (
        isinstance(step, dict)
        and str(step.get("op")).lower() == "add"
        and step.get("path") == "members"
        and isinstance(step.get("value"), list)
        and all(isinstance(one, dict) and "value" in one for one in step["value"])
    )


def _group(group: Group) -> dict[str, Any]:
    return {"schemas": [f"{SCHEMAS}Group"], "id": group.id, "displayName": group.shown,
            "meta": {"resourceType": "Group", "location": f"{PREFIX}/Groups/{group.id}"}}  # fmt: skip


def _translated(refused: Refused) -> tuple[int, str, str]:
    status, kind = STATUS.get(refused.name, (403 if refused.name != "InvalidRequestException" else 400, ""))
    return status, refused.name, kind
