"""What an engine is ordered to make: one meeting's files are fetched to staging and made into an item there.

It writes no state and asks no destination, so that any process that reaches Zoom and staging can do it.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from zoomsync.console import log_context
from zoomsync.errors import DownloadFailed, MeetingFailed, Unreachable, Unstitchable, ZoomsyncError
from zoomsync.files import PRIVATE_FOLDER, STAGING, STAGING_ITSELF, make_private_folder
from zoomsync.formatting import quoted
from zoomsync.http import brief
from zoomsync.item.disk import needed
from zoomsync.item.fetch import Fetching
from zoomsync.media.ffmpeg import Tools
from zoomsync.media.index import inspect
from zoomsync.model import Clock, Fetched, Item, Meeting, Receipt, RecordingFile
from zoomsync.naming import suffix
from zoomsync.progress import Progress
from zoomsync.rules.layout import How
from zoomsync.rules.segments import has_end
from zoomsync.rules.update import Arrangement, arrange, recognized
from zoomsync.zoom.download import Downloads

if TYPE_CHECKING:
    from zoomsync.item.build import ItemStyle

LONGEST = 1e7
"""Seconds: what says that it plays longer is believed no more than this."""
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemOrder:
    """One meeting, and all that must be known to make its item, or what is new of it."""

    meeting: Meeting
    files: tuple[RecordingFile, ...]
    """Those that the item may be made of."""
    stored: Receipt | None
    """What is at the destination: the update is planned by it."""
    any_size: bool
    """Whether a person wants its video and sound also if they have not the size that Zoom lists."""
    style: "ItemStyle"
    staging: Path
    brief_seconds: float | None
    """How short requests about it are kept, see `brief`; None: all patience."""
    room: int = 0
    """The bytes that are reserved in staging."""
    fetched: Mapping[str, Fetched] = field(default_factory=dict)
    """What an earlier round brought, by id of the cloud file."""
    failed: Mapping[str, MeetingFailed] = field(default_factory=dict)
    """What did not come of its texts, by id of the cloud file."""

    @property
    def folder(self) -> Path:
        """Staging of this meeting alone."""
        return self.staging / suffix(self.meeting.uuid)

    def plan(self, length: Callable[[Path], float | None] = lambda _: None) -> tuple[Receipt | None, Arrangement]:
        """What is stored, as far as what came shows it; and what is to be done to it.

        `length` says how many seconds a fetched file plays: a file lasts so long if Zoom does not say when it ends.
        """
        files = [self._lasting(file, length) for file in self.files if file.id not in self.failed]
        stored = self.stored
        if stored is not None:
            arrived = [(file, self.fetched[file.id]) for file in self.files if file.id in self.fetched]
            stored = recognized(stored, arrived, {file.id for file in self.meeting.files})
        return stored, arrange(
            files,
            stored,
            concatenate=self.style.concatenate,
            views=self.style.views,
            can_replace=self.style.can_replace,
        )

    def _lasting(self, file: RecordingFile, length: Callable[[Path], float | None]) -> RecordingFile:
        if has_end(file) or not file.kind.is_media or file.id not in self.fetched:
            return file
        seconds = length(self.fetched[file.id].path)
        return file if seconds is None else replace(file, length=timedelta(seconds=min(seconds, LONGEST)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of an order."""

    item: Item | None
    """Its new files lie in staging. None: what came needs more `room` than was reserved, and another round."""
    plan: Arrangement
    """As it is, now that it is known what came."""
    stored: Receipt | None
    """What is at the destination, as far as what came shows it."""
    fetched: Mapping[str, Fetched]
    failed: Mapping[str, MeetingFailed]


class Engine(Protocol):
    """Where items are made."""

    def prepare(self, *, is_dry: bool) -> None:
        """Called before a meeting is begun. Raises `ConfigError` and `Unfit` if nothing can be made."""

    def make(self, order: ItemOrder, wrote: Callable[[int], None]) -> Made:
        """What comes of an order, see `make_item`; `wrote` is called with the bytes that arrive in staging."""

    @property
    def ahead(self) -> int:
        """How many more meetings than workers are begun, so that those use the connections that others do not need."""

    @property
    def problem(self) -> ZoomsyncError | None:
        """What is not as it should be, although all could be made."""

    @property
    def requests(self) -> tuple[int, int]:
        """How many API calls and download requests were sent from elsewhere."""


