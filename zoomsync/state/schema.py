"""The form that the state has on disk: format 1."""

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from pydantic_core import PydanticSerializationError

from zoomsync.errors import StateUnusable
from zoomsync.model import AuthorizationStatus, Entry, Gap, Intent, Run
from zoomsync.state.journal import damaged, seal, unseal

FORMAT: Literal[1] = 1
FORMAT_IN_FILE = re.compile(rb'\{"crc32":"[0-9a-f]{8}","format":([0-9]+),')
"""How `state.json` begins, in this and every later format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The facts about the whole account."""

    id: str
    """The state's id: 32 hex digits, made up once."""
    pass_number: int = 0
    """Of the last pass begun."""
    library_pass: int = 0
    """Of the last pass that changed the destination."""
    library_run: str = ""
    """The id of that pass's run."""
    destination: str = ""
    """The destination's id; empty while none is known."""
    library: str = ""
    """The id of the last library, also while a portal is the destination."""
    since: datetime | None = None
    """Fixed at the first pass."""
    listed_till: datetime | None = None
    """Everything before it is listed or in `gaps`."""
    swept_at: datetime | None = None
    fingerprint: str = ""
    """Of the config, as of the last sweep."""
    gaps: tuple[Gap, ...] = ()
    fetched_till: datetime | None = None
    """Shown only: timestamp of the newest recording fetched."""
    authorization: AuthorizationStatus = field(default_factory=AuthorizationStatus)


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One journal line: what it sets, all of it or nothing."""

    head: Head | None = None
    entries: Mapping[str, Entry] = field(default_factory=dict)
    intents: Mapping[str, Intent] = field(default_factory=dict)
    settled: tuple[str, ...] = ()
    runs: tuple[Run, ...] = ()


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The content of `state.json`."""

    format: Literal[1]
    journal: str
    """The name of its journal, in the same folder."""
    head: Head
    entries: Mapping[str, Entry] = field(default_factory=dict)
    intents: Mapping[str, Intent] = field(default_factory=dict)
    runs: tuple[Run, ...] = ()


STEP = TypeAdapter(Step)
DOCUMENT = TypeAdapter(Document)


def packed(value: Step | Document) -> bytes:
    """As JSON in one line, without what is at its default."""
    adapter: TypeAdapter[Any] = STEP if isinstance(value, Step) else DOCUMENT
    try:
        return adapter.dump_json(value, exclude_defaults=True)
    except PydanticSerializationError:
        # half a character: a message names a file whose name is no UTF-8 (what Zoom says was cleaned when it was read)
        plain = adapter.dump_python(value, mode="json", exclude_defaults=True)
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def sealed_document(document: Document) -> tuple[bytes, int]:
    """The content of `state.json`, and the seed of its journal."""
    body = packed(document)
    return seal(body), zlib.crc32(body)


def read_document(path: Path, data: bytes) -> tuple[Document, int]:
    """The reverse of `sealed_document`; raises `StateUnusable`."""
    begin = FORMAT_IN_FILE.match(data)
    if begin and int(begin[1]) > FORMAT:
        raise StateUnusable(
            f"{path}: has format {int(begin[1])}, and this zoomsync knows formats up to {FORMAT}",
            hint="run the newer zoomsync that wrote it, or restore a backup from before the upgrade",
        )
    body = unseal(data)
    if body is None:
        raise damaged(path, "is damaged" if data.strip(b"\0\r\n\t ") else "is empty")
    try:
        return DOCUMENT.validate_json(body), zlib.crc32(body)
    except ValidationError as error:
        raise _misfit(path, error) from error


def read_step(journal: Path, number: int, body: bytes) -> Step:
    """The step of a journal's line; raises `StateUnusable`."""
    try:
        return STEP.validate_json(body)
    except ValidationError as error:
        raise _misfit(f"{journal}: line {number}", error) from error


def _misfit(where: Path | str, error: ValidationError) -> StateUnusable:
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return StateUnusable(
        f"{where}: does not fit format {FORMAT}: {place}: {first['msg'].lower()}",
        hint="run the zoomsync that wrote it, or restore the whole folder from a backup",
    )
