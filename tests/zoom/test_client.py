"""Users, one meeting and deletions, against the stand-in over real HTTP."""

import re

import pytest

from tests.sandbox import faults
from tests.sandbox.faults import Fault
from tests.sandbox.server import Sandbox
from tests.sandbox.settings import READING
from tests.zoom.edge import Edge
from zoomsync.errors import (
    DeletionRefused,
    MeetingFailed,
    NotAuthorized,
    ServiceUnavailable,
    StillProcessing,
    Subject,
    Unreachable,
    UserFailed,
    ZoomsyncError,
)
from zoomsync.model import User

ALICE = "alice@example.org"


def test_users_are_listed_by_their_status(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.world.add_user("Gone Away", status="inactive")
    sandbox.world.add_user("New One", status="pending")

    found = {status: edge.zoom.users(status) for status in ("active", "inactive", "pending")}

    assert found == {
        "active": [User(id="id_alice", email=ALICE, first_name="Alice", last_name="Example", status="active")],
        "inactive": [
            User(id="id_gone", email="gone@example.org", first_name="Gone", last_name="Away", status="inactive")
        ],
        "pending": [User(id="", email="new@example.org", first_name="New", last_name="One", status="pending")],
    }


def test_a_long_list_of_users_comes_in_pages(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.settings.page_cap = 2
    for number in range(6):
        sandbox.world.add_user(f"User{number} X")

    assert len(edge.zoom.users("active")) == 7
    assert sandbox.count("GET", "users") == 4


@pytest.mark.parametrize("status", ["active", "pending"])
def test_fewer_users_than_zoom_counts_are_asked_for_again_once(sandbox: Sandbox, edge: Edge, status: str) -> None:
    sandbox.world.add_user("Bob Example")
    for name in ("New One", "Newer One"):
        sandbox.world.add_user(name, status="pending")
    sandbox.fail("users", with_=faults.document(total_records=4), times=1)

    assert len(edge.zoom.users(status)) == 2

    sandbox.fail("users", with_=faults.document(total_records=4), times=2)
    with pytest.raises(Unreachable, match=rf"^zoom: {status} users: 2 users fewer than the 4 that Zoom counts$"):
        edge.zoom.users(status)


@pytest.mark.parametrize("total", [None, "", 0])
def test_users_that_zoom_does_not_count_are_taken_as_listed(sandbox: Sandbox, edge: Edge, total: object) -> None:
    sandbox.fail("users", with_=faults.document(total_records=total), times=None)

    assert [user.email for user in edge.zoom.users("active")] == [ALICE]
    assert sandbox.count("GET", "users") == 1


def test_a_user_is_found_by_address_or_not_at_all(edge: Edge) -> None:
    assert edge.zoom.user("Alice@example.org") is not None
    assert edge.zoom.user("nobody+x@example.org") is None


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.page(404), ServiceUnavailable),
        (faults.refused(404, 2300, "not recognized"), ServiceUnavailable),
        (faults.no_rights(), UserFailed),
        (faults.refused(403, 403, "Forbidden"), UserFailed),
    ],
)
def test_an_unclear_answer_about_a_user_is_no_unknown_user(
    sandbox: Sandbox, edge: Edge, fault: Fault, kind: type[ZoomsyncError]
) -> None:
    sandbox.fail("users", with_=fault)

    with pytest.raises(kind, match=r"^zoom: user alice@example.org: HTTP ") as caught:
        edge.zoom.user(ALICE)

    assert caught.value.subject == Subject("user", ALICE)


@pytest.mark.parametrize("status", [401, 400, 200])
def test_a_token_that_is_refused_is_renewed_once_everywhere(sandbox: Sandbox, edge: Edge, status: int) -> None:
    for path in ("v2/users$", "v2/users/", "recordings"):
        sandbox.fail(path, with_=faults.bad_token(status))

    assert edge.zoom.users("active")
    assert edge.zoom.user(ALICE)
    assert len(edge.list().meetings) == 3
    assert sandbox.count("POST", "oauth") == 4


def test_a_token_revoked_in_mid_pass_is_replaced_also_for_a_deletion(sandbox: Sandbox, edge: Edge) -> None:
    meeting = next(one for one in edge.list().meetings if "/" in one.uuid)
    sandbox.tokens.revoke()

    assert edge.zoom.delete_file(meeting.uuid, meeting.files[0].id, "trash") == "204"
    assert sandbox.world.deletions == [(meeting.uuid, meeting.files[0].id, "trash")]


