"""What Zoom lists in a window: account-wide or user by user, completely or not at all."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from tests.fakes import NOW, FakeZoom, a_meeting, a_user
from zoomsync.errors import (
    AccountListFailed,
    ListingFailed,
    ServiceUnavailable,
    Unreachable,
    UserUnknown,
    ZoomsyncError,
)
from zoomsync.model import HOUR, Gap, Listing, Meeting, Retry, User
from zoomsync.rules.windows import Window
from zoomsync.sync.accounts import Hosts
from zoomsync.sync.breaker import ASK_AFTER, Breaker
from zoomsync.sync.lister import COMPARED, Listed, Lister

ADA = a_user()
BOB = a_user(id="host-bob", email="bob@example.org")
DAN = a_user(id="host-dan", email="dan@example.org", status="inactive")
WINDOW = Window(since=datetime.fromisoformat("2026-03-01T10:00Z"), until=datetime.fromisoformat("2026-03-10T12:00Z"))
DAYS = "2026-03-01 to 2026-03-11"
OF_ADA = a_meeting(uuid="a==")
OF_BOB = a_meeting(uuid="b==", host_id="host-bob", host_email="bob@example.org")
OF_DAN = a_meeting(uuid="d==", host_id="host-dan", host_email="dan@example.org")
EVERYONE = Hosts(users={"host-dan": DAN}, ids=None)
NAMED = Hosts(users={"host-ada": ADA, "host-bob": BOB}, ids=frozenset({"host-ada", "host-bob", "host-gone"}))


def zoom(*people: User) -> FakeZoom:
    """Each user has one recording; the account-wide list leaves out the inactive one."""
    directory = FakeZoom(*(people or (ADA, BOB, DAN)))
    directory.lists = {
        None: (OF_ADA, OF_BOB),
        "host-ada": (OF_ADA,),
        "host-bob": (OF_BOB,),
        "host-dan": (OF_DAN,),
    }
    return directory


def lists(directory: FakeZoom, hosts: Hosts = EVERYONE, *, is_account_wide: bool = True, **more: Any) -> Lister:
    breaker = Breaker(directory.ping)
    return Lister(directory, hosts, breaker, is_account_wide=is_account_wide, **{"now": NOW, **more})


def a_trouble(unanswered: int = 0, *, after: float = 0, error: str = "zoom: HTTP 500") -> Retry:
    """A list that failed just now, and is tried again after so many hours."""
    return Retry(tries=0, error=error, hint="", at=NOW, next_at=NOW + after * HOUR, since=NOW, unanswered=unanswered)


def a_gap(user: str, email: str, retry: Retry) -> Gap:
    return Gap(since=WINDOW.since, until=WINDOW.until, user=user, email=email, retry=retry)


def uuids(listed: Listed) -> list[str]:
    return [meeting.uuid for meeting in listed.meetings]


def asked(directory: FakeZoom) -> list[str]:
    """The questions, without the dates of the window."""
    return [question.removesuffix(f" {DAYS}") for question in directory.asked]


def test_the_account_wide_list_and_that_of_each_inactive_user() -> None:
    directory = zoom()

    assert lists(directory).window(WINDOW) == Listed(meetings=(OF_ADA, OF_BOB, OF_DAN))
    assert directory.asked == [f"recordings of the account {DAYS}", f"recordings of host-dan {DAYS}"]


def test_a_meeting_that_both_lists_have_comes_once() -> None:
    directory = zoom()
    directory.lists[None] = (OF_ADA, OF_DAN)

    assert uuids(lists(directory).window(WINDOW)) == ["a==", "d=="]


def test_an_inactive_user_who_is_not_selected_is_not_asked_about() -> None:
    directory = zoom()

    lists(directory, replace(EVERYONE, excluded=frozenset({"host-dan"}))).window(WINDOW)

    assert asked(directory) == ["recordings of the account"]


def test_a_list_for_each_named_user_whom_zoom_knows() -> None:
    directory = zoom()

    assert uuids(lists(directory, NAMED, is_account_wide=False).window(WINDOW)) == ["a==", "b=="]
    assert asked(directory) == ["recordings of host-ada", "recordings of host-bob"]


def test_a_narrowed_pass_lists_only_the_users_it_names() -> None:
    directory = zoom()

    assert uuids(lists(directory, replace(EVERYONE, narrowed=("host-bob",))).window(WINDOW)) == ["b=="]
    assert asked(directory) == ["recordings of host-bob"]


@pytest.mark.parametrize(("hosts", "expected"), [(EVERYONE, ["a=="]), (Hosts(users={}, ids=frozenset()), [])])
def test_the_gap_of_one_user_is_listed_for_that_user_while_selected(hosts: Hosts, expected: list[str]) -> None:
    directory = zoom()

    assert uuids(lists(directory, hosts).window(replace(WINDOW, user="host-ada"))) == expected
    assert asked(directory) == ["recordings of host-ada"] * len(expected)


def test_where_the_account_wide_list_is_refused_each_user_is_listed_and_it_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    directory = zoom()
    directory.lists[None] = AccountListFailed("zoom: scope missing")
    both = lists(directory)

    assert uuids(both.window(WINDOW)) == ["d==", "a==", "b=="]
    assert uuids(both.window(WINDOW)) == ["d==", "a==", "b=="]
    assert caplog.messages == ["zoom: scope missing; listing user by user instead"]
    assert asked(directory).count("recordings of the account") == 1
    assert asked(directory).count("active users") == 1


@pytest.mark.parametrize(
    ("problem", "retry"),
    [
        (ListingFailed("zoom: fewer than Zoom counts"), a_trouble(error="zoom: fewer than Zoom counts")),
        (ServiceUnavailable("zoom: HTTP 500"), a_trouble(1, after=1)),
    ],
    ids=["refused", "unanswered"],
)
def test_a_user_whose_list_fails_is_a_gap_with_its_reason_and_the_others_are_listed(
    problem: ZoomsyncError, retry: Retry
) -> None:
    directory = zoom()
    directory.lists["host-ada"] = problem

    found = lists(directory, NAMED, is_account_wide=False).window(WINDOW)

    gap = a_gap("host-ada", "ada@example.org", retry)
    assert found == Listed(meetings=(OF_BOB,), failed=(gap,), problems={"ada@example.org": problem})


def test_a_list_that_fails_is_asked_for_once_a_pass() -> None:
    directory = zoom()
    directory.lists["host-ada"] = ServiceUnavailable("zoom: HTTP 500")
    lister = lists(directory, NAMED, is_account_wide=False)

    first, second = lister.window(WINDOW), lister.window(WINDOW)

    assert asked(directory).count("recordings of host-ada") == 1
    assert (first.failed, second.failed, second.problems) == (second.failed, first.failed, {})


def test_what_failed_in_an_earlier_pass_comes_last_and_not_before_it_is_due() -> None:
    directory = zoom()
    due = lists(directory, NAMED, is_account_wide=False, troubles={"host-ada": a_trouble(3)})
    early = lists(directory, NAMED, is_account_wide=False, troubles={"host-ada": a_trouble(3, after=4)})

    assert uuids(due.window(WINDOW)) == ["b==", "a=="]
    assert due.troubles == {}
    left = early.window(WINDOW)
    assert (uuids(left), left.failed) == (["b=="], (a_gap("host-ada", "ada@example.org", a_trouble(3, after=4)),))


def test_a_list_that_failed_is_asked_for_at_once_if_a_person_wants_it() -> None:
    troubles = {"host-ada": a_trouble(3, after=4)}

    found = lists(zoom(), NAMED, is_account_wide=False, troubles=troubles, ignores_delays=True).window(WINDOW)

    assert uuids(found) == ["b==", "a=="]


def many(number: int) -> tuple[FakeZoom, Hosts]:
    """So many users, all of whose lists are broken but the last one's."""
    people = [a_user(id=f"host-{one}", email=f"{one}@example.org") for one in range(number)]
    directory = zoom(*people)
    directory.lists = {user.id: ServiceUnavailable("zoom: HTTP 500") for user in people[:-1]}
    directory.lists[people[-1].id] = (OF_ADA,)
    return directory, Hosts(users={user.id: user for user in people}, ids=None)


