"""`status --meeting WHAT --ask`: why a meeting is not there, in the words of the rules and with what Zoom says now."""

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site
from tests.sandbox.stage import Stage
from zoomsync.state import State


@pytest.fixture
def site(begin: Begin, stage: Stage) -> Site:
    """Alice and Bob, each with a meeting of two days ago; nothing synced yet."""
    stage.world.add_user("Bob Example")
    for host in ("alice", "bob"):
        stage.meeting(host, host, 2, f"Of {host}")
        stage.video(host)
    return begin(stage.world)


def asked(site: Site, what: str) -> list[str]:
    """The answers alone; nothing is changed by asking."""
    path = site.folder / "state" / "state.json"
    before = path.read_bytes() if path.exists() else None
    result = site.run("--json", "status", "--meeting", what, "--ask")
    assert result.code == 0, result.stderr
    assert (path.read_bytes() if path.exists() else None) == before
    return [one["answer"] for one in result.document["asked"]]


def number(site: Site, name: str) -> str:
    return str(site.world.meetings[site.uuid(name)].number)


def test_what_no_pass_has_listed_yet_is_fetched_by_the_next_one(site: Site) -> None:
    assert asked(site, number(site, "alice")) == [
        "not listed yet: the next pass fetches it: 1 segment, 1 file, 86.1 kB"
    ]


def test_what_is_stored_is_stored(site: Site) -> None:
    site.sync()

    assert asked(site, "Of alice") == ["stored"]


@pytest.mark.parametrize(
    ("config", "answer"),
    [
        ({"filter_accounts": ["alice@example.org"]}, "its host is not selected by the config"),
        ({"exclude_accounts": ["bob@example.org"]}, "its host is not selected by the config"),
        ({"recordings": {"since": "2026-03-09"}}, "began before recordings.since (2026-03-09 00:00 UTC)"),
        ({"recordings": {"min_duration": "3h"}}, "8 s long, shorter than recordings.min_duration (3 h)"),
        ({"recordings": {"files": ["chat"]}}, "none of its files is selected by recordings.files"),
        (
            {"recordings": {"lookback": "1d"}},
            "not listed yet: it began before the lookback, so a sweep lists it (2026-03-10 12:00 UTC)",
        ),
    ],
)
def test_the_config_that_leaves_it_out_is_named(site: Site, config: dict[str, object], answer: str) -> None:
    site.configure(**config)

    assert asked(site, site.uuid("bob")) == [answer]


def test_an_excluded_meeting_says_so(site: Site) -> None:
    site.configure(exclude_meetings=[number(site, "bob")])

    assert asked(site, number(site, "bob")) == ["listed in exclude_meetings"]


@pytest.mark.parametrize("is_known", [True, False])
def test_what_lies_in_zooms_trash_can_be_brought_back(site: Site, *, is_known: bool) -> None:
    if is_known:
        site.sync("--user", "bob@example.org")
    else:
        site.configure(filter_accounts=["bob@example.org"])
    meeting = site.world.meetings[site.uuid("bob")]
    for file in meeting.files:
        site.world.delete(meeting.uuid, file, "trash", site.clock.now())

    assert asked(site, meeting.uuid) == ["in Zoom's trash: whoever may can bring it back there within 30 days"]


def test_what_nobody_knows_was_never_recorded(site: Site) -> None:
    assert asked(site, "812 3456 7890") == ["Zoom does not have it: never recorded, or deleted for good"]


def test_another_day_of_a_number_says_when_the_latest_was(site: Site) -> None:
    assert asked(site, f"{number(site, 'bob')}@2020-02-02") == [
        "not known yet; Zoom shows the latest of a number alone, which began at 2026-03-08 09:30 UTC"
    ]


def test_a_person_reads_whose_it_is(site: Site) -> None:
    said = site.run("status", "--meeting", number(site, "bob"), "--ask").stdout

    assert said.startswith("Zoom, asked now: bob@example.org “Of bob” 2026-03-08T09:30:00Z [")


def test_without_a_meeting_there_is_nothing_to_ask(site: Site) -> None:
    assert site.run("status", "--ask").code == 2


def test_nothing_is_written_by_asking(site: Site) -> None:
    asked(site, number(site, "alice"))

    assert State.read(site.folder / "state" / "state.json") is None
