"""A list in pages is whole, or its chain of pages is given up."""

from collections.abc import Iterable

import pytest

from zoomsync.zoom import paging
from zoomsync.zoom.paging import EMPTY_PAGES, Chain, lack, names
from zoomsync.zoom.parse import Page


def a_page(*uuids: str, token: str = "", total: int | None = None) -> Page:
    entries = tuple({"uuid": uuid} for uuid in uuids)
    return Page(entries=entries, next_token=token, total=total, since="", until="")


def end_of(pages: Iterable[Page]) -> tuple[int, str]:
    """After how many pages the chain is given up, and why."""
    chain = Chain(["uuid"])
    for number, page in enumerate(pages, 1):
        if reason := chain.add(page):
            return number, reason
    return 0, ""


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([a_page("a", token="1"), a_page("b", token="2"), a_page("c", token="3")], (0, "")),
        ([a_page("a", token="1"), a_page("b", token="1")], (2, "a page token repeats")),
        ([a_page("a", token="1"), a_page("a", token="2")], (2, "a page brings nothing new")),
        ([a_page("a", "b", token="1"), a_page("b", "c", token="2")], (0, "")),
        ([a_page("a", token="1"), a_page(token="2"), a_page("b", token="3")], (0, "")),
        ([a_page(token=str(number)) for number in range(9)], (EMPTY_PAGES + 1, "a page brings nothing new")),
        (
            [a_page(str(number), token=f"t{number}", total=3) for number in range(9)],
            (5, "more comes than the 3 that Zoom counts"),
        ),
        ([a_page(str(number), token=f"t{number}", total=0) for number in range(9)], (0, "")),
        ([a_page(str(number), token=f"t{number}", total=number + 1) for number in range(9)], (0, "")),
    ],
    ids=["usual", "token", "nothing new", "slid", "an empty page", "only empty", "too many", "not counted", "growing"],
)
def test_a_chain_of_pages_goes_on_as_long_as_it_leads_somewhere(pages: list[Page], expected: tuple[int, str]) -> None:
    assert end_of(pages) == expected


def test_a_list_that_zoom_does_not_count_ends_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_PAGES", 7)

    assert end_of(a_page(str(number), token=f"t{number}") for number in range(99)) == (7, "more than 7 pages come")


def test_a_description_that_changes_is_no_new_entry() -> None:
    first = Page(entries=({"uuid": "a", "size": 1},), next_token="1", total=None, since="", until="")
    again = Page(entries=({"uuid": "a", "size": 2},), next_token="2", total=None, since="", until="")

    assert end_of([first, again]) == (2, "a page brings nothing new")


def test_an_entry_is_named_by_the_first_key_that_it_has_or_by_its_place() -> None:
    page = Page(
        entries=({"id": "1", "email": "a@b"}, {"email": "c@d"}, {"x": 1}), next_token="", total=None, since="", until=""
    )

    assert names([page], ["id", "email"]) == ["1", "c@d", "2: {'x': 1}"]


@pytest.mark.parametrize(
    ("pages", "before", "expected"),
    [
        ([a_page("a", "b", total=2)], [], (0, 2)),
        ([a_page("a", "b", total=3)], [], (1, 3)),
        ([a_page("a", "b")], [], (-2, 0)),
        ([a_page("", "", total=2)], [], (0, 2)),
        ([a_page("a", total=2), a_page("b", total=3)], [], (1, 3)),
        ([a_page("a", "a", total=2)], [], (1, 2)),
        ([a_page("a", "a", total=2)], [a_page("a", "a", total=2)], (0, 2)),
        ([a_page("a", "a", "b", total=3)], [a_page("a", "b", "b", total=3)], (1, 3)),
    ],
)
def test_what_is_lacking_is_counted(pages: list[Page], before: list[Page], expected: tuple[int, int]) -> None:
    assert lack(pages, ["uuid"], before) == expected
