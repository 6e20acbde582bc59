"""Which meetings come first, and which are about to be lost. Pure."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime

from zoomsync.model import DAY, Entry, Meeting, Phase
from zoomsync.plan import Answer


def urgent_first(
    answers: Iterable[tuple[Meeting, Answer]], failed: AbstractSet[str], now: datetime
) -> list[tuple[Meeting, Answer]]:
    """Sooner `auto_delete_date` first, then newer first; what failed before comes last, or it could hold up the rest.

    `failed` are uuids. What Zoom deletes within two days comes before all others, failed or not.
    """

    def key(pair: tuple[Meeting, Answer]) -> tuple[bool, bool, bool, float, float]:
        meeting, gone_at = pair[0], pair[0].auto_delete
        is_soon = is_lost_soon(gone_at, now)
        when = gone_at.timestamp() if gone_at else 0.0
        return (not is_soon, not is_soon and meeting.uuid in failed, gone_at is None, when, -meeting.start.timestamp())

    return sorted(answers, key=key)


def is_lost_soon(gone_at: datetime | None, now: datetime) -> bool:
    """Whether Zoom deletes it within two days."""
    return gone_at is not None and gone_at <= now + 2 * DAY


def at_risk(entries: Mapping[str, Entry], now: datetime) -> list[Entry]:
    """Meetings that Zoom deletes by itself within 7 days and that are not stored."""
    open_phases = (Phase.WAITING, Phase.PUBLISHED)
    return [
        entry
        for entry in entries.values()
        if entry.auto_delete is not None
        and entry.auto_delete <= now + 7 * DAY
        and entry.phase in open_phases
        and (entry.receipt is None or entry.retry is not None)
    ]
