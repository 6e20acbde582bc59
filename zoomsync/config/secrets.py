"""`${NAME}` in the config, and the secrets behind it, which are read only when they are used."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from zoomsync.errors import ConfigError
from zoomsync.files import fact, read_file

Finding: TypeAlias = tuple[Literal["fail", "warn"], str, str]
"""Level, message, hint."""

_REFERENCE = re.compile(r"\$(\$?)\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_LONGEST = 65536
BY_HAND = (
    "systemd sets it for its service; by hand: sudo systemd-run --pipe --wait --uid=zoomsync "
    "-p LoadCredential=NAME:FILE zoomsync …"
)


class Expanded(str):
    """A text whose variables are filled in; messages show it as it was `written`."""

    __slots__ = ("written",)
    written: str


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Fill in `${NAME}`; `$${` is a literal `${`. Raises `ValueError` for a variable that is not set."""
    if "${" not in text:
        return text

    def value(match: re.Match[str]) -> str:
        is_literal, name = match.groups()
        if is_literal:
            return match[0][1:]
        if not _NAME.fullmatch(name):
            raise ValueError("has a ${…} that is no variable's name (write $${ for a literal ${)")
        if name == "CREDENTIALS_DIRECTORY" and name not in environ:
            raise ValueError(f"environment variable {name} is not set ({BY_HAND})")
        if name not in environ:
            raise ValueError(f"environment variable {name} is not set (set it, or write $${{ for a literal ${{)")
        return environ[name]

    expanded = Expanded(_REFERENCE.sub(value, text))
    expanded.written = text
    return expanded


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a secret comes from: a text, or with `is_file` the file that a text names."""

    key: str
    """Of the config, e.g. `zoom.client_secret`; with `_file` for a file."""
    text: str = field(repr=False)
    is_file: bool
    base: Path
    """What a relative file is relative to."""
    environ: Mapping[str, str] = field(repr=False)

    def read(self) -> str:
        """The text of the secret as it is now; raises `ConfigError`, which names the key and no content."""
        text = self._expanded()
        if self.is_file:
            path = self.base / text
            try:
                text = read_file(path, _LONGEST, follow=True).decode().rstrip("\r\n")
            except OSError as cause:
                hint = f"make {path} readable for this user"
                raise ConfigError(f"{self.key}: {path}: {fact(cause)}", hint=hint) from cause
            except UnicodeDecodeError:  # its text would quote the secret
                raise ConfigError(f"{self.key}: {path}: is not text", hint="keep one line of UTF-8 text") from None
        if not text:
            raise ConfigError(f"{self.key}: is empty", hint=f"put the secret where {self.key} points")
        if not text.isprintable():
            raise ConfigError(f"{self.key}: has more than one line or control characters", hint="keep one line of text")
        return text

    def finding(self, config: Path) -> Finding | None:
        """What `auth-check` says of the permissions of what holds the secret."""
        if self.is_file:
            try:
                file = self.base / self._expanded()
            except ConfigError:
                return None  # reading the secret says so
            can = others_can(file, self.environ)
            return ("fail", f"{self.key}: {file}: others can {can} it", f"chmod 600 {file}") if can else None
        has_variable = any(not match[1] for match in _REFERENCE.finditer(self.text))
        can = others_can(config, self.environ)
        if has_variable or "read" not in can:
            return None
        return "warn", f"{self.key}: is written in {config}, which others can {can}", f"chmod 600 {config}"

    def _expanded(self) -> str:
        try:
            return expand(self.text, self.environ)
        except ValueError as cause:
            problem, _, remedy = str(cause).partition(" (")
            raise ConfigError(f"{self.key}: {problem}", hint=remedy.removesuffix(")")) from cause


def others_can(path: Path, environ: Mapping[str, str]) -> str:
    """What its mode lets others do: `read`, `write`, `read and write`, or nothing.

    Two groups are meant to read it: systemd's on a credential, and one that root gave; none is meant to write.
    systemd's credentials are 0440: the access list that it gives them shows as bits of the group (seen, undocumented).
    """
    try:
        found = path.stat()
    except OSError:
        return ""
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    is_credential = bool(credentials) and path.is_relative_to(credentials or "")
    is_for_group = is_credential or (found.st_uid == 0 and found.st_gid != 0)
    allowed = {"read": 0o004 if is_for_group else 0o044, "write": 0o002 if is_credential else 0o022}
    return " and ".join(word for word, bits in allowed.items() if found.st_mode & bits)
