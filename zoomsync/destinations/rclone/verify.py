"""Whether the stored files of a receipt are whole: the question that stands before every deletion."""

from functools import cache

from zoomsync.destinations.layout import Recording, judged
from zoomsync.destinations.rclone.items import Items
from zoomsync.formatting import size_in_words
from zoomsync.model import Clock, Receipt, Verdict


def inspect(receipt: Receipt, recording: Recording | None, items: Items, clock: Clock) -> Verdict:
    """Judge a receipt against the item that was found for it, by the store's hashes or by what is read back."""
    place = recording.receipt.place if recording is not None else ""
    there, read = cache(lambda: items.files(place)), items.to_read(receipt)
    how = f" ({size_in_words(read)} read back)" if read else f" (by the store's {items.proof.upper()})"
    return judged(receipt, recording, lambda file: items.flaw(place, file, there()), clock, where="remote", how=how)
