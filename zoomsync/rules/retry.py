"""When a meeting that failed is tried again. Pure."""

from datetime import datetime, timedelta

from zoomsync.model import Retry

PAUSES = tuple(timedelta(hours=hours) for hours in (1, 2, 4, 8, 16, 24, 24, 24, 24))
"""Between the tries of one meeting; after the tenth try it is parked."""


def after_failure(previous: Retry | None, *, error: str, hint: str, now: datetime, is_try: bool = True) -> Retry:
    """The retry after one more failure; what disk, destination, Zoom or a credential caused is no try."""
    tries = (previous.tries if previous is not None else 0) + is_try
    if not is_try:
        next_at = previous.next_at if previous is not None else now
    else:
        next_at = now + PAUSES[tries - 1] if tries <= len(PAUSES) else None
    since = (previous.since or previous.at) if previous is not None else now
    return Retry(tries=tries, error=error, hint=hint, at=now, next_at=next_at, since=since)


def is_delayed(retry: Retry, now: datetime) -> bool:
    """Whether it is too early to try again what failed. A failure in the future tells of a wrong clock: it is not."""
    return (retry.next_at is None or retry.next_at > now) and retry.at <= now
