"""What the state learns of a library: what an older copy lacks (`--reconcile`), what one has (`--adopt-library`)."""

import logging
from dataclasses import replace
from itertools import islice

from zoomsync.console import fields, log_context
from zoomsync.destinations.base import Destination
from zoomsync.errors import MeetingFailed, OutcomeUnknown
from zoomsync.formatting import plural
from zoomsync.model import Clock, Entry, Phase
from zoomsync.rules import ledger
from zoomsync.state import State
from zoomsync.state.ledger import BATCH

log = logging.getLogger(__name__)

MISSING = "its item is missing in the library that was restored"
OLDER = "its item in the library that was restored is an older one"


def reconcile(state: State, destination: Destination, *, is_dry: bool) -> None:
    """Each item that is missing is fetched again if Zoom has it still; of one that is older, what came since."""
    missing = older = 0
    remember = state.suppose if is_dry else state.put
    for entry in state.entries.in_destination(destination.id):
        after = entry if entry.phase is Phase.REMOVED else _as_found(entry, destination)
        if after == entry:
            continue
        missing, older = missing + (after.receipt is None), older + (after.receipt is not None)
        with log_context(entry):
            log.info("%s: fetched again if Zoom has it", after.reason, extra=fields(event="reconciled"))
            if gone := len(entry.deleted) - len(after.deleted):
                log.warning(
                    "%s of it zoomsync deleted from Zoom: look into Zoom's trash (30 days), and restore it there",
                    plural(gone, "file"),
                    extra=fields(event="deleted_before", files=gone),
                )
        remember(after)
    known = "%s missing in the library, %s older than the state knows"
    log.info(known, plural(missing, "item"), plural(older, "item"))


def adopt(state: State, destination: Destination, clock: Clock, *, is_dry: bool) -> None:
    """Each item of the library is known from now on, also if Zoom does not list it any more; none is read in full."""
    known, now = 0, clock.now()
    remember = state.suppose if is_dry else state.put
    items = destination.everything()
    while some := list(islice(items, BATCH)):
        clock.check()
        entries = []
        for receipt, meeting in some:
            before = state.entries.get(receipt.uuid)
            try:
                entry = ledger.adopted(receipt, meeting, before, now)
            except (ValueError, TypeError, AttributeError, OverflowError):
                log.log(logging.ERROR, "not taken over: %s: recording.json does not say when it began", receipt.place)
                continue
            known += 1
            if entry != before:
                entries.append(entry)
        remember(*entries)
    log.info("%s of the library known; `zoomsync sync --verify` reads them all", plural(known, "item"))


def _as_found(entry: Entry, destination: Destination) -> Entry:
    try:
        found = destination.find(entry.uuid, entry.receipt)
    except (MeetingFailed, OutcomeUnknown) as problem:
        log.warning("%s: %s", entry.uuid, problem)
        return entry
    if found is None:
        return replace(
            entry,
            phase=Phase.WAITING,
            reason=MISSING,
            receipt=None,
            stored_at=None,
            retry=None,
            due_at=None,
            pending=(),
            deleted={},
        )
    if entry.receipt is None or set(found.cloud) == set(entry.receipt.cloud):
        return entry
    there = {one.id for one in found.cloud}
    return replace(
        entry,
        phase=Phase.PUBLISHED,  # so that it is read again: what Zoom has no more is told
        reason=OLDER,
        receipt=found,
        retry=None,
        due_at=None,
        pending=(OLDER,),
        deleted={file: at for file, at in entry.deleted.items() if file in there},
    )
