"""Killed in the midst of publishing, and run again only days later: by then every index has caught up with it."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.crash import dying
from tests.crash.place import PATIENCE_SECONDS
from tests.e2e.harness import SiteClock, a_stage, run_in, served
from tests.e2e.portal_site import ALICE, AtPortal, PortalSite, a_portal_site, holdings
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Ending
from tests.sandbox.portal.faults import on_answer
from tests.sandbox.stage import VIEWS, Stage

KILLED = -9
LAGS: dict[str, Any] = {"index_lag": 300}


def an_account() -> Stage:
    """A recording with another view and texts."""
    stage = a_stage()
    stage.meeting("rich", "alice", 2, "Rich")
    stage.video("rich", seconds=1)
    stage.video("rich", 1, VIEWS[1], seconds=1)
    stage.texts("rich", seconds=1)
    return stage


def a_pass(folder: str, now: datetime) -> None:
    """What the process does that is killed."""
    run_in(Path(folder), SiteClock(now), "sync")


def killed_at(site: PortalSite, operation: str, *, is_done: bool) -> None:
    """A pass, killed when this is asked of the portal: before it is done, or before it is answered."""
    process = dying.context().Process(target=a_pass, args=(str(site.folder), site.clock.now()))

    def refuse(_: object) -> Answer:
        process.kill()
        return Answer(stop_after=-1, ending=Ending.RESET)

    site.portal.fail(operation=operation, with_=on_answer(process.kill) if is_done else Fault(instead=refuse))
    process.start()
    process.join(PATIENCE_SECONDS)
    assert process.exitcode == KILLED
    process.close()
    site.portal.heal()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """What a portal holds after a pass that nobody killed."""
    with a_portal_site(tmp_path_factory.mktemp("undisturbed"), an_account(), {}, {}) as site:
        assert site.sync().code == 0
        return holdings(site.portal)


@pytest.mark.parametrize(
    ("operation", "is_done"),
    [
        ("user_create", True),
        ("upload_commit", True),
        ("media_create", False),
        ("media_create", True),
        ("handout_add", True),
    ],
)
def test_a_pass_days_after_a_killed_one_completes_the_one_item(
    at_portal: AtPortal, undisturbed: list[tuple[Any, ...]], operation: str, is_done: bool
) -> None:
    site = at_portal(an_account(), **LAGS)
    killed_at(site, operation, is_done=is_done)
    site.portal.forget_uploads()
    site.clock.advance(hours=26)

    after, idle = site.sync(), site.sync()

    assert (after.code, after.counts["published"], idle.counts["up_to_date"]) == (0, 1, 1)
    assert holdings(site.portal) == undisturbed
    assert [one.email for one in site.portal.invitations] == [ALICE]
    assert site.state().open_intents() == ()


def test_a_part_that_a_killed_pass_added_to_a_known_item_is_not_added_again(at_portal: AtPortal) -> None:
    stage = an_account()
    site = at_portal(stage, **LAGS)
    site.sync()
    late = stage.video("rich", 2, at=120, seconds=1)
    site.clock.advance(hours=1)
    killed_at(site, "media_create", is_done=True)
    site.clock.advance(hours=26)

    after, idle = site.sync(), site.sync()

    assert (after.code, after.counts["updated"], idle.counts["up_to_date"]) == (0, 1, 1)
    assert [one.sha256 for one in site.media("rich")].count(served(late)) == 1
    assert len(site.media("rich")) == 3
    assert site.state().open_intents() == ()
