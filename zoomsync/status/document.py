"""The document of `status --json`. Its keys are promised: scripts read them."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from zoomsync.config import Config
from zoomsync.formatting import iso, kind
from zoomsync.model import COUNTS, DAY, Entry, Gap, Phase, Process, Retry, Run
from zoomsync.naming import safe_component
from zoomsync.rules.delete import doubts
from zoomsync.rules.publish import Rules
from zoomsync.rules.windows import next_sweep
from zoomsync.state import State, Stored
from zoomsync.status.query import (
    is_parked,
    last_finished,
    meeting_lists,
    newest_first,
    outcome,
    passes,
    past,
    phase_now,
    rules_now,
)

Facts: TypeAlias = dict[str, Any]
"""JSON-ready."""
RUNS_SHOWN = 10
SKIPPED_SHOWN = 10_000
"""The newest ones: there may be very many."""
ADOPTION_OPEN = (
    "an adoption of the library has not come to its end: the next pass goes on with it; if that is refused, adopt again"
)
ADOPT_AGAIN = "`zoomsync sync --adopt-library` names each again, and takes over what is mended"
PACE = 30 * DAY
"""How far back it is looked how fast the library grows."""


def document(
    state: State, config: Config, now: datetime, is_alive: Callable[[Process], bool], free: int | None = None
) -> Facts:
    """All that is known, JSON-ready: times in ISO 8601, sizes in bytes, null for unset; what happened in the future
    counts as unset. Meetings newest first, `at_risk` by what Zoom deletes first, `runs` newest first. `free` bytes are
    left where items lie; None: that is no folder here.
    """
    head, runs = state.head, passes(state)
    process = outcome(runs[0], is_alive) if runs else "Never run"
    stored = state.entries.stored(head.destination, after=now - PACE, till=now)
    emails = {host.id: host.email for host in state.entries.hosts() if host.email}
    return {
        "as_of": iso(now),
        "sync_process": process if config.enabled else "Disabled",
        "last_synced_attempt": iso(past(runs[0].started_at, now)) if runs else None,
        "last_finished": iso(last_finished(state, now)),
        "last_recording_fetched_till": iso(past(head.fetched_till, now)),
        "authorization": {
            "zoom": head.authorization.zoom,
            "destination": head.authorization.destination,
            "checked_at": iso(past(head.authorization.checked_at, now)),
        },
        "gaps": [_gap(gap, emails) for gap in head.gaps],
        "next_sweep": iso(_next_sweep(state, config, now)),
        **_meetings(state, rules_now(state, config, now)),
        "stored": _stored(stored, now, free),
        "unmatched": [
            {"key": key, "what": what}
            for key, named in config.named_meetings.items()
            for what in state.entries.unmatched(named)
        ],
        "adopting": head.adopting == head.destination != "",
        "unadopted": head.unadopted.get(head.destination, 0),
        "other_authors": _other_authors(stored, config),
        "open_intents": [
            {"id": one.id, "at": iso(one.at), "action": one.action, "uuid": one.uuid, "target": one.target}
            for one in state.intents.values()
        ],
        "runs": [_run(run, now, is_alive) for run in runs[:RUNS_SHOWN]],
    }


def _gap(gap: Gap, emails: Mapping[str, str]) -> Facts:
    """A stretch that is not listed yet; of one user with the address, and why that list could not be read."""
    email = gap.email or emails.get(gap.user or "", "")
    return {
        "since": iso(gap.since),
        "until": iso(gap.until),
        "user": email or gap.user,
        "email": email,
        "reason": gap.retry.error if gap.retry is not None else "",
        "next_at": iso(gap.retry.next_at) if gap.retry is not None else None,
    }


def _next_sweep(state: State, config: Config, now: datetime) -> datetime | None:
    """None: never. A changed config, or no sweep yet, makes one due with the next pass."""
    if state.head.fingerprint != config.fingerprint():
        return now
    return next_sweep(state.head.swept_at, config.recordings.sweep, now)


def _meetings(state: State, rules: Rules) -> Facts:
    now, lists, ledger = rules.now, meeting_lists(state, rules), state.entries
    given_up = [entry for entry in ledger.open() if phase_now(entry, rules)[0] is not entry.phase]
    moved = Counter(entry.phase for entry in given_up)
    counts = {phase: count - moved[phase] for phase, count in ledger.phases().items()}
    counts[Phase.SKIPPED] = counts.get(Phase.SKIPPED, 0) + len(given_up)

    def rows(phase: Phase, *more: Entry, limit: int | None = None) -> list[Facts]:
        found = newest_first([*ledger.of_phase(phase, limit), *more])
        return [meeting_row(entry, phase_now(entry, rules)[1], phase=phase.value) for entry in found[:limit]]

    def waiting(entry: Entry) -> Facts:
        reason = f"stored, still to come: {', '.join(entry.pending)}" if entry.pending else entry.reason
        return meeting_row(entry, reason, due_at=iso(entry.due_at))

    why_skipped = Counter(kind(reason) for reason in ledger.reasons(Phase.SKIPPED))
    why_skipped.update(kind(phase_now(entry, rules)[1]) for entry in given_up)
    return {
        "counts": {phase.value: counts.get(phase, 0) for phase in Phase},
        "at_risk": [meeting_row(entry, auto_delete=iso(entry.auto_delete)) for entry in lists.at_risk],
        "waiting": [waiting(entry) for entry in lists.waiting],
        "failed": [meeting_row(entry, **failure_facts(entry.retry, now)) for entry in lists.failed],
        "refused": [meeting_row(entry, **failure_facts(entry.refusal, now)) for entry in lists.refused],
        "differs": [meeting_row(entry, entry.differs) for entry in lists.differing],
        "kept": [meeting_row(entry, entry.kept or doubts(entry)) for entry in lists.deletion_blocked],
        "lost": rows(Phase.LOST),
        "removed": rows(Phase.REMOVED),
        "skipped": {
            "counts": dict(why_skipped.most_common()),
            "rows": rows(Phase.SKIPPED, *given_up, limit=SKIPPED_SHOWN),
        },
    }


def _stored(stored: list[Stored], now: datetime, free: int | None) -> Facts:
    """How much is stored, and for how many days the disk lasts if as much comes as in the last `PACE`."""
    begun = min((one.since for one in stored if one.since is not None), default=now)
    span = min(PACE, now - begun)
    recent = sum(one.recently for one in stored)
    lasts = free / (recent / (span / DAY)) if free is not None and recent and span >= DAY else None
    return {
        "items": sum(one.host.meetings for one in stored),
        "bytes": sum(one.size for one in stored),
        "bytes_recently": recent,
        "free_bytes": free,
        "days_left": None if lasts is None else int(min(lasts, 36500)),
    }


def _other_authors(stored: list[Stored], config: Config) -> list[Facts]:
    """Whose recordings are published under somebody else, although the config wants the hosts: most first."""
    if config.publish_as != "zoom_user":
        return []
    aliases = {email.lower(): alias for email, alias in config.aliases.items()}
    found: Counter[tuple[str, str]] = Counter()
    for one in stored:
        host = one.host.email.lower()
        own = aliases.get(host, host).lower()
        if one.author.lower() not in (own, safe_component(own)):
            found[(one.host.email or one.host.id, one.author)] += one.host.meetings
    return [{"host": host, "author": author, "meetings": count} for (host, author), count in found.most_common()]


def meeting_row(entry: Entry, reason: str = "", **more: Any) -> Facts:
    """A meeting in a list."""
    return {
        "uuid": entry.uuid,
        "number": entry.number,
        "topic": entry.topic,
        "host": entry.host_email or entry.host_id,
        "start": iso(entry.start),
        "phase": entry.phase.value,
        "reason": reason or entry.reason,
        **more,
    }


def failure_facts(failure: Retry | None, now: datetime) -> Facts:
    """A failure and what comes of it; `next_at` is null when parked, now when it is due."""
    if failure is None:
        return {}
    parked = is_parked(failure, now)
    next_at = failure.next_at if past(failure.at, now) else now
    return {
        "tries": failure.tries,
        "error": failure.error,
        "hint": failure.hint,
        "failed_at": iso(past(failure.at, now)),
        "next_at": None if parked else iso(max(next_at or now, now)),
        "parked": parked,
    }


def _run(run: Run, now: datetime, is_alive: Callable[[Process], bool]) -> Facts:
    return {
        "id": run.id,
        "number": run.number,
        "started_at": iso(past(run.started_at, now)),
        "ended_at": iso(past(run.ended_at, now)),
        "outcome": outcome(run, is_alive),
        "code": run.code,
        "why": run.why,
        "narrowed": run.narrowed,
        "process": {"pid": run.process.pid, "host": run.process.host},
        "counts": dict.fromkeys(COUNTS, 0) | dict(run.counts),
    }
