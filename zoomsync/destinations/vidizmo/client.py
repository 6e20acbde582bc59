"""The portal's dialect: signing in, asking by the table of operations, and what its refusals mean."""

import json
import logging
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from requests import Response

from zoomsync.destinations.vidizmo.templates import Operation, fill, picked
from zoomsync.errors import Forbidden, MeetingFailed, NotAuthorized, Unreachable
from zoomsync.http import Http
from zoomsync.model import Secret
from zoomsync.redaction import host_of

log = logging.getLogger(__name__)

PAGE_SIZE = 50
MOST_PAGES = 2000
STALE_TOKEN = "InvalidAccessTokenException"  # noqa: S105  # the name of an error
API = "/api/v1/"
NO_SIGN_IN = (301, 302, 303, 307, 308, 404, 405, 415)
"""What something else answers that is no portal."""
UNLIKE = (400, 404, 405, 415, 422, 501)
"""What a portal answers that wants to be asked otherwise."""
_TOKEN = re.compile(r"[A-Za-z0-9._~+/:|=-]+")


class PortalRefused(MeetingFailed):
    """The portal says no to one request."""

    service = "portal"

    def __init__(self, message: str, *, hint: str, status: int, name: str) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.name = name
        """What the portal calls it, e.g. `LicenseLimitExceededException`."""

    @property
    def is_unknown(self) -> bool:
        """Whether it looks as if the portal has no such operation, whatever it is asked for."""
        return self.status < 400 or self.status in (404, 405, 410, 415)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who signs in: by password, or by the secret of an Authentication App made in the portal."""

    email: str
    password: Secret | None = None
    client_secret: Secret | None = None
    application_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalResponse:
    """What the portal answered to an operation."""

    operation: str
    places: Mapping[str, str]
    document: Any

    def get(self, name: str, within: Any = None) -> Any:
        """What the row calls `name`, in the answer or in an element of it; None: not there."""
        return picked(self.document if within is None else within, self.places.get(name, ""))

    def text(self, name: str, within: Any = None) -> str:
        """As text, numbers too; empty: not there."""
        value = self.get(name, within)
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""

    def list(self, name: str, within: Any = None) -> list[Any]:
        """A list; empty where there is none."""
        value = self.get(name, within)
        return value if isinstance(value, list) else []

    def required(self, name: str) -> str:
        """A text that must be there; raises `Unreachable`."""
        if value := self.text(name):
            return value
        raise misunderstood(self.operation, name)


def misunderstood(operation: str, name: str) -> Unreachable:
    """The error for an answer that lacks what the row says it holds."""
    return Unreachable(
        f"portal: {operation}: the answer holds no {name}",
        hint=f"another portal may have it elsewhere: destination.endpoints.{operation}.answer.{name} says where",
        service="portal",
    )


class PortalClient:
    """Calls one portal, signed in as one account. Shared by all threads."""

    def __init__(self, http: Http, table: Mapping[str, Operation], *, url: str, account: Account) -> None:
        self.table = table
        self.url = url
        self.account = account
        self._http = http
        self._lock = threading.Lock()
        self._token: str | None = None
        self._numbers: dict[str, int] = {}

    def sign_in(self) -> None:
        """Make sure that there is a token. Raises `NotAuthorized`, `Unreachable`, and `ConfigError` for the secret."""
        self._current()

    def close(self) -> None:
        """End every connection."""
        self._http.close()

    def call(self, operation: str, *, data: bytes | None = None, **values: Any) -> PortalResponse:
        """Ask; a token that has ended is replaced, once.

        Raises `Refused`, `Forbidden`, `NotAuthorized` and `Unreachable`; after the latter it is not known whether the
        portal did what was asked. Each names the operation, what the portal calls it, and its incident.
        """
        token = self._current()
        response = self._send(operation, data, values, token)
        if _is_stale(response):
            token = self._renewed(token)
            response = self._send(operation, data, values, token)
            if _is_stale(response) and response.status_code != 401:
                raise NotAuthorized(
                    f"portal: {operation}: {self._fact(response)}, right after signing in",
                    hint="check that nobody else signs in as destination.email at the same time",
                    service="portal",
                )
        if response.status_code >= 300:
            raise self._refusal(operation, response)
        return PortalResponse(
            operation=operation, places=self.table[operation].answer, document=self._document(operation, response)
        )

    def pages(self, operation: str, **values: Any) -> Iterator[tuple[PortalResponse, list[Any]]]:
        """The elements of a list, page by page, each once, whether the portal counts pages or elements."""
        seen: set[str] = set()
        for page in range(MOST_PAGES):
            answer = self.call(operation, page=page, offset=len(seen), page_size=PAGE_SIZE, **values)
            new = [one for one in self._found(answer) if answer.text("id", one) not in seen]
            seen |= {answer.text("id", one) for one in new}
            yield answer, new
            total = answer.get("total")
            if not new or (isinstance(total, int) and len(seen) >= total):
                return

    def listed(self, operation: str) -> tuple[PortalResponse, list[Any]]:
        """A list that comes whole."""
        answer = self.call(operation)
        return answer, self._found(answer)

    def id(self, answer: PortalResponse, name: str, within: Any = None) -> str:
        """An id as text; whether the portal writes it as a number is remembered for `sent`."""
        value = answer.get(name, within)
        if isinstance(value, int) and not isinstance(value, bool):
            self._numbers[str(value)] = value
        return answer.text(name, within)

    def sent(self, own: str) -> str | int:
        """An id as the portal itself writes it."""
        return self._numbers.get(own, own)

    def _found(self, answer: PortalResponse) -> list[Any]:
        """The elements of a list. Raises `Unreachable` where there is none, or one whose elements have no id."""
        if not isinstance(answer.get("found"), list):
            raise misunderstood(answer.operation, "found")
        found = [one for one in answer.list("found") if isinstance(one, dict)]
        if answer.places.get("id") and not all(answer.text("id", one) for one in found):
            raise misunderstood(answer.operation, "id")
        return found

    def _send(self, operation: str, data: bytes | None, values: Mapping[str, Any], token: str | None) -> Response:
        row = self.table[operation]
        filled = fill(row, values)
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if data is not None:
            headers["Content-Type"] = "application/octet-stream"
        try:
            response = self._http.request(
                row.method,
                f"{self.url}{API}{filled.path}",
                repeatable=row.repeatable,
                params=filled.query,
                headers=headers,
                data=data,
                json=filled.document,
            )
        except Unreachable as error:
            fact = str(error).removeprefix(f"{self._http.name}: ")
            raise error.become(type(error), f"portal: {operation}: {fact}") from None
        if data is None:  # the path as it is in the table: the filled one may hold a secret
            log.debug("portal: %s: %s %s: HTTP %d", operation, row.method, row.path, response.status_code)
        return response

    def _current(self) -> str:
        with self._lock:
            if self._token is None:
                self._token = self._mint()
            return self._token

    def _renewed(self, stale: str) -> str:
        """Another token than `stale`; of many threads that saw it refused, one signs in."""
        with self._lock:
            if self._token is None or self._token == stale:
                self._token = None
                self._token = self._mint()
            return self._token

    def _mint(self) -> str:
        account = self.account
        values = {
            "email": account.email,
            "password": account.password.reveal() if account.password else None,
            "client_secret": account.client_secret.reveal() if account.client_secret else None,
            "application_id": account.application_id,
        }
        for secret in filter(None, (values["password"], values["client_secret"])):
            self._http.hide(secret)
        response = self._send("sign_in", None, values, None)
        fact = self._fact(response)
        if response.status_code in NO_SIGN_IN:
            raise Unreachable(
                f"portal: {host_of(self.url)}: no sign-in there: {fact}",
                hint=f"check destination.url, to which {API} is added",
                service="portal",
            )
        if response.status_code >= 300:
            which = "password" if account.password else "client_secret, which may have expired, and application_id"
            raise NotAuthorized(
                f"portal: {host_of(self.url)}: sign-in refused: {fact}",
                hint=f"check destination.email and {which}",
                service="portal",
            )
        token = _token(response, self.table["sign_in"].answer["token"])
        self._http.hide(token)
        return token

    def _refusal(self, operation: str, response: Response) -> MeetingFailed | NotAuthorized:
        message = f"portal: {operation}: {self._fact(response)}"
        if response.status_code in (401, 403):
            hint = "give the account of destination.email, and the author, the right to do this in the portal"
            return Forbidden(message, hint=hint, service="portal")
        hint = f"the portal's reference is {self.url}{API}doc/index.html"
        if response.status_code < 400 or response.status_code in UNLIKE:
            hint += f"; destination.endpoints.{operation} overrides what zoomsync sends"
        return PortalRefused(message, hint=hint, status=response.status_code, name=_name(response))

    def _fact(self, response: Response) -> str:
        """`HTTP 400, LicenseLimitExceededException (incident 1f…)`."""
        return f"HTTP {response.status_code}, {self._http.said(response.content)}"

    def _document(self, operation: str, response: Response) -> Any:
        if not response.content.strip():
            return None
        try:
            return json.loads(response.content)
        except (ValueError, RecursionError):
            pass
        raise Unreachable(
            f"portal: {operation}: {host_of(self.url)}: answers {self._http.said(response.content)} instead of JSON",
            hint="check destination.url; the next pass tries again",
            service="portal",
        )


def _token(response: Response, place: str) -> str:
    """The token: a bare JSON string, or without its quotes, or where the row says."""
    text = response.content.decode("utf-8", "replace").strip()
    document: Any = text
    with suppress(ValueError, RecursionError):
        document = json.loads(text)
    token = picked(document, place)
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise Unreachable(
            "portal: no token: what came is none",
            hint="check destination.url, or destination.endpoints.sign_in.answer",
            service="portal",
        )
    return token


def _is_stale(response: Response) -> bool:
    """Whether the token has ended: 400 with that name, or 401."""
    return response.status_code == 401 or (response.status_code == 400 and _name(response) == STALE_TOKEN)


def _error(response: Response) -> Mapping[str, Any]:
    with suppress(ValueError, RecursionError):
        document = json.loads(response.content)
        if isinstance(document, dict):
            return document
    return {}


def _name(response: Response) -> str:
    name = _error(response).get("name")
    return name if isinstance(name, str) else ""
