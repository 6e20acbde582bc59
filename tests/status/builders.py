"""Builders for the tests of the status: a memory of any content, and the terms of a plain config."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tests.fakes import NOW, a_meeting, a_receipt, an_entry
from zoomsync.model import DAY, HOUR, AuthorizationStatus, Entry, Intent, Meeting, Phase, Process, Retry, Run
from zoomsync.state import Head
from zoomsync.status import Memory, Terms

PROCESS = Process(pid=4711, host="recorder", started="123")
FINGERPRINT = "0123456789abcdef"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A state without its files."""

    head: Head
    entries: Mapping[str, Entry] = field(default_factory=dict)
    intents: Mapping[str, Intent] = field(default_factory=dict)
    runs: tuple[Run, ...] = ()


def a_memory(*entries: Entry, runs: tuple[Run, ...] = (), intents: tuple[Intent, ...] = (), **head: Any) -> Memory:
    """A memory with these; swept two days ago, authorized an hour ago."""
    plain = Head(
        id="0123456789abcdef" * 2,
        destination="library-1",
        fingerprint=FINGERPRINT,
        swept_at=NOW - 2 * DAY,
        authorization=AuthorizationStatus(zoom="authorized", destination="authorized", checked_at=NOW - HOUR),
    )
    return Remembered(
        head=replace(plain, **head),
        entries={entry.uuid: entry for entry in entries},
        intents={intent.id: intent for intent in intents},
        runs=runs,
    )


def some_terms(**changes: Any) -> Terms:
    """A weekly sweep, deletion to the trash after 7 days."""
    plain = Terms(sweep=7 * DAY, fingerprint=FINGERPRINT, delete="trash", delete_after=7 * DAY)
    return replace(plain, **changes)


def a_run(number: int = 1, *, before: timedelta = 2 * HOUR, took: timedelta = HOUR, **changes: Any) -> Run:
    """A whole pass that began `before` now and finished; give `code=None` for one without an end."""
    began = NOW - before
    plain = Run(id=f"{number:08x}", number=number, started_at=began, process=PROCESS, ended_at=began + took, code=0)
    run = replace(plain, **changes)
    return replace(run, ended_at=None) if run.code is None else run


def a_retry(**changes: Any) -> Retry:
    """The second failure, tried again in an hour."""
    plain = Retry(
        tries=2,
        error="video: download cut at 12 bytes",
        hint="look at the network",
        at=NOW - HOUR,
        next_at=NOW + HOUR,
    )
    return replace(plain, **changes)


def parked(**changes: Any) -> Retry:
    """The tenth failure."""
    return a_retry(tries=10, next_at=None, **changes)


def stored(meeting: Meeting | None = None, *, at: datetime = NOW - 2 * DAY, **changes: Any) -> Entry:
    """A published entry."""
    of = meeting or a_meeting()
    plain = an_entry(of, phase=Phase.PUBLISHED, reason="stored", receipt=a_receipt(of), stored_at=at, first_seen=at)
    return replace(plain, **changes)


def alive(process: Process) -> bool:
    """Every process lives."""
    return bool(process.pid)


def gone(process: Process) -> bool:
    """No process lives."""
    return not process.pid
