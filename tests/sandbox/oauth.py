"""Tokens and scopes: `POST /oauth/token` and what a request's token allows."""

import base64
import itertools
import threading
import time
from urllib.parse import parse_qs

from tests.sandbox.message import Answer, Request, error, json_answer
from tests.sandbox.settings import Settings
from tests.sandbox.world import ACCOUNT

SCOPES = {
    "account list": (
        "cloud_recording:read:list_account_recordings:admin",
        "recording:read:admin",
        "account:read:admin",
    ),
    "user list": ("cloud_recording:read:list_user_recordings:admin", "recording:read:admin"),
    "meeting": ("cloud_recording:read:list_recording_files:admin", "recording:read:admin"),
    "users": ("user:read:list_users:admin", "user:read:admin"),
    "user": ("user:read:user:admin", "user:read:admin"),
    "delete meeting": ("cloud_recording:delete:meeting_recording:admin", "recording:write:admin"),
    "delete file": ("cloud_recording:delete:recording_file:admin", "recording:write:admin"),
}
"""The granular name, or all the classic ones."""


class Tokens:
    """The access tokens that were handed out."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._until: dict[str, float] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer:
        """The answer of the token endpoint."""
        body = parse_qs(request.body.decode("utf-8", "replace"))
        form = {**request.query, **{name: values[0] for name, values in body.items()}}
        if refusal := self._refusal(request, form):
            return refusal
        scope = " ".join(self._settings.scopes)
        lifetime = int(self._settings.token_lifetime)
        return json_answer(
            {"access_token": self.mint(), "token_type": "bearer", "expires_in": lifetime, "scope": scope,
             "api_url": f"http://{request.headers.get('host', '127.0.0.1')}"}
        )  # fmt: skip

    def _refusal(self, request: Request, form: dict[str, str]) -> Answer | None:
        pair = f"{self._settings.client_id}:{self._settings.client_secret}"
        expected = base64.b64encode(pair.encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return _refuse(400, "invalid_client", "Invalid client_id or client_secret")
        if form.get("grant_type") != "account_credentials":
            return _refuse(400, "unsupported_grant_type", "unsupported grant type")
        if form.get("account_id") != ACCOUNT:
            return _refuse(400, "invalid_request", "Account does not exist")
        return None

    def mint(self) -> str:
        """A new token that works from now on."""
        with self._lock:
            if not self._settings.keeps_older_tokens:
                self._until.clear()
            token = f"sandbox.token.{next(self._numbers)}.e30"
            self._until[token] = time.monotonic() + self._settings.token_lifetime
            return token

    def revoke(self) -> None:
        """End every token at once."""
        with self._lock:
            self._until.clear()

    def is_good(self, token: str | None) -> bool:
        """Whether this token works now."""
        return token is not None and self._until.get(token, 0) > time.monotonic()

    def refusal(self, request: Request, need: str) -> Answer | None:
        """Why this request may not do what needs `need`, one of `SCOPES`; None: it may."""
        token = request.bearer
        if token is None or token not in self._until:
            return error(401, 124, "Invalid access token.")
        if not self.is_good(token):
            return error(401, 124, "Access token is expired.")
        return None if self._has_scope(need) else lacks_scopes(SCOPES[need])

    def _has_scope(self, need: str) -> bool:
        granular, *classic = SCOPES[need]
        return granular in self._settings.scopes or set(classic) <= set(self._settings.scopes)


def lacks_scopes(alternatives: tuple[str, ...]) -> Answer:
    """Zoom's refusal for want of a scope; the bracket lists alternatives."""
    return error(400, 4711, f"Invalid access token, does not contain scopes:[{', '.join(alternatives)}].")


def _refuse(status: int, kind: str, reason: str) -> Answer:
    return json_answer({"reason": reason, "error": kind}, status=status)
