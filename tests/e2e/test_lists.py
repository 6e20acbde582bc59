"""Lists that fail, lie or break off: nothing is missed, and the pass tells the truth about it."""

from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site
from tests.sandbox import faults
from tests.sandbox.faults import Fault
from tests.sandbox.stage import Stage
from zoomsync.model import COUNTS, AuthorSource
from zoomsync.zoom import client

TWO = ["alice@example.org", "bob@example.org"]


def two_hosts(begin: Begin, stage: Stage, **overrides: Any) -> Site:
    """Alice and Bob with a meeting each, listed one by one."""
    stage.world.add_user("Bob Example")
    for host in ("alice", "bob"):
        stage.meeting(host, host, 2, f"Of {host}")
        stage.video(host)
    return begin(stage.world, **({"filter_accounts": TWO} | overrides))


BOB = "users/id_bob/recordings"


@pytest.mark.parametrize(
    "fault",
    [
        faults.refused(404, 1001, "User does not exist: bob@example.org"),
        faults.no_rights(),
        faults.page(500),
        faults.ever_new_page_tokens(),
    ],
    ids=["unknown", "no rights", "out of order", "without end"],
)
def test_a_user_whose_list_fails_is_a_gap_of_that_user_which_a_later_pass_closes(
    begin: Begin, stage: Stage, fault: Fault
) -> None:
    site = two_hosts(begin, stage, recordings={"since": "2026-03-01"})
    site.sandbox.fail(BOB, with_=fault, times=None)

    failed = site.sync()

    assert (failed.code, failed.counts["published"], failed.counts["unlisted"]) == (1, 1, 1)
    assert [(str(gap.since)[:10], gap.user) for gap in site.state().head.gaps] == [("2026-03-01", "id_bob")]
    site.sandbox.heal()
    site.clock.advance(hours=1)  # what a server did not answer is left alone for so long
    closed = site.sync()
    assert (closed.code, closed.counts["published"], site.state().head.gaps) == (0, 1, ())


def test_a_gap_of_a_user_stays_until_his_list_works_however_long_that_takes(begin: Begin, stage: Stage) -> None:
    site = two_hosts(begin, stage, recordings={"since": "2026-02-10", "lookback": "1d"})
    site.sandbox.fail(BOB, with_=faults.no_rights(), times=None)
    for _ in range(3):
        assert site.sync().code == 1
        site.clock.advance(days=1)
    site.sandbox.heal()

    result = site.sync()

    assert (result.code, result.counts["published"], site.state().head.gaps) == (0, 1, ())


def test_a_gap_of_a_user_who_leaves_is_closed_with_a_warning(begin: Begin, stage: Stage) -> None:
    site = two_hosts(begin, stage, filter_accounts=[], zoom={"listing": "users", "rate": 80})
    site.sandbox.fail(BOB, with_=faults.no_rights(), times=None)
    assert site.sync().code == 1
    site.sandbox.heal()
    del site.world.users["id_bob"]

    result = site.sync()

    assert (result.code, site.state().head.gaps) == (0, ())
    assert "user id_bob has left" in result.stderr


def test_a_gap_of_a_user_who_is_selected_no_more_is_forgotten(begin: Begin, stage: Stage) -> None:
    site = two_hosts(begin, stage)
    site.sandbox.fail(BOB, with_=faults.no_rights(), times=None)
    assert site.sync().code == 1
    site.configure(filter_accounts=TWO[:1])

    assert (site.sync().code, site.state().head.gaps) == (0, ())


@pytest.mark.parametrize("is_down", [False, True], ids=["the lists alone", "zoom"])
def test_three_lists_in_a_row_out_of_order_end_the_pass_if_zoom_itself_is_down(
    begin: Begin, stage: Stage, is_down: bool
) -> None:
    for number in range(5):
        stage.world.add_user(f"User{number} Example")
    site = two_hosts(begin, stage, filter_accounts=[], zoom={"listing": "users", "rate": 80})
    site.sandbox.fail("/recordings", with_=faults.page(503), times=None)
    if is_down:
        site.sandbox.fail("/v2/users$", with_=faults.page(503), times=None, skip=2)

    result = site.sync()

    assert (result.code, site.files()) == (6 if is_down else 1, [])
    assert len({one for one in site.calls() if "/recordings" in one}) == (3 if is_down else 7)
    site.sandbox.heal()
    site.clock.advance(hours=0 if is_down else 1)
    healed = site.sync()
    assert (healed.code, healed.counts["published"]) == (0, 2)


