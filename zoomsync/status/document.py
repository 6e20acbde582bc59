"""The document of `status --json`. Its keys are promised: scripts read them."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from zoomsync.formatting import kind
from zoomsync.model import Entry, Intent, Phase, Process, Retry, Run
from zoomsync.naming import safe_component
from zoomsync.rules.publish import Rules
from zoomsync.status import query
from zoomsync.status.query import Memory, NoMemory, Terms, iso, last_finished, outcome, past, recorded, rules

RUNS_SHOWN = 10


def document(
    memory: Memory | None, *, enabled: bool, now: datetime, is_alive: Callable[[Process], bool], terms: Terms
) -> dict[str, Any]:
    """All that is known, JSON-ready: times in ISO 8601, sizes in bytes, null for unset; what happened in the future
    counts as unset. Meetings newest first, `at_risk` by what Zoom deletes first, `runs` newest first.
    """
    known: Memory = memory or NoMemory()
    asked = rules(known, terms, now)
    runs = recorded(known)
    return {
        "as_of": iso(now),
        "sync_process": _process(runs, enabled=enabled, is_alive=is_alive),
        "last_synced_attempt": iso(past(runs[0].started_at, now)) if runs else None,
        "last_finished": iso(last_finished(known, now)),
        "last_recording_fetched_till": iso(past(known.head.fetched_till, now)),
        "authorization": _authorization(known, now),
        "gaps": _gaps(known),
        "next_sweep": iso(_next_sweep(known, terms, now)),
        **_meetings(known, asked),
        "other_authors": _other_authors(known, terms),
        "open_intents": [_intent(intent) for intent in known.intents.values()],
        "runs": [_run(run, now, is_alive) for run in runs[:RUNS_SHOWN]],
    }


def _process(runs: list[Run], *, enabled: bool, is_alive: Callable[[Process], bool]) -> str:
    if not enabled:
        return "Disabled"
    return outcome(runs[0], is_alive) if runs else "Never run"


def _authorization(memory: Memory, now: datetime) -> dict[str, Any]:
    found = memory.head.authorization
    return {"zoom": found.zoom, "destination": found.destination, "checked_at": iso(past(found.checked_at, now))}


def _gaps(memory: Memory) -> list[dict[str, Any]]:
    """`user` is the e-mail where the ledger knows it, else the id; null: all users."""
    emails = {entry.host_id: entry.host_email for entry in memory.entries.values() if entry.host_email}
    return [
        {"since": iso(gap.since), "until": iso(gap.until), "user": emails.get(gap.user or "", gap.user)}
        for gap in memory.head.gaps
    ]


def _next_sweep(memory: Memory, terms: Terms, now: datetime) -> datetime | None:
    """None: never. A changed config, or no sweep yet, makes one due with the next pass."""
    swept_at = past(memory.head.swept_at, now)
    if memory.head.fingerprint != terms.fingerprint:
        return now
    if terms.sweep is None:
        return None
    return now if swept_at is None else max(now, swept_at + terms.sweep)


def _meetings(memory: Memory, asked: Rules) -> dict[str, Any]:
    entries = memory.entries
    stands = {entry.uuid: query.standing(entry, asked) for entry in entries.values()}
    phases = Counter(phase for phase, _ in stands.values())

    def rows(phase: Phase) -> list[dict[str, Any]]:
        found = query.newest_first(entry for entry in entries.values() if stands[entry.uuid][0] is phase)
        return [row(entry, stands[entry.uuid][1], phase=phase.value) for entry in found]

    skipped = rows(Phase.SKIPPED)
    return {
        "counts": {phase.value: phases[phase] for phase in Phase},
        "at_risk": [row(entry, auto_delete=iso(entry.auto_delete)) for entry in query.at_risk(entries, asked)],
        "waiting": [_waits(entry) for entry in query.waiting(entries, asked)],
        "failed": [row(entry, **retry(entry.retry, asked.now)) for entry in query.failed(entries, asked)],
        "refused": [row(entry, **retry(entry.refusal, asked.now)) for entry in query.refused(entries, asked)],
        "kept": [row(entry, entry.kept) for entry in query.kept(entries, asked)],
        "lost": rows(Phase.LOST),
        "removed": rows(Phase.REMOVED),
        "skipped": {"counts": dict(Counter(kind(one["reason"]) for one in skipped).most_common()), "rows": skipped},
    }


def _other_authors(memory: Memory, terms: Terms) -> list[dict[str, Any]]:
    """Whose recordings are published under somebody else, although the config wants the hosts: most first."""
    found: Counter[tuple[str, str]] = Counter()
    for entry in memory.entries.values() if terms.publish_as == "zoom_user" else ():
        receipt, host = entry.receipt, entry.host_email.lower()
        if receipt is None or receipt.destination != memory.head.destination or entry.phase is Phase.REMOVED:
            continue
        own = terms.aliases.get(host, host).lower()
        if receipt.author.lower() not in (own, safe_component(own)):
            found[(entry.host_email or entry.host_id, receipt.author)] += 1
    return [{"host": host, "author": author, "meetings": count} for (host, author), count in found.most_common()]


def row(entry: Entry, reason: str = "", **more: Any) -> dict[str, Any]:
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


def _waits(entry: Entry) -> dict[str, Any]:
    reason = f"stored, still to come: {', '.join(entry.pending)}" if entry.pending else entry.reason
    return row(entry, reason, due_at=iso(entry.due_at))


def retry(found: Retry | None, now: datetime) -> dict[str, Any]:
    """A failure and what comes of it; `next_at` is null when parked, `as_of` when it is due."""
    if found is None:
        return {}
    is_parked = query.is_parked(found, now)
    again = found.next_at if past(found.at, now) else now
    return {
        "tries": found.tries,
        "error": found.error,
        "hint": found.hint,
        "failed_at": iso(past(found.at, now)),
        "next_at": None if is_parked else iso(max(again or now, now)),
        "parked": is_parked,
    }


def _intent(intent: Intent) -> dict[str, Any]:
    return {
        "id": intent.id,
        "at": iso(intent.at),
        "action": intent.action,
        "uuid": intent.uuid,
        "target": intent.target,
    }


def _run(run: Run, now: datetime, is_alive: Callable[[Process], bool]) -> dict[str, Any]:
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
        "counts": dict(run.counts),
    }
