"""What the app may do in the account, and whose recordings the config selects; with no more calls than that needs."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from zoomsync.config import Config
from zoomsync.destinations.base import Destination
from zoomsync.errors import (
    ClockWrong,
    ConfigError,
    Forbidden,
    MeetingFailed,
    NotAuthorized,
    ServiceUnavailable,
    UsageError,
    UserFailed,
    ZoomsyncError,
)
from zoomsync.formatting import moment, span_in_words
from zoomsync.model import Authorization, AuthorSource, Retry, User, Zoom
from zoomsync.sync.lookups import FEW, Lookups
from zoomsync.zoom import scopes

log = logging.getLogger(__name__)

SKEW = timedelta(minutes=10)
"""By how much this machine's clock and Zoom's may differ."""
PERHAPS_ENOUGH = "Zoom says itself (4711) if that is not enough"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFilter:
    """What the config says about accounts; e-mails in lower case."""

    emails: tuple[str, ...] = ()
    """Blank: every user of the account."""
    excluded: tuple[str, ...] = ()
    unknown: str = "fail"
    """`fail`, `warn`, or `report`: only name them in `Hosts.unknown`."""
    listing: str = "auto"

    @property
    def is_account_wide(self) -> bool:
        """Whether one list for all users is the first choice."""
        return self.listing == "account" or (self.listing == "auto" and not 0 < len(self.emails) <= FEW)


def account_filter(config: Config) -> AccountFilter:
    """What this config says about accounts."""
    return AccountFilter(
        emails=config.filter_accounts,
        excluded=config.exclude_accounts,
        unknown=config.unknown_accounts,
        listing=config.zoom.listing,
    )


def authorize(config: Config, zoom: Zoom, now: datetime) -> tuple[AccountFilter, bool]:
    """Get a token for a pass: the accounts wanted, by lists that the app may read; and whether it may delete.

    Raises `NotAuthorized` for the credential or a missing scope, `ClockWrong`.
    """
    deletes = config.delete_recordings != "never"
    wanted = account_filter(config)
    authorization = zoom.authorize()
    check_clock(authorization.server_date, now, deletes=deletes)
    granted = granted_scopes(authorization, wanted, deletes=deletes)
    require_scopes(granted)
    for need in granted.doubtful:
        log.warning("zoom: the app has %s; %s", need, PERHAPS_ENOUGH)
    if not granted.may_list_account and wanted.listing != "account":
        wanted = replace(wanted, listing="users")
    return wanted, granted.may_delete


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedScopes:
    """What the app may do of what the config needs."""

    missing: tuple[str, ...]
    """Reading scopes that it lacks, in words."""
    may_delete: bool
    may_list_account: bool
    surplus: tuple[str, ...]
    doubtful: tuple[str, ...] = ()
    """Wider scopes that it has in place of needed ones, in words."""


def granted_scopes(authorization: Authorization, wanted: AccountFilter, *, deletes: bool) -> GrantedScopes:
    """Compare the granted scopes with what this config needs; a token that names no scopes is taken as it is."""
    granted = authorization.scopes
    if not granted:
        return GrantedScopes(missing=(), may_delete=True, may_list_account=True, surplus=())
    may_list_account = not scopes.missing(granted, ["account list"])
    needs = needed_scopes(wanted, may_list_account=may_list_account)
    return GrantedScopes(
        missing=scopes.missing(granted, needs),
        may_delete=not scopes.missing(granted, ["delete"]),
        may_list_account=may_list_account,
        surplus=scopes.surplus(granted, [*scopes.SCOPES] if deletes else [n for n in scopes.SCOPES if n != "delete"]),
        doubtful=scopes.doubtful(granted, [*needs, "delete"] if deletes else needs),
    )


def needed_scopes(wanted: AccountFilter, *, may_list_account: bool) -> list[str]:
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


def require_scopes(found: GrantedScopes) -> None:
    """Raise `NotAuthorized` when a reading scope is missing."""
    if found.missing:
        raise NotAuthorized(
            f"zoom: the app lacks {'; '.join(found.missing)}",
            hint="add these scopes to the app in Zoom's App Marketplace and activate it again",
            service="zoom",
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
    return f"{span_in_words(skew)} off Zoom's" if skew >= timedelta(seconds=2) else "agrees with Zoom's"


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
    excluded_emails: frozenset[str] = frozenset()
    """Addresses of exclude_accounts that could not be looked up: recordings under them are left out all the same."""
    failed: Mapping[str, ZoomsyncError | None] = field(default_factory=dict)
    """Addresses of users who are selected, but could not be looked up → why; None: not asked, it is too early."""
    lookups: Mapping[str, Retry] = field(default_factory=dict)
    """Every address that could not be looked up → what is to be remembered of that."""

    def selects(self, host_id: str, email: str = "") -> bool:
        """Whether this host's recordings are wanted."""
        is_named = self.narrowed is None or host_id in self.narrowed
        is_excluded = host_id in self.excluded or email.lower() in self.excluded_emails
        return is_named and not is_excluded and (self.ids is None or host_id in self.ids)


def hosts_of_pass(wanted: AccountFilter, only: tuple[str, ...], lookups: Lookups) -> Hosts:
    """The users that the config selects, `only` those whom the command line names, if it names any (e-mails).

    Raises `ConfigError` if the config selects nobody: a pass over nobody would always be fine.
    """
    found = select_hosts(wanted, lookups)
    for warning in found.warnings:
        log.warning("%s", warning)
    if found.ids is not None and not found.ids - found.excluded and not found.failed:
        raise ConfigError(
            "filter_accounts: selects nobody: every address is unknown to Zoom or in exclude_accounts",
            hint="correct the addresses; `zoomsync users` lists who is selected",
        )
    return narrow_hosts(found, only, lookups)


