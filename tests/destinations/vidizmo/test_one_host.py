"""What the portal fails over concerns one host's address, and neither another's nor the pass."""

import pytest

from tests.destinations.vidizmo.portals import Open
from tests.fakes import a_user
from tests.sandbox.content import Text
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, json_answer
from tests.sandbox.portal.faults import portal_error
from zoomsync.errors import MeetingFailed, Unreachable
from zoomsync.model import AuthorSource

ADA, BOB = a_user(), a_user(id="bob", email="bob@example.org")
ODD = {
    "a page": Answer(content=Text(b"<title>Sorry</title>")),
    "no list": json_answer({"x": 1}),
    "no id": json_answer({"users": [{"emailAddress": BOB.email}], "totalCount": 1}),
    "refused": json_answer({"name": "BadKeywordException"}, status=400),
    "broken": json_answer({"name": "OddException"}, status=500),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_answer_about_one_address_is_asked_for_once_a_pass(begin: Open, odd: str) -> None:
    site = begin()
    about_bob = Fault(change=lambda request, answer: ODD[odd] if BOB.email.encode() in request.body else answer)
    site.portal.fail(operation="user_find", with_=about_bob, times=None)

    for ask in (site.destination.author_for, site.destination.prospect):
        with pytest.raises(MeetingFailed, match=f"asked for {BOB.email}"):
            ask(BOB)
    asked = len(site.portal.calls("user_find"))
    with pytest.raises(MeetingFailed, match=f"asked for {BOB.email}"):
        site.destination.author_for(BOB)

    assert len(site.portal.calls("user_find")) == asked
    assert site.destination.author_for(ADA).source is AuthorSource.NEW


def test_one_who_cannot_be_raised_is_asked_for_once_a_pass(begin: Open) -> None:
    site = begin()
    bob = site.portal.add_user(BOB.email, "Viewer")
    site.portal.fail(f"/user/{bob.id}$", operation="group_add_user", with_=portal_error(), times=None)
    with pytest.raises(MeetingFailed, match=f"group_add_user: .*asked for {BOB.email}"):
        site.destination.author_for(BOB)
    tried = len(site.portal.calls("group_add_user"))

    with pytest.raises(MeetingFailed, match="group_add_user"):
        site.destination.author_for(BOB)

    assert len(site.portal.calls("group_add_user")) == tried
    assert site.destination.author_for(ADA).source is AuthorSource.NEW


@pytest.mark.parametrize("status", [302, 404, 405, 415])
@pytest.mark.parametrize("operation", ["user_create", "group_add_user"])
def test_where_the_portal_has_no_such_operation_nothing_is_published_under_somebody_else(
    begin: Open, operation: str, status: int
) -> None:
    site = begin()
    if operation == "group_add_user":
        site.portal.add_user(BOB.email, "Viewer")
    site.portal.fail(operation=operation, with_=portal_error(status, "OddException"), times=None)

    for _ in range(2):
        with pytest.raises(
            MeetingFailed, match=f"portal: {operation}: HTTP {status}, .*asked for {BOB.email}"
        ) as raised:
            site.destination.author_for(BOB)
        assert f"destination.endpoints.{operation} overrides what zoomsync sends" in raised.value.hint

    assert len(site.portal.calls(operation)) == 1
    site.portal.heal()
    site.portal.add_user(ADA.email, "Contributor")
    assert site.destination.author_for(ADA).source is AuthorSource.PLAIN
    assert site.later().author_for(BOB).email == BOB.email


def test_a_fallback_that_the_portal_named_comes_with_its_remedy(begin: Open, caplog: pytest.LogCaptureFixture) -> None:
    site = begin()
    site.portal.fail(operation="user_create", with_=portal_error(400, "OddException"), times=None)

    assert site.destination.author_for(BOB).source is AuthorSource.FALLBACK

    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said.startswith(f"portal: {BOB.email}: published as {site.portal.email}: portal: user_create: HTTP 400, Odd")
    assert said.endswith("; destination.endpoints.user_create overrides what zoomsync sends)")


def test_a_portal_that_answers_nobody_is_unreachable(begin: Open) -> None:
    site = begin()
    site.portal.fail(operation="user_find", with_=portal_error(), times=None)

    with pytest.raises(Unreachable):
        site.destination.author_for(BOB)
