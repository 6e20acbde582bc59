"""In which order the library makes its steps durable: each flush that is left out, or comes too late, shows here."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import VIDEO, a_staged, an_item, with_files
from tests.destinations.library.test_destination import a_library, publish, rebuilt
from tests.fakes import a_meeting
from zoomsync.destinations.library.destination import LibraryDestination


@pytest.fixture
def library(tmp_path: Path) -> LibraryDestination:
    return a_library(tmp_path / "library")


@pytest.fixture
def steps(library: LibraryDestination, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every call that changes names, writes or flushes, as it comes: `rename A -> B`, `fsync A`, below the library."""
    noted: list[str] = []
    places = {1: "published", 2: "AUTHOR", 3: "YEAR"}

    def name(what: Any) -> str:
        path = Path(f"/proc/self/fd/{what}").readlink() if isinstance(what, int) else Path(what)
        known = path.relative_to(library.path) if path.is_relative_to(library.path) else Path("staging")
        parts = list(known.parts)
        if "changes" in parts:
            at = parts.index("changes") + 1
            parts = ["CHANGE", *parts[at + 1 :]] if len(parts) > at else ["CHANGES"]
        if parts[:1] == ["published"]:
            parts = [places.get(len(parts), "ITEM"), *parts[4:]]
        return "/".join(parts) or "."

    def noting(call: str, real: Callable[..., Any], names: int) -> Callable[..., Any]:
        def noted_call(*given: Any, **options: Any) -> Any:
            noted.append(" ".join([call, " -> ".join(map(name, given[:names]))]))
            return real(*given, **options)

        return noted_call

    for call, names in {"write": 1, "fsync": 1, "replace": 2, "rename": 2, "unlink": 1, "mkdir": 1, "rmdir": 1}.items():
        monkeypatch.setattr(os, call, noting(call, getattr(os, call), names))
    return noted


MARKER = [
    "unlink .zoomsync/.library.json.new",
    "write .zoomsync/.library.json.new",
    "fsync .zoomsync/.library.json.new",
    "replace .zoomsync/.library.json.new -> .zoomsync/library.json",
    "fsync .zoomsync",
]
"""This pass changes the library: known before the first change."""
WHOLE = [
    "unlink CHANGE/.change.json.new",
    "write CHANGE/.change.json.new",
    "fsync CHANGE/.change.json.new",
    "replace CHANGE/.change.json.new -> CHANGE/change.json",
    "fsync CHANGE",
]
"""The change is declared whole, after all that belongs to it is durable."""
DESCRIBED = [
    "unlink CHANGE/files/.recording.json.new",
    "write CHANGE/files/.recording.json.new",
    "fsync CHANGE/files/.recording.json.new",
    "rename CHANGE/files/.recording.json.new -> CHANGE/files/recording.json",
]
"""What is staged is durable already."""


def test_a_new_item_is_durable_before_it_takes_its_place(
    library: LibraryDestination, tmp_path: Path, steps: list[str]
) -> None:
    item = with_files(a_meeting(files=()), [a_staged(tmp_path / "staging", "segments/1 a.mp4", VIDEO)])
    steps.clear()

    publish(library, item)

    in_place = [
        "mkdir published",
        "fsync .",
        "mkdir AUTHOR",
        "fsync published",
        "mkdir YEAR",
        "fsync AUTHOR",
    ]
    gathered = [
        "mkdir .zoomsync/state-1",
        "fsync .zoomsync",
        "mkdir CHANGES",
        "fsync .zoomsync/state-1",
        "mkdir CHANGE",
        "mkdir CHANGE/files",
        "mkdir CHANGE/files/segments",
        "replace staging -> CHANGE/files/segments/1 a.mp4",
        *DESCRIBED,
        "fsync CHANGE/files",
        "fsync CHANGE/files/segments",
    ]
    assert steps == [*MARKER, *gathered, *in_place, "rename CHANGE/files -> ITEM", "fsync YEAR", "rmdir CHANGE"]


def test_an_update_is_durable_before_anything_old_goes(
    library: LibraryDestination, tmp_path: Path, steps: list[str]
) -> None:
    first = publish(library, an_item(tmp_path / "staging"))
    item = rebuilt(tmp_path)
    steps.clear()

    publish(library, item, first)

    gathered = [
        "mkdir CHANGE",
        "mkdir CHANGE/files",
        "replace staging -> CHANGE/files/video.v2.mp4",
        *DESCRIBED,
        "fsync CHANGE/files",
    ]
    in_place = [
        "rename CHANGE/files/video.v2.mp4 -> ITEM/video.v2.mp4",
        "replace CHANGE/files/recording.json -> ITEM/recording.json",
        "fsync ITEM",
        "unlink ITEM/video.mp4",
        "fsync ITEM",
    ]
    cleared = ["rmdir CHANGE/files", "unlink CHANGE/change.json", "rmdir CHANGE"]
    assert steps == [*gathered, *WHOLE, "fsync CHANGES", *in_place, *cleared]
