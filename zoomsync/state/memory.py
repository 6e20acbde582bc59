"""The state in memory, each change of it durable before it shows."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Lock
from types import MappingProxyType, TracebackType
from typing import Any, Self

from zoomsync.journal import Journal, explained
from zoomsync.model import Entry, Intent, Run
from zoomsync.state.folder import begin, clear, install, journal_after, load
from zoomsync.state.form import FORMAT, Document, Head, Step, packed

RUNS_KEPT = 50


class State:
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
        self._journal = journal
        self._lock = Lock()
        self._entries = dict(document.entries)
        self._intents = dict(document.intents)
        self._runs = {run.id: run for run in document.runs}
        self.entries: Mapping[str, Entry] = MappingProxyType(self._entries)
        """The ledger, by uuid: a live view, so copy it for a loop that writes."""
        self.intents: Mapping[str, Intent] = MappingProxyType(self._intents)
        """Those not settled, by id: a live view."""
        for step in steps:
            self._apply(step)

    @property
    def runs(self) -> tuple[Run, ...]:
        """The last runs, newest last."""
        return tuple(self._runs.values())

    @classmethod
    def read(cls, path: Path) -> "State | None":
        """Look at it, without lock or write, also while a pass writes and folds; None: there is none yet."""
        with explained(path):
            loaded = load(_real(path))
        return cls(path, loaded.document, loaded.steps) if loaded else None

    @classmethod
    def open(cls, path: Path, *, new_id: str) -> "State":
        """Open it for a pass, which holds `lock`; where there is none, begin one, durable on return."""
        real = _real(path)
        with explained(path):
            loaded = load(real) or begin(real, Head(id=new_id))
            clear(real, loaded.journal)
            return cls(real, loaded.document, loaded.steps, Journal.resume(loaded.journal, loaded.whole))

    @classmethod
    def imagined(cls, path: Path) -> "State":
        """A state that was never written, for a dry run before the first pass; it cannot be written to."""
        return cls(path, Document(format=FORMAT, journal="", head=Head(id="imagined")))

    def put(self, *entries: Entry, head: Head | None = None, settled: Iterable[str] = ()) -> None:
        """Remember these and close these intents, together or not at all."""
        self._write(Step(head=head, entries=_by_uuid(entries), settled=tuple(settled)))

    def update(self, **changes: Any) -> None:
        """Change these fields of the head."""
        self._write(Step(head=replace(self.head, **changes)))

    def begin(self, intent: Intent) -> None:
        """Write down what is about to be called and cannot be repeated; or under the same id what is known of it."""
        self._write(Step(intents={intent.id: intent}))

    def open_intents(self) -> tuple[Intent, ...]:
        """Those that are not settled, as of now."""
        with self._lock:
            return tuple(self._intents.values())

    def settle(self, intent_id: str, *entries: Entry) -> None:
        """Close an intent and remember its result, together or not at all."""
        self._write(Step(settled=(intent_id,), entries=_by_uuid(entries)))

    def record(self, run: Run) -> None:
        """Write down a run's start, or its end under the same id; the last 50 are kept."""
        self._write(Step(runs=(run,)))

    def fold(self) -> None:
        """Write a new `state.json` with an empty journal; when it raises, nothing that was written is lost."""
        with self._lock:
            self._fold(self._writable())

    def _fold(self, old: Journal) -> None:
        document = Document(
            format=FORMAT,
            journal=journal_after(self.path, old.path).name,
            head=self.head,
            entries=self._entries,
            intents=self._intents,
            runs=self.runs,
        )
        with explained(self.path):
            self._journal = install(self.path, document, instead_of=old)

    def close(self) -> None:
        """Release the journal; nothing is lost without."""
        if self._journal:
            self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
        self._runs.update((run.id, run) for run in step.runs)
        while len(self._runs) > RUNS_KEPT:
            del self._runs[next(iter(self._runs))]


def _by_uuid(entries: Iterable[Entry]) -> dict[str, Entry]:
    return {entry.uuid: entry for entry in entries}


def _real(path: Path) -> Path:
    """Where a link leads: two names of one state must share its journal."""
    return Path(os.path.realpath(path))
