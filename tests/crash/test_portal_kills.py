"""Killed at any request to the portal and run again, passes end in the same portal as an undisturbed one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.crash.place import Place, ended, serving
from tests.crash.test_kills import NOW
from tests.sandbox.portal.faults import on_answer, on_arrival
from tests.sandbox.portal.server import Portal
from tests.sandbox.stage import VIEWS, Stage
from tests.sandbox.world import World
from tests.sandbox.worlds import empty_world
from zoomsync.state import State

CHOSEN = [
    ("user_create", True),
    ("upload_commit", True),
    ("media_create", False),
    ("media_create", True),
    ("handout_add", True),
    ("media_update", True),
]


def an_account() -> World:
    """A meeting with another view and texts, and one without."""
    stage = Stage(empty_world(NOW), has_media=True)
    stage.meeting("rich", "alice", 2, "Rich")
    stage.video("rich", seconds=1)
    stage.video("rich", 1, VIEWS[1], seconds=1)
    stage.texts("rich", seconds=1)
    stage.meeting("plain", "alice", 3, "Plain")
    stage.video("plain", seconds=1)
    stage.world.prepare()
    return stage.world


@contextmanager
def a_place(folder: Path, portal: Portal) -> Iterator[Place]:
    """A place whose destination is this portal, whose index is not waited for: the clock is a real one."""
    with serving(Place(folder, an_account(), workers=1)) as place:
        config = yaml.safe_load(place.config.read_text())
        below = portal.config(index_lag="0s")
        place.config.write_text(yaml.safe_dump(config | {"destination": below}))
        yield place


def looks(portal: Portal) -> list[tuple[Any, ...]]:
    """All that matters of what a portal holds."""
    texts = [(media.captions, media.handouts) for media in portal.media.values()]
    sums = [sorted(one.blob.sha256 for each in pair for one in each) for pair in texts]
    return sorted(
        (media.title, media.status, media.sha256, one) for media, one in zip(portal.media.values(), sums, strict=True)
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """What a portal holds after a pass that nobody killed."""
    with Portal() as portal, a_place(tmp_path_factory.mktemp("undisturbed"), portal) as place:
        code, _, said = ended(place.command("sync"))
        assert code == 0, said
        return looks(portal)


@pytest.mark.parametrize(("operation", "is_answered"), CHOSEN)
def test_killed_at_a_request_and_run_again_all_is_there_once(
    tmp_path: Path, undisturbed: list[tuple[Any, ...]], operation: str, is_answered: bool
) -> None:
    with Portal() as portal, a_place(tmp_path, portal) as place:
        begun = place.command("sync")
        make = on_answer if is_answered else on_arrival
        portal.fail(operation=operation, with_=make(begun.kill))
        assert ended(begun)[0] == -9

        code, _, said = ended(place.command("sync"))

        assert code == 0, said
        assert looks(portal) == undisturbed
        assert [one.email for one in portal.invitations] == ["alice@example.org"]
        state = State.read(place.state)
        assert state is not None
        assert state.open_intents() == ()
