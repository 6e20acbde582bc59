"""How each kind of value is read from what YAML made of it, with its JSON schema.

pydantic's own types do it if they read what a person means; `load` has the sentence for each of their errors. Where
they would read something else, there is a function: its `ValueError` is a sentence that shows the value as it was
written and ends in the remedy.
"""

import os
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    InstanceOf,
    PlainValidator,
    StringConstraints,
    TypeAdapter,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticKnownError

from zoomsync.formatting import escaped
from zoomsync.model import Secret
from zoomsync.naming import known_zone, title_problem
from zoomsync.rules.named import problem_with

EMAIL = r'^[^@\s,;<>"\p{C}]+@[^@\s,;<>"\p{C}]+$'
HOST = r"(?i)^[a-z0-9-]+(\.[a-z0-9-]+)+$"
LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
PATTERNS = {
    EMAIL: "an e-mail address (write name@example.org)",
    HOST: "a host name (write zoom.us, without https:// or *)",
    LANGUAGE: "a language (write en-US or de-DE, say)",
}
"""What a text is that matches, and how it is written."""

_DURATION = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)
_LONGEST = timedelta(days=36500)
LEAST_BANDWIDTH = 10_000
"""Bytes a second. With fewer, the addresses and tokens of downloads would end before the files."""
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,3})?) ?([KMGT]I?)?B?", re.ASCII)
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


def suggestion(word: str, options: Sequence[str]) -> str:
    """` (did you mean …?)`, or nothing if no option is close."""
    close = get_close_matches(word, options, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def parse_duration(value: object) -> timedelta:
    """`30m`, `14d`, `26h`, `90s`, `1h30m`; 0 needs no unit. At most 100 years.

    pydantic's timedelta would take 14 for seconds, and refuse `14d`.
    """
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
    """`2GB`, `500MB`, `1GiB`, `1.5TB` in bytes, in small letters and without the `B` too; 0 needs no unit.

    pydantic's ByteSize would take 2 for two bytes, and `2GB or so` for 2GB.
    """
    if value in (0, "0") and value is not False:
        return 0
    text = str(value).strip() if isinstance(value, str | int) else ""
    if text.isdecimal():
        raise ValueError(f"{shown_value(value)} has no unit (write {text}B, {text}MB or {text}GB)")
    match = _SIZE.fullmatch(text.upper())
    if not match:
        raise ValueError(f"{shown_value(value)} is not a size (write 500MB, 2GB or 1GiB)")
    prefix = match[2] or None
    whole, _, fraction = match[1].partition(".")
    unit: int = (1024 if prefix and prefix.endswith("I") else 1000) ** _POWERS[prefix and prefix[0]]
    return int(whole) * unit + int(fraction.ljust(3, "0")) * unit // 1000


def _bandwidth(value: object) -> int | None:
    if value is None:
        return None
    if (size := parse_size(value)) < LEAST_BANDWIDTH:
        wish = "write 50MB, or nothing for no limit"
        raise ValueError(f"{shown_value(value)} is too little to fetch anything with ({wish})")
    return size


def parse_mode(value: object) -> int:
    """Permissions: `"0750"`, or 0750, which YAML reads as octal; a number without the zero is refused."""
    if isinstance(value, Octal) and value <= 0o777:
        return int(value)
    match = _MODE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match:
        return int(match[1], 8)
    raise ValueError(f'{shown_value(value)} is not a mode (write it in quotes with its zero, such as "0750")')


def _safe_mode(value: object, owner: int, purpose: str) -> int | None:
    if value == "keep":
        return None
    mode = parse_mode(value)
    if mode & owner != owner:
        raise ValueError(f'{mode:04o} does not let zoomsync {purpose} (write "{mode | owner:04o}")')
    if mode & 0o002:
        raise ValueError(f'{mode:04o} lets everyone change what is stored (write "{mode & 0o775:04o}")')
    return mode


def _since(value: object) -> datetime:
    """A day is its midnight, and a time without a zone is in UTC. pydantic's datetime would take 30 for 1970."""
    try:
        found = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError:
        found = None
    if isinstance(found, date) and not isinstance(found, datetime):
        found = datetime.combine(found, time())
    if not isinstance(found, datetime) or not 2000 <= found.year < 9000:
        raise ValueError(f"{shown_value(value)} is not a date (write 2026-01-31 or 2026-01-31T09:30:00Z)")
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _not_a_flag(value: object) -> object:
    """pydantic would take `true` for 1."""
    if isinstance(value, bool):
        raise PydanticKnownError("int_type")
    return value


def _one_line(text: str) -> str:
    if escaped(text) != text:
        raise ValueError("has control characters or lines (write it on one line)")
    return text


def _what(value: object) -> object:
    """A number, and `[1857a920]` without quotes, are what YAML makes of them."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return str(value) if type(value) is int else value


def _names_a_meeting(what: str) -> str:
    if problem := problem_with(what):
        raise ValueError(problem)
    return what


def _title(template: str) -> str:
    if problem := title_problem(template):
        raise ValueError(f"{problem} (write {{topic}} – {{start:%Y-%m-%d %H:%M}}, say)")
    return template


def _timezone(value: object, read: ValidatorFunctionWrapHandler) -> str:
    name: str = read(value)
    if name not in ("UTC", "meeting") and known_zone(name) is None:
        close = suggestion(name, sorted(available_timezones())) or " (write UTC, meeting or Europe/Berlin, say)"
        raise ValueError(f"{shown_value(value)} is not a time zone of this machine{close}")
    return name


def _address(value: object, read: ValidatorFunctionWrapHandler) -> str:
    """As it is written: the id of a portal is made of it, which pydantic's URL would write in another way."""
    text: str = read(value)
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        credential, odd = parts.username or parts.password, parts.query or parts.fragment or parts.port == 0
    except ValueError:
        raise ValueError("is not an address (write https://…)") from None  # the cause may quote a password
    if credential or odd:
        raise ValueError("has a user, password, query or fragment (write https://host/path alone)")
    if not re.fullmatch(r"[\w.:-]+", host) or parts.scheme not in ("http", "https"):
        raise ValueError(f"{shown_value(value)} is not an address (write https://…)")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError(f"{shown_value(value)} would send secrets unencrypted (write https://…)")
    return text.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _scheduler(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or not port or parts.scheme not in ("tls", "tcp") or text != f"{parts.scheme}://{parts.netloc}":
        raise ValueError(f"{shown_value(text)} is not the address of a scheduler (write tls://host:8786)")
    if parts.scheme == "tcp" and not _is_loopback(host):
        raise ValueError(f"{shown_value(text)} would let the network run programs here (write tls://{host}:{port})")
    return text


def _place(value: object, info: ValidationInfo) -> Path:
    """The validation context is the folder that relative paths are relative to; `..` goes up as the system does it."""
    path = _TEXT.validate_python(value)
    if path.startswith("~"):
        raise ValueError(f"{shown_value(value)} begins with ~, which is not expanded (write ${{HOME}}/…)")
    place = info.context / path if isinstance(info.context, Path) else Path(path)
    return Path(os.path.realpath(place)) if ".." in place.parts else place


def _views(value: object) -> str | tuple[str, ...]:
    if value in ("all", "best"):
        return str(value)
    if not isinstance(value, list | tuple):
        raise ValueError(f"{shown_value(value)} is neither all nor best nor a list (write - gallery_view, say)")  # noqa: TRY004  # pydantic collects ValueErrors
    if not value:
        raise ValueError("is an empty list (write all, or name a view)")
    return tuple(_TEXT.validate_python(one) for one in value)


_STRING = WithJsonSchema({"type": "string"})
_NO_ZERO = WithJsonSchema({"type": "string", "minLength": 2})
_QUANTITY = WithJsonSchema({"anyOf": [{"type": "string", "minLength": 2}, {"const": 0}]})
_STRING_OR_NUMBER = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]})
_VIEWS: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}

