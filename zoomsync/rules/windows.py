"""Stretches of time that have not been listed completely yet, and the windows in which they are listed. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from zoomsync.model import DAY, Gap, Retry

WINDOW = timedelta(days=28)
"""With the day of overlap and the day that `to` may or may not include, 30 days. Zoom cuts a longer span in silence:
https://devforum.zoom.us/t/retrieve-all-past-zoom-cloud-recordings/22487"""
MANY = 900
"""Of so many meetings a list has three pages."""
RECENT = timedelta(days=2)
"""Most of what comes late comes within that: Zoom needs up to a day to process a recording."""
REST_EVERY = timedelta(hours=6)
"""So often a lookback of more than `MANY` meetings is listed as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch that is listed in one go, for all selected users or for one."""

    since: datetime
    until: datetime
    user: str | None = None

    @property
    def days(self) -> tuple[date, date]:
        """`from` and `to` in Zoom's sense: UTC days, one more than needed at the end."""
        return self.since.date(), self.until.date() + DAY

    @property
    def halves(self) -> "tuple[Window, Window]":
        """The newer and the older one, of which there is too much for one list."""
        middle = self.since + (self.until - self.since) / 2
        return replace(self, since=middle), replace(self, until=middle)

    def as_gap(self, user: str, email: str, retry: Retry) -> Gap:
        """The same stretch, not listed after all for this user."""
        return Gap(since=self.since, until=self.until, user=user, email=email, retry=retry)


def lookback_of(reach: timedelta, whole_at: datetime | None, now: datetime) -> timedelta:
    """How far back a pass lists again: `reach`, but only what is recent if many were listed at `whole_at`, just now."""
    is_fresh = whole_at is not None and timedelta(0) <= now - whole_at < REST_EVERY
    return min(reach, RECENT) if is_fresh else reach


def listed_back_to(before: datetime, window: Window) -> datetime:
    """Down to where everything is listed without a hole; `before`: without this window."""
    continues = window.user is None and window.until >= before
    return min(before, window.since) if continues else before


def next_sweep(swept_at: datetime | None, every: timedelta | None, now: datetime) -> datetime | None:
    """When everything is listed again; None: never. A sweep in the future tells of a wrong clock: it counts as none."""
    if every is None:
        return None
    return now if swept_at is None or swept_at > now else max(now, swept_at + every)


def windows_of(since: datetime, until: datetime, user: str | None = None) -> Iterator[Window]:
    """The windows that cover a stretch, newest first, each overlapping the next by a day."""
    while since < until:
        begin = max(since, until - WINDOW)
        yield Window(since=max(since, begin - DAY), until=until, user=user)
        until = begin


def sorted_windows(gaps: Iterable[Gap]) -> Iterator[Window]:
    """The windows of all gaps: those of all users before those of one, newest first."""
    for gap in sorted(gaps, key=lambda gap: (gap.user is None, gap.until), reverse=True):
        yield from windows_of(gap.since, gap.until, gap.user)


def add_gap(gaps: Iterable[Gap], gap: Gap) -> tuple[Gap, ...]:
    """The gaps with one more stretch; what touches is merged. An empty stretch adds nothing."""
    same = [g for g in gaps if g.user == gap.user]
    others = [g for g in gaps if g.user != gap.user]
    for one in same:
        if one.until >= gap.since and gap.until >= one.since:
            gap = replace(gap, since=min(one.since, gap.since), until=max(one.until, gap.until))
        else:
            others.append(one)
    return _sorted([*others, gap] if gap.since < gap.until else others)


def with_ids(gaps: Iterable[Gap], ids: Mapping[str, str]) -> tuple[Gap, ...]:
    """The gaps, those that are under an address (lower case) under the id of its user, if `ids` has that by now."""
    found: tuple[Gap, ...] = ()
    for gap in gaps:
        user = ids.get(gap.user or "")
        found = add_gap(found, gap if user is None else replace(gap, user=user, retry=None))
    return found


def close_gap(gaps: Iterable[Gap], window: Window, failed: Iterable[Gap] = ()) -> tuple[Gap, ...]:
    """The gaps after a window was listed; the users whose list failed keep it as a gap of their own (`failed`)."""
    failed = tuple(failed)
    users = {gap.user for gap in failed}
    left: list[Gap] = []
    for gap in gaps:
        is_listed = gap.user == window.user or (window.user is None and gap.user not in users)
        before = replace(gap, until=min(gap.until, window.since))
        after = replace(gap, since=max(gap.since, window.until))
        left += [piece for piece in (before, after) if piece.since < piece.until] if is_listed else [gap]
    closed = _sorted(left)
    for gap in failed:
        closed = add_gap(closed, gap)
    return closed


def _sorted(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    return tuple(sorted(gaps, key=lambda gap: (gap.user or "", gap.since)))
