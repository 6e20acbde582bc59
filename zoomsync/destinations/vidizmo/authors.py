"""Under whom a host's items are published at the portal: the host's own user, found, raised or made; or `me`."""

import logging
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zoomsync.destinations.base import DestinationContext
from zoomsync.destinations.vidizmo.client import PortalClient, PortalRefused
from zoomsync.destinations.vidizmo.intents import IntentLog
from zoomsync.destinations.vidizmo.invitations import Invitations
from zoomsync.destinations.vidizmo.users import ApiUsers, PortalUser, PortalUsers, no_account
from zoomsync.destinations.vidizmo.users_scim import ScimUsers
from zoomsync.errors import (
    ConfigError,
    DestinationUnsupported,
    Forbidden,
    MeetingFailed,
    Subject,
    Unreachable,
    ZoomsyncError,
)
from zoomsync.formatting import plural
from zoomsync.model import Author, AuthorSource, User

if TYPE_CHECKING:
    from zoomsync.destinations.vidizmo.settings import VidizmoSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AuthorCase:
    """What the portal's users mean for a host."""

    source: AuthorSource
    note: str
    user: PortalUser | None = None


def case_of(found: Sequence[PortalUser], settings: "VidizmoSettings") -> AuthorCase:
    """What to do about a host with whose e-mail the portal found these users. Pure."""
    groups = settings.groups
    if not found and settings.create_users:
        return AuthorCase(AuthorSource.NEW, "would be created and invited")
    if not found:
        return AuthorCase(AuthorSource.FALLBACK, "unknown to the portal, and create_users is false")
    if len(found) > 1:
        return AuthorCase(AuthorSource.FALLBACK, f"{plural(len(found), 'user')} of the portal have this e-mail")
    (user,) = found
    if not user.is_active:
        why = "disabled in the portal" if user.has_signed_in is not False else "has not completed the registration"
        return AuthorCase(AuthorSource.FALLBACK, why)
    if user.groups is None or user.groups & groups.may_upload:
        return AuthorCase(AuthorSource.PLAIN, "exists", user)
    if groups.viewer in user.groups:
        return AuthorCase(AuthorSource.RAISED, f"{groups.viewer} would become {groups.contributor}", user)
    return AuthorCase(AuthorSource.FALLBACK, "in no group that may upload (destination.groups.uploading)")