_matching = partial(StringConstraints, strip_whitespace=True, min_length=1)
Text: TypeAlias = Annotated[str, _matching(), AfterValidator(_one_line), _STRING]
Email: TypeAlias = Annotated[str, _matching(pattern=EMAIL, to_lower=True), _STRING]
"""In lower case, as all are compared."""
HostName: TypeAlias = Annotated[str, _matching(pattern=HOST, to_lower=True), _STRING]
Language: TypeAlias = Annotated[str, _matching(pattern=LANGUAGE), _STRING]
_TEXT: TypeAdapter[str] = TypeAdapter(Text)
What: TypeAlias = Annotated[Text, BeforeValidator(_what), AfterValidator(_names_a_meeting), _STRING_OR_NUMBER]
"""Names meetings: see `rules.named`."""
Title: TypeAlias = Annotated[Text, AfterValidator(_title)]
TimeZone: TypeAlias = Annotated[Text, WrapValidator(_timezone)]
Address: TypeAlias = Annotated[Text, WrapValidator(_address), WithJsonSchema({"type": "string", "format": "uri"})]
Scheduler: TypeAlias = Annotated[Text, AfterValidator(_scheduler)]
Group: TypeAlias = Annotated[
    Text, BeforeValidator(lambda value: str(value) if type(value) is int else value), _STRING_OR_NUMBER
]
Place: TypeAlias = Annotated[Path, PlainValidator(_place), _STRING]
Whole: TypeAlias = Annotated[int, BeforeValidator(_not_a_flag)]
"""A whole number; its bounds are in the field."""
SecretText: TypeAlias = Annotated[InstanceOf[Secret], _STRING]
"""Bound before the models see it: anything else would keep the text itself."""
Duration: TypeAlias = Annotated[timedelta, PlainValidator(parse_duration), _QUANTITY]
Interval: TypeAlias = Annotated[
    timedelta | None,
    PlainValidator(lambda value: None if str(value).lower() == "never" else parse_duration(value)),
    _QUANTITY,
]
Moment: TypeAlias = Annotated[datetime, PlainValidator(_since), _STRING]
Size: TypeAlias = Annotated[int, PlainValidator(parse_size), _QUANTITY]
Bandwidth: TypeAlias = Annotated[int | None, PlainValidator(_bandwidth), _NO_ZERO]
FolderMode: TypeAlias = Annotated[
    int | None, PlainValidator(lambda value: _safe_mode(value, 0o700, "enter and write the folders")), _STRING_OR_NUMBER
]
FileMode: TypeAlias = Annotated[
    int | None, PlainValidator(lambda value: _safe_mode(value, 0o600, "read and write the files")), _STRING_OR_NUMBER
]
Views: TypeAlias = Annotated[str | tuple[str, ...], PlainValidator(_views), WithJsonSchema(_VIEWS)]
