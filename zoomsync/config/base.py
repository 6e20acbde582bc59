"""What every section of the config is; and what the section of a destination says, of whichever kind it is."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, SerializeAsAny, ValidationInfo, WithJsonSchema

from zoomsync.destinations.base import KINDS, Destination, DestinationContext
from zoomsync.model import Kind


class Settings(BaseModel):
    """A part of the config; unknown keys are errors, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    credentials: ClassVar[tuple[str, ...]] = ()
    """The keys that hold a secret: each has a twin `…_file`, which names a file."""


def written(default: object) -> Any:
    """A default as it would be written in YAML."""
    return Field(default, validate_default=True)


class DestinationSettings(Settings):
    """What a config says of its destination. Each kind of `KINDS` adds its keys, and overrides what differs for it."""

    type: str
    is_prospect_free: ClassVar[bool] = False
    """Whether `prospect` costs nothing and needs no `attach`."""

    @abstractmethod
    def build(self, context: DestinationContext) -> Destination:
        """The destination; not attached yet, nothing is sent."""

    @abstractmethod
    def sentence(self) -> str:
        """What `auth-check` says of it."""

    @abstractmethod
    def selection(self) -> Mapping[str, object]:
        """What makes another destination of it, or selects other files: a change of that makes a sweep due."""

    @classmethod
    def problems(cls, config: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
        """What is wrong beyond single values, in the whole config as it is written: key, fact and remedy."""
        if config.get("publish_as") == "me" and "me" not in config:
            yield "me", "missing, but publish_as is me (write the e-mail of the author)"

    @property
    def account(self) -> str:
        """The e-mail of the author if neither the host nor `me` can be; empty: there is none."""
        return ""

    @property
    def visibility(self) -> str:
        """How people see new items that are no drafts, in words."""
        return "at once visible"

    @property
    def storage(self) -> Path | None:
        """The folder of this machine in which items lie; None: they lie elsewhere."""
        return None

    @property
    def skipped_kinds(self) -> frozenset[Kind]:
        """The kinds of files that it does not take."""
        return frozenset()

    @property
    def only_primary(self) -> bool:
        """Whether it takes the best view of each segment alone, and no further one nor the sound."""
        return False


def named_kind(section: object) -> Any:
    """The kind that the section `destination` names, as it is written; the first of `KINDS` if it names none."""
    named = section.get("type") if isinstance(section, Mapping) else None
    return next(iter(KINDS)) if named is None else named


def settings_of(kind: str) -> type[DestinationSettings]:
    """How a kind of destination is configured; imports its module."""
    found: type[DestinationSettings] = import_module(KINDS[kind]).Settings
    return found


def _of_its_kind(value: object, info: ValidationInfo) -> DestinationSettings:
    return settings_of(named_kind(value)).model_validate(value, context=info.context)


AnyDestination: TypeAlias = Annotated[
    SerializeAsAny[DestinationSettings], PlainValidator(_of_its_kind), WithJsonSchema({})
]
"""Read by the settings of the kind that it names; one of no known kind is refused before."""
