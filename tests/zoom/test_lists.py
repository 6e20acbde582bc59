"""Every window is listed completely, or it says that it was not."""

import re
from datetime import date, timedelta

import pytest
import requests_mock

from tests.fakes import NOW
from tests.sandbox import faults
from tests.sandbox.content import Filler
from tests.sandbox.faults import Fault
from tests.sandbox.server import Sandbox
from tests.sandbox.settings import CLASSIC, READING
from tests.sandbox.world import ZoomMeeting
from tests.zoom.edge import SINCE, UNTIL, Edge
from zoomsync.errors import (
    AccountListFailed,
    ListingFailed,
    NotAuthorized,
    ServiceUnavailable,
    Stopped,
    Subject,
    ZoomsyncError,
)
from zoomsync.model import Listing

ALICE = "alice@example.org"


def add_meetings(sandbox: Sandbox, count: int, *, days: float = 1) -> None:
    """So many of Alice's, an hour apart, beginning `days` ago."""
    for number in range(count):
        start = NOW - timedelta(days=days, hours=number)
        meeting = ZoomMeeting(uuid=f"m{number}/+A==", number=number, host_id="id_alice", topic="Many", start=start)
        sandbox.world.add_meeting(meeting)
        sandbox.world.add_file(meeting.uuid, Filler(50_000))


def uuids(listing: Listing) -> set[str]:
    return {meeting.uuid for meeting in listing.meetings}


@pytest.mark.parametrize("user", [None, ALICE, "id_alice"])
def test_a_window_is_listed_completely(sandbox: Sandbox, edge: Edge, user: str | None) -> None:
    sandbox.settings.page_cap = 3
    add_meetings(sandbox, 8)

    listing = edge.list(user=user)

    assert uuids(listing) == set(sandbox.world.meetings)
    assert listing.unreadable == ()
    assert {meeting.listed_at for meeting in listing.meetings} == {NOW}
    assert {meeting.host_email for meeting in listing.meetings} == {"" if user == "id_alice" else ALICE}


def test_what_is_asked_for_is_everything_at_once(sandbox: Sandbox, edge: Edge) -> None:
    edge.list(user=ALICE)

    (asked,) = sandbox.seen("GET", "recordings")
    assert asked.path == "/v2/users/alice@example.org/recordings"
    assert asked.query == {
        "from": str(SINCE), "to": str(UNTIL), "page_size": "300", "recording_source_type": "cloud_recording_only",
    }  # fmt: skip


@pytest.mark.parametrize("days", [-1, 31])
def test_no_window_is_longer_than_zoom_lists(edge: Edge, days: int) -> None:
    with pytest.raises(ValueError, match="no window of at most 30 days"):
        edge.list(UNTIL - timedelta(days=days), UNTIL)


def test_an_empty_window_is_empty(edge: Edge) -> None:
    assert edge.list(date(2020, 1, 1), date(2020, 1, 30)) == Listing(meetings=())


def test_a_window_that_zoom_cuts_is_halved_until_it_is_whole(sandbox: Sandbox, edge: Edge) -> None:
    add_meetings(sandbox, 4)
    sandbox.fail("recordings", with_=faults.document(**{"from": "2026-03-01"}), times=2)

    listing = edge.list()

    assert uuids(listing) == set(sandbox.world.meetings)
    spans = [(one.query["from"], one.query["to"]) for one in sandbox.seen("GET", "recordings")]
    assert spans == [
        ("2026-02-18", "2026-03-10"), ("2026-02-18", "2026-02-28"), ("2026-02-18", "2026-02-23"),
        ("2026-02-23", "2026-02-28"), ("2026-02-28", "2026-03-10"),
    ]  # fmt: skip


@pytest.mark.parametrize("user", [None, ALICE])
@pytest.mark.parametrize("echo", [{"from": "2026-03-01"}, {"to": "2026-03-01"}], ids=["begins later", "ends earlier"])
def test_a_later_page_that_spans_other_days_is_as_bad_as_a_first_one(
    sandbox: Sandbox, edge: Edge, user: str | None, echo: dict[str, str]
) -> None:
    sandbox.settings.page_cap = 2
    add_meetings(sandbox, 5)
    sandbox.fail("recordings", with_=faults.document(**echo), times=1, query={"next_page_token": "."})

    listing = edge.list(user=user)

    assert uuids(listing) == set(sandbox.world.meetings)
    firsts = [one.query for one in sandbox.seen("GET", "recordings") if "next_page_token" not in one.query]
    spans = [(one["from"], one["to"]) for one in firsts]
    assert spans == [("2026-02-18", "2026-03-10"), ("2026-02-18", "2026-02-28"), ("2026-02-28", "2026-03-10")]


