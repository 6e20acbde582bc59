"""Whose library it is: a pass works only in the one that its state knows, at the point that it knows."""

import errno
import fcntl
import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import an_item
from tests.destinations.library.test_destination import a_library, attach, publish, tree, unattached
from zoomsync.destinations.base import NEW_LIBRARY
from zoomsync.destinations.library.destination import LibraryDestination
from zoomsync.errors import LibraryUnusable, PassRunning

KNOWN = {"number": 7, "known_pass": 5}


def a_marked(path: Path, **changes: Any) -> Path:
    """A library that pass 5 changed last."""
    fields = {"format": 1, "zoomsync": "0.1.0", "library": "library-1", "state": "state-1", "pass": 5, **changes}
    fields = {"run": f"run-{fields['pass']}", **fields}
    (path / ".zoomsync").mkdir(parents=True)
    (path / "published").mkdir()
    (path / ".zoomsync" / "library.json").write_text(json.dumps(fields))
    return path


def marked_by(library: LibraryDestination) -> Any:
    fields = json.loads((library.path / ".zoomsync" / "library.json").read_text())
    return {key: fields[key] for key in ("library", "state", "pass")}


REFUSED = [
    ({"library": "library-2"}, {}, "this is library library-, the state knows library-"),
    ({"state": "state-2"}, {}, "belongs to another state"),
    ({"state": "state-2"}, {"known_id": None}, "belongs to another state"),
    ({"pass": 4}, {}, "last changed by pass 4, the state knows of pass 5"),
    ({"pass": 7, "run": "of a later history"}, {}, "changed by pass 7 \\(run of a later history\\), of which"),
    ({"pass": 12}, {}, "changed by pass 12 \\(run run-12\\), of which the state knows nothing"),
    ({"pass": 12}, {"known_id": None, "known_pass": 0}, "changed by pass 12"),
    ({"pass": 6, "run": "of a later history"}, {}, "changed by pass 6 \\(run of a later history\\)"),
]


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(("fields", "known", "said"), REFUSED)
def test_a_library_that_does_not_fit_the_state_is_refused(
    tmp_path: Path, fields: dict[str, Any], known: dict[str, Any], said: str, dry_run: bool
) -> None:
    library = unattached(a_marked(tmp_path / "library", **fields))
    before = tree(library.path)

    with pytest.raises(LibraryUnusable, match=said) as raised:
        attach(library, **{**KNOWN, **known}, dry_run=dry_run)

    assert raised.value.code == 5
    assert re.search("sync --(new-library|adopt-library|reconcile)", raised.value.hint)
    assert tree(library.path) == before
    if "--adopt-library" in raised.value.hint:
        attach(library, **{**KNOWN, **known}, adopt=True, dry_run=dry_run)


def test_no_adoption_takes_the_library_of_another_state_for_that_of_this_one_nor_an_older_copy(tmp_path: Path) -> None:
    library = unattached(a_marked(tmp_path / "library", state="state-2", library="library-2"))
    with pytest.raises(LibraryUnusable, match="belongs to another state") as raised:
        attach(library, **KNOWN, adopt=True)
    assert "is lost, move away the one of another library that is here: then `zoomsync sync --ad" in raised.value.hint

    library = unattached(a_marked(tmp_path / "older", **{"pass": 4, "run": "forgotten"}))
    with pytest.raises(LibraryUnusable, match="an older copy"):
        attach(library, **KNOWN, adopt=True)


@pytest.mark.parametrize(("fields", "known", "said"), REFUSED)
def test_another_library_may_begin_there_on_a_persons_wish(
    tmp_path: Path, fields: dict[str, Any], known: dict[str, Any], said: str
) -> None:
    library = unattached(a_marked(tmp_path / "library", **fields))

    attach(library, **{**KNOWN, **known}, begin_new=True, new_id="library-9")

    assert said
    assert library.id == "library-9"
    assert marked_by(library) == {"library": "library-9", "state": "state-1", "pass": 0}


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        ({}, {}),
        ({"pass": 6}, {}),
        ({}, {"known_id": None}),
        ({"pass": 12}, {"known_pass": 12, "runs": frozenset({"run-12"})}),
    ],
)
def test_the_library_that_the_state_knows_is_taken(
    tmp_path: Path, fields: dict[str, Any], known: dict[str, Any]
) -> None:
    library = unattached(a_marked(tmp_path / "library", **fields))

    attach(library, **{**KNOWN, "new_id": "library-9", **known})

    changed = fields.get("pass", 5)
    assert (library.id, library.last_change) == ("library-1", (changed, f"run-{changed}"))
    assert marked_by(library) == {"library": "library-1", "state": "state-1", "pass": changed}


