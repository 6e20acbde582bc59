"""What was cut goes on, as long as it is certain that it is the same file."""

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sandbox import faults
from tests.sandbox.content import Filler, Text
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Ending, Request
from tests.zoom.transfers import SERVED, SIZE, VTT, Try, end_the_pass
from zoomsync.errors import MeetingFailed, Stopped
from zoomsync.zoom.partial_file import FLUSH_EVERY, SYNC_EVERY


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


@pytest.mark.parametrize("heeds_if_range", [True, False])
def test_a_range_of_a_changed_file_begins_again(video: Try, heeds_if_range: bool) -> None:
    def ask(request: Request) -> Request:
        heeded = request.headers.items() if heeds_if_range else ()
        return replace(request, headers={"range": request.headers["range"], **dict(heeded)})

    def change(_: Request, answer: Answer) -> Answer:
        return replace(answer, headers={**answer.headers, "Etag": '"2"'})

    video.sandbox.fail(SERVED, with_=Fault(change=lambda _, a: replace(
        a, headers={**a.headers, "Etag": '"1"'}, stop_after=100_000, ending=Ending.FIN)))  # fmt: skip
    video.sandbox.fail(SERVED, with_=Fault(ask=ask, change=change), headers={"range": "."})

    video.assert_arrived(video.fetch())

    assert video.ranges == [None, "bytes=100000-", *([] if heeds_if_range else [None])]


def test_a_part_without_a_validator_leaves_the_known_one_known(video: Try) -> None:
    def change(request: Request) -> Request:
        video.cloud.content = Filler(SIZE, seed=7)
        return request

    def nameless(_: Request, answer: Answer) -> Answer:
        return replace(answer, headers={**answer.headers, "Etag": ""}, stop_after=50_000, ending=Ending.FIN)

    video.sandbox.fail(SERVED, with_=faults.cut(100_000))
    video.sandbox.fail(SERVED, with_=Fault(change=nameless))
    video.sandbox.fail(SERVED, with_=Fault(ask=change))

    video.assert_arrived(video.fetch())

    assert video.ranges == [None, "bytes=100000-", "bytes=150000-"]


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


def test_what_lies_beyond_the_durable_bytes_is_cut_off(video: Try) -> None:
    end_the_pass(video)
    (part,) = video.folder.glob("*.part")
    durable = part.stat().st_size
    part.write_bytes(part.read_bytes().ljust(SIZE + 1000, b"?"))
    video.progress.clear()

    video.assert_arrived(video.fetch())

    assert (video.progress[0], video.ranges) == (durable, [None, f"bytes={durable}-"])


