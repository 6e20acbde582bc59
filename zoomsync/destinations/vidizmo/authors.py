"""Under whom a host's items are published at the portal: found, raised, made, or `me` instead."""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from zoomsync.destinations.vidizmo.client import PortalRefused
from zoomsync.destinations.vidizmo.invitations import Invitations
from zoomsync.destinations.vidizmo.terms import AuthorTerms, Case, judge
from zoomsync.destinations.vidizmo.users import PortalUser, PortalUsers, no_account
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

log = logging.getLogger(__name__)


class PortalAuthors:
    """The authors of one pass; each host is asked about, made and told of once. Shared by all workers."""

    def __init__(self, directory: PortalUsers, enrolling: Invitations, terms: AuthorTerms) -> None:
        self._directory = directory
        self._enrolling = enrolling
        self._terms = terms
        self._lock = threading.Lock()
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._settled: dict[str, Author] = {}
        self._foreseen: dict[str, Author] = {}
        self._lost: dict[str, MeetingFailed] = {}
        """Address → over what the portal fails about it in this pass, and the remedy."""
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
            email, decide = f"host {host.id}", partial(self._nameless, is_told=known is self._settled)
        with self._turn(email):
            if email not in known:
                known[email] = decide(host, email)
            return known[email]

    def _nameless(self, host: User, own: str, *, is_told: bool) -> Author:
        del host
        return self._fallback(own, "it has no e-mail", is_told=is_told)

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
        if len(found) == 1 and (is_account or self._may_publish(found[0])):
            return Author(id=found[0].id, email=address)
        if is_account:  # the portal knows who is signed in, and takes that for the author
            return Author(id="", email=address)
        if len(found) == 1:
            raise ConfigError(f"me: {address} is disabled, or may not upload", hint="let it, or name another one")
        raise ConfigError(
            f"me: the portal has {plural(len(found), 'user')} called {address}", hint="write the e-mail of one user"
        )

    def _may_publish(self, user: PortalUser) -> bool:
        return user.is_active and (user.groups is None or not user.groups.isdisjoint(self._terms.uploading))

    def _find(self, email: str) -> list[PortalUser]:
        """Look an address up. Raises `MeetingFailed` where the portal fails over this one alone; it is asked once."""
        if email in self._lost:
            known = self._lost[email]
            raise known.become(type(known))
        try:
            return self._directory.find(email)
        except (PortalRefused, Forbidden, Unreachable) as error:
            raise self._about(email, error) from error

    def _about(self, email: str, error: ZoomsyncError) -> MeetingFailed:
        """What failed over this address, remembered; raises likewise where it is not about the address."""
        self._directory.find(self._terms.account)
        return self._failed_over(email, error, MeetingFailed)

    def _failed_over(self, email: str, error: ZoomsyncError, kind: type[MeetingFailed]) -> MeetingFailed:
        self._lost[email] = kind(
            f"{error}, asked for {email}", hint=error.hint, service=error.service, subject=Subject("user", email)
        )
        return self._lost[email]

    def _foresee(self, host: User, email: str) -> Author:
        del host
        found = self._find(email)
        begun = None if found else self._enrolling.begun(email)
        if begun is not None:
            return Author(id=begun.id, email=email, note="created already, and not shown by the portal's search yet")
        case = self._limited(judge(found, self._terms))
        if case.source is AuthorSource.FALLBACK:
            return self._fallback(email, case.note, is_told=False)
        return Author(id=case.user.id if case.user else "", email=email, note=case.note, source=case.source)

    def _settle(self, host: User, email: str) -> Author:
        found = self._find(email)
        try:
            found = self._enrolling.after(email, found)
            return self._made(host, email, self._limited(judge(found, self._terms)))
        except PortalRefused as refused:
            if refused.is_unknown:
                raise self._failed_over(email, refused, DestinationUnsupported) from refused
            if _is_licence(refused, email):
                self._no_licence = f"the portal has no licence left: {refused}"
                return self._fallback(email, self._no_licence)
            return self._fallback(email, str(refused), hint=refused.hint)
        except Forbidden as refused:
            return self._fallback(email, str(refused), hint=refused.hint)

    def _limited(self, case: Case) -> Case:
        """The case, but for users that may not be made or raised any more in this pass."""
        with self._lock:
            if case.source in (AuthorSource.NEW, AuthorSource.RAISED) and self._no_licence:
                return Case(source=AuthorSource.FALLBACK, note=self._no_licence)
            if case.source is AuthorSource.NEW:
                if self._new >= self._terms.max_new_users:
                    return Case(
                        source=AuthorSource.FALLBACK, note=f"max_new_users ({self._new}) is reached in this pass"
                    )
                self._new += 1
        return case

    def _made(self, host: User, email: str, case: Case) -> Author:
        if case.source is AuthorSource.FALLBACK:
            return self._fallback(email, case.note)
        try:
            user, note = self._applied(host, email, case)
        except (PortalRefused, Forbidden) as refused:
            with self._lock:
                self._new -= case.source is AuthorSource.NEW
            if not isinstance(refused, PortalRefused):
                raise
            found = self._directory.find(email) if refused.status == 409 and case.user is None else []
            if not found:
                raise
            return self._made(host, email, self._limited(judge(found, self._terms)))
        if case.source is AuthorSource.NEW and not user.is_active:
            return self._fallback(email, "created and invited; has not completed the registration")
        return Author(id=user.id, email=email, note=note, source=case.source)

    def _applied(self, host: User, email: str, case: Case) -> tuple[PortalUser, str]:
        if case.user is None:
            user = self._enrolling.made(host, email)
            log.info("portal: %s: created as %s and invited", email, self._terms.contributor)
            return user, "created and invited"
        if case.source is AuthorSource.RAISED:
            try:
                self._directory.add_to_group(case.user, self._terms.contributor)
            except Unreachable as error:
                raise self._about(email, error) from error
            log.info("portal: %s: %s added; was in %s", email, self._terms.contributor, self._terms.viewer)
            return case.user, f"{self._terms.viewer} became {self._terms.contributor}"
        return case.user, case.note

    def _fallback(self, email: str, reason: str, *, hint: str = "", is_told: bool = True) -> Author:
        author = self.me()
        if is_told:
            remedy = f" ({hint})" if hint else ""
            log.warning("portal: %s: published as %s: %s%s", email, author.email, reason, remedy)
        return replace(author, source=AuthorSource.FALLBACK, note=f"falls back to me: {reason}")


def _is_licence(refused: PortalRefused, email: str) -> bool:
    """Whether the portal has run out of licences: then everybody else is refused, too."""
    return refused.status != 409 and "licen" in refused.name.lower().replace(email, "")
