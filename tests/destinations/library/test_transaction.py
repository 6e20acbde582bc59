"""Killed before any step on the disk and run again, a pass ends in the same library as an undisturbed one."""

import errno
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import CAPTIONS, LATE, VIDEO, a_staged, an_item, with_files
from tests.destinations.library.test_destination import a_library, attach, elsewhere, publish, tree, unattached
from tests.fakes import a_meeting
from zoomsync.errors import LibraryUnusable, MeetingFailed
from zoomsync.model import Item, Receipt

__all__ = ["elsewhere"]

STEPS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.link", "os.truncate"}
SEGMENT = b"a segment " * 30


class Killed(BaseException):
    """The process ends here: nothing that the code under test catches."""


class _Death:
    """Counts the steps by which a process changes the disk, and dies before the one that was chosen."""

    def __init__(self) -> None:
        self.left: int | None = None

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.left is None or not (event in STEPS or (event == "open" and self._writes(arguments))):
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            raise Killed

    @staticmethod
    def _writes(arguments: tuple[Any, ...]) -> bool:
        _, mode, flags = arguments
        return "w" in mode if mode is not None else bool(flags & (os.O_CREAT | os.O_TRUNC))


DEATH = _Death()
sys.addaudithook(DEATH)


@contextmanager
def dying_before_step(number: int) -> Iterator[None]:
    """Die before step `number`, counted from 0; Python's own audit events report every step."""
    DEATH.left = number
    try:
        yield
    finally:
        DEATH.left = None


def first_item(staging: Path) -> Item:
    files = [
        a_staged(staging, "video.mp4", VIDEO),
        a_staged(staging, "captions.vtt", CAPTIONS),
        a_staged(staging, "segments/1 gallery_view.mp4", SEGMENT),
    ]
    return with_files(a_meeting(files=()), files)


def second_item(staging: Path) -> Item:
    """A rebuilt video and a late chat; the segment goes, the captions stay."""
    files = [
        a_staged(staging, "video.mp4", VIDEO * 2, made_of=("file-video", "file-2")),
        a_staged(staging, "captions.vtt", CAPTIONS, source=None),
        a_staged(staging, "chat.txt", LATE),
    ]
    return with_files(a_meeting(files=()), files)


def without_marker(root: Path) -> dict[str, bytes | None]:
    """The tree but for what tells of passes: the last one that changed something, and what it found there."""
    own = ("library.json", "inherited.txt")
    return {name: content for name, content in tree(root).items() if not name.endswith(own)}


def run(path: Path, make: Callable[[], Item], *, number: int, previous: Receipt | None) -> Receipt:
    """A pass as `work` does it: what is found complete is not published again."""
    library = unattached(path)
    try:
        attach(library, number=number)
        item = make()
        found = library.find(item.meeting.uuid)
        if found is not None and {one.id for one in item.cloud} == {one.id for one in found.cloud}:
            return found
        return publish(library, item, previous)
    finally:
        library.detach()


def fetched_once(make: Callable[[], Item]) -> Callable[[], Item]:
    """The item whose files are not fetched again: what a killed pass moved away stays away."""
    item = make()
    return lambda: item


def after_kills(
    path: Path, make: Callable[[], Item], previous: Receipt | None, *, refetch: bool
) -> Iterator[tuple[dict[str, bytes | None], Receipt]]:
    """Kill a pass before each of its steps, and the next one early on; yields how the library is after a third."""
    origin = path.with_name("origin")
    path.mkdir(exist_ok=True)
    path.rename(origin)
    for step in range(1000):
        shutil.copytree(origin, path)
        again = make if refetch else fetched_once(make)
        try:
            with dying_before_step(step):
                run(path, again, number=3, previous=previous)
        except Killed:
            with suppress(Killed), dying_before_step(step * 7 % 19):
                run(path, again, number=4, previous=previous)
            receipt = run(path, again, number=5, previous=previous)
            yield without_marker(path), receipt
        else:
            assert step > 20
            return
        shutil.rmtree(path)
    raise AssertionError("the pass never came to its end")


