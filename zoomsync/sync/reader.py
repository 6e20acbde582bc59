"""What a pass decides on: the lookback and the gaps, window by window, and every open entry read by its uuid."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from zoomsync.config import Config
from zoomsync.errors import (
    ListTooLong,
    MeetingFailed,
    ServiceUnavailable,
    StillProcessing,
    TimeOver,
    UsageError,
    ZoomsyncError,
)
from zoomsync.formatting import moment
from zoomsync.http import brief
from zoomsync.model import DAY, Entry, Meeting, Outcome, Zoom
from zoomsync.rules.named import Named
from zoomsync.rules.publish import Rules, Wait, is_open, is_requested
from zoomsync.rules.request import SyncRequest
from zoomsync.rules.retry import is_asked_briefly
from zoomsync.rules.windows import (
    MANY,
    Window,
    close_gap,
    listed_back_to,
    lookback_of,
    sorted_windows,
    windows_of,
)
from zoomsync.state import Head
from zoomsync.sync.accounts import Hosts
from zoomsync.sync.breaker import Breaker
from zoomsync.sync.lister import Listed, Lister
from zoomsync.sync.recorder import Recorder

FIRST_REACH = 30 * DAY
"""How far back the first pass goes if the config does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Meetings to decide on, and the head to be remembered once the decisions are."""

    meetings: tuple[Meeting, ...]
    head: Head
    is_lookback: bool
    """Whether it is the first window, which is read again in every pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What one pass looks at."""

    request: SyncRequest
    rules: Rules
    hosts: Hosts

    def includes(self, entry: Entry) -> bool:
        """Whether the command line and the config leave this entry in."""
        request = self.request
        is_named = not request.meetings or entry in request.meetings
        is_still_requested = is_requested(entry, entry, self.rules) and not request.users
        is_wanted = bool(request.meetings) or is_still_requested or self.hosts.selects(entry.host_id, entry.host_email)
        return is_named and request.spans(entry.start) and is_wanted


def begin_of_pass(config: Config, head: Head, now: datetime) -> datetime:
    """The start before which nothing is fetched. Raises `ConfigError` for one in the future."""
    config.check_since(now)
    remembered = head.since if head.since and head.since <= now else None
    return config.recordings.since or remembered or now - FIRST_REACH


def rules_of_pass(
    config: Config,
    request: SyncRequest,
    hosts: Hosts,
    *,
    destination: str,
    since: datetime,
    now: datetime,
    is_sweep: bool,
) -> Rules:
    """What config and command line ask for, as the rules read it."""
    settings = config.recordings
    return Rules(
        now=now,
        since=max(since, request.since or since),
        until=request.until,
        settle=settings.settle,
        min_duration=settings.min_duration,
        views=settings.views,
        only_primary=config.destination.only_primary,
        kinds=config.kinds,
        hosts=hosts.ids,
        excluded_hosts=hosts.excluded,
        excluded_emails=hosts.excluded_emails,
        excluded=config.named_meetings["exclude_meetings"],
        kept_in_zoom=config.named_meetings["hold_meetings"],
        requested=request.meetings,
        accept_size=request.accept_size,
        retry_failed=request.retry_failed,
        is_sweep=is_sweep,
        destination=destination,
        delete="never" if request.no_delete else config.delete_recordings,
        delete_after=config.delete_after,
    )


def windows_of_pass(request: SyncRequest, rules: Rules, lookback: timedelta, head: Head) -> list[Window]:
    """The lookback, then the gaps beyond it; in a narrowed pass the stretch that was asked for."""
    if request.narrowed:
        until = min(request.until, rules.now) if request.until is not None else rules.now
        return list(windows_of(rules.since, until))
    reach = lookback_of(lookback, head.looked_back_at, rules.now)
    newest, gaps = list(windows_of(max(rules.since, rules.now - reach), rules.now)), head.gaps
    for window in newest:
        gaps = close_gap(gaps, window)
    return [*newest, *sorted_windows(gaps)]


class Reader:
    """Reads Zoom for one pass; each meeting comes once."""

    def __init__(self, zoom: Zoom, lister: Lister, recorder: Recorder, breaker: Breaker, selection: Selection) -> None:
        self._zoom = zoom
        self._lister = lister
        self._recorder = recorder
        self._breaker = breaker
        self._selection = selection

    def run(
        self, windows: Iterable[Window], late: Iterable[Meeting], *, lookback: timedelta, is_over: Callable[[], bool]
    ) -> Iterator[Reading]:
        """One window after the other, `late` and the open entries with the first; nothing new once time `is_over`."""
        if self._selection.request.meetings:
            yield from self._named()
            return
        pending = self._with_hosts(late)
        tally, is_narrowed, is_first = self._recorder.tally, bool(self._selection.request.narrowed), True
        seen, told = set[str](), set[str]()
        rules = self._selection.rules
        back_to, lookback_since = rules.now, max(rules.since, rules.now - lookback)
        for window, listed in self._each_listed(windows, is_over):
            tally.outcomes[Outcome.UNLISTED] += len(listed.failed)
            for user, problem in listed.problems.items():
                self._recorder.not_listed(user, problem)
            self._say_what_stays(listed, told)
            while self._lister.bugs:
                self._recorder.bug(self._lister.bugs.pop())
            tally.outcomes[Outcome.UNREADABLE] = len(self._lister.unreadable)
            found = pending | {meeting.uuid: meeting for meeting in listed.meetings}
            if is_first:
                found |= {meeting.uuid: meeting for meeting in self._open(found)}
            new = tuple(meeting for uuid, meeting in found.items() if uuid not in seen)
            seen |= found.keys()
            head = self._recorder.head
            if not is_narrowed:  # the window leaves the gaps in the step that brings its meetings into the ledger
                trouble = self._lister.troubles.get(None)
                head = replace(head, gaps=close_gap(head.gaps, window, listed.failed), account_list=trouble)
                before, back_to = back_to, listed_back_to(back_to, window)
                if back_to <= lookback_since < before:
                    head = replace(head, looked_back_at=rules.now if len(seen) > MANY else None)
            yield Reading(meetings=new, head=head, is_lookback=is_first)
            is_first, pending = False, {}

    def _each_listed(self, windows: Iterable[Window], is_over: Callable[[], bool]) -> Iterator[tuple[Window, Listed]]:
        """Each window with what Zoom lists in it; one that has too much for one list in halves, the newer one first."""
        todo = deque(windows)
        while todo:
            window = todo.popleft()
            try:
                listed = None if is_over() else self._lister.window(window, compare=self._selection.rules.is_sweep)
            except ListTooLong:
                todo.extendleft(reversed(window.halves))
                continue
            except TimeOver:
                listed = None
            if listed is None:
                self._recorder.tally.left.append(f"recordings from {window.since:%Y-%m-%d} to {window.until:%Y-%m-%d}")
            else:
                yield window, listed

    def _say_what_stays(self, listed: Listed, told: set[str]) -> None:
        """Say, once a pass, whose lists are not asked for again yet: the pass ends with 1 because of them."""
        told.update(listed.problems)
        for gap in listed.failed:
            name = gap.email or gap.user or ""
            if gap.retry is not None and not told & {name, gap.user}:
                self._recorder.still_not_listed(name, gap.retry)
            told.add(name)

    def _with_hosts(self, meetings: Iterable[Meeting]) -> dict[str, Meeting]:
        """By uuid; one whose host Zoom does not name is that one's failure."""
        found = {}
        for meeting in meetings:
            entry = self._recorder.entries.get(meeting.uuid)
            try:
                email = entry.host_email if entry is not None else ""
                found[meeting.uuid] = self._lister.with_host(meeting, email)
            except (MeetingFailed, ServiceUnavailable) as problem:
                if entry is not None:
                    self._recorder.failed(entry, problem)
        return found

    def _open(self, listed: Collection[str]) -> Iterator[Meeting]:
        """Every open entry that the list did not show."""
        for entry in sorted(self._recorder.entries.open(), key=lambda entry: entry.retry is not None):
            is_wanted = self._selection.includes(entry) and is_open(entry, self._selection.rules)
            if entry.uuid in listed or not is_wanted:
                continue
            found = None
            with self._recorder.guarded(entry):
                found = self._read(entry)
            if found is not None:
                yield found

    def _read(self, entry: Entry) -> Meeting | None:
        """The meeting of an entry; what keeps it from being read is written down."""
        try:
            with brief(on=is_asked_briefly(entry.retry)):
                found = self._zoom.meeting(entry.uuid)
                found = found and self._lister.with_host(found, entry.host_email)
        except StillProcessing as wait:
            self._recorder.decided(entry, Wait(reason=str(wait)))
        except MeetingFailed as problem:
            self._breaker.answered()
            self._recorder.failed(entry, problem)
        except ServiceUnavailable as problem:
            self._recorder.failed(entry, problem)
            self._breaker.failed(partial(self._recorder.take_back, entry, problem))
        else:
            self._breaker.answered()
            if found is not None:
                return found
            self._recorder.gone(entry)
        return None

    def _named(self) -> Iterator[Reading]:
        """The meetings that the command line names; one that cannot be read never stops the others."""
        found: dict[str, Meeting] = {}
        problem: ZoomsyncError | None = None
        for what, named in self._selection.request.meetings.each():
            known = self._recorder.entries.named(named)
            reads = [partial(self._read, entry) for entry in known]
            if not known or named.number:
                reads.append(partial(self._read_unknown, what, named, bool(known)))
            for read in reads:
                try:
                    one = read()
                except (UsageError, MeetingFailed) as error:
                    problem = problem or error
                except ServiceUnavailable as unanswered:
                    problem = problem or unanswered.become(MeetingFailed)
                    self._breaker.failed()
                else:
                    found |= {one.uuid: one} if one is not None else {}
        yield Reading(meetings=tuple(found.values()), head=self._recorder.head, is_lookback=True)
        if problem is not None:
            raise problem

    def _read_unknown(self, what: str, named: Named, has_known: bool) -> Meeting | None:
        """A meeting that the ledger does not know; by its number Zoom shows the latest that was recorded.

        Raises `UsageError` if Zoom does not have it and the ledger knows no other of that name.
        """
        found = self._zoom.meeting(named.number or what.strip()) if not named.is_folder else None
        if found is not None and found in named:
            return self._lister.with_host(found)
        if has_known:
            return None
        hint = "give the uuid of the occurrence; `status --meeting` finds what is known by number, host or topic"
        if found is not None:
            fact = f"not known yet, and Zoom shows the latest of a number alone, which began at {moment(found.start)}"
            raise UsageError(f"--meeting {what}: {fact}", hint=hint)
        raise UsageError(f"--meeting {what}: Zoom has no such recording", hint=hint)
