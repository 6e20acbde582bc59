"""From what a person wrote to a `Config`, or every problem at once: each `path: fact (remedy)`."""

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from zoomsync.config.base import DestinationSettings, Settings, named_kind, settings_of
from zoomsync.config.schema import Config, TellSettings, ZoomSettings
from zoomsync.config.secrets import Source, expand
from zoomsync.config.types import PATTERNS, Email, shown_value, suggestion
from zoomsync.destinations.base import KINDS
from zoomsync.errors import ConfigError
from zoomsync.files import fact, read_file
from zoomsync.formatting import escaped, plural
from zoomsync.model import Secret

_DEEPEST = 12

Problems = dict[str, str]
"""Path of a key → what is wrong with it; the first finding about a key is the one that counts."""


def parse(raw: Mapping[Any, Any], path: Path, environ: Mapping[str, str]) -> Config:
    """What YAML made of the file at `path`, which need not exist; relative paths are relative to its folder.

    Raises `ConfigError` with every problem. `environ` is kept: secrets are read from it later.
    """
    path = path.absolute()
    problems: Problems = {}
    destination = _kind(raw, environ, problems)
    if destination is None:
        raw = {**raw, "destination": None}
    sections: dict[str, type[Settings]] = {"zoom": ZoomSettings, "tell": TellSettings}
    sections |= {"destination": destination} if destination else {}
    secret = {
        f"{key}.{name}{twin}" for key, one in sections.items() for name in one.credentials for twin in ("", "_file")
    }
    values = _filled(raw, (), environ, problems, secret)
    values.setdefault("zoom", {})
    sources: list[Source] = []
    for key, settings in sections.items():
        if isinstance(values.get(key), dict):
            sources += _bind(values[key], key, settings, path.parent, environ, problems)
    _read_accounts(values, path.parent, problems)
    folder = environ.get("STATE_DIRECTORY", "").split(":")[0] or "./state"
    if isinstance(state := values.setdefault("state", f"{folder}/state.json"), str):
        values.setdefault("audit", str(Path(state).parent / "audit.jsonl"))
    for key, problem in (*_across(values), *(destination.problems(values) if destination else ())):
        problems.setdefault(key, problem)
    config = _validated(values, path.parent, problems)
    if problems or config is None:
        raise ConfigError(
            f"{path}: {plural(len(problems), 'problem')}",
            hint="config.example.yaml shows every key",
            problems=[f"{escaped(key)}: {problem}" for key, problem in problems.items()],
        )
    return config.read_from(path, tuple(sources))


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
        names = ((name if isinstance(name, str) else shown_value(name), one) for name, one in value.items())
        return {name: _filled(one, (*place, name), environ, problems, secret) for name, one in names if one is not None}
    elif isinstance(value, list):
        empty = (number for number, one in enumerate(value) if one is None)
        problems.update((f"{key}.{number}", "is empty (fill it in, or remove it)") for number in empty)
        return [_filled(one, (*place, str(number)), environ, problems, secret) for number, one in enumerate(value)]
    elif isinstance(value, str) and secret.isdisjoint((key, ".".join(place[:-1]))):
        try:
            return expand(value, environ)
        except ValueError as cause:
            problems[key] = str(cause)
    return value


def _bind(
    below: dict[Any, Any],
    section: str,
    settings: type[Settings],
    base: Path,
    environ: Mapping[str, str],
    problems: Problems,
) -> Iterator[Source]:
    """Put a secret that is read later in the place of each credential of a section, whichever twin it comes from."""
    for name in settings.credentials:
        given = [key for key in (name, f"{name}_file") if key in below]
        if len(given) == 2:
            problems[f"{section}.{name}"] = f"is set, and {name}_file too (keep one)"
        for key in given[-1:]:
            is_list = get_origin(settings.model_fields[name].annotation) is tuple
            texts = below[key] if is_list and isinstance(below[key], list) else [below[key]]
            sources = []
            for number, text in enumerate(texts):
                place = f"{section}.{key}" + (f".{number}" if texts is below[key] else "")
                if not isinstance(text, str) or not text.strip():
                    problems[place] = "is empty or not text (write it in quotes, or better as ${NAME})"
                sources.append(Source(key=place, text=str(text), is_file=key != name, base=base, environ=environ))
            secrets = [Secret(source.read) for source in sources]
            below[name] = secrets if is_list else secrets[0]
            yield from sources


def _read_accounts(values: dict[Any, Any], base: Path, problems: Problems) -> None:
    """Put the addresses of filter_accounts_file in the place of filter_accounts."""
    name, key = values.get("filter_accounts_file"), "filter_accounts_file"
    if not isinstance(name, str) or not name.strip() or name.startswith("~"):
        return
    if values.get("filter_accounts"):
        problems["filter_accounts"] = f"is set, and {key} too (keep one)"
        return
    try:
        values["filter_accounts"] = _addresses(read_file(base / name, follow=True).decode("utf-8-sig"))
    except OSError as cause:
        problems[key] = f"{base / name}: {fact(cause)} (make it readable for this user)"
    except UnicodeDecodeError:
        problems[key] = f"{base / name}: is not UTF-8 text (save it as UTF-8)"
    except ValueError as cause:
        problems[key] = f"{base / name}: {cause}"


def _addresses(text: str) -> list[str]:
    """One a line; what follows a # and blank lines do not count."""
    email: TypeAdapter[str] = TypeAdapter(Email)
    addresses = []
    for number, line in enumerate(text.splitlines(), start=1):
        if address := re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip():
            try:
                addresses.append(email.validate_python(address))
            except ValidationError as cause:
                raise ValueError(f"line {number}: {_sentence((), cause.errors()[0])}") from cause
    if not addresses:
        raise ValueError("holds no address, which would mean every user (fill it in, or remove the key)")
    return addresses


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
    engine = values.get("engine")
    if isinstance(engine, Mapping):
        yield from _engine(engine)


