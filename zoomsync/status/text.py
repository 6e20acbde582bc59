"""What a person reads of the status: plain lines."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from typing import TypeVar

from zoomsync.formatting import (
    columns,
    escaped,
    in_general,
    kind,
    moment,
    moment_and_distance,
    plural,
    quoted,
    size_in_words,
    span_in_words,
)
from zoomsync.status.document import ADOPT_AGAIN, ADOPTION_OPEN, Facts

T = TypeVar("T")

RUNS_SHOWN = 5
ROWS_SHOWN = 20
"""Of a list; the others are counted."""
IN_FUTURE = "unknown: the time stored for it lies in the future (was the clock wrong?)"
COUNTS_NOT_SHOWN = ("bytes", "calls", "deleted_files", "downloads", "due", "skipped", "up_to_date")
"""The counts of a pass that say little to a person."""
WORDS = {"removed": "removed or changed"}
"""What is counted under a name that says less than it means."""


def lines(document: Facts) -> list[str]:
    """The document of `status --json` as text; control characters are escaped."""
    now = datetime.fromisoformat(document["as_of"])

    def risk(one: Facts) -> str:
        verb = "deletes" if datetime.fromisoformat(one["auto_delete"]) > now else "was to delete"
        return f"Zoom {verb} it {moment_and_distance(one['auto_delete'], now)}; {one['reason']}"

    def failure(one: Facts) -> str:
        return what_failed(one, now)

    reason = itemgetter("reason")
    gaps = [
        f"{_at(gap['since'])} to {_at(gap['until'])}: {gap['user'] or 'all users'}"
        + (f": {gap['reason']}; tried again {_again(gap['next_at'], now)}" if gap["reason"] else "")
        for gap in document["gaps"]
    ]
    skipped = [f"{count:,} × {reason}" for reason, count in document["skipped"]["counts"].items()]
    others = [f"{o['host']}: {plural(o['meetings'], 'meeting')} as {o['author']}" for o in document["other_authors"]]
    intents = [
        f"{moment_and_distance(one['at'], now)}: {one['action']} {one['target']}"
        + (f" of {one['uuid']}" if one["uuid"] else "")
        for one in document["open_intents"]
    ]
    unmatched = [f"{one['key']}: {one['what']}" for one in document["unmatched"]]
    altered = {one["uuid"] for one in document["differs"]}  # each has its line there
    removed = [one for one in document["removed"] if one["uuid"] not in altered]
    parked = "what is parked: `zoomsync sync --meeting WHAT` tries it again, exclude_meetings gives it up"
    refused = "what must stay in Zoom's cloud: hold_meetings ends these tries"
    found = (
        *_summary(document, now),
        *_runs(document["runs"][:RUNS_SHOWN]),
        *_meetings("At risk, deleted by Zoom within 7 days and not stored", document["at_risk"], risk),
        *_meetings("Failed", document["failed"], failure, by="error"),
        *([f"  {parked}"] if any(one["parked"] for one in document["failed"]) else ()),
        *_meetings("Deletion refused, or not answered", document["refused"], failure, by="error"),
        *([f"  {refused}"] if document["refused"] else ()),
        *_meetings("Stored otherwise than its receipt says", document["differs"], reason),
        *_meetings("Kept in Zoom although it is stored", document["kept"], reason),
        *_adoption(document),
        *_section("Gaps, not listed completely yet:", gaps),
        *_meetings("Waiting", document["waiting"], reason),
        *_meetings("Lost, gone from Zoom's cloud before it was fetched", document["lost"], reason),
        *_meetings("Removed or changed at the destination by a person, left alone", removed, reason),
        *_section("Skipped:", skipped),
        *_section("Published under another author than the host; `zoomsync users` says why:", others),
        *_section("Begun, and the answer never seen; the next pass finds out:", intents),
        *_section("Named in the config, and no such meeting is known:", unmatched),
    )
    return [escaped(line) for line in found]


def _adoption(document: Facts) -> Iterator[str]:
    count = document["unadopted"]
    yield from _section("Adopted, and not to its end:", [ADOPTION_OPEN] if document["adopting"] else [])
    yield from _section(
        "Left out when the library was adopted:", [f"{plural(count, 'item')}: {ADOPT_AGAIN}"] if count else []
    )


def _summary(document: Facts, now: datetime) -> Iterator[str]:
    def time(written: str | None) -> str:
        return moment_and_distance(written, now, unset="never")

    runs, process = document["runs"], document["sync_process"]
    attempt, fetched = document["last_synced_attempt"], document["last_recording_fetched_till"]
    found, sweep = document["authorization"], document["next_sweep"]
    checked = f" (checked {time(found['checked_at']).replace(' (', ', ')}" if found["checked_at"] else ""
    yield f"Sync process: {process}{_detail(process, runs[0]) if runs else ''}"
    yield f"Last synced attempt: {IN_FUTURE if runs and not attempt else time(attempt)}"
    yield f"Last recording fetched till: {time(fetched) if fetched else 'nothing fetched yet'}"
    yield f"Authorization status: Zoom: {found['zoom']}; destination: {found['destination']}{checked}"
    if runs and not process.startswith("Finished"):
        yield f"Last whole pass that finished: {time(document['last_finished'])}"
    if runs and sweep is None:
        yield "Next sweep: never (recordings.sweep)"
    elif runs:
        yield f"Next sweep: {time(sweep) if datetime.fromisoformat(sweep) > now else 'with the next pass'}"
    counts = [f"{count:,} {WORDS.get(phase, phase)}" for phase, count in document["counts"].items() if count]
    if counts:
        yield f"Meetings: {', '.join(counts)}"
    if document["stored"]["items"]:
        yield f"Stored: {', '.join(_stored(document['stored']))}"


def _stored(stored: Facts) -> Iterator[str]:
    yield f"{plural(stored['items'], 'item')}, {size_in_words(stored['bytes'])}"
    yield f"{size_in_words(stored['bytes_recently'])} of it in the last 30 days"
    if stored["free_bytes"] is not None:
        days = stored["days_left"]
        lasts = f", enough for {plural(days, 'day')} at this pace" if days is not None else ""
        yield f"{size_in_words(stored['free_bytes'])} free{lasts}"


def _detail(process: str, last: Facts) -> str:
    """What the name of the process's state leaves open."""
    if process == "Disabled":
        return ""
    who = f"process {last['process']['pid']} on {last['process']['host']}"
    facts = {
        "Finished": last["why"],
        "Running": f"pass {last['number']}, {who}",
        "Interrupted": f"{last['why'] or f'{who} is gone'}; the next pass goes on from there",
        "Finished with failures": "they are listed below",
    }
    parts = (facts.get(process, ""), f"narrowed to {last['narrowed']}" if last["narrowed"] else "")
    detail = "; ".join(part for part in parts if part)
    return f" ({detail})" if detail else ""


