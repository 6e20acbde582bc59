"""What a person reads of the status: plain lines."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from zoomsync.formatting import escaped, kind, moment, plural, size_in_words, span_in_words
from zoomsync.status.query import told

MOST = 20
"""Rows of a kind."""
TOPIC = 60
"""Characters of a topic."""
Row = dict[str, Any]
T = TypeVar("T")


def lines(document: Row) -> list[str]:
    """The document of `status --json` as text; control characters are escaped."""
    now = datetime.fromisoformat(document["as_of"])
    told_lines = (
        *_summary(document, now),
        *_at_risk(document, now),
        *_failed(document, now),
        *_refused(document, now),
        *_section("Deletion waits", document["kept"], lambda one: str(one["reason"])),
        *_gaps(document),
        *_waiting(document),
        *_left_alone(document),
        *_other_authors(document),
        *_intents(document, now),
        *_runs(document),
    )
    return [escaped(line) for line in told_lines]


def _summary(document: Row, now: datetime) -> Iterator[str]:
    attempt, fetched = document["last_synced_attempt"], document["last_recording_fetched_till"]
    yield f"Sync process: {document['sync_process']}{_detail(document)}"
    yield f"Last synced attempt: {IN_FUTURE if document['runs'] and not attempt else told(attempt, now, unset='never')}"
    yield f"Last recording fetched till: {told(fetched, now) if fetched else 'nothing fetched yet'}"
    yield f"Authorization status: {_authorization(document['authorization'], now)}"
    if document["runs"] and not document["sync_process"].startswith("Finished"):
        yield f"Last whole pass that finished: {told(document['last_finished'], now, unset='never')}"
    if document["runs"]:
        yield f"Next sweep: {_sweep(document, now)}"
    counts = [f"{count:,} {phase}" for phase, count in document["counts"].items() if count]
    if counts:
        yield f"Meetings: {', '.join(counts)}"


IN_FUTURE = "unknown: the time stored for it lies in the future (was the clock wrong?)"


def _detail(document: Row) -> str:
    """What the name of the state leaves open."""
    if not document["runs"] or document["sync_process"] == "Disabled":
        return ""
    last = document["runs"][0]
    process = f"process {last['process']['pid']} on {last['process']['host']}"
    facts = {
        "Running": f"pass {last['number']}, {process}",
        "Interrupted": f"{last['why'] or f'{process} is gone'}; the next pass goes on from there",
        "Finished with failures": "they are listed below",
    }
    parts = [facts.get(document["sync_process"], ""), f"narrowed to {last['narrowed']}" if last["narrowed"] else ""]
    said = "; ".join(part for part in parts if part)
    return f" ({said})" if said else ""


def _authorization(found: Row, now: datetime) -> str:
    checked = f" (checked {told(found['checked_at'], now).replace(' (', ', ')}" if found["checked_at"] else ""
    return f"Zoom: {found['zoom']}; destination: {found['destination']}{checked}"


def _sweep(document: Row, now: datetime) -> str:
    due = document["next_sweep"]
    if due is None:
        return "never (recordings.sweep)"
    return told(due, now) if datetime.fromisoformat(due) > now else "with the next pass"


def _at_risk(document: Row, now: datetime) -> Iterator[str]:
    def fact(one: Row) -> str:
        verb = "deletes" if datetime.fromisoformat(one["auto_delete"]) > now else "was to delete"
        return f"Zoom {verb} it {told(one['auto_delete'], now)}; {one['reason']}"

    yield from _section("At risk, deleted by Zoom within 7 days and not stored", document["at_risk"], fact)


def _failed(document: Row, now: datetime) -> Iterator[str]:
    yield from _section("Failed", document["failed"], partial(trouble, now=now), by="error")
    if any(one["parked"] for one in document["failed"]):
        yield "  what is parked: `zoomsync sync --meeting UUID` tries it again, exclude_meetings gives it up"


def trouble(failure: Row, now: datetime) -> str:
    """What went wrong, the remedy, and when it is tried again."""
    error = f"{failure['error']} ({failure['hint']})" if failure["hint"] else str(failure["error"])
    tries = plural(failure["tries"], "try")
    if failure["parked"]:
        return f"{error}; parked after {tries}"
    is_due = datetime.fromisoformat(failure["next_at"]) <= now
    when = "with the next pass" if is_due else told(failure["next_at"], now)
    return f"{error}; {f'{tries}, ' if failure['tries'] else ''}again {when}"


def _refused(document: Row, now: datetime) -> Iterator[str]:
    yield from _section("Deletion refused, or not answered", document["refused"], partial(trouble, now=now), by="error")
    if document["refused"]:
        yield "  what must stay in Zoom's cloud: hold_meetings ends these tries"


def _gaps(document: Row) -> Iterator[str]:
    gaps = document["gaps"]
    if gaps:
        yield from ("", "Gaps, not listed completely yet:")
        yield from _at_most(
            gaps, lambda gap: f"{_at(gap['since'])} to {_at(gap['until'])}: {gap['user'] or 'all users'}"
        )


def _at(written: str) -> str:
    return moment(datetime.fromisoformat(written))


def _waiting(document: Row) -> Iterator[str]:
    yield from _section("Waiting", document["waiting"], _reason)


def _left_alone(document: Row) -> Iterator[str]:
    yield from _section("Lost, gone from Zoom's cloud before it was fetched", document["lost"], _reason)
    yield from _section("Removed or changed at the destination by a person, left alone", document["removed"], _reason)
    skipped = document["skipped"]["counts"]
    if skipped:
        yield from ("", "Skipped:")
        yield from _at_most([*skipped.items()], _group)


def _other_authors(document: Row) -> Iterator[str]:
    found = document["other_authors"]
    if found:
        yield from ("", "Published under another author than the host; `zoomsync users` says why:")
        yield from _at_most(
            found, lambda one: f"{one['host']}: {plural(one['meetings'], 'meeting')} as {one['author']}"
        )


def _intents(document: Row, now: datetime) -> Iterator[str]:
    intents = document["open_intents"]

    def of(uuid: str) -> str:
        return f" of {uuid}" if uuid else ""

    if intents:
        yield from ("", "Begun, and the answer never seen; the next pass finds out:")
        yield from _at_most(
            intents, lambda one: f"{told(one['at'], now)}: {one['action']} {one['target']}{of(one['uuid'])}"
        )


def _section(title: str, rows: list[Row], fact: Callable[[Row], str], *, by: str = "reason") -> Iterator[str]:
    """A title with the count; where there are many, how many for which reason; then the rows."""
    if not rows:
        return
    yield from ("", f"{title}: {plural(len(rows), 'meeting')}")
    if len(rows) > MOST:
        kinds = Counter(kind(one[by]) for one in rows).most_common()
        yield from _at_most(kinds, _group)
    yield from _at_most(rows, lambda one: f"{_name(one)}: {fact(one)}")


def _at_most(rows: Sequence[T], written: Callable[[T], str]) -> Iterator[str]:
    yield from (f"  {written(row)}" for row in rows[:MOST])
    if len(rows) > MOST:
        yield f"  and {len(rows) - MOST:,} more; --json lists all"


def _group(group: tuple[str, int]) -> str:
    return f"{group[1]:,} × {group[0]}"


def _name(one: Row) -> str:
    return f"{_at(one['start'])}  {one['host']}  {quoted(one['topic'])} ({one['uuid']})"


def quoted(topic: str) -> str:
    """A topic in a line, cut where it is long."""
    return f"“{topic}”" if len(topic) <= TOPIC else f"“{topic[: TOPIC - 1]}…”"


def _reason(one: Row) -> str:
    return str(one["reason"])


def _runs(document: Row) -> Iterator[str]:
    if document["runs"]:
        yield from ("", "Last runs:")
        yield from table([("pass", "id", "started", "took", "exit", "result"), *map(_run, document["runs"])])


def _run(run: Row) -> tuple[str, ...]:
    began = datetime.fromisoformat(run["started_at"]) if run["started_at"] else None
    ended = datetime.fromisoformat(run["ended_at"]) if run["ended_at"] else None
    code = "" if run["code"] is None else str(run["code"])
    return (
        str(run["number"]),
        run["id"],
        moment(began) if began else "unknown",
        span_in_words(max(ended, began) - began) if began and ended else "",
        code,
        "; ".join(part for part in (run["outcome"], _counted(run["counts"]), _only(run)) if part),
    )


def _only(run: Row) -> str:
    return f"narrowed to {run['narrowed']}" if run["narrowed"] else ""


def _counted(counts: Row) -> str:
    told_counts = [
        f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count and name not in UNTOLD
    ]
    size = [size_in_words(counts["bytes"])] if counts.get("bytes") else []
    return ", ".join([*told_counts, *size])


UNTOLD = ("bytes", "calls", "deleted_files", "downloads", "due", "skipped", "up_to_date")
"""The counts of a pass that tell a person little at a glance."""


def table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Columns as wide as their widest cell."""
    cells = [tuple(escaped(cell) for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(padded)}".rstrip()
