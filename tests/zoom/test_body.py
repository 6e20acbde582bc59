"""So many bytes a second at most, over all downloads; our own pauses are no fault of the server."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fakes import FakeClock
from tests.zoom.transfers import SIZE, Try
from zoomsync.errors import Stopped
from zoomsync.files import CHUNK
from zoomsync.zoom.body import Bandwidth
from zoomsync.zoom.download import Downloads


def test_without_a_limit_nobody_waits(clock: FakeClock) -> None:
    bandwidth = Bandwidth(None, clock)
    bandwidth.took(10**12)

    assert (clock.slept, bandwidth.piece) == ([], CHUNK)


def test_what_is_over_the_limit_waits_and_what_is_not_does_not(clock: FakeClock) -> None:
    bandwidth = Bandwidth(1000, clock)
    for size in (1000, 500, 250):
        bandwidth.took(size)

    assert clock.slept == pytest.approx([0.5, 0.25])


def test_what_nobody_took_can_be_taken_later_for_a_second_and_no_longer(clock: FakeClock) -> None:
    bandwidth = Bandwidth(1000, clock)
    bandwidth.took(1000)
    clock.advance(0.5)
    bandwidth.took(500)
    clock.advance(hours=5)
    bandwidth.took(1000)
    assert clock.slept == []

    bandwidth.took(1)

    assert clock.slept == pytest.approx([0.001])


def test_the_limit_is_over_all_threads(clock: FakeClock) -> None:
    bandwidth = Bandwidth(1000, clock)
    begun = clock.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bandwidth.took, [50] * 80))

    assert clock.monotonic() - begun >= 3 - 1e-6


@pytest.mark.parametrize(("rate", "piece"), [(10_000, 625), (50 * 10**6, CHUNK), (16, 1)])
def test_many_threads_have_a_share_of_each_second(clock: FakeClock, rate: int, piece: int) -> None:
    assert Bandwidth(rate, clock).piece == piece


def test_a_stopped_pass_does_not_wait(clock: FakeClock) -> None:
    bandwidth = Bandwidth(1000, clock)
    clock.stop()

    with pytest.raises(Stopped):
        bandwidth.took(10**9)


@pytest.fixture
def throttled(video: Try) -> Callable[[int], Try]:
    """The video on its way with so many bytes a second."""

    def made(rate: int) -> Try:
        edge = video.edge
        edge.downloads = Downloads(
            edge.http,
            edge.tokens,
            accepts=edge.zoom.accepts,
            reread=edge.zoom.meeting,
            download_hosts=["127.0.0.1"],
            api_url=video.sandbox.api_url,
            clock=edge.clock,
            bandwidth=rate,
        )
        return video

    return made


def test_a_server_is_not_slow_because_we_are(throttled: Callable[[int], Try]) -> None:
    video = throttled(10_000)

    video.assert_arrived(video.fetch())

    assert sum(video.edge.clock.slept) == pytest.approx(SIZE / 10_000 - 1)
    assert video.ranges == [None]


def test_what_is_fetched_twice_to_compare_counts_twice(throttled: Callable[[int], Try]) -> None:
    video = throttled(100_000)
    video.cloud.listed_size = SIZE + 1
    video.edge.downloads.fetch(*video.listed, video.folder, video.progress.append, any_size=True)

    assert sum(video.edge.clock.slept) == pytest.approx(2 * SIZE / 100_000 - 1)
