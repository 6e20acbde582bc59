"""`sync --verify`: reads again what receipts name; fetches nothing, deletes nothing, changes no entry of the ledger."""

import logging
import math
from collections.abc import Iterable
from concurrent.futures import Executor, Future

from zoomsync.console import Progress, fields, log_context
from zoomsync.destinations.base import Destination
from zoomsync.errors import NotAuthorized, Unfit, Unreachable, ZoomsyncError
from zoomsync.formatting import plural, size_in_words
from zoomsync.model import Clock, Entry, Outcome, Phase, Receipt, Verdict
from zoomsync.naming import suffix
from zoomsync.rules.publish import SyncRequest
from zoomsync.sync.tally import Tally, row
from zoomsync.sync.workers import Workers

log = logging.getLogger(__name__)

GRACE_SECONDS = 4.0
HINT = "a person's change: nothing; damage: restore it, or `sync --meeting WHAT` fetches it again if Zoom has it still"


def chosen(entries: Iterable[Entry], request: SyncRequest, destination: str, run: str) -> list[tuple[Entry, Receipt]]:
    """What is to be read: stored in this destination, named by the request; of a sample what the run's id draws."""

    def is_chosen(entry: Entry) -> bool:
        is_named = not request.meetings or entry in request.meetings
        is_of_user = not request.users or entry.host_email.lower() in request.users
        is_after = request.since is None or entry.start >= request.since
        is_before = request.until is None or entry.start < request.until
        is_drawn = int(suffix(f"{run} {entry.uuid}"), 16) < request.sample * 2**32
        return is_named and is_of_user and is_after and is_before and is_drawn

    stored = (entry for entry in entries if entry.phase in (Phase.PUBLISHED, Phase.DELETED))
    return [
        (entry, entry.receipt)
        for entry in stored
        if entry.receipt is not None and entry.receipt.destination == destination and is_chosen(entry)
    ]


def verify(
    items: list[tuple[Entry, Receipt]],
    destination: Destination,
    tally: Tally,
    *,
    executor: Executor,
    size: int,
    clock: Clock,
    progress: Progress,
    max_seconds: float = math.inf,
) -> None:
    """Read each item, a few at a time; what differs goes to the tally. Raises what concerns all of them."""
    over_at = clock.monotonic() + max_seconds
    total = sum(_size(receipt) for _, receipt in items)
    log.info("%s to read, %s", plural(len(items), "item"), size_in_words(total))
    progress.due(len(items), total)

    def read(item: tuple[Entry, Receipt]) -> Verdict:
        with progress.working(f"reading “{item[0].topic}”", _size(item[1])) as moved:
            verdict = destination.verify(item[1])
            moved(_size(item[1]))
        return verdict

    workers = Workers(executor, size, clock, read)
    done = 0
    try:
        for (entry, receipt), future in workers.work_off(items, may_begin=lambda: clock.monotonic() < over_at):
            progress.ended()
            done += 1
            _write_down(entry, receipt, future, tally)
    finally:
        for _ in workers.drain(GRACE_SECONDS):
            pass
    if done < len(items):
        tally.left.append(f"{plural(len(items) - done, 'item')} to be read")


def _write_down(entry: Entry, receipt: Receipt, future: "Future[Verdict]", tally: Tally) -> None:
    reason, hint = "", HINT
    outcome = Outcome.VERIFIED
    try:
        verdict = future.result()
        if not verdict.safe:
            outcome = Outcome.UNVERIFIED if verdict.passing or verdict.silent else Outcome.DIFFERS
            reason = f"{receipt.place}: {verdict.reason}"
    except (NotAuthorized, Unfit, Unreachable):
        raise
    except ZoomsyncError as error:
        outcome, reason, hint = Outcome.DIFFERS, str(error), error.hint
    tally.outcomes[outcome] += 1
    if not reason:
        return
    tally.rows.append(row(outcome.value, entry, reason, hint=hint))
    with log_context(entry):
        level = logging.ERROR if outcome.is_failure else logging.WARNING
        log.log(level, "%s: %s (%s)", outcome.value, reason, hint, extra=fields(event=outcome.value, reason=reason))


def _size(receipt: Receipt) -> int:
    return sum(file.size for file in receipt.files)
