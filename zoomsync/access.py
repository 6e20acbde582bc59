"""What Zoom lets this app do, and whether both clocks agree: asked at the start of every pass and by `auth-check`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from zoomsync.errors import ClockWrong, NotAuthorized
from zoomsync.hosts import FEW, Wanted
from zoomsync.words import in_words, moment
from zoomsync.zoom import scopes

SKEW = timedelta(minutes=10)
"""By how much this machine's clock and Zoom's may differ."""


class Authorization(Protocol):
    """What the token answer said."""

    @property
    def scopes(self) -> frozenset[str]:
        """Empty when it did not say."""

    @property
    def server_date(self) -> datetime | None:
        """Zoom's clock; None when it did not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the app may do of what the config needs."""

    missing: tuple[str, ...]
    """Reading scopes that it lacks, in words."""
    may_delete: bool
    may_list_account: bool
    surplus: tuple[str, ...]


def access(authorization: Authorization, wanted: Wanted, *, deletes: bool) -> Access:
    """Hold the granted scopes against what this config needs; a token that names no scopes is taken as it is."""
    granted = authorization.scopes
    if not granted:
        return Access(missing=(), may_delete=True, may_list_account=True, surplus=())
    may_list_account = not scopes.missing(granted, ["account list"])
    needs = needed(wanted, may_list_account=may_list_account)
    return Access(
        missing=scopes.missing(granted, needs),
        may_delete=not scopes.missing(granted, ["delete"]),
        may_list_account=may_list_account,
        surplus=scopes.surplus(granted, [*scopes.SCOPES] if deletes else [n for n in scopes.SCOPES if n != "delete"]),
    )


def needed(wanted: Wanted, *, may_list_account: bool) -> list[str]:
    """The names of the reading scopes without which this config cannot work."""
    is_account_wide = wanted.is_account_wide and (may_list_account or wanted.listing == "account")
    needs = ["meeting", "account list" if is_account_wide else "user list"]
    if is_account_wide and not wanted.emails:
        needs.append("user list")
    if not wanted.emails or len(wanted.emails) > FEW:
        needs.append("users")
    if wanted.emails or wanted.excluded:
        needs.append("user")
    return needs


def require(found: Access) -> None:
    """Raise `NotAuthorized` when a reading scope is missing."""
    if found.missing:
        raise NotAuthorized(
            f"zoom: the app lacks {'; '.join(found.missing)}",
            hint="add these scopes to the app in Zoom's App Marketplace and activate it again",
        )


def check_clock(server_date: datetime | None, now: datetime, *, deletes: bool) -> str:
    """Raise `ClockWrong` when the clocks differ too much, or Zoom's is unknown while deletion is on; else in words."""
    if server_date is None:
        if deletes:
            raise ClockWrong(
                "zoom: its answer has no date, so this machine's clock cannot be checked while deletion is on",
                hint="set delete_recordings: never until a proxy on the way lets the Date header pass",
            )
        return "Zoom's answer has no date: not compared"
    skew = abs(now - server_date)
    if skew > SKEW:
        raise ClockWrong(
            f"clock: this machine says {moment(now)}, Zoom says {moment(server_date)}",
            hint="set the clock, e.g. by enabling time synchronisation (timedatectl set-ntp true)",
        )
    return f"{in_words(skew)} off Zoom's" if skew >= timedelta(seconds=2) else "agrees with Zoom's"
