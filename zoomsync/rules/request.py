"""What a person asks of one `sync`, on the command line. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from zoomsync.formatting import moment, plural
from zoomsync.rules.named import NO_MEETINGS, Named


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRequest:
    """One `sync`. A narrowed pass moves no gap and never widens the config's selection."""

    dry_run: bool = False
    since: datetime | None = None
    until: datetime | None = None
    users: tuple[str, ...] = ()
    """E-mails, lower case."""
    meetings: Named = NO_MEETINGS
    """Those of `--meeting`: fetched past filters, and again what a person removed."""
    no_delete: bool = False
    retry_failed: bool = False
    max_duration: timedelta | None = None
    accept_size: bool = False
    """Store video and sound of `meetings` as they come, also if Zoom lists another size."""
    new_library: bool = False
    """Begin another destination, whatever the state knows."""
    adopt_library: bool = False
    """Let this state, a new or an older one, take over the library that is ahead of it."""
    reconcile: bool = False
    """Fetch again what an older copy of the library lacks."""
    verify: bool = False
    """Only read again what is stored."""
    sample: float = 1.0
    """How much of it."""

    def spans(self, start: datetime) -> bool:
        """Whether what began then is in the stretch that is asked for."""
        return (self.since is None or start >= self.since) and (self.until is None or start < self.until)

    @property
    def narrowed(self) -> str:
        """How it is narrowed, in words; empty for a whole pass."""
        parts = ["--verify"] if self.verify else []
        parts += [f"since {moment(self.since)}"] if self.since else []
        parts += [f"until {moment(self.until)}"] if self.until else []
        parts += [f"{plural(len(self.users), 'user')}"] if self.users else []
        parts += [f"{plural(len(self.meetings), 'meeting')}"] if self.meetings else []
        return ", ".join(parts)
