"""Everything that a pass has of Zoom, put together against the stand-in."""

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
