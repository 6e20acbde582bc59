"""What the state learns of a library: what an older copy lacks (`--reconcile`), what one has (`--adopt-library`)."""

import logging
import math
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime

from zoomsync.console import fields, log_context
from zoomsync.destinations.base import Destination
from zoomsync.errors import (
    MeetingFailed,
    NotAuthorized,
    OutcomeUnknown,
    StateUnusable,
    Unfit,
    Unreachable,
    ZoomsyncError,
)
from zoomsync.formatting import plural
from zoomsync.model import Clock, Entry, Outcome, Phase, Receipt
from zoomsync.rules import ledger
from zoomsync.state import State
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


def adopt(
    state: State, destination: Destination, clock: Clock, tally: Tally, *, is_dry: bool, over_at: float = math.inf
) -> None:
    """Each item of the library is known from now on, also if Zoom does not list it any more; none is read in full.

    One that cannot be taken over is named and counted. Raises what concerns all of them, once some are known. What is
    left when it is over, or ends otherwise, the next pass goes on with.
    """
    known, new, now = 0, 0, clock.now()
    begun_at = state.head.adopted_till if state.head.adopting == destination.id else ""
    earlier = state.head.unadopted.get(destination.id, 0) if begun_at else 0
    breaker = Breaker(destination.ping)
    entries: list[Entry] = []

    def keep(adopting: str, till: str) -> None:
        (state.suppose if is_dry else state.put)(*entries)
        entries.clear()
        if down := breaker.settle():  # then nothing was left out: what it did not show comes again
            raise down
        if state.head.adopting == destination.id and not is_dry:
            left_out = {destination.id: earlier + tally.outcomes[Outcome.UNADOPTED]}
            state.update(adopting=adopting, adopted_till=till, unadopted={**state.head.unadopted, **left_out})

    with closing(destination.everything(begun_at)) as items:
        for item in items:
            clock.check()
            if isinstance(item, str):
                keep(destination.id, item)
                if clock.monotonic() >= over_at:
                    log.info("%s of the library read, the next pass goes on with it by itself", plural(known, "item"))
                    return
            elif adopted := _adopted(item, state, now, breaker, tally):
                entry, is_new = adopted
                known, new = known + 1, new + is_new
                entries += [entry] if is_new else []
    keep("", "")
    what = f"{new:,} of them new to the state: {ADOPTED}" if new else "none of them is new to the state"
    items_known = plural(known, "further item" if begun_at else "item")
    log.info("%s of the library known, %s; nothing is deleted in this pass", items_known, what)
    if left := earlier + tally.outcomes[Outcome.UNADOPTED]:
        tally.outcomes[Outcome.UNADOPTED] = left  # those too that an earlier pass left out, which did not end it
        remedy = "mend what was named with `not taken over`, then adopt again: `zoomsync sync --adopt-library`"
        log.error("%s left out: %s", plural(left, "item"), remedy)


def _adopted(
    item: tuple[Receipt, Mapping[str, object]] | ZoomsyncError,
    state: State,
    now: datetime,
    breaker: Breaker,
    tally: Tally,
) -> tuple[Entry, bool] | None:
    """The entry of an item, and whether the state lacks it; None: it is left out. Raises what concerns all of them."""
    try:
        if isinstance(item, ZoomsyncError):
            raise item
        found = _as_adopted(*item, state, now)
    except MeetingFailed as problem:
        breaker.answered()
        _not_taken_over(problem, tally)
    except StateUnusable:
        raise
    except (NotAuthorized, Unfit, Unreachable) as problem:  # about this item, unless all are down
        breaker.failed(_not_taken_over(problem, tally))
    else:
        breaker.answered()
        return found
    return None


def _as_adopted(receipt: Receipt, meeting: Mapping[str, object], state: State, now: datetime) -> tuple[Entry, bool]:
    """Raises `MeetingFailed` if the item says too little."""
    before = state.entries.get(receipt.uuid)
    try:
        entry = ledger.adopted(receipt, meeting, before, now)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        message = f"{receipt.place}: recording.json does not say when it began"
        raise MeetingFailed(message, hint="restore it from a backup") from error
    return entry, entry != before


def _not_taken_over(problem: ZoomsyncError, tally: Tally) -> Callable[[], None]:
    """Count and name it; what takes the count back."""
    tally.outcomes[Outcome.UNADOPTED] += 1
    log.error("not taken over: %s (%s)", problem, problem.hint, extra=fields(event="unadopted"))
    return lambda: tally.outcomes.subtract([Outcome.UNADOPTED])


def _as_found(entry: Entry, destination: Destination) -> Entry:
    try:
        found = destination.find(entry.uuid, entry.receipt)
    except (MeetingFailed, OutcomeUnknown) as problem:
        with log_context(entry):
            log.warning("%s (%s)", problem, problem.hint)
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
