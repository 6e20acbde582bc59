"""Whose recordings the config selects, asked of Zoom with no more calls than that needs."""

from typing import Any

import pytest

from tests.fakes import FakeZoom, a_user, an_entry
from zoomsync.errors import ConfigError, UsageError
from zoomsync.model import User
from zoomsync.sync.accounts import FEW, AccountFilter, Hosts, narrow_hosts, select_hosts

ADA = a_user()
BOB = a_user(id="host-bob", email="bob@example.org", first_name="Bob")
DAN = a_user(id="host-dan", email="dan@example.org", status="inactive")
PIA = a_user(id="", email="pia@example.org", status="pending")
GONE = an_entry(host_id="host-gone", host_email="Gone@example.org")


def zoom() -> FakeZoom:
    return FakeZoom(ADA, BOB, DAN, PIA)


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
            ["bob@example.org", "ada@example.org", "bob@example.org"],
        ),
    ],
    ids=["everyone", "everyone, account-wide", "everyone, user by user", "one", "inactive", "but one", "two but one"],
)
def test_the_config_selects(wanted: AccountFilter, expected: Hosts, asked: list[str]) -> None:
    directory = zoom()

    assert select_hosts(wanted, directory, []) == expected
    assert directory.asked == asked


def test_a_long_filter_is_looked_up_in_the_lists_of_users() -> None:
    crowd = a_crowd(FEW + 5)
    directory = FakeZoom(*crowd)

    found = select_hosts(AccountFilter(emails=names(*range(FEW + 1))), directory, [])

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
        select_hosts(wanted, zoom(), [])

    assert str(caught.value) == "filter_accounts: adda@example.org, bop@example.org: Zoom knows no such user"
    assert caught.value.hint == "correct the address, or set `unknown_accounts: warn`"


@pytest.mark.parametrize("emails", [(), ("ada@example.org",)], ids=["of everyone", "of some"])
def test_a_misspelt_exclusion_is_a_config_error_because_it_would_publish_somebody(emails: tuple[str, ...]) -> None:
    wanted = AccountFilter(emails=emails, excluded=("bop@example.org", "bob@example.org", "gone@example.org"))

    with pytest.raises(ConfigError) as caught:
        select_hosts(wanted, zoom(), [GONE])

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
    found = select_hosts(AccountFilter(**changes), zoom(), [GONE])

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

    assert narrow_hosts(found, ("ada@example.org",), zoom()) == Hosts(
        users=by_id(DAN, ADA), ids=None, narrowed=("host-ada",)
    )


def test_the_command_line_does_not_narrow_without_users() -> None:
    directory = zoom()
    found = Hosts(users={}, ids=None)

    assert narrow_hosts(found, (), directory) is found
    assert directory.asked == []


def test_the_command_line_never_widens_the_selection() -> None:
    found = Hosts(users=by_id(ADA), ids=frozenset({"host-ada"}))

    with pytest.raises(UsageError) as caught:
        narrow_hosts(found, ("ada@example.org", "bob@example.org", "nobody@example.org"), zoom())

    assert str(caught.value) == (
        "--user nobody@example.org, bob@example.org: Zoom does not know it, or the config does not select it"
    )
