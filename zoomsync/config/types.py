"""How each kind of value is read from what YAML made of it, with its JSON schema.

Every `ValueError` is a sentence that shows the value as it was written and ends in the remedy.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

from zoomsync.formatting import escaped
from zoomsync.model import Secret
from zoomsync.naming import known_zone, title_problem

_DURATION = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)
_LONGEST = timedelta(days=36500)
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,3})?) ?([KMGT]i?)?B", re.ASCII)
_POWERS = {None: 0, "K": 1, "M": 2, "G": 3, "T": 4}
_MODE = re.compile(r"(?:0o?)?([0-7]{3})", re.ASCII)


class Octal(int):
    """A whole number that was written with a leading zero, as modes are."""


def shown_value(value: object) -> str:
    """A value as a message shows it: text in quotes and short, nothing of what a list or a mapping holds."""
    if isinstance(value, str):
        written = str(getattr(value, "written", value))
        return f'"{escaped(written if len(written) <= 60 else written[:59] + "…")}"'
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
        raise ValueError(f"{shown_value(value)} has no unit (write {text}m, {text}h or {text}d)")
    match = _DURATION.fullmatch(text)
    if not match or not match[0]:
        raise ValueError(f"{shown_value(value)} is not a duration (write 90s, 30m, 26h, 14d or 1h30m)")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    if days > _LONGEST.days or (total := timedelta(days, seconds, 0, 0, minutes, hours)) > _LONGEST:
        raise ValueError(f"{shown_value(value)} is longer than 100 years (write 36500d at most)")
    return total


def parse_size(value: object) -> int:
    """`2GB`, `500MB`, `1GiB`, `1.5TB` in bytes; 0 needs no unit."""
    if value in (0, "0") and value is not False:
        return 0
    text = str(value).strip() if isinstance(value, str | int) else ""
    if text.isdecimal():
        raise ValueError(f"{shown_value(value)} has no unit (write {text}B, {text}MB or {text}GB)")
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError(f"{shown_value(value)} is not a size (write 500MB, 2GB or 1GiB)")
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
    raise ValueError(f'{shown_value(value)} is not a mode (write it in quotes with its zero, such as "0750")')


VARIABLE = {"type": "string", "pattern": r"\$\{"}
"""A number or a switch may come from the environment."""

_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The validation context: what relative paths are relative to."""

    folder: Path


def suggestion(word: str, options: tuple[str, ...] | list[str]) -> str:
    """` (did you mean …?)`, or nothing where no option is close."""
    close = get_close_matches(word, options, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{shown_value(value)} is not {what} (write it in quotes)")  # noqa: TRY004  # pydantic collects ValueErrors
    if not value.strip():
        raise ValueError(f"is empty, not {what} (fill it in, or remove it)")
    if escaped(value) != value:
        raise ValueError(f"has control characters or lines, which {what} cannot have (write it on one line)")
    return str(value).strip()


def _name(value: object) -> str:
    return _text(value, "a text")


def read_email(value: object) -> str:
    """An e-mail address in lower case, as all are compared."""
    address = _text(value, "an e-mail address").lower()
    if not _EMAIL.fullmatch(address):
        raise ValueError(f"{shown_value(value)} is not an e-mail address (write name@example.org)")
    return address


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise ValueError(f"{shown_value(value)} is neither true nor false (write one of them)")


def _whole(least: int, most: int) -> Callable[[object], int]:
    def whole(value: object) -> int:
        text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
        if not re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
            raise ValueError(f"{shown_value(value)} is not a whole number (write {least} to {most})")
        if not least <= int(text) <= most:
            raise ValueError(f"{text} is not between {least} and {most} (write {least} to {most})")
        return int(text)

    return whole


def _place(value: object, info: ValidationInfo) -> Path:
    path = _text(value, "a path")
    if path.startswith("~"):
        raise ValueError(f"{shown_value(value)} begins with ~, which is not expanded (write ${{HOME}}/…)")
    return info.context.folder / path if isinstance(info.context, Base) else Path(path)


def _address(value: object) -> str:
    text = _text(value, "an address")
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        credential, odd = parts.username or parts.password, parts.query or parts.fragment or parts.port == 0
    except ValueError:
        raise ValueError("is not an address (write https://…)") from None  # the cause may quote a password
    if credential or odd:
        raise ValueError("has a user, password, query or fragment (write https://host/path alone)")
    if not host or parts.scheme not in ("http", "https"):
        raise ValueError(f"{shown_value(value)} is not an address (write https://…)")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError(f"{shown_value(value)} would send secrets unencrypted (write https://…)")
    return text.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _host_name(value: object) -> str:
    host = _text(value, "a host name").lower()
    if not _HOST.fullmatch(host):
        raise ValueError(f"{shown_value(value)} is not a host name (write zoom.us, without https:// or *)")
    return host


def _sweep(value: object) -> timedelta | None:
    if isinstance(value, str) and value.lower() == "never":
        return None
    return parse_duration(value)


def _since(value: object) -> datetime:
    """A day is its midnight, and a time without a zone is meant, in UTC."""
    try:
        found = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError:
        found = None
    if isinstance(found, date) and not isinstance(found, datetime):
        found = datetime.combine(found, time())
    if not isinstance(found, datetime) or not 2000 <= found.year < 9000:
        raise ValueError(f"{shown_value(value)} is not a date (write 2026-01-31 or 2026-01-31T09:30:00Z)")
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _views(value: object) -> str | tuple[str, ...]:
    if value in ("all", "best"):
        return str(value)
    if not isinstance(value, list | tuple):
        raise ValueError(f"{shown_value(value)} is neither all nor best nor a list (write - gallery_view, say)")  # noqa: TRY004  # pydantic collects ValueErrors
    if not value:
        raise ValueError("is an empty list (write all, or name a view)")
    return tuple(_text(one, "a recording type") for one in value)


def _uuid(value: object) -> str:
    if isinstance(value, int):
        raise ValueError(f"{value} is not a meeting's uuid (write the uuid that status shows, in quotes)")  # noqa: TRY004  # pydantic collects ValueErrors
    return _text(value, "a meeting's uuid")


def _title(value: object) -> str:
    template = _text(value, "a title")
    if problem := title_problem(template):
        raise ValueError(f"{problem} (write {{topic}} – {{start:%Y-%m-%d %H:%M}}, say)")
    return template


def _timezone(value: object) -> str:
    name = _text(value, "a time zone")
    if name in ("UTC", "meeting"):
        return name
    if known_zone(name) is None:
        close = suggestion(name, sorted(available_timezones())) or " (write UTC, meeting or Europe/Berlin, say)"
        raise ValueError(f"{shown_value(value)} is not a time zone of this machine{close}")
    return name


def _folder_mode(value: object) -> int:
    return _mode(value, 0o700, "enter and write the folders")


def _file_mode(value: object) -> int:
    return _mode(value, 0o600, "read and write the files")


def _mode(value: object, owner: int, purpose: str) -> int:
    mode = parse_mode(value)
    if mode & owner != owner:
        raise ValueError(f'{mode:04o} does not let zoomsync {purpose} (write "{mode | owner:04o}")')
    if mode & 0o002:
        raise ValueError(f'{mode:04o} lets everyone change what is stored (write "{mode & 0o775:04o}")')
    return mode


def _group(value: object) -> str:
    return _text(str(value) if isinstance(value, int) and not isinstance(value, bool) else value, "a group")


def _language(value: object) -> str:
    text = _text(value, "a language")
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", text):
        raise ValueError(f"{shown_value(value)} is not a language (write en-US or de-DE, say)")
    return text


def _secret(value: object) -> Secret:
    """Secrets are bound before the models see them; anything else would keep the text itself."""
    if not isinstance(value, Secret):
        raise TypeError("a secret that was not bound")
    return value


_STRING: dict[str, Any] = {"type": "string"}
_QUANTITY: dict[str, Any] = {"anyOf": [{"type": "string", "minLength": 2}, {"const": 0}]}
_MODE_SCHEMA: dict[str, Any] = {"anyOf": [_STRING, {"type": "integer"}]}
_VIEWS: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "array", "items": _STRING, "minItems": 1}]}


