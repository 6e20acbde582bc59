"""The reasons why a person should look: `status --check`."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from zoomsync.formatting import escaped, moment, plural, span_in_words
from zoomsync.model import HOUR, Entry, Process, Run
from zoomsync.rules.publish import Rules
from zoomsync.status import query
from zoomsync.status.query import Memory, NoMemory, Terms, away, last_finished, outcome, recorded, rules
from zoomsync.status.text import quoted

MAX_AGE = 26 * HOUR
"""A daily pass and two hours of grace."""
NAMED = 3
"""How many meetings of a kind are named; the others are counted."""


def health(
    memory: Memory | None,
    *,
    enabled: bool,
    now: datetime,
    is_alive: Callable[[Process], bool],
    terms: Terms,
    max_age: timedelta = MAX_AGE,
) -> list[str]:
    """A sentence for each reason; none: healthy.

    Passes are judged by the last whole one: a narrowed one tells nothing about the others. One that ended with
    failures is no reason by itself: what it could not do shows in the meetings.
    """
    known: Memory = memory or NoMemory()
    found = [*_passes(known, now, is_alive, max_age)] if enabled else ["disabled: `enabled` is false in the config"]
    return [escaped(reason) for reason in (*found, *_meetings(known, rules(known, terms, now)))]


def _passes(memory: Memory, now: datetime, is_alive: Callable[[Process], bool], max_age: timedelta) -> Iterator[str]:
    runs = recorded(memory)
    last = next((run for run in runs if not run.narrowed), None)
    if last is None:
        yield "never run: only narrowed passes so far" if runs else "never run"
        return
    state = outcome(last, is_alive)
    if state == "Running":
        yield from _too_long(last, now, max_age)
        return
    if state == "Interrupted":
        yield f"interrupted: pass {last.number}, {last.why or f'{whose(last)} is gone'}"
    elif state.startswith("Failed"):
        yield f"failed: pass {last.number}, exit code {last.code}: {last.why or 'it left no reason'}"
    elif last.counts.get("unlisted"):
        yield f"not listed: pass {last.number} could not read {plural(last.counts['unlisted'], 'list')}"
    yield from _too_old(last_finished(memory, now), now, max_age)


def _too_long(run: Run, now: datetime, max_age: timedelta) -> Iterator[str]:
    span = now - run.started_at
    if span > max_age:
        yield (f"too old: pass {run.number} runs since {moment(run.started_at)} (allowed: {span_in_words(max_age)})")
    elif span < timedelta():
        yield f"too old: pass {run.number} is running, but its start lies in the future"


def _too_old(finished: datetime | None, now: datetime, max_age: timedelta) -> Iterator[str]:
    if finished is None:
        yield "too old: no whole pass has finished yet"
    elif now - finished > max_age:
        yield (
            f"too old: last whole pass finished {moment(finished)}, {away(finished - now)} "
            f"(allowed: {span_in_words(max_age)})"
        )


def whose(run: Run) -> str:
    """`process 4711 on recorder`."""
    return f"process {run.process.pid} on {run.process.host}"


def _meetings(memory: Memory, asked: Rules) -> Iterator[str]:
    entries = memory.entries
    yield from _about(query.parked(entries, asked), "parked, not tried again by itself")
    yield from _about(query.failing(entries, asked), "failed more than once, tried again later")
    yield from _about(query.refused(entries, asked), "deletion from Zoom refused")
    yield from _about(query.at_risk(entries, asked), "deleted by Zoom within 7 days and not stored")


def _about(entries: Iterable[Entry], fact: str) -> Iterator[str]:
    names = [f"{quoted(entry.topic)} {moment(entry.start)} ({entry.uuid})" for entry in entries]
    if names:
        more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
        yield f"{fact}: {plural(len(names), 'meeting')}: {', '.join(names[:NAMED])}{more}"
