"""One file of the stand-in on its way to a folder."""

import hashlib
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Ending, Request
from tests.sandbox.server import Sandbox
from tests.sandbox.world import ZoomFile
from tests.zoom.edge import Edge
from zoomsync.errors import DownloadFailed, Stopped
from zoomsync.model import Fetched, Meeting, RecordingFile

SIZE = 300_000
SERVED = "ssrweb"
VTT = b"WEBVTT\r\n\r\n1\r\n00:00:01.000 --> 00:00:02.000\r\nAda: hello\r\n"


@dataclass(kw_only=True)
class Try:
    """One file of the stand-in on its way to a folder."""

    sandbox: Sandbox
    edge: Edge
    folder: Path
    cloud: ZoomFile
    uuid: str
    progress: list[int] = field(default_factory=list)
    pool: Executor | None = None
    """Its connections; None: the one that fetches."""

    @property
    def data(self) -> bytes:
        return self.cloud.content.read(0, self.cloud.content.size)

    @property
    def listed(self) -> tuple[Meeting, RecordingFile]:
        (meeting,) = (one for one in self.edge.list().meetings if one.uuid == self.uuid)
        return meeting, next(file for file in meeting.files if file.id == self.cloud.id)

    def fetch(self, meeting: Meeting | None = None) -> Fetched:
        listed, file = self.listed
        fetch = partial(self.edge.downloads.fetch, meeting or listed, file, self.folder, self.progress.append)
        return fetch() if self.pool is None else self.pool.submit(fetch, idle=self.pool).result()

    def fails(self, match: str) -> DownloadFailed:
        with pytest.raises(DownloadFailed, match=match) as caught:
            self.fetch()
        return caught.value

    @property
    def ranges(self) -> list[str | None]:
        return [one.range for one in self.sandbox.seen("GET", SERVED)]

    def assert_arrived(self, got: Fetched) -> None:
        assert got.path.read_bytes() == self.data
        assert (got.size, got.sha256) == (len(self.data), hashlib.sha256(self.data).hexdigest())
        assert got.path.parent == self.folder
        assert not list(self.folder.glob("*.part"))
        assert sum(self.progress) == len(self.data)


def end_the_pass(video: Try) -> None:
    """A signal comes while the file does."""
    clock = video.edge.clock

    def change(_: Request, answer: Answer) -> Answer:
        clock.stop()
        return replace(answer, stop_after=100_000, ending=Ending.FIN)

    video.sandbox.fail(SERVED, with_=Fault(change=change))
    with pytest.raises(Stopped):
        video.fetch()
    clock._signum = None
