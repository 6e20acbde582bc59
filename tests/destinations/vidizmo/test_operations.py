"""The table of operations: filled with values, read from answers, overridden by a site."""

from typing import Any

import pytest
import yaml

from zoomsync.destinations.vidizmo.operations import TABLE
from zoomsync.destinations.vidizmo.overrides import override
from zoomsync.destinations.vidizmo.templates import PLACEHOLDER, Operation, fill, picked

PLACES = "write data.users, . for the whole, '' for nowhere"
CONFIRMED = {"sign_in", "upload_start", "media_search", "attribute_create"}


def a_row(**changes: Any) -> Operation:
    plain: dict[str, Any] = {"method": "POST", "path": "thing/{id}"}
    return Operation(**{**plain, **changes})


def test_what_the_vendor_tells_of_is_marked() -> None:
    assert {name for name, row in TABLE.items() if row.confirmed} == CONFIRMED


def test_what_asking_twice_would_do_twice_is_marked() -> None:
    assert {name for name, row in TABLE.items() if not row.repeatable} == {
        "user_create",
        "user_invite",
        "media_create",
        "caption_add",
        "handout_add",
        "attribute_create",
    }


def test_values_are_put_in_their_places() -> None:
    row = a_row(
        query={"parts": "{parts}", "v": "1"}, body={"size": "{size}", "name": "a {id}", "deep": [{"id": "{id}"}]}
    )

    path, query, document = fill(row, {"id": "a/b c", "parts": ["One", "Two"], "size": 0})

    assert path == "thing/a%2Fb%20c"
    assert query == {"parts": "One,Two", "v": "1"}
    assert document == {"size": 0, "name": "a a/b c", "deep": [{"id": "a/b c"}]}


def test_what_is_not_there_is_left_out_and_what_is_empty_by_that() -> None:
    row = a_row(query={"q": "{none}"}, body={"author": {"id": "{none}"}, "tags": [{"name": "{tags}"}], "is": True})

    _, query, document = fill(row, {"id": 1, "none": None, "tags": []})

    assert (query, document) == ({}, {"is": True})


def test_a_list_is_repeated_for_the_entries_of_what_it_names() -> None:
    row = a_row(body=[{"fieldName": "{names}", "value": "{values}", "of": "{id}"}])

    _, _, document = fill(row, {"id": 7, "names": ["a", "b"], "values": ["1", "2"]})

    assert document == [
        {"fieldName": "a", "value": "1", "of": 7},
        {"fieldName": "b", "value": "2", "of": 7},
    ]


@pytest.mark.parametrize("body", [None, "{bytes}"])
def test_without_a_document_none_is_sent(body: Any) -> None:
    _, _, document = fill(a_row(body=body), {"id": 1, "bytes": b"x"})

    assert document is None


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (".", {"data": {"items": [{"id": 7}]}, "n": 0}),
        ("", None),
        ("n", 0),
        ("data.items", [{"id": 7}]),
        ("data.items.0.id", 7),
        ("data.items.1.id", None),
        ("data.items.id", None),
        ("data.other", None),
        ("n.x", None),
    ],
)
def test_a_place_in_an_answer(place: str, expected: Any) -> None:
    assert picked({"data": {"items": [{"id": 7}]}, "n": 0}, place) == expected


def test_each_key_of_a_row_is_overridden_for_itself() -> None:
    table, problems = override(
        {
            "media_get": {"path": "media/{media}", "answer": {"size": "file.bytes", "processed": ""}},
            "media_search": {"method": "GET", "query": {"q": "{keyword}", "in": "{statuses}"}, "body": {}},
        }
    )

    assert problems == {}
    assert (table["media_get"].method, table["media_get"].path) == ("GET", "media/{media}")
    assert {name: table["media_get"].answer[name] for name in ("id", "size", "processed")} == {
        "id": "id",
        "size": "file.bytes",
        "processed": "",
    }
    _, _, document = fill(table["media_search"], {"keyword": "x", "statuses": ["Drafted"]})
    assert document is None
    assert not table["media_search"].confirmed
    assert table["sign_in"] is TABLE["sign_in"]


