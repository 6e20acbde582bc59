"""Durations, sizes and modes as people write them: `30m`, `1h30m`, `2GB`, `0750`.

Each `parse_…` takes what YAML made of the text and raises `ValueError` with a sentence that ends in the remedy.
"""

import re
from datetime import date, timedelta

from zoomsync.words import visible

_DURATION = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)
_LONGEST = timedelta(days=36500)
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,3})?) ?([KMGT]i?)?B", re.ASCII)
_POWERS = {None: 0, "K": 1, "M": 2, "G": 3, "T": 4}
_MODE = re.compile(r"(?:0o?)?([0-7]{3})", re.ASCII)


class Octal(int):
    """A whole number that was written with a leading zero, as modes are."""


def shown(value: object) -> str:
    """A value as a message shows it: text in quotes and short, nothing of what a list or a mapping holds."""
    if isinstance(value, str):
        written = str(getattr(value, "written", value))
        return f'"{visible(written if len(written) <= 60 else written[:59] + "…")}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping"
    return str(value) if isinstance(value, int | float | date) else "a list"


def parse_duration(value: object) -> timedelta:
    """`30m`, `14d`, `26h`, `90s`, `1h30m`; 0 needs no unit. At most 100 years."""
    if isinstance(value, timedelta):
        return value
    if value in (0, "0") and value is not False:
        return timedelta()
    text = str(value).strip() if isinstance(value, str | int) else ""
    if text.isdecimal():
        raise ValueError(f"{shown(value)} has no unit (write {text}m, {text}h or {text}d)")
    match = _DURATION.fullmatch(text)
    if not match or not match[0]:
        raise ValueError(f"{shown(value)} is not a duration (write 90s, 30m, 26h, 14d or 1h30m)")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    if days > _LONGEST.days or (total := timedelta(days, seconds, 0, 0, minutes, hours)) > _LONGEST:
        raise ValueError(f"{shown(value)} is longer than 100 years (write 36500d at most)")
    return total


def parse_size(value: object) -> int:
    """`2GB`, `500MB`, `1GiB`, `1.5TB` in bytes; 0 needs no unit."""
    if value in (0, "0") and value is not False:
        return 0
    text = str(value).strip() if isinstance(value, str | int) else ""
    if text.isdecimal():
        raise ValueError(f"{shown(value)} has no unit (write {text}B, {text}MB or {text}GB)")
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError(f"{shown(value)} is not a size (write 500MB, 2GB or 1GiB)")
    prefix = match[2] or None
    whole, _, fraction = match[1].partition(".")
    unit: int = (1024 if prefix and prefix.endswith("i") else 1000) ** _POWERS[prefix and prefix[0]]
    return int(whole) * unit + int(fraction.ljust(3, "0")) * unit // 1000


def parse_mode(value: object) -> int:
    """Permissions: `"0750"`, or 0750, which YAML reads as octal; a number without the zero is refused."""
    if isinstance(value, Octal) and value <= 0o777:
        return int(value)
    match = _MODE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match:
        return int(match[1], 8)
    raise ValueError(f'{shown(value)} is not a mode (write it in quotes with its zero, such as "0750")')
