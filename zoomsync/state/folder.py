"""The files of a state: `state.json`, the journal that it names, and what a crash left beside them."""

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from zoomsync.errors import StateUnusable
from zoomsync.journal import Journal, Replay, damaged, make_folder, put_in_place, replay, write_aside
from zoomsync.state.form import FORMAT, Document, Head, Step, read_document, read_step, sealed_document


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What is on disk."""

    document: Document
    journal: Path
    whole: Replay
    steps: tuple[Step, ...] = ()


def load(path: Path) -> Loaded | None:
    """Read all there is; None: nothing yet. Raises `OSError`, and `StateUnusable` for any damage but a torn last line.

    A fold in between takes away the journal just named: then it is all read again.
    """
    with _collector_paused():
        return _load(path)


def _load(path: Path) -> Loaded | None:
    missing = ""
    while (data := _content(path)) is not None:
        document, seed = read_document(path, data)
        journal = path.with_name(document.journal)
        try:
            whole = replay(journal, seed)
        except FileNotFoundError as error:
            if document.journal == missing:
                raise damaged(path, f"its journal {missing} is missing") from error
            missing = document.journal
            continue
        steps = tuple(read_step(journal, number, body) for number, body in enumerate(whole.bodies, start=1))
        return Loaded(document=document, journal=journal, whole=whole, steps=steps)
    return None


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Parsing makes a million objects that stay, and no garbage: looking for it there doubles the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def _content(path: Path) -> bytes | None:
    """Of `state.json`; None: there is none yet, nor was there ever one."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        lost = [journal for journal in _journals(path) if not _is_untouched(path, journal)]
    if path.exists():  # begun while we looked
        return path.read_bytes()
    if lost:
        raise damaged(path, f"is missing, but its journal {lost[-1].name} is there")
    return None


def _is_untouched(path: Path, journal: Path) -> bool:
    """Whether it is the first journal, as a crash at the very beginning leaves it."""
    return journal == journal_after(path) and journal.stat().st_size == 0


def begin(path: Path, head: Head) -> Loaded:
    """Make a new state, durably."""
    make_folder(path.parent)
    document = Document(format=FORMAT, journal=journal_after(path).name, head=head)
    journal = install(path, document)
    journal.close()
    return Loaded(document=document, journal=journal.path, whole=Replay(seed=journal.seed))


def install(path: Path, document: Document, *, instead_of: Journal | None = None) -> Journal:
    """Make this document, with the empty journal that it names, the state at `path`.

    Until the rename nothing has changed; from then on the old journal takes no more lines.
    """
    data, seed = sealed_document(document)
    aside = write_aside(path, data)
    journal = Journal.create(path.with_name(document.journal), seed=seed)
    if instead_of:
        instead_of.retire()
    put_in_place(aside, path)
    if instead_of:
        instead_of.close()
        with suppress(OSError):
            instead_of.path.unlink()
    return journal


def clear(path: Path, named: Path) -> None:
    """Remove the journals that a fold, killed in between, left beside the one that is named.

    Raises `StateUnusable` for a later one that holds steps: then `state.json` comes from a backup, its folder does not.
    """
    for journal in _journals(path):
        if _number(journal) > _number(named) and journal.stat().st_size:
            raise StateUnusable(
                f"{path}: is older than {journal.name} beside it",
                hint=f"restore the whole folder {path.parent} from one backup; to go back to this older {path.name}, "
                f"move {journal.name} away",
            )
        if journal != named:
            journal.unlink()


def journal_after(path: Path, journal: Path | None = None) -> Path:
    """The name of the journal after this one, or of the first."""
    return path.with_name(f"{path.name}.journal-{_number(journal) + 1 if journal else 1}")


def _journals(path: Path) -> list[Path]:
    """All journals of this state, oldest first."""
    name = re.compile(re.escape(path.name) + r"\.journal-[0-9]+")
    there = path.parent.iterdir() if path.parent.exists() else ()
    return sorted((one for one in there if name.fullmatch(one.name)), key=_number)


def _number(journal: Path) -> int:
    return int(journal.name.rpartition("-")[2])
