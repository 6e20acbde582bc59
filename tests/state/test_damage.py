"""What is on disk is whole, or an error; only a torn last line is neither."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import an_entry
from tests.state.builders import ID, a_history, contents, opened, stored
from zoomsync.errors import StateUnusable
from zoomsync.state import State
from zoomsync.state.journal import seal
from zoomsync.state.state import load


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A state with a folded entry and six steps since."""
    path = tmp_path / "state.json"
    with opened(path) as state:
        state.put(an_entry(uuid="folded"))
        state.fold()
        list(a_history(state))
    return path


def journal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.journal-2")


def test_a_journal_cut_anywhere_is_what_its_whole_lines_say(path: Path) -> None:
    whole = journal_of(path).read_bytes()
    journal_of(path).write_bytes(b"")
    with State.open(path, new_id=ID) as state:
        after = list(a_history(state))
    assert journal_of(path).read_bytes() == whole

    for cut in range(len(whole) + 1):
        journal_of(path).write_bytes(whole[:cut])
        assert stored(path) == after[whole.count(b"\n", 0, cut)], cut


def test_a_pass_goes_on_after_a_torn_line(path: Path) -> None:
    whole = journal_of(path).read_bytes()
    journal_of(path).write_bytes(whole[:-20])
    before = stored(path)

    with State.open(path, new_id=ID) as state:
        assert contents(state) == before
        state.put(an_entry(uuid="next"))

    assert stored(path) == contents(state)
    assert "next" in state.entries


@pytest.mark.parametrize("torn", [b"\0" * 40, b'{"crc32":"' + b"\0" * 500, b'{"crc32":"' + b"\0" * 500 + b'"}}\n'])
def test_what_a_power_cut_leaves_of_the_last_line_is_dropped(path: Path, torn: bytes) -> None:
    before = stored(path)
    with journal_of(path).open("ab") as file:
        file.write(torn)

    assert stored(path) == before
    with State.open(path, new_id=ID) as state:
        state.put(an_entry(uuid="next"))
    assert stored(path) == contents(state)


@pytest.mark.parametrize("name", ["state.json", "state.json.journal-2"])
def test_a_flipped_bit_anywhere_is_found(path: Path, name: str) -> None:
    file = path.with_name(name)
    whole = file.read_bytes()

    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
        with pytest.raises(StateUnusable):
            State.read(path)


def test_a_lost_line_is_found(path: Path) -> None:
    lines = journal_of(path).read_bytes().splitlines(keepends=True)
    journal_of(path).write_bytes(b"".join(lines[:2] + lines[3:]))

    with pytest.raises(StateUnusable, match="line 3 is damaged"):
        State.read(path)


