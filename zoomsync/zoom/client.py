"""Zoom's API as a pass uses it: users, lists, one meeting, the deletion of one file."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from zoomsync.errors import (
    AccountListFailed,
    DeletionRefused,
    ListingFailed,
    MeetingFailed,
    ServiceUnavailable,
    Subject,
    TimeOver,
    Unreachable,
    UserFailed,
)
from zoomsync.formatting import escaped, plural
from zoomsync.http import Http, brief, is_brief
from zoomsync.model import Authorization, Clock, Listing, Meeting, User
from zoomsync.zoom import parse, responses
from zoomsync.zoom.oauth import Token, TokenSource
from zoomsync.zoom.paging import MOST_LISTED, SHORTEST_PART, Chain, lack, names
from zoomsync.zoom.parse import Nonsense, Page
from zoomsync.zoom.responses import REFERENCE, Question, ZoomResponse
from zoomsync.zoom.scopes import doubtful, missing

LONGEST_WINDOW = timedelta(days=30)
"""Zoom cuts a span over one month in silence: https://devforum.zoom.us/t/retrieve-all-past-zoom-cloud-recordings/22487"""
SKEW = timedelta(minutes=10)
"""By how much Zoom's clock may be behind when it says which day is today."""
LIST_ATTEMPTS = 3
"""How often a list is begun if its chain of pages breaks."""
DELETE_ATTEMPTS = 5
"""How often a deletion waits for another one of the same user."""
RENEWALS = 3
"""How often a token is renewed for one question while each new one is refused."""
SOURCE = "recording_source_type"
CHECK_ADDRESS = "check zoom.api_url, and that no proxy answers in Zoom's place"
AGAIN = "nothing is missed: it is listed again in the next pass"

log = logging.getLogger(__name__)


