"""The routes of the API: users, both lists, one meeting, deletion."""

import re
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from time import sleep
from urllib.parse import unquote

from tests.sandbox.message import Answer, Request, error, invalid, json_answer
from tests.sandbox.oauth import Tokens
from tests.sandbox.paging import Pages
from tests.sandbox.settings import Settings
from tests.sandbox.world import World, ZoomFile, ZoomMeeting, ZoomUser

MONTH = timedelta(days=31)
Route = Callable[[Request, str], Answer]


class Zoom:
    """The API over a world; `origin` is the address under which downloads are reached."""

    def __init__(self, world: World, settings: Settings, tokens: Tokens, origin: str) -> None:
        self.world = world
        self._settings = settings
        self._tokens = tokens
        self._origin = origin
        self._pages = Pages(settings)
        self._deleting: dict[str, threading.Lock] = {}
        self._routes: list[tuple[str, str, str, str, Route]] = [
            ("GET", r"/v2/users", "users", "medium", self._users),
            ("GET", r"/v2/users/([^/]+)", "user", "light", self._user),
            ("GET", r"/v2/users/([^/]+)/recordings", "user list", "medium", self._user_list),
            ("GET", r"/v2/accounts/me/recordings", "account list", "medium", self._account_list),
            ("GET", r"/v2/meetings/([^/]+)/recordings", "meeting", "light", self._meeting),
            ("DELETE", r"/v2/meetings/([^/]+/recordings/[^/]+)", "delete file", "light", self._delete_file),
            ("DELETE", r"/v2/meetings/([^/]+)/recordings", "delete meeting", "light", self._delete_meeting),
        ]

    def label(self, request: Request) -> str | None:
        """The rate limit label of a request; None: not one of the API's."""
        found = self._route(request)
        return found and found[2]

    def answer(self, request: Request) -> Answer:
        """The answer to an API request."""
        found = self._route(request)
        if found is None:
            return error(404, 2300, "This API endpoint is not recognized.")
        route, need, _, what = found
        refusal = self._tokens.refusal(request, need)
        if refusal:
            return refusal
        return route(request, what)

    def _route(self, request: Request) -> tuple[Route, str, str, str] | None:
        for method, path, need, label, route in self._routes:
            if method == request.method and (match := re.fullmatch(path, request.path)):
                return route, need, label, match[1] if match.groups() else ""
        return None

    def _users(self, request: Request, _: str) -> Answer:
        status = request.query.get("status", "active")
        if status not in ("active", "inactive", "pending"):
            return invalid("status", "Invalid field.")
        users = [user for user in self.world.users.values() if user.status == status]
        return self._pages.answer(request, "users", users, ZoomUser.listed, {}, largest=2000)

    def _user(self, _: Request, raw: str) -> Answer:
        user = self.world.user(unquote(raw))
        return json_answer(user.listed(full=True)) if user and user.is_member else _no_user(user, unquote(raw))

    def _user_list(self, request: Request, raw: str) -> Answer:
        user = self.world.user(unquote(raw))
        if user is None or not user.is_member:
            return _no_user(user, unquote(raw))
        return self._list(request, lambda meeting: meeting.host_id == user.id)

    def _account_list(self, request: Request, _: str) -> Answer:
        return self._list(request, self._is_in_account_list, with_host=True)

    def _is_in_account_list(self, meeting: ZoomMeeting) -> bool:
        host = self.world.users.get(meeting.host_id)
        return self._settings.account_list_shows_inactive or (host is not None and host.status == "active")

    def _list(self, request: Request, is_wanted: Callable[[ZoomMeeting], bool], *, with_host: bool = False) -> Answer:
        span = self._span(request)
        if isinstance(span, Answer):
            return span
        first, last = span
        begin, end = (datetime.combine(day, time.min, UTC) for day in (first, last + timedelta(days=1)))
        in_trash = request.query.get("trash") == "true"  # everything that is there, whatever from and to say
        with self.world.lock:
            found = [
                meeting
                for meeting in self.world.meetings.values()
                if (in_trash or begin <= meeting.start < end)
                and is_wanted(meeting)
                and (any(file.trashed for file in meeting.files) if in_trash else meeting.is_listed)
            ]
            found.sort(key=lambda meeting: meeting.start, reverse=True)
            show = partial(self._entry, in_trash=in_trash, with_host=with_host)
            return self._pages.answer(request, "meetings", found, show, {"from": str(first), "to": str(last)})

    def _entry(self, meeting: ZoomMeeting, *, in_trash: bool, with_host: bool) -> dict[str, object]:
        entry = meeting.listed(self._origin, in_trash=in_trash)
        host = self.world.users.get(meeting.host_id)
        return entry | ({"host_email": host.email} if with_host and host else {})

    def _span(self, request: Request) -> tuple[date, date] | Answer:
        today = self._settings.clock().date()
        try:
            last = _day(request.query.get("to", str(today)))
            first = _day(request.query.get("from", str(last - timedelta(days=1))))
        except ValueError:
            return invalid("from", "Invalid field.")
        if first > last:
            return invalid("from", "The from date must not be after the to date.")
        return max(first, last - MONTH), last

    def _meeting(self, request: Request, raw: str) -> Answer:
        meeting = self._find(raw)
        if isinstance(meeting, Answer):
            return meeting
        if any(file.is_processing for file in meeting.present) and all(file.is_processing for file in meeting.present):
            return error(404, 3301, "This recording is still being processed. Please check back later.")
        if not meeting.is_listed:
            return _gone()
        document = meeting.listed(self._origin) | {"password": "yYNEFgg5"}
        document["participant_audio_files"] = [one.listed(meeting.uuid, self._origin) for one in meeting.participants]
        if "download_access_token" in request.query.get("include_fields", ""):
            document["download_access_token"] = self._tokens.mint()
        return json_answer(document)

    def _find(self, raw: str) -> ZoomMeeting | Answer:
        """The meeting that a raw path segment names; Zoom wants some uuids encoded twice."""
        once = unquote(raw)
        uuid = once if once in self.world.meetings else unquote(once)
        if uuid == once and (once.startswith("/") or "//" in once):
            return _gone()
        if uuid in self.world.meetings:
            return self.world.meetings[uuid]
        same = [one for one in self.world.meetings.values() if str(one.number) == once and "id" not in one.omit]
        return max(same, key=lambda one: one.start) if same else error(404, 3001, f"Meeting does not exist: {uuid}.")

    def _delete_file(self, request: Request, what: str) -> Answer:
        raw, _, id_ = what.partition("/recordings/")
        meeting = self._find(raw)
        if isinstance(meeting, Answer):
            return meeting
        files = [file for file in meeting.present if file.id == unquote(id_) and "id" not in file.omit]
        return self._delete(request, meeting, files)

    def _delete_meeting(self, request: Request, raw: str) -> Answer:
        meeting = self._find(raw)
        return meeting if isinstance(meeting, Answer) else self._delete(request, meeting, meeting.present)

    def _delete(self, request: Request, meeting: ZoomMeeting, files: list[ZoomFile]) -> Answer:
        action = request.query.get("action", "trash")
        if action not in ("trash", "delete"):
            return invalid("action", "Invalid field.")
        if refusal := self._refusal(meeting, files):
            return refusal
        with self.world.lock:
            turn = self._deleting.setdefault(meeting.host_id, threading.Lock())
        if not turn.acquire(blocking=False):
            return error(429, 429, "Too many concurrent requests. A request for this user is already being handled.")
        try:
            sleep(self._settings.deletion_takes)
            for file in files:
                self.world.delete(meeting.uuid, file, action if self._settings.has_trash else "delete", self._now())
        finally:
            turn.release()
        return Answer(status=204)

    def _now(self) -> datetime:
        return self._settings.clock()

    def _refusal(self, meeting: ZoomMeeting, files: list[ZoomFile]) -> Answer | None:
        if meeting.host_id not in self.world.users:
            return error(400, 1010, "User does not belong to this account.")
        if meeting.is_simulive:
            return error(400, 3310, "This recording is used by a simulive webinar.")
        if any(file.is_processing for file in files):
            return error(400, 3303, "You can not delete an uncompleted meeting.")
        return None if files else _gone()


def _day(text: str) -> date:
    """Of `2026-09-28`, also with a time behind it."""
    return datetime.fromisoformat(text).date()


def _no_user(user: ZoomUser | None, who: str) -> Answer:
    """Zoom's ways to say that it has no such user: never heard of, invited only, of another account."""
    if user is None:
        return error(404, 1001, f"User does not exist: {who}.")
    if user.status == "foreign":
        return error(400, 1010, "User does not belong to this account.")
    return error(400, 1120, "A valid invitation to join the Zoom account was not found for this user.")


def _gone() -> Answer:
    return error(404, 3301, "This recording does not exist.")
