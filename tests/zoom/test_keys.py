"""A bearer that is refused for one file, and an address that has expired, are met in the same pass."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.sandbox import faults
from tests.sandbox.content import Filler
from tests.sandbox.downloads import sign_in
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Request, error, html
from tests.zoom.transfers import SERVED, Try
from zoomsync.errors import DownloadFailed, Unreachable
from zoomsync.http import brief
from zoomsync.model import Fetched, Meeting, RecordingFile

LIGHT = r"/v2/meetings/.+/recordings"


def locked(video: Try, no: Answer) -> None:
    """From now on every download of this meeting wants the meeting's own token; any other gets this answer."""
    app = video.edge.tokens.current().value
    video.sandbox.fail("rec/download", with_=Fault(instead=lambda _: no), times=None, headers={"authorization": app})
    video.sandbox.forget()


def fetch(video: Try, meeting: Meeting, file: RecordingFile) -> Fetched:
    return video.edge.downloads.fetch(meeting, file, video.folder, video.progress.append)


@pytest.mark.parametrize(
    "no",
    [
        error(401, 124, "Invalid access token."),
        html(401, "Unauthorized"),
        html(403, "Forbidden"),
        error(403, 300, "Only the host can download"),
        sign_in(),
        html(200, "Enter the passcode"),
    ],
    ids=["401", "401 page", "403 page", "403", "sign-in", "passcode"],
)
@pytest.mark.parametrize("is_brief", [False, True])
def test_the_meetings_own_token_is_asked_for_where_the_bearer_is_refused(
    video: Try, no: Answer, is_brief: bool
) -> None:
    meeting, file = video.listed
    locked(video, no)

    with brief(on=is_brief):
        video.assert_arrived(fetch(video, meeting, file))

    asked = video.sandbox.seen("GET", LIGHT)
    assert [one.query for one in asked] == [{"include_fields": "download_access_token"}]
    assert (video.sandbox.count("POST", "oauth"), video.edge.clock.slept) == (0, [])
    assert video.sandbox.count("GET", "rec/download") == 2


def test_one_light_call_is_enough_for_all_files_of_a_meeting(video: Try) -> None:
    for number in range(3):
        video.sandbox.world.add_file(video.uuid, Filler(900), type="MP4", view=f"view_{number}", extension="MP4")
    meeting, _ = video.listed
    locked(video, sign_in())

    sizes = [fetch(video, meeting, file).size for file in meeting.files if file.kind.is_media]

    assert sizes.count(900) == 3
    assert (video.sandbox.count("GET", LIGHT), video.sandbox.count("GET", "/v2/users")) == (1, 1)
    assert [one.status for one in video.sandbox.seen("GET", "rec/download")] == [200, 302, 302, 302, 302]


@pytest.mark.parametrize("is_over", [False, True], ids=["a good token", "a token that ended"])
def test_files_that_are_refused_at_the_same_time_ask_once(video: Try, is_over: bool) -> None:
    for number in range(3):
        video.sandbox.world.add_file(video.uuid, Filler(900), type="MP4", view=f"view_{number}", extension="MP4")
    meeting, _ = video.listed
    files = [file for file in meeting.files if file.kind.is_media]
    refused = threading.Barrier(len(files), timeout=20)

    def refuse(_: Request) -> Answer:
        refused.wait()
        return html(401, "Unauthorized") if is_over else sign_in()

    if is_over:
        video.sandbox.fail("/v2/users", with_=faults.bad_token())
    else:
        locked(video, sign_in())
    video.sandbox.forget()
    app = video.edge.tokens.current().value
    rule = Fault(instead=refuse)
    video.sandbox.rules.insert(
        0, faults.Rule(path="rec/download", method=None, fault=rule, times=len(files), headers={"authorization": app})
    )

    with ThreadPoolExecutor(len(files)) as pool:
        sizes = list(pool.map(lambda file: fetch(video, meeting, file).size, files))

    assert sizes.count(900) == 3
    assert (video.sandbox.count("GET", "/v2/users"), video.sandbox.count("POST", "oauth")) == (1, int(is_over))
    assert video.sandbox.count("GET", LIGHT) == int(not is_over)


def test_a_reading_that_is_old_is_no_reading(video: Try) -> None:
    meeting, file = video.listed
    locked(video, sign_in())
    asked = []
    for minutes in (0, 29, 2):
        video.edge.clock.advance(minutes=minutes)
        fetch(video, meeting, file).path.unlink()
        asked.append(video.sandbox.count("GET", LIGHT))

    assert asked == [1, 1, 2]


