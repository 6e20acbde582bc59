"""What Zoom lists in a window of time: account-wide or user by user, completely or not at all."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from zoomsync.errors import (
    AccountListFailed,
    ListingFailed,
    MeetingFailed,
    ServiceUnavailable,
    Unreachable,
    UserFailed,
    UserUnknown,
    ZoomsyncError,
)
from zoomsync.http import brief
from zoomsync.model import Gap, Listing, Meeting, Retry, User, Zoom
from zoomsync.rules.retry import Cause, after_failure, is_asked_briefly, is_delayed
from zoomsync.rules.windows import Window
from zoomsync.state import Head
from zoomsync.sync.accounts import Hosts
from zoomsync.sync.breaker import Breaker

log = logging.getLogger(__name__)

COMPARED = 3
"""So many users' own lists are compared with the account-wide one in a sweep."""
COMPARED_IF_EMPTY = 25
"""So many, if the account-wide list has nobody at all and was never found right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The meetings of a window, and the users whose list was not read, each with the reason in its gap."""

    meetings: tuple[Meeting, ...]
    failed: tuple[Gap, ...] = ()
    problems: Mapping[str, ZoomsyncError] = field(default_factory=dict)
    """Of those that failed just now: the user's address (or id) → why."""


def troubles_of(head: Head) -> dict[str | None, Retry]:
    """Why lists could not be read in earlier passes: by user, the account-wide one under None."""
    of_all = {None: head.account_list} if head.account_list else {}
    return {gap.user: gap.retry for gap in head.gaps if gap.user and gap.retry} | of_all


