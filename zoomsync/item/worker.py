"""One meeting: fetch what is new, make the item, publish it. Runs in a worker; writes no state."""

import logging
import shutil
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from zoomsync.config import Config
from zoomsync.destinations.base import Destination
from zoomsync.errors import (
    DownloadFailed,
    MeetingFailed,
    OutcomeUnknown,
    PartlyStored,
    StillProcessing,
    Unreachable,
    Unstitchable,
)
from zoomsync.files import PRIVATE_FOLDER, STAGING, STAGING_ITSELF, make_private_folder
from zoomsync.formatting import quoted
from zoomsync.item.disk import Disk, Wrote, device, needed
from zoomsync.item.fetch import Fetching
from zoomsync.item.stored import known_receipt, verified_receipt
from zoomsync.media.ffmpeg import Tools
from zoomsync.media.probe import probe
from zoomsync.model import (
    Author,
    Clock,
    Entry,
    Fetched,
    Receipt,
    RecordingFile,
    User,
    Zoom,
)
from zoomsync.naming import suffix
from zoomsync.progress import Progress
from zoomsync.rules.ledger import Done
from zoomsync.rules.publish import STALE, Decision, Publish, Rules, Skip, Wait, decide, decide_gone, is_requested
from zoomsync.rules.segments import VIEWS, has_end
from zoomsync.rules.update import Arrangement, arrange, recognized
from zoomsync.zoom.download import Downloads

log = logging.getLogger(__name__)

