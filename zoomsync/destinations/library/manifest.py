"""`recording.json`, the heart of an item: Zoom's metadata and the receipt, readable without zoomsync."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from zoomsync import __version__
from zoomsync.errors import MeetingFailed
from zoomsync.files import fact
from zoomsync.model import Receipt

FORMAT = 1
NAME = "recording.json"

_RECEIPT = TypeAdapter(Receipt)
_KNOWN_ELSEWHERE: dict[str, Any] = {"destination": True, "place": True, "files": {"__all__": {"stamp", "place"}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What `recording.json` says."""

    revision: int
    """Counts the changes of the item, from 1."""
    title: str
    meeting: Mapping[str, object]
    """Zoom's metadata, from an allow-list."""
    receipt: Receipt

    @property
    def document(self) -> bytes:
        """The file as it is written; an item can be moved, so neither place nor library stands in it."""
        receipt = _RECEIPT.dump_python(self.receipt, mode="json", exclude=_KNOWN_ELSEWHERE)
        fields = {"format": FORMAT, "zoomsync": __version__, "revision": self.revision, "title": self.title}
        text = json.dumps({**fields, "meeting": dict(self.meeting), "receipt": receipt}, indent=2, ensure_ascii=False)
        return text.encode() + b"\n"


def read_manifest(folder: Path, *, place: str, library: str) -> Recording | None:
    """What the item in `folder` says of itself, None without `recording.json`; `MeetingFailed` if unreadable."""
    path = folder / NAME
    try:
        document = json.loads(path.read_bytes())
        if document["format"] != FORMAT:
            hint = f"this is zoomsync {__version__}: use one that is at least as new as the one that wrote it"
            raise MeetingFailed(f"{path}: format {document['format']} is not known here", hint=hint, service="library")
        return Recording(
            revision=int(document["revision"]),
            title=str(document["title"]),
            meeting=dict(document["meeting"]),
            receipt=_RECEIPT.validate_python({**document["receipt"], "place": place, "destination": library}),
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise MeetingFailed(
            f"{path}: {fact(error)}", hint="check its mode and owner, and the disk", service="library"
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MeetingFailed(
            f"{path}: damaged", hint="restore this file from a backup of the library", service="library"
        ) from error
