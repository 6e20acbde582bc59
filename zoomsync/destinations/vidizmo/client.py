"""The portal's dialect: signing in, asking by the table of operations, and what its refusals mean."""

import json
import logging
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from requests import Response

from zoomsync.destinations.vidizmo.templates import Meaning, fill, picked
from zoomsync.errors import Forbidden, MeetingFailed, NotAuthorized, Unreachable
from zoomsync.http import Http
from zoomsync.redaction import host_of

if TYPE_CHECKING:
    from zoomsync.destinations.vidizmo.settings import VidizmoSettings

log = logging.getLogger(__name__)

PAGE_SIZE = 50
MOST_PAGES = 2000
STALE_TOKEN = "InvalidAccessTokenException"  # noqa: S105  # the name of an error
API = "/api/v1/"
NO_SIGN_IN = (301, 302, 303, 307, 308, 404, 405, 415)
"""What something else answers that is no portal."""
UNLIKE = (400, 404, 405, 415, 422, 501)
"""What a portal answers that wants to be asked in another way. None of these numbers is documented: assumed."""
_TOKEN = re.compile(r"[A-Za-z0-9._~+/:|=-]+")


class PortalRefused(MeetingFailed):
    """The portal says no to one request."""

    service = "portal"

    def __init__(self, message: str, *, hint: str, status: int, name: str) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.name = name
        """What the portal calls it, e.g. `LicenseLimitExceededException`."""

        self.is_gone = status in (404, 410)  # not documented: assumed
        """Whether what was asked for is not there, or not any more."""
        self.is_unknown = status < 400 or status in (404, 405, 410, 415)
        """Whether it looks as if the portal has no such operation, whatever it is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalResponse:
    """What the portal answered to an operation."""

    operation: str
    places: Mapping[str, str]
    meanings: Mapping[str, Meaning]
    document: Any

    def get(self, name: str, within: Any = None) -> Any:
        """What the row calls `name`, in the answer or in an element of it; None: not there."""
        return picked(self.document if within is None else within, self.places.get(name, ""))

    def text(self, name: str, within: Any = None) -> str:
        """As text, numbers too; empty: not there."""
        value = self.get(name, within)
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""

    def list(self, name: str, within: Any = None) -> list[Any]:
        """A list; empty if there is none."""
        value = self.get(name, within)
        return value if isinstance(value, list) else []

    def required(self, name: str) -> str:
        """A text that must be there; raises `Unreachable`."""
        if value := self.text(name):
            return value
        raise self.lacks(name)

    def lacks(self, name: str) -> Unreachable:
        """The error for an answer that has nothing where the row says that `name` is."""
        hint = f"another portal may have it elsewhere: destination.endpoints.{self.operation}.answer.{name} says where"
        return Unreachable(f"portal: {self.operation}: the answer holds no {name}", hint=hint, service="portal")


class PortalClient:
    """Calls one portal, signed in as one account. Shared by all threads."""

    def __init__(self, http: Http, settings: "VidizmoSettings") -> None:
        self.http = http
        self.table = settings.table
        self.url = settings.url
        self._settings = settings
        self._lock = threading.Lock()
        self._token = ""
        self._numbers: dict[str, int] = {}
        """The ids that the portal writes as numbers."""

    def sign_in(self, *, stale: str = "") -> str:
        """The token; a new one if there is none, or none but `stale`. Of many threads that saw it refused, one asks.

        Raises `NotAuthorized`, `Unreachable`, and `ConfigError` for a secret that cannot be read.
        """
        with self._lock:
            if self._token in ("", stale):
                self._token = ""  # so that a sign-in that fails leaves none
                self._token = self._new_token()
            return self._token

    def call(self, operation: str, *, data: bytes | None = None, **values: Any) -> PortalResponse:
        """Ask; a token that has ended is replaced, once.

        Raises `PortalRefused`, `Forbidden`, `NotAuthorized` and `Unreachable`; after the last it is not known whether
        the portal did what was asked. Each names the operation, what the portal calls the error, and its incident.
        """
        token = self.sign_in()
        response = self._send(operation, data, values, token)
        if _is_stale(response):
            response = self._send(operation, data, values, self.sign_in(stale=token))
            if _is_stale(response) and response.status_code != 401:
                message = f"portal: {operation}: {self._fact(response)}, right after signing in"
                hint = "check that nobody else signs in as destination.email at the same time"
                # it took the sign-in: this may concern one thing, as 401 does
                raise Forbidden(message, hint=hint, service="portal")
        if response.status_code >= 300:
            raise self._refusal(operation, response)
        document: Any = None
        if response.content.strip():
            try:
                document = json.loads(response.content)
            except (ValueError, RecursionError):
                said = f"{host_of(self.url)}: answers {self.http.said(response.content)} instead of JSON"
                hint = "check destination.url; the next pass tries again"
                raise Unreachable(f"portal: {operation}: {said}", hint=hint, service="portal") from None
        row = self.table[operation]
        return PortalResponse(operation=operation, places=row.answer, meanings=row.meanings, document=document)

    def pages(self, operation: str, **values: Any) -> Iterator[tuple[PortalResponse, list[Any]]]:
        """The elements of a list, page by page, each once, whether the portal counts pages or elements."""
        seen: set[str] = set()
        for page in range(MOST_PAGES):
            answer = self.call(operation, page=page, offset=len(seen), page_size=PAGE_SIZE, **values)
            new = [one for one in _elements(answer) if answer.text("id", one) not in seen]
            seen |= {answer.text("id", one) for one in new}
            yield answer, new
            total = answer.get("total")
            if not new or (isinstance(total, int) and len(seen) >= total):
                return

    def listed(self, operation: str) -> dict[str, str]:
        """The elements of a list that comes whole: name → id, empty if they have none."""
        answer = self.call(operation)
        return {answer.text("name", one): self.id(answer, "id", one) for one in _elements(answer)}

    def id(self, answer: PortalResponse, name: str, within: Any = None) -> str:
        """An id as text; whether the portal writes it as a number is remembered for `sent`."""
        value = answer.get(name, within)
        if isinstance(value, int) and not isinstance(value, bool):
            self._numbers[str(value)] = value
        return answer.text(name, within)

    def sent(self, own: str) -> str | int:
        """An id as the portal itself writes it."""
        return self._numbers.get(own, own)

    def _send(self, operation: str, data: bytes | None, values: Mapping[str, Any], token: str) -> Response:
        row = self.table[operation]
        path, query, document = fill(row, values)
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if data is not None:
            headers["Content-Type"] = "application/octet-stream"
        try:
            response = self.http.request(
                row.method,
                f"{self.url}{API}{path}",
                repeatable=row.repeatable,
                params=query,
                headers=headers,
                data=data,
                json=document,
            )
        except Unreachable as error:
            fact = str(error).removeprefix(f"{self.http.name}: ")
            raise error.become(type(error), f"portal: {operation}: {fact}") from None
        if data is None:  # the path as it is in the table: the filled one may contain a secret
            log.debug("portal: %s: %s %s: HTTP %d", operation, row.method, row.path, response.status_code)
        return response

    def _new_token(self) -> str:
        account = self._settings
        values = {
            "email": account.email,
            "password": account.password.reveal() if account.password else None,
            "client_secret": account.client_secret.reveal() if account.client_secret else None,
            "application_id": account.application_id,
        }
        for secret in filter(None, (values["password"], values["client_secret"])):
            self.http.hide(secret)
        response = self._send("sign_in", None, values, "")
        fact = self._fact(response)
        if response.status_code in NO_SIGN_IN:
            hint = f"check destination.url, to which {API} is added"
            raise Unreachable(f"portal: {host_of(self.url)}: no sign-in there: {fact}", hint=hint, service="portal")
        if response.status_code >= 300:
            which = "password" if account.password else "client_secret, which may have expired, and application_id"
            hint = f"check destination.email and {which}"
            raise NotAuthorized(f"portal: {host_of(self.url)}: sign-in refused: {fact}", hint=hint, service="portal")
        # A bare JSON string (help article 17000111344); not documented: a token without its quotes, or deeper.
        document: Any = response.content.decode("utf-8", "replace").strip()
        with suppress(ValueError, RecursionError):
            document = json.loads(document)
        token = picked(document, self.table["sign_in"].answer["token"])
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            hint = "check destination.url, or destination.endpoints.sign_in.answer"
            raise Unreachable("portal: no token: what came is none", hint=hint, service="portal")
        self.http.hide(token)
        return token

    def _refusal(self, operation: str, response: Response) -> MeetingFailed | NotAuthorized:
        message = f"portal: {operation}: {self._fact(response)}"
        if response.status_code in (401, 403):
            hint = "give the account of destination.email, and the author, the right to do this in the portal"
            return Forbidden(message, hint=hint, service="portal")
        hint = f"the portal's reference is {self.url}{API}doc/index.html"
        if response.status_code < 400 or response.status_code in UNLIKE:
            hint += f"; destination.endpoints.{operation} overrides what zoomsync sends"
        return PortalRefused(message, hint=hint, status=response.status_code, name=_error_name(response))

    def _fact(self, response: Response) -> str:
        """`HTTP 400, LicenseLimitExceededException (incident 1f…)`."""
        return f"HTTP {response.status_code}, {self.http.said(response.content)}"


def _elements(answer: PortalResponse) -> list[Any]:
    """The elements of a list. Raises `Unreachable` if there is none, or if its elements have no id."""
    if not isinstance(answer.get("found"), list):
        raise answer.lacks("found")
    found = [one for one in answer.list("found") if isinstance(one, dict)]
    if answer.places.get("id") and not all(answer.text("id", one) for one in found):
        raise answer.lacks("id")
    return found


def _is_stale(response: Response) -> bool:
    """Whether the token has ended: after a day, or 20 minutes without a request, by the portal's version.

    400 with that name: https://help.vidizmo.com/support/solutions/articles/17000111344. 401: not documented, assumed.
    """
    return response.status_code == 401 or (response.status_code == 400 and _error_name(response) == STALE_TOKEN)


def _error_name(response: Response) -> str:
    """Every error has `name`, `incidentId` and `exceptionDetails` (help article 17000111344)."""
    document: Any = None
    with suppress(ValueError, RecursionError):
        document = json.loads(response.content)
    name = document.get("name") if isinstance(document, dict) else None
    return name if isinstance(name, str) else ""
