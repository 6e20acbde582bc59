"""Files arrive whole and proven, or not at all."""

import gzip
import hashlib
import os
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
from tests.sandbox.message import Answer
from tests.zoom.transfers import SERVED, SIZE, VTT, Try
from zoomsync.errors import DiskFull, DownloadFailed, Unfit, Unreachable
from zoomsync.files import CHUNK
from zoomsync.model import Arrival, Fetched
from zoomsync.zoom.download import LONGEST_TEXT


def test_a_video_arrives_whole(video: Try) -> None:
    video.assert_arrived(video.fetch())

    requests = video.sandbox.seen("GET", "rec/download|ssrweb")
    assert [(one.path.split("/")[1], one.has_bearer) for one in requests] == [("rec", True), ("ssrweb", False)]


def test_its_name_in_staging_tells_nothing_of_the_meeting_and_what_it_hashes_to(video: Try) -> None:
    name = hashlib.sha256(f"{video.uuid}\0{video.cloud.id}".encode()).hexdigest()[:32]

    got = video.fetch()

    assert got.path == video.folder / f"{name}-{SIZE}-once-{got.sha256}.mp4"


def test_a_small_file_that_comes_whole_at_once_costs_one_flush_and_no_note(
    video: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    fsync = os.fsync

    def seen(descriptor: int) -> None:
        flushed.append(descriptor)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", seen)

    got = video.fetch()

    assert (len(flushed), list(video.folder.iterdir())) == (1, [got.path])


@pytest.mark.parametrize("listed", [7, 700, 0])
def test_a_text_of_another_size_than_listed_is_taken_if_it_comes_twice_the_same(captions: Try, listed: int) -> None:
    captions.cloud.listed_size = listed

    got = captions.fetch()

    captions.assert_arrived(got)
    assert (got.arrival, len(captions.ranges)) == (Arrival.TWICE, 2)


def test_a_text_of_the_listed_size_is_fetched_once(captions: Try) -> None:
    captions.cloud.listed_size = None

    got = captions.fetch()

    captions.assert_arrived(got)
    assert (got.arrival, len(captions.ranges)) == (Arrival.ONCE, 1)


def test_a_text_that_came_so_before_is_fetched_once(captions: Try) -> None:
    known = hashlib.sha256(captions.data).hexdigest()

    got = captions.edge.downloads.fetch(*captions.listed, captions.folder, captions.progress.append, known=known)

    captions.assert_arrived(got)
    assert (got.arrival, len(captions.ranges)) == (Arrival.TWICE, 1)


def test_a_text_that_is_cut_at_the_same_place_twice_says_nothing_of_its_end(captions: Try) -> None:
    captions.sandbox.fail(SERVED, with_=faults.without_end(20), times=None)

    got = captions.fetch()

    assert (got.arrival, got.path.read_bytes(), len(captions.ranges)) == (Arrival.OPEN, VTT[:20], 2)


@pytest.mark.parametrize("ending", ["fin", "reset"])
@pytest.mark.parametrize("has_length", [True, False])
def test_a_text_that_is_cut_before_its_announced_end_is_never_taken(
    captions: Try, ending: str, has_length: bool
) -> None:
    captions.sandbox.settings.downloads_have_length = has_length
    captions.sandbox.fail(SERVED, with_=faults.cut(20, ending), times=None)

    captions.fails("the connection broke or stalled|of 57 bytes came")


def test_how_a_text_came_is_remembered_in_staging(captions: Try) -> None:
    first = captions.fetch()
    captions.sandbox.forget()
    captions.progress.clear()

    assert (captions.fetch(), captions.ranges) == (first, [])


def test_a_text_of_another_size_in_staging_that_came_once_is_fetched_again(captions: Try) -> None:
    path = captions.fetch().path
    path.rename(path.with_name(path.name.replace("-twice-", "-once-")))
    captions.sandbox.forget()

    assert (captions.fetch().arrival, len(captions.ranges)) == (Arrival.TWICE, 2)


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
    lambda path: path.rename(path.with_name(path.name.replace("-once-", "-nonsense-"))),
    lambda path: path.rename(path.with_name(path.name.replace("-once-", "-"))),
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


@pytest.mark.parametrize("listed", [SIZE + 7, SIZE - 7])
@pytest.mark.parametrize("has_length", [True, False])
def test_a_video_of_another_size_than_listed_is_taken_if_a_person_wants_it_and_it_comes_twice_the_same(
    video: Try, listed: int, has_length: bool
) -> None:
    video.sandbox.settings.downloads_have_length = has_length
    video.cloud.listed_size = listed

    got = video.edge.downloads.fetch(*video.listed, video.folder, video.progress.append, any_size=True)

    video.assert_arrived(got)
    assert (got.arrival, len(video.ranges)) == (Arrival.TWICE, 2)


def test_a_video_that_came_so_before_is_taken_once_more_and_no_other(video: Try) -> None:
    known = hashlib.sha256(video.data).hexdigest()
    video.cloud.listed_size = SIZE + 7

    def fetch(known: str) -> Fetched:
        return video.edge.downloads.fetch(*video.listed, video.folder, video.progress.append, known=known)

    with pytest.raises(DownloadFailed, match="300,000 bytes came, 300,007 are listed") as caught:
        fetch("0" * 64)
    assert f"`zoomsync sync --meeting {video.uuid} --accept-size` stores it as it comes" in caught.value.hint
    assert fetch(known).arrival is Arrival.TWICE


def test_a_video_longer_than_listed_is_not_taken(video: Try) -> None:
    video.cloud.listed_size = SIZE - 1
    video.sandbox.settings.downloads_have_length = False

    video.fails("more came than the 299,999 bytes that Zoom lists")

    assert sum(video.progress) == 0


def test_a_video_may_come_without_a_length(video: Try) -> None:
    video.sandbox.settings.downloads_have_length = False

    video.assert_arrived(video.fetch())

    assert len(video.ranges) == 1


def test_a_video_that_was_altered_in_zoom_may_come_without_a_length_too(video: Try) -> None:
    video.sandbox.settings.downloads_have_length = False

    fetched = video.edge.downloads.fetch(*video.listed, video.folder, video.progress.append, known="0" * 64)

    assert (fetched.arrival, fetched.size, len(video.ranges)) == (Arrival.ONCE, SIZE, 1)


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

    captions.fails("it came differently twice")


def test_a_cut_text_is_fetched_from_its_beginning(captions: Try) -> None:
    captions.sandbox.fail(SERVED, with_=faults.cut(20))

    captions.assert_arrived(captions.fetch())


@pytest.mark.parametrize("has_length", [True, False])
def test_nothing_is_never_a_text_of_which_zoom_lists_a_size(captions: Try, has_length: bool) -> None:
    captions.sandbox.settings.downloads_have_length = has_length
    captions.cloud.content = Text(b"")

    captions.fails(r"nothing came of 7 bytes \(5 tries\)$")


def test_an_empty_text_of_which_zoom_lists_no_size_comes_twice(captions: Try) -> None:
    captions.cloud.content, captions.cloud.listed_size = Text(b""), 0

    got = captions.fetch()

    captions.assert_arrived(got)
    assert (got.arrival, len(captions.ranges)) == (Arrival.TWICE, 2)


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


AS_PAGE = faults.headers(content_type="text/html;charset=utf-8")


def a_text(video: Try, data: bytes, extension: str, listed: int | None = None) -> Try:
    """One more file of the meeting, which its type says to be no media."""
    add = video.sandbox.world.add_file
    cloud = add(video.uuid, Text(data), type="CHAT", view="chat_file", extension=extension, listed_size=listed)
    return replace(video, cloud=cloud)


@pytest.mark.parametrize("where", ["rec/download", SERVED])
@pytest.mark.parametrize("has_length", [True, False])
def test_a_vtt_that_is_served_as_a_page_is_a_vtt(captions: Try, where: str, has_length: bool) -> None:
    captions.sandbox.settings.downloads_have_length = has_length
    captions.sandbox.fail(where, with_=AS_PAGE, times=None)

    captions.assert_arrived(captions.fetch())


@pytest.mark.parametrize(
    ("data", "extension"),
    [
        (b"\xef\xbb\xbf" + VTT, "VTT"),
        (b"00:00:01\t From Ada: <b>hi</b>", "TXT"),
        (b"a,b\n", "CSV"),
        (b'{"a":1}', "JSON"),
        (b"\xff\xd8\xff\xe0 a picture", "JPG"),
        (b"<p>a page", "HTML"),
    ],
)
def test_any_file_that_is_served_as_a_page_is_what_its_bytes_say(video: Try, data: bytes, extension: str) -> None:
    text = a_text(video, data, extension)
    text.sandbox.fail(SERVED, with_=AS_PAGE)

    text.assert_arrived(text.fetch())


def test_a_video_that_is_served_as_a_page_is_a_video(video: Try) -> None:
    video.sandbox.fail(SERVED, with_=AS_PAGE)

    video.assert_arrived(video.fetch())


@pytest.mark.parametrize(
    ("body", "extension"),
    [
        ("<!-- a --><title>Passcode</title>", "VTT"),
        ("Enter the passcode", "VTT"),
        ("<title>Passcode</title>", "TXT"),
        ("Enter the passcode", "TXT"),
        ("Enter the passcode", "MP4"),
    ],
)
def test_what_is_served_as_a_page_and_does_not_show_that_it_is_none_is_refused(
    video: Try, body: str, extension: str
) -> None:
    text = video if extension == "MP4" else a_text(video, VTT, extension)
    text.sandbox.fail(SERVED, with_=faults.body(body, "text/html"), times=None)

    text.fails("refused: ")

    assert not list(text.folder.glob(f"*.{extension.lower()}"))


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip", "GZIP"])
def test_what_comes_packed_is_refused_and_told(captions: Try, encoding: str) -> None:
    captions.sandbox.fail(SERVED, with_=faults.headers(content_encoding=encoding), times=None)

    error = captions.fails(re.escape(f"it comes packed ({encoding.lower()}), which nobody asked for"))

    assert (len(captions.ranges), "proxy" in error.hint, sum(captions.progress)) == (1, True, 0)


def test_a_packed_page_says_what_it_says(video: Try) -> None:
    head = {"Content-Type": "text/html", "Content-Encoding": "gzip"}
    page = Answer(headers=head, content=Text(gzip.compress(b"<title>Sign In</title>")))
    video.sandbox.fail(SERVED, with_=Fault(instead=lambda _: page), times=None)

    video.fails("refused: HTTP 200, a page titled “Sign In”$")


def test_the_packing_named_identity_is_none(video: Try) -> None:
    video.sandbox.fail(SERVED, with_=faults.headers(content_encoding="identity"))

    video.assert_arrived(video.fetch())


@pytest.mark.parametrize("has_length", [True, False])
@pytest.mark.parametrize(("listed", "most"), [(24, "64.0 MB"), (33_000_000, "66.0 MB")])
def test_a_text_is_cut_off_far_beyond_its_listed_size(video: Try, listed: int, most: str, has_length: bool) -> None:
    video.sandbox.settings.downloads_have_length = has_length
    text = a_text(video, b"", "TXT", listed)
    text.cloud.content = Filler(max(2 * listed, LONGEST_TEXT) + 2_000_000)

    text.fails(rf"more than {re.escape(most)} come, {listed:,} bytes are listed$")

    assert (len(text.ranges), sum(text.progress) <= max(2 * listed, LONGEST_TEXT) + CHUNK) == (1, True)
    assert any(text.progress) is not has_length
    assert [path.stat().st_size for path in text.folder.iterdir()] == [0]


def test_a_text_may_be_larger_than_listed_within_reason(video: Try) -> None:
    text = a_text(video, bytes(100_000), "TXT", 7)

    text.assert_arrived(text.fetch())


def test_a_video_without_a_listed_size_ends_where_the_disk_does(video: Try) -> None:
    video.cloud.raw = {"file_size": 0}
    meeting, file = video.listed

    def full(size: int) -> None:
        if size:
            raise DiskFull("needs more than was reserved")

    with pytest.raises(DiskFull):
        video.edge.downloads.fetch(meeting, file, video.folder, full)

    assert [path.stat().st_size for path in video.folder.iterdir()] == [0]
    video.assert_arrived(video.fetch())


def test_a_length_of_thousands_of_digits_is_none(captions: Try) -> None:
    captions.sandbox.settings.downloads_have_length = False
    captions.sandbox.fail(SERVED, with_=faults.headers(content_length="9" * 5000), times=None)

    captions.assert_arrived(captions.fetch())


def test_what_comes_packed_the_second_time_is_refused_too(captions: Try) -> None:
    captions.sandbox.settings.downloads_have_length = False
    captions.sandbox.fail(SERVED, with_=faults.headers(content_encoding="gzip"), skip=1, times=None)

    captions.fails(re.escape("it comes packed (gzip), which nobody asked for"))

    assert captions.ranges == [None, None]


def test_the_second_time_no_more_is_read_than_came_at_first(captions: Try) -> None:
    captions.sandbox.settings.downloads_have_length = False
    endless = Fault(change=lambda _, answer: replace(answer, content=Filler(10**9)))
    captions.sandbox.fail(SERVED, with_=endless, skip=1)

    captions.assert_arrived(captions.fetch())

    assert len(captions.ranges) == 4
    assert captions.sandbox.seen("GET", SERVED)[1].bytes < 10**8


def test_nothing_is_read_of_what_a_redirect_says_besides_its_address(video: Try) -> None:
    endless = Fault(change=lambda _, answer: replace(answer, content=Filler(10**9)))
    video.sandbox.fail("rec/download", with_=endless)

    video.assert_arrived(video.fetch())

    assert video.sandbox.seen("GET", "rec/download")[0].bytes < 10**8
