"""Files arrive whole and proven or not at all, and the token stays at home."""

import hashlib
import logging
import re
import resource
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import requests_mock

from tests.fakes import a_file, a_meeting
from tests.sandbox import faults
from tests.sandbox.content import Filler, Text
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Ending, Request
from tests.sandbox.server import Sandbox
from tests.sandbox.world import ZoomFile
from tests.zoom.conftest import Edge
from zoomsync.errors import DiskFull, DownloadFailed, NotAuthorized, Stopped, Unfit, Unreachable
from zoomsync.model import Fetched, Meeting, RecordingFile, Secret
from zoomsync.zoom.download import Downloads

SIZE = 300_000
SERVED = "ssrweb"
VTT = b"WEBVTT\r\n\r\n1\r\n00:00:01.000 --> 00:00:02.000\r\nAda: hello\r\n"


@dataclass(kw_only=True)
class Try:
    """One file of the stand-in on its way to a folder."""

    sandbox: Sandbox
    edge: Edge
    folder: Path
    cloud: ZoomFile
    uuid: str
    progress: list[int] = field(default_factory=list)

    @property
    def data(self) -> bytes:
        return self.cloud.content.read(0, self.cloud.content.size)

    @property
    def listed(self) -> tuple[Meeting, RecordingFile]:
        (meeting,) = (one for one in self.edge.list().meetings if one.uuid == self.uuid)
        return meeting, next(file for file in meeting.files if file.id == self.cloud.id)

    def fetch(self, meeting: Meeting | None = None) -> Fetched:
        listed, file = self.listed
        return self.edge.downloads.fetch(meeting or listed, file, self.folder, self.progress.append)

    def fails(self, match: str) -> DownloadFailed:
        with pytest.raises(DownloadFailed, match=match) as caught:
            self.fetch()
        return caught.value

    @property
    def ranges(self) -> list[str | None]:
        return [one.range for one in self.sandbox.seen("GET", SERVED)]

    def assert_arrived(self, got: Fetched) -> None:
        assert got.path.read_bytes() == self.data
        assert (got.size, got.sha256) == (len(self.data), hashlib.sha256(self.data).hexdigest())
        assert got.path.parent == self.folder
        assert not list(self.folder.glob("*.part"))
        assert sum(self.progress) == len(self.data)


@pytest.fixture
def video(sandbox: Sandbox, edge: Edge, tmp_path: Path) -> Try:
    uuid = next(iter(sandbox.world.meetings))
    cloud = sandbox.world.meetings[uuid].files[0]
    cloud.content = Filler(SIZE)
    return Try(sandbox=sandbox, edge=edge, folder=tmp_path, cloud=cloud, uuid=uuid)


@pytest.fixture
def captions(video: Try) -> Try:
    cloud = video.sandbox.world.add_file(
        video.uuid, Text(VTT), type="TRANSCRIPT", view="audio_transcript", extension="VTT", listed_size=7
    )
    return replace(video, cloud=cloud)


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


# cuts


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
    assert error.hint == "the next pass tries again"


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


def end_the_pass(video: Try) -> None:
    """A signal comes while the file does."""
    clock = video.edge.clock

    def change(_: Request, answer: Answer) -> Answer:
        clock.stop()
        return replace(answer, stop_after=100_000, ending=Ending.FIN)

    video.sandbox.fail(SERVED, with_=Fault(change=change))
    with pytest.raises(Stopped):
        video.fetch()
    clock._signum = None


# sizes, types and first bytes


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


# refusals


