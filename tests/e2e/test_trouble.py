"""Trouble stays with its subject: nothing broken ever starves the rest, in this pass or in a later one."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Result, Site
from tests.sandbox import faults
from tests.sandbox.faults import Fault
from tests.sandbox.settings import GRANULAR
from tests.sandbox.stage import Stage

HOSTS = ("alice", "bob", "carol", "dora", "emil", "fred")
BROKEN = ("bob", "carol", "dora")
EACH: dict[str, Any] = {"filter_accounts": [f"{host}@example.org" for host in HOSTS]}
WHOLE: dict[str, Any] = {"filter_accounts": []}
DELETES = {"delete_recordings": "trash", "delete_all_accounts": True}
LIST_OF_BOB = "users/id_bob/recordings"
MISSING_SCOPE = faults.no_scope("cloud_recording:read:list_user_recordings:admin")


@pytest.fixture
def site(begin: Begin, stage: Stage) -> Site:
    """Six hosts, listed one by one, each with a meeting of two days ago that has the host's name."""
    return six_hosts(begin, stage)


def six_hosts(begin: Begin, stage: Stage, **overrides: Any) -> Site:
    """Likewise, with another config."""
    for host in HOSTS[1:]:
        stage.world.add_user(f"{host.title()} Example")
    for host in HOSTS:
        stage.meeting(host, host, 2, f"Of {host}")
        stage.video(host, seconds=3)
    return begin(stage.world, **{"recordings": {"since": "2026-03-01"}, **EACH, **overrides})


def one_more_each(site: Site, stage: Stage, label: str) -> None:
    """A new meeting of every host, some hours old."""
    for host in HOSTS:
        stage.meeting(f"{host} {label}", host, 0.2, f"Of {host} {label}").start = site.clock.now().replace(hour=1)
        stage.video(f"{host} {label}", seconds=3)


def authors(site: Site) -> list[str]:
    """Whose items lie in the library."""
    return sorted({path.relative_to(site.root).parts[1].partition("@")[0] for path in site.files()})


def gaps(site: Site) -> dict[str, str]:
    """E-mail of each user whose list has a gap → the reason that `status` gives."""
    document = site.run("--json", "status").document
    return {gap["email"]: gap["reason"] for gap in document["gaps"] if gap["email"]}


def but(*broken: str) -> list[str]:
    """The hosts that are not broken."""
    return [host for host in HOSTS if host not in broken]


# Z1, Z5: one user's list


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (MISSING_SCOPE, "although the token has the scope"),
        (faults.bad_token(), "Invalid access token"),
        (faults.refused(403, 403, "Forbidden for this user"), "Forbidden for this user"),
        (faults.refused(400, 1000, "no such thing"), "no such thing"),
        (faults.refused(404, 2300, "This API endpoint is not recognized."), "not recognized"),
        (faults.page(404), "HTTP 404"),
        (faults.page(500), "HTTP 500"),
        (faults.body("", "application/json"), "no reason given"),
        (faults.body("[]", "application/json"), "no reason given"),
        (faults.without("meetings"), "without a list of meetings"),
        (faults.document(meetings=None), "without a list of meetings"),
        (faults.document(meetings=[1, 2]), "without a list of meetings"),
    ],
    ids=["4711", "124", "403", "1000", "2300", "404 page", "500", "empty", "[]", "no meetings", "null", "odd list"],
)
def test_one_users_list_is_a_gap_of_that_user_with_the_reason(site: Site, fault: Fault, reason: str) -> None:
    site.sandbox.fail(LIST_OF_BOB, with_=fault, times=None)

    result = site.sync()

    assert (result.code, authors(site)) == (1, but("bob")), result.stderr
    assert list(gaps(site)) == ["bob@example.org"]
    assert reason in gaps(site)["bob@example.org"]
    assert "bob@example.org" in site.run("status").stdout
    assert "bob@example.org" in site.run("status", "--check").stdout


