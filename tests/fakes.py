"""Builders and doubles that tests share: `a_meeting(...)` and friends, and a clock that tests turn."""

import math
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from zoomsync.errors import Stopped, ZoomsyncError
from zoomsync.model import (
    Arrival,
    Authorization,
    CloudFile,
    Entry,
    Kind,
    Listing,
    Meeting,
    Phase,
    Receipt,
    RecordingFile,
    Role,
    StoredFile,
    User,
)

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
"""When tests begin: nine days after `START`."""
START = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
"""When the builders' meeting starts; it lasts half an hour."""
SHA = "ab" * 32


class FakeClock:
    """A `model.Clock` that stands still: `sleep` advances it and records `slept`, `stop` ends the pass."""

    def __init__(self, now: datetime = NOW) -> None:
        self._lock = threading.Lock()
        self._now = now
        self._monotonic = 1000.0
        self._signum: int | None = None
        self.slept: list[float] = []
        self.checks = 0
        self.stop_after: int | None = None
        """After so many calls of `check` the pass is to end."""

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self._raise_if_stopped()
        with self._lock:
            self.slept.append(seconds)
        self.advance(seconds)

    def check(self) -> None:
        with self._lock:
            self.checks += 1
            if self.stop_after is not None and self.checks > self.stop_after:
                self._signum = 15
        self._raise_if_stopped()

    def set(self, now: datetime) -> None:
        """Turn the wall clock, also backwards; `monotonic` stays."""
        self._now = now

    def advance(self, seconds: float = 0, **span: float) -> None:
        """Let time pass: `clock.advance(30)`, `clock.advance(days=2)`."""
        step = timedelta(seconds=seconds) + timedelta(**span)
        with self._lock:
            self._now += step
            self._monotonic += step.total_seconds()

    def stop(self, signum: int = 15) -> None:
        """From now on `sleep` and `check` raise `Stopped`."""
        self._signum = signum

    def _raise_if_stopped(self) -> None:
        if self._signum is not None:
            raise Stopped(self._signum)


def a_user(**changes: Any) -> User:
    """An active user, `ada@example.org`."""
    return replace(
        User(id="host-ada", email="ada@example.org", first_name="Ada", last_name="Lovelace"),
        **changes,
    )


def a_file(**changes: Any) -> RecordingFile:
    """The MP4 of a half-hour meeting; give `id` and `view` where there are several."""
    plain = RecordingFile(
        id="file-video",
        kind=Kind.VIDEO,
        type="MP4",
        extension="mp4",
        view="shared_screen_with_speaker_view",
        size=1000,
        start=START,
        end=START + timedelta(minutes=30),
        url="https://zoom.us/rec/download/file-video",
    )
    return replace(plain, **changes)


def a_meeting(**changes: Any) -> Meeting:
    """A half-hour meeting of ada with one video; its uuid has slashes, as real ones do."""
    plain = Meeting(
        uuid="/abc//DEF+ghi==",
        number="85012345678",
        host_id="host-ada",
        host_email="ada@example.org",
        topic="Weekly planning",
        type="2",
        start=START,
        timezone="Europe/Berlin",
        duration=30,
        files=(a_file(),),
        listed_at=NOW,
    )
    return replace(plain, **changes)


def a_cloud_file(file: RecordingFile | None = None, **changes: Any) -> CloudFile:
    """`file` as it was fetched whole, stored in `video.mp4`."""
    one = file or a_file()
    plain = CloudFile(
        id=one.id,
        kind=one.kind,
        type=one.type,
        view=one.view,
        start=one.start,
        size=one.size,
        fetched_size=one.size or 10,
        sha256=SHA,
        stored="video.mp4",
        arrival=Arrival.ONCE if one.size else Arrival.TWICE,
    )
    return replace(plain, **changes)


def a_receipt(meeting: Meeting | None = None, **changes: Any) -> Receipt:
    """A receipt whose one `video.mp4` contains every file of the meeting."""
    of = meeting or a_meeting()
    stored = StoredFile(
        name="video.mp4", role=Role("video"), size=of.size, sha256=SHA, made_of=tuple(file.id for file in of.files)
    )
    plain = Receipt(
        uuid=of.uuid,
        destination="library-1",
        place="published/ada@example.org/2026/2026-03-01 10-30 Weekly planning [00000000]",
        author="ada@example.org",
        files=(stored,),
        cloud=tuple(a_cloud_file(file) for file in of.files),
    )
    return replace(plain, **changes)


def an_entry(meeting: Meeting | None = None, **changes: Any) -> Entry:
    """The meeting as the ledger first remembers it: waiting, without receipt."""
    of = meeting or a_meeting()
    plain = Entry(
        uuid=of.uuid,
        number=of.number,
        host_id=of.host_id,
        host_email=of.host_email,
        topic=of.topic,
        start=of.start,
        timezone=of.timezone,
        phase=Phase.WAITING,
        reason="not settled yet",
        first_seen=NOW,
        changed_at=NOW,
        auto_delete=of.auto_delete,
        size=of.size,
    )
    return replace(plain, **changes)


