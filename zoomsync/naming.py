"""Safe names and titles: any text of Zoom's becomes one harmless path component. Pure."""

import hashlib
import string
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from itertools import count
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from zoomsync.model import Meeting

FOLDER_BYTES = 120
"""For date and topic of an item's folder: with its suffix it also fits if names must be short (eCryptfs: 143)."""
COMPONENT_BYTES = 200
"""For any other component of a path."""
UNTITLED = "untitled"

_TITLE_NAMES = ("topic", "start", "host", "number")
_JOINERS = "\u200c\u200d"
"""Invisible, but they make up Persian words and family emoji."""
_ENDS = f" .{_JOINERS}"
"""What no name may begin or end with."""


def suffix(uuid: str) -> str:
    """The first 8 hex digits of SHA-256(uuid): what ties an item's folder to its meeting."""
    return hashlib.sha256(uuid.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def item_folder(start: datetime, topic: str, timezone: tzinfo) -> tuple[str, str]:
    """The year and the folder name of an item, without suffix: `2026`, `2026-03-01 10-30 Weekly planning`."""
    local = start.astimezone(timezone)
    date = f"{local.year:04}-{local:%m-%d %H-%M}"
    return f"{local.year:04}", f"{date} {safe_component(topic, FOLDER_BYTES - len(date) - 1)}"


def safe_component(text: str, max_bytes: int = COMPONENT_BYTES) -> str:
    """`text` as one path component that every file system takes, at most `max_bytes` (16 or more) of UTF-8.

    Never empty, `.` or `..`; applying it again changes nothing. Emoji and letters are cut as wholes.
    """
    from pathvalidate import is_valid_filename, sanitize_filename

    name = one_line(text).translate(str.maketrans("/\\:|", "----")).strip(_ENDS)
    name = one_line(sanitize_filename(name, replacement_text="_", platform="universal", max_len=None)).strip(_ENDS)
    name = cut(name, max_bytes).strip(_ENDS) or UNTITLED
    # Windows keeps names for devices, also with a space before the dot, which pathvalidate lets pass
    stem = name.partition(".")[0].rstrip(" ").upper() or "X"
    is_free = stem not in ("CONIN$", "CONOUT$") and is_valid_filename(stem, platform="universal", max_len=None)
    if not is_free or not is_valid_filename(name, platform="universal", max_len=None):
        name = cut(f"_{name}", max_bytes).strip(_ENDS)
    return name


def one_line(text: str) -> str:
    """`text` in NFC without control characters, line breaks, lone surrogates and marks that turn its direction."""
    visible = "".join(" " if char.isspace() else char for char in text if char.isspace() or _is_visible(char))
    return unicodedata.normalize("NFC", " ".join(visible.split()))


def _is_visible(char: str) -> bool:
    """Whether a character may stand in a name: no control and no invisible one but joiners and flag tags."""
    if char in _JOINERS or "\U000e0020" <= char <= "\U000e007f":
        return True
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def versions(name: str) -> Iterator[str]:
    """The name of a file, and of its further versions, without end: `video.mp4`, `video.v2.mp4`, `video.v3.mp4` …"""
    yield name
    path = PurePosixPath(name)
    for number in count(2):
        yield str(path.with_name(f"{path.stem}.v{number}{path.suffix}"))


def cut(text: str, max_bytes: int) -> str:
    """The longest beginning of `text` within `max_bytes` of UTF-8 that ends between two visible characters."""
    kept, cluster = "", ""
    for char in (*text, ""):
        if cluster and not (char and _continues(cluster, char)):
            if len(f"{kept}{cluster}".encode()) > max_bytes:
                break
            kept, cluster = kept + cluster, ""
        cluster += char
    return kept


def _continues(cluster: str, char: str) -> bool:
    """Whether a reader takes both for one character: a letter with its marks, an emoji with its modifiers, a flag."""
    if all("\U0001f1e6" <= one <= "\U0001f1ff" for one in (cluster[-1], char)):
        return len(cluster) % 2 == 1
    is_modifier = "\U0001f3fb" <= char <= "\U0001f3ff" or "\U000e0020" <= char <= "\U000e007f"
    return cluster[-1] == "\u200d" or char in _JOINERS or is_modifier or unicodedata.category(char).startswith("M")


def title(template: str, meeting: Meeting, timezone: tzinfo) -> str:
    """The item's title, e.g. from `{topic} – {start:%Y-%m-%d %H:%M}`; the template passed `title_problem`."""
    start = meeting.start.astimezone(timezone)
    texts = {"topic": meeting.topic, "host": meeting.host_email, "number": meeting.number}
    parts = []
    for literal, name, spec, _ in string.Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            parts.append(start.strftime(spec or "%Y-%m-%d %H:%M") if name == "start" else texts[name])
    return one_line("".join(parts)) or UNTITLED


def title_problem(template: str) -> str | None:
    """What is wrong with a title template, or None. Only plain names and `start`'s strftime format are taken."""
    try:
        fields = [field for field in string.Formatter().parse(template) if field[1] is not None]
    except ValueError as error:
        return str(error).lower()
    for _, name, spec, conversion in fields:
        if name not in _TITLE_NAMES:
            return f"{{{name}}} is not one of {', '.join(f'{{{one}}}' for one in _TITLE_NAMES)}"
        if name != "start" and (spec or conversion):
            return f"{{{name}}} takes no format"
        if conversion or "{" in (spec or ""):
            return "{start} takes a date format only"
        try:
            shown = datetime(2026, 1, 1, tzinfo=UTC).strftime(spec or "%Y")
        except (ValueError, UnicodeError):
            shown = ""
        if not shown:
            return f"{{start:{spec}}} is not a date format"
    return None


def zone(configured: str, meeting: Meeting) -> tzinfo:
    """The time zone for titles and dates: the configured one, or with `meeting` its own, UTC if that is unknown."""
    return known_zone(meeting.timezone if configured == "meeting" else configured) or UTC


def known_zone(name: str) -> tzinfo | None:
    """The IANA time zone of that name, or None."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None
