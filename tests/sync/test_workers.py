"""The workers: a few jobs in flight at a time, none begun when none may."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fakes import FakeClock
from zoomsync.errors import Stopped
from zoomsync.sync.workers import Workers


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


def test_every_job_is_done_and_no_more_than_so_many_at_once(executor: ThreadPoolExecutor) -> None:
    lock, now, most = threading.Lock(), 0, 0

    def run(job: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.01)
        with lock:
            now -= 1
        return job * job

    workers = Workers(executor, 3, FakeClock(), run)

    results = {job: future.result() for job, future in workers.work_off(range(12), may_begin=lambda: True)}

    assert results == {job: job * job for job in range(12)}
    assert most == 3
    assert not workers.in_flight


def test_results_come_in_the_order_in_which_they_end(executor: ThreadPoolExecutor) -> None:
    gate = threading.Event()

    def run(job: str) -> None:
        gate.wait(30) if job == "slow" else None

    ended = []
    for job, _ in Workers(executor, 2, FakeClock(), run).work_off(
        ["slow", "quick", "also quick"], may_begin=lambda: True
    ):
        ended.append(job)
        if len(ended) == 2:
            gate.set()

    assert ended == ["quick", "also quick", "slow"]


def test_an_error_stays_with_its_job(executor: ThreadPoolExecutor) -> None:
    def run(job: int) -> int:
        return 1 // job

    workers = Workers(executor, 2, FakeClock(), run)

    errors = {job: type(future.exception()) for job, future in workers.work_off([0, 1], may_begin=lambda: True)}

    assert errors == {0: ZeroDivisionError, 1: type(None)}


def test_what_is_in_flight_ends_but_nothing_new_is_begun(executor: ThreadPoolExecutor) -> None:
    begun: list[int] = []
    workers = Workers(executor, 2, FakeClock(), begun.append)

    ended = [job for job, _ in workers.work_off(range(10), may_begin=lambda: len(begun) < 2)]

    assert sorted(ended) == sorted(begun)
    assert 2 <= len(begun) <= 3
    assert not workers.in_flight


def test_nothing_is_begun_when_nothing_may(executor: ThreadPoolExecutor) -> None:
    begun: list[int] = []

    assert list(Workers(executor, 2, FakeClock(), begun.append).work_off(range(3), may_begin=lambda: False)) == []
    assert begun == []


def test_a_stop_leaves_what_is_in_flight_to_be_drained(executor: ThreadPoolExecutor) -> None:
    clock, gate = FakeClock(), threading.Event()

    def run(job: str) -> str:
        if job == "slow":
            gate.wait(30)
        return job

    workers = Workers(executor, 2, clock, run)
    found = workers.work_off(["quick", "slow", "never"], may_begin=lambda: True)

    first, _ = next(found)
    clock.stop()
    with pytest.raises(Stopped):
        next(found)

    assert first == "quick"
    assert workers.in_flight
    assert list(workers.drain(0)) == []
    gate.set()
    assert [(job, future.result()) for job, future in workers.drain(5)] == [("slow", "slow")]
    assert not workers.in_flight
