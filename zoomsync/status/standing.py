"""Where the meetings of the ledger stand, under the config as it is now."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from zoomsync import deletion, urgency
from zoomsync.model import DAY, Entry, Phase, Retry
from zoomsync.plan import Rules, is_asked

OPEN = (Phase.WAITING, Phase.PUBLISHED)
"""Where a meeting can still be fetched, or gain files."""


def standing(entry: Entry, rules: Rules) -> tuple[Phase, str]:
    """Phase and reason. A pass no longer asks about what the config has left out since: that waits no more."""
    if entry.phase is Phase.WAITING and entry.uuid in rules.excluded:
        return Phase.SKIPPED, "listed in exclude_meetings"
    if entry.phase is Phase.WAITING and not rules.selects(entry.host_id):
        return Phase.SKIPPED, "its host is not selected by the config"
    return entry.phase, entry.reason


def _is_wanted(entry: Entry, rules: Rules) -> bool:
    return entry.uuid not in rules.excluded and (is_asked(entry.uuid, entry, rules) or rules.selects(entry.host_id))


def newest_first(entries: Iterable[Entry]) -> list[Entry]:
    """By the start of the meeting."""
    return sorted(entries, key=lambda entry: (entry.start, entry.uuid), reverse=True)


def waiting(entries: Mapping[str, Entry], rules: Rules) -> list[Entry]:
    """What is not stored yet, or not all of it, without having failed."""
    return newest_first(
        entry
        for entry in entries.values()
        if entry.retry is None
        and _is_wanted(entry, rules)
        and (entry.phase is Phase.WAITING or (entry.phase is Phase.PUBLISHED and entry.pending))
    )


def failed(entries: Mapping[str, Entry], rules: Rules) -> list[Entry]:
    """What failed and is tried again, or is parked."""
    return newest_first(
        entry
        for entry in entries.values()
        if entry.retry is not None
        and (entry.phase in OPEN or is_asked(entry.uuid, entry, rules))
        and _is_wanted(entry, rules)
    )


def is_parked(failure: Retry, now: datetime) -> bool:
    """Whether it is not tried again by itself. A failure in the future tells of a wrong clock: that one is."""
    return failure.is_parked and failure.at <= now


def parked(entries: Mapping[str, Entry], rules: Rules) -> list[Entry]:
    """What failed and is not tried again by itself."""
    return [entry for entry in failed(entries, rules) if entry.retry is not None and is_parked(entry.retry, rules.now)]


def failing(entries: Mapping[str, Entry], rules: Rules) -> list[Entry]:
    """What failed more than once, or for a day, and is tried again: once can be chance."""
    waiting = (entry for entry in failed(entries, rules) if entry.retry and not is_parked(entry.retry, rules.now))
    return [
        one
        for one in waiting
        if one.retry is not None
        and (one.retry.tries > 1 or (one.retry.since or one.retry.at) <= rules.now - DAY)
        and one.retry.at <= rules.now
    ]


def refused(entries: Mapping[str, Entry], rules: Rules) -> list[Entry]:
    """Whose deletion was refused and is still wanted."""
    if rules.delete == "never":
        return []
    return newest_first(
        entry
        for entry in entries.values()
        if entry.refusal is not None
        and entry.phase is Phase.PUBLISHED
        and entry.uuid not in rules.held
        and rules.selects(entry.host_id)
    )


def kept(entries: Mapping[str, Entry], rules: Rules) -> list[Entry]:
    """Whose deletion is due, and waits for something at the destination."""
    return newest_first(
        entry
        for entry in entries.values()
        if entry.kept and entry.phase is Phase.PUBLISHED and deletion.is_due(entry, rules) is None
    )


def at_risk(entries: Mapping[str, Entry], rules: Rules) -> list[Entry]:
    """What Zoom deletes by itself within 7 days and is not stored, soonest first."""
    found = (entry for entry in urgency.at_risk(entries, rules.now) if _is_wanted(entry, rules))
    return sorted(found, key=lambda entry: (entry.auto_delete or rules.now, entry.uuid))
