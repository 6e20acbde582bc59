"""The state in memory and on disk: each change of it is durable before it shows."""

import gc
import os
import re
import zlib
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any

from zoomsync.errors import StateUnusable
from zoomsync.files import make_private_folder, put_in_place, read_file, write_aside
from zoomsync.model import Entry, Intent, Run
from zoomsync.state.journal import LIMIT, STATE, Journal, damaged, packed, read_document, read_step, seal
from zoomsync.state.schema import FORMAT, Document, Head, Step

RUNS_KEPT = 50
LONG = 128 << 10
"""A journal of so many bytes is folded in: until then it is read in no time, however large the state is."""


def load(path: Path) -> tuple[Document, list[Step], Journal] | None:
    """Read `state.json`, the steps since then, and the journal that they stand in; None: there is nothing yet.

    Raises `OSError`, and `StateUnusable` for any damage but a torn last line. A fold in between takes away the journal
    just named: then it is all read again.
    """
    missing = ""
    was_enabled = gc.isenabled()
    gc.disable()  # a million objects that stay, and no garbage: looking for it here would double the time
    try:
        while (data := _content(path)) is not None:
            document, seed = read_document(path, data)
            journal = Journal(path.with_name(document.journal), seed=seed)
            try:
                bodies = journal.read()
            except FileNotFoundError as error:
                if document.journal == missing:
                    raise damaged(path, f"its journal {missing} is missing") from error
                missing = document.journal
                continue
            return document, [read_step(journal.path, n, body) for n, body in enumerate(bodies, start=1)], journal
        return None
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def _content(path: Path) -> bytes | None:
    """Of `state.json`; None: there is none yet, nor was there ever one."""
    try:
        return read_file(path, LIMIT)
    except FileNotFoundError:
        # a crash at the very beginning leaves the first journal, empty
        lost = [one for one in _journals(path) if one != journal_after(path) or one.stat().st_size]
    if path.exists():  # begun while we looked
        return read_file(path, LIMIT)
    if lost:
        raise damaged(path, f"is missing, but its journal {lost[-1].name} is there")
    return None


def refuse_to_begin_again(path: Path, audit: Path | None) -> None:
    """Raise `StateUnusable` if this audit tells of deletions, which a state that is missing at `path` knew of."""
    if audit is not None and audit.is_file() and audit.stat().st_size:
        restore = f"restore the whole folder {path.parent} from a backup"
        hint = f"{restore}; if there is none, `zoomsync sync --adopt-library` begins again with what is stored"
        raise StateUnusable(f"{path}: is missing, but {audit} tells of deletions", hint=hint)


def install(path: Path, document: Document, *, instead_of: Journal | None = None) -> Journal:
    """Make this document, with the empty journal that it names, the state at `path`.

    Until the rename nothing has changed; from then on the old journal takes no more lines.
    """
    body = packed(document)
    aside = write_aside(path, seal(body))
    journal = Journal(path.with_name(document.journal), seed=zlib.crc32(body))
    journal.open()
    if instead_of:
        instead_of.close()  # also if the rename fails: whether this journal or the next one counts is not certain then
    put_in_place(aside, path)
    if instead_of:
        with suppress(OSError):
            instead_of.path.unlink()
    return journal


def clear(path: Path, named: Path) -> None:
    """Remove the journals that a fold, killed in between, left beside the one that is named.

    Raises `StateUnusable` for a later one with steps in it: then `state.json` comes from a backup, its folder does not.
    """
    for journal in _journals(path):
        if _number(journal) > _number(named) and journal.stat().st_size:
            back = f"to go back to this older {path.name}, move {journal.name} away"
            hint = f"restore the whole folder {path.parent} from one backup; {back}"
            raise StateUnusable(f"{path}: is older than {journal.name} beside it", hint=hint)
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


