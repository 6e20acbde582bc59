"""Chats as Zoom writes them to text files.

A message begins with the time since the recording began: `00:00:05<tab> From Alice : hello`, or in the newer form
`00:00:05<tab>From Alice to Everyone:` with the text on indented lines below. Anything else is left as it is: further
lines of a message, and forms with a date, whose times are those of a clock on the wall.
"""

import re
from collections.abc import Sequence

STAMP = re.compile(r"^(\d{1,6}):([0-5]\d):([0-5]\d)(?=\t| +From )", re.MULTILINE | re.ASCII)


def join_chat(parts: Sequence[tuple[str, float]]) -> str:
    """One chat of several, each with the seconds by which its messages come later (whole ones count)."""
    return "".join(_whole_lines(shift(text.removeprefix("\ufeff"), round(offset))) for text, offset in parts)


def shift(text: str, seconds: int) -> str:
    """The chat with every message so many seconds later; nothing but the times changes."""

    def later(found: re.Match[str]) -> str:
        total = (int(found[1]) * 60 + int(found[2])) * 60 + int(found[3]) + seconds
        return f"{total // 3600:02d}:{total // 60 % 60:02d}:{total % 60:02d}"

    return STAMP.sub(later, text) if seconds else text


def _whole_lines(text: str) -> str:
    """With a line's end at its end, of the kind that it uses."""
    if not text or text.endswith("\n"):
        return text
    return text + ("\r\n" if "\r\n" in text else "\n")