def begun(path: Path) -> Path:
    """A library that an earlier pass began, so that the state knows it."""
    library = a_library(path)
    library.detach()
    return path


@pytest.mark.parametrize("refetch", [True, False])
def test_a_killed_first_publication_ends_like_an_undisturbed_one(tmp_path: Path, refetch: bool) -> None:
    def make() -> Item:
        return first_item(tmp_path / "staging")

    expected = run(begun(tmp_path / "expected"), make, number=3, previous=None)

    for found, receipt in after_kills(begun(tmp_path / "library"), make, None, refetch=refetch):
        assert receipt == expected
        assert found == without_marker(tmp_path / "expected")


@pytest.mark.parametrize("refetch", [True, False])
def test_a_killed_update_ends_like_an_undisturbed_one(tmp_path: Path, refetch: bool) -> None:
    def make() -> Item:
        return second_item(tmp_path / "staging")

    for name in ("library", "expected"):
        first = run(begun(tmp_path / name), lambda: first_item(tmp_path / "staging"), number=2, previous=None)
    expected = run(tmp_path / "expected", make, number=3, previous=first)

    assert [file.name for file in expected.files] == ["video.v2.mp4", "captions.vtt", "chat.txt"]
    for found, receipt in after_kills(tmp_path / "library", make, first, refetch=refetch):
        assert receipt == expected
        assert found == without_marker(tmp_path / "expected")


def test_a_killed_copy_from_another_file_system_ends_likewise(tmp_path: Path, elsewhere: Path) -> None:
    def make() -> Item:
        return first_item(elsewhere)

    expected = run(begun(tmp_path / "expected"), make, number=3, previous=None)

    for found, receipt in after_kills(begun(tmp_path / "library"), make, None, refetch=False):
        assert receipt == expected
        assert found == without_marker(tmp_path / "expected")


def test_a_file_of_a_person_that_a_killed_update_meets_is_not_overwritten(tmp_path: Path) -> None:
    def make() -> Item:
        return second_item(tmp_path / "staging")

    origin = begun(tmp_path / "origin")
    first = run(origin, lambda: first_item(tmp_path / "staging"), number=2, previous=None)
    met = 0
    for step in range(100):
        path = tmp_path / str(step)
        shutil.copytree(origin, path)
        try:
            with dying_before_step(step):
                run(path, make, number=3, previous=first)
        except Killed:
            persons = path / first.place / "video.v2.mp4"
            if not [*path.rglob("change.json")] or persons.exists():
                continue
            persons.write_bytes(b"cut by hand")
        else:
            break
        met += 1

        with suppress(MeetingFailed):
            run(path, make, number=4, previous=first)
        receipt = run(path, make, number=5, previous=first)

        assert persons.read_bytes() == b"cut by hand"
        assert receipt.files[0].name == "video.v3.mp4"
        assert all((persons.parent / file.name).stat().st_size == file.size for file in receipt.files)
        assert not (persons.parent / "video.mp4").exists()
    assert met > 1


