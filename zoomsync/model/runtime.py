"""What is passed in rather than reached for: secrets, time, and the wish to end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True, eq=False)
class Secret:
    """A text that no output shows."""

    reveal: Callable[[], str] = field(repr=False)
    """Reads it each time, so that a rotated one is picked up; raises what reading it raises (`ConfigError`)."""


class Clock(Protocol):
    """Time and the wish to end, passed in: only `cli.py` has the real one. Shared by all threads."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC."""

    def monotonic(self) -> float:
        """Seconds for measuring spans."""

    def sleep(self, seconds: float) -> None:
        """Wait; raises `Stopped` as soon as the pass is to end."""

    def check(self) -> None:
        """Raise `Stopped` if the pass is to end; called in every long loop."""


MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
