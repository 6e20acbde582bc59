"""Every step on a disk, once: durable when it returns, never outside its folder, each refusal an error of ours."""

import errno
import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from zoomsync.errors import DiskFull, MeetingFailed, Unfit, ZoomsyncError

if TYPE_CHECKING:
    from zoomsync.model import Clock

CHUNK = 1 << 20
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
OPEN_FILE = 0o644
OPEN_FOLDER = 0o755
"""If umask and mount decide: never writable by others."""
DOCUMENT_LIMIT = 64 << 20
"""No note, marker or `recording.json` of ours comes near it."""

# EFBIG: the file grew beyond `ulimit -f`, or beyond what the file system can hold (FAT: 4 GiB).
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}
# A mount that decides about modes itself: FAT and CIFS answer EPERM, others that they know no such call
# (https://man7.org/linux/man-pages/man8/mount.8.html, option quiet of fat).
NO_MODES = NO_RIGHT | {errno.ENOTSUP, errno.ENOSYS}
IN_THE_WAY = {errno.EEXIST, errno.ENOTEMPTY, errno.EISDIR, errno.ELOOP, errno.EOVERFLOW}  # something else is there
# These speak of one path, not of its file system; EXDEV: of one that is mounted there. EINVAL: exFAT and FAT refuse a
# name that way (https://github.com/syncthing/syncthing/issues/5098).
# ENAMETOOLONG: eCryptfs takes 143 bytes where others take 255 (https://unix.stackexchange.com/questions/32795).
OF_ONE_PATH = IN_THE_WAY | {errno.ENAMETOOLONG, errno.EINVAL, errno.EFBIG, errno.EXDEV}
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
    """If set, what concerns one path alone, `one_path`, is `MeetingFailed` with this remedy."""
    one_path: AbstractSet[int] = frozenset(OF_ONE_PATH)
    names_path: bool = False
    """Whether a message names the path that was asked for, and not the one that the system stumbled over."""

    @contextmanager
    def explained(self, path: Path) -> Iterator[None]:
        """Turn what the disk refuses at or below `path` into the error that says what to do about it."""
        try:
            yield
        except OSError as error:
            target = error.filename2 if error.errno in OF_ONE_PATH | NO_RIGHT else None  # of a move
            message = f"{(not self.names_path and (target or error.filename)) or path}: {fact(error)}"
            if self.of_one_path and error.errno in self.one_path:
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
    of_one_path="remove it from the staging folder; the meeting is tried in the next pass",
    one_path=IN_THE_WAY,
)
"""Of what lies in the folder that everything fetched and made goes through."""
STAGING_ITSELF = replace(STAGING, of_one_path="")


def fact(error: OSError) -> str:
    """What the system says, as our messages have it: `permission denied`."""
    return (error.strerror or type(error).__name__).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileModes:
    """Who may read what is published."""

    dir_mode: int | None
    """None: what the mount and the umask give."""
    file_mode: int | None
    gid: int | None = None

    def grant(self, path: Path) -> None:
        """Give `path`, which zoomsync made, its group and mode; what would only let more people in may be refused."""
        if self is PRIVATE:  # then it is made so, and a mount that decides itself is not asked
            return
        found = path.lstat()
        if self.gid is not None and self.gid != found.st_gid:
            os.chown(path, -1, self.gid, follow_symlinks=False)
        mode = self.dir_mode if stat.S_ISDIR(found.st_mode) else self.file_mode
        if mode is None:
            return
        why = "its mount decides about modes"
        try:
            path.chmod(mode)
        except OSError as error:
            if error.errno not in NO_MODES:
                raise
            why = fact(error)
        has = stat.S_IMODE(path.lstat().st_mode) & 0o777  # SMB takes a mode, and keeps the mount's: seen, undocumented
        if has & ~mode:
            raise PermissionError(errno.EPERM, f"{why}: its mode stays {has:04o} instead of {mode:04o}", str(path))


PRIVATE = FileModes(dir_mode=PRIVATE_FOLDER, file_mode=PRIVATE_FILE)


def inside(root: Path, path: Path) -> Path:
    """`path` if it lies in `root` also after every symbolic link; the one place where an escape is refused."""
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(root)) or ".." in path.parts[len(root.parts) :]:
        hint = "remove the symbolic link that leads out of the library, or make its target destination.path"
        raise MeetingFailed(f"{path}: leads out of the library", hint=hint, service="library")
    return path


def make_folders(root: Path, path: Path, modes: FileModes, *, flush: bool = True) -> None:
    """Make `path` and what is missing between it and `root`, durably (`flush`); existing folders stay as they are."""
    inside(root, path)
    missing = [one for one in (path, *path.parents) if root in one.parents and not one.is_dir()]
    for folder in reversed(missing):
        folder.mkdir(mode=OPEN_FOLDER if modes.dir_mode is None else PRIVATE_FOLDER, exist_ok=True)
        modes.grant(folder)
        if flush:
            sync(folder.parent)


