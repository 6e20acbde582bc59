"""The stand-in Zoom keeps to what is known of Zoom: token, lists, one meeting, deletion, downloads."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.sandbox import faults
from tests.sandbox.caller import Caller
from tests.sandbox.server import Sandbox
from tests.sandbox.settings import CLASSIC, READING
from tests.sandbox.worlds import full_world, small_world

NOW = datetime.now(UTC)
TO = str(NOW.date())
FROM = str(NOW.date() - timedelta(days=30))


def serve(**settings: Any) -> Sandbox:
    return Sandbox(settings.pop("world", None) or small_world(NOW, has_media=False), **settings)


@pytest.fixture
def caller() -> Iterator[Caller]:
    with serve() as sandbox, Caller(sandbox) as one:
        yield one


def span(first: str = FROM, last: str = TO) -> dict[str, Any]:
    return {"from": first, "to": last}


def twice(uuid: str) -> str:
    return quote(quote(uuid, safe=""), safe="")


def code(answer: requests.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["code"]


def test_a_token_has_a_scope_string_and_an_end(caller: Caller) -> None:
    answer = caller.token().json()

    assert answer.pop("access_token")
    assert answer == {
        "token_type": "bearer",
        "expires_in": 3600,
        "scope": " ".join(caller.sandbox.settings.scopes),
        "api_url": caller.sandbox.url,
    }


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"account_id": "other"}, {"reason": "Account does not exist", "error": "invalid_request"}),
        ({"grant_type": "password"}, {"reason": "unsupported grant type", "error": "unsupported_grant_type"}),
    ],
)
def test_a_wrong_token_request_is_refused_with_reason_and_error(
    caller: Caller, changed: dict[str, str], error: dict[str, str]
) -> None:
    assert caller.token(**changed).json() == error


def test_a_wrong_secret_is_an_invalid_client(caller: Caller) -> None:
    caller.sandbox.settings.client_secret = "rotated"

    assert caller.http.post(caller.sandbox.oauth_url, auth=("a", "b"), timeout=5).json()["error"] == "invalid_client"


def test_tokens_expire_and_are_revoked(caller: Caller) -> None:
    before = caller.get("/users").status_code
    caller.sandbox.tokens.revoke()
    revoked = caller.get("/users")
    caller.sandbox.settings.token_lifetime = 0
    expired = caller.get("/users", {"Authorization": f"Bearer {caller.token().json()['access_token']}"})

    assert (before, code(revoked), code(expired)) == (200, (401, 124), (401, 124))
    assert expired.json()["message"] == "Access token is expired."


def test_the_date_header_is_skewed_as_told() -> None:
    with serve(skew=timedelta(hours=1)) as sandbox:
        date = parsedate_to_datetime(Caller(sandbox).token().headers["Date"])

    assert timedelta(minutes=59) < date - datetime.now(UTC) < timedelta(minutes=61)


def test_scopes_are_enforced_by_granular_and_classic_names(caller: Caller) -> None:
    path = f"/meetings/{twice(caller.sandbox.world.names['plain'])}/recordings/none"
    caller.sandbox.settings.scopes = READING
    refused = caller.delete(path)
    caller.sandbox.settings.scopes = CLASSIC

    assert code(refused) == (400, 4711)
    assert "cloud_recording:delete:recording_file:admin" in refused.json()["message"]
    assert code(caller.delete(path)) == (404, 3301)


def test_users_are_listed_by_status_and_pending_ones_have_no_id() -> None:
    with serve(world=full_world(NOW, has_media=False)) as sandbox:
        caller = Caller(sandbox)
        emails = {
            status: [user["email"] for user in caller.get("/users", status=status).json()["users"]]
            for status in ("active", "inactive", "pending")
        }
        pending = caller.get("/users", status="pending").json()["users"][0]
        by_email, unknown = caller.get("/users/Bob@Example.org"), caller.get("/users/nobody@example.org")

    assert emails["inactive"] == ["dan@example.org"]
    assert emails["active"] == [f"{name}@example.org" for name in ("alice", "bob", "carol", "erin", "faye", "grace")]
    assert "id" not in pending
    assert by_email.json()["id"] == "id_bob"
    assert code(unknown) == (404, 1001)


def test_paging_returns_every_meeting_once() -> None:
    with serve(world=full_world(NOW, has_media=False), page_cap=30) as sandbox:
        query = span() | {"page_size": 300}
        pages = Caller(sandbox).pages("/accounts/me/recordings", **query)

    uuids = [meeting["uuid"] for page in pages for meeting in page["meetings"]]
    shown = [
        one for one in sandbox.world.meetings.values() if one.host_id != "id_dan" and str(one.start.date()) >= FROM
    ]
    assert sorted(uuids) == sorted(one.uuid for one in shown)
    assert {page["total_records"] for page in pages} == {len(uuids)}
    assert len(pages) == -(-len(uuids) // 30) > 3


def test_a_page_token_wants_the_same_parameters_and_ends() -> None:
    with serve(page_cap=1) as sandbox:
        caller = Caller(sandbox)
        query = span()
        token = caller.get("/users/id_alice/recordings", **query).json()["next_page_token"]
        other = caller.get("/users/id_alice/recordings", **query, page_size=2, next_page_token=token)
        sandbox.settings.page_token_lifetime = 0
        short = caller.get("/users/id_alice/recordings", **query).json()["next_page_token"]
        late = caller.get("/users/id_alice/recordings", **query, next_page_token=short)

    assert [code(other), code(late)] == [(400, 300), (400, 300)]


def test_a_long_span_is_cut_and_the_echo_says_so(caller: Caller) -> None:
    answer = caller.get("/users/id_alice/recordings", **span("2020-01-01")).json()

    assert (answer["from"], answer["to"]) == (str(NOW.date() - timedelta(days=31)), TO)


def test_a_day_without_recordings_is_an_empty_list(caller: Caller) -> None:
    answer = caller.get("/users/id_alice/recordings", **span("2020-01-01", "2020-01-02")).json()

    assert (answer["page_size"], answer["total_records"], answer["meetings"]) == (0, 0, [])


def test_only_the_account_list_names_the_host_and_hides_the_deactivated() -> None:
    with serve(world=full_world(NOW, has_media=False)) as sandbox:
        caller = Caller(sandbox)
        query = span() | {"page_size": 300}
        every = caller.get("/accounts/me/recordings", **query).json()["meetings"]
        dans = caller.get("/users/dan@example.org/recordings", **query).json()["meetings"]

    assert {"alice@example.org", "faye@example.org"} <= {one["host_email"] for one in every}
    assert "id_dan" not in {one["host_id"] for one in every}
    assert [one["topic"] for one in dans] == ["Of a deactivated host"]
    assert "host_email" not in dans[0]


def test_a_processing_recording_shows_one_file_and_has_no_answer_of_its_own() -> None:
    with serve(world=full_world(NOW, has_media=False)) as sandbox:
        caller = Caller(sandbox)
        uuid = sandbox.world.names["processing"]
        listed = caller.get("/users/id_alice/recordings", page_size=300, **span()).json()["meetings"]
        before = caller.get(f"/meetings/{uuid}/recordings")
        sandbox.world.release("processing-done")
        after = caller.get(f"/meetings/{uuid}/recordings").json()["recording_files"]

    (unfinished,) = next(one for one in listed if one["uuid"] == uuid)["recording_files"]
    assert (unfinished["status"], unfinished["file_type"], unfinished["recording_end"]) == ("processing", "", "")
    assert code(before) == (404, 3301)
    assert "still being processed" in before.json()["message"]
    assert [file["status"] for file in after] == ["completed"]
    assert after[0]["id"] != unfinished["id"]


@pytest.mark.parametrize("uuid", ["/first/slash==", "two//slashes==", "one/slash+==", "plain=="])
def test_a_uuid_with_a_first_or_double_slash_wants_double_encoding(caller: Caller, uuid: str) -> None:
    caller.sandbox.world.meetings[uuid] = caller.sandbox.world.meetings[caller.sandbox.world.names["plain"]]
    once = caller.get(f"/meetings/{quote(uuid, safe='')}/recordings").status_code

    assert once == (404 if uuid.startswith("/") or "//" in uuid else 200)
    assert caller.get(f"/meetings/{twice(uuid)}/recordings").status_code == 200


def test_a_number_means_the_newest_occurrence() -> None:
    with serve(world=full_world(NOW, has_media=False)) as sandbox:
        answer = Caller(sandbox).get("/meetings/82222222222/recordings").json()

    assert answer["uuid"] == sandbox.world.names["weekly-1"]


def test_one_meeting_has_what_the_lists_lack() -> None:
    with serve(world=full_world(NOW, has_media=False)) as sandbox:
        caller = Caller(sandbox)
        path = f"/meetings/{sandbox.world.names['views']}/recordings"
        meeting = caller.get(path, include_fields="download_access_token").json()
        head = {"Authorization": f"Bearer {meeting['download_access_token']}"}
        track = caller.get(meeting["participant_audio_files"][0]["download_url"], head)

    assert meeting["password"]
    assert track.headers["Content-Type"] == "audio/mp4"


def test_a_deleted_file_lies_in_the_trash_and_is_gone_from_lists(caller: Caller) -> None:
    world = caller.sandbox.world
    uuid = world.names["texts"]
    kept, deleted = world.meetings[uuid].files[:2]
    path = f"/meetings/{twice(uuid)}/recordings"

    answer = caller.delete(f"{path}/{deleted.id}", action="trash")

    assert (answer.status_code, answer.content) == (204, b"")
    ids = [file["id"] for file in caller.get(path).json()["recording_files"]]
    assert (kept.id in ids, deleted.id in ids) == (True, False)
    assert world.trash == [(uuid, deleted)]
    assert code(caller.delete(f"{path}/{deleted.id}")) == (404, 3301)
    assert caller.get(f"{caller.sandbox.url}/rec/download/{deleted.id}").status_code == 404


def test_deletion_is_refused_for_strangers_simulive_and_unfinished_ones(caller: Caller) -> None:
    meeting = caller.sandbox.world.meetings[caller.sandbox.world.names["plain"]]
    path = f"/meetings/{meeting.uuid}/recordings/{meeting.files[0].id}"
    meeting.files[0].is_processing = True
    unfinished = caller.delete(path)
    meeting.is_simulive = True
    simulive = caller.delete(path)
    meeting.host_id = "id_stranger"

    assert [code(unfinished), code(simulive), code(caller.delete(path))] == [(400, 3303), (400, 3310), (400, 1010)]
    assert caller.sandbox.world.deletions == []


def test_a_second_deletion_of_one_host_at_once_is_refused() -> None:
    with serve(deletion_takes=2.0) as sandbox:
        caller, world = Caller(sandbox), sandbox.world
        paths = [f"/meetings/{world.names[name]}/recordings" for name in ("plain", "pair")]
        first = threading.Thread(target=Caller(sandbox).delete, args=(paths[0],))
        first.start()
        while not sandbox.count("DELETE"):
            time.sleep(0.01)
        time.sleep(0.1)  # from its arrival to its turn
        second = caller.delete(paths[1])
        first.join()

    assert code(second) == (429, 429)
    assert "Too many concurrent requests" in second.json()["message"]
    assert [uuid for uuid, _, _ in world.deletions] == [world.names["plain"]]


def test_what_comes_late_is_there_after_its_release() -> None:
    world = full_world(NOW, has_media=False)
    before = {name: len(world.meetings[world.names[name]].files) for name in world.held if name in world.names}

    released = world.release()

    assert released == ["late-transcript", "late-view", "late-segment", "processing-done", "late-meeting"]
    assert before == {"late-transcript": 1, "late-view": 1, "late-segment": 1}
    assert {name: len(world.meetings[world.names[name]].files) for name in before} == dict.fromkeys(before, 2)
    assert world.names["late-meeting"] in world.meetings


@pytest.mark.parametrize(
    ("status", "path", "refusal"),
    [
        ("pending", "", (400, 1120)),
        ("foreign", "", (400, 1010)),
        ("pending", "/recordings", (400, 1120)),
        ("foreign", "/recordings", (400, 1010)),
    ],
)
def test_invited_users_and_those_of_other_accounts_are_refused_each_in_its_way(
    caller: Caller, status: str, path: str, refusal: tuple[int, int]
) -> None:
    user = caller.sandbox.world.add_user("Nina Nowhere", status=status)

    assert code(caller.get(f"/users/{user.email}{path}", **span())) == refusal


def test_me_is_the_owner_of_the_account(caller: Caller) -> None:
    assert caller.get("/users/me").json()["email"] == "alice@example.org"
    assert caller.get("/users/me/recordings", **span()).json()["total_records"] > 0


def test_a_user_has_the_fields_of_a_real_one_and_names_only_if_there_are_any(caller: Caller) -> None:
    caller.sandbox.world.add_user("Alone", display_name="All Alone")
    *_, alone = caller.get("/users").json()["users"]

    assert {
        "id",
        "display_name",
        "email",
        "pmi",
        "timezone",
        "verified",
        "created_at",
        "role_id",
        "dept",
    } <= alone.keys()
    assert (alone["first_name"], "last_name" in alone, alone["display_name"]) == ("Alone", False, "All Alone")


def test_a_page_of_users_may_hold_2000_and_one_of_recordings_300(caller: Caller) -> None:
    assert caller.get("/users", page_size=2000).status_code == 200
    assert code(caller.get("/users", page_size=2001)) == (400, 300)
    assert code(caller.get("/users/me/recordings", **span(), page_size=301)) == (400, 300)


def test_a_token_comes_for_parameters_in_the_address_too(caller: Caller) -> None:
    url = f"{caller.sandbox.oauth_url}?grant_type=account_credentials&account_id={caller.sandbox.account_id}"
    pair = (caller.sandbox.client_id, caller.sandbox.client_secret)

    assert caller.http.post(url, auth=pair, timeout=5).status_code == 200


def test_a_download_takes_the_token_in_its_address(caller: Caller) -> None:
    meeting, *_ = caller.get("/users/me/recordings", **span()).json()["meetings"]
    url = meeting["recording_files"][0]["download_url"]
    token = caller.head.pop("Authorization").removeprefix("Bearer ")

    assert caller.get(url, access_token=token).headers["Content-Type"] == "video/mp4"
    assert caller.get(url, access_token="stale").text.startswith("<!DOCTYPE html>")


def test_dates_may_have_a_time(caller: Caller) -> None:
    plain = caller.get("/users/me/recordings", **span()).json()
    timed = caller.get("/users/me/recordings", **span(f"{FROM}T00:00:00Z", f"{TO}T00:00:00Z")).json()

    assert timed == plain


def test_the_trash_is_listed_whole_whatever_the_dates(caller: Caller) -> None:
    meeting, *_ = caller.get("/users/me/recordings", **span()).json()["meetings"]
    caller.sandbox.world.delete(meeting["uuid"], caller.sandbox.world.meetings[meeting["uuid"]].files[0], "trash", NOW)
    found = caller.get("/users/me/recordings", **span("2020-01-01", "2020-01-02"), trash="true").json()

    assert [one["uuid"] for one in found["meetings"]] == [meeting["uuid"]]


def test_what_is_still_processed_has_an_address_and_no_extension(caller: Caller) -> None:
    meeting = next(iter(caller.sandbox.world.meetings.values()))
    meeting.files[0].is_processing = True
    found = caller.get("/users/me/recordings", **span()).json()["meetings"]
    (file, *_) = next(one for one in found if one["uuid"] == meeting.uuid)["recording_files"]

    assert (file["file_extension"], file["status"], bool(file["download_url"])) == ("", "processing", True)
    assert "being processed" in caller.get(file["download_url"]).text


def test_a_meeting_says_nothing_of_auto_delete_unless_it_is_set(caller: Caller) -> None:
    (one, *_) = caller.get("/users/me/recordings", **span()).json()["meetings"]

    assert "auto_delete" not in one


def test_page_tokens_that_never_end(caller: Caller) -> None:
    caller.sandbox.fail("/users$", with_=faults.ever_new_page_tokens(), times=None)
    pages = [caller.get("/users").json()]
    for _ in range(3):
        pages.append(caller.get("/users", next_page_token=pages[-1]["next_page_token"]).json())

    assert len({page["next_page_token"] for page in pages}) == 4
    assert all(page["users"] == pages[0]["users"] for page in pages)


def test_answers_without_meetings_and_a_denied_account(caller: Caller) -> None:
    caller.sandbox.fail("/recordings", with_=faults.without("meetings"))
    caller.sandbox.fail("/recordings", with_=faults.account_denied())

    assert "meetings" not in caller.get("/users/me/recordings", **span()).json()
    assert code(caller.get("/users/me/recordings", **span())) == (403, 403)
