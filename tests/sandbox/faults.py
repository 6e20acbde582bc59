"""Everything that can go wrong with one request, switched on one by one.

A fault answers instead of the route, changes what the route is asked, or changes what it answers.
"""

import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.sandbox.content import Text
from tests.sandbox.downloads import sign_in
from tests.sandbox.message import Answer, Ending, Request, error, html, json_answer
from tests.sandbox.oauth import lacks_scopes

FOREIGN = "127.0.0.2"


@dataclass(frozen=True)
class Fault:
    """What goes wrong; one of the three is set."""

    instead: Callable[[Request], Answer] | None = None
    ask: Callable[[Request], Request] | None = None
    change: Callable[[Request, Answer], Answer] | None = None
    is_silent: bool = False
    """Whether the client has to give up waiting."""


@dataclass(kw_only=True)
class Rule:
    """When a fault strikes: on requests that match, after the first `skip`, `times` times (None: always)."""

    path: str
    method: str | None
    fault: Fault
    times: int | None = 1
    skip: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    """Patterns that headers must match, e.g. `{"range": "bytes="}`."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Patterns that parameters must match, e.g. `{"recording_source_type": "."}`."""
    operation: str | None = None
    """The one operation of a portal that it strikes; None: any."""
    struck: int = 0

    def strikes(self, request: Request, operation: str = "") -> bool:
        """Whether it strikes this request; counts it."""
        if not self._matches(request) or self.operation not in (None, operation) or self.times == self.struck:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.struck += 1
        return True

    def _matches(self, request: Request) -> bool:
        return (
            self.method in (None, request.method)
            and re.search(self.path, request.path) is not None
            and all(re.search(pattern, request.headers.get(name, "")) for name, pattern in self.headers.items())
            and all(re.search(pattern, request.query.get(name, "")) for name, pattern in self.query.items())
        )


def _instead(answer: Answer) -> Fault:
    return Fault(instead=lambda _: answer)


def sign_in_page() -> Fault:
    """200 and a sign-in page where a file should be."""
    return _instead(sign_in())


def page(status: int = 503, title: str = "Service Unavailable") -> Fault:
    """An error of any status as HTML: 404, 500, 502, 503 …"""
    return _instead(html(status, title))


def refused(status: int, code: int, message: str) -> Fault:
    """Any of Zoom's errors; status 200 too, as Zoom does for missing rights."""
    return _instead(error(status, code, message))


def no_rights() -> Fault:
    """HTTP 200 with an error body."""
    return refused(200, 200, "You do not have the right permissions")


def bad_token(status: int = 401) -> Fault:
    """Code 124, although the token is good."""
    return refused(status, 124, "Invalid access token.")


def no_scope(scope: str = "recording:read:admin") -> Fault:
    """The app lacks a scope."""
    return _instead(lacks_scopes((scope,)))


def oauth_refused(
    error: str = "invalid_client", reason: str = "Invalid client_id or client_secret", status: int = 401
) -> Fault:
    """The token endpoint's kind of error."""
    return _instead(json_answer({"reason": reason, "error": error}, status=status))


def rate_limited(form: str = "seconds", seconds: int = 1, kind: str = "QPS") -> Fault:
    """429 with `Retry-After` as `seconds`, `date`, `iso` or `missing`; kind `QPS` or `Daily-limit`."""
    return Fault(instead=lambda _: too_many(form, seconds, kind, 10))


def too_many(form: str, seconds: int, kind: str, limit: int) -> Answer:
    """Zoom's 429."""
    then = datetime.now(UTC) + timedelta(seconds=seconds)
    after = {"seconds": str(seconds), "date": format_datetime(then, usegmt=True), "iso": f"{then:%Y-%m-%dT%H:%M:%SZ}"}
    span = "per-second" if kind == "QPS" else "daily"
    answer = error(429, 429, f"You have reached the maximum {span} rate limit for this API. Try again later.")
    head = {**answer.headers, "X-RateLimit-Category": "Medium", "x-ratelimit-type": kind,
            "X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": "0"}  # fmt: skip
    return replace(answer, headers=head | ({"Retry-After": after[form]} if form in after else {}))


def redirect(to: str) -> Fault:
    """302 to an address; `{path}` in it is the path asked for."""
    return Fault(instead=lambda request: Answer(status=302, headers={"Location": to.format(path=request.path)}))


def foreign_redirect() -> Fault:
    """302 to another host, which does answer."""
    return Fault(instead=lambda request: Answer(
        status=302, headers={"Location": f"http://{FOREIGN}:{request.headers['host'].rpartition(':')[2]}/stolen.mp4"}
    ))  # fmt: skip


def redirect_loop() -> Fault:
    """302 to itself."""
    return redirect("{path}")


def cut(after: int = 100, ending: str = "fin") -> Fault:
    """The body ends after so many bytes: by `fin`, `reset`, or never (`stall`)."""
    is_silent = ending == "stall"
    return Fault(change=lambda _, answer: replace(answer, stop_after=after, ending=Ending(ending)), is_silent=is_silent)