@pytest.mark.parametrize(
    "fault",
    [faults.page(502), faults.page(200), faults.body("[1, 2]", "application/json"), faults.ever_new_page_tokens()],
    ids=["out of order", "a page", "no list", "without end"],
)
def test_an_account_wide_list_that_fails_gives_way_to_the_lists_of_users_and_nothing_is_missed(
    begin: Begin, stage: Stage, fault: Fault
) -> None:
    site = two_hosts(begin, stage, filter_accounts=[])
    site.sandbox.fail("/accounts/me", with_=fault, times=None)

    result = site.sync()

    assert (result.code, result.counts["published"], site.state().head.gaps) == (0, 2, ())
    assert result.stderr.count("listing user by user instead") == 1
    assert site.run("status", "--check").code == 0


@pytest.mark.parametrize(
    ("total", "said"),
    [
        (3, "1 meeting fewer than Zoom counts, twice: taken as it is"),
        (9, "7 meetings fewer than the 9 that Zoom counts; listing user by user instead"),
    ],
)
def test_an_account_wide_list_of_which_zoom_counts_more_is_taken_if_one_is_missing_and_else_not_trusted(
    begin: Begin, stage: Stage, total: int, said: str
) -> None:
    site = two_hosts(begin, stage, filter_accounts=[], recordings={"since": "2026-03-01"})
    site.sandbox.fail("/accounts/me", with_=faults.document(total_records=total), times=None)

    result = site.sync()

    assert (result.code, result.counts["published"], result.stderr.count(said)) == (0, 2, 1)


def test_what_was_listed_before_a_later_window_fails_is_published(begin: Begin, stage: Stage) -> None:
    site = two_hosts(begin, stage, filter_accounts=[])
    stage.meeting("old", "alice", 40, "Older")
    stage.video("old")
    site.sandbox.fail("/accounts/me", with_=faults.page(502), times=None, skip=1)
    site.sandbox.fail("/v2/users$", with_=faults.page(502), times=None, skip=1)  # zoom itself

    failed = site.sync()

    assert (failed.code, failed.counts["published"]) == (6, 2)
    (gap,) = site.state().head.gaps
    assert (str(gap.since)[:10], str(gap.until)[:10], gap.user) == ("2026-01-09", "2026-02-24", None)
    site.sandbox.heal()
    assert (site.sync().counts["published"], site.state().head.gaps) == (1, ())


def test_a_window_that_zoom_cuts_short_is_listed_in_halves(begin: Begin, stage: Stage) -> None:
    site = two_hosts(begin, stage, filter_accounts=[], recordings={"since": "2026-03-01", "sweep": "never"})
    site.sandbox.fail("/accounts/me", with_=faults.document(**{"from": "2026-03-08"}), times=1)

    result = site.sync()

    assert (result.code, result.counts["published"]) == (0, 2)
    asked = [(one.query["from"], one.query["to"]) for one in site.sandbox.seen("GET", "/accounts/me")]
    assert asked == [("2026-03-01", "2026-03-11"), ("2026-03-01", "2026-03-06"), ("2026-03-06", "2026-03-11")]


