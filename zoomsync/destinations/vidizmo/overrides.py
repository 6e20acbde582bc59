"""The rows that a site writes in its config in place of the default ones, checked when the config is read."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from zoomsync.destinations.vidizmo.operations import TABLE
from zoomsync.destinations.vidizmo.templates import BYTES, PLACEHOLDER, Operation, texts

KEYS = ("method", "path", "query", "body", "answer")
METHODS = ("GET", "POST", "PUT", "PATCH")
_PLACE = re.compile(r"\.|(\w+(\.\w+)*)?")


def override(rows: Mapping[str, Any]) -> tuple[Mapping[str, Operation], dict[str, str]]:
    """The table with these rows laid over it, each key by itself, `answer` entry by entry; and what is wrong with them.

    A problem has its place below `endpoints` as its key, and says what is wrong there, with the remedy in brackets.
    """
    problems: dict[str, str] = {}
    table = dict(TABLE)
    for name, row in rows.items():
        if name not in TABLE:
            problems[str(name)] = f"no such operation{_perhaps(str(name), [*TABLE])}"
        elif not isinstance(row, Mapping):
            problems[name] = "is not a mapping (write its keys below it, indented)"
        else:
            found = dict(_problems(TABLE[name], row))
            problems |= {f"{name}.{key}" if key else name: problem for key, problem in found.items()}
            table[name] = TABLE[name] if found else _laid_over(TABLE[name], row)
    return table, problems


def _laid_over(operation: Operation, row: Mapping[str, Any]) -> Operation:
    changes = {key: row[key] for key in KEYS if key in row}
    if "answer" in changes:
        changes["answer"] = {**operation.answer, **changes["answer"]}
    return replace(operation, confirmed=False, **changes)


def _problems(operation: Operation, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in row:
        if key not in KEYS:
            yield str(key), f"unknown key{_perhaps(str(key), [*KEYS])}"
    if row.get("method", "GET") not in METHODS:
        yield "method", f"is none of {', '.join(METHODS)} (write one of them)"
    path = row.get("path", operation.path)
    if not isinstance(path, str) or not re.fullmatch(r"[\w.{}-]+(/[\w.{}-]+)*", path) or ".." in path.split("/"):
        yield "path", "is not a path below /api/v1/ (write mashup/{media}, say, without a query)"
        return
    no_texts = [key for key in ("query", "answer") if not _is_mapping_of_texts(row.get(key, {}))]
    for key in no_texts:
        yield key, "is not a mapping of texts (write its keys below it, indented; values in quotes)"
    places = {} if "answer" in no_texts else row.get("answer", {})
    in_answer = [*_place_problems(operation, places)]
    yield from in_answer
    if not no_texts and not in_answer:
        yield from _name_problems(operation, _laid_over(operation, row))


def _is_mapping_of_texts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(one, str) for pair in value.items() for one in pair)


def _place_problems(operation: Operation, places: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, place in places.items():
        if name not in operation.answer:
            yield f"answer.{name}", f"unknown key{_perhaps(name, [*operation.answer])}"
        elif not _PLACE.fullmatch(place):
            yield f"answer.{name}", "is not a place in an answer (write data.users, . for the whole, '' for nowhere)"
        elif not place and name in operation.required_places:
            yield f"answer.{name}", "is nowhere, and nothing works without it (write where it is)"


def _name_problems(operation: Operation, changed: Operation) -> Iterator[tuple[str, str]]:
    """What is wrong with the braces and the body; whether the names are known, and those used that must be."""
    for text in texts([changed.path, changed.query, changed.body]):
        if odd := [one for one in re.findall(r"\{[^{}]*\}", text) if not PLACEHOLDER.fullmatch(one)]:
            yield "", f"{odd[0]} is no name (write it without spaces and signs)"
        elif re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", text)):
            yield "", f"{text} has a brace too few (write {{name}})"
    try:
        json.dumps(changed.body, allow_nan=False)
    except (TypeError, ValueError):
        yield "body", "holds what JSON cannot (put dates and the like in quotes)"
    if isinstance(changed.body, str) and changed.body != operation.body and not PLACEHOLDER.search(changed.body):
        yield "body", "is a text without a {name} (write its keys below it, indented)"
    for name in sorted(changed.names - operation.values):
        yield "", f"{{{name}}} is not known here{_perhaps(name, sorted(operation.values))}"
    for name in sorted(operation.required):
        if changed.names.isdisjoint(name.split("|")):
            yield "", f"{{{name.replace('|', '} or {')}}} does not occur (put it into path, query or body)"
    if operation.body == BYTES and changed.body != BYTES:
        yield "body", "is the file's own bytes (remove the key)"


def _perhaps(word: str, options: list[str]) -> str:
    close = get_close_matches(word, options, n=1)
    return f" (did you mean {close[0]}?)" if close else f" (write one of {', '.join(options)})" if options else ""
