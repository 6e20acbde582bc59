"""Whose recordings the config selects, asked of Zoom with no more calls than that needs."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from zoomsync.config import Config
from zoomsync.errors import ConfigError, NotAuthorized, UsageError
from zoomsync.model import Entry, Meeting, User

log = logging.getLogger(__name__)

FEW = 25
"""Up to so many named accounts each is asked about, and listed, by itself."""


class Directory(Protocol):
    """Zoom's users."""

    def users(self, status: str) -> Iterable[User]:
        """All users with this status: `active`, `inactive`, `pending`."""

    def user(self, email: str) -> User | None:
        """One user; None: Zoom knows no such user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the config says about accounts; e-mails in lower case."""

    emails: tuple[str, ...] = ()
    """Blank: every user of the account."""
    excluded: tuple[str, ...] = ()
    unknown: str = "fail"
    """`fail`, `warn`, or `tell`: only name them in `Hosts.unknown`."""
    listing: str = "auto"

    @property
    def is_account_wide(self) -> bool:
        """Whether one list for all users is the first choice."""
        return self.listing == "account" or (self.listing == "auto" and not 0 < len(self.emails) <= FEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """The users that the config selects."""

    users: Mapping[str, User]
    """Those that Zoom was asked about, by id; with the account-wide list and no filter only the inactive ones."""
    ids: frozenset[str] | None
    """None: every user."""
    excluded: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()
    narrowed: tuple[str, ...] | None = None
    """Ids of the users that the command line names; None: no narrowing."""
    unknown: tuple[str, ...] = ()
    """Addresses of filter_accounts that neither Zoom nor the ledger ever knew."""
    unknown_excluded: tuple[str, ...] = ()
    """Likewise of exclude_accounts."""

    def selects(self, host_id: str) -> bool:
        """Whether this host's recordings are wanted."""
        is_named = self.narrowed is None or host_id in self.narrowed
        return is_named and host_id not in self.excluded and (self.ids is None or host_id in self.ids)


def wanted(config: Config) -> Wanted:
    """The config's words about accounts."""
    return Wanted(
        emails=config.filter_accounts,
        excluded=config.exclude_accounts,
        unknown=config.unknown_accounts,
        listing=config.zoom.listing,
    )


def narrow(found: Hosts, emails: tuple[str, ...], directory: Directory) -> Hosts:
    """Only these of the selected users. Raises `UsageError` for one that is unknown, or that the config leaves out."""
    if not emails:
        return found
    users, unknown = _resolve(emails, directory)
    outside = [*unknown, *(user.email for user in users if not found.selects(user.id))]
    if outside:
        raise UsageError(
            f"--user {', '.join(outside)}: Zoom does not know it, or the config does not select it",
            hint="`zoomsync users` lists who is selected",
        )
    return replace(found, users={**found.users, **_by_id(users)}, narrowed=tuple(user.id for user in users))


def select(wanted: Wanted, directory: Directory, entries: Iterable[Entry]) -> Hosts:
    """Resolve the config's addresses. Raises `ConfigError` for one that neither Zoom nor the ledger ever knew."""
    departed = {entry.host_email.lower(): entry.host_id for entry in entries if entry.host_email}
    excluded, unknown_excluded = _resolve(wanted.excluded, directory)
    misspelt = [email for email in unknown_excluded if email not in departed]
    if misspelt and wanted.unknown == "fail":
        raise unknown_exclusions(misspelt)
    warnings = [str(unknown_exclusions([email])) for email in misspelt if wanted.unknown == "warn"]
    left_out = {user.id for user in excluded} | {departed[email] for email in unknown_excluded if email in departed}
    if not wanted.emails:
        return Hosts(
            users=_by_id(_everyone(wanted, directory)),
            ids=None,
            excluded=frozenset(left_out),
            warnings=tuple(warnings),
            unknown_excluded=tuple(misspelt),
        )
    found, unknown = _resolve(wanted.emails, directory)
    warnings += [
        f"filter_accounts: {email}: has departed, Zoom knows it no more" for email in unknown if email in departed
    ]
    never = [email for email in unknown if email not in departed]
    if never and wanted.unknown == "fail":
        raise unknown_accounts(never)
    if wanted.unknown == "warn":
        warnings += [str(unknown_accounts([email])) for email in never]
    ids = {user.id for user in found} | {departed[email] for email in unknown if email in departed}
    return Hosts(
        users=_by_id(found),
        ids=frozenset(ids),
        excluded=frozenset(left_out),
        warnings=tuple(warnings),
        unknown=tuple(never),
        unknown_excluded=tuple(misspelt),
    )


def require_somebody(found: Hosts) -> None:
    """Raise `ConfigError` when the config selects nobody: a pass over nobody would always be fine."""
    if found.ids is not None and not found.ids - found.excluded:
        raise ConfigError(
            "filter_accounts: selects nobody: every address is unknown to Zoom or in exclude_accounts",
            hint="correct the addresses; `zoomsync users` lists who is selected",
        )


def unknown_accounts(emails: Iterable[str]) -> ConfigError:
    """The error for addresses that nobody ever knew."""
    return ConfigError(
        f"filter_accounts: {', '.join(emails)}: Zoom knows no such user",
        hint="correct the address, or set `unknown_accounts: warn`",
    )


def untold(meeting: Meeting) -> User:
    """The host of a meeting, where Zoom tells no more than the meeting does."""
    return User(id=meeting.host_id, email=meeting.host_email, status="unknown")


def named(host: User, directory: Directory) -> User:
    """The host with the names that Zoom has for it, where only meetings told of it; as it is, where Zoom refuses."""
    if host.first_name or host.last_name or not host.id:
        return host
    try:
        found = directory.user(host.id)
    except NotAuthorized as refused:
        log.warning("zoom: %s: its names are not known: %s", host.email, refused)
        return host
    return host if found is None else replace(host, first_name=found.first_name, last_name=found.last_name)


def unknown_exclusions(emails: Iterable[str]) -> ConfigError:
    """The error for excluded addresses that nobody ever knew: a typo would publish whom it was to leave out."""
    return ConfigError(
        f"exclude_accounts: {', '.join(emails)}: Zoom knows no such user",
        hint="correct the address, remove it if that user has left, or set `unknown_accounts: warn`",
    )


def _by_id(users: Iterable[User]) -> dict[str, User]:
    return {user.id: user for user in users if user.id}


def _everyone(wanted: Wanted, directory: Directory) -> list[User]:
    statuses = ("inactive",) if wanted.is_account_wide else ("active", "inactive")
    return [user for status in statuses for user in directory.users(status)]


def _resolve(emails: tuple[str, ...], directory: Directory) -> tuple[list[User], list[str]]:
    """The users with these addresses, and the addresses that Zoom does not know."""
    if len(emails) <= FEW:
        answers = {email: directory.user(email) for email in emails}
    else:
        known = {user.email.lower(): user for status in ("active", "inactive") for user in directory.users(status)}
        answers = {email: known.get(email) or directory.user(email) for email in emails}
    return [user for user in answers.values() if user], [email for email, user in answers.items() if not user]
