"""Lists that are empty in odd words, that never end, that count wrongly, and that have absurd values in them."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests_mock

from tests.fakes import NOW
from tests.sandbox import faults
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Request, json_answer
from tests.sandbox.server import Sandbox
from tests.zoom.edge import SINCE, UNTIL, Edge
from zoomsync.errors import (
    AccountListFailed,
    ListingFailed,
    ServiceUnavailable,
    Subject,
    TimeOver,
    Unreachable,
    ZoomsyncError,
)

ALICE = "alice@example.org"
TOMORROW = UNTIL + timedelta(days=1)

Ask = Callable[[Edge], object]
LISTS: dict[str, tuple[Ask, str, type[ZoomsyncError]]] = {
    "user": (lambda edge: edge.list(user=ALICE), "users/alice@example.org/recordings", ListingFailed),
    "account": (lambda edge: edge.list(), "accounts/me/recordings", AccountListFailed),
    "users": (lambda edge: edge.zoom.users("active"), "v2/users$", Unreachable),
}
"""How each is asked for, where, and the error if it cannot be read completely."""
EACH = pytest.mark.parametrize("name", LISTS)


# Empty, or no list at all


@pytest.mark.parametrize(
    "fault",
    [
        faults.refused(404, 3301, "There is no recording for this session"),
        faults.refused(400, 200, "Only available for Paid account."),
        faults.body('{"total_records": 0}', "application/json"),
        faults.body('{"total_records": 0, "meetings": null}', "application/json"),
    ],
    ids=["nothing there", "not paid", "no meetings", "null"],
)
def test_a_users_list_is_empty_in_all_of_zooms_words(sandbox: Sandbox, edge: Edge, fault: Fault) -> None:
    sandbox.fail("users/", with_=fault, times=None)

    listing = edge.list(user=ALICE)

    assert (listing.meetings, listing.unreadable) == ((), ())
    assert sandbox.count("GET", "recordings") == 1


@pytest.mark.parametrize(
    "fault",
    [
        faults.refused(404, 3301, "There is no recording for this session"),
        faults.refused(400, 200, "Only available for Paid account."),
    ],
)
def test_such_words_about_the_whole_account_leave_the_lists_of_users(
    sandbox: Sandbox, edge: Edge, fault: Fault
) -> None:
    sandbox.fail("accounts/", with_=fault, times=None)

    with pytest.raises(AccountListFailed):
        edge.list()


@pytest.mark.parametrize("code", [300, 3301])
def test_a_page_after_the_first_that_is_refused_begins_the_list_again(sandbox: Sandbox, edge: Edge, code: int) -> None:
    sandbox.settings.page_cap = 1
    sandbox.fail("recordings", with_=faults.refused(404, code, "There is no recording for this session"), skip=1)

    assert len(edge.list(user=ALICE).meetings) == 3
    assert sandbox.count("GET", "recordings") == 2 + 3


@EACH
@pytest.mark.parametrize(
    ("fault", "fact"),
    [
        (faults.without("meetings", "users", "total_records"), "an answer without a list of "),
        (faults.without("meetings", "users"), "an answer without a list of "),
        (faults.document(meetings=None, users=None), "an answer without a list of "),
        (faults.document(meetings={}, users="x"), "an answer without a list of "),
        (faults.document(meetings=[1, 2], users=[None]), "an answer without a list of "),
        (faults.body("", "application/json"), "HTTP 200: no reason given"),
        (faults.body("[]", "application/json"), "HTTP 200: no reason given"),
        (faults.page(200, "Welcome"), "HTTP 200: a page titled “Welcome”"),
        (faults.page(404, "Not here"), "HTTP 404: a page titled “Not here”"),
        (faults.refused(404, 2300, "This API endpoint is not recognized."), "code 2300"),
    ],
)
def test_what_is_no_list_is_no_empty_list(sandbox: Sandbox, edge: Edge, name: str, fault: Fault, fact: str) -> None:
    ask, path, own = LISTS[name]
    sandbox.fail(path, with_=fault, times=None)

    with pytest.raises(ServiceUnavailable if own is ListingFailed else own) as caught:
        ask(edge)

    assert fact in str(caught.value)
    assert caught.value.subject == (Subject("user", ALICE) if own is ListingFailed else None)
    assert "zoom.api_url" in caught.value.hint


# Pages without end


@EACH
def test_ever_new_page_tokens_are_given_up(sandbox: Sandbox, edge: Edge, name: str) -> None:
    ask, path, own = LISTS[name]
    sandbox.fail(path, with_=faults.ever_new_page_tokens(), times=None)

    with pytest.raises(own, match="a page brings nothing new, 3 times"):
        ask(edge)

    assert sandbox.count("GET", path) == 3 * 2


@EACH
def test_ever_new_pages_are_given_up_after_as_many_as_zoom_counts(sandbox: Sandbox, edge: Edge, name: str) -> None:
    ask, path, own = LISTS[name]
    sandbox.fail(path, with_=_pages(lambda number: [f"u{number}"], total=5), times=None)

    with pytest.raises(own, match="more comes than the 5 that Zoom counts, 3 times"):
        ask(edge)

    assert sandbox.count("GET", path) == 3 * 7


@EACH
def test_empty_pages_that_name_a_next_one_are_given_up(sandbox: Sandbox, edge: Edge, name: str) -> None:
    ask, path, own = LISTS[name]
    sandbox.fail(path, with_=_pages(lambda _: [], total=5), times=None)

    with pytest.raises(own, match="a page brings nothing new, 3 times"):
        ask(edge)

    assert sandbox.count("GET", path) <= 10


def _pages(names: Callable[[int], list[str]], *, total: int) -> Fault:
    """Ever new pages; the number of a page → the names of its entries."""
    numbers = itertools.count()

    def answer(_: Request) -> Answer:
        number = next(numbers)
        entries = [{"uuid": name, "id": name, "start_time": "2026-03-02T00:00:00Z"} for name in names(number)]
        lists = {"meetings": entries, "users": entries}
        return json_answer({**lists, "total_records": total, "next_page_token": f"t{number}"})

    return Fault(instead=answer)


def test_no_page_is_asked_for_once_the_time_of_the_pass_is_over(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.settings.page_cap = 1
    edge.tokens.current()

    def time_passes(_: Request, answer: Answer) -> Answer:
        edge.clock.advance(60)
        return answer

    sandbox.fail("recordings", with_=Fault(change=time_passes), times=None)
    edge.zoom.over_at = edge.clock.monotonic() + 90

    with pytest.raises(TimeOver, match=r"^zoom: recordings of alice@example\.org .*: the time of this pass is over$"):
        edge.list(user=ALICE)

    assert sandbox.count("GET", "recordings") == 2


# Totals


@pytest.mark.parametrize("user", [None, ALICE])
def test_a_total_that_is_always_one_too_large_is_taken_and_told(
    sandbox: Sandbox, edge: Edge, caplog: pytest.LogCaptureFixture, user: str | None
) -> None:
    sandbox.fail("recordings", with_=faults.document(total_records=4), times=None)

    listing = edge.list(user=user)

    assert len(listing.meetings) == 3
    assert sandbox.count("GET", "recordings") == 2
    (line,) = [one for one in caplog.messages if "fewer" in one]
    assert "1 meeting fewer than Zoom counts, twice: taken as it is" in line


def test_a_total_of_users_that_is_always_one_too_large_is_taken(
    sandbox: Sandbox, edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.fail("users", with_=faults.document(total_records=2), times=None)

    assert [user.email for user in edge.zoom.users("active")] == [ALICE]
    assert sum("1 user fewer" in one for one in caplog.messages) == 1


def test_a_total_that_was_too_large_once_is_no_doubt(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.fail("recordings", with_=faults.document(total_records=4), times=1)

    assert len(edge.list().meetings) == 3


def test_a_long_list_may_lack_one_in_a_hundred(edge: Edge, sandbox: Sandbox) -> None:
    entries = [{"uuid": f"u{number}", "start_time": "2026-03-02T00:00:00Z"} for number in range(297)]
    edge.tokens.current()
    with requests_mock.Mocker() as zoom:
        zoom.get(f"{sandbox.api_url}/accounts/me/recordings", json={"meetings": entries, "total_records": 300})
        assert len(edge.list().meetings) == 297

    with requests_mock.Mocker() as zoom, pytest.raises(AccountListFailed, match="4 meetings fewer than the 301"):
        zoom.get(f"{sandbox.api_url}/accounts/me/recordings", json={"meetings": entries, "total_records": 301})
        edge.list()


def test_two_readings_are_the_same_though_what_they_say_of_a_meeting_is_not(sandbox: Sandbox, edge: Edge) -> None:
    readings = [
        {"meetings": [{"uuid": "a", "start_time": "2026-03-02T00:00:00Z", "topic": topic}], "total_records": 2}
        for topic in ("old", "new")
    ]
    edge.tokens.current()
    with requests_mock.Mocker() as zoom:
        zoom.get(f"{sandbox.api_url}/accounts/me/recordings", [{"json": one} for one in readings])
        listing = edge.list()

    assert [meeting.topic for meeting in listing.meetings] == ["new"]


# The echoed days


@pytest.mark.parametrize("echo", [str(UNTIL), f"{UNTIL}T00:00:00Z", str(TOMORROW), str(TOMORROW + timedelta(days=3))])
@pytest.mark.parametrize("user", [None, ALICE])
def test_an_echo_of_all_there_is_now_is_no_clamping(sandbox: Sandbox, edge: Edge, user: str | None, echo: str) -> None:
    sandbox.fail("recordings", with_=faults.document(to=echo), times=None)

    assert len(edge.list(until=TOMORROW, user=user).meetings) == 3
    assert sandbox.count("GET", "recordings") == 1


def test_an_echo_of_yesterday_a_minute_after_midnight_is_no_clamping(sandbox: Sandbox, edge: Edge) -> None:
    edge.clock.set(NOW.replace(hour=0, minute=1))
    sandbox.fail("recordings", with_=faults.document(to=str(UNTIL - timedelta(days=1))), times=None)

    assert len(edge.list(user=ALICE).meetings) == 3
    assert sandbox.count("GET", "recordings") == 1


def test_an_echo_of_yesterday_at_noon_is_one(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.fail("recordings", with_=faults.document(to=str(UNTIL - timedelta(days=1))), times=None)

    with pytest.raises(ListingFailed, match="Zoom lists other days than those asked for"):
        edge.list(user=ALICE)


# An older cloud


def _refuses_the_source(sandbox: Sandbox, times: int | None = None) -> None:
    fault = faults.refused(400, 300, "recording_source_type: Invalid field.")
    sandbox.fail("recordings", with_=fault, times=times, query={"recording_source_type": "."})


@pytest.mark.parametrize("user", [None, ALICE])
def test_a_cloud_that_does_not_know_the_source_is_asked_without_it_from_then_on(
    sandbox: Sandbox, edge: Edge, user: str | None
) -> None:
    sandbox.settings.page_cap = 2
    _refuses_the_source(sandbox)

    assert [len(edge.list(user=user).meetings) for _ in range(2)] == [3, 3]
    assert ["recording_source_type" in one.query for one in sandbox.seen("GET", "recordings")] == [True] + 4 * [False]
    assert sandbox.seen("GET", "recordings")[1].query.keys() == {"from", "to", "page_size"}


def test_another_parameter_that_is_refused_leaves_the_source_as_it_is(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.fail("recordings", with_=faults.refused(400, 300, "Validation Failed."), times=2)

    with pytest.raises(ListingFailed, match="Validation Failed"):
        edge.list(user=ALICE)
    edge.list(user=ALICE)

    assert ["recording_source_type" in one.query for one in sandbox.seen("GET", "recordings")] == [True, False, True]


# Absurd values


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ({"auto_delete": True, "auto_delete_date": "0001-01-01"}, "auto_delete_date 0001-01-01"),
        ({"auto_delete": True, "auto_delete_date": "9999-12-31"}, "auto_delete_date 9999-12-31"),
        ({"auto_delete_date": "2201-01-01"}, "auto_delete_date 2201-01-01"),
        ({"start_time": "0001-01-01T00:00:00+14:00"}, "start_time 0001-01-01T00:00:00"),
        ({"start_time": 7}, "start_time 7"),
        ({"duration": 2**70}, "duration 1.18"),
        ({"duration": -(2**60)}, f"duration -{2**60}"),
        ({"duration": float("nan")}, "duration nan"),
        ({"duration": "half an hour"}, "duration half an hour"),
    ],
)
def test_an_absurd_value_counts_as_missing_and_is_told_once(
    sandbox: Sandbox, edge: Edge, caplog: pytest.LogCaptureFixture, raw: dict[str, object], name: str
) -> None:
    for meeting in sandbox.world.meetings.values():
        meeting.raw = raw

    listing = edge.list()
    edge.meeting(listing.meetings[0].uuid)

    assert (len(listing.meetings), listing.unreadable) == (3, ())
    assert {meeting.auto_delete for meeting in listing.meetings} == {None}
    (line,) = [one for one in caplog.messages if "counts as missing" in one]
    assert name in line


@pytest.mark.parametrize("raw", [{"file_size": 2**60}, {"recording_start": "0001-01-01"}, {"recording_end": "3000"}])
def test_an_absurd_value_of_a_file_is_that_files(
    sandbox: Sandbox, edge: Edge, caplog: pytest.LogCaptureFixture, raw: dict[str, object]
) -> None:
    uuid, meeting = next(iter(sandbox.world.meetings.items()))
    meeting.files[0].raw = raw

    assert len(edge.list().meetings) == 3
    assert len(edge.meeting(uuid).files) == len(meeting.files)
    assert sum("counts as missing" in one for one in caplog.messages) == 1


@pytest.mark.parametrize(
    "raw",
    [
        {"auto_delete": False, "auto_delete_date": "0001-01-01"},
        {"auto_delete": True, "auto_delete_date": ""},
        {"auto_delete": True, "auto_delete_date": "2026-04-01"},
        {"auto_delete": True, "auto_delete_date": "2200-12-31"},
        {"duration": 0},
        {"duration": "12"},
    ],
)
def test_a_usual_value_is_not_told(
    sandbox: Sandbox, edge: Edge, caplog: pytest.LogCaptureFixture, raw: dict[str, object]
) -> None:
    for meeting in sandbox.world.meetings.values():
        meeting.raw = raw

    assert len(edge.list().meetings) == 3
    assert "counts as missing" not in caplog.text


@pytest.mark.parametrize("entry", ["null", "7", "[]", '{"uuid": "u", "start_time": "0001-01-01"}'])
@pytest.mark.parametrize("where", ["before", "behind"])
def test_an_entry_that_is_no_meeting_spoils_no_other_one(sandbox: Sandbox, edge: Edge, entry: str, where: str) -> None:
    good = '{"uuid": "good", "start_time": "2026-03-02T00:00:00Z", "duration": 3' + 5000 * "9" + "}"
    entries = [entry, good] if where == "before" else [good, entry]
    edge.tokens.current()
    with requests_mock.Mocker() as zoom:
        zoom.get(f"{sandbox.api_url}/accounts/me/recordings", text=f'{{"meetings": [{", ".join(entries)}]}}')
        listing = edge.list()

    assert [(meeting.uuid, meeting.duration) for meeting in listing.meetings] == [("good", 0)]
    assert len(listing.unreadable) == 1


def test_an_entry_that_is_no_user_is_none(sandbox: Sandbox, edge: Edge) -> None:
    users: list[Any] = [None, {}, {"id": "u", "email": "a@example.org"}]
    sandbox.fail("users", with_=faults.document(users=users, total_records=3))

    assert [user.id for user in edge.zoom.users("active")] == ["u"]


def test_an_account_without_recordings_is_empty(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.world.meetings.clear()

    assert edge.list(SINCE, TOMORROW).meetings == ()
