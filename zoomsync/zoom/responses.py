"""What is asked of Zoom and what it answers, without a socket: paths, answers, what each refusal means. Pure.

Zoom lists its error codes at https://developers.zoom.us/docs/api/errors, and those of one request at the request:
https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording. What neither page has says so here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from zoomsync.errors import (
    AccountListFailed,
    DeletionRefused,
    ListingFailed,
    ListTooLong,
    NotAuthorized,
    ServiceUnavailable,
    StillProcessing,
    Subject,
    Unreachable,
    UserUnknown,
    ZoomsyncError,
)
from zoomsync.formatting import escaped
from zoomsync.redaction import redact, said
from zoomsync.zoom.parse import number, text
from zoomsync.zoom.scopes import lacking

USER_UNKNOWN = frozenset({1000, 1001, 1010, 1120})
"""Zoom's ways to say that the account has no such user: pending (1000, seen, undocumented), unknown (1001),
of another account (1010), without a valid invitation (1120). https://developers.zoom.us/docs/api/users/#tag/users/GET/users/{userId}
"""
NO_RECORDINGS = 3301
"""“There is no recording for this session”: an empty list.

https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording/GET/users/{userId}/recordings
"""
NO_RIGHTS = 200
"""“You do not have the right permissions”: https://developers.zoom.us/docs/api/errors"""
RECORDING_GONE = frozenset({3301, 3001})
FILE_GONE = frozenset({3301})
"""Without 3001, which says that Zoom does not know the meeting: its files may still be there."""

STALE = 124
"""Comes with 401, with 400 and with 200: https://devforum.zoom.us/t/zoom-api-invalid-access-token-behavior-change/114327"""
NO_SCOPE = 4711
"""Comes with HTTP 400: https://github.com/JubaerHossain/zoom-laravel/issues/15"""
INVALID = 300
"""The code of every invalid parameter; after a page token, the token died. Seen, undocumented."""
NO_SUCH_ENDPOINT = 2300
"""“This API endpoint is not recognized.” Seen, undocumented."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something that Zoom is asked: where, whom it concerns, and which error a refusal of it is."""

    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    doing: str
    """What messages call it."""
    refused: type[ZoomsyncError]
    """The error for a refusal that concerns only what was asked for."""
    need: str
    """The scope that it needs, as `scopes.SCOPES` names it."""
    subject: Subject | None = None
    most: int | None = None
    """So many entries are taken; of a list with more none is."""

    @property
    def concerns_all(self) -> bool:
        """Whether nothing goes on without its answer, as for the list of users."""
        return self.subject is None and self.refused is not AccountListFailed

    def check_total(self, total: int | None) -> None:
        """Raise `ListTooLong` if Zoom counts more entries than are taken."""
        if self.most is not None and total is not None and total > self.most:
            raise self.failed(f"{total:,} entries", "shorter windows have fewer", ListTooLong)

    def failed(self, fact: str, hint: str, kind: type[ZoomsyncError] | None = None) -> ZoomsyncError:
        """The error to raise; `kind` if it is not `refused`."""
        message = f"zoom: {escaped(self.doing)}: {fact}"
        return (kind or self.refused)(message, hint=hint, service="zoom", subject=self.subject)

    def unanswered(self, fact: str, hint: str) -> ZoomsyncError:
        """The error if what came back is no answer to this: whose trouble that is, other questions show."""
        kind = Unreachable if self.concerns_all else ServiceUnavailable
        return self.failed(fact, hint, AccountListFailed if self.refused is AccountListFailed else kind)