def test_a_list_that_is_not_asked_for_again_yet_is_the_reason_that_a_quiet_pass_gives(site: Site) -> None:
    site.sandbox.fail(LIST_OF_BOB, with_=faults.page(500), times=None)
    site.sync()
    site.sandbox.heal()

    later = site.run("-q", "sync")
    now = site.run("-q", "sync", "--retry-failed")

    reason, ending = later.stderr.splitlines()
    assert (later.code, now.code, now.stderr) == (1, 0, "")
    assert "not listed: bob@example.org: zoom: " in reason
    assert "--retry-failed" in reason
    assert "1 unlisted" in ending


@pytest.mark.parametrize(
    "fault",
    [
        faults.refused(404, 3301, "There is no recording for this session"),
        faults.refused(400, 200, "Only available for Paid account."),
    ],
    ids=["nothing there", "not paid"],
)
def test_a_user_without_recordings_or_licence_is_no_failure(site: Site, fault: Fault) -> None:
    site.sandbox.fail(LIST_OF_BOB, with_=fault, times=None)

    result = site.sync()

    assert (result.code, authors(site), gaps(site)) == (0, but("bob"), {})


def test_a_list_without_meetings_that_counts_none_is_empty(begin: Begin, stage: Stage) -> None:
    site = six_hosts(begin, stage)
    for file in stage.world.meetings[stage.world.names["bob"]].files:
        file.deleted = True
    site.sandbox.fail(LIST_OF_BOB, with_=faults.without("meetings"), times=None)

    assert (site.sync().code, authors(site), gaps(site)) == (0, but("bob"), {})


@pytest.mark.parametrize(
    "fault",
    [
        MISSING_SCOPE,
        faults.without("meetings"),
        faults.body("", "application/json"),
        faults.page(404),
        faults.page(500),
        faults.ever_new_page_tokens(),
    ],
    ids=["4711", "no meetings", "empty", "404 page", "500", "without end"],
)
def test_an_account_wide_list_that_fails_is_replaced_by_the_lists_of_users(
    begin: Begin, stage: Stage, fault: Fault
) -> None:
    site = six_hosts(begin, stage, **WHOLE)
    site.sandbox.fail("accounts/me/recordings", with_=fault, times=None)

    result = site.sync()

    assert (result.code, authors(site)) == (0, [*HOSTS]), result.stderr
    assert result.stderr.count("user by user") == 1


# Z6: three in a row


@pytest.mark.parametrize("status", [500, 503])
def test_three_broken_lists_in_a_row_starve_nobody(site: Site, stage: Stage, status: int) -> None:
    for host in BROKEN:
        site.sandbox.fail(f"users/id_{host}/recordings", with_=faults.page(status), times=None)

    first = site.sync()
    one_more_each(site, stage, "second")
    second = site.sync()

    assert (first.code, second.code) == (1, 1), first.stderr + second.stderr
    assert authors(site) == but(*BROKEN)
    assert second.counts["published"] == len(but(*BROKEN))
    site.sandbox.heal()
    site.clock.advance(days=2)
    assert (site.sync().code, authors(site), gaps(site)) == (0, [*HOSTS], {})


def test_a_broken_list_is_asked_last_and_once_and_costs_a_later_pass_no_time(site: Site) -> None:
    site.sandbox.fail("users/id_alice/recordings", with_=faults.page(500), times=None)
    site.sync()
    site.clock.advance(hours=1)
    site.clock.slept.clear()

    site.sync()

    lists = [one for one in site.calls() if one.endswith("/recordings")]
    assert (lists.count("GET /users/id_alice/recordings"), lists[-1]) == (1, "GET /users/id_alice/recordings")
    assert sum(pause for pause in site.clock.slept if pause >= 1) <= 5