def test_broken_lists_in_a_row_starve_nobody_if_zoom_answers_the_reference_question() -> None:
    directory, hosts = many(2 * ASK_AFTER + 2)

    found = lists(directory, hosts, is_account_wide=False).window(WINDOW)

    assert (uuids(found), len(found.failed)) == (["a=="], 2 * ASK_AFTER + 1)
    assert directory.asked.count("the reference question") == 2


def test_a_zoom_that_does_not_answer_the_reference_question_ends_the_listing_and_no_user_is_to_blame() -> None:
    directory, hosts = many(ASK_AFTER + 2)
    directory.down = ServiceUnavailable("zoom: HTTP 503")
    lister = lists(directory, hosts, is_account_wide=False)

    with pytest.raises(ServiceUnavailable, match="HTTP 503"):
        lister.window(WINDOW)

    assert len(directory.asked) == ASK_AFTER + 1
    assert set(lister.troubles.values()) == {a_trouble()}


def test_gaps_of_this_pass_are_corrected_once_zoom_turns_out_to_be_down() -> None:
    directory, hosts = many(ASK_AFTER + 1)
    directory.down = ServiceUnavailable("zoom: HTTP 503")
    lister = lists(directory, replace(hosts, ids=frozenset({"host-0", "host-1"})), is_account_wide=False)
    earlier = a_gap("host-9", "9@example.org", replace(a_trouble(2, after=2), at=NOW - HOUR))
    failed = lister.window(WINDOW).failed

    lister._breaker.settle()

    corrected = lister.corrected((*failed, earlier))
    assert [gap.retry for gap in failed] == [a_trouble(1, after=1)] * 2
    assert [gap.retry for gap in corrected] == [a_trouble(), a_trouble(), earlier.retry]


