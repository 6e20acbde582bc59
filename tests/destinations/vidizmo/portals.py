"""A portal as a destination for tests: the stand-in, the destination wired to it, and what a person does there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from tests.destinations.contract import Journal, a_context, an_attachment
from tests.fakes import FakeClock, FakeZoom, a_user
from tests.sandbox.portal.media import Media
from tests.sandbox.portal.server import Portal
from zoomsync.config import Config, parse
from zoomsync.destinations.vidizmo.destination import VidizmoDestination
from zoomsync.errors import ZoomsyncError
from zoomsync.model import Item, Receipt, User
from zoomsync.sync.accounts import with_names

Open = Callable[..., "Wired"]
ZOOM = {"account_id": "an-account", "client_id": "a-client", "client_secret": "a-secret"}
ME = "service@example.org"
_IDS = count(1)


def new_id() -> str:
    """32 hex digits, never twice."""
    return f"{next(_IDS):032x}"


def a_config(portal: Portal, *, destination: dict[str, Any] | None = None, **keys: Any) -> Config:
    """The config for this portal, with these changes below `destination` and at the top."""
    below = portal.config(**(destination or {}))
    return parse({"zoom": ZOOM, "destination": below, **keys}, Path("/srv/zoomsync/config.yaml"), {})


@contextmanager
def a_portal(clock: FakeClock | None = None, **settings: Any) -> Iterator[Portal]:
    """A stand-in by a test's clock, which serves until the end of the block."""
    if clock is not None:
        settings["clock"] = clock.now
    with Portal(**settings) as portal:
        yield portal


class Wired:
    """A destination on a portal; `later` is the same one as the next pass sees it."""

    def __init__(
        self,
        portal: Portal,
        clock: FakeClock | None = None,
        journal: Journal | None = None,
        *,
        is_attached: bool = True,
        **config: Any,
    ) -> None:
        self.portal = portal
        self.clock = clock or FakeClock()
        self.journal = journal or Journal()
        self.zoom = FakeZoom()
        self._config = config
        self.config = a_config(portal, **config)
        self.destination = self._opened(is_attached=is_attached)

    def published(self, item: Item, previous: Receipt | None = None, host: User | None = None) -> Receipt:
        """Publish as `work` does."""
        return self.destination.publish(item, self.destination.author_for(host or a_user()), previous)

    def settle(self) -> None:
        """What the pass does once the ledger has the receipt."""
        for intent in [one for one in self.journal.open_intents() if one.action in ("create", "attach")]:
            self.journal.settle(intent.id)

    @property
    def only(self) -> Media:
        """The one media that the portal has."""
        (media,) = [one for one in self.portal.media.values() if not one.deleted]
        return media

    def later(self) -> VidizmoDestination:
        """The next pass begins."""
        self.destination.detach()
        self.destination = self._opened()
        return self.destination

    def _opened(self, *, is_attached: bool = True) -> VidizmoDestination:
        context = a_context(
            clock=self.clock,
            new_id=new_id,
            intents=self.journal,
            with_names=lambda host: with_names(host, self.zoom),
            publish_as=self.config.publish_as,
            me=self.config.me or "",
            aliases=self.config.aliases,
        )
        made = self.config.destination.build(context)
        assert isinstance(made, VidizmoDestination)
        try:
            if is_attached:
                made.attach(an_attachment())
        except ZoomsyncError:
            made.detach()
            raise
        return made


@contextmanager
def wired(portal: Portal, clock: FakeClock | None = None, **config: Any) -> Iterator[Wired]:
    """A destination on this portal until the end of the block."""
    one = Wired(portal, clock, **config)
    try:
        yield one
    finally:
        one.destination.detach()


def remove(portal: Portal, receipt: Receipt) -> None:
    """Delete every media of an item, as a person would."""
    for media in {file.place.partition("/")[0] for file in receipt.files}:
        portal.media[media].deleted = portal.clock()
        portal.media[media].status = "Purged"


def replace_content(portal: Portal, media: str, content: bytes | None) -> None:
    """Put another file in the place of a media item's own, or delete the media, as a person would."""
    one = portal.media[media]
    if content is None:
        one.deleted = portal.clock()
        return
    one.blob.path.write_bytes(content)
    one.blob.size = len(content)
    one.version += 1
    one.updated = portal.clock() + timedelta(seconds=1)
