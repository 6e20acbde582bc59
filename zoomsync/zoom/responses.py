"""Zoom's dialect, without a socket: addresses, answers, and what each refusal means to the caller. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from zoomsync.errors import (
    DeletionRefused,
    ListingFailed,
    NotAuthorized,
    StillProcessing,
    Subject,
    Unreachable,
    UserUnknown,
    ZoomsyncError,
)
from zoomsync.redaction import redact, said
from zoomsync.zoom.scopes import lacking

USER_UNKNOWN = frozenset({1001})
RECORDING_GONE = frozenset({3301, 3001})
FILE_GONE = frozenset({3301})
"""3001 only says that Zoom does not know the meeting: its files may still be there."""

STALE = 124
NO_SCOPE = 4711
PAGE_EXPIRED = 300
NO_SUCH_ENDPOINT = 2300


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoomResponse:
    """One answer of the API."""

    status: int
    document: Mapping[str, Any] | None
    """None: the body is no JSON object (nothing, a page, a list)."""
    text: str
    """The reason it gives, fit for a message."""
    is_empty: bool = False
    """Whether there is no body at all."""

    @property
    def is_done(self) -> bool:
        """Whether a deletion succeeded: 204, in an old form 200; a page in Zoom's place is no success."""
        return self.status in (200, 204) and not self.is_error and (self.is_empty or self.document is not None)

    @property
    def code(self) -> int | None:
        """Zoom's own error code."""
        return number((self.document or {}).get("code"))

    @property
    def is_stale(self) -> bool:
        """Whether it says that the token is good no more: a new one may help."""
        return self.status == 401 or self.code == STALE

    @property
    def is_error(self) -> bool:
        """Whether it refuses, in spite of HTTP 200 too: Zoom answers so to missing rights."""
        return self.status >= 300 or (self.document is not None and {"code", "message"} <= self.document.keys())

    @property
    def is_processing(self) -> bool:
        """Whether Zoom still works on the recording: the code is that of one that is gone."""
        return self.code == 3301 and "still being processed" in self.text

    @property
    def is_crowded(self) -> bool:
        """Whether another deletion for the same user is under way."""
        return self.is_error and "too many concurrent requests" in self.text.lower()

    def is_gone(self, codes: frozenset[int]) -> bool:
        """Whether Zoom itself says that it does not exist; a page with 404 says nothing."""
        return self.status == 404 and self.code in codes and not self.is_processing

    @property
    def fact(self) -> str:
        """What came back, in words."""
        code = f", code {self.code}" if self.code is not None else ""
        fields = "".join(f"; {one}" for one in _fields(self.document or {}))
        return f"HTTP {self.status}{code}: {self.text}{fields}"


def read(status: int, body: bytes) -> ZoomResponse:
    """An answer from its status and body."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    found = document if isinstance(document, dict) else None
    return ZoomResponse(status=status, document=found, text=said(body), is_empty=not body.strip())


def refusal(
    answer: ZoomResponse, doing: str, *, otherwise: type[ZoomsyncError], subject: Subject | None = None
) -> ZoomsyncError:
    """The error that a refused request is; `otherwise` where it concerns only what was asked for."""
    kind, message = otherwise, f"zoom: {doing}: {answer.fact}"
    hint = _HINTS.get(answer.code or 0, "it is tried again")
    if answer.code == NO_SCOPE:
        kind, message = NotAuthorized, f"zoom: {doing}: the app lacks a scope: {lacking(answer.text)}"
        hint = "add it to the app at marketplace.zoom.us and activate the app again; was its admin's role changed?"
    elif answer.is_stale or answer.text.lower().startswith("invalid access token"):
        kind, hint = NotAuthorized, "check in marketplace.zoom.us that the app is still activated"
    elif answer.status == 429 or answer.status >= 500:
        kind, hint = Unreachable, "Zoom is busy or out of order; it is tried again"
    elif (
        answer.document is None or answer.status < 200 or 300 <= answer.status < 400 or answer.code == NO_SUCH_ENDPOINT
    ):
        kind, hint = Unreachable, "check zoom.api_url, and that no proxy answers in Zoom's place"
    elif answer.is_processing and otherwise is not DeletionRefused:
        kind, message = StillProcessing, f"zoom: {doing}: still being processed"
        hint = "the next pass asks again"
    elif answer.code in USER_UNKNOWN and otherwise is ListingFailed:
        kind = UserUnknown
    return kind(message, hint=hint, service="zoom", subject=subject)


_HINTS: Mapping[int, str] = {
    200: "give the admin who made the app a role with the Recording permissions, and let hosts delete recordings",
    1001: "check the address: Zoom does not know this user",
    1010: "the host has left the account: look for the recording in Zoom's web portal",
    3303: "Zoom has not finished this recording; it is tried again",
    3310: "a simulive webinar plays it: release it there, or list its uuid in hold_meetings",
}


def token_refusal(answer: ZoomResponse) -> ZoomsyncError:
    """The error that a refused token request is; this endpoint has `reason` and `error`, or a page."""
    kind = str((answer.document or {}).get("error", ""))
    message = f"zoom: no token: {answer.text} (HTTP {answer.status}{f', {redact(kind)}' if kind else ''})"
    if answer.status == 429 or answer.status >= 500:
        return Unreachable(message, hint="Zoom is busy or out of order; it is tried again", service="zoom")
    if answer.status not in (400, 401, 403):
        hint = "check zoom.oauth_url, and that no proxy answers in Zoom's place"
        return Unreachable(message, hint=hint, service="zoom")
    hints = {
        "unsupported_grant_type": "make an app of the type Server-to-Server OAuth and activate it",
        "invalid_request": "check zoom.account_id",
    }
    hint = hints.get(kind, "check zoom.client_id and zoom.client_secret, and that the app is activated")
    return NotAuthorized(message, hint=hint, service="zoom")


def meeting_path(uuid: str, file_id: str | None = None) -> str:
    """The path of a meeting's recordings, or of one file of them; the uuid encoded twice where Zoom wants it.

    https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording/GET/meetings/{meetingId}/recordings
    Raises `ValueError` for names that a server would take for another path: never delete what was not meant.
    """
    for name in (uuid,) if file_id is None else (uuid, file_id):
        if not name.strip("."):
            raise ValueError(f"{name!r} names nothing")
    once = quote(uuid, safe="")
    path = f"/meetings/{quote(once, safe='') if '/' in uuid or '%' in uuid else once}/recordings"
    return path if file_id is None else f"{path}/{quote(file_id, safe='')}"


def number(value: object) -> int | None:
    """A count or code that may come as text; None: it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20 else None


def text(value: object) -> str:
    """A text without lone surrogates (which no file can hold), or a number as text; `""` for all else."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _fields(document: Mapping[str, Any]) -> list[str]:
    """The findings of a validation: which field, and what about it."""
    errors = document.get("errors")
    found = [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    return [redact(f"{text(one.get('field'))}: {text(one.get('message'))}") for one in found[:3]]