def test_a_broken_list_is_left_alone_for_pauses_that_double(site: Site) -> None:
    site.sandbox.fail(LIST_OF_BOB, with_=faults.page(500), times=None)
    asked = []
    for _ in range(12):
        site.sync()
        asked.append("GET /users/id_bob/recordings" in site.calls())
        site.clock.advance(hours=1)

    assert asked == [True, True, False, True, False, False, False, True, False, False, False, False]


def test_a_zoom_that_is_out_of_order_ends_the_pass_with_6(site: Site) -> None:
    site.sandbox.fail("/v2/users", with_=faults.page(503), times=None)
    site.configure(**WHOLE)

    assert (site.sync().code, authors(site) if site.root.exists() else []) == (6, [])


def test_lists_and_reference_question_that_fail_together_end_the_pass_with_6(begin: Begin, stage: Stage) -> None:
    site = six_hosts(begin, stage)
    site.sync()
    one_more_each(site, stage, "second")
    site.sandbox.fail("/recordings", with_=faults.page(503), times=None)
    site.sandbox.fail("/v2/users$", with_=faults.page(503), times=None)

    result = site.sync()

    assert result.code == 6
    assert len({one for one in site.calls() if one.endswith("/recordings")}) == 3
    site.sandbox.heal()
    site.clock.advance(days=1)
    assert (site.sync().code, site.run("status", "--check").code) == (0, 0)


# Z2, Z7: deletions


def week_old(site: Site, **overrides: Any) -> None:
    """What the first pass stored is due for deletion."""
    assert site.sync().code == 0
    site.configure(**{**DELETES, **overrides})
    site.clock.advance(days=8)


@pytest.mark.parametrize(
    "fault",
    [faults.page(500), faults.bad_token(), faults.no_scope("cloud_recording:delete:recording_file:admin"),
     faults.refused(400, 300, "no"), faults.refused(429, 429, "Too many concurrent requests.")],
    ids=["500", "124", "4711", "300", "429"],
)  # fmt: skip
def test_a_deletion_endpoint_that_fails_ends_the_deletions_and_not_the_pass(
    site: Site, stage: Stage, fault: Fault
) -> None:
    week_old(site)
    one_more_each(site, stage, "second")
    site.sandbox.fail("/recordings/", method="DELETE", with_=fault, times=None)

    result = site.sync()

    assert (result.code, result.counts["published"], site.world.deletions) == (1, len(HOSTS), []), result.stderr
    site.sandbox.heal()
    site.clock.advance(days=2)
    healed = site.sync()
    assert (healed.code, len(site.world.deletions)) == (0, len(HOSTS)), healed.stderr


@pytest.mark.parametrize("fault", [MISSING_SCOPE, faults.bad_token(), faults.page(500), faults.page(404)])
def test_meetings_that_cannot_be_read_before_their_deletion_stay_and_the_rest_goes_on(
    site: Site, stage: Stage, fault: Fault
) -> None:
    week_old(site)
    one_more_each(site, stage, "second")
    for host in BROKEN:
        site.sandbox.fail(f"/meetings/{quote(site.uuid(host), safe='')}/recordings", with_=fault, times=None)

    result = site.sync()

    assert (result.code, result.counts["published"], result.counts["deleted"]) == (1, 6, 3), result.stderr
    kept = {site.uuid(host) for host in BROKEN}
    assert kept.isdisjoint(uuid for uuid, _, _ in site.world.deletions)


# Z3: what Zoom says of addresses