@pytest.mark.parametrize(
    ("fault", "where", "shown"),
    [
        (faults.sign_in_page(), "rec/download", "a page titled “Sign In | Zoom”"),
        (faults.sign_in_page(), SERVED, "a page titled “Sign In | Zoom”"),
        (faults.page(401, "Unauthorized"), "rec/download", "HTTP 401"),
        (faults.page(403, "Only the host can download"), "rec/download", "Only the host can download"),
        (faults.refused(401, 124, "Invalid access token."), "rec/download", "HTTP 401, Invalid access token."),
        (faults.body("<html><title>Passcode</title>"), SERVED, "a page titled “Passcode”"),
        (faults.body('{"status":false,"errorCode":300,"errorMessage":"Forbidden"}'), SERVED, "Forbidden"),
    ],
)
def test_a_no_costs_each_credential_once(video: Try, fault: Fault, where: str, shown: str) -> None:
    meeting = video.edge.meeting(video.uuid)
    video.sandbox.forget()
    video.sandbox.fail(where, with_=fault, times=None)

    with pytest.raises(DownloadFailed) as caught:
        video.fetch(meeting)

    assert ": refused: " in str(caught.value)
    assert shown in str(caught.value)
    assert caught.value.hint
    assert video.sandbox.count("GET", "rec/download") == 3
    assert video.sandbox.count("POST", "oauth") == 1
    assert not list(video.folder.glob("*.mp4"))


@pytest.mark.parametrize("refusals", [1, 2])
def test_a_renewed_token_or_the_meetings_own_opens_the_download(video: Try, refusals: int) -> None:
    meeting = video.edge.meeting(video.uuid)
    video.sandbox.forget()
    video.sandbox.fail("rec/download", with_=faults.sign_in_page(), times=refusals)

    video.assert_arrived(video.fetch(meeting))

    assert video.sandbox.count("POST", "oauth") == 1


def test_a_token_that_dies_in_the_middle_costs_nothing_of_what_came(video: Try) -> None:
    def change(_: Request, answer: Answer) -> Answer:
        video.sandbox.tokens.revoke()
        return replace(answer, stop_after=50_000, ending=Ending.FIN)

    video.sandbox.fail(SERVED, with_=Fault(change=change), times=4)

    video.assert_arrived(video.fetch())

    assert video.ranges == [None, "bytes=50000-", "bytes=100000-", "bytes=150000-", "bytes=200000-"]
    assert video.sandbox.count("POST", "oauth") == 5


def test_a_refused_renewal_is_no_failure_of_the_meeting(video: Try) -> None:
    listed = video.listed
    video.sandbox.tokens.revoke()
    video.sandbox.fail("oauth", with_=faults.oauth_refused(), times=None)

    with pytest.raises(NotAuthorized):
        video.edge.downloads.fetch(*listed, video.folder, video.progress.append)


def test_a_signed_address_that_expired_is_made_anew(video: Try) -> None:
    video.sandbox.fail(SERVED, with_=faults.page(403, "Request has expired"))

    video.assert_arrived(video.fetch())

    assert video.sandbox.count("POST", "oauth") == 1
    assert video.sandbox.count("GET", "rec/download") == 2


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        (faults.page(404, "This recording does not exist"), "HTTP 404, a page titled “This recording does not exist”"),
        (faults.page(500, "Oops"), "HTTP 500, a page titled “Oops” (4 tries)"),
        (faults.black_hole(), "no answer within 0.3 s (4 tries)"),
        (faults.redirect_loop(), "redirected more than 5 times"),
        (faults.redirect(""), "redirected more than 5 times"),
        (faults.redirect("http://[::1"), "its address is malformed"),
    ],
)
def test_a_file_that_its_server_does_not_give_stops_no_other(video: Try, fault: Fault, shown: str) -> None:
    video.sandbox.fail("rec/download", with_=fault, times=None)

    error = video.fails(re.escape(shown))

    assert str(error).startswith(f"zoom: {video.cloud.view} {video.cloud.id} of meeting {video.uuid}: ")


def test_a_busy_download_is_waited_for(video: Try) -> None:
    video.sandbox.fail("rec/download", with_=faults.rate_limited("seconds", 7))

    video.assert_arrived(video.fetch())

    assert video.edge.clock.slept == [7]


def test_a_file_without_an_address_is_not_asked_for(video: Try) -> None:
    meeting, file = video.listed

    with pytest.raises(DownloadFailed, match="Zoom gives no download address"):
        video.edge.downloads.fetch(meeting, replace(file, url=""), video.folder, video.progress.append)


# where the token goes


