"""An installation that publishes into a portal, and what a person there would see."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.harness import Site, SiteClock
from tests.sandbox.portal.media import Media
from tests.sandbox.portal.server import Portal
from tests.sandbox.server import Sandbox
from tests.sandbox.stage import Stage
from zoomsync.http import Http

TRASH: dict[str, Any] = {"delete_recordings": "trash", "filter_accounts": ["alice@example.org"]}
ALICE = "alice@example.org"
OPEN = ("waiting", "failed", "refused", "lost", "removed")
"""The lists of `status` that say why a meeting is not done."""


class PortalSite(Site):
    """An installation that publishes into a portal."""

    def __init__(
        self,
        folder: Path,
        sandbox: Sandbox,
        portal: Portal,
        clock: SiteClock,
        below: Mapping[str, Any],
        overrides: Mapping[str, Any],
    ) -> None:
        self.portal = portal
        self.below = dict(below)
        super().__init__(folder, sandbox, clock, overrides)

    def configure(self, **overrides: Any) -> None:
        """As its base; `self.below` lies below `destination`."""
        super().configure(**overrides)
        path = self.folder / "config.yaml"
        config = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
        config["destination"] = self.portal.config(**self.below)
        path.write_text(yaml.dump(config, Dumper=yaml.CSafeDumper))

    def media(self, name: str) -> list[Media]:
        """Those of a meeting that are not deleted."""
        return self.portal.tagged("ZoomMeetingUUID", self.uuid(name))

    def one(self, name: str) -> Media:
        """The only one of a meeting."""
        (media,) = self.media(name)
        return media

    def reported(self) -> dict[str, str]:
        """Short name → why, of each meeting that `status` says to be not done."""
        document = self.run("--json", "status").document
        rows = [row for kind in OPEN for row in document[kind]]
        reasons = {row["uuid"]: row.get("error", row["reason"]) for row in rows}
        return {name: reasons[uuid] for name, uuid in self.world.names.items() if uuid in reasons}

    def seen_text(self) -> str:
        """All that zoomsync wrote to disk, but for media."""
        files = [path for path in (self.folder / "state").rglob("*") if path.is_file()]
        return "".join(path.read_bytes().decode("utf-8", "replace") for path in files)


AtPortal = Callable[..., PortalSite]


@contextmanager
def a_portal_site(
    folder: Path, stage: Stage, below: Mapping[str, Any], overrides: Mapping[str, Any], **settings: Any
) -> Iterator[PortalSite]:
    """A site whose Zoom and portal serve until the end of the block, by the site's clock."""
    clock = SiteClock()
    with Sandbox(stage.world, clock=clock.now) as sandbox, Portal(clock=clock.now, **settings) as portal:
        yield PortalSite(folder, sandbox, portal, clock, below, overrides)


def impatient(seconds: float, service: str = "portal") -> Callable[..., None]:
    """The making of an `Http` that waits so long for an answer of this service, and as ever for another's."""
    made = Http.__init__

    def make(http: Http, *, name: str, **options: Any) -> None:
        made(http, name=name, **options | ({"timeouts": (10.0, seconds)} if name == service else {}))

    return make


def holdings(portal: Portal) -> list[tuple[Any, ...]]:
    """All that people see of a portal: each media with its author, its own bytes and those attached to it."""
    return sorted(
        (
            media.title,
            media.status,
            portal.users[media.author].email,
            media.sha256,
            sorted((one.file_name, one.culture, one.blob.sha256) for one in media.captions),
            sorted((one.file_name, one.blob.sha256) for one in media.handouts),
        )
        for media in portal.media.values()
        if not media.deleted
    )
