"""Passes into a portal killed again and again, at any request: what is there in the end is whole, and there once."""

import random
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import yaml

from tests.crash import dying
from tests.crash.place import PATIENCE_SECONDS, Place, serving
from tests.crash.test_kills import NOW
from tests.crash.test_portal_kills import looks
from tests.crash.tools import SEED
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Ending
from tests.sandbox.portal.faults import on_answer
from tests.sandbox.portal.server import Portal
from tests.sandbox.stage import VIEWS, Stage
from tests.sandbox.world import World
from tests.sandbox.worlds import empty_world
from zoomsync.state import State

KILLS = 9
KILLED = -9
LATE = "late"


def an_account() -> World:
    """Two segments to be stitched, another view and texts; a view and a segment come late."""
    stage = Stage(empty_world(NOW), has_media=True)
    stage.meeting("pair", "alice", 2, "Two segments")
    for number, at in ((1, 0), (2, 60)):
        stage.video("pair", number, at=at, seconds=1)
        stage.transcript("pair", number, at=at, seconds=1)
    stage.meeting("rich", "alice", 3, "Rich")
    stage.video("rich", seconds=1)
    stage.video("rich", 1, VIEWS[1], seconds=1)
    stage.texts("rich", seconds=1)
    stage.world.hold(LATE, lambda: stage.video("rich", 1, VIEWS[2], seconds=1))
    stage.world.hold(LATE, lambda: stage.video("pair", 3, at=120, seconds=1))
    stage.world.prepare()
    return stage.world


class Life:
    """A portal and a place whose passes may be killed. The portal's index is not waited for: the clock is real."""

    def __init__(self, place: Place, portal: Portal) -> None:
        self.place, self.portal = place, portal
        config = yaml.safe_load(place.config.read_text())
        place.config.write_text(yaml.safe_dump(config | {"destination": portal.config(index_lag="0s")}))

    def pass_(self, *, kill_at: int | None = None, is_done: bool = False) -> int:
        """One pass, a process killed at that request to the portal: before it is done, or before it is answered."""
        output = self.place.folder / "output"
        begun = dying.start(["-c", str(self.place.config), "sync"], output)
        if kill_at is not None:
            self.portal.fail(with_=_killing(begun, is_done=is_done), skip=kill_at)
        begun.join(PATIENCE_SECONDS)
        begun.kill()
        begun.join()
        self.portal.heal()
        self.place.wait_for_locks()
        assert begun.exitcode in (0, KILLED), output.read_text()
        return begun.exitcode

    def receive(self, what: str) -> None:
        """Let it arrive in Zoom; empty: nothing."""
        if what:
            self.place.sandbox.world.release(what)

    def requests(self, arrives: str) -> int:
        """How many a pass makes that nobody kills."""
        self.receive(arrives)
        self.portal.forget()
        assert self.pass_() == 0
        return len(self.portal.requests)

    def facts(self) -> tuple[Any, ...]:
        """What must not depend on kills: media, invitations, what is left open."""
        state = State.read(self.place.state)
        assert state is not None
        return looks(self.portal), [one.email for one in self.portal.invitations], state.open_intents()


def _killing(process: ForkServerProcess, *, is_done: bool) -> Fault:
    def instead(_: object) -> Answer:
        process.kill()
        return Answer(stop_after=-1, ending=Ending.RESET)

    return on_answer(process.kill) if is_done else Fault(instead=instead)


CHAPTERS = (("", KILLS - 3), (LATE, 3))
"""What arrives, and how many of the passes that are to publish it are killed."""


def undisturbed(folder: Path) -> list[tuple[int, tuple[Any, ...]]]:
    """The requests and the facts of each chapter in a life without kills."""
    with Portal() as portal, serving(Place(folder, an_account())) as place:
        life = Life(place, portal)
        return [(life.requests(arrives), life.facts()) for arrives, _ in CHAPTERS]


def test_passes_killed_at_any_request_leave_one_whole_item_of_each_meeting(tmp_path: Path) -> None:
    draws, kills = random.Random(SEED), 0
    wanted = undisturbed(tmp_path / "undisturbed")
    with Portal() as portal, serving(Place(tmp_path / "killed", an_account())) as place:
        life = Life(place, portal)
        for (arrives, tries), (requests, facts) in zip(CHAPTERS, wanted, strict=True):
            life.receive(arrives)
            struck = 0
            for number in range(20 * tries):  # a kill that is to come after the last request does not
                at = draws.randrange(2, max(3, requests // (1 + number)))
                struck += life.pass_(kill_at=at, is_done=draws.random() < 0.5) == KILLED
                if struck == tries:
                    break
            kills += struck
            assert life.pass_() == 0
            assert life.facts() == facts
    assert kills == KILLS
