"""Zoom's documents about users and recordings, made into nouns: tolerant of all that is missing or odd. Pure.

This is the border for Zoom's texts: what `text` gives has no lone surrogates, so that any file and database takes it.
Zoom's schema requires next to nothing, and its enums grow: every field may be missing, and every value unknown.
https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from zoomsync.formatting import escaped
from zoomsync.model import Kind, Listing, Meeting, RecordingFile, Secret, User
from zoomsync.rules.segments import VIEWS, has_end

_TYPES: Mapping[str, tuple[Kind, str]] = {
    "MP4": (Kind.VIDEO, "mp4"),
    "M4A": (Kind.AUDIO, "m4a"),
    "TRANSCRIPT": (Kind.CAPTIONS, "vtt"),
    "CC": (Kind.CAPTIONS, "vtt"),
    "CHAT": (Kind.CHAT, "txt"),
    "CHAT_MESSAGE": (Kind.CHAT, "json"),
    "TIMELINE": (Kind.TIMELINE, "json"),
    "SUMMARY": (Kind.SUMMARY, "json"),
    "CSV": (Kind.OTHER, "csv"),
    "TB": (Kind.OTHER, "jpg"),
    # These are no file types:
    "VTT": (Kind.CAPTIONS, "vtt"),
    "AUDIO_ONLY": (Kind.AUDIO, "m4a"),
    "AUDIO_INTERPRETATION": (Kind.AUDIO, "m4a"),
    "AUDIO_TRANSCRIPT": (Kind.CAPTIONS, "vtt"),
    "CLOSED_CAPTION": (Kind.CAPTIONS, "vtt"),
    "CHAT_FILE": (Kind.CHAT, "txt"),
    "POLL": (Kind.OTHER, "csv"),
    "THUMBNAIL": (Kind.OTHER, "jpg"),
}
"""File type, recording type or extension, in upper case → what the file is for, and the extension of such a file.

