"""Whether the stored files of a receipt are whole: the question that stands before every deletion."""

import errno
from dataclasses import replace
from pathlib import Path

from zoomsync.destinations.layout import Recording, judged, was_removed
from zoomsync.files import NO_RIGHT, digest, fact
from zoomsync.model import Clock, Receipt, StoredFile, Verdict

AWAY = {
    errno.ESTALE,
    errno.ETIMEDOUT,
    errno.ENOTCONN,
    errno.ECONNABORTED,
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.ESHUTDOWN,
    errno.ENETDOWN,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.ENODEV,
    errno.ENXIO,
}
"""What a mount says whose server or device is away."""


def inspect(receipt: Receipt, found: tuple[Path, Recording] | None, clock: Clock) -> Verdict:
    """Judge a receipt against the item that was found for it; a file that cannot be read now proves nothing."""
    folder, recording = found or (Path(), None)
    try:
        return judged(
            receipt, recording, lambda file: _alteration(folder / file.name, file, clock), clock, where="library"
        )
    except OSError as error:
        reason = f"{error.filename}: {fact(error)}, it could not be verified"
        here = receipt if recording is None else replace(receipt, place=recording.receipt.place)
        is_away = error.errno in AWAY
        hint = "is its file system still mounted?" if is_away else "check its mode and owner, and the disk"
        return Verdict(safe=False, reason=reason, receipt=here, unread=says_nothing(error), hint=hint)


def says_nothing(error: BaseException | None) -> bool:
    """Whether what is stored may well be whole. A disk that fails to read it (EIO) may have lost it."""
    return isinstance(error, OSError) and error.errno in NO_RIGHT | AWAY


def _alteration(path: Path, file: StoredFile, clock: Clock) -> str:
    """What became of a stored file, in words; empty: it is whole. Raises `OSError` if it cannot be read."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return was_removed(file)
    if path.is_symlink() or not path.is_file():
        return f"{file.name} is not a file any more"
    if status.st_size != file.size:
        return f"{file.name} has {status.st_size} bytes, {file.size} were stored"
    content, _ = digest(path, clock)
    return "" if content == file.sha256 else f"{file.name} was changed: its content is not what was stored"