@pytest.mark.parametrize("dry_run", [True, False])
def test_which_library_is_adopted_is_told_before_its_marker_says_so(tmp_path: Path, dry_run: bool) -> None:
    library = unattached(a_marked(tmp_path / "library", state="state-2"))
    (library.path / "published" / "A lecture [0123abcd]").mkdir()
    told: list[tuple[str, str, str]] = []

    def tell(id_: str) -> None:
        noted = (library.path / ".zoomsync" / "inherited.txt").read_text()
        told.append((id_, marked_by(library)["state"], noted))

    attach(library, number=7, known_id=None, adopt=True, dry_run=dry_run, adopting=tell)

    assert told == ([] if dry_run else [("library-1", "state-2", "0123abcd\n")])
    assert (library.id, marked_by(library)["state"]) == ("library-1", "state-2" if dry_run else "state-1")


def test_items_without_a_marker_are_adopted_as_a_new_library_and_nothing_is_not(tmp_path: Path) -> None:
    library, told = unattached(tmp_path / "library"), list[str]()
    with pytest.raises(LibraryUnusable, match="no library that could be adopted"):
        attach(library, adopt=True)
    assert tree(tmp_path) == {}
    (library.path / "published").mkdir(parents=True)

    attach(library, adopt=True, adopting=told.append)

    assert (library.id, told) == ("library-1", [NEW_LIBRARY])


@pytest.mark.parametrize("is_there", [True, False])
def test_a_known_library_that_is_missing_is_not_begun_again(tmp_path: Path, is_there: bool) -> None:
    library = unattached(tmp_path / "library")
    if is_there:
        library.path.mkdir()

    with pytest.raises(LibraryUnusable, match="missing") as raised:
        attach(library, number=7)

    assert "mounted" in raised.value.hint
    assert tree(tmp_path) == ({"library": None} if is_there else {})


def test_a_library_begins_in_a_folder_with_other_things(tmp_path: Path) -> None:
    path = tmp_path / "library"
    path.mkdir()
    (path / "holiday.jpg").write_text("mine")

    library = a_library(path)

    assert library.id == "library-1"
    assert marked_by(library) == {"library": "library-1", "state": "state-1", "pass": 0}
    assert (path / "holiday.jpg").read_text() == "mine"


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    library = unattached(tmp_path / "library")

    attach(library, dry_run=True)

    assert library.id == "library-1"
    assert library.find("any") is None
    assert tree(tmp_path) == {}


def test_the_first_change_of_a_pass_is_written_down(tmp_path: Path) -> None:
    library = a_library(tmp_path / "library", number=1)
    assert (library.last_change, marked_by(library)["pass"]) == ((0, ""), 0)

    receipt = publish(library, an_item(tmp_path / "staging"))
    assert (library.last_change, marked_by(library)["pass"]) == ((1, "run-1"), 1)

    library.detach()
    later = a_library(library.path, number=2)
    publish(later, an_item(tmp_path / "staging"), receipt)
    assert (later.last_change, marked_by(later)["pass"]) == ((1, "run-1"), 1)


ODD = [
    '{"format": 1, "library": 7, "state": "state-1", "pass": 5, "run": "run-5"}',
    '{"format": 1, "library": "library-1", "state": null, "pass": 5, "run": "run-5"}',
    '{"format": 1, "library": "library-1", "state": "state-1", "pass": "5", "run": "run-5"}',
    '{"format": 1, "library": "library-1", "state": "state-1", "pass": 5}',
    '{"format": "1", "library": "library-1", "state": "state-1", "pass": 5, "run": "run-5"}',
    '{"format": 0, "library": "library-1", "state": "state-1", "pass": 5, "run": "run-5"}',
    '[{"format": 1, "library": "library-1", "state": "state-1", "pass": 5, "run": "run-5"}]',
]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": 1}', "[" * 100_000, "\xff", *ODD])
def test_a_damaged_marker_is_refused(tmp_path: Path, content: str) -> None:
    library = unattached(a_marked(tmp_path / "library"))
    (library.path / ".zoomsync" / "library.json").write_text(content, encoding="latin-1")

    with pytest.raises(LibraryUnusable, match="damaged") as raised:
        attach(library, **KNOWN, begin_new=True)
    assert "backup" in raised.value.hint


def test_a_newer_marker_is_refused(tmp_path: Path) -> None:
    library = unattached(a_marked(tmp_path / "library", format=2))

    with pytest.raises(LibraryUnusable, match="newer zoomsync"):
        attach(library, **KNOWN, begin_new=True)


def test_two_passes_never_work_in_one_library(tmp_path: Path) -> None:
    first = a_library(tmp_path / "library")

    with pytest.raises(PassRunning) as raised:
        a_library(first.path)
    assert raised.value.code == 4

    first.detach()
    assert a_library(first.path).id == "library-1"


@pytest.mark.parametrize("before", [None, 0o644, 0o666])
def test_nobody_else_can_take_its_lock_whatever_the_umask(tmp_path: Path, before: int | None) -> None:
    file = a_marked(tmp_path / "library", **{"pass": 0}) / ".zoomsync" / "lock"
    if before is not None:
        file.touch()
        file.chmod(before)
    outer = os.umask(0)
    try:
        a_library(tmp_path / "library").detach()
    finally:
        os.umask(outer)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK], ids=errno.errorcode.get)