class ZoomClient:
    """The API below `api_url`: see `Zoom`. A token that Zoom refuses is renewed, see `_ask`."""

    def __init__(self, http: Http, tokens: TokenSource, *, api_url: str, clock: Clock) -> None:
        self._http = http
        self._tokens = tokens
        self._api_url = api_url.rstrip("/")
        self._clock = clock
        self.over_at = math.inf
        """By `Clock.monotonic()`: from then on no page of a list is asked for."""
        self._source = {SOURCE: "cloud_recording_only"}
        """Blank once Zoom turns out not to know it."""
        self._emails: dict[str, str] = {}
        """Of the users that Zoom named so far, by id: messages name users by their address."""
        self._reported = set[str]()
        """Names of fields with absurd values that were reported."""
        self._is_scope_fresh = False
        """Whether a token was minted since Zoom first said that a scope is missing."""

    def authorize(self) -> Authorization:
        """Get a token, unless there is one with a while to live."""
        return self._tokens.current().authorization

    def users(self, status: str) -> list[User]:
        """All users with this status: `active`, `inactive` or `pending`; listed completely, or it raises.

        https://developers.zoom.us/docs/api/users/#tag/users/GET/users. Pending users have no id (seen, undocumented).
        """
        params = {"status": status, "page_size": "300"}
        question = Question(path="/users", params=params, doing=f"{status} users", refused=Unreachable, need="users")
        pages = self._list(question, "users", "id", "email")
        found = [parse.user(entry) for page in pages for entry in page.entries]
        self._emails |= {one.id: one.email for one in found if one.email}
        return list({one.id or one.email: one for one in found if one.id or one.email}.values())

    def user(self, email: str) -> User | None:
        """The user with this address (or id); None: Zoom says that the account has no such user.

        Raises `UserFailed` if Zoom refuses to say anything of this one.
        """
        question = Question(
            path=f"/users/{quote(email, safe='@')}",
            doing=f"user {email}",
            refused=UserFailed,
            need="user",
            subject=Subject("user", email),
        )
        answer = self._ask(question)
        if answer.is_unknown_user:
            return None
        found = parse.user(_document(answer, question))
        if not found.id and not found.email:
            raise question.unanswered("an answer without a user", CHECK_ADDRESS)
        self._emails[found.id] = found.email or email
        return found

    def recordings(self, since: date, until: date, *, user: str | None) -> Listing:
        """Every recording that began from `since` to `until`, of a user (id or address) or of the account.

        At most 30 days, listed completely, or it raises: `AccountListFailed`, `ListTooLong`, of a user `ListingFailed`.
        https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording/GET/users/{userId}/recordings
        """
        if not timedelta(0) <= until - since <= LONGEST_WINDOW:
            raise ValueError(f"{since} to {until} is no window of at most {LONGEST_WINDOW.days} days")
        # Without both dates Zoom lists about a day (seen, undocumented), without a source type also "My Notes" (above).
        params = {"from": str(since), "to": str(until), "page_size": "300"}
        question = self._list_of(user, params | self._source, f"{since} to {until}")
        if user is None and until - since > SHORTEST_PART:
            question = replace(question, most=MOST_LISTED)
        listed_at = self._clock.now()
        pages = self._list(question, "meetings", "uuid")
        if not all(page.covers(since, until, (listed_at - SKEW).date()) for page in pages):
            if until - since <= timedelta(days=1):
                hint = "nothing is missed: the window is listed in a later pass; tell Zoom's support if it stays so"
                raise question.failed("Zoom lists other days than those asked for", hint)
            middle = since + (until - since) // 2
            halves = self.recordings(since, middle, user=user), self.recordings(middle, until, user=user)
            return parse.joined(halves)
        return self._listing(pages, listed_at, user)

    def trash(self, user: str) -> Listing:
        """What of a user's (id or address) lies in Zoom's trash, without its files. Raises `ListingFailed`."""
        question = self._list_of(user, {"trash": "true", "page_size": "300"}, "in the trash")
        return self._listing(self._list(question, "meetings", "uuid"), self._clock.now(), user)

    def _list_of(self, user: str | None, params: Mapping[str, str], which: str) -> Question:
        return Question(
            path="/accounts/me/recordings" if user is None else f"/users/{quote(user, safe='@')}/recordings",
            params=params,
            doing=f"recordings of {'the account' if user is None else self._emails.get(user, user)} {which}",
            refused=AccountListFailed if user is None else ListingFailed,
            need="account list" if user is None else "user list",
            subject=None if user is None else Subject("user", user),
        )

    def _listing(self, pages: list[Page], listed_at: datetime, user: str | None) -> Listing:
        meetings, unreadable = [], []
        for entry in (one for _ in range(len(pages)) for one in pages.pop(0).entries):  # read, a page is let go
            try:
                meetings.append(self._meeting(entry, listed_at, user if user and "@" in user else ""))
            except Nonsense as problem:
                log.warning("zoom: %s", problem)
                unreadable.append(str(problem))
        return parse.listing(meetings, unreadable)

    def meeting(self, uuid: str) -> Meeting | None:
        """The meeting as it is now; None: gone, and Zoom itself says so. Of a number, the latest that was recorded.

        Raises `StillProcessing`, and `MeetingFailed` if Zoom refuses this one.
        https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording/GET/meetings/{meetingId}/recordings
        """
        question = Question(
            path=responses.meeting_path(uuid),
            params={"include_fields": "download_access_token"},
            doing=f"meeting {uuid}",
            refused=MeetingFailed,
            need="meeting",
            subject=Subject("meeting", uuid),
        )
        answer = self._ask(question)
        if answer.is_gone(responses.RECORDING_GONE):
            return None
        try:
            found = self._meeting(_document(answer, question), self._clock.now())
        except Nonsense as nonsense:
            raise question.failed(str(nonsense), "the next pass asks again") from nonsense
        if uuid not in (found.uuid, found.number):
            raise question.failed("the answer is about another meeting", "the next pass asks again")
        return found

    def _meeting(self, document: Mapping[str, Any], listed_at: datetime, host_email: str = "") -> Meeting:
        """The meeting of a document; what is absurd in it counts as missing, said once. Raises `Nonsense`."""
        found = parse.meeting(document, listed_at, host_email)
        for name, written in parse.absurd(document).items():
            if name not in self._reported:
                self._reported.add(name)
                what = f"{name} {escaped(written[:40])} counts as missing, as in any other meeting"
                log.warning("zoom: meeting %s: %s", escaped(found.uuid), what)
        return found

    def delete_file(self, uuid: str, file_id: str, action: str) -> str:
        """Delete one file: to the `trash`, or for good (`delete`). Returns `204` (`200`) or `gone already`.

        Raises `DeletionRefused`. After `Unreachable` it is unknown whether the file was deleted: read the meeting.
        https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording
        """
        if action not in ("trash", "delete"):
            raise ValueError(f"{action!r} is no way to delete")
        question = Question(
            path=responses.meeting_path(uuid, file_id),
            params={"action": action},
            doing=f"deletion of file {file_id} of meeting {uuid}",
            refused=DeletionRefused,
            need="delete",
            subject=Subject("file", file_id),
        )
        if file_id.startswith("noid-"):
            raise question.failed("Zoom gave this file no id", "delete it in Zoom's web portal")
        answer = self._ask(question, method="DELETE")
        for turn in range(0 if is_brief() else DELETE_ATTEMPTS - 1):
            if not answer.is_crowded:
                break
            self._clock.sleep(2.0**turn)
            answer = self._ask(question, method="DELETE")
        if answer.is_done:
            return str(answer.status)
        if answer.is_gone(responses.FILE_GONE):
            return "gone already"
        raise responses.refusal(answer, question)

    def ping(self) -> None:
        """The reference question: one user of the first page. Returns if Zoom answers, whatever it says of users.

        Raises `NotAuthorized` and `Unreachable`.
        """
        answer = self._ask(REFERENCE)
        is_about_all = answer.is_stale or answer.is_denied
        if is_about_all or answer.code in (None, responses.NO_SUCH_ENDPOINT):  # else Zoom refuses it: an answer too
            self._read_page(answer, REFERENCE, "users")

    def accepts(self, token: Token) -> bool:
        """Whether Zoom takes this token for the reference question."""
        answer = self._send(REFERENCE, token)
        return not answer.is_stale and not answer.is_denied

    def _list(self, question: Question, name: str, *keys: str) -> list[Page]:
        """The pages of a list, whose entries are under `name` and named by `keys`.

        If it has fewer entries than Zoom counts, it is read once more. A total that is always a little too large is a
        fault of the count (seen, undocumented) if the second reading is the very same, for then nothing slid from page
        to page. Raises `question.refused` if the list is not complete.
        """
        pages = self._pages(question, name, keys)
        missing, total = lack(pages, keys)
        if missing <= 0:
            return pages
        before, pages = pages, self._pages(question, name, keys)
        missing, total = lack(pages, keys, before)
        if missing <= 0:
            return pages
        fewer = f"{plural(missing, name.removesuffix('s'))} fewer than"
        is_same = names(pages, keys) == names(before, keys)
        if not is_same or missing > max(1, total // 100):
            raise question.failed(f"{fewer} the {total:,} that Zoom counts", AGAIN)
        log.warning("zoom: %s: %s Zoom counts, twice: taken as it is", question.doing, fewer)
        return pages

    def _pages(self, question: Question, name: str, keys: Sequence[str]) -> list[Page]:
        """All pages of a list; begun again if the chain of pages breaks.

        A page token lives 15 minutes and wants the same parameters: https://developers.zoom.us/docs/api/pagination.
        """
        reason = ""
        for _ in range(LIST_ATTEMPTS):
            chain, token, reason = Chain(keys), "", ""
            while not reason:
                self._clock.check()
                if self._clock.monotonic() >= self.over_at:
                    raise question.failed("the time of this pass is over", AGAIN, TimeOver)
                answer = self._ask(question, {"next_page_token": token} if token else {})
                if token and answer.code in (responses.INVALID, responses.NO_RECORDINGS):
                    reason = "its page token died"
                    break
                if answer.code == responses.INVALID and SOURCE in question.params:  # an older or government cloud
                    plain = {key: value for key, value in question.params.items() if key != SOURCE}
                    pages = self._pages(replace(question, params=plain), name, keys)
                    self._source = {}
                    return pages
                page = self._read_page(answer, question, name)
                question.check_total(page.total)
                token = page.next_token
                if not token:
                    return [*chain.pages, page]
                reason = chain.add(page)
            log.info("zoom: %s: %s, begun again", question.doing, reason)
        raise question.failed(f"{reason}, {LIST_ATTEMPTS} times", AGAIN)

    def _read_page(self, answer: ZoomResponse, question: Question, name: str) -> Page:
        """The page that an answer holds; raises what any other one means."""
        if question.refused is ListingFailed and answer.is_empty_list:
            return parse.page({name: []}, name)
        try:
            return parse.page(_document(answer, question), name)
        except Nonsense as nonsense:
            raise question.unanswered(str(nonsense), CHECK_ADDRESS) from nonsense

    def _ask(self, question: Question, more: Mapping[str, str] | None = None, *, method: str = "GET") -> ZoomResponse:
        """One answer; one that refuses the token says whether that is good for the reference question.

        A refused token is renewed, and again with growing pauses while each new one is refused: another program with
        the same app may end it. https://devforum.zoom.us/t/server-to-server-oauth-annoying-token-invalidation/72070
        """
        token, renewals, is_good = self._tokens.current(), 0, False
        while True:
            answer = self._send(question, token, more, method=method)
            if answer.code == responses.NO_SCOPE:
                if not self._is_scope_fresh:  # the token's own list may be older than what the app has now
                    token, self._is_scope_fresh = self._tokens.renew(token), True
                    continue
                granted, needs = token.authorization.scopes, [question.need]
                has_scope = bool(granted) and not missing(granted, needs) and not doubtful(granted, needs)
                return replace(answer, is_token_good=has_scope)
            if answer.is_denied:
                return replace(answer, is_token_good=question is not REFERENCE and self.accepts(token))
            if not answer.is_stale or is_good:
                return replace(answer, is_token_good=is_good)
            if renewals and question is not REFERENCE and self.accepts(token):
                is_good = True  # asked once more, for the token may have been too new
            elif renewals == RENEWALS:
                return answer
            else:
                if renewals:
                    self._clock.sleep(2.0 ** (renewals - 1))
                token, renewals = self._tokens.renew(token), renewals + 1

    def _send(
        self, question: Question, token: Token, more: Mapping[str, str] | None = None, *, method: str = "GET"
    ) -> ZoomResponse:
        is_short = is_brief() and question is not REFERENCE  # which is about more than what failed before
        try:
            with brief(on=is_short):
                response = self._http.request(
                    method,
                    f"{self._api_url}{question.path}",
                    repeatable=method == "GET",
                    subject=question.subject,
                    headers={"Authorization": f"Bearer {token.value}", "Accept": "application/json"},
                    params={**question.params, **(more or {})},
                )
        except Unreachable as error:
            if is_short and method == "GET":  # one try shows nothing about the service: the reference question does
                raise error.become(ServiceUnavailable) from error
            raise
        log.debug("zoom: %s %s: HTTP %d", method, question.path, response.status_code)
        return responses.read(response.status_code, response.content)


def _document(answer: ZoomResponse, question: Question) -> Mapping[str, Any]:
    """What a good answer holds; raises what any other one means."""
    if answer.is_error or answer.document is None:
        raise responses.refusal(answer, question)
    return answer.document
