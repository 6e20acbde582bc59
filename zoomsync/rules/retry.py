"""When a subject that failed is tried again: a meeting, its deletion, the list of a user. Pure."""

from datetime import datetime, timedelta
from enum import Enum

from zoomsync.errors import ZoomsyncError
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


def after_failure(before: Retry | None, problem: ZoomsyncError, now: datetime, cause: Cause = Cause.ITSELF) -> Retry:
    """The retry after one more failure."""
    tries, unanswered = (before.tries, before.unanswered) if before is not None else (0, 0)
    if cause is Cause.ITSELF:
        tries, unanswered = tries + 1, 0
        next_at = now + PAUSES[tries - 1] if tries <= len(PAUSES) else None
    elif cause is Cause.UNANSWERED:
        unanswered += 1
        is_parked = before is not None and before.is_parked
        next_at = None if is_parked else now + PAUSES[min(unanswered, len(PAUSES)) - 1]
    else:
        next_at = before.next_at if before is not None else now
    return Retry(
        tries=tries,
        error=str(problem),
        hint=problem.hint,
        at=now,
        next_at=next_at,
        since=(before.since or before.at) if before is not None else now,
        unanswered=unanswered,
    )


def is_asked_briefly(retry: Retry | None) -> bool:
    """Whether nobody waits long for what failed: a server was silent about it. After five times it is asked once a day
    only, with all patience again: it may just be slow.
    """
    return retry is not None and 0 < retry.unanswered <= 5


def is_delayed(retry: Retry, now: datetime) -> bool:
    """Whether it is too early to try again what failed. A failure in the future tells of a wrong clock: it is not."""
    return (retry.next_at is None or retry.next_at > now) and retry.at <= now
