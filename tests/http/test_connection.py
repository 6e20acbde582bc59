"""Every request ends, and no answer is read without a limit."""

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import certifi
import pytest

from tests.fakes import FakeClock
from zoomsync.errors import ServiceUnavailable, Unfit
from zoomsync.http import FLOOR, Http
from zoomsync.http.connection import LONGEST_ANSWER

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
UNITS = 400
Serve = Callable[[Callable[[bytes], None]], None]
SLOW_ANSWERS = {
    "ever more of them": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", HEAD + b"Content-Length: 0\r\n\r\n"),
    "its status": (b"", b"H", b"TTP/1.1 200 OK\r\n\r\n"),
    "a header": (HEAD + b"X: ", b"a", b"\r\nContent-Length: 0\r\n\r\n"),
    "its body": (HEAD + b"Content-Length: %d\r\n\r\n" % UNITS, b"a", b""),
    "a body without length": (HEAD + b"Connection: close\r\n\r\n", b"a", b""),
    "the size of a chunk": (CHUNKED + b"1;", b"x", b"\r\na\r\n0\r\n\r\n"),
    "its trailers": (CHUNKED + b"1\r\na\r\n0\r\n", b"T: x\r\n", b"\r\n"),
}
"""What comes slowly: all before it, one unit, and what would make the answer whole."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def http(clock: FakeClock) -> Iterator[Http]:
    one = Http(name="zoom", clock=clock, rate=None, timeouts=(2, 2))
    yield one
    one.close()


@contextmanager
def scripted(serve: Serve) -> Iterator[str]:
    """The address of a server that answers each request as `serve` sends it, until the client hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def work() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    with client, suppress(OSError):
                        while not (got := client.recv(65536)).endswith(b"\r\n\r\n"):
                            assert got
                        serve(client.sendall)

        thread = threading.Thread(target=work)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/x"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def trickle(clock: FakeClock, begin: bytes, unit: bytes, end: bytes, *, seconds: float = 1.9) -> Serve:
    """Unit after unit, each just before the client gives up."""

    def serve(send: Callable[[bytes], None]) -> None:
        send(begin)
        for _ in range(UNITS):
            time.sleep(0.001)  # so that the client waits again
            clock.advance(seconds)
            send(unit)
        send(end)

    return serve


@pytest.mark.parametrize("slow", SLOW_ANSWERS)
def test_an_answer_that_trickles_ends_whatever_trickles(clock: FakeClock, http: Http, slow: str) -> None:
    with (
        scripted(trickle(clock, *SLOW_ANSWERS[slow])) as url,
        pytest.raises(ServiceUnavailable, match=r"no whole answer within 10 s$"),
    ):
        http.request("GET", url, repeatable=True)

    assert http.calls == 1


