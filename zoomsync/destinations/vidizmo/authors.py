"""Under whom a host's items are published at the portal: found, raised, made, or `me` instead."""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from zoomsync.destinations.vidizmo.directory import Directory, PortalUser, no_account
from zoomsync.destinations.vidizmo.portal import Refused
from zoomsync.destinations.vidizmo.unanswered import Unanswered
from zoomsync.errors import ConfigError, Forbidden, Unreachable, Unsettled
from zoomsync.model import Author, Intent, Standing, User
from zoomsync.words import moment, plural

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the config says of authors."""

    publish_as: str = "zoom_user"
    me: str = ""
    account: str = ""
    """The e-mail that signs in: `me` where none is set."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    viewer: str = "Viewer"
    contributor: str = "Contributor"
    uploading: frozenset[str] = frozenset({"Contributor"})
    create_users: bool = True
    max_new_users: int = 25
    invites: bool = False
    """Whether the mail with the link has to be asked for; else the portal sends it to whoever is new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the portal's users mean for a host."""

    standing: Standing
    note: str
    user: PortalUser | None = None


def judge(found: Sequence[PortalUser], terms: Terms) -> Case:
    """What to do about a host with whose e-mail the portal found these users. Pure."""
    if not found:
        if terms.create_users:
            return Case(standing=Standing.NEW, note="would be created and invited")
        return Case(standing=Standing.FALLBACK, note="unknown to the portal, and create_users is false")
    if len(found) > 1:
        return Case(standing=Standing.FALLBACK, note=f"{plural(len(found), 'user')} of the portal have this e-mail")
    (user,) = found
    if not user.is_active:
        why = "disabled in the portal" if user.has_signed_in is not False else "has not completed the registration"
        return Case(standing=Standing.FALLBACK, note=why)
    if user.groups is None or user.groups & terms.uploading:
        return Case(standing=Standing.PLAIN, note="exists", user=user)
    if terms.viewer in user.groups:
        return Case(standing=Standing.RAISED, note=f"{terms.viewer} would become {terms.contributor}", user=user)
    return Case(standing=Standing.FALLBACK, note="in no group that may upload (destination.groups.uploading)")


