"""From what a person wrote to a `Config`, or every problem at once: each `path: fact (remedy)`."""

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from zoomsync.config.base import DestinationSettings, Settings, named_kind, settings_of
from zoomsync.config.schema import Config, ZoomSettings
from zoomsync.config.secrets import Source, expand
from zoomsync.config.types import Base, read_email, shown_value, suggestion
from zoomsync.config.yaml_file import fact, read_yaml
from zoomsync.destinations.base import KINDS, PLANNED
from zoomsync.errors import ConfigError
from zoomsync.formatting import escaped, plural

_DEEPEST = 12

Problems = dict[str, str]
"""Path of a key → what is wrong with it; the first finding about a key is the one that counts."""


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read the config; raises `ConfigError` with every problem. `environ` is kept: secrets are read from it later."""
    return parse(read_yaml(path), path, environ)


def parse(raw: Mapping[Any, Any], path: Path, environ: Mapping[str, str]) -> Config:
    """What YAML made of the file at `path`, which need not exist; relative paths are relative to its folder."""
    path = path.absolute()
    problems: Problems = {}
    destination = _kind(raw, environ, problems)
    if destination is None:
        raw = {**raw, "destination": None}
    sections = {"zoom": ZoomSettings} | ({"destination": destination} if destination else {})
    secret = {
        f"{key}.{name}{twin}" for key, one in sections.items() for name in one.credentials() for twin in ("", "_file")
    }
    values = _filled(raw, (), environ, problems, secret)
    sources = tuple(_bind(values, sections, path.parent, environ, problems))
    _read_accounts(values, path.parent, problems)
    _place_state(values, environ)
    for key, problem in (*_across(values), *(destination.problems(values) if destination else ())):
        problems.setdefault(key, problem)
    config = _validated(values, path.parent, problems)
    if problems or config is None:
        raise ConfigError(
            f"{path}: {plural(len(problems), 'problem')}",
            hint="config.example.yaml shows every key",
            problems=[f"{escaped(key)}: {problem}" for key, problem in problems.items()],
        )
    return config.read_from(path, sources)


def _kind(raw: Mapping[Any, Any], environ: Mapping[str, str], problems: Problems) -> type[DestinationSettings] | None:
    """The settings of the kind of destination that the config names. One of no known kind is not looked at further."""
    kind = named_kind(raw.get("destination"))
    try:
        kind = expand(kind, environ) if isinstance(kind, str) else kind
    except ValueError as cause:
        problems["destination.type"] = str(cause)
        return None
    if kind in [*KINDS]:
        return settings_of(kind)
    if kind in PLANNED:
        known = " or ".join(KINDS)
        problems["destination.type"] = f"{kind} is not built yet in this version of zoomsync (write {known})"
    else:
        close = suggestion(str(kind), [*KINDS]) or f" (write {next(iter(KINDS))}, say)"
        problems["destination.type"] = f"{shown_value(kind)} is none of {', '.join(KINDS)}{close}"
    return None


def _filled(
    value: Any, place: tuple[str, ...], environ: Mapping[str, str], problems: Problems, secret: AbstractSet[str]
) -> Any:
    """The values with variables filled in, but for secrets; a key without a value is left to its default."""
    key = ".".join(place)
    if len(place) > _DEEPEST:
        problems[place[0]] = "is nested too deeply (write it as config.example.yaml does)"
    elif isinstance(value, Mapping):
        items = ((_written(name), one) for name, one in value.items() if one is not None)
        return {name: _filled(one, (*place, name), environ, problems, secret) for name, one in items}
    elif isinstance(value, list):
        return [_filled(one, (*place, str(number)), environ, problems, secret) for number, one in enumerate(value)]
    elif isinstance(value, str) and key not in secret:
        try:
            return expand(value, environ)
        except ValueError as cause:
            problems[key] = str(cause)
    return value


def _written(name: object) -> str:
    return name if isinstance(name, str) else shown_value(name)


def _bind(
    values: dict[Any, Any],
    sections: Mapping[str, type[Settings]],
    base: Path,
    environ: Mapping[str, str],
    problems: Problems,
) -> Iterator[Source]:
    """Put a secret that is read later in the place of each credential, whichever twin it comes from."""
    values.setdefault("zoom", {})
    for section, settings in sections.items():
        below = values.get(section)
        if isinstance(below, dict):
            for name in settings.credentials():
                yield from _bound(below, section, name, base, environ, problems)


def _bound(
    below: dict[Any, Any], section: str, name: str, base: Path, environ: Mapping[str, str], problems: Problems
) -> Iterator[Source]:
    given = [key for key in (name, f"{name}_file") if key in below]
    if len(given) == 2:
        problems[f"{section}.{name}"] = f"is set, and {name}_file too (keep one)"
    for key in given[-1:]:
        text, where = below[key], f"{section}.{key}"
        if not isinstance(text, str) or not text.strip():
            problems[where] = "is empty or not text (write it in quotes, or better as ${NAME})"
        source = Source(key=where, text=str(text), is_file=key != name, base=base, environ=environ)
        below[name] = source.secret()
        yield source


def _read_accounts(values: dict[Any, Any], base: Path, problems: Problems) -> None:
    """Put the addresses of filter_accounts_file in the place of filter_accounts."""
    name, key = values.get("filter_accounts_file"), "filter_accounts_file"
    if not isinstance(name, str) or not name.strip() or name.startswith("~"):
        return
    if values.get("filter_accounts"):
        problems["filter_accounts"] = f"is set, and {key} too (keep one)"
        return
    try:
        values["filter_accounts"] = _addresses((base / name).read_bytes().decode("utf-8-sig"))
    except OSError as cause:
        problems[key] = f"{base / name}: {fact(cause)} (make it readable for this user)"
    except UnicodeDecodeError:
        problems[key] = f"{base / name}: is not UTF-8 text (save it as UTF-8)"
    except ValueError as cause:
        problems[key] = f"{base / name}: {cause}"


def _addresses(text: str) -> list[str]:
    """One a line; what follows a # and blank lines do not count."""
    addresses = []
    for number, line in enumerate(text.splitlines(), start=1):
        if address := re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip():
            try:
                addresses.append(read_email(address))
            except ValueError as cause:
                raise ValueError(f"line {number}: {cause}") from cause
    if not addresses:
        raise ValueError("holds no address, which would mean every user (fill it in, or remove the key)")
    return addresses


