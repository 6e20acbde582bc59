"""The workers: a few jobs at a time on an executor, their results in the order in which they end."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Generic, TypeVar

from zoomsync.model import Clock

Job = TypeVar("Job")
Result = TypeVar("Result")

POLL_SECONDS = 0.1
GRACE_SECONDS = 4.0
"""How long jobs in flight may take to end by themselves once the pass is stopped."""


class Workers(Generic[Job, Result]):
    """Runs jobs on an executor, never more than `size` at once, so that it can stop beginning new ones at any time.

    `ahead` says how many more it is at the moment.
    """

    def __init__(
        self,
        executor: Executor,
        size: int,
        clock: Clock,
        run: Callable[[Job], Result],
        ahead: Callable[[], int] = lambda: 0,
    ) -> None:
        self._executor = executor
        self._size = size
        self._clock = clock
        self._run = run
        self._ahead = ahead
        self.in_flight: dict[Future[Result], Job] = {}
        """What is begun and has not ended."""

    def work_off(self, jobs: Iterable[Job], *, may_begin: Callable[[], bool]) -> Iterator[tuple[Job, Future[Result]]]:
        """Each job with its finished future. Raises `Stopped`; what is in flight then is left to `drain`."""
        waiting = iter(jobs)
        while True:
            while self._has_room() and may_begin() and (job := next(waiting, None)) is not None:
                self.in_flight[self._executor.submit(self._run, job)] = job
            if not self.in_flight:
                return
            finished, _ = wait(self.in_flight, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            yield from ((self.in_flight.pop(future), future) for future in finished)
            self._clock.check()

    def _has_room(self) -> bool:
        return len(self.in_flight) < self._size + self._ahead()

    def drain(self, seconds: float) -> Iterator[tuple[Job, Future[Result]]]:
        """What ends within `seconds` of those still in flight; the rest is abandoned."""
        finished, _ = wait(self.in_flight, timeout=seconds)
        yield from ((self.in_flight.pop(future), future) for future in finished)
