"""The JSON schema of the config, for editors: made from the models, shipped as `share/config.schema.json`."""

import ast
import inspect
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from zoomsync.config.base import Settings, settings_of
from zoomsync.config.schema import Config, ZoomSettings
from zoomsync.destinations.base import KINDS


def schema_text() -> str:
    """The file's content, from the models as they are."""
    kinds = [settings_of(kind) for kind in KINDS]
    refs, schema = models_json_schema([(Config, "validation"), *((kind, "validation") for kind in kinds)])
    known = {model.__name__: model for model in _models(Settings)}
    sections = {name: _section(one, known.get(name)) for name, one in schema["$defs"].items()}
    config, zoom = sections.pop("Config"), sections["ZoomSettings"]
    config["properties"]["destination"]["anyOf"][:1] = [refs[kind, "validation"] for kind in kinds]
    del zoom["required"]
    zoom["allOf"] = [
        {"anyOf": [{"required": [name]}, {"required": [f"{name}_file"]}]} for name in ZoomSettings.credentials
    ]
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The config of zoomsync",
        **config,
        "required": ["zoom"],
        "$defs": sections,
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _models(model: type[Settings]) -> Iterator[type[Settings]]:
    for one in model.__subclasses__():
        yield one
        yield from _models(one)


def _documented(model: type[Settings]) -> dict[str, str]:
    """What stands below each key. pydantic could find it, but would read the source whenever a command starts."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__[: model.__mro__.index(Settings)]):
        (definition,) = ast.parse(inspect.getsource(one)).body
        for key, below in pairwise(definition.body if isinstance(definition, ast.ClassDef) else ()):
            match key, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = inspect.cleandoc(text)
    return found


def _section(schema: dict[str, Any], model: type[Settings] | None) -> dict[str, Any]:
    plain = {key: value for key, value in schema.items() if key != "title"}
    if model is not None:
        texts = {name: {"description": text} for name, text in _documented(model).items()}
        plain["properties"] = {name: _property(one | texts.get(name, {})) for name, one in plain["properties"].items()}
    return plain


def _property(schema: dict[str, Any]) -> dict[str, Any]:
    """What a key takes, or nothing: a key without a value has its default."""
    notes = {key: schema[key] for key in ("description", "default") if schema.get(key) not in (None, {})}
    kind = {key: value for key, value in schema.items() if key not in ("title", "description", "default")}
    options = [one for one in kind.get("anyOf") or [kind] if one != {"type": "null"}]
    if len(options) == 1 and options[0].get("type") in ("boolean", "integer"):
        options.append({"pattern": r"\$\{", "type": "string"})  # it may come from the environment
    return {**notes, "anyOf": [*options, {"type": "null"}]}


if __name__ == "__main__":
    shipped = Path(__file__).parents[1] / "share" / "config.schema.json"
    shipped.write_text(schema_text(), encoding="utf-8")