def _number(least: int, most: int) -> dict[str, Any]:
    return {"anyOf": [{"type": "integer", "minimum": least, "maximum": most}, VARIABLE]}


Text: TypeAlias = Annotated[str, PlainValidator(_name), WithJsonSchema(_STRING)]
Email: TypeAlias = Annotated[str, PlainValidator(read_email), WithJsonSchema(_STRING)]
Uuid: TypeAlias = Annotated[str, PlainValidator(_uuid), WithJsonSchema(_STRING)]
HostName: TypeAlias = Annotated[str, PlainValidator(_host_name), WithJsonSchema(_STRING)]
Address: TypeAlias = Annotated[str, PlainValidator(_address), WithJsonSchema({"type": "string", "format": "uri"})]
Place: TypeAlias = Annotated[Path, PlainValidator(_place), WithJsonSchema(_STRING)]
SecretText: TypeAlias = Annotated[Secret, PlainValidator(_secret), WithJsonSchema(_STRING)]
Title: TypeAlias = Annotated[str, PlainValidator(_title), WithJsonSchema(_STRING)]
TimeZone: TypeAlias = Annotated[str, PlainValidator(_timezone), WithJsonSchema(_STRING)]
Group: TypeAlias = Annotated[str, PlainValidator(_group), WithJsonSchema({"type": ["string", "integer"]})]
Flag: TypeAlias = Annotated[bool, PlainValidator(_flag), WithJsonSchema({"anyOf": [{"type": "boolean"}, VARIABLE]})]
Duration: TypeAlias = Annotated[timedelta, PlainValidator(parse_duration), WithJsonSchema(_QUANTITY)]
Interval: TypeAlias = Annotated[timedelta | None, PlainValidator(_sweep), WithJsonSchema(_QUANTITY)]
Moment: TypeAlias = Annotated[datetime, PlainValidator(_since), WithJsonSchema(_STRING)]
Size: TypeAlias = Annotated[int, PlainValidator(parse_size), WithJsonSchema(_QUANTITY)]
FolderMode: TypeAlias = Annotated[int, PlainValidator(_folder_mode), WithJsonSchema(_MODE_SCHEMA)]
FileMode: TypeAlias = Annotated[int, PlainValidator(_file_mode), WithJsonSchema(_MODE_SCHEMA)]
Views: TypeAlias = Annotated[str | tuple[str, ...], PlainValidator(_views), WithJsonSchema(_VIEWS)]
Rate: TypeAlias = Annotated[int, PlainValidator(_whole(1, 80)), WithJsonSchema(_number(1, 80))]
Workers: TypeAlias = Annotated[int, PlainValidator(_whole(1, 64)), WithJsonSchema(_number(1, 64))]
Count: TypeAlias = Annotated[int, PlainValidator(_whole(0, 100_000)), WithJsonSchema(_number(0, 100_000))]
Language: TypeAlias = Annotated[str, PlainValidator(_language), WithJsonSchema(_STRING)]
Limit: TypeAlias = Annotated[int, PlainValidator(_whole(1, 1_000_000)), WithJsonSchema(_number(1, 1_000_000))]
