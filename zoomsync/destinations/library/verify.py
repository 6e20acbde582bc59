"""Whether the stored files of a receipt are whole: the question that stands before every deletion."""

from dataclasses import replace
from pathlib import Path

from zoomsync.destinations.layout import Recording
from zoomsync.files import digest, fact
from zoomsync.formatting import plural, size_in_words
from zoomsync.model import Clock, Receipt, Stamp, StoredFile, Verdict


def inspect(receipt: Receipt, found: tuple[Path, Recording] | None, clock: Clock) -> Verdict:
    """Judge a receipt against the item that was found for it: the content of each file is read, each time.

    `removed` means that a person removed or changed something: not that a file could not be read now, and not that
    `recording.json` says otherwise than the receipt.
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
            if wrong := _alteration(folder / file.name, file, clock):
                altered[file.name] = wrong
            files.append(replace(file, stamp=Stamp(at=clock.now())))
    except OSError as error:
        reason = f"{error.filename}: {fact(error)}, it could not be verified"
        return Verdict(safe=False, reason=reason, receipt=here)
    if altered:
        reason = next(iter(altered.values()))
        return Verdict(safe=False, reason=reason, receipt=here, removed=True, lacking=tuple(altered))
    size = size_in_words(sum(file.size for file in files))
    reason = f"{plural(len(files), 'file')}, {size}, content verified"
    return Verdict(safe=True, reason=reason, receipt=replace(here, files=tuple(files)))


def _alteration(path: Path, file: StoredFile, clock: Clock) -> str:
    """What became of a stored file, in words; empty: it is whole. Raises `OSError` if it cannot be read."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return f"{file.name} was removed"
    if path.is_symlink() or not path.is_file():
        return f"{file.name} is not a file any more"
    if status.st_size != file.size:
        return f"{file.name} has {status.st_size} bytes, {file.size} were stored"
    content, _ = digest(path, clock)
    return "" if content == file.sha256 else f"{file.name} was changed: its content is not what was stored"
