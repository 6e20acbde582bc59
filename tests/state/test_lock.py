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

from zoomsync.errors import PassRunning, StateUnusable
from zoomsync.state import State, lock, owner_check

HOLDER = """
import subprocess, sys, time
from pathlib import Path
from zoomsync.state import lock

with lock(Path(sys.argv[1])):
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
            with pytest.raises(PassRunning) as caught, lock(path):
                pytest.fail("two hold the lock")

            assert str(caught.value) == f"another pass is running: process {pid}"


def test_the_lock_ends_with_its_holder_however_it_ends_and_whatever_it_started(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with a_holder(path) as pid:
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

        with lock(path):
            assert (tmp_path / "state.json.lock").read_text() == f"{os.getpid()}\n"


def test_a_lock_can_be_had_again(tmp_path: Path) -> None:
    for _ in range(2):
        with lock(tmp_path / "state.json"), pytest.raises(PassRunning), lock(tmp_path / "state.json"):
            pytest.fail("two hold the lock")


def test_two_names_of_one_state_share_its_lock(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "state.json")

    with lock(tmp_path / "state.json"), pytest.raises(PassRunning), lock(tmp_path / "link"):
        pytest.fail("two hold the lock")


def test_the_lock_makes_its_folder_private(tmp_path: Path) -> None:
    with lock(tmp_path / "state" / "state.json"):
        pass

    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "state" / "state.json.lock").stat().st_mode) == 0o600


def test_a_lock_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StateUnusable, match=r"file/state\.json\.lock: "), lock(tmp_path / "file" / "state.json"):
        pytest.fail("a lock in a file")


@pytest.mark.filterwarnings("error")
def test_a_file_system_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_flock(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", no_flock)

    for _ in range(2):
        with pytest.raises(StateUnusable) as caught, lock(tmp_path / "state.json"):
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
    assert caught.value.hint == f"sudo -u {me} zoomsync …"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_state_out_of_reach_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "state" / "state.json"
    with lock(path), State.open(path, new_id="0" * 32):
        pass

    os.seteuid(NOBODY)
    try:
        with pytest.raises(StateUnusable) as owned:
            owner_check(path, NOBODY)
        with pytest.raises(StateUnusable) as read:
            State.read(path)
        with pytest.raises(StateUnusable) as locked, lock(path):
            pytest.fail("locked what is out of reach")
    finally:
        os.seteuid(0)

    assert owned.value.hint == "sudo -u root zoomsync …"
    assert str(read.value) == f"{path}: permission denied"
    assert read.value.hint == "run zoomsync as the user that owns it, and check the modes of its folders"
    assert str(locked.value) == f"{path}.lock: permission denied"