def test_a_token_that_is_refused_again_and_again_is_not_authorized(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.fail("v2/users", with_=faults.bad_token(), times=None)

    with pytest.raises(NotAuthorized, match=r"code 124: Invalid access token.*each new token is refused at once"):
        edge.zoom.users("active")

    assert sandbox.count("POST", "oauth") == 4
    assert edge.clock.slept == [1, 2]


def test_a_meeting_is_read_by_its_uuid_with_a_download_token(sandbox: Sandbox, edge: Edge) -> None:
    for listed in edge.list().meetings:
        found = edge.meeting(listed.uuid)

        assert (found.uuid, found.files, found.start) == (listed.uuid, listed.files, listed.start)
        assert found.download_token is not None
        assert sandbox.tokens.is_good(found.download_token.reveal())


def test_a_meeting_is_gone_only_where_zoom_says_so(sandbox: Sandbox, edge: Edge) -> None:
    uuid = edge.list().meetings[0].uuid
    sandbox.fail("meetings", with_=faults.page(404))

    with pytest.raises(Unreachable):
        edge.zoom.meeting(uuid)
    assert edge.zoom.meeting("never/was==") is None

    for file in sandbox.world.meetings[uuid].files:
        file.deleted = True
    assert edge.zoom.meeting(uuid) is None


def test_a_recording_in_the_making_is_not_gone(sandbox: Sandbox, edge: Edge) -> None:
    uuid = edge.list().meetings[0].uuid
    for file in sandbox.world.meetings[uuid].files:
        file.is_processing = True

    with pytest.raises(StillProcessing):
        edge.zoom.meeting(uuid)


@pytest.mark.parametrize(
    ("fault", "fact"),
    [
        (faults.no_rights(), "You do not have the right permissions"),
        (faults.document(uuid="another"), "the answer is about another meeting"),
        (faults.document(uuid=""), "without a uuid"),
    ],
)
def test_one_meeting_that_zoom_refuses_is_that_meetings_failure(
    sandbox: Sandbox, edge: Edge, fault: Fault, fact: str
) -> None:
    uuid = edge.list().meetings[0].uuid
    sandbox.fail("meetings", with_=fault)

    with pytest.raises(MeetingFailed, match=f"^zoom: meeting {re.escape(uuid)}: .*{fact}"):
        edge.zoom.meeting(uuid)


@pytest.mark.parametrize("action", ["trash", "delete"])
def test_one_file_is_deleted_and_only_that(sandbox: Sandbox, edge: Edge, action: str) -> None:
    meeting = next(one for one in edge.list().meetings if len(one.files) > 1)
    first = meeting.files[0].id

    answers = [edge.zoom.delete_file(meeting.uuid, first, action) for _ in range(2)]

    assert answers == ["204", "gone already"]
    assert sandbox.world.deletions == [(meeting.uuid, first, action)]
    assert [file.id for file in edge.meeting(meeting.uuid).files] == [file.id for file in meeting.files[1:]]


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        (faults.refused(400, 1010, "User does not belong to this account."), DeletionRefused, "code 1010"),
        (faults.refused(400, 3303, "You can not delete an uncompleted meeting."), DeletionRefused, "code 3303"),
        (faults.refused(400, 3310, "used by a simulive webinar"), DeletionRefused, "code 3310"),
        (faults.refused(404, 3001, "Meeting does not exist: x."), DeletionRefused, "code 3001"),
        (faults.no_rights(), DeletionRefused, "HTTP 200, code 200"),
        (faults.refused(404, 3301, "This recording is still being processed."), DeletionRefused, "still being"),
        (faults.page(404), Unreachable, "HTTP 404"),
        (faults.page(200), Unreachable, "HTTP 200"),
        (faults.page(502), Unreachable, "HTTP 502"),
        (faults.lost_answer(), Unreachable, "the connection broke"),
        (faults.black_hole(), Unreachable, "no answer within"),
    ],
)
def test_a_deletion_that_is_not_done_says_why_and_is_not_repeated(
    sandbox: Sandbox, edge: Edge, fault: Fault, kind: type[ZoomsyncError], message: str
) -> None:
    meeting = edge.list().meetings[0]
    sandbox.fail("recordings/", method="DELETE", with_=fault)

    with pytest.raises(kind, match=message):
        edge.zoom.delete_file(meeting.uuid, meeting.files[0].id, "trash")

    assert sandbox.count("DELETE") == 1


def test_a_deletion_that_lacks_a_scope_although_the_token_has_it_is_refused_and_no_others(
    sandbox: Sandbox, edge: Edge
) -> None:
    meeting = edge.list().meetings[0]
    sandbox.fail("recordings/", method="DELETE", with_=faults.no_scope("recording:write:admin"), times=None)

    with pytest.raises(DeletionRefused, match=r"refuses this file although the token has the scope.*code 4711"):
        edge.zoom.delete_file(meeting.uuid, meeting.files[0].id, "trash")

    assert sandbox.count("DELETE") == 2  # once more with the new token, whose own list of scopes is compared


def test_a_deletion_for_which_the_scope_is_taken_away_is_not_authorized(sandbox: Sandbox, edge: Edge) -> None:
    meeting = edge.list().meetings[0]
    sandbox.settings.scopes = READING

    with pytest.raises(NotAuthorized, match="the app lacks a scope: recording:write:admin"):
        edge.zoom.delete_file(meeting.uuid, meeting.files[0].id, "trash")


@pytest.mark.parametrize("status", [429, 400])
def test_a_deletion_waits_for_another_one_of_the_same_user(sandbox: Sandbox, edge: Edge, status: int) -> None:
    meeting = edge.list().meetings[0]
    sandbox.fail("", method="DELETE", with_=faults.refused(status, status, "Too many concurrent requests."), times=2)

    assert edge.zoom.delete_file(meeting.uuid, meeting.files[0].id, "trash") == "204"
    assert edge.clock.slept == [1, 2]


def test_an_old_zoom_says_200(sandbox: Sandbox, edge: Edge) -> None:
    meeting = edge.list().meetings[0]
    sandbox.fail("", method="DELETE", with_=faults.body("{}", "application/json"))

    assert edge.zoom.delete_file(meeting.uuid, meeting.files[0].id, "trash") == "200"


def test_a_file_without_an_id_and_a_whole_meeting_are_never_deleted(sandbox: Sandbox, edge: Edge) -> None:
    with pytest.raises(DeletionRefused, match="gave this file no id"):
        edge.zoom.delete_file("uuid", "noid-123", "trash")
    for file_id, action in (("", "trash"), ("..", "trash"), ("file", "erase")):
        with pytest.raises(ValueError, match=r"names nothing|no way to delete"):
            edge.zoom.delete_file("uuid", file_id, action)

    assert sandbox.count("DELETE") == 0


def test_calls_are_counted(sandbox: Sandbox, edge: Edge) -> None:
    edge.list()

    assert edge.http.calls == len(sandbox.requests) == 2
