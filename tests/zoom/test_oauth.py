"""Tokens: minted once for all, renewed in time, their secrets read again."""

import base64
import gzip
import threading
from datetime import timedelta

import pytest
import requests_mock

from tests.fakes import NOW, FakeClock
from tests.sandbox import faults
from tests.sandbox.content import Text
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer
from tests.sandbox.server import Sandbox
from tests.sandbox.settings import GRANULAR
from tests.zoom.edge import Edge
from zoomsync.errors import ConfigError, NotAuthorized, ServiceUnavailable, Unreachable
from zoomsync.http import Http
from zoomsync.http.connection import LONGEST_ANSWER
from zoomsync.model import Secret
from zoomsync.zoom.oauth import Token, TokenSource, renewal

OAUTH = "https://zoom.us/oauth/token"


def some_tokens(http: Http, clock: FakeClock, *secrets: str) -> TokenSource:
    """Whose client secret is another one each time it is read."""
    later = iter(secrets)
    return TokenSource(
        http,
        oauth_url=OAUTH,
        account_id=Secret(lambda: "acc&=1"),
        client_id=Secret(lambda: "client"),
        client_secret=Secret(lambda: next(later)),
        clock=clock,
    )


def test_a_token_tells_what_the_app_may_do_and_what_time_it_is(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.settings.skew = timedelta(minutes=11)

    authorization = edge.zoom.authorize()

    assert authorization.scopes == frozenset(GRANULAR)
    assert authorization.server_date == NOW + timedelta(minutes=11)


def test_a_server_without_a_date_says_no_time(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.settings.sends_date = False

    assert edge.zoom.authorize().server_date is None


@pytest.mark.parametrize(("lifetime", "after"), [(3599, 2999), (1200, 600), (1199, 599.5), (60, 30)])
def test_a_token_is_renewed_before_it_ends(lifetime: float, after: float) -> None:
    assert renewal(lifetime) == after


@pytest.mark.parametrize("lifetime", [0, -5, None, "soon", 2**70, float("inf")])
def test_an_absurd_lifetime_counts_as_missing(edge: Edge, clock: FakeClock, lifetime: object) -> None:
    tokens = some_tokens(edge.http, clock, "one", "two")
    with requests_mock.Mocker() as zoom:
        zoom.post(OAUTH, json={"access_token": "t", "expires_in": lifetime})
        tokens.current()
        clock.advance(2999)
        tokens.current()

    assert zoom.call_count == 1


def test_a_token_is_kept_until_it_is_time(sandbox: Sandbox, edge: Edge) -> None:
    first = edge.tokens.current()
    edge.clock.advance(2999)
    kept = edge.tokens.current()
    edge.clock.advance(1)

    renewed = edge.tokens.current()

    assert kept is first
    assert renewed.value != first.value
    assert sandbox.count("POST", "oauth") == 2


def test_many_threads_that_saw_a_refusal_mint_once(sandbox: Sandbox, edge: Edge) -> None:
    stale, got = edge.tokens.current(), list[Token]()
    threads = [threading.Thread(target=lambda: got.append(edge.tokens.renew(stale))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(got) == 12
    assert {token.value for token in got} == {edge.tokens.current().value}
    assert stale.value != edge.tokens.current().value
    assert sandbox.count("POST", "oauth") == 2


def test_each_token_is_asked_for_with_the_secret_of_its_time(edge: Edge, clock: FakeClock) -> None:
    tokens = some_tokens(edge.http, clock, "öld:secret", "new")
    with requests_mock.Mocker() as zoom:
        zoom.post(OAUTH, json={"access_token": "t", "expires_in": "3599", "scope": "a b"})

        tokens.renew(tokens.current())
        sent = [base64.b64decode(one.headers["Authorization"].split()[1]).decode() for one in zoom.request_history]
        first = zoom.request_history[0]

    assert sent == ["client:öld:secret", "client:new"]
    assert (first.text, first.query) == ("grant_type=account_credentials&account_id=acc%26%3D1", "")


def test_a_token_is_no_part_of_what_is_shown(edge: Edge) -> None:
    token = edge.tokens.current()

    assert token.value not in repr(token)


@pytest.mark.parametrize(
    ("setting", "hint"), [("client_secret", "zoom.client_secret"), ("client_id", "zoom.client_id")]
)
def test_a_wrong_credential_is_named(sandbox: Sandbox, edge: Edge, setting: str, hint: str) -> None:
    setattr(sandbox.settings, setting, "another")
    bad = TokenSource(
        edge.http,
        oauth_url=sandbox.oauth_url,
        account_id=Secret(lambda: sandbox.account_id),
        client_id=Secret(lambda: "sandbox-client"),
        client_secret=Secret(lambda: "s3cret"),
        clock=edge.clock,
    )

    with pytest.raises(NotAuthorized, match="Invalid client_id or client_secret") as caught:
        bad.current()

    assert hint in caught.value.hint
    assert "s3cret" not in str(caught.value)


def test_a_refused_renewal_ends_in_not_authorized_and_later_ones_ask_again(sandbox: Sandbox, edge: Edge) -> None:
    stale = edge.tokens.current()
    sandbox.fail("oauth", with_=faults.oauth_refused())

    with pytest.raises(NotAuthorized):
        edge.tokens.renew(stale)

    assert edge.tokens.renew(stale).value != stale.value


def test_a_busy_token_server_is_asked_again(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.fail("oauth", with_=faults.page(503), times=2)

    edge.tokens.current()

    assert edge.clock.slept == [1, 2]


@pytest.mark.parametrize("document", [{}, {"access_token": ""}, {"access_token": "a\nb"}, {"access_token": "ä"}])
def test_what_is_no_token_is_not_used(edge: Edge, clock: FakeClock, document: dict[str, str]) -> None:
    tokens = some_tokens(edge.http, clock, "one")
    with requests_mock.Mocker() as zoom, pytest.raises(Unreachable, match="no token"):
        zoom.post(OAUTH, json=document)
        tokens.current()


def test_a_secret_that_cannot_be_read_says_so_itself(edge: Edge, clock: FakeClock) -> None:
    def unset() -> str:
        raise ConfigError("zoom.client_secret: ${SECRET} is not set")

    tokens = TokenSource(
        edge.http,
        oauth_url=OAUTH,
        account_id=Secret(str),
        client_id=Secret(str),
        client_secret=Secret(unset),
        clock=clock,
    )

    with pytest.raises(ConfigError, match="is not set"):
        tokens.current()


def test_a_bomb_in_place_of_a_token_is_not_unpacked(sandbox: Sandbox, edge: Edge) -> None:
    head, bomb = {"Content-Encoding": "gzip"}, Text(gzip.compress(bytes(LONGEST_ANSWER + 1)))
    sandbox.fail("oauth", with_=Fault(instead=lambda _: Answer(headers=head, content=bomb)), times=None)

    with pytest.raises(ServiceUnavailable, match=r"an answer of more than 64\.0 MB$"):
        edge.tokens.current()

    assert sandbox.count("POST", "oauth") == 1


@pytest.mark.parametrize("code", [3301, 3001])
def test_what_zoom_does_not_have_is_no_reason_for_a_new_token(sandbox: Sandbox, edge: Edge, code: int) -> None:
    sandbox.fail("/meetings/", with_=faults.refused(404, code, "This recording does not exist."))

    assert edge.zoom.meeting("x==") is None
    assert (sandbox.count("POST", "oauth"), sandbox.count("GET", "/v2/")) == (1, 1)


def test_a_page_in_place_of_a_meeting_is_no_reason_for_a_new_token(sandbox: Sandbox, edge: Edge) -> None:
    sandbox.fail("/meetings/", with_=faults.page(404, "Invalid access token"))

    with pytest.raises(ServiceUnavailable, match="a page titled “Invalid access token”"):
        edge.zoom.meeting("x==")

    assert (sandbox.count("POST", "oauth"), sandbox.count("GET", "/v2/")) == (1, 1)
