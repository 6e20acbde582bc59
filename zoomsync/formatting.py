"""How people read numbers, sizes, spans and times: one form for each, in every message and report. Pure."""

import re
from datetime import UTC, datetime, timedelta

UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


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


def moment(when: datetime | None) -> str:
    """A time to the minute, in UTC: `2026-03-01 10:30 UTC`; `never` for none."""
    return "never" if when is None else f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def kind(reason: str) -> str:
    """A reason without what differs from meeting to meeting, to count by: `tried again at …: why` is `tried again`."""
    general = reason.rpartition(" long, ")[2].partition(": ")[0]
    return re.sub(r" (until|at|after) \d.*", "", general)


def escaped(text: str) -> str:
    """The text with control characters (also bidirectional overrides) escaped: no topic moves a cursor."""
    return "".join(c if c.isprintable() or c == "\u200d" else c.encode("unicode_escape").decode() for c in text)