EITHER = pytest.mark.parametrize(
    ("user", "kind"), [(None, AccountListFailed), (ALICE, ListingFailed)], ids=["the account", "a user"]
)


@EITHER
def test_a_list_that_always_has_other_days_is_that_lists_failure(
    sandbox: Sandbox, edge: Edge, user: str | None, kind: type[ZoomsyncError]
) -> None:
    sandbox.fail("recordings", with_=faults.document(to="2020-01-01"), times=None)

    with pytest.raises(kind, match="lists other days than those asked for"):
        edge.list(user=user)

    assert sandbox.count("GET", "recordings") <= 7


@EITHER
def test_fewer_meetings_than_zoom_counts_are_asked_for_again_once(
    sandbox: Sandbox, edge: Edge, user: str | None, kind: type[ZoomsyncError]
) -> None:
    sandbox.fail("recordings", with_=faults.document(total_records=5), times=1)

    assert len(edge.list(user=user).meetings) == 3

    sandbox.fail("recordings", with_=faults.document(total_records=5), times=2)
    with pytest.raises(kind, match=r"2 meetings fewer than the 5 that Zoom counts$"):
        edge.list(user=user)


def test_a_meeting_that_slides_to_the_next_page_is_listed_once(sandbox: Sandbox, edge: Edge) -> None:
    first = {"meetings": [{"uuid": "a", "start_time": "2026-03-02T00:00:00Z"}], "next_page_token": "t"}
    second = {"meetings": [{"uuid": "a", "start_time": "2026-03-02T00:00:00Z", "topic": "new"}], "total_records": 1}
    edge.tokens.current()
    with requests_mock.Mocker() as zoom:
        zoom.get(f"{sandbox.api_url}/accounts/me/recordings", [{"json": first}, {"json": second}])

        listing = edge.list()

    assert [(meeting.uuid, meeting.topic) for meeting in listing.meetings] == [("a", "new")]


@pytest.mark.parametrize("pages", [1, 2])
def test_a_meeting_that_zoom_lists_and_counts_twice_each_time_is_listed_once(
    sandbox: Sandbox, edge: Edge, pages: int
) -> None:
    a, b = ({"uuid": name, "start_time": "2026-03-02T00:00:00Z"} for name in "ab")
    whole = [{"meetings": [a, b, a], "total_records": 3}]
    halves = [{"meetings": [a], "next_page_token": "t"}, {"meetings": [b, a], "total_records": 3}]
    edge.tokens.current()
    with requests_mock.Mocker() as zoom:
        zoom.get(f"{sandbox.api_url}/accounts/me/recordings", [{"json": one} for one in (whole, halves)[pages - 1] * 2])

        listing = edge.list()

    assert [meeting.uuid for meeting in listing.meetings] == ["a", "b"]
    assert zoom.call_count == 2 * pages


def test_meetings_that_slide_differently_each_time_may_hide_another(sandbox: Sandbox, edge: Edge) -> None:
    a, b = ({"uuid": name, "start_time": "2026-03-02T00:00:00Z"} for name in "ab")
    readings = [{"meetings": [a, b, one], "total_records": 3} for one in (a, b)]
    edge.tokens.current()
    with requests_mock.Mocker() as zoom, pytest.raises(AccountListFailed, match="1 meeting fewer than the 3 that"):
        zoom.get(f"{sandbox.api_url}/accounts/me/recordings", [{"json": one} for one in readings])
        edge.list()