REFERENCE = Question(
    path="/users", params={"page_size": "1"}, doing="the reference question", refused=Unreachable, need="users"
)
"""Concerns no user and no meeting: if Zoom answers it, the trouble is the subject's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoomResponse:
    """One answer of the API."""

    status: int
    body: bytes
    document: Mapping[str, Any] | None
    """None: the body is no JSON object (nothing, a page, a list)."""
    is_token_good: bool = False
    """Whether the token has the scope, and is accepted for the reference question: what is refused then is this one."""

    @property
    def code(self) -> int | None:
        """Zoom's own error code."""
        return number((self.document or {}).get("code"))

    @property
    def text(self) -> str:
        """The reason it gives, fit for a message."""
        return said(self.body)

    @property
    def is_stale(self) -> bool:
        """Whether it says that the token is good no more: a new one may help."""
        if self.status == 401 or self.code == STALE:
            return True
        return self.is_error and self.code != NO_SCOPE and self.text.lower().startswith("invalid access token")

    @property
    def is_denied(self) -> bool:
        """Whether it says that the account has no API any more: 403 at https://developers.zoom.us/docs/api/users."""
        return self.is_error and "denied for this account" in self.text.lower()

    @property
    def is_empty_list(self) -> bool:
        """Whether it says in Zoom's other words that a user has no recordings: no session, or no licence for any.

        “Only available for Paid account.”: https://github.com/ricardorodrigues-ca/zoom-recording-downloader/issues/51
        """
        is_unlicensed = self.code == NO_RIGHTS and "paid account" in self.text.lower()
        return self.is_error and (self.code == NO_RECORDINGS or is_unlicensed)

    @property
    def is_unknown_user(self) -> bool:
        """Whether it says that the account has no such user."""
        return self.status in (400, 404) and self.code in USER_UNKNOWN

    @property
    def is_error(self) -> bool:
        """Whether it refuses. Missing rights come as HTTP 200 with code 200 in the body, as Zoom documents it."""
        return self.status >= 300 or (self.document is not None and {"code", "message"} <= self.document.keys())

    @property
    def is_done(self) -> bool:
        """Whether a deletion succeeded: 204, in an old form 200 (seen, undocumented); a web page is no success."""
        is_answer = not self.body.strip() or self.document is not None
        return self.status in (200, 204) and not self.is_error and is_answer

    @property
    def is_processing(self) -> bool:
        """Whether Zoom still works on the recording: code 3301 as for one that is gone, in other words.

        Seen, undocumented.
        """
        return self.code == 3301 and "still being processed" in self.text

    @property
    def is_crowded(self) -> bool:
        """Whether another deletion of the same user is under way: Zoom takes one at a time.

        https://developers.zoom.us/docs/api/rate-limits ("concurrent operations performed on a single resource")
        """
        return self.is_error and "too many concurrent requests" in self.text.lower()

    def is_gone(self, codes: frozenset[int]) -> bool:
        """Whether Zoom itself says that it does not exist; a web page with 404 says nothing."""
        return self.status == 404 and self.code in codes and not self.is_processing

    @property
    def fact(self) -> str:
        """What came back, in words, with the fields that a validation names (code 300)."""
        code = f", code {self.code}" if self.code is not None else ""
        errors = (self.document or {}).get("errors")
        fields = [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
        named = [redact(f"; {text(one.get('field'))}: {text(one.get('message'))}") for one in fields[:3]]
        return f"HTTP {self.status}{code}: {self.text}{''.join(named)}"


def read(status: int, body: bytes) -> ZoomResponse:
    """An answer from its status and body."""
    try:
        # Python refuses to read an integer of thousands of digits: then one field would spoil a whole list.
        document = json.loads(body, parse_int=lambda digits: int(digits) if len(digits) <= 20 else float(digits))
    except (ValueError, RecursionError):
        document = None
    return ZoomResponse(status=status, body=body, document=document if isinstance(document, dict) else None)


def refusal(answer: ZoomResponse, question: Question) -> ZoomsyncError:
    """The error that a refused request is: `question.refused` if it concerns only what was asked for."""
    refused, fact, concerns_all = question.refused, answer.fact, question.concerns_all
    is_about_credential = answer.is_stale or answer.is_denied or answer.code == NO_SCOPE
    if is_about_credential and answer.is_token_good and not concerns_all:
        what = question.subject.kind if question.subject is not None else "list"
        but = "has the scope" if answer.code == NO_SCOPE else "is good for other requests"
        hint = f"look at this {what} in Zoom's web portal; the others are not concerned"
        return question.failed(f"Zoom refuses this {what} although the token {but}: {fact}", hint)
    # An ordinary account may lack the list for the whole account (401 or 4711), and still have the lists per user:
    # https://github.com/JosephMcEvoy/PSZoom/issues/90
    unauthorized = AccountListFailed if refused is AccountListFailed else NotAuthorized
    if answer.code == NO_SCOPE:
        fact = "the token has the scope, but Zoom refuses it" if answer.is_token_good else "the app lacks a scope"
        hint = "add it to the app at marketplace.zoom.us and activate the app again; was its admin's role changed?"
        return question.failed(f"{fact}: {lacking(answer.text)}", hint, unauthorized)
    if answer.is_denied:
        hint = "Contact Zoom Support: Zoom has closed its API for this account; it may be for its plan or its payment"
        return question.failed(fact, hint, NotAuthorized)
    if answer.is_stale:
        fact = f"{fact}; each new token is refused at once: does another program use this app?"
        hint = "give zoomsync an app of its own, and check in marketplace.zoom.us that it is still activated"
        return question.failed(fact, hint, unauthorized)
    if concerns_all and answer.document is not None and (answer.status == 403 or answer.code == NO_RIGHTS):
        return question.failed(fact, _HINTS[NO_RIGHTS], NotAuthorized)
    if answer.status == 429 or answer.status >= 500:
        return question.unanswered(fact, "Zoom is busy or out of order; it is tried again")
    if answer.document is None or answer.status < 200 or 300 <= answer.status < 400 or answer.code == NO_SUCH_ENDPOINT:
        return question.unanswered(fact, "check zoom.api_url, and that no proxy answers in Zoom's place")
    if answer.is_processing and refused is not DeletionRefused:
        return question.failed("still being processed", "the next pass asks again", StillProcessing)
    if answer.is_unknown_user and refused is ListingFailed:
        refused = UserUnknown
    return question.failed(fact, _HINTS.get(answer.code or 0, "it is tried again"), refused)


# The codes are those that Zoom's pages have at the lists, at one meeting's recordings and at their deletion.
_HINTS: Mapping[int, str] = {
    NO_RIGHTS: "give the admin who made the app a role with the Recording permissions, and let hosts delete recordings",
    1001: "check the address: Zoom does not know this user",
    1010: "the host has left the account: look for the recording in Zoom's web portal",
    3303: "Zoom has not finished this recording; it is tried again",
    3310: "a simulive webinar plays it: release it there, or list its uuid in hold_meetings",
}


def token_refusal(answer: ZoomResponse) -> ZoomsyncError:
    """The error that a refused token request is. This endpoint has `reason` and `error`, no code, or a web page:

    https://github.com/JubaerHossain/zoom-laravel/issues/3
    """
    kind = text((answer.document or {}).get("error"))
    fact = f"{answer.text} (HTTP {answer.status}{f', {redact(kind)}' if kind else ''})"
    refused: type[ZoomsyncError] = Unreachable
    if answer.status == 429 or answer.status >= 500:
        hint = "Zoom is busy or out of order; it is tried again"
    elif answer.status not in (400, 401, 403):
        hint = "check zoom.oauth_url, and that no proxy answers in Zoom's place"
    else:
        refused = NotAuthorized
        hint = _TOKEN_HINTS.get(kind, "check zoom.client_id and zoom.client_secret, and that the app is activated")
    return refused(f"zoom: no token: {fact}", hint=hint, service="zoom")


_TOKEN_HINTS: Mapping[str, str] = {
    "unsupported_grant_type": "make an app of the type Server-to-Server OAuth and activate it",
    "invalid_request": "check zoom.account_id",
}


def meeting_path(uuid: str, file_id: str | None = None) -> str:
    """The path of a meeting's recordings, or of one file of them.

    Zoom wants a uuid encoded twice if it begins with `/` or contains `//`, and takes that for any `/`:
    https://developers.zoom.us/blog/meeting-api-querying-tips-part1/, https://github.com/fleetdm/fleet/issues/31192
    Raises `ValueError` for names that a server would take for another path: never delete what was not meant.
    """
    for name in (uuid,) if file_id is None else (uuid, file_id):
        if not name.strip("."):
            raise ValueError(f"{name!r} names nothing")
    once = quote(uuid, safe="")
    path = f"/meetings/{quote(once, safe='') if '/' in uuid or '%' in uuid else once}/recordings"
    return path if file_id is None else f"{path}/{quote(file_id, safe='')}"
