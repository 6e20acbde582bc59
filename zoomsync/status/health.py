"""The reasons why a person should look: `status --check`."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from zoomsync.config import Config
from zoomsync.formatting import distance, escaped, moment, plural, quoted, span_in_words
from zoomsync.model import Entry, Process, Run
from zoomsync.state import State
from zoomsync.status.query import last_finished, meeting_lists, outcome, passes, rules_now

NAMED = 3
"""How many meetings of a kind are named; the others are counted."""


def health(
    state: State, config: Config, now: datetime, is_alive: Callable[[Process], bool], *, max_age: timedelta
) -> list[str]:
    """A sentence for each reason; none: healthy.

    Passes are judged by the last whole one: a narrowed one says nothing about the other meetings. One that ended with
    failures is no reason by itself: what it could not do shows in the meetings, or is a reason of its own.
    """
    is_off = ["disabled: `enabled` is false in the config"]
    found = [*_passes(state, now, is_alive, max_age)] if config.enabled else is_off
    broken = {gap.email or gap.user: gap.retry.error for gap in state.head.gaps if gap.user and gap.retry}
    found += [f"not listed: recordings of {user}: {why}" for user, why in [*broken.items()][:NAMED]]
    found += [f"not listed: recordings of {len(broken) - NAMED:,} more users"] if len(broken) > NAMED else []
    lists = meeting_lists(state, rules_now(state, config, now))
    found += _named("parked, not tried again by itself", lists.parked)
    found += _named("failed more than once, tried again later", lists.failing)
    found += _named("deletion from Zoom refused", lists.refused)
    found += _named("deleted by Zoom within 7 days and not stored", lists.at_risk)
    return [escaped(reason) for reason in found]


def _passes(state: State, now: datetime, is_alive: Callable[[Process], bool], max_age: timedelta) -> Iterator[str]:
    runs, allowed = passes(state), f"(allowed: {span_in_words(max_age)})"
    last = next((run for run in runs if not run.narrowed), None)
    if last is None:
        yield "never run: only narrowed passes so far" if runs else "never run"
        return
    process = outcome(last, is_alive)
    if process == "Running":
        if now - last.started_at > max_age:
            yield f"too old: pass {last.number} runs since {moment(last.started_at)} {allowed}"
        elif last.started_at > now:
            yield f"too old: pass {last.number} is running, but its start lies in the future"
        return
    if process == "Interrupted":
        gone = f"process {last.process.pid} on {last.process.host} is gone"
        yield f"interrupted: pass {last.number}, {last.why or gone}"
    elif process.startswith("Failed"):
        yield f"failed: pass {last.number}, exit code {last.code}: {last.why or 'it left no reason'}"
    else:
        yield from _of_no_meeting(last)
    finished = last_finished(state, now)
    if finished is None:
        yield "too old: no whole pass has finished yet"
    elif now - finished > max_age:
        yield f"too old: last whole pass finished {moment(finished)}, {distance(finished, now)} {allowed}"


def _of_no_meeting(run: Run) -> Iterator[str]:
    """What failed in a pass and shows in no meeting."""
    counts, what = run.counts, f"pass {run.number}"
    if unlisted := counts.get("unlisted"):
        yield f"not listed: {what} could not read {plural(unlisted, 'list')}"
    if unreadable := counts.get("unreadable"):
        yield f"not listed: {what} could make no meeting of {plural(unreadable, 'entry')} of Zoom's lists"
    if counts.get("undeletable"):
        yield f"not deleted: {what} could not delete what is due in Zoom; its log says why"


def _named(fact: str, entries: list[Entry]) -> list[str]:
    """One sentence about all of them, if there are any."""
    names = [f"{quoted(entry.topic)} {moment(entry.start)} ({entry.uuid})" for entry in entries[:NAMED]]
    more = f" and {len(entries) - NAMED:,} more" if len(entries) > NAMED else ""
    return [f"{fact}: {plural(len(entries), 'meeting')}: {', '.join(names)}{more}"] if entries else []
