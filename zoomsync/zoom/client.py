"""Zoom's API as a pass uses it: users, lists, one meeting, the deletion of one file."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import quote

from zoomsync.errors import (
    AccountListRefused,
    DeletionRefused,
    ListingFailed,
    MeetingFailed,
    NotAuthorized,
    Subject,
    Unreachable,
    ZoomsyncError,
)
from zoomsync.formatting import escaped, plural
from zoomsync.http import Http
from zoomsync.model import Authorization, Clock, Listing, Meeting, User
from zoomsync.zoom import parse, responses
from zoomsync.zoom.oauth import Token, TokenSource
from zoomsync.zoom.parse import Nonsense, Page
from zoomsync.zoom.responses import ZoomResponse


class Interrupted(Exception):
    """The chain of pages broke: the list has to be begun again."""


def pages(ask: Callable[[Mapping[str, str]], ZoomResponse], name: str) -> Iterator[Page]:
    """The pages of a list whose entries are under `name`; `ask` sends a page's own parameters.

    Raises `Interrupted` where a page token died (they live 15 minutes) or repeats, `Nonsense` for no list.
    """
    token, seen = "", {""}
    while True:
        answer = ask({"next_page_token": token} if token else {})
        if answer.code == responses.PAGE_EXPIRED:
            raise Interrupted("its page token died")
        page = parse.page(answer.document or {}, name)
        yield page
        if not page.next_token:
            return
        if page.next_token in seen:
            raise Interrupted("a page token repeats")
        seen.add(token := page.next_token)


def lack(found: Sequence[Page], keys: Sequence[str], before: Sequence[Page] = ()) -> int:
    """How many entries fewer the pages hold than Zoom counts; the last page counts last.

    An entry is named by the first of `keys` that it has. One that stands there twice slid to the next page, unless the
    reading `before` repeats the very same: then Zoom counts it twice.
    """
    total = next((page.total for page in reversed(found) if page.total is not None), 0)
    entries = sum(len(page.entries) for page in found)
    repeated = _repeated(found, keys)
    return total - entries + (0 if repeated == _repeated(before, keys) else sum(repeated.values()))


def _repeated(found: Sequence[Page], keys: Sequence[str]) -> Mapping[str, int]:
    """Name → how often it stands there besides the first time."""
    named = (
        next(filter(None, (responses.text(entry.get(key)) for key in keys)), "")
        for page in found
        for entry in page.entries
    )
    return {name: times - 1 for name, times in Counter(named).items() if name and times > 1}


def gather(found: Sequence[Page], listed_at: datetime, host_email: str) -> Listing:
    """The meetings on the pages."""
    meetings, unreadable = [], []
    for page in found:
        for entry in page.entries:
            try:
                meetings.append(parse.parse_meeting(entry, listed_at, host_email))
            except Nonsense as problem:
                unreadable.append(str(problem))
    return Listing(meetings=parse.merged(meetings), unreadable=tuple(dict.fromkeys(unreadable)))


LONGEST_WINDOW = timedelta(days=30)
"""Zoom cuts a span over one month in silence."""
ATTEMPTS = 3
"""How often a list is begun whose chain of pages breaks."""
PATIENCE = 5
"""How often a deletion waits for another one of the same user."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _List:
    """A list to be read: where, what it is called in messages, and what a refusal of it is."""

    path: str
    name: str
    keys: tuple[str, ...]
    """Fields that tell its entries apart; the first that an entry has."""
    doing: str
    refused: type[ZoomsyncError]
    params: Mapping[str, str]
    subject: Subject | None = None
    host_email: str = ""


