"""One pass at a time, and only the user to whom the state belongs."""

import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes import NOW
from zoomsync.errors import PassRunning, StateUnusable
from zoomsync.model import HOUR
from zoomsync.state import State, lock, locked_out_since, owner_check

HOLDER = """
import subprocess, sys, time
from datetime import UTC, datetime
from pathlib import Path
from zoomsync.state import lock

with lock(Path(sys.argv[1]), datetime.now(UTC)):
    child = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL)
    print(child.pid, flush=True)
    time.sleep(60)
"""
NOBODY = 54321


@contextmanager
def a_holder(path: Path) -> Iterator[int]:
    """The pid of a process that holds the lock and has a child; both are ended."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            yield process.pid
        finally:
            process.kill()
            os.kill(child, signal.SIGKILL)


def test_a_second_pass_learns_who_is_running(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with a_holder(path) as pid:
        for _ in range(2):
            with pytest.raises(PassRunning) as caught, lock(path, NOW):
                pytest.fail("two hold the lock")

            assert str(caught.value) == f"another pass is running: process {pid}"
            assert caught.value.hint == f"wait for its end; or end it safely, nothing is lost: kill -TERM {pid}"


def test_the_lock_ends_with_its_holder_however_it_ends_and_whatever_it_started(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with a_holder(path) as pid:
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

        with lock(path, NOW):
            assert (tmp_path / "state.json.lock").read_text() == f"{os.getpid()}\n"


def test_a_lock_can_be_had_again(tmp_path: Path) -> None:
    for _ in range(2):
        with lock(tmp_path / "state.json", NOW), pytest.raises(PassRunning), lock(tmp_path / "state.json", NOW):
            pytest.fail("two hold the lock")


def test_two_names_of_one_state_share_its_lock(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "state.json")

    with lock(tmp_path / "state.json", NOW), pytest.raises(PassRunning), lock(tmp_path / "link", NOW):
        pytest.fail("two hold the lock")


def test_the_lock_makes_its_folder_private(tmp_path: Path) -> None:
    with lock(tmp_path / "state" / "state.json", NOW):
        pass

    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "state" / "state.json.lock").stat().st_mode) == 0o600


@pytest.mark.parametrize("umask", [0, 0o002, 0o077, 0o777])
@pytest.mark.parametrize("before", [None, 0o666, 0o644, 0o400])
def test_the_lock_is_of_this_user_alone_whatever_the_umask_and_whatever_it_was(
    tmp_path: Path, umask: int, before: int | None
) -> None:
    file = tmp_path / "state.json.lock"
    if before is not None:
        file.touch()
        file.chmod(before)
    outer = os.umask(umask)
    try:
        if before == 0o400 and os.geteuid() != 0:
            file.chmod(0o600)  # else only root could write to it
        with lock(tmp_path / "state.json", NOW):
            pass
    finally:
        os.umask(outer)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_since_when_a_pass_met_the_lock_is_known_until_one_has_had_it(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    found = [locked_out_since(path)]
    with lock(path, NOW):
        found.append(locked_out_since(path))
        for later in (HOUR, 2 * HOUR):
            with pytest.raises(PassRunning, match=f"process {os.getpid()}"), lock(path, NOW + later):
                pytest.fail("two hold the lock")
            found.append(locked_out_since(path))
    found.append(locked_out_since(path))

    assert found == [None, None, NOW + HOUR, NOW + HOUR, None]


@pytest.mark.parametrize("content", [b"\xff\xfe\n", b"locked out 99-99\n", b"4711", b"\0" * 10_000])
def test_an_odd_lock_file_is_only_less_helpful(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "state.json.lock"
    file.write_bytes(content)
    with file.open("r+") as foreign:
        fcntl.flock(foreign, fcntl.LOCK_EX)

        assert locked_out_since(tmp_path / "state.json") is None
        with pytest.raises(PassRunning, match=r"^another pass is running$"), lock(tmp_path / "state.json", NOW):
            pytest.fail("two hold the lock")


def test_a_pipe_in_its_place_does_not_hang(tmp_path: Path) -> None:
    file = tmp_path / "state.json.lock"
    os.mkfifo(file)

    with pytest.raises(StateUnusable, match=r"lock: not a regular file"), lock(tmp_path / "state.json", NOW):
        pytest.fail("a lock that nobody else would meet")

    assert file.is_fifo()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "state.json.lock").symlink_to(tmp_path / "precious")

    with pytest.raises(StateUnusable, match=r"lock: too many levels"), lock(tmp_path / "state.json", NOW):
        pytest.fail("it wrote elsewhere")

    assert not (tmp_path / "precious").exists()


def test_a_lock_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StateUnusable, match=r"file/state\.json\.lock: "), lock(tmp_path / "file" / "state.json", NOW):
        pytest.fail("a lock in a file")


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK], ids=errno.errorcode.get)
def test_a_file_system_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def no_flock(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", no_flock)

    for _ in range(2):
        with pytest.raises(StateUnusable) as caught, lock(tmp_path / "state.json", NOW):
            pytest.fail("a lock that a killed pass would leave behind")

        assert str(caught.value) == f"{tmp_path}/state.json.lock: its file system has no locks"
        assert caught.value.hint == "set `state` to a path on a local file system"


def test_a_state_of_this_user_or_none_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    owner_check(path, NOBODY)
    path.write_text("")

    owner_check(path, path.stat().st_uid)


def test_the_state_of_another_user_is_refused_with_the_command_to_use(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("")

    with pytest.raises(StateUnusable) as caught:
        owner_check(path, NOBODY)

    me = path.owner()
    assert str(caught.value) == f"{path}: belongs to {me}, and this is '#{NOBODY}'"
    theirs = f"sudo chown -R {NOBODY} {tmp_path}"
    as_owner = f"sudo -u {me} zoomsync …; or, if '#{NOBODY}' is to run it, {theirs}"
    assert caught.value.hint == (theirs if me == "root" else as_owner)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_before_there_is_a_state_root_takes_no_folder_of_another_user_over(tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)

    owner_check(tmp_path / "state.json", NOBODY)
    with pytest.raises(StateUnusable) as caught:
        owner_check(tmp_path / "state.json", 0)

    assert str(caught.value) == f"{tmp_path}: belongs to '#{NOBODY}', and this is root"
    assert caught.value.hint == (
        f"sudo -u '#{NOBODY}' zoomsync …; or, if root is to run it, sudo chown -R root {tmp_path}"
    )


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_before_there_is_a_state_a_folder_that_this_user_may_not_write_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    os.seteuid(NOBODY)
    try:
        with pytest.raises(StateUnusable) as caught:
            owner_check(tmp_path / "state.json", NOBODY)
    finally:
        os.seteuid(0)

    assert caught.value.hint == f"sudo chown -R {NOBODY} {tmp_path}"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_state_out_of_reach_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "state" / "state.json"
    with lock(path, NOW), State.open(path, new_id="0" * 32):
        pass

    os.seteuid(NOBODY)
    try:
        with pytest.raises(StateUnusable) as owned:
            owner_check(path, NOBODY)
        with pytest.raises(StateUnusable) as read:
            State.read(path)
        with pytest.raises(StateUnusable) as locked, lock(path, NOW):
            pytest.fail("locked what is out of reach")
    finally:
        os.seteuid(0)

    assert owned.value.hint == f"sudo chown -R {NOBODY} {path.parent}"
    assert str(read.value) == f"{path}: permission denied"
    assert read.value.hint == "run zoomsync as the user that owns it, and check the modes of its folders"
    assert str(locked.value) == f"{path}.lock: permission denied"
