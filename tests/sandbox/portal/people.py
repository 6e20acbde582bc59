"""Who is known to the portal: users, groups, licences, and the mails that went out."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.sandbox.portal.settings import UPLOADING, PortalSettings

LINK_LIVES = timedelta(hours=24)


@dataclass(kw_only=True)
class Group:
    """A group, or a role."""

    id: str
    name: str
    """The ordinary one, by which this package knows it."""
    shown: str
    """The one that this portal gave it."""


@dataclass(kw_only=True)
class PortalUser:
    """A user; `groups` are their ordinary names, without All Users."""

    id: str
    email: str
    first_name: str = ""
    last_name: str = ""
    is_active: bool = True
    last_login: datetime | None = None
    groups: list[str] = field(default_factory=list)
    has_licence: bool = False
    """Took one of those that are counted."""

    @property
    def may_upload(self) -> bool:
        """Whether one of the groups allows it."""
        return any(name in UPLOADING for name in self.groups)

    @property
    def is_moderated(self) -> bool:
        """Whether what this user uploads is judged: Contributors alone are."""
        return {name for name in self.groups if name in UPLOADING} <= {"Contributor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A mail with a link that completes the registration."""

    email: str
    sent: datetime
    expires: datetime


class NoLicence(Exception):
    """No user can be added or raised any more."""


class People:
    """Everyone in the tenant; `users` and `groups` are by id."""

    def __init__(self, settings: PortalSettings, ids: Iterator[int]) -> None:
        self._settings = settings
        self._ids = ids
        self.users: dict[str, PortalUser] = {}
        self.groups: dict[str, Group] = {}
        self.invitations: list[Invitation] = []
        for name in settings.group_names:
            one = Group(id=str(next(ids)), name=name, shown=settings.renamed.get(name, name))
            self.groups[one.id] = one

    def add(self, email: str, *groups: str, first: str = "", last: str = "", active: bool = True) -> PortalUser:
        """A user who has been there, in groups by their ordinary names; an address may be there more than once."""
        user = PortalUser(id=str(next(self._ids)), email=email, first_name=first, last_name=last, is_active=active,
                          groups=[self.group(name).name for name in groups],
                          last_login=self._settings.clock())  # fmt: skip
        self.users[user.id] = user
        return user

    def create(self, email: str, groups: Iterable[str], first: str, last: str) -> PortalUser:
        """A user added through the API, who has never been there; NoLicence if none is left."""
        self._take_licence()
        user = self.add(email, *groups, first=first, last=last, active=self._settings.new_users_are_active)
        user.last_login, user.has_licence = None, True
        return user

    def join(self, user: PortalUser, group: str) -> None:
        """Put a user into a group; with roles it takes the place of the one before. NoLicence if that needs one."""
        if group in user.groups:
            return
        if group in UPLOADING and not user.may_upload and not user.has_licence:
            self._take_licence()
            user.has_licence = True
        user.groups = [group] if self._settings.membership == "roles" else [*user.groups, group]

    def invite(self, user: PortalUser) -> None:
        """Send the mail with the link."""
        now = self._settings.clock()
        self.invitations.append(Invitation(email=user.email, sent=now, expires=now + LINK_LIVES))

    def called(self, email: str) -> list[PortalUser]:
        """Those with this address, in whatever case."""
        return [one for one in self.users.values() if one.email.lower() == email.lower()]

    def group(self, name: str) -> Group:
        """By name; KeyError for one that is not there."""
        return {one.name: one for one in self.groups.values()}[name]

    def groups_of(self, user: PortalUser) -> list[Group]:
        """As the portal lists them: everyone is in All Users, where there is one."""
        everyone = [one for one in self.groups.values() if one.name == "All Users"]
        return everyone + [self.group(name) for name in user.groups]

    def _take_licence(self) -> None:
        if self._settings.licences is None:
            return
        if self._settings.licences <= 0:
            raise NoLicence
        self._settings.licences -= 1


def numbers() -> Iterator[int]:
    """The ids of a tenant."""
    return itertools.count(1001)
