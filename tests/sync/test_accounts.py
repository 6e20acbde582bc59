"""Whose recordings the config selects, asked of Zoom with no more calls than that needs."""

from typing import Any

import pytest

from tests.fakes import NOW, FakeZoom, a_user, an_entry
from zoomsync.errors import ConfigError, ServiceUnavailable, UsageError, UserFailed, ZoomsyncError
from zoomsync.model import HOUR, Entry, Retry, User
from zoomsync.state import Host
from zoomsync.sync.accounts import (
    AccountFilter,
    Hosts,
    hosts_of_pass,
    narrow_hosts,
    select_hosts,
    with_names,
)
from zoomsync.sync.breaker import ASK_AFTER
from zoomsync.sync.lookups import FEW, NOT_LOOKED_UP, Lookups

ADA = a_user()
BOB = a_user(id="host-bob", email="bob@example.org", first_name="Bob")
DAN = a_user(id="host-dan", email="dan@example.org", status="inactive")
PIA = a_user(id="", email="pia@example.org", status="pending")
GONE = an_entry(host_id="host-gone", host_email="Gone@example.org")


def zoom() -> FakeZoom:
    return FakeZoom(ADA, BOB, DAN, PIA)


def lookups(directory: FakeZoom | None = None, *entries: Entry, **more: Any) -> Lookups:
    hosts = [Host(id=one.host_id, email=one.host_email, meetings=1) for one in entries]
    return Lookups(directory or zoom(), hosts, NOW, **more)


def by_id(*users: User) -> dict[str, User]:
    return {user.id: user for user in users}


def names(*numbers: int) -> tuple[str, ...]:
    return tuple(f"user{number}@example.org" for number in numbers)


def a_crowd(count: int) -> list[User]:
    return [a_user(id=f"host-{number}", email=f"User{number}@example.org") for number in range(count)]


@pytest.mark.parametrize(
    ("wanted", "expected", "asked"),
    [
        (AccountFilter(), Hosts(users=by_id(DAN), ids=None), ["inactive users"]),
        (AccountFilter(listing="account"), Hosts(users=by_id(DAN), ids=None), ["inactive users"]),
        (
            AccountFilter(listing="users"),
            Hosts(users=by_id(ADA, BOB, DAN), ids=None),
            ["active users", "inactive users"],
        ),
        (
            AccountFilter(emails=("ada@example.org",)),
            Hosts(users=by_id(ADA), ids=frozenset({"host-ada"})),
            ["ada@example.org"],
        ),
        (
            AccountFilter(emails=("dan@example.org",)),
            Hosts(users=by_id(DAN), ids=frozenset({"host-dan"})),
            ["dan@example.org"],
        ),
        (
            AccountFilter(excluded=("bob@example.org",)),
            Hosts(users=by_id(DAN), ids=None, excluded=frozenset({"host-bob"})),
            ["bob@example.org", "inactive users"],
        ),
        (
            AccountFilter(emails=("ada@example.org", "bob@example.org"), excluded=("bob@example.org",)),
            Hosts(users=by_id(ADA, BOB), ids=frozenset({"host-ada", "host-bob"}), excluded=frozenset({"host-bob"})),
            ["bob@example.org", "ada@example.org"],
        ),
    ],
    ids=["everyone", "everyone, account-wide", "everyone, user by user", "one", "inactive", "but one", "two but one"],
)
def test_the_config_selects(wanted: AccountFilter, expected: Hosts, asked: list[str]) -> None:
    directory = zoom()

    assert select_hosts(wanted, lookups(directory)) == expected
    assert directory.asked == asked


def test_a_long_filter_is_looked_up_in_the_lists_of_users() -> None:
    crowd = a_crowd(FEW + 5)
    directory = FakeZoom(*crowd)

    found = select_hosts(AccountFilter(emails=names(*range(FEW + 1))), lookups(directory))

    assert found.ids == frozenset(f"host-{number}" for number in range(FEW + 1))
    assert directory.asked == ["active users", "inactive users"]


@pytest.mark.parametrize(
    ("listing", "count", "expected"),
    [
        ("auto", 0, True),
        ("auto", 1, False),
        ("auto", FEW, False),
        ("auto", FEW + 1, True),
        ("account", 1, True),
        ("users", 0, False),
    ],
)
def test_one_list_for_all_users_is_the_first_choice(listing: str, count: int, expected: bool) -> None:
    assert AccountFilter(emails=names(*range(count)), listing=listing).is_account_wide is expected


def test_an_address_that_zoom_never_knew_is_a_config_error() -> None:
    wanted = AccountFilter(emails=("ada@example.org", "adda@example.org", "bop@example.org"))

    with pytest.raises(ConfigError) as caught:
        select_hosts(wanted, lookups())

    assert str(caught.value) == "filter_accounts: adda@example.org, bop@example.org: Zoom knows no such user"
    assert caught.value.hint == "correct the address, or set `unknown_accounts: warn`"