@pytest.mark.parametrize(
    ("rows", "problems"),
    [
        ({"media_gett": {}}, {"media_gett": "no such operation (did you mean media_get?)"}),
        ({"media_get": "GET x"}, {"media_get": "is not a mapping (write its keys below it, indented)"}),
        ({"media_get": {"pth": "x"}}, {"media_get.pth": "unknown key (did you mean path?)"}),
        (
            {"media_get": {"method": "get"}},
            {"media_get.method": "is none of GET, POST, PUT, PATCH (write one of them)"},
        ),
        (
            {"media_get": {"path": "https://elsewhere/{media}"}},
            {"media_get.path": "is not a path below /api/v1/ (write mashup/{media}, say, without a query)"},
        ),
        (
            {"media_get": {"path": "../{media}"}},
            {"media_get.path": "is not a path below /api/v1/ (write mashup/{media}, say, without a query)"},
        ),
        ({"media_get": {"path": "mashup"}}, {"media_get": "{media} does not occur (put it into path, query or body)"}),
        (
            {"media_search": {"body": {"keyword": "{keyword}"}}},
            {"media_search": "{statuses} does not occur (put it into path, query or body)"},
        ),
        (
            {"upload_block": {"query": {"comp": "block"}}},
            {"upload_block": "{block_id} or {block_number} does not occur (put it into path, query or body)"},
        ),
        (
            {"media_get": {"path": "mashup/{media}/{medium}"}},
            {"media_get": "{medium} is not known here (did you mean media?)"},
        ),
        (
            {"media_get": {"query": {"a": 1}}},
            {"media_get.query": "is not a mapping of texts (write its keys below it, indented; values in quotes)"},
        ),
        (
            {"media_get": {"answer": {"szie": "x"}}},
            {"media_get.answer.szie": "unknown key (did you mean size?)"},
        ),
        (
            {"media_get": {"answer": {"size": "a..b"}}},
            {"media_get.answer.size": f"is not a place in an answer ({PLACES})"},
        ),
        (
            {"upload_block": {"body": {"data": "{block_id}"}}},
            {"upload_block.body": "is the file's own bytes (remove the key)"},
        ),
        (
            {"a": {}, "media_get": {"method": 7}},
            {
                "a": f"no such operation (write one of {', '.join(TABLE)})",
                "media_get.method": "is none of GET, POST, PUT, PATCH (write one of them)",
            },
        ),
    ],
)
def test_what_is_wrong_with_a_row_is_reported_with_its_place_and_its_remedy(
    rows: dict[str, Any], problems: dict[str, str]
) -> None:
    assert override(rows)[1] == problems


@pytest.mark.parametrize("name", TABLE)
def test_a_row_repeated_as_it_is_changes_nothing(name: str) -> None:
    row = TABLE[name]
    written = {"method": row.method, "path": row.path, "query": dict(row.query), "answer": dict(row.answer)}
    if row.body is not None:
        written["body"] = row.body

    table, problems = override({name: written})

    assert problems == {}
    assert table[name] == Operation(**{**_fields(row), "confirmed": False})


def _fields(row: Operation) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Operation.__dataclass_fields__}


