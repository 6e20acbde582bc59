"""Whose recordings, and which: the config's selection, narrowed passes, and the calls that each costs."""

import shutil
from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site
from tests.sandbox import faults
from tests.sandbox.settings import CLASSIC
from tests.sandbox.stage import Stage
from zoomsync.naming import suffix

HOSTS = ("alice", "bob", "carol")


@pytest.fixture
def site(begin: Begin, stage: Stage) -> Site:
    """Three hosts and a deactivated one, each with a meeting of two days ago that has the host's name."""
    return three_hosts(begin, stage)


def three_hosts(begin: Begin, stage: Stage, **overrides: Any) -> Site:
    """Likewise, with another config."""
    for name in ("Bob Example", "Carol Example"):
        stage.world.add_user(name)
    stage.world.add_user("Dan Departed", status="inactive")
    for host in (*HOSTS, "dan"):
        stage.meeting(host, host, 2, f"Of {host}")
        stage.video(host)
    return begin(stage.world, **overrides)


def authors(site: Site) -> list[str]:
    """Whose items lie in the library."""
    return sorted({path.relative_to(site.root).parts[1].partition("@")[0] for path in site.files()})


def lists(site: Site) -> list[str]:
    """The lists that were asked for, each once, and how the users were."""
    return sorted({one.removeprefix("GET /") for one in site.calls() if one.startswith("GET /")})


def test_blank_means_every_host_the_deactivated_ones_included(site: Site) -> None:
    assert site.sync().code == 0

    assert authors(site) == ["alice", "bob", "carol", "dan"]
    site.sync()
    assert site.calls() == [
        "POST /oauth/token",
        "GET /users",
        "GET /accounts/me/recordings",
        "GET /users/id_dan/recordings",
    ]


def test_few_accounts_are_asked_about_and_listed_one_by_one(site: Site) -> None:
    site.configure(filter_accounts=["Alice@example.org", "bob@example.org"])

    assert site.sync().code == 0

    assert authors(site) == ["alice", "bob"]
    assert lists(site) == [
        "users/alice@example.org",
        "users/bob@example.org",
        "users/id_alice/recordings",
        "users/id_bob/recordings",
    ]


def test_many_accounts_are_listed_all_at_once(site: Site) -> None:
    others = [site.world.add_user(f"User{number} Example").email for number in range(26)]
    site.configure(filter_accounts=["alice@example.org", "dan@example.org", *others])

    assert site.sync().code == 0

    assert authors(site) == ["alice", "dan"]
    assert [one for one in lists(site) if "user" in one.partition("_")[2]] == []
    assert "accounts/me/recordings" in lists(site)


def test_excluded_accounts_are_left_alone(site: Site) -> None:
    site.configure(exclude_accounts=["bob@example.org", "dan@example.org"])

    assert (site.sync().code, authors(site)) == (0, ["alice", "carol"])


def test_an_unknown_address_is_a_config_error_and_nothing_is_fetched(site: Site) -> None:
    site.configure(filter_accounts=["alice@example.org", "alcie@example.org"])

    result = site.sync()

    assert (result.code, site.downloads(), site.files()) == (2, [], [])
    assert "filter_accounts: alcie@example.org: Zoom knows no such user" in result.stderr


def test_an_unknown_address_can_be_a_warning(site: Site) -> None:
    site.configure(filter_accounts=["alice@example.org", "alcie@example.org"], unknown_accounts="warn")

    result = site.sync()

    assert (result.code, authors(site)) == (0, ["alice"])
    assert "warning" in result.stderr
    assert "alcie@example.org" in result.stderr


def test_a_host_who_departed_is_a_warning(site: Site) -> None:
    site.configure(filter_accounts=["alice@example.org", "bob@example.org"])
    site.sync()
    del site.world.users["id_bob"]

    result = site.sync()

    assert (result.code, result.counts) == (0, {"up_to_date": 1, "calls": 4})
    assert "filter_accounts: bob@example.org: has departed" in result.stderr


def test_an_account_wide_list_without_a_scope_is_replaced_by_a_list_for_each_user(begin: Begin, stage: Stage) -> None:
    site = three_hosts(begin, stage)
    kept = tuple(one for one in site.sandbox.settings.scopes if "list_account" not in one)
    site.sandbox.settings.scopes = kept

    assert (site.sync().code, authors(site)) == (0, ["alice", "bob", "carol", "dan"])
    assert lists(site) == ["users", *(f"users/id_{host}/recordings" for host in (*HOSTS, "dan"))]


def test_an_account_wide_list_that_zoom_refuses_is_replaced_and_that_is_said_once(site: Site) -> None:
    site.sandbox.fail("/accounts/me", with_=faults.refused(401, 4700, "Unauthorized request"), times=None)

    result = site.sync()

    assert (result.code, authors(site)) == (0, ["alice", "bob", "carol", "dan"])
    assert result.stderr.count("listing user by user instead") == 1


