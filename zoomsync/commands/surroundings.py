"""What a command is given of the process that it runs in."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from zoomsync.clock import SystemClock
from zoomsync.config import Config


class Surroundings(Protocol):
    """What the process was given."""

    @property
    def environ(self) -> Mapping[str, str]: ...
    @property
    def uid(self) -> int: ...
    @property
    def clock(self) -> SystemClock: ...
    @property
    def new_id(self) -> Callable[[], str]: ...
    def config(self, named: Path | None) -> Config:
        """The config that these options mean."""
