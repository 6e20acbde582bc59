"""Everything that a pass has of Zoom, put together against the stand-in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tests.fakes import NOW, FakeClock
from tests.sandbox.server import Sandbox
from zoomsync.http import Http
from zoomsync.model import Listing, Meeting, Secret
from zoomsync.zoom.client import ZoomClient
from zoomsync.zoom.download import Downloads
from zoomsync.zoom.oauth import TokenSource

UNTIL = NOW.date()
SINCE = UNTIL - timedelta(days=20)


SILENCE = 0.3
"""Seconds after which it is clear that the stand-in is silent."""


@dataclass(kw_only=True)
class Waits:
    """An `Http`'s time-outs: what comes is waited for on the busiest machine, what does not come is not."""

    sandbox: Sandbox

    def __iter__(self) -> Iterator[float]:
        return iter((30.0, SILENCE if self.sandbox.is_silent else 30.0))


def http_for(sandbox: Sandbox, clock: FakeClock) -> Http:
    return Http(name="zoom", clock=clock, rate=None, timeouts=Waits(sandbox=sandbox))  # type: ignore[arg-type]


@dataclass(kw_only=True)
class Edge:
    """Everything that a pass has of Zoom."""

    clock: FakeClock
    http: Http
    tokens: TokenSource
    zoom: ZoomClient
    downloads: Downloads

    def list(self, since: date = SINCE, until: date = UNTIL, user: str | None = None) -> Listing:
        return self.zoom.recordings(since, until, user=user)

    def meeting(self, uuid: str) -> Meeting:
        found = self.zoom.meeting(uuid)
        assert found is not None
        return found


def tokens_for(sandbox: Sandbox, http: Http, clock: FakeClock) -> TokenSource:
    return TokenSource(
        http,
        oauth_url=sandbox.oauth_url,
        account_id=Secret(lambda: sandbox.account_id),
        client_id=Secret(lambda: sandbox.client_id),
        client_secret=Secret(lambda: sandbox.client_secret),
        clock=clock,
    )
