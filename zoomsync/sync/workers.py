"""The workers: a few jobs in flight at a time on an executor, their results in the order in which they end."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Generic, TypeVar

from zoomsync.model import Clock

Job = TypeVar("Job")
Result = TypeVar("Result")

POLL_SECONDS = 0.1


class Workers(Generic[Job, Result]):
    """Runs jobs on an executor, never more than `size` at once, so that it can stop beginning new ones at any time."""

    def __init__(self, executor: Executor, size: int, clock: Clock, run: Callable[[Job], Result]) -> None:
        self._executor = executor
        self._size = size
        self._clock = clock
        self._run = run
        self._flight: dict[Future[Result], Job] = {}

    def work_off(self, jobs: Iterable[Job], *, may_begin: Callable[[], bool]) -> Iterator[tuple[Job, Future[Result]]]:
        """Each job with its finished future. Raises `Stopped`; what is in flight then is left to `drain`."""
        waiting = iter(jobs)
        while True:
            self._fill(waiting, may_begin)
            if not self._flight:
                return
            yield from self._finished(POLL_SECONDS)
            self._clock.check()

    def drain(self, seconds: float) -> Iterator[tuple[Job, Future[Result]]]:
        """What ends within `seconds` of those still in flight; the rest is abandoned."""
        wait(self._flight, timeout=seconds)
        yield from self._finished(0)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in flight."""
        return not self._flight

    def _fill(self, waiting: Iterator[Job], may_begin: Callable[[], bool]) -> None:
        while len(self._flight) < self._size and may_begin():
            job = next(waiting, None)
            if job is None:
                return
            self._flight[self._executor.submit(self._run, job)] = job

    def _finished(self, seconds: float) -> Iterator[tuple[Job, Future[Result]]]:
        done, _ = wait(self._flight, timeout=seconds, return_when=FIRST_COMPLETED)
        for future in done:
            yield self._flight.pop(future), future
