"""The state: a page in `state.json`, the ledger and open intents in `state.db`.

The ledger is written first, then the page: so the page never knows of more than the ledger does, and may be an older
one. A page that knows of more steps than the ledger has seen is told as what it is: files of two times.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from glob import escape
from pathlib import Path
from threading import Lock
from typing import Any

from zoomsync.errors import NotAuthorized, PassRunning, StateUnusable, Unreachable, ZoomsyncError
from zoomsync.files import make_private_folder, read_file
from zoomsync.files import write as write_file
from zoomsync.model import Entry, Intent, Run
from zoomsync.state.database import Database, beside, create
from zoomsync.state.documents import write
from zoomsync.state.ledger import Ledger
from zoomsync.state.page import FORMAT, STATE, Head, Page, content, damaged, read_page, unsealed, write_page

log = logging.getLogger(__name__)

RUNS_KEPT, UNSEEN_KEPT = 50, 10
WHOLE = (0, ZoomsyncError.code, NotAuthorized.code, Unreachable.code)
"""Exit codes of passes that waited for all that they had begun, and wrote it down."""


def _refuse_to_begin_again(path: Path, audit: Path | None, fact: str = "is missing") -> None:
    """Raise `StateUnusable` if this audit tells of deletions, which a state that is missing at `path` knew of."""
    if audit is not None and audit.is_file() and audit.stat().st_size:
        restore = f"restore the whole folder {path.parent} from a backup"
        begin = "`zoomsync sync --adopt-library` begins again with what is stored, `--new-library` with nothing"
        hint = f"{restore}; if there is none, {begin}"
        raise StateUnusable(f"{path}: {fact}, but {audit} tells of deletions", hint=hint)


def _known(path: Path, page: Page, audit: Path | None) -> Page:
    """A page that no destination was found for yet is as good as missing: what was to begin it anew was refused."""
    if not page.head.destination:
        _refuse_to_begin_again(path, audit, "knows nothing yet")
    return page


def _refuse_to_begin_beside(path: Path) -> None:
    """Raise `StateUnusable` if what lies beside a missing `state.json` remembers anything.

    A crash at the very beginning leaves an empty database; of version 1 the first journal, empty.
    """
    database, first = beside(path), f"{path.name}.journal-1"
    for journal in path.parent.glob(f"{escape(path.name)}.journal-*"):
        if journal.name != first or journal.stat().st_size:
            raise damaged(path, f"is missing, but its journal {journal.name} is there")
    if database.exists() and (found := Database.to_read(database)) and (found.steps or Ledger(found)):
        raise damaged(path, f"is missing, but its {database.name} is there")


def _take_over(path: Path, data: bytes, body: bytes) -> None:
    """Bring a state of version 1 into this form, once; its files stay beside.

    Until the page takes the place of the old `state.json` nothing has changed, and it may begin again.
    """
    from zoomsync.state import version1

    old, kept = version1.read(path, body), path.with_name(f"{path.name}.version-1")
    create(beside(path), old.head.id, partial(write, path=path, entries=old.entries, begun=old.intents.values()))
    write_file(kept, data)
    write_page(path, Page(steps=0, head=old.head, runs=old.runs[-RUNS_KEPT:]))
    log.info("%s: taken over from version 1, whose files stay as %s and %s", path, kept.name, f"{path.name}.journal-*")


def _opened(path: Path, page: Page, opening: Callable[[Path], Database]) -> Database:
    """The ledger that this page knows. Raises `StateUnusable` if there is none, or an older one."""
    place = beside(path)
    try:
        place.lstat()
    except FileNotFoundError as error:
        raise damaged(path, f"its ledger {place.name} is missing") from error
    database = opening(place)
    if database.id != page.head.id:
        raise damaged(path, f"its ledger {place.name} belongs to another state")
    if database.steps < page.steps:
        raise damaged(path, f"is newer than {place.name} beside it: files of two times")
    return database


def _kept(runs: list[Run], last_change: str) -> tuple[Run, ...]:
    """The last runs; of those that met another pass, one after the other, the first and the last alone.

    The library is known by the run in its marker. That is the one of the last change that the state has seen, or one
    after it that did not end in whole: the first ten of those stay, however many fail after them.
    """
    if [one.code for one in runs[-3:]] == [PassRunning.code] * 3:
        del runs[-2]
    seen = next((number for number, one in enumerate(runs) if one.id == last_change), 0)
    unseen = [one for one in runs[seen:] if one.code not in (*WHOLE, PassRunning.code)][:UNSEEN_KEPT]
    others = [one for one in runs if one not in unseen][-RUNS_KEPT + len(unseen) :]
    return tuple(one for one in runs if one in unseen or one in others)


class State(AbstractContextManager["State"]):
    """The memory of one account. What a method returned from survives a crash; what raised changed nothing.

    `open` it to write, `read` it to look. All that write raise `DiskFull` or `StateUnusable`.
    The pass alone writes, but for intents: a worker whose call cannot be repeated writes them down itself, before it
    (`begin`, `settle`, `open_intents` may be called from any thread).
    """

    def __init__(self, path: Path, page: Page, database: Database, *, is_writable: bool = False) -> None:
        self.path = path
        self.head = page.head
        """Set it to have it written with the next page: of all that lies in it, an older one does no harm."""
        self.runs = page.runs
        """The last runs, newest last."""
        self.entries = Ledger(database)
        self._database = database
        self._is_writable = is_writable
        self._page_lock = Lock()
        self.intents: Mapping[str, Intent] = self.entries.intents()
        """Those not settled, by id, as of now: each change puts another mapping in its place."""

    @classmethod
    def read(cls, path: Path, *, audit: Path | None = None) -> "State | None":
        """Look at it, without lock or write, also while a pass writes; None: there is none yet.

        `audit`, if it is given, tells whether there was one.
        """
        real = Path(os.path.realpath(path))
        with STATE.explained(path):
            data = content(real)
            if data is None:
                _refuse_to_begin_beside(real)
                _refuse_to_begin_again(path, audit)
                return None
            body, version = unsealed(real, data)
            if version < FORMAT:
                return cls._of_version1(real, body)
            page = _known(path, read_page(real, body), audit)
            return cls(real, page, _opened(real, page, Database.to_read))

    @classmethod
    def _of_version1(cls, path: Path, body: bytes) -> "State":
        """One that no pass has taken over yet."""
        from zoomsync.state import version1

        old, database = version1.read(path, body), Database.in_memory(path)
        with database.step() as connection:
            write(connection, path, old.entries, old.intents.values())
        return cls(path, Page(steps=0, head=old.head, runs=old.runs), database)

    @classmethod
    def open(cls, path: Path, *, new_id: str, audit: Path | None = None) -> "State":
        """Open it for a pass, which has the lock; if there is none, begin one, durable on return.

        `audit`, if it is given, tells whether there was one: then none is begun.
        """
        real = Path(os.path.realpath(path))  # two names of one state share its ledger
        with STATE.explained(path):
            data = content(real)
            if data is None:
                _refuse_to_begin_beside(real)
                _refuse_to_begin_again(path, audit)
                make_private_folder(real.parent)
                create(beside(real), new_id)
                write_page(real, Page(steps=0, head=Head(id=new_id)))
                data = read_file(real)
            body, version = unsealed(real, data)
            if version < FORMAT:
                _take_over(real, data, body)
                body, _ = unsealed(real, read_file(real))
            page = _known(path, read_page(real, body), audit)
            return cls(real, page, _opened(real, page, Database.to_write), is_writable=True)

    @classmethod
    def rehearse(cls, folder: Path, known: "State | None") -> None:
        """Begin one in this folder, and leave no trace; look through the `known` one. Raises what `open` raises."""
        with STATE.explained(folder), tempfile.TemporaryDirectory(prefix=".zoomsync-probe-", dir=folder) as probe:
            cls.open(Path(probe, "state.json"), new_id="probe").close()
        if known is not None:
            known.expect_fit()

    @classmethod
    def imagined(cls, path: Path) -> "State":
        """A state that was never written, for a dry run before the first pass; it cannot be written to."""
        return cls(path, Page(steps=0, head=Head(id="imagined")), Database.in_memory(path))

    def put(self, *entries: Entry, settled: Iterable[str] = ()) -> None:
        """Remember these and close these intents, together or not at all."""
        self._write(entries, settled=tuple(settled))

    def suppose(self, *entries: Entry) -> None:
        """For a dry run: go on as if these were remembered. Nothing is written."""
        if not self._database.is_copy:
            self._database = Database.in_memory(self.path, self._database)
            self.entries = Ledger(self._database)
        with self._database.step() as connection:
            write(connection, self.path, entries)

    def update(self, **changes: Any) -> None:
        """Change these fields of the head, durably; if they are so already, nothing is written."""
        head = replace(self.head, **changes)
        if head != self.head:
            self._write_page(head, self.runs)

    def save(self) -> None:
        """Write the head as it is now, durably."""
        self._write_page(self.head, self.runs)

    def begin(self, intent: Intent) -> None:
        """Write down what is about to be called and cannot be repeated; or under the same id what is known of it."""
        self._write(begun=(intent,))

    def open_intents(self) -> tuple[Intent, ...]:
        """Those that are not settled, as of now."""
        return tuple(self.intents.values())

    def settle(self, intent_id: str, *entries: Entry) -> None:
        """Close an intent and remember its result, together or not at all."""
        self.put(*entries, settled=(intent_id,))

    def record(self, run: Run, **changes: Any) -> None:
        """Write down a run's start, or its end under the same id, and with it the head with these changes.

        About the last 50 runs are kept.
        """
        runs, head = {one.id: one for one in (*self.runs, run)}, replace(self.head, **changes)
        self._write_page(head, _kept([*runs.values()], head.library_run))

    def prove(self) -> None:
        """Look through all of the ledger. Raises `StateUnusable` if some of it does not fit the rest."""
        self._database.prove()

    def expect_fit(self) -> None:
        """As `prove`; and raise `StateUnusable` if a pass could not write to the ledger."""
        self.prove()
        self._database.require_writable()

    def close(self) -> None:
        """Let go of the ledger; nothing is lost without."""
        self._database.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(
        self, entries: Collection[Entry] = (), begun: Collection[Intent] = (), settled: Collection[str] = ()
    ) -> None:
        self._refuse_if_read()
        if not (entries or begun or settled):
            return
        with self._database.lock:
            with self._database.step() as connection:
                write(connection, self._database.path, entries, begun, settled)
            intents = {**self.intents, **{one.id: one for one in begun}}
            self.intents = {id_: one for id_, one in intents.items() if id_ not in settled}

    def _write_page(self, head: Head, runs: tuple[Run, ...]) -> None:
        self._refuse_if_read()
        with self._page_lock, STATE.explained(self.path):
            write_page(self.path, Page(steps=self._database.steps, head=head, runs=runs))
            self.head, self.runs = head, runs

    def _refuse_if_read(self) -> None:
        if not self._is_writable:
            raise TypeError("this state was opened to be read")
