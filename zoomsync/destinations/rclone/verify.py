"""Whether the stored files of a receipt are whole: the question that stands before every deletion."""

from dataclasses import replace

from zoomsync.destinations.layout import Recording
from zoomsync.destinations.rclone.items import Items
from zoomsync.formatting import plural, size_in_words
from zoomsync.model import Clock, Receipt, Stamp, StoredFile, Verdict


def inspect(receipt: Receipt, recording: Recording | None, items: Items, clock: Clock) -> Verdict:
    """Judge a receipt against the item that was found for it: the content of each file, each time.

    `removed` means that a person removed or changed something: not that a file could not be read now, and not that
    `recording.json` says otherwise than the receipt.
    """
    if recording is None:
        return Verdict(safe=False, reason="the item was removed from the remote", receipt=receipt, removed=True)
    place = recording.receipt.place
    here = replace(receipt, place=place)
    if (set(recording.receipt.files), set(recording.receipt.cloud)) != (set(receipt.files), set(receipt.cloud)):
        return Verdict(safe=False, reason="recording.json describes another version of this item", receipt=here)
    there = items.remote.files(place)
    files: list[StoredFile] = []
    altered: dict[str, str] = {}
    for file in receipt.files:
        if wrong := items.flaw(place, file, there):
            altered[file.name] = wrong
        files.append(replace(file, stamp=Stamp(at=clock.now(), look=file.stamp.look if file.stamp else "")))
    if altered:
        reason = next(iter(altered.values()))
        return Verdict(safe=False, reason=reason, receipt=here, removed=True, lacking=tuple(altered))
    size, read = size_in_words(sum(file.size for file in files)), items.to_read(receipt)
    how = f"{size_in_words(read)} read back" if read else f"by the store's {items.proof.upper()}"
    reason = f"{plural(len(files), 'file')}, {size}, content verified ({how})"
    return Verdict(safe=True, reason=reason, receipt=replace(here, files=tuple(files)))
