"""The status as numbers, in the text form that Prometheus reads.

https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeAlias

from zoomsync import __version__
from zoomsync.status.document import Facts
from zoomsync.status.health import Trouble

Samples: TypeAlias = Iterable[tuple[str, float | None]]
"""A label's value, `""` without a label, and the number; None: not known, left out."""

LISTS = ("waiting", "failed", "refused", "at_risk", "differs", "kept", "lost", "removed")


def metrics(document: Facts, troubles: Iterable[Trouble]) -> str:
    """The document of `status --json` and the reasons of `status --check`; every metric is a gauge."""
    lines: list[str] = []
    for name, help_, label, samples in _gauges(document, list(troubles)):
        lines += [f"# HELP zoomsync_{name} {help_}", f"# TYPE zoomsync_{name} gauge"]
        for value, number in samples:
            if number is not None:
                labels = f'{{{label}="{value}"}}' if label else ""
                lines.append(f"zoomsync_{name}{labels} {number:.15g}")
    return "".join(f"{line}\n" for line in lines)


def _gauges(document: Facts, troubles: list[Trouble]) -> Iterator[tuple[str, str, str, Samples]]:
    """Name, help, label and samples of each."""
    runs, stored = document["runs"], document["stored"]
    last: Facts = next((run for run in runs if run["ended_at"] is not None and not run["narrowed"]), {})
    kinds = Counter[str]()
    for one in troubles:
        kinds[one.kind] += len(one.keys)
    yield "info", "The version that wrote this.", "version", [(__version__, 1)]
    yield "healthy", "Whether nothing needs a person.", "", [("", not troubles)]
    yield "troubles", "What needs a person, by kind.", "kind", kinds.items()
    yield "pass_running", "Whether a pass runs.", "", [("", document["sync_process"] == "Running")]
    yield from (
        (f"{name}_timestamp_seconds", help_, "", [("", _seconds(when))])
        for name, help_, when in (
            ("last_pass_start", "When the last whole pass that ended began.", last.get("started_at")),
            ("last_pass_end", "When it ended.", last.get("ended_at")),
            ("last_finished", "When a whole pass last ran to its end.", document["last_finished"]),
            ("fetched_till", "Start of the newest recording fetched.", document["last_recording_fetched_till"]),
        )
    )
    yield "last_pass_exit_code", "Of the last whole pass that ended.", "", [("", last.get("code"))]
    yield "last_pass_count", "What happened in it.", "what", last.get("counts", {}).items()
    yield "meetings", "Meetings known, by where they stand.", "phase", document["counts"].items()
    yield (
        "meetings_listed",
        "Meetings that a person may want to look at.",
        "list",
        [(n, len(document[n])) for n in LISTS],
    )
    yield "gaps", "Stretches of time not listed completely yet.", "", [("", len(document["gaps"]))]
    yield "stored_items", "Items at the destination.", "", [("", stored["items"])]
    yield "stored_bytes", "Bytes at the destination.", "", [("", stored["bytes"])]
    yield "free_bytes", "Free on its file system.", "", [("", stored["free_bytes"])]


def _seconds(when: object) -> float | None:
    return datetime.fromisoformat(when).timestamp() if isinstance(when, str) else None
