"""HTTP for Zoom and the portal: a session per thread, retries, a rate, and no secret in any text."""

import html
import json
import logging
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import requests
import urllib3.exceptions

from zoomsync import __version__
from zoomsync.errors import ServiceUnavailable, Subject, Unfit, Unreachable
from zoomsync.formatting import size_in_words
from zoomsync.http import connection
from zoomsync.http.connection import LONGEST_ANSWER, Patience, TooLong, TooSlow
from zoomsync.model import Clock
from zoomsync.redaction import LONGEST_REASON, host_of, said

if TYPE_CHECKING:
    from tenacity import RetryCallState

USER_AGENT = f"zoomsync/{__version__}"
TRIES = 6
BRIEF_SECONDS = 5.0
"""The longest time-out within `brief`."""
PATIENCE = 5
"""How many of its time-outs between two bytes an answer may take in all."""
FLOOR = 2**18
"""Bytes a minute without which a transfer is a cut."""
LONGEST_PAUSE = 300.0
"""Seconds that one `Retry-After` is honoured at most."""
HOPELESS_PAUSE = 3600.0
"""A server that asks for more than this is not asked again in this pass.

Zoom does so for a daily limit: https://developers.zoom.us/docs/api/rate-limits
"""

_BRIEF: ContextVar[float | None] = ContextVar("brief", default=None)
log = logging.getLogger(__name__)
# urllib3's own lines hold whole URLs, signatures included.
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


@contextmanager
def brief(*, on: bool = True, seconds: float | None = None) -> Iterator[None]:
    """Within it, and in this thread alone, each request is sent once and not six times, with time-outs of 5 s at most.

    It is for what failed before: one broken subject must not make a pass long. `on=False` takes it back within;
    `seconds` instead of 5: infinity leaves the time-outs as they are.
    """
    longest = BRIEF_SECONDS if seconds is None else seconds
    before = _BRIEF.set(longest if on else None)
    try:
        yield
    finally:
        _BRIEF.reset(before)


def is_brief() -> bool:
    """Whether this thread is within `brief`."""
    return brief_seconds() is not None


def brief_seconds() -> float | None:
    """The longest time-out of this thread within `brief`; None: it is not within."""
    return _BRIEF.get()