def of_state(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda path: void(path.write_bytes(change(path.read_bytes())))


def of_journal(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda path: of_state(change)(journal_of(path))


def void(_: object) -> None: ...


def a_folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe_instead(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


BACKUP = "restore the whole folder {folder} from a backup; nothing was changed in it"
OTHER_VERSION = "run the zoomsync that wrote it, or restore the whole folder from a backup"
UNSEALED = re.compile(rb'\{"crc32":"[0-9a-f]{8}",')
DAMAGE: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "empty": (of_state(lambda _: b""), "{state}: is empty", BACKUP),
    "zeroes": (of_state(lambda data: bytes(len(data))), "{state}: is empty", BACKUP),
    "cut": (of_state(lambda data: data[:-10]), "{state}: is damaged", BACKUP),
    "not JSON": (of_state(lambda _: b"hello"), "{state}: is damaged", BACKUP),
    "an object": (of_state(lambda _: b"{}"), "{state}: is damaged", BACKUP),
    "edited": (of_state(lambda data: data.replace(b"Weekly", b"Daily")), "{state}: is damaged", BACKUP),
    "newer": (
        of_state(lambda data: data.replace(b'"format":1,', b'"format":2,"shiny":true,')),
        "{state}: has format 2, and this zoomsync knows formats up to 1",
        "run the newer zoomsync that wrote it, or restore a backup from before the upgrade",
    ),
    "unknown key": (
        of_state(lambda data: seal(UNSEALED.sub(b"{", data).replace(b'"topic"', b'"theme":1,"topic"'))),
        "{state}: does not fit format 1: entries.folded.theme: unexpected keyword argument",
        OTHER_VERSION,
    ),
    "no head": (
        of_state(lambda _: seal(b'{"format":1,"journal":"state.json.journal-2"}')),
        "{state}: does not fit format 1: head: field required",
        OTHER_VERSION,
    ),
    "missing": (Path.unlink, "{state}: is missing, but its journal state.json.journal-2 is there", BACKUP),
    "a folder": (a_folder_instead, "{state}: not a regular file", "check this path and the disk that it is on"),
    "a pipe": (a_pipe_instead, "{state}: not a regular file", "check this path and the disk that it is on"),
    "a pipe for its journal": (
        lambda path: a_pipe_instead(journal_of(path)),
        "{state}: not a regular file",
        "check this path and the disk that it is on",
    ),
    "no journal": (
        lambda path: journal_of(path).unlink(),
        "{state}: its journal state.json.journal-2 is missing",
        BACKUP,
    ),
    "journal of another": (
        of_journal(lambda data: data[data.index(b"\n") + 1 :]),
        "{state}.journal-2: line 1 is damaged",
        BACKUP,
    ),
    "text in the journal": (
        of_journal(lambda data: data + b"hello\n"),
        "{state}.journal-2: line 7 is damaged",
        BACKUP,
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_named_with_its_remedy_and_never_an_empty_state(path: Path, case: str) -> None:
    damage, message, hint = DAMAGE[case]
    damage(path)
    before = {one.name: one.read_bytes() for one in path.parent.iterdir() if one.is_file()}

    with pytest.raises(StateUnusable) as read:
        State.read(path)
    with pytest.raises(StateUnusable) as opened_to_write:
        State.open(path, new_id=ID)

    assert (str(read.value), read.value.hint) == (message.format(state=path), hint.format(folder=path.parent))
    assert str(opened_to_write.value) == str(read.value)
    assert {one.name: one.read_bytes() for one in path.parent.iterdir() if one.is_file()} == before


def test_a_journal_that_vanishes_once_it_was_read_is_not_made_again(path: Path) -> None:
    _, _, journal = load(path) or pytest.fail("there is a state")
    journal_of(path).unlink()

    with pytest.raises(FileNotFoundError):
        journal.open()

    assert not journal_of(path).exists()


def test_a_journal_that_loses_lines_once_it_was_read_is_left_as_it_is(path: Path) -> None:
    _, _, journal = load(path) or pytest.fail("there is a state")
    shorter = journal_of(path).read_bytes()[:-20]
    journal_of(path).write_bytes(shorter)

    with pytest.raises(StateUnusable, match=r"journal-2: has lost lines since it was read") as refused:
        journal.open()

    assert refused.value.hint == BACKUP.format(folder=path.parent)
    assert journal_of(path).read_bytes() == shorter


def test_a_line_of_another_version_is_named(path: Path) -> None:
    journal_of(path).write_bytes(b"")
    with State.open(path, new_id=ID) as state:
        state.put(an_entry())
        assert state._journal is not None
        state._journal.append(b'{"shiny":true}')

    with pytest.raises(StateUnusable, match=r"journal-2: line 2: does not fit format 1: shiny: unexpected keyword"):
        State.read(path)


def test_a_state_older_than_its_journals_is_not_taken_for_the_newest(path: Path) -> None:
    old, old_journal = path.read_bytes(), journal_of(path).read_bytes()
    with State.open(path, new_id=ID) as state:
        state.fold()
        state.put(an_entry(uuid="newer"))
    path.write_bytes(old)
    journal_of(path).write_bytes(old_journal)

    with pytest.raises(StateUnusable, match=r"is older than state\.json\.journal-3 beside it"):
        State.open(path, new_id=ID)

    path.with_name("state.json.journal-3").rename(path.with_name("away"))
    with State.open(path, new_id=ID) as state:
        assert "newer" not in state.entries


def test_a_path_through_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StateUnusable, match=r"file/state\.json: not a directory"):
        State.open(tmp_path / "file" / "state.json", new_id=ID)
