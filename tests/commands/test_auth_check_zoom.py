"""Token, clock, scopes and accounts."""

from datetime import timedelta

import pytest

from tests.commands.checking import DELETES, Begin, hints, reported
from tests.e2e.harness import Site
from tests.fakes import an_entry
from tests.sandbox import faults
from tests.sandbox.settings import CLASSIC, CLASSIC_READING, DELETING, READING
from zoomsync.state import State

ONE_MEETING = "cloud_recording:read:list_recording_files:admin"
READ_ALL = "ok scopes: everything that reading needs"
AFTER_TOKEN = [f"warn {name}: not checked: token failed" for name in ("clock", "scopes", "accounts")]


def test_a_wrong_secret_is_said_once(begin: Begin) -> None:
    site = begin(zoom={"client_secret": "not it"})

    assert reported(site) == (
        3,
        ["fail token: zoom: no token: Invalid client_id or client_secret (HTTP 400, invalid_client)", *AFTER_TOKEN],
    )
    assert hints(site) == ["check zoom.client_id and zoom.client_secret, and that the app is activated"]


def test_a_wrong_account(begin: Begin) -> None:
    site = begin(zoom={"account_id": "another"})

    assert reported(site, "--only", "zoom") == (
        3,
        ["fail token: zoom: no token: Account does not exist (HTTP 400, invalid_request)", *AFTER_TOKEN],
    )


def test_a_page_instead_of_a_token(site: Site) -> None:
    site.sandbox.fail("/oauth/token", with_=faults.page(200, "Welcome to the hotel"))

    assert reported(site, "--only", "zoom") == (
        6,
        ["fail token: zoom: no token: a page titled “Welcome to the hotel” (HTTP 200)", *AFTER_TOKEN],
    )


def test_a_page_instead_of_the_users(site: Site) -> None:
    site.sandbox.fail("/v2/users", with_=faults.page(200, "Welcome to the hotel"))

    assert reported(site, "--only", "zoom") == (
        6,
        ["fail accounts: zoom: inactive users: HTTP 200: a page titled “Welcome to the hotel”"],
    )


def test_zoom_cannot_be_reached(begin: Begin) -> None:
    site = begin()
    site.sandbox.close()

    assert reported(site, "--only", "zoom") == (
        6,
        ["fail token: zoom: <zoom>: connection refused (3 tries)", *AFTER_TOKEN],
    )
    assert site.clock.slept == [1.0, 2.0]


@pytest.mark.parametrize(
    ("scopes", "code", "rows"),
    [
        pytest.param(
            tuple(scope for scope in READING if scope != ONE_MEETING),
            3,
            [
                f"fail scopes: missing: meeting: recording:read:admin (classic) or {ONE_MEETING} (granular)",
                "warn accounts: not checked: scopes failed",
            ],
            id="granular",
        ),
        pytest.param(
            ("recording:read:admin", "account:read:admin"),
            3,
            [
                "fail scopes: missing: users: user:read:admin (classic) or user:read:list_users:admin (granular)",
                "warn accounts: not checked: scopes failed",
            ],
            id="classic",
        ),
        pytest.param(CLASSIC_READING, 0, [READ_ALL, "ok accounts: every user of the account"], id="all classic"),
        pytest.param(
            ("recording:read:admin", "user:read:admin"),
            0,
            [
                f"{READ_ALL}; not the list for the whole account: each user is listed alone",
                "ok accounts: every user of the account",
            ],
            id="no account list",
        ),
        pytest.param(
            READING + DELETING,
            0,
            [
                READ_ALL,
                f"warn scopes: more than this config needs: {', '.join(DELETING)}",
                "ok accounts: every user of the account",
            ],
            id="surplus",
        ),
    ],
)
def test_scopes_are_named(site: Site, scopes: tuple[str, ...], code: int, rows: list[str]) -> None:
    site.sandbox.settings.scopes = scopes

    found_code, found = reported(site, "--only", "zoom", all_of_it=True)

    assert (found_code, found[3:]) == (code, rows)


