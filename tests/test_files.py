"""Every step on a disk is durable, stays in its folder, and is explained when the disk refuses it."""

import contextlib
import errno
import fcntl
import os
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeClock
from zoomsync import files
from zoomsync.destinations.library.marker import LIBRARY
from zoomsync.errors import DiskFull, LibraryUnusable, MeetingFailed, StateUnusable, Stopped, Unfit, ZoomsyncError
from zoomsync.files import STAGING, FileModes, Refusals
from zoomsync.state.page import STATE

SHA_OF_HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
PLAIN = FileModes(dir_mode=0o750, file_mode=0o640)

ROOM, RIGHT, ONE_PATH, OTHER = "no_room", "no_right", "of_one_path", "otherwise"
REFUSED: dict[int, tuple[str, str, str]] = {
    errno.ENOSPC: (ROOM, ROOM, ROOM),
    errno.EDQUOT: (ROOM, ROOM, ROOM),
    errno.EFBIG: (ROOM, ROOM, ONE_PATH),
    errno.EACCES: (RIGHT, RIGHT, RIGHT),
    errno.EPERM: (RIGHT, RIGHT, RIGHT),
    errno.EROFS: (RIGHT, RIGHT, RIGHT),
    errno.EEXIST: (OTHER, ONE_PATH, ONE_PATH),
    errno.ENOTEMPTY: (OTHER, ONE_PATH, ONE_PATH),
    errno.EISDIR: (OTHER, ONE_PATH, ONE_PATH),
    errno.ELOOP: (OTHER, ONE_PATH, ONE_PATH),
    errno.EOVERFLOW: (OTHER, ONE_PATH, ONE_PATH),
    errno.ENAMETOOLONG: (OTHER, OTHER, ONE_PATH),
    errno.EINVAL: (OTHER, OTHER, ONE_PATH),
    errno.ENOENT: (OTHER, OTHER, OTHER),
    errno.ENOTDIR: (OTHER, OTHER, OTHER),
    errno.EIO: (OTHER, OTHER, OTHER),
    errno.ESTALE: (OTHER, OTHER, OTHER),
}
"""Which remedy an errno gets in the state, in staging and in the library."""


@pytest.mark.parametrize("number", REFUSED)
@pytest.mark.parametrize(
    ("column", "refusals", "error"), [(0, STATE, StateUnusable), (1, STAGING, Unfit), (2, LIBRARY, LibraryUnusable)]
)
def test_what_the_disk_refuses_says_what_to_do(
    column: int, refusals: Refusals, error: type[ZoomsyncError], number: int
) -> None:
    remedy = REFUSED[number][column]
    expected = {ROOM: DiskFull, ONE_PATH: MeetingFailed}.get(remedy, error)

    with pytest.raises(ZoomsyncError) as raised, refusals.explained(Path("here")):
        raise OSError(number, os.strerror(number))

    assert (type(raised.value), str(raised.value)) == (expected, f"here: {os.strerror(number).lower()}")
    assert raised.value.hint == getattr(refusals, remedy) != ""
    assert isinstance(raised.value.__cause__, OSError)


def message(refusals: Refusals, path: str, error: OSError) -> str:
    with pytest.raises(ZoomsyncError) as raised, refusals.explained(Path(path)):
        raise error
    return str(raised.value)


def test_a_message_names_what_the_system_stumbled_over_but_for_the_state() -> None:
    error = OSError(errno.EIO, "Input/output error", "/there/.state.json.new")

    assert message(STAGING, "/there", error) == "/there/.state.json.new: input/output error"
    assert message(STATE, "/there/state.json", error) == "/there/state.json: input/output error"


def test_an_error_without_words_is_named_by_its_kind() -> None:
    assert message(STAGING, "/staging", OSError()) == "/staging: oserror"
    assert message(STAGING, "/staging", TimeoutError()) == "/staging: timeouterror"


