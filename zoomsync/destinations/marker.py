"""The marker of a library or remote, `.zoomsync/library.json`: whose it is, and the last pass that changed it. Pure."""

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import MAXYEAR, UTC, datetime

from zoomsync import __version__
from zoomsync.destinations.base import Attachment
from zoomsync.errors import LibraryUnusable, UsageError

FORMAT = 1
FOLDER = ".zoomsync"
NAME = "library.json"
NEW = "`zoomsync sync --new-library` begins another library there"
RECONCILE = "`zoomsync sync --reconcile` fetches again what this one lacks, and with --dry-run only lists it"
ADOPT = "`zoomsync sync --adopt-library` takes it over with all its items"


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """Where a marker lies, or should, as far as its reader looked."""

    name: str
    """In messages."""
    key: str
    """What says in the config where it is."""
    is_there: bool
    has_tops: bool
    """Whether it has one of the folders that hold the items."""
    if_away: str
    """What to look at if all of it is gone: `is its file system mounted?`"""
    if_other: str
    """What to look at if its marker alone is gone."""
    if_emptied: str
    """How a person says that all items were removed on purpose."""
    service: str


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
    held_till: datetime | None = None
    """Where there are no locks: that pass still works in it, unless it is later than this; None: it has ended."""

    @classmethod
    def parse(cls, data: bytes, name: str, *, service: str) -> "Marker":
        """The marker that messages call `name`; raises `LibraryUnusable` for any that cannot be read."""
        with suppress(ValueError, RecursionError, OverflowError):  # no JSON, or nested without end; no time there is
            document = json.loads(data)
            json.dumps(document, ensure_ascii=False).encode()  # halves of characters fit into no file of ours
            match document:
                case {"format": int(version)} if version > FORMAT:
                    hint = f"this is zoomsync {__version__}: use one that is at least as new as the one that wrote it"
                    raise LibraryUnusable(
                        f"{name}: format {version}, written by a newer zoomsync", hint=hint, service=service
                    )
                case {"format": 1, "library": str(id_), "state": str(state), "pass": int(number), "run": str(run)}:
                    held = document.get("held_till")
                    until = datetime.fromisoformat(str(held)).astimezone(UTC) if held else None
                    if until is None or until.year < MAXYEAR:  # what can be reckoned with
                        return cls(id=id_, state=state, pass_number=number, run=run, held_till=until)
        hint = f"restore it from a backup, or move it away: then {NEW}"
        raise LibraryUnusable(f"{name}: damaged, this is not a library's marker", hint=hint, service=service)

    def changed_by(self, number: int, run: str) -> "Marker":
        """The marker once this pass changes the library: the state of one that was adopted may have counted from 1."""
        return replace(self, pass_number=max(number, self.pass_number + 1), run=run)

    @property
    def document(self) -> bytes:
        """The file as it is written."""
        fields = {"format": FORMAT, "zoomsync": __version__, "library": self.id, "state": self.state}
        held = {"held_till": self.held_till.isoformat()} if self.held_till else {}
        return json.dumps({**fields, "pass": self.pass_number, "run": self.run, **held}, indent=2).encode() + b"\n"


UNSEEN = Marker(id="", state="")


def working_marker(found: Marker | None, known: Attachment, root: Root) -> Marker:
    """The marker under which this pass works: the one found, or of a library that begins.

    Raises `LibraryUnusable` if that is not the library that the state knows, `UsageError` for a wish without a need.
    """
    if found and known.reconcile and _is_older(found, known):
        return found
    if found and known.adopt and _is_adoptable(found, known):
        return replace(found, state=known.state_id)
    if found is None and known.adopt and known.known_id is None and not root.has_tops:
        hint = f"{root.if_other} check {root.key} in the config; or {NEW}"
        raise LibraryUnusable(f"{root.name}: no library that could be adopted", hint=hint, service=root.service)
    problem = _misfit(found, known, root)
    if problem and not known.begin_new:
        raise LibraryUnusable(f"{root.name}: {problem[0]}", hint=problem[1], service=root.service)
    if known.reconcile:  # else what a person removed would count as missing
        raise UsageError(f"--reconcile: {root.name} is not an older copy", hint="leave it away", service=root.service)
    if known.begin_new and found and not problem:
        message = f"--new-library: {root.name} is the library of this state"
        raise UsageError(message, hint="leave it away", service=root.service)
    return found if found and not problem else Marker(id=known.new_id, state=known.state_id)


def _misfit(marker: Marker | None, known: Attachment, root: Root) -> tuple[str, str] | None:
    """Why it is not the library that the state knows, and the remedy; or None."""
    if marker is None:
        if known.known_id is None:
            return None
        name = known.known_id[:8]
        if root.is_there:
            fact = f"no library, {FOLDER}/{NAME} of library {name} is missing"
            hint = f"{root.if_other} restore {FOLDER}/{NAME} from a backup; or {NEW}"
        else:
            fact = f"missing, it should hold library {name}"
            hint = f"{root.if_away} check {root.key} in the config; or {NEW}"
    elif marker.state != known.state_id:
        fact = f"this library belongs to another state ({marker.state[:8]})"
        own = "" if known.known_id in (None, marker.id) else "move away the one of another library that is here: then "
        hint = f"check state and {root.key} in the config; if that state is lost, {own}{ADOPT}"
    elif known.known_id not in (None, marker.id):
        fact = f"this is library {marker.id[:8]}, the state knows {str(known.known_id)[:8]}"
        hint = f"check {root.key} in the config: another library of this state may be meant; or {NEW}"
    elif marker.pass_number < known.known_pass:
        fact = f"last changed by pass {marker.pass_number}, the state knows of pass {known.known_pass}: an older copy"
        hint = f"restore a newer backup of the library; {RECONCILE}"
    elif marker.pass_number and marker.run not in known.runs:
        fact = f"changed by pass {marker.pass_number} (run {marker.run}), of which the state knows nothing"
        hint = f"restore the newer state; if it is lost, {ADOPT}"
    elif known.has_items and not root.has_tops:
        # items that all vanish at once are more likely hidden or unmounted than removed one by one
        fact = "its folders published and drafts are gone, and all items with them"
        hint = f"put them back: are they mounted? what was removed on purpose: {root.if_emptied}"
    else:
        return None
    return fact, hint


def _is_older(marker: Marker, known: Attachment) -> bool:
    """Whether this is the state's library as it was some passes ago."""
    is_same = (marker.state, marker.id) == (known.state_id, known.known_id)
    return is_same and marker.pass_number < known.known_pass


def _is_adoptable(marker: Marker, known: Attachment) -> bool:
    """Whether the library is ahead of the state, which is new or older: its items are more than the state knows."""
    is_of_another = marker.state != known.state_id
    is_newer = bool(marker.pass_number) and marker.run not in known.runs and marker.pass_number >= known.known_pass
    return known.known_id in (None, marker.id) and (is_of_another or is_newer)