@pytest.mark.parametrize("listed", ["nothing", "one of two"])
def test_an_account_wide_list_that_lacks_recordings_is_found_out_by_the_sweep(
    site: Site, stage: Stage, listed: str
) -> None:
    stage.meeting("other", "bob", 3, "Of bob too")
    stage.video("other")
    bob = site.world.meetings[site.uuid("bob")].listed(site.sandbox.url) | {"host_email": "bob@example.org"}
    some = [bob] if listed == "one of two" else []
    site.sandbox.fail("/accounts/me", with_=faults.document(meetings=some, total_records=len(some)), times=None)

    result = site.sync()

    assert (result.code, authors(site)) == (0, ["alice", "bob", "carol", "dan"])
    assert result.stderr.count("the account-wide list lacks") == 1


def test_an_account_wide_list_asked_for_that_zoom_refuses_ends_well_too(site: Site) -> None:
    site.configure(zoom={"listing": "account", "rate": 80})
    site.sandbox.settings.scopes = tuple(one for one in site.sandbox.settings.scopes if "list_account" not in one)

    result = site.sync()

    assert (result.code, site.files()) == (3, [])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--user", "bob@example.org"], ["bob"]),
        (["--user", "bob@example.org", "--user", "Carol@example.org"], ["bob", "carol"]),
        (["--since", "2026-03-09"], []),
        (["--since", "2026-03-08T09:00Z"], ["alice", "bob", "carol", "dan"]),
        (["--until", "2026-03-08"], []),
        (["--since", "2026-03-01", "--until", "2026-03-09"], ["alice", "bob", "carol", "dan"]),
    ],
)
def test_a_narrowed_pass_fetches_what_it_names_and_moves_no_gap(
    site: Site, arguments: list[str], expected: list[str]
) -> None:
    result = site.sync(*arguments)

    assert (result.code, authors(site)) == (0, expected)
    assert (site.state().head.gaps, site.state().head.listed_till, site.state().head.swept_at) == ((), None, None)
    assert site.sync().counts.get("published", 0) == 4 - len(expected)
    assert site.state().head.gaps == ()


def test_a_narrowed_pass_never_widens_the_selection(begin: Begin, stage: Stage) -> None:
    stage.meeting("old", "alice", 400, "Before since")
    stage.video("old")
    site = three_hosts(begin, stage)

    assert (site.sync("--since", "2024-01-01").code, authors(site)) == (0, ["alice", "bob", "carol", "dan"])
    assert site.uuid("old") not in site.state().entries


def test_a_narrowed_pass_leaves_what_it_does_not_name_as_it_is(begin: Begin, stage: Stage) -> None:
    stage.meeting("bad", "alice", 20, "Fails at first")
    file = stage.video("bad")
    site = three_hosts(begin, stage)
    site.sandbox.fail(file.id, with_=faults.page(404), times=None)
    site.sync()
    before = site.entry("bad")

    site.sync("--until", "2026-02-18")

    assert site.entry("bad") == before
    site.sandbox.heal()
    site.clock.advance(hours=1)
    assert site.sync().counts["published"] == 1


def test_classic_scopes_are_enough_for_everything(begin: Begin, stage: Stage) -> None:
    site = three_hosts(begin, stage, delete_recordings="trash", delete_all_accounts=True)
    site.sandbox.settings.scopes = CLASSIC
    assert site.sync().counts["published"] == 4
    site.clock.advance(days=7)

    assert (site.sync().code, len(site.world.deletions)) == (0, 4)


def test_a_user_whom_the_config_does_not_select_cannot_be_named(site: Site) -> None:
    site.configure(exclude_accounts=["bob@example.org"])

    result = site.sync("--user", "bob@example.org")

    assert (result.code, site.files()) == (2, [])
    assert "--user bob@example.org" in result.stderr


def test_a_meeting_that_is_named_is_fetched_past_all_filters(begin: Begin, stage: Stage) -> None:
    site = three_hosts(begin, stage, filter_accounts=["alice@example.org"])
    stage.meeting("old", "carol", 400, "Of long ago")
    stage.video("old")

    result = site.sync("--meeting", site.uuid("old"))

    assert (result.code, authors(site), result.counts["published"]) == (0, ["carol"], 1)
    assert site.names("old") == ["video.mp4"]
    assert (site.sync().code, authors(site)) == (0, ["alice", "carol"])


def test_a_meeting_that_zoom_does_not_have_cannot_be_named(site: Site) -> None:
    result = site.sync("--meeting", "bm9wZQ==")

    assert (result.code, site.files()) == (2, [])
    assert "--meeting bm9wZQ==: Zoom has no such recording" in result.stderr


@pytest.mark.parametrize("named", ["..", "", " ", "bob@example.org", "Plain meeting", "81000000001@yesterday"])
def test_what_cannot_name_a_meeting_is_refused(site: Site, named: str) -> None:
    result = site.sync("--meeting", named)

    assert (result.code, site.files(), site.downloads()) == (2, [], [])
    assert "names no meeting: write a uuid, a number" in result.stderr


