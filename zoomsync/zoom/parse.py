"""Zoom's documents about users and recordings, made into nouns: tolerant of all that is missing or odd. Pure."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from zoomsync.formatting import escaped
from zoomsync.model import Kind, Meeting, RecordingFile, Secret, User
from zoomsync.zoom.responses import number, text

_KINDS: Mapping[str, Kind] = {
    "MP4": Kind.VIDEO,
    "M4A": Kind.AUDIO,
    "TRANSCRIPT": Kind.CAPTIONS,
    "CC": Kind.CAPTIONS,
    "VTT": Kind.CAPTIONS,
    "CHAT": Kind.CHAT,
    "CHAT_MESSAGE": Kind.CHAT,
    "TIMELINE": Kind.TIMELINE,
    "SUMMARY": Kind.SUMMARY,
    "CSV": Kind.OTHER,
    "TB": Kind.OTHER,
    "AUDIO_ONLY": Kind.AUDIO,
    "AUDIO_TRANSCRIPT": Kind.CAPTIONS,
    "CLOSED_CAPTION": Kind.CAPTIONS,
    "CHAT_FILE": Kind.CHAT,
    "POLL": Kind.OTHER,
    "THUMBNAIL": Kind.OTHER,
}
"""By file type, recording type and extension alike, in upper case: they do not contradict each other."""

_EXTENSIONS: Mapping[str, str] = {
    "MP4": "mp4",
    "M4A": "m4a",
    "TRANSCRIPT": "vtt",
    "CC": "vtt",
    "CHAT": "txt",
    "CHAT_MESSAGE": "json",
    "TIMELINE": "json",
    "SUMMARY": "json",
    "CSV": "csv",
    "TB": "jpg",
}


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
    """The dates that the list really covers; `""` when it does not say."""

    def covers(self, since: date, until: date) -> bool:
        """Whether the list spans what was asked: Zoom cuts a longer span in silence."""
        return self.since in ("", str(since)) and self.until in ("", str(until))


def page(document: Mapping[str, Any], name: str) -> Page:
    """One page whose entries are under `name`; raises `Nonsense`."""
    entries = document.get(name)
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise Nonsense(f"an answer without a list of {name}")
    return Page(
        entries=tuple(entries),
        next_token=text(document.get("next_page_token")),
        total=number(document.get("total_records")),
        since=text(document.get("from"))[:10],
        until=text(document.get("to"))[:10],
    )


def user(document: Mapping[str, Any]) -> User:
    """A user; everything may be missing."""
    return User(
        id=text(document.get("id")),
        email=text(document.get("email")),
        first_name=text(document.get("first_name")),
        last_name=text(document.get("last_name")),
        status=text(document.get("status")) or "active",
    )


def parse_meeting(document: Mapping[str, Any], listed_at: datetime, host_email: str = "") -> Meeting:
    """A meeting; `host_email` where the list names none. Raises `Nonsense` without a uuid or any start."""
    uuid = text(document.get("uuid"))
    if not uuid.strip("."):
        raise Nonsense(f"meeting {escaped(text(document.get('id')) or '?')}: Zoom lists it without a uuid")
    found = files(uuid, document.get("recording_files"))
    start = moment(document.get("start_time")) or min((one.start for one in found if one.start), default=None)
    if start is None:
        raise Nonsense(f"meeting {escaped(uuid)}: Zoom gives neither start_time nor any recording_start")
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
        duration=number(document.get("duration")) or 0,
        files=found,
        auto_delete=None if document.get("auto_delete") is False else moment(document.get("auto_delete_date")),
        listed_at=listed_at,
        download_token=Secret(lambda: token) if token else None,
    )


def files(uuid: str, entries: object) -> tuple[RecordingFile, ...]:
    """The files that are in the cloud; those in the trash are left out."""
    found: dict[str, RecordingFile] = {}
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and not entry.get("deleted_time"):
            one = _file(uuid, entry)
            while one.id in found and one.id.startswith("noid-"):
                one = replace(one, id=f"{one.id}+")
            found[one.id] = one
    return tuple(found.values())


def _file(uuid: str, entry: Mapping[str, Any]) -> RecordingFile:
    type_, view = text(entry.get("file_type")).upper(), text(entry.get("recording_type"))
    extension = text(entry.get("file_extension")).lower().lstrip(".")
    return RecordingFile(
        id=text(entry.get("id")) or _made_up(uuid, entry),
        kind=kind(type_, view, extension),
        type=type_,
        extension=extension if re.fullmatch(r"[a-z0-9]{1,8}", extension) else _EXTENSIONS.get(type_, ""),
        view=view,
        size=size if (size := number(entry.get("file_size"))) and size > 0 else None,
        start=moment(entry.get("recording_start")),
        end=moment(entry.get("recording_end")),
        processing=text(entry.get("status")).lower() == "processing",
        url=text(entry.get("download_url")),
    )


def kind(type_: str, view: str, extension: str) -> Kind:
    """What a file is for: its type says so, else its recording type, else its extension."""
    for word in (type_, view.upper(), extension.upper()):
        if word.startswith("SUMMARY"):
            return Kind.SUMMARY
        if word in _KINDS:
            return _KINDS[word]
    return Kind.OTHER


def _made_up(uuid: str, entry: Mapping[str, Any]) -> str:
    """An id for a file without one: the same as long as Zoom describes it the same way."""
    known = (uuid, *(text(entry.get(name)) for name in ("file_type", "file_extension", "recording_type")))
    told = "\0".join((*known, text(entry.get("recording_start"))))
    return f"noid-{hashlib.sha256(told.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def moment(value: object) -> datetime | None:
    """A time as Zoom writes it; without a zone it is UTC. None: missing or nonsense."""
    try:
        when = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
        return when and (when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def merged(meetings: Iterable[Meeting]) -> tuple[Meeting, ...]:
    """Each uuid once, in the order first met: the latest description, with every file that any of them has."""
    found: dict[str, Meeting] = {}
    for one in meetings:
        if one.uuid in found:
            every = {file.id: file for file in (*found[one.uuid].files, *one.files)}
            one = replace(one, files=tuple(every.values()))  # noqa: PLW2901  # what goes in is the union
        found[one.uuid] = one
    return tuple(found.values())