def what_failed(failure: Facts, now: datetime) -> str:
    """What went wrong, the remedy, and when it is tried again."""
    error = f"{failure['error']} ({failure['hint']})" if failure["hint"] else str(failure["error"])
    tries = plural(failure["tries"], "try")
    if failure["parked"]:
        return f"{error}; parked after {tries}"
    return f"{error}; {f'{tries}, ' if failure['tries'] else ''}again {_again(failure['next_at'], now)}"


def _again(next_at: str, now: datetime) -> str:
    return moment_and_distance(next_at, now) if datetime.fromisoformat(next_at) > now else "with the next pass"


def _meetings(title: str, rows: list[Facts], fact: Callable[[Facts], str], *, by: str = "reason") -> list[str]:
    """A title with the count; if there are many, how many for which reason; then the meetings."""
    if not rows:
        return []

    def group(one: Facts) -> str:
        return in_general(one[by], one["uuid"]) if by == "error" else kind(one[by])

    groups = Counter(map(group, rows)).most_common() if len(rows) > ROWS_SHOWN else []
    return [
        "",
        f"{title}: {plural(len(rows), 'meeting')}",
        *_first(groups, lambda group: f"{group[1]:,} × {group[0]}"),
        *_first(
            rows, lambda one: f"{_at(one['start'])}  {one['host']}  {quoted(one['topic'])} ({one['uuid']}): {fact(one)}"
        ),
    ]


def _section(title: str, rows: list[str]) -> list[str]:
    return ["", title, *_first(rows, str)] if rows else []


def _first(rows: Sequence[T], write: Callable[[T], str]) -> list[str]:
    """The first rows, and how many more there are."""
    more = len(rows) - ROWS_SHOWN
    return [f"  {write(row)}" for row in rows[:ROWS_SHOWN]] + [f"  and {more:,} more; --json lists all"] * (more > 0)


def _at(written: str) -> str:
    return moment(datetime.fromisoformat(written))


def _runs(runs: list[Facts]) -> Iterator[str]:
    rows = [("pass", "id", "started", "took", "exit", "result")]
    for run in runs:
        began, ended = (datetime.fromisoformat(at) if at else None for at in (run["started_at"], run["ended_at"]))
        counts = [
            f"{count:,} {WORDS.get(name, name.replace('_', ' '))}"
            for name, count in run["counts"].items()
            if count and name not in COUNTS_NOT_SHOWN
        ]
        counts += [f"{size_in_words(run['counts']['bytes'])} fetched"] if run["counts"].get("bytes") else []
        result = (run["outcome"], ", ".join(counts), f"narrowed to {run['narrowed']}" if run["narrowed"] else "")
        row = (
            str(run["number"]),
            run["id"],
            moment(began) if began else "unknown",
            span_in_words(max(ended, began) - began) if began and ended else "",
            "" if run["code"] is None else str(run["code"]),
            "; ".join(part for part in result if part),
        )
        rows.append(row)
    if runs:
        yield from ("", "Last runs:", *(f"  {line}" for line in columns(rows)))