class Http:
    """Requests to one service: every message begins with its `name`, every error has it as `service`. For all threads.

    Proxies and the CA bundle come from the environment, `~/.netrc` and cookies are never used, redirects are not
    followed. `rate` is in requests a second; `timeouts` are seconds to connect and between two bytes. Every request
    ends, and no answer is read without a limit (`connection`).
    """

    def __init__(
        self,
        *,
        name: str,
        clock: Clock,
        rate: float | None,
        timeouts: tuple[float, float] = (10.0, 60.0),
        tries: int = TRIES,
    ) -> None:
        self.name = name
        self._secrets: frozenset[str] = frozenset()
        self._clock = clock
        self._limit = Limit(rate, clock) if rate else None
        self._timeouts = timeouts
        self._tries = tries
        self._local = threading.local()
        self._lock = threading.Lock()
        self._sessions: list[requests.Session] = []
        self.calls = 0
        """Requests sent so far, repeated ones included."""

    def close(self) -> None:
        """End every connection."""
        with self._lock:
            sessions, self._sessions = self._sessions, []
        self._local = threading.local()
        for session in sessions:
            session.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        repeatable: bool,
        tries: int | None = None,
        subject: Subject | None = None,
        **options: Any,
    ) -> requests.Response:
        """The answer to one request about `subject`; `options` (headers, params, json, data, stream) as for requests.

        429 is a refusal and is repeated always; 5xx, time-outs and broken connections only if `repeatable`.
        With `stream` the body is yet to be read, and what breaks then is the caller's. Raises `ServiceUnavailable` for
        the last 429 or 5xx and for answers that never came whole, `Unreachable` for what did not connect, `Unfit` for
        proxies and CA bundles that cannot be used. See `brief`.
        """
        once = partial(self._once, method, url, repeatable, options)
        try:
            return once()
        except _Failed as failed:
            return self._again(once, failed, 1 if is_brief() else tries or self._tries, url, subject)

    def _again(
        self, once: Callable[[], requests.Response], first: "_Failed", most: int, url: str, subject: Subject | None
    ) -> requests.Response:
        """The answer to a request that failed with `first`, which counts as one of `most` tries."""
        # Imported once a request fails, because it brings asyncio along.
        from tenacity import Retrying, retry_if_exception, stop_after_attempt

        def tried() -> requests.Response:
            if retrying.statistics["attempt_number"] == 1:
                raise first
            return once()

        retrying = Retrying(
            sleep=self._clock.sleep,
            stop=stop_after_attempt(most),
            wait=_pause,
            retry=retry_if_exception(lambda error: isinstance(error, _Failed) and error.is_passing),
            before_sleep=lambda state: log.info(
                "%s: %s, again in %.0f s", self.name, state.outcome and state.outcome.exception(), state.upcoming_sleep
            ),
            reraise=True,
        )
        try:
            return retrying(tried)
        except _Failed as failed:
            times = f" ({n} tries)" if (n := retrying.statistics["attempt_number"]) > 1 else ""
            # not `from failed`: the texts of requests and urllib3 hold whole URLs
            message = f"{self.name}: {host_of(url)}: {failed}{times}"
            raise failed.kind(message, hint=failed.hint, service=self.name, subject=subject) from None

    def _once(self, method: str, url: str, repeatable: bool, options: Mapping[str, Any]) -> requests.Response:
        self._clock.check()
        if self._limit:
            self._limit.wait()
        with self._lock:
            self.calls += 1
        connect, read = self._timeouts
        longest = _BRIEF.get()
        timeouts = (connect, read) if longest is None else (min(connect, longest), min(read, longest))
        is_stream = options.get("stream", False)
        connection.waiting(Patience(PATIENCE * timeouts[1], self._clock, FLOOR if is_stream else None))
        try:
            answer = self._session.request(
                method, url, allow_redirects=False, timeout=timeouts, **{**options, "stream": True}
            )
            if answer.status_code != 429 and answer.status_code < 500:
                if not is_stream:
                    connection.keep_body(answer)
                return answer
        except (OSError, urllib3.exceptions.HTTPError, UnicodeError, TooLong, TypeError) as error:
            environment = self._session.merge_environment_settings(url, {}, None, None, None)
            if unfit := connection.unfit(environment["verify"], environment["proxies"]):
                raise Unfit(unfit[0], hint=unfit[1]) from None
            if isinstance(error, TypeError):  # requests raises that for a proxy that is a password without a host
                raise
            raise _failure(error, timeouts, is_passing=repeatable) from None
        with answer:
            asked = connection.pause_asked(answer.headers.get("Retry-After"), self._clock.now())
            fact = f"HTTP {answer.status_code}, {self.said(connection.beginning_of(answer, LONGEST_REASON))}"
        if asked is not None and asked > HOPELESS_PAUSE:
            raise _Failed(f"{fact}, and asks for a pause of {asked / 3600:.0f} h", ServiceUnavailable)
        is_passing = repeatable or answer.status_code == 429
        raise _Failed(fact, ServiceUnavailable, is_passing=is_passing, pause=asked)

    def hide(self, secret: str) -> None:
        """Cut this out of whatever the server says, plain and as JSON, a page or an address would write it."""
        in_json = {json.dumps(secret, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False)}
        with self._lock:
            self._secrets |= {secret, *in_json, html.escape(secret), *(html.escape(one) for one in in_json)}
            self._secrets |= {quote(secret), quote(secret, safe=""), quote_plus(secret)}

    def said(self, body: bytes) -> str:
        """What the server gives as its reason, fit for a message."""
        return said(body, self._secrets)

    @property
    def _session(self) -> requests.Session:
        """This thread's own."""
        known: requests.Session | None = getattr(self._local, "session", None)
        if known is not None:
            return known
        session = self._local.session = _Session()
        session.auth = lambda request: request  # a callable of our own keeps ~/.netrc out
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers["User-Agent"] = USER_AGENT
        for scheme in ("https://", "http://"):
            session.mount(scheme, connection.Adapter(pool_connections=4, pool_maxsize=4))
        with self._lock:
            self._sessions.append(session)
        return session


