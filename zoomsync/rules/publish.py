"""Every rule about what to do with a meeting, and why. Pure: facts come in, decisions with their reasons go out.

A pass asks again when it has fresher facts; a dry run prints the answers.
"""

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from zoomsync.formatting import moment, plural, size_in_words, span_in_words
from zoomsync.model import DAY, HOUR, Entry, Kind, Meeting, Phase, Receipt, RecordingFile
from zoomsync.rules.named import NO_MEETINGS, Named
from zoomsync.rules.retry import is_delayed
from zoomsync.rules.segments import has_end, segments, select

PROCESSING_TIMEOUT = timedelta(hours=48)
"""After this, what is complete is taken although some of it is still processing. Zoom says that it takes 24 hours:
https://support.zoom.com/hc/en/article?id=zm_kb&sysparm_article=KB0062627"""

STALE = HOUR / 2
"""A listing older than this is read again before its fetch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the config and the command line ask for, as far as meetings are concerned."""

    now: datetime
    since: datetime
    settle: timedelta
    min_duration: timedelta
    views: str | tuple[str, ...]
    kinds: AbstractSet[Kind]
    hosts: AbstractSet[str] | None
    """Ids of the users that the config selects; None: every user of the account."""
    excluded_hosts: AbstractSet[str] = frozenset()
    excluded_emails: AbstractSet[str] = frozenset()
    """Addresses, in lower case, of excluded users whose id is not known now."""
    excluded: Named = NO_MEETINGS
    """The meetings of `exclude_meetings`."""
    kept_in_zoom: Named = NO_MEETINGS
    """The meetings of `hold_meetings`."""
    requested: Named = NO_MEETINGS
    """The meetings of `--meeting`: fetched past filters, and again what a person removed."""
    accept_size: bool = False
    """Whether video and sound of `requested` are stored as they come, also if Zoom lists another size."""
    only_primary: bool = False
    """Of each segment the best view alone, or its sound if it has no video."""
    until: datetime | None = None
    retry_failed: bool = False
    is_sweep: bool = False
    """Whether this pass looks at everything again, also at what is parked: Zoom may have deleted it."""
    destination: str = ""
    """Id of the destination now configured; empty when it is not known yet."""
    delete: str = "never"
    delete_after: timedelta = timedelta(days=7)

    def selects(self, host_id: str, email: str) -> bool:
        """Whether the config selects this host."""
        is_excluded = host_id in self.excluded_hosts or email.lower() in self.excluded_emails
        return not is_excluded and (self.hosts is None or host_id in self.hosts)

    def selected(self, files: Iterable[RecordingFile]) -> tuple[RecordingFile, ...]:
        """Those of a meeting's files that the config selects."""
        return select(files, views=self.views, kinds=self.kinds, only_primary=self.only_primary)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Fetch what is new of this meeting and make the destination have it."""

    meeting: Meeting
    files: tuple[RecordingFile, ...]
    """All selected files that are complete now, stored ones included."""
    new: tuple[RecordingFile, ...]
    previous: Receipt | None
    reason: str
    pending: tuple[str, ...] = ()
    """What is still to come, in words."""

    @property
    def size(self) -> int:
        """The bytes that Zoom lists for what is new."""
        return sum(file.size or 0 for file in self.new)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing now; `due_at` says from when it is worth asking again (None: each pass)."""

    reason: str
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Nothing to do; `phase` is where the meeting stands by that."""

    reason: str
    phase: Phase | None = Phase.SKIPPED
    """None: the command line leaves it out of this pass, which says nothing about where it stands."""
    is_elsewhere: bool = False
    """Stored in another destination than the one configured."""
    is_loss: bool = False
    """Something of it was gone before it was fetched."""
    is_foreign: bool = False
    """Not this config's to remember: another host's, or before `since`."""
    is_altered: bool = False
    """What is stored is there, with other bytes."""


Decision = Publish | Wait | Skip


def decide(found: Meeting, entry: Entry | None, rules: Rules) -> Decision:
    """What to do with a meeting that Zoom lists."""
    return (
        _unwanted(found, entry, rules)
        or _unsure(found, entry, rules)
        or _delayed(entry, rules)
        or decide_due(found, entry, rules)
    )


def is_requested(one: Entry | Meeting, entry: Entry | None, rules: Rules) -> bool:
    """Whether a person asked for it, now or in an earlier pass that could not do it."""
    return one in rules.requested or (entry is not None and entry.asked == rules.destination != "")


def _unwanted(found: Meeting, entry: Entry | None, rules: Rules) -> Skip | None:
    """Why it is not wanted at all."""
    if entry is not None and entry.phase is Phase.ERASED:
        return Skip(reason=entry.reason, phase=Phase.ERASED)
    if found in rules.excluded:
        return Skip(reason="listed in exclude_meetings")
    if is_requested(found, entry, rules):
        return None
    if entry is not None and entry.phase is Phase.REMOVED:
        return Skip(reason=entry.reason, phase=Phase.REMOVED)
    if not rules.selects(found.host_id, found.host_email):
        return Skip(reason="its host is not selected by the config", is_foreign=True)
    if found.start < rules.since and entry is None:
        return Skip(reason=f"began before recordings.since ({moment(rules.since)})", is_foreign=True)
    if rules.until is not None and found.start >= rules.until:
        return Skip(reason=f"began after --until ({moment(rules.until)})", phase=None, is_foreign=True)
    if entry is not None and entry.receipt is not None and entry.receipt.destination != rules.destination:
        name = entry.receipt.destination
        shown = name[:8] if re.fullmatch("[0-9a-f]{32}", name) else name  # an id that we made, or an address
        return Skip(reason=f"stored in another destination ({shown})", phase=entry.phase, is_elsewhere=True)
    return _too_short(found, entry, rules)


def _unsure(found: Meeting, entry: Entry | None, rules: Rules) -> Wait | None:
    """Nobody who is excluded is ever published, also if neither list nor look-up say whose recording it is."""
    if not rules.excluded_emails or found.host_email or is_requested(found, entry, rules):
        return None
    return Wait(reason="its host may be one of exclude_accounts, of whom Zoom says nothing now")


def _too_short(found: Meeting, entry: Entry | None, rules: Rules) -> Skip | None:
    ends = [file.end for file in found.files if file.end is not None]
    is_unknown = any(file.processing or (file.kind.is_media and not has_end(file)) for file in found.files)
    if not ends or is_unknown or (entry is not None and entry.receipt is not None):
        return None
    begin = min([file.start for file in found.files if file.start is not None] or [found.start])
    length = max(max(ends) - begin, timedelta(0))
    if length >= rules.min_duration:
        return None
    least = span_in_words(rules.min_duration)
    return Skip(reason=f"{span_in_words(length)} long, shorter than recordings.min_duration ({least})")


def _delayed(entry: Entry | None, rules: Rules) -> Wait | None:
    """Why it is not tried now, after failures."""
    retry = entry.retry if entry is not None else None
    if entry is None or retry is None or entry in rules.requested or rules.retry_failed:
        return None
    if not is_delayed(retry, rules.now):
        return None
    if retry.next_at is None:
        return Wait(reason=f"parked after {retry.tries} tries: {retry.error}")
    return Wait(reason=f"tried again at {moment(retry.next_at)}: {retry.error}", due_at=retry.next_at)


def decide_due(found: Meeting, entry: Entry | None, rules: Rules) -> Decision:
    """What to do with a wanted meeting: whether it is settled, and what of it is new."""
    requested = is_requested(found, entry, rules)
    files = rules.selected(found.files)
    complete = rules.selected(file for file in found.files if not file.processing and file.url)
    receipt, deleted = (entry.receipt, entry.deleted) if entry is not None else (None, {})
    if entry is not None and receipt is not None and requested:
        is_there = entry.phase is not Phase.REMOVED and receipt.destination == rules.destination
        receipt = receipt if is_there else None  # a person asks for an item that is not there any more
    if entry is not None and entry.stored_at is None:
        receipt = None  # adopted: what it says is read before it counts
    usable = tuple(file for file in complete if file.id not in deleted or requested)
    new = tuple(file for file in usable if not (receipt and receipt.covers(file)))
    unsettled = _unsettled(found, entry, rules)
    if unsettled and (new or not receipt or any(file.processing for file in files)):
        return unsettled
    if not new and not (usable and requested):
        return _nothing_new(found, files, entry)
    pending = (
        f"{file.label}: {'still processing' if file.processing else 'no download address'}"
        for file in files
        if file.processing or not file.url
    )
    reason = _why(new, receipt, entry, requested=requested)
    return Publish(meeting=found, files=usable, new=new, previous=receipt, reason=reason, pending=tuple(pending))


def _unsettled(found: Meeting, entry: Entry | None, rules: Rules) -> Wait | None:
    seen = min(entry.first_seen, rules.now) if entry is not None else rules.now  # for an end that is still to come
    newest = max((one.end if one.end <= rules.now else seen for one in found.files if one.end), default=seen)
    is_urgent = found.auto_delete is not None and rules.now >= found.auto_delete - DAY
    if rules.now >= newest + PROCESSING_TIMEOUT or is_urgent or found in rules.requested:
        return None
    if any(file.processing for file in found.files):
        return Wait(reason="still recorded or processed in Zoom")
    if rules.now < newest + rules.settle:
        return Wait(reason=f"settles until {moment(newest + rules.settle)}", due_at=newest + rules.settle)
    return None


def _nothing_new(found: Meeting, files: tuple[RecordingFile, ...], entry: Entry | None) -> Decision:
    if any(file.processing for file in files):
        return Wait(reason="still recorded or processed in Zoom")
    if entry is not None and entry.phase is Phase.REMOVED:
        return Skip(reason=entry.reason, phase=Phase.REMOVED)
    if entry is not None and entry.deleted and set(entry.deleted) & {file.id for file in found.files}:
        return Skip(
            reason="back from Zoom's trash after zoomsync deleted it: left to whoever wanted it", phase=entry.phase
        )
    if entry is not None and entry.receipt is not None:
        return Skip(reason="stored", phase=entry.phase)
    if not found.files:
        return Skip(reason="Zoom lists no files for it")
    if not files:
        return Skip(reason="none of its files is selected by recordings.files")
    return Skip(reason="Zoom gives no download address for its files (recorded on premise?)")


def _why(new: tuple[RecordingFile, ...], receipt: Receipt | None, entry: Entry | None, *, requested: bool) -> str:
    if not new:
        return "asked for by --meeting: what is stored is looked at, and mended"
    if receipt is not None:
        return f"{plural(len(new), 'new file')}: {', '.join(sorted({file.label for file in new}))}"
    amount = size_in_words(sum(file.size or 0 for file in new))
    what = f"{plural(len(segments(new)), 'segment')}, {plural(len(new), 'file')}, {amount}"
    if requested:
        return f"asked for by --meeting: {what}"
    return f"try {entry.retry.tries + 1}: {what}" if entry is not None and entry.retry is not None else what


def decide_gone(entry: Entry) -> Skip:
    """What becomes of an open entry whose meeting Zoom does not have any more."""
    if entry.phase in (Phase.REMOVED, Phase.ERASED):
        return Skip(reason=entry.reason, phase=entry.phase)
    missing = entry.retry.error if entry.retry is not None else ", ".join(entry.pending)
    if entry.receipt is not None and missing:
        reason = f"stored, but gone from the cloud before all of it was fetched: {missing}"
        return Skip(reason=reason, phase=Phase.DELETED, is_loss=True)
    if entry.receipt is not None:
        return Skip(reason="stored; gone from the cloud", phase=Phase.DELETED)
    return Skip(reason="gone from the cloud before it was fetched", phase=Phase.LOST, is_loss=True)


def is_open(entry: Entry, rules: Rules) -> bool:
    """Whether this entry must be looked at although no list showed it."""
    requested = is_requested(entry, entry, rules)
    if entry in rules.excluded or not (requested or rules.selects(entry.host_id, entry.host_email)):
        return False
    if entry.retry is not None and (requested or entry.phase in (Phase.WAITING, Phase.PUBLISHED)):
        is_over = not requested and entry.auto_delete is not None and entry.auto_delete <= rules.now
        return is_over or rules.is_sweep or rules.retry_failed or not is_delayed(entry.retry, rules.now)
    if requested:
        return True
    if entry.phase is Phase.WAITING or (entry.phase is Phase.PUBLISHED and entry.pending):
        return entry.due_at is None or entry.due_at <= rules.now or entry.changed_at > rules.now
    return False


def may_be_open(entry: Entry) -> bool:
    """Whether something of it is to come, whatever the config and the command line ask for and the time is."""
    is_unfinished = entry.retry is not None or entry.pending
    return entry.phase is Phase.WAITING or entry.asked != "" or (entry.phase is Phase.PUBLISHED and bool(is_unfinished))


def sorted_by_urgency(
    answers: Iterable[tuple[Meeting, Decision]], failed: AbstractSet[str], now: datetime
) -> list[tuple[Meeting, Decision]]:
    """Sooner `auto_delete_date` first, then newer first; what failed before comes last, or it could delay the rest.

    `failed` are uuids. What Zoom deletes within two days comes before all others, failed or not.
    """

    def key(pair: tuple[Meeting, Decision]) -> tuple[bool, bool, bool, float, float]:
        meeting, gone_at = pair[0], pair[0].auto_delete
        is_soon = is_lost_soon(gone_at, now)
        when = gone_at.timestamp() if gone_at else 0.0
        return (not is_soon, not is_soon and meeting.uuid in failed, gone_at is None, when, -meeting.start.timestamp())

    return sorted(answers, key=key)


def is_lost_soon(gone_at: datetime | None, now: datetime) -> bool:
    """Whether Zoom deletes it within two days."""
    return gone_at is not None and gone_at <= now + 2 * DAY


def lost_within_a_week(entries: Iterable[Entry], now: datetime) -> list[Entry]:
    """Meetings that Zoom deletes by itself within 7 days and that are not stored."""
    open_phases = (Phase.WAITING, Phase.PUBLISHED)
    return [
        entry
        for entry in entries
        if entry.auto_delete is not None
        and entry.auto_delete <= now + 7 * DAY
        and entry.phase in open_phases
        and (entry.receipt is None or entry.retry is not None)
    ]
