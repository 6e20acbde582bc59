"""Items are found wherever a person put them, also while they are moved; nothing but a regular file proves anything."""

import io
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from errno import EIO
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import LATE, VIDEO, an_item, without
from tests.destinations.library.test_destination import ITEM, a_library, attach, publish, rebuilt, unattached
from tests.fakes import FakeClock, a_meeting
from zoomsync import files
from zoomsync.destinations.library import verify
from zoomsync.destinations.library.destination import LibraryDestination
from zoomsync.errors import LibraryUnusable
from zoomsync.model import Item, Receipt


@pytest.fixture
def library(tmp_path: Path) -> LibraryDestination:
    return a_library(tmp_path / "library")


def late(tmp_path: Path) -> Item:
    """The item with a chat that came late, the rest kept."""
    return without(an_item(tmp_path / "staging", late=LATE), "video", "captions")


@pytest.mark.parametrize("name", ["1 older copy", "Copy of it"])
def test_of_a_copied_item_the_newest_is_taken_wherever_it_stands(
    library: LibraryDestination, tmp_path: Path, name: str
) -> None:
    first = publish(library, an_item(tmp_path / "staging"))
    item = library.path / first.place
    shutil.copytree(item, tmp_path / "copy")
    second = publish(library, rebuilt(tmp_path), first)
    shutil.copytree(tmp_path / "copy", item.with_name(f"{name} {ITEM}"))
    library.detach()

    assert a_library(library.path, number=2).find(first.uuid) == second


def test_drafts_alone_are_a_library_that_takes_a_late_file(tmp_path: Path) -> None:
    library = a_library(tmp_path / "library")
    first = publish(library, an_item(tmp_path / "staging", draft=True))
    library.detach()

    later = unattached(library.path)
    attach(later, number=2, has_items=True)

    second = publish(later, late(tmp_path), first)

    assert (second.place, len(second.files)) == (first.place, 3)
    assert {one.name for one in library.path.iterdir()} == {".zoomsync", "drafts"}


class PersonsClock(FakeClock):
    """At each look at a folder, a person may do something."""

    def __init__(self, *deeds: Callable[[], object]) -> None:
        super().__init__()
        self.deeds = [*deeds]

    def check(self) -> None:
        super().check()
        if self.deeds:
            self.deeds.pop(0)()


def test_what_a_person_moves_during_the_walk_is_found_all_the_same(tmp_path: Path) -> None:
    library = a_library(tmp_path / "library")
    receipt = publish(library, an_item(tmp_path / "staging"))
    library.detach()
    author = library.path / "published" / "ada@example.org"
    clock = PersonsClock(lambda: None, lambda: (author / "2026").rename(author / "Old"))

    found = a_library(library.path, clock, number=2).find(receipt.uuid)

    assert (found, clock.deeds) == (replace(receipt, place=f"published/ada@example.org/Old/{ITEM}"), [])


def test_a_person_who_never_stops_moving_ends_the_walk_and_nothing_counts_as_removed(tmp_path: Path) -> None:
    library = a_library(tmp_path / "library")
    receipt = publish(library, an_item(tmp_path / "staging"))
    library.detach()
    author = library.path / "published" / "ada@example.org"

    def back_and_forth() -> None:
        there = next(author.iterdir())
        there.rename(author / ("Old" if there.name == "2026" else "2026"))

    clock = PersonsClock(*[lambda: None, back_and_forth] * 10)
    later = a_library(library.path, clock, number=2)

    with pytest.raises(LibraryUnusable, match="no such file or directory"):
        later.verify(receipt)


SWAPS: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a link": lambda path: path.symlink_to(path.with_name("captions.vtt")),
    "a folder": Path.mkdir,
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("case", SWAPS)
def test_what_is_swapped_in_after_the_look_at_it_proves_nothing(
    library: LibraryDestination, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    receipt = publish(library, an_item(tmp_path / "staging"))
    video = library.path / receipt.place / "video.mp4"

    def swapped(path: Path, *more: Any, **options: Any) -> Any:
        if path == video:
            video.unlink()
            SWAPS[case](video)
        return files.digest(path, *more, **options)

    monkeypatch.setattr(verify, "digest", swapped)

    verdict = library.verify(receipt)

    assert (verdict.safe, verdict.removed) == (False, False)
    assert verdict.reason.startswith(f"{video}: ")
    assert verdict.reason.endswith(", it could not be verified")


@pytest.mark.timeout(30)
@pytest.mark.parametrize("case", SWAPS)
def test_what_stands_in_the_place_of_a_stored_file_is_a_persons(
    library: LibraryDestination, tmp_path: Path, case: str
) -> None:
    receipt = publish(library, an_item(tmp_path / "staging"))
    video = library.path / receipt.place / "video.mp4"
    video.unlink()
    SWAPS[case](video)

    verdict = library.verify(receipt)
    mended = publish(library, an_item(tmp_path / "staging"))

    assert (verdict.safe, verdict.removed, verdict.reason) == (False, True, "video.mp4 is not a file any more")
    assert [file.name for file in mended.files] == ["video.v2.mp4", "captions.vtt"]
    assert os.path.lexists(video)


class Unreadable(io.FileIO):
    """A file on a disk that fails."""

    def read(self, _size: int | None = -1) -> bytes:
        raise OSError(EIO, os.strerror(EIO))


def test_what_cannot_be_read_proves_nothing_and_is_nobodys_deed(
    library: LibraryDestination, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = publish(library, an_item(tmp_path / "staging"))
    video = library.path / receipt.place / "video.mp4"
    real = files.open_file
    monkeypatch.setattr(
        files, "open_file", lambda path, *more, **how: Unreadable(path) if path == video else real(path, *more, **how)
    )

    verdict = library.verify(receipt)

    assert (verdict.safe, verdict.removed) == (False, False)
    assert verdict.reason == f"{video}: input/output error, it could not be verified"


def test_modes_that_a_person_gave_to_folders_stay(library: LibraryDestination, tmp_path: Path) -> None:
    first = publish(library, an_item(tmp_path / "staging"))
    item = library.path / first.place
    given = {item: 0o2755, item.parent: 0o700, item.parent.parent: 0o2770, library.path / "published": 0o711}
    for folder, mode in given.items():
        folder.chmod(mode)

    publish(library, late(tmp_path), first)
    publish(library, an_item(tmp_path / "staging", a_meeting(uuid="other==", files=())))

    assert {folder: folder.stat().st_mode & 0o7777 for folder in given} == given


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give to any group")
def test_all_that_is_published_belongs_to_the_group(tmp_path: Path) -> None:
    library = a_library(tmp_path / "library", group="54321")
    first: Receipt = publish(library, an_item(tmp_path / "staging"))

    publish(library, late(tmp_path), first)

    published = library.path / "published"
    assert {path.stat().st_gid for path in (library.path, published, *published.rglob("*"))} == {54321}
    assert (library.path / first.place / "video.mp4").read_bytes() == VIDEO
