"""The JSON documents of zoomsync, described once; `make schema` writes them as `share/documents.schema.json`.

The shipped schema lets keys be added later, and so do its readers. `check` lets nothing through that is not described.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator

from tests.readme import ROOT
from zoomsync.model import COUNTS, AuthorSource, Phase

SHIPPED = ROOT / "zoomsync/share/documents.schema.json"
Schema: TypeAlias = dict[str, Any]

TEXT: Schema = {"type": "string"}
INT: Schema = {"type": "integer"}
BOOL: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
ANY: Schema = {"type": "object"}


def keys(**properties: Schema) -> Schema:
    """An object that has each of these keys, always."""
    return {"type": "object", "properties": properties, "required": [*properties]}


def unset(schema: Schema) -> Schema:
    """The same, or null."""
    if isinstance(schema.get("type"), str) and "properties" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def many(schema: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": schema}


def named(schema: Schema) -> Schema:
    """An object whose keys are data: any number of them, each with such a value."""
    return {"type": "object", "additionalProperties": schema}


def ref(name: str) -> Schema:
    """What `PARTS` or `DOCUMENTS` has under this name."""
    return {"$ref": f"#/$defs/{name}"}


def document(says: str, **properties: Schema) -> Schema:
    """A whole document."""
    return {"description": says, **keys(format={"const": 1}, **properties)}


MEETING = dict.fromkeys(("uuid", "number", "topic", "host"), TEXT) | {"start": TIME}
LISTED = MEETING | {"phase": {"enum": [*Phase]}, "reason": TEXT}
FAILURE = {
    "tries": INT,
    "error": TEXT,
    "hint": TEXT,
    "failed_at": unset(TIME),
    "next_at": unset(TIME),
    "parked": BOOL,
}
AMOUNT = keys(meetings=INT, bytes=INT)
RUN = {"id": TEXT, "number": INT, "started_at": unset(TIME), "ended_at": unset(TIME), "code": unset(INT), "why": TEXT}
RUN |= {"narrowed": TEXT, "counts": ref("counts")}
AUTHORIZATION = keys(zoom=TEXT, destination=TEXT, checked_at=unset(TIME))

PARTS: dict[str, Schema] = {
    "counts": keys(**dict.fromkeys(COUNTS, INT)),
    "row": keys(**MEETING, action=TEXT, reason=TEXT, size=INT, joined=INT, hint=TEXT),
    "meeting": keys(**LISTED),
    "failure": keys(**FAILURE),
    "failed_meeting": keys(**LISTED, **FAILURE),
    "story": keys(
        **LISTED,
        as_of=TIME,
        host_id=TEXT,
        size=INT,
        auto_delete=unset(TIME),
        first_seen=unset(TIME),
        changed_at=unset(TIME),
        due_at=unset(TIME),
        stored=unset(
            keys(
                destination=TEXT,
                place=TEXT,
                author=TEXT,
                stored_at=unset(TIME),
                files=many(keys(name=TEXT, size=INT, sha256=TEXT, made_of=many(TEXT))),
            )
        ),
        pending=many(TEXT),
        failure=unset(ref("failure")),
        refusal=unset(ref("failure")),
        not_as_listed=TEXT,
        deletion=unset(keys(reason=TEXT, due_at=unset(TIME))),
        deleted=many(keys(file=TEXT, label=TEXT, size=unset(INT), stored=TEXT, at=unset(TIME))),
        unanswered=many(keys(at=TIME, action=TEXT, file=TEXT)),
        audit=many(ANY),  # lines of audit.jsonl, as they stand there
    ),
}

DOCUMENTS: dict[str, Schema] = {
    "error": document(
        "any command that ends before it has its own document",
        error=TEXT,
        hint=TEXT,
        problems=many(TEXT),
        code=INT,
    ),
    "auth-check": document(
        "auth-check --json",
        version=TEXT,
        means=many(TEXT),
        checks=many(keys(name=TEXT, level={"enum": ["ok", "warn", "fail"]}, message=TEXT, hint=TEXT)),
        code=INT,
    ),
    "users": document(
        "users --json",
        version=TEXT,
        users=many(keys(id=TEXT, email=TEXT, name=TEXT, status=TEXT, recordings=INT, author=TEXT, note=TEXT)),
    ),
    "sync": document(
        "sync --json",
        run=keys(**RUN, process=keys(pid=INT, host=TEXT, started=TEXT), authorization=AUTHORIZATION),
        rows=many(ref("row")),
        left=many(TEXT),
    ),
    "plan": document(
        "sync --dry-run --json",
        rows=many(ref("row")),
        counts=keys(**dict.fromkeys([*COUNTS, *(f"author_{source}" for source in AuthorSource)], INT)),
        totals=keys(
            fetch=keys(meetings=INT, hosts=INT, bytes=INT, months=named(AMOUNT), seconds=unset(INT)),
            stitch=AMOUNT,
            delete=AMOUNT,
            lacking_bytes=INT,
        ),
        not_looked_at=many(TEXT),
        free_bytes=INT,
    ),
    "status": document(
        "status --json",
        as_of=TIME,
        sync_process=TEXT,
        last_synced_attempt=unset(TIME),
        last_finished=unset(TIME),
        last_recording_fetched_till=unset(TIME),
        authorization=AUTHORIZATION,
        gaps=many(
            keys(since=TIME, until=TIME, user=unset(TEXT), email=TEXT, reason=TEXT, next_at=unset(TIME)),
        ),
        next_sweep=unset(TIME),
        counts=keys(**dict.fromkeys([*Phase], INT)),
        at_risk=many(keys(**LISTED, auto_delete=unset(TIME))),
        waiting=many(keys(**LISTED, due_at=unset(TIME))),
        failed=many(ref("failed_meeting")),
        refused=many(ref("failed_meeting")),
        differs=many(ref("meeting")),
        kept=many(ref("meeting")),
        lost=many(ref("meeting")),
        removed=many(ref("meeting")),
        skipped=keys(counts=named(INT), rows=many(ref("meeting"))),
        stored=keys(items=INT, bytes=INT, bytes_recently=INT, free_bytes=unset(INT), days_left=unset(INT)),
        unmatched=many(keys(key=TEXT, what=TEXT)),
        adopting=BOOL,
        unadopted=INT,
        other_authors=many(keys(host=TEXT, author=TEXT, meetings=INT)),
        open_intents=many(keys(id=TEXT, at=TIME, action=TEXT, uuid=TEXT, target=TEXT)),
        runs=many(keys(**RUN, outcome=TEXT, process=keys(pid=INT, host=TEXT))),
    ),
    "health": document("status --check --json", healthy=BOOL, reasons=many(TEXT)),
    "stories": document(
        "status --meeting WHAT --json; asked is null without --ask",
        meetings=many(ref("story")),
        asked=unset(many(keys(uuid=TEXT, host=TEXT, topic=TEXT, start=TEXT, answer=TEXT))),
    ),
}

LOG_LINE: Schema = {
    "description": "a line of --log-format json; about a meeting it says which, and each event may add keys",
    **keys(
        at={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
        level={"enum": ["debug", "info", "warning", "error"]},
        event=TEXT,
        message=TEXT,
        **{"pass": TEXT},
    ),
    "dependentSchemas": {"uuid": keys(**MEETING)},
}


def schema_text() -> str:
    """The file's content."""
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The JSON documents of zoomsync",
        "anyOf": [ref(name) for name in DOCUMENTS],
        "$defs": {**DOCUMENTS, "log": LOG_LINE, **PARTS},
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def check(name: str, found: object) -> None:
    """Raise `ValidationError` unless this is the document of that name, key for key."""
    _validator(name).validate(found)


def name_of(arguments: Sequence[str], found: Mapping[str, Any]) -> str:
    """Which document a command with these arguments prints."""
    if "error" in found:
        return "error"
    if "status" in arguments:
        return next((name for name, key in (("health", "healthy"), ("stories", "meetings")) if key in found), "status")
    if "--dry-run" in arguments:
        return "plan"
    return next(name for name in ("auth-check", "users", "sync") if name in arguments)


@cache
def _validator(name: str) -> Draft202012Validator:
    shipped = json.loads(SHIPPED.read_text(encoding="utf-8"))
    defs = {key: value if key == "log" else _closed(value) for key, value in shipped["$defs"].items()}
    return Draft202012Validator({"$defs": defs, **ref(name)})


def _closed(schema: Any) -> Any:
    """The same with no room for other keys."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    return closed | ({"additionalProperties": False} if isinstance(schema.get("properties"), dict) else {})


if __name__ == "__main__":
    SHIPPED.write_text(schema_text(), encoding="utf-8")
