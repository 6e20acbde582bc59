"""In a process of the cluster: orders are carried out with this machine's config, tools, tokens and disk."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from signal import SIGTERM
from typing import Any

from zoomsync import app
from zoomsync.clock import SystemClock, process_environ
from zoomsync.cluster.terms import PROBE, SAME, SHARE, Terms, account_of, opened, sealed, version
from zoomsync.config import find_config, load
from zoomsync.errors import ConfigError, DiskFull, DownloadFailed, OutcomeUnknown, Unfit, ZoomsyncError
from zoomsync.files import STAGING, STAGING_ITSELF, make_private_folder, read_file, rehearse, take_lock, write
from zoomsync.http import brief
from zoomsync.item.disk import free_bytes
from zoomsync.item.order import ItemOrder, Slots, Workshop, make_item
from zoomsync.media.ffmpeg import find_tools
from zoomsync.model import Clock, Zoom
from zoomsync.progress import Progress

SEND_EVERY = 0.5
"""Seconds between two events that say how many bytes came."""
LOCK_SECONDS = 60.0
"""How long a worker waits for another one that still works on the same meeting: one that the scheduler gave up."""
POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """What this process works with for one pass."""

    terms: Terms
    connection: app.ZoomConnection
    clock: SystemClock
    workshop: Workshop
    told: list[int] = field(default_factory=lambda: [0, 0])
    """API calls and download requests that the pass knows of."""

    def news(self) -> list[int]:
        """Those that it does not know of yet; it does after this."""
        with _OPENING:
            before, self.told[:] = [*self.told], [self.connection.api.calls, self.connection.files.calls]
            return [now - then for now, then in zip(self.told, before, strict=True)]


_SITES: dict[str, _Site] = {}
"""By staging folder: that of the last pass that asked."""
_OPENING = threading.Lock()
_TAKING = threading.Lock()
_BUSY: set[Path] = set()
"""Meetings that a thread of this process works on: NFS tells the locks of one process's threads not apart."""


class _Reporter:
    """Tells the pass what happens to one order."""

    def __init__(self, worker: Any, terms: Terms, order: ItemOrder, clock: Clock) -> None:
        self._worker = worker
        self._terms = terms
        self._order = order
        self._clock = clock
        self._lock = threading.Lock()
        self._unsent, self._sent_at = 0, clock.monotonic()
        self._total = 0

    def wrote(self, size: int) -> None:
        """So many more bytes came. Raises `DiskFull` if they are more than was reserved, and there is little room."""
        with self._lock:
            self._unsent, self._total = self._unsent + size, self._total + size
            is_due = self._clock.monotonic() >= self._sent_at + SEND_EVERY
            is_more = self._total > self._order.room
        if is_due:
            self.flush()
        staging = self._order.staging
        if is_more and free_bytes(staging) < self._terms["min_free"]:
            hint = "free some space, or lower min_free_disk; the meeting is tried in the next pass"
            raise DiskFull(f"{staging}: needs more than was reserved, and only min_free_disk is left", hint=hint)

    def flush(self) -> None:
        """Send what is not sent yet."""
        with self._lock:
            size, self._unsent = self._unsent, 0
            self._sent_at = self._clock.monotonic()
        if size:
            self._send(bytes=size)

    def line(self, record: logging.LogRecord) -> None:
        """A log line."""
        line = record.getMessage().encode(errors="backslashreplace").decode()  # names of files may be no text
        self._send(level=record.levelno, line=line)

    def _send(self, **what: object) -> None:
        self._worker.log_event(topic_of(self._terms["pass_id"]), {"uuid": self._order.meeting.uuid, **what})


_REPORTER: ContextVar[_Reporter | None] = ContextVar("reporter", default=None)
"""That of the order which this thread works on."""


class _LinesSent(logging.Handler):
    """Hands the log lines about an order to the pass."""

    def emit(self, record: logging.LogRecord) -> None:
        if (reporter := _REPORTER.get()) is not None:
            reporter.line(record)


def topic_of(pass_id: str) -> str:
    """Where the events of a pass are told."""
    return f"zoomsync-{pass_id}"


async def inspect(terms: Terms) -> dict[str, Any]:
    """Whether this process can work for a pass: `refusal`, or the `probe` that it left in staging and its time.

    In a thread, so that this worker answers its scheduler meanwhile.
    """
    return await asyncio.to_thread(_inspect, terms)


def _inspect(terms: Terms) -> dict[str, Any]:
    try:
        site = _site(terms)
        probe = Path(terms["staging"], f"{PROBE}{terms['pass_id']}-{os.urandom(4).hex()}")
        with STAGING_ITSELF.explained(probe):
            write(probe, terms["pass_id"].encode())
    except ZoomsyncError as error:
        return {"refusal": (str(error), error.hint)}
    return {"probe": str(probe), "now": site.clock.now().isoformat()}


