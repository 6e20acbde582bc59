"""Users whom the portal does not know: each made once and invited once, whatever becomes of an answer."""

import logging
from collections.abc import Callable
from dataclasses import replace

from zoomsync.destinations.vidizmo.client import PortalRefused
from zoomsync.destinations.vidizmo.intents import IntentLog
from zoomsync.destinations.vidizmo.terms import AuthorTerms
from zoomsync.destinations.vidizmo.users import PortalUser, PortalUsers
from zoomsync.errors import Forbidden, OutcomeUnknown, Unreachable
from zoomsync.formatting import moment
from zoomsync.model import Intent, User

log = logging.getLogger(__name__)


class Invitations:
    """Makes users, and finishes what earlier passes began. Each address is worked on by one thread at a time."""

    def __init__(
        self, directory: PortalUsers, unanswered: IntentLog, terms: AuthorTerms, *, named: Callable[[User], User]
    ) -> None:
        self._directory = directory
        self._unanswered = unanswered
        self._terms = terms
        self._named = named
        """A host with the names that Zoom has for it."""

    def made(self, host: User, email: str) -> PortalUser:
        """The user, made, in the contributor group and invited; as the portal shows it, where it does already."""
        host = self._named(host)
        self._directory.require_groups((self._terms.contributor,))
        intent = self._unanswered.begin("invite", target=email)
        try:
            user = self._directory.create(host, email, self._terms.contributor)
        except (PortalRefused, Forbidden):
            self._unanswered.settle(intent)
            raise
        except Unreachable:
            self._unanswered.unheard(intent)
            raise
        known = {"user": user.id} if user.is_active else {"user": user.id, "inactive": "yes"}
        intent = self._unanswered.learn(intent, **known)
        shown = [one for one in self._directory.find(email) if one.id == user.id]
        if shown:
            user = replace(shown[0], groups=user.groups if shown[0].groups is None else shown[0].groups)
        self._complete(intent, user)
        if shown:
            self._unanswered.settle(intent)
        return user

    def begun(self, email: str) -> PortalUser | None:
        """Whom an earlier pass made, as far as its answer told; None: nobody, or no answer came."""
        for intent in self._unanswered.open("invite", target=email):
            if "user" in intent.details:
                return _remembered(intent)
        return None

    def after(self, email: str, found: list[PortalUser]) -> list[PortalUser]:
        """What the portal has after what earlier passes began, given whom its search finds.

        Raises `Unsettled` while that cannot be known.
        """
        for intent in self._unanswered.open("invite", target=email):
            found = self._after(intent, found)
        return found

    def _after(self, intent: Intent, found: list[PortalUser]) -> list[PortalUser]:
        if found:
            if len(found) == 1:
                self._complete(intent, found[0])
            self._unanswered.settle(intent)
            return self._directory.find(intent.target)
        if "user" in intent.details:
            user = _remembered(intent)
            self._complete(intent, user)
            return [replace(user, groups=None)]
        shown = self._unanswered.shows_from(intent)
        if shown is None:
            self._unanswered.settle(intent)
            return []
        raise OutcomeUnknown(
            f"whether the portal made the user {intent.target} shows at {moment(shown)}",
            hint="the next pass looks again",
            until=shown,
        )

    def _complete(self, intent: Intent, user: PortalUser) -> None:
        """Do what is left to do of making a user; nothing for one whom somebody else made meanwhile."""
        own = intent.details.get("user")
        if "complete" in intent.details or (own != user.id and (own is not None or user.has_signed_in)):
            return
        if user.groups is not None and not user.groups & self._terms.uploading:
            self._directory.add_to_group(user, self._terms.contributor)
        if self._terms.invites:
            self._invite(intent, user)
        self._unanswered.learn(intent, complete="yes")

    def _invite(self, intent: Intent, user: PortalUser) -> None:
        """Ask for the mail; never twice, so that a lost answer is told to a person."""
        unheard = "portal: %s: created; whether the invitation went out is not known: look, and send it by hand"
        if "inviting" in intent.details:
            log.warning(unheard, user.email)
            return
        self._unanswered.learn(intent, inviting="yes")
        try:
            self._directory.invite(user)
        except (PortalRefused, Forbidden) as refused:
            log.warning("portal: %s: created, but not invited: %s; send the invitation by hand", user.email, refused)
        except Unreachable as error:
            log.warning(f"{unheard} (%s)", user.email, error)


def _remembered(intent: Intent) -> PortalUser:
    """As the answer told, in no group that is known of."""
    is_active = "inactive" not in intent.details
    return PortalUser(
        id=intent.details["user"],
        email=intent.target,
        is_active=is_active,
        groups=frozenset(),
        has_signed_in=is_active,
    )
