"""Users whom the portal does not know: each is made once and invited once, whatever becomes of an answer."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zoomsync.destinations.vidizmo.client import PortalClient, PortalRefused
from zoomsync.destinations.vidizmo.intents import IntentLog
from zoomsync.destinations.vidizmo.users import PortalUser, PortalUsers
from zoomsync.errors import Forbidden, OutcomeUnknown, Unreachable
from zoomsync.formatting import moment
from zoomsync.model import Intent, User

if TYPE_CHECKING:
    from zoomsync.destinations.vidizmo.settings import VidizmoSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Invitations:
    """Makes users, and finishes what earlier passes began. Each address is worked on by one thread at a time."""

    client: PortalClient
    users: PortalUsers
    intents: IntentLog
    settings: "VidizmoSettings"
    with_names: Callable[[User], User]
    """A host with the names that Zoom has for it."""

    def made(self, host: User, email: str) -> PortalUser:
        """The user, made, in the contributor group and invited; as the portal shows it, if it does already."""
        host = self.with_names(host)
        contributor = self.settings.groups.contributor
        self.users.group_id(contributor)
        intent = self.intents.begin("invite", target=email)
        try:
            user = self.users.create(host, email, contributor)
        except (PortalRefused, Forbidden):
            self.intents.settle(intent)
            raise
        except Unreachable:
            self.intents.count_from_now(intent)
            raise
        known = {"user": user.id} if user.is_active else {"user": user.id, "inactive": "yes"}
        intent = self.intents.learn(intent, **known)
        shown = [one for one in self.users.find(email) if one.id == user.id]
        if shown:
            user = replace(shown[0], groups=user.groups if shown[0].groups is None else shown[0].groups)
        self._complete(intent, user)
        if shown:
            self.intents.settle(intent)
        return user

    def begun(self, email: str) -> PortalUser | None:
        """Whom an earlier pass made, as its answer said; None: nobody, or no answer came."""
        for intent in self.intents.open("invite", target=email):
            if "user" in intent.details:
                return _remembered(intent)
        return None

    def after(self, email: str, found: list[PortalUser]) -> list[PortalUser]:
        """Whom the portal has once what earlier passes began is complete, given whom its search finds.

        Raises `OutcomeUnknown` while that cannot be known.
        """
        for intent in self.intents.open("invite", target=email):
            if found:
                if len(found) == 1:
                    self._complete(intent, found[0])
                self.intents.settle(intent)
                found = self.users.find(email)
            elif "user" in intent.details:
                user = _remembered(intent)
                self._complete(intent, user)
                found = [replace(user, groups=None)]
            else:
                if shown := self.intents.shows_from(intent):
                    message = f"whether the portal made the user {email} shows at {moment(shown)}"
                    raise OutcomeUnknown(message, hint="the next pass looks again", until=shown, service="portal")
                self.intents.settle(intent)
        return found

    def _complete(self, intent: Intent, user: PortalUser) -> None:
        """Do what is left to do of making a user; nothing for one whom somebody else made meanwhile."""
        own = intent.details.get("user")
        if "complete" in intent.details or (own != user.id and (own is not None or user.has_signed_in)):
            return
        groups = self.settings.groups
        if user.groups is not None and user.groups.isdisjoint(groups.may_upload):
            self.users.add_to_group(user, groups.contributor)
        if self.settings.invitation == "call":
            self._invite(intent, user)
        self.intents.learn(intent, complete="yes")

    def _invite(self, intent: Intent, user: PortalUser) -> None:
        """Ask for the mail; never twice: a person is told of a lost answer."""
        unknown = "portal: %s: created; whether the invitation went out is not known: look, and send it by hand"
        if "inviting" in intent.details:
            log.warning(unknown, user.email)
            return
        self.intents.learn(intent, inviting="yes")
        try:
            self.client.call("user_invite", user=user.id)
        except (PortalRefused, Forbidden) as refused:
            log.warning("portal: %s: created, but not invited: %s; send the invitation by hand", user.email, refused)
        except Unreachable as error:
            log.warning(f"{unknown} (%s)", user.email, error)


def _remembered(intent: Intent) -> PortalUser:
    """As the answer said, in no group that is known of."""
    is_active = "inactive" not in intent.details
    own, email = intent.details["user"], intent.target
    return PortalUser(id=own, email=email, is_active=is_active, groups=frozenset(), has_signed_in=is_active)
