"""Chats as Zoom writes them to text files.

A message begins with the time since the recording began: `00:00:05<tab> From Alice : hello`, or in the newer form
`00:00:05<tab>From Alice to Everyone:` with the text on indented lines below (both seen in
exports, undocumented). Anything else is left as it is: further lines of a message, and forms with a date, whose times
are those of a clock on the wall.
"""

import re
from collections.abc import Sequence

STAMP = re.compile(r"(?<![^\r\n])(\d{1,4}):([0-5]\d):([0-5]\d)(?=\t| +From )", re.ASCII)


def join_chat(parts: Sequence[tuple[str, float]]) -> str:
    """One chat of several, each with the seconds by which its messages come later (whole ones count).

    Nothing but the times changes, and each part ends with a line break.
    """
    return "".join(_later(text.removeprefix("\ufeff"), round(offset)) for text, offset in parts)


def _later(text: str, seconds: int) -> str:
    def later(found: re.Match[str]) -> str:
        total = (int(found[1]) * 60 + int(found[2])) * 60 + int(found[3]) + seconds
        return f"{total // 3600:02d}:{total // 60 % 60:02d}:{total % 60:02d}"

    shifted = STAMP.sub(later, text) if seconds else text
    if text and not text.endswith("\n"):
        shifted += "\r\n" if "\r\n" in text else "\n"
    return shifted