class _Session(requests.Session):
    """Sees no redirect in any answer: requests reads the body of one, and its address, even if it is not to follow.

    https://requests.readthedocs.io/en/latest/_modules/requests/sessions/ (`Session.send`)
    """

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002  # the base's signature
        return None


class Limit:
    """So many requests a second, over all threads: each takes the next free slot and waits for it."""

    def __init__(self, rate: float, clock: Clock) -> None:
        most = max(1, int(rate))
        self._clock = clock
        self._span = most / rate
        """Seconds in which `most` requests may go out."""
        self._slots = deque([-self._span] * most, maxlen=most)
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when one more request may go out; by the clock, so that `Stopped` ends the wait."""
        with self._lock:
            now = self._clock.monotonic()
            slot = max(now, self._slots[0] + self._span)
            self._slots.append(slot)
        if slot > now:
            self._clock.sleep(slot - now)


class _Failed(Exception):
    """One request that failed; `is_passing`: worth repeating."""

    def __init__(
        self,
        fact: str,
        kind: type[Unreachable],
        *,
        is_passing: bool = False,
        pause: float | None = None,
        hint: str = "it is tried again",
    ) -> None:
        super().__init__(fact)
        self.kind = kind
        self.is_passing = is_passing
        self.pause = pause
        self.hint = hint


def _pause(state: "RetryCallState") -> float:
    """Seconds until the next try: what the server asked for, else 1, 2, 4 …"""
    failed = state.outcome.exception() if state.outcome else None
    asked = failed.pause if isinstance(failed, _Failed) else None
    return min(2.0 ** (state.attempt_number - 1) if asked is None else max(asked, 0.1), LONGEST_PAUSE)


NETWORK = "check the network and the proxy settings of this machine; it is tried again"
ADDRESS = "check the addresses in the config and the proxy settings"
CERTIFICATE = "behind a proxy that inspects TLS, set REQUESTS_CA_BUNDLE to its CA bundle"


def _failure(error: Exception, timeouts: tuple[float, float], *, is_passing: bool) -> _Failed:
    """What an error of requests means, without its own text, which holds the URL."""
    chain: list[BaseException] = [error]
    for one in chain:  # which grows meanwhile: requests and urllib3 nest errors in each of these ways
        nested = (getattr(one, "reason", None), one.__cause__, one.__context__, *one.args)
        chain += [inner for inner in nested if isinstance(inner, BaseException) and inner not in chain]
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            return _Failed(f"its TLS certificate is not accepted: {one.verify_message}", Unreachable, hint=CERTIFICATE)
    if any(isinstance(one, TooSlow) for one in chain):
        return _Failed(f"no whole answer within {PATIENCE * timeouts[1]:g} s", ServiceUnavailable)
    if isinstance(error, TooLong):
        fact = f"an answer of more than {size_in_words(LONGEST_ANSWER)}"
        return _Failed(fact, ServiceUnavailable, hint="check that no proxy answers in its place; it is tried again")
    for kind, fact in _UNCONNECTED.items():
        if any(isinstance(one, kind) for one in chain):
            hint = ADDRESS if kind is ssl.SSLError else NETWORK
            return _Failed(fact.format(timeouts[0]), Unreachable, is_passing=is_passing, hint=hint)
    if any(isinstance(one, urllib3.exceptions.ReadTimeoutError) for one in chain):
        return _Failed(f"no answer within {timeouts[1]:g} s", ServiceUnavailable, is_passing=is_passing)
    if isinstance(error, (requests.ConnectionError, urllib3.exceptions.ProtocolError, urllib3.exceptions.DecodeError)):
        return _Failed("the connection broke", ServiceUnavailable, is_passing=is_passing, hint=NETWORK)
    return _Failed(f"cannot be asked ({type(error).__name__})", Unreachable, hint=ADDRESS)


_UNCONNECTED: Mapping[type[BaseException], str] = {
    urllib3.exceptions.NameResolutionError: "its name does not resolve",
    ConnectionRefusedError: "connection refused",
    urllib3.exceptions.ProxyError: "the proxy does not let the request through",
    ssl.SSLError: "TLS failed",
    urllib3.exceptions.ConnectTimeoutError: "no connection within {:g} s",
    urllib3.exceptions.NewConnectionError: "no connection",
}