@pytest.mark.parametrize(
    "fault",
    [
        faults.refused(400, 1010, "User does not belong to this account."),
        faults.refused(404, 1010, "User not found on this account."),
        faults.refused(400, 1120, "A valid invitation was not found for this user."),
        faults.refused(400, 1000, "This user is pending."),
        faults.refused(404, 1001, "User does not exist."),
    ],
    ids=["1010", "1010 as 404", "1120", "1000", "1001"],
)
class TestAnAddressThatZoomDoesNotKnow:
    """Each of Zoom's ways to say no about one user."""

    def test_is_a_config_error_that_names_it(self, site: Site, fault: Fault) -> None:
        site.sandbox.fail("users/bob@example.org$", with_=fault, times=None)
        expected = "filter_accounts: bob@example.org: Zoom knows no such user"

        results = [site.run(*command) for command in (["sync"], ["users"], ["auth-check", "--only", "zoom"])]

        assert [result.code for result in results] == [2, 2, 2]
        assert all(expected in result.stdout + result.stderr for result in results)

    def test_is_a_warning_where_the_config_says_so(self, site: Site, fault: Fault) -> None:
        site.sandbox.fail("users/bob@example.org$", with_=fault, times=None)
        site.configure(unknown_accounts="warn")

        result = site.sync()

        assert (result.code, authors(site)) == (0, but("bob"))
        assert "bob@example.org" in result.stderr

    def test_is_a_warning_for_a_host_whom_the_ledger_knows(self, site: Site, fault: Fault) -> None:
        assert site.sync().code == 0
        site.sandbox.fail("users/bob@example.org$", with_=fault, times=None)

        result = site.sync()

        assert (result.code, "bob@example.org: has departed" in result.stderr) == (0, True)

    def test_among_the_excluded_ones_it_is_treated_alike(self, site: Site, fault: Fault) -> None:
        site.configure(filter_accounts=[], exclude_accounts=["bob@example.org"], unknown_accounts="warn")
        site.sandbox.fail("users/bob@example.org$", with_=fault, times=None)

        assert site.sync().code == 0


@pytest.mark.parametrize(
    "fault",
    [faults.page(500), faults.refused(403, 403, "Forbidden for this user"), faults.page(404)],
    ids=["500", "403", "404 page"],
)
class TestAnAddressOfWhichZoomSaysNothing:
    """The look-up of one user fails: that concerns nobody else."""

    def test_is_a_gap_under_the_address_until_it_can_be_looked_up(self, site: Site, stage: Stage, fault: Fault) -> None:
        site.sandbox.fail("users/bob@example.org$", with_=fault, times=None)

        first = site.sync()
        one_more_each(site, stage, "second")
        second = site.sync()

        assert (first.code, second.code, authors(site)) == (1, 1, but("bob")), first.stderr + second.stderr
        assert list(gaps(site)) == ["bob@example.org"]
        assert gaps(site)["bob@example.org"].startswith("zoom: ")
        assert "bob@example.org" in site.run("status", "--check").stdout
        site.sandbox.heal()
        site.clock.advance(days=20)  # past the lookback
        assert (site.sync().code, authors(site), gaps(site)) == (0, [*HOSTS], {})
        assert site.state().head.lookups == {}

    def test_needs_none_if_the_ledger_knows_the_host(self, site: Site, stage: Stage, fault: Fault) -> None:
        assert site.sync().code == 0
        one_more_each(site, stage, "second")
        site.sandbox.fail("users/bob@example.org$", with_=fault, times=None)

        result = site.sync()

        assert (result.code, result.counts["published"], gaps(site)) == (0, len(HOSTS), {}), result.stderr
        assert "bob@example.org: not looked up, its id is that of its last recording" in result.stderr

    def test_is_never_published_if_it_is_excluded(self, site: Site, fault: Fault) -> None:
        site.configure(filter_accounts=[], exclude_accounts=["bob@example.org"])
        site.sandbox.fail("users/bob@example.org$", with_=fault, times=None)

        for listing in ("account", "users"):
            site.configure(zoom={"listing": listing, "rate": 80})
            result = site.sync()
            assert (result.code, authors(site)) == (0, but("bob")), result.stderr

        assert "bob@example.org: not looked up, its recordings are left out by the address" in result.stderr

    def test_has_its_row_in_users_and_auth_check_and_the_others_theirs(self, site: Site, fault: Fault) -> None:
        site.sandbox.fail("users/bob@example.org$", with_=fault, times=None)

        listed, checked = site.run("--json", "users"), site.run("--json", "auth-check", "--only", "zoom")

        rows = {row["email"]: row["status"] for row in listed.document["users"]}
        assert (listed.code, rows["bob@example.org"], rows["carol@example.org"]) == (1, "not looked up", "active")
        failed = [row["message"] for row in checked.document["checks"] if row["level"] == "fail"]
        assert (checked.code, len(failed)) == (6, 1)
        assert failed[0].startswith("filter_accounts: bob@example.org: zoom: ")
        assert "filter_accounts: bob@example.org: zoom: " in listed.stderr


