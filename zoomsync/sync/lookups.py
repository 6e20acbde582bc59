"""Users looked up by their addresses: each is asked about once a pass, and one that fails holds up no other."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from zoomsync.errors import (
    ServiceUnavailable,
    UserFailed,
    ZoomsyncError,
)
from zoomsync.http import brief
from zoomsync.model import Retry, User, Zoom
from zoomsync.rules.retry import Cause, after_failure, is_asked_briefly, is_delayed
from zoomsync.state import Host
from zoomsync.sync.breaker import Breaker

NOT_LOOKED_UP = "not looked up"
"""The status of a user who may be active or not."""
FEW = 25
"""If no more accounts than this are named, each is asked about, and listed, by itself."""


class Lookups:
    """Looks up addresses, each once. What failed in an earlier pass (`troubles`) comes last, as do lists."""

    def __init__(
        self,
        zoom: Zoom,
        hosts: Iterable[Host],
        now: datetime,
        *,
        breaker: Breaker | None = None,
        troubles: Mapping[str, Retry] | None = None,
        ignores_delays: bool = False,
    ) -> None:
        self.zoom = zoom
        self.known = {host.email.lower(): host.id for host in hosts if host.email}
        """The hosts in the ledger: address → id."""
        self._breaker = breaker or Breaker(zoom.ping)
        self._now = now
        self._before = troubles or {}
        self._ignores_delays = ignores_delays
        self._answers: dict[str, User | None] = {}
        self.failed: dict[str, ZoomsyncError | None] = {}
        """Address → why it could not be looked up; None: not asked, it is too early."""
        self.troubles: dict[str, Retry] = {}
        """Address → what is to be remembered of that."""

    @property
    def ids(self) -> dict[str, str]:
        """Address → id of its user, as Zoom says or the ledger has it."""
        known = {email: self.known[email] for email in self.failed if email in self.known}
        return known | {email: user.id for email, user in self._answers.items() if user is not None and user.id}

    def find(self, emails: Collection[str]) -> tuple[list[User], list[str]]:
        """The users with these addresses, and the addresses that Zoom does not know; `failed` has the others.

        Raises `ZoomsyncError` if Zoom itself turns out to be down.
        """
        if len(emails) > FEW:
            users = [user for status in ("active", "inactive") for user in self.zoom.users(status)]
            self._answers |= {user.email.lower(): user for user in users}
        new = [email for email in emails if email not in self._answers and email not in self.failed]
        for email in sorted(new, key=self._before.__contains__):
            self._ask(email, self._before.get(email))
        if any(isinstance(self.failed.get(email), ServiceUnavailable) for email in new):
            self._breaker.ask()
        answers = {email: self._answers[email] for email in emails if email in self._answers}
        return [user for user in answers.values() if user], [email for email, user in answers.items() if not user]

    def lost(self, emails: Iterable[str]) -> tuple[list[User], dict[str, ZoomsyncError | None]]:
        """Of those that could not be looked up: users whose id the ledger has; and of the others, by address, why."""
        lost = [email for email in emails if email in self.failed]
        known = [User(id=self.known[email], email=email, status=NOT_LOOKED_UP) for email in lost if email in self.known]
        return known, {email: self.failed[email] for email in lost if email not in self.known}

    def _ask(self, email: str, before: Retry | None) -> None:
        if before is not None and is_delayed(before, self._now) and not self._ignores_delays:
            self.failed[email], self.troubles[email] = None, before
            return
        try:
            with brief(on=is_asked_briefly(before)):
                self._answers[email] = self.zoom.user(email)
        except (UserFailed, ServiceUnavailable) as problem:
            cause = Cause.UNANSWERED if isinstance(problem, ServiceUnavailable) else Cause.ELSEWHERE
            trouble = after_failure(before, problem, self._now, cause)
            self.failed[email], self.troubles[email] = problem, trouble
            if cause is Cause.UNANSWERED:
                self._breaker.failed()
        else:
            self._breaker.answered()