class Slots:
    """So many of one kind of work at once; who waits for a slot still notices that the pass is to end."""

    def __init__(self, size: int, clock: Clock) -> None:
        self.size = size
        self._free = threading.Semaphore(size)
        self._lock = threading.Lock()
        self._clock = clock
        self.taken = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Wait for a slot, and have it until the block ends."""
        while not self._free.acquire(timeout=POLL_SECONDS):
            self._clock.check()
        with self._lock:
            self.taken += 1
        try:
            yield
        finally:
            with self._lock:
                self.taken -= 1
            self._free.release()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What a process makes items with, shared by its threads."""

    downloads: Downloads
    transfers: Executor
    """Where files are fetched, of all meetings together: never more at once than there are connections."""
    tools: Callable[[], Tools]
    """They are run once to see that they work, before anything is fetched."""
    stitching: Slots
    """As many videos are stitched at once as meetings are worked on, although more are fetched meanwhile."""
    clock: Clock
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadEngine:
    """Items are made by threads of this process."""

    executor: Executor
    workshop: Workshop

    problem: None = None
    requests: tuple[int, int] = (0, 0)

    def prepare(self, *, is_dry: bool) -> None:  # noqa: ARG002  # of the protocol
        """See `Engine`."""
        self.workshop.tools()

    def make(self, order: ItemOrder, wrote: Callable[[int], None]) -> Made:
        """See `Engine`."""
        future = self.executor.submit(make_item, order, self.workshop, wrote)
        while not wait([future], POLL_SECONDS).done:
            self.workshop.clock.check()
        return future.result()

    @property
    def ahead(self) -> int:
        """See `Engine`. One worker works on one meeting at a time, but while it stitches."""
        return max(self.workshop.stitching.size - 1, int(self.workshop.stitching.taken > 0))


def make_item(order: ItemOrder, workshop: Workshop, wrote: Callable[[int], None]) -> Made:
    """Fetch what the plan asks for and make the item. Raises what keeps all of it away; staging stays for the next try.

    If bytes turn out to be stored already, or files to be segments, another plan may need more room than there is.
    """
    is_brief, seconds = order.brief_seconds is not None, order.brief_seconds
    with log_context(order.meeting), brief(on=is_brief, seconds=seconds):
        arrived = _Making(order=order, workshop=workshop).fetch(wrote)
        return _Making(order=arrived, workshop=workshop).build()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Making:
    """An order, carried out here."""

    order: ItemOrder
    workshop: Workshop

    def fetch(self, wrote: Callable[[int], None]) -> ItemOrder:
        """The order with each file of its plan among what was fetched or what failed: video and audio must arrive.

        If another file came, it is this one's own trouble that its host cannot be reached.
        """
        order, (_, plan) = self.order, self.order.plan(self._length)
        with STAGING_ITSELF.explained(order.staging):
            make_private_folder(order.staging.parent)
            make_private_folder(order.staging)
        with STAGING.explained(order.folder):
            order.folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        fetched, failed = dict(order.fetched), dict(order.failed)
        unreached: Unreachable | None = None
        missing = [file for file in plan.fetch if file.id not in fetched]
        for file, found in self._fetching.bring(missing, wrote):
            if isinstance(found, Fetched):
                fetched[file.id] = found
            elif isinstance(found, Unreachable):
                unreached, failed[file.id] = found, found.become(DownloadFailed)
            else:
                failed[file.id] = found
        if unreached is not None and not fetched:
            raise unreached
        return replace(order, fetched=fetched, failed=failed)

    @property
    def _fetching(self) -> Fetching:
        order, workshop = self.order, self.workshop
        return Fetching(
            meeting=order.meeting,
            stored=order.stored,
            any_size=order.any_size,
            folder=order.folder,
            downloads=workshop.downloads,
            transfers=workshop.transfers,
            tools=workshop.tools(),
            clock=workshop.clock,
            shown=self._shown,
        )

    def build(self) -> Made:
        """The item of what was fetched, or what another round needs to make it."""
        from zoomsync.item.build import ItemBuilder

        order = self.order
        stored, plan = order.plan(self._length)
        made = Made(item=None, plan=plan, stored=stored, fetched=order.fetched, failed=order.failed)
        room = needed(plan, order.staging, None)[1][order.staging]
        if room > order.room or not all(file.id in order.fetched for file in plan.fetch):
            return made
        builder = ItemBuilder(
            meeting=order.meeting,
            arrangement=plan,
            fetched=order.fetched,
            previous=stored,
            style=order.style,
            tools=self.workshop.tools(),
            clock=self.workshop.clock,
            folder=order.folder,
        )
        is_stitched = any(output.how is How.STITCH for output in plan.build)
        slot = self.workshop.stitching.one() if is_stitched else nullcontext()
        with slot, self._shown("is built"), STAGING.explained(order.folder):
            return replace(made, item=builder.build())

    def _length(self, path: Path) -> float | None:
        """How many seconds a file plays; None: nobody knows, it is stored as it came."""
        try:
            return inspect(self.workshop.tools(), path, self.workshop.clock).duration
        except Unstitchable:
            return None

    def _shown(self, what: str, size: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
        """What is being done to this meeting, for who watches."""
        return self.workshop.progress.working(f"{quoted(self.order.meeting.topic)} {what}", size)
