"""What the command line asks of a pass."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from zoomsync.words import moment, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One `sync`. A narrowed pass moves no gap and never widens the config's selection."""

    dry_run: bool = False
    since: datetime | None = None
    until: datetime | None = None
    users: tuple[str, ...] = ()
    """E-mails, lower case."""
    meetings: tuple[str, ...] = ()
    """uuids: fetched past filters, and again what a person removed."""
    no_delete: bool = False
    retry_failed: bool = False
    max_duration: timedelta | None = None

    @property
    def narrowed(self) -> str:
        """How it is narrowed, in words; empty for a whole pass."""
        parts = [f"since {moment(self.since)}"] if self.since else []
        parts += [f"until {moment(self.until)}"] if self.until else []
        parts += [f"{plural(len(self.users), 'user')}"] if self.users else []
        parts += [f"{plural(len(self.meetings), 'meeting')}"] if self.meetings else []
        return ", ".join(parts)