def test_a_bug_in_one_list_is_that_users_failure() -> None:
    directory = zoom()
    recordings = directory.recordings

    def buggy(since: date, until: date, *, user: str | None) -> Listing:
        if user == "host-ada":
            raise ZeroDivisionError("a bug")
        return recordings(since, until, user=user)

    directory.recordings = buggy  # type: ignore[method-assign]
    lister = lists(directory, NAMED, is_account_wide=False)

    found = lister.window(WINDOW)

    assert (uuids(found), len(lister.bugs)) == (["b=="], 1)
    assert [gap.retry and gap.retry.error for gap in found.failed] == ["bug: ZeroDivisionError: a bug"]


def test_an_account_wide_list_that_a_server_does_not_give_is_left_alone_for_a_while() -> None:
    directory = zoom()
    directory.lists[None] = ServiceUnavailable("zoom: HTTP 500")
    lister = lists(directory)

    assert uuids(lister.window(WINDOW)) == ["d==", "a==", "b=="]
    assert lister.troubles == {None: a_trouble(1, after=1)}
    again = lists(directory, troubles=lister.troubles)
    directory.asked.clear()
    again.window(WINDOW)
    assert "recordings of the account" not in asked(directory)


def test_a_user_who_could_not_be_looked_up_is_a_gap_under_the_address() -> None:
    problem = ServiceUnavailable("zoom: HTTP 500")
    eve = "eve@example.org"
    hosts = replace(NAMED, failed={eve: problem}, lookups={eve: a_trouble(1, after=1)})
    lister = lists(zoom(), hosts, is_account_wide=False)

    first, second = lister.window(WINDOW), lister.window(WINDOW)
    own = lister.window(replace(WINDOW, user=eve))

    gap = a_gap(eve, eve, a_trouble(1, after=1))
    assert first == Listed(meetings=(OF_ADA, OF_BOB), failed=(gap,), problems={eve: problem})
    assert (second.failed, second.problems, own) == ((gap,), {}, Listed(meetings=(), failed=(gap,)))


def test_an_excluded_user_who_could_not_be_looked_up_is_not_listed() -> None:
    hosts = Hosts(users={"host-ada": ADA, "host-bob": BOB}, ids=None, excluded_emails=frozenset({"bob@example.org"}))

    assert uuids(lists(zoom(), hosts, is_account_wide=False).window(WINDOW)) == ["a=="]


def test_a_zoom_that_cannot_be_reached_ends_the_listing_at_once() -> None:
    directory = zoom()
    directory.lists["host-ada"] = Unreachable("zoom: no answer")

    with pytest.raises(Unreachable, match="no answer"):
        lists(directory, NAMED, is_account_wide=False).window(WINDOW)

    assert asked(directory) == ["recordings of host-ada"]