def test_a_window_with_too_much_for_one_list_is_listed_in_parts(
    begin: Begin, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MOST_LISTED", 4)
    for number in range(12):
        stage.meeting(f"m{number}", "alice", 1 + number, f"Day {number}")
        stage.video(f"m{number}")
    for number in range(6):  # of one day, which cannot be parted
        stage.meeting(f"same-{number}", "alice", 20, "Same day")
        stage.video(f"same-{number}")
    site = begin(stage.world, recordings={"since": "2026-02-10"})

    first = site.sync()

    assert (first.code, first.counts["published"], site.state().head.gaps) == (0, 18, ())
    site.clock.advance(hours=1)
    stage.transcript("m11")
    assert (site.sync().counts["updated"], site.state().head.gaps) == (1, ())


def test_pages_are_followed_to_the_last(begin: Begin, stage: Stage) -> None:
    for number in range(7):
        stage.meeting(f"m{number}", "alice", 2 + number, f"Meeting {number}")
        stage.video(f"m{number}", seconds=3)
    site = begin(stage.world, filter_accounts=["alice@example.org"], recordings={"since": "2026-03-01"})
    site.sandbox.settings.page_cap = 2

    result = site.sync()

    assert (result.code, result.counts) == (0, {"published": 7, "calls": 6, "downloads": 14})


def test_every_count_is_in_every_document(begin: Begin, stage: Stage) -> None:
    site = two_hosts(begin, stage)

    planned, passed = site.sync("--dry-run").document["counts"], site.sync().document["run"]["counts"]

    (remembered,) = (run["counts"] for run in site.run("--json", "status").document["runs"])
    assert set(planned) == {*COUNTS, *(f"author_{source}" for source in AuthorSource)}
    assert tuple(passed) == tuple(remembered) == COUNTS


@pytest.mark.parametrize(
    "fault", [faults.repeated_page_token(), faults.refused(400, 300, "The next page token is invalid or expired.")]
)
def test_a_broken_chain_of_pages_is_begun_again(begin: Begin, stage: Stage, fault: Fault) -> None:
    for number in range(7):
        stage.meeting(f"m{number}", "alice", 2 + number, f"Meeting {number}")
        stage.video(f"m{number}", seconds=3)
    site = begin(stage.world, filter_accounts=["alice@example.org"], recordings={"since": "2026-03-01"})
    site.sandbox.settings.page_cap = 2
    site.sandbox.fail("/recordings", with_=fault, times=1, skip=2)

    result = site.sync()

    assert (result.code, result.counts["published"]) == (0, 7)


@pytest.mark.parametrize("form", ["seconds", "missing"])
def test_a_rate_limit_is_waited_for(begin: Begin, stage: Stage, form: str) -> None:
    site = two_hosts(begin, stage)
    site.sandbox.fail("/v2/", with_=faults.rate_limited(form, seconds=17), times=3)

    result = site.sync()

    assert (result.code, result.counts["published"]) == (0, 2)
    waited = [pause for pause in site.clock.slept if pause >= 1]
    assert waited == ([17.0] * 3 if form == "seconds" else [1.0, 2.0, 4.0])


def test_a_daily_limit_ends_the_pass_without_a_pause(begin: Begin, stage: Stage) -> None:
    site = two_hosts(begin, stage)
    site.sandbox.fail("/v2/", with_=faults.rate_limited("seconds", 7 * 3600, "Daily-limit"), times=None)

    result = site.sync()

    assert (result.code, site.clock.slept) == (6, [])
    assert site.calls()[1:] == ["GET /users/alice@example.org", "GET /users/bob@example.org", "GET /users"]
    assert "asks for a pause of 7 h" in result.stderr


def test_limits_of_the_account_are_kept_by_the_configured_rate(begin: Begin, stage: Stage) -> None:
    site = two_hosts(begin, stage, zoom={"rate": 2}, recordings={"since": "2026-01-01"})

    assert site.sync().code == 0

    assert site.clock.monotonic() - 1000 >= (len(site.calls()) - 2) / 2


def test_a_deactivated_user_whose_list_fails_is_a_gap_beside_a_good_account_wide_list(
    begin: Begin, stage: Stage
) -> None:
    stage.world.add_user("Dan Departed", status="inactive")
    site = two_hosts(begin, stage, filter_accounts=[], recordings={"since": "2026-03-01"})
    site.sandbox.fail("users/id_dan/recordings", with_=faults.no_rights(), times=None)

    result = site.sync()

    assert (result.code, result.counts["published"]) == (1, 2)
    assert [gap.user for gap in site.state().head.gaps] == ["id_dan"]


def test_users_that_cannot_be_listed_end_the_pass_before_anything(begin: Begin, stage: Stage) -> None:
    site = two_hosts(begin, stage, filter_accounts=[])
    site.sandbox.fail("/v2/users$", with_=faults.page(500), times=None)

    assert (site.sync().code, site.files()) == (6, [])


def test_a_recording_without_a_host_or_a_uuid_does_not_stop_the_others(begin: Begin, stage: Stage) -> None:
    stage.meeting("hostless", "alice", 3, "Without a host").raw = {"host_id": ""}
    stage.video("hostless")
    stage.meeting("nameless", "alice", 4, "Without a uuid").omit = ("uuid",)
    stage.video("nameless")
    site = two_hosts(begin, stage, filter_accounts=[])

    result = site.sync()

    assert (result.code, result.counts["published"], result.counts["unreadable"]) == (1, 3, 1)
    assert "alice@example.org" in str(site.item("hostless"))
    assert "Zoom lists it without a uuid" in result.stderr
