"""A signal ends a pass within ten seconds, wherever it is; the next one takes up the rest."""

import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.crash.place import Place, ended, serving
from tests.crash.tools import fake_tools
from tests.sandbox.faults import Fault, black_hole, rate_limited, slow, stall
from tests.sandbox.message import Answer, Request
from tests.sandbox.stage import Stage
from tests.sandbox.world import World
from tests.sandbox.worlds import empty_world
from zoomsync.model import Run
from zoomsync.state import State

NOW = datetime.now(UTC)
LIMIT_SECONDS = 10.0


def an_account() -> World:
    stage = Stage(empty_world(NOW))
    stage.meeting("pair", "alice", 3, "Two segments")
    stage.video("pair", 1)
    stage.video("pair", 2, at=60)
    return stage.world


@dataclass(frozen=True)
class Spot:
    """Somewhere in a pass: what brings it there, and how one sees that it is there."""

    prepare: Callable[[Place], object]
    is_reached: Callable[[Place], bool]


def asked(path: str) -> Callable[[Place], bool]:
    return lambda place: place.sandbox.count("GET", path) > 0


SPOTS = {
    "a download": Spot(lambda p: p.sandbox.fail("/ssrweb/", with_=slow(5000), times=None), asked("/ssrweb/")),
    "a stalled download": Spot(lambda p: p.sandbox.fail("/ssrweb/", with_=stall(1000), times=None), asked("/ssrweb/")),
    "stitching": Spot(lambda p: fake_tools(p.folder, endless=True), lambda p: bool(p.working())),
    "a pause that Zoom asks for": Spot(
        lambda p: p.sandbox.fail("/recordings", with_=rate_limited(seconds=90), times=None), asked("/recordings")
    ),
    "a list that never comes": Spot(
        lambda p: p.sandbox.fail("/recordings", with_=black_hole(), times=None), asked("/recordings")
    ),
}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with serving(Place(tmp_path, an_account())) as place:
        yield place


def wait_until(is_so: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    limit = time.monotonic() + 30
    while not is_so():
        assert process.poll() is None, ended(process)
        assert time.monotonic() < limit
        time.sleep(0.02)


def last_run(place: Place) -> Run:
    state = State.read(place.state)
    assert state is not None
    return state.runs[-1]


@pytest.mark.parametrize(
    ("signum", "where"),
    [
        (signal.SIGTERM, "a download"),
        (signal.SIGHUP, "a stalled download"),
        (signal.SIGINT, "stitching"),
        (signal.SIGTERM, "a pause that Zoom asks for"),
        (signal.SIGINT, "a list that never comes"),
    ],
)
def test_a_signal_ends_a_pass_and_the_next_one_completes_it(signum: signal.Signals, where: str, place: Place) -> None:
    SPOTS[where].prepare(place)
    process = place.command("sync")
    wait_until(lambda: SPOTS[where].is_reached(place), process)
    time.sleep(0.2)
    begun = time.monotonic()
    process.send_signal(signum)
    code, _, stderr = ended(process)

    assert (code, "Traceback" in stderr) == (128 + signum, False), stderr
    assert time.monotonic() - begun < LIMIT_SECONDS
    assert place.orphans() == []
    assert (last_run(place).code, last_run(place).ended_at is not None) == (128 + signum, True)
    assert "Interrupted" in ended(place.command("status"))[1]
    place.sandbox.heal()
    (place.folder / "ffmpeg").unlink(missing_ok=True)
    again = place.sync()
    assert (again.code, place.leftovers(), len(place.items())) == (0, [], 5), again.said


@pytest.mark.skipif(
    shutil.which("setpriv") is None, reason="without util-linux's setpriv ffmpeg outlives a killed pass"
)
def test_a_killed_pass_takes_its_ffmpeg_along(place: Place) -> None:
    SPOTS["stitching"].prepare(place)
    process = place.command("sync")
    wait_until(lambda: SPOTS["stitching"].is_reached(place), process)
    process.kill()

    assert ended(process)[0] == -signal.SIGKILL
    assert place.orphans() == []
    place.wait_for_locks()
    assert (last_run(place).code, last_run(place).ended_at) == (None, None)
    shown = ended(place.command("status"))[1]
    assert "Interrupted" in shown
    assert "Authorization status: Zoom: authorized; destination: authorized (checked" in shown
    (place.folder / "ffmpeg").unlink()
    again = place.sync()
    assert (again.code, place.leftovers(), len(place.items())) == (0, [], 5), again.said


def test_a_second_pass_at_the_same_time_ends_without_alarm(place: Place) -> None:
    released = threading.Event()

    def late(_: Request, answer: Answer) -> Answer:
        released.wait(60)
        return answer

    place.sandbox.fail("/ssrweb/", with_=Fault(change=late))
    first = place.command("sync")
    wait_until(lambda: asked("/ssrweb/")(place), first)

    assert ended(place.command("-q", "sync")) == (4, "", "")
    released.set()
    assert ended(first)[0] == 0
    state = State.read(place.state)
    assert state is not None
    assert [run.code for run in state.runs] == [0]