def test_what_is_no_refusal_of_the_disk_passes() -> None:
    with pytest.raises(ValueError, match="a bug"), STAGING.explained(Path("here")):
        raise ValueError("a bug")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The durable calls as they come, each with the name that it is about."""
    noted: list[str] = []
    names: dict[int, str] = {}

    def noting(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(first: Any, *more: Any, **options: Any) -> Any:
            about = names.get(first, "?") if isinstance(first, int) else Path(first).name
            noted.append(f"{name} {about}")
            return real(first, *more, **options)

        return call

    def opening(path: Any, *more: Any, real: Callable[..., int] = os.open, **options: Any) -> int:
        descriptor = real(path, *more, **options)
        names[descriptor] = Path(path).name
        return descriptor

    monkeypatch.setattr(os, "open", opening)
    for name in ("write", "fsync", "replace", "mkdir", "fchmod", "chmod"):
        monkeypatch.setattr(os, name, noting(name, getattr(os, name)))
    return noted


def test_a_file_is_written_and_flushed_before_it_takes_its_place(tmp_path: Path, calls: list[str]) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    calls.clear()

    files.write(folder / "note.json", b"hello")

    assert calls == ["write .note.json.new", "fsync .note.json.new", "replace .note.json.new", "fsync folder"]
    assert {one.name: one.read_bytes() for one in folder.iterdir()} == {"note.json": b"hello"}


@pytest.mark.parametrize(("mode", "umask"), [(0o600, 0o022), (0o600, 0), (0o640, 0o077), (0o664, 0o022)])
def test_a_file_has_its_mode_whatever_the_umask(tmp_path: Path, mode: int, umask: int) -> None:
    with the_umask(umask):
        files.write(tmp_path / "note.json", b"", mode=mode)

    assert stat.S_IMODE((tmp_path / "note.json").stat().st_mode) == mode


def test_what_could_not_be_written_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write(tmp_path / "note.json", b"old")
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))

    with pytest.raises(OSError, match="Input/output error"):
        files.write(tmp_path / "note.json", b"new")

    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"note.json": b"old"}


def failing(number: int) -> Callable[..., Any]:
    def call(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


def test_short_writes_are_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:3]))

    files.write(tmp_path / "note.json", b"hello world")

    assert (tmp_path / "note.json").read_bytes() == b"hello world"


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_folder_that_cannot_be_flushed_needs_no_flush_but_a_file_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setattr(os, "fsync", failing(number))

    files.sync(tmp_path)
    with pytest.raises(OSError, match=os.strerror(number)):
        files.sync(file)


def test_a_folder_that_failed_to_flush_is_no_small_thing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))

    with pytest.raises(OSError, match="Input/output error"):
        files.sync(tmp_path)


def test_each_new_folder_has_its_mode_and_is_flushed_into_the_one_above(tmp_path: Path, calls: list[str]) -> None:
    files.make_folders(tmp_path, tmp_path / "a" / "b", PLAIN)

    assert calls == ["mkdir a", "chmod a", f"fsync {tmp_path.name}", "mkdir b", "chmod b", "fsync a"]
    assert [stat.S_IMODE((tmp_path / one).stat().st_mode) for one in ("a", "a/b")] == [0o750, 0o750]


def test_folders_that_are_there_stay_as_a_person_set_them(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o700)

    files.make_folders(tmp_path, tmp_path / "a" / "b", PLAIN)

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


def test_private_folders_are_flushed_into_the_one_above(tmp_path: Path, calls: list[str]) -> None:
    for _ in range(2):
        files.make_private_folder(tmp_path / "var" / "state")

    assert calls == ["mkdir var", f"fsync {tmp_path.name}", "mkdir state", "fsync var"]


@pytest.mark.parametrize("umask", [0, 0o002, 0o077])
def test_a_private_folder_is_one_whatever_the_umask_and_others_write_nowhere(tmp_path: Path, umask: int) -> None:
    with the_umask(umask):
        files.make_private_folder(tmp_path / "var" / "state")

    assert [mode_of(tmp_path / "var"), mode_of(tmp_path / "var" / "state")] == [0o755 & ~umask, 0o700]


@contextmanager
def the_umask(umask: int) -> Iterator[None]:
    before = os.umask(umask)
    try:
        yield
    finally:
        os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


class TestModes:
    @pytest.mark.parametrize("umask", [0, 0o002, 0o077])
    def test_are_those_of_the_config_whatever_the_umask(self, tmp_path: Path, umask: int) -> None:
        modes = FileModes(dir_mode=0o2775, file_mode=0o664)
        with the_umask(umask):
            files.make_folders(tmp_path, tmp_path / "a" / "b", modes)
            files.write(tmp_path / "file", b"")
            modes.grant(tmp_path / "file")

        assert [mode_of(tmp_path / one) for one in ("a", "a/b", "file")] == [0o2775, 0o2775, 0o664]

    @pytest.mark.parametrize(("umask", "folder"), [(0, 0o755), (0o002, 0o755), (0o027, 0o750)])
    def test_are_left_to_the_umask_by_keep_but_others_never_write(
        self, tmp_path: Path, calls: list[str], umask: int, folder: int
    ) -> None:
        modes = FileModes(dir_mode=None, file_mode=None)
        with the_umask(umask):
            files.make_folders(tmp_path, tmp_path / "a", modes)
            modes.grant(tmp_path / "a")

        assert mode_of(tmp_path / "a") == folder
        assert not [call for call in calls if "chmod" in call]

    @pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOTSUP, errno.ENOSYS])
    @pytest.mark.parametrize(("has", "is_fine"), [(0o640, True), (0o600, True), (0o644, False), (0o660, False)])
    def test_may_be_refused_by_a_mount_if_nobody_may_do_more_than_was_asked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, has: int, is_fine: bool
    ) -> None:
        file = tmp_path / "video.mp4"
        file.touch()
        file.chmod(has)
        monkeypatch.setattr(os, "chmod", failing(number))

        if is_fine:
            PLAIN.grant(file)
        else:
            with pytest.raises(OSError, match=f": its mode stays {has:04o} instead of 0640") as raised:
                PLAIN.grant(file)
            assert (raised.value.errno, raised.value.filename) == (errno.EPERM, str(file))
        assert mode_of(file) == has

    @pytest.mark.parametrize(("has", "is_fine"), [(0o600, True), (0o666, False)])
    def test_that_a_mount_takes_and_does_not_keep_are_found_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has: int, is_fine: bool
    ) -> None:
        file = tmp_path / "video.mp4"
        file.touch()
        file.chmod(has)
        monkeypatch.setattr(os, "chmod", lambda *_, **__: None)

        if is_fine:
            PLAIN.grant(file)
        else:
            with pytest.raises(
                PermissionError, match="its mount decides about modes: its mode stays 0666 instead of 0640"
            ):
                PLAIN.grant(file)

    def test_of_a_disk_that_fails_are_no_small_thing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "file").touch(mode=0o600)
        monkeypatch.setattr(os, "chmod", failing(errno.EIO))

        with pytest.raises(OSError, match="Input/output error"):
            PLAIN.grant(tmp_path / "file")

    def test_a_bit_that_the_folder_above_hands_down_lets_nobody_in(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder").chmod(0o2750)
        monkeypatch.setattr(os, "chmod", failing(errno.EPERM))

        PLAIN.grant(tmp_path / "folder")

    def test_a_private_folder_asks_no_mount_for_its_mode(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "chmod", failing(errno.EPERM))

        with the_umask(0):
            files.make_folders(tmp_path, tmp_path / "a", files.PRIVATE)

        assert mode_of(tmp_path / "a") == 0o700

    def test_a_group_that_is_there_already_is_not_asked_for(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch(mode=0o640)
        monkeypatch.setattr(os, "chown", failing(errno.EPERM))
        group = (tmp_path / "file").stat().st_gid

        FileModes(dir_mode=0o750, file_mode=0o640, gid=group).grant(tmp_path / "file")
        with pytest.raises(PermissionError):
            FileModes(dir_mode=0o750, file_mode=0o640, gid=group + 1).grant(tmp_path / "file")


def test_a_rehearsal_does_what_a_pass_does_and_leaves_no_trace(tmp_path: Path, calls: list[str]) -> None:
    assert files.rehearse(tmp_path, PLAIN)

    done = [call for call in calls if "probe" not in call]
    written = ["write .file.new", "fsync .file.new", "replace .file.new", "fsync made"]
    assert done == ["mkdir made", "chmod made", *written, "chmod file", "fchmod lock"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", ["mkdir", "chmod", "write", "fsync", "replace", "rename"])
def test_what_a_rehearsal_meets_names_the_folder_and_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    with monkeypatch.context() as refusing:
        refusing.setattr(os, call, failing(errno.EIO))
        with pytest.raises(OSError, match="Input/output error") as raised:
            files.rehearse(tmp_path, PLAIN)

    assert (raised.value.errno, raised.value.filename) == (errno.EIO, str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "has_locks"), [(errno.ENOSYS, False), (errno.ENOLCK, False), (errno.EIO, None)])
def test_a_rehearsal_says_whether_there_are_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, has_locks: bool | None
) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(number))

    with contextlib.nullcontext() if has_locks is not None else pytest.raises(OSError, match="Input/output error"):
        assert files.rehearse(tmp_path) is has_locks
    assert list(tmp_path.iterdir()) == []


NOT_REGULAR = r"not a regular file|[Ii]s a directory|symbolic links"


def a_fifo(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as one:
        one.bind(path.name)


def a_link(path: Path) -> None:
    path.with_name("target").write_bytes(b"hello")
    path.symlink_to("target")


@pytest.mark.timeout(10)
@pytest.mark.parametrize("mode", ["rb", "r+b", "wb", "ab"])
@pytest.mark.parametrize("odd", [a_fifo, a_socket, a_link, Path.mkdir])
def test_what_is_no_regular_file_is_refused_and_never_waited_for(
    tmp_path: Path, odd: Callable[[Path], None], mode: str
) -> None:
    path = tmp_path / "recording.json"
    odd(path)
    before = {one.name: mode_of(one) for one in tmp_path.iterdir()}

    with pytest.raises(OSError, match=NOT_REGULAR) as raised:
        files.open_file(path, mode)

    assert raised.value.errno in files.IN_THE_WAY
    assert {one.name: mode_of(one) for one in tmp_path.iterdir()} == before


@pytest.mark.timeout(10)
@pytest.mark.parametrize("odd", [a_fifo, a_socket, a_link, Path.mkdir])
def test_reading_hashing_and_flushing_wait_for_nothing_either(tmp_path: Path, odd: Callable[[Path], None]) -> None:
    odd(tmp_path / "file")

    with pytest.raises(OSError, match=NOT_REGULAR):
        files.read_file(tmp_path / "file")
    with pytest.raises(OSError, match=NOT_REGULAR):
        files.digest(tmp_path / "file", FakeClock())
    if odd is a_fifo:
        with pytest.raises(OSError, match="Invalid argument"):
            files.sync(tmp_path / "file")


def test_a_link_is_followed_only_if_a_person_may_have_set_it(tmp_path: Path) -> None:
    a_link(tmp_path / "secret")

    assert files.read_file(tmp_path / "secret", follow=True) == b"hello"


def test_a_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(100))

    assert files.read_file(tmp_path / "file", 100) == bytes(100)
    with pytest.raises(OSError, match="larger than 99 bytes"):
        files.read_file(tmp_path / "file", 99)


def test_a_note_takes_the_place_of_what_a_killed_pass_or_a_stranger_left_beside_it(tmp_path: Path) -> None:
    a_link(tmp_path / ".note.json.new")

    files.write(tmp_path / "note.json", b"new")

    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"note.json": b"new", "target": b"hello"}


class TestSecondName:
    def test_is_a_link_if_the_file_system_has_some(self, tmp_path: Path) -> None:
        (tmp_path / "staged").write_bytes(b"hello")
        (tmp_path / "second").write_bytes(b"of a killed pass")

        files.link(tmp_path / "staged", tmp_path / "second", sha256=SHA_OF_HELLO, clock=FakeClock())

        assert (tmp_path / "second").samefile(tmp_path / "staged")

    @pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EACCES])
    def test_is_a_proven_copy_if_it_has_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        (tmp_path / "staged").write_bytes(b"hello")
        monkeypatch.setattr(os, "link", failing(number))

        files.link(tmp_path / "staged", tmp_path / "second", sha256=SHA_OF_HELLO, clock=FakeClock())

        assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"staged": b"hello", "second": b"hello"}
        assert not (tmp_path / "second").samefile(tmp_path / "staged")
        with pytest.raises(MeetingFailed, match="staged: changed in staging"):
            files.link(tmp_path / "staged", tmp_path / "third", sha256="0" * 64, clock=FakeClock())
        assert not (tmp_path / "third").exists()


@pytest.mark.parametrize("way", ["..", "a/../../b", "link/b"])
def test_no_way_leads_out(tmp_path: Path, way: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)

    with pytest.raises(MeetingFailed, match="leads out of the library"):
        files.make_folders(root, root / way, PLAIN)
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["link", "root"]


def test_a_staged_file_is_moved(tmp_path: Path, calls: list[str]) -> None:
    (tmp_path / "staged").write_bytes(b"hello")
    calls.clear()

    files.move(tmp_path / "staged", tmp_path / "target", sha256=SHA_OF_HELLO, clock=FakeClock())

    assert calls == ["replace staged"]
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"target": b"hello"}


def across(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if staging lay on another file system: only within one folder can be renamed."""
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        if source.suffix != ".part":
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)