def test_addresses_that_zoom_does_not_answer_about_cost_a_later_pass_no_time(site: Site) -> None:
    for host in BROKEN:
        site.sandbox.fail(f"users/{host}@example.org$", with_=faults.page(500), times=None)
    assert (site.sync().code, authors(site)) == (1, but(*BROKEN))
    site.clock.slept.clear()

    early = site.sync()
    site.clock.advance(hours=1)
    due = site.sync()

    assert (early.code, due.code) == (1, 1)
    assert sum(pause for pause in site.clock.slept if pause >= 1) <= 5
    assert not [one for one in site.calls() if one == "GET /users/bob@example.org"][1:]


def test_look_ups_and_reference_question_that_fail_together_end_the_pass_with_6(site: Site) -> None:
    site.sandbox.fail("/v2/users", with_=faults.page(503), times=None)

    result = site.sync()

    assert (result.code, len(set(site.calls()))) == (6, 5)
    site.sandbox.heal()
    assert (site.sync().code, authors(site)) == (0, [*HOSTS])


# Z8, Z9, Z15: the credential


def test_an_account_that_zoom_denies_the_api_is_not_authorized(site: Site) -> None:
    site.sandbox.fail("/v2/", with_=faults.account_denied(), times=None)

    result = site.sync()

    assert (result.code, "Contact Zoom Support" in result.stderr) == (3, True)


@pytest.mark.parametrize("times", [1, 2])
def test_stale_tokens_in_a_row_are_renewed(site: Site, times: int) -> None:
    site.sandbox.fail("/v2/", with_=faults.bad_token(), times=times)

    result = site.sync()

    assert (result.code, authors(site)) == (0, [*HOSTS]), result.stderr


def test_tokens_that_are_refused_again_and_again_name_the_likely_cause(site: Site) -> None:
    site.sandbox.fail("/v2/", with_=faults.bad_token(), times=None)

    result = site.sync()

    assert result.code == 3
    assert "each new token is refused at once: does another program use this app?" in result.stderr
    assert "an app of its own" in result.stderr


def test_a_download_that_is_refused_costs_no_new_token_while_the_api_takes_the_old_one(site: Site) -> None:
    file = site.world.meetings[site.uuid("bob")].files[0].id
    site.sandbox.fail(f"/rec/download/{file}", with_=faults.refused(401, 124, "no"), times=2)

    result = site.sync()

    assert (result.code, authors(site)) == (0, [*HOSTS]), result.stderr
    assert site.calls().count("POST /oauth/token") == 1


