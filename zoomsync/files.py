"""Every step on a disk, once: durable when it returns, never outside its folder, each refusal an error of ours."""

import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from zoomsync.errors import DiskFull, MeetingFailed, Unfit, ZoomsyncError
from zoomsync.model import Clock

CHUNK = 1 << 20
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700

# EFBIG: the file grew beyond `ulimit -f`, or beyond what the file system can hold (FAT: 4 GiB).
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}
# These speak of one path, not of its file system. EINVAL: exFAT and FAT refuse a name that way
# (https://github.com/syncthing/syncthing/issues/5098).
# ENAMETOOLONG: eCryptfs takes 143 bytes where others take 255 (https://unix.stackexchange.com/questions/32795).
OF_ONE_PATH = {errno.EEXIST, errno.ENOTEMPTY, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.EFBIG}
# CIFS before Linux 4.17 and other network file systems cannot flush a folder, and say so with one of these: then there
# is nothing to wait for (https://github.com/borgbackup/borg/issues/1287,
# https://github.com/libgit2/libgit2/issues/5356, https://github.com/restic/restic/pull/3752).
NO_FOLDER_FLUSH = {errno.EINVAL, errno.ENOTSUP}
# flock(2) on a file system that has no locks, or whose lock server is away: FUSE says ENOSYS
# (https://github.com/tox-dev/filelock/pull/480), NFS without lockd ENOLCK.
NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """What an `OSError` becomes in one kind of folder, each with its remedy."""

    error: type[ZoomsyncError]
    """Of anything but a lack of room, which is `DiskFull` everywhere."""
    no_room: str
    no_right: str
    otherwise: str
    of_one_path: str = ""
    """If set, what concerns one path alone is `MeetingFailed` with this remedy."""
    names_path: bool = False
    """Whether a message names the path that was asked for, and not the one that the system stumbled over."""

    @contextmanager
    def explained(self, path: Path) -> Iterator[None]:
        """Turn what the disk refuses at or below `path` into the error that says what to do about it."""
        try:
            yield
        except OSError as error:
            message = f"{(not self.names_path and error.filename) or path}: {fact(error)}"
            if self.of_one_path and error.errno in OF_ONE_PATH:
                raise MeetingFailed(message, hint=self.of_one_path, service=self.error.service) from error
            if error.errno in NO_ROOM:
                raise DiskFull(message, hint=self.no_room) from error
            hint = self.no_right if error.errno in NO_RIGHT else self.otherwise
            raise self.error(message, hint=hint) from error


STAGING = Refusals(
    error=Unfit,
    no_room="free some space on its file system, or set `staging`; the meeting is tried in the next pass",
    no_right="make the staging folder writable, or set `staging`",
    otherwise="make the staging folder writable, or set `staging`",
)
"""Of the folder that everything fetched and made goes through."""


def fact(error: OSError) -> str:
    """What the system says, as our messages have it: `permission denied`."""
    return (error.strerror or type(error).__name__).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileModes:
    """Who may read what is published."""

    dir_mode: int
    file_mode: int
    gid: int | None = None

    def grant(self, path: Path) -> None:
        """Give `path`, which zoomsync made, its group and mode."""
        if self.gid is not None:
            os.chown(path, -1, self.gid)
        path.chmod(self.dir_mode if path.is_dir() else self.file_mode)


PRIVATE = FileModes(dir_mode=PRIVATE_FOLDER, file_mode=PRIVATE_FILE)


def inside(root: Path, path: Path) -> Path:
    """`path` if it lies in `root` also after every symbolic link; the one place where an escape is refused."""
    real = path.resolve()
    if not real.is_relative_to(root.resolve()) or ".." in path.parts:
        hint = "remove the symbolic link that leads out of the library, or make its target destination.path"
        raise MeetingFailed(f"{path}: leads out of the library", hint=hint, service="library")
    return path


def make_folders(root: Path, path: Path, modes: FileModes) -> None:
    """Make `path` and what is missing between it and `root`, durably; existing folders stay as they are."""
    inside(root, path)
    missing = [one for one in (path, *path.parents) if root in one.parents and not one.is_dir()]
    for folder in reversed(missing):
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        modes.grant(folder)
        sync(folder.parent)


def make_private_folder(folder: Path) -> None:
    """Make a folder for this user alone if it is missing, durably."""
    if not folder.is_dir():
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        sync(folder.parent)


def sync(path: Path) -> None:
    """Wait until the disk has this file, or the names in this folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_FOLDER_FLUSH or not path.is_dir():
            raise
    finally:
        os.close(descriptor)


def take_lock(path: Path) -> int | None:
    """Take the kernel lock of a file that this user alone can open; None: another process has it.

    It ends when the descriptor returned is closed, with the process at the latest. Raises `OSError`: one of `NO_LOCKS`
    if the file system has none. That a file exists is no substitute: a killed pass would leave it behind.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, PRIVATE_FILE)
    try:
        with suppress(OSError):  # it is another user's, or the mount decides about modes
            os.fchmod(descriptor, PRIVATE_FILE)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def write_all(descriptor: int, data: bytes) -> None:
    """Write `data` and wait until the disk has it."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
    os.fsync(descriptor)


def write(path: Path, data: bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Replace `path` by `data`, durably: a reader sees the old or the new, never a part."""
    put_in_place(write_aside(path, data, mode=mode), path)


def write_aside(path: Path, data: bytes, *, mode: int = PRIVATE_FILE) -> Path:
    """Write what is to replace `path` beside it, durably; returns where. Nothing stays behind when that fails."""
    aside = path.with_name(f".{path.name}.new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        if mode != PRIVATE_FILE:  # then others shall read it, whatever the umask
            os.fchmod(descriptor, mode)
        write_all(descriptor, data)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    return aside


def put_in_place(aside: Path, path: Path) -> None:
    """Let `aside` take the place of `path`, durably."""
    aside.replace(path)
    sync(path.parent)


def move(source: Path, target: Path, *, sha256: str, clock: Clock) -> None:
    """Move a staged file to `target`, durably; to another file system by a copy that is proven by `sha256`."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = target.with_name(f"{target.name}.part")
        try:
            with part.open("wb") as copy:
                found, _ = digest(source, clock, copy=copy)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        if found != sha256:
            part.unlink()
            hint = "it is fetched again by the next pass"
            raise MeetingFailed(f"{source.name}: changed in staging", hint=hint, service="disk") from None
        sync(part)
        part.replace(target)
        source.unlink()
    sync(target)


def has_size(path: Path, size: int) -> bool:
    """Whether a regular file (no link) of this size is there."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == size


def has_content(path: Path, size: int, sha256: str, clock: Clock) -> bool:
    """Whether a regular file with exactly these bytes is there."""
    return has_size(path, size) and digest(path, clock)[0] == sha256


def digest(path: Path, clock: Clock, *, copy: BinaryIO | None = None) -> tuple[str, os.stat_result]:
    """The SHA-256 of a file and its status while it was read; `copy` gets what is read. Never follows a link."""
    content = hashlib.sha256()
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW)) as file:
        status = os.fstat(file.fileno())
        for chunk in chunks(file, clock):
            content.update(chunk)
            if copy is not None:
                copy.write(chunk)
    return content.hexdigest(), status


def chunks(file: BinaryIO, clock: Clock) -> Iterator[bytes]:
    """A file piece by piece; a pass that is to end stops between two."""
    while chunk := file.read(CHUNK):
        clock.check()
        yield chunk
