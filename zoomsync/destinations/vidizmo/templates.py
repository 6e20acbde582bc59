"""One operation of a portal: what is sent, and where its answer has what is wanted."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

PLACEHOLDER = re.compile(r"\{(\w+)\}")
BYTES = "{bytes}"
"""A body that is this alone is sent as it is, not as JSON."""


EACH = "*"
"""In a place: each element of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What the value at a place of an answer stands for."""

    yes: tuple[str, ...] = ()
    """Texts that mean yes, in whatever case."""
    gone: tuple[str, ...] = ()
    """Texts that mean that it was deleted."""
    is_sum: bool = False
    """Whether the numbers that are there are added up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A row of the table. Its texts may contain `{name}` for a value that zoomsync knows."""

    method: str
    path: str
    """Below `https://{portal}/api/v1/`."""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    """JSON with placeholders; None: no body."""
    answer: Mapping[str, str] = field(default_factory=dict)
    """What is wanted, and its place in the answer, see `picked`; empty: the portal does not say it.

    In a list, `found` is the place of the list, and the other places are within each of its elements.
    """
    meanings: Mapping[str, Meaning] = field(default_factory=dict)
    """What is said there in more than one way."""
    values: frozenset[str] = frozenset()
    """Names that the row may use."""
    required: frozenset[str] = frozenset()
    """Those that it must use, or what is published is not found again; `a|b`: one of these."""
    required_places: frozenset[str] = frozenset()
    """Places that must not be empty: nothing works without what is there."""
    confirmed: bool = False
    """Whether the vendor's public pages document it."""
    writes: bool = True
    """Whether it changes anything at the portal."""
    repeatable: bool = True
    """Whether asking twice does no more than asking once."""

    @property
    def names(self) -> frozenset[str]:
        """The names that it uses."""
        return frozenset(PLACEHOLDER.findall(" ".join(texts([self.path, self.query, self.body]))))


def fill(operation: Operation, values: Mapping[str, Any]) -> tuple[str, dict[str, str], Any]:
    """The path, the query and the JSON (None: none) that are sent: the row with these values in their places.

    If a value is None, its key is left out, and so is what becomes empty by that. A list with one element is repeated
    for each entry of the lists that it names.
    """
    path = PLACEHOLDER.sub(lambda match: quote(str(values[match[1]]), safe=""), operation.path)
    query = {}
    for name, template in operation.query.items():
        value = _filled(template, values)
        if value is not None:
            query[name] = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return path, query, None if operation.body in (None, BYTES) else _filled(operation.body, values)


def picked(document: Any, place: str) -> Any:
    """What is at a dotted place of an answer (`.` is the whole), or at the first of `a|b`; None: it is not there.

    A number is an element of a list. What is at `*` in each element comes as one list; None: no element has it.
    """
    found = (_at(document, steps_of(one)) for one in place.split("|") if one)
    return next((one for one in found if one is not None), None)


def steps_of(place: str) -> list[str]:
    """The steps of one dotted place."""
    return [] if place == "." else place.split(".")


def without(document: Any, steps: Sequence[str]) -> Any:
    """A document but for what is at these steps, or for the whole list that one of them goes into."""
    if not isinstance(document, Mapping) or not steps or steps[0] not in document:
        return document
    name, *rest = steps
    others = {key: value for key, value in document.items() if key != name}
    goes_deeper = rest and isinstance(document[name], Mapping)
    return {**others, name: without(document[name], rest)} if goes_deeper else others


def texts(template: Any) -> Iterator[str]:
    """Every text in a body, however deep."""
    if isinstance(template, str):
        yield template
    elif isinstance(template, Mapping | list | tuple):
        for one in template.values() if isinstance(template, Mapping) else template:
            yield from texts(one)


def _at(document: Any, steps: Sequence[str]) -> Any:
    for number, name in enumerate(steps):
        if isinstance(document, Mapping):
            document = document.get(name)
        elif isinstance(document, list) and name == EACH:
            found = (_at(one, steps[number + 1 :]) for one in document)
            lists = [one if isinstance(one, list) else [one] for one in found if one is not None]
            return [each for one in lists for each in one] if lists else None
        elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document


def _filled(template: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(template, str):
        whole = PLACEHOLDER.fullmatch(template)
        return values.get(whole[1]) if whole else PLACEHOLDER.sub(lambda match: str(values[match[1]]), template)
    if isinstance(template, Mapping):
        known = {name: _filled(one, values) for name, one in template.items()}
        return {name: one for name, one in known.items() if one is not None} or None
    if isinstance(template, list | tuple):
        return _filled_list(template, values)
    return template


def _filled_list(template: list[Any] | tuple[Any, ...], values: Mapping[str, Any]) -> list[Any] | None:
    names = sorted({*PLACEHOLDER.findall(" ".join(texts(template)))})
    lists = {name: values[name] for name in names if isinstance(values.get(name), list | tuple)}
    if len(template) != 1 or not lists:
        return [one for each in template if (one := _filled(each, values)) is not None] or None
    rounds = zip(*lists.values(), strict=True)
    return [_filled(template[0], {**values, **dict(zip(lists, one, strict=True))}) for one in rounds] or None
