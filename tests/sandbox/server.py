"""The stand-in as an HTTP server on loopback, and the handle by which a test holds it."""

import json
import time
from dataclasses import asdict
from typing import Any

from tests.sandbox import faults
from tests.sandbox.config import config_for, laid_over
from tests.sandbox.downloads import Downloads
from tests.sandbox.message import Answer, Record, Request, error, html, json_answer
from tests.sandbox.oauth import Tokens
from tests.sandbox.settings import Settings, wall_clock
from tests.sandbox.watched import Watched
from tests.sandbox.world import ACCOUNT, World
from tests.sandbox.worlds import full_world
from tests.sandbox.zoom import Zoom


class Sandbox(Watched):
    """A stand-in Zoom; `world` and `settings` may be changed while it serves."""

    def __init__(self, world: World | None = None, *, port: int = 0, **settings: Any) -> None:
        self.settings = Settings(**settings)
        self.world = full_world(wall_clock()) if world is None else world
        self.world.prepare()
        self.tokens = Tokens(self.settings)
        self._seconds: dict[tuple[str, int], int] = {}
        super().__init__(self.settings, port)
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

    def config(self, **overrides: Any) -> dict[str, Any]:
        """A config mapping for this sandbox; mappings in `overrides` are laid over key by key."""
        return laid_over(config_for(self.url, self.settings, self.world), overrides)

    def answer(self, request: Request, record: Record) -> Answer:  # noqa: ARG002  # of use to a portal
        """The answer to a request that does not fail."""
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
