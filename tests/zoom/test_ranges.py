"""A large file that comes slowly comes in ranges, on all connections that are idle; and whatever a server does with
ranges, the file is as Zoom has it."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

import pytest

from tests.sandbox import faults
from tests.sandbox.content import Content, Filler, Text
from tests.sandbox.downloads import sign_in
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Ending, Request
from tests.zoom.transfers import SERVED, SIZE, Try
from zoomsync.errors import DiskFull, Stopped
from zoomsync.zoom import ranges

SOON = 10.0
"""Seconds for what comes at once, on a busy machine too."""
LONG_AGO = "Wed, 25 Mar 2020 12:00:00 GMT"
CONNECTIONS = 4
LEAST, MOST = 10_000, 25_000
IN_ORDER = {"range": "^$"}
"""Matches what asks for all of a file."""
IN_RANGES = {"range": "."}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        yield pool


@dataclass(frozen=True)
class Held:
    """The bytes of a file, of which the second half comes once ranges were asked for."""

    whole: Content
    asked: Callable[[], bool]

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.whole.size

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`."""
        limit = time.monotonic() + SOON
        while start and not self.asked() and time.monotonic() < limit:
            time.sleep(0.002)
        return self.whole.read(start, stop)


def hold(video: Try, ranges: int) -> list[str]:
    """The first connection brings a few bytes until so many more ranges were asked for, or the list is filled."""
    video.sandbox.rules.clear()
    before, released = len(in_ranges(video)), list[str]()

    def asked() -> bool:
        return bool(released) or len(in_ranges(video)) >= before + ranges

    held = Fault(change=lambda _, answer: replace(answer, content=Held(answer.content, asked)))
    video.sandbox.fail(SERVED, with_=held, headers=IN_ORDER, times=None)
    return released


