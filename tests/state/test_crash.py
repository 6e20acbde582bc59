"""Killed at any instant, or without power, a state is as it was, or as it was to become."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import NOW, an_entry
from tests.state.builders import ID, Contents, a_history, a_published_entry, contents, opened, stored
from zoomsync.errors import DiskFull, StateUnusable
from zoomsync.state import Head, State

DIE_AT_EACH_CALL = """
import os, shutil, sys
from dataclasses import replace
from pathlib import Path
from tests.state.builders import ID
from zoomsync.state import State

def die_at(place):
    left = [place]
    for name in ("open", "write", "fsync", "replace", "unlink"):
        def counted(*args, real=getattr(os, name), **options):
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)
            return real(*args, **options)
        setattr(os, name, counted)

def run(act, path, place):
    if act == "begin":
        die_at(place)
        State.open(path, new_id=ID)
    else:
        state = State.open(path, new_id=ID)
        die_at(place)
        state.update(pass_number=7)
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
from dataclasses import replace
from pathlib import Path
from tests.fakes import an_entry
from zoomsync.state import State

with State.open(Path(sys.argv[1]), new_id="0" * 32) as state:
    print("open", flush=True)
    for number in range(len(state.entries), 100_000):
        state.put(an_entry(uuid=str(number)))
        if number % 4 == 3:
            state.update(pass_number=number)
        print(number, flush=True)
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


def test_a_page_killed_anywhere_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    with opened(tmp_path / "whole" / "state.json") as state:
        *_, last = a_history(state)

    left = killed_at_each_call("save", tmp_path / "whole")

    assert len(left) > 5
    for path in left:
        with opened(path) as state:
            assert contents(state) in (last, (replace(last[0], pass_number=7), *last[1:])), path
            state.put(an_entry(uuid="after"))
            state.update(pass_number=8)
        assert (stored(path)[0].pass_number, list(stored(path)[1])) == (8, [*last[1], "after"])


def test_a_first_pass_killed_while_it_begins_the_state_can_begin_again(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()

    left = killed_at_each_call("begin", tmp_path / "none")

    assert len(left) > 10
    for path in left:
        assert State.read(path) is None or stored(path) == (Head(id=ID), {}, {}, ())
        with opened(path) as state:
            assert contents(state) == (Head(id=ID), {}, {}, ())


@pytest.mark.parametrize("kills", [5, pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_every_acknowledged_step_survives_sigkill(tmp_path: Path, kills: int) -> None:
    path, acknowledged = tmp_path / "state.json", 0
    for kill in range(kills):
        with running(WRITER, path) as process:
            said = [line_of(process) for _ in range(3 + kill % 7)] + killed(process)
        acknowledged += len(said) - 1

        head, known, *_ = stored(path)
        assert [*known] == [str(number) for number in range(len(known))]
        assert acknowledged <= len(known) <= acknowledged + kill + 1
        assert head.pass_number <= len(known)  # the page is never ahead of the ledger


def test_the_state_can_be_read_while_a_pass_writes(tmp_path: Path) -> None:
    path, seen = tmp_path / "state.json", [0]
    with running(WRITER, path) as process:
        line_of(process)
        while seen[-1] < 200:
            seen.append(len(stored(path)[1]))

    assert seen == sorted(seen)


def without_power(path: Path, there: Path, log: bytes) -> Path:
    """What lies there once the machine is on again: this much of the log, and nothing of what processes shared."""
    shutil.rmtree(there, ignore_errors=True)
    there.mkdir()
    for one in (path, path.with_name("state.db")):
        shutil.copy(one, there)
    (there / "state.db-wal").write_bytes(log)
    return there / path.name


def steps(state: State, path: Path) -> Iterator[tuple[int, Contents]]:
    """How long the log is after each step, and what is remembered then."""
    yield 0, contents(state)
    for number in range(4):
        state.put(a_published_entry(f"uuid{number}"), an_entry(uuid=f"other{number}"))
        yield path.with_name("state.db-wal").stat().st_size, contents(state)


def test_a_log_cut_anywhere_by_a_power_cut_is_what_its_whole_steps_say(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with opened(path) as state:
        known = dict(steps(state, path))
        whole = path.with_name("state.db-wal").read_bytes()

        for cut in sorted({*range(0, len(whole), 911), *known, *(size - 1 for size in known if size)}):
            left = without_power(path, tmp_path / "left", whole[:cut])
            assert stored(left) == known[max(size for size in known if size <= cut)], cut


@pytest.mark.parametrize("torn", [bytes(4000), b"garbage" * 900, b"again"])
def test_what_a_power_cut_leaves_behind_the_last_step_is_dropped(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "state.json"
    with opened(path) as state:
        *_, (_, last) = steps(state, path)
        whole = path.with_name("state.db-wal").read_bytes()
        tail = whole[-4120:] if torn == b"again" else torn
        left = without_power(path, tmp_path / "left", whole + tail)

    assert stored(left) == last
    with opened(left) as state:
        assert contents(state) == last
        state.put(an_entry(uuid="next"))
    assert [*stored(left)[1]] == [*last[1], "next"]


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
        size = (tmp_path / "state.db-wal").stat().st_size

        with (
            at_most(size + 100),
            pytest.raises(DiskFull, match=r"state\.db: no room for it: disk I/O") as refused,
        ):
            state.put(an_entry(uuid="too much"))

        assert "file size limit" in refused.value.hint
        assert contents(state) == before == stored(path)
        state.put(an_entry(uuid="after"))
        assert contents(state) == stored(path)
        assert [*stored(path)[1]] == [an_entry().uuid, "after"]


def test_a_page_for_which_there_is_no_room_leaves_the_state_usable(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with opened(path) as state:
        before = contents(state)

        with at_most(100), pytest.raises(DiskFull):
            state.update(since=NOW)

        assert contents(state) == before == stored(path)
        state.update(since=NOW)
        assert contents(state) == stored(path)


def test_a_page_whose_rename_fails_is_not_taken_for_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: object, __: object) -> None:
        raise OSError(5, "Input/output error")

    path = tmp_path / "state.json"
    with opened(path) as state:
        monkeypatch.setattr(os, "replace", failing)

        with pytest.raises(StateUnusable, match=r"state\.json: input/output error"):
            state.update(since=NOW)

        assert (state.head.since, stored(path)[0].since) == (None, None)


def test_a_ledger_of_a_state_that_is_begun_is_no_older_ones(tmp_path: Path) -> None:
    """A log that lies there from before would be taken for the one of the new database."""
    path = tmp_path / "state.json"
    with opened(path) as state:
        state.put(an_entry())
        log = path.with_name("state.db-wal").read_bytes()
    for one in tmp_path.iterdir():
        one.unlink()
    path.with_name("state.db-wal").write_bytes(log)

    with opened(path) as state:
        assert [*state.entries] == []
