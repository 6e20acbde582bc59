"""The files of a meeting come at the same time, over all meetings never more than there are connections."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site, served, sha256
from tests.e2e.test_failures import some, video
from tests.sandbox import faults
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Request, html
from tests.sandbox.stage import Stage
from zoomsync.media import stitch as stitching
from zoomsync.media.stitch import Stitched

SOON = 20.0
"""Seconds for what comes at once, on a busy machine too."""


@dataclass
class Doorman:
    """Lets downloads in once so many wait at the door, and counts how many there were at a time."""

    together: int
    most: int = 0
    _inside: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._door = threading.Barrier(self.together, timeout=SOON)

    def change(self, _: Request, answer: Answer) -> Answer:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self._door.wait()
        with self._lock:
            self._inside -= 1
        return answer


def views(stage: Stage, name: str, *more: str) -> None:
    """Further views of the meeting."""
    for view in more:
        stage.video(name, view=view)


def once(is_so: Callable[[], object], instead: Answer | None = None) -> Fault:
    """Answers once this is so, in its own way or with what is given."""

    def change(_: Request, answer: Answer) -> Answer:
        limit = time.monotonic() + SOON
        while not is_so() and time.monotonic() < limit:
            time.sleep(0.01)
        return instead or answer

    return Fault(change=change)


def test_the_files_of_one_meeting_come_at_the_same_time(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a", workers=1)
    views(stage, "a", "gallery_view")
    stage.texts("a")
    files = site.world.meetings[site.uuid("a")].files
    doorman = Doorman(len(files))
    site.sandbox.fail("/ssrweb/", with_=Fault(change=doorman.change), times=len(files))

    result = site.sync()

    assert (result.code, doorman.most) == (0, len(files))
    assert sha256(site.item("a") / "video.mp4") == served(files[0])


def test_over_all_meetings_there_are_never_more_than_connections(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a", "b", "c", "d", workers=4, connections=2)
    for name in "abcd":
        views(stage, name, "gallery_view")
    doorman = Doorman(2)
    site.sandbox.fail("/ssrweb/", with_=Fault(change=doorman.change), times=8)

    result = site.sync()

    assert (result.code, result.counts["published"], doorman.most) == (0, 4, 2)


def test_more_meetings_are_fetched_at_once_than_there_are_workers_but_for_one(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a", "b", "c", workers=2, connections=3)
    doorman = Doorman(3)
    site.sandbox.fail("/ssrweb/", with_=Fault(change=doorman.change), times=3)

    result = site.sync()

    assert (result.code, result.counts["published"], doorman.most) == (0, 3, 3)


def test_one_connection_is_one_file_after_the_other(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a", workers=4, connections=1)
    views(stage, "a", "gallery_view", "active_speaker")
    stage.texts("a")
    site.sandbox.fail(f"/rec/download/{video(site, 'a')}", with_=faults.page(404), times=None)

    result = site.sync()

    assert (result.code, set(site.downloads())) == (1, {video(site, "a")})


def has_failed(site: Site) -> bool:
    """Whether a download was given up: the last thing before that is to read its meeting again."""
    return any(one.status for one in site.sandbox.seen("GET", "/v2/meetings/"))


def test_of_a_meeting_that_fails_what_is_on_its_way_arrives_and_is_not_fetched_again(
    begin: Begin, stage: Stage
) -> None:
    site = some(begin, stage, "a", connections=2)
    views(stage, "a", "active_speaker", "gallery_view")
    first, second, third = (file.id for file in site.world.meetings[site.uuid("a")].files)
    is_on_its_way = partial(site.sandbox.count, "GET", f"/ssrweb/{second}")
    site.sandbox.fail(first, with_=once(is_on_its_way, html(404, "Not Found")), times=None)
    site.sandbox.fail(f"/ssrweb/{second}", with_=once(lambda: has_failed(site)))
    failed, arrived = site.sync(), {*site.downloads()} - {first}
    site.sandbox.heal()
    site.clock.advance(hours=1)

    result = site.sync()

    assert "HTTP 404" in failed.reasons("failed")[site.uuid("a")]
    assert second in arrived  # on a busy machine the third as well, which begins before the failure is seen
    assert (result.code, sorted(site.downloads())) == (0, sorted({first, second, third} - arrived))


def test_what_fails_is_named_in_the_order_of_the_files_not_of_time(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a")
    views(stage, "a", "active_speaker")
    first, second = (file.id for file in site.world.meetings[site.uuid("a")].files)
    site.sandbox.fail(second, with_=faults.page(404), times=None)
    site.sandbox.fail(first, with_=once(lambda: has_failed(site), html(404, "Not Found")), times=None)

    result = site.sync()

    assert first in result.reasons("failed")[site.uuid("a")]


def test_a_text_that_fails_keeps_no_other_file_back(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a")
    stage.texts("a")
    texts = [file.id for file in site.world.meetings[site.uuid("a")].files if file.type in ("CHAT", "TIMELINE")]
    for file in texts:
        site.sandbox.fail(file, with_=faults.page(404), times=None)

    result = site.sync()

    assert result.code == 1
    assert {"video.mp4", "video.vtt"} < set(site.names("a"))
    assert "chat.txt" not in site.names("a")


def test_log_lines_of_a_file_name_its_meeting(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a", "b")
    site.sandbox.fail(video(site, "b"), with_=faults.page(503), times=1)

    result = site.sync()

    (line,) = [one for one in result.stderr.splitlines() if "HTTP 503" in one]
    assert (result.code, '"Meeting b"' in line or "“Meeting b”" in line) == (0, True)


@pytest.mark.parametrize("workers", [1, 2])
def test_while_meetings_are_stitched_one_more_is_fetched(
    begin: Begin, stage: Stage, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    site = some(begin, stage, "a", "b", "c", "d", workers=workers)
    for name in "abcd":
        stage.video(name, segment=2, at=100)
    stitch, begun = stitching.stitch, list[int]()

    def stitch_late(*args: Any, **options: Any) -> Stitched:
        limit = time.monotonic() + SOON
        while len(site.downloads()) < 2 * (workers + 1) and time.monotonic() < limit:
            time.sleep(0.01)
        begun.append(len(site.downloads()))
        return stitch(*args, **options)

    monkeypatch.setattr(stitching, "stitch", stitch_late)

    result = site.sync()

    assert (result.code, result.counts["published"], begun[0]) == (0, 4, 2 * (workers + 1))


def test_the_limit_of_bytes_a_second_is_over_all_files(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a", "b", bandwidth="200KB")
    size = sum(file.content.size for name in "ab" for file in site.world.meetings[site.uuid(name)].files)

    result = site.sync()

    assert result.code == 0
    assert sum(site.clock.slept) >= size / 200_000 - 1