@pytest.mark.parametrize("spoil", [
    lambda part: part.write_bytes(part.read_bytes()[: part.stat().st_size // 2].ljust(part.stat().st_size, b"\0")),
    lambda part: part.write_bytes(part.read_bytes()[:-1]),
    lambda part: part.write_bytes(b""),
    lambda part: part.unlink(),
], ids=["its second half is zeros", "shorter", "empty", "gone"])  # fmt: skip
def test_a_part_that_is_not_what_its_note_says_is_fetched_anew(video: Try, spoil: Callable[[Path], object]) -> None:
    end_the_pass(video)
    (part,) = video.folder.glob("*.part")
    spoil(part)
    video.progress.clear()

    video.assert_arrived(video.fetch())

    assert video.ranges == [None, None]


@pytest.mark.parametrize("change", [
    {"durable": None}, {"durable": -5}, {"durable": "100"}, {"durable": 10**15}, {"durable_sha256": None}, {"listed": 1}
])  # fmt: skip
def test_a_note_that_vouches_for_nothing_is_no_reason_to_go_on(video: Try, change: dict[str, object]) -> None:
    end_the_pass(video)
    (note,) = video.folder.glob("*.sidecar.json")
    note.write_text(json.dumps(json.loads(note.read_bytes()) | change))
    video.progress.clear()

    video.assert_arrived(video.fetch())

    assert video.ranges == [None, None]


@pytest.mark.parametrize("text", ["{", "[1]", "[" * 100_000, '{"durable": NaN}', "\ud800"])
def test_a_note_that_cannot_be_read_costs_what_it_vouched_for_and_nothing_else(video: Try, text: str) -> None:
    end_the_pass(video)
    (note,) = video.folder.glob("*.sidecar.json")
    note.write_text(text, errors="surrogatepass")
    video.progress.clear()

    video.assert_arrived(video.fetch())

    assert video.ranges == [None, None]


def test_what_stands_in_the_place_of_a_note_is_named(video: Try) -> None:
    end_the_pass(video)
    (note,) = video.folder.glob("*.sidecar.json")
    note.unlink()
    note.mkdir()

    with pytest.raises(MeetingFailed) as caught:
        end_the_pass(video)

    assert str(caught.value) == f"{note}: is a directory"


def test_a_whole_part_that_its_note_vouches_for_is_only_looked_at(video: Try) -> None:
    end_the_pass(video)
    (note,) = video.folder.glob("*.sidecar.json")
    whole = {"durable": SIZE, "durable_sha256": hashlib.sha256(video.data).hexdigest()}
    note.write_text(json.dumps(json.loads(note.read_bytes()) | whole))
    note.with_suffix("").with_suffix(".part").write_bytes(video.data)
    video.progress.clear()

    video.assert_arrived(video.fetch())

    assert len(video.ranges) == 1


def test_what_comes_is_made_durable_and_noted_every_64_megabytes(video: Try) -> None:
    video.cloud.content = Filler(SYNC_EVERY + 5_000_000)
    noted: list[object] = []

    def look(_: int) -> None:
        for note in video.folder.glob("*.sidecar.json"):
            part = note.with_suffix("").with_suffix(".part").read_bytes()
            said = json.loads(note.read_bytes())
            noted.append(said["durable"])
            assert hashlib.sha256(part[: said["durable"]]).hexdigest() == said["durable_sha256"]
            video.edge.clock.stop()

    with pytest.raises(Stopped):
        video.edge.downloads.fetch(*video.listed, video.folder, look)

    assert [SYNC_EVERY <= int(str(one)) < SYNC_EVERY + 2**20 for one in noted] == [True]


@pytest.mark.parametrize("is_linux", [True, False])
def test_the_disk_begins_with_what_came_long_before_it_is_flushed(
    video: Try, monkeypatch: pytest.MonkeyPatch, is_linux: bool
) -> None:
    begun: list[tuple[int, int]] = []
    advise = os.posix_fadvise

    def seen(descriptor: int, place: int, size: int, advice: int) -> None:
        begun.append((place, size))
        advise(descriptor, place, size, advice)

    if is_linux:
        monkeypatch.setattr(os, "posix_fadvise", seen)
    else:
        monkeypatch.delattr(os, "posix_fadvise")
    video.cloud.content = Filler(2 * FLUSH_EVERY + 5)

    video.assert_arrived(video.fetch())

    assert begun == [(0, FLUSH_EVERY), (FLUSH_EVERY, FLUSH_EVERY)][: 2 * is_linux]


def test_what_a_cut_transfer_brought_is_noted_before_the_next_one(video: Try) -> None:
    noted: list[int] = []

    def ask(request: Request) -> Request:
        noted.extend(json.loads(note.read_bytes())["durable"] for note in video.folder.glob("*.sidecar.json"))
        return request

    video.sandbox.fail(SERVED, with_=faults.cut(100_000), times=2)
    video.sandbox.fail(SERVED, with_=Fault(ask=ask))

    video.assert_arrived(video.fetch())

    assert noted == [200_000]


def test_what_a_transfer_brought_is_durable_before_its_note_says_so(
    video: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[str, int]] = []
    fsync = os.fsync

    def seen(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").resolve()
        steps.append((path.suffix or "folder", path.stat().st_size if path.is_file() else 0))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", seen)
    end_the_pass(video)

    (part,) = video.folder.glob("*.part")
    assert [name for name, _ in steps] == [".part", ".new", "folder"]
    assert steps[0][1] == part.stat().st_size


def test_a_transfer_that_brings_next_to_nothing_is_given_up(video: Try) -> None:
    video.sandbox.fail(SERVED, with_=faults.cut(100, "reset"), times=None)

    video.fails(r"\(5 tries\)$")

    assert len(video.ranges) == 5


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_transfer_that_always_breaks_at_the_same_byte_ends_after_growing_pauses(
    video: Try, knows_ranges: bool
) -> None:
    def breaking(request: Request, answer: Answer) -> Answer:
        begin = int(re.sub(r"\D", "", request.headers.get("range", "")) or 0) if knows_ranges else 0
        whole = answer if knows_ranges else replace(answer, status=200, content=Text(video.data))
        return replace(whole, stop_after=100_000 - begin, ending=Ending.RESET)

    video.sandbox.fail(SERVED, with_=Fault(change=breaking), times=None)

    video.fails(r"the connection broke or stalled \(5 tries\)$")

    assert len(video.ranges) == 6  # the first of them brought something
    assert video.edge.clock.slept == [1, 2, 4, 8, 16]
    assert sum(video.progress) == 100_000


@pytest.mark.parametrize("span", ["bytes 0-299999/300000", "bytes 0-299999/*"])
def test_a_206_that_nobody_asked_for_is_taken_if_it_is_the_whole_file(video: Try, span: str) -> None:
    video.sandbox.fail(SERVED, with_=unasked(span, video.data))

    video.assert_arrived(video.fetch())

    assert len(video.ranges) == 1


@pytest.mark.parametrize(
    ("span", "begin", "end"),
    [
        ("bytes 100000-299999/300000", 100_000, SIZE),
        ("bytes 0-99999/300000", 0, 100_000),
        ("bytes 0-299999/400000", 0, SIZE),
        ("bytes 1-300000/300001", 0, SIZE),
        ("", 0, SIZE),
    ],
)
def test_a_206_that_nobody_asked_for_is_no_file_if_it_is_a_part(video: Try, span: str, begin: int, end: int) -> None:
    video.sandbox.fail(SERVED, with_=unasked(span, video.data[begin:end]))

    video.assert_arrived(video.fetch())

    assert video.ranges == [None, None]


def test_a_text_is_never_taken_from_a_206(captions: Try) -> None:
    captions.sandbox.fail(SERVED, with_=unasked(f"bytes 0-{len(VTT) - 1}/{len(VTT)}", VTT), times=None)

    captions.fails("another part came than the one asked for")


def unasked(span: str, data: bytes) -> Fault:
    """A part in answer to a request for all."""

    def change(request: Request, answer: Answer) -> Answer:
        assert "range" not in request.headers
        return replace(answer, status=206, headers={**answer.headers, "Content-Range": span}, content=Text(data))

    return Fault(change=change)
