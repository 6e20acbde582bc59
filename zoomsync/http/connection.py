"""One answer on its way in: how long, how large, which times it names; and what of this machine is in its way."""

import http.client
import io
import re
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from zoomsync.formatting import escaped
from zoomsync.model import Clock

LONGEST_ANSWER = 64 * 10**6
"""Bytes of an answer that is kept in memory, unpacked."""
PIECE = 1 << 16
_PROXIES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
"""What an address of a proxy begins with."""


class TooSlow(TimeoutError):
    """An answer that came bit by bit, and would have gone on like that."""


class TooLong(Exception):
    """An answer of more bytes than any that is meant for us."""


class Patience:
    """How many seconds an answer may keep us waiting in all, its headers included.

    With a `floor`, each byte buys some of them back: a transfer may last for hours, but not with fewer bytes a minute.
    """

    def __init__(self, seconds: float, clock: Clock, floor: int | None = None) -> None:
        self.left = self._most = seconds
        self._clock = clock
        self._floor = floor

    def read(self, raw: io.RawIOBase, sock: socket.socket, buffer: Any) -> int:
        """Wait for the next bytes and put them into the buffer, as `RawIOBase.readinto`. Raises `TooSlow`."""
        usual = sock.gettimeout()
        longest = self.left if usual is None else min(usual, self.left)
        if longest <= 0:
            raise TooSlow
        if longest != usual:
            sock.settimeout(longest)
        begin, size = self._clock.monotonic(), 0
        try:
            size = raw.readinto(buffer) or 0
        except TimeoutError:
            if longest != usual:
                raise TooSlow from None
            raise
        finally:
            if longest != usual:
                sock.settimeout(usual)
            # A clock that jumped, for the machine slept, says nothing about the server.
            self.left -= min(self._clock.monotonic() - begin, longest)
            if self._floor is not None:
                self.left = min(self._most, self.left + 60 * size / self._floor)
        return size


_PATIENCE: ContextVar[Patience | None] = ContextVar("patience", default=None)
"""With what the next answer of this thread is waited for."""
waiting = _PATIENCE.set


class _Incoming(io.RawIOBase):
    """What a server sends, read with patience."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, patience: Patience) -> None:
        self._raw = raw
        self._sock = sock
        self._patience = patience

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._patience.read(self._raw, self._sock, buffer)

    def close(self) -> None:
        super().close()
        self._raw.close()


class _HttpResponse(http.client.HTTPResponse):
    """Status, headers, body and trailers: all of it is read with patience."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        if (patience := _PATIENCE.get()) is not None:
            self.fp = io.BufferedReader(_Incoming(self.fp.detach(), sock, patience))


class Adapter(HTTPAdapter):
    """requests' own, whose time-outs are between two bytes, with an end for the whole answer."""

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        if pool.ConnectionCls.response_class is not _HttpResponse:
            pool.ConnectionCls = type("Connection", (pool.ConnectionCls,), {"response_class": _HttpResponse})
        return pool


def keep_body(answer: requests.Response) -> None:
    """Read the body, unpacked piece by piece, so that it is at hand; raises `TooLong` and `HTTPError`."""
    body = io.BytesIO()
    for piece in answer.raw.stream(PIECE, decode_content=True):
        if body.tell() + len(piece) > LONGEST_ANSWER:
            answer.close()
            raise TooLong
        body.write(piece)
    body.seek(0)
    answer.raw = body


def beginning_of(answer: requests.Response, size: int) -> bytes:
    """The first bytes of a body, as far as they come."""
    body = b""
    with suppress(HTTPError):
        for piece in answer.raw.stream(min(size, PIECE), decode_content=True):
            body += piece
            if len(body) >= size:
                break
    return body[:size]


def pause_asked(value: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` asks for; None: missing or nonsense.

    It is seconds or an HTTP date, but Zoom also writes an ISO 8601 time, on which urllib3's own `Retry` raises:
    https://github.com/jrchamp/moodle-mod_zoom/pull/106 (there it is read as a time).
    """
    text = (value or "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return float(text)
    when = moment_of(text)
    return None if when is None else max(0.0, (when - now).total_seconds())


def moment_of(text: str) -> datetime | None:
    """An ISO 8601 time or an HTTP date, UTC if it names no zone; None: neither."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            when = read(text)
        except (ValueError, TypeError, IndexError):
            continue
        return when if when.tzinfo else when.replace(tzinfo=UTC)
    return None


def unfit(verify: object, proxies: Mapping[str, str]) -> tuple[str, str] | None:
    """What of this machine's CA bundle and proxies cannot be used, and the remedy; None: all can.

    Both are as requests reads them from the environment; a proxy's address may hold a password, and is not shown.
    """
    if isinstance(verify, str) and (problem := _bundle_problem(Path(verify))):
        hint = "set REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE) to a PEM file, or unset it"
        return f"CA bundle {escaped(verify)}: {problem}", hint
    for name, url in proxies.items():
        if name in ("http", "https", "all") and url and (problem := _proxy_problem(url)):
            return f"{name}_proxy: {problem}", f"set {name}_proxy (or {name.upper()}_PROXY) to http://host:port"
    return None


def _bundle_problem(path: Path) -> str:
    try:
        if path.is_dir():  # OpenSSL looks certificates up by their hash
            is_filled = any(re.fullmatch(r"[0-9a-f]{8}\.\d+", one.name) for one in path.iterdir())
            return "" if is_filled else "holds no certificates that openssl rehash made ready"
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        return "holds no certificates in PEM form"
    except OSError as error:
        return (error.strerror or type(error).__name__).lower()
    return ""


def _proxy_problem(url: str) -> str:
    try:
        to = parse_url(url if "://" in url else f"http://{url}")
    except LocationParseError:
        return "not the address of a proxy"
    is_host = re.fullmatch(r"\[[0-9a-fA-F:.]+\]|[\w-]{1,63}(\.[\w-]{1,63})*\.?", to.host or "")
    if not is_host or (to.path or "/") != "/" or to.scheme not in _PROXIES:
        return "not the address of a proxy"
    if to.scheme.startswith("socks") and find_spec("socks") is None:
        return "a SOCKS proxy needs PySocks, which is not installed"
    return ""
