"""The portal's dialect: signing in, tokens that end, refusals, answers that make no sense, portals that are down."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tests.destinations.contract import an_item
from tests.destinations.vidizmo.portals import ME, Open, Wired
from tests.fakes import FakeClock, a_user
from tests.sandbox import faults
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, json_answer
from tests.sandbox.portal.faults import INCIDENT, busy, expired_token, late, lost_request, portal_error
from zoomsync.destinations.vidizmo.client import PortalClient
from zoomsync.errors import ConfigError, MeetingFailed, NotAuthorized, Unreachable

TWENTY_MINUTES = 1200


def client(site: Wired) -> PortalClient:
    return site.destination._client


def signed_in_again(site: Wired) -> int:
    return len(site.portal.calls("sign_in")) - 1


class TestSigningIn:
    """By password or by an app's secret; what is refused is exit code 3."""

    def test_by_password_nothing_else_is_sent(self, begin: Open) -> None:
        site = begin()

        (request,) = site.portal.calls("sign_in")
        assert request.document == {"emailAddress": ME, "password": site.portal.password}

    def test_by_the_secret_of_an_app_with_its_id(self, begin: Open) -> None:
        site = begin(application_id="app-7")
        below = {"client_secret": site.portal.client_secret, "password": None}

        Wired(site.portal, FakeClock(), destination=below).destination.detach()

        assert site.portal.calls("sign_in")[-1].document == {
            "emailAddress": ME,
            "clientSecret": site.portal.client_secret,
            "applicationId": "app-7",
        }

    @pytest.mark.parametrize("form", ["quoted", "bare"])
    def test_the_token_comes_with_and_without_quotes(self, begin: Open, form: str) -> None:
        site = begin(token_form=form)

        assert client(site).call("group_list").list("found")

    def test_the_token_can_be_elsewhere(self, begin: Open) -> None:
        site = begin()
        site.portal.fail(operation="sign_in", with_=_answers({"data": {"token": site.portal.signing.mint()}}))
        below = {"endpoints": {"sign_in": {"answer": {"token": "data.token"}}}}

        other = Wired(site.portal, FakeClock(), destination=below)

        assert client(other).call("group_list").list("found")
        other.destination.detach()

    @pytest.mark.parametrize(
        ("settings", "below", "fact"),
        [
            ({}, {"password": "wrong"}, r"InvalidCredentialsException: … .* \(incident .*\)"),
            ({"secret_is_expired": True}, {"client_secret": "{secret}"}, r"ClientSecretExpiredException.* \(incident"),
        ],
    )
    def test_what_is_wrong_is_not_authorized(
        self, begin: Open, settings: dict[str, Any], below: dict[str, Any], fact: str
    ) -> None:
        site = begin(**settings)
        below = {key: value.format(secret=site.portal.client_secret) for key, value in below.items()}
        if "client_secret" in below:
            below["password"] = None

        with pytest.raises(NotAuthorized, match=f"sign-in refused: HTTP 401, {fact}") as raised:
            Wired(site.portal, FakeClock(), destination=below)

        assert raised.value.code == 3
        assert raised.value.hint.startswith("check destination.email and ")
        assert "wrong" not in str(raised.value)

    def test_an_address_without_a_portal_is_unreachable(self, begin: Open) -> None:
        site = begin()

        with pytest.raises(Unreachable, match="no sign-in there: HTTP 404") as raised:
            Wired(site.portal, FakeClock(), destination={"url": f"{site.portal.url}/elsewhere"})

        assert raised.value.hint == "check destination.url, to which /api/v1/ is added"

    @pytest.mark.parametrize("body", [{}, [], 7, "", "two words", "<html>", None])
    def test_what_is_no_token_is_none(self, begin: Open, body: Any) -> None:
        site = begin()
        site.portal.fail(operation="sign_in", with_=_answers(body))

        with pytest.raises(Unreachable, match="portal: no token: what came is none"):
            Wired(site.portal, FakeClock())

    def test_a_secret_that_cannot_be_read_is_an_error_of_the_config(self, begin: Open) -> None:
        site = begin()

        with pytest.raises(ConfigError, match=r"destination\.password: environment variable NOPE is not set"):
            Wired(site.portal, FakeClock(), destination={"password": "${NOPE}"})


