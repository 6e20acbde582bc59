"""What a pass reads: in which windows it lists, which entries it looks at, and each meeting once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from tests.decisions import a_retry, published, rules
from tests.fakes import NOW, START, FakeClock, FakeZoom, a_meeting, a_user, an_entry
from zoomsync.destinations.base import Destination
from zoomsync.errors import ServiceUnavailable, StillProcessing, TimeOver, UsageError, UserFailed
from zoomsync.model import DAY, HOUR, Gap, Outcome
from zoomsync.rules.named import Named
from zoomsync.rules.request import SyncRequest
from zoomsync.rules.windows import MANY, Window
from zoomsync.state import Head, State
from zoomsync.sync.accounts import Hosts
from zoomsync.sync.breaker import ASK_AFTER, Breaker
from zoomsync.sync.lister import Lister
from zoomsync.sync.reader import Reader, Selection, windows_of_pass
from zoomsync.sync.recorder import Recorder
from zoomsync.sync.tally import Tally

LOOKBACK = 14 * DAY


def head(gaps: tuple[Gap, ...] = (), looked_back_at: datetime | None = None) -> Head:
    return Head(id="0" * 32, gaps=gaps, looked_back_at=looked_back_at)


def ago(days: float) -> timedelta:
    return timedelta(days=days)


def a_gap(since: float, until: float, user: str | None = None) -> Gap:
    """Days ago."""
    return Gap(since=NOW - ago(since), until=NOW - ago(until), user=user)


@pytest.mark.parametrize(
    ("narrowing", "gaps", "expected"),
    [
        (SyncRequest(), (), [(14, 0, None)]),
        (SyncRequest(), (a_gap(3, 0),), [(14, 0, None)]),
        (SyncRequest(), (a_gap(20, 0),), [(14, 0, None), (20, 14, None)]),
        (SyncRequest(), (a_gap(60, 0),), [(14, 0, None), (43, 14, None), (60, 42, None)]),
        (SyncRequest(), (a_gap(20, 10, "ada"),), [(14, 0, None), (20, 14, "ada")]),
        (SyncRequest(), (a_gap(30, 25, "ada"), a_gap(60, 50)), [(14, 0, None), (60, 50, None), (30, 25, "ada")]),
        (SyncRequest(until=NOW + DAY), (a_gap(20, 0),), [(29, 0, None), (40, 28, None)]),
        (SyncRequest(until=NOW - 30 * DAY), (), [(40, 30, None)]),
        (SyncRequest(until=NOW - 50 * DAY), (), []),
    ],
)
def test_a_pass_lists_these_windows(
    narrowing: SyncRequest, gaps: tuple[Gap, ...], expected: list[tuple[float, float, str | None]]
) -> None:
    found = windows_of_pass(narrowing, rules(since=NOW - 40 * DAY), LOOKBACK, head(gaps))

    assert [((NOW - one.since) / DAY, (NOW - one.until) / DAY, one.user) for one in found] == expected


def test_the_lookback_ends_at_since() -> None:
    found = windows_of_pass(SyncRequest(), rules(since=NOW - 2 * DAY), LOOKBACK, head())

    assert [(one.since, one.until) for one in found] == [(NOW - 2 * DAY, NOW)]


@pytest.mark.parametrize(
    ("looked_back", "days"),
    [(None, 14), (1, 2), (5.9, 2), (6, 14), (-1, 14)],
    ids=["few meetings", "an hour ago", "just not due", "due", "in the future"],
)
def test_a_lookback_of_many_meetings_is_listed_as_a_whole_every_six_hours(
    looked_back: float | None, days: float
) -> None:
    at = None if looked_back is None else NOW - looked_back * HOUR

    found = windows_of_pass(SyncRequest(), rules(since=NOW - 40 * DAY), LOOKBACK, head((a_gap(60, 50),), at))

    assert [((NOW - one.since) / DAY, (NOW - one.until) / DAY) for one in found] == [(days, 0), (60, 50)]


def test_a_gap_since_the_last_pass_is_listed_however_recent_the_whole_lookback_was() -> None:
    found = windows_of_pass(SyncRequest(), rules(since=NOW - 40 * DAY), LOOKBACK, head((a_gap(3, 0),), NOW - HOUR))

    assert [((NOW - one.since) / DAY, (NOW - one.until) / DAY) for one in found] == [(2, 0), (3, 2)]


EVERYONE = Hosts(users={}, ids=None)
BOB = an_entry(uuid="b==", host_id="host-bob")


def selection(hosts: Hosts = EVERYONE, narrowing: SyncRequest | None = None, **changes: Any) -> Selection:
    return Selection(request=narrowing or SyncRequest(), rules=rules(**changes), hosts=hosts)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (selection(), True),
        (selection(Hosts(users={}, ids=frozenset({"host-bob"}))), True),
        (selection(Hosts(users={}, ids=None, narrowed=("host-ada",))), False),
        (selection(Hosts(users={}, ids=None, excluded=frozenset({"host-bob"}))), False),
        (selection(narrowing=SyncRequest(since=START)), True),
        (selection(narrowing=SyncRequest(since=START + DAY)), False),
        (selection(narrowing=SyncRequest(until=START)), False),
        (selection(narrowing=SyncRequest(meetings=Named(["a=="]))), False),
        (selection(Hosts(users={}, ids=frozenset()), SyncRequest(meetings=Named(["b=="]))), True),
    ],
)
def test_an_entry_is_looked_at(chosen: Selection, expected: bool) -> None:
    assert chosen.includes(BOB) is expected


def test_what_a_person_once_asked_for_is_looked_at_whoever_is_selected_now() -> None:
    nobody, requested = Hosts(users={}, ids=frozenset()), an_entry(asked="library-1")

    assert selection(nobody).includes(requested)
    assert not selection(nobody, SyncRequest(users=("bob@example.org",))).includes(requested)


WINDOW = Window(since=START, until=NOW)


class Account:
    """A Zoom of one user, a ledger, and what is written down of them."""

    def __init__(self, folder: Path) -> None:
        self.zoom = FakeZoom(a_user())
        self.state = State.open(folder / "state.json", new_id="f" * 32)
        self.tally = Tally()

    def read(self, request: SyncRequest | None = None, *windows: Window, is_over: bool = False) -> list[list[str]]:
        """The uuids of each reading of a pass."""
        request, destination = request or SyncRequest(), cast("Destination", None)
        recorder = Recorder(self.state, FakeClock(), destination, request, self.tally)
        breaker = Breaker(self.zoom.ping)
        lister = Lister(self.zoom, EVERYONE, breaker, is_account_wide=True, now=NOW)
        reader = Reader(self.zoom, lister, recorder, breaker, selection(narrowing=request))
        found = list(reader.run(windows or (WINDOW,), (), lookback=LOOKBACK, is_over=lambda: is_over))
        self.looked_back_at = [reading.head.looked_back_at for reading in found]
        return [[meeting.uuid for meeting in reading.meetings] for reading in found]


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    found = Account(tmp_path)
    with found.state:
        yield found


def test_a_meeting_comes_once_however_many_windows_list_it(account: Account) -> None:
    account.zoom.lists = {None: (a_meeting(uuid="a=="), a_meeting(uuid="b=="))}

    assert account.read(None, WINDOW, WINDOW) == [["a==", "b=="], []]


def many(account: Account, more: int) -> None:
    account.zoom.lists = {None: tuple(a_meeting(uuid=f"{number}==") for number in range(MANY + more))}


def test_it_is_remembered_when_the_whole_of_a_large_lookback_was_listed(account: Account) -> None:
    newest, rest = Window(since=NOW - 2 * DAY, until=NOW), Window(since=NOW - 14 * DAY, until=NOW - 2 * DAY)
    many(account, 1)

    account.read(None, newest, rest)
    assert account.looked_back_at == [None, NOW]
    account.read(SyncRequest(users=("ada@example.org",)), newest, rest)
    assert account.looked_back_at == [None, None]  # that was one user's
    account.read(None, newest, Window(since=NOW - 20 * DAY, until=NOW - 3 * DAY))
    assert account.looked_back_at == [None, None]  # a day lies between

    many(account, 0)
    account.read(None, newest, rest)
    assert account.looked_back_at == [None, None]


def test_open_entries_that_no_list_shows_are_read_with_the_first_window(account: Account) -> None:
    account.state.put(an_entry(uuid="open=="), an_entry(uuid="listed=="), published(a_meeting(uuid="done==")))
    account.zoom.lists = {None: (a_meeting(uuid="listed=="),)}
    account.zoom.meetings = {"open==": a_meeting(uuid="open==")}

    assert account.read(None, WINDOW, WINDOW) == [["listed==", "open=="], []]


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (StillProcessing("zoom: still processing"), Outcome.WAITING, "zoom: still processing"),
        (ServiceUnavailable("zoom: HTTP 500"), Outcome.FAILED, "failed: zoom: HTTP 500"),
        (None, Outcome.LOST, "gone from the cloud before it was fetched"),
    ],
)
def test_what_keeps_an_open_entry_from_being_read_is_written_down(
    account: Account, answer: Any, outcome: Outcome, reason: str
) -> None:
    account.state.put(an_entry(uuid="open=="))
    account.zoom.meetings = {"open==": answer}

    assert account.read() == [[]]
    assert (account.tally.outcomes[outcome], account.state.entries["open=="].reason) == (1, reason)


def unanswered(account: Account, count: int) -> list[str]:
    """The uuids of so many open entries that Zoom does not answer about."""
    uuids = [f"{number}==" for number in range(count)]
    account.state.put(*(an_entry(uuid=uuid) for uuid in uuids))
    account.zoom.meetings = {uuid: ServiceUnavailable("zoom: HTTP 500") for uuid in uuids}
    return uuids


def test_entries_that_zoom_does_not_answer_about_are_left_alone_for_a_while_and_stop_nothing(account: Account) -> None:
    uuids = unanswered(account, ASK_AFTER + 2)
    account.state.put(an_entry(uuid="good=="))
    account.zoom.meetings["good=="] = a_meeting(uuid="good==")

    assert account.read() == [["good=="]]

    retries = [account.state.entries[uuid].retry for uuid in uuids]
    assert [(one.tries, one.unanswered, one.next_at) for one in retries if one] == [(0, 1, NOW + HOUR)] * len(uuids)
    assert account.read() == [["good=="]]
    assert sum(one.startswith("meeting ") for one in account.zoom.asked) == len(uuids) + 2


def test_a_zoom_that_is_down_ends_the_pass_and_delays_no_entry(account: Account) -> None:
    uuids = unanswered(account, ASK_AFTER + 2)
    account.zoom.down = ServiceUnavailable("zoom: HTTP 503")

    with pytest.raises(ServiceUnavailable, match="503"):
        account.read()

    assert account.tally.outcomes[Outcome.FAILED] == ASK_AFTER
    retries = [account.state.entries[uuid].retry for uuid in uuids]
    assert [(one.unanswered, one.next_at) for one in retries if one] == [(0, NOW)] * ASK_AFTER


def test_a_bug_in_one_entry_is_its_failure(account: Account) -> None:
    account.state.put(an_entry(uuid="bad=="), an_entry(uuid="good=="))
    account.zoom.meetings = {"bad==": "no meeting", "good==": a_meeting(uuid="good==")}  # type: ignore[dict-item]

    assert account.read() == [["good=="]]
    assert account.tally.outcomes[Outcome.BUGS] == 1
    assert account.state.entries["bad=="].reason.startswith("failed: bug: ")


def test_a_host_whom_zoom_does_not_name_is_the_failure_of_that_meeting(account: Account) -> None:
    account.state.put(an_entry(uuid="open==", host_id="host-eve", host_email=""))
    account.zoom.meetings = {"open==": a_meeting(uuid="open==", host_id="host-eve", host_email="")}
    account.zoom.refused = {"host-eve": UserFailed("zoom: user host-eve: refused")}

    assert account.read() == [[]]
    assert account.state.entries["open=="].reason == "failed: zoom: user host-eve: refused"


def test_a_parked_entry_is_not_read(account: Account) -> None:
    account.state.put(an_entry(uuid="parked==", retry=a_retry(None)))

    account.read()

    assert "meeting parked==" not in account.zoom.asked


def test_what_is_not_listed_when_time_is_up_is_left(account: Account) -> None:
    assert account.read(is_over=True) == []
    assert account.tally.left == ["recordings from 2026-03-01 to 2026-03-10"]


def test_a_list_that_is_cut_short_because_time_is_up_is_left_too(account: Account) -> None:
    account.zoom.lists = {None: TimeOver("zoom: the time of this pass is over")}

    assert account.read() == []
    assert account.tally.left == ["recordings from 2026-03-01 to 2026-03-10"]


def test_a_named_meeting_that_cannot_be_read_does_not_stop_the_others(account: Account) -> None:
    account.zoom.meetings = {"known==": a_meeting(uuid="known==")}

    with pytest.raises(UsageError, match="85012345678: Zoom has no such recording"):
        account.read(SyncRequest(meetings=Named(["85012345678", "known=="])))

    assert account.zoom.asked == ["meeting 85012345678", "meeting known=="]
