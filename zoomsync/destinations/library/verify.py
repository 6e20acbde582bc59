"""Whether the stored files of a receipt are whole: the question that stands before every deletion."""

from dataclasses import replace
from pathlib import Path

from zoomsync.destinations.library.index import Recording
from zoomsync.files import digest, fact
from zoomsync.formatting import plural, size_in_words
from zoomsync.model import DAY, Clock, Receipt, Stamp, StoredFile, Verdict


def inspect(receipt: Receipt, found: tuple[Path, Recording] | None, clock: Clock) -> Verdict:
    """Judge a receipt against the item that was found for it: each file by size and content.

    Within a day of that, size, modification time and inode are enough. `removed` means that a person removed or changed
    something: not that a file could not be read now, and not that `recording.json` says otherwise than the receipt.
    """
    if found is None:
        return Verdict(safe=False, reason="the item was removed from the library", receipt=receipt, removed=True)
    folder, recording = found
    here = replace(receipt, place=recording.receipt.place)
    if (set(recording.receipt.files), set(recording.receipt.cloud)) != (set(receipt.files), set(receipt.cloud)):
        return Verdict(safe=False, reason="recording.json describes another version of this item", receipt=here)
    files: list[StoredFile] = []
    altered: dict[str, str] = {}
    try:
        for file in receipt.files:
            stamp = _stamp(folder / file.name, file, clock)
            if isinstance(stamp, str):
                altered[file.name] = stamp
            else:
                files.append(replace(file, stamp=stamp))
    except OSError as error:
        reason = f"{error.filename}: {fact(error)}, it could not be verified"
        return Verdict(safe=False, reason=reason, receipt=here)
    if altered:
        reason = next(iter(altered.values()))
        return Verdict(safe=False, reason=reason, receipt=here, removed=True, lacking=tuple(altered))
    is_read = [new.stamp != old.stamp for old, new in zip(receipt.files, files, strict=True)]
    how = "content verified" if all(is_read) else "unchanged since their content was verified"
    reason = f"{plural(len(files), 'file')}, {size_in_words(sum(file.size for file in files))}, {how}"
    return Verdict(safe=True, reason=reason, receipt=replace(here, files=tuple(files)))


def _stamp(path: Path, file: StoredFile, clock: Clock) -> Stamp | str:
    """The present stamp of a whole file, or in words what became of it; raises `OSError` if it cannot be read."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return f"{file.name} was removed"
    if path.is_symlink() or not path.is_file():
        return f"{file.name} is not a file any more"
    if status.st_size != file.size:
        return f"{file.name} has {status.st_size} bytes, {file.size} were stored"
    now = clock.now()
    known = file.stamp
    if known and now - DAY < known.at <= now and (known.mtime_ns, known.inode) == (status.st_mtime_ns, status.st_ino):
        return known
    content, status = digest(path, clock)
    if content != file.sha256:
        return f"{file.name} was changed: its content is not what was stored"
    return Stamp(mtime_ns=status.st_mtime_ns, inode=status.st_ino, at=clock.now())