class ZoomClient:
    """The API below `api_url`. Shared by all threads.

    Every method raises `NotAuthorized` and `Unreachable`; a token that Zoom refuses is renewed once.
    https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording
    """

    def __init__(self, http: Http, tokens: TokenSource, *, api_url: str, clock: Clock) -> None:
        self._http = http
        self._tokens = tokens
        self._api_url = api_url.rstrip("/")
        self._clock = clock

    @property
    def calls(self) -> int:
        """Requests sent so far, for tokens too."""
        return self._http.calls

    def authorize(self) -> Authorization:
        """Get a token, unless there is one with a while to live."""
        token = self._tokens.current()
        return Authorization(scopes=token.scopes, server_date=token.server_date)

    def users(self, status: str) -> list[User]:
        """All users with this status: `active`, `inactive` or `pending`; listed completely, or it raises."""
        wanted = _List(
            path="/users",
            name="users",
            keys=("id", "email"),
            doing=f"{status} users",
            refused=Unreachable,
            params={"status": status, "page_size": "300"},
        )
        pages, missing = self._counted(wanted)
        if missing > 0:
            raise _incomplete(wanted, f"{plural(missing, 'user')} fewer than Zoom counts")
        found = [parse.user(entry) for page in pages for entry in page.entries]
        return list({one.id or one.email: one for one in found}.values())

    def user(self, email: str) -> User | None:
        """The user with this address (or id); None: Zoom does not know it."""
        subject = Subject("user", email)
        answer = self._ask("GET", f"/users/{quote(email, safe='@')}", {}, subject)
        if answer.code in responses.USER_UNKNOWN:
            return None
        return parse.user(_document(answer, f"user {escaped(email)}", Unreachable, subject))

    def recordings(self, since: date, until: date, *, user: str | None) -> Listing:
        """Every recording that began from `since` to `until`, of a user (id or address) or of the account.

        At most 30 days, listed completely, or it raises: `AccountListRefused`, for a user `ListingFailed`.
        """
        if not timedelta(0) <= until - since <= LONGEST_WINDOW:
            raise ValueError(f"{since} to {until} is no window of at most {LONGEST_WINDOW.days} days")
        whose = "accounts/me" if user is None else f"users/{quote(user, safe='@')}"
        params = {"from": str(since), "to": str(until), "page_size": "300"}
        wanted = _List(
            path=f"/{whose}/recordings",
            name="meetings",
            keys=("uuid",),
            doing=f"recordings of {'the account' if user is None else escaped(user)} {since} to {until}",
            refused=AccountListRefused if user is None else ListingFailed,
            params=params | {"recording_source_type": "cloud_recording_only"},
            subject=None if user is None else Subject("user", user),
            host_email=user if user and "@" in user else "",
        )
        listed_at = self._clock.now()
        found, missing = self._counted(wanted)
        if not all(page.covers(since, until) for page in found):
            return self._in_halves(wanted, since, until, user)
        if missing > 0:
            raise _incomplete(wanted, f"{plural(missing, 'meeting')} fewer than Zoom counts")
        listed = gather(found, listed_at, wanted.host_email)
        for problem in listed.unreadable:
            log.warning("zoom: %s", problem)
        return listed

    def _in_halves(self, wanted: _List, since: date, until: date, user: str | None) -> Listing:
        """The same window in two lists: Zoom listed another span than it was asked for."""
        if until - since <= timedelta(days=1):
            raise Unreachable(
                f"zoom: {wanted.doing}: Zoom lists other days than those asked for",
                hint="nothing is missed: the window is listed in a later pass; tell Zoom's support if it stays so",
                service="zoom",
                subject=wanted.subject,
            )
        middle = since + (until - since) // 2
        halves = self.recordings(since, middle, user=user), self.recordings(middle, until, user=user)
        return Listing(
            meetings=parse.merged(meeting for half in halves for meeting in half.meetings),
            unreadable=tuple(dict.fromkeys(problem for half in halves for problem in half.unreadable)),
        )

    def _counted(self, wanted: _List) -> tuple[list[Page], int]:
        """All pages of a list, read once more where entries are missing; and how many still are."""
        found = self._read(wanted)
        missing = lack(found, wanted.keys)
        if missing > 0:
            before, found = found, self._read(wanted)
            missing = lack(found, wanted.keys, before)
        return found, missing

    def _read(self, wanted: _List) -> list[Page]:
        """All pages of a list, from the beginning where the chain of pages breaks."""
        reason = ""
        for _ in range(ATTEMPTS):
            try:
                return list(pages(lambda more: self._page(wanted, more), wanted.name))
            except Interrupted as interrupted:
                reason = str(interrupted)
                log.info("zoom: %s: %s, begun again", wanted.doing, reason)
            except Nonsense as nonsense:
                message = f"zoom: {wanted.doing}: {nonsense}"
                raise Unreachable(
                    message, hint="check zoom.api_url", service="zoom", subject=wanted.subject
                ) from nonsense
        raise _incomplete(wanted, f"{reason}, {ATTEMPTS} times")

    def _page(self, wanted: _List, more: Mapping[str, str]) -> ZoomResponse:
        self._clock.check()
        answer = self._ask("GET", wanted.path, {**wanted.params, **more}, wanted.subject)
        if more and answer.code == responses.PAGE_EXPIRED:
            return answer
        try:
            _document(answer, wanted.doing, wanted.refused, wanted.subject)
        except NotAuthorized as error:
            if wanted.refused is AccountListRefused:
                raise error.become(AccountListRefused) from error
            raise
        return answer

    def meeting(self, uuid: str) -> Meeting | None:
        """The meeting as it is now; None: gone, and Zoom itself says so.

        Raises `StillProcessing`, and `MeetingFailed` where Zoom refuses this one.
        """
        doing, subject = f"meeting {escaped(uuid)}", Subject("meeting", uuid)
        answer = self._ask("GET", responses.meeting_path(uuid), {"include_fields": "download_access_token"}, subject)
        if answer.is_gone(responses.RECORDING_GONE):
            return None
        document = _document(answer, doing, MeetingFailed, subject)
        try:
            found = parse.parse_meeting(document, self._clock.now())
            fact = "" if found.uuid == uuid else "the answer is about another meeting"
        except Nonsense as nonsense:
            fact = str(nonsense)
        if fact:
            message = f"zoom: {doing}: {fact}"
            raise MeetingFailed(message, hint="the next pass asks again", service="zoom", subject=subject)
        return found

    def delete_file(self, uuid: str, file_id: str, action: str) -> str:
        """Delete one file: to the `trash`, or for good (`delete`). Returns `204` (`200`) or `gone already`.

        Raises `DeletionRefused`. After `Unreachable` it is unknown whether the file was deleted: read the meeting.
        """
        doing = f"deletion of file {escaped(file_id)} of meeting {escaped(uuid)}"
        subject = Subject("file", file_id)
        if action not in ("trash", "delete"):
            raise ValueError(f"{action!r} is no way to delete")
        if file_id.startswith("noid-"):
            message = f"zoom: {doing}: Zoom gave this file no id"
            raise DeletionRefused(message, hint="delete it in Zoom's web portal", subject=subject)
        answer = self._delete(responses.meeting_path(uuid, file_id), action, subject)
        if answer.is_done:
            return str(answer.status)
        if answer.is_gone(responses.FILE_GONE):
            return "gone already"
        raise responses.refusal(answer, doing, otherwise=DeletionRefused, subject=subject)

    def _delete(self, path: str, action: str, subject: Subject) -> ZoomResponse:
        """The answer to a deletion, when no other one of the same user is in its way."""
        for turn in range(PATIENCE):
            answer = self._ask("DELETE", path, {"action": action}, subject, repeatable=False)
            if not answer.is_crowded:
                break
            self._clock.sleep(2.0**turn)
        return answer

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        subject: Subject | None,
        *,
        repeatable: bool = True,
    ) -> ZoomResponse:
        """One answer; if it says that the token is good no more, once again with a new one."""

        def send(token: Token) -> ZoomResponse:
            response = self._http.request(
                method,
                f"{self._api_url}{path}",
                repeatable=repeatable,
                subject=subject,
                headers={"Authorization": f"Bearer {token.value}", "Accept": "application/json"},
                params=params,
            )
            log.debug("zoom: %s %s: HTTP %d", method, path, response.status_code)
            return responses.read(response.status_code, response.content)

        token = self._tokens.current()
        answer = send(token)
        return send(self._tokens.renew(token)) if answer.is_stale else answer


def _document(
    answer: ZoomResponse, doing: str, refused: type[ZoomsyncError], subject: Subject | None
) -> Mapping[str, object]:
    """What a good answer holds; raises what any other one means."""
    if answer.is_error or answer.document is None:
        raise responses.refusal(answer, doing, otherwise=refused, subject=subject)
    return answer.document


def _incomplete(wanted: _List, fact: str) -> ZoomsyncError:
    """A list that cannot be trusted: a user's becomes a gap, any other one ends the pass."""
    kind = ListingFailed if wanted.refused is ListingFailed else Unreachable
    hint = "nothing is missed: it is listed again in the next pass"
    return kind(f"zoom: {wanted.doing}: {fact}", hint=hint, service="zoom", subject=wanted.subject)
