"""What Zoom lists in a window of time: account-wide or user by user, completely or not at all."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from zoomsync.errors import AccountListRefused, ListingFailed, ServiceUnavailable, UserUnknown
from zoomsync.model import Meeting, User, Zoom
from zoomsync.rules.windows import Window
from zoomsync.sync.accounts import Hosts
from zoomsync.sync.breaker import Breaker

log = logging.getLogger(__name__)

COMPARED = 3
"""So many users' own lists are compared with the account-wide one in a sweep."""
COMPARED_IF_EMPTY = 25
"""So many, if the account-wide list has nobody at all and was never found right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The meetings of a window, and the users whose list could not be read (id → why)."""

    meetings: tuple[Meeting, ...]
    failed: Mapping[str, str] = field(default_factory=dict)


class Lister:
    """Lists windows; remembers the users it comes to know, and whether the account-wide list can be trusted."""

    def __init__(self, zoom: Zoom, hosts: Hosts, breaker: Breaker, *, is_account_wide: bool) -> None:
        self._zoom = zoom
        self._hosts = hosts
        self._breaker = breaker
        self._is_account_wide = is_account_wide
        self._is_proven = False
        """Whether the account-wide list was found to have what some user's own list has."""
        self.users: dict[str, User] = dict(hosts.users)
        """Every user known so far, by id."""
        self.unreadable: set[str] = set()
        """What Zoom listed but no meeting can be made of, in words."""

    def window(self, window: Window, *, compare: bool = False) -> Listed:
        """List a window completely, for the users selected; `compare`: also users' own lists with the account's."""
        if window.user is not None:
            return self._each(window, [window.user] if self._hosts.selects(window.user) else [])
        if self._hosts.narrowed is not None:
            return self._each(window, self._hosts.narrowed)
        if self._is_account_wide:
            whole = self._account_wide(window, compare=compare)
            if whole is not None:
                return whole
            self._is_account_wide = False
            if self._hosts.ids is None:
                self.users.update({user.id: user for user in self._zoom.users("active") if user.id})
        return self._each(window, [user for user in self.users if self._hosts.selects(user)])

    def with_host(self, meeting: Meeting, email: str = "") -> Meeting:
        """A meeting that was read by itself, with its host's address; Zoom is asked for one that nobody knows."""
        if meeting.host_email:
            return meeting
        if meeting.host_id not in self.users and not email and (found := self._zoom.user(meeting.host_id)):
            self.users[meeting.host_id] = found
        known = self.users.get(meeting.host_id)
        return replace(meeting, host_email=known.email if known is not None else email)

    def _account_wide(self, window: Window, *, compare: bool) -> Listed | None:
        """The account-wide list, and the own lists of deactivated users; None: it cannot be trusted.

        Zoom does not document whether the account-wide list has what deactivated users recorded.
        """
        try:
            listing = self._zoom.recordings(*window.days, user=None)
        except AccountListRefused as refused:
            log.warning("%s; listing user by user instead", refused)
            return None
        self.unreadable.update(listing.unreadable)
        for meeting in listing.meetings:
            if meeting.host_id:
                self.users.setdefault(meeting.host_id, User(id=meeting.host_id, email=meeting.host_email))
        if compare and self._is_incomplete(window, listing.meetings):
            return None
        inactive = [u.id for u in self._hosts.users.values() if u.status == "inactive" and self._hosts.selects(u.id)]
        rest = self._each(window, inactive)
        return Listed(meetings=_each_once((*listing.meetings, *rest.meetings)), failed=rest.failed)

    def _is_incomplete(self, window: Window, meetings: tuple[Meeting, ...]) -> bool:
        """Whether some user's own list has what the account-wide one does not."""
        hosts = {meeting.host_id for meeting in meetings if meeting.host_id}
        compared = sorted(host for host in hosts if self._hosts.selects(host))[:COMPARED]
        if not compared and not self._is_proven:  # is it right that the list is empty, or does it not work at all?
            active = (user.id for user in self._zoom.users("active"))
            compared = [user for user in active if user and self._hosts.selects(user)][:COMPARED_IF_EMPTY]
        seen = {meeting.uuid for meeting in meetings}
        for user in compared:
            own = self._each(window, [user]).meetings
            missing = sum(meeting.uuid not in seen for meeting in own)
            self._is_proven = self._is_proven or bool(own)
            if missing:
                log.warning("the account-wide list lacks %d recordings of %s; listing user by user", missing, user)
                return True
        return False

    def _each(self, window: Window, users: Iterable[str]) -> Listed:
        """The own list of each of these users (ids)."""
        meetings: list[Meeting] = []
        failed: dict[str, str] = {}
        for user in users:
            try:
                found = self._zoom.recordings(*window.days, user=user)
            except (ListingFailed, ServiceUnavailable) as problem:
                if isinstance(problem, UserUnknown) and self._has_left(user):
                    log.warning("user %s has left: Zoom does not know it any more", user)
                    continue
                log.error("%s", problem)  # noqa: TRY400  # a fact for the reader, no traceback
                failed[user] = str(problem)
                if isinstance(problem, ServiceUnavailable):
                    self._breaker.failed(problem)
                continue
            self._breaker.answered()
            self.unreadable.update(found.unreadable)
            for meeting in found.meetings:
                host = meeting.host_id or user
                email = meeting.host_email or (self.users[host].email if host in self.users else "")
                meetings.append(replace(meeting, host_id=host, host_email=email))
        return Listed(meetings=_each_once(meetings), failed=failed)

    def _has_left(self, user: str) -> bool:
        """Whether a user of whom Zoom says that it does not know it is missing in Zoom's list of users too."""
        if user in self.users or self._hosts.ids is not None:
            return user not in self.users
        return user not in {one.id for one in self._zoom.users("active")}


def _each_once(meetings: Iterable[Meeting]) -> tuple[Meeting, ...]:
    return tuple({meeting.uuid: meeting for meeting in meetings}.values())