class Lister:
    """Lists windows; remembers the users it comes to know, and whether the account-wide list can be trusted.

    A user whose address could not be looked up has no list: the window is a gap under the address.

    `troubles` has why lists failed in earlier passes, by user id (None: the account-wide list). A user's list that
    failed comes last, is asked for once a pass at most, and not before it is due again.
    """

    def __init__(
        self,
        zoom: Zoom,
        hosts: Hosts,
        breaker: Breaker,
        *,
        is_account_wide: bool,
        now: datetime,
        troubles: Mapping[str | None, Retry] | None = None,
        ignores_delays: bool = False,
    ) -> None:
        self._zoom = zoom
        self._now = now
        self._ignores_delays = ignores_delays
        self.troubles = dict(troubles or {})
        """As they are by now."""
        self._failed: set[str] = set()
        """Users whose list failed in this pass."""
        self._unsaid: dict[str, ZoomsyncError] = {}
        """Of those that failed while lists were compared: the user (id) → why."""
        self._hosts = hosts
        self._breaker = breaker
        self._is_account_wide = is_account_wide
        self._is_proven = False
        """Whether the account-wide list was found to have what some user's own list has."""
        self.users: dict[str, User] = dict(hosts.users)
        """Every user known so far, by id."""
        self.unreadable: set[str] = set()
        """What Zoom listed but no meeting can be made of, in words."""
        self.bugs: list[Exception] = []
        """Met in the list of one user."""

    def window(self, window: Window, *, compare: bool = False) -> Listed:
        """List a window completely, for the users selected; `compare`: also users' own lists with the account's."""
        lost = self._hosts.failed
        if window.user is not None:
            if window.user in lost:
                return Listed(meetings=(), failed=self._unresolved(window, [window.user]))
            return self._each(window, [window.user] if self._hosts.selects(window.user) else [])
        listed = self._of_all(window, compare=compare)
        new = {address: error for address, error in lost.items() if error is not None and address not in self._failed}
        self._failed.update(new)
        failed = (*listed.failed, *self._unresolved(window, lost))
        return replace(listed, failed=failed, problems={**listed.problems, **new})

    def corrected(self, gaps: Iterable[Gap]) -> tuple[Gap, ...]:
        """The gaps, those of this pass with what is known of their users by now: the service may have been down."""
        return tuple(
            replace(gap, retry=self.troubles.get(gap.user, gap.retry))
            if gap.retry is not None and gap.retry.at == self._now
            else gap
            for gap in gaps
        )

    def _of_all(self, window: Window, *, compare: bool) -> Listed:
        if self._hosts.narrowed is not None:
            return self._each(window, self._hosts.narrowed)
        if self._is_account_wide:
            whole = self._account_wide(window, compare=compare)
            if whole is not None:
                return whole
            self._is_account_wide = False
            if self._hosts.ids is None:
                self.users.update({user.id: user for user in self._zoom.users("active") if user.id})
        return self._each(window, [user.id for user in self.users.values() if self._hosts.selects(user.id, user.email)])

    def _unresolved(self, window: Window, addresses: Iterable[str]) -> tuple[Gap, ...]:
        return tuple(window.as_gap(one, one, self._hosts.lookups[one]) for one in addresses)

    def with_host(self, meeting: Meeting, email: str = "") -> Meeting:
        """A meeting that was read by itself, with its host's address; Zoom is asked for one that nobody knows."""
        if meeting.host_email:
            return meeting
        if meeting.host_id not in self.users and not email:
            try:
                found = self._zoom.user(meeting.host_id)
            except UserFailed as problem:
                raise problem.become(MeetingFailed) from problem
            if found is not None:
                self.users[meeting.host_id] = found
        known = self.users.get(meeting.host_id)
        return replace(meeting, host_email=known.email if known is not None else email)

    def _account_wide(self, window: Window, *, compare: bool) -> Listed | None:
        """The account-wide list, and the own lists of deactivated users; None: it cannot be trusted.

        Zoom does not document whether the account-wide list has what deactivated users recorded.
        """
        trouble = self.troubles.get(None)
        if trouble is not None and self._is_delayed(trouble):
            return None
        try:
            with brief(on=is_asked_briefly(trouble)):
                listing = self._zoom.recordings(*window.days, user=None)
        except AccountListFailed as failed:
            log.warning("%s; listing user by user instead", failed)
            return None
        except ServiceUnavailable as unanswered:
            self._breaker.ask()
            self.troubles[None] = self._trouble(trouble, unanswered)
            log.warning("%s; listing user by user instead", unanswered)
            return None
        self._breaker.answered()
        self.troubles.pop(None, None)
        self.unreadable.update(listing.unreadable)
        for meeting in listing.meetings:
            if meeting.host_id:
                self.users.setdefault(meeting.host_id, User(id=meeting.host_id, email=meeting.host_email))
        if compare and self._is_incomplete(window, listing.meetings):
            return None
        inactive = [
            u.id for u in self._hosts.users.values() if u.status != "active" and self._hosts.selects(u.id, u.email)
        ]
        rest = self._each(window, inactive)
        return replace(rest, meetings=_each_once((*listing.meetings, *rest.meetings)))

    def _is_incomplete(self, window: Window, meetings: tuple[Meeting, ...]) -> bool:
        """Whether some user's own list has what the account-wide one does not."""
        hosts = {meeting.host_id for meeting in meetings if meeting.host_id}
        compared = sorted(host for host in hosts if self._hosts.selects(host) and host not in self.troubles)[:COMPARED]
        if not compared and not self._is_proven:  # is it right that the list is empty, or does it not work at all?
            active = (user.id for user in self._zoom.users("active"))
            compared = [user for user in active if user and self._hosts.selects(user)][:COMPARED_IF_EMPTY]
        seen, unread = {meeting.uuid for meeting in meetings}, 0
        for user in compared:
            own = self._each(window, [user])
            unread += bool(own.failed)
            for problem in own.problems.values():
                self._unsaid[user] = problem
            missing = sum(meeting.uuid not in seen for meeting in own.meetings)
            self._is_proven = self._is_proven or bool(own.meetings)
            if missing:
                log.warning("the account-wide list lacks %d recordings of %s; listing user by user", missing, user)
                return True
        if unread and unread == len(compared) and not self._is_proven:
            log.warning("the account-wide list can be compared with nobody's own one; listing user by user")
            return True
        return False

    def _each(self, window: Window, users: Iterable[str]) -> Listed:
        """The own list of each of these users (ids)."""
        meetings: list[Meeting] = []
        failed: list[Gap] = []
        problems: dict[str, ZoomsyncError] = {}
        for user in sorted(users, key=self.troubles.__contains__):
            email = self.users[user].email if user in self.users else ""
            trouble = self.troubles.get(user)
            if trouble is not None and (user in self._failed or self._is_delayed(trouble)):
                failed.append(window.as_gap(user, email, trouble))
                if (problem := self._unsaid.pop(user, None)) is not None:
                    problems[email or user] = problem
                continue
            found = self._own_list(window, user, is_brief=is_asked_briefly(trouble))
            if isinstance(found, ZoomsyncError):
                self._failed.add(user)
                problems[email or user] = found
                self.troubles[user] = self._trouble(trouble, found)
                failed.append(window.as_gap(user, email, self.troubles[user]))
                if isinstance(found, ServiceUnavailable):
                    self._breaker.failed(partial(self._take_back, user, trouble, found))
                continue
            self._breaker.answered()
            self.troubles.pop(user, None)
            self.unreadable.update(found.unreadable)
            for meeting in found.meetings:
                host = meeting.host_id or user
                address = meeting.host_email or (self.users[host].email if host in self.users else "")
                meetings.append(replace(meeting, host_id=host, host_email=address))
        return Listed(meetings=_each_once(meetings), failed=tuple(failed), problems=problems)

    def _own_list(self, window: Window, user: str, *, is_brief: bool) -> Listing | ListingFailed | ServiceUnavailable:
        """The own list of a user (id), or why it could not be read; a bug met in it is its failure too."""
        try:
            with brief(on=is_brief):
                return self._zoom.recordings(*window.days, user=user)
        except UserUnknown as unknown:
            try:
                has_left = self._has_left(user)
            except Unreachable:  # it is about one user: what else needs the list of all says what it has
                has_left = False
            if not has_left:
                return unknown
            log.warning("user %s has left: Zoom does not know it any more", user)
            return Listing(meetings=())
        except (ListingFailed, ServiceUnavailable) as problem:
            return problem
        except ZoomsyncError:
            raise
        except Exception as bug:  # noqa: BLE001  # the guard round each subject
            self.bugs.append(bug)
            return ListingFailed(f"bug: {type(bug).__name__}: {bug}", hint="report it")

    def _is_delayed(self, trouble: Retry) -> bool:
        return is_delayed(trouble, self._now) and not self._ignores_delays

    def _trouble(self, before: Retry | None, problem: ZoomsyncError) -> Retry:
        """What is remembered of a list that failed: if a server did not answer, it is left alone for a while."""
        is_silent = isinstance(problem, ServiceUnavailable)
        trouble = after_failure(before, problem, self._now, Cause.UNANSWERED if is_silent else Cause.ELSEWHERE)
        return trouble if is_silent else replace(trouble, next_at=self._now, unanswered=0)

    def _take_back(self, user: str, before: Retry | None, problem: ZoomsyncError) -> None:
        """Zoom was down: that this list failed was not its user's trouble."""
        self.troubles[user] = after_failure(before, problem, self._now, Cause.ELSEWHERE)

    def _has_left(self, user: str) -> bool:
        """Whether a user of whom Zoom says that it does not know it is missing in Zoom's list of users too."""
        if user in self.users or self._hosts.ids is not None:
            return user not in self.users
        return user not in {one.id for one in self._zoom.users("active")}


def _each_once(meetings: Iterable[Meeting]) -> tuple[Meeting, ...]:
    return tuple({meeting.uuid: meeting for meeting in meetings}.values())
