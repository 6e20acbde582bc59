"""The users of a portal, by its own REST API."""

import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from zoomsync.destinations.vidizmo.client import PortalClient, PortalResponse
from zoomsync.errors import ConfigError
from zoomsync.model import User


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalUser:
    """A user of the portal."""

    id: str
    email: str
    is_active: bool
    groups: frozenset[str] | None
    """Names; None: the portal does not say."""
    has_signed_in: bool | None = None
    """None: the portal does not say."""


class PortalUsers(Protocol):
    """Where users are looked up and made. All raise what `PortalClient.call` raises."""

    def group_id(self, name: str) -> str:
        """The id of a group. Raises `ConfigError` for a name that no group has."""

    def find(self, email: str) -> list[PortalUser]:
        """Those with exactly this address, in whatever case."""

    def create(self, host: User, email: str, group: str) -> PortalUser:
        """Make one with the host's names, in the group of this name, or in none that may upload as yet."""

    def add_to_group(self, user: PortalUser, group: str) -> None:
        """Add a group to those that the user has."""


class ApiUsers:
    """See `PortalUsers`: the portal's own way. `invites`: it is asked to mail a sign-up link to whoever is made."""

    def __init__(self, client: PortalClient, *, invites: bool) -> None:
        self._client = client
        self._invites = invites
        self._lock = threading.Lock()
        self._groups: dict[str, str] | None = None

    def group_id(self, name: str) -> str:
        with self._lock:
            if self._groups is None:
                self._groups = self._client.listed("group_list")
        if name not in self._groups:
            raise no_such_group(name, self._groups)
        return self._groups[name]

    def find(self, email: str) -> list[PortalUser]:
        found = [(answer, one) for answer, page in self._client.pages("user_find", email=email) for one in page]
        users = [self._user(answer, one) for answer, one in found]
        return [user for user in users if user.email.lower() == email.lower()]

    def create(self, host: User, email: str, group: str) -> PortalUser:
        answer = self._client.call(
            "user_create",
            email=email,
            first_name=host.first_name,
            last_name=host.last_name,
            invitation=self._invites,
            group=self._client.sent(self.group_id(group)),
        )
        answer.required("id")
        return self._user(answer, answer.document)

    def add_to_group(self, user: PortalUser, group: str) -> None:
        self._client.call("group_add_user", group=self.group_id(group), user=user.id)

    def _user(self, answer: PortalResponse, one: Any) -> PortalUser:
        groups = answer.get("groups", one)
        last_login = answer.places.get("last_login")
        return PortalUser(
            id=self._client.id(answer, "id", one),
            email=answer.text("email", one),
            is_active=is_active(answer.get("active", one)),
            groups=frozenset(answer.text("group_name", each) for each in groups) if isinstance(groups, list) else None,
            has_signed_in=bool(answer.get("last_login", one)) if last_login and last_login in one else None,
        )


def is_active(value: Any) -> bool:
    """Whether a portal says that a user is active, by a flag, a number or a word; if it says nothing, yes."""
    return str(value).strip().lower() not in ("false", "0", "no", "inactive", "disabled", "blocked", "suspended")


def no_account(email: str) -> ConfigError:
    """The error for a look-up that does not find who signs in: it finds nobody, and everybody would be new."""
    hint = "destination.endpoints.user_find.answer (or scim_url) says where users are; or set create_users: false"
    return ConfigError(f"portal: finds no user {email}, who signs in: so everybody would be taken for new", hint=hint)


def no_such_group(name: str, known: Collection[str]) -> ConfigError:
    """The error for a group that the config names and the portal does not have."""
    hint = f"it has: {', '.join(sorted(known))}" if known else "write what it is called there"
    return ConfigError(f"destination.groups: the portal has no group called {name}", hint=hint)
