"""Requests: repeated when that helps, paced, and silent about secrets."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import requests_mock
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import NOW, FakeClock
from tests.sandbox import faults
from tests.sandbox.server import Sandbox
from tests.sandbox.worlds import empty_world
from zoomsync.errors import ServiceUnavailable, Stopped, Unreachable
from zoomsync.http import Http, brief, is_brief, moment_of, pause_asked

URL = "https://api.example.org/v2/users?next_page_token=s3cret"
ISO = (NOW + timedelta(seconds=40)).isoformat().replace("+00:00", "Z")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def http(clock: FakeClock) -> Iterator[Http]:
    one = an_http(clock)
    yield one
    one.close()


def an_http(clock: FakeClock, *, rate: float | None = None, wait: float = 2) -> Http:
    return Http(name="zoom", clock=clock, rate=rate, timeouts=(wait, wait))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(empty_world(NOW)) as one:
        yield one


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("2.5", 2.5),
        (format_datetime(NOW + timedelta(seconds=40), usegmt=True), 40),
        (ISO, 40),
        (ISO.removesuffix("Z"), 40),
        ("2020-01-01T00:00:00Z", 0),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_comes_in_every_form(value: str | None, seconds: float | None) -> None:
    assert pause_asked(value, NOW) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_is_too_odd(value: str) -> None:
    pause = pause_asked(value, NOW)

    assert pause is None or pause >= 0


@pytest.mark.parametrize(
    ("header", "slept"),
    [("3", 3), (ISO, 40), ("1200", 300), (None, 1), ("soon", 1), ("0", 0.1)],
    ids=["seconds", "a time", "capped", "missing", "nonsense", "at once"],
)
def test_too_many_requests_waits_as_long_as_asked(
    clock: FakeClock, http: Http, header: str | None, slept: float
) -> None:
    headers = {"Retry-After": header} if header else {}
    with requests_mock.Mocker() as zoom:
        zoom.get(URL, [{"status_code": 429, "headers": headers}, {"status_code": 200, "text": "fine"}])

        answer = http.request("GET", URL, repeatable=True)

    assert (answer.text, clock.slept, http.calls) == ("fine", [slept], 2)


def test_a_daily_limit_is_not_waited_for(clock: FakeClock, http: Http) -> None:
    with requests_mock.Mocker() as zoom, pytest.raises(ServiceUnavailable) as caught:
        zoom.get(URL, status_code=429, headers={"Retry-After": "36000"}, json={"message": "daily rate limit"})
        http.request("GET", URL, repeatable=True)

    assert str(caught.value) == "zoom: api.example.org: HTTP 429, daily rate limit, and asks for a pause of 10 h"
    assert clock.slept == []


@pytest.mark.parametrize(
    ("status", "repeatable", "calls"),
    [(200, True, 1), (404, True, 1), (302, True, 1), (500, True, 6), (503, False, 1), (429, True, 6), (429, False, 6)],
)
def test_what_may_be_repeated_is(http: Http, status: int, repeatable: bool, calls: int) -> None:
    with requests_mock.Mocker() as zoom:
        zoom.delete(URL, status_code=status, headers={"Location": "/elsewhere"})
        try:
            http.request("DELETE", URL, repeatable=repeatable)
        except ServiceUnavailable as error:
            assert status >= 429, error

    assert http.calls == calls


def test_pauses_double_when_nobody_names_one(clock: FakeClock, http: Http) -> None:
    with requests_mock.Mocker() as zoom, pytest.raises(ServiceUnavailable) as caught:
        zoom.get(URL, status_code=502, text="<html><title>Bad\x1b[2J Gateway</title>")
        http.request("GET", URL, repeatable=True)

    assert clock.slept == [1, 2, 4, 8, 16]
    assert str(caught.value) == r"zoom: api.example.org: HTTP 502, a page titled “Bad\x1b[2J Gateway” (6 tries)"
    assert (caught.value.hint, caught.value.code) == ("it is tried again", 6)


def test_a_closed_port_is_named_with_its_host(http: Http) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]

        with pytest.raises(Unreachable) as caught:
            http.request("GET", f"http://127.0.0.1:{port}/x?token=s3cret", repeatable=True, tries=3)

    assert str(caught.value) == f"zoom: 127.0.0.1:{port}: connection refused (3 tries)"
    assert "proxy" in caught.value.hint
    assert not isinstance(caught.value, ServiceUnavailable)


def test_a_port_that_speaks_no_tls_is_a_matter_of_the_address(sandbox: Sandbox, http: Http) -> None:
    address = sandbox.url.replace("http://", "https://")

    with pytest.raises(Unreachable, match="TLS failed") as caught:
        http.request("GET", f"{address}/v2/users", repeatable=True, tries=2)

    assert caught.value.hint == "check the addresses in the config and the proxy settings"


def test_an_answer_that_never_comes_ends_after_the_time_limit(sandbox: Sandbox, clock: FakeClock) -> None:
    sandbox.fail("users", with_=faults.black_hole())
    http = an_http(clock, wait=0.2)

    with pytest.raises(ServiceUnavailable, match=r"no answer within 0\.2 s$"):
        http.request("DELETE", f"{sandbox.api_url}/users", repeatable=False)
    http.close()


@pytest.mark.parametrize("ending", ["fin", "reset"])
def test_a_body_that_is_cut_is_asked_for_again(sandbox: Sandbox, http: Http, ending: str) -> None:
    sandbox.fail("users", with_=faults.cut(5, ending))

    answer = http.request("GET", f"{sandbox.api_url}/users", repeatable=True)

    assert (answer.status_code, http.calls) == (401, 2)


def test_an_answer_lost_after_the_deed_is_not_asked_for_again(sandbox: Sandbox, http: Http) -> None:
    sandbox.fail("users", with_=faults.lost_answer())

    with pytest.raises(ServiceUnavailable, match="the connection broke"):
        http.request("DELETE", f"{sandbox.api_url}/users", repeatable=False)

    assert http.calls == 1


def test_netrc_is_never_read(sandbox: Sandbox, http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login eve password s3cret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    answer = http.request("GET", f"{sandbox.api_url}/users", repeatable=True)

    assert "Authorization" not in answer.request.headers


def test_the_proxy_of_the_environment_is_used(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://eve:s3cret@127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    with pytest.raises(Unreachable) as caught:
        http.request("GET", "http://zoom.invalid/x", repeatable=False)

    assert str(caught.value) in (
        "zoom: zoom.invalid: connection refused",
        "zoom: zoom.invalid: the proxy does not let the request through",
    )


def test_redirects_are_left_to_the_caller_and_cookies_are_forgotten(sandbox: Sandbox, http: Http) -> None:
    sandbox.fail("users", with_=faults.redirect("/elsewhere"))
    sandbox.fail("users", with_=faults.headers(set_cookie="session=s3cret; Path=/"))

    first = http.request("GET", f"{sandbox.api_url}/users", repeatable=True)
    http.request("GET", f"{sandbox.api_url}/users", repeatable=True)
    last = http.request("GET", f"{sandbox.api_url}/users", repeatable=True)

    assert (first.status_code, "Cookie" in last.request.headers) == (302, False)


def test_the_rate_holds_over_all_threads(clock: FakeClock) -> None:
    http = an_http(clock, rate=5)
    begin = clock.monotonic()
    with requests_mock.Mocker() as zoom:
        zoom.get(URL, text="fine")
        threads = [
            threading.Thread(target=lambda: [http.request("GET", URL, repeatable=True) for _ in range(5)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    http.close()

    assert http.calls == 20
    assert clock.monotonic() - begin >= 2.9


@pytest.mark.parametrize("rate", [0.5, 1, 10, 12.5])
def test_a_rate_is_requests_a_second(clock: FakeClock, rate: float) -> None:
    http = an_http(clock, rate=rate)
    begin = clock.monotonic()
    with requests_mock.Mocker() as zoom:
        zoom.get(URL, text="fine")
        for _ in range(40):
            http.request("GET", URL, repeatable=True)
    http.close()

    assert (40 - rate) / rate - 2 <= clock.monotonic() - begin <= 40 / rate + 1


def test_a_stop_ends_every_wait(clock: FakeClock, http: Http) -> None:
    def end_the_pass(*_: object) -> str:
        clock.stop(15)
        return "out of order"

    with requests_mock.Mocker() as zoom, pytest.raises(Stopped):
        zoom.get(URL, status_code=503, text=end_the_pass)
        http.request("GET", URL, repeatable=True)

    assert http.calls == 1


def test_no_message_and_no_log_line_holds_a_secret(
    sandbox: Sandbox, http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox.fail("users", with_=faults.page(503, "token=s3cret Bearer s3cret-s3cret"), times=2)
    sandbox.fail("users", with_=faults.lost_answer(), times=None)
    url = f"{sandbox.api_url}/users?access_token=s3cret"

    with pytest.raises(Unreachable) as caught:
        http.request("GET", url, repeatable=True, headers={"Authorization": "Bearer s3cret"})

    texts = [str(caught.value), caught.value.hint, caplog.text, repr(caught.value), str(caught.value.__cause__)]
    assert "s3cret" not in "".join(texts)
    assert "HTTP 503" in caplog.text
    assert caught.value.__suppress_context__


def test_dates_of_servers_are_understood() -> None:
    assert moment_of("Tue, 10 Mar 2026 12:00:00 GMT") == NOW == moment_of("2026-03-10T12:00:00")
    assert [moment_of(text) for text in ("", "yesterday", "99")] == [None, None, None]
    assert isinstance(moment_of(format_datetime(NOW)), datetime)


@pytest.mark.parametrize(("status", "repeatable"), [(500, True), (503, False), (429, True), (429, False)])
def test_what_failed_before_is_asked_once_and_not_six_times(
    clock: FakeClock, http: Http, status: int, repeatable: bool
) -> None:
    with requests_mock.Mocker() as zoom, brief(), pytest.raises(ServiceUnavailable):
        zoom.get(URL, status_code=status, headers={"Retry-After": "7"})
        http.request("GET", URL, repeatable=repeatable, tries=4)

    assert (http.calls, clock.slept) == (1, [])


@pytest.mark.parametrize(("wait", "expected"), [(60.0, 5.0), (2.0, 2.0)])
def test_what_failed_before_is_waited_for_5_s_at_most(clock: FakeClock, wait: float, expected: float) -> None:
    http = an_http(clock, wait=wait)
    with requests_mock.Mocker() as zoom:
        zoom.get(URL, text="fine")
        with brief():
            http.request("GET", URL, repeatable=True)
        http.request("GET", URL, repeatable=True)
    http.close()

    assert [one.timeout for one in zoom.request_history] == [(expected, expected), (wait, wait)]


def test_a_message_names_the_shorter_time(sandbox: Sandbox, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoomsync.http.client.BRIEF_SECONDS", 0.2)
    sandbox.fail("users", with_=faults.black_hole())
    http = an_http(clock, wait=60)

    with brief(), pytest.raises(ServiceUnavailable, match=r"no answer within 0\.2 s$"):
        http.request("GET", f"{sandbox.api_url}/users", repeatable=True)
    http.close()


def test_brief_ends_with_its_block_and_can_be_taken_back_within_it() -> None:
    seen = [is_brief()]
    with suppress(ZeroDivisionError), brief():
        seen.append(is_brief())
        with brief(on=False):
            seen.append(is_brief())
        seen.append(is_brief())
        raise ZeroDivisionError
    seen.append(is_brief())

    assert seen == [False, True, False, True, False]


def test_brief_is_one_threads_own() -> None:
    seen: list[bool] = []
    with brief():
        thread = threading.Thread(target=lambda: seen.append(is_brief()))
        thread.start()
        thread.join()

    assert seen == [False]
