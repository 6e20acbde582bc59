"""Who may write: one pass at a time, and only the user to whom the state belongs.

The lock's file says who has it: first the process that does, then since when passes find it locked. A pass that lets go
empties it.
"""

import os
import pwd
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from zoomsync.errors import PassRunning, StateUnusable
from zoomsync.files import NO_LOCKS, make_private_folder, open_file, take_lock
from zoomsync.formatting import iso
from zoomsync.state.page import STATE

HOLDER = re.compile(rb"([0-9]+)\n")
QUOTED_ID = "'#"
LOCKED_OUT = re.compile(rb"^locked out ([0-9TZ:-]+)$", re.MULTILINE)


@contextmanager
def lock(path: Path, now: datetime) -> Iterator[None]:
    """Hold the kernel lock `<path>.lock`, which ends with the process at the latest.

    Raises `PassRunning` when another process holds it, `StateUnusable` if the file system has no such locks.
    """
    file = lock_file(path)
    with STATE.explained(file):
        make_private_folder(file.parent)
        try:
            descriptor = take_lock(file)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            raise no_locks(file) from error
    if descriptor is None:
        holder = _met(file, now)
        stop = f"; or end it safely, nothing is lost: kill -TERM {holder}" if holder else ""
        fact = f"another pass is running{f': process {holder}' if holder else ''}"
        raise PassRunning(fact, hint=f"wait for its end{stop}")
    try:
        _say(descriptor, f"{os.getpid()}\n")
        yield
    finally:
        _say(descriptor, "")
        os.close(descriptor)


def no_locks(path: Path) -> StateUnusable:
    """The error for a state on a file system without kernel locks."""
    return StateUnusable(f"{path}: its file system has no locks", hint="set `state` to a path on a local file system")


def lock_file(path: Path) -> Path:
    """The file of the lock of this state."""
    real = Path(os.path.realpath(path))  # two names of one state share its lock
    return real.with_name(f"{real.name}.lock")


def _say(descriptor: int, text: str) -> None:
    """Make this the content of the lock's file, which only helps others."""
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)


def _met(file: Path, now: datetime) -> str:
    """Which process has it, if the lock's file says so; it is noted there that a pass met the lock."""
    content = _read(file)
    if not LOCKED_OUT.search(content):
        with suppress(OSError), open_file(file, "ab") as note:
            note.write(f"locked out {iso(now)}\n".encode())
    holder = HOLDER.match(content)
    return holder[1].decode() if holder else ""


def locked_out_since(path: Path) -> datetime | None:
    """When a pass first found this state locked, of those that did since a pass had the lock; None: no pass did."""
    found = LOCKED_OUT.search(_read(lock_file(path)))
    with suppress(ValueError):
        return datetime.fromisoformat(found[1].decode()) if found else None
    return None


def _read(file: Path) -> bytes:
    """What the lock's file says; whatever lies in its place, this does not wait."""
    with suppress(OSError), open_file(file) as found:
        return found.read(4096)
    return b""


def owner_check(path: Path, uid: int) -> None:
    """Raise `StateUnusable` if the state at `path` belongs to another user than `uid`; before there is one, its folder.

    A folder in which this user may write as one of a group will do; root may write everywhere, and would take it over.
    """
    place, owner = path, _owner(path)
    if owner is None and (uid == 0 or not os.access(path.parent, os.W_OK, effective_ids=True)):
        place, owner = path.parent, _owner(path.parent)
    if owner is not None and owner != uid:
        me, name = _name(uid), _name(owner)
        take_over = f"sudo chown -R {me.strip(QUOTED_ID)} {path.parent}"
        hint = f"sudo -u {name} zoomsync …; or, if {me} is to run it, {take_over}" if owner else take_over
        raise StateUnusable(f"{place}: belongs to {name}, and this is {me}", hint=hint)


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
