"""One meeting: what is new of it is made by an engine and published. Runs in a worker; writes no state."""

import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from zoomsync.destinations.base import Destination
from zoomsync.errors import MeetingFailed, OutcomeUnknown, PartlyStored, RemovedByPerson, StillProcessing
from zoomsync.files import STAGING
from zoomsync.formatting import quoted
from zoomsync.http import brief_seconds
from zoomsync.item.disk import Disk, Wrote, device, needed
from zoomsync.item.order import Engine, ItemOrder, Made
from zoomsync.model import Author, Clock, Entry, Item, Receipt, StoredFile, User, Zoom
from zoomsync.progress import Progress
from zoomsync.rules.ledger import Done
from zoomsync.rules.publish import STALE, Decision, Publish, Rules, Skip, Wait, decide, decide_gone, is_requested
from zoomsync.rules.update import Arrangement

if TYPE_CHECKING:
    from zoomsync.item.build import ItemStyle

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """All that working on a meeting needs, shared by the workers."""

    style: "ItemStyle"
    zoom: Zoom
    destination: Destination
    engine: Engine
    staging: Path
    storage: Path | None
    """Where items lie, if that is a folder here."""
    disk: Disk
    clock: Clock
    progress: Progress
    users: Mapping[str, User] = field(default_factory=dict)
    """Those that the pass came to know, by id."""


def publish(job: Publish, entry: Entry | None, rules: Rules, context: WorkerContext) -> Done | Wait | Skip:
    """Make the destination have this meeting; a decision if fresher facts say that it is not due any more.

    1. Read the meeting again if its listing is stale.
    2. Look at what is stored.
    3. Plan the update.
    4. Reserve the disk.
    5. Have an engine fetch its files and build the item.
    6. Publish it.
    7. Say what it came to.
    """
    # 1
    fresh = _reread(job, entry, rules, context)
    if not isinstance(fresh, Publish):
        return fresh
    # 2
    requested = is_requested(fresh.meeting, entry, rules)
    # what was adopted is known from the item alone, and read before it counts
    remembered = entry.receipt if entry is not None and entry.stored_at is not None else None
    if remembered is not None and remembered.destination != context.destination.id:
        remembered = None
    try:
        if fresh.previous is not None and not requested:
            stored: Receipt | None = known_receipt(fresh.meeting.uuid, fresh.previous, context.destination)
            remembered = stored
        else:
            stored = verified_receipt(fresh, context.destination, remembered)
        order = ItemOrder(
            meeting=fresh.meeting,
            files=fresh.files,
            stored=stored,
            any_size=rules.accept_size and fresh.meeting in rules.requested,
            style=context.style,
            staging=context.staging,
            brief_seconds=brief_seconds(),
        )
        work = _Work(job=fresh, order=order, remembered=remembered, requested=requested, context=context)
        return work.run()  # 3 to 7
    except OutcomeUnknown as wait:
        return Wait(reason=str(wait), due_at=wait.until)


def _reread(job: Publish, entry: Entry | None, rules: Rules, context: WorkerContext) -> Decision:
    """The job itself, or what the same rules say of a fresh reading if the listing is stale."""
    now = context.clock.now()
    if now - job.meeting.listed_at <= STALE:
        return job
    try:
        found = context.zoom.meeting(job.meeting.uuid)
    except StillProcessing as wait:
        return Wait(reason=str(wait))
    if found is None:
        return decide_gone(entry) if entry is not None else Skip(reason="gone from the cloud before it was fetched")
    found = replace(found, host_email=found.host_email or job.meeting.host_email)
    return decide(found, entry, replace(rules, now=now))


def known_receipt(uuid: str, known: Receipt, destination: Destination) -> Receipt:
    """What is stored by now: more than the state knows, if a pass was killed before it wrote that down."""
    try:
        found = destination.find(uuid, known)
    except (OutcomeUnknown, RemovedByPerson):
        raise
    except MeetingFailed:  # the state knows it all the same; publishing says what is in the way, if anything is
        return known
    if found is None:
        return known
    is_newer = {one.id for one in known.cloud} < {one.id for one in found.cloud}
    return found if is_newer else replace(known, place=found.place)


def verified_receipt(job: Publish, destination: Destination, known: Receipt | None) -> Receipt | None:
    """What is there and whole of a meeting: looked at before it is trusted, also if it is `known` to the state."""
    found = destination.find(job.meeting.uuid, known)
    _require_main(known, found.files if found is not None else (), job)
    if found is None:
        return None
    verdict = destination.verify(found)
    if not (verdict.safe or verdict.lacking or verdict.passing or verdict.silent):
        raise MeetingFailed(
            f"{found.place}: {verdict.reason}", hint="look at it there; once it is deleted, the item is made again"
        )
    available = {file.id for file in job.files}
    broken = [file for file in found.files if file.name in verdict.lacking]
    again = {one for file in broken if set(file.made_of) <= available for one in file.made_of}
    if broken and not again:
        message = f"{found.place}: {verdict.reason}, and Zoom has nothing left to make it of"
        raise RemovedByPerson(message, altered=verdict.altered)
    files = tuple(file for file in found.files if file not in broken)
    _require_main(known, files, job)
    names = {file.name for file in files}
    cloud = tuple(one for one in found.cloud if one.stored in names and one.id not in again)
    return replace(found, files=files, cloud=cloud)