class Authors:
    """The authors of one pass; each host is asked about, made and told of once. Shared by all workers."""

    def __init__(
        self, directory: Directory, unanswered: Unanswered, terms: Terms, *, named: Callable[[User], User]
    ) -> None:
        self._directory = directory
        self._unanswered = unanswered
        self._terms = terms
        self._named = named
        """A host with the names that Zoom has for it."""
        self._lock = threading.Lock()
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._settled: dict[str, Author] = {}
        self._foreseen: dict[str, Author] = {}
        self._new = 0
        self._no_licence = ""

    def ready(self) -> None:
        """Find `me`, the account and the groups that the config names, before anything is published under anybody.

        Raises `ConfigError` where one is not there, and what `Portal.call` raises.
        """
        is_host = self._terms.publish_as != "me"
        if self._terms.me or not is_host:
            self.me()
        if not is_host:
            return
        self._require_account(self._directory.find(self._terms.account))
        try:
            self._directory.require_groups((self._terms.viewer, self._terms.contributor))
        except Forbidden as refused:
            log.warning("%s: nobody can be created or raised", refused)

    def author_for(self, host: User) -> Author:
        """The author, made if need be. Raises `Unsettled` while it cannot be known whether an earlier call made one."""
        return self._author(host, self._settle, self._settled)

    def prospect(self, host: User) -> Author:
        """What `author_for` would come to; changes nothing at the portal."""
        return self._author(host, self._foresee, self._foreseen)

    def me(self) -> Author:
        """The author where a host has none. Raises `ConfigError` when the portal does not know the address."""
        address = self._terms.me or self._terms.account
        with self._turn(""):
            if "" not in self._settled:
                self._settled[""] = self._found_me(address)
            return self._settled[""]

    def _require_account(self, found: Sequence[PortalUser]) -> None:
        if not found and self._terms.create_users:
            raise no_account(self._terms.account)
        if not found:
            log.warning("portal: finds no user %s, who signs in: perhaps it finds nobody", self._terms.account)
        elif found[0].groups is None:
            log.warning("portal: does not say in which groups users are: %s stays %s", *[self._terms.viewer] * 2)

    def _author(self, host: User, decide: Callable[[User, str], Author], known: dict[str, Author]) -> Author:
        if self._terms.publish_as == "me":
            return replace(self.me(), note="publish_as is me")
        own = {zoom.lower(): there for zoom, there in self._terms.aliases.items()}.get(host.email.lower())
        email = (own or host.email).lower()
        if not email:
            return replace(self.me(), standing=Standing.FALLBACK, note="falls back to me: the host has no e-mail")
        with self._turn(email):
            if email not in known:
                known[email] = decide(host, email)
            return known[email]

    def _turn(self, email: str) -> threading.Lock:
        with self._lock:
            return self._turns[email]

    def _found_me(self, address: str) -> Author:
        is_account = address.lower() == self._terms.account.lower()
        try:
            found = self._directory.find(address)
        except Forbidden as refused:
            if not is_account:
                raise
            log.warning("%s: items of %s are published without naming an author", refused, address)
            found = []
        if len(found) == 1:
            return Author(id=found[0].id, email=address)
        if is_account:  # the portal knows who is signed in, and takes that for the author
            return Author(id="", email=address)
        raise ConfigError(f"me: the portal has {plural(len(found), 'user')} called {address}", hint="correct `me`")

    def _foresee(self, host: User, email: str) -> Author:
        del host
        case = self._limited(judge(self._directory.find(email), self._terms))
        if case.standing is Standing.FALLBACK:
            return self._fallback(email, case.note, is_told=False)
        return Author(id=case.user.id if case.user else "", email=email, note=case.note, standing=case.standing)

    def _settle(self, host: User, email: str) -> Author:
        found = self._directory.find(email)
        intents = self._unanswered.open("invite", target=email)
        try:
            for intent in intents:
                found = self._after(intent, found)
            return self._made(host, email, self._limited(judge(found, self._terms)))
        except Refused as refused:
            if _is_licence(refused):
                self._no_licence = f"the portal has no licence left: {refused}"
            return self._fallback(email, self._no_licence if _is_licence(refused) else str(refused))
        except Forbidden as refused:
            return self._fallback(email, str(refused))

    def _limited(self, case: Case) -> Case:
        """The case, but for users that may not be made or raised any more in this pass."""
        with self._lock:
            if case.standing in (Standing.NEW, Standing.RAISED) and self._no_licence:
                return Case(standing=Standing.FALLBACK, note=self._no_licence)
            if case.standing is Standing.NEW:
                if self._new >= self._terms.max_new_users:
                    return Case(standing=Standing.FALLBACK, note=f"max_new_users ({self._new}) is reached in this pass")
                self._new += 1
        return case

    def _made(self, host: User, email: str, case: Case) -> Author:
        if case.standing is Standing.FALLBACK:
            return self._fallback(email, case.note)
        try:
            user, note = self._applied(host, email, case)
        except Refused as refused:
            found = self._directory.find(email) if refused.status == 409 and case.user is None else []
            if not found:
                raise
            return self._made(host, email, self._limited(judge(found, self._terms)))
        if case.standing is Standing.NEW and not user.is_active:
            return self._fallback(email, "created and invited; has not completed the registration")
        return Author(id=user.id, email=email, note=note, standing=case.standing)

    def _applied(self, host: User, email: str, case: Case) -> tuple[PortalUser, str]:
        if case.user is None:
            user = self._created(host, email)
            log.info("portal: %s: created as %s and invited", email, self._terms.contributor)
            return user, "created and invited"
        if case.standing is Standing.RAISED:
            self._directory.add_to_group(case.user, self._terms.contributor)
            log.info("portal: %s: %s added; was in %s", email, self._terms.contributor, self._terms.viewer)
            return case.user, f"{self._terms.viewer} became {self._terms.contributor}"
        return case.user, case.note

    def _created(self, host: User, email: str) -> PortalUser:
        """Make the user once, invite once. The intent stays open until the portal's search finds the user."""
        host = self._named(host)
        self._directory.require_groups((self._terms.contributor,))
        intent = self._unanswered.begin("invite", target=email)
        try:
            user = self._directory.create(host, email, self._terms.contributor)
        except (Refused, Forbidden):
            self._unanswered.settle(intent)
            raise
        except Unreachable:
            self._unanswered.unheard(intent)
            raise
        known = {"user": user.id} if user.is_active else {"user": user.id, "inactive": "yes"}
        self._complete(self._unanswered.learn(intent, **known), user)
        if self._directory.find(email):
            self._unanswered.settle(intent)
        return user

    def _invite(self, intent: Intent, user: PortalUser) -> None:
        """Send the mail, where making the user did not; never twice, so a lost answer is told to a person."""
        if not self._terms.invites or "inviting" in intent.details:
            return
        self._unanswered.learn(intent, inviting="yes")
        try:
            self._directory.invite(user)
        except (Refused, Forbidden) as refused:
            log.warning("portal: %s: created, but not invited: %s; send the invitation by hand", user.email, refused)

    def _after(self, intent: Intent, found: list[PortalUser]) -> list[PortalUser]:
        """What the portal has after a creation of an earlier pass. Raises `Unsettled` while that cannot be known."""
        if found:
            if len(found) == 1:
                self._complete(intent, found[0])
            self._unanswered.settle(intent)
            return self._directory.find(intent.target)
        if "user" in intent.details:
            is_active = "inactive" not in intent.details
            own = intent.details["user"]
            return [PortalUser(id=own, email=intent.target, is_active=is_active, groups=None, has_signed_in=is_active)]
        shown = self._unanswered.shows_from(intent)
        if shown is None:
            self._unanswered.settle(intent)
            return []
        raise Unsettled(
            f"whether the portal made the user {intent.target} shows at {moment(shown)}",
            hint="the next pass looks again",
            until=shown,
        )

    def _complete(self, intent: Intent, user: PortalUser) -> None:
        """Do what is left to do of making a user; nothing for one whom somebody else made meanwhile."""
        own = intent.details.get("user")
        if own != user.id and (own is not None or user.has_signed_in):
            return
        if user.groups is not None and not user.groups & self._terms.uploading:
            self._directory.add_to_group(user, self._terms.contributor)
        self._invite(intent, user)

    def _fallback(self, email: str, reason: str, *, is_told: bool = True) -> Author:
        author = self.me()
        if is_told:
            log.warning("portal: %s: published as %s: %s", email, author.email, reason)
        return replace(author, standing=Standing.FALLBACK, note=f"falls back to me: {reason}")


def _is_licence(refused: Refused | Forbidden) -> bool:
    """Whether the portal has run out of licences: then everybody else is refused, too."""
    return isinstance(refused, Refused) and "licen" in refused.name.lower()
