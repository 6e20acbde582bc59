"""The reasons why a person should look: `status --check`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from zoomsync.config import Config
from zoomsync.errors import PassRunning
from zoomsync.formatting import distance, escaped, moment, plural, quoted, span_in_words
from zoomsync.model import HOUR, Entry, Process, Run
from zoomsync.state import State, lock_file
from zoomsync.status.document import ADOPT_AGAIN, ADOPTION_OPEN
from zoomsync.status.query import last_finished, meeting_lists, outcome, passes, rules_now

NAMED = 3
"""How many meetings of a kind are named; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A reason why a person should look."""

    sentence: str
    """What it is in few words, always the same, a colon, and what it is about this time."""
    subjects: tuple[str, ...] = ()
    """The meetings (uuids) or users that it is about."""
    is_critical: bool = False
    """Whether passes do not do their work, or a recording may be lost."""

    def __str__(self) -> str:
        return escaped(self.sentence)

    @property
    def kind(self) -> str:
        """The few words that are always the same."""
        return self.sentence.partition(":")[0]

    @property
    def keys(self) -> frozenset[str]:
        """What it is known by from one pass to the next."""
        return frozenset(f"{self.kind} {subject}" for subject in self.subjects or ("",))


def health(
    state: State,
    config: Config,
    now: datetime,
    is_alive: Callable[[Process], bool],
    *,
    max_age: timedelta,
    locked_out: datetime | None = None,
) -> list[Trouble]:
    """The reasons; none: healthy.

    Passes are judged by the last whole one: a narrowed one says nothing about the other meetings. One that ended with
    failures is no reason by itself: what it could not do shows in the meetings, or is a reason of its own.
    `locked_out` is since when passes find the state locked.
    """
    is_off = [_critical("disabled: `enabled` is false in the config")]
    met_lock = _locked_out(state, config, now, locked_out)
    found = [*_passes(state, now, is_alive, max_age), *met_lock] if config.enabled else is_off
    broken = {gap.email or gap.user: gap.retry.error for gap in state.head.gaps if gap.user and gap.retry}
    found += [_unlisted(f"not listed: recordings of {user}: {why}", user) for user, why in [*broken.items()][:NAMED]]
    if len(broken) > NAMED:
        found.append(_unlisted(f"not listed: recordings of {len(broken) - NAMED:,} more users", *[*broken][NAMED:]))
    if state.head.adopting == state.head.destination != "":
        found.append(Trouble(sentence=f"not all taken over: {ADOPTION_OPEN}"))
    if unadopted := state.head.unadopted.get(state.head.destination):
        left_out = f"the last adoption of the library left out {plural(unadopted, 'item')}"
        found.append(Trouble(sentence=f"not taken over: {left_out}: {ADOPT_AGAIN}"))
    lists = meeting_lists(state, rules_now(state, config, now))
    found += _named("parked, not tried again by itself", lists.parked)
    found += _named("failed more than once, tried again later", lists.failing)
    found += _named("deletion from Zoom refused", lists.refused)
    found += _named("stored otherwise than its receipt says", lists.differing, is_critical=True)
    if config.delete_recordings != "never" and state.entries:
        unmatched = state.entries.unmatched(config.named_meetings["hold_meetings"])
        found += [Trouble(sentence=f"hold_meetings: {what}: names no meeting that is known") for what in unmatched]
    found += _named("deleted by Zoom within 7 days and not stored", lists.at_risk, is_critical=True)
    return found


def _unlisted(sentence: str, *users: str | None) -> Trouble:
    return Trouble(sentence=sentence, subjects=tuple(user or "" for user in users))


def _critical(sentence: str) -> Trouble:
    return Trouble(sentence=sentence, is_critical=True)


def _passes(state: State, now: datetime, is_alive: Callable[[Process], bool], max_age: timedelta) -> Iterator[Trouble]:
    runs, allowed = passes(state), f"(allowed: {span_in_words(max_age)})"
    whole = [run for run in runs if not run.narrowed]
    running = whole[0] if whole and outcome(whole[0], is_alive) == "Running" else None
    if running and now - running.started_at > max_age:
        yield _critical(f"too old: pass {running.number} runs since {moment(running.started_at)} {allowed}")
    elif running and running.started_at > now:
        yield _critical(f"too old: pass {running.number} is running, but its start lies in the future")
    last = next((run for run in whole if run is not running), None)
    if last is None:
        if not running:
            yield _critical(
                "never run: only narrowed passes so far" if runs else "never run: the first pass is still to come"
            )
        return
    process = outcome(last, is_alive)
    if process == "Interrupted":
        gone = f"process {last.process.pid} on {last.process.host} is gone"
        yield _critical(f"interrupted: pass {last.number}, {last.why or gone}")
    elif process.startswith("Failed"):
        why = f"failed: pass {last.number}, exit code {last.code}: {last.why or 'it left no reason'}"
        yield Trouble(sentence=why, subjects=(str(last.code),), is_critical=True)
    else:
        yield from _of_no_meeting(last)
    finished = last_finished(state, now)
    if finished is None:
        yield _critical("too old: no whole pass has finished yet")
    elif now - finished > max_age:
        yield _critical(f"too old: last whole pass finished {moment(finished)}, {distance(finished, now)} {allowed}")


def _locked_out(state: State, config: Config, now: datetime, since: datetime | None) -> Iterator[Trouble]:
    """A lock that is none of a pass of this state, of the state or of the library, for an hour."""
    last = next(iter(passes(state)), None)
    if last is not None and last.ended_at is None:
        return  # it has the lock, or is told of as interrupted
    met = [(run.started_at, run.why) for run in state.runs if run.code == PassRunning.code]
    if since is not None:
        met.append((since, f"`fuser -v {lock_file(config.state)}` says who holds it"))
    met = [one for one in met if last is None or last.ended_at is None or one[0] >= last.ended_at]
    begun, what = min(met, default=(now, ""))
    if now - begun >= HOUR:
        fact = f"locked out: passes meet a lock since {moment(begun)}, and none of this state is running: {what}"
        yield _critical(fact)


def _of_no_meeting(run: Run) -> Iterator[Trouble]:
    """What failed in a pass and shows in no meeting."""
    counts, what = run.counts, f"pass {run.number}"
    if unlisted := counts.get("unlisted"):
        yield _unlisted(f"not listed: {what} could not read {plural(unlisted, 'list')}")
    if unreadable := counts.get("unreadable"):
        yield _unlisted(f"not listed: {what} could make no meeting of {plural(unreadable, 'entry')} of Zoom's lists")
    if counts.get("undeletable"):
        yield Trouble(sentence=f"not deleted: {what} could not delete what is due in Zoom; its log says why")


def _named(kind: str, entries: list[Entry], *, is_critical: bool = False) -> list[Trouble]:
    """One trouble for all of them, if there are any."""
    names = [f"{quoted(entry.topic)} {moment(entry.start)} ({entry.uuid})" for entry in entries[:NAMED]]
    more = f" and {len(entries) - NAMED:,} more" if len(entries) > NAMED else ""
    sentence = f"{kind}: {plural(len(entries), 'meeting')}: {', '.join(names)}{more}"
    uuids = tuple(entry.uuid for entry in entries)
    return [Trouble(sentence=sentence, subjects=uuids, is_critical=is_critical)] if entries else []
