"""Which meeting a log line is about: set around the work on one, read by whoever formats the line."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from zoomsync.model import Entry, Meeting

MEETING: ContextVar[Meeting | Entry | None] = ContextVar("MEETING", default=None)


@contextmanager
def about(meeting: Meeting | Entry) -> Iterator[None]:
    """Log lines of this thread are about this meeting until the end of the block."""
    token = MEETING.set(meeting)
    try:
        yield
    finally:
        MEETING.reset(token)
