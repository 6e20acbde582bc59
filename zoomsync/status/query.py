"""What `status` looks at: the memory of the passes, and what the config says about it now."""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from zoomsync.formatting import moment, span_in_words
from zoomsync.model import DAY, MINUTE, AuthorizationStatus, Entry, Gap, Intent, Phase, Process, Retry, Run
from zoomsync.rules.delete import why_kept
from zoomsync.rules.publish import Rules, is_requested, lost_within_a_week


def iso(when: datetime | None) -> str | None:
    """As in JSON: `2026-03-01T10:30:00Z`."""
    return None if when is None else when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def past(when: datetime | None, now: datetime) -> datetime | None:
    """A time at which something happened; one in the future counts as unset."""
    return when if when is not None and when <= now else None


def told(written: str | None, now: datetime, *, unset: str = "unknown") -> str:
    """An ISO time for people: `2026-03-10 09:55 UTC (2 h 5 min ago)`."""
    if written is None:
        return unset
    when = datetime.fromisoformat(written)
    return f"{moment(when)} ({away(when - now)})"


def away(span: timedelta) -> str:
    """How far a time lies from now: `2 h 5 min ago`, `in 3 days`, `just now`."""
    if abs(span) < MINUTE:
        return "just now"
    words = span_in_words(MINUTE * (abs(span) // MINUTE))
    return f"{words} ago" if span < timedelta() else f"in {words}"


OPEN = (Phase.WAITING, Phase.PUBLISHED)
"""Where a meeting can still be fetched, or gain files."""


def standing(entry: Entry, rules: Rules) -> tuple[Phase, str]:
    """Phase and reason. A pass no longer asks about what the config has left out since: that waits no more."""
    if entry.phase is Phase.WAITING and entry.uuid in rules.excluded:
        return Phase.SKIPPED, "listed in exclude_meetings"
    if entry.phase is Phase.WAITING and not rules.selects(entry.host_id):
        return Phase.SKIPPED, "its host is not selected by the config"
    return entry.phase, entry.reason


def _is_wanted(entry: Entry, rules: Rules) -> bool:
    return entry.uuid not in rules.excluded and (is_requested(entry.uuid, entry, rules) or rules.selects(entry.host_id))


def newest_first(entries: Iterable[Entry]) -> list[Entry]:
    """By the start of the meeting."""
    return sorted(entries, key=lambda entry: (entry.start, entry.uuid), reverse=True)


def waiting(entries: Mapping[str, Entry], rules: Rules) -> list[Entry]:
    """What is not stored yet, or not all of it, without having failed."""
    return newest_first(
        entry
        for entry in entries.values()
        if entry.retry is None
        and _is_wanted(entry, rules)
        and (entry.phase is Phase.WAITING or (entry.phase is Phase.PUBLISHED and entry.pending))
    )


def failed(entries: Mapping[str, Entry], rules: Rules) -> list[Entry]:
    """What failed and is tried again, or is parked."""
    return newest_first(
        entry
        for entry in entries.values()
        if entry.retry is not None
        and (entry.phase in OPEN or is_requested(entry.uuid, entry, rules))
        and _is_wanted(entry, rules)
    )


def is_parked(failure: Retry, now: datetime) -> bool:
    """Whether it is not tried again by itself. A failure in the future tells of a wrong clock: that one is."""
    return failure.is_parked and failure.at <= now


def parked(entries: Mapping[str, Entry], rules: Rules) -> list[Entry]:
    """What failed and is not tried again by itself."""
    return [entry for entry in failed(entries, rules) if entry.retry is not None and is_parked(entry.retry, rules.now)]


def failing(entries: Mapping[str, Entry], rules: Rules) -> list[Entry]:
    """What failed more than once, or for a day, and is tried again: once can be chance."""
    waiting = (entry for entry in failed(entries, rules) if entry.retry and not is_parked(entry.retry, rules.now))
    return [
        one
        for one in waiting
        if one.retry is not None
        and (one.retry.tries > 1 or (one.retry.since or one.retry.at) <= rules.now - DAY)
        and one.retry.at <= rules.now
    ]


def refused(entries: Mapping[str, Entry], rules: Rules) -> list[Entry]:
    """Whose deletion was refused and is still wanted."""
    if rules.delete == "never":
        return []
    return newest_first(
        entry
        for entry in entries.values()
        if entry.refusal is not None
        and entry.phase is Phase.PUBLISHED
        and entry.uuid not in rules.held
        and rules.selects(entry.host_id)
    )


def kept(entries: Mapping[str, Entry], rules: Rules) -> list[Entry]:
    """Whose deletion is due, and waits for something at the destination."""
    return newest_first(
        entry
        for entry in entries.values()
        if entry.kept and entry.phase is Phase.PUBLISHED and why_kept(entry, rules) is None
    )


def at_risk(entries: Mapping[str, Entry], rules: Rules) -> list[Entry]:
    """What Zoom deletes by itself within 7 days and is not stored, soonest first."""
    found = (entry for entry in lost_within_a_week(entries, rules.now) if _is_wanted(entry, rules))
    return sorted(found, key=lambda entry: (entry.auto_delete or rules.now, entry.uuid))


class Head(Protocol):
    """`state.Head`, as far as it is shown."""

    @property
    def destination(self) -> str: ...
    @property
    def swept_at(self) -> datetime | None: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def gaps(self) -> tuple[Gap, ...]: ...
    @property
    def fetched_till(self) -> datetime | None: ...
    @property
    def authorization(self) -> AuthorizationStatus: ...


class Memory(Protocol):
    """`state.State`, as far as it is read."""

    @property
    def head(self) -> Head: ...
    @property
    def entries(self) -> Mapping[str, Entry]:
        """The ledger, by uuid."""

    @property
    def intents(self) -> Mapping[str, Intent]:
        """Those not settled, by id."""

    @property
    def runs(self) -> tuple[Run, ...]:
        """The last runs, newest last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What of the config decides how the memory reads now."""

    sweep: timedelta | None
    """None: never."""
    fingerprint: str
    delete: str
    """`delete_recordings`."""
    delete_after: timedelta
    accounts: AbstractSet[str] = frozenset()
    """`filter_accounts`, lower case; blank: every user."""
    excluded_accounts: AbstractSet[str] = frozenset()
    excluded: AbstractSet[str] = frozenset()
    """`exclude_meetings`."""
    held: AbstractSet[str] = frozenset()
    """`hold_meetings`."""
    publish_as: str = "zoom_user"
    aliases: Mapping[str, str] = field(default_factory=dict)
    """E-mail in Zoom, lower case → at the destination."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _NoHead:
    destination: str = ""
    swept_at: datetime | None = None
    fingerprint: str = ""
    gaps: tuple[Gap, ...] = ()
    fetched_till: datetime | None = None
    authorization: AuthorizationStatus = field(default_factory=AuthorizationStatus)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoMemory:
    """Before the first pass."""

    head: _NoHead = field(default_factory=_NoHead)
    entries: Mapping[str, Entry] = field(default_factory=dict)
    intents: Mapping[str, Intent] = field(default_factory=dict)
    runs: tuple[Run, ...] = ()


def rules(memory: Memory, terms: Terms, now: datetime) -> Rules:
    """The planner's rules as far as they can be known without asking Zoom: hosts by the e-mails in the ledger."""
    emails = {entry.host_id: entry.host_email.lower() for entry in memory.entries.values()}
    named = frozenset(host for host, email in emails.items() if email in terms.accounts or not email)
    return Rules(
        now=now,
        since=now,
        settle=timedelta(),
        min_duration=timedelta(),
        views="all",
        kinds=frozenset(),
        hosts=named if terms.accounts else None,
        excluded_hosts=frozenset(host for host, email in emails.items() if email in terms.excluded_accounts),
        excluded=terms.excluded,
        held=terms.held,
        destination=memory.head.destination,
        delete=terms.delete,
        delete_after=terms.delete_after,
    )


def recorded(memory: Memory) -> list[Run]:
    """The runs that were passes, newest first: one that found another pass running was none."""
    return [run for run in reversed(memory.runs) if run.code != ANOTHER_IS_RUNNING]


ANOTHER_IS_RUNNING = 4
"""The exit code of `errors.PassRunning`."""


def outcome(run: Run, is_alive: Callable[[Process], bool]) -> str:
    """How a run went: Running / Finished / Finished with failures / Failed: why / Interrupted."""
    if run.code is None:
        return "Running" if is_alive(run.process) else "Interrupted"
    if run.code > SIGNALS:
        return "Interrupted"
    return ENDS.get(run.code) or f"Failed: {run.why or f'exit code {run.code}'}"


ENDS = {0: "Finished", 1: "Finished with failures"}
SIGNALS = 128
"""Exit codes above this are 128 + the number of the signal that ended the pass."""


def last_finished(memory: Memory, now: datetime) -> datetime | None:
    """When a whole pass last ran to its end; a narrowed one proves nothing about the others."""
    ends = [run.ended_at for run in memory.runs if run.code in ENDS and not run.narrowed]
    return max((end for end in ends if end is not None and end <= now), default=None)
