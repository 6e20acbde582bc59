"""The JSON schema that ships agrees with the models, and the example with the schema."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from zoomsync.config import parse
from zoomsync.config.json_schema import schema_text

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "zoomsync" / "share" / "config.schema.json"
SCHEMA: dict[str, Any] = json.loads(SHIPPED.read_text(encoding="utf-8"))
TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "null": type(None)}


def accepts(schema: dict[str, Any], value: Any) -> bool:
    """The little of JSON Schema that ours uses; an unknown word fails the test."""
    words = sorted(schema, key=lambda word: word != "type")
    return all(RULES[word](schema[word], value, schema) for word in words if word not in NOTES)


def is_a(kinds: str | list[str], value: Any, _: dict[str, Any]) -> bool:
    names = [kinds] if isinstance(kinds, str) else kinds
    return any(isinstance(value, TYPES[name]) and isinstance(value, bool) == (name == "boolean") for name in names)


def is_extra_accepted(rule: Any, value: Any, schema: dict[str, Any]) -> bool:
    extra = [one for name, one in value.items() if name not in schema.get("properties", {})]
    return not extra if rule is False else all(accepts(rule, one) for one in extra)


NOTES = {"description", "default", "format", "title", "$schema", "$defs"}
RULES: dict[str, Callable[[Any, Any, dict[str, Any]], bool]] = {
    "type": is_a,
    "anyOf": lambda rule, value, _: any(accepts(one, value) for one in rule),
    "allOf": lambda rule, value, _: all(accepts(one, value) for one in rule),
    "$ref": lambda rule, value, _: accepts(SCHEMA["$defs"][rule.rpartition("/")[2]], value),
    "enum": lambda rule, value, _: value in rule,
    "const": lambda rule, value, _: bool(value == rule),
    "required": lambda rule, value, _: set(rule) <= set(value),
    "properties": lambda rule, value, _: all(accepts(rule[name], value[name]) for name in set(rule) & set(value)),
    "additionalProperties": is_extra_accepted,
    "items": lambda rule, value, _: all(accepts(rule, one) for one in value),
    "uniqueItems": lambda rule, value, _: not rule or len(set(value)) == len(value),
    "minItems": lambda rule, value, _: len(value) >= rule,
    "minLength": lambda rule, value, _: len(value) >= rule,
    "minimum": lambda rule, value, _: bool(value >= rule),
    "maximum": lambda rule, value, _: bool(value <= rule),
    "pattern": lambda rule, value, _: bool(re.search(rule, value)),
}


def example() -> str:
    return (ROOT / "config.example.yaml").read_text(encoding="utf-8")


def commented(kind: str) -> dict[str, Any]:
    """A destination of the example that is commented out."""
    lines = [line[1:] for line in example().splitlines() if re.match(r"#(destination:|  )", line)]
    sections = [yaml.safe_load(f"destination:{one}") for one in "\n".join(lines).split("destination:")[1:]]
    return next(one for one in sections if one["destination"]["type"] == kind)


def portal() -> dict[str, Any]:
    return commented("vidizmo")


def keys(schema: dict[str, Any]) -> set[str]:
    """Every key, with a dot for those of a section."""
    found = set()
    for name, one in schema["properties"].items():
        found.add(name)
        for option in one["anyOf"]:
            if "$ref" in option and "properties" in (section := SCHEMA["$defs"][option["$ref"].rpartition("/")[2]]):
                found |= {f"{name}.{key}" for key in section["properties"]}
    return found


def test_the_shipped_schema_is_the_one_of_the_models() -> None:
    """Else: make schema."""
    assert SHIPPED.read_text(encoding="utf-8") == schema_text()


def test_the_example_points_to_the_schema_and_is_accepted_by_it() -> None:
    first = example().splitlines()[0]

    assert first == f"# yaml-language-server: $schema={SHIPPED.relative_to(ROOT)}"
    assert accepts(SCHEMA, yaml.safe_load(example()))


def test_the_example_shows_every_key_but_the_twins_of_the_credentials() -> None:
    data = yaml.safe_load(example())
    sections = [*data.items(), *portal().items(), *commented("rclone").items()]
    shown = set(data) | {f"{name}.{key}" for name, one in sections if isinstance(one, dict) for key in one}

    twins = {f"zoom.{name}_file" for name in ("account_id", "client_id", "client_secret")}
    twins |= {f"destination.{name}_file" for name in ("password", "client_secret", "scim_token")}
    twins |= {"tell.ping_file", "tell.notify_file"}
    assert keys(SCHEMA) - shown == twins
    assert shown - keys(SCHEMA) == set()


def test_the_example_of_a_remote_is_accepted_and_shows_the_defaults() -> None:
    zoom = {"account_id": "a", "client_id": "b", "client_secret": "c"}
    config = parse({"zoom": zoom, **commented("rclone")}, Path("config.yaml"), {})

    shortest = {key: commented("rclone")["destination"][key] for key in ("type", "remote", "config")}
    assert accepts(SCHEMA, {"zoom": zoom, **commented("rclone")})
    assert config.destination == parse({"zoom": zoom, "destination": shortest}, Path("config.yaml"), {}).destination


def test_the_example_of_a_portal_is_accepted_and_shows_the_defaults() -> None:
    zoom = {"account_id": "a", "client_id": "b", "client_secret": "c"}
    config = parse({"zoom": zoom, **portal()}, Path("config.yaml"), {})

    shortest = {key: portal()["destination"][key] for key in ("type", "url", "email", "password")}
    assert accepts(SCHEMA, {"zoom": zoom, **portal()})
    assert config.destination.model_copy(update={"password": None}) == parse(
        {"zoom": zoom, "destination": shortest}, Path("config.yaml"), {}
    ).destination.model_copy(update={"password": None})


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"zoom": {"account_id": "a", "client_id": "b"}},
        {"zoom": {"account_id": "a", "client_id": "b", "client_secret": "c"}, "wrokers": 4},
        {"zoom": {"account_id": "a", "client_id": "b", "client_secret": "c"}, "workers": 65},
        {"zoom": {"account_id": "a", "client_id": "b", "client_secret": "c"}, "delete_recordings": "yes"},
        {"zoom": {"account_id": "a", "client_id": "b", "client_secret": "c"}, "recordings": {"files": ["vidoe"]}},
        {"zoom": {"account_id": "a", "client_id": "b", "client_secret": "c"}, "destination": {"type": "vidizmo"}},
    ],
)
def test_the_schema_refuses_what_the_program_refuses(wrong: dict[str, Any]) -> None:
    assert not accepts(SCHEMA, wrong)


def test_the_schema_takes_files_for_credentials_and_variables_for_numbers() -> None:
    zoom = {"account_id_file": "a", "client_id": "b", "client_secret_file": "c"}

    assert accepts(SCHEMA, {"zoom": zoom, "workers": "${N}", "enabled": "${ON}", "recordings": None})
