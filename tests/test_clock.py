"""After a signal the process is gone in time, also when saying its last word fails or hangs."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from zoomsync.clock import SystemClock, _started, is_alive, this_process
from zoomsync.errors import Stopped

SCRIPT = """
import sys, time
from zoomsync import clock

clock.LAST_WORD_SECONDS, clock.FAREWELL_SECONDS = 0.1, 0.2

def last_word(signum):
    print("ended by", signum, flush=True)
    {word}

with clock.ending(clock.SystemClock(), last_word):
    print("ready", flush=True)
    while True:
        time.sleep(60)
"""


CORES = """
import resource
from zoomsync import cli

most = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
cli.run = lambda _: print(resource.getrlimit(resource.RLIMIT_CORE), flush=True)
cli.main()
"""


def test_the_program_leaves_no_core() -> None:
    command = [sys.executable, "-c", CORES]
    root = Path(__file__).parents[1]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=root, check=False)

    assert ran.stdout == "(0, 0)\n"


@pytest.mark.parametrize("word", ["pass", "raise OSError", "time.sleep(60)"])
def test_a_process_that_hangs_is_gone_after_its_last_word(word: str) -> None:
    command = [sys.executable, "-c", SCRIPT.format(word=word)]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=10)[0]

    assert (process.returncode, said) == (128 + signal.SIGTERM, f"ended by {signal.SIGTERM:d}\n")


def test_a_stopped_clock_wakes_and_stops_everybody_with_the_first_signal() -> None:
    clock = SystemClock()
    clock.stop(signal.SIGTERM)
    clock.stop(signal.SIGINT)

    for wait in (clock.check, lambda: clock.sleep(60)):
        with pytest.raises(Stopped) as stopped:
            wait()
        assert stopped.value.code == 128 + signal.SIGTERM


def test_a_process_is_known_by_its_start_too() -> None:
    own = this_process()

    assert is_alive(own)
    assert not is_alive(type(own)(pid=own.pid, host=own.host, started="1"))


def test_a_killed_process_that_nobody_has_reaped_runs_no_more() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        it = replace(this_process(), pid=child.pid, started=_started(child.pid))
        assert is_alive(it)

        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

        assert not is_alive(it)