def test_a_foreign_host_is_never_asked(video: Try) -> None:
    video.sandbox.fail("rec/download", with_=faults.foreign_redirect(), times=None)

    error = video.fails("it is at 127.0.0.2, which is none of zoom.download_hosts")

    assert "zoom.download_hosts" in error.hint
    assert {one.host for one in video.sandbox.requests} == {"127.0.0.1"}


def test_an_allowed_host_that_is_not_zooms_gets_no_token(video: Try) -> None:
    downloads = Downloads(
        video.edge.http, video.edge.tokens, download_hosts=["127.0.0.2"], api_url=video.sandbox.api_url,
        clock=video.edge.clock,
    )  # fmt: skip
    video.sandbox.fail("rec/download", with_=faults.foreign_redirect(), times=None)

    with pytest.raises(DownloadFailed):
        downloads.fetch(*video.listed, video.folder, video.progress.append)

    assert {one.has_bearer for one in video.sandbox.requests if one.host == "127.0.0.2"} == {False}


@pytest.mark.parametrize(
    ("location", "has_token"),
    [
        ("https://us02web.zoom.us/rec/download/other", True),
        ("https://ssrweb.zoom.us/x?Policy=p&Signature=s3cret&Key-Pair-Id=k", False),
        ("//zoom.us/rec/download/again", True),
    ],
)
def test_the_token_follows_within_zoom_where_nothing_is_signed(video: Try, location: str, has_token: bool) -> None:
    content, url = Filler(500).read(0, 500), "https://zoom.us/rec/download/x"
    file = a_file(size=500, url=url)
    video.edge.tokens.current()
    with requests_mock.Mocker() as zoom:
        zoom.get(url, status_code=302, headers={"Location": location})
        zoom.get(re.compile("other|ssrweb|again"), content=content, headers={"Content-Length": "500"})

        got = video.edge.downloads.fetch(a_meeting(), file, video.folder, video.progress.append)
        asked = ["Authorization" in one.headers for one in zoom.request_history]

    assert (got.size, asked) == (500, [True, has_token])


@pytest.mark.parametrize("fault", [
    faults.page(500), faults.sign_in_page(), faults.lost_answer(), faults.page(404), faults.foreign_redirect(),
    faults.redirect("https://evil.example/x?Signature=s3cret"), faults.page(403, "token=s3cret"),
    Fault(change=lambda _, answer: replace(answer, status=200, stop_after=0, ending=Ending.RESET, content=Text(b"x"))),
])  # fmt: skip
@pytest.mark.parametrize("where", ["rec/download", SERVED])
def test_no_message_and_no_log_line_tells_an_address_or_a_token(
    video: Try, fault: Fault, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    meeting = replace(video.edge.meeting(video.uuid), download_token=Secret(lambda: "s3cret-token"))
    video.sandbox.fail(where, with_=fault, times=None)

    with pytest.raises(DownloadFailed) as caught:
        video.fetch(meeting)

    told = "".join((*traceback.format_exception(caught.value), caught.value.hint, caplog.text))
    assert not re.search(r"rec/download|ssrweb/|Signature|s3cret|sandbox\.token|Bearer", told)


# the disk


def test_a_full_disk_is_not_the_meetings_fault(video: Try) -> None:
    listed = video.listed
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(DiskFull, match=f"^{re.escape(str(video.folder))}: File too large") as caught:
            video.edge.downloads.fetch(*listed, video.folder, video.progress.append)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)

    assert caught.value.code == 5
    video.progress.clear()
    video.assert_arrived(video.fetch())


def test_a_staging_folder_that_is_not_there_is_named(video: Try) -> None:
    missing = video.folder / "missing"

    with pytest.raises(Unfit, match=f"^{re.escape(str(missing))}: No such file or directory$") as caught:
        video.edge.downloads.fetch(*video.listed, missing, video.progress.append)

    assert "staging" in caught.value.hint


def test_an_unreachable_host_is_zooms_fault(video: Try) -> None:
    meeting, file = video.listed
    gone = replace(file, url="http://127.0.0.1:9/rec/download/x")

    with pytest.raises(Unreachable, match="connection refused"):
        video.edge.downloads.fetch(meeting, gone, video.folder, video.progress.append)