class PortalAuthors:
    """The authors of one pass; each host is asked about, made and reported once. Shared by all workers."""

    def __init__(
        self, client: PortalClient, intents: IntentLog, settings: "VidizmoSettings", context: DestinationContext
    ) -> None:
        self.users: PortalUsers = ApiUsers(client, invites=settings.invitation == "portal")
        if settings.users == "scim" and settings.scim_url and settings.scim_token:
            self.users = ScimUsers(client, url=settings.scim_url, token=settings.scim_token)
        self._invitations = Invitations(client, self.users, intents, settings, context.with_names)
        self._settings = settings
        self._context = context
        self._is_me_for_all = context.publish_as == "me"
        self._lock = threading.Lock()
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._settled: dict[str, Author] = {}
        self._foreseen: dict[str, Author] = {}
        self._failed: dict[str, MeetingFailed] = {}
        """Address → why the portal fails over it in this pass, and the remedy."""
        self._new = 0
        self._no_licence = ""

    def ready(self) -> None:
        """Find `me`, the account and the groups that the config names, before anything is published under anybody.

        Raises `ConfigError` if one is not there, and what `PortalClient.call` raises.
        """
        if self._context.me or self._is_me_for_all:
            self.me()
        if self._is_me_for_all:
            return
        account, viewer = self._settings.email, self._settings.groups.viewer
        found = self.users.find(account)
        if not found and self._settings.create_users:
            raise no_account(account)
        if not found:
            log.warning("portal: finds no user %s, who signs in: perhaps it finds nobody", account)
        elif found[0].groups is None:
            log.warning("portal: does not say in which groups users are: %s stays %s", viewer, viewer)
        try:
            for name in (viewer, self._settings.groups.contributor):
                self.users.group_id(name)
        except Forbidden as refused:
            log.warning("%s: nobody can be created or raised", refused)

    def author_for(self, host: User) -> Author:
        """The author, made if need be. Raises `OutcomeUnknown` while it is unknown whether an earlier call made one."""
        return self._author(host, self._settled)

    def prospect(self, host: User) -> Author:
        """What `author_for` would come to; changes nothing at the portal."""
        return self._author(host, self._foreseen)

    def me(self) -> Author:
        """The author if a host has none. Raises `ConfigError` when the portal does not know the address."""
        with self._turn(""):
            if "" not in self._settled:
                self._settled[""] = self._find_me(self._context.me or self._settings.email)
            return self._settled[""]

    def _author(self, host: User, known: dict[str, Author]) -> Author:
        if self._is_me_for_all:
            return replace(self.me(), note="publish_as is me")
        is_real = known is self._settled
        email = (self._context.aliases.get(host.email.lower()) or host.email).lower()
        name = email or f"host {host.id}"
        with self._turn(name):
            if name not in known and not email:
                known[name] = self._fallback(name, "it has no e-mail", is_reported=is_real)
            elif name not in known:
                known[name] = self._settle(host, email) if is_real else self._foresee(email)
            return known[name]

    def _turn(self, email: str) -> threading.Lock:
        with self._lock:
            return self._turns[email]

    def _find_me(self, address: str) -> Author:
        is_account = address.lower() == self._settings.email.lower()
        try:
            found = self.users.find(address)
        except Forbidden as refused:
            if not is_account:
                raise
            log.warning("%s: items of %s are published without naming an author", refused, address)
            found = []
        if len(found) == 1:
            (user,) = found
            may_upload = user.groups is None or user.groups & self._settings.groups.may_upload
            if is_account or (user.is_active and may_upload):
                return Author(id=user.id, email=address)
            raise ConfigError(f"me: {address} is disabled, or may not upload", hint="let it, or name another one")
        if is_account:  # the portal knows who is signed in, and takes that for the author
            return Author(id="", email=address)
        message = f"me: the portal has {plural(len(found), 'user')} called {address}"
        raise ConfigError(message, hint="write the e-mail of one user")

    def _find(self, email: str) -> list[PortalUser]:
        """Look an address up. Raises `MeetingFailed` if the portal fails over this one alone; it is asked once."""
        if email in self._failed:
            known = self._failed[email]
            raise known.become(type(known))
        try:
            return self.users.find(email)
        except (PortalRefused, Forbidden, Unreachable) as error:
            self.users.find(self._settings.email)  # raises if the trouble is not this address's alone
            raise self._failure(email, error, MeetingFailed) from error

    def _failure(self, email: str, error: ZoomsyncError, kind: type[MeetingFailed]) -> MeetingFailed:
        """What failed over this address; it is not asked about again in this pass."""
        fact, subject = f"{error}, asked for {email}", Subject("user", email)
        self._failed[email] = kind(fact, hint=error.hint, service=error.service, subject=subject)
        return self._failed[email]

    def _foresee(self, email: str) -> Author:
        found = self._find(email)
        if not found and (begun := self._invitations.begun(email)):
            return Author(id=begun.id, email=email, note="created already, and not shown by the portal's search yet")
        case = self._limited(case_of(found, self._settings))
        if case.source is AuthorSource.FALLBACK:
            return self._fallback(email, case.note, is_reported=False)
        return Author(id=case.user.id if case.user else "", email=email, note=case.note, source=case.source)

    def _settle(self, host: User, email: str) -> Author:
        found = self._find(email)
        try:
            found = self._invitations.after(email, found)
            return self._made(host, email, self._limited(case_of(found, self._settings)))
        except PortalRefused as refused:
            if refused.is_unknown:
                raise self._failure(email, refused, DestinationUnsupported) from refused
            # Licences have run out: everybody else would be refused, too. The error's name is not documented: assumed.
            if refused.status != 409 and "licen" in refused.name.lower().replace(email, ""):
                self._no_licence = f"the portal has no licence left: {refused}"
                return self._fallback(email, self._no_licence)
            return self._fallback(email, str(refused), hint=refused.hint)
        except Forbidden as refused:
            return self._fallback(email, str(refused), hint=refused.hint)

    def _limited(self, case: AuthorCase) -> AuthorCase:
        """The case; or a fallback, if no more users may be made or raised in this pass."""
        with self._lock:
            if case.source in (AuthorSource.NEW, AuthorSource.RAISED) and self._no_licence:
                return AuthorCase(AuthorSource.FALLBACK, self._no_licence)
            if case.source is AuthorSource.NEW:
                if self._new >= self._settings.max_new_users:
                    return AuthorCase(AuthorSource.FALLBACK, f"max_new_users ({self._new}) is reached in this pass")
                self._new += 1
        return case

    def _made(self, host: User, email: str, case: AuthorCase) -> Author:
        if case.source is AuthorSource.FALLBACK:
            return self._fallback(email, case.note)
        try:
            user, note = self._applied(host, email, case)
        except (PortalRefused, Forbidden) as refused:
            with self._lock:
                self._new -= case.source is AuthorSource.NEW
            is_taken = isinstance(refused, PortalRefused) and refused.status == 409 and case.user is None
            found = self.users.find(email) if is_taken else []
            if not found:
                raise
            # Somebody else made the user meanwhile.
            return self._made(host, email, self._limited(case_of(found, self._settings)))
        if case.source is AuthorSource.NEW and not user.is_active:
            return self._fallback(email, "created and invited; has not completed the registration")
        return Author(id=user.id, email=email, note=note, source=case.source)

    def _applied(self, host: User, email: str, case: AuthorCase) -> tuple[PortalUser, str]:
        """The user, made or raised if need be; and how it came about."""
        groups = self._settings.groups
        if case.user is None:
            user = self._invitations.made(host, email)
            log.info("portal: %s: created as %s and invited", email, groups.contributor)
            return user, "created and invited"
        if case.source is AuthorSource.RAISED:
            try:
                self.users.add_to_group(case.user, groups.contributor)
            except Unreachable as error:
                self.users.find(self._settings.email)  # raises if the trouble is not this address's alone
                raise self._failure(email, error, MeetingFailed) from error
            log.info("portal: %s: %s added; was in %s", email, groups.contributor, groups.viewer)
            return case.user, f"{groups.viewer} became {groups.contributor}"
        return case.user, case.note

    def _fallback(self, email: str, reason: str, *, hint: str = "", is_reported: bool = True) -> Author:
        author = self.me()
        if is_reported:
            remedy = f" ({hint})" if hint else ""
            log.warning("portal: %s: published as %s: %s%s", email, author.email, reason, remedy)
        return replace(author, source=AuthorSource.FALLBACK, note=f"falls back to me: {reason}")
