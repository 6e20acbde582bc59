"""A publication that is killed before or after any of its requests, and run again, ends in exactly one whole item."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import CAPTIONS, LATE, VIDEO, Journal, a_staged, with_files, without
from tests.destinations.vidizmo.portals import Wired, a_portal, wired
from tests.fakes import FakeClock, a_meeting
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Ending, Request
from tests.sandbox.portal.server import Portal
from zoomsync.errors import OutcomeUnknown, Stopped, Unreachable
from zoomsync.model import Item, Receipt

RESET = Answer(stop_after=-1, ending=Ending.RESET)
UUID = "/abc//DEF+ghi=="


def an_item(folder: Path) -> Item:
    """Two media, captions and chat: every kind of step."""
    files = [
        a_staged(folder, "video.mp4", VIDEO),
        a_staged(folder, "video.gallery_view.mp4", VIDEO * 2),
        a_staged(folder, "video.vtt", CAPTIONS, role="captions"),
        a_staged(folder, "chat.txt", LATE),
    ]
    return with_files(a_meeting(files=()), files)


def dying(clock: FakeClock, *, is_done: bool) -> Fault:
    """The client dies: before the portal hears of the request, or before it hears of the answer."""

    def instead(_: Request) -> Answer:
        clock.stop()
        return RESET

    def change(_: Request, __: Answer) -> Answer:
        clock.stop()
        return RESET

    return Fault(change=change) if is_done else Fault(instead=instead)


def run(site: Wired, item: Item) -> Receipt:
    """As `work` does: what is found is gone on with."""
    found = site.destination.find(item.meeting.uuid)
    if found is None:
        return site.published(item)
    stored = {str(file.role) for file in found.files}
    rest = without(item, *stored)
    if {one.id for one in found.cloud} == {one.id for one in item.cloud}:
        return found
    return site.published(rest)


def passes(portal: Portal, journal: Journal, folder: Path) -> Iterator[Receipt | None]:
    """One pass after the other, three minutes apart, until one publishes; None for one that has to wait."""
    clock = FakeClock()
    while True:
        clock = FakeClock(clock.now())
        clock.advance(minutes=3)
        portal.settings.clock = clock.now
        site = Wired(portal, clock, journal)
        try:
            yield run(site, an_item(folder))
        except OutcomeUnknown:
            yield None
        finally:
            site.destination.detach()


def looks(portal: Portal) -> list[tuple[Any, ...]]:
    """All that matters of what a portal holds."""
    return [
        (
            media.title,
            media.status,
            media.sha256,
            [one.blob.sha256 for one in media.captions],
            [one.blob.sha256 for one in media.handouts],
        )
        for media in portal.media.values()
    ]


def after_kill(folder: Path, number: int, *, is_done: bool, **settings: Any) -> tuple[Portal, Receipt]:
    """Kill the pass at its request `number`, then run passes until it is published."""
    clock, journal = FakeClock(), Journal()
    with a_portal(clock, **settings) as portal:
        site = Wired(portal, clock, journal)
        rule = portal.fail(with_=dying(clock, is_done=is_done), skip=number)
        with suppress(Stopped, Unreachable):
            run(site, an_item(folder))
        site.destination.detach()
        assert rule.struck, number
        receipt = next(one for one in passes(portal, journal, folder) if one is not None)
        portal.advance(hours=1)
        with wired(portal) as last:
            assert last.destination.verify(receipt).safe
            assert last.destination.find(UUID) == receipt
        return portal, receipt


NEVER = 1000
"""The number of a request that is not made."""
EVERY = [pytest.param(1, marks=pytest.mark.soak, id="each request"), pytest.param(3, id="each third request")]


@pytest.mark.parametrize("step", EVERY)
@pytest.mark.parametrize(("is_done", "lag"), [(False, 0), (True, 600)], ids=["before the request", "before its answer"])
def test_killed_at_any_request_there_is_one_whole_item_in_the_end(
    tmp_path: Path, is_done: bool, lag: float, step: int
) -> None:
    with a_portal(index_lag=lag) as expected, wired(expected) as site:
        rule = expected.fail(with_=dying(FakeClock(), is_done=is_done), skip=NEVER)
        receipt = run(site, an_item(tmp_path / "expected"))
        wanted, requests = looks(expected), NEVER - rule.skip

    assert requests > 20
    for number in range(0, requests, step):
        portal, again = after_kill(tmp_path / f"{number}", number, is_done=is_done, index_lag=lag)
        assert looks(portal) == wanted, number
        assert [file.role for file in again.files] == [file.role for file in receipt.files]
        assert [one.email for one in portal.invitations] == ["ada@example.org"], number


def known(folder: Path) -> Item:
    """What was there before: a video with captions."""
    files = [a_staged(folder, "video.mp4", VIDEO), a_staged(folder, "video.vtt", CAPTIONS, role="captions")]
    return with_files(a_meeting(files=()), files)


def late(folder: Path) -> Item:
    """The item with a late segment: a part, its captions, its chat."""
    files = [
        a_staged(folder, "video.part-2.mp4", VIDEO * 3),
        a_staged(folder, "video.part-2.vtt", CAPTIONS, role="captions.part-2"),
        a_staged(folder, "chat.part-2.txt", LATE, role="chat.part-2"),
    ]
    first = without(known(folder), "video", "captions")
    return with_files(a_meeting(files=()), [*first.files, *files])


def updated(portal: Portal, journal: Journal, folder: Path, clock: FakeClock, first: Receipt) -> Receipt:
    """A pass that adds what came late; the state knows the first receipt."""
    site = Wired(portal, clock, journal)
    try:
        found = site.destination.find(UUID)
        best = found if found is not None and len(found.cloud) > len(first.cloud) else first
        roles = [str(file.role) for file in best.files]
        return site.published(without(late(folder), *roles), best)
    finally:
        site.destination.detach()


def after_killed_update(folder: Path, number: int = NEVER, *, is_done: bool = False) -> tuple[list[Any], int]:
    """An update, killed at its request `number`, runs again: what the portal holds, and the requests of the first."""
    clock, journal = FakeClock(), Journal()
    with a_portal(clock) as portal:
        with wired(portal, clock) as site:
            first = site.published(known(folder / "known"))
        rule = portal.fail(with_=dying(clock, is_done=is_done), skip=number)
        with suppress(Stopped, Unreachable):
            updated(portal, journal, folder, clock, first)
        assert rule.struck == (number != NEVER), number
        requests = number - rule.skip
        later = FakeClock(clock.now())
        later.advance(minutes=20)
        portal.settings.clock = later.now
        receipt = updated(portal, journal, folder, later, first)
        parts = [str(file.role) for file in receipt.files if file.role.is_part]
        assert parts == ["video.part-2", "captions.part-2", "chat.part-2"], number
        return looks(portal), requests


@pytest.mark.parametrize("step", EVERY)
@pytest.mark.parametrize("is_done", [False, True], ids=["before the request", "before its answer"])
def test_a_killed_update_ends_like_an_undisturbed_one(tmp_path: Path, is_done: bool, step: int) -> None:
    wanted, requests = after_killed_update(tmp_path / "undisturbed")

    assert requests > 10
    for number in range(0, requests, step):
        assert after_killed_update(tmp_path / f"{number}", number, is_done=is_done)[0] == wanted, number


def test_what_was_made_and_cannot_be_found_yet_is_not_made_again(tmp_path: Path) -> None:
    clock, journal = FakeClock(), Journal()
    with a_portal(clock, index_lag=600) as portal:
        site = Wired(portal, clock, journal)
        portal.fail(operation="media_create", with_=dying(clock, is_done=True))
        with suppress(Unreachable):
            run(site, an_item(tmp_path))
        site.destination.detach()

        results = passes(portal, journal, tmp_path)
        waits = [next(results), next(results), next(results)]
        receipt = next(results)

    assert waits == [None, None, None]
    assert receipt is not None
    assert len(portal.media) == 2


def test_what_was_not_made_is_made_once_the_index_would_show_it(tmp_path: Path) -> None:
    clock, journal = FakeClock(), Journal()
    with a_portal(clock) as portal:
        site = Wired(portal, clock, journal)
        portal.fail(operation="media_create", with_=dying(clock, is_done=False))
        with suppress(Unreachable):
            run(site, an_item(tmp_path))
        site.destination.detach()

        results = list(zip(range(5), passes(portal, journal, tmp_path), strict=False))

    assert [receipt is not None for _, receipt in results] == [False, False, False, False, True]
    assert len(portal.media) == 2


def test_when_an_answer_never_came_the_index_has_its_time_from_then_on(tmp_path: Path) -> None:
    clock, journal = FakeClock(), Journal()

    def slowly(request: Request) -> Request:
        clock.advance(seconds=60)
        return request

    with a_portal(clock) as portal:
        site = Wired(portal, clock, journal)
        portal.fail(operation="media_create", with_=Fault(ask=slowly, change=lambda _, __: RESET))
        with suppress(Unreachable):
            run(site, an_item(tmp_path))
        site.destination.detach()

    assert [one.at for one in journal.open_intents()] == [clock.now()]