def test_from_another_file_system_it_is_copied_proven_and_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: list[str]
) -> None:
    (tmp_path / "staged").write_bytes(b"hello")
    across(monkeypatch)
    calls.clear()

    files.move(tmp_path / "staged", tmp_path / "target", sha256=SHA_OF_HELLO, clock=FakeClock())

    assert calls == ["fsync target.part", "replace target.part"]
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"target": b"hello"}


def test_a_copy_that_is_not_what_was_proven_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "staged").write_bytes(b"HELLO")
    across(monkeypatch)

    with pytest.raises(MeetingFailed, match="staged: changed in staging"):
        files.move(tmp_path / "staged", tmp_path / "target", sha256=SHA_OF_HELLO, clock=FakeClock())

    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"staged": b"HELLO"}


def test_a_copy_for_which_there_is_no_room_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "staged").write_bytes(b"hello")
    across(monkeypatch)
    monkeypatch.setattr(files, "chunks", failing(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left"):
        files.move(tmp_path / "staged", tmp_path / "target", sha256=SHA_OF_HELLO, clock=FakeClock())

    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"staged": b"hello"}


def test_content_is_known_by_size_and_digest_of_a_plain_file(tmp_path: Path) -> None:
    path, clock = tmp_path / "file", FakeClock()
    path.write_bytes(b"hello")
    (tmp_path / "link").symlink_to(path)

    content, status = files.digest(path, clock)

    assert (content, status.st_size, status.st_ino) == (SHA_OF_HELLO, 5, path.stat().st_ino)
    assert files.has_content(path, 5, SHA_OF_HELLO, clock)
    assert not files.has_content(path, 5, "0" * 64, clock)
    assert not files.has_content(path, 6, SHA_OF_HELLO, clock)
    for other in (tmp_path, tmp_path / "link", tmp_path / "none", path / "below"):
        assert not files.has_size(other, 5)
    with pytest.raises(OSError, match="symbolic links"):
        files.digest(tmp_path / "link", clock)


def test_a_pass_that_is_to_end_stops_between_two_pieces(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(3 * files.CHUNK))
    clock = FakeClock()

    with (tmp_path / "big").open("rb") as file, pytest.raises(Stopped):
        for number, _ in enumerate(files.chunks(file, clock), start=1):
            assert number == 1
            clock.stop()
