"""Every refusal of Zoom means something to the caller, and every uuid survives its way into a path."""

import json
import re
from dataclasses import replace
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoomsync.errors import (
    AccountListFailed,
    DeletionRefused,
    ListingFailed,
    MeetingFailed,
    NotAuthorized,
    ServiceUnavailable,
    StillProcessing,
    Subject,
    Unreachable,
    UserUnknown,
    ZoomsyncError,
)
from zoomsync.zoom import responses
from zoomsync.zoom.responses import REFERENCE, Question

PAGE = b"<!DOCTYPE html><html><head><title>Not Found</title></head></html>"
LIST = "cloud_recording:read:list_user_recordings"
DENIED = "Access to the Zoom REST API has been denied for this account."
SCOPE = f"does not contain scopes:[{LIST}, {LIST}:admin]"


def an_error(code: int | str, message: str, **more: object) -> bytes:
    return json.dumps({"code": code, "message": message, **more}).encode()


def refused(status: int, body: bytes, otherwise: type[ZoomsyncError] = MeetingFailed) -> ZoomsyncError:
    subject = None if otherwise in (AccountListFailed, Unreachable) else Subject("meeting", "u==")
    question = Question(path="", doing="this", need="meeting", refused=otherwise, subject=subject)
    return responses.refusal(responses.read(status, body), question)


@pytest.mark.parametrize(
    ("status", "body", "otherwise", "kind", "message", "hint"),
    [
        (401, an_error(124, "Invalid access token."), MeetingFailed, NotAuthorized, "code 124: Invalid", "activated"),
        (400, an_error(124, "Access token is expired."), ListingFailed, NotAuthorized, "expired", "activated"),
        (200, an_error(124, "Invalid access token."), MeetingFailed, NotAuthorized, "HTTP 200, code 124", "activated"),
        (401, PAGE, DeletionRefused, NotAuthorized, "HTTP 401: a page titled", "activated"),
        (
            400,
            an_error(4711, f"Invalid access token, {SCOPE}."),
            ListingFailed,
            NotAuthorized,
            "recording:read:admin (classic) or cloud_recording:read:list_user_recordings:admin (granular)",
            "marketplace",
        ),
        (400, an_error(4700, "Invalid access token, whatever"), MeetingFailed, NotAuthorized, "4700", "activated"),
        (200, an_error(200, "You do not have the right permissions"), MeetingFailed, MeetingFailed, "right", "role"),
        (200, an_error(200, "No permission."), DeletionRefused, DeletionRefused, "HTTP 200, code 200", "role"),
        (200, an_error(200, "No permission."), AccountListFailed, AccountListFailed, "code 200", "role"),
        (404, an_error(1001, "User does not exist: x."), ListingFailed, UserUnknown, "code 1001", "does not know"),
        (404, an_error("1001", "User does not exist: x."), ListingFailed, UserUnknown, "code 1001", "does not know"),
        (404, an_error(3301, "This recording is still being processed. Please check back later."), MeetingFailed,
         StillProcessing, "still being processed", "asks again"),
        (404, an_error(3301, "This recording is still being processed."), DeletionRefused, DeletionRefused, "3301", ""),
        (400, an_error(1010, "User does not belong to this account."), DeletionRefused, DeletionRefused, "1010",
         "left"),
        (400, an_error(3303, "You can not delete an uncompleted meeting."), DeletionRefused, DeletionRefused, "3303",
         "not finished"),
        (400, an_error(3310, "used by a simulive webinar."), DeletionRefused, DeletionRefused, "3310", "hold_meetings"),
        (400, an_error(300, "Validation Failed.", errors=[{"field": "to", "message": "bad"}, 7]), ListingFailed,
         ListingFailed, "Validation Failed.; to: bad", ""),
        (403, an_error(403, "Forbidden"), MeetingFailed, MeetingFailed, "HTTP 403", ""),
        (429, an_error(429, "maximum per-second rate limit"), DeletionRefused, ServiceUnavailable, "HTTP 429",
         "tried again"),
        (502, PAGE, MeetingFailed, ServiceUnavailable, "HTTP 502: a page titled “Not Found”", "tried again"),
        (500, an_error(500, "oops"), DeletionRefused, ServiceUnavailable, "oops", "tried again"),
        (404, PAGE, MeetingFailed, ServiceUnavailable, "HTTP 404: a page titled “Not Found”", "zoom.api_url"),
        (403, PAGE, DeletionRefused, ServiceUnavailable, "HTTP 403", "proxy"),
        (200, PAGE, ListingFailed, ServiceUnavailable, "HTTP 200: a page", "proxy"),
        (200, b"[]", ListingFailed, ServiceUnavailable, "HTTP 200", "zoom.api_url"),
        (302, b"", AccountListFailed, AccountListFailed, "HTTP 302", "zoom.api_url"),
        (302, b"", Unreachable, Unreachable, "HTTP 302", "zoom.api_url"),
        (403, an_error(403, "Forbidden"), Unreachable, NotAuthorized, "HTTP 403", "role"),
        (200, an_error(200, "No permission."), Unreachable, NotAuthorized, "code 200", "role"),
        (400, an_error(300, "Validation Failed."), Unreachable, Unreachable, "code 300", ""),
        (403, an_error(403, DENIED), ListingFailed, NotAuthorized, "denied for this account", "Contact Zoom Support"),
        (403, an_error(403, DENIED), AccountListFailed, NotAuthorized, "denied", "Contact Zoom Support"),
        (400, an_error(1010, "User not found on this account."), ListingFailed, UserUnknown, "1010", "left"),
        (400, an_error(1120, "A valid invitation was not found."), ListingFailed, UserUnknown, "1120", ""),
        (400, an_error(1000, "pending"), ListingFailed, UserUnknown, "1000", ""),
        (401, an_error(1000, "no"), ListingFailed, NotAuthorized, "each new token is refused", "an app of its own"),
        (404, an_error(2300, "This API endpoint is not recognized."), MeetingFailed, ServiceUnavailable, "2300",
         "api_url"),
        (404, b"{}", MeetingFailed, MeetingFailed, "HTTP 404: no reason given", ""),
    ],
)  # fmt: skip
def test_a_refusal_is_the_error_that_its_caller_can_act_on(
    status: int, body: bytes, otherwise: type[ZoomsyncError], kind: type[ZoomsyncError], message: str, hint: str
) -> None:
    error = refused(status, body, otherwise)

    assert type(error) is kind
    assert str(error).startswith("zoom: this: ")
    assert message in str(error)
    assert hint in error.hint
    assert error.hint