@pytest.mark.parametrize("emails", [(), ("ada@example.org",)], ids=["of everyone", "of some"])
def test_a_misspelt_exclusion_is_a_config_error_because_it_would_publish_somebody(emails: tuple[str, ...]) -> None:
    wanted = AccountFilter(emails=emails, excluded=("bop@example.org", "bob@example.org", "gone@example.org"))

    with pytest.raises(ConfigError) as caught:
        select_hosts(wanted, lookups(None, GONE))

    assert str(caught.value) == "exclude_accounts: bop@example.org: Zoom knows no such user"
    assert caught.value.hint == "correct the address, remove it if that user has left, or set `unknown_accounts: warn`"


@pytest.mark.parametrize(
    ("changes", "ids", "excluded", "warnings"),
    [
        (
            {"emails": ("ada@example.org", "adda@example.org"), "unknown": "warn"},
            {"host-ada"},
            set(),
            ("filter_accounts: adda@example.org: Zoom knows no such user",),
        ),
        (
            {"emails": ("ada@example.org", "gone@example.org")},
            {"host-ada", "host-gone"},
            set(),
            ("filter_accounts: gone@example.org: has departed, Zoom knows it no more",),
        ),
        (
            {"emails": ("ada@example.org",), "excluded": ("adda@example.org",), "unknown": "warn"},
            {"host-ada"},
            set(),
            ("exclude_accounts: adda@example.org: Zoom knows no such user",),
        ),
        ({"emails": ("ada@example.org",), "excluded": ("gone@example.org",)}, {"host-ada"}, {"host-gone"}, ()),
    ],
    ids=["unknown", "departed", "excluded and unknown", "excluded and departed"],
)
def test_other_unknown_addresses_are_warnings(
    changes: dict[str, Any], ids: set[str], excluded: set[str], warnings: tuple[str, ...]
) -> None:
    found = select_hosts(AccountFilter(**changes), lookups(None, GONE))

    assert (set(found.ids or ()), set(found.excluded), found.warnings) == (ids, excluded, warnings)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Hosts(users={}, ids=None), ["host-ada", "host-bob"]),
        (Hosts(users={}, ids=frozenset({"host-ada"})), ["host-ada"]),
        (Hosts(users={}, ids=None, excluded=frozenset({"host-ada"})), ["host-bob"]),
        (Hosts(users={}, ids=frozenset({"host-ada"}), excluded=frozenset({"host-ada"})), []),
        (Hosts(users={}, ids=None, narrowed=("host-bob",)), ["host-bob"]),
        (Hosts(users={}, ids=frozenset({"host-ada"}), narrowed=("host-bob",)), []),
        (Hosts(users={}, ids=frozenset()), []),
    ],
)
def test_a_host_is_selected(found: Hosts, expected: list[str]) -> None:
    assert [one for one in ("host-ada", "host-bob") if found.selects(one)] == expected


def test_the_command_line_narrows_to_users_of_the_selection() -> None:
    found = Hosts(users=by_id(DAN), ids=None)

    assert narrow_hosts(found, ("ada@example.org",), lookups()) == Hosts(
        users=by_id(DAN, ADA), ids=None, narrowed=("host-ada",)
    )


def test_the_command_line_does_not_narrow_without_users() -> None:
    directory = zoom()
    found = Hosts(users={}, ids=None)

    assert narrow_hosts(found, (), lookups(directory)) is found
    assert directory.asked == []


def test_the_command_line_never_widens_the_selection() -> None:
    found = Hosts(users=by_id(ADA), ids=frozenset({"host-ada"}))

    with pytest.raises(UsageError) as caught:
        narrow_hosts(found, ("ada@example.org", "bob@example.org", "nobody@example.org"), lookups())

    assert str(caught.value) == (
        "--user nobody@example.org, bob@example.org: Zoom does not know it, or the config does not select it"
    )


# look-ups that fail

SILENT = ServiceUnavailable("zoom: HTTP 500")
REFUSED = UserFailed("zoom: user bob@example.org: refused")
KNOWN = an_entry(host_id="host-bob", host_email="Bob@example.org")
TWO = AccountFilter(emails=("bob@example.org", "ada@example.org"))


def a_trouble(unanswered: int = 0, after: int = 0, error: ZoomsyncError = SILENT) -> Retry:
    """A look-up that failed just now, and is tried again after so many hours."""
    next_at = NOW + after * HOUR
    return Retry(tries=0, error=str(error), hint="", at=NOW, next_at=next_at, since=NOW, unanswered=unanswered)


def without(address: str = "bob@example.org", error: ZoomsyncError = SILENT) -> FakeZoom:
    """A Zoom that does not say who this is."""
    directory = zoom()
    directory.refused[address] = error
    return directory


