"""The whole story of a meeting: `status --meeting`."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from zoomsync.config import Config
from zoomsync.formatting import columns, escaped, iso, moment_and_distance, plural, size_in_words
from zoomsync.model import Entry, Phase
from zoomsync.rules.delete import doubts, why_kept
from zoomsync.rules.named import Named
from zoomsync.rules.publish import Rules, Wait
from zoomsync.state import Ledger, State
from zoomsync.status.document import Facts, failure_facts, meeting_row
from zoomsync.status.query import newest_first, past, phase_now, rules_now
from zoomsync.status.text import what_failed


def stories(state: State, config: Config, now: datetime, what: str, audit: Iterable[Mapping[str, Any]]) -> list[Facts]:
    """The story of each meeting that `what` names, newest first, JSON-ready. `audit` is read to its end, once."""
    entries, rules = matches(state.entries, what, config.timezone), rules_now(state, config, now)
    lines = _audit_of({entry.uuid for entry in entries}, audit)
    return [_story(entry, state, rules, lines[entry.uuid]) for entry in entries]


def matches(entries: Ledger, what: str, timezone: str = "UTC") -> list[Entry]:
    """The meetings that `what` names, else those with this host's e-mail or part of the topic, newest first."""
    if what.strip() in entries:
        return [entries[what.strip()]]
    named, folded = Named([what], timezone), what.strip().casefold()
    if not folded:
        return []
    return newest_first(entries.named(named) or entries.about(folded))


def _audit_of(uuids: set[str], audit: Iterable[Mapping[str, Any]]) -> dict[str, list[Facts]]:
    """The lines of the audit about these meetings; an answer is found by the intent that it answers."""
    found: dict[str, list[Facts]] = defaultdict(list)
    meetings: dict[str, str] = {}
    for line in audit:
        intent = line.get("intent")
        uuid = line.get("uuid") or (meetings.get(intent) if isinstance(intent, str) else None)
        if isinstance(uuid, str) and uuid in uuids:
            meetings[str(intent)] = uuid
            found[uuid].append(dict(line))
    return found


def _story(entry: Entry, state: State, rules: Rules, audit: list[Facts]) -> Facts:
    now, receipt = rules.now, entry.receipt
    phase, reason = phase_now(entry, rules)
    cloud = {file.id: file for file in receipt.cloud} if receipt is not None else {}
    return {
        **meeting_row(entry, reason),
        "as_of": iso(now),
        "phase": phase.value,
        "host_id": entry.host_id,
        "size": entry.size,
        "auto_delete": iso(entry.auto_delete),
        "first_seen": iso(past(entry.first_seen, now)),
        "changed_at": iso(past(entry.changed_at, now)),
        "due_at": iso(entry.due_at),
        "stored": None
        if receipt is None
        else {
            "destination": receipt.destination,
            "place": receipt.place,
            "author": receipt.author,
            "stored_at": iso(past(entry.stored_at, now)),
            "files": [
                {"name": file.name, "size": file.size, "sha256": file.sha256, "made_of": list(file.made_of)}
                for file in receipt.files
            ],
        },
        "pending": list(entry.pending),
        "failure": failure_facts(entry.retry, now) or None,
        "refusal": failure_facts(entry.refusal, now) or None,
        "not_as_listed": doubts(entry),
        "deletion": _deletion(entry, rules),
        "deleted": [
            {
                "file": id_,
                "label": cloud[id_].as_listed().label if id_ in cloud else "",
                "size": cloud[id_].size if id_ in cloud else None,
                "stored": cloud[id_].stored if id_ in cloud else "",
                "at": iso(past(at, now)),
            }
            for id_, at in entry.deleted.items()
        ],
        "unanswered": [
            {"at": iso(one.at), "action": one.action, "file": one.target}
            for one in state.intents.values()
            if one.uuid == entry.uuid
        ],
        "audit": audit,
    }


def _deletion(entry: Entry, rules: Rules) -> Facts | None:
    """What becomes of the cloud copy of what is stored; None: there is nothing to say."""
    if entry.phase is Phase.REMOVED:
        return {"reason": "never, unless it is fetched again: a person removed or changed it", "due_at": None}
    if entry.phase is not Phase.PUBLISHED:
        return None
    answer = why_kept(entry, rules)
    if answer is None:
        return {"reason": entry.kept or "due with the next pass", "due_at": iso(rules.now)}
    return {"reason": answer.reason, "due_at": iso(answer.due_at if isinstance(answer, Wait) else None)}


def story_lines(story: Facts) -> list[str]:
    """A story for people; control characters are escaped."""
    now = datetime.fromisoformat(story["as_of"])
    stored = [
        (file["name"], size_in_words(file["size"]), f"from {plural(len(file['made_of']), 'cloud file')}")
        for file in (story["stored"] or {"files": ()})["files"]
    ]
    deleted = [
        (
            moment_and_distance(one["at"], now),
            one["label"] or one["file"],
            size_in_words(one["size"]) if one["size"] is not None else "",
            f"in {one['stored']}" if one["stored"] else "",
        )
        for one in story["deleted"]
    ]
    found = [f"“{story['topic']}”", *(f"  {line}" for line in columns(_facts(story, now)))]
    found += ["  Stored files:", *(f"    {line}" for line in columns(stored))] if stored else []
    found += ["  Deleted from Zoom:", *(f"    {line}" for line in columns(deleted))] if deleted else []
    found += ["  Audit:", *(f"    {_audit_line(line, now)}" for line in story["audit"])] if story["audit"] else []
    return [escaped(line) for line in found]


def _facts(story: Facts, now: datetime) -> Iterator[tuple[str, str]]:
    def time(written: str | None) -> str:
        return moment_and_distance(written, now)

    yield "uuid", story["uuid"]
    yield "number", story["number"] or "none"
    yield "host", story["host"] if story["host"] == story["host_id"] else f"{story['host']} ({story['host_id']})"
    yield "began", time(story["start"])
    yield "size", size_in_words(story["size"])
    yield "first seen", time(story["first_seen"])
    yield "stands", f"{story['phase']}: {story['reason']}"
    if story["due_at"]:
        yield "looked at again", time(story["due_at"])
    if story["auto_delete"]:
        yield "Zoom deletes it", time(story["auto_delete"])
    if story["stored"]:
        yield "stored", time(story["stored"]["stored_at"])
        yield from ((name, story["stored"][name]) for name in ("destination", "author", "place"))
    yield from (("still to come", one) for one in story["pending"])
    for name, failure in (("failed", story["failure"]), ("deletion refused", story["refusal"])):
        if failure:
            yield name, f"{time(failure['failed_at'])}: {what_failed(failure, now)}"
    if story["not_as_listed"]:
        yield "not as listed", story["not_as_listed"]
    if story["deletion"]:
        yield "deletion", story["deletion"]["reason"]
    nouns = {"delete": "deletion", "create": "creation"}
    for one in story["unanswered"]:
        yield "unanswered", f"{nouns.get(one['action'], one['action'])} of {one['file']}, {time(one['at'])}"


def _audit_line(line: Facts, now: datetime) -> str:
    """Of an audit that someone edited, what can be read."""
    try:
        time = moment_and_distance(line.get("at"), now)
    except (TypeError, ValueError):  # no text, no time, or one without a zone
        time = "unknown"
    proof = line.get("proof")
    verified = f"; stored in {proof.get('stored')}, {proof.get('verified')}" if isinstance(proof, Mapping) else ""
    about = f"{line.get('file', '')} ({line.get('action', '')}){verified}" if "file" in line else line.get("answer", "")
    return f"{time}: {line.get('event', 'unreadable')}: {about}"
