"""The users of a portal by SCIM 2.0, the standard way: https://www.rfc-editor.org/rfc/rfc7644

Whoever is new at the portal gets its mail with the link, however he came there. An item's author is named by the id
that SCIM gives: both ways must know a user by the same one.
"""

import json
import threading
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from typing import Any

from zoomsync.destinations.vidizmo.client import PortalClient, PortalRefused
from zoomsync.destinations.vidizmo.users import PortalUser, is_active, no_such_group
from zoomsync.errors import Forbidden, NotAuthorized, Unreachable
from zoomsync.http import Http
from zoomsync.model import Secret, User
from zoomsync.redaction import host_of

MIME = "application/scim+json"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class ScimUsers:
    """See `Directory`."""

    def __init__(self, http: Http, portal: PortalClient, *, url: str, token: Secret) -> None:
        self._http = http
        self._portal = portal
        self._url = url
        self._token = token
        self._lock = threading.Lock()
        self._groups: dict[str, str] = {}
        self._names: dict[str, str] = {}
        """Id of a group → its name, read where users are shown without names."""
        self._shows_groups = False

    def require_groups(self, names: Collection[str]) -> None:
        """See `Directory`."""
        for name in names:
            self._group(name)

    def find(self, email: str) -> list[PortalUser]:
        """By `userName`."""
        document = self._ask("GET", "Users", filter=f"userName eq {json.dumps(email)}")
        users = [self._user(one) for one in _resources(document)]
        self._shows_groups = self._shows_groups or any(user.groups for user in users)
        found = [user for user in users if user.email.lower() == email.lower()]
        return [replace(user, groups=frozenset()) if self._is_in_none(user) else user for user in found]

    def create(self, host: User, email: str, group: str) -> PortalUser:
        """In no group yet: `add_to_group` comes next."""
        del group
        names = {"givenName": host.first_name, "familyName": host.last_name}
        sent = {
            "schemas": [USER],
            "userName": email,
            "name": {name: text for name, text in names.items() if text},
            "emails": [{"value": email, "primary": True}],
            "active": True,
        }
        user = self._user(self._ask("POST", "Users", sent))
        return replace(user, groups=user.groups or frozenset())

    def add_to_group(self, user: PortalUser, group: str) -> None:
        """A member more; who is one already stays one."""
        operation = {"op": "add", "path": "members", "value": [{"value": user.id}]}
        self._ask("PATCH", f"Groups/{self._group(group)}", {"schemas": [PATCH], "Operations": [operation]})

    def invite(self, user: PortalUser) -> None:
        """The portal's own way."""
        self._portal.call("user_invite", user=user.id)

    def _is_in_none(self, user: PortalUser) -> bool:
        """Whether groups are left out because there are none, as SCIM allows: others show theirs."""
        return user.groups is None and self._shows_groups

    def _user(self, one: Any) -> PortalUser:
        if not isinstance(one, dict) or not one.get("id"):
            raise Unreachable(
                "portal: scim: the answer is no user", hint="check destination.scim_url", service="portal"
            )
        return PortalUser(
            id=str(one["id"]),
            email=str(one.get("userName", "")),
            is_active=is_active(one.get("active")),
            groups=self._named(one.get("groups")),
        )

    def _named(self, groups: Any) -> frozenset[str] | None:
        """The names of a user's groups, which SCIM need not show beside their ids; None: not all of them are known."""
        if not isinstance(groups, list):
            return None
        told = [one for one in groups if isinstance(one, dict)]
        if any("display" not in one for one in told) and not self._names:
            found = _resources(self._ask("GET", "Groups"))
            self._names = {str(one.get("id")): str(one.get("displayName")) for one in found}
        names = [one.get("display") or self._names.get(str(one.get("value"))) for one in told]
        return frozenset(map(str, names)) if all(names) else None

    def _group(self, name: str) -> str:
        with self._lock:
            if name not in self._groups:
                found = _resources(self._ask("GET", "Groups", filter=f"displayName eq {json.dumps(name)}"))
                ids = [str(one.get("id")) for one in found if one.get("displayName") == name]
                if not ids:
                    raise no_such_group(name, [str(one.get("displayName")) for one in found])
                self._groups[name] = ids[0]
            return self._groups[name]

    def _ask(self, method: str, path: str, document: Any = None, **query: str) -> Any:
        token = self._token.reveal()
        self._http.hide(token)
        try:
            response = self._http.request(
                method,
                f"{self._url}/{path}",
                repeatable=method != "POST",
                params=query,
                headers={"Authorization": f"Bearer {token}", "Accept": MIME, "Content-Type": MIME},
                data=None if document is None else json.dumps(document).encode(),
            )
        except Unreachable as error:
            fact = str(error).removeprefix(f"{self._http.name}: ")
            raise error.become(type(error), f"portal: scim: {fact}") from None
        fact = f"HTTP {response.status_code}, {self._http.said(response.content)}"
        message = f"portal: scim: {method} {path.partition('/')[0]}: {fact}"
        if response.status_code == 401:
            raise NotAuthorized(message, hint="check destination.scim_token", service="portal")
        if response.status_code == 403:
            raise Forbidden(message, hint="let the token of SCIM change users and groups", service="portal")
        if response.status_code >= 300:
            raise _refused(message, response.status_code, response.content)
        if not response.content.strip():
            return {}
        with suppress(ValueError, RecursionError):
            return json.loads(response.content)
        raise Unreachable(
            f"portal: scim: {host_of(self._url)}: answers {self._http.said(response.content)} instead of JSON",
            hint="check destination.scim_url",
            service="portal",
        )


def _refused(message: str, status: int, body: bytes) -> PortalRefused:
    name = ""
    with suppress(ValueError, RecursionError, AttributeError):
        document = json.loads(body)
        name = f"{document.get('name') or ''} {document.get('scimType') or ''} {document.get('detail') or ''}".strip()
    hint = "check destination.scim_url" if status in (404, 405, 501) else "the next pass tries again"
    return PortalRefused(message, hint=hint, status=status, name=name)


def _resources(document: Any) -> list[dict[str, Any]]:
    found = document.get("Resources", []) if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise Unreachable("portal: scim: the answer is no list", hint="check destination.scim_url", service="portal")
    return [one for one in found if isinstance(one, dict)]
