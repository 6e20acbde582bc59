"""What `status` looks at: the memory of the passes, and what the config says about it now."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from zoomsync.model import AuthorizationStatus, Entry, Gap, Intent, Process, Run
from zoomsync.plan import Rules


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
