"""The library's marker, `.zoomsync/library.json`: whose library it is, and the last pass that changed it."""

import json
from dataclasses import dataclass
from pathlib import Path

from zoomsync import __version__
from zoomsync.destinations.files import refusals, write
from zoomsync.errors import LibraryUnusable

FORMAT = 1
FOLDER = ".zoomsync"
NAME = "library.json"

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the state knows of its library."""

    state: str
    library: str | None
    """None: no library yet."""
    library_pass: int
    """The last pass that the state knows to have changed the library."""
    runs: frozenset[str]
    """The ids of the runs that the state remembers, the last one that changed the library among them."""
    has_items: bool
    """Whether the state knows of items in the library."""


def path_of(library: Path) -> Path:
    """Where a library's marker is."""
    return library / FOLDER / NAME


def read(library: Path) -> Marker | None:
    """The marker of a library, None where there is none; raises `LibraryUnusable` for any that cannot be read."""
    path = path_of(library)
    with refusals(path):
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
    with refusals(path):
        write(path, marker.document, mode=0o640)


def misfit(marker: Marker | None, known: Known, path: Path) -> LibraryUnusable | None:
    """Why the library at `path` is not the one that the state knows, or None. Pure but for the folder's existence."""
    if marker is None:
        return None if known.library is None else _missing(known.library, path)
    if marker.state != known.state:
        hint = f"check state and destination.path in the config; after the loss of the state {NEW}"
        return LibraryUnusable(f"{path}: this library belongs to another state ({marker.state[:8]})", hint=hint)
    if known.library not in (None, marker.id):
        hint = f"check destination.path in the config: another library of this state may be meant; or {NEW}"
        said = f"{path}: this is library {marker.id[:8]}, the state knows {str(known.library)[:8]}"
        return LibraryUnusable(said, hint=hint)
    return _out_of_step(marker, known, path) or _emptied(known, path)


def _emptied(known: Known, path: Path) -> LibraryUnusable | None:
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


def _out_of_step(marker: Marker, known: Known, path: Path) -> LibraryUnusable | None:
    changed = marker.pass_number
    if changed < known.library_pass:
        hint = f"restore a newer backup of the library; or {NEW}"
        said = f"{path}: last changed by pass {changed}, the state knows of pass {known.library_pass}: an older copy"
        return LibraryUnusable(said, hint=hint)
    if changed and marker.run not in known.runs:
        hint = f"restore the newer state; or {NEW}"
        said = f"{path}: changed by pass {changed} (run {marker.run}), of which the state knows nothing"
        return LibraryUnusable(said, hint=hint)
    return None