@pytest.mark.parametrize(
    "scopes",
    [
        (*[one for one in GRANULAR if not one.startswith("user:")], "user:write:admin"),
        ("recording:master", "account:master", "user:master"),
    ],
    ids=["write", "master"],
)
def test_scopes_that_zoom_calls_sufficient_are_warned_of_and_tried(
    site: Site, scopes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.sandbox.settings.scopes = scopes
    monkeypatch.setattr(site.sandbox.tokens, "_has_scope", lambda _need: True)

    result = site.sync()

    assert (result.code, authors(site)) == (0, [*HOSTS]), result.stderr
    assert "warning" in result.stderr


# Z10–Z14: lists


@pytest.mark.parametrize(
    ("path", "config", "code", "published"),
    [(LIST_OF_BOB, EACH, 1, but("bob")), ("accounts/me/recordings", WHOLE, 0, [*HOSTS]), ("/v2/users$", WHOLE, 6, [])],
    ids=["user", "account", "users"],
)
def test_page_tokens_that_never_end_are_given_up(
    begin: Begin, stage: Stage, path: str, config: dict[str, Any], code: int, published: list[str]
) -> None:
    site = six_hosts(begin, stage, **config)
    site.sandbox.fail(path, with_=faults.ever_new_page_tokens(), times=None)

    result = site.sync()

    assert (result.code, authors(site) if site.root.exists() else []) == (code, published), result.stderr
    assert site.sandbox.count("GET", path) <= 20


def test_a_total_that_is_always_one_too_many_is_taken_after_the_second_reading(site: Site) -> None:
    site.sandbox.fail(LIST_OF_BOB, with_=faults.document(total_records=2), times=None)

    result = site.sync()

    assert (result.code, authors(site), gaps(site)) == (0, [*HOSTS], {}), result.stderr
    assert result.stderr.count("1 meeting fewer than Zoom counts, twice") == 1


def test_an_echo_that_covers_all_there_is_now_is_no_clamping(site: Site) -> None:
    site.sandbox.fail("/recordings", with_=faults.document(to="2026-03-10"), times=None)

    result = site.sync()

    assert (result.code, authors(site)) == (0, [*HOSTS]), result.stderr
    assert site.sandbox.count("GET", LIST_OF_BOB) == 1


def test_an_older_cloud_that_does_not_know_the_source_type_is_asked_without(site: Site) -> None:
    def refuse(request: Any) -> Any:
        return faults.refused(400, 300, "recording_source_type: Invalid field.").instead(request)  # type: ignore[misc]

    site.sandbox.fail("/recordings", with_=Fault(instead=refuse), times=None, query={"recording_source_type": "."})

    result = site.sync()

    assert (result.code, authors(site)) == (0, [*HOSTS]), result.stderr


@pytest.mark.parametrize(
    "raw",
    [
        {"auto_delete": True, "auto_delete_date": "0001-01-01"},
        {"auto_delete": True, "auto_delete_date": "9999-12-31"},
        {"start_time": "0001-01-01T00:00:00Z"},
        {"duration": 2**70},
        {"id": 2**80},
        {"total_size": 2**90},
        {"timezone": "Mars/Olympus"},
        {"topic": None, "type": {"odd": 1}},
    ],
    ids=["year 1", "year 9999", "start", "duration", "number", "size", "zone", "odd types"],
)
def test_absurd_values_concern_their_meeting_at_most(site: Site, raw: dict[str, object]) -> None:
    site.world.meetings[site.uuid("bob")].raw = raw

    result = site.sync()

    assert result.code in (0, 1), result.stderr
    assert set(but("bob")) <= set(authors(site))
    assert "Traceback" not in result.stderr


def test_an_absurd_auto_delete_date_counts_as_missing_and_is_said_once(site: Site) -> None:
    for host in BROKEN:
        site.world.meetings[site.uuid(host)].raw = {"auto_delete": True, "auto_delete_date": "0001-01-01"}

    result = site.sync()

    assert (result.code, authors(site)) == (0, [*HOSTS]), result.stderr
    assert site.entry("bob").auto_delete is None
    assert result.stderr.count("auto_delete_date") == 1


# meetings and files


@pytest.mark.parametrize("fault", [faults.page(500), faults.bad_token(), MISSING_SCOPE, faults.page(404)])
def test_open_meetings_that_cannot_be_read_starve_nobody(site: Site, stage: Stage, fault: Fault) -> None:
    for host in BROKEN:
        site.world.meetings[site.uuid(host)].files[0].is_processing = True
    site.sync()
    for host in BROKEN:
        site.sandbox.fail(f"/meetings/{quote(site.uuid(host), safe='')}/recordings", with_=fault, times=None)
        nothing = faults.document(meetings=[], total_records=0)
        site.sandbox.fail(f"users/id_{host}/recordings", with_=nothing, times=None)
    site.clock.advance(hours=1)
    one_more_each(site, stage, "second")

    result = site.sync()

    assert (result.code, result.counts["published"]) == (1, len(but(*BROKEN))), result.stderr


@pytest.mark.parametrize("fault", [faults.page(500), faults.page(404), faults.refused(401, 124, "no"), faults.cut(9)])
def test_downloads_that_fail_starve_nobody(site: Site, fault: Fault) -> None:
    for host in BROKEN:
        file = site.world.meetings[site.uuid(host)].files[0].id
        site.sandbox.fail(f"/(rec/download|ssrweb)/{file}", with_=fault, times=None)

    result = site.sync()

    assert (result.code, authors(site)) == (1, but(*BROKEN)), result.stderr


# bugs


def broken_rule(monkeypatch: pytest.MonkeyPatch, where: str, topic: str) -> None:
    """A rule that fails, by a bug, over every meeting of this topic."""
    module, _, name = where.rpartition(".")
    rule = __import__(module, fromlist=[name]).__dict__[name]

    def buggy(*arguments: Any, **more: Any) -> Any:
        if any(getattr(one, "topic", None) == topic for one in arguments):
            raise ZeroDivisionError("a bug")
        return rule(*arguments, **more)

    monkeypatch.setattr(where, buggy)


@pytest.mark.parametrize("where", ["zoomsync.sync.engine.decide", "zoomsync.rules.ledger.begun"])
def test_a_bug_over_one_meeting_is_that_meetings_failure_and_the_pass_ends_with_70(
    site: Site, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    broken_rule(monkeypatch, where, "Of bob")

    result = site.sync()

    assert (result.code, authors(site)) == (70, but("bob")), result.stderr


def test_no_room_for_others_hides_no_bug(site: Site, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    site.sync()
    stage.meeting("later", "alice", 1, "Later")
    stage.video("later", seconds=3)
    site.configure(min_free_disk="9000TB")
    stage.meeting("broken", "bob", 1, "A bug")
    stage.video("broken", seconds=3)
    broken_rule(monkeypatch, "zoomsync.rules.ledger.begun", "A bug")

    result = site.sync()

    assert result.counts["no_room"] == 1, result.stderr
    assert result.code == 70


def test_a_plan_that_meets_a_bug_ends_with_70(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_rule(monkeypatch, "zoomsync.sync.engine.decide", "Of bob")

    assert site.sync("--dry-run").code == 70


# many for one reason


def lines(result: Result) -> list[str]:
    """What was written to stderr."""
    return result.stderr.splitlines()


def test_what_happens_to_many_for_one_reason_is_one_line(begin: Begin, stage: Stage) -> None:
    for number in range(60):
        stage.meeting(f"m{number}", "alice", 2 + number / 50, f"Meeting {number}")
        stage.video(f"m{number}", seconds=3)
    site = begin(stage.world, filter_accounts=["alice@example.org"], min_free_disk="9000TB")

    result = site.run("-q", "sync")

    assert result.code == 5
    assert len(lines(result)) <= 30
    (line,) = [one for one in lines(result) if "60 meetings" in one]
    assert "no room for 60 meetings" in line
    assert "free" in line
    assert "9.0 PB kept" in line


def test_a_quiet_pass_never_prints_more_than_30_lines(site: Site, stage: Stage) -> None:
    for number in range(80):
        stage.meeting(f"m{number}", "bob", 2 + number / 60, f"Meeting {number}")
        file = stage.video(f"m{number}", seconds=3)
        site.sandbox.fail(f"/rec/download/{file.id}", with_=faults.page(404, f"Page {number}"), times=None)

    result = site.run("-q", "sync")

    assert result.code == 1
    assert 1 <= len(lines(result)) <= 30
    assert "status" in result.stderr