def test_a_user_who_left_keeps_no_gap_open() -> None:
    directory = zoom(BOB)
    directory.lists["host-gone"] = UserUnknown("zoom: user does not exist")

    assert lists(directory).window(replace(WINDOW, user="host-gone")) == Listed(meetings=())


@pytest.mark.parametrize(
    ("account", "own", "expected"),
    [
        ((OF_ADA,), (OF_ADA,), ["a==", "d=="]),
        ((OF_ADA,), (OF_ADA, a_meeting(uuid="lacking==")), ["d==", "a==", "lacking==", "b=="]),
        ((), (), ["d==", "b=="]),
    ],
    ids=["alike", "one lacks in the account-wide list", "the account-wide list is empty"],
)
def test_a_sweep_holds_both_kinds_of_list_against_each_other(
    account: tuple[Meeting, ...], own: tuple[Meeting, ...], expected: list[str]
) -> None:
    directory = zoom()
    directory.lists |= {None: account, "host-ada": own}

    assert uuids(lists(directory).window(WINDOW, compare=True)) == expected


@pytest.mark.parametrize(
    "problem", [ListingFailed("zoom: 4711"), ServiceUnavailable("zoom: HTTP 500")], ids=["refused", "not answered"]
)
def test_an_empty_account_wide_list_that_nobodys_own_one_confirms_is_not_trusted(problem: ZoomsyncError) -> None:
    directory = zoom(ADA)
    directory.lists = {None: (), "host-ada": problem}

    found = lists(directory, Hosts(users={}, ids=None)).window(WINDOW, compare=True)

    assert [gap.user for gap in found.failed] == ["host-ada"]
    assert found.problems == {"ada@example.org": problem}


def test_a_sweep_compares_with_users_whose_lists_did_not_fail_before() -> None:
    directory, ids = zoom(), [f"host-{number}" for number in range(COMPARED + 1)]
    meetings = tuple(a_meeting(uuid=f"{one}==", host_id=one, host_email=f"{one}@example.org") for one in ids)
    directory.lists = {None: meetings, ids[-1]: meetings[-1:]}
    directory.lists |= {one: ListingFailed("zoom: 4711") for one in ids[:-1]}
    troubles = dict.fromkeys(ids[:-1], a_trouble())

    found = lists(directory, Hosts(users={}, ids=None), troubles=troubles).window(WINDOW, compare=True)

    assert found == Listed(meetings=meetings)
    assert asked(directory) == ["recordings of the account", f"recordings of {ids[-1]}"]


def test_an_account_wide_list_that_is_read_shows_that_those_before_failed_by_themselves() -> None:
    directory = zoom()
    directory.down = ServiceUnavailable("zoom: HTTP 503")
    breaker = Breaker(directory.ping)
    with pytest.raises(ServiceUnavailable):
        breaker.ask()

    Lister(directory, EVERYONE, breaker, is_account_wide=True, now=NOW).window(WINDOW)

    breaker.failed()
    assert directory.asked.count("the reference question") == 1


def test_a_user_whom_zoom_does_not_know_is_a_gap_if_the_list_of_all_is_not_read() -> None:
    directory = zoom(BOB)
    unknown = UserUnknown("zoom: user does not exist")
    directory.lists["host-gone"] = unknown

    def refused(status: str) -> list[User]:
        raise ServiceUnavailable(f"zoom: {status} users: HTTP 500")

    directory.users = refused  # type: ignore[method-assign]

    found = lists(directory).window(replace(WINDOW, user="host-gone"))

    assert found.problems == {"host-gone": unknown}


def test_hosts_without_an_address_get_that_of_the_user() -> None:
    directory = zoom()
    directory.lists["host-ada"] = (replace(OF_ADA, host_id="", host_email=""),)

    assert lists(directory, NAMED, is_account_wide=False).window(WINDOW).meetings[0] == OF_ADA


def test_users_become_known_by_their_recordings() -> None:
    both = lists(zoom())

    both.window(WINDOW)

    assert {user.id: user.email for user in both.users.values()} == {
        "host-dan": "dan@example.org",
        "host-ada": "ada@example.org",
        "host-bob": "bob@example.org",
    }
