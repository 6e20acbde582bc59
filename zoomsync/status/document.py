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
from zoomsync.state import State
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
    emails = {entry.host_id: entry.host_email for entry in state.entries.values() if entry.host_email}
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
        "stored": _stored(state, now, free),
        "unmatched": [
            {"key": key, "what": what}
            for key, named in config.named_meetings.items()
            for what in named.unmatched(state.entries.values())
        ],
        "other_authors": _other_authors(state, config),
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
    swept_at, sweep = past(state.head.swept_at, now), config.recordings.sweep
    if state.head.fingerprint != config.fingerprint():
        return now
    if sweep is None:
        return None
    return now if swept_at is None else max(now, swept_at + sweep)


def _meetings(state: State, rules: Rules) -> Facts:
    now, lists = rules.now, meeting_lists(state, rules)
    phases = {entry.uuid: phase_now(entry, rules) for entry in state.entries.values()}
    counts = Counter(phase for phase, _ in phases.values())

    def rows(phase: Phase) -> list[Facts]:
        found = newest_first(entry for entry in state.entries.values() if phases[entry.uuid][0] is phase)
        return [meeting_row(entry, phases[entry.uuid][1], phase=phase.value) for entry in found]

    def waiting(entry: Entry) -> Facts:
        reason = f"stored, still to come: {', '.join(entry.pending)}" if entry.pending else entry.reason
        return meeting_row(entry, reason, due_at=iso(entry.due_at))

    skipped = rows(Phase.SKIPPED)
    return {
        "counts": {phase.value: counts[phase] for phase in Phase},
        "at_risk": [meeting_row(entry, auto_delete=iso(entry.auto_delete)) for entry in lists.at_risk],
        "waiting": [waiting(entry) for entry in lists.waiting],
        "failed": [meeting_row(entry, **failure_facts(entry.retry, now)) for entry in lists.failed],
        "refused": [meeting_row(entry, **failure_facts(entry.refusal, now)) for entry in lists.refused],
        "differs": [meeting_row(entry, entry.differs) for entry in lists.differing],
        "kept": [meeting_row(entry, entry.kept or doubts(entry)) for entry in lists.deletion_blocked],
        "lost": rows(Phase.LOST),
        "removed": rows(Phase.REMOVED),
        "skipped": {"counts": dict(Counter(kind(one["reason"]) for one in skipped).most_common()), "rows": skipped},
    }


def _stored(state: State, now: datetime, free: int | None) -> Facts:
    """How much is stored, and for how many days the disk lasts if as much comes as in the last `PACE`."""
    here = [
        (entry.stored_at, sum(file.size for file in entry.receipt.files))
        for entry in state.entries.values()
        if entry.receipt is not None
        and entry.receipt.destination == state.head.destination
        and entry.phase is not Phase.REMOVED
    ]
    begun = min((at for at, _ in here if at is not None), default=now)
    span = min(PACE, now - begun)
    recent = sum(size for at, size in here if at is not None and now - PACE <= at <= now)
    lasts = free / (recent / (span / DAY)) if free is not None and recent and span >= DAY else None
    return {
        "items": len(here),
        "bytes": sum(size for _, size in here),
        "bytes_recently": recent,
        "free_bytes": free,
        "days_left": None if lasts is None else int(min(lasts, 36500)),
    }


def _other_authors(state: State, config: Config) -> list[Facts]:
    """Whose recordings are published under somebody else, although the config wants the hosts: most first."""
    if config.publish_as != "zoom_user":
        return []
    aliases = {email.lower(): alias for email, alias in config.aliases.items()}
    found: Counter[tuple[str, str]] = Counter()
    for entry in state.entries.values():
        receipt, host = entry.receipt, entry.host_email.lower()
        if receipt is None or receipt.destination != state.head.destination or entry.phase is Phase.REMOVED:
            continue
        own = aliases.get(host, host).lower()
        if receipt.author.lower() not in (own, safe_component(own)):
            found[(entry.host_email or entry.host_id, receipt.author)] += 1
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
