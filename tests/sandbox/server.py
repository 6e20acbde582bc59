"""The stand-in as an HTTP server on loopback, and the handle by which a test holds it."""

import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Self

from tests.sandbox import faults
from tests.sandbox.config import config_for, laid_over
from tests.sandbox.connection import Listener
from tests.sandbox.downloads import Downloads
from tests.sandbox.faults import Fault, Rule
from tests.sandbox.message import Answer, Record, Request, error, html, json_answer
from tests.sandbox.oauth import Tokens
from tests.sandbox.settings import Settings, wall_clock
from tests.sandbox.world import ACCOUNT, World
from tests.sandbox.worlds import full_world
from tests.sandbox.zoom import Zoom


class Sandbox:
    """A stand-in Zoom, serving from `with` to its end.

    `world` and `settings` may be changed while it serves; `requests` holds what came in, oldest first.
    """

    def __init__(self, world: World | None = None, *, port: int = 0, **settings: Any) -> None:
        self.settings = Settings(**settings)
        self.world = full_world(wall_clock()) if world is None else world
        self.world.prepare()
        self.requests: list[Record] = []
        self.rules: list[Rule] = []
        self.tokens = Tokens(self.settings)
        self._lock = threading.Lock()
        self._seconds: dict[tuple[str, int], int] = {}
        self._listener = Listener(self.respond, self.settings, port)
        self.url = self._listener.url
        self._zoom = Zoom(self.world, self.settings, self.tokens, self.url)
        self._downloads = Downloads(self.world, self.settings, self.tokens)

    account_id = ACCOUNT

    @property
    def client_id(self) -> str:
        """Of the app."""
        return self.settings.client_id

    @property
    def client_secret(self) -> str:
        """Of the app."""
        return self.settings.client_secret

    @property
    def api_url(self) -> str:
        """For `zoom.api_url`."""
        return f"{self.url}/v2"

    @property
    def oauth_url(self) -> str:
        """For `zoom.oauth_url`."""
        return f"{self.url}/oauth/token"

    def __enter__(self) -> Self:
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End serving, stalled connections included."""
        self._listener.close()

    def fail(
        self,
        path: str = "",
        *,
        with_: Fault,
        method: str | None = None,
        times: int | None = 1,
        skip: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> Rule:
        """Let requests whose raw path contains the pattern fail; rules added earlier come first."""
        rule = Rule(path=path, method=method, fault=with_, times=times, skip=skip, headers=headers or {})
        with self._lock:
            self.rules.append(rule)
        return rule

    def heal(self) -> None:
        """End all faults."""
        with self._lock:
            self.rules.clear()

    def count(self, method: str = "", path: str = "") -> int:
        """How many requests came with this method whose raw path contains the pattern."""
        return len(self.seen(method, path))

    def seen(self, method: str = "", path: str = "") -> list[Record]:
        """The requests that came with this method whose raw path contains the pattern."""
        with self._lock:
            return [one for one in self.requests if method in ("", one.method) and re.search(path, one.path)]

    def forget(self) -> None:
        """Forget the requests so far."""
        with self._lock:
            self.requests.clear()

    def config(self, **overrides: Any) -> dict[str, Any]:
        """A config mapping for this sandbox; mappings in `overrides` are laid over key by key."""
        return laid_over(config_for(self.url, self.settings, self.world), overrides)

    def respond(self, request: Request, record: Record) -> Answer:
        """The answer to a request, faults included."""
        with self._lock:
            self.requests.append(record)
            fault = next((rule.fault for rule in self.rules if rule.strikes(request)), None)
        if fault is None:
            return self._answer(request)
        if fault.instead:
            return fault.instead(request)
        answer = self._answer(fault.ask(request) if fault.ask else request)
        return fault.change(request, answer) if fault.change else answer

    def _answer(self, request: Request) -> Answer:
        if request.host == faults.FOREIGN:
            return Answer(headers={"Content-Type": "video/mp4"})
        if request.path == "/oauth/token" and request.method == "POST":
            return self.tokens.answer(request)
        if request.path.startswith("/v2/"):
            return self._too_many(request) or self._zoom.answer(request)
        if request.path == "/sandbox/requests":
            return json_answer([asdict(one) for one in self.requests])
        if request.path.startswith("/sandbox/") and request.method == "POST":
            return self._play(request)
        return self._downloads.answer(request) if request.method == "GET" else html(405, "Method Not Allowed")

    def _too_many(self, request: Request) -> Answer | None:
        label = self._zoom.label(request)
        limit = self.settings.limits.get(label or "")
        if label is None or limit is None:
            return None
        with self._lock:
            key = (label, int(time.monotonic()))
            self._seconds[key] = self._seconds.get(key, 0) + 1
            return faults.too_many("seconds", 1, "QPS", limit) if self._seconds[key] > limit else None

    def _play(self, request: Request) -> Answer:
        """What a person does by hand: release what is late, switch faults on or off."""
        what, _, name = request.path.removeprefix("/sandbox/").partition("/")
        try:
            if what == "release":
                return json_answer({"released": self.world.release(name or None)})
            if what == "heal":
                self.heal()
                return json_answer({"faults": 0})
            order = json.loads(request.body)
            fault = faults.MAKERS[order.pop("fault")](**order.pop("with", {}))
            self.fail(order.pop("path", ""), with_=fault, **order)
        except (KeyError, TypeError, ValueError) as cause:
            return error(400, 300, f"not understood: {cause!r}", held=list(self.world.held), faults=list(faults.MAKERS))
        return json_answer({"faults": len(self.rules)})