@pytest.mark.parametrize(
    ("error", "trouble"),
    [(SILENT, a_trouble(1, 1)), (REFUSED, a_trouble(error=REFUSED))],
    ids=["unanswered", "refused"],
)
def test_a_user_who_cannot_be_looked_up_is_missing_and_the_others_go_on(error: ZoomsyncError, trouble: Retry) -> None:
    found = hosts_of_pass(TWO, (), lookups(without(error=error)))

    assert (found.users, found.ids) == (by_id(ADA), frozenset({"host-ada"}))
    assert (found.failed, found.lookups) == ({"bob@example.org": error}, {"bob@example.org": trouble})


def test_a_user_whom_the_ledger_knows_needs_no_look_up() -> None:
    found = select_hosts(TWO, lookups(without(), KNOWN))

    assert found.ids == frozenset({"host-ada", "host-bob"})
    assert found.users["host-bob"] == User(id="host-bob", email="bob@example.org", status=NOT_LOOKED_UP)
    assert (found.failed, found.lookups) == ({}, {"bob@example.org": a_trouble(1, 1)})
    assert found.warnings == (
        "filter_accounts: bob@example.org: not looked up, its id is that of its last recording: zoom: HTTP 500",
    )


@pytest.mark.parametrize("entries", [(), (KNOWN,)], ids=["unknown", "known"])
def test_an_excluded_user_who_cannot_be_looked_up_is_left_out_by_the_address(entries: tuple[Entry, ...]) -> None:
    found = select_hosts(AccountFilter(excluded=("bob@example.org",)), lookups(without(), *entries))

    assert not found.selects("host-new", "Bob@example.org")
    assert found.selects("host-ada", "ada@example.org")
    assert found.selects("host-bob", "") == (not entries)
    assert (found.failed, len(found.warnings)) == ({}, 1)


def test_a_config_of_one_user_who_cannot_be_looked_up_is_no_config_error() -> None:
    found = hosts_of_pass(AccountFilter(emails=("bob@example.org",)), (), lookups(without()))

    assert (found.ids, list(found.failed)) == (frozenset(), ["bob@example.org"])


def test_a_zoom_that_is_down_ends_it_after_the_first_look_ups() -> None:
    directory = zoom()
    directory.down = ServiceUnavailable("zoom: HTTP 503")
    directory.refused = dict.fromkeys(names(*range(ASK_AFTER + 2)), SILENT)

    with pytest.raises(ServiceUnavailable, match="503"):
        select_hosts(AccountFilter(emails=names(*range(ASK_AFTER + 2))), lookups(directory))
    assert len(directory.asked) == ASK_AFTER + 1

    with pytest.raises(ServiceUnavailable, match="503"):
        select_hosts(AccountFilter(emails=names(0)), lookups(directory))


def test_who_could_not_be_looked_up_comes_last_and_not_before_it_is_due() -> None:
    due, early = without(), without()

    later = select_hosts(TWO, lookups(due, troubles={"bob@example.org": a_trouble(2)}))
    kept = select_hosts(TWO, lookups(early, troubles={"bob@example.org": a_trouble(2, 4)}))

    assert due.asked == ["ada@example.org", "bob@example.org", "the reference question"]
    assert later.lookups == {"bob@example.org": a_trouble(3, 4)}
    assert early.asked == ["ada@example.org"]
    assert (kept.failed, kept.lookups) == ({"bob@example.org": None}, {"bob@example.org": a_trouble(2, 4)})
    asked = lookups(early, troubles={"bob@example.org": a_trouble(2, 4)}, ignores_delays=True)
    assert list(select_hosts(TWO, asked).failed.values()) == [SILENT]


def test_ids_are_those_that_zoom_says_or_the_ledger_has() -> None:
    found = lookups(without(), KNOWN)
    select_hosts(AccountFilter(emails=("bob@example.org", "ada@example.org", "x@example.org"), unknown="warn"), found)

    assert found.ids == {"bob@example.org": "host-bob", "ada@example.org": "host-ada"}


@pytest.mark.parametrize(
    ("entries", "narrowed", "failed"), [((), (), {"bob@example.org": SILENT}), ((KNOWN,), ("host-bob",), {})]
)
def test_the_command_line_names_a_user_who_cannot_be_looked_up(
    entries: tuple[Entry, ...], narrowed: tuple[str, ...], failed: dict[str, ZoomsyncError]
) -> None:
    found = narrow_hosts(Hosts(users={}, ids=None), ("bob@example.org",), lookups(without(), *entries))

    assert (found.narrowed, found.failed) == (narrowed, failed)


def test_a_narrowed_pass_is_not_concerned_by_others_who_cannot_be_looked_up() -> None:
    assert hosts_of_pass(TWO, ("ada@example.org",), lookups(without())).failed == {}


@pytest.mark.parametrize("error", [SILENT, REFUSED])
def test_names_that_cannot_be_looked_up_are_missing(error: ZoomsyncError) -> None:
    host = a_user(first_name="", last_name="")

    assert with_names(host, without("host-ada", error)) == host
