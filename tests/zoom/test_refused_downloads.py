"""A refusal costs few requests and no token that is good, and the token stays at home."""

import logging
import re
import traceback
from dataclasses import replace

import pytest
import requests_mock

from tests.fakes import a_file, a_meeting
from tests.sandbox import faults
from tests.sandbox.content import Filler, Text
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Ending, Request, error
from tests.zoom.transfers import SERVED, Try
from zoomsync.errors import DownloadFailed, NotAuthorized
from zoomsync.http import brief
from zoomsync.model import Secret
from zoomsync.zoom.download import Downloads


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
def test_a_no_costs_four_requests_and_no_new_token(video: Try, fault: Fault, where: str, shown: str) -> None:
    meeting = video.edge.meeting(video.uuid)
    video.sandbox.forget()
    video.sandbox.fail(where, with_=fault, times=None)

    with pytest.raises(DownloadFailed) as caught:
        video.fetch(meeting)

    assert ": refused: " in str(caught.value)
    assert shown in str(caught.value)
    assert caught.value.hint
    assert video.sandbox.count("GET", "rec/download") == 4
    assert video.sandbox.count("POST", "oauth") == 0
    assert video.edge.clock.slept == [1, 2]
    assert not list(video.folder.glob("*.mp4"))


@pytest.mark.parametrize("refusals", [1, 2, 3])
def test_the_meetings_own_token_or_the_same_one_again_opens_the_download(video: Try, refusals: int) -> None:
    meeting = video.edge.meeting(video.uuid)
    video.sandbox.forget()
    video.sandbox.fail("rec/download", with_=faults.sign_in_page(), times=refusals)

    video.assert_arrived(video.fetch(meeting))

    assert video.sandbox.count("POST", "oauth") == 0


@pytest.mark.parametrize(
    "fault",
    [faults.refused(401, 124, "Invalid access token."), faults.refused(403, 403, "Forbidden"), faults.sign_in_page()],
)
@pytest.mark.parametrize(("times", "slept"), [(1, []), (2, [1]), (3, [1, 2])])
def test_a_download_that_is_refused_at_first_arrives_without_any_new_token_of_the_app(
    video: Try, fault: Fault, times: int, slept: list[int]
) -> None:
    listed = video.listed
    video.sandbox.forget()
    video.sandbox.fail("rec/download", with_=fault, times=times)

    video.assert_arrived(video.edge.downloads.fetch(*listed, video.folder, video.progress.append))

    assert video.sandbox.count("POST", "oauth") == 0
    assert video.edge.clock.slept == slept


@pytest.mark.parametrize("times", [1, 2])
def test_a_token_that_the_api_takes_no_more_is_renewed_for_a_download(video: Try, times: int) -> None:
    listed = video.listed
    video.sandbox.tokens.revoke()
    video.sandbox.fail("rec/download", with_=_refused_and_revoked(video), times=times)
    video.sandbox.forget()

    video.assert_arrived(video.edge.downloads.fetch(*listed, video.folder, video.progress.append))

    assert video.sandbox.count("POST", "oauth") == times


def _refused_and_revoked(video: Try) -> Fault:
    """What another program does that shares the app: its new token ends ours."""

    def refuse(_: Request) -> Answer:
        video.sandbox.tokens.revoke()
        return error(401, 124, "Invalid access token.")

    return Fault(instead=refuse)


def test_a_file_that_failed_before_is_shown_each_credential_once_and_not_waited_for(video: Try) -> None:
    meeting = video.edge.meeting(video.uuid)
    video.sandbox.fail("rec/download", with_=faults.refused(401, 124, "no"), times=None)
    listed = video.listed[1]
    video.sandbox.forget()

    with brief(), pytest.raises(DownloadFailed, match="refused: HTTP 401, no"):
        video.edge.downloads.fetch(meeting, listed, video.folder, video.progress.append)

    assert (video.sandbox.count("GET", "rec/download"), video.edge.clock.slept) == (2, [])


@pytest.mark.parametrize(
    ("where", "fault"),
    [
        *((where, fault) for where in ("rec/download", SERVED) for fault in (
            faults.page(500), faults.black_hole(), faults.lost_answer(), faults.rate_limited()
        )),
        (SERVED, faults.cut(0)),
        (SERVED, faults.page(403, "Request has expired")),
    ],
)  # fmt: skip
def test_a_file_that_failed_before_is_asked_for_once(video: Try, where: str, fault: Fault) -> None:
    meeting, file = video.listed
    video.sandbox.fail(where, with_=fault, times=None)

    with brief(), pytest.raises(DownloadFailed):
        video.edge.downloads.fetch(meeting, file, video.folder, video.progress.append)

    assert (video.sandbox.count("GET", where), video.edge.clock.slept) == (1, [])


def test_a_file_that_failed_before_still_comes_bit_by_bit(video: Try) -> None:
    meeting, file = video.listed
    video.sandbox.fail(SERVED, with_=faults.cut(100_000), times=2)

    with brief():
        got = video.edge.downloads.fetch(meeting, file, video.folder, video.progress.append)

    video.assert_arrived(got)
    assert len(video.ranges) == 3


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


def test_a_foreign_host_is_never_asked(video: Try) -> None:
    video.sandbox.fail("rec/download", with_=faults.foreign_redirect(), times=None)

    error = video.fails("it is at 127.0.0.2, which is none of zoom.download_hosts")

    assert "zoom.download_hosts" in error.hint
    assert {one.host for one in video.sandbox.requests} == {"127.0.0.1"}


ADDRESSES = {
    "ftp://127.0.0.1/x.mp4": "its address at 127.0.0.1 is not https",
    "file:///etc/passwd": "its address is malformed",
    "file://127.0.0.1/etc/passwd": "its address at 127.0.0.1 is not https",
    "data:video/mp4;base64,AAAA": "its address is malformed",
    "javascript:alert(1)": "its address is malformed",
    "https://127.0.0.1%2f.evil.example/x": "its address is malformed",
}


@pytest.mark.parametrize(("url", "problem"), ADDRESSES.items())
def test_an_address_that_is_none_of_the_web_is_refused_wherever_it_comes_from(
    video: Try, url: str, problem: str
) -> None:
    meeting, file = video.listed
    with pytest.raises(DownloadFailed, match=re.escape(problem)):
        video.edge.downloads.fetch(meeting, replace(file, url=url), video.folder, video.progress.append)
    assert video.sandbox.count("GET", "rec/download") == 0

    for where, count in (("rec/download", 1), (SERVED, 2)):
        video.sandbox.heal()
        video.sandbox.forget()
        video.sandbox.fail(where, with_=faults.redirect(url), times=None)
        video.fails(re.escape(problem))
        assert len(video.sandbox.seen("GET", "rec/download|ssrweb")) == count


def test_an_allowed_host_that_is_not_zooms_gets_no_token(video: Try) -> None:
    downloads = Downloads(
        video.edge.http,
        video.edge.tokens,
        accepts=video.edge.zoom.accepts,
        reread=video.edge.zoom.meeting,
        download_hosts=["127.0.0.2"],
        api_url=video.sandbox.api_url,
        clock=video.edge.clock,
    )
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

    shown = "".join((*traceback.format_exception(caught.value), caught.value.hint, caplog.text))
    assert not re.search(r"rec/download|ssrweb/|Signature|s3cret|sandbox\.token|Bearer", shown)
