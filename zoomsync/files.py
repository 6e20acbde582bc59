"""What the library does to a disk: each step durable, no step outside, each refusal an error of ours."""

import errno
import grp
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from zoomsync.errors import DiskFull, LibraryUnusable, MeetingFailed, ZoomsyncError
from zoomsync.model import Clock, Stamp

CHUNK = 1024 * 1024

_FULL = {errno.ENOSPC, errno.EDQUOT}
_OF_ONE_ITEM = {errno.EEXIST, errno.ENOTEMPTY, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EFBIG, errno.EINVAL}


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


def group_id(group: str | None) -> int | None:
    """The number of `destination.group`; raises `LibraryUnusable` for one that this machine does not know."""
    if group is None:
        return None
    try:
        return int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid
    except (KeyError, ValueError) as error:
        hint = "check destination.group in the config, or create the group"
        raise LibraryUnusable(f"destination.group: no group {group!r} on this machine", hint=hint) from error


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into the error that says what to do about it."""
    try:
        yield
    except OSError as error:
        raise refusal(path, error) from error


def refusal(path: Path, error: OSError) -> ZoomsyncError:
    """The error of ours for an `OSError`: of the disk, of the library, or of one item alone."""
    said = f"{error.filename or path}: {(error.strerror or str(error)).lower()}"
    if error.errno in _FULL:
        return DiskFull(said, hint="free space on the library's file system, or raise the quota")
    if error.errno in _OF_ONE_ITEM:
        return MeetingFailed(said, hint="look at this path in the library; what stands in the way may be moved aside")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return LibraryUnusable(said, hint="check owner and mode of destination.path, destination.group, and the mount")
    return LibraryUnusable(said, hint="check destination.path, and that its file system is mounted and sound")


def inside(root: Path, path: Path) -> Path:
    """`path` if it lies in `root` also after every symbolic link; the one place where an escape is refused."""
    real = path.resolve()
    if not real.is_relative_to(root.resolve()) or ".." in path.parts:
        hint = "remove the symbolic link that leads out of the library, or make its target destination.path"
        raise MeetingFailed(f"{path}: leads out of the library", hint=hint)
    return path


def make_folders(root: Path, path: Path, access: FileModes) -> None:
    """Make `path` and what is missing between it and `root`, durably; existing folders stay as they are."""
    inside(root, path)
    missing = [one for one in (path, *path.parents) if root in one.parents and not one.is_dir()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        access.grant(folder)
        sync(folder.parent)


def sync(path: Path) -> None:
    """Wait until the disk has this file or folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace `path` by `data`, durably: a reader sees the old or the new, never a part."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    part.chmod(mode)
    sync(part)
    part.replace(path)
    sync(path.parent)


def move(source: Path, target: Path, *, sha256: str, clock: Clock) -> None:
    """Move a staged file to `target`, also from another file system; there its copy is proven by `sha256`."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, target, sha256=sha256, clock=clock)
        source.unlink()
    sync(target)


def _copy(source: Path, target: Path, *, sha256: str, clock: Clock) -> None:
    part = target.with_name(f"{target.name}.part")
    digest = hashlib.sha256()
    try:
        with source.open("rb") as reader, part.open("wb") as writer:
            while chunk := reader.read(CHUNK):
                clock.check()
                digest.update(chunk)
                writer.write(chunk)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    if digest.hexdigest() != sha256:
        part.unlink()
        raise MeetingFailed(f"{source.name}: changed in staging", hint="it is fetched again by the next pass")
    sync(part)
    part.replace(target)


def is_file_of(path: Path, size: int) -> bool:
    """Whether a regular file (no link) of this size is there."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == size


def holds(path: Path, size: int, sha256: str, clock: Clock) -> bool:
    """Whether a regular file with exactly these bytes is there."""
    return is_file_of(path, size) and digest_of(path, clock)[0] == sha256


def digest_of(path: Path, clock: Clock) -> tuple[str, Stamp]:
    """The SHA-256 of a file and how it looked while it was read; raises `OSError`."""
    digest = hashlib.sha256()
    with open(path, "rb", opener=_no_link) as reader:
        before = os.fstat(reader.fileno())
        while chunk := reader.read(CHUNK):
            clock.check()
            digest.update(chunk)
    return digest.hexdigest(), Stamp(mtime_ns=before.st_mtime_ns, inode=before.st_ino, at=clock.now())


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)
