"""A request as it came in and an answer before it goes out: values between the server, the routes and the faults."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.sandbox.content import Content, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `path` is as sent: still percent-encoded, without the query."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    host: str
    """The address that was called: 127.0.0.1, or 127.0.0.2 for the foreign host."""

    @property
    def bearer(self) -> str | None:
        """The token of the Authorization header, if it has one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else None


@dataclass(slots=True, kw_only=True)
class Record:
    """What the sandbox remembers of a request and its answer; `status` is 0 until the answer begins."""

    method: str
    path: str
    query: Mapping[str, str]
    host: str
    has_bearer: bool
    range: str | None
    status: int = 0
    bytes: int = 0
    """Of the body, as sent."""
    operation: str = ""
    """What a portal calls it: `media_create` …"""
    document: Any = None
    """The JSON that a portal was sent."""


EMPTY = Text(b"")


class Ending(Enum):
    """How the connection goes on after the last byte that is sent."""

    KEEP = "keep"
    FIN = "fin"
    RESET = "reset"
    STALL = "stall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer and how it is delivered."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content: Content = EMPTY
    length: int | None = None
    """The Content-Length to announce; None: the true one."""
    is_chunked: bool = False
    """Sent in chunks, without a Content-Length."""
    is_open: bool = False
    """Sent without a Content-Length: it ends when the connection does."""
    stop_after: int | None = None
    """Body bytes after which `ending` comes; None: after all."""
    ending: Ending = Ending.KEEP
    speed: float | None = None
    """Bytes per second; None: at once."""


def json_answer(document: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with a JSON body."""
    head = {"Content-Type": "application/json;charset=UTF-8", **(headers or {})}
    return Answer(status=status, headers=head, content=Text(json.dumps(document).encode()))


def error(status: int, code: int, message: str, **more: object) -> Answer:
    """Zoom's error: a code and a message."""
    return json_answer({"code": code, "message": message, **more}, status=status)


def invalid(name: str, message: str) -> Answer:
    """Zoom's refusal of a parameter."""
    return error(400, 300, "Validation Failed.", errors=[{"field": name, "message": message}])


def html(status: int, title: str, text: str = "") -> Answer:
    """A page for people."""
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1>{text}</body></html>"
    return Answer(status=status, headers={"Content-Type": "text/html;charset=utf-8"}, content=Text(page.encode()))