def carry_out(terms: Terms, order: bytes) -> dict[str, Any]:
    """What comes of a sealed order, sealed: `made` or `failed`; or `refusal`, and it should be given to another one."""
    from distributed import get_worker

    worker = get_worker()
    try:
        site = _site(terms)
    except ZoomsyncError as error:
        return {"refusal": (str(error), error.hint), "worker": worker.address}
    found: ItemOrder = opened(order)
    reporter = _Reporter(worker, terms, found, site.clock)
    token = _REPORTER.set(reporter)
    try:
        with _alone(found, site.clock):
            made = make_item(_with_addresses(found, site.connection.zoom), site.workshop, reporter.wrote)
            return {"made": sealed(made), "requests": site.news()}
    except ZoomsyncError as error:
        return {"failed": sealed(error), "requests": site.news()}
    finally:
        reporter.flush()
        _REPORTER.reset(token)


def _site(terms: Terms) -> _Site:
    """What is there for this pass. Raises `Unfit` and `ConfigError` if it is not fit for it.

    What an earlier pass with the same staging had begun here ends: nobody waits for it any more.
    """
    if terms["version"] != version():
        raise Unfit(f"runs zoomsync {version()}, and the pass {terms['version']}", hint=SAME)
    with _OPENING:
        known = _SITES.get(terms["staging"])
        if known is not None and known.terms == terms:
            return known
        is_same = known is not None and known.terms["pass_id"] == terms["pass_id"]  # its share is another one by now
        found = _opened(terms, known.clock if known is not None and is_same else SystemClock())
        if not terms["is_look"]:
            if known is not None and not is_same:
                known.clock.stop(SIGTERM)
            _SITES[terms["staging"]] = found
        return found


def _opened(terms: Terms, clock: SystemClock) -> _Site:
    """Look at config, tools and staging of this machine, and take the share of connections that the pass gives it."""
    environ = process_environ()
    config = load(find_config(None, environ, Path.cwd(), os.getuid()), environ)
    if account_of(config) != terms["account"]:
        raise ConfigError(
            f"{config.path}: is for another Zoom account, or another api_url, than the config of the pass",
            hint="set ZOOMSYNC_CONFIG for the worker, or give it the same credentials",
        )
    tools = cache(partial(find_tools, path=environ.get("PATH", ""), environ=environ))
    tools()
    _require_shared(Path(terms["staging"]), terms["pass_id"])
    config = config.model_copy(update={"bandwidth": terms["bandwidth"]})
    as_long_as_we_live = ExitStack()
    connection = app.connect(config, clock, as_long_as_we_live, tries=app.TRIES, rate=terms["rate"])
    with brief():
        connection.zoom.authorize()
    logger = logging.getLogger("zoomsync")
    logger.setLevel(terms["level"])
    if not any(isinstance(one, _LinesSent) for one in logger.handlers):
        logger.addHandler(_LinesSent())
    workshop = Workshop(
        downloads=connection.downloads(),
        transfers=ThreadPoolExecutor(terms["connections"], "file"),
        tools=tools,
        stitching=Slots(os.cpu_count() or 1, clock),
        clock=clock,
        progress=Progress(),
    )
    return _Site(terms=terms, connection=connection, clock=clock, workshop=workshop)


def _require_shared(staging: Path, pass_id: str) -> None:
    """Raise `Unfit` unless this is the folder that the pass stages in, and it can be written and locked."""
    probe = staging / f"{PROBE}{pass_id}"
    try:
        is_shared = read_file(probe) == pass_id.encode()
    except OSError:
        is_shared = False
    if not is_shared:
        raise Unfit(f"{staging}: is not the folder that the pass stages in", hint=SHARE)
    with STAGING_ITSELF.explained(staging):
        if not rehearse(staging):
            raise Unfit(f"{staging}: its file system has no locks", hint="mount it with NFS 4, or without nolock")


def _with_addresses(order: ItemOrder, zoom: Zoom) -> ItemOrder:
    """The order with the addresses of downloads, which Zoom is asked for here."""
    meeting = zoom.meeting(order.meeting.uuid)
    if meeting is None:
        raise DownloadFailed("zoom: gone from the cloud before it was fetched", hint="the next pass reads it again")
    urls = {file.id: file.url for file in meeting.files}
    files = tuple(replace(file, url=urls.get(file.id, "")) for file in order.files)
    return replace(order, files=files, meeting=replace(order.meeting, download_token=meeting.download_token))


@contextmanager
def _alone(order: ItemOrder, clock: Clock) -> Iterator[None]:
    """Be the only one who works on this meeting in staging, whoever else was given the same order.

    The scheduler gives an order again if it lost sight of a worker, which may still be at it.
    """
    with STAGING_ITSELF.explained(order.staging):
        make_private_folder(order.folder)
    limit = clock.monotonic() + LOCK_SECONDS
    while (release := _taken(order.folder)) is None:
        if clock.monotonic() > limit:
            hint = "the next pass goes on with what it brings"
            raise OutcomeUnknown("another worker still works on it", hint=hint, service="disk")
        clock.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        release()


def _taken(folder: Path) -> Callable[[], None] | None:
    """Take a meeting's folder; returns how to give it back. None: another one has it."""
    with _TAKING:
        if folder in _BUSY:
            return None
        with STAGING.explained(folder):
            descriptor = take_lock(folder / "lock")
        if descriptor is None:
            return None
        if not os.fstat(descriptor).st_nlink:  # its item was published meanwhile, and the folder removed
            os.close(descriptor)
            return None
        _BUSY.add(folder)

    def release() -> None:
        with _TAKING:
            _BUSY.discard(folder)
            os.close(descriptor)

    return release
