"""The cloud behind the stand-in: users, meetings, files, trash. Mutable, so that a test can change it as it goes."""

import threading
import uuid as guids
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain

from tests.sandbox.content import Content
from tests.sandbox.media import Clip, prepare

ACCOUNT = "Sandb0xAccountId_AbCdEf"


def stamp(when: datetime) -> str:
    """Zoom's form of a time."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(kw_only=True)
class ZoomUser:
    """A user: `active`, `inactive`, `pending` (shows no id), or `foreign`, of another account."""

    id: str
    email: str
    first_name: str = ""
    last_name: str = ""
    status: str = "active"
    department: str = ""
    display_name: str = ""
    """Empty: the other two."""

    @property
    def is_member(self) -> bool:
        """Whether the account has this user."""
        return self.status in ("active", "inactive")

    def listed(self, *, full: bool = False) -> dict[str, object]:
        """As in an answer of `GET /users`, with `full` of `GET /users/{id}`: names that are empty are missing."""
        names = {"first_name": self.first_name, "last_name": self.last_name}
        if self.status == "pending":  # a few fields alone, and no id
            entry: dict[str, object] = {
                "email": self.email,
                "type": 1,
                "status": "pending",
                "created_at": "2026-01-05T08:00:00Z",
            }
            return entry | {name: value for name, value in names.items() if value}
        name = f"{self.first_name} {self.last_name}".strip()
        entry = {
            "id": self.id, "display_name": self.display_name or name, "email": self.email, "type": 2,
            "pmi": 5_550_000_000 + len(self.email), "timezone": "Europe/Berlin", "verified": 1,
            "dept": self.department, "created_at": "2024-02-01T08:00:00Z", "user_created_at": "2024-02-01T08:00:00Z",
            "last_login_time": "2026-02-27T08:00:00Z", "last_client_version": "6.7.2.6498(win)", "language": "de-DE",
            "pic_url": "", "role_id": "2", "status": self.status,
        }  # fmt: skip
        entry |= {name: value for name, value in names.items() if value}
        own = {
            "phone_number": "",
            "login_types": [100],
            "account_id": ACCOUNT,
            "role_name": "Member",
            "cms_user_id": "",
        }
        return entry | (own if full else {})


@dataclass(kw_only=True)
class ZoomFile:
    """A file in the cloud."""

    id: str
    type: str
    view: str
    start: datetime
    end: datetime
    content: Content
    extension: str = "MP4"
    listed_size: int | None = None
    """What the list says instead of the true size."""
    is_processing: bool = False
    trashed: datetime | None = None
    deleted: bool = False
    raw: Mapping[str, object] = field(default_factory=dict)
    """Laid over the listed entry."""
    omit: tuple[str, ...] = ()
    """Keys that the listed entry lacks."""

    @property
    def is_there(self) -> bool:
        """Neither in the trash nor gone for good."""
        return self.trashed is None and not self.deleted

    @property
    def size(self) -> int:
        """As listed."""
        return self.content.size if self.listed_size is None else self.listed_size

    def listed(self, meeting: str, origin: str) -> dict[str, object]:
        """As one of `recording_files`."""
        entry: dict[str, object] = {"id": self.id, "meeting_id": meeting, "recording_start": stamp(self.start)}
        entry |= self._unfinished(origin) if self.is_processing else self._finished(origin)
        return {name: value for name, value in (entry | dict(self.raw)).items() if name not in self.omit}

    def _unfinished(self, origin: str) -> dict[str, object]:
        """With addresses already, under which there is nothing yet."""
        return {
            "recording_end": "", "file_type": "", "file_extension": "", "file_size": 0, "status": "processing",
            "play_url": f"{origin}/rec/play/{self.id}", "download_url": f"{origin}/rec/download/{self.id}",
        }  # fmt: skip

    def _finished(self, origin: str) -> dict[str, object]:
        entry: dict[str, object] = {
            "recording_end": stamp(self.end), "file_type": self.type, "file_extension": self.extension,
            "file_size": self.size, "play_url": f"{origin}/rec/play/{self.id}",
            "download_url": f"{origin}/rec/download/{self.id}", "status": "completed", "recording_type": self.view,
        }  # fmt: skip
        return entry | ({"deleted_time": stamp(self.trashed)} if self.trashed else {})


@dataclass(kw_only=True)
class ZoomMeeting:
    """One occurrence."""

    uuid: str
    number: int
    host_id: str
    topic: str
    start: datetime
    type: int | str = 2
    timezone: str = "Europe/Berlin"
    files: list[ZoomFile] = field(default_factory=list)
    participants: list[ZoomFile] = field(default_factory=list)
    """The separate tracks of participants, which only the answer for one meeting holds."""
    auto_delete: datetime | None = None
    is_simulive: bool = False
    raw: Mapping[str, object] = field(default_factory=dict)
    omit: tuple[str, ...] = ()

    @property
    def present(self) -> list[ZoomFile]:
        """Files that are in the cloud now."""
        return [file for file in self.files if file.is_there]

    @property
    def is_listed(self) -> bool:
        """Whether a list shows it: it has a file, or never lists any."""
        return bool(self.present) or "recording_files" in self.omit

    def listed(self, origin: str, *, in_trash: bool = False) -> dict[str, object]:
        """As one of `meetings`."""
        files = [file for file in self.files if file.trashed] if in_trash else self.present
        length = max((file.end for file in self.files), default=self.start) - self.start
        entry: dict[str, object] = {
            "uuid": self.uuid, "id": self.number, "account_id": ACCOUNT, "host_id": self.host_id, "topic": self.topic,
            "type": self.type, "start_time": stamp(self.start), "timezone": self.timezone,
            "duration": length // timedelta(minutes=1), "total_size": sum(file.size for file in files),
            "recording_count": len(files), "share_url": f"{origin}/rec/share/{self.number}",
            "recording_play_passcode": "yYNEFgg5",
        }  # fmt: skip
        if self.auto_delete:
            entry["auto_delete"] = True
            entry["auto_delete_date"] = f"{self.auto_delete:%Y-%m-%d}"
        entry["recording_files"] = [file.listed(self.uuid, origin) for file in files]
        return {name: value for name, value in (entry | dict(self.raw)).items() if name not in self.omit}


class World:
    """Everything in the account. `lock` guards it against the server's threads."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        """When it was made: all its dates are relative to this."""
        self.lock = threading.RLock()
        self.users: dict[str, ZoomUser] = {}
        self.meetings: dict[str, ZoomMeeting] = {}
        self._made: Counter[str] = Counter()
        self._holders: dict[str, ZoomMeeting] = {}
        """The meeting that a file was added to, by its id: where it is looked for first."""
        self.names: dict[str, str] = {}
        """The uuids of meetings by the short names that a ready-made world gives them."""
        self.held: dict[str, list[Callable[[], object]]] = {}
        self.deletions: list[tuple[str, str, str]] = []
        """Every file deleted through the API: uuid, file id, `trash` or `delete`."""

    def add_user(self, name: str, *, status: str = "active", **more: str) -> ZoomUser:
        """A new user named `First Last` at example.org; the id is made from the name."""
        first, _, last = name.partition(" ")
        user = ZoomUser(id=f"id_{first.lower()}", email=f"{first.lower()}@example.org", first_name=first,
                        last_name=last, status=status)  # fmt: skip
        for key, value in more.items():
            setattr(user, key, value)
        self.users[user.id] = user
        return user

    def prepare(self) -> None:
        """Make all clips now, so that no request waits for ffmpeg."""
        files = [file for one in self.meetings.values() for file in (*one.files, *one.participants)]
        prepare(file.content for file in files if isinstance(file.content, Clip))

    def user(self, id_or_email: str) -> ZoomUser | None:
        """Found by id or e-mail, pending ones by e-mail alone; `me` is the owner of the account."""
        if id_or_email == "me":
            return next((one for one in self.users.values() if one.status == "active"), None)
        wanted = id_or_email.lower()
        return next((one for one in self.users.values() if id_or_email == one.id or wanted == one.email), None)

    def add_meeting(self, meeting: ZoomMeeting) -> ZoomMeeting:
        """Put one occurrence into the cloud."""
        with self.lock:
            self.meetings[meeting.uuid] = meeting
        return meeting

    def add_file(
        self, uuid: str, content: Content, *, type: str = "MP4", view: str = "active_speaker", at: float = 0,  # noqa: A002  # Zoom's word
        seconds: float = 8, **more: object,
    ) -> ZoomFile:  # fmt: skip
        """Add a file to a meeting; `at` is the second, counted from the meeting's start, at which it begins."""
        with self.lock:
            meeting = self.meetings[uuid]
            begin = meeting.start + timedelta(seconds=at)
            self._made[uuid] += 1
            name = str(guids.uuid5(guids.NAMESPACE_URL, f"{uuid} {self._made[uuid]}"))
            file = ZoomFile(id=name, type=type, view=view, start=begin, end=begin + timedelta(seconds=seconds),
                            content=content)  # fmt: skip
            for key, value in more.items():
                setattr(file, key, value)
            meeting.files.append(file)
            self._holders[file.id] = meeting
            return file

    def file(self, id: str) -> ZoomFile | None:  # noqa: A002  # Zoom's word
        """A file that is in the cloud now."""
        with self.lock:
            meetings = chain([self._holders[id]] if id in self._holders else [], self.meetings.values())
            every = (file for one in meetings for file in (*one.files, *one.participants))
            return next((file for file in every if file.id == id and file.is_there), None)

    @property
    def trash(self) -> list[tuple[str, ZoomFile]]:
        """Files that can be brought back, each with its meeting's uuid."""
        with self.lock:
            return [(one.uuid, file) for one in self.meetings.values() for file in one.files if file.trashed]

    def delete(self, uuid: str, file: ZoomFile, action: str, when: datetime) -> None:
        """What the API's deletion does."""
        with self.lock:
            file.trashed = when if action == "trash" else None
            file.deleted = action == "delete"
            self.deletions.append((uuid, file.id, action))

    def restore(self, uuid: str) -> None:
        """What a person does who takes a meeting back from the trash."""
        with self.lock:
            for file in self.meetings[uuid].files:
                file.trashed = None

    def hold(self, name: str, action: Callable[[], object]) -> None:
        """Keep back a change until `release(name)`."""
        self.held.setdefault(name, []).append(action)

    def release(self, name: str | None = None) -> list[str]:
        """Let what is late arrive: one name or all; the names that came. Raises KeyError for an unknown one."""
        with self.lock:
            names = [name] if name is not None else list(self.held)
            for one in names:
                for action in self.held.pop(one):
                    action()
            return names
