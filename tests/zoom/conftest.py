"""The Zoom edge put together against the stand-in, with a clock that waits for nobody."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import NOW, FakeClock
from tests.sandbox.content import Filler, Text
from tests.sandbox.server import Sandbox
from tests.sandbox.worlds import small_world
from tests.zoom.edge import Edge, http_for, tokens_for
from tests.zoom.transfers import SIZE, VTT, Try
from zoomsync.zoom.client import ZoomClient
from zoomsync.zoom.download import Downloads


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(small_world(NOW, has_media=False), clock=lambda: NOW) as one:
        yield one


@pytest.fixture
def edge(sandbox: Sandbox, clock: FakeClock) -> Iterator[Edge]:
    http = http_for(sandbox, clock)
    tokens = tokens_for(sandbox, http, clock)
    zoom = ZoomClient(http, tokens, api_url=sandbox.api_url, clock=clock)
    downloads = Downloads(
        http,
        tokens,
        accepts=zoom.accepts,
        reread=zoom.meeting,
        download_hosts=["zoom.us", "127.0.0.1"],
        api_url=sandbox.api_url,
        clock=clock,
    )
    yield Edge(clock=clock, http=http, tokens=tokens, zoom=zoom, downloads=downloads)
    http.close()


@pytest.fixture
def video(sandbox: Sandbox, edge: Edge, tmp_path: Path) -> Try:
    uuid = next(iter(sandbox.world.meetings))
    cloud = sandbox.world.meetings[uuid].files[0]
    cloud.content = Filler(SIZE)
    return Try(sandbox=sandbox, edge=edge, folder=tmp_path, cloud=cloud, uuid=uuid)


@pytest.fixture
def captions(video: Try) -> Try:
    cloud = video.sandbox.world.add_file(
        video.uuid, Text(VTT), type="TRANSCRIPT", view="audio_transcript", extension="VTT", listed_size=7
    )
    return replace(video, cloud=cloud)
