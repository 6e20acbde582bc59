"""The receipt as the portal keeps it: each media says, in a custom attribute, what of the item it holds.

An attribute, because it comes back with every reading of the media, in one piece with what it speaks of; no operation
is known that reads a handout back. So the receipt survives the loss of the state. It is packed: a text attribute may be
short on some portals, and one that was cut is told from a whole one by its checksum.
"""

import base64
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from zoomsync.model import CloudFile, ItemFile, Receipt, StoredFile

MARK = "zs1:"
CAPTION = "caption"
HANDOUT = "handout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one media holds of an item: its own content and what is attached to it; and of which cloud files."""

    files: tuple[StoredFile, ...]
    cloud: tuple[CloudFile, ...]


_HELD = TypeAdapter(Held)


def packed(held: Held) -> str:
    """As the value of the attribute; the media's id does not stand in it."""
    plain = replace(held, files=tuple(replace(file, place=manner_of(file), stamp=None) for file in held.files))
    return MARK + base64.b64encode(zlib.compress(_HELD.dump_json(plain, exclude_defaults=True), 9)).decode()


def unpacked(text: str, media: str) -> Held | None:
    """What was packed, of the media with this id; None for anything else, also for a part of it."""
    try:
        if not text.startswith(MARK):
            return None
        document = zlib.decompress(base64.b64decode(text.removeprefix(MARK), validate=True))
        held = _HELD.validate_json(document)
    except (ValueError, zlib.error):  # no base64, no text in it, no such document
        return None
    return replace(held, files=tuple(replace(file, place=attached(media, file.place)) for file in held.files))


def attached(media: str, manner: str) -> str:
    """Where a file is that a media holds: as its own content (no manner), as `caption` or as `handout`."""
    return f"{media}/{manner}" if manner else media


def media_of(file: StoredFile) -> str:
    """The id of the media that holds a file."""
    return file.place.partition("/")[0]


def manner_of(file: StoredFile) -> str:
    """`caption`, `handout`, or nothing: it is the media's own content."""
    return file.place.partition("/")[2]


def stored_as(file: ItemFile, place: str) -> StoredFile:
    """A file of an item as it is stored there."""
    return StoredFile(
        name=file.name,
        role=file.role,
        size=file.size,
        sha256=file.sha256,
        made_of=file.made_of,
        offsets=file.offsets,
        place=place,
    )


def share_of(receipt: Receipt, media: str) -> Held:
    """What a media holds of the item of this receipt."""
    files = tuple(file for file in receipt.files if media_of(file) == media)
    names = {file.name for file in files}
    return Held(files=files, cloud=tuple(one for one in receipt.cloud if one.stored in names))


def ordered(files: Iterable[StoredFile], cloud: Iterable[CloudFile]) -> Held:
    """In the one order that does not depend on how it came about: videos first, then what is attached."""
    sorted_files = sorted(files, key=lambda file: (bool(manner_of(file)), str(file.role)))
    places = {file.name: number for number, file in enumerate(sorted_files)}
    parts = {file.name: file.made_of for file in sorted_files}

    def rank(one: CloudFile) -> tuple[int, int, str]:
        made_of = parts.get(one.stored, ())
        return (places.get(one.stored, 0), made_of.index(one.id) if one.id in made_of else 0, one.id)

    return Held(files=tuple(sorted_files), cloud=tuple(sorted(cloud, key=rank)))
