"""What was cut goes on, as long as it is certain that it is the same file."""

from dataclasses import replace

import pytest

from tests.sandbox import faults
from tests.sandbox.content import Filler, Text
from tests.sandbox.faults import Fault
from tests.sandbox.message import Ending
from tests.zoom.transfers import SERVED, SIZE, Try, end_the_pass


@pytest.mark.parametrize("ending", ["fin", "reset", "stall"])
def test_a_cut_transfer_goes_on_where_it_was_cut(video: Try, ending: str) -> None:
    video.sandbox.fail(SERVED, with_=faults.cut(100_000, ending))

    video.assert_arrived(video.fetch())

    assert video.ranges == [None, "bytes=100000-"]
    assert video.sandbox.count("GET", "rec/download") == 2


def test_a_transfer_may_be_cut_often_as_long_as_it_goes_on(video: Try) -> None:
    video.sandbox.fail(SERVED, with_=faults.cut(30_000, "reset"), times=9)

    video.assert_arrived(video.fetch())

    assert len(video.ranges) == 10


def test_a_transfer_that_does_not_go_on_is_given_up(video: Try) -> None:
    video.sandbox.fail(SERVED, with_=faults.cut(0, "reset"), times=None)

    error = video.fails(r"the connection broke or stalled \(5 tries\)$")

    assert len(video.ranges) == 5
    assert error.hint == "it is tried again"


def test_a_server_that_knows_no_ranges_is_asked_for_all_of_it(video: Try) -> None:
    whole = Fault(change=lambda _, answer: replace(answer, status=200, content=Text(video.data)))
    video.sandbox.fail(SERVED, with_=faults.cut(100_000))
    video.sandbox.fail(SERVED, with_=whole)

    video.assert_arrived(video.fetch())

    assert video.progress.count(-100_000) == 1


@pytest.mark.parametrize(
    "fault", [faults.wrong_range(), faults.headers(content_range=""), faults.headers(content_range="bytes 5-9/*")]
)
def test_another_range_than_the_one_asked_for_begins_again(video: Try, fault: Fault) -> None:
    video.sandbox.fail(SERVED, with_=faults.cut(100_000))
    video.sandbox.fail(SERVED, with_=fault)

    video.assert_arrived(video.fetch())

    assert video.ranges == [None, "bytes=100000-", None]


def test_a_range_of_a_changed_file_begins_again(video: Try) -> None:
    video.sandbox.fail(SERVED, with_=Fault(change=lambda _, a: replace(
        a, headers={**a.headers, "ETag": '"1"'}, stop_after=100_000, ending=Ending.FIN)))  # fmt: skip
    video.sandbox.fail(SERVED, with_=faults.headers(etag='"2"'))

    video.assert_arrived(video.fetch())

    assert video.ranges == [None, "bytes=100000-", None]


def test_a_range_that_is_none_begins_again(video: Try) -> None:
    video.sandbox.fail(SERVED, with_=faults.cut(100_000))
    video.sandbox.fail(SERVED, with_=faults.page(416))

    video.assert_arrived(video.fetch())

    assert video.ranges == [None, "bytes=100000-", None]


def test_a_later_pass_goes_on_with_what_an_ended_one_left(video: Try) -> None:
    end_the_pass(video)
    video.progress.clear()

    video.assert_arrived(video.fetch())

    (left,) = video.ranges[1:]
    assert left
    assert left.startswith("bytes=")
    assert video.progress[0] == int(left.removeprefix("bytes=").removesuffix("-")) > 0


def test_what_an_ended_pass_left_of_a_text_or_of_a_changed_file_is_worth_nothing(video: Try) -> None:
    end_the_pass(video)
    video.progress.clear()
    video.cloud.content = Filler(SIZE + 5)

    video.assert_arrived(video.fetch())

    assert video.ranges == [None, None]


def test_a_part_that_is_whole_is_only_looked_at(video: Try) -> None:
    end_the_pass(video)
    (part,) = video.folder.glob("*.part")
    part.write_bytes(video.data)
    video.progress.clear()

    video.assert_arrived(video.fetch())

    assert len(video.ranges) == 1


def test_a_part_that_is_too_long_is_thrown_away(video: Try) -> None:
    end_the_pass(video)
    (part,) = video.folder.glob("*.part")
    part.write_bytes(video.data + b"more")
    video.progress.clear()

    video.assert_arrived(video.fetch())

    assert video.ranges == [None, None]


def test_a_transfer_that_brings_next_to_nothing_is_given_up(video: Try) -> None:
    video.sandbox.fail(SERVED, with_=faults.cut(100, "reset"), times=None)

    video.fails(r"\(5 tries\)$")

    assert len(video.ranges) == 5
