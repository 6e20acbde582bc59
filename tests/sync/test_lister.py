"""What Zoom lists in a window: account-wide or user by user, completely or not at all."""

from dataclasses import replace
from datetime import datetime

import pytest

from tests.fakes import FakeZoom, a_meeting, a_user
from zoomsync.errors import AccountListRefused, ListingFailed, ServiceUnavailable, Unreachable, UserUnknown
from zoomsync.model import Meeting, User
from zoomsync.rules.windows import Window
from zoomsync.sync.accounts import Hosts
from zoomsync.sync.breaker import GIVE_UP_AFTER, Breaker
from zoomsync.sync.lister import Listed, Lister

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


def lists(directory: FakeZoom, hosts: Hosts = EVERYONE, *, is_account_wide: bool = True) -> Lister:
    return Lister(directory, hosts, Breaker(), is_account_wide=is_account_wide)


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
    directory.lists[None] = AccountListRefused("zoom: scope missing")
    both = lists(directory)

    assert uuids(both.window(WINDOW)) == ["d==", "a==", "b=="]
    assert uuids(both.window(WINDOW)) == ["d==", "a==", "b=="]
    assert caplog.messages == ["zoom: scope missing; listing user by user instead"]
    assert asked(directory).count("recordings of the account") == 1
    assert asked(directory).count("active users") == 1


def test_a_user_whose_list_fails_is_told_and_the_others_are_listed() -> None:
    directory = zoom()
    directory.lists["host-ada"] = ListingFailed("zoom: host-ada: fewer than Zoom counts")

    found = lists(directory, NAMED, is_account_wide=False).window(WINDOW)

    assert found == Listed(meetings=(OF_BOB,), failed={"host-ada": "zoom: host-ada: fewer than Zoom counts"})


def test_a_zoom_that_fails_for_one_user_after_the_other_ends_the_listing() -> None:
    people = [a_user(id=f"host-{number}", email=f"{number}@example.org") for number in range(GIVE_UP_AFTER + 2)]
    directory = zoom(*people)
    directory.lists = {user.id: ServiceUnavailable("zoom: HTTP 500") for user in people}
    hosts = Hosts(users={user.id: user for user in people}, ids=None)

    with pytest.raises(ServiceUnavailable, match="HTTP 500"):
        lists(directory, hosts, is_account_wide=False).window(WINDOW)

    assert len(directory.asked) == GIVE_UP_AFTER


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