@pytest.mark.parametrize("is_enough", [True, False])
def test_a_wider_scope_is_warned_of_and_zoom_says_itself_if_it_is_not_enough(
    site: Site, monkeypatch: pytest.MonkeyPatch, is_enough: bool
) -> None:
    site.sandbox.settings.scopes = (*(scope for scope in READING if not scope.startswith("user:")), "user:write:admin")
    if is_enough:
        monkeypatch.setattr(site.sandbox.tokens, "_has_scope", lambda _need: True)
    users = "user:read:admin (classic) or user:read:list_users:admin (granular)"

    code, rows = reported(site, "--only", "zoom")

    assert (code, rows[0]) == (0 if is_enough else 3, f"warn scopes: has users: user:write:admin in place of {users}")
    lacks = f"fail accounts: zoom: inactive users: the app lacks a scope: {users}"
    assert rows[1:] == ([] if is_enough else [lacks])
    assert hints(site, "--only", "zoom")[0] == "Zoom says itself (4711) if that is not enough"


def test_a_token_that_names_no_scopes_is_taken_as_it_is(site: Site) -> None:
    site.sandbox.fail("/oauth/token", with_=faults.document(scope=""))

    assert reported(site, "--only", "zoom") == (0, ["warn scopes: Zoom does not say which this app has: not compared"])


def test_the_right_to_delete_is_wanted_where_deletion_is_on_and_nothing_else_waits_for_it(begin: Begin) -> None:
    site = begin(**DELETES)
    without = reported(site, "--only", "zoom", all_of_it=True)
    site.sandbox.settings.scopes = CLASSIC
    with_ = reported(site, "--only", "zoom", all_of_it=True)

    lack = "missing: delete: recording:write:admin (classic) or cloud_recording:delete:recording_file:admin (granular)"
    every = "ok accounts: every user of the account"
    assert (without[0], without[1][3:]) == (3, [READ_ALL, f"fail deletion: {lack}", every])
    assert (with_[0], with_[1][3:]) == (0, [READ_ALL, "ok deletion: allowed to delete recordings", every])


def test_a_clock_that_is_eleven_minutes_off(site: Site) -> None:
    site.sandbox.settings.skew = timedelta(minutes=11)

    assert reported(site, "--only", "zoom") == (
        5,
        ["fail clock: clock: this machine says 2026-03-10 12:00 UTC, Zoom says 2026-03-10 12:11 UTC"],
    )


def test_a_clock_that_is_nine_minutes_off_is_good_enough(site: Site) -> None:
    site.sandbox.settings.skew = timedelta(minutes=-9)

    assert "ok clock: 9 min off Zoom's" in reported(site, all_of_it=True)[1]


def test_without_zooms_time_nothing_may_be_deleted(begin: Begin) -> None:
    site = begin(**DELETES)
    site.sandbox.settings.scopes = CLASSIC
    site.sandbox.settings.sends_date = False
    on = reported(site, "--only", "zoom")
    site.configure(delete_recordings="never")
    site.sandbox.settings.scopes = READING

    assert on[0] == 5
    assert on[1][0].startswith("fail clock: zoom: its answer has no date")
    assert "ok clock: Zoom's answer has no date: not compared" in reported(site, all_of_it=True)[1]


def test_each_unknown_address_is_named_and_one_that_the_ledger_knows_has_departed(begin: Begin) -> None:
    filters = ["alice@example.org", "nobody@example.org", "nil@example.org", "gone@example.org"]
    site = begin(filter_accounts=filters, exclude_accounts=["nix@example.org"])
    with State.open(site.folder / "state" / "state.json", new_id="f" * 32) as state:
        state.put(an_entry(host_email="gone@example.org", host_id="id_gone"))
    site.sandbox.settings.scopes = tuple(s for s in READING if "list_users" not in s and "account" not in s)

    left = ["warn accounts: filter_accounts: gone@example.org: has departed, Zoom knows it no more"]
    unknown = ["accounts: exclude_accounts: nix@example.org: Zoom knows no such user"]
    unknown += [f"accounts: filter_accounts: {who}@example.org: Zoom knows no such user" for who in ("nobody", "nil")]
    assert reported(site) == (2, [*left, *(f"fail {row}" for row in unknown)])
    assert hints(site)[1:] == ["correct the address, or set `unknown_accounts: warn`"] * 2

    site.configure(unknown_accounts="warn")
    assert reported(site) == (0, [*left, *(f"warn {row}" for row in unknown)])


def test_known_addresses_are_counted(begin: Begin) -> None:
    site = begin(filter_accounts=["Alice@example.org"])

    assert "ok accounts: 1 e-mail known to Zoom" in reported(site, "--only", "zoom", all_of_it=True)[1]
