"""Where an answer holds what, and what it means: elements of lists, several places, words for states, sums."""

from typing import Any

import pytest

from zoomsync.destinations.vidizmo.client import PortalResponse
from zoomsync.destinations.vidizmo.media import MediaItem, read_media
from zoomsync.destinations.vidizmo.overrides import override
from zoomsync.destinations.vidizmo.templates import picked, steps_of, without

SIZES = "content.*.contentDetails.contentFiles.*.size"
TEXTS = "is not a list of texts (write [Completed], a number and true in quotes)"


def content(status: Any = "Completed", sizes: tuple[Any, ...] = (7,), captions: Any = ()) -> dict[str, Any]:
    """An object contentInfo."""
    details = {"closedCaptions": [{"fileName": one, "culture": "en"} for one in captions]}
    details["contentFiles"] = [{"size": size} for size in sizes]
    return {"contentStatus": status, "contentDetails": details}


def read(document: dict[str, Any], **places: Any) -> MediaItem:
    """The media item in such an answer, at a portal with these places."""
    table, problems = override({"media_get": {"answer": places}})
    assert problems == {}
    row = table["media_get"]
    whole = {"id": 1, "status": "Published", **document}
    answer = PortalResponse(operation="media_get", places=row.answer, meanings=row.meanings, document=whole)
    return read_media(answer, "ZoomMeetingUUID")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("a.*.n", [1, 2]),
        ("a.1.n", 2),
        ("a.*.list", ["x", "y", "z"]),
        ("a.*.list.*.deep", None),
        ("a.*.b.*.c", [3, 4]),
        ("a.*.none", None),
        ("none.*.n", None),
        ("m.*", None),
        ("e.*", None),
        ("a.*.empty", []),
        ("none|m.k", 5),
        ("m.k|a.0.n", 5),
        ("none|other", None),
        ("a.*.none|m.k", 5),
    ],
)
def test_a_place_goes_into_lists_collects_over_them_and_has_others(place: str, expected: Any) -> None:
    first = {"n": 1, "list": ["x", "y"], "b": [{"c": 3}, {"c": 4}], "empty": []}
    document = {"a": [first, {"n": 2, "list": ["z"]}], "m": {"k": 5}, "e": []}

    assert picked(document, place) == expected


@pytest.mark.parametrize(
    ("place", "left"),
    [
        ("a", {"b": {"c": 1, "d": [2]}}),
        ("b.c", {"a": 0, "b": {"d": [2]}}),
        ("b.d.0.x", {"a": 0, "b": {"c": 1}}),
        ("b.d.*.x", {"a": 0, "b": {"c": 1}}),
        ("none.c", {"a": 0, "b": {"c": 1, "d": [2]}}),
        (".", {"a": 0, "b": {"c": 1, "d": [2]}}),
    ],
)
def test_what_changes_is_cut_out_with_the_list_that_it_is_in(place: str, left: Any) -> None:
    assert without({"a": 0, "b": {"c": 1, "d": [2]}}, steps_of(place)) == left


@pytest.mark.parametrize(
    ("document", "places", "processed", "is_gone"),
    [
        ({"isProcessed": True}, {}, True, False),
        ({"isProcessed": False}, {}, False, False),
        ({"isProcessed": None}, {}, None, False),
        ({}, {}, None, False),
        ({"content": [content()]}, {}, True, False),
        ({"content": [content("COMPLETED")], "isProcessed": False}, {}, True, False),
        ({"content": [content("SubmitForProcessing")]}, {}, False, False),
        ({"content": [content("Deleted")]}, {}, False, True),
        ({"content": [content("purged")]}, {}, False, True),
        ({"content": [content("whatever")]}, {}, False, False),
        ({"content": [content({"a": 1})]}, {}, None, False),
        ({"content": []}, {}, None, False),
        ({"content": []}, {"processed": "content.*.contentStatus"}, None, False),
        ({"content": [content(), content("Deleted")]}, {"processed": "content.*.contentStatus"}, False, False),
        ({"content": [content("Purged"), content("Deleted")]}, {"processed": "content.*.contentStatus"}, False, True),
        ({"content": [content(), content()]}, {"processed": "content.*.contentStatus"}, True, False),
        ({"state": "Ready"}, {"processed": {"at": "state", "is": ["ready"], "gone": []}}, True, False),
        ({"state": "Completed"}, {"processed": {"at": "state", "is": ["Ready"]}}, False, False),
        ({"state": "Weg"}, {"processed": {"at": "state", "gone": ["Weg"]}}, False, True),
        ({"state": 3}, {"processed": {"at": "state", "is": ["3"]}}, True, False),
        ({"isProcessed": True}, {"processed": ""}, None, False),
        ({"content": [{**content(), "isDeleted": True}]}, {}, True, True),
        ({"content": [{**content(), "isDeleted": False}]}, {}, True, False),
        ({"isProcessed": True, "bin": "true"}, {"deleted": "bin"}, True, True),
        ({"isProcessed": True, "in": [True, False]}, {"deleted": "in"}, True, False),
        ({"isProcessed": True, "in": {"a": 1}}, {"deleted": "in"}, True, False),
    ],
)
def test_whether_it_is_transcoded_or_gone_may_be_a_word(
    document: dict[str, Any], places: dict[str, Any], processed: bool | None, is_gone: bool
) -> None:
    media = read(document, **places)

    assert (media.processed, media.status == "Purged") == (processed, is_gone)


