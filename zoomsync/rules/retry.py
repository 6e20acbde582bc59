"""When a subject that failed is tried again: a meeting, its deletion, the list of a user. Pure."""

from datetime import datetime, timedelta
from enum import Enum

from zoomsync.model import Retry

PAUSES = tuple(timedelta(hours=hours) for hours in (1, 2, 4, 8, 16, 24, 24, 24, 24))
"""Between the tries of one subject; after the tenth try of a meeting it is parked."""


class Cause(Enum):
    """What a failure says of its subject."""

    ITSELF = "itself"
    """A try: after ten of them it is parked."""
    UNANSWERED = "unanswered"
    """A server fails over this subject, and over no other: no try, but it is left alone for longer each time."""
    ELSEWHERE = "elsewhere"
    """Disk, credential or the service itself: nothing that this subject is to wait for."""


def after_failure(
    previous: Retry | None, *, error: str, hint: str, now: datetime, cause: Cause = Cause.ITSELF
) -> Retry:
    """The retry after one more failure."""
    tries = (previous.tries if previous is not None else 0) + (cause is Cause.ITSELF)
    unanswered = (previous.unanswered if previous is not None else 0) + (cause is Cause.UNANSWERED)
    unanswered = 0 if cause is Cause.ITSELF else unanswered
    if cause is Cause.ITSELF:
        next_at = now + PAUSES[tries - 1] if tries <= len(PAUSES) else None
    elif previous is not None and previous.is_parked:
        next_at = None
    elif cause is Cause.UNANSWERED:
        next_at = now + PAUSES[min(unanswered, len(PAUSES)) - 1]
    else:
        next_at = previous.next_at if previous is not None else now
    since = (previous.since or previous.at) if previous is not None else now
    return Retry(tries=tries, error=error, hint=hint, at=now, next_at=next_at, since=since, unanswered=unanswered)


def is_asked_briefly(retry: Retry | None) -> bool:
    """Whether nobody waits long for what failed: a server was silent about it. After five times it is asked once a day
    only, with all patience again: it may just be slow.
    """
    return retry is not None and 0 < retry.unanswered <= 5


def is_delayed(retry: Retry, now: datetime) -> bool:
    """Whether it is too early to try again what failed. A failure in the future tells of a wrong clock: it is not."""
    return (retry.next_at is None or retry.next_at > now) and retry.at <= now
