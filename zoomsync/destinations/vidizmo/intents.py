"""Calls that cannot be repeated: written down before, known by their answer, found out about where none came."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from zoomsync.destinations.base import Intents
from zoomsync.model import DAY, Clock, Intent

KNOWN_FOR = 30 * DAY
"""How long the answer to a call is remembered that the ledger never came to know."""


class IntentLog:
    """The intents of one portal. Shared by all workers."""

    def __init__(
        self, intents: Intents, clock: Clock, new_id: Callable[[], str], *, portal: str, index_lag: timedelta
    ) -> None:
        self._intents = intents
        self._clock = clock
        self._new_id = new_id
        self._portal = portal
        self._index_lag = index_lag

    def open(self, action: str, *, uuid: str | None = "", target: str = "") -> list[Intent]:
        """Those of this action on this meeting (None: any), or this target, oldest first."""
        found = [
            one
            for one in self._intents.open_intents()
            if (one.action, one.details.get("portal")) == (action, self._portal)
            and uuid in (None, one.uuid)
            and target in ("", one.target)
        ]
        return sorted(found, key=lambda one: one.at)

    def begin(self, action: str, *, uuid: str = "", target: str, **details: str) -> Intent:
        """Write down that this call comes next, and what it is known by."""
        intent = Intent(
            id=self._new_id(),
            at=self._clock.now(),
            action=action,
            uuid=uuid,
            target=target,
            details={"portal": self._portal, **details},
        )
        self._intents.begin(intent)
        return intent

    def learn(self, intent: Intent, **details: str) -> Intent:
        """Write down what is known of it by now."""
        known = replace(intent, details={**intent.details, **details})
        self._intents.begin(known)
        return known

    def oldest(self, intent: Intent) -> datetime:
        """When the first call for the same meeting began that the ledger does not know of yet."""
        found = (one.at for one in self._intents.open_intents() if one.uuid == intent.uuid)
        return min((intent.at, *found))

    def unheard(self, intent: Intent) -> None:
        """No answer came, up to now: what the call made shows so much later."""
        self._intents.begin(replace(intent, at=self._clock.now()))

    def tidy(self) -> None:
        """Close what has no more to tell: an invitation that shows in the portal by now, or never will.

        What was made or attached for a meeting is not closed by time: who publishes it again looks for that first.
        """
        now = self._clock.now()
        for intent in self._intents.open_intents():
            is_ours = intent.action == "invite" and intent.details.get("portal") == self._portal
            if is_ours and now - intent.at > self._index_lag + KNOWN_FOR:
                self._intents.settle(intent.id)

    def settle(self, intent: Intent) -> None:
        """It is known what became of it, and that is remembered elsewhere."""
        self._intents.settle(intent.id)

    def shows_from(self, intent: Intent) -> datetime | None:
        """When the portal's index will show what the call made; None: it would by now.

        One that is from the future (the clock was wrong) counts from now on.
        """
        now = self._clock.now()
        if intent.at > now:
            intent = replace(intent, at=now)
            self._intents.begin(intent)
        shown = intent.at + self._index_lag
        return None if shown <= now else shown
