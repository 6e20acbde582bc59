"""A state of version 1: `state.json` with everything in it, and its journal. It is read, to be taken over once.

`state.json` names the journal of what came after it, a step a line. Checksums are chained from the one to the other.
This module can go once nobody upgrades from 0.2 any more.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from zoomsync.files import read_file
from zoomsync.model import Entry, Intent, Run
from zoomsync.state.page import LIMIT, Head, damaged, misfit, unseal

VERSION = 1
_HOLE = b"\0\0"
"""What a power cut leaves in a line that was never acknowledged; one NUL alone is a flipped bit."""
_DECODER = json.JSONDecoder()


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One line of the journal."""

    head: Head | None = None
    entries: Mapping[str, Entry] = field(default_factory=dict)
    intents: Mapping[str, Intent] = field(default_factory=dict)
    settled: tuple[str, ...] = ()
    runs: tuple[Run, ...] = ()


_STEP, _ENTRY = TypeAdapter(_Step), TypeAdapter(Entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """What a state of version 1 remembers."""

    head: Head
    runs: tuple[Run, ...]
    intents: Mapping[str, Intent]
    entries: Iterator[Entry]
    """One by one; a later one of the same uuid takes the place of an earlier one."""


def read(path: Path, body: bytes) -> Old:
    """All of it, `body` being what its `state.json` says. Raises `StateUnusable` for damage but a torn last line."""
    parts = dict(_parts(body.decode()))
    journal = path.with_name(str(parts.get("journal")))
    steps = [_read_step(journal, n, line) for n, line in enumerate(_lines(path, journal, zlib.crc32(body)), start=1)]
    try:
        first = _STEP.validate_python({name: parts[name] for name in ("head", "intents", "runs") if name in parts})
    except ValidationError as error:
        raise misfit(path, error, VERSION) from error
    head, runs, intents = first.head, {run.id: run for run in first.runs}, dict(first.intents)
    for step in steps:
        head = step.head or head
        runs |= {run.id: run for run in step.runs}
        intents = {id_: one for id_, one in (intents | dict(step.intents)).items() if id_ not in step.settled}
    if head is None:
        raise damaged(path, "is damaged: it has no head")
    return Old(head=head, runs=tuple(runs.values()), intents=intents, entries=_entries(path, parts["entries"], steps))


def _parts(text: str) -> Iterator[tuple[str, Any]]:
    """The keys of `state.json` and what they hold; of `entries` where they begin, so that not all are held at once."""
    yield "entries", (text, None)
    place = 0
    while text[place] != "}":
        name, place = _DECODER.raw_decode(text, place + 1)
        if name == "entries":
            yield name, (text, place + 1)
            for _, end in _members(text, place + 1):
                place = end
            place += 1
        else:
            value, place = _DECODER.raw_decode(text, place + 1)
            yield name, value


def _members(text: str, place: int | None) -> Iterator[tuple[Any, int]]:
    """Each value of the object that begins there, and where it ends; None: there is no such object."""
    while place is not None and text[place] != "}":
        _, place = _DECODER.raw_decode(text, place + 1)
        value, place = _DECODER.raw_decode(text, place + 1)
        yield value, place


def _entries(path: Path, begin: tuple[str, int | None], steps: list[_Step]) -> Iterator[Entry]:
    for value, _ in _members(*begin):
        try:
            yield _ENTRY.validate_python(value)
        except ValidationError as error:
            raise misfit(path, error, VERSION) from error
    for step in steps:
        yield from step.entries.values()


def _lines(path: Path, journal: Path, seed: int) -> Iterator[bytes]:
    """All whole lines of the journal, unsealed; of a torn last one nothing was acknowledged."""
    try:
        *lines, tail = read_file(journal, LIMIT).split(b"\n")
    except FileNotFoundError as error:
        raise damaged(path, f"its journal {journal.name} is missing") from error
    if lines and not tail and _HOLE in lines[-1]:
        tail = lines.pop()
    for number, line in enumerate(lines, start=1):
        body = unseal(line, seed)
        if body is None:
            raise damaged(journal, f"line {number} is damaged")
        seed = zlib.crc32(body, seed)
        yield body
    if unseal(tail[:-1], seed) is not None:
        raise damaged(journal, f"line {len(lines) + 1} is damaged")


def _read_step(journal: Path, number: int, body: bytes) -> _Step:
    try:
        return _STEP.validate_json(body)
    except ValidationError as error:
        raise misfit(f"{journal}: line {number}", error, VERSION) from error
