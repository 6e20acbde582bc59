"""How the stand-in behaves; mutable, so that a test can change it between two requests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

READING = (
    "cloud_recording:read:list_account_recordings:admin",
    "cloud_recording:read:list_user_recordings:admin",
    "cloud_recording:read:list_recording_files:admin",
    "user:read:list_users:admin",
    "user:read:user:admin",
)
DELETING = ("cloud_recording:delete:meeting_recording:admin", "cloud_recording:delete:recording_file:admin")
GRANULAR = READING + DELETING
CLASSIC_READING = ("recording:read:admin", "account:read:admin", "user:read:admin")
CLASSIC = (*CLASSIC_READING, "recording:write:admin")


def wall_clock() -> datetime:
    """The real time."""
    return datetime.now(UTC)


@dataclass(kw_only=True)
class Settings:
    """Each default is what an ordinary account does."""

    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret-8b1f"
    scopes: tuple[str, ...] = GRANULAR
    """What the app may do now; `CLASSIC` for the old names."""
    token_lifetime: float = 3600
    """Seconds; a token really ends then."""
    keeps_older_tokens: bool = True
    page_cap: int = 300
    """The most entries that a page holds, however many are asked for."""
    page_token_lifetime: float = 900
    signed_lifetime: float = 60
    """Seconds that a signed download address lives."""
    account_list_shows_inactive: bool = False
    has_trash: bool = True
    limits: dict[str, int] = field(default_factory=dict)
    """Requests a second by label: `{"light": 30, "medium": 20}`; none: no limit."""
    deletion_takes: float = 0
    """Seconds that one deletion takes, in which another one of the same host is refused."""
    downloads_have_length: bool = True
    """False: sent in chunks, without a Content-Length."""
    speed: float | None = None
    """Bytes per second of each download; None: as fast as it goes."""
    skew: timedelta = timedelta(0)
    """How far Zoom's `Date` is ahead of the clock."""
    sends_date: bool = True
    clock: Callable[[], datetime] = wall_clock