LONGEST = 1e7
"""Seconds: what says that it plays longer is believed no more than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """All that working on a meeting needs, shared by the workers."""

    config: Config
    zoom: Zoom
    downloads: Downloads
    transfers: Executor
    """Where files are fetched, of all meetings together: never more at once than there are connections."""
    destination: Destination
    tools: Callable[[], Tools]
    """They are run once to see that they work when the first meeting is due, before anything of it is fetched."""
    staging: Path
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
    5. Fetch.
    6. Build the item.
    7. Publish it.
    8. Say what it came to.
    """
    # 1
    fresh = _reread(job, entry, rules, context)
    if not isinstance(fresh, Publish):
        return fresh
    # 2
    requested = is_requested(fresh.meeting, entry, rules)
    remembered = entry.receipt if entry is not None else None
    if remembered is not None and remembered.destination != context.destination.id:
        remembered = None
    try:
        if fresh.previous is not None and not requested:
            stored: Receipt | None = known_receipt(fresh.meeting.uuid, fresh.previous, context.destination)
            remembered = stored
        else:
            stored = verified_receipt(fresh, context.destination, remembered)
        work = _Work(
            job=fresh,
            stored=stored,
            remembered=remembered,
            requested=requested,
            any_size=rules.accept_size and fresh.meeting in rules.requested,
            folder=context.staging / suffix(fresh.meeting.uuid),
            context=context,
        )
        return work.run()  # 3 to 8
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """The work on one meeting, now that it is known what is stored of it."""

    job: Publish
    stored: Receipt | None
    """What is at the destination: the update is planned by it."""
    remembered: Receipt | None
    """What the state knows: the destination sees by it what a person removed or changed."""
    requested: bool
    """Whether a person asked for it, now or in an earlier pass that could not do it."""
    any_size: bool
    """Whether a person wants its video and sound also if they have not the size that Zoom lists."""
    folder: Path
    """Staging of this meeting alone."""
    context: WorkerContext

    def run(self) -> Done:
        """Fetch, make, publish; staging is left as it is if something fails, for the next try."""
        receipt = self.stored
        fetched: dict[str, Fetched] = {}
        failed: dict[str, MeetingFailed] = {}
        plan = self._plan(receipt, fetched, failed)  # 3
        if receipt is None or plan.build or self.requested:
            receipt = self._update(plan, fetched, failed)  # 4 to 7
        shutil.rmtree(self.folder, ignore_errors=True)
        labels = {file.id: file.label for file in self.job.files}  # 8
        missing = (f"{labels.get(one, one)}: {problem}" for one, problem in failed.items())
        return Done(
            receipt=receipt,
            stored=len(_contents(receipt) - (_contents(self.job.previous) & _contents(self.stored))),
            fetched=len(fetched),
            size=sum(one.size for one in fetched.values()),
            pending=(*self.job.pending, *missing),
            problem=next(iter(failed.values()), None),
        )

    def _update(self, plan: Arrangement, fetched: dict[str, Fetched], failed: dict[str, MeetingFailed]) -> Receipt:
        """Fetch what the plan asks for and publish it; `fetched` and `failed` then have each file, by id."""
        while True:
            with self._reserved(plan) as wrote:  # 4
                self._fetch(plan, wrote, fetched, failed)  # 5
                arrived = [(file, fetched[file.id]) for file in self.job.files if file.id in fetched]
                listed = {file.id for file in self.job.meeting.files}
                stored = recognized(self.stored, arrived, listed) if self.stored is not None else None
                reserved, plan = plan, self._plan(stored, fetched, failed)
                has_room = self._needed(plan) <= self._needed(reserved)
                if has_room and all(file.id in fetched for file in plan.fetch):
                    try:
                        with self._shown("is built and published"):
                            return self._publish(plan, stored, fetched)  # 6, 7
                    except PartlyStored as partly:
                        failed |= partly.lacking
                        return partly.receipt
            # Bytes turned out to be stored already, or files to be segments: what more is built needs room of its own.

    def _plan(self, stored: Receipt | None, fetched: Mapping[str, Fetched], failed: Collection[str]) -> Arrangement:
        views = self.context.config.recordings.views
        return arrange(
            [self._lasting(file, fetched) for file in self.job.files if file.id not in failed],
            stored,
            concatenate=self.context.config.concatenate_recordings,
            views=VIEWS if isinstance(views, str) else views,
            can_replace=self.context.destination.can_replace,
        )

    def _lasting(self, file: RecordingFile, fetched: Mapping[str, Fetched]) -> RecordingFile:
        """The file; once it was fetched it lasts as long as it plays, if Zoom does not say when it ends."""
        if has_end(file) or not file.kind.is_media or file.id not in fetched:
            return file
        try:
            seconds = probe(self.context.tools(), fetched[file.id].path, self.context.clock).duration
        except Unstitchable:  # it is stored as it came
            return file
        return replace(file, length=timedelta(seconds=min(seconds, LONGEST)))

    def _needed(self, plan: Arrangement) -> int:
        """The bytes that are written to staging for a plan."""
        return needed(plan, self.context.staging, self.context.config.destination.storage)[1][self.context.staging]

    def _reserved(self, plan: Arrangement) -> AbstractContextManager[Wrote]:
        """Room for what the plan needs; what an earlier try brought needs none."""
        arriving, needs = needed(plan, self.context.staging, self.context.config.destination.storage)
        with STAGING.explained(self.folder):
            staged = sum(path.stat().st_size for path in self.folder.glob("*") if path.is_file())
        return self.context.disk.reserve(needs, min(staged, arriving))

    def _fetch(
        self, plan: Arrangement, wrote: Wrote, fetched: dict[str, Fetched], failed: dict[str, MeetingFailed]
    ) -> None:
        """Add each file that is not there yet to one of the two, by id: video and audio must arrive.

        If another file came, it is this one's own trouble that its host cannot be reached.
        """
        staging = self.context.staging
        with STAGING_ITSELF.explained(staging):
            make_private_folder(staging.parent)
            make_private_folder(staging)
        with STAGING.explained(self.folder):
            self.folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        missing = [file for file in plan.fetch if file.id not in fetched]
        unreached: Unreachable | None = None
        for file, found in self._fetching.bring(missing, partial(wrote, device(self.folder))):
            if isinstance(found, Fetched):
                fetched[file.id] = found
            elif isinstance(found, Unreachable):
                unreached, failed[file.id] = found, found.become(DownloadFailed)
            else:
                failed[file.id] = found
        if unreached is not None and not fetched:
            raise unreached

    @property
    def _fetching(self) -> Fetching:
        context = self.context
        return Fetching(
            meeting=self.job.meeting,
            stored=self.stored,
            any_size=self.any_size,
            folder=self.folder,
            downloads=context.downloads,
            transfers=context.transfers,
            tools=context.tools(),
            clock=context.clock,
            shown=self._shown,
        )

    def _shown(self, what: str, size: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
        """What is being done to this meeting, for who watches."""
        return self.context.progress.working(f"{quoted(self.job.meeting.topic)} {what}", size)

    def _publish(self, plan: Arrangement, stored: Receipt | None, fetched: Mapping[str, Fetched]) -> Receipt:
        from zoomsync.item.build import ItemBuilder

        meeting, destination = self.job.meeting, self.context.destination
        builder = ItemBuilder(
            meeting=meeting,
            arrangement=plan,
            fetched=fetched,
            previous=stored,
            config=self.context.config,
            tools=self.context.tools(),
            clock=self.context.clock,
            folder=self.folder,
        )
        with STAGING.explained(self.folder):
            item = builder.build()
        if plan.build or stored is None:
            author = destination.author_for(self.context.users.get(meeting.host_id) or meeting.host)
        else:  # nothing new: no other author is looked up, raised or made for it
            author = Author(id="", email=stored.author)
        return destination.publish(item, author, self.remembered, requested=self.requested)


def _contents(receipt: Receipt | None) -> set[tuple[str, str]]:
    """The cloud files that it covers, each with its content: one that Zoom changed counts as new."""
    return {(one.id, one.sha256) for one in receipt.cloud} if receipt is not None else set()
