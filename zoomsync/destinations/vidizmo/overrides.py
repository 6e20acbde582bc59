"""The rows that a site writes in its config in place of the default ones, checked when the config is read."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from zoomsync.destinations.vidizmo.operations import TABLE
from zoomsync.destinations.vidizmo.templates import BYTES, EACH, PLACEHOLDER, Meaning, Operation, texts

KEYS = ("method", "path", "query", "body", "answer")
TEXTS = "is not a mapping of texts (write its keys below it, indented; values in quotes)"
METHODS = ("GET", "POST", "PUT", "PATCH")
FORMS = {"processed": ("at", "is", "gone"), "size": ("at", "sum")}
"""Keys below those places of an answer that can be more than a text."""
_LISTS = ("found", "groups", "blocks", "attributes", "captions", "handouts", "processed", "deleted")
"""What may be collected from each element of a list."""
_STEPS = r"(\.|(\w+|\*)(\.(\w+|\*))*)"
_PLACE = re.compile(rf"({_STEPS}(\|{_STEPS})*)?")


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
    answer, meanings = dict(operation.answer), dict(operation.meanings)
    for name, place in changes.pop("answer", {}).items():
        if isinstance(place, str):
            answer[name] = place
            continue
        answer[name], known = place.get("at", answer[name]), meanings[name]
        yes, gone = tuple(place.get("is", known.yes)), tuple(place.get("gone", known.gone))
        meanings[name] = Meaning(yes=yes, gone=gone, is_sum=place.get("sum", known.is_sum))
    return replace(operation, confirmed=False, answer=answer, meanings=meanings, **changes)


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
    problems = [(key, TEXTS) for key in ("query", "answer") if not _is_mapping(row.get(key, {}))]
    if not problems and not all(isinstance(one, str) for one in row.get("query", {}).values()):
        problems.append(("query", TEXTS))
    if not problems:
        problems = [(f"answer.{key}", one) for key, one in _answer_problems(operation, row.get("answer", {}))]
    yield from problems or _name_problems(operation, _laid_over(operation, row))


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(one, str) for one in value)


def _answer_problems(operation: Operation, answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, place in answer.items():
        if name not in operation.answer:
            yield name, f"unknown key{_perhaps(name, [*operation.answer])}"
        elif isinstance(place, str):
            yield from ((name, one) for one in _place_problems(operation, name, place))
        elif name in operation.meanings and _is_mapping(place):
            yield from ((f"{name}.{key}" if key else name, one) for key, one in _form_problems(operation, name, place))
        else:
            also = f", or {', '.join(FORMS[name])} below it" if name in operation.meanings else ""
            yield name, f"is not a text (write data.users in quotes{also})"


def _place_problems(operation: Operation, name: str, place: str, *, is_sum: bool = False) -> Iterator[str]:
    if not _PLACE.fullmatch(place):
        yield "is not a place in an answer (write data.users, . for the whole, '' for nowhere)"
    elif not place and name in operation.required_places:
        yield "is nowhere, and nothing works without it (write where it is)"
    elif EACH in place and name not in _LISTS and not is_sum:
        sums = ", or sum: true" if name in operation.meanings else ""
        yield f"collects many values with {EACH}, and is one (write a number for it: items.0.id{sums})"


def _form_problems(operation: Operation, name: str, form: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a place that is written with its meaning."""
    for key in form:
        if key not in FORMS[name]:
            yield key, f"unknown key{_perhaps(key, [*FORMS[name]])}"
    place, is_sum = form.get("at", operation.answer[name]), form.get("sum", False)
    if not isinstance(place, str):
        yield "at", "is not a text (write data.users in quotes)"
    elif isinstance(is_sum, bool):
        yield from (("at", one) for one in _place_problems(operation, name, place, is_sum=is_sum))
    else:
        yield "sum", "is neither true nor false (write one of them)"
    known = operation.meanings[name]
    words = {"is": form.get("is", [*known.yes]), "gone": form.get("gone", [*known.gone])}
    wrong = [key for key, value in words.items() if not _is_list_of_texts(value)]
    for key in wrong:
        yield key, "is not a list of texts (write [Completed], a number and true in quotes)"
    if "is" in form and form["is"] == []:
        yield "is", "is empty: nothing would ever be transcoded (write [Completed])"
    elif not wrong and (both := {one.casefold() for one in words["is"]} & {one.casefold() for one in words["gone"]}):
        yield "gone" if "gone" in form else "is", f"has {min(both)}, which the other list has too (keep it in one)"


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


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
