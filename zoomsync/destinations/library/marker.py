"""The library's marker, `.zoomsync/library.json`: whose library it is, and the last pass that changed it."""

import json
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from zoomsync import __version__
from zoomsync.destinations.base import Attachment
from zoomsync.errors import LibraryUnusable, MeetingFailed, PassRunning
from zoomsync.files import FileModes, Refusals, make_folders, write

FORMAT = 1
FOLDER = ".zoomsync"
NAME = "library.json"

LIBRARY = Refusals(
    error=LibraryUnusable,
    no_room="free space on the library's file system, or raise the quota",
    no_right="check owner and mode of destination.path, destination.group, and the mount",
    otherwise="check destination.path, and that its file system is mounted and sound",
    of_one_path="look at this path in the library; what stands in the way may be moved aside",
)
NEW = (
    "`zoomsync sync --new-library` begins another library there; to have it find its items again, "
    "move the state away first (README: Move, back up, restore)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What makes a folder a library."""

    id: str
    state: str
    """The state that this library belongs to."""
    pass_number: int
    """The last pass that changed it; 0: none yet."""
    run: str
    """The id of that pass's run: a restored state comes to the same number again, never to the same id."""

    @property
    def document(self) -> bytes:
        """The marker as it is written."""
        fields = {"format": FORMAT, "zoomsync": __version__, "library": self.id, "state": self.state}
        return json.dumps({**fields, "pass": self.pass_number, "run": self.run}, indent=2).encode() + b"\n"


def path_of(library: Path) -> Path:
    """Where a library's marker is."""
    return library / FOLDER / NAME


def read_marker(library: Path) -> Marker | None:
    """The marker of a library, None where there is none; raises `LibraryUnusable` for any that cannot be read."""
    path = path_of(library)
    with LIBRARY.explained(path):
        try:
            data = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
    try:
        return _parsed(json.loads(data), path)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        hint = f"restore it from a backup, or move it away: then {NEW}"
        raise LibraryUnusable(f"{path}: damaged, this is not a library's marker", hint=hint) from error


def _parsed(document: dict[str, object], path: Path) -> Marker:
    version = document["format"]
    if isinstance(version, int) and version > FORMAT:
        hint = f"this is zoomsync {__version__}: use one that is at least as new as the one that wrote it"
        raise LibraryUnusable(f"{path}: format {version}, written by a newer zoomsync", hint=hint)
    library, state, number, run = (document[name] for name in ("library", "state", "pass", "run"))
    texts = all(isinstance(one, str) for one in (library, state, run))
    if version != FORMAT or not texts or not isinstance(number, int):
        raise ValueError(version)
    return Marker(id=str(library), state=str(state), pass_number=number, run=str(run))


def record(library: Path, marker: Marker) -> None:
    """Write the marker durably; its folder exists."""
    path = path_of(library)
    with LIBRARY.explained(path):
        write(path, marker.document, mode=0o640)


def misfit(marker: Marker | None, known: Attachment, path: Path) -> LibraryUnusable | None:
    """Why the library at `path` is not the one that the state knows, or None. Pure but for the folder's existence."""
    if marker is None:
        return None if known.known_id is None else _missing(known.known_id, path)
    if marker.state != known.state_id:
        hint = f"check state and destination.path in the config; after the loss of the state {NEW}"
        return LibraryUnusable(f"{path}: this library belongs to another state ({marker.state[:8]})", hint=hint)
    if known.known_id not in (None, marker.id):
        hint = f"check destination.path in the config: another library of this state may be meant; or {NEW}"
        said = f"{path}: this is library {marker.id[:8]}, the state knows {str(known.known_id)[:8]}"
        return LibraryUnusable(said, hint=hint)
    return _out_of_step(marker, known, path) or _emptied(known, path)


def _emptied(known: Attachment, path: Path) -> LibraryUnusable | None:
    """Items that all vanish at once are more likely hidden or unmounted than removed one by one."""
    if not known.has_items or any((path / top).is_dir() for top in ("published", "drafts")):
        return None
    hint = f"put them back: are they mounted? what was removed on purpose: mkdir {path / 'published'}"
    return LibraryUnusable(f"{path}: its folders published and drafts are gone, and all items with them", hint=hint)


def _missing(known: str, path: Path) -> LibraryUnusable:
    if not path.is_dir():
        hint = f"is its file system mounted? check destination.path in the config; or {NEW}"
        return LibraryUnusable(f"{path}: missing, it should hold library {known[:8]}", hint=hint)
    hint = f"is the right file system mounted there? restore {FOLDER}/{NAME} from a backup; or {NEW}"
    return LibraryUnusable(f"{path}: no library, {FOLDER}/{NAME} of library {known[:8]} is missing", hint=hint)


def _out_of_step(marker: Marker, known: Attachment, path: Path) -> LibraryUnusable | None:
    changed = marker.pass_number
    if changed < known.known_pass:
        hint = f"restore a newer backup of the library; or {NEW}"
        said = f"{path}: last changed by pass {changed}, the state knows of pass {known.known_pass}: an older copy"
        return LibraryUnusable(said, hint=hint)
    if changed and marker.run not in known.runs:
        hint = f"restore the newer state; or {NEW}"
        said = f"{path}: changed by pass {changed} (run {marker.run}), of which the state knows nothing"
        return LibraryUnusable(said, hint=hint)
    return None


class LibraryLock:
    """What makes sure that this is the library that the state knows, and that no other pass works in it."""

    def __init__(self, path: Path) -> None:
        self.changed = False
        """Whether the marker says that this pass changes the library."""
        self._path = path
        self._marker = Marker(id="", state="", pass_number=0, run="")
        self._lock = threading.Lock()
        self._pass_lock: FileLock | None = None

    @property
    def id(self) -> str:
        """The library's id; `""` before it was looked at."""
        return self._marker.id

    @property
    def state(self) -> str:
        """The id of the state that the library belongs to."""
        return self._marker.state

    @property
    def last_change(self) -> tuple[int, str]:
        """The last pass that changed the library, and the id of its run."""
        return self._marker.pass_number, self._marker.run

    def look(self, attachment: Attachment) -> None:
        """Read the marker, writing nothing; raises the misfit that `take` would raise."""
        found = read_marker(self._path)
        problem = misfit(found, attachment, self._path)
        if problem is not None and not attachment.begin_new:
            raise problem
        begun = Marker(id=attachment.new_id, state=attachment.state_id, pass_number=0, run="")
        self._marker = found if found and problem is None else begun

    def take(self, attachment: Attachment, access: FileModes) -> None:
        """Lock the library, and write the marker of one that begins. Raises `LibraryUnusable`, `PassRunning`."""
        self.look(attachment)
        self._make_home(access)
        self._take_lock()
        self.look(attachment)
        if read_marker(self._path) != self._marker:
            record(self._path, self._marker)

    def release(self) -> None:
        """Let go of the lock."""
        if self._pass_lock is not None:
            self._pass_lock.release()
            self._pass_lock = None

    def touch(self, pass_number: int, run: str) -> None:
        """Write down, durably, that this pass changes the library; the first time only."""
        with self._lock:
            if not self.changed:
                self._marker = replace(self._marker, pass_number=pass_number, run=run)
                record(self._path, self._marker)
                self.changed = True

    def confirm(self) -> None:
        """Before anything is written, or a person is said to have removed something: is the library still there?"""
        if self.on_disk() != self.id:
            hint = "is its file system still mounted? check destination.path in the config"
            raise LibraryUnusable(f"{self._path}: library {self.id[:8]} went away during the pass", hint=hint)

    def on_disk(self) -> str:
        """The id in the marker that is there now, `""` without one."""
        found = read_marker(self._path)
        return found.id if found else ""

    def _make_home(self, access: FileModes) -> None:
        try:
            with LIBRARY.explained(self._path):
                if not self._path.is_dir():
                    make_folders(self._path.parent, self._path, access)
                own = replace(access, dir_mode=access.dir_mode & 0o755)  # nobody else plants anything in there
                make_folders(self._path, self._path / FOLDER, own)
        except MeetingFailed as error:  # here it concerns every meeting
            raise error.become(LibraryUnusable) from error

    def _take_lock(self) -> None:
        path = self._path / FOLDER / "lock"
        lock = FileLock(path, timeout=0, thread_local=False)
        with LIBRARY.explained(path):
            try:
                lock.acquire()
            except Timeout as error:
                raise PassRunning(
                    f"{self._path}: another pass is running in this library", service="library"
                ) from error
        self._pass_lock = lock