class TestTokensThatEnd:
    """400 `InvalidAccessTokenException` and 401: signed in once more, and no more than once."""

    @pytest.mark.parametrize("status", [400, 401])
    def test_one_that_was_ended_is_replaced(self, begin: Open, status: int) -> None:
        site = begin(expired_status=status)
        site.portal.signing.revoke()

        assert client(site).call("group_list").list("found")
        assert signed_in_again(site) == 1

    def test_one_that_idled_for_twenty_minutes_is_replaced(self, begin: Open) -> None:
        site = begin(token_idle=TWENTY_MINUTES)
        site.clock.advance(TWENTY_MINUTES)

        assert site.destination.author_for(a_user()).email == "ada@example.org"
        assert signed_in_again(site) == 1

    def test_of_many_threads_that_see_it_one_signs_in(self, begin: Open) -> None:
        site = begin(single_session=True)
        site.portal.signing.revoke()
        together = threading.Barrier(8)

        def ask(_: int) -> bool:
            together.wait()
            return bool(client(site).call("group_list").list("found"))

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(ask, range(8)))
        assert signed_in_again(site) == 1

    def test_one_that_is_refused_right_away_is_not_authorized(self, begin: Open) -> None:
        site = begin()
        site.portal.fail(operation="group_list", times=None, with_=expired_token())

        with pytest.raises(NotAuthorized, match=f"InvalidAccessTokenException .incident {INCIDENT}., right after"):
            client(site).call("group_list")
        assert signed_in_again(site) == 1

    def test_a_password_that_was_changed_meanwhile_is_not_authorized(self, begin: Open) -> None:
        site = begin()
        site.portal.settings.password = "another"
        site.portal.signing.revoke()

        with pytest.raises(NotAuthorized, match="sign-in refused"):
            client(site).call("group_list")

    def test_a_publication_survives_tokens_that_end_all_the_time(self, begin: Open, tmp_path: Any) -> None:
        site = begin()
        for number in range(0, 30, 3):
            site.portal.fail(skip=number, with_=_ending_every_token(site))

        receipt = site.published(an_item(tmp_path))

        assert site.destination.verify(receipt).safe
        assert len(site.portal.media) == 1


class TestRefusals:
    """Every one names the operation, the portal's word and its incident."""

    def test_a_refusal_is_the_meetings(self, begin: Open) -> None:
        site = begin()
        site.portal.fail(operation="media_get", with_=portal_error(400, "SomethingException"))

        with pytest.raises(
            MeetingFailed, match=rf"^portal: media_get: HTTP 400, SomethingException \(incident {INCIDENT}\)$"
        ):
            client(site).call("media_get", media="7")

    def test_a_lack_of_rights_is_not_authorized(self, begin: Open) -> None:
        site = begin()
        site.portal.fail(operation="media_get", with_=portal_error(403, "AccessDeniedException"))

        with pytest.raises(NotAuthorized, match="portal: media_get: HTTP 403, AccessDeniedException") as raised:
            client(site).call("media_get", media="7")

        assert raised.value.hint == (
            "give the account of destination.email, and the author, the right to do this in the portal"
        )

    def test_the_last_of_many_server_errors_names_its_incident(self, begin: Open) -> None:
        site = begin()
        site.portal.fail(operation="media_get", times=None, with_=portal_error())

        with pytest.raises(Unreachable, match=rf"HTTP 500, InternalServerException \(incident {INCIDENT}\) \(2 tries"):
            client(site).call("media_get", media="7")

    @pytest.mark.parametrize("is_chunked", [False, True])
    def test_an_incident_after_a_long_stack_trace_is_named_too(self, begin: Open, is_chunked: bool) -> None:
        site = begin()
        body = {"name": "OddException", "exceptionDetails": ["at Some.Place\n" * 5_000], "incidentId": INCIDENT}
        answer = replace(json_answer(body, status=500), is_chunked=is_chunked)
        site.portal.fail(operation="media_get", times=None, with_=Fault(instead=lambda _: answer))

        with pytest.raises(Unreachable, match=rf"HTTP 500, OddException: .* \(incident {INCIDENT}\) \(2 tries"):
            client(site).call("media_get", media="7")

    def test_too_many_requests_are_waited_out(self, begin: Open) -> None:
        site = begin()
        site.portal.fail(operation="media_create", with_=busy(30))

        with pytest.raises(MeetingFailed, match="InvalidRequestException"):
            client(site).call("media_create", title="x")
        assert site.clock.slept == [30]

    @pytest.mark.parametrize("operation", ["media_create", "user_create", "caption_add", "handout_add", "user_invite"])
    def test_what_cannot_be_repeated_is_asked_once(self, begin: Open, operation: str) -> None:
        site = begin()
        site.portal.fail(operation=operation, times=None, with_=lost_request())

        with pytest.raises(Unreachable, match="the connection broke"):
            client(site).call(operation, media="7", user="7")
        assert len(site.portal.calls(operation)) == 1