class State(AbstractContextManager["State"]):
    """The memory of one account. What a method returned from survives a crash; what raised changed nothing.

    `open` it to write, `read` it to look. All that write raise `DiskFull` or `StateUnusable`.
    The pass alone writes, but for intents: a worker whose call cannot be repeated writes them down itself, before it
    (`begin`, `settle`, `open_intents` may be called from any thread).
    """

    def __init__(
        self, path: Path, document: Document, steps: Iterable[Step] = (), journal: Journal | None = None
    ) -> None:
        self.path = path
        self.head = document.head
        self.runs = document.runs
        """The last runs, newest last."""
        self._journal = journal
        self._lock = Lock()
        self._entries = dict(document.entries)
        self._intents = dict(document.intents)
        self.entries: Mapping[str, Entry] = MappingProxyType(self._entries)
        """The ledger, by uuid: a live view, so copy it for a loop that writes."""
        self.intents: Mapping[str, Intent] = MappingProxyType(self._intents)
        """Those not settled, by id: a live view."""
        for step in steps:
            self._apply(step)

    @classmethod
    def read(cls, path: Path, *, audit: Path | None = None) -> "State | None":
        """Look at it, without lock or write, also while a pass writes and folds; None: there is none yet.

        `audit`, if it is given, tells whether there was one.
        """
        with STATE.explained(path):
            loaded = load(Path(os.path.realpath(path)))
            if loaded is None:
                refuse_to_begin_again(path, audit)
        return cls(path, loaded[0], loaded[1]) if loaded else None

    @classmethod
    def open(cls, path: Path, *, new_id: str, audit: Path | None = None) -> "State":
        """Open it for a pass, which has the lock; if there is none, begin one, durable on return.

        `audit`, if it is given, tells whether there was one: then none is begun.
        """
        real = Path(os.path.realpath(path))  # two names of one state share its journal
        with STATE.explained(path):
            if loaded := load(real):
                document, steps, journal = loaded
                clear(real, journal.path)
                journal.open()
                return cls(real, document, steps, journal)
            refuse_to_begin_again(path, audit)
            make_private_folder(real.parent)
            document = Document(format=FORMAT, journal=journal_after(real).name, head=Head(id=new_id))
            return cls(real, document, journal=install(real, document))

    @classmethod
    def imagined(cls, path: Path) -> "State":
        """A state that was never written, for a dry run before the first pass; it cannot be written to."""
        return cls(path, Document(format=FORMAT, journal="", head=Head(id="imagined")))

    def put(self, *entries: Entry, head: Head | None = None, settled: Iterable[str] = ()) -> None:
        """Remember these and close these intents, together or not at all."""
        self._write(Step(head=head, entries={one.uuid: one for one in entries}, settled=tuple(settled)))

    def suppose(self, *entries: Entry) -> None:
        """For a dry run: go on as if these were remembered. Nothing is written."""
        self._apply(Step(entries={one.uuid: one for one in entries}))

    def update(self, **changes: Any) -> None:
        """Change these fields of the head; if they are so already, nothing is written."""
        head = replace(self.head, **changes)
        if head != self.head:
            self._write(Step(head=head))

    def begin(self, intent: Intent) -> None:
        """Write down what is about to be called and cannot be repeated; or under the same id what is known of it."""
        self._write(Step(intents={intent.id: intent}))

    def open_intents(self) -> tuple[Intent, ...]:
        """Those that are not settled, as of now."""
        with self._lock:
            return tuple(self._intents.values())

    def settle(self, intent_id: str, *entries: Entry) -> None:
        """Close an intent and remember its result, together or not at all."""
        self.put(*entries, settled=(intent_id,))

    def record(self, run: Run, **changes: Any) -> None:
        """Write down a run's start, or its end under the same id, and with it these fields of the head.

        The last 50 runs are kept.
        """
        self._write(Step(head=replace(self.head, **changes) if changes else None, runs=(run,)))

    def fold_if_long(self) -> None:
        """As `fold`, once the journal is long enough to be worth it."""
        if self._writable().size >= LONG:
            self.fold()

    def fold(self) -> None:
        """Write a new `state.json` with an empty journal; when it raises, nothing that was written is lost."""
        with self._lock:
            old = self._writable()
            document = Document(
                format=FORMAT,
                journal=journal_after(self.path, old.path).name,
                head=self.head,
                entries=self._entries,
                intents=self._intents,
                runs=self.runs,
            )
            with STATE.explained(self.path):
                self._journal = install(self.path, document, instead_of=old)

    def close(self) -> None:
        """Release the journal; nothing is lost without."""
        if self._journal:
            self._journal.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _writable(self) -> Journal:
        if self._journal is None:
            raise TypeError("this state was opened to be read")
        return self._journal

    def _write(self, step: Step) -> None:
        if step != Step():
            with self._lock:
                self._writable().append(packed(step))
                self._apply(step)

    def _apply(self, step: Step) -> None:
        self.head = step.head or self.head
        self._entries.update(step.entries)
        self._intents.update(step.intents)
        for intent_id in step.settled:
            self._intents.pop(intent_id, None)
        if step.runs:
            runs = {run.id: run for run in (*self.runs, *step.runs)}
            self.runs = tuple(runs.values())[-RUNS_KEPT:]
