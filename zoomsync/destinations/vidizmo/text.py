"""What the portal's people read of an item: title, description, tags, format. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from html import escape
from typing import Any

from zoomsync.formatting import moment, plural, span_in_words
from zoomsync.model import Item, Kind, Role
from zoomsync.naming import suffix

VIDEO, AUDIO = Role("video"), Role("audio")
PRIMARY = (VIDEO, AUDIO, VIDEO.further(1), AUDIO.further(1))
FORMATS = {"mp4": "Video", "m4a": "Audio"}
OTHER_FORMAT = "Document"
_NUMBER = re.compile(r"part-\d+|\d+")


def tag_of(uuid: str) -> str:
    """The tag of all media items of a meeting: one word, which any search can find."""
    return f"zoom{suffix(uuid)}"


def format_of(name: str) -> str:
    """The portal's word for the kind of file."""
    return FORMATS.get(name.rpartition(".")[2].lower(), OTHER_FORMAT)


def portal_name(name: str) -> str:
    """The name of a file as the portal gets it: without folders."""
    return name.replace("/", " - ")


def title_of(item: Item, role: Role) -> str:
    """The item's title; a further video's says which it is: `Weekly – gallery view`, `Weekly – part 2`."""
    has_video = any(file.role == VIDEO for file in item.files)
    if not role.is_media or role == VIDEO or (role == AUDIO and not has_video):
        return item.title
    words = role.words if role.words and role.kind == Kind.VIDEO else (role.kind, *role.words)
    return f"{item.title} – {re.sub('[._-]+', ' ', '.'.join(words))}"


def attached_to(role: Role, contents: Mapping[Role, Any]) -> Role:
    """To which of these a text is attached: the one of the same part or number, else the primary one."""
    numbers = [word for word in role.words if _NUMBER.fullmatch(word)]
    same = (one.further(number) for number in reversed(numbers) for one in (VIDEO, AUDIO))
    return next((one for one in (*same, *PRIMARY) if one in contents), next(iter(contents)))


def description_of(item: Item) -> str:
    """HTML, every text of Zoom's escaped: number, uuid, start, length, segments, who recorded."""
    meeting = item.meeting
    segments = item.metadata.get("segments")
    spans = [
        (datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"]))
        for one in (segments if isinstance(segments, list) else ())
    ]
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