def make_private_folder(folder: Path) -> None:
    """Make a folder for this user alone if it is missing, and what is missing above it, durably."""
    missing = [one for one in (folder, *folder.parents) if not one.is_dir()]
    for one in reversed(missing):
        one.mkdir(mode=PRIVATE_FOLDER if one == folder else OPEN_FOLDER, exist_ok=True)
        sync(one.parent)


def sync(path: Path) -> None:
    """Wait until the disk has this file, or the names in this folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
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
    descriptor = open_regular(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        with suppress(OSError):  # it is another user's, or the mount decides about modes
            os.fchmod(descriptor, PRIVATE_FILE)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return descriptor


def rehearse(folder: Path, modes: FileModes = PRIVATE) -> bool:
    """Do in `folder` all that a pass does with folders and files, and leave no trace; returns whether it has locks.

    Raises `OSError`, which names `folder`.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".zoomsync-probe-", dir=folder) as place:
            made, moved = Path(place, "made"), Path(place, "moved")
            make_folders(made.parent, made, modes)
            write(made / "file", b"zoomsync was here\n")
            modes.grant(made / "file")
            made.rename(moved)
            try:
                os.close(take_lock(moved / "lock") or -1)
            except OSError as error:
                if error.errno not in NO_LOCKS:
                    raise
                return False
            return True
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error


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
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        if mode != PRIVATE_FILE:  # then others shall read it, whatever the umask
            with suppress(OSError):  # if the mount lets them
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


def move(source: Path, target: Path, *, sha256: str, clock: "Clock") -> None:
    """Move a staged file to `target`, which the caller flushes; elsewhere by a durable copy, proven by `sha256`."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, target, sha256=sha256, clock=clock)
        source.unlink()


def link(source: Path, target: Path, *, sha256: str, clock: "Clock") -> None:
    """Give a staged file a second name; if its file system has no hard links (exFAT), a copy proven by `sha256`."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:  # EPERM, ENOTSUP, ENOSYS, EMLINK …: what else is wrong the copy meets, too
        _copy(source, target, sha256=sha256, clock=clock)


def _copy(source: Path, target: Path, *, sha256: str, clock: "Clock") -> None:
    part = target.with_name(f"{target.name}.part")
    try:
        with open_file(part, "wb") as copy:
            found, _ = digest(source, clock, copy=copy)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    if found != sha256:
        part.unlink()
        raise MeetingFailed(f"{source.name}: changed in staging", hint="the next pass fetches it again", service="disk")
    sync(part)
    part.replace(target)


def open_regular(path: str | Path, flags: int, mode: int = 0o666, *, follow: bool = False) -> int:
    """A descriptor of a file of ours; `OSError` for a link (unless `follow`), FIFO, device or folder. Never waits."""
    odd = OSError(errno.EEXIST, "not a regular file", str(path))
    try:
        descriptor = os.open(path, flags | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW), mode)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket, or a FIFO that nobody reads
            raise odd from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise odd
    return descriptor


def open_file(path: Path, mode: str = "rb", *, follow: bool = False) -> IO[bytes]:
    """A file of ours, opened by `open_regular`."""
    return open(path, mode, opener=partial(open_regular, follow=follow))  # the caller closes it


def read_file(path: Path, limit: int = DOCUMENT_LIMIT, *, follow: bool = False) -> bytes:
    """All of a file of ours, see `open_file`; raises `OSError` if it is larger than `limit`."""
    with open_file(path, follow=follow) as file:
        if os.fstat(file.fileno()).st_size > limit:
            raise OSError(errno.EOVERFLOW, f"larger than {limit:,} bytes", str(path))
        return file.read()


def has_size(path: Path, size: int) -> bool:
    """Whether a regular file (no link) of this size is there."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == size


def has_content(path: Path, size: int, sha256: str, clock: "Clock") -> bool:
    """Whether a regular file with exactly these bytes is there."""
    return has_size(path, size) and digest(path, clock)[0] == sha256


def digest(path: Path, clock: "Clock", *, copy: IO[bytes] | None = None) -> tuple[str, os.stat_result]:
    """The SHA-256 of a file and its status while it was read; `copy` gets what is read. See `open_file`."""
    content = hashlib.sha256()
    with open_file(path) as file:
        status = os.fstat(file.fileno())
        for chunk in chunks(file, clock):
            content.update(chunk)
            if copy is not None:
                copy.write(chunk)
    return content.hexdigest(), status


def chunks(file: IO[bytes], clock: "Clock") -> Iterator[bytes]:
    """A file piece by piece; a pass that is to end stops between two."""
    try:
        while chunk := file.read(CHUNK):
            clock.check()
            yield chunk
    except OSError as error:
        error.filename = str(file.name)  # the system names only what it is asked to open
        raise
