"""The trouble of one user, list, meeting or file is its own, and only the credential's is everybody's."""

import re
from collections.abc import Callable

import pytest
import requests
import requests_mock

from tests.sandbox import faults
from tests.sandbox.faults import Fault
from tests.sandbox.server import Sandbox
from tests.sandbox.settings import READING
from tests.zoom.edge import Edge
from zoomsync.errors import (
    AccountListFailed,
    DeletionRefused,
    ListingFailed,
    MeetingFailed,
    NotAuthorized,
    ServiceUnavailable,
    Subject,
    Unreachable,
    UserFailed,
    UserUnknown,
    ZoomsyncError,
)
from zoomsync.http import brief

ALICE = "alice@example.org"
BOB = "bob@example.org"

Asked = Callable[[Edge, str, str], object]
"""What is asked about Bob, or about the meeting and the file that these name."""

QUESTIONS: dict[str, tuple[Asked, str, type[ZoomsyncError]]] = {
    "user": (lambda edge, *_: edge.zoom.user(BOB), r"users/bob@example\.org$", UserFailed),
    "user list": (lambda edge, *_: edge.list(user=BOB), "users/bob@example.org/recordings", ListingFailed),
    "account list": (lambda edge, *_: edge.list(), "accounts/me/recordings", AccountListFailed),
    "meeting": (lambda edge, uuid, _: edge.zoom.meeting(uuid), r"meetings/[^/]*/recordings$", MeetingFailed),
    "deletion": (
        lambda edge, uuid, file: edge.zoom.delete_file(uuid, file, "trash"),
        "meetings/[^/]*/recordings/",
        DeletionRefused,
    ),
}
"""What each is asked with, where, and the error that is its own."""


@pytest.fixture
def target(sandbox: Sandbox) -> tuple[str, str]:
    """A meeting and a file of it."""
    sandbox.world.add_user("Bob Example")
    uuid, meeting = next(iter(sandbox.world.meetings.items()))
    return uuid, meeting.files[0].id


# A token that one question does not get along with


@pytest.mark.parametrize(
    ("fault", "but"),
    [
        (faults.no_scope(), "has the scope"),
        (faults.bad_token(401), "is good for other requests"),
        (faults.bad_token(400), "is good for other requests"),
        (faults.bad_token(200), "is good for other requests"),
        (faults.page(401, "Unauthorized"), "is good for other requests"),
        (faults.refused(400, 4700, "Invalid access token, cannot be read."), "is good for other requests"),
        (faults.account_denied(), "is good for other requests"),
    ],
    ids=["4711", "401/124", "400/124", "200/124", "401 page", "4700", "denied"],
)
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_good_token_that_is_refused_for_one_is_that_ones_trouble(
    sandbox: Sandbox, edge: Edge, target: tuple[str, str], name: str, fault: Fault, but: str
) -> None:
    ask, path, own = QUESTIONS[name]
    sandbox.fail(path, with_=fault, times=None)

    with pytest.raises(own) as caught:
        ask(edge, *target)

    assert re.search(rf": Zoom refuses this \w+ although the token {but}: HTTP ", str(caught.value))
    assert "portal" in caught.value.hint
    assert sandbox.count("POST", "oauth") <= 2
    assert len(edge.list(user=ALICE).meetings) == 3
    edge.zoom.ping()


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name != "account list"])
@pytest.mark.parametrize("scopes", [(), ("meeting:read:admin",), ("recording:master", "user:master")])
def test_a_scope_that_the_token_surely_has_not_is_the_credentials_trouble(
    sandbox: Sandbox, edge: Edge, target: tuple[str, str], name: str, scopes: tuple[str, ...]
) -> None:
    sandbox.settings.scopes = scopes

    with pytest.raises(NotAuthorized, match="the app lacks a scope: ") as caught:
        QUESTIONS[name][0](edge, *target)

    assert "activate the app again" in caught.value.hint


