"""What a pass decides on: the lookback and the gaps, window by window, and every open entry read by its uuid."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from zoomsync.errors import MeetingFailed, ServiceUnavailable, StillProcessing, UsageError, ZoomsyncError
from zoomsync.model import Entry, Gap, Meeting, Phase, Zoom
from zoomsync.rules.publish import Rules, SyncRequest, Wait, decide_gone, is_open, is_requested
from zoomsync.rules.windows import Window, close_gap, sorted_windows, windows_of
from zoomsync.state import Head
from zoomsync.sync.accounts import Hosts
from zoomsync.sync.breaker import Patience
from zoomsync.sync.lister import Lister
from zoomsync.sync.recorder import Recorder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Meetings to decide on, and the head to be remembered together with the decisions."""

    meetings: tuple[Meeting, ...]
    head: Head


class Reader:
    """Reads Zoom for one pass; each meeting comes once."""

    def __init__(
        self,
        *,
        zoom: Zoom,
        lister: Lister,
        hosts: Hosts,
        book: Recorder,
        order: SyncRequest,
        rules: Rules,
        patience: Patience,
    ) -> None:
        self._zoom = zoom
        self._lister = lister
        self._hosts = hosts
        self._book = book
        self._order = order
        self._rules = rules
        self._patience = patience
        self._seen: set[str] = set()
        self.not_listed: list[Window] = []

    def run(
        self, windows: Iterable[Window], late: Iterable[Meeting], *, is_over: Callable[[], bool], compare: bool
    ) -> Iterator[Reading]:
        """One reading after the other, `late` and open entries with the first; nothing new when time is up."""
        if self._order.meetings:
            yield from self._all_named()
            return
        pending = {meeting.uuid: self._lister.with_host(meeting, self._email(meeting)) for meeting in late}
        is_first = True
        for window in windows:
            if is_over():
                self.not_listed.append(window)
                continue
            yield self._window(window, pending, is_first=is_first, compare=compare)
            is_first, pending = False, {}

    def _window(self, window: Window, late: Mapping[str, Meeting], *, is_first: bool, compare: bool) -> Reading:
        """A window, listed completely: it leaves the gaps together with its meetings' coming into the ledger."""
        listed = self._lister.window(window, users=self._hosts.narrowed, compare=compare)
        self._book.tally.counts["unlisted"] += len(listed.failed)
        self._book.tally.counts["unreadable"] = len(self._lister.unreadable)
        found = {**late, **{meeting.uuid: meeting for meeting in listed.meetings}}
        if is_first:
            found |= {meeting.uuid: meeting for meeting in self._open(found)}
        new = tuple(meeting for uuid, meeting in found.items() if uuid not in self._seen)
        self._seen |= found.keys()
        head = self._book.head
        if not self._order.narrowed:
            head = replace(head, gaps=close_gap(head.gaps, window, listed.failed))
        return Reading(meetings=new, head=head)

    def _open(self, listed: Mapping[str, Meeting]) -> Iterator[Meeting]:
        """Every open entry that the list did not show."""
        for entry in self._book.entries:
            if entry.uuid not in listed and self.is_in_order(entry) and is_open(entry, self._rules):
                found = self._read(entry)
                if found is not None:
                    yield found

    def is_in_order(self, entry: Entry) -> bool:
        """Whether the command line's narrowing leaves this entry in."""
        order = self._order
        is_named = not order.meetings or entry.uuid in order.meetings
        is_in_time = (order.since is None or entry.start >= order.since) and (
            order.until is None or entry.start < order.until
        )
        is_gone_on_with = is_requested(entry.uuid, entry, self._rules) and not order.users
        is_wanted = bool(order.meetings) or is_gone_on_with or self._hosts.selects(entry.host_id)
        return is_named and is_in_time and is_wanted

    def _read(self, entry: Entry) -> Meeting | None:
        """The meeting of an entry; what keeps it from being read goes into the book."""
        try:
            found = self._zoom.meeting(entry.uuid)
        except StillProcessing as wait:
            self._book.answer(entry, Wait(reason=str(wait)))
        except MeetingFailed as problem:
            self._book.failed(entry, problem)
        except ServiceUnavailable as problem:
            self._book.failed(entry, problem)
            self._patience.lose(problem)
        else:
            self._patience.regain()
            if found is not None:
                return self._lister.with_host(found, entry.host_email)
            answer = decide_gone(entry)
            self._book.answer(entry, answer)
            is_told = answer.is_loss and entry.phase is not Phase.LOST
            if entry.uuid in self._order.meetings and not is_told:
                self._book.missing(entry)
        return None

    def _email(self, meeting: Meeting) -> str:
        entry = self._book.entry(meeting.uuid)
        return entry.host_email if entry is not None else ""

    def _all_named(self) -> Iterator[Reading]:
        """The meetings that the command line names; one that cannot be read never stops the others."""
        found: list[Meeting] = []
        problem: ZoomsyncError | None = None
        for uuid in self._order.meetings:
            try:
                meeting = self._named(uuid)
            except (UsageError, MeetingFailed) as error:
                problem = problem or error
            else:
                found += [meeting] if meeting is not None else []
        yield Reading(meetings=tuple(found), head=self._book.head)
        if problem is not None:
            raise problem

    def _named(self, uuid: str) -> Meeting | None:
        """A meeting that the command line names; one that Zoom does not have is an error of this pass."""
        entry = self._book.entry(uuid)
        if entry is not None:
            return self._read(entry)
        is_uuid = bool(uuid.strip(". ")) and not uuid.isdigit()
        found = self._zoom.meeting(uuid) if is_uuid else None
        if found is None:
            raise UsageError(
                f"--meeting {uuid}: Zoom has no such recording",
                hint="give the uuid of the occurrence, as `status --json` shows it, not the meeting number",
            )
        return self._lister.with_host(found)


def stretches_of(order: SyncRequest, rules: Rules, lookback_from: Gap, open_gaps: tuple[Gap, ...]) -> list[Window]:
    """The lookback, then the gaps beyond it; in a narrowed pass the stretch asked for."""
    if order.narrowed:
        until = min(order.until, rules.now) if order.until is not None else rules.now
        return list(windows_of(rules.since, until))
    newest = list(windows_of(max(rules.since, lookback_from.since), rules.now))
    rest = open_gaps
    for window in newest:
        rest = close_gap(rest, window)
    return [*newest, *sorted_windows(rest)]
