"""What the portal's people read of an item: title, description, tags, format. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from html import escape
from typing import Any

from zoomsync.formatting import moment, plural, span_in_words
from zoomsync.model import Item
from zoomsync.naming import suffix

PRIMARY = ("video", "audio", "video.1", "audio.1")
FORMATS = {"mp4": "Video", "m4a": "Audio"}
OTHER_FORMAT = "Document"
_NUMBER = re.compile(r"part-\d+|\d+")


def tag_of(uuid: str) -> str:
    """What all media of a meeting are tagged with: one word, which any search can find."""
    return f"zoom{suffix(uuid)}"


def format_of(name: str) -> str:
    """The portal's word for the kind of file."""
    return FORMATS.get(name.rpartition(".")[2].lower(), OTHER_FORMAT)


def portal_name(name: str) -> str:
    """The name of a file as the portal gets it: without folders."""
    return name.replace("/", " - ")


def title_of(item: Item, role: str) -> str:
    """The item's title; a further video's says which it is: `Weekly – gallery view`, `Weekly – part 2`."""
    has_video = any(file.role == "video" for file in item.files)
    if not is_media(role) or role == "video" or (role == "audio" and not has_video):
        return item.title
    stem, _, rest = role.partition(".")
    label = re.sub(r"[._-]+", " ", rest or stem)
    return f"{item.title} – {label}" if stem == "video" or not rest else f"{item.title} – {stem} {label}"


def is_media(role: str) -> bool:
    """Whether a file of this role is a media of its own."""
    return role.partition(".")[0] in ("video", "audio")


def host_role(role: str, media: Mapping[str, Any]) -> str:
    """The role of the media to which a text belongs: the one of the same part or number, else the primary one."""
    for number in reversed([word for word in role.split(".")[1:] if _NUMBER.fullmatch(word)]):
        for stem in ("video", "audio"):
            if f"{stem}.{number}" in media:
                return f"{stem}.{number}"
    return next((one for one in PRIMARY if one in media), next(iter(media)))


def description_of(item: Item) -> str:
    """HTML, every text of Zoom's escaped: number, uuid, start, length, segments, who recorded."""
    meeting = item.meeting
    spans = _spans(item.metadata.get("segments"))
    length = sum((end - start for start, end in spans), timedelta()) or timedelta(minutes=meeting.duration)
    facts = {
        "Meeting": meeting.number,
        "Started": moment(meeting.start),
        "Length": span_in_words(length) if length else "",
        "Recorded by": meeting.host_email or meeting.host_id,
        "Segments": plural(len(spans), "segment") if len(spans) > 1 else "",
        "Zoom UUID": meeting.uuid,
    }
    lines = [f"<li>{name}: {escape(text)}</li>" for name, text in facts.items() if text]
    if len(spans) > 1:
        parts = (f"<li>{moment(start)}, {span_in_words(end - start)}</li>" for start, end in spans)
        lines.append(f"<li>Recorded in parts:<ol>{''.join(parts)}</ol></li>")
    return f"<p>{escape(meeting.topic)}</p><ul>{''.join(lines)}</ul>"


def _spans(segments: object) -> list[tuple[datetime, datetime]]:
    if not isinstance(segments, list):
        return []
    return [(datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"])) for one in segments]
