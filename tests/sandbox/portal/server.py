"""The portal as an HTTP server on loopback, and the handle by which a test holds it."""

import json
import tempfile
import threading
import time
import uuid as guids
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.sandbox import faults as any_server
from tests.sandbox.message import Answer, Record, Request, html, json_answer
from tests.sandbox.portal.accounts import Accounts
from tests.sandbox.portal.blobs import Blob, Blobs
from tests.sandbox.portal.call import Call, Handler, Refused
from tests.sandbox.portal.config import destination_for
from tests.sandbox.portal.faults import MAKERS as OWN_FAULTS
from tests.sandbox.portal.fields import Fields
from tests.sandbox.portal.mashups import Mashups
from tests.sandbox.portal.media import Catalogue, Media
from tests.sandbox.portal.operations import BASE, USERS, match
from tests.sandbox.portal.people import Group, Invitation, People, PortalUser, numbers
from tests.sandbox.portal.scim import PREFIX, Scim, scim_operation
from tests.sandbox.portal.search import Search
from tests.sandbox.portal.settings import PortalSettings
from tests.sandbox.portal.showing import Showing
from tests.sandbox.portal.signing import Signing
from tests.sandbox.watched import Watched

MAKERS = {**any_server.MAKERS, **OWN_FAULTS}