def test_an_item_whose_place_cannot_be_flushed_is_not_there_and_comes_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = a_library(tmp_path / "library")
    item, flush = first_item(tmp_path / "staging"), os.fsync

    def refuse(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "2026":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        flush(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(LibraryUnusable, match="input/output error"):
            publish(library, item)

    assert [*library.path.glob("published/*/*/*")] == []
    receipt = publish(library, item)  # what was gathered is still there
    assert [*library.path.glob("published/*/*/*")] == [library.path / receipt.place]
    assert library.verify(receipt).safe


def test_what_a_killed_attempt_gathered_and_the_next_one_does_not_want_goes(tmp_path: Path) -> None:
    def fewer() -> Item:
        files = [a_staged(tmp_path / "staging", "video.mp4", VIDEO), a_staged(tmp_path / "staging", "chat.txt", LATE)]
        return with_files(a_meeting(files=()), files)

    expected = run(begun(tmp_path / "expected"), fewer, number=3, previous=None)
    left = 0
    for step in range(100):
        path = begun(tmp_path / str(step))
        try:
            with dying_before_step(step):
                run(path, lambda: first_item(tmp_path / "staging"), number=3, previous=None)
        except Killed:
            if [*path.glob("published/*/*/*")]:
                return
            left += bool([*path.rglob("captions.vtt")])
        receipt = run(path, fewer, number=4, previous=None)

        assert receipt == expected
        assert without_marker(path) == without_marker(tmp_path / "expected")
        assert left or step < 60
    raise AssertionError("nothing was ever published")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff",
        b'{"uuid": "u", "place": "p"}',
        b'{"uuid": "u", "place": 7, "superseded": []}',
        b'{"uuid": "u", "place": "", "superseded": [["video.mp4", 7]]}',
        b'{"uuid": "u", "place": "", "superseded": 7}',
    ],
)
def test_a_damaged_change_fails_its_meeting_alone(tmp_path: Path, content: bytes) -> None:
    library = a_library(tmp_path / "library")
    item = first_item(tmp_path / "staging")
    name = hashlib.sha256(item.meeting.uuid.encode()).hexdigest()[:32]
    note = library.path / ".zoomsync" / "state-1" / "changes" / name / "change.json"
    note.parent.mkdir(parents=True)
    note.write_bytes(content)
    library.detach()
    later = a_library(library.path, number=2)

    with pytest.raises(MeetingFailed, match=r"change\.json: damaged") as raised:
        publish(later, item)

    assert raised.value.hint == f"remove {note.parent}; it is fetched again by the next pass"
    assert publish(later, an_item(tmp_path / "other", a_meeting(uuid="other==", files=()))).uuid == "other=="
    shutil.rmtree(note.parent)
    assert later.verify(publish(later, item)).safe


def test_an_older_copy_shows_that_it_is_one_until_it_is_reconciled(tmp_path: Path) -> None:
    path = begun(tmp_path / "library")
    note = path / ".zoomsync" / "state-1" / "changes" / "a" / "change.json"
    note.parent.mkdir(parents=True)
    note.write_text('{"uuid": "u", "place": "", "superseded": []}')
    before = tree(path)

    for _ in range(2):  # killed before the state has forgotten anything, the next pass finds it as it was
        library = unattached(path)
        attach(library, number=7, known_pass=5, reconcile=True)
        library.detach()
        (path / ".zoomsync" / "lock").unlink(missing_ok=True)

    assert {name: content for name, content in before.items() if not name.endswith("lock")} == tree(path)


def test_a_killed_takeover_forgets_no_item_that_the_state_may_not_know(tmp_path: Path) -> None:
    origin = begun(tmp_path / "origin")
    run(origin, lambda: first_item(tmp_path / "staging"), number=2, previous=None)
    for step in range(100):
        path = shutil.copytree(origin, tmp_path / str(step))
        (path / ".zoomsync" / "inherited.txt").unlink(missing_ok=True)
        library = unattached(path)
        try:
            with dying_before_step(step):
                attach(library, state_id="state-2", adopt=True)
        except Killed:
            library.detach()
        own = path / ".zoomsync"
        is_taken = "state-2" in (own / "library.json").read_text()
        assert not is_taken or (own / "inherited.txt").read_text() == "0300a520\n"
        if is_taken:
            assert step > 3
            return


def test_a_library_whose_beginning_was_killed_begins(tmp_path: Path) -> None:
    for step in range(100):
        path = tmp_path / str(step)
        library = unattached(path)
        try:
            with dying_before_step(step):
                attach(library)
        except Killed:
            library.detach()
            assert begun(path).joinpath(".zoomsync", "library.json").exists()
        else:
            assert step > 3
            return
