"""Tokens of a Server-to-Server OAuth app: minted when needed, renewed in time, shared by all threads."""

import base64
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from zoomsync.errors import Unreachable
from zoomsync.http import Http, moment_of
from zoomsync.model import Clock, Secret
from zoomsync.zoom import responses
from zoomsync.zoom.scopes import granted

LIFETIME = 3600
RENEWED_BEFORE = 600.0
"""Seconds before its end at which a token is replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An access token, what it allows, and Zoom's own time when it was given."""

    value: str = field(repr=False)
    scopes: frozenset[str]
    server_date: datetime | None
    renew_at: float
    """By `Clock.monotonic()`."""


class TokenSource:
    """Hands out the token in force. The secrets are read anew for each one.

    https://developers.zoom.us/docs/internal-apps/s2s-oauth/
    """

    def __init__(
        self, http: Http, *, oauth_url: str, account_id: Secret, client_id: Secret, client_secret: Secret, clock: Clock
    ) -> None:
        self._http = http
        self._oauth_url = oauth_url
        self._account_id = account_id
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None

    def current(self) -> Token:
        """A token with a while to live. Raises `NotAuthorized`, `Unreachable`, and `ConfigError` for the secrets."""
        with self._lock:
            if self._token is None or self._clock.monotonic() >= self._token.renew_at:
                self._token = self._mint()
            return self._token

    def renew(self, stale: Token) -> Token:
        """Another token than `stale`, which was refused; of many threads that saw this, one mints. Raises as above."""
        with self._lock:
            if self._token is None or self._token is stale:
                self._token = None
                self._token = self._mint()
            return self._token

    def _mint(self) -> Token:
        asked_at = self._clock.monotonic()
        pair = f"{self._client_id.reveal()}:{self._client_secret.reveal()}".encode()
        response = self._http.request(
            "POST",
            self._oauth_url,
            repeatable=True,
            headers={"Authorization": f"Basic {base64.b64encode(pair).decode()}", "Accept": "application/json"},
            data={"grant_type": "account_credentials", "account_id": self._account_id.reveal()},
        )
        answer = responses.read(response.status_code, response.content)
        if answer.status != 200 or answer.document is None or "access_token" not in answer.document:
            raise responses.token_refusal(answer)
        return _token(answer.document, asked_at, moment_of(response.headers.get("Date", "")))


def _token(document: Mapping[str, Any], asked_at: float, server_date: datetime | None) -> Token:
    value = responses.text(document["access_token"])
    if not value.isascii() or not value.isprintable() or " " in value or not value:
        raise Unreachable("zoom: no token: what came is none", hint="check zoom.oauth_url", service="zoom")
    lifetime = responses.number(document.get("expires_in")) or LIFETIME
    return Token(
        value=value,
        scopes=granted(responses.text(document.get("scope"))),
        server_date=server_date,
        renew_at=asked_at + renewal(lifetime),
    )


def renewal(lifetime: float) -> float:
    """Seconds after which a token is replaced: ten minutes before its end, a short-lived one at half its life."""
    return lifetime / 2 if lifetime < 2 * RENEWED_BEFORE else lifetime - RENEWED_BEFORE