def _engine(engine: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """A cluster is named, and by TLS alone unless it is on this machine; threads have none."""
    if engine.get("type") != "dask":
        unused = [key for key in ("scheduler", "tls") if engine.get(key)]
        yield from ((f"engine.{key}", "is for type: dask (write that, or remove it)") for key in unused)
        return
    scheduler, tls = engine.get("scheduler"), engine.get("tls")
    if scheduler is None:
        yield "engine.scheduler", "missing, but engine.type is dask (write tls://host:8786)"
    has = tls if isinstance(tls, Mapping) else {}
    if has or str(scheduler).startswith("tls://"):
        missing = [key for key in ("ca", "cert", "key") if not has.get(key)]
        yield from ((f"engine.tls.{key}", "missing (share/doc/cluster.md makes the certificates)") for key in missing)


def _validated(values: Mapping[Any, Any], folder: Path, problems: Problems) -> Config | None:
    try:
        return Config.model_validate(values, context=folder)
    except ValidationError as cause:
        for error in cause.errors(include_url=False):
            place = tuple(str(part) for part in error["loc"] if part != "[key]")
            is_told = error["input"] is None or (error["type"] == "too_short" and error["input"])  # of its entries
            if not is_told:
                problems.setdefault(".".join(place), _sentence(place, error))
    return None


_NO_FLAG = "{value} is neither true nor false (write one of them)"
_NO_WHOLE = "{value} is not a whole number (write {ge} to {le})"
_NOT_BETWEEN = "{value} is not between {ge} and {le} (write {ge} to {le})"
_NO_LIST = "{value} is not a list (write each entry on its own line after a dash)"
_NO_MAPPING = "is not a mapping (write its keys below it, indented)"
_SENTENCES: Mapping[str, str] = {
    **dict.fromkeys(("extra_forbidden", "invalid_key"), "unknown key{meant}"),
    "missing": "missing ({remedy})",
    **dict.fromkeys(("literal_error", "enum"), "{value} is none of {options}{close}"),
    **dict.fromkeys(("bool_type", "bool_parsing"), _NO_FLAG),
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float", "finite_number"), _NO_WHOLE),
    **dict.fromkeys(("greater_than_equal", "less_than_equal"), _NOT_BETWEEN),
    "string_type": "{value} is not text (write it in quotes)",
    "string_unicode": "{value} has half of a character (write it again)",
    "string_too_short": "is empty (fill it in, or remove it)",
    "string_pattern_mismatch": "{value} is not {pattern}",
    "too_short": "is an empty list (remove the key to have its default)",
    **dict.fromkeys(("tuple_type", "frozen_set_type"), _NO_LIST),
    **dict.fromkeys(("model_type", "mapping_type", "dict_type"), _NO_MAPPING),
    "value_error": "{error}",
}
"""What is wrong and the remedy, for each type of error at https://docs.pydantic.dev/latest/errors/validation_errors/"""
_OTHERWISE = "cannot be used: {message} (config.example.yaml shows it)"


def _sentence(place: tuple[str, ...], error: ErrorDetails) -> str:
    """What is wrong and the remedy, in our words; a value is shown only if it cannot be a secret."""
    words = {"value": shown_value(error["input"]), "message": error["msg"].lower(), **error.get("ctx", {})}
    match error["type"]:
        case "extra_forbidden" | "invalid_key":
            words["meant"] = _meant(place)
        case "missing":
            is_credential = place[0] != "destination"
            ways = f"write ${{ZOOM_{place[-1].upper()}}}, or set {place[-1]}_file"
            words["remedy"] = ways if is_credential else "config.example.yaml shows it"
        case "literal_error" | "enum":
            options = re.findall(r"'([^']+)'", words["expected"])
            words["options"] = ", ".join(options)
            words["close"] = suggestion(str(error["input"]), options) or f" (write {options[0]}, say)"
        case "string_pattern_mismatch":
            words["pattern"] = PATTERNS[words["pattern"]]
        case kind if "(write {ge} to {le})" in _SENTENCES.get(kind, ""):
            fields = (
                model.model_fields.get(place[-1]) for section, model in _sections(Config) if section == place[:-1]
            )
            bounds = next(field.metadata for field in fields if field)
            words |= {name: getattr(one, name) for one in bounds for name in ("ge", "le") if hasattr(one, name)}
    return _SENTENCES.get(error["type"], _OTHERWISE).format_map(words)


def _meant(place: tuple[str, ...]) -> str:
    """The key of that very name in another section, else the closest one of its own."""
    own = [key for section, model in _sections(Config) if section == place[:-1] for key in model.model_fields]
    for section, model in _sections(Config):
        if place[-1] in model.model_fields and section != place[:-1]:
            where = ".".join((*section, place[-1])) if section else f"{place[-1]} at the top level"
            return f" (did you mean {where}?)"
    if place[-1] in own:
        return " for this type of destination (remove it)"
    return suggestion(place[-1], own) or " (remove it)"


def _sections(model: type[Settings], place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], type[Settings]]]:
    """A section and all below it, with their places; those of every kind of destination are at `destination`."""
    yield place, model
    for key, field in model.model_fields.items():
        is_destination = field.annotation is DestinationSettings
        for below in [settings_of(kind) for kind in KINDS] if is_destination else [field.annotation]:
            if isinstance(below, type) and issubclass(below, Settings):
                yield from _sections(below, (*place, key))
