"""What every section of the config is."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """A part of the config; unknown keys are errors, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)


def written(default: object) -> Any:
    """A default as it would be written in YAML."""
    return Field(default, validate_default=True)
