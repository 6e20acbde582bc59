"""The Zoom edge put together against the stand-in, with a clock that waits for nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from tests.fakes import NOW, FakeClock
from tests.sandbox.server import Sandbox
from tests.sandbox.worlds import small_world
from zoomsync.http import Http
from zoomsync.model import Meeting, Secret
from zoomsync.zoom.auth import Tokens
from zoomsync.zoom.client import Zoom
from zoomsync.zoom.download import Downloads
from zoomsync.zoom.listing import Listing

UNTIL = NOW.date()
SINCE = UNTIL - timedelta(days=20)


@dataclass(kw_only=True)
class Edge:
    """Everything that a pass has of Zoom."""

    clock: FakeClock
    http: Http
    tokens: Tokens
    zoom: Zoom
    downloads: Downloads

    def list(self, since: date = SINCE, until: date = UNTIL, user: str | None = None) -> Listing:
        return self.zoom.recordings(since, until, user=user)

    def meeting(self, uuid: str) -> Meeting:
        found = self.zoom.meeting(uuid)
        assert found is not None
        return found


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(small_world(NOW, has_media=False), clock=lambda: NOW) as one:
        yield one


@pytest.fixture
def edge(sandbox: Sandbox, clock: FakeClock) -> Iterator[Edge]:
    http = Http(name="zoom", clock=clock, rate=None, user_agent="zoomsync/test", timeouts=(2, 0.3))
    tokens = tokens_for(sandbox, http, clock)
    zoom = Zoom(http, tokens, api_url=sandbox.api_url, clock=clock)
    downloads = Downloads(http, tokens, download_hosts=["zoom.us", "127.0.0.1"], api_url=sandbox.api_url, clock=clock)
    yield Edge(clock=clock, http=http, tokens=tokens, zoom=zoom, downloads=downloads)
    http.close()


def tokens_for(sandbox: Sandbox, http: Http, clock: FakeClock) -> Tokens:
    return Tokens(
        http,
        oauth_url=sandbox.oauth_url,
        account_id=Secret(lambda: sandbox.account_id),
        client_id=Secret(lambda: sandbox.client_id),
        client_secret=Secret(lambda: sandbox.client_secret),
        clock=clock,
    )