def narrow_hosts(found: Hosts, emails: tuple[str, ...], lookups: Lookups) -> Hosts:
    """Only these of the selected users. Raises `UsageError` for one that is unknown, or that the config leaves out."""
    if not emails:
        return found
    users, unknown = lookups.find(emails)
    remembered, failed = lookups.lost(emails)
    users += remembered
    outside = [*unknown, *(user.email for user in users if not found.selects(user.id, user.email))]
    if outside:
        raise UsageError(
            f"--user {', '.join(outside)}: Zoom does not know it, or the config does not select it",
            hint="`zoomsync users` lists who is selected",
        )
    return replace(
        found,
        users={**found.users, **_by_id(users)},
        narrowed=tuple(user.id for user in users),
        failed=failed,
        lookups=lookups.troubles,
    )


def select_hosts(wanted: AccountFilter, lookups: Lookups) -> Hosts:
    """Resolve the config's addresses. Raises `ConfigError` for one that neither Zoom nor the ledger ever knew.

    One that cannot be looked up now is nobody's but its own trouble: the ledger may know its user, `Hosts.failed` has
    the others; of one that is excluded the recordings are left out by their address.
    """
    known = lookups.known
    excluded, unknown_excluded = lookups.find(wanted.excluded)
    misspelt = [email for email in unknown_excluded if email not in known]
    if misspelt and wanted.unknown == "fail":
        raise unknown_addresses("exclude_accounts", misspelt)
    if wanted.emails:
        users, unknown = lookups.find(wanted.emails)
    else:
        # Deactivated users still have recordings, and are listed only if asked for:
        # https://github.com/ricardorodrigues-ca/zoom-recording-downloader/issues/32
        statuses = ("inactive",) if wanted.is_account_wide else ("active", "inactive")
        users, unknown = [user for status in statuses for user in lookups.zoom.users(status)], []
    never_known = [email for email in unknown if email not in known]
    if never_known and wanted.unknown == "fail":
        raise unknown_addresses("filter_accounts", never_known)
    gone = [email for email in unknown if email in known]
    warnings = [f"filter_accounts: {email}: has departed, Zoom knows it no more" for email in gone]
    if wanted.unknown == "warn":
        warnings += [str(unknown_addresses("exclude_accounts", [email])) for email in misspelt]
        warnings += [str(unknown_addresses("filter_accounts", [email])) for email in never_known]
    remembered, failed = lookups.lost(wanted.emails)
    lost_excluded = [email for email in wanted.excluded if email in lookups.failed]
    for user in remembered:
        why = lookups.troubles[user.email].error
        warnings.append(f"filter_accounts: {user.email}: not looked up, its id is that of its last recording: {why}")
    for email in lost_excluded:
        why = lookups.troubles[email].error
        warnings.append(f"exclude_accounts: {email}: not looked up, its recordings are left out by the address: {why}")
    left_out = {user.id for user in excluded}
    left_out |= {known[email] for email in (*unknown_excluded, *lost_excluded) if email in known}
    selected = {user.id for user in (*users, *remembered)} | {known[email] for email in gone}
    return Hosts(
        users=_by_id([*users, *remembered]),
        ids=frozenset(selected) if wanted.emails else None,
        excluded=frozenset(left_out),
        warnings=tuple(warnings),
        unknown=tuple(never_known),
        unknown_excluded=tuple(misspelt),
        excluded_emails=frozenset(lost_excluded),
        failed=failed,
        lookups=lookups.troubles,
    )


def unknown_addresses(key: Literal["filter_accounts", "exclude_accounts"], emails: Iterable[str]) -> ConfigError:
    """The error for addresses that nobody ever knew: one misspelt in `exclude_accounts` would publish somebody."""
    hint = "correct the address, or set `unknown_accounts: warn`"
    if key == "exclude_accounts":
        hint = "correct the address, remove it if that user has left, or set `unknown_accounts: warn`"
    return ConfigError(f"{key}: {', '.join(emails)}: Zoom knows no such user", hint=hint)


def with_names(host: User, zoom: Zoom) -> User:
    """The host with the names that Zoom has for it, if only meetings named it so far; as it is, if Zoom refuses."""
    if host.first_name or host.last_name or not host.id:
        return host
    try:
        found = zoom.user(host.id)
    except (NotAuthorized, UserFailed, ServiceUnavailable) as refused:
        log.warning("zoom: %s: its names are not known: %s", host.email, refused)
        return host
    return host if found is None else replace(host, first_name=found.first_name, last_name=found.last_name)


def count_authors(hosts: Iterable[User], destination: Destination) -> Counter[AuthorSource]:
    """For a dry run: how many hosts have an author, and how many authors would be made; changes nothing.

    A host whose author the destination refuses to look up is warned of and not counted.
    """
    found: Counter[AuthorSource] = Counter()
    for host in hosts:
        try:
            found[destination.prospect(host).source] += 1
        except (Forbidden, MeetingFailed) as refused:
            log.warning("%s: author not known: %s", host.email, refused)
    return found


def _by_id(users: Iterable[User]) -> dict[str, User]:
    return {user.id: user for user in users if user.id}