def test_without_locks_on_its_file_system_one_sentence_says_what_to_mind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    def no_flock(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", no_flock)
    library = a_library(tmp_path / "library")
    library.detach()

    remedy = "let no copy of this state work in this library"
    assert library.id == "library-1"
    assert caplog.messages == [f"{library.path}/.zoomsync/lock: its file system has no locks: {remedy}"]


def test_a_folder_in_place_of_its_lock_is_refused(tmp_path: Path) -> None:
    (a_marked(tmp_path / "library", **{"pass": 0}) / ".zoomsync" / "lock").mkdir()

    with pytest.raises(LibraryUnusable, match=r"\.zoomsync/lock: is a directory"):
        a_library(tmp_path / "library")


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_mount_of_its_own_for_what_is_being_made_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    own = tmp_path / "library" / ".zoomsync"
    own.mkdir(parents=True)
    real = os.stat

    def stat_of(path: Any, **how: Any) -> os.stat_result:
        found = real(path, **how)
        return os.stat_result([*found[:2], found.st_dev + 1, *found[3:10]]) if path == own else found

    monkeypatch.setattr(os, "stat", stat_of)
    with pytest.raises(LibraryUnusable) as raised:
        attach(unattached(tmp_path / "library"), dry_run=dry_run)

    assert str(raised.value) == f"{own}: on another file system than the library"
    assert list(own.iterdir()) == []


def test_a_path_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    for path in (tmp_path / "file", tmp_path / "file" / "library", tmp_path / "missing" / "library"):
        with pytest.raises(LibraryUnusable) as raised:
            attach(unattached(path))
        assert "destination.path" in raised.value.hint or "in the way" in raised.value.hint


def test_a_library_may_be_a_link_to_a_folder(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "library").symlink_to(tmp_path / "disk")

    library = a_library(tmp_path / "library")

    assert library.verify(publish(library, an_item(tmp_path / "staging"))).safe
    assert (tmp_path / "disk" / "published").is_dir()


def test_checking_leaves_nothing_behind(tmp_path: Path) -> None:
    library = unattached(tmp_path / "library")
    attach(library, dry_run=True)

    assert library.check() == f"library at {library.path}: new, will be created"
    assert tree(tmp_path) == {}

    library.path.mkdir()
    assert library.check() == f"library at {library.path}: new, will be created"
    assert tree(library.path) == {}

    attach(library)
    before = tree(library.path)
    assert library.check() == f"library library- at {library.path}, writable"
    assert tree(library.path) == before


def test_checking_says_what_is_wrong(tmp_path: Path) -> None:
    library = unattached(tmp_path / "missing" / "library")

    with pytest.raises(LibraryUnusable, match="no such file or directory") as raised:
        library.check()
    assert "destination.path" in raised.value.hint


def test_checking_follows_no_link(tmp_path: Path) -> None:
    library = a_library(tmp_path / "library")
    (tmp_path / "mine").write_text("mine")
    (library.path / ".zoomsync" / ".zoomsync-probe").symlink_to(tmp_path / "mine")

    library.check()

    assert (tmp_path / "mine").read_text() == "mine"


def test_items_that_vanish_all_at_once_are_hidden_rather_than_removed(tmp_path: Path) -> None:
    library = unattached(a_marked(tmp_path / "library"))
    (library.path / "published").rmdir()

    with pytest.raises(LibraryUnusable, match="published and drafts are gone, and all items with them") as raised:
        attach(library, **KNOWN, has_items=True)

    assert "mounted" in raised.value.hint