@pytest.fixture
def slow(video: Try, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> Try:
    """The video, which is large by the measure of this test, and comes slowly if it comes in order."""
    for name, value in {"LEAST": LEAST, "MOST": MOST, "WORTH_SECONDS": 0.0, "WARM_UP_SECONDS": 0.0}.items():
        monkeypatch.setattr(ranges, name, value)
    video.edge.http._timeouts = (5, SOON)
    made = replace(video, pool=pool)
    hold(made, 1)
    return made


@pytest.fixture
def alone(slow: Try) -> Try:
    """As `slow`, but nothing waits for ranges: whoever tried to help would come in time."""
    slow.sandbox.rules.clear()
    slow.sandbox.fail(SERVED, with_=faults.slow(2 * 10**6), times=None)
    return slow


def sent(video: Try) -> int:
    """Bytes that the server sent of it."""
    return sum(one.bytes for one in video.sandbox.seen("GET", SERVED))


def in_ranges(video: Try) -> list[str]:
    return [one for one in video.ranges if one is not None]


def test_a_large_file_that_comes_slowly_comes_in_ranges(slow: Try) -> None:
    hold(slow, 4)

    slow.assert_arrived(slow.fetch())

    bounded = [one for one in in_ranges(slow) if re.fullmatch(r"bytes=\d+-\d+", one)]
    assert len(bounded) >= 4  # the first connection asks up to the end once nobody brings that
    assert [path.suffix for path in slow.folder.iterdir()] == [".mp4"]


def test_each_range_shows_the_token_to_zoom_alone(slow: Try) -> None:
    slow.fetch()

    assert all(one.has_bearer for one in slow.sandbox.seen("GET", "rec/download"))
    assert not any(one.has_bearer for one in slow.sandbox.seen("GET", SERVED))
    assert slow.sandbox.count("GET", "rec/download") >= len(slow.ranges) > 1


def test_ranges_are_opened_with_what_opened_the_file(slow: Try) -> None:
    bearers: list[str | None] = []

    def change(request: Request, answer: Answer) -> Answer:
        bearers.append(request.bearer)
        return sign_in() if request.bearer == bearers[0] else answer

    slow.sandbox.fail("rec/download", with_=Fault(change=change), times=None)

    slow.assert_arrived(slow.fetch())

    assert in_ranges(slow)
    assert bearers[0] not in bearers[bearers.index(bearers[-1]) :]


def test_what_comes_fast_enough_in_one_piece_is_not_asked_for_in_ranges_however_slow_the_disk_is(
    alone: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "WORTH_SECONDS", 1.0)  # the clock stands still while it comes
    clock = alone.edge.clock

    def slow_disk(size: int) -> None:
        alone.progress.append(size)
        clock.sleep(5)

    assert alone.pool is not None
    fetch = alone.edge.downloads.fetch
    alone.assert_arrived(alone.pool.submit(fetch, *alone.listed, alone.folder, slow_disk, idle=alone.pool).result())

    assert alone.ranges == [None]


def test_where_the_limit_of_bytes_a_second_is_reached_nobody_helps(alone: Try) -> None:
    alone.edge.downloads._bandwidth.rate = 10**6

    alone.assert_arrived(alone.fetch())

    assert alone.ranges == [None]


@pytest.mark.parametrize(
    "change",
    [
        faults.headers(etag=""),
        faults.headers(etag='W/"1"'),
        faults.headers(etag="no quotes"),
        faults.headers(etag="", last_modified="Wed, 25 Nov 2026 12:00:00 GMT", date=""),
        faults.headers(accept_ranges="none"),
    ],
    ids=["no validator", "weak", "malformed", "modified at an unknown time ago", "says so"],
)
def test_without_a_strong_validator_or_where_a_server_says_that_it_has_none_there_are_no_ranges(
    alone: Try, change: Fault
) -> None:
    def both(request: Request, answer: Answer) -> Answer:
        assert change.change is not None
        return replace(change.change(request, answer), speed=2 * 10**6)

    alone.sandbox.rules.clear()
    alone.sandbox.fail(SERVED, with_=Fault(change=both), times=None)

    alone.assert_arrived(alone.fetch())

    assert alone.ranges == [None]


def test_when_it_was_modified_is_a_validator_too_if_that_is_long_ago(slow: Try) -> None:
    asked: list[str | None] = []

    def ask(request: Request) -> Request:
        asked.append(request.headers.get("if-range"))
        return replace(request, headers={name: one for name, one in request.headers.items() if name != "if-range"})

    def change(_: Request, answer: Answer) -> Answer:
        held = Held(answer.content, lambda: bool(in_ranges(slow))) if answer.status == 200 else answer.content
        return replace(answer, headers={**answer.headers, "Etag": "", "Last-Modified": LONG_AGO}, content=held)

    slow.sandbox.rules.clear()
    slow.sandbox.fail(SERVED, with_=Fault(ask=ask, change=change), times=None)

    slow.assert_arrived(slow.fetch())

    assert set(asked) == {None, LONG_AGO}


@pytest.mark.parametrize(
    ("fault", "is_unable"),
    [
        (faults.ignored_range(), True),
        (faults.wrong_range(), True),
        (faults.headers(content_range=""), True),
        (faults.headers(content_encoding="gzip"), True),
        (faults.headers(etag=""), True),
        (faults.headers(etag='"another"'), False),
        (faults.page(416), False),
        (faults.page(403), False),
        (faults.page(500), False),
        (faults.rate_limited("seconds", 1), False),
        (faults.cut(0, "reset"), False),
        (faults.redirect("{path}"), False),
        (faults.foreign_redirect(), False),
    ],
    ids=["200", "wrong range", "no range", "packed", "no validator", "another validator", "416", "403", "500", "429",
         "reset", "loop", "foreign"],
)  # fmt: skip
def test_a_server_that_does_not_give_the_range_asked_for_costs_no_file(
    slow: Try, fault: Fault, is_unable: bool
) -> None:
    slow.sandbox.fail(SERVED, with_=fault, headers=IN_RANGES, times=None)

    slow.assert_arrived(slow.fetch())

    all_idle(slow)
    first = slow.ranges
    assert (first.count(None), 1 <= len(in_ranges(slow)) <= 5 * (faults_hops(fault))) == (1, True)
    assert not [one for one in slow.sandbox.requests if one.host == faults.FOREIGN]
    other = replace(slow, folder=slow.folder / "other", progress=[])
    other.folder.mkdir()
    hold(slow, 1)
    if is_unable:
        slow.sandbox.rules.clear()
        slow.sandbox.fail(SERVED, with_=faults.slow(2 * 10**6), headers=IN_ORDER, times=None)
    other.assert_arrived(other.fetch())
    assert (other.ranges[len(first) :] == [None]) is is_unable


def all_idle(video: Try) -> None:
    """Whoever helped has come to an end."""
    together = threading.Barrier(CONNECTIONS, timeout=SOON)
    assert video.pool is not None
    wait([video.pool.submit(together.wait) for _ in range(CONNECTIONS)])


def faults_hops(fault: Fault) -> int:
    """How many requests one that helps may make of it."""
    return CONNECTIONS * 6 if fault.instead is not None else CONNECTIONS


def test_a_file_that_changes_meanwhile_is_never_a_mixture(slow: Try) -> None:
    before = slow.data

    def ask(request: Request) -> Request:
        slow.cloud.content = Filler(SIZE, seed=7)
        return request

    slow.sandbox.fail(SERVED, with_=Fault(ask=ask), headers=IN_RANGES)

    got = slow.fetch()

    assert got.path.read_bytes() in (before, slow.data)


@pytest.mark.parametrize("fault", [faults.cut(6_000, "reset"), faults.truncated(6_000)], ids=["cut", "shorter"])
def test_ranges_that_end_after_some_bytes_go_on(slow: Try, fault: Fault) -> None:
    hold(slow, 20)
    slow.sandbox.fail(SERVED, with_=fault, headers=IN_RANGES, times=None)

    slow.assert_arrived(slow.fetch())

    assert len(in_ranges(slow)) >= 20


def test_a_range_that_is_longer_than_it_says_is_cut_at_its_end(slow: Try) -> None:
    def change(_: Request, answer: Answer) -> Answer:
        longer = answer.content.read(0, answer.content.size) + b"?" * 5_000
        return replace(answer, content=Text(longer), is_chunked=True)

    slow.sandbox.fail(SERVED, with_=Fault(change=change), headers=IN_RANGES, times=None)

    slow.assert_arrived(slow.fetch())

    assert in_ranges(slow)


@pytest.mark.parametrize("ending", ["stall", "reset"])
def test_what_one_range_is_slow_with_others_bring(slow: Try, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def has_begun() -> bool:
        return any(one.range and one.bytes for one in slow.sandbox.seen("GET", SERVED))

    def change(_: Request, answer: Answer) -> Answer:
        return replace(answer, content=Held(answer.content, has_begun), speed=2 * 10**6)

    monkeypatch.setattr(ranges, "STUCK_SECONDS", 0.0)
    slow.sandbox.rules.clear()
    slow.sandbox.fail(SERVED, with_=Fault(change=change), headers=IN_ORDER)
    slow.sandbox.fail(SERVED, with_=faults.cut(100, ending), headers=IN_RANGES)

    slow.assert_arrived(slow.fetch())

    assert in_ranges(slow)


def test_the_first_connection_may_be_cut_while_others_help(slow: Try) -> None:
    def change(_: Request, answer: Answer) -> Answer:
        held = Held(answer.content, lambda: bool(in_ranges(slow)))
        return replace(answer, content=held, stop_after=70_000, ending=Ending.RESET)

    slow.sandbox.rules.clear()
    slow.sandbox.fail(SERVED, with_=Fault(change=change), headers=IN_ORDER)

    slow.assert_arrived(slow.fetch())

    assert slow.ranges.count(None) == 1


@pytest.mark.parametrize("connections", [1, 2])
def test_many_large_files_never_wait_for_each_other(slow: Try, connections: int) -> None:
    slow.sandbox.rules.clear()
    with ThreadPoolExecutor(connections) as pool:
        tries = [replace(slow, folder=slow.folder / str(number), progress=[]) for number in range(3)]
        for one in tries:
            one.folder.mkdir()
        fetch, listed = slow.edge.downloads.fetch, slow.listed
        futures = [pool.submit(fetch, *listed, one.folder, one.progress.append, idle=pool) for one in tries]
        for one, future in zip(tries, futures, strict=True):
            one.assert_arrived(future.result(20))


def test_of_files_that_come_at_the_same_time_none_takes_all_that_help(slow: Try) -> None:
    def both(request: Request, answer: Answer) -> Answer:
        held = Held(answer.content, lambda: len(in_ranges(slow)) >= 2)
        if "range" not in request.headers:
            return replace(answer, content=held, speed=2 * 10**5)  # so slow that each piece comes in one
        held.read(1, 2)
        return answer

    slow.sandbox.rules.clear()
    slow.sandbox.fail(SERVED, with_=Fault(change=both), times=None)
    other = replace(slow, folder=slow.folder / "other", progress=[])
    other.folder.mkdir()
    fetch, listed = slow.edge.downloads.fetch, slow.listed
    assert slow.pool is not None
    tries = [slow, other]
    futures = [slow.pool.submit(fetch, *listed, one.folder, one.progress.append, idle=slow.pool) for one in tries]

    for one, future in zip(tries, futures, strict=True):
        one.assert_arrived(future.result(20))

    (_, end), (begin, _) = (map(int, re.findall(r"\d+", one)) for one in in_ranges(slow)[:2])
    assert begin != end + 1  # else it would be the next one of the same file


def test_a_full_disk_that_a_helper_meets_ends_the_file(slow: Try) -> None:
    threads: list[threading.Thread] = []

    def full(_: int) -> None:
        threads.append(threading.current_thread())
        if threads[-1] is not threads[0]:
            raise DiskFull("needs more than was reserved")

    def change(_: Request, answer: Answer) -> Answer:
        return replace(answer, content=Held(answer.content, lambda: len(set(threads)) > 1), speed=2 * 10**6)

    slow.sandbox.rules.clear()
    slow.sandbox.fail(SERVED, with_=Fault(change=change), headers=IN_ORDER)

    assert slow.pool is not None
    with pytest.raises(DiskFull):
        slow.pool.submit(slow.edge.downloads.fetch, *slow.listed, slow.folder, full, idle=slow.pool).result()


def ended_in_ranges(video: Try) -> dict[str, object]:
    """The pass ends while ranges come; returns the note of what is durable."""
    released = hold(video, 6)
    clock = video.edge.clock

    def change(_: Request, answer: Answer) -> Answer:
        if len(in_ranges(video)) > 4:
            clock.stop()
            released.append("the pass is to end")
        return answer

    video.sandbox.fail(SERVED, with_=Fault(change=change), headers=IN_RANGES, times=8)
    with pytest.raises(Stopped):
        video.fetch()
    all_idle(video)
    clock._signum = None
    video.sandbox.rules.clear()
    video.progress.clear()
    video.sandbox.forget()
    (note,) = video.folder.glob("*.sidecar.json")
    found: dict[str, object] = json.loads(note.read_bytes())
    assert found["ahead"]
    return found


def counted(note: dict[str, object]) -> int:
    ahead = note["ahead"]
    assert isinstance(ahead, list)
    return int(str(note["durable"])) + sum(int(size) for _, size, _ in ahead)


def test_what_came_in_ranges_before_a_pass_ended_is_gone_on_with(slow: Try) -> None:
    durable = counted(ended_in_ranges(slow))

    alone = replace(slow, pool=None)
    alone.assert_arrived(alone.fetch())

    assert slow.progress[0] == durable
    assert sent(slow) == SIZE - durable


def test_a_stretch_that_is_not_what_its_note_says_is_fetched_again_and_nothing_else(slow: Try) -> None:
    note = ended_in_ranges(slow)
    (part,) = slow.folder.glob("*.part")
    start, size, _ = note["ahead"][0]  # type: ignore[index]
    data = bytearray(part.read_bytes())
    data[start + size - 1] ^= 1
    part.write_bytes(data)

    slow.assert_arrived(slow.fetch())

    assert slow.progress[0] == counted(note) - size


@pytest.mark.parametrize(
    "ahead",
    [
        7,
        [None],
        [["1", 2, "3"]],
        [[0, 10, "0" * 64]],
        [[SIZE - 5, 10, "0" * 64]],
        [[SIZE - 5, 5, "0" * 64]],
    ],
)
def test_a_note_of_stretches_that_makes_no_sense_vouches_for_what_is_in_order_alone(slow: Try, ahead: object) -> None:
    note = ended_in_ranges(slow)
    (path,) = slow.folder.glob("*.sidecar.json")
    path.write_text(json.dumps({**note, "ahead": ahead}))

    alone = replace(slow, pool=None)
    alone.assert_arrived(alone.fetch())

    assert sent(slow) == SIZE - int(str(note["durable"]))


def test_stretches_of_a_file_that_has_another_validator_now_are_worth_nothing(slow: Try) -> None:
    ended_in_ranges(slow)
    slow.cloud.content = Filler(SIZE, seed=9)

    slow.assert_arrived(slow.fetch())


def test_a_server_that_honours_no_ranges_any_more_is_asked_for_all_of_it(slow: Try) -> None:
    ended_in_ranges(slow)
    slow.sandbox.fail(SERVED, with_=faults.ignored_range(), times=None)

    slow.assert_arrived(slow.fetch())

    assert len(slow.ranges) == 1


def test_a_video_that_was_altered_in_zoom_goes_on_where_it_was_cut(video: Try) -> None:
    video.sandbox.fail(SERVED, with_=faults.cut(100_000))

    fetched = video.edge.downloads.fetch(*video.listed, video.folder, video.progress.append, known="0" * 64)

    video.assert_arrived(fetched)
    assert video.ranges == [None, "bytes=100000-"]


def test_signed_addresses_that_live_for_one_request_are_enough(slow: Try) -> None:
    slow.sandbox.settings.signed_lifetime = 0.3

    slow.assert_arrived(slow.fetch())

    assert in_ranges(slow)
