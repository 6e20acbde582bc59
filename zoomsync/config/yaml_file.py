"""Where the config is, and what a person wrote in it, as plain data."""

import re
import stat
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from zoomsync.config.load import parse
from zoomsync.config.schema import Config
from zoomsync.config.types import Octal
from zoomsync.errors import ConfigError
from zoomsync.files import fact
from zoomsync.formatting import escaped

SYSTEM_FOLDER = Path("/etc/zoomsync")
EXAMPLE = Path(__file__).parents[1] / "share" / "config.example.yaml"
_FILE = "config.yaml"
_QUOTED = re.compile(r"(?<!['\"])\s['\"](?![^'\"]['\"]|\\.['\"]|<[\w ]+>').*", re.DOTALL)
"""From the first quotation in PyYAML's sentence on, unless it is of one character or names a token."""


def find_config(named: Path | None, environ: Mapping[str, str], cwd: Path, uid: int) -> Path:
    """The config to read: `named` (-c), else $ZOOMSYNC_CONFIG, else the first that is found where configs are.

    One that was found is refused when it is not this user's or root's, or when others can write it.
    """
    if chosen := named or environ.get("ZOOMSYNC_CONFIG"):
        return cwd / chosen
    places = [cwd / _FILE]
    xdg, home = environ.get("XDG_CONFIG_HOME", ""), environ.get("HOME", "")
    if Path(xdg).is_absolute():  # else ignored: https://specifications.freedesktop.org/basedir-spec/latest/
        places.append(Path(xdg, "zoomsync", _FILE))
    elif home:
        places.append(Path(home, ".config", "zoomsync", _FILE))
    places.append(SYSTEM_FOLDER / _FILE)
    looked = []
    for place in places:
        try:
            place.lstat()
        except OSError as cause:
            is_absent = isinstance(cause, FileNotFoundError | NotADirectoryError)
            looked.append(str(place) if is_absent else f"{place} ({fact(cause)})")
            continue
        _refuse_foreign(place, uid)
        return place
    raise ConfigError(
        f"config: none found; looked at {', '.join(looked)}",
        hint=f"copy {EXAMPLE} to {cwd / _FILE} and fill it in, or name a config with -c",
    )


def _refuse_foreign(place: Path, uid: int) -> None:
    try:
        link, found = place.lstat(), place.stat()
    except OSError as cause:
        raise _unreadable(place, cause) from cause
    if not {link.st_uid, found.st_uid} <= {uid, 0}:
        raise ConfigError(
            f"{place}: was found, not named, and belongs to another user",
            hint=f"check what it says, then name it with -c {place}",
        )
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError(
            f"{place}: was found, not named, and is writable by others",
            hint=f"check what it says, then chmod go-w {place}, or name it with -c",
        )


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read the config; raises `ConfigError`."""
    return parse(read_yaml(path), path, environ)


def read_yaml(path: Path) -> dict[object, object]:
    """The file's mapping; raises `ConfigError` with the line, and quotes nothing of it, for it may hold secrets."""
    try:
        text = path.read_bytes().decode().removeprefix("\ufeff")
    except OSError as cause:
        raise _unreadable(path, cause) from cause
    except UnicodeDecodeError as cause:
        raise ConfigError(f"{path}: is not UTF-8 text", hint="save it as UTF-8") from cause
    found = _parse(path, text)
    if found is None:
        raise ConfigError(f"{path}: is empty", hint=f"copy {EXAMPLE} to it and fill it in")
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: holds no keys", hint="write keys and values, as in config.example.yaml")
    return found


def _unreadable(path: Path, cause: OSError) -> ConfigError:
    return ConfigError(f"{path}: {fact(cause)}", hint="name the config with -c, and make it readable for this user")


def _parse(path: Path, text: str) -> object:
    try:
        return _Loader(text).get_single_data()
    except yaml.reader.ReaderError as cause:
        line = text.count("\n", 0, cause.position) + 1
        raise ConfigError(f"{path}: line {line}: a control character", hint="remove it") from cause
    except yaml.MarkedYAMLError as cause:
        mark = cause.problem_mark or cause.context_mark
        line = mark.line + 1 if mark else 1
        problem = cause.problem or cause.context or "not valid YAML"
        hint = "keep one of them"
        if not isinstance(cause, _WrittenTwice):
            # Without the words of the file that PyYAML quotes: one of them may be a secret.
            problem = _QUOTED.sub("", problem).removeprefix("but ")
            hint = "quote text that has special characters, and check indentation and colons"
            if re.match(r"[^'\"]*\$\{", "".join(text.splitlines()[line - 1 : line])):
                hint = 'within { } or [ ] write a variable in quotes: "${NAME}"'
        raise ConfigError(f"{path}: line {line}: {problem}", hint=hint) from None  # the cause quotes the line
    except RecursionError:
        raise ConfigError(f"{path}: is nested too deeply", hint="write it like config.example.yaml") from None


class _WrittenTwice(yaml.MarkedYAMLError):
    """A key that stands twice in one mapping: YAML would silently take the later one."""


class _Loader(yaml.SafeLoader):
    """Refuses keys written twice, distinguishes `0750` from `750`, and leaves what it cannot read as text."""

    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[Hashable, int] = {}
        for key, _ in node.value:
            name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else None
            if name in lines:
                problem = f"{escaped(key.value)}: written twice (first in line {lines[name]})"
                raise _WrittenTwice(problem=problem, problem_mark=key.start_mark)
            if name:
                lines[name] = key.start_mark.line + 1
        return node


def _or_text(construct: Callable[[Any, Any], object]) -> Callable[[Any, Any], object]:
    """Leave as text what looks like a number or a date and is none, so that its key can be named."""

    def constructed(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> object:
        try:
            value = construct(loader, node)
        except (ValueError, OverflowError, AttributeError, LookupError):
            return node.value
        is_octal = len(node.value) > 1 and node.value.startswith("0") and node.value.isdecimal()
        return Octal(value) if is_octal and isinstance(value, int) else value

    return constructed


for _kind in ("int", "float", "bool", "timestamp"):
    _construct = getattr(yaml.SafeLoader, f"construct_yaml_{_kind}")
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _or_text(_construct))
