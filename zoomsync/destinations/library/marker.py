"""Whose library it is, as its marker says, and its lock."""

import errno
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from zoomsync.destinations.base import NEW_LIBRARY, Attachment
from zoomsync.destinations.layout import TOPS
from zoomsync.destinations.marker import FOLDER, NAME, UNSEEN, Marker, Root, working_marker
from zoomsync.errors import LibraryUnusable, MeetingFailed, PassRunning
from zoomsync.files import NO_LOCKS, OF_ONE_PATH, FileModes, Refusals, make_folders, read_file, take_lock, write

log = logging.getLogger(__name__)

LIBRARY = Refusals(
    error=LibraryUnusable,
    no_room="free space on the library's file system, or raise the quota",
    no_right="check owner and mode of destination.path, destination.group, and the mount; "
    "if the mount decides about modes, set destination.dir_mode and destination.file_mode to keep",
    otherwise="check destination.path, and that its file system is mounted and sound",
    of_one_path="look at this path in the library; what stands or is mounted in the way may be moved aside",
)
"""Of everything in the library's folder."""
ITEM = replace(
    LIBRARY,
    one_path=OF_ONE_PATH | {errno.EACCES},
    of_one_path="look at this path in the library, its owner, mode and mount",
)
"""Of the folder of one author or item, which a person may have closed."""
LIBRARY_ITSELF = replace(LIBRARY, of_one_path="")
"""Of what concerns every item."""


def read_marker(library: Path) -> Marker | None:
    """The marker of a library, None if there is none; raises `LibraryUnusable` for any that cannot be read."""
    path = library / FOLDER / NAME
    with LIBRARY_ITSELF.explained(path):
        try:
            data = read_file(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
    return Marker.parse(data, str(path), service="library")


@dataclass(slots=True)
class LibraryLock:
    """Makes sure that this is the library that the state knows, and that no other pass works in it."""

    path: Path
    note_all: Callable[[], None]
    """Writes down what lies in the library."""
    marker: Marker = UNSEEN
    """As this pass found it, or left it; without an id before the library was looked at."""
    is_ahead: bool = False
    """Whether it may hold items that the state does not know: it is new to the state, or the state has not seen the end
    of the pass that changed it last."""
    _found: Marker | None = None
    """The marker as this pass found it, once it has the lock."""
    _is_noted: bool = False
    """Whether this pass has written down what lies here."""
    _is_changed: bool = False
    """Whether the marker says that this pass changes the library."""
    _pass: tuple[int, str] = (0, "")
    """The number of this pass, and the id of its run."""
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _pass_lock: int = -1
    """The descriptor of the lock."""

    def look(self, attachment: Attachment) -> Marker | None:
        """Read the marker, and return it as it was found; writes nothing. Raises the misfit that `take` would raise."""
        own = self.path / FOLDER
        with LIBRARY_ITSELF.explained(own):
            if own.is_dir() and own.stat().st_dev != self.path.stat().st_dev:
                hint = "items are made there and moved into their place: unmount it, and set `staging` if that is meant"
                raise LibraryUnusable(f"{own}: on another file system than the library", hint=hint)
        root = Root(
            name=str(self.path),
            key="destination.path",
            is_there=self.path.is_dir(),
            has_tops=any((self.path / top).is_dir() for top in TOPS),
            if_away="is its file system mounted?",
            if_other="is the right file system mounted there?",
            if_emptied=f"mkdir {self.path / 'published'}",
            service="library",
        )
        found = read_marker(self.path)
        self.marker = working_marker(found, attachment, root)
        is_seen = not self.marker.pass_number or self.marker.run in attachment.ended
        self.is_ahead = self.marker != found or not is_seen
        self._pass = (attachment.pass_number, attachment.run)
        return found

    def take(self, attachment: Attachment, modes: FileModes) -> None:
        """Lock the library for this pass; `claim` comes next. Raises `LibraryUnusable`, `PassRunning`."""
        self.look(attachment)
        try:
            with LIBRARY.explained(self.path):
                if not self.path.is_dir():
                    make_folders(self.path.parent, self.path, modes)
                mode = modes.dir_mode and modes.dir_mode & 0o755  # nobody else plants anything in there
                own = replace(modes, dir_mode=mode)
                make_folders(self.path, self.path / FOLDER, own)
                self._lock(self.path / FOLDER / "lock")
        except MeetingFailed as error:  # here it concerns every meeting
            raise error.become(LibraryUnusable) from error
        self._found = self.look(attachment)  # again: a pass that ended meanwhile may have changed it
        if self._found is None:  # any pass may go on with an adoption of it
            attachment.adopting(NEW_LIBRARY)

    def claim(self, attachment: Attachment) -> None:
        """Write the marker of a library that begins or is taken over."""
        if attachment.adopt and self.is_ahead:  # before the state takes it for known
            self._note()
        if self._found is not None:
            attachment.adopting(self._found.id)
        if self._found != self.marker:
            self._write_marker()
        other = self._found.state if self._found is not None else self.marker.state
        if other != self.marker.state and (left := self.path / FOLDER / other).is_dir():
            log.info("%s: what the other state had under way: remove it if that one is lost", left)

    def _lock(self, file: Path) -> None:
        try:
            descriptor = take_lock(file)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            # The lock of the state is always there, and a library belongs to one state.
            log.warning("%s: its file system has no locks: let no copy of this state work in this library", file)
            return
        if descriptor is None:
            raise PassRunning(f"{self.path}: another pass is running in this library", service="library")
        self._pass_lock = descriptor

    def release(self) -> None:
        """Let go of the lock."""
        if self._pass_lock >= 0:
            os.close(self._pass_lock)
            self._pass_lock = -1

    def begin_change(self) -> None:
        """Before a change; the first one writes down, durably, that this pass changes the library."""
        self.confirm()
        with self._writing:
            if not self._is_changed:
                self.marker = self.marker.changed_by(*self._pass)
                self._write_marker()
                self._is_changed = True

    def _note(self) -> None:
        if not self._is_noted:
            with LIBRARY_ITSELF.explained(self.path):
                self.note_all()
            self._is_noted = True

    def _write_marker(self) -> None:
        """What the library holds is written down before its marker says that all is as the state knows it."""
        if self.is_ahead:
            self._note()
        path = self.path / FOLDER / NAME
        with LIBRARY_ITSELF.explained(path):
            write(path, self.marker.document, mode=0o640)

    def confirm(self) -> None:
        """Before anything is written, or a person is said to have removed something: is the library still there?"""
        found = read_marker(self.path)
        if (found.id if found else "") != self.marker.id:
            hint = "is its file system still mounted? check destination.path in the config"
            raise LibraryUnusable(f"{self.path}: library {self.marker.id[:8]} went away during the pass", hint=hint)