def test_a_scope_that_was_just_given_to_the_app_comes_with_a_new_token(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.settings.scopes = ()
    edge.tokens.current()
    sandbox.settings.scopes = READING
    sandbox.fail("users/", with_=faults.no_scope())

    assert edge.zoom.user(ALICE) is not None
    assert sandbox.count("POST", "oauth") == 2


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_account_that_zoom_denies_its_api_is_the_credentials_trouble(
    sandbox: Sandbox, edge: Edge, target: tuple[str, str], name: str
) -> None:
    sandbox.fail("v2/", with_=faults.account_denied(), times=None)

    with pytest.raises(NotAuthorized, match="denied for this account") as caught:
        QUESTIONS[name][0](edge, *target)

    assert "Contact Zoom Support" in caught.value.hint
    with pytest.raises(NotAuthorized, match="denied for this account"):
        edge.zoom.ping()


# Tokens that another program ends


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_tokens_that_are_refused_in_a_row_are_renewed(
    sandbox: Sandbox, edge: Edge, target: tuple[str, str], name: str, times: int
) -> None:
    sandbox.fail("v2/", with_=faults.bad_token(), times=times)

    QUESTIONS[name][0](edge, *target)

    assert edge.clock.slept in ([], [1], [1, 2])


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name != "account list"])
def test_tokens_that_are_all_refused_name_the_likely_cause(
    sandbox: Sandbox, edge: Edge, target: tuple[str, str], name: str
) -> None:
    sandbox.fail("v2/", with_=faults.bad_token(), times=None)

    with pytest.raises(NotAuthorized, match=r"each new token is refused at once: does another program use") as caught:
        QUESTIONS[name][0](edge, *target)

    assert "an app of its own" in caught.value.hint
    assert sandbox.count("POST", "oauth") == 4
    assert edge.clock.slept == [1, 2]


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_reference_question_that_is_not_answered_is_zooms_trouble(
    sandbox: Sandbox, edge: Edge, target: tuple[str, str], name: str
) -> None:
    ask, path, _ = QUESTIONS[name]
    sandbox.fail(path, with_=faults.bad_token(), times=None)
    sandbox.fail("v2/users$", with_=faults.page(503), times=None)

    with pytest.raises(ServiceUnavailable) as caught:
        ask(edge, *target)

    assert caught.value.subject is None


# The reference question


@pytest.mark.parametrize(
    "fault",
    [
        faults.no_scope(),
        faults.no_rights(),
        faults.refused(403, 403, "Forbidden"),
        faults.refused(400, 300, "Validation Failed."),
        faults.document(users=[], total_records=9),
        faults.ever_new_page_tokens(),
    ],
)
def test_zoom_answers_the_reference_question_whatever_it_says_of_users(
    sandbox: Sandbox, edge: Edge, fault: Fault
) -> None:
    sandbox.fail("v2/users$", with_=fault, times=None)

    edge.zoom.ping()


@pytest.mark.parametrize("times", [1, 3])
def test_the_reference_question_renews_a_token_that_is_refused(sandbox: Sandbox, edge: Edge, times: int) -> None:
    sandbox.fail("v2/users$", with_=faults.bad_token(), times=times)

    edge.zoom.ping()

    assert sandbox.count("POST", "oauth") == 1 + times


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.page(500), ServiceUnavailable),
        (faults.rate_limited(), ServiceUnavailable),
        (faults.black_hole(), ServiceUnavailable),
        (faults.lost_answer(), ServiceUnavailable),
        (faults.page(200), Unreachable),
        (faults.page(404), Unreachable),
        (faults.body("", "application/json"), Unreachable),
        (faults.body('{"hello": "world"}', "application/json"), Unreachable),
        (faults.without("users"), Unreachable),
        (faults.refused(404, 2300, "This API endpoint is not recognized."), Unreachable),
        (faults.bad_token(), NotAuthorized),
        (faults.account_denied(), NotAuthorized),
    ],
)
def test_a_reference_question_without_an_answer_says_whose_trouble_it_is(
    sandbox: Sandbox, edge: Edge, fault: Fault, kind: type[ZoomsyncError]
) -> None:
    sandbox.fail("v2/users$", with_=fault, times=None)

    with pytest.raises(kind, match=r"^zoom: ") as caught:
        edge.zoom.ping()

    assert type(caught.value) is kind
    assert (caught.value.subject, caught.value.code) == (None, kind.code)


def test_the_reference_question_costs_one_small_call(sandbox: Sandbox, edge: Edge) -> None:
    edge.zoom.ping()

    (asked,) = sandbox.seen("GET")
    assert (asked.path, asked.query) == ("/v2/users", {"page_size": "1"})


# One user, one list, one deletion


@pytest.mark.parametrize(
    "fault",
    [
        faults.refused(400, 1010, "User does not belong to this account."),
        faults.refused(404, 1010, "User not found on this account."),
        faults.refused(400, 1120, "A valid invitation to join the Zoom account was not found for this user."),
        faults.refused(400, 1000, "This user is pending."),
        faults.refused(404, 1001, "User does not exist: bob@example.org."),
        faults.refused(400, 1001, "User does not exist: bob@example.org."),
    ],
)
@pytest.mark.usefixtures("target")
def test_every_way_to_say_that_there_is_no_such_user_is_an_answer(sandbox: Sandbox, edge: Edge, fault: Fault) -> None:
    sandbox.fail("users/bob", with_=fault, times=None)

    assert edge.zoom.user(BOB) is None
    with pytest.raises(UserUnknown):
        edge.list(user=BOB)