class Portal(Watched):
    """A stand-in portal; `settings` and all that it holds may be changed while it serves."""

    def __init__(self, *, port: int = 0, **settings: Any) -> None:
        self.settings = PortalSettings(**settings)
        self.incidents: list[str] = []
        """The incidentId of every error, oldest first."""
        ids = numbers()
        self._turn = threading.RLock()
        self._folder = tempfile.TemporaryDirectory(prefix="portal-")
        self.people = People(self.settings, ids)
        self.catalogue = Catalogue(ids)
        self.signing = Signing(self.settings)
        self._blobs = Blobs(self.settings, Path(self._folder.name))
        showing = Showing(self.settings, self.people, self.catalogue)
        self._mashups = Mashups(self.settings, self.people, self.catalogue, self._blobs, showing)
        accounts = Accounts(self.settings, self.people)
        self._scim = Scim(self.settings, self.people, accounts)
        self._second = (0, 0)
        self._handlers: dict[str, Handler] = {
            "sign_in": self.signing.sign_in,
            "media_search": Search(self.settings, self.catalogue, showing).answer,
            **accounts.handlers(),
            **self._blobs.handlers(),
            **self._mashups.handlers(),
            **Fields(self.catalogue, showing).handlers(),
        }
        self.service = self.people.add(self.settings.email, self.settings.privileged, first="Service")
        super().__init__(self.settings, port)

    @property
    def email(self) -> str:
        """Of the account that signs in."""
        return self.settings.email

    @property
    def password(self) -> str:
        """Of that account."""
        return self.settings.password

    @property
    def client_secret(self) -> str:
        """Of its authentication app."""
        return self.settings.client_secret

    @property
    def scim_url(self) -> str:
        """For `destination.scim_url`."""
        return f"{self.url}{PREFIX}"

    @property
    def scim_token(self) -> str:
        """For `destination.scim_token`."""
        return self.settings.scim_token

    @property
    def users(self) -> dict[str, PortalUser]:
        """By id."""
        return self.people.users

    @property
    def groups(self) -> dict[str, Group]:
        """By id."""
        return self.people.groups

    @property
    def invitations(self) -> list[Invitation]:
        """Every mail with a link that went out."""
        return self.people.invitations

    @property
    def media(self) -> dict[str, Media]:
        """By id, in the order in which they came; deleted ones included."""
        return self.catalogue.media

    @property
    def blobs(self) -> dict[str, Blob]:
        """The uploads, by file GUID."""
        return self._blobs.blobs

    @property
    def overridden(self) -> list[tuple[str, str]]:
        """Media id and path: publish settings that were sent though the admin did not set them."""
        return self._mashups.overridden

    def clock(self) -> datetime:
        """The portal's time."""
        return self.settings.clock()

    def advance(self, seconds: float = 0, **span: float) -> None:
        """Let time pass at the portal."""
        step, before = timedelta(seconds=seconds, **span), self.settings.clock
        self.settings.clock = lambda: before() + step

    def add_user(self, email: str, *groups: str, first: str = "", last: str = "", active: bool = True) -> PortalUser:
        """A user who has been there, in groups by their ordinary names; an address may be there more than once."""
        return self.people.add(email, *groups, first=first, last=last, active=active)

    def add_category(self, name: str) -> str:
        """A new category; its id."""
        return self.catalogue.add_category(name)

    def user(self, email: str) -> PortalUser:
        """The one user with this address."""
        (one,) = self.people.called(email)
        return one

    def tagged(self, attribute: str, value: str) -> list[Media]:
        """The media with this attribute that are not deleted."""
        every = self.media.values()
        return [one for one in every if one.attributes.get(attribute) == value and not one.deleted]

    def forget_uploads(self) -> None:
        """What a portal does that tidies up: uploads that were never committed are gone."""
        self._blobs.forget()

    def calls(self, operation: str) -> list[Record]:
        """The requests for an operation, by its name in the table."""
        with self._lock:
            return [one for one in self.requests if one.operation == operation]

    def config(self, **overrides: Any) -> dict[str, Any]:
        """A config's `destination` for this portal; mappings in `overrides` are laid over key by key."""
        return destination_for(self.url, self.settings, overrides)

    def close(self) -> None:
        """End serving and forget every byte."""
        super().close()
        self._folder.cleanup()

    def operation_of(self, request: Request) -> str:
        """Its name in the table; empty for none of them."""
        found = match(request, self.settings.paths)
        return found[0] if found else scim_operation(request)

    def answer(self, request: Request, record: Record) -> Answer:
        """The answer to a request that does not fail."""
        if request.path.startswith("/sandbox/"):
            return self._play(request)
        if request.path == f"{BASE}doc/index.html":
            return html(200, "API reference")
        if "json" in request.headers.get("content-type", ""):
            record.document = _document(request.body)
        with self._turn:
            if request.path.startswith(PREFIX):
                return self._scim.answer(request)
            try:
                return self._handle(request)
            except Refused as refused:
                return self._refusal(refused, request)

    def _refusal(self, refused: Refused, request: Request) -> Answer:
        """An error in the portal's shape."""
        self.incidents.append(str(guids.uuid4()))
        body = {"name": refused.name, "incidentId": self.incidents[-1],
                "exceptionDetails": [{"message": one} for one in refused.details]}  # fmt: skip
        if self.settings.echoes_secrets:
            body |= _echo(request)
        return json_answer(body, status=refused.status, headers=refused.headers)

    def _handle(self, request: Request) -> Answer:
        self._count()
        found = match(request, self.settings.paths)
        if found is None:
            raise Refused(404, "ResourceNotFoundException", f"{request.method} {request.path}: no such operation")
        name, arguments = found
        caller = self.service if name == "sign_in" else self.signing.admit(request, self.service)
        if name in USERS and not self.settings.manages_users:
            raise Refused(403, "AccessDeniedException", "the account may not manage users")
        return self._handlers[name](Call(request=request, arguments=arguments, caller=caller))

    def _count(self) -> None:
        second, count = self._second
        now = int(time.monotonic())
        self._second = (now, count + 1 if now == second else 1)
        if self.settings.rate is not None and self._second[1] > self.settings.rate:
            raise Refused(429, "TooManyRequestsException", headers={"Retry-After": "1"})

    def _play(self, request: Request) -> Answer:
        """What a person does by hand: look, and switch faults on or off."""
        if request.method == "GET" and request.path == "/sandbox/requests":
            return json_answer([asdict(one) for one in self.requests])
        if request.path == "/sandbox/heal":
            self.heal()
            return json_answer({"faults": 0})
        try:
            order = json.loads(request.body)
            fault = MAKERS[order.pop("fault")](**order.pop("with", {}))
            self.fail(order.pop("path", ""), with_=fault, **order)
        except (KeyError, TypeError, ValueError) as cause:
            return json_answer({"error": f"not understood: {cause!r}", "faults": list(MAKERS)}, status=400)
        return json_answer({"faults": len(self.rules)})


def _echo(request: Request) -> dict[str, Any]:
    """What was sent, word by word."""
    sent = _document(request.body)
    values = list(sent.values()) if isinstance(sent, dict) else []
    said = f"cannot take {request.body[:1000].decode('utf-8', 'replace')} from {request.bearer or 'nobody'}"
    return {"message": said, "exceptionDetails": [{"message": f"wrong: {one}"} for one in [*values, request.bearer]]}


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
