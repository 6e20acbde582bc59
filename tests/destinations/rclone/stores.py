"""Real stores on loopback, and an rclone that tests share: to start one for each would take most of their time."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.destinations.contract import a_context, an_attachment
from tests.fakes import FakeClock
from zoomsync.destinations.base import DestinationContext
from zoomsync.destinations.rclone.client import Client
from zoomsync.destinations.rclone.destination import RcloneDestination
from zoomsync.destinations.rclone.process import Rclone
from zoomsync.destinations.rclone.settings import RcloneSettings


@dataclass(slots=True)
class Shared:
    """An rclone that no destination ends."""

    config: Path
    process: Rclone
    _names: list[str] = field(default_factory=list)

    def add(self, **options: str) -> str:
        """One more remote in its config; returns its name."""
        name = f"{options['type']}{len(self._names)}"
        self._names.append(name)
        lines = "".join(f"{key} = {value}\n" for key, value in options.items())
        with self.config.open("a") as file:
            file.write(f"[{name}]\n{lines}\n")
        return name


class Endless(Rclone):
    """It goes on when a destination lets go of it."""

    def stop(self) -> None:
        """Not now."""


@contextmanager
def shared_rclone(folder: Path) -> Iterator[Shared]:
    config = folder / "rclone.conf"
    config.write_text("")
    process = Endless(
        config=config,
        flags=(),
        bandwidth=None,
        tries=1,
        environ={"PATH": os.environ["PATH"], "HOME": str(folder)},
        new_id=lambda: uuid.uuid4().hex,
    )
    process.start(Client(rclone=process, clock=FakeClock()).version)
    try:
        yield Shared(config, process)
    finally:
        Rclone.stop(process)


def unattached(
    shared: Shared, remote: str, context: DestinationContext | None = None, **changes: Any
) -> RcloneDestination:
    """A remote that no pass has taken yet."""
    context = context or a_context(me="media@example.org")
    settings = RcloneSettings(type="rclone", remote=remote, **changes)
    return RcloneDestination(settings, replace(context, new_id=lambda: uuid.uuid4().hex), shared.process)


def a_remote(
    shared: Shared, remote: str, context: DestinationContext | None = None, *, number: int = 1, **changes: Any
) -> RcloneDestination:
    """A remote attached by pass `number` of the state `state-1`, which knew it as `library-1` from pass 2 on."""
    destination = unattached(shared, remote, context, **changes)
    destination.attach(an_attachment(number))
    return destination
