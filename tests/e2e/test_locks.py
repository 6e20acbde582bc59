"""A lock that is held by something else: code 4 is no alarm, but it does not stay in silence for ever."""

import fcntl
from pathlib import Path

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site
from tests.sandbox.stage import Stage

LOCKS = {"of the state": "state/state.json.lock", "of the library": "library/.zoomsync/lock"}


@pytest.fixture
def site(begin: Begin, stage: Stage) -> Site:
    """A site after its first pass."""
    stage.meeting("weekly", "alice", 2, "Weekly planning")
    stage.video("weekly")
    begun = begin(stage.world)
    assert begun.sync().code == 0
    return begun


def held(site: Site, lock: str, *, minutes: int) -> list[tuple[int, str]]:
    """Codes and lines of a `-q` pass, and of checks, before and after these minutes, while something holds the lock."""
    with Path(site.folder / lock).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        commands = [("-q", "sync"), ("-q", "status", "--check")]
        results = [site.run(*command) for command in commands]
        site.clock.advance(minutes=minutes)
        results += [site.run(*command) for command in commands]
    return [(one.code, one.stdout + one.stderr) for one in results]


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
def test_after_an_hour_of_passes_that_met_a_lock_the_check_says_so(site: Site, lock: str) -> None:
    began = site.clock.now()

    *quiet, (code, said) = held(site, lock, minutes=61)
    site.sync()

    assert quiet == [(4, ""), (0, ""), (4, "")]
    assert code == 1
    assert said.startswith(f"unhealthy: locked out: passes meet a lock since {began:%Y-%m-%d %H:%M} UTC, and none")
    assert site.run("status", "--check").stdout == "healthy\n"


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
def test_for_less_than_an_hour_it_is_no_alarm(site: Site, lock: str) -> None:
    assert held(site, lock, minutes=59) == [(4, ""), (0, "")] * 2