def test_readings_are_kept_of_a_few_meetings_alone(video: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoomsync.zoom.keys.KNOWN", 1)
    meeting, file = video.listed
    other = next(one for one in video.edge.list().meetings if one.uuid != video.uuid and one.files)
    locked(video, sign_in())

    for one, its in ((meeting, file), (other, other.files[0]), (meeting, file)):
        fetch(video, one, its).path.unlink()

    assert video.sandbox.count("GET", LIGHT) == 3


def test_a_meeting_that_was_just_read_is_not_read_again(video: Try) -> None:
    meeting, file = video.edge.meeting(video.uuid), video.listed[1]
    locked(video, sign_in())

    fetch(video, meeting, file)

    assert video.sandbox.count("GET", LIGHT) == 0


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("is_brief", [False, True])
def test_an_address_that_leads_nowhere_is_replaced_by_a_fresh_one(video: Try, status: int, is_brief: bool) -> None:
    meeting, file = expired(video, faults.page(status, "No such page"))

    with brief(on=is_brief):
        video.assert_arrived(fetch(video, meeting, file))

    assert [one.path for one in video.sandbox.seen("GET", "rec/download")] == [
        "/rec/download/expired",
        f"/rec/download/{file.id}",
    ]
    assert (video.sandbox.count("GET", LIGHT), video.sandbox.count("POST", "oauth")) == (1, 0)


@pytest.mark.parametrize("fault", [faults.page(403, "Request has expired"), faults.sign_in_page()])
def test_an_address_that_refuses_every_token_is_replaced_too(video: Try, fault: Fault) -> None:
    meeting, file = expired(video, fault)

    video.assert_arrived(fetch(video, meeting, file))

    assert video.sandbox.count("POST", "oauth") == 0


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_signed_address_that_stays_expired_is_replaced_too(video: Try, status: int) -> None:
    meeting, file = expired(video, faults.redirect("/ssrweb/old?Signature=s"))
    video.sandbox.fail("/ssrweb/old", with_=faults.page(status, "Request has expired"), times=None)

    video.assert_arrived(fetch(video, meeting, file))

    assert (video.sandbox.count("GET", "/ssrweb/old"), video.edge.clock.slept) == (2, [1])


def expired(video: Try, fault: Fault) -> tuple[Meeting, RecordingFile]:
    """The file as it was listed long ago: its address does what `fault` says."""
    meeting, file = video.listed
    video.sandbox.fail("rec/download/expired", with_=fault, times=None)
    video.sandbox.forget()
    return meeting, replace(file, url=f"{video.sandbox.url}/rec/download/expired")


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_is_no_reason_for_a_new_token(video: Try, status: int) -> None:
    meeting, file = video.listed
    video.sandbox.fail("rec/download", with_=faults.page(status, "No such recording"), times=None)
    video.sandbox.forget()

    with pytest.raises(DownloadFailed, match=f": HTTP {status}, a page titled “No such recording”$"):
        fetch(video, meeting, file)

    assert (video.sandbox.count("POST", "oauth"), video.sandbox.count("GET", "/v2/users")) == (0, 0)
    assert (video.sandbox.count("GET", "rec/download"), video.edge.clock.slept) == (1, [])


@pytest.mark.parametrize(
    "silent",
    [
        faults.refused(404, 3301, "This recording does not exist."),
        faults.refused(400, 300, "Validation Failed."),
        faults.page(500),
        faults.lost_answer(),
        faults.without("download_access_token", "recording_files"),
    ],
    ids=["gone", "refused", "500", "lost", "nothing new"],
)
def test_a_meeting_that_cannot_be_read_again_is_no_other_reason_than_the_refusal(video: Try, silent: Fault) -> None:
    meeting, file = video.listed
    locked(video, sign_in())
    video.sandbox.fail(LIGHT, with_=silent, times=None)

    for _ in range(2):
        with pytest.raises(DownloadFailed, match="refused: HTTP 200, a page titled “Sign In"):
            fetch(video, meeting, file)

    assert len({one.path for one in video.sandbox.seen("GET", LIGHT)}) == 1
    assert video.sandbox.count("GET", LIGHT) in (1, 6)  # asked in one go, whatever came of it


def test_a_zoom_that_is_gone_by_then_is_no_fault_of_the_file(video: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting, file = video.listed
    locked(video, sign_in())
    reread: Callable[[str], Meeting | None] = _unreachable
    monkeypatch.setattr(video.edge.downloads._keys, "_reread", reread)

    with pytest.raises(Unreachable, match="no connection"):
        fetch(video, meeting, file)


def _unreachable(_: str) -> Meeting | None:
    raise Unreachable("zoom: no connection")


def test_a_meetings_own_token_goes_on_with_what_was_cut(video: Try) -> None:
    meeting, file = video.listed
    locked(video, sign_in())
    video.sandbox.fail(SERVED, with_=faults.cut(100_000), times=2)

    video.assert_arrived(fetch(video, meeting, file))

    assert video.ranges == [None, "bytes=100000-", "bytes=200000-"]
    assert [one.status for one in video.sandbox.seen("GET", "rec/download")] == [200, 302, 302, 302]
