"""Who looks at a state writes nothing, waits for nobody, and is in nobody's way."""

import os
import pwd
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes import an_entry
from tests.state.builders import ID, a_history, contents, opened, stored
from zoomsync.errors import StateUnusable
from zoomsync.state import State

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="acts as another user, which root alone can")
NOBODY = pwd.getpwnam("nobody").pw_uid

KILLED = """
import os, sys
from pathlib import Path
from tests.fakes import an_entry
from tests.state.builders import ID
from zoomsync.state import State

state = State.open(Path(sys.argv[1]), new_id=ID)
state.put(an_entry(uuid="of a killed pass"))
os._exit(9)
"""


@pytest.fixture
def path() -> Iterator[Path]:
    """In a folder that others may enter, as none of pytest's is."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "state", "state.json")
        with opened(path) as state:
            list(a_history(state))
        yield path


def listing(path: Path) -> dict[str, tuple[int, int, bytes]]:
    """Whose each file is, when it was written, and what is in it; of what processes share, whose it is."""
    found = {one.name: (one.stat(), one) for one in path.parent.iterdir()}
    return {
        name: (status.st_uid, 0, b"")
        if name.endswith("-shm")
        else (status.st_uid, status.st_mtime_ns, one.read_bytes())
        for name, (status, one) in found.items()
    }


def is_killed(path: Path) -> None:
    """A pass was killed and left its log."""
    subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=Path(__file__).parents[2], check=False)
    assert path.with_name("state.db-wal").stat().st_size


def as_user(uid: int, act: Callable[[], object]) -> int:
    """The exit code of a process of this user that does this."""
    child = os.fork()
    if child == 0:
        os.setgid(uid)
        os.setuid(uid)
        try:
            act()
        except StateUnusable as refused:
            os.write(2, f"{refused} ({refused.hint})\n".encode())
            os._exit(5)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def given_to(uid: int, path: Path) -> None:
    for one in (path.parent, *path.parent.iterdir()):
        os.chown(one, uid, uid)


def test_a_look_leaves_no_trace(path: Path) -> None:
    before = listing(path)

    assert len(stored(path)[1]) == 2

    assert listing(path) == before


def test_what_a_killed_pass_left_in_the_log_is_seen_and_left_there(path: Path) -> None:
    is_killed(path)
    before = listing(path)

    assert "of a killed pass" in stored(path)[1]

    assert listing(path) == before


@as_root
@pytest.mark.parametrize("has_log", [False, True])
def test_a_look_of_root_locks_the_service_out_of_nothing(path: Path, has_log: bool) -> None:
    if has_log:
        is_killed(path)
    given_to(NOBODY, path)
    if has_log:
        path.with_name("state.db-shm").unlink()  # as after a restart: whoever comes first makes it

    assert len(stored(path)[1]) == 2 + has_log

    assert {uid for uid, _, _ in listing(path).values()} == {NOBODY}

    def next_pass() -> None:
        with State.open(path, new_id=ID) as state:
            state.put(an_entry(uuid="next"))

    assert as_user(NOBODY, next_pass) == 0
    assert "next" in stored(path)[1]


@as_root
@pytest.mark.parametrize(("has_log", "code"), [(False, 0), (True, 5)])
def test_of_a_folder_that_nobody_may_write_to_what_lies_there_is_read(
    path: Path, has_log: bool, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """A copy of a backup, say; of a log alone SQLite can make nothing there."""
    if has_log:
        is_killed(path)
        path.with_name("state.db-shm").unlink()
    given_to(NOBODY, path)
    path.parent.chmod(0o555)

    assert as_user(NOBODY, lambda: contents(State.read(path))) == code
    assert ("copy the folder to where you may write" in capfd.readouterr().err) is has_log


@as_root
def test_who_may_not_read_it_is_told(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert as_user(NOBODY, lambda: State.read(path)) == 5
    assert "run zoomsync as the user that owns it" in capfd.readouterr().err


def test_a_copy_that_sqlite_makes_while_a_pass_runs_goes_with_the_page_of_before(path: Path) -> None:
    """As the manual says: first `state.json`, then `.backup`."""
    there = path.parent.with_name("backup")
    there.mkdir()
    with opened(path) as state:
        (there / path.name).write_bytes(path.read_bytes())
        state.put(an_entry(uuid="meanwhile"))
        copying = sqlite3.connect(path.with_name("state.db"))
        copy = sqlite3.connect(there / "state.db")
        copying.backup(copy)
        copying.close()
        copy.close()
        state.put(an_entry(uuid="later"))

    with opened(there / path.name) as state:
        assert [*state.entries][-1] == "meanwhile"
        state.put(an_entry(uuid="next"))
    assert [*stored(there / path.name)[1]][-1] == "next"
