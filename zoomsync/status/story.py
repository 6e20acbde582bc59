"""The whole story of a meeting: `status --meeting`."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from zoomsync.formatting import escaped, plural, size_in_words
from zoomsync.model import CloudFile, Entry, Intent, Phase, Receipt
from zoomsync.rules.delete import why_kept
from zoomsync.rules.publish import Rules, Wait
from zoomsync.status.document import retry, row
from zoomsync.status.query import Memory, Terms, iso, newest_first, past, rules, standing, told
from zoomsync.status.text import table, trouble

Story = dict[str, Any]


def stories(
    memory: Memory | None, what: str, audit: Iterable[Mapping[str, Any]], *, now: datetime, terms: Terms
) -> list[Story]:
    """The story of each meeting that `what` names, newest first, JSON-ready. `audit` is read to its end, once."""
    if memory is None:
        return []
    entries = matches(memory.entries, what)
    asked = rules(memory, terms, now)
    deletions = _accounts({entry.uuid for entry in entries}, audit)
    return [_story(entry, asked, deletions[entry.uuid], memory.intents.values()) for entry in entries]


def matches(entries: Mapping[str, Entry], what: str) -> list[Entry]:
    """The meetings with this uuid, else those with this number, host's e-mail or part of the topic, newest first."""
    sought = what.strip()
    if sought in entries:
        return [entries[sought]]
    if not sought:
        return []
    number, folded = sought.replace(" ", ""), sought.casefold()
    return newest_first(
        entry
        for entry in entries.values()
        if entry.number == number or entry.host_email.casefold() == folded or folded in entry.topic.casefold()
    )


