"""What a site says of its portal instead of the default rows, checked when the config is read."""

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
    """The table with these rows laid over it, each key for its own, `answer` entry by entry; and what is wrong.

    A problem is told by its place below `endpoints`: what is wrong with it, and the remedy in brackets.
    """
    problems: dict[str, str] = {}
    table = dict(TABLE)
    for name, row in rows.items():
        if name not in TABLE:
            problems[str(name)] = f"no such operation{_meant(str(name), [*TABLE])}"
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
            yield str(key), f"unknown key{_meant(str(key), [*KEYS])}"
    if row.get("method", "GET") not in METHODS:
        yield "method", f"is none of {', '.join(METHODS)} (write one of them)"
    path = row.get("path", operation.path)
    if not isinstance(path, str) or not re.fullmatch(r"[\w.{}-]+(/[\w.{}-]+)*", path) or ".." in path.split("/"):
        yield "path", "is not a path below /api/v1/ (write mashup/{media}, say, without a query)"
        return
    found = [*_map_problems("query", row.get("query", {})), *_answer_problems(operation, row.get("answer", {}))]
    yield from found or _name_problems(operation, row)


def _map_problems(key: str, texts: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(texts, Mapping) or not all(isinstance(one, str) for pair in texts.items() for one in pair):
        yield key, "is not a mapping of texts (write its keys below it, indented; values in quotes)"


def _answer_problems(operation: Operation, places: Any) -> Iterator[tuple[str, str]]:
    if found := [*_map_problems("answer", places)]:
        yield from found
        return
    for name, place in places.items():
        if name not in operation.answer:
            yield f"answer.{name}", f"unknown key{_meant(name, [*operation.answer])}"
        elif not _PLACE.fullmatch(place):
            yield f"answer.{name}", "is not a place in an answer (write data.users, . for the whole, '' for nowhere)"
        elif not place and name in operation.tells:
            yield f"answer.{name}", "is nowhere, and nothing works without it (write where it is)"


def _name_problems(operation: Operation, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    changed = _laid_over(operation, row)
    for text in (changed.path, *changed.query.values(), *texts(changed.body)):
        if odd := [one for one in re.findall(r"\{[^{}]*\}", text) if not PLACEHOLDER.fullmatch(one)]:
            yield "", f"{odd[0]} is no name (write it without spaces and signs)"
        elif re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", text)):
            yield "", f"{text} has a brace too few (write {{name}})"
    if not _is_json(changed.body):
        yield "body", "holds what JSON cannot (put dates and the like in quotes)"
    if isinstance(changed.body, str) and changed.body != operation.body and not PLACEHOLDER.search(changed.body):
        yield "body", "is a text without a {name} (write its keys below it, indented)"
    for name in sorted(changed.named() - operation.values):
        yield "", f"{{{name}}} is not known here{_meant(name, sorted(operation.values))}"
    for name in sorted(operation.required):
        if changed.named().isdisjoint(name.split("|")):
            yield "", f"{{{name.replace('|', '} or {')}}} does not occur (put it into path, query or body)"
    if operation.body == BYTES and changed.body != BYTES:
        yield "body", "is the file's own bytes (remove the key)"


def _is_json(body: Any) -> bool:
    try:
        json.dumps(body, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _meant(word: str, options: list[str]) -> str:
    close = get_close_matches(word, options, n=1)
    return f" (did you mean {close[0]}?)" if close else f" (write one of {', '.join(options)})" if options else ""
