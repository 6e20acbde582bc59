"""Builders for the tests of the status: a state of any content, and a plain config."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.config.builders import a_config
from tests.fakes import NOW, a_meeting, a_receipt, an_entry
from zoomsync.config import Config
from zoomsync.model import DAY, HOUR, AuthorizationStatus, Entry, Intent, Meeting, Phase, Process, Retry, Run
from zoomsync.state import Head, State
from zoomsync.state.database import Database
from zoomsync.state.documents import write
from zoomsync.state.page import Page

PROCESS = Process(pid=4711, host="recorder", started="123")


def some_config(**changes: Any) -> Config:
    """A weekly sweep, deletion to the trash after 7 days."""
    return a_config(**{"delete_recordings": "trash", "delete_all_accounts": True, **changes})


def a_state(*entries: Entry, runs: tuple[Run, ...] = (), intents: tuple[Intent, ...] = (), **head: Any) -> State:
    """A state that remembers these; swept two days ago by the config that still holds, authorized an hour ago."""
    plain = Head(
        id="0123456789abcdef" * 2,
        destination="library-1",
        fingerprint=some_config().fingerprint(),
        swept_at=NOW - 2 * DAY,
        authorization=AuthorizationStatus(zoom="authorized", destination="authorized", checked_at=NOW - HOUR),
    )
    path = Path("state.json")
    database = Database.in_memory(path)
    with database.step() as connection:
        write(connection, path, entries, intents)
    return State(path, Page(steps=0, head=replace(plain, **head), runs=runs), database)


NO_STATE = State.imagined(Path("state.json"))
"""Before the first pass."""


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
