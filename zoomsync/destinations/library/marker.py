"""The library's marker, `.zoomsync/library.json`: whose library it is, and the last pass that changed it; its lock."""

import errno
import json
import logging
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from zoomsync import __version__
from zoomsync.destinations.base import Attachment
from zoomsync.errors import LibraryUnusable, MeetingFailed, PassRunning
from zoomsync.files import NO_LOCKS, OF_ONE_PATH, FileModes, Refusals, make_folders, read_file, take_lock, write

log = logging.getLogger(__name__)

FORMAT = 1
FOLDER = ".zoomsync"
NAME = "library.json"

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
NEW = "`zoomsync sync --new-library` begins another library there"
RECONCILE = "`zoomsync sync --reconcile` fetches again what this one lacks, and with --dry-run only lists it"
ADOPT = "`zoomsync sync --adopt-library` takes it over with all its items"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What makes a folder a library."""

    id: str
    state: str
    """The state that this library belongs to."""
    pass_number: int = 0
    """The last pass that changed it; 0: none yet."""
    run: str = ""
    """The id of that pass's run: a restored state comes to the same number again, never to the same id."""

    def write(self, library: Path) -> None:
        """Make it the marker of a library, durably; its folder exists."""
        fields = {"format": FORMAT, "zoomsync": __version__, "library": self.id, "state": self.state}
        document = {**fields, "pass": self.pass_number, "run": self.run}
        path = library / FOLDER / NAME
        with LIBRARY_ITSELF.explained(path):
            write(path, json.dumps(document, indent=2).encode() + b"\n", mode=0o640)


UNSEEN = Marker(id="", state="")


def read_marker(library: Path) -> Marker | None:
    """The marker of a library, None if there is none; raises `LibraryUnusable` for any that cannot be read."""
    path = library / FOLDER / NAME
    with LIBRARY_ITSELF.explained(path):
        try:
            data = read_file(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
    with suppress(ValueError, RecursionError):  # no JSON, or nested without end
        match json.loads(data):
            case {"format": int(version)} if version > FORMAT:
                hint = f"this is zoomsync {__version__}: use one that is at least as new as the one that wrote it"
                raise LibraryUnusable(f"{path}: format {version}, written by a newer zoomsync", hint=hint)
            case {"format": 1, "library": str(library_id), "state": str(state), "pass": int(number), "run": str(run)}:
                return Marker(id=library_id, state=state, pass_number=number, run=run)
    hint = f"restore it from a backup, or move it away: then {NEW}"
    raise LibraryUnusable(f"{path}: damaged, this is not a library's marker", hint=hint)


def misfit(marker: Marker | None, known: Attachment, path: Path) -> LibraryUnusable | None:
    """Why the library at `path` is not the one that the state knows, or None. It looks at no file but its folders."""
    if marker is None:
        if known.known_id is None:
            return None
        name = known.known_id[:8]
        if path.is_dir():
            fact = f"no library, {FOLDER}/{NAME} of library {name} is missing"
            hint = f"is the right file system mounted there? restore {FOLDER}/{NAME} from a backup; or {NEW}"
        else:
            fact = f"missing, it should hold library {name}"
            hint = f"is its file system mounted? check destination.path in the config; or {NEW}"
    elif marker.state != known.state_id:
        fact = f"this library belongs to another state ({marker.state[:8]})"
        hint = f"check state and destination.path in the config; if that state is lost, {ADOPT}"
    elif known.known_id not in (None, marker.id):
        fact = f"this is library {marker.id[:8]}, the state knows {str(known.known_id)[:8]}"
        hint = f"check destination.path in the config: another library of this state may be meant; or {NEW}"
    elif marker.pass_number < known.known_pass:
        fact = f"last changed by pass {marker.pass_number}, the state knows of pass {known.known_pass}: an older copy"
        hint = f"restore a newer backup of the library; {RECONCILE}"
    elif marker.pass_number and marker.run not in known.runs:
        fact = f"changed by pass {marker.pass_number} (run {marker.run}), of which the state knows nothing"
        hint = f"restore the newer state; if it is lost, {ADOPT}"
    elif known.has_items and not any((path / top).is_dir() for top in ("published", "drafts")):
        # items that all vanish at once are more likely hidden or unmounted than removed one by one
        fact = "its folders published and drafts are gone, and all items with them"
        hint = f"put them back: are they mounted? what was removed on purpose: mkdir {path / 'published'}"
    else:
        return None
    return LibraryUnusable(f"{path}: {fact}", hint=hint)


def _is_older(marker: Marker, known: Attachment) -> bool:
    """Whether this is the state's library as it was some passes ago."""
    is_same = (marker.state, marker.id) == (known.state_id, known.known_id)
    return is_same and marker.pass_number < known.known_pass


def _is_adoptable(marker: Marker, known: Attachment) -> bool:
    """Whether the library is ahead of the state, which is new or older: its items are more than the state knows."""
    is_of_another = marker.state != known.state_id
    is_newer = bool(marker.pass_number) and marker.run not in known.runs and marker.pass_number >= known.known_pass
    return known.known_id in (None, marker.id) and (is_of_another or is_newer)


@dataclass(slots=True)
class LibraryLock:
    """Makes sure that this is the library that the state knows, and that no other pass works in it."""

    path: Path
    marker: Marker = UNSEEN
    """As this pass found it, or left it; without an id before the library was looked at."""
    _is_changed: bool = False
    """Whether the marker says that this pass changes the library."""
    _pass: tuple[int, str] = (0, "")
    """The number of this pass, and the id of its run."""
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _pass_lock: int = -1
    """The descriptor of the lock."""

    def look(self, attachment: Attachment) -> None:
        """Read the marker, writing nothing; raises the misfit that `take` would raise."""
        own = self.path / FOLDER
        with LIBRARY_ITSELF.explained(own):
            if own.is_dir() and own.stat().st_dev != self.path.stat().st_dev:
                hint = "items are made there and moved into their place: unmount it, and set `staging` if that is meant"
                raise LibraryUnusable(f"{own}: on another file system than the library", hint=hint)
        found = read_marker(self.path)
        if found and attachment.reconcile and _is_older(found, attachment):
            self.marker = found
        elif found and attachment.adopt and _is_adoptable(found, attachment):
            self.marker = replace(found, state=attachment.state_id)
        else:
            problem = misfit(found, attachment, self.path)
            if problem is not None and not attachment.begin_new:
                raise problem
            if attachment.reconcile:  # else what a person removed would count as missing
                raise LibraryUnusable(f"{self.path}: not an older copy", hint="leave --reconcile away")
            begun = Marker(id=attachment.new_id, state=attachment.state_id)
            self.marker = found if found and problem is None else begun
        self._pass = (attachment.pass_number, attachment.run)

    def take(self, attachment: Attachment, modes: FileModes) -> None:
        """Lock the library, and write the marker of one that begins. Raises `LibraryUnusable`, `PassRunning`."""
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
        self.look(attachment)  # again: a pass that ended meanwhile may have changed it
        if read_marker(self.path) != self.marker:
            self.marker.write(self.path)

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
                number, run = self._pass
                self.marker = replace(self.marker, pass_number=number, run=run)
                self.marker.write(self.path)
                self._is_changed = True

    def confirm(self) -> None:
        """Before anything is written, or a person is said to have removed something: is the library still there?"""
        found = read_marker(self.path)
        if (found.id if found else "") != self.marker.id:
            hint = "is its file system still mounted? check destination.path in the config"
            raise LibraryUnusable(f"{self.path}: library {self.marker.id[:8]} went away during the pass", hint=hint)
