"""`status --meeting WHAT --ask`: what Zoom says of a meeting now, and why it is not stored if it is not.

Decided by the rules of a pass; nothing is written, nothing is fetched.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from zoomsync.errors import ListingFailed, MeetingFailed, StillProcessing, UserFailed
from zoomsync.formatting import moment
from zoomsync.model import Entry, Meeting, User, Zoom
from zoomsync.rules.named import Named, problem_with
from zoomsync.rules.publish import Publish, Rules, Wait, decide

TRASHES = 25
"""In so many users' trash a meeting is sought whose host nobody knows."""
Answer: TypeAlias = tuple[Entry | Meeting | None, str]
"""A meeting, or None for one that nobody knows, and how it stands."""
IN_TRASH = "in Zoom's trash: whoever may can bring it back there within 30 days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What is asked with."""

    zoom: Zoom
    rules: Rules
    users: Mapping[str, User]
    """Those whom the config selects, by id, as far as they are known."""
    listed_from: datetime
    """What began earlier is listed by the next sweep only."""
    next_sweep: str

    def answers(self, what: str, named: Named, entries: Iterable[Entry]) -> Iterator[Answer]:
        """How each meeting stands that `what` names, in Zoom or in the ledger (`entries`)."""
        known = list(entries)
        for entry in known:
            yield self._of(entry.uuid, entry)
        if problem_with(what) or named.is_folder or (known and not named.number):
            return
        found, answer = self._of(named.number or what.strip(), None)
        if isinstance(found, Meeting) and found not in named:
            answer = f"not known yet; Zoom shows the latest of a number alone, which began at {moment(found.start)}"
            found = None
        if found is not None and found.uuid not in {entry.uuid for entry in known}:
            yield found, answer
        elif found is None and not known:
            yield self._trashed(named) or (None, answer)

    def _of(self, asked_by: str, entry: Entry | None) -> Answer:
        """By its uuid, or its number."""
        try:
            found = self.zoom.meeting(asked_by)
        except StillProcessing as wait:
            return entry, str(wait)
        except MeetingFailed as refused:
            return entry, f"Zoom says nothing of it: {refused}"
        if found is None:
            return entry, self._gone(entry)
        if not found.host_email:
            with suppress(UserFailed):
                host = self.users.get(found.host_id) or self.zoom.user(found.host_id) or found.host
                found = replace(found, host_email=host.email)
        return found, self._decision(found, entry)

    def _decision(self, found: Meeting, entry: Entry | None) -> str:
        decision = decide(found, entry, self.rules)
        if isinstance(decision, Wait):
            return f"waits: {decision.reason}"
        if not isinstance(decision, Publish):
            return decision.reason
        if entry is None and found.start < self.listed_from:
            return f"not listed yet: it began before the lookback, so a sweep lists it ({self.next_sweep})"
        return f"{'not listed yet: ' if entry is None else ''}the next pass fetches it: {decision.reason}"

    def _gone(self, entry: Entry | None) -> str:
        if entry is not None and entry.host_id:
            try:
                trashed = {meeting.uuid for meeting in self.zoom.trash(entry.host_id).meetings}
            except ListingFailed as refused:
                return f"Zoom does not have it any more; its trash cannot be read: {refused}"
            if entry.uuid in trashed:
                return IN_TRASH
        never = "never recorded, or deleted for good" if entry is None else "deleted for good"
        return f"Zoom does not have it: {never}"

    def _trashed(self, named: Named) -> tuple[Meeting, str] | None:
        """A meeting that the ledger does not know, in the trash of those whom the config selects."""
        for user in list(self.users.values())[:TRASHES]:
            try:
                found = next((one for one in self.zoom.trash(user.id).meetings if one in named), None)
            except ListingFailed:
                continue
            if found is not None:
                return replace(found, host_email=user.email), IN_TRASH
        return None
