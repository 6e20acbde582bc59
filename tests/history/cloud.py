"""Zoom below HTTP: the sandbox's answers without a socket, and a connection that can fail."""

import io
from collections.abc import Callable
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from tests.sandbox.config import config_for, laid_over
from tests.sandbox.downloads import Downloads
from tests.sandbox.message import Answer, Request, html
from tests.sandbox.oauth import Tokens
from tests.sandbox.settings import Settings
from tests.sandbox.world import World
from tests.sandbox.zoom import Zoom

ORIGIN = "http://127.0.0.1:9"


class Cloud(HTTPAdapter):
    """What `requests` is given in place of connections. `around` is called with each request and how to answer it."""

    def __init__(self, world: World, **settings: Any) -> None:
        super().__init__()
        self.world = world
        self.settings = Settings(**settings)
        self.around: Callable[[Request, Callable[[], Answer]], Answer] = lambda _, answered: answered()
        self._tokens = Tokens(self.settings)
        self._zoom = Zoom(world, self.settings, self._tokens, ORIGIN)
        self._downloads = Downloads(world, self.settings, self._tokens)

    def config_of(self, **overrides: Any) -> dict[str, Any]:
        """A config for this Zoom."""
        return laid_over(config_for(ORIGIN, self.settings, self.world), overrides)

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """The answer to one request; an `OSError` of `around` is a connection that broke."""
        asked = _asked(request)
        try:
            answer = self.around(asked, lambda: self._answer(asked))
        except ConnectionError as error:
            raise requests.ConnectionError(error, request=request) from error
        return self.build_response(request, self._sent(answer))

    def _answer(self, request: Request) -> Answer:
        if request.path == "/oauth/token":
            return self._tokens.answer(request)
        if request.path.startswith("/v2/"):
            return self._zoom.answer(request)
        return self._downloads.answer(request) if request.method == "GET" else html(405, "Method Not Allowed")

    def _sent(self, answer: Answer) -> urllib3.HTTPResponse:
        size = answer.content.size
        body = answer.content.read(0, size if answer.stop_after is None else min(size, answer.stop_after))
        head = {
            "Content-Length": str(size),
            "Date": format_datetime(self.settings.clock() + self.settings.skew, usegmt=True),
        }
        return urllib3.HTTPResponse(
            io.BytesIO(body), headers={**head, **answer.headers}, status=answer.status, preload_content=False
        )


def _asked(request: requests.PreparedRequest) -> Request:
    address = urlsplit(request.url or "")
    body = request.body or b""
    return Request(
        method=request.method or "",
        path=str(address.path),
        query=dict(parse_qsl(str(address.query), keep_blank_values=True)),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body.encode() if isinstance(body, str) else body,
        host="127.0.0.1",
    )
