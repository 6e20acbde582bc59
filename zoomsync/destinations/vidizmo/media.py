"""A media of the portal as zoomsync reads it: a value made of an answer, and where answers differ, of less."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zoomsync.destinations.vidizmo.portal import Answer

STATES = ("Drafted", "PendingForApproval", "Published", "Rejected", "Purged")
"""Every state there is: a search that does not list them hides drafts."""
GONE = "Purged"
REJECTED = "Rejected"

CHANGING = ("version", "updated", "size", "duration", "processed")
"""What changes with the content itself, or without anybody's doing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handout:
    """A file that is attached to a media."""

    name: str
    size: int | None
    """None: the portal does not say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What the portal says of one media."""

    id: str
    status: str
    author: str
    """The e-mail of its author; empty: it does not say it."""
    size: int | None
    """In bytes; None: it does not say it."""
    processed: bool | None
    """Whether it is transcoded; None: it does not say it."""
    version: str
    look: str
    """A digest of everything but its content: whoever edits a title changes it."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    captions: Mapping[str, str] = field(default_factory=dict)
    """File name → culture."""
    handouts: tuple[Handout, ...] = ()

    def handout(self, name: str) -> Handout | None:
        """The handout of this name."""
        return next((one for one in self.handouts if one.name == name), None)


def read_media(answer: Answer) -> Media:
    """The media of a `media_get`; raises `Unreachable` for an answer that is none."""
    return Media(
        id=answer.required("id"),
        status=answer.required("status"),
        author=answer.text("author"),
        size=_number(answer.get("size")),
        processed=found if isinstance(found := answer.get("processed"), bool) else None,
        version=answer.text("version"),
        look=_look(answer),
        attributes=read_attributes(answer),
        captions={
            answer.text("caption_name", one): answer.text("caption_culture", one) for one in answer.list("captions")
        },
        handouts=tuple(
            Handout(name=answer.text("handout_name", one), size=_number(answer.get("handout_size", one)))
            for one in answer.list("handouts")
        ),
    )


def read_attributes(answer: Answer, within: Any = None) -> dict[str, str]:
    """The custom attributes of a media, or of an element of a list of media: name → value."""
    found = answer.list("attributes", within)
    return {answer.text("attribute_name", one): answer.text("attribute_value", one) for one in found}


def _number(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return int(value) if isinstance(value, int) or (value.isascii() and value.isdecimal()) else None


def _look(answer: Answer) -> str:
    changing = {answer.places.get(name) for name in CHANGING}
    document = answer.document if isinstance(answer.document, dict) else {}
    steady = {name: value for name, value in document.items() if name not in changing}
    return hashlib.sha256(json.dumps(steady, sort_keys=True).encode()).hexdigest()[:16]
