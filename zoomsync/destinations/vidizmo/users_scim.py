"""The users of a portal by SCIM 2.0, the standard way: https://www.rfc-editor.org/rfc/rfc7644

That a portal has SCIM: https://help.vidizmo.com/support/solutions/articles/17000115531-how-to-configure-scim-provisioning-using-azure-ad
Not documented, assumed: whoever is made by SCIM gets the same mail with a sign-up link, and the id that SCIM gives a
user names the author of an item.
"""

import json
import threading
from contextlib import suppress
from dataclasses import replace
from typing import Any

from zoomsync.destinations.vidizmo.client import PortalClient, PortalRefused
from zoomsync.destinations.vidizmo.users import PortalUser, is_active, no_such_group
from zoomsync.errors import Forbidden, NotAuthorized, Unreachable
from zoomsync.model import Secret, User
from zoomsync.redaction import host_of

MIME = "application/scim+json"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
CHECK_URL = "check destination.scim_url"


class ScimUsers:
    """See `PortalUsers`."""

    def __init__(self, client: PortalClient, *, url: str, token: Secret) -> None:
        self._http = client.http
        self._url = url
        self._token = token
        self._lock = threading.Lock()
        self._groups: dict[str, str] = {}
        self._names: dict[str, str] = {}
        """Id of a group → its name; read if users are shown without the names of their groups."""
        self._shows_groups = False

    def group_id(self, name: str) -> str:
        with self._lock:
            if name not in self._groups:
                found = _resources(self._ask("GET", "Groups", filter=f"displayName eq {json.dumps(name)}"))
                ids = [str(one.get("id")) for one in found if one.get("displayName") == name]
                if not ids:
                    raise no_such_group(name, [str(one.get("displayName")) for one in found])
                self._groups[name] = ids[0]
            return self._groups[name]

    def find(self, email: str) -> list[PortalUser]:
        """By `userName`."""
        answer = self._ask("GET", "Users", filter=f"userName eq {json.dumps(email)}")
        users = [self._user(one) for one in _resources(answer)]
        self._shows_groups = self._shows_groups or any(user.groups for user in users)
        found = [user for user in users if user.email.lower() == email.lower()]
        if not self._shows_groups:
            return found
        # RFC 7643, 2.5: an attribute without a value may be left out. If others show their groups, this user has none.
        return [user if user.groups is not None else replace(user, groups=frozenset()) for user in found]

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
        """One member more; whoever is one already stays one."""
        operation = {"op": "add", "path": "members", "value": [{"value": user.id}]}
        self._ask("PATCH", f"Groups/{self.group_id(group)}", {"schemas": [PATCH], "Operations": [operation]})

    def _user(self, one: Any) -> PortalUser:
        if not isinstance(one, dict) or not one.get("id"):
            raise Unreachable("portal: scim: the answer is no user", hint=CHECK_URL, service="portal")
        return PortalUser(
            id=str(one["id"]),
            email=str(one.get("userName", "")),
            is_active=is_active(one.get("active")),
            groups=self._group_names(one.get("groups")),
        )

    def _group_names(self, groups: Any) -> frozenset[str] | None:
        """The names of a user's groups, which SCIM need not show beside their ids; None: not all of them are known."""
        if not isinstance(groups, list):
            return None
        shown = [one for one in groups if isinstance(one, dict)]
        if any("display" not in one for one in shown) and not self._names:
            found = _resources(self._ask("GET", "Groups"))
            self._names = {str(one.get("id")): str(one.get("displayName")) for one in found}
        names = [one.get("display") or self._names.get(str(one.get("value"))) for one in shown]
        return frozenset(map(str, names)) if all(names) else None

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
        status, said = response.status_code, self._http.said(response.content)
        message = f"portal: scim: {method} {path.partition('/')[0]}: HTTP {status}, {said}"
        if status == 401:
            raise NotAuthorized(message, hint="check destination.scim_token", service="portal")
        if status == 403:
            raise Forbidden(message, hint="let the token of SCIM change users and groups", service="portal")
        answer: Any = {}
        is_json = not response.content.strip()
        with suppress(ValueError, RecursionError):
            answer, is_json = json.loads(response.content), True
        if status >= 300:
            said_of_it = answer if isinstance(answer, dict) else {}
            name = " ".join(str(said_of_it[key]) for key in ("name", "scimType", "detail") if said_of_it.get(key))
            hint = CHECK_URL if status in (404, 405, 501) else "the next pass tries again"
            raise PortalRefused(message, hint=hint, status=status, name=name)
        if not is_json:
            message = f"portal: scim: {host_of(self._url)}: answers {said} instead of JSON"
            raise Unreachable(message, hint=CHECK_URL, service="portal")
        return answer


def _resources(document: Any) -> list[dict[str, Any]]:
    found = document.get("Resources", []) if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise Unreachable("portal: scim: the answer is no list", hint=CHECK_URL, service="portal")
    return [one for one in found if isinstance(one, dict)]
