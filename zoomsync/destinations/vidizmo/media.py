"""A media of the portal as zoomsync reads it: a value made of an answer, and where answers differ, of less."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoomsync.destinations.vidizmo.client import PortalResponse

DRAFT = "Drafted"
PENDING = "PendingForApproval"
PUBLISHED = "Published"
REJECTED = "Rejected"
GONE = "Purged"
STORED = (DRAFT, PENDING, PUBLISHED)
STATES = (*STORED, REJECTED)
"""Every state in which there is a media: a search that does not list them hides drafts."""

CHANGING = ("version", "updated", "size", "duration", "processed")
"""What changes with the content itself, or without anybody's doing."""


Attributes = tuple[tuple[str, Any], ...]
"""Name and value as the portal writes it; a name may come more than once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handout:
    """A file that is attached to a media."""

    name: str
    size: int | None
    """None: the portal does not say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaItem:
    """What the portal says of one media."""

    id: str
    status: str
    """One of `STATES` or `GONE`, else whatever the portal calls it."""
    author: str
    """The e-mail of its author; empty: it does not say it."""
    size: int | None
    """In bytes; None: it does not say it."""
    processed: bool | None
    """Whether it is transcoded; None: it does not say it."""
    version: str
    look: str
    """A digest of everything but its content: whoever edits a title changes it."""
    attributes: Attributes = ()
    captions: Mapping[str, str] | None = None
    """File name → culture; None: it does not say which it has."""
    handouts: tuple[Handout, ...] | None = None
    """None: it does not say which it has."""

    def attribute(self, name: str) -> str:
        """The text of a custom attribute; empty where there is none, or no text."""
        return text_of(self.attributes, name)

    def handout(self, name: str) -> Handout | None:
        """The handout of this name."""
        return next((one for one in self.handouts or () if one.name == name), None)


def read_media(answer: PortalResponse) -> MediaItem:
    """The media of a `media_get`; raises `Unreachable` for an answer that is none."""
    return MediaItem(
        id=answer.required("id"),
        status=_state(answer.required("status")),
        author=answer.text("author"),
        size=_number(answer.get("size")),
        processed=found if isinstance(found := answer.get("processed"), bool) else None,
        version=answer.text("version"),
        look=_look(answer),
        attributes=read_attributes(answer),
        captions=_captions(answer),
        handouts=_handouts(answer),
    )


def read_attributes(answer: PortalResponse, within: Any = None) -> Attributes:
    """The custom attributes of a media, or of an element of a list of media."""
    found = answer.list("attributes", within)
    return tuple((answer.text("attribute_name", one), answer.get("attribute_value", one)) for one in found)


def text_of(attributes: Attributes, name: str) -> str:
    """The text of one of these; empty where there is none, or no text."""
    return next((value for one, value in attributes if one == name and isinstance(value, str)), "")


def _state(text: str) -> str:
    return next((one for one in (*STATES, GONE) if one.casefold() == text.casefold()), text)


def _captions(answer: PortalResponse) -> dict[str, str] | None:
    found = _told(answer, "captions", "caption_name")
    return None if found is None else {name: answer.text("caption_culture", one) for name, one in found}


def _handouts(answer: PortalResponse) -> tuple[Handout, ...] | None:
    found = _told(answer, "handouts", "handout_name")
    return (
        None
        if found is None
        else tuple(Handout(name=name, size=_number(answer.get("handout_size", one))) for name, one in found)
    )


def _told(answer: PortalResponse, place: str, name: str) -> list[tuple[str, Any]] | None:
    """The entries of a list by name; None: the portal does not say what there is, or not how it is called."""
    if not isinstance(answer.get(place), list):
        return None
    found = [(answer.text(name, one), one) for one in answer.list(place)]
    return found if all(called for called, _ in found) else None


def _number(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return int(value) if isinstance(value, int) or (value.isascii() and value.isdecimal()) else None


def _look(answer: PortalResponse) -> str:
    changing = {answer.places.get(name) for name in CHANGING}
    document = answer.document if isinstance(answer.document, dict) else {}
    steady = {name: value for name, value in document.items() if name not in changing}
    return hashlib.sha256(json.dumps(steady, sort_keys=True).encode()).hexdigest()[:16]
