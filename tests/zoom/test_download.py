"""Files arrive whole and proven, or not at all."""

import hashlib
import re
import resource
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sandbox import faults
from tests.sandbox.content import Filler, Text
from tests.sandbox.faults import Fault
from tests.zoom.transfers import SERVED, SIZE, VTT, Try
from zoomsync.errors import DiskFull, Unfit, Unreachable


def test_a_video_arrives_whole(video: Try) -> None:
    video.assert_arrived(video.fetch())

    requests = video.sandbox.seen("GET", "rec/download|ssrweb")
    assert [(one.path.split("/")[1], one.has_bearer) for one in requests] == [("rec", True), ("ssrweb", False)]


def test_its_name_in_staging_tells_nothing_and_is_its_own(video: Try) -> None:
    name = hashlib.sha256(f"{video.uuid}\0{video.cloud.id}".encode()).hexdigest()[:32]

    assert video.fetch().path == video.folder / f"{name}.mp4"


def test_a_text_may_have_another_size_than_listed(captions: Try) -> None:
    captions.assert_arrived(captions.fetch())


def test_what_is_proven_already_is_not_fetched_again(video: Try) -> None:
    first = video.fetch()
    video.sandbox.forget()
    video.progress.clear()

    assert video.fetch() == first
    assert video.sandbox.count("GET", "rec/download") == 0
    assert video.progress == [SIZE]


@pytest.mark.parametrize("spoil", [
    lambda path: path.write_bytes(b"other" + path.read_bytes()[5:]),
    lambda path: path.unlink(),
    lambda path: next(path.parent.glob("*.sidecar.json")).write_text("{nonsense"),
    lambda path: next(path.parent.glob("*.sidecar.json")).write_text("[]"),
])  # fmt: skip
def test_what_is_in_staging_but_not_proven_is_fetched_again(video: Try, spoil: Callable[[Path], object]) -> None:
    spoil(video.fetch().path)
    video.progress.clear()

    video.assert_arrived(video.fetch())

    assert video.sandbox.count("GET", SERVED) == 2


def test_a_file_that_grew_in_the_cloud_is_fetched_again(video: Try) -> None:
    video.fetch()
    video.progress.clear()
    video.cloud.content = Filler(SIZE + 1)

    video.assert_arrived(video.fetch())


def test_a_video_shorter_than_listed_is_not_taken(video: Try) -> None:
    video.cloud.listed_size = SIZE + 1

    video.fails(r"300,000 bytes are announced, 300,001 listed \(5 tries\)$")

    assert not list(video.folder.glob("*.mp4"))


def test_a_video_longer_than_listed_is_not_taken(video: Try) -> None:
    video.cloud.listed_size = SIZE - 1
    video.sandbox.settings.downloads_have_length = False

    video.fails("more came than the 299,999 bytes that Zoom lists")

    assert sum(video.progress) == 0


def test_a_video_may_come_without_a_length(video: Try) -> None:
    video.sandbox.settings.downloads_have_length = False

    video.assert_arrived(video.fetch())

    assert len(video.ranges) == 1


@pytest.mark.parametrize("ending", ["fin", "reset"])
def test_a_video_without_a_length_that_is_cut_goes_on(video: Try, ending: str) -> None:
    video.sandbox.settings.downloads_have_length = False
    video.sandbox.fail(SERVED, with_=faults.cut(100_000, ending))

    video.assert_arrived(video.fetch())

    assert len(video.ranges) == 2


def test_a_text_without_a_length_is_fetched_twice_and_compared(captions: Try) -> None:
    captions.sandbox.settings.downloads_have_length = False

    captions.assert_arrived(captions.fetch())

    assert captions.ranges == [None, None]


def test_a_text_that_comes_differently_each_time_is_not_taken(captions: Try) -> None:
    captions.sandbox.settings.downloads_have_length = False
    turns = iter(range(100))
    captions.sandbox.fail(
        SERVED,
        with_=Fault(change=lambda _, answer: replace(answer, content=Text(VTT + b"%d" % next(turns)))),
        times=None,
    )

    captions.fails("its length is unknown, and it came differently twice")


def test_a_cut_text_is_fetched_from_its_beginning(captions: Try) -> None:
    captions.sandbox.fail(SERVED, with_=faults.cut(20))

    captions.assert_arrived(captions.fetch())


def test_an_empty_text_is_a_text(captions: Try) -> None:
    captions.cloud.content = Text(b"")

    captions.assert_arrived(captions.fetch())


def test_bytes_that_are_no_video_are_fetched_again(video: Try) -> None:
    video.sandbox.fail(SERVED, with_=faults.corrupt(0, 8))

    video.assert_arrived(video.fetch())

    assert len(video.ranges) == 2


def test_a_full_disk_is_not_the_meetings_fault(video: Try) -> None:
    listed = video.listed
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(DiskFull, match=f"^{re.escape(str(video.folder))}: file too large") as caught:
            video.edge.downloads.fetch(*listed, video.folder, video.progress.append)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)

    assert caught.value.code == 5
    video.progress.clear()
    video.assert_arrived(video.fetch())


def test_a_staging_folder_that_is_not_there_is_named(video: Try) -> None:
    missing = video.folder / "missing"

    with pytest.raises(Unfit, match=rf"^{re.escape(str(missing))}/\w+\.part: no such file or directory$") as caught:
        video.edge.downloads.fetch(*video.listed, missing, video.progress.append)

    assert "staging" in caught.value.hint


def test_an_unreachable_host_is_zooms_fault(video: Try) -> None:
    meeting, file = video.listed
    gone = replace(file, url="http://127.0.0.1:9/rec/download/x")

    with pytest.raises(Unreachable, match="connection refused"):
        video.edge.downloads.fetch(meeting, gone, video.folder, video.progress.append)
