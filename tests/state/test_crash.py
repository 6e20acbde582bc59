"""Killed at any instant, a state is as it was, or as it was to become."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import an_entry
from tests.state.builders import ID, a_history, a_published_entry, contents, opened, stored
from zoomsync.errors import DiskFull, StateUnusable
from zoomsync.state import Head, State

DIE_AT_EACH_CALL = """
import os, shutil, sys
from pathlib import Path
from tests.fakes import an_entry
from tests.state.builders import ID
from zoomsync.state import State

def die_at(place):
    left = [place]
    for name in ("open", "write", "fsync", "replace", "unlink", "ftruncate"):
        def counted(*args, real=getattr(os, name), **options):
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)
            return real(*args, **options)
        setattr(os, name, counted)

def run(act, path, place):
    state = None if act == "begin" else State.open(path, new_id=ID)
    die_at(place)
    if state is None:
        State.open(path, new_id=ID)
    elif act == "fold":
        state.fold()
    else:
        state.put(an_entry(uuid="new"), an_entry(uuid="newer"))
    os._exit(0)

act, folder = sys.argv[1], Path(sys.argv[2])
for place in range(100):
    there = folder.with_name(f"{act}-{place}")
    shutil.copytree(folder, there)
    child = os.fork()
    if child == 0:
        run(act, there / "state.json", place)
    if os.waitpid(child, 0)[1] == 0:
        break
print(place)
"""

WRITER = """
import sys
from pathlib import Path
from tests.fakes import an_entry
from zoomsync.state import State

with State.open(Path(sys.argv[1]), new_id="0" * 32) as state:
    print("open", flush=True)
    for number in range(len(state.entries), 100_000):
        state.put(an_entry(uuid=str(number)))
        print(number, flush=True)
        if number % 4 == 3:
            state.fold()
"""


@contextmanager
def running(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A Python process, which is killed at the end; its output is read line by line."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def killed(process: subprocess.Popen[str]) -> list[str]:
    """Kill it; returns what it said that nobody has read yet."""
    process.kill()
    return process.communicate()[0].splitlines()


def killed_at_each_call(act: str, folder: Path) -> list[Path]:
    """The states after `act` was killed before its first call to the kernel, its second, and so on."""
    with running(DIE_AT_EACH_CALL, act, folder) as process:
        calls = int(line_of(process))
    return [folder.with_name(f"{act}-{place}") / "state.json" for place in range(calls)]


def test_a_fold_killed_anywhere_loses_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "whole" / "state.json") as state:
        state.fold()
        *_, last = a_history(state)

    left = killed_at_each_call("fold", tmp_path / "whole")

    assert len(left) > 8
    for path in left:
        assert stored(path) == last, path
        with State.open(path, new_id=ID) as state:
            assert len(list(path.parent.glob("state.json.journal-*"))) == 1
            state.put(an_entry(uuid="after"))
            state.fold()
        assert stored(path) == contents(state)
        assert list(state.entries) == [*last[1], "after"]


def test_a_first_pass_killed_while_it_begins_the_state_can_begin_again(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()

    left = killed_at_each_call("begin", tmp_path / "none")

    assert len(left) > 6
    for path in left:
        assert State.read(path) is None or stored(path) == (Head(id=ID), {}, {}, ())
        with State.open(path, new_id=ID) as state:
            assert contents(state) == (Head(id=ID), {}, {}, ())


def test_a_batch_killed_anywhere_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    with opened(tmp_path / "whole" / "state.json") as state:
        state.put(an_entry())

    found = [list(stored(path)[1])[1:] for path in killed_at_each_call("put", tmp_path / "whole")]

    assert found == [[], ["new", "newer"]]


@pytest.mark.parametrize("kills", [5, pytest.param(200, marks=pytest.mark.soak)])
def test_every_acknowledged_step_survives_sigkill(tmp_path: Path, kills: int) -> None:
    path, acknowledged = tmp_path / "state.json", 0
    for kill in range(kills):
        with running(WRITER, path) as process:
            said = [line_of(process) for _ in range(3 + kill % 7)] + killed(process)
        acknowledged += len(said) - 1

        entries = list(stored(path)[1])
        assert entries == [str(number) for number in range(len(entries))]
        assert acknowledged <= len(entries) <= acknowledged + kill + 1


def test_the_state_can_be_read_while_a_pass_writes_and_folds(tmp_path: Path) -> None:
    path, seen = tmp_path / "state.json", [0]
    with running(WRITER, path) as process:
        line_of(process)
        while seen[-1] < 200:
            seen.append(len(stored(path)[1]))

    assert seen == sorted(seen)


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """No file may grow beyond this: a full disk that needs no disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_step_for_which_there_is_no_room_is_not_there_at_all(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with opened(path) as state:
        state.put(an_entry())
        before = contents(state)
        size = (tmp_path / "state.json.journal-1").stat().st_size

        with at_most(size + 100), pytest.raises(DiskFull, match=r"state\.json\.journal-1: file too large"):
            state.put(an_entry(uuid="too much"))

        assert contents(state) == before == stored(path)
        assert (tmp_path / "state.json.journal-1").stat().st_size == size
        state.put(an_entry(uuid="after"))
        assert contents(state) == stored(path)


def test_a_fold_for_which_there_is_no_room_leaves_the_state_usable(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with opened(path) as state:
        state.put(*(a_published_entry(str(number)) for number in range(20)))

        with at_most(2000), pytest.raises(DiskFull):
            state.fold()

        state.put(an_entry(uuid="after"))
        assert contents(state) == stored(path)
        assert sorted(one.name for one in tmp_path.iterdir()) == ["state.json", "state.json.journal-1"]
        state.fold()
        assert contents(state) == stored(path)


def test_after_a_rename_that_may_not_last_no_step_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: object, __: object) -> None:
        raise OSError(5, "Input/output error")

    path = tmp_path / "state.json"
    with opened(path) as state:
        state.put(an_entry())
        monkeypatch.setattr(os, "replace", failing)

        with pytest.raises(StateUnusable, match=r"state\.json: input/output error"):
            state.fold()
        with pytest.raises(StateUnusable, match="an earlier write failed"):
            state.put(an_entry(uuid="lost"))

        assert list(stored(path)[1]) == [an_entry().uuid]


def noting(calls: list[str], name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        calls.append(name)
        return real(*args, **options)

    return call


def test_a_fold_syncs_each_file_and_name_before_it_relies_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("write", "fsync", "replace", "unlink"):
        monkeypatch.setattr(os, name, noting(calls, name, getattr(os, name)))

    with opened(tmp_path / "state.json") as state:
        calls.clear()
        state.fold()

    document, journal, names = ["unlink", "write", "fsync"], ["fsync"], ["fsync"]
    assert calls == [*document, *journal, *names, "replace", *names, "unlink"]
