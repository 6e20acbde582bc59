"""Sign-in and the tokens that it hands out."""

import itertools
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.sandbox.content import Text
from tests.sandbox.message import Answer, Request
from tests.sandbox.portal.call import Call, Refused, is_filled
from tests.sandbox.portal.people import PortalUser
from tests.sandbox.portal.settings import PortalSettings


@dataclass(slots=True)
class _Token:
    made: datetime
    used: datetime


class Signing:
    """Tokens of the one account that signs in."""

    def __init__(self, settings: PortalSettings) -> None:
        self._settings = settings
        self._tokens: dict[str, _Token] = {}
        self._numbers = itertools.count(1)

    def sign_in(self, call: Call) -> Answer:
        """The token as a bare JSON string, or without quotes."""
        optional = {"password": is_filled, "clientSecret": is_filled, "applicationId": is_filled}
        sent = call.fields({"emailAddress": is_filled}, optional)
        if ("password" in sent) == ("clientSecret" in sent):
            raise Refused(400, "InvalidRequestException", "either password or clientSecret")
        if not self._is_right(sent):
            raise self._refused("InvalidCredentialsException", "wrong e-mail, password or secret")
        if self._settings.secret_is_expired and "clientSecret" in sent:
            raise self._refused("ClientSecretExpiredException", "the authentication app has expired")
        token = self.mint()
        is_quoted = self._settings.token_form == "quoted"
        return Answer(headers={"Content-Type": "application/json; charset=utf-8" if is_quoted else "text/plain"},
                      content=Text((json.dumps(token) if is_quoted else token).encode()))  # fmt: skip

    def _refused(self, name: str, detail: str) -> Refused:
        return Refused(self._settings.wrong_credentials_status, name, detail)

    def _is_right(self, sent: dict[str, Any]) -> bool:
        own = self._settings
        return (
            sent["emailAddress"].lower() == own.email.lower()
            and sent.get("password", own.password) == own.password
            and sent.get("clientSecret", own.client_secret) == own.client_secret
            and (own.application_id is None or sent.get("applicationId") == own.application_id)
        )

    def mint(self) -> str:
        """A new token that works from now on."""
        if self._settings.single_session:
            self._tokens.clear()
        token = f"portal.token.{next(self._numbers)}.e30"
        now = self._settings.clock()
        self._tokens[token] = _Token(now, now)
        return token

    def revoke(self) -> None:
        """End every token at once."""
        self._tokens.clear()

    def admit(self, request: Request, service: PortalUser) -> PortalUser:
        """Whose request this is; refuses one without a token that works now."""
        if request.bearer is None:
            raise Refused(401, "InvalidAccessTokenException")
        token = self._tokens.get(request.bearer)
        if token is None or not self._lives(token) or not service.is_active:
            self._tokens.pop(request.bearer, None)
            raise Refused(self._settings.expired_status, "InvalidAccessTokenException")
        token.used = self._settings.clock()
        return service

    def _lives(self, token: _Token) -> bool:
        now, idle = self._settings.clock(), self._settings.token_idle
        if idle is not None and now - token.used >= timedelta(seconds=idle):
            return False
        return now - token.made < timedelta(seconds=self._settings.token_lifetime)