PIECES: dict[str, dict[str, Any]] = {
    "A": {"kind": Kind.VIDEO, "type": "MP4", "extension": "mp4", "view": "shared_screen_with_speaker_view"},
    "B": {"kind": Kind.VIDEO, "type": "MP4", "extension": "mp4", "view": "gallery_view"},
    "C": {"kind": Kind.VIDEO, "type": "MP4", "extension": "mp4", "view": "active_speaker"},
    "X": {"kind": Kind.VIDEO, "type": "MP4", "extension": "mp4", "view": "some_new_view"},
    "S": {"kind": Kind.AUDIO, "type": "M4A", "extension": "m4a", "view": "audio_only"},
    "I": {"kind": Kind.AUDIO, "type": "M4A", "extension": "m4a", "view": "audio_interpretation"},
    "T": {"kind": Kind.CAPTIONS, "type": "TRANSCRIPT", "extension": "vtt", "view": "audio_transcript"},
    "Q": {"kind": Kind.CAPTIONS, "type": "CC", "extension": "vtt", "view": "closed_caption"},
    "H": {"kind": Kind.CHAT, "type": "CHAT", "extension": "txt", "view": "chat_file"},
    "L": {"kind": Kind.TIMELINE, "type": "TIMELINE", "extension": "json", "view": "timeline"},
    "M": {"kind": Kind.SUMMARY, "type": "SUMMARY", "extension": "json", "view": "summary"},
    "O": {"kind": Kind.OTHER, "type": "CSV", "extension": "csv", "view": "poll"},
}
"""Kinds of files by letter: speaker view A, gallery B, active C, an unknown one X, sound S, interpretation I,
transcript T, captions Q, chat H, timeline L, summary M, poll O."""


def a_piece(name: str, begin: float | None = 0, end: float | None = None, **changes: Any) -> RecordingFile:
    """A file named by its letter in `PIECES` and a number: `a_piece("B2", 60, 90)`, in seconds since `START`."""
    start = None if begin is None else START + timedelta(seconds=begin)
    until = None if end is None else START + timedelta(seconds=end)
    return a_file(**{"id": name, "start": start, "end": until, **PIECES[name[0]], **changes})


class FakeZoom:
    """A `model.Zoom` from memory: its users, lists and meetings; `asked` has every question in words."""

    def __init__(self, *people: User) -> None:
        self.people = people
        self.lists: dict[str | None, tuple[Meeting, ...] | ZoomsyncError] = {}
        """By user id; None: the account-wide list. An error is raised."""
        self.meetings: dict[str, Meeting | ZoomsyncError] = {}
        """By uuid. An error is raised."""
        self.trashed: dict[str, tuple[Meeting, ...] | ZoomsyncError] = {}
        """By user id: what lies in the trash. An error is raised."""
        self.deletions: dict[str, ZoomsyncError] = {}
        """By id of a file: what its deletion raises."""
        self.deleted: list[tuple[str, str, str]] = []
        """uuid, id of the file, and how."""
        self.authorization = Authorization(scopes=frozenset(), server_date=NOW)
        self.asked: list[str] = []
        self.refused: dict[str, ZoomsyncError] = {}
        """By address or id of a user: what looking it up raises."""
        self.over_at = math.inf
        self.down: ZoomsyncError | None = None
        """What the reference question raises."""

    def authorize(self) -> Authorization:
        return self.authorization

    def ping(self) -> None:
        self.asked.append("the reference question")
        if self.down is not None:
            raise self.down

    def users(self, status: str) -> list[User]:
        self.asked.append(f"{status} users")
        return [user for user in self.people if user.status == status]

    def user(self, email: str) -> User | None:
        self.asked.append(email)
        if email in self.refused:
            raise self.refused[email]
        return next((user for user in self.people if email in (user.email, user.id)), None)

    def trash(self, user: str) -> Listing:
        self.asked.append(f"trash of {user}")
        found = self.trashed.get(user, ())
        if isinstance(found, ZoomsyncError):
            raise found
        return Listing(meetings=found)

    def recordings(self, since: date, until: date, *, user: str | None) -> Listing:
        self.asked.append(f"recordings of {user or 'the account'} {since} to {until}")
        found = self.lists.get(user, ())
        if isinstance(found, ZoomsyncError):
            raise found
        return Listing(meetings=found)

    def meeting(self, uuid: str) -> Meeting | None:
        self.asked.append(f"meeting {uuid}")
        found = self.meetings.get(uuid)
        if isinstance(found, ZoomsyncError):
            raise found
        return found

    def delete_file(self, uuid: str, file_id: str, action: str) -> str:
        self.deleted.append((uuid, file_id, action))
        if file_id in self.deletions:
            raise self.deletions[file_id]
        return "204"
