"""The journal by itself: sealed lines, each in a chain with the one before it."""

import errno
import os
from pathlib import Path

import pytest

from zoomsync.errors import StateUnusable
from zoomsync.state.journal import Journal, seal, unseal

LINES = [b'{"a":1}', b'{"b":"two \xe2\x80\x93"}', b'{"c":[]}']


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of three lines."""
    path = tmp_path / "journal"
    journal = Journal(path, seed=7)
    journal.open()
    for line in LINES:
        journal.append(line)
    journal.close()
    return path


def test_lines_come_back_as_they_were_appended(path: Path) -> None:
    assert Journal(path, seed=7).read() == LINES


def test_a_seal_is_of_one_seed(path: Path) -> None:
    sealed = seal(LINES[0], 7)

    assert (unseal(sealed, 7), unseal(sealed, 8), unseal(LINES[0], 7)) == (LINES[0], None, None)
    with pytest.raises(StateUnusable, match="journal: line 1 is damaged"):
        Journal(path, seed=8).read()


def test_lines_that_changed_places_are_found(path: Path) -> None:
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + third + second)

    with pytest.raises(StateUnusable, match="journal: line 2 is damaged"):
        Journal(path, seed=7).read()


def test_a_whole_last_line_without_its_end_is_damage_and_no_torn_line(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"\r")

    with pytest.raises(StateUnusable, match="journal: line 3 is damaged"):
        Journal(path, seed=7).read()


def test_lines_of_a_later_pass_go_on_in_the_chain(path: Path) -> None:
    journal = Journal(path, seed=7)
    journal.read()
    journal.open()
    journal.append(b'{"d":4}')
    journal.close()

    assert Journal(path, seed=7).read() == [*LINES, b'{"d":4}']


def test_a_journal_that_was_not_read_begins_empty(path: Path) -> None:
    journal = Journal(path, seed=1)
    journal.open()
    journal.close()

    assert path.read_bytes() == b""


def test_a_line_that_failed_leaves_no_trace_and_the_chain_goes_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, write = Journal(path, seed=7), os.write
    journal.read()
    journal.open()

    def half(fd: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", failing)
        return write(fd, data[: len(data) // 2])

    def failing(_fd: int, _data: bytes) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(StateUnusable, match="input/output error"):
        journal.append(b'{"lost":1}')
    monkeypatch.undo()
    journal.append(b'{"d":4}')
    journal.close()

    assert Journal(path, seed=7).read() == [*LINES, b'{"d":4}']


def test_a_closed_journal_takes_no_line(path: Path) -> None:
    before = path.read_bytes()
    journal = Journal(path, seed=7)
    journal.read()
    journal.open()
    journal.close()
    journal.close()

    with pytest.raises(StateUnusable, match="an earlier write failed"):
        journal.append(b'{"d":4}')
    assert path.read_bytes() == before
