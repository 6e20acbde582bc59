"""Whatever happens in weeks of passes, kills, power cuts, full disks and people: nothing is lost."""

import sys
import time
from random import SystemRandom

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.history.machine import Weeks

STEPS = 10
SOAK_SECONDS = 1200
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the disk of a history looks into /proc"),
    pytest.mark.timeout(600),
]


def play(number: int, histories: int, *phases: Phase) -> None:
    """So many histories, for the same number the same ones."""
    wanted = settings(
        max_examples=histories,
        stateful_step_count=STEPS,
        derandomize=False,  # the number says which
        database=None,
        deadline=None,
        phases=(Phase.generate, *phases),
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(Weeks), settings=wanted)


@pytest.mark.parametrize("number", range(2))
def test_weeks(number: int) -> None:
    """The suite has a few, always the same; `make soak` goes on with others for 20 minutes."""
    play(number, 25)


@pytest.mark.soak
@pytest.mark.timeout(SOAK_SECONDS + 1800)
def test_weeks_that_nobody_saw_before(capfd: pytest.CaptureFixture[str]) -> None:
    until = time.monotonic() + SOAK_SECONDS
    while time.monotonic() < until:
        number = SystemRandom().randrange(10**9)
        with capfd.disabled():
            print(f"\nplay({number}, 25)", end="", flush=True)
        play(number, 25, Phase.shrink)