@pytest.mark.parametrize(
    ("status", "body", "but"),
    [
        (400, an_error(4711, f"Invalid access token, {SCOPE}."), "has the scope"),
        (401, an_error(124, "Invalid access token."), "is good for other requests"),
        (400, an_error(4700, "Invalid access token, whatever"), "is good for other requests"),
        (403, an_error(403, DENIED), "is good for other requests"),
    ],
)
@pytest.mark.parametrize(
    ("otherwise", "subject", "what"),
    [
        (ListingFailed, Subject("user", "ada"), "user"),
        (MeetingFailed, Subject("meeting", "u=="), "meeting"),
        (DeletionRefused, Subject("file", "f"), "file"),
        (AccountListFailed, None, "list"),
    ],
)
def test_a_refused_token_that_is_good_for_others_is_its_subjects_trouble(
    status: int, body: bytes, but: str, otherwise: type[ZoomsyncError], subject: Subject | None, what: str
) -> None:
    question = Question(path="", doing="this", need="meeting", refused=otherwise, subject=subject)

    error = responses.refusal(replace(responses.read(status, body), is_token_good=True), question)

    assert (type(error), error.subject) == (otherwise, subject)
    assert str(error).startswith(f"zoom: this: Zoom refuses this {what} although the token {but}: HTTP {status}, code ")


def test_users_that_are_refused_although_the_token_has_the_scope_are_a_matter_of_the_credential() -> None:
    answer = responses.read(400, an_error(4711, "does not contain scopes:[user:read:list_users:admin]."))

    error = responses.refusal(replace(answer, is_token_good=True), REFERENCE)

    assert type(error) is NotAuthorized
    assert "the token has the scope, but Zoom refuses it" in str(error)
    assert "role changed" in error.hint


@pytest.mark.parametrize(
    ("status", "body", "is_empty"),
    [
        (404, an_error(3301, "There is no recording for this session"), True),
        (400, an_error(200, "Only available for Paid account."), True),
        (400, an_error(200, "Only available for Paid accounts, please upgrade"), True),
        (400, an_error(200, "You do not have the right permissions"), False),
        (404, an_error(1001, "User does not exist"), False),
        (404, PAGE, False),
        (200, b'{"meetings": []}', False),
    ],
)
def test_some_refusals_of_a_list_say_that_it_is_empty(status: int, body: bytes, is_empty: bool) -> None:
    assert responses.read(status, body).is_empty_list is is_empty


@given(st.integers(100, 599), st.binary(max_size=60) | st.dictionaries(st.text(), st.integers() | st.text()).map(
    lambda document: json.dumps(document).encode()
))  # fmt: skip
def test_no_answer_is_too_odd_to_be_understood(status: int, body: bytes) -> None:
    answer = responses.read(status, body)

    error = responses.refusal(answer, Question(path="", doing="this", need="meeting", refused=MeetingFailed))

    assert error.code in (1, 3, 6)
    assert str(error).isprintable()
    assert responses.token_refusal(answer).code in (3, 6)