def test_a_dead_page_token_begins_the_window_again(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.settings.page_cap = 2
    add_meetings(sandbox, 3)
    sandbox.fail("recordings", with_=faults.refused(400, 300, "token is invalid or expired"), skip=2)

    assert uuids(edge.list()) == set(sandbox.world.meetings)
    assert sandbox.count("GET", "recordings") == 3 + 3


@EITHER
def test_a_page_token_that_repeats_does_not_go_on_for_ever(
    sandbox: Sandbox, edge: Edge, user: str | None, kind: type[ZoomsyncError]
) -> None:
    sandbox.settings.page_cap = 1
    sandbox.settings.page_token_lifetime = 900
    edge.tokens.current()
    page = {"meetings": [{"uuid": "a", "start_time": "2026-03-02T00:00:00Z"}], "next_page_token": "same"}
    with requests_mock.Mocker() as zoom, pytest.raises(kind, match="a page token repeats, 3 times"):
        zoom.get(re.compile("recordings"), json=page)
        edge.list(user=user)


@pytest.mark.parametrize(
    "fault",
    [
        faults.no_scope("cloud_recording:read:list_account_recordings:admin"),
        faults.bad_token(401),
        faults.refused(400, 300, "Validation Failed."),
        faults.refused(403, 403, "Forbidden"),
        faults.no_rights(),
    ],
)
def test_a_refused_account_list_leaves_the_lists_of_users(sandbox: Sandbox, edge: Edge, fault: Fault) -> None:
    sandbox.fail("accounts/me", with_=fault, times=None)

    with pytest.raises(AccountListFailed, match=r"^zoom: recordings of the account 2026-02-18 to 2026-03-10: "):
        edge.list()

    assert len(edge.list(user=ALICE).meetings) == 3


def test_a_refused_client_is_no_refused_list(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.fail("oauth", with_=faults.oauth_refused())

    with pytest.raises(NotAuthorized):
        edge.list()


@pytest.mark.parametrize("fault", [faults.page(404), faults.page(200), faults.body("[]"), faults.body("")])
def test_a_page_in_place_of_the_list_is_no_refusal(sandbox: Sandbox, edge: Edge, fault: Fault) -> None:
    sandbox.fail("recordings", with_=fault, times=None)

    with pytest.raises(AccountListFailed, match=r"^zoom: recordings of the account 2026-02-18 to 2026-03-10: "):
        edge.list()
    with pytest.raises(ServiceUnavailable) as caught:
        edge.list(user=ALICE)

    assert caught.value.subject == Subject("user", ALICE)


def test_the_failure_of_one_user_is_that_users(edge: Edge) -> None:
    with pytest.raises(ListingFailed, match=r"recordings of nobody@example\.org .* code 1001") as caught:
        edge.list(user="nobody@example.org")

    assert "does not know this user" in caught.value.hint


@pytest.mark.parametrize("learns", ["users", "user"])
def test_a_user_whose_list_fails_is_named_by_the_address(sandbox: Sandbox, edge: Edge, learns: str) -> None:
    _ = edge.zoom.users("active") if learns == "users" else edge.zoom.user("id_alice")
    sandbox.fail("recordings", with_=faults.refused(403, 403, "Forbidden"))

    with pytest.raises(ListingFailed, match=r"^zoom: recordings of alice@example\.org 2026-") as caught:
        edge.list(user="id_alice")

    assert caught.value.subject == Subject("user", "id_alice")


def test_a_missing_scope_is_named_in_both_forms(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.settings.scopes = tuple(one for one in READING if "user_recordings" not in one)

    with pytest.raises(NotAuthorized) as caught:
        edge.list(user=ALICE)

    assert str(caught.value).endswith(
        "the app lacks a scope: recording:read:admin (classic) or "
        "cloud_recording:read:list_user_recordings:admin (granular)"
    )


def test_classic_scopes_are_as_good(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.settings.scopes = CLASSIC

    assert len(edge.list().meetings) == 3
    assert edge.zoom.user(ALICE) is not None


def test_what_no_meeting_can_be_made_of_is_reported(
    sandbox: Sandbox, edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    meeting = ZoomMeeting(uuid="odd", number=1, host_id="id_alice", topic="", start=NOW, omit=("start_time",))
    sandbox.world.add_meeting(meeting)
    sandbox.world.add_file("odd", Filler(1000), raw={"recording_start": ""})

    listing = edge.list()

    assert len(listing.meetings) == 3
    assert listing.unreadable == ("meeting odd: Zoom gives neither start_time nor any recording_start",)
    assert f"zoom: {listing.unreadable[0]}" in caplog.messages


def test_a_stop_ends_a_list_between_two_pages(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.settings.page_cap = 1
    edge.tokens.current()
    edge.clock.stop_after = edge.clock.checks + 3

    with pytest.raises(Stopped):
        edge.list()
