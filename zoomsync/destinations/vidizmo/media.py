"""A media item of the portal as zoomsync reads it, and the part of the receipt that it carries.

Each media item has, in a custom attribute, the receipt of its own content and of what is attached to it. So the receipt
survives the loss of the state. An attribute comes back with every reading of the media item; no operation is known that
reads a handout back. The receipt is packed: a text attribute may be short on some portals, and its checksum shows when
one was cut.
"""

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter

from zoomsync.destinations.vidizmo.client import PortalResponse
from zoomsync.destinations.vidizmo.operations import RECEIPT_ATTRIBUTE
from zoomsync.destinations.vidizmo.templates import picked, steps_of, without
from zoomsync.destinations.vidizmo.text import portal_name
from zoomsync.model import CloudFile, Receipt, StoredFile

# The states: https://help.vidizmo.com/support/solutions/articles/17000110563-api-reference-guide-mashupinfo-object
DRAFT = "Drafted"
PENDING = "PendingForApproval"
PUBLISHED = "Published"
REJECTED = "Rejected"
GONE = "Purged"
STORED = (DRAFT, PENDING, PUBLISHED)
STATES = (*STORED, REJECTED)
"""Every state in which there is a media item: a search that does not list them hides drafts."""

CHANGING = ("version", "updated", "size", "sha256", "duration", "processed")
"""What changes with the content itself, or without anybody's doing."""
CAPTION = "caption"
HANDOUT = "handout"
_SHA256 = re.compile("[0-9a-f]{64}")
MARK = "zs1:"
"""What a packed receipt begins with."""

Attributes = tuple[tuple[str, Any], ...]
"""Name and value as the portal writes them; a name may come more than once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaReceipt:
    """A media item's part of a receipt: its own content, what is attached to it, and the cloud files in them."""

    files: tuple[StoredFile, ...]
    cloud: tuple[CloudFile, ...]

    @property
    def content(self) -> StoredFile | None:
        """The media item's own content; None: another media item has it now."""
        return next((file for file in self.files if not attached_as(file)), None)


_MEDIA_RECEIPT = TypeAdapter(MediaReceipt)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaItem:
    """What the portal says of one media item."""

    id: str
    status: str
    """One of `STATES` or `GONE`, else whatever the portal calls it."""
    author: str
    """The e-mail of its author; empty: the portal does not say it."""
    size: int | None
    """In bytes; None: the portal does not say it."""
    is_sum: bool
    """Whether that is a sum, of all renditions say, and no proof of anything."""
    sha256: str
    """Of its content; empty: the portal does not say it."""
    processed: bool | None
    """Whether it is transcoded; None: the portal does not say it."""
    version: str
    look: str
    """A digest of everything but its content: whoever edits a title changes it."""
    uuid: str
    """Of its meeting, from its custom attribute; empty: it does not say it."""
    receipt: MediaReceipt | None
    """From its custom attribute; None: there is none, or not a whole one."""
    attributes: Attributes
    captions: Mapping[str, str] | None
    """File name → culture; None: the portal does not say which it has."""
    handouts: Mapping[str, int | None] | None
    """File name → size, None if the portal does not say it; None: it does not say which handouts there are."""

    def attached(self, file: StoredFile) -> Mapping[str, str | int | None] | None:
        """All that is attached to it in the same way as this file; None: the portal does not say it."""
        return self.captions if attached_as(file) == CAPTION else self.handouts


def read_media(answer: PortalResponse, uuid_attribute: str) -> MediaItem:
    """The media item of a `media_get`; raises `Unreachable` for an answer that has none."""
    own, status = answer.required("id"), answer.required("status")
    processed, is_gone = _processed(answer)
    attributes = read_attributes(answer)
    captions, handouts = _by_name(answer, "captions", "caption_name"), _by_name(answer, "handouts", "handout_name")
    return MediaItem(
        id=own,
        status=GONE
        if is_gone
        else next((one for one in (*STATES, GONE) if one.casefold() == status.casefold()), status),
        author=answer.text("author"),
        size=_size(answer),
        is_sum=answer.meanings["size"].is_sum,
        sha256=sha256 if _SHA256.fullmatch(sha256 := answer.text("sha256").lower()) else "",
        processed=processed,
        version=answer.text("version"),
        look=_look(answer, captions, handouts),
        uuid=text_of(attributes, uuid_attribute),
        receipt=unpacked(text_of(attributes, RECEIPT_ATTRIBUTE), own),
        attributes=attributes,
        captions=captions and {name: answer.text("caption_culture", one) for name, one in captions.items()},
        handouts=handouts and {name: _number(answer.get("handout_size", one)) for name, one in handouts.items()},
    )


def read_attributes(answer: PortalResponse, within: Any = None) -> Attributes:
    """The custom attributes of a media item, or of an element of a list of them."""
    found = answer.list("attributes", within)
    return tuple((answer.text("attribute_name", one), answer.get("attribute_value", one)) for one in found)


def text_of(attributes: Attributes, name: str) -> str:
    """The text of one of these; empty if there is none, or no text."""
    return next((value for one, value in attributes if one == name and isinstance(value, str)), "")