def _place_state(values: dict[Any, Any], environ: Mapping[str, str]) -> None:
    """The defaults that depend on the environment or on another key."""
    folder = environ.get("STATE_DIRECTORY", "").split(":")[0] or "./state"
    state = values.setdefault("state", f"{folder}/state.json")
    if isinstance(state, str):
        values.setdefault("audit", str(Path(state).parent / "audit.jsonl"))


def _across(values: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """The rules that concern several keys."""
    blank = not values.get("filter_accounts") and "filter_accounts_file" not in values
    everyone = str(values.get("delete_all_accounts", False)).lower() == "true"
    if values.get("delete_recordings") in ("trash", "permanent") and blank and not everyone:
        threat = (
            f"{shown_value(values['delete_recordings'])} with blank filter_accounts would delete EVERY user's cloud"
        )
        remedy = "fill in filter_accounts, or set delete_all_accounts: true"
        yield "delete_recordings", f"{threat} recordings once they are stored ({remedy})"
    if Path(str(values.get("audit"))) == Path(str(values["state"])):
        yield "audit", "is the same file as state (remove the key to have audit.jsonl beside the state)"


def _validated(values: Mapping[Any, Any], folder: Path, problems: Problems) -> Config | None:
    try:
        return Config.model_validate(values, context=Base(folder=folder))
    except ValidationError as cause:
        for error in cause.errors(include_url=False):
            place = tuple(str(part) for part in error["loc"] if part != "[key]")
            if error["type"] != "too_short" or not error["input"]:  # else its entries have their own problems
                problems.setdefault(".".join(place), _sentence(place, error))
    return None


def _sentence(place: tuple[str, ...], error: ErrorDetails) -> str:
    """What is wrong and the remedy, in our words; a value is shown only where it cannot be a secret."""
    context: Mapping[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden" | "invalid_key":
            return f"unknown key{_meant(place)}"
        case "missing" if place[0] == "destination":
            return "missing (config.example.yaml shows it)"
        case "missing":
            return f"missing (write ${{ZOOM_{place[-1].upper()}}}, or set {place[-1]}_file)"
        case "literal_error" | "enum":
            options = re.findall(r"'([^']+)'", context["expected"])
            close = suggestion(str(error["input"]), options) or f" (write {options[0]}, say)"
            return f"{shown_value(error['input'])} is none of {', '.join(options)}{close}"
        case "value_error":
            return str(context["error"])
        case "too_short":
            return "is an empty list (remove the key to have its default)"
        case "tuple_type" | "frozen_set_type":
            return f"{shown_value(error['input'])} is not a list (write each entry on its own line after a dash)"
        case "model_type" | "mapping_type" | "dict_type":
            return "is not a mapping (write its keys below it, indented)"
        case _:
            return f"cannot be used: {error['msg'].lower()} (config.example.yaml shows it)"


def _meant(place: tuple[str, ...]) -> str:
    """The key of that very name in another section, else the closest one of its own."""
    sections = [*_sections(Config, "")]
    for section, model in sections:
        if place[-1] in model.model_fields and section != ".".join(place[:-1]):
            where = f"{section}.{place[-1]}" if section else f"{place[-1]} at the top level"
            return f" (did you mean {where}?)"
    own = [key for section, model in sections if section == ".".join(place[:-1]) for key in model.model_fields]
    if place[-1] in own:
        return " for this type of destination (remove it)"
    return suggestion(place[-1], own) or " (remove it)"


def _sections(model: type[Settings], name: str) -> Iterator[tuple[str, type[Settings]]]:
    """A section and all below it, with their names; those of every kind of destination are called `destination`."""
    yield name, model
    for key, field in model.model_fields.items():
        below = [field.annotation]
        if field.annotation is DestinationSettings:
            below = [settings_of(kind) for kind in KINDS]
        for one in below:
            if isinstance(one, type) and issubclass(one, Settings):
                yield from _sections(one, f"{name}.{key}" if name else key)
