"""How numbers, sizes, times and texts are written: one form for each, in every message and report. Pure."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
TOPIC_LENGTH = 60
"""Characters of a topic in a line; a longer one is cut."""


def plural(count: int, noun: str) -> str:
    """`1 file`, `2 files`, `2 tries`."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun[:-1]}ies" if noun.endswith("try") else f"{count:,} {noun}s"


def size_in_words(size: float) -> str:
    """Bytes in decimal units: `0 bytes`, `1.2 GB`."""
    unit = 0
    while size >= 999.95 and unit < len(UNITS) - 1:
        size /= 1000
        unit += 1
    return f"{size:.0f} {UNITS[unit]}" if unit == 0 else f"{size:.1f} {UNITS[unit]}"


def span_in_words(span: timedelta) -> str:
    """The two largest units of a span: `7 days`, `1 h 30 min`, `45 s`."""
    seconds = int(span.total_seconds())
    if seconds >= 2 * 86400 and seconds % 86400 == 0:
        return f"{seconds // 86400} days"
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    shown = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(shown[:2]) or "0 s"


def iso(when: datetime | None) -> str | None:
    """A time as in JSON: `2026-03-01T10:30:00Z`."""
    return None if when is None else when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def moment(when: datetime | None) -> str:
    """A time to the minute, in UTC: `2026-03-01 10:30 UTC`; `never` for none."""
    return "never" if when is None else f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def distance(when: datetime, now: datetime) -> str:
    """How far a time lies from now, to the minute: `2 h 5 min ago`, `in 3 days`, `just now`."""
    minutes = int(abs(when - now).total_seconds()) // 60
    if not minutes:
        return "just now"
    words = span_in_words(timedelta(minutes=minutes))
    return f"{words} ago" if when < now else f"in {words}"


def moment_and_distance(written: str | None, now: datetime, *, unset: str = "unknown") -> str:
    """A time of a JSON document for people: `2026-03-10 09:55 UTC (2 h 5 min ago)`."""
    if written is None:
        return unset
    when = datetime.fromisoformat(written)
    return f"{moment(when)} ({distance(when, now)})"


def kind(reason: str) -> str:
    """A reason without what differs from meeting to meeting, to count by: `tried again at …: why` is `tried again`."""
    general = reason.rpartition(" long, ")[2].partition(": ")[0]
    return re.sub(r" (until|at|after) \d.*", "", general)


def is_harmless(text: str) -> bool:
    """Whether no character of it could disturb a terminal: no control, line end or bidirectional mark."""
    return text.replace("\u200d", "").isprintable()


def escaped(text: str) -> str:
    """The text with control characters (also bidirectional overrides) escaped: no topic moves a cursor."""
    if is_harmless(text):
        return text
    return "".join(c if is_harmless(c) else c.encode("unicode_escape").decode() for c in text)


def escaped_json(document: str) -> str:
    """The same of a JSON document, which stays the document that it is; its own line ends are left."""
    return _BEYOND_ASCII.sub(lambda found: found[0] if is_harmless(found[0]) else _in_json(found[0]), document)


def json_text(value: object, *, indent: int | None = None, default: Callable[[Any], Any] | None = None) -> str:
    """A value as JSON for people and programs: letters as they are, what could disturb a terminal escaped."""
    return escaped_json(json.dumps(value, indent=indent, default=default, ensure_ascii=False))


_BEYOND_ASCII = re.compile(r"[^\n -~]+")


def _in_json(text: str) -> str:
    return "".join(c if is_harmless(c) else json.dumps(c)[1:-1] if c != "\x7f" else "\\u007f" for c in text)


def quoted(topic: str) -> str:
    """A topic within a line: `“Weekly planning”`."""
    return f"“{topic}”" if len(topic) <= TOPIC_LENGTH else f"“{topic[: TOPIC_LENGTH - 1]}…”"


def columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """A line for each row, its cells escaped; each column is as wide as its widest cell."""
    cells = [[escaped(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]


def in_general(reason: str, subject: str) -> str:
    """A reason without what differs from subject to subject: its name, ids, times."""
    general = reason.replace(subject, "…") if subject else reason
    general = re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{20,}\b|\b[0-9a-f]{32}\b", "…", general)
    return re.sub(r"\b\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?(?: UTC|Z)?)?", "…", general)