class TestAnswersThatMakeNoSense:
    """Never a traceback, never half a fact taken for a whole one."""

    @pytest.mark.parametrize(
        ("fault", "fact"),
        [
            (faults.page(200), "answers .* instead of JSON"),
            (faults.cut(5), "the connection broke"),
            (Fault(instead=lambda _: Answer()), "the answer holds no found"),
            (Fault(instead=lambda _: json_answer({"groups": None})), "the answer holds no found"),
            (Fault(instead=lambda _: json_answer([1, 2])), "the answer holds no found"),
        ],
        ids=["a page", "half an answer", "nothing", "no list", "another shape"],
    )
    def test_a_list_that_is_none(self, begin: Open, fault: Fault, fact: str) -> None:
        site = begin()
        site.portal.fail(operation="group_list", times=None, with_=fault)

        with pytest.raises(Unreachable, match=fact) as raised:
            client(site).listed("group_list")

        assert raised.value.hint

    def test_an_answer_without_an_id_leaves_open_what_became_of_it(self, begin: Open, tmp_path: Any) -> None:
        site = begin()
        site.portal.fail(operation="media_create", with_=Fault(change=lambda _, __: json_answer({"ok": True})))

        with pytest.raises(Unreachable, match="portal: media_create: the answer holds no id"):
            site.published(an_item(tmp_path))

        assert [intent.action for intent in site.journal.open_intents()] == ["create"]
        receipt = site.later().find("/abc//DEF+ghi==")
        assert receipt is not None
        assert len(site.portal.media) == 1


def test_a_slow_portal_is_waited_for(begin: Open, tmp_path: Any) -> None:
    site = begin()
    site.portal.fail(times=None, with_=late(0.02))

    assert site.destination.verify(site.published(an_item(tmp_path))).safe


def test_a_portal_that_is_down_is_unreachable(begin: Open, tmp_path: Any) -> None:
    site = begin()
    site.portal.close()

    for ask in (
        lambda: site.destination.find("uuid"),
        lambda: site.destination.author_for(a_user()),
        lambda: site.destination.publish(an_item(tmp_path), site.destination.author_for(a_user()), None),
        lambda: Wired(site.portal, FakeClock()),
    ):
        with pytest.raises(Unreachable, match="connection refused") as raised:
            ask()
        assert raised.value.code == 6


def test_lists_end_though_the_portal_repeats_itself(begin: Open) -> None:
    site = begin()
    page = {"mashups": [{"id": 1}, {"id": 2}]}
    site.portal.fail(operation="media_search", times=None, with_=_answers(page))

    found = [one["id"] for _, page in client(site).pages("media_search", keyword="x", statuses=[]) for one in page]

    assert found == [1, 2]


def _answers(body: Any) -> Fault:
    return Fault(instead=lambda _: json_answer(body))


def _ending_every_token(site: Wired) -> Fault:
    def ask(request: Any) -> Any:
        site.portal.signing.revoke()
        return request

    return Fault(ask=ask)