@pytest.mark.parametrize(
    ("name", "needed"), [(name, one) for name, row in TABLE.items() for one in sorted(row.required)]
)
def test_what_a_row_needs_cannot_be_left_out(name: str, needed: str) -> None:
    """Else what is published under it could not be found again, or would be somebody else's."""
    row = TABLE[name]
    one, *others = needed.split("|")

    def cut(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace(f"{{{one}}}", "x")
        if isinstance(value, dict):
            return {key: cut(each) for key, each in value.items()}
        return [cut(each) for each in value] if isinstance(value, list) else value

    _, problems = override({name: {"path": cut(row.path), "query": cut(dict(row.query)), "body": cut(row.body)}})

    wanted = " or ".join(f"{{{each}}}" for each in [one, *others])
    assert problems[name] == f"{wanted} does not occur (put it into path, query or body)"


def test_every_row_that_names_what_is_made_or_looked_for_needs_it() -> None:
    needs = {name: row.required - set(PLACEHOLDER.findall(row.path)) for name, row in TABLE.items()}

    assert {name: needed for name, needed in needs.items() if needed} == {
        "sign_in": {"email"},
        "user_find": {"email"},
        "user_create": {"email"},
        "upload_block": {"block_id|block_number"},
        "media_create": {"title", "status", "author", "file_guid", "attribute_names", "attribute_values"},
        "media_update": {"attribute_names", "attribute_values"},
        "media_search": {"keyword", "statuses"},
        "caption_add": {"file_guid"},
        "handout_add": {"file_guid"},
        "attribute_create": {"field"},
    }


@pytest.mark.parametrize(
    "value", ["2026-01-01", "2026-01-01 10:00:00", ".nan", ".inf", "!!binary aGVsbG8=", "!!set {a}"]
)
def test_a_body_holds_what_json_can(value: str) -> None:
    row = yaml.safe_load(f'body: {{emailAddress: "{{email}}", deep: [{{from: {value}}}]}}')

    assert override({"user_create": row})[1] == {
        "user_create.body": "holds what JSON cannot (put dates and the like in quotes)"
    }


@pytest.mark.parametrize(
    ("rows", "place", "problem"),
    [
        (
            {"user_find": {"body": {"keyword": "{email", "more": "{email}"}}},
            "user_find",
            "{email has a brace too few (write {name})",
        ),
        (
            {"group_list": {"query": {"name": "x}"}}},
            "group_list",
            "x} has a brace too few (write {name})",
        ),
        (
            {"group_list": {"body": "not json"}},
            "group_list.body",
            "is a text without a {name} (write its keys below it, indented)",
        ),
    ],
)
def test_a_body_that_is_no_mapping_and_braces_that_do_not_close_are_reported(
    rows: dict[str, Any], place: str, problem: str
) -> None:
    assert override(rows)[1] == {place: problem}


@pytest.mark.parametrize("odd", ["{ first_name }", "{last-name}", "{}", "{first name}"])
def test_braces_that_hold_no_name_are_reported_wherever_they_are(odd: str) -> None:
    """Else they would be sent as they are."""
    body = {"emailAddress": "{email}", "names": [{"first": f"Dr. {odd}"}]}

    problems = [
        override({"user_create": {"body": body}})[1],
        override({"user_create": {"query": {"name": odd}}})[1],
    ]

    assert problems == [{"user_create": f"{odd} is no name (write it without spaces and signs)"}] * 2


def test_the_places_without_which_nothing_works_are_known() -> None:
    assert {name: row.required_places for name, row in TABLE.items() if row.required_places} == {
        "sign_in": {"token"},
        "user_find": {"found", "id", "email"},
        "user_create": {"id"},
        "group_list": {"found", "id", "name"},
        "media_create": {"id"},
        "media_get": {"id", "status"},
        "media_search": {"found", "id"},
        "category_list": {"found", "id", "name"},
        "attribute_list": {"found", "name"},
    }


@pytest.mark.parametrize(("name", "place"), [(name, place) for name, row in TABLE.items() for place in row.answer])
def test_a_place_may_be_nowhere_unless_nothing_works_without_it(name: str, place: str) -> None:
    nowhere = {f"{name}.answer.{place}": "is nowhere, and nothing works without it (write where it is)"}

    assert override({name: {"answer": {place: ""}}})[1] == (nowhere if place in TABLE[name].required_places else {})
