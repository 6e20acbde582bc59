"""Deleting cloud files: each against a verified receipt, written down durably before and after."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from zoomsync import ledger
from zoomsync.audit import Audit
from zoomsync.deletion import Delete
from zoomsync.errors import DeletionRefused, MeetingFailed, NotAuthorized, Unreachable
from zoomsync.http import OutOfOrder
from zoomsync.model import Clock, Entry, Intent, Meeting, RecordingFile
from zoomsync.patience import Patience
from zoomsync.state import State

log = logging.getLogger(__name__)


class Deleter(Protocol):
    """Zoom, as far as deleting goes."""

    def meeting(self, uuid: str) -> Meeting | None:
        """None: gone."""

    def delete_file(self, uuid: str, file_id: str, action: str) -> str:
        """Zoom's answer in words; raises `DeletionRefused`, `NotAuthorized`, or `Unreachable`: then it is unknown."""


class Deleting:
    """Carries out deletions, one at a time; the only place that calls Zoom to delete."""

    def __init__(self, zoom: Deleter, state: State, audit: Audit, clock: Clock, new_id: Callable[[], str]) -> None:
        self._zoom = zoom
        self._state = state
        self._audit = audit
        self._clock = clock
        self._new_id = new_id
        self._patience = Patience()

    def run(self, deletion: Delete, entry: Entry, verified_at: datetime) -> Entry:
        """Delete the files of one meeting; the entry tells what became of it. A refusal ends it, `refusal` says why."""
        for file in deletion.files:
            self._clock.check()
            entry = self._one(deletion, file, entry, verified_at)
            if entry.refusal is not None:
                break
        return entry

    def _one(self, deletion: Delete, file: RecordingFile, entry: Entry, verified_at: datetime) -> Entry:
        intent = Intent(
            id=self._new_id(),
            at=self._clock.now(),
            action="delete",
            uuid=entry.uuid,
            target=file.id,
            details={"mode": deletion.mode},
        )
        self._state.begin(intent)  # first: what the audit announces is then always answered or settled
        self._audit.before(intent, entry, file, deletion.verdict, action=deletion.mode, verified_at=verified_at)
        try:
            answer = self._zoom.delete_file(entry.uuid, file.id, deletion.mode)
        except (DeletionRefused, NotAuthorized) as refused:
            self._audit.after(intent.id, f"refused: {refused}")
            if isinstance(refused, NotAuthorized):
                self._state.settle(intent.id)
                raise
            entry = ledger.refused(entry, refused, self._clock.now())
        except OutOfOrder as unknown:  # the intent stays open: the next pass finds out what became of it
            self._audit.after(intent.id, f"none: {unknown}")
            self._patience.lose(unknown)
            doubt = Unreachable(f"no answer, the next pass finds out what became of it: {unknown}", hint=unknown.hint)
            return ledger.refused(entry, doubt, self._clock.now())
        else:
            self._patience.regain()
            self._audit.after(intent.id, answer)
            entry = ledger.deleted(entry, file.id, self._clock.now())
        self._state.settle(intent.id, entry)
        return entry

    def settle_open(self) -> None:
        """Find out what became of deletions whose answer an earlier pass never saw."""
        for intent in [one for one in self._state.open_intents() if one.action == "delete"]:
            try:
                found = self._zoom.meeting(intent.uuid)
            except MeetingFailed:  # not now: a later pass finds out
                continue
            except OutOfOrder as error:
                log.warning("a deletion without an answer stays open: %s", error)
                self._patience.lose(error)
                continue
            entry = self._state.entries.get(intent.uuid)
            is_there = found is not None and any(file.id == intent.target for file in found.files)
            self._audit.settled(intent.id, "still in the cloud" if is_there else "gone from the cloud")
            log.info("deletion without an answer settled: %s", "not done" if is_there else "done")
            if entry is not None and not is_there:
                self._state.settle(intent.id, ledger.deleted(entry, intent.target, self._clock.now()))
            else:
                self._state.settle(intent.id)
