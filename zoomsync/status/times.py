"""Times as `status` writes them: ISO 8601 for scripts, to the minute and with how long ago for people."""

from datetime import UTC, datetime, timedelta

from zoomsync.model import MINUTE
from zoomsync.words import in_words, moment


def iso(when: datetime | None) -> str | None:
    """As in JSON: `2026-03-01T10:30:00Z`."""
    return None if when is None else when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def past(when: datetime | None, now: datetime) -> datetime | None:
    """A time at which something happened; one in the future counts as unset."""
    return when if when is not None and when <= now else None


def told(written: str | None, now: datetime, *, unset: str = "unknown") -> str:
    """An ISO time for people: `2026-03-10 09:55 UTC (2 h 5 min ago)`."""
    if written is None:
        return unset
    when = datetime.fromisoformat(written)
    return f"{moment(when)} ({away(when - now)})"


def away(span: timedelta) -> str:
    """How far a time lies from now: `2 h 5 min ago`, `in 3 days`, `just now`."""
    if abs(span) < MINUTE:
        return "just now"
    words = in_words(MINUTE * (abs(span) // MINUTE))
    return f"{words} ago" if span < timedelta() else f"in {words}"