@pytest.mark.parametrize("status", ["pending", "foreign"])
def test_users_who_are_only_invited_or_of_another_account_are_unknown(
    sandbox: Sandbox, edge: Edge, status: str
) -> None:
    sandbox.world.add_user("Eve Else", status=status)

    assert edge.zoom.user("eve@example.org") is None


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.refused(403, 1010, "User does not belong to this account."), UserFailed),
        (faults.refused(400, 1234, "Something new."), UserFailed),
        (faults.body("{}", "application/json"), ServiceUnavailable),
        (faults.body("", "application/json"), ServiceUnavailable),
        (faults.page(404), ServiceUnavailable),
        (faults.page(500), ServiceUnavailable),
        (faults.stall(), ServiceUnavailable),
    ],
)
@pytest.mark.usefixtures("target")
def test_whatever_else_zoom_says_of_a_user_concerns_that_user_and_makes_nobody_unknown(
    sandbox: Sandbox, edge: Edge, fault: Fault, kind: type[ZoomsyncError]
) -> None:
    sandbox.fail("users/bob", with_=fault, times=None)

    with pytest.raises(kind) as caught:
        edge.zoom.user(BOB)

    assert (type(caught.value), caught.value.subject) == (kind, Subject("user", BOB))
    edge.zoom.ping()


@pytest.mark.parametrize("fault", [faults.page(500), faults.black_hole(), faults.lost_answer(), faults.rate_limited()])
def test_an_endpoint_that_is_out_of_order_for_one_is_that_ones_trouble(
    sandbox: Sandbox, edge: Edge, target: tuple[str, str], fault: Fault
) -> None:
    for ask, path, own in QUESTIONS.values():
        sandbox.fail(path, with_=fault, times=None)

        with pytest.raises(ServiceUnavailable) as caught:
            ask(edge, *target)

        assert (caught.value.subject is None) is (own is AccountListFailed)
    edge.zoom.ping()


# Briefly, for what failed before


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_failed_before_is_asked_once(sandbox: Sandbox, edge: Edge, target: tuple[str, str], name: str) -> None:
    ask, path, _ = QUESTIONS[name]
    sandbox.fail(path, with_=faults.page(500), times=None)
    edge.tokens.current()
    sandbox.forget()

    with brief(), pytest.raises(ServiceUnavailable):
        ask(edge, *target)

    assert (len(sandbox.requests), edge.clock.slept) == (1, [])


def test_what_failed_before_and_is_not_connected_to_says_nothing_of_the_service(
    edge: Edge, target: tuple[str, str]
) -> None:
    edge.tokens.current()

    with requests_mock.Mocker() as zoom:
        zoom.get(requests_mock.ANY, exc=requests.ConnectionError(ConnectionRefusedError()))
        with pytest.raises(Unreachable) as patient:
            edge.zoom.meeting(target[0])
        with brief(), pytest.raises(ServiceUnavailable):
            edge.zoom.meeting(target[0])
        with brief(), pytest.raises(Unreachable) as asked:
            edge.zoom.ping()

    assert (type(patient.value), type(asked.value)) == (Unreachable, Unreachable)


def test_a_deletion_that_is_in_the_way_of_another_is_not_waited_for_then(
    sandbox: Sandbox, edge: Edge, target: tuple[str, str]
) -> None:
    sandbox.fail("", method="DELETE", with_=faults.refused(400, 400, "Too many concurrent requests."), times=None)

    with brief(), pytest.raises(DeletionRefused, match="concurrent"):
        edge.zoom.delete_file(*target, "trash")

    assert (sandbox.count("DELETE"), edge.clock.slept) == (1, [])


def test_deletions_that_are_in_each_others_way_are_given_up_without_a_last_pause(
    sandbox: Sandbox, edge: Edge, target: tuple[str, str]
) -> None:
    sandbox.fail("", method="DELETE", with_=faults.refused(400, 400, "Too many concurrent requests."), times=None)

    with pytest.raises(DeletionRefused, match="concurrent"):
        edge.zoom.delete_file(*target, "trash")

    assert (sandbox.count("DELETE"), edge.clock.slept) == (5, [1, 2, 4, 8])


def test_the_token_and_the_reference_question_keep_their_tries_for_they_concern_all(
    sandbox: Sandbox, edge: Edge
) -> None:
    sandbox.fail("oauth", with_=faults.page(503), times=2)
    sandbox.fail("v2/users$", with_=faults.page(503), times=2)

    with brief():
        edge.zoom.ping()

    assert edge.clock.slept == [1, 2, 1, 2]
