"""Zoom's API as a pass uses it: users, lists, one meeting, the deletion of one file."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

from zoomsync.errors import AccountListRefused, DeletionRefused, ListingFailed, MeetingFailed, Subject, Unreachable
from zoomsync.formatting import plural
from zoomsync.http import Http
from zoomsync.model import Authorization, Clock, Listing, Meeting, User
from zoomsync.zoom import parse, responses
from zoomsync.zoom.oauth import TokenSource
from zoomsync.zoom.parse import Nonsense, Page
from zoomsync.zoom.responses import Question, ZoomResponse

LONGEST_WINDOW = timedelta(days=30)
"""Zoom cuts a span over one month in silence: https://devforum.zoom.us/t/retrieve-all-past-zoom-cloud-recordings/22487"""
LIST_ATTEMPTS = 3
"""How often a list is begun if its chain of pages breaks."""
DELETE_ATTEMPTS = 5
"""How often a deletion waits for another one of the same user."""
AGAIN = "nothing is missed: it is listed again in the next pass"

log = logging.getLogger(__name__)


class ZoomClient:
    """The API below `api_url`: see `Zoom`. A token that Zoom refuses is renewed once."""

    def __init__(self, http: Http, tokens: TokenSource, *, api_url: str, clock: Clock) -> None:
        self._http = http
        self._tokens = tokens
        self._api_url = api_url.rstrip("/")
        self._clock = clock

    def authorize(self) -> Authorization:
        """Get a token, unless there is one with a while to live."""
        return self._tokens.current().authorization

    def users(self, status: str) -> list[User]:
        """All users with this status: `active`, `inactive` or `pending`; listed completely, or it raises.

        https://developers.zoom.us/docs/api/users/#tag/users/GET/users. Pending users have no id (seen, undocumented).
        """
        params = {"status": status, "page_size": "300"}
        question = Question(path="/users", params=params, doing=f"{status} users", refused=Unreachable)
        pages, missing = self._list(question, "users", "id", "email")
        if missing > 0:
            raise question.failed(f"{plural(missing, 'user')} fewer than Zoom counts", AGAIN)
        found = [parse.user(entry) for page in pages for entry in page.entries]
        return list({one.id or one.email: one for one in found}.values())

    def user(self, email: str) -> User | None:
        """The user with this address (or id); None: Zoom does not know it."""
        path = f"/users/{quote(email, safe='@')}"
        question = Question(path=path, doing=f"user {email}", refused=Unreachable, subject=Subject("user", email))
        answer = self._ask(question)
        return None if answer.code == responses.USER_UNKNOWN else parse.user(_document(answer, question))

    def recordings(self, since: date, until: date, *, user: str | None) -> Listing:
        """Every recording that began from `since` to `until`, of a user (id or address) or of the account.

        At most 30 days, listed completely, or it raises: `AccountListRefused`, for a user `ListingFailed`.
        https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording/GET/users/{userId}/recordings
        """
        if not timedelta(0) <= until - since <= LONGEST_WINDOW:
            raise ValueError(f"{since} to {until} is no window of at most {LONGEST_WINDOW.days} days")
        # Without both dates Zoom lists about a day (seen, undocumented), without a source type also "My Notes" (above).
        params = {"from": str(since), "to": str(until), "page_size": "300"}
        question = Question(
            path="/accounts/me/recordings" if user is None else f"/users/{quote(user, safe='@')}/recordings",
            params=params | {"recording_source_type": "cloud_recording_only"},
            doing=f"recordings of {'the account' if user is None else user} {since} to {until}",
            refused=AccountListRefused if user is None else ListingFailed,
            subject=None if user is None else Subject("user", user),
        )
        listed_at = self._clock.now()
        pages, missing = self._list(question, "meetings", "uuid")
        if not all(page.covers(since, until) for page in pages):
            if until - since <= timedelta(days=1):
                hint = "nothing is missed: the window is listed in a later pass; tell Zoom's support if it stays so"
                raise question.failed("Zoom lists other days than those asked for", hint, Unreachable)
            middle = since + (until - since) // 2
            halves = self.recordings(since, middle, user=user), self.recordings(middle, until, user=user)
            return parse.listing(
                [meeting for half in halves for meeting in half.meetings],
                [problem for half in halves for problem in half.unreadable],
            )
        if missing > 0:
            kind = Unreachable if user is None else ListingFailed
            raise question.failed(f"{plural(missing, 'meeting')} fewer than Zoom counts", AGAIN, kind)
        meetings, unreadable = [], []
        for entry in (one for page in pages for one in page.entries):
            try:
                meetings.append(parse.meeting(entry, listed_at, user if user and "@" in user else ""))
            except Nonsense as problem:
                log.warning("zoom: %s", problem)
                unreadable.append(str(problem))
        return parse.listing(meetings, unreadable)

    def meeting(self, uuid: str) -> Meeting | None:
        """The meeting as it is now; None: gone, and Zoom itself says so.

        Raises `StillProcessing`, and `MeetingFailed` if Zoom refuses this one.
        https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording/GET/meetings/{meetingId}/recordings
        """
        question = Question(
            path=responses.meeting_path(uuid),
            params={"include_fields": "download_access_token"},
            doing=f"meeting {uuid}",
            refused=MeetingFailed,
            subject=Subject("meeting", uuid),
        )
        answer = self._ask(question)
        if answer.is_gone(responses.RECORDING_GONE):
            return None
        try:
            found = parse.meeting(_document(answer, question), self._clock.now())
        except Nonsense as nonsense:
            raise question.failed(str(nonsense), "the next pass asks again") from nonsense
        if found.uuid != uuid:
            raise question.failed("the answer is about another meeting", "the next pass asks again")
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
            subject=Subject("file", file_id),
        )
        if file_id.startswith("noid-"):
            raise question.failed("Zoom gave this file no id", "delete it in Zoom's web portal")
        for turn in range(DELETE_ATTEMPTS):
            answer = self._ask(question, method="DELETE")
            if not answer.is_crowded:
                break
            self._clock.sleep(2.0**turn)
        if answer.is_done:
            return str(answer.status)
        if answer.is_gone(responses.FILE_GONE):
            return "gone already"
        raise responses.refusal(answer, question)

    def _list(self, question: Question, name: str, *keys: str) -> tuple[list[Page], int]:
        """The pages of a list, and how many entries are missing; then they are read once more."""
        pages = self._pages(question, name)
        missing = lack(pages, keys)
        if missing > 0:
            before, pages = pages, self._pages(question, name)
            missing = lack(pages, keys, before)
        return pages, missing

    def _pages(self, question: Question, name: str) -> list[Page]:
        """All pages of a list, whose entries are under `name`; begun again if the chain of pages breaks.

        A page token lives 15 minutes and wants the same parameters: https://developers.zoom.us/docs/api/pagination.
        One that repeats would never come to an end (seen, undocumented).
        """
        reason = ""
        for _ in range(LIST_ATTEMPTS):
            pages, token, seen = list[Page](), "", {""}
            while True:
                self._clock.check()
                answer = self._ask(question, {"next_page_token": token} if token else {})
                if token and answer.code == responses.PAGE_EXPIRED:
                    reason = "its page token died"
                    break
                try:
                    pages.append(parse.page(_document(answer, question), name))
                except Nonsense as nonsense:
                    raise question.failed(str(nonsense), "check zoom.api_url", Unreachable) from nonsense
                token = pages[-1].next_token
                if not token:
                    return pages
                if token in seen:
                    reason = "a page token repeats"
                    break
                seen.add(token)
            log.info("zoom: %s: %s, begun again", question.doing, reason)
        kind = ListingFailed if question.refused is ListingFailed else Unreachable
        raise question.failed(f"{reason}, {LIST_ATTEMPTS} times", AGAIN, kind)

    def _ask(self, question: Question, more: Mapping[str, str] | None = None, *, method: str = "GET") -> ZoomResponse:
        """One answer; if it says that the token is good no more, once again with a new one.

        Another program with the same app may have ended the token:
        https://devforum.zoom.us/t/server-to-server-oauth-annoying-token-invalidation/72070
        """
        token, is_renewed = self._tokens.current(), False
        while True:
            response = self._http.request(
                method,
                f"{self._api_url}{question.path}",
                repeatable=method == "GET",
                subject=question.subject,
                headers={"Authorization": f"Bearer {token.value}", "Accept": "application/json"},
                params={**question.params, **(more or {})},
            )
            log.debug("zoom: %s %s: HTTP %d", method, question.path, response.status_code)
            answer = responses.read(response.status_code, response.content)
            if is_renewed or not answer.is_stale:
                return answer
            token, is_renewed = self._tokens.renew(token), True


def _document(answer: ZoomResponse, question: Question) -> Mapping[str, Any]:
    """What a good answer holds; raises what any other one means."""
    if answer.is_error or answer.document is None:
        raise responses.refusal(answer, question)
    return answer.document


def lack(pages: Sequence[Page], keys: Sequence[str], before: Sequence[Page] = ()) -> int:
    """How many entries fewer the pages hold than Zoom counts as `total_records`; the last page counts last.

    An entry is named by the first of `keys` that it has. One that stands there twice slid to the next page while it was
    read, and another may have slid away; unless the reading `before` repeats the very same: then Zoom counts it twice.
    """

    def repeated(pages: Sequence[Page]) -> Mapping[str, int]:
        entries = [entry for page in pages for entry in page.entries]
        named = Counter(next((name for key in keys if (name := parse.text(entry.get(key)))), "") for entry in entries)
        return {name: times - 1 for name, times in named.items() if name and times > 1}

    total = next((page.total for page in reversed(pages) if page.total is not None), 0)
    twice = repeated(pages)
    missing = total - sum(len(page.entries) for page in pages)
    return missing if twice == repeated(before) else missing + sum(twice.values())