def stall(after: int = 0) -> Fault:
    """A black hole after so many bytes of the body."""
    return cut(after, "stall")


def lost_answer() -> Fault:
    """What was asked is done, but the connection dies before the answer."""
    return Fault(change=lambda _, answer: replace(answer, stop_after=-1, ending=Ending.RESET))


def black_hole() -> Fault:
    """What was asked is done, but no answer ever comes."""
    return Fault(change=lambda _, answer: replace(answer, stop_after=-1, ending=Ending.STALL), is_silent=True)


def slow(speed: float = 1000) -> Fault:
    """So many bytes per second."""
    return Fault(change=lambda _, answer: replace(answer, speed=speed))


def chunked() -> Fault:
    """No Content-Length."""
    return Fault(change=lambda _, answer: replace(answer, is_chunked=True))


def without_end(to: int) -> Fault:
    """No Content-Length, and the connection ends after so many bytes, as it does at the end."""
    return Fault(change=lambda _, answer: replace(answer, is_open=True, stop_after=to, ending=Ending.FIN))


def corrupt(at: int = 40, length: int = 64) -> Fault:
    """Other bytes at a place, the same length."""

    def change(_: Request, answer: Answer) -> Answer:
        data = bytearray(answer.content.read(0, answer.content.size))
        data[at : at + length] = bytes(byte ^ 0xA5 for byte in data[at : at + length])
        return replace(answer, content=Text(bytes(data)))

    return Fault(change=change)


def truncated(to: int) -> Fault:
    """A shorter file, announced as such; negative: so many bytes less."""

    def change(_: Request, answer: Answer) -> Answer:
        data = answer.content.read(0, answer.content.size)
        return replace(answer, content=Text(data[:to]))

    return Fault(change=change)


def body(text: str, content_type: str = "application/octet-stream") -> Fault:
    """200 with this text as the whole body."""
    return _instead(Answer(headers={"Content-Type": content_type}, content=Text(text.encode())))


def headers(**changed: str) -> Fault:
    """Headers changed; `_` stands for `-`."""
    new = {name.replace("_", "-").title(): value for name, value in changed.items()}
    return Fault(change=lambda _, answer: replace(answer, headers={**answer.headers, **new}))


def ignored_range() -> Fault:
    """200 and the whole file, whatever range was asked."""

    def ask(request: Request) -> Request:
        return replace(request, headers={name: value for name, value in request.headers.items() if name != "range"})

    return Fault(ask=ask)


def wrong_range() -> Fault:
    """206 with a Content-Range other than the one asked."""
    return headers(content_range="bytes 1-2/3")


def document(**changed: object) -> Fault:
    """The JSON answer with some fields changed: a wrong echo, a total too large …"""

    def change(_: Request, answer: Answer) -> Answer:
        whole: dict[str, Any] = json.loads(answer.content.read(0, answer.content.size))
        return json_answer(whole | changed, status=answer.status)

    return Fault(change=change)


def without(*names: str) -> Fault:
    """The JSON answer without some fields, as Zoom's lists sometimes come without `meetings`."""

    def change(_: Request, answer: Answer) -> Answer:
        whole = json.loads(answer.content.read(0, answer.content.size))
        return json_answer({name: value for name, value in whole.items() if name not in names}, status=answer.status)

    return Fault(change=change)


def ever_new_page_tokens() -> Fault:
    """Each page names a next one, for ever: the same page with a new token."""
    numbers = itertools.count(1)

    def ask(request: Request) -> Request:
        return replace(request, query={key: one for key, one in request.query.items() if key != "next_page_token"})

    def change(_: Request, answer: Answer) -> Answer:
        whole = json.loads(answer.content.read(0, answer.content.size))
        return json_answer(whole | {"next_page_token": f"evernew{next(numbers)}Token"})

    return Fault(ask=ask, change=change)


def account_denied() -> Fault:
    """403 for the whole account."""
    return refused(403, 403, "Access to the Zoom REST API has been denied for this account. Contact Zoom Support.")


def repeated_page_token() -> Fault:
    """A page names itself as the next one; it strikes nothing but pages after the first."""

    def change(request: Request, answer: Answer) -> Answer:
        token = request.query.get("next_page_token")
        whole = json.loads(answer.content.read(0, answer.content.size))
        return json_answer(whole | {"next_page_token": token}) if token else answer

    return Fault(change=change)


MAKERS: Mapping[str, Callable[..., Fault]] = {
    maker.__name__: maker
    for maker in (sign_in_page, page, refused, no_rights, bad_token, no_scope, oauth_refused, rate_limited, redirect,
                  foreign_redirect, redirect_loop, cut, without_end, stall, lost_answer, black_hole, slow, chunked,
                  corrupt, truncated, body, headers, ignored_range, wrong_range, document,
                  repeated_page_token, without, ever_new_page_tokens, account_denied)
}  # fmt: skip
"""By name, for `POST /sandbox/faults`."""