def _accounts(uuids: set[str], audit: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The lines of the audit about these meetings; what was answered is told by the intent that it answers."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    meant: dict[str, str] = {}
    for line in audit:
        intent = line.get("intent")
        uuid = line.get("uuid") or (meant.get(intent) if isinstance(intent, str) else None)
        if isinstance(uuid, str) and uuid in uuids:
            meant[str(intent)] = uuid
            found[uuid].append(dict(line))
    return found


def _story(entry: Entry, asked: Rules, audit: list[dict[str, Any]], intents: Iterable[Intent]) -> Story:
    now = asked.now
    phase, reason = standing(entry, asked)
    return {
        **row(entry, reason),
        "as_of": iso(now),
        "phase": phase.value,
        "host_id": entry.host_id,
        "size": entry.size,
        "auto_delete": iso(entry.auto_delete),
        "first_seen": iso(past(entry.first_seen, now)),
        "changed_at": iso(past(entry.changed_at, now)),
        "due_at": iso(entry.due_at),
        "stored": _stored(entry, entry.receipt, now) if entry.receipt is not None else None,
        "pending": list(entry.pending),
        "failure": retry(entry.retry, now) or None,
        "refusal": retry(entry.refusal, now) or None,
        "deletion": _deletion(entry, asked),
        "deleted": [_deleted(entry, file_id, at, now) for file_id, at in entry.deleted.items()],
        "unanswered": [
            {"at": iso(one.at), "action": one.action, "file": one.target} for one in intents if one.uuid == entry.uuid
        ],
        "audit": audit,
    }


def _stored(entry: Entry, receipt: Receipt, now: datetime) -> dict[str, Any]:
    return {
        "destination": receipt.destination,
        "place": receipt.place,
        "author": receipt.author,
        "stored_at": iso(past(entry.stored_at, now)),
        "files": [
            {"name": file.name, "size": file.size, "sha256": file.sha256, "made_of": list(file.made_of)}
            for file in receipt.files
        ],
    }


def _deletion(entry: Entry, asked: Rules) -> dict[str, Any] | None:
    """What becomes of the cloud copy of what is stored; None: there is nothing to tell."""
    if entry.phase is Phase.REMOVED:
        return {"reason": "never, unless it is fetched again: a person removed or changed it", "due_at": None}
    if entry.phase is not Phase.PUBLISHED:
        return None
    answer = why_kept(entry, asked)
    if answer is None and entry.kept:
        return {"reason": entry.kept, "due_at": iso(asked.now)}
    if answer is None:
        return {"reason": "due with the next pass", "due_at": iso(asked.now)}
    return {"reason": answer.reason, "due_at": iso(answer.due_at if isinstance(answer, Wait) else None)}


def _deleted(entry: Entry, file_id: str, at: datetime, now: datetime) -> dict[str, Any]:
    cloud = _cloud(entry.receipt, file_id)
    return {
        "file": file_id,
        "label": cloud.as_listed().label if cloud is not None else "",
        "size": cloud.size if cloud is not None else None,
        "stored": cloud.stored if cloud is not None else "",
        "at": iso(past(at, now)),
    }


def _cloud(receipt: Receipt | None, file_id: str) -> CloudFile | None:
    return next((one for one in receipt.cloud if one.id == file_id), None) if receipt is not None else None


def story_lines(story: Story) -> list[str]:
    """A story for people; control characters are escaped."""
    now = datetime.fromisoformat(story["as_of"])
    told_lines = (
        f"“{story['topic']}”",
        *table(_facts(story, now)),
        *_listed("Stored files", table(_files(story))),
        *_listed("Deleted from Zoom", table(_gone(story, now))),
        *_listed("Audit", (_audited(line, now) for line in story["audit"])),
    )
    return [escaped(line) for line in told_lines]


def _facts(story: Story, now: datetime) -> Iterator[tuple[str, str]]:
    yield "uuid", story["uuid"]
    yield "number", story["number"] or "none"
    yield "host", story["host"] if story["host"] == story["host_id"] else f"{story['host']} ({story['host_id']})"
    yield "began", told(story["start"], now)
    yield "size", size_in_words(story["size"])
    yield "first seen", told(story["first_seen"], now)
    yield "stands", f"{story['phase']}: {story['reason']}"
    if story["due_at"]:
        yield "looked at again", told(story["due_at"], now)
    if story["auto_delete"]:
        yield "Zoom deletes it", told(story["auto_delete"], now)
    if story["stored"]:
        yield from _place(story["stored"], now)
    yield from (("still to come", one) for one in story["pending"])
    if story["failure"]:
        yield "failed", _failure(story["failure"], now)
    if story["refusal"]:
        yield "deletion refused", _failure(story["refusal"], now)
    if story["deletion"]:
        yield "deletion", story["deletion"]["reason"]
    nouns = {"delete": "deletion", "create": "creation"}
    for one in story["unanswered"]:
        yield "unanswered", f"{nouns.get(one['action'], one['action'])} of {one['file']}, {told(one['at'], now)}"


def _place(stored: Story, now: datetime) -> Iterator[tuple[str, str]]:
    yield "stored", told(stored["stored_at"], now)
    yield "destination", stored["destination"]
    yield "author", stored["author"]
    yield "place", stored["place"]


def _failure(failure: Story, now: datetime) -> str:
    return f"{told(failure['failed_at'], now)}: {trouble(failure, now)}"


def _files(story: Story) -> Iterator[tuple[str, ...]]:
    for file in (story["stored"] or {"files": ()})["files"]:
        yield file["name"], size_in_words(file["size"]), f"from {plural(len(file['made_of']), 'cloud file')}"


def _gone(story: Story, now: datetime) -> Iterator[tuple[str, ...]]:
    for one in story["deleted"]:
        size = size_in_words(one["size"]) if one["size"] is not None else ""
        where = f"in {one['stored']}" if one["stored"] else ""
        yield told(one["at"], now), one["label"] or one["file"], size, where


def _listed(title: str, rows: Iterable[str]) -> Iterator[str]:
    every = list(rows)
    if every:
        yield f"  {title}:"
        yield from (f"  {one}" for one in every)


def _audited(line: Mapping[str, Any], now: datetime) -> str:
    """Of an audit that someone edited, what can be read."""
    at = line.get("at")
    proof = line.get("proof")
    verified = f"; stored in {proof.get('stored')}, {proof.get('verified')}" if isinstance(proof, Mapping) else ""
    about = f"{line.get('file', '')} ({line.get('action', '')}){verified}" if "file" in line else line.get("answer", "")
    return f"  {told(at if _is_time(at) else None, now)}: {line.get('event', 'unreadable')}: {about}"


def _is_time(text: object) -> bool:
    try:
        return isinstance(text, str) and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