@pytest.mark.parametrize(
    ("sizes", "place", "expected"),
    [
        ((7, "5"), {"at": SIZES, "sum": True}, (12, True)),
        ((7,), {"at": SIZES, "sum": True}, (7, True)),
        ((7, None), {"at": SIZES, "sum": True}, (7, True)),
        ((7, "many"), {"at": SIZES, "sum": True}, (None, True)),
        ((), {"at": SIZES, "sum": True}, (None, True)),
        ((7, 5), "content.0.contentDetails.contentFiles.1.size", (5, False)),
        ((7, 5), {"at": "content.0.contentDetails.contentFiles.0.size"}, (7, False)),
    ],
)
def test_a_size_may_be_a_sum_which_is_known_as_such(sizes: Any, place: Any, expected: Any) -> None:
    media = read({"content": [content(sizes=sizes)]}, size=place)

    assert (media.size, media.is_sum) == expected


def test_captions_of_all_contents_are_those_of_the_media_item() -> None:
    media = read({"content": [content(captions=["a.vtt"]), content(captions=["b.vtt"])], "captions": []})

    assert media.captions == {"a.vtt": "en", "b.vtt": "en"}


def test_captions_that_lie_among_what_changes_count_for_how_it_looks() -> None:
    plain, renamed = (read({"content": [content(captions=["a.vtt"])], "title": one}) for one in ("A", "B"))
    captioned = read({"content": [content(captions=["a.vtt", "b.vtt"])], "title": "A"})
    transcoded = read({"content": [content("Other", sizes=(7, 3), captions=["a.vtt"])], "title": "A"})

    assert plain.look == transcoded.look
    assert len({plain.look, renamed.look, captioned.look}) == 3


@pytest.mark.parametrize(
    ("name", "place", "problems"),
    [
        ("processed", {"at": "a.0.b", "iss": ["x"]}, {"processed.iss": "unknown key (did you mean is?)"}),
        ("processed", {"is": "Completed"}, {"processed.is": TEXTS}),
        ("processed", {"is": [True]}, {"processed.is": TEXTS}),
        ("processed", {"gone": {"a": "b"}}, {"processed.gone": TEXTS}),
        (
            "processed",
            {"is": []},
            {"processed.is": "is empty: nothing would ever be transcoded (write [Completed])"},
        ),
        (
            "processed",
            {"is": ["Ready"], "gone": ["ready"]},
            {"processed.gone": "has ready, which the other list has too (keep it in one)"},
        ),
        (
            "processed",
            {"is": ["Purged"]},
            {"processed.is": "has purged, which the other list has too (keep it in one)"},
        ),
        ("processed", {"at": 7}, {"processed.at": "is not a text (write data.users in quotes)"}),
        (
            "processed",
            {"at": "a..b"},
            {"processed.at": "is not a place in an answer (write data.users, . for the whole, '' for nowhere)"},
        ),
        ("processed", ["a"], {"processed": "is not a text (write data.users in quotes, or at, is, gone below it)"}),
        ("processed", {"sum": True}, {"processed.sum": "unknown key (write one of at, is, gone)"}),
        ("size", 7, {"size": "is not a text (write data.users in quotes, or at, sum below it)"}),
        ("size", {"sum": "yes"}, {"size.sum": "is neither true nor false (write one of them)"}),
        (
            "size",
            SIZES,
            {"size": "collects many values with *, and is one (write a number for it: items.0.id, or sum: true)"},
        ),
        (
            "size",
            {"at": SIZES},
            {"size.at": "collects many values with *, and is one (write a number for it: items.0.id, or sum: true)"},
        ),
        (
            "version",
            "content.*.version",
            {"version": "collects many values with *, and is one (write a number for it: items.0.id)"},
        ),
        ("version", {"at": "v"}, {"version": "is not a text (write data.users in quotes)"}),
        (
            "captions",
            "a|",
            {"captions": "is not a place in an answer (write data.users, . for the whole, '' for nowhere)"},
        ),
        ("captions", {"at": "x"}, {"captions": "is not a text (write data.users in quotes)"}),
    ],
)
def test_what_is_wrong_with_a_place_is_reported_with_its_remedy(
    name: str, place: Any, problems: dict[str, str]
) -> None:
    expected = {f"media_get.answer.{key}": problem for key, problem in problems.items()}

    assert override({"media_get": {"answer": {name: place}}})[1] == expected


def test_what_a_form_leaves_out_stays_as_it_is() -> None:
    row = override({"media_get": {"answer": {"processed": {"gone": ["Weg"]}}}})[0]["media_get"]

    assert (row.answer["processed"], row.meanings["processed"].yes) == (
        "content.0.contentStatus|isProcessed",
        ("Completed", "true"),
    )
