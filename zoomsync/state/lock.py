"""Who may write: one pass at a time, and only the user to whom the state belongs."""

import errno
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from zoomsync.errors import PassRunning, StateUnusable
from zoomsync.files import PRIVATE_FILE, make_private_folder
from zoomsync.state.journal import STATE


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold the kernel lock `<path>.lock`, which ends with the process at the latest.

    Raises `PassRunning` when another process holds it, `StateUnusable` if the file system has no such locks.
    """
    real = Path(os.path.realpath(path))  # two names of one state share its lock
    file = real.with_name(f"{real.name}.lock")
    # If a file system has no flock (ENOSYS), filelock would fall back to a lock that is the file's existence
    # (filelock pull requests 480 and 622): a killed pass would leave it behind, and lock out every later one.
    kernel_lock = FileLock(file, timeout=0, mode=PRIVATE_FILE, thread_local=False, fallback_to_soft=False)
    with STATE.explained(file):
        make_private_folder(file.parent)
        try:
            kernel_lock.acquire()
        except Timeout as error:
            raise PassRunning(f"another pass is running{_holder(file)}", hint="wait for its end") from error
        except OSError as error:
            if error.errno != errno.ENOSYS:
                raise
            hint = "set `state` to a path on a local file system"
            raise StateUnusable(f"{file}: its file system has no locks", hint=hint) from error
    try:
        with suppress(OSError):  # it only helps the other's message
            file.write_text(f"{os.getpid()}\n")
        yield
    finally:
        kernel_lock.release()


def _holder(file: Path) -> str:
    """`: process 4711`, if the lock's file says so."""
    try:
        pid = file.read_text().strip()
    except OSError:
        return ""
    return f": process {pid}" if pid.isdecimal() else ""


def owner_check(path: Path, uid: int) -> None:
    """Raise `StateUnusable` when the state at `path` is there and belongs to another user than `uid`."""
    owner = _owner(path)
    if owner is not None and owner != uid:
        name = _name(owner)
        raise StateUnusable(f"{path}: belongs to {name}, and this is {_name(uid)}", hint=f"sudo -u {name} zoomsync …")


def _owner(path: Path) -> int | None:
    """Of the file or, if that is out of reach, of the nearest folder that is not; None: there is no file."""
    for place in (path, *path.parents):
        with suppress(PermissionError):
            try:
                return place.stat().st_uid
            except (FileNotFoundError, NotADirectoryError):
                return None
    return None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"'#{uid}'"
