"""What Zoom lists in a window of time: account-wide or user by user, completely or not at all."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from zoomsync.errors import AccountListRefused, ListingFailed, ServiceUnavailable, UserUnknown
from zoomsync.model import Meeting, User, Zoom
from zoomsync.rules.windows import Window
from zoomsync.sync.accounts import Hosts
from zoomsync.sync.breaker import Patience

log = logging.getLogger(__name__)

COMPARED = 3
"""For so many users a sweep holds the account-wide list against their own."""
SAMPLED = 25
"""For so many users where it lists nobody at all and was never found right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The meetings of a window, and the users whose list could not be read (id → why)."""

    meetings: tuple[Meeting, ...]
    failed: Mapping[str, str] = field(default_factory=dict)


class Lister:
    """Lists windows; remembers the users it comes to know, and whether the account-wide list is refused."""

    def __init__(self, zoom: Zoom, hosts: Hosts, *, is_account_wide: bool, patience: Patience) -> None:
        self._zoom = zoom
        self._patience = patience
        self._hosts = hosts
        self._is_account_wide = is_account_wide
        self.users: dict[str, User] = dict(hosts.users)
        self._is_proven = False
        """Whether the account-wide list was found to have what some user's own list has."""
        self.unreadable: set[str] = set()
        """What Zoom listed but no meeting can be made of, in words."""

    def window(self, window: Window, *, users: Iterable[str] | None = None, compare: bool = False) -> Listed:
        """List a window completely; `users` (ids) narrows it, `compare` holds both kinds of list against each other."""
        if window.user is not None and not self._hosts.selects(window.user):
            return Listed(meetings=())
        only = [window.user] if window.user is not None else list(users) if users is not None else None
        if only is None and self._is_account_wide:
            try:
                return self._whole(window, compare=compare)
            except AccountListRefused as refused:
                log.warning("%s; listing user by user instead", refused)
                self._go_user_by_user()
        return self._each(window, only if only is not None else list(self._selected()))

    def with_host(self, meeting: Meeting, email: str = "") -> Meeting:
        """A meeting that was read by itself, its host's address told; Zoom is asked where nobody knows it."""
        if meeting.host_email:
            return meeting
        if meeting.host_id not in self.users and not email and (found := self._zoom.user(meeting.host_id)):
            self.users[meeting.host_id] = found
        known = self.users.get(meeting.host_id)
        return replace(meeting, host_email=known.email if known is not None else email)

    def _selected(self) -> Iterable[str]:
        """Of those that Zoom knows: one who departed has no list any more."""
        return (one for one in self.users if self._hosts.selects(one))

    def _go_user_by_user(self) -> None:
        self._is_account_wide = False
        if self._hosts.ids is None:
            self.users.update({user.id: user for user in self._zoom.users("active") if user.id})

    def _whole(self, window: Window, *, compare: bool) -> Listed:
        """The account-wide list; deactivated users, whom it may leave out, one by one."""
        since, until = window.days
        listing = self._zoom.recordings(since, until, user=None)
        self.unreadable.update(listing.unreadable)
        meetings = listing.meetings
        for meeting in (one for one in meetings if one.host_id):
            self.users.setdefault(meeting.host_id, User(id=meeting.host_id, email=meeting.host_email))
        if compare and self._is_incomplete(window, meetings):
            self._go_user_by_user()
            return self._each(window, list(self._selected()))
        inactive = [u.id for u in self._hosts.users.values() if u.status == "inactive" and self._hosts.selects(u.id)]
        rest = self._each(window, inactive)
        return Listed(meetings=_once((*meetings, *rest.meetings)), failed=rest.failed)

    def _is_incomplete(self, window: Window, meetings: tuple[Meeting, ...]) -> bool:
        """Whether some user's own list has what the account-wide one does not."""
        seen = {meeting.uuid for meeting in meetings}
        hosts = {meeting.host_id for meeting in meetings if meeting.host_id}
        some = sorted(host for host in hosts if self._hosts.selects(host))[:COMPARED]
        for user in some or self._sample():
            own = self._each(window, [user]).meetings
            missing = [meeting for meeting in own if meeting.uuid not in seen]
            self._is_proven = self._is_proven or bool(own)
            if missing:
                log.warning("the account-wide list lacks %d recordings of %s; listing user by user", len(missing), user)
                return True
        return False

    def _sample(self) -> list[str]:
        """Users to ask where the account-wide list is empty: it may be so, or not work at all."""
        if self._is_proven:
            return []
        active = self._zoom.users("active")
        return [user.id for user in active if user.id and self._hosts.selects(user.id)][:SAMPLED]

    def _each(self, window: Window, users: Iterable[str]) -> Listed:
        since, until = window.days
        meetings: list[Meeting] = []
        failed: dict[str, str] = {}
        for user in users:
            try:
                found = self._zoom.recordings(since, until, user=user)
            except (ListingFailed, ServiceUnavailable) as problem:
                if isinstance(problem, UserUnknown) and self._has_left(user):
                    log.warning("user %s has left: Zoom knows it no more", user)
                    continue
                log.error("%s", problem)  # noqa: TRY400  # a fact for the reader, no traceback
                failed[user] = str(problem)
                if isinstance(problem, ServiceUnavailable):
                    self._patience.lose(problem)
            else:
                self._patience.regain()
                self.unreadable.update(found.unreadable)
                meetings += [self._with_host(meeting, user) for meeting in found.meetings]
        return Listed(meetings=_once(meetings), failed=failed)

    def _has_left(self, user: str) -> bool:
        """Whether Zoom's own list of users lacks one whom it says not to know."""
        if user in self.users or self._hosts.ids is not None:
            return user not in self.users
        return user not in {one.id for one in self._zoom.users("active")}

    def _with_host(self, meeting: Meeting, user: str) -> Meeting:
        known = self.users.get(meeting.host_id or user)
        return replace(
            meeting,
            host_id=meeting.host_id or user,
            host_email=meeting.host_email or (known.email if known is not None else ""),
        )


def _once(meetings: Iterable[Meeting]) -> tuple[Meeting, ...]:
    return tuple({meeting.uuid: meeting for meeting in meetings}.values())
