"""Tokens of a Server-to-Server OAuth app: minted when needed, renewed in time, shared by all threads."""

import base64
import threading
from dataclasses import dataclass, field

from zoomsync.errors import Unreachable
from zoomsync.http import Http, brief, moment_of
from zoomsync.model import Authorization, Clock, Secret
from zoomsync.zoom import responses
from zoomsync.zoom.parse import number, text

LIFETIME = 3600
RENEWED_BEFORE = 600.0
"""Seconds before its end at which a token is replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An access token, what came with it, and until when it is used."""

    value: str = field(repr=False)
    authorization: Authorization
    renew_at: float
    """By `Clock.monotonic()`."""


class TokenSource:
    """Hands out the token in force. The secrets are read again for each one.

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
        """A new token. The parameters go into the body: the query form is refused for some apps.

        https://devforum.zoom.us/t/oauth-token-400-bad-request-params-in-query-string/124925
        """
        asked_at = self._clock.monotonic()
        pair = f"{self._client_id.reveal()}:{self._client_secret.reveal()}".encode()
        with brief(on=False):  # whoever needs it, a token concerns all
            response = self._http.request(
                "POST",
                self._oauth_url,
                repeatable=True,
                headers={"Authorization": f"Basic {base64.b64encode(pair).decode()}", "Accept": "application/json"},
                data={"grant_type": "account_credentials", "account_id": self._account_id.reveal()},
            )
        answer = responses.read(response.status_code, response.content)
        document = answer.document or {}
        if answer.status != 200 or "access_token" not in document:
            raise responses.token_refusal(answer)
        value = text(document["access_token"])
        if not value.isascii() or not value.isprintable() or " " in value or not value:
            raise Unreachable("zoom: no token: what came is none", hint="check zoom.oauth_url", service="zoom")
        lifetime = number(document.get("expires_in"))
        return Token(
            value=value,
            authorization=Authorization(
                scopes=frozenset(text(document.get("scope")).split()),
                server_date=moment_of(response.headers.get("Date", "")),
            ),
            renew_at=asked_at + renewal(lifetime if lifetime and lifetime > 0 else LIFETIME),
        )


def renewal(lifetime: float) -> float:
    """Seconds after which a token is replaced: ten minutes before its end, a short-lived one at half its life."""
    return lifetime / 2 if lifetime < 2 * RENEWED_BEFORE else lifetime - RENEWED_BEFORE
