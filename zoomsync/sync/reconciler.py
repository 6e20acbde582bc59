"""What the state learns of a library: what an older copy lacks (`--reconcile`), what one has (`--adopt-library`)."""

import logging
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime

from zoomsync.console import fields, log_context
from zoomsync.destinations.base import Destination
from zoomsync.errors import MeetingFailed, NotAuthorized, OutcomeUnknown, Unfit, Unreachable, ZoomsyncError
from zoomsync.formatting import plural
from zoomsync.model import Clock, Entry, Outcome, Phase, Receipt
from zoomsync.rules import ledger
from zoomsync.state import State
from zoomsync.state.ledger import BATCH
from zoomsync.sync.breaker import Breaker
from zoomsync.sync.tally import Tally

log = logging.getLogger(__name__)

MISSING = "its item is missing in the library that was restored"
ADOPTED = (
    "they are not fetched, whatever a plan says; what Zoom still lists of them is hashed in this pass, the rest by "
    "`zoomsync sync --verify`; delete_after begins again for them; if a state was lost, it alone knew what a person "
    "removed, which comes again if Zoom has it (exclude_meetings)"
)
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


def adopt(state: State, destination: Destination, clock: Clock, tally: Tally, *, is_dry: bool) -> None:
    """Each item of the library is known from now on, also if Zoom does not list it any more; none is read in full.

    One that cannot be taken over is named and counted. Raises what concerns all of them, once some are known.
    """
    known, new, now = 0, 0, clock.now()
    remember = state.suppose if is_dry else state.put
    breaker = Breaker(destination.ping)
    entries: list[Entry] = []
    with closing(destination.everything()) as items:
        for item in items:
            clock.check()
            try:
                if isinstance(item, ZoomsyncError):
                    raise item
                entry, is_new = _as_adopted(*item, state, now)
            except MeetingFailed as problem:
                breaker.answered()
                _not_taken_over(problem, tally)
            except (
                NotAuthorized,
                Unfit,
                Unreachable,
            ) as problem:  # about this item, unless all are down
                _not_taken_over(problem, tally)
                breaker.failed()
            else:
                breaker.answered()
                known, new = known + 1, new + is_new
                entries += [entry] if is_new else []
            if len(entries) == BATCH:
                remember(*entries)
                entries.clear()
    remember(*entries)
    if down := breaker.settle():
        raise down
    what = f"{new:,} of them new to the state: {ADOPTED}" if new else "none of them is new to the state"
    log.info("%s of the library known, %s; nothing is deleted in this pass", plural(known, "item"), what)
    if left := tally.outcomes[Outcome.UNADOPTED]:
        remedy = "mend what is named above, then adopt again: `zoomsync sync --adopt-library`"
        log.error("%s left out: %s", plural(left, "item"), remedy)


def _as_adopted(receipt: Receipt, meeting: Mapping[str, object], state: State, now: datetime) -> tuple[Entry, bool]:
    """The entry of an item, and whether the state lacks it. Raises `MeetingFailed` if the item says too little."""
    before = state.entries.get(receipt.uuid)
    try:
        entry = ledger.adopted(receipt, meeting, before, now)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        message = f"{receipt.place}: recording.json does not say when it began"
        raise MeetingFailed(message, hint="restore it from a backup") from error
    return entry, entry != before


def _not_taken_over(problem: ZoomsyncError, tally: Tally) -> None:
    tally.outcomes[Outcome.UNADOPTED] += 1
    log.error("not taken over: %s (%s)", problem, problem.hint, extra=fields(event="unadopted"))


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