def _require_main(known: Receipt | None, files: tuple[StoredFile, ...], job: Publish) -> None:
    """Raise `RemovedByPerson` if a video or sound that the state knows is gone, and Zoom does not have it either.

    If nothing of the kind is left there, what Zoom still has begins the item again.
    """
    there = {file.role for file in files}
    in_zoom = {file.id for file in job.meeting.files}
    gone = [file for file in (known.files if known is not None else ()) if file.role not in there]
    lost = [file.name for file in gone if file.role.is_main and not set(file.made_of) <= in_zoom]
    if not lost:
        return
    if not any(role.is_main for role in there) and any(file.kind.is_media for file in job.files):
        log.warning("made again without all that %s was made of: Zoom does not have it any more", ", ".join(lost))
        return
    raise RemovedByPerson(
        f"{lost[0]} is gone, and Zoom has nothing left to make it of",
        hint="look into Zoom's trash (30 days); once the rest is deleted there, the item is made again",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """The work on one meeting, now that it is known what is stored of it."""

    job: Publish
    order: ItemOrder
    remembered: Receipt | None
    """What the state knows: the destination sees by it what a person removed or changed."""
    requested: bool
    """Whether a person asked for it, now or in an earlier pass that could not do it."""
    context: WorkerContext

    def run(self) -> Done:
        """Have it made and publish it; staging is left as it is if something fails, for the next try."""
        receipt, order, lacking = self.order.stored, self.order, dict[str, MeetingFailed]()
        _, plan = order.plan()  # 3
        if receipt is None or plan.build or self.requested:
            receipt, order, lacking = self._update(order, plan)  # 4 to 6
        shutil.rmtree(order.folder, ignore_errors=True)
        labels = {file.id: file.label for file in self.job.files}  # 7
        failed = {**order.failed, **lacking}
        missing = (f"{labels.get(one, one)}: {problem}" for one, problem in failed.items())
        return Done(
            receipt=receipt,
            stored=len(_contents(receipt) - (_contents(self.job.previous) & _contents(order.stored))),
            fetched=len(order.fetched),
            size=sum(one.size for one in order.fetched.values()),
            pending=(*self.job.pending, *missing),
            problem=next(iter(failed.values()), None),
        )

    def _update(self, order: ItemOrder, plan: Arrangement) -> tuple[Receipt, ItemOrder, dict[str, MeetingFailed]]:
        """Have made what the plan asks for and publish it; returns the order as it was carried out.

        And, by id, which cloud files the destination did not take.
        """
        context = self.context
        while True:
            with self._reserved(order, plan) as (room, wrote):  # 4
                made = context.engine.make(replace(order, room=room), partial(wrote, device(context.staging)))  # 5
                order, plan = replace(order, fetched=made.fetched, failed=made.failed), made.plan
                if made.item is not None:
                    try:
                        with context.progress.working(f"{quoted(self.job.meeting.topic)} is published"):
                            return self._publish(made.item, made), order, {}  # 6
                    except PartlyStored as partly:
                        return partly.receipt, order, dict(partly.lacking)
            # Bytes turned out to be stored already, or files to be segments: what more is built needs room of its own.

    @contextmanager
    def _reserved(self, order: ItemOrder, plan: Arrangement) -> Iterator[tuple[int, Wrote]]:
        """Room for what the plan needs, and how much in staging; what an earlier try brought needs none."""
        with STAGING.explained(order.folder):
            found = [path.stat() for path in order.folder.glob("*") if path.is_file()]
        staged = sum(min(one.st_size, 512 * one.st_blocks) for one in found)  # between stretches of a file is nothing
        arriving, needs = needed(plan, order.staging, self.context.storage)
        with self.context.disk.reserve(needs, min(staged, arriving)) as wrote:
            yield needs[order.staging], wrote

    def _publish(self, item: Item, made: Made) -> Receipt:
        meeting, destination = self.job.meeting, self.context.destination
        if made.plan.build or made.stored is None:
            author = destination.author_for(self.context.users.get(meeting.host_id) or meeting.host)
        else:  # nothing new: no other author is looked up, raised or made for it
            author = Author(id="", email=made.stored.author)
        return destination.publish(item, author, self.remembered, requested=self.requested)


def _contents(receipt: Receipt | None) -> set[tuple[str, str]]:
    """The cloud files that it covers, each with its content: one that Zoom changed counts as new."""
    return {(one.id, one.sha256) for one in receipt.cloud} if receipt is not None else set()