def spelt(number: str) -> tuple[str, ...]:
    """The ways in which people write a meeting's number."""
    return number, f"{number[:3]} {number[3:7]} {number[7:]}", f"{number[:3]}-{number[3:7]}-{number[7:]}"


def names_of(site: Site, name: str) -> list[str]:
    """Every way to name one meeting of the account."""
    uuid = site.uuid(name)
    meeting = site.world.meetings[uuid]
    number, day, end = str(meeting.number), f"{meeting.start:%Y-%m-%d}", suffix(uuid)
    return [uuid, *spelt(number), f"{spelt(number)[1]}@{day}", f"{number} @ {day}", f"[{end}]", end]


@pytest.mark.parametrize("way", range(8))
def test_an_excluded_meeting_is_named_in_any_way(site: Site, way: int) -> None:
    site.configure(exclude_meetings=[names_of(site, "bob")[way]])

    result = site.sync()

    assert (result.code, authors(site)) == (0, ["alice", "carol", "dan"])
    assert "names no meeting" not in result.stderr


def test_a_number_without_quotes_excludes_too(site: Site) -> None:
    site.configure(exclude_meetings=[int(site.world.meetings[site.uuid("bob")].number)])

    assert (site.sync().code, authors(site)) == (0, ["alice", "carol", "dan"])


def test_another_day_of_the_same_number_is_not_excluded(site: Site) -> None:
    site.configure(exclude_meetings=[f"{site.world.meetings[site.uuid('bob')].number}@2020-02-02"])

    result = site.sync()

    assert authors(site) == ["alice", "bob", "carol", "dan"]
    assert "@2020-02-02: names no meeting that is known" in result.stderr


@pytest.mark.parametrize("way", range(6))
def test_a_meeting_is_fetched_by_any_name_of_zooms(site: Site, way: int) -> None:
    result = site.sync("--meeting", names_of(site, "bob")[way])

    assert (result.code, authors(site)) == (0, ["bob"])


def test_a_removed_item_is_fetched_again_by_the_end_of_its_folders_name(site: Site) -> None:
    site.sync()
    shutil.rmtree(site.item("bob"))

    result = site.sync("--meeting", names_of(site, "bob")[6])

    assert (result.code, authors(site)) == (0, ["alice", "bob", "carol", "dan"])


def test_a_number_without_a_recording_on_that_day_says_when_the_latest_was(site: Site) -> None:
    meeting = site.world.meetings[site.uuid("bob")]

    result = site.sync("--meeting", f"{meeting.number}@2020-02-02")

    assert (result.code, site.files()) == (2, [])
    assert f"Zoom shows the latest of a number alone, which began at {meeting.start:%Y-%m-%d %H:%M}" in result.stderr


def test_an_excluded_meeting_stays_in_the_cloud(site: Site) -> None:
    site.configure(exclude_meetings=[site.uuid("bob")])

    assert (site.sync().code, authors(site)) == (0, ["alice", "carol", "dan"])
    assert site.entry("bob").reason == "listed in exclude_meetings"


def test_what_began_before_since_is_not_fetched(begin: Begin, stage: Stage) -> None:
    site = three_hosts(begin, stage, recordings={"since": "2026-03-09"})

    assert (site.sync().code, site.files()) == (0, [])


def test_short_recordings_are_skipped_by_their_true_length(begin: Begin, stage: Stage) -> None:
    stage.meeting("short", "alice", 2, "Short")
    stage.video("short", seconds=3)
    stage.meeting("long", "alice", 3, "Long enough")
    stage.video("long")
    site = begin(stage.world, recordings={"min_duration": "5s"})

    assert (site.sync().code, site.names("long")) == (0, ["video.mp4"])
    assert site.entry("short").reason == "3 s long, shorter than recordings.min_duration (5 s)"


def test_a_changed_selection_makes_a_sweep_due(site: Site) -> None:
    site.configure(filter_accounts=["alice@example.org"], recordings={"lookback": "1d"})
    site.sync()
    assert authors(site) == ["alice"]
    site.configure(filter_accounts=["alice@example.org", "bob@example.org"])

    assert (site.sync().code, authors(site)) == (0, ["alice", "bob"])


def test_switched_off_it_does_nothing_and_says_so(site: Site) -> None:
    site.configure(enabled=False)

    result = site.sync()

    assert (result.code, site.calls(), "disabled" in result.stderr) == (0, [], True)


def test_a_dry_run_writes_nothing_and_takes_no_lock(site: Site) -> None:
    result = site.sync("--dry-run")

    assert (result.code, len(result.document["rows"]), site.downloads()) == (0, 4, [])
    assert sorted(path.name for path in site.folder.iterdir()) == ["config.yaml"]