The three do not contradict each other.
"""


FIRST_YEAR, LAST_YEAR = 2000, 2200
"""A time before or after these is none: `0001-01-01` comes as auto_delete_date (seen, undocumented)."""
LARGEST = 2**53
"""The largest number that is exact in any JSON."""
LONGEST = 366 * 24 * 60
"""Minutes; a meeting that is said to be longer says nothing."""


class Nonsense(ValueError):
    """A document that lacks what it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list."""

    entries: tuple[Mapping[str, Any], ...]
    next_token: str
    """`""` on the last one."""
    total: int | None
    """How many entries all pages have together, if it says so."""
    since: str
    until: str
    """The dates that the list really covers; `""` if it does not say."""

    def covers(self, since: date, until: date, today: date) -> bool:
        """Whether the list spans what was asked: Zoom cuts a longer span in silence, and echoes what it took.

        It may echo today for a day to come: there is nothing after today.
        """
        return self.since <= str(since) and (not self.until or self.until >= str(min(until, today)))


def page(document: Mapping[str, Any], name: str) -> Page:
    """One page whose entries are under `name`; raises `Nonsense`."""
    entries = document.get(name)
    if entries is None and number(document.get("total_records")) == 0:
        entries = []
    if not isinstance(entries, list) or (entries and not any(isinstance(one, dict) for one in entries)):
        raise Nonsense(f"an answer without a list of {name}")
    return Page(
        entries=tuple(one if isinstance(one, dict) else {} for one in entries),
        next_token=text(document.get("next_page_token")),
        total=number(document.get("total_records")),
        since=_day(document.get("from")),
        until=_day(document.get("to")),
    )


def _day(value: object) -> str:
    """The date of an echo, which may have a time behind it; `""` if it is none."""
    written = text(value).strip()[:10]
    return written if re.fullmatch(r"\d{4}-\d\d-\d\d", written) and moment(written) is not None else ""


def user(document: Mapping[str, Any]) -> User:
    """A user; everything may be missing. One without first and last name has those of `display_name`."""
    first, last = (text(document.get(name)).strip() for name in ("first_name", "last_name"))
    if not (first or last):
        *names, last = text(document.get("display_name")).split() or [""]
        first, last = (" ".join(names), last) if names else (last, "")
    return User(
        id=text(document.get("id")),
        email=text(document.get("email")),
        first_name=first,
        last_name=last,
        status=text(document.get("status")) or "active",
    )


def meeting(document: Mapping[str, Any], listed_at: datetime, host_email: str = "") -> Meeting:
    """A meeting; `host_email` if the list names none. Raises `Nonsense` without a uuid or any start."""
    uuid = text(document.get("uuid"))
    if not uuid.strip("."):
        raise Nonsense(f"meeting {escaped(text(document.get('id')) or '?')}: Zoom lists it without a uuid")
    found = files(uuid, document.get("recording_files"))
    start = moment(document.get("start_time")) or min((one.start for one in found if one.start), default=None)
    if start is None:
        raise Nonsense(f"meeting {escaped(uuid)}: Zoom gives neither start_time nor any recording_start")
    minutes = number(document.get("duration")) or 0
    token = text(document.get("download_access_token"))
    return Meeting(
        uuid=uuid,
        number=text(document.get("id")),
        host_id=text(document.get("host_id")),
        host_email=text(document.get("host_email")) or host_email,
        topic=text(document.get("topic")),
        type=text(document.get("type")),
        start=start,
        timezone=text(document.get("timezone")),
        duration=minutes,
        files=tuple(_lasting(one, start, minutes) for one in found),
        auto_delete=None if document.get("auto_delete") is False else moment(document.get("auto_delete_date")),
        listed_at=listed_at,
        download_token=Secret(lambda: token) if token else None,
    )


def absurd(document: Mapping[str, Any]) -> dict[str, str]:
    """What of a meeting and its files counts as missing, for it is no time or number: name → what stands there."""
    listed = document.get("recording_files")
    entries = [one for one in (document, *(listed if isinstance(listed, list) else ())) if isinstance(one, dict)]
    found = {
        name: str(value)
        for entry in entries
        for name, read in _READERS.items()
        if (value := entry.get(name)) not in (None, "") and read(value) is None
    }
    if document.get("auto_delete") is False:
        found.pop("auto_delete_date", None)
    return found


def files(uuid: str, entries: object) -> tuple[RecordingFile, ...]:
    """The files that are in the cloud; those in the trash, which have a `deleted_time`, are left out.

    An id that stands for several files names none of them: to delete one by it could delete another.
    """
    every = entries if isinstance(entries, list) else ()
    listed = [one for one in every if isinstance(one, dict) and not one.get("deleted_time")]
    known: dict[str, RecordingFile] = {}
    found: dict[str, RecordingFile] = {}
    made = [replace(_file(uuid, entry), url="") for entry in listed]
    shared = {one.id for one in made if known.setdefault(one.id, one) != one}
    for entry in listed:
        one = _file(uuid, entry)
        if one.id in shared:
            one = _file(uuid, {**entry, "id": None})
        while one.id in found and one.id.startswith("noid-"):
            one = replace(one, id=f"{one.id}+")
        found[one.id] = one
    return tuple(found.values())


def _file(uuid: str, entry: Mapping[str, Any]) -> RecordingFile:
    """A file. Its kind is what its type says, else its recording type, else its extension; its extension likewise.

    One that is still processed has an empty type, no end and size 0:
    https://github.com/ricardorodrigues-ca/zoom-recording-downloader/pull/7
    Some TIMELINE and CC entries have no id (seen, undocumented): it is made of what describes them, the same each time.
    """
    type_, extension, view = (text(entry.get(name)) for name in ("file_type", "file_extension", "recording_type"))
    known = "\0".join((uuid, type_, extension, view, text(entry.get("recording_start"))))
    type_, extension = type_.upper(), extension.lower().lstrip(".")
    extension = extension if re.fullmatch(r"[a-z0-9]{1,8}", extension) else ""
    words = ["SUMMARY" if word.startswith("SUMMARY") else word for word in (type_, view.upper(), extension.upper())]
    if not extension and view in VIEWS:  # with an extension it may be a picture of that view
        words.append("MP4")
    kind, usual = next((_TYPES[word] for word in words if word in _TYPES), (Kind.OTHER, ""))
    size = number(entry.get("file_size"))
    return RecordingFile(
        id=text(entry.get("id")) or f"noid-{hashlib.sha256(known.encode()).hexdigest()[:32]}",
        kind=kind,
        type=type_,
        extension=extension or usual,
        view=view,
        size=size if size and size > 0 else None,
        start=moment(entry.get("recording_start")),
        end=moment(entry.get("recording_end")),
        processing=text(entry.get("status")).lower() == "processing",
        url=text(entry.get("download_url")),
    )


def _lasting(file: RecordingFile, start: datetime, minutes: int) -> RecordingFile:
    """The file; if Zoom does not say when it ends, it lasts no longer than the meeting."""
    if has_end(file) or file.start is None or not 0 < minutes <= LONGEST:
        return file
    left = start + timedelta(minutes=minutes) - file.start
    return replace(file, length=left) if left > timedelta(0) else file


def listing(meetings: Iterable[Meeting], unreadable: Iterable[str]) -> Listing:
    """Each uuid once, in the order first met: the latest description, with every file that any of them has."""
    found: dict[str, Meeting] = {}
    for one in meetings:
        before = found[one.uuid].files if one.uuid in found else ()
        found[one.uuid] = replace(one, files=tuple({file.id: file for file in (*before, *one.files)}.values()))
    return Listing(meetings=tuple(found.values()), unreadable=tuple(dict.fromkeys(unreadable)))


def joined(listings: Iterable[Listing]) -> Listing:
    """What all of these list, as one."""
    every = tuple(listings)
    return listing((one for part in every for one in part.meetings), (one for part in every for one in part.unreadable))


def moment(value: object) -> datetime | None:
    """A time as Zoom writes it; without a zone it is UTC. None: missing, nonsense, or of another age than Zoom's."""
    try:
        when = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
        found = when and (when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC))
    except (ValueError, OverflowError):
        return None
    return found if found is not None and FIRST_YEAR <= found.year <= LAST_YEAR else None


def number(value: object) -> int | None:
    """A count or code that may come as text; None: it is none, or larger than JSON's numbers are exact."""
    if isinstance(value, str):
        value = int(value) if re.fullmatch(r"[0-9]{1,19}", value) else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return int(value) if abs(value) <= LARGEST and value == int(value) else None


def text(value: object) -> str:
    """A text without lone surrogates, or a number as text; `""` for all else."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


_READERS: Mapping[str, Callable[[object], object]] = {
    "start_time": moment,
    "auto_delete_date": moment,
    "duration": number,
    "recording_start": moment,
    "recording_end": moment,
    "file_size": number,
}
"""The times and numbers of a meeting and its files, and how each is read."""
