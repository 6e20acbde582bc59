"""Builders for the tests of the state, and any value of the model."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from tests.fakes import NOW, a_meeting, a_receipt, an_entry
from zoomsync.model import Entry, Gap, Intent, Phase, Process, Role, Run
from zoomsync.state import Head, State

ID = "0123456789abcdef" * 2
PLAIN: dict[type, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    int: st.integers(min_value=0, max_value=2**63 - 1),
    float: st.floats(min_value=0, allow_infinity=False),
    bool: st.booleans(),
    datetime: st.datetimes(min_value=datetime(1990, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # hypothesis wants the bound without zone
    NoneType: st.none(),
    Role: st.text(max_size=8).map(Role.parse),
}


def any_value(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type of the model, built from its annotations."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return st.one_of([any_value(part) for part in parts])
    if origin is tuple:
        return st.lists(any_value(parts[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(any_value(parts[0]), any_value(parts[1]), max_size=2)
    if isinstance(kind, type) and is_dataclass(kind) and kind not in PLAIN:
        hints = get_type_hints(kind)
        return st.builds(kind, **{one.name: any_value(hints[one.name]) for one in fields(kind)})
    return st.sampled_from(kind) if issubclass(kind, StrEnum) else PLAIN[kind]


def reachable(kind: Any) -> set[Any]:
    """Every type that a value of this type can hold."""
    inner = get_type_hints(kind).values() if is_dataclass(kind) else get_args(kind)
    return {kind}.union(*(reachable(part) for part in inner))


def a_published_entry(uuid: str = "/abc//DEF+ghi==", **changes: Any) -> Entry:
    """An entry with a receipt."""
    meeting = a_meeting(uuid=uuid)
    receipt = a_receipt(meeting)
    return an_entry(meeting, phase=Phase.PUBLISHED, receipt=receipt, stored_at=NOW, **changes)


def an_intent(number: int = 1, **changes: Any) -> Intent:
    """A deletion about to be called."""
    plain = Intent(id=f"{number:032x}", at=NOW, action="delete", uuid="/abc//DEF+ghi==", target="file-video")
    return replace(plain, **changes)


def a_run(number: int = 1, **changes: Any) -> Run:
    """A pass that has just begun."""
    process = Process(pid=4711, host="recorder", started="123")
    return replace(Run(id=f"{number:08x}", number=number, started_at=NOW, process=process), **changes)


Contents = tuple[Head, dict[str, Entry], dict[str, Intent], tuple[Run, ...]]


def contents(state: State | None) -> Contents:
    """All that a state remembers."""
    assert state is not None
    return state.head, {one.uuid: one for one in state.entries.everything()}, dict(state.intents), state.runs


def stored(path: Path) -> Contents:
    """All that is on disk."""
    return contents(State.read(path))


@contextmanager
def opened(path: Path) -> Iterator[State]:
    """The state, to write."""
    with State.open(path, new_id=ID) as state:
        yield state


def a_history(state: State) -> Iterator[Contents]:
    """A few steps of every kind; yields the contents after each."""
    yield contents(state)
    state.record(a_run(1))
    yield contents(state)
    state.put(an_entry(), a_published_entry("other=="))
    yield contents(state)
    state.update(pass_number=1, since=NOW)
    yield contents(state)
    state.begin(an_intent(1))
    yield contents(state)
    state.settle(an_intent(1).id, a_published_entry(reason="a topic – with “quotes”\n and 🎈"))
    yield contents(state)
    state.update(gaps=(Gap(since=NOW, until=NOW, user="u@example.org"),), listed_till=NOW)
    yield contents(state)
    state.record(a_run(1, ended_at=NOW, code=0))
    yield contents(state)
