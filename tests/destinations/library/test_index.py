"""Items are found wherever a person put them, also while they are moved; nothing but a regular file proves anything."""

import io
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from errno import EACCES, EIO
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
    author = library.path / "published" / "lovelace"
    author.with_name("ada@example.org").rename(author)

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


def folders_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Those of the library's authors and items whose names are read from now on."""
    seen: list[str] = []

    def noting(real: Callable[..., Any]) -> Callable[..., Any]:
        def noted(path: Any = ".") -> Any:
            if not isinstance(path, int) and Path(path).is_relative_to(root) and ".zoomsync" not in Path(path).parts:
                seen.append(str(Path(path).relative_to(root)))
            return real(path)

        return noted

    for call in ("listdir", "scandir"):
        monkeypatch.setattr(os, call, noting(getattr(os, call)))
    return seen


def in_pass(path: Path, number: int, *, unended: int = 0, **changes: Any) -> LibraryDestination:
    """The library in a pass, before which all passes of this state ended but one."""
    library = unattached(path)
    attach(library, number=number, ended=frozenset(f"run-{n}" for n in range(1, number) if n != unended), **changes)
    return library


def another(tmp_path: Path) -> Item:
    return an_item(tmp_path / "staging", a_meeting(uuid="other==", files=()))


@pytest.fixture
def stored(tmp_path: Path) -> Receipt:
    """An item of pass 1 in a library whose other items nobody needs to look at."""
    library = a_library(tmp_path / "library")
    receipt = publish(library, an_item(tmp_path / "staging"))
    for number in range(20):
        folder = library.path / "published" / f"author {number}" / "2025" / f"2025-01-01 10-00 Old [{number:08x}]"
        folder.mkdir(parents=True)
        (folder / "recording.json").write_text("{}")
    library.detach()
    return receipt


def test_what_lies_where_it_was_is_found_without_a_look_at_any_folder(
    stored: Receipt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = in_pass(tmp_path / "library", 2)
    looked = folders_read(library.path, monkeypatch)

    found, verdict = library.find(stored.uuid, stored), library.verify(stored)
    second = publish(library, late(tmp_path), stored)

    assert (found, verdict.safe, len(second.files), looked) == (stored, True, 3, [])


@pytest.mark.usefixtures("stored")
def test_what_is_new_is_looked_for_in_its_authors_year_alone_once_a_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = in_pass(tmp_path / "library", 2)
    looked = folders_read(library.path, monkeypatch)

    assert library.find("other==") is None
    publish(library, another(tmp_path))
    publish(library, an_item(tmp_path / "staging", a_meeting(uuid="third==", files=())))

    assert looked == ["published/ada@example.org/2026", "drafts/ada@example.org/2026"]


@pytest.mark.parametrize("is_draft", [False, True])
def test_what_lies_there_under_another_title_is_no_second_item(stored: Receipt, tmp_path: Path, is_draft: bool) -> None:
    library = in_pass(tmp_path / "library", 2)
    item = replace(an_item(tmp_path / "staging", draft=is_draft), folder="2026-03-01 10-30 Renamed")

    assert library.find(stored.uuid) is None  # of one time: what the state does not know is not there
    assert publish(library, item) == stored
    assert publish(library, item) == stored


@pytest.mark.parametrize("place", ["drafts/ada@example.org/2026/As is", "published/ada@example.org/2024/Old one"])
def test_what_a_person_moved_nearby_is_found_there(
    stored: Receipt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    moved = move(tmp_path / "library", stored, f"{place} [0300a520]")
    library = in_pass(tmp_path / "library", 2)
    looked = folders_read(library.path, monkeypatch)

    assert library.find(stored.uuid, stored) == moved
    assert all(one.split("/")[1] == "ada@example.org" for one in looked)


def test_the_library_is_walked_once_for_all_that_a_person_moved_away(
    stored: Receipt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = in_pass(tmp_path / "library", 2)
    other = publish(first, another(tmp_path))
    first.detach()
    moved = move(tmp_path / "library", stored, "published/Best of/Planning [0300a520]")
    library = in_pass(tmp_path / "library", 3)
    shutil.rmtree(library.path / other.place)
    looked = folders_read(library.path, monkeypatch)

    assert library.find(stored.uuid, stored) == moved
    assert library.verify(stored).receipt.place == moved.place
    assert library.verify(other).removed
    assert looked.count("published") == 1


def test_what_may_lie_in_a_folder_that_cannot_be_listed_is_no_persons_deed(
    stored: Receipt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = in_pass(tmp_path / "library", 2)
    shutil.rmtree(library.path / stored.place)
    folder, scan = library.path / "published" / "author 7", os.scandir

    def refuse(path: Any = ".") -> Any:
        if str(path) == str(folder):
            raise PermissionError(EACCES, os.strerror(EACCES), str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)

    verdict = library.verify(stored)

    assert (verdict.safe, verdict.removed, verdict.reason) == (False, False, f"{folder}: permission denied")
    assert verdict.unread
    assert publish(library, another(tmp_path)).uuid == "other=="
    first, *others = library.everything()
    assert (str(first), len([one for one in others if isinstance(one, tuple)])) == (f"{folder}: permission denied", 1)


def move(root: Path, receipt: Receipt, place: str) -> Receipt:
    """As a person does it; returns the receipt of what is there then."""
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / receipt.place).rename(root / place)
    return replace(receipt, place=place)


ELSEWHERE = "published/Lovelace/Planning [0300a520]"


def test_what_a_killed_pass_published_is_found_wherever_it_lies_by_then(stored: Receipt, tmp_path: Path) -> None:
    moved = move(tmp_path / "library", stored, ELSEWHERE)

    library = in_pass(tmp_path / "library", 2, unended=1)

    assert library.find(stored.uuid) == moved


def test_it_is_found_also_if_the_next_pass_publishes_something_else_first(
    stored: Receipt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = move(tmp_path / "library", stored, ELSEWHERE)
    second = in_pass(tmp_path / "library", 2, unended=1)
    publish(second, another(tmp_path))
    second.detach()

    library = in_pass(tmp_path / "library", 3, unended=1)
    looked = folders_read(library.path, monkeypatch)

    assert (library.find("third=="), looked) == (None, [])
    assert library.find(stored.uuid) == moved


@pytest.mark.parametrize("wish", ["adopt", "begin_new"])
def test_what_another_state_published_is_found_in_every_later_pass(stored: Receipt, tmp_path: Path, wish: str) -> None:
    moved = move(tmp_path / "library", stored, ELSEWHERE)
    facts: dict[str, Any] = {"state_id": "state-2", "known_id": None, "new_id": "library-2"}
    first = unattached(tmp_path / "library")
    attach(first, **facts, **{wish: True})
    publish(first, another(tmp_path))
    first.detach()

    library = in_pass(tmp_path / "library", 2, **facts | {"known_id": first.id})

    assert library.find(stored.uuid) == replace(moved, destination=first.id)


def test_of_a_state_restored_from_the_middle_of_a_pass_nothing_is_published_twice(
    stored: Receipt, tmp_path: Path
) -> None:
    move(tmp_path / "library", stored, ELSEWHERE)

    library = in_pass(tmp_path / "library", 2, unended=1)  # the copy has the begin of that pass alone

    assert publish(library, an_item(tmp_path / "staging")).place == ELSEWHERE
    assert len([*library.path.rglob("* [[]0300a520]")]) == 1