def _by_name(answer: PortalResponse, place: str, name: str) -> dict[str, Any] | None:
    """The entries of a list by name, the first of each; None: the portal does not say them, or not their names."""
    if not isinstance(answer.get(place), list):
        return None
    found = {answer.text(name, one): one for one in reversed(answer.list(place))}
    return None if "" in found else found


def _number(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return int(value) if isinstance(value, int) or (value.isascii() and value.isdecimal()) else None


def _size(answer: PortalResponse) -> int | None:
    value = answer.get("size")
    if not answer.meanings["size"].is_sum:
        return _number(value)
    numbers = [_number(one) for one in (value if isinstance(value, list) else [value])]
    return None if None in numbers else sum(one for one in numbers if one is not None)


def _processed(answer: PortalResponse) -> tuple[bool | None, bool]:
    """Whether it is transcoded (None: the portal does not say it), and whether its content was deleted.

    Of a list, all must say so.
    """
    said, meaning = _words(answer.get("processed")), answer.meanings["processed"]
    is_gone = bool(said) and said <= _words([*meaning.gone])
    is_gone = is_gone or _words(answer.get("deleted")) == {"true"}  # while it lies in a recycle bin
    return said <= _words([*meaning.yes]) if said else None, is_gone


def _words(value: Any) -> set[str]:
    """The words of a value, or of a list of them, in lower case; none if there is something else among them."""
    values = value if isinstance(value, list) else [value]
    is_said = all(isinstance(one, str | int) for one in values)
    return {str(one).casefold() for one in values} if is_said else set()


def _look(answer: PortalResponse, *attached: Mapping[str, Any] | None) -> str:
    steady: Any = answer.document if isinstance(answer.document, dict) else {}
    for place in "|".join(answer.places[name] for name in CHANGING).split("|"):
        steady = without(steady, steps_of(place))
    for name, found in zip(("captions", "handouts"), attached, strict=True):
        if found and picked(steady, answer.places[name]) is None:  # it stands among what changes with the content
            steady = {**steady, f"attached {name}": [*found]}
    return hashlib.sha256(json.dumps(steady, sort_keys=True).encode()).hexdigest()[:16]


def packed(receipt: MediaReceipt) -> str:
    """As the value of the attribute; the media item's id does not stand in it."""
    plain = replace(receipt, files=tuple(replace(one, place=attached_as(one), stamp=None) for one in receipt.files))
    document = _MEDIA_RECEIPT.dump_json(plain, exclude_defaults=True)
    return MARK + base64.b64encode(zlib.compress(document, 9)).decode()


def unpacked(text: str, media_id: str) -> MediaReceipt | None:
    """What was packed, of the media item with this id; None for anything else, also for a part of it."""
    try:
        if not text.startswith(MARK):
            return None
        document = zlib.decompress(base64.b64decode(text.removeprefix(MARK), validate=True))
        receipt = _MEDIA_RECEIPT.validate_json(document)
    except (ValueError, zlib.error):  # no base64, no text in it, no such document
        return None
    placed = (replace(one, place=f"{media_id}/{one.place}" if one.place else media_id) for one in receipt.files)
    return replace(receipt, files=tuple(placed))


def media_of(file: StoredFile) -> str:
    """The id of the media item that has a file."""
    return file.place.partition("/")[0]


def attached_as(file: StoredFile) -> str:
    """`CAPTION`, `HANDOUT`, or empty: it is the media item's own content."""
    return file.place.partition("/")[2]


def shows_attached(media: MediaItem, kind: str) -> bool:
    """Whether it shows, by its name, something that was attached to it as this kind."""
    files = media.receipt.files if media.receipt is not None else ()
    return any(portal_name(file.name) in (media.attached(file) or ()) for file in files if attached_as(file) == kind)


def media_receipt(receipt: Receipt, media_id: str) -> MediaReceipt:
    """What a media item has of the item of this receipt."""
    files = tuple(file for file in receipt.files if media_of(file) == media_id)
    names = {file.name for file in files}
    return MediaReceipt(files=files, cloud=tuple(one for one in receipt.cloud if one.stored in names))


def sorted_receipt(files: Iterable[StoredFile], cloud: Iterable[CloudFile]) -> MediaReceipt:
    """In the one order that does not depend on how it came about: videos first, then what is attached."""
    sorted_files = sorted(files, key=lambda file: (bool(attached_as(file)), str(file.role)))
    ranks = {file.name: (number, file.made_of) for number, file in enumerate(sorted_files)}

    def rank(one: CloudFile) -> tuple[int, int, str]:
        number, made_of = ranks.get(one.stored, (0, ()))
        return (number, made_of.index(one.id) if one.id in made_of else 0, one.id)

    return MediaReceipt(files=tuple(sorted_files), cloud=tuple(sorted(cloud, key=rank)))


def fullest_first(media: Iterable[MediaItem]) -> list[MediaItem]:
    """In the order in which they count if there are two of a kind: the one that has more, then the one made first."""
    return sorted(media, key=lambda one: (-len(one.receipt.files) if one.receipt else 0, len(one.id), one.id))