@pytest.mark.parametrize(
    ("status", "body", "gone"),
    [
        (404, an_error(3301, "This recording does not exist."), True),
        (404, an_error(3001, "Meeting does not exist."), True),
        (404, an_error(3301, "This recording is still being processed. Please check back later."), False),
        (404, an_error(1001, "User does not exist."), False),
        (404, PAGE, False),
        (404, b"", False),
        (400, an_error(3301, "This recording does not exist."), False),
        (200, an_error(3301, "This recording does not exist."), False),
        (500, an_error(3301, "This recording does not exist."), False),
    ],
)
def test_only_zooms_own_words_say_that_a_recording_is_gone(status: int, body: bytes, gone: bool) -> None:
    assert responses.read(status, body).is_gone(responses.RECORDING_GONE) is gone


@pytest.mark.parametrize(
    ("status", "body", "done"),
    [
        (204, b"", True),
        (200, b"", True),
        (200, b"{}", True),
        (200, an_error(200, "No permission."), False),
        (200, PAGE, False),
        (202, b"", False),
        (404, b"{}", False),
    ],
)
def test_a_deletion_is_done_only_where_zoom_says_so(status: int, body: bytes, done: bool) -> None:
    assert responses.read(status, body).is_done is done


@pytest.mark.parametrize(
    ("status", "body", "kind", "message", "hint"),
    [
        (400, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}, NotAuthorized,
         "zoom: no token: Invalid client_id or client_secret (HTTP 400, invalid_client)", "zoom.client_secret"),
        (401, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}, NotAuthorized,
         "zoom: no token: Invalid client_id or client_secret (HTTP 401, invalid_client)", "zoom.client_secret"),
        (400, {"reason": "Account does not exist", "error": "invalid_request"}, NotAuthorized,
         "zoom: no token: Account does not exist (HTTP 400, invalid_request)", "zoom.account_id"),
        (400, {"reason": "unsupported grant type", "error": "unsupported_grant_type"}, NotAuthorized,
         "zoom: no token: unsupported grant type (HTTP 400, unsupported_grant_type)", "Server-to-Server OAuth"),
        (401, None, NotAuthorized, "zoom: no token: a page titled “Not Found” (HTTP 401)", "zoom.client_id"),
        (404, None, Unreachable, "zoom: no token: a page titled “Not Found” (HTTP 404)", "zoom.oauth_url"),
        (200, None, Unreachable, "zoom: no token: a page titled “Not Found” (HTTP 200)", "proxy"),
        (503, None, Unreachable, "zoom: no token: a page titled “Not Found” (HTTP 503)", "tried again"),
    ],
)  # fmt: skip
def test_a_refused_token_names_the_setting_that_is_wrong(
    status: int, body: dict[str, str] | None, kind: type[ZoomsyncError], message: str, hint: str
) -> None:
    error = responses.token_refusal(responses.read(status, PAGE if body is None else json.dumps(body).encode()))

    assert (type(error), str(error)) == (kind, message)
    assert hint in error.hint


@pytest.mark.parametrize(
    ("uuid", "path"),
    [
        ("aDYlohsHRtCd4ii1uC2+hA==", "/meetings/aDYlohsHRtCd4ii1uC2%2BhA%3D%3D/recordings"),
        ("/ajXp112QmuoKj4854875==", "/meetings/%252FajXp112QmuoKj4854875%253D%253D/recordings"),
        ("ab//cd==", "/meetings/ab%252F%252Fcd%253D%253D/recordings"),
        ("ab/cd==", "/meetings/ab%252Fcd%253D%253D/recordings"),
    ],
)
def test_a_uuid_with_a_slash_is_encoded_twice(uuid: str, path: str) -> None:
    assert responses.meeting_path(uuid) == path


@given(st.from_regex(r"[A-Za-z0-9+/]{1,30}={0,2}", fullmatch=True) | st.text(min_size=1).filter(lambda t: t.strip(".")))
def test_a_server_that_decodes_twice_gets_the_uuid_back(uuid: str) -> None:
    path = responses.meeting_path(uuid, "a b/c")

    found = re.fullmatch(r"/meetings/([^/]+)/recordings/a%20b%2Fc", path)
    assert found
    assert unquote(unquote(found[1])) == uuid


@pytest.mark.parametrize(("uuid", "file"), [("", None), ("..", None), ("abc", ""), ("abc", "."), ("abc", "..")])
def test_nothing_is_asked_about_a_name_that_means_another_path(uuid: str, file: str | None) -> None:
    with pytest.raises(ValueError, match="names nothing"):
        responses.meeting_path(uuid, file)
