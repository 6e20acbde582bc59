"""The items of a library: found by meeting wherever a person put them, and read.

An item is a folder with a `recording.json`: Zoom's metadata and the receipt, readable without zoomsync.
"""

import errno
import json
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from zoomsync import __version__
from zoomsync.errors import MeetingFailed
from zoomsync.files import fact, read_file
from zoomsync.formatting import json_text, plural
from zoomsync.model import Clock, Receipt
from zoomsync.naming import suffix

FORMAT = 1
MANIFEST = "recording.json"
TOPS = ("published", "drafts")
WALKS = 3
"""So often the library is walked when a person moves folders meanwhile."""
_SUFFIX = re.compile(r"\[([0-9a-f]{8})\]")
_DATED = re.compile(r"\d{4}-\d\d-\d\d \d\d-\d\d")
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
        return json_text({**fields, "meeting": dict(self.meeting), "receipt": receipt}, indent=2).encode() + b"\n"


def read_manifest(folder: Path, *, place: str, library: str) -> Recording | None:
    """What the item in `folder` says of itself, None without `recording.json`; `MeetingFailed` if unreadable."""
    path = folder / MANIFEST
    try:
        # halves of characters, which zoomsync once wrote as they came from Zoom, fit into no file of ours any more
        text = json.dumps(json.loads(read_file(path)), ensure_ascii=False)
        document = json.loads(text.encode(errors="replace"))
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
        hint = "check its mode and owner, and the disk"
        raise MeetingFailed(f"{path}: {fact(error)}", hint=hint, service="library") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        hint = (
            "restore it from a backup; or move the folder of the item away, then `sync --meeting WHAT` fetches it again"
        )
        raise MeetingFailed(f"{path}: damaged", hint=hint, service="library") from error


@dataclass(slots=True)
class Index:
    """The folders of a library whose names have a meeting's suffix. Shared by all threads."""

    root: Path
    clock: Clock
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _folders: dict[str, set[Path]] | None = None
    """Suffix → folders; None: not walked yet."""
    _closed: list[Path] = field(default_factory=list)
    """Folders that a person closed to this user, or that another user made: nobody knows what lies in there."""

    def add(self, folder: Path) -> None:
        """Remember an item that was just published."""
        with self._lock:
            if self._folders is not None:
                _add(folder, self._folders)

    def locate(self, uuid: str, *, library: str, is_known: bool = False) -> tuple[Path, Recording] | None:
        """The item of a meeting; of several (a person copied it) always the same one.

        Raises `MeetingFailed` when a folder has the suffix but does not say whose it is, and when an item that is known
        to be stored may lie in a folder that cannot be read.
        """
        ending, matches, unknown = suffix(uuid), [], []
        with self._lock:
            if self._folders is None or not all(one.is_dir() for one in self._folders.get(ending, ())):
                self._folders = self._walk()  # again when one of them has been moved since
            named = sorted(self._folders.get(ending, ()))
        for folder in named:
            # a person may give a folder a name that is no UTF-8, which no state and no JSON could hold
            place = os.fsencode(folder.relative_to(self.root).as_posix()).decode("utf-8", "replace")
            recording = read_manifest(folder, place=place, library=library)
            if recording is None:
                unknown.append(folder)
            elif recording.receipt.uuid == uuid:
                matches.append((folder, recording))
        if unknown and not matches:
            hint = "restore it from a backup; or remove the folder, then `sync --meeting` fetches it again"
            raise MeetingFailed(f"{unknown[0]}: {MANIFEST} is missing", hint=hint, service="library")
        if is_known and not matches and self._closed:
            raise _refused(self._closed[0])
        return min(matches, key=lambda match: (-match[1].revision, str(match[0])), default=None)

    def in_words(self) -> str:
        """How many items there are, and how far back they go."""
        folders = self._walk()
        if self._closed:
            raise _refused(self._closed[0])
        names = (folder.name[:16] for some in folders.values() for folder in some if _DATED.match(folder.name))
        oldest = min(names, default="")
        since = f", the oldest of {oldest}: recordings.since must not be later" if oldest else ""
        return f"{plural(len(folders), 'item')} found{since}"

    def _walk(self, walks: int = WALKS) -> dict[str, set[Path]]:
        """Every folder that is an item or could hold some; raises `OSError` rather than overlook one.

        One that is closed to this user goes to `_closed`: it costs its own items alone.
        """
        found: dict[str, set[Path]] = {}
        self._closed = []

        def note(error: OSError) -> None:
            if error.errno != errno.EACCES or Path(error.filename).parent == self.root:
                raise error
            self._closed.append(Path(error.filename))
            _add(Path(error.filename), found)

        try:
            for top in TOPS:
                if (self.root / top).is_dir():
                    for folder, below, names in os.walk(self.root / top, onerror=note):
                        self.clock.check()
                        if MANIFEST in names:
                            below.clear()
                        _add(Path(folder), found)
        except FileNotFoundError:  # a person is moving folders just now
            if walks == 1:
                raise
            return self._walk(walks - 1)
        return found


def _add(folder: Path, folders: dict[str, set[Path]]) -> None:
    for ending in _SUFFIX.findall(folder.name):
        folders.setdefault(ending, set()).add(folder)


def _refused(folder: Path) -> OSError:
    return PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
