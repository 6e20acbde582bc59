"""Calls that must not be repeated: each is written down before it is sent, and closed once its outcome is known."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from zoomsync.destinations.base import Intents
from zoomsync.model import DAY, Clock, Intent

KNOWN_FOR = 30 * DAY
"""How long an invitation is remembered that nobody asks about any more."""


@dataclass(frozen=True, slots=True)
class IntentLog:
    """The intents of one portal. Shared by all workers."""

    intents: Intents
    clock: Clock
    new_id: Callable[[], str]
    portal: str
    index_lag: timedelta

    def open(self, action: str, *, uuid: str | None = "", target: str = "") -> list[Intent]:
        """Those of this action on this meeting (None: any), or this target, oldest first."""
        found = [
            one
            for one in self.intents.open_intents()
            if (one.action, one.details.get("portal")) == (action, self.portal)
            and uuid in (None, one.uuid)
            and target in ("", one.target)
        ]
        return sorted(found, key=lambda one: one.at)

    def begin(self, action: str, *, uuid: str = "", target: str, **details: str) -> Intent:
        """Write down that this call comes next, and by what it will be recognised."""
        known = {"portal": self.portal, **details}
        intent = Intent(id=self.new_id(), at=self.clock.now(), action=action, uuid=uuid, target=target, details=known)
        self.intents.begin(intent)
        return intent

    def learn(self, intent: Intent, **details: str) -> Intent:
        """Write down what is known of it by now."""
        known = replace(intent, details={**intent.details, **details})
        self.intents.begin(known)
        return known

    def oldest(self, intent: Intent) -> datetime:
        """When the first call for the same meeting began whose outcome the ledger does not have yet."""
        found = (one.at for one in self.intents.open_intents() if one.uuid == intent.uuid)
        return min((intent.at, *found))

    def count_from_now(self, intent: Intent, **details: str) -> None:
        """The call ended just now: its effect may show as late as `index_lag` from now."""
        self.learn(replace(intent, at=self.clock.now()), **details)

    def settle(self, intent: Intent) -> None:
        """Close it: its outcome is known and remembered elsewhere."""
        self.intents.settle(intent.id)

    def tidy(self) -> None:
        """Close old invitations: they show in the portal by now, or never will.

        What was made or attached for a meeting is not closed by time: whoever publishes it again looks for that first.
        """
        now = self.clock.now()
        for intent in self.open("invite", uuid=None):
            if now - intent.at > self.index_lag + KNOWN_FOR:
                self.intents.settle(intent.id)

    def shows_from(self, intent: Intent) -> datetime | None:
        """When the portal's index will show what the call made; None: it would by now.

        One that is from the future (the clock was wrong) counts from now on.
        """
        now = self.clock.now()
        if intent.at > now:
            self.count_from_now(intent)
        shown = min(intent.at, now) + self.index_lag
        return None if shown <= now else shown
