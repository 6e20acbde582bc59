"""Items made by the workers of a cluster. What they say is believed only if it is found in staging."""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoomsync.cluster.client import INSTALL, Cluster, refusal
from zoomsync.cluster.terms import SHARE, opened, sealed
from zoomsync.console import log_context
from zoomsync.errors import DiskFull, MeetingFailed, ZoomsyncError
from zoomsync.files import STAGING, STAGING_ITSELF, has_content, has_size, make_private_folder
from zoomsync.formatting import plural, quoted
from zoomsync.item.order import ItemOrder, Made
from zoomsync.model import Clock, ItemFile, Meeting
from zoomsync.progress import Progress

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
SEEN_SECONDS = 60.0
"""How long what a worker made may take to be seen here: NFS remembers for so long that there was no such file.

https://man7.org/linux/man-pages/man5/nfs.5.html, acdirmax.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """An order that is being carried out."""

    meeting: Meeting
    wrote: Callable[[int], None]


class DaskEngine:
    """See `Engine`."""

    def __init__(self, cluster: Cluster, staging: Path, clock: Clock, progress: Progress) -> None:
        self._cluster = cluster
        self._staging = staging
        self._clock = clock
        self._progress = progress
        self._counting = threading.Lock()
        self.requests = (0, 0)
        self._given: dict[str, _Given] = {}
        """By uuid of the meeting."""

    @property
    def ahead(self) -> int:
        """Workers have connections of their own."""
        return 0

    @property
    def problem(self) -> ZoomsyncError | None:
        """What is wrong with a worker that got no orders; others did its work."""
        return self._cluster.problem

    def prepare(self, *, is_dry: bool) -> None:
        """Connect, and look at every worker; in a dry run nobody is asked, for that leaves something in staging."""
        if is_dry or self._cluster.is_connected:
            return
        with STAGING_ITSELF.explained(self._staging):
            make_private_folder(self._staging.parent)
            make_private_folder(self._staging)
        self._cluster.connect(self._heard)
        self._cluster.inspect()
        if not self._cluster.fit() and self.problem is not None:
            raise self.problem

    def make(self, order: ItemOrder, wrote: Callable[[int], None]) -> Made:
        """See `Engine`. If the scheduler loses sight of a worker, it gives the order to another one."""
        uuid, sealed_order = order.meeting.uuid, sealed(order)
        size = sum(file.size or 0 for file in order.plan()[1].fetch)
        with self._progress.working(f"{quoted(order.meeting.topic)} on the cluster", size) as moved:

            def both(size: int) -> None:
                moved(size)
                wrote(size)

            self._given[uuid] = _Given(meeting=order.meeting, wrote=both)
            try:
                while "refusal" in (answer := self._answer(sealed_order)):
                    self._cluster.refuse(answer["worker"], refusal(answer["worker"], *answer["refusal"]))
            finally:
                del self._given[uuid]
        with self._counting:
            calls, downloads = answer["requests"]
            self.requests = (self.requests[0] + calls, self.requests[1] + downloads)
        if "failed" in answer:
            raise opened(answer["failed"])
        made: Made = opened(answer["made"])
        for file in made.item.files if made.item is not None else ():
            self._require(file)
        return made

    def _answer(self, order: bytes) -> Mapping[str, Any]:
        """What a worker makes of an order."""
        from distributed.scheduler import KilledWorker

        while True:
            future, placed = self._cluster.submit(order)
            try:
                while not wait([future], POLL_SECONDS).done:
                    self._clock.check()
                    if placed.isdisjoint(self._cluster.fit()) and placed:  # all who may have it are gone
                        break
                else:
                    return future.result()
            except CancelledError as lost:
                raise self._cluster.lost("does not answer any more") from lost
            except KilledWorker as killed:
                fact = f"{plural(killed.allowed_failures + 1, 'worker')} died while they made it"
                raise MeetingFailed(
                    f"cluster: {fact}", hint="look at the logs of the workers", service="cluster"
                ) from killed
            except ImportError as missing:
                raise refusal("that came later", f"zoomsync cannot be imported: {missing}", INSTALL) from missing
            finally:
                future.cancel()

    def _require(self, file: ItemFile) -> None:
        """Raise `MeetingFailed` unless what a worker made lies in staging, whole."""
        if file.source is None:
            return
        limit = self._clock.monotonic() + SEEN_SECONDS
        with STAGING.explained(file.source):
            while not has_size(file.source, file.size) and self._clock.monotonic() < limit:
                list(self._staging.iterdir())  # has NFS look again
                self._clock.sleep(1)
            if not has_content(file.source, file.size, file.sha256, self._clock):
                fact = f"{file.name}: is not in staging as the worker made it"
                raise MeetingFailed(fact, hint=f"{SHARE}; it is tried again", service="disk")

    def _heard(self, said: Mapping[str, Any]) -> None:
        """A worker tells of bytes that came, or has a log line, about an order."""
        given = self._given.get(said["uuid"])
        if given is None:
            return
        with suppress(DiskFull):  # the worker sees it, too
            given.wrote(said.get("bytes", 0))
        if "line" in said:
            with log_context(given.meeting):
                log.log(said["level"], "%s", said["line"])