def test_a_proxy_that_trickles_before_it_connects_ends_too(
    clock: FakeClock, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with scripted(trickle(clock, HEAD + b"X: ", b"a", b"\r\n\r\n")) as proxy:
        monkeypatch.setenv("https_proxy", proxy.removesuffix("/x"))

        with pytest.raises(ServiceUnavailable, match=r"no whole answer within 10 s$"):
            http.request("GET", "https://zoom.invalid/x", repeatable=True)


def test_a_transfer_below_the_floor_is_a_cut(clock: FakeClock, http: Http) -> None:
    begin = HEAD + b"Content-Length: %d\r\n\r\n" % UNITS
    with (
        scripted(trickle(clock, begin, b"a", b"")) as url,
        http.request("GET", url, repeatable=True, stream=True) as got,
    ):
        came = b"".join(iter(lambda: _piece(got), b""))

    assert 0 < len(came) < UNITS


def test_a_transfer_above_the_floor_may_last_for_hours(clock: FakeClock, http: Http) -> None:
    unit = bytes(FLOOR // 60 * 3)
    begin = HEAD + b"Content-Length: %d\r\n\r\n" % (UNITS * len(unit))
    before = clock.monotonic()
    with (
        scripted(trickle(clock, begin, unit, b"")) as url,
        http.request("GET", url, repeatable=True, stream=True) as got,
    ):
        came = sum(map(len, iter(lambda: _piece(got), b"")))

    assert (came, clock.monotonic() - before > 700) == (UNITS * len(unit), True)


def _piece(answer: object) -> bytes:
    with suppress(Exception):
        return bytes(answer.raw.read1(1 << 20))  # type: ignore[attr-defined]
    return b""


def test_a_clock_that_jumps_is_no_slow_answer(clock: FakeClock, http: Http) -> None:
    def serve(send: Callable[[bytes], None]) -> None:
        time.sleep(0.01)
        clock.advance(hours=8)
        send(HEAD + b"Content-Length: 4\r\n\r\n")
        time.sleep(0.05)
        send(b"fine")

    with scripted(serve) as url:
        assert http.request("GET", url, repeatable=True).text == "fine"


@pytest.mark.parametrize(("packing", "pack"), [("identity", None), ("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_an_answer_of_more_than_64_megabytes_is_not_kept(
    http: Http, packing: str, pack: Callable[[bytes], bytes] | None
) -> None:
    pieces = [pack(bytes(LONGEST_ANSWER + 1))] if pack else [bytes(1 << 20)] * 64

    def serve(send: Callable[[bytes], None]) -> None:
        send(HEAD + f"Content-Encoding: {packing}\r\nConnection: close\r\n\r\n".encode())
        for piece in pieces:
            send(piece)

    with scripted(serve) as url, pytest.raises(ServiceUnavailable, match=r"an answer of more than 64\.0 MB$") as caught:
        http.request("GET", url, repeatable=True)

    assert (http.calls, "proxy" in caught.value.hint) == (1, True)


def test_of_an_error_only_the_beginning_is_read(http: Http) -> None:
    sent: list[int] = []

    def serve(send: Callable[[bytes], None]) -> None:
        send(b"HTTP/1.1 503 No\r\nConnection: close\r\n\r\n<title>Busy</title>")
        for _ in range(1000):
            send(bytes(1 << 20))
            sent.append(1 << 20)

    with scripted(serve) as url, pytest.raises(ServiceUnavailable, match="a page titled “Busy”"):
        http.request("GET", url, repeatable=False)

    assert sum(sent) < 50 << 20


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tmp_path / "bundle.pem"


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize(
    ("make", "fact"),
    [
        (lambda _: None, "no such file or directory"),
        (lambda path: path.mkdir(), "holds no certificates that openssl rehash made ready"),
        (lambda path: path.write_text("no certificate"), "holds no certificates in PEM form"),
        (lambda path: path.write_bytes(b""), "holds no certificates in PEM form"),
        (lambda path: path.symlink_to("/proc/self/mem"), "input/output error"),
    ],
    ids=["missing", "folder", "text", "empty", "unreadable"],
)
def test_a_ca_bundle_that_cannot_be_used_is_named(
    http: Http, bundle: Path, monkeypatch: pytest.MonkeyPatch, name: str, make: Callable[[Path], object], fact: str
) -> None:
    make(bundle)
    monkeypatch.setenv(name, str(bundle))

    with pytest.raises(Unfit) as caught:
        http.request("GET", "https://127.0.0.1:9/x", repeatable=True)

    assert (str(caught.value), http.calls) == (f"CA bundle {bundle}: {fact}", 1)
    assert name in caught.value.hint


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    ("proxy", "fact"),
    [
        ("http://", "not the address of a proxy"),
        ("http://:s3cret@", "not the address of a proxy"),
        ("://s3cret", "not the address of a proxy"),
        ("http://[::1", "not the address of a proxy"),
        ("http://eve:s3cret@host:port", "not the address of a proxy"),
        ("ftp://s3cret", "not the address of a proxy"),
        ("http:/s3cret:3128", "not the address of a proxy"),
        ("http//s3cret:3128", "not the address of a proxy"),
        ("http://s3cret..invalid:1", "not the address of a proxy"),
        ("s3cret:port", "not the address of a proxy"),
        ("socks5://127.0.0.1:9", "a SOCKS proxy needs PySocks, which is not installed"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_and_not_shown(
    http: Http, monkeypatch: pytest.MonkeyPatch, name: str, proxy: str, fact: str
) -> None:
    monkeypatch.setenv(name, proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    with pytest.raises(Unfit) as caught:
        http.request("GET", "https://zoom.invalid/x", repeatable=True)

    assert str(caught.value) == f"{name.lower().removesuffix('_proxy')}_proxy: {fact}"
    assert "http://host:port" in caught.value.hint
    assert "s3cret" not in f"{caught.value}{caught.value.hint}"


def test_a_good_bundle_is_no_reason_of_a_failure(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())

    with pytest.raises(Exception, match="connection refused"):
        http.request("GET", "https://127.0.0.1:9/x", repeatable=False)
