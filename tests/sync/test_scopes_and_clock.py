"""What Zoom lets the app do, and whether both clocks agree."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.config.builders import a_config
from tests.fakes import NOW, FakeZoom
from zoomsync.errors import ClockWrong, NotAuthorized
from zoomsync.model import Authorization
from zoomsync.sync.accounts import (
    AccountFilter,
    GrantedScopes,
    authorize,
    check_clock,
    granted_scopes,
    needed_scopes,
    require_scopes,
)
from zoomsync.sync.lookups import FEW

READ = "cloud_recording:read:list"
ACCOUNT, USER = f"{READ}_account_recordings:admin", f"{READ}_user_recordings:admin"
MEETING, DELETE = f"{READ}_recording_files:admin", "cloud_recording:delete:recording_file:admin"
USERS, ONE = "user:read:list_users:admin", "user:read:user:admin"
EVERYTHING = frozenset({ACCOUNT, USER, MEETING, USERS, ONE, DELETE})
CLASSIC = frozenset({"recording:read:admin", "recording:write:admin", "user:read:admin", "account:read:admin"})
ADA = ("ada@example.org",)
MANY = tuple(f"{number}@example.org" for number in range(FEW + 1))


@pytest.mark.parametrize(
    ("wanted", "may_list_account", "expected"),
    [
        (AccountFilter(), True, ["meeting", "account list", "user list", "users"]),
        (AccountFilter(), False, ["meeting", "user list", "users"]),
        (AccountFilter(listing="account"), False, ["meeting", "account list", "user list", "users"]),
        (AccountFilter(listing="users"), True, ["meeting", "user list", "users"]),
        (AccountFilter(emails=ADA), True, ["meeting", "user list", "user"]),
        (AccountFilter(emails=MANY), True, ["meeting", "account list", "users", "user"]),
        (AccountFilter(emails=MANY), False, ["meeting", "user list", "users", "user"]),
        (AccountFilter(excluded=ADA), True, ["meeting", "account list", "user list", "users", "user"]),
    ],
)
def test_a_config_needs_these_scopes(wanted: AccountFilter, may_list_account: bool, expected: list[str]) -> None:
    assert needed_scopes(wanted, may_list_account=may_list_account) == expected


@pytest.mark.parametrize(
    ("granted", "deletes", "expected"),
    [
        (frozenset(), True, GrantedScopes(missing=(), may_delete=True, may_list_account=True, surplus=())),
        (EVERYTHING, True, GrantedScopes(missing=(), may_delete=True, may_list_account=True, surplus=())),
        (EVERYTHING, False, GrantedScopes(missing=(), may_delete=True, may_list_account=True, surplus=(DELETE,))),
        (CLASSIC, True, GrantedScopes(missing=(), may_delete=True, may_list_account=True, surplus=())),
        (
            EVERYTHING - {ACCOUNT, DELETE},
            True,
            GrantedScopes(missing=(), may_delete=False, may_list_account=False, surplus=()),
        ),
        (
            EVERYTHING | {"meeting:write:admin"},
            True,
            GrantedScopes(missing=(), may_delete=True, may_list_account=True, surplus=("meeting:write:admin",)),
        ),
        (
            EVERYTHING - {USERS},
            True,
            GrantedScopes(
                missing=(f"users: user:read:admin (classic) or {USERS} (granular)",),
                may_delete=True,
                may_list_account=True,
                surplus=(),
            ),
        ),
    ],
    ids=["not told", "everything", "more than reading", "classic", "no account list", "too much", "too little"],
)
def test_the_granted_scopes_are_held_against_the_needed_ones(
    granted: frozenset[str], deletes: bool, expected: GrantedScopes
) -> None:
    assert granted_scopes(Authorization(scopes=granted), AccountFilter(), deletes=deletes) == expected


@pytest.mark.parametrize("deletes", [True, False])
def test_wider_scopes_in_place_of_needed_ones_are_told_and_tried(
    caplog: pytest.LogCaptureFixture, deletes: bool
) -> None:
    zoom = FakeZoom()
    scopes = frozenset({"recording:master", "account:master", "user:write:admin"})
    zoom.authorization = Authorization(scopes=scopes, server_date=NOW)
    delete: dict[str, Any] = {"delete_recordings": "trash", "delete_all_accounts": True} if deletes else {}

    assert authorize(a_config(**delete), zoom, NOW) == (AccountFilter(), True)

    needs = ["meeting", "account list", "user list", "users", *(["delete"] if deletes else [])]
    told = [one for one in caplog.messages if "in place of" in one]
    assert [one.split(":")[1].removeprefix(" the app has ") for one in told] == needs
    assert all(one.endswith("; Zoom says itself (4711) if that is not enough") for one in told)


def test_wider_scopes_that_are_used_are_no_surplus() -> None:
    granted = Authorization(scopes=(EVERYTHING - {USERS, ONE}) | {"user:write:admin"})

    found = granted_scopes(granted, AccountFilter(), deletes=True)

    assert (found.missing, found.surplus) == ((), ())
    assert [one.partition(":")[0] for one in found.doubtful] == ["users"]


def test_a_missing_reading_scope_stops_everything() -> None:
    found = GrantedScopes(missing=("users: a", "meeting: b"), may_delete=True, may_list_account=True, surplus=())

    with pytest.raises(NotAuthorized) as caught:
        require_scopes(found)

    assert str(caught.value) == "zoom: the app lacks users: a; meeting: b"
    assert "App Marketplace" in caught.value.hint


@pytest.mark.parametrize(
    ("granted", "listing", "expected"),
    [
        (EVERYTHING, "auto", (AccountFilter(), True)),
        (EVERYTHING - {ACCOUNT}, "auto", (AccountFilter(listing="users"), True)),
        (EVERYTHING - {DELETE}, "auto", (AccountFilter(), False)),
        (EVERYTHING, "users", (AccountFilter(listing="users"), True)),
    ],
    ids=["everything", "no account list", "no deletion", "as configured"],
)
def test_a_pass_lists_and_deletes_as_far_as_the_app_may(
    granted: frozenset[str], listing: str, expected: tuple[AccountFilter, bool]
) -> None:
    zoom = FakeZoom()
    zoom.authorization = Authorization(scopes=granted, server_date=NOW)
    config = a_config(zoom={"listing": listing}, delete_recordings="trash", delete_all_accounts=True)

    assert authorize(config, zoom, NOW) == expected


def test_a_pass_that_may_only_list_the_account_is_not_begun_without_that_scope() -> None:
    zoom = FakeZoom()
    zoom.authorization = Authorization(scopes=EVERYTHING - {ACCOUNT}, server_date=NOW)

    with pytest.raises(NotAuthorized, match="account list"):
        authorize(a_config(zoom={"listing": "account"}), zoom, NOW)


def test_a_missing_deleting_scope_stops_nothing_here() -> None:
    require_scopes(GrantedScopes(missing=(), may_delete=False, may_list_account=False, surplus=()))


@pytest.mark.parametrize(
    ("server_date", "deletes", "expected"),
    [
        (NOW, True, "agrees with Zoom's"),
        (NOW + timedelta(seconds=1), True, "agrees with Zoom's"),
        (NOW - timedelta(seconds=90), True, "1 min 30 s off Zoom's"),
        (NOW + timedelta(minutes=10), True, "10 min off Zoom's"),
        (None, False, "Zoom's answer has no date: not compared"),
    ],
)
def test_the_clocks_agree(server_date: datetime | None, deletes: bool, expected: str) -> None:
    assert check_clock(server_date, NOW, deletes=deletes) == expected


@pytest.mark.parametrize(
    ("server_date", "deletes", "expected"),
    [
        (
            NOW + timedelta(minutes=10, seconds=1),
            False,
            "clock: this machine says 2026-03-10 12:00 UTC, Zoom says 2026-03-10 12:10 UTC",
        ),
        (
            NOW - timedelta(days=365),
            True,
            "clock: this machine says 2026-03-10 12:00 UTC, Zoom says 2025-03-10 12:00 UTC",
        ),
        (
            None,
            True,
            "zoom: its answer has no date, so this machine's clock cannot be checked while deletion is on",
        ),
    ],
)
def test_the_clocks_do_not_agree(server_date: datetime | None, deletes: bool, expected: str) -> None:
    with pytest.raises(ClockWrong) as caught:
        check_clock(server_date, NOW, deletes=deletes)

    assert str(caught.value) == expected
    assert caught.value.hint
