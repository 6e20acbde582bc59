"""Whether the stored files of a receipt are whole: the question that stands before every deletion."""

from dataclasses import replace
from pathlib import Path

from zoomsync.destinations.library.manifest import Recording
from zoomsync.files import digest, fact
from zoomsync.formatting import plural, size_in_words
from zoomsync.model import DAY, Clock, Receipt, Stamp, StoredFile, Verdict


class Altered(Exception):
    """A stored file is not there any more, or not as it was stored; it becomes a verdict in this module."""


def inspect(receipt: Receipt, found: tuple[Path, Recording] | None, clock: Clock) -> Verdict:
    """Judge a receipt against the item that was found for it: each file by size and content.

    Within a day of that, size, modification time and inode are enough. A person's removal or change is told from what
    cannot be read now; and a `recording.json` that says otherwise than the receipt makes it unsafe, but nobody's deed.
    """
    if found is None:
        return Verdict(safe=False, reason="the item was removed from the library", receipt=receipt, removed=True)
    folder, said = found
    here = replace(receipt, place=said.receipt.place)
    if (set(said.receipt.files), set(said.receipt.cloud)) != (set(receipt.files), set(receipt.cloud)):
        return Verdict(safe=False, reason="recording.json tells of another version of this item", receipt=here)
    altered: dict[str, str] = {}
    try:
        files = tuple(_inspected(folder, file, clock, altered) for file in receipt.files)
    except OSError as error:
        reason = f"{error.filename}: {fact(error)}, it could not be verified"
        return Verdict(safe=False, reason=reason, receipt=here)
    if altered:
        reason = next(iter(altered.values()))
        return Verdict(safe=False, reason=reason, receipt=here, removed=True, lacking=tuple(altered))
    return Verdict(safe=True, reason=_sentence(receipt, files), receipt=replace(here, files=files))


def _inspected(folder: Path, file: StoredFile, clock: Clock, altered: dict[str, str]) -> StoredFile:
    """The file with its present stamp; one that is not whole goes into `altered`, with the reason."""
    try:
        return replace(file, stamp=_stamp(folder / file.name, file, clock))
    except Altered as reason:
        altered[file.name] = str(reason)
        return file


def _stamp(path: Path, file: StoredFile, clock: Clock) -> Stamp:
    """The stamp of a whole file; raises `Altered`, or `OSError` for one that cannot be read."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Altered(f"{file.name} was removed") from error
    if path.is_symlink() or not path.is_file():
        raise Altered(f"{file.name} is not a file any more")
    if status.st_size != file.size:
        raise Altered(f"{file.name} has {status.st_size} bytes, {file.size} were stored")
    now = clock.now()
    known = file.stamp
    if known and now - DAY < known.at <= now and (known.mtime_ns, known.inode) == (status.st_mtime_ns, status.st_ino):
        return known
    content, status = digest(path, clock)
    if content != file.sha256:
        raise Altered(f"{file.name} was changed: its content is not what was stored")
    return Stamp(mtime_ns=status.st_mtime_ns, inode=status.st_ino, at=clock.now())


def _sentence(receipt: Receipt, files: tuple[StoredFile, ...]) -> str:
    read = [new for old, new in zip(receipt.files, files, strict=True) if new.stamp != old.stamp]
    size = size_in_words(sum(file.size for file in files))
    how = "content verified" if len(read) == len(files) else "unchanged since their content was verified"
    return f"{plural(len(files), 'file')}, {size}, {how}"
