"""What is on disk is whole and fits together, or it is an error that names the remedy; never an empty state."""

import os
import re
import shutil
import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import an_entry
from tests.state.builders import ID, a_history, a_published_entry, opened, stored
from zoomsync.errors import StateUnusable
from zoomsync.model import Entry
from zoomsync.state import State, documents, page
from zoomsync.state import database as database_module
from zoomsync.state.database import Database
from zoomsync.state.page import seal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A state with some entries and runs."""
    path = tmp_path / "state.json"
    with opened(path) as state:
        list(a_history(state))
    return path


def database(path: Path) -> Path:
    return path.with_name("state.db")


def change(path: Path, sql: str, *values: object) -> None:
    """What someone else does to the database."""
    connection = sqlite3.connect(database(path))
    with connection:
        connection.execute(sql, values)
    connection.close()


def test_a_flipped_bit_anywhere_in_the_page_is_found(path: Path) -> None:
    whole = path.read_bytes()

    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
        with pytest.raises(StateUnusable):
            State.read(path)


def test_a_flipped_bit_anywhere_in_a_document_is_found(path: Path) -> None:
    ((key, crc32, whole),) = rows(path, "SELECT key, crc32, document FROM entry ORDER BY key DESC LIMIT 1")

    for place in range(len(whole)):
        flipped = whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]
        with pytest.raises(StateUnusable, match=rf"state\.db: entry {key} is damaged"):
            documents.unpacked(Entry, database(path), key, crc32, flipped)

    change(path, "UPDATE entry SET document = ? WHERE key = ?", flipped, key)
    with pytest.raises(StateUnusable, match=rf"state\.db: entry {key} is damaged") as found:
        stored(path)
    assert found.value.hint == BACKUP.format(folder=path.parent)


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(database(path))
    found = connection.execute(sql).fetchall()
    connection.close()
    return found


@pytest.mark.parametrize("step", [1999, pytest.param(61, marks=pytest.mark.soak)])
def test_a_flipped_bit_in_the_database_is_an_error_of_ours_or_changes_nothing(path: Path, step: int) -> None:
    before, whole = stored(path), database(path).read_bytes()

    for place in range(0, len(whole), step):
        database(path).write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
        try:
            found = stored(path)
            prove(path)
        except StateUnusable:
            continue
        assert found == before, place


def prove(path: Path) -> None:
    """What a sweep does."""
    state = State.read(path)
    assert state is not None
    state.prove()


def test_an_index_that_hides_entries_is_found_by_a_sweep(path: Path) -> None:
    prove(path)
    connection = sqlite3.connect(database(path))
    connection.execute("PRAGMA writable_schema=ON")  # what is in it is of another column now
    connection.execute("UPDATE sqlite_schema SET sql = replace(sql, '(ending)', '(size)') WHERE name = 'by_ending'")
    connection.commit()
    connection.close()

    with pytest.raises(StateUnusable, match=r"state\.db: is damaged: .* index by_ending") as found:
        prove(path)

    assert found.value.hint == BACKUP.format(folder=path.parent)


def test_the_log_of_a_killed_pass_is_not_mixed_into_a_database_that_was_put_back(path: Path) -> None:
    with opened(path) as state:
        state.put(*(a_published_entry(f"of a pass {number}") for number in range(40)))
    before = {one.name: one.read_bytes() for one in path.parent.iterdir()}
    with opened(path) as state:
        state.put(*(a_published_entry(f"of a later pass {number}") for number in range(40)))
    if not (killed := os.fork()):
        state = State.open(path, new_id=ID)
        state.put(a_published_entry("of one that is killed"))
        os._exit(0)
    assert os.waitpid(killed, 0)[1] == 0
    for name, content in before.items():
        path.with_name(name).write_bytes(content)
    log = path.with_name("state.db-wal").read_bytes()

    for _ in range(2):
        with pytest.raises(StateUnusable, match=r"state\.db: is damaged: ") as found:
            State.open(path, new_id=ID)
        assert found.value.hint == BACKUP.format(folder=path.parent)

    assert path.with_name("state.db-wal").read_bytes() == log


def of_state(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda path: void(path.write_bytes(change(path.read_bytes())))


def of_database(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda path: of_state(change)(database(path))


def void(_: object) -> None: ...


def a_folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe_instead(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def of_another(path: Path) -> None:
    with State.open(path.with_name("other.json"), new_id="f" * 32) as other:
        other.put(a_published_entry())
    path.with_name("other.db").replace(database(path))
    path.with_name("other.json").unlink()


def older(path: Path) -> None:
    """The database of before, as a backup of it alone has it."""
    shutil.copy(database(path), path.with_name("copy"))
    with opened(path) as state:
        state.put(an_entry(uuid="newer"))
        state.save()
    path.with_name("copy").replace(database(path))


BACKUP = (
    "restore the whole folder {folder} from a backup; without one, move its state.* files away, "
    "then `zoomsync sync --adopt-library`"
)
CHECK = "check this path and the disk that it is on"
BEFORE = "run the newer zoomsync that wrote it, or restore a backup from before the upgrade"
WRITER = "run the zoomsync that wrote it, or restore the whole folder from a backup"
DAMAGE: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "empty": (lambda path: void(path.write_bytes(b"")), "{state}: is empty", BACKUP),
    "zeros": (of_state(lambda data: bytes(len(data))), "{state}: is empty", BACKUP),
    "cut": (of_state(lambda data: data[:-10]), "{state}: is damaged", BACKUP),
    "text": (lambda path: void(path.write_text("hello")), "{state}: is damaged", BACKUP),
    "newer": (
        of_state(lambda data: seal(data.partition(b",")[2].replace(b'"format":2', b'{"format":7', 1))),
        "{state}: has format 7, and this zoomsync knows formats up to 2",
        BEFORE,
    ),
    "another shape": (
        of_state(lambda _: seal(b'{"format":2,"steps":1,"head":{"id":"x"},"shiny":1}')),
        "{state}: does not fit format 2: shiny: unexpected keyword argument",
        WRITER,
    ),
    "gone": (lambda path: path.unlink(), "{state}: is missing, but its state.db is there", BACKUP),
    "a folder": (a_folder_instead, "{state}: not a regular file", CHECK),
    "a pipe": (a_pipe_instead, "{state}: not a regular file", CHECK),
    "no ledger": (lambda path: database(path).unlink(), "{state}: its ledger state.db is missing", BACKUP),
    "an empty ledger": (of_database(lambda _: b""), "{folder}/state.db: is empty", BACKUP),
    "a text as ledger": (
        of_database(lambda _: b"hello" * 1000),
        "{folder}/state.db: is damaged: file is not a database",
        BACKUP,
    ),
    "a ledger cut": (
        of_database(lambda data: data[:8192]),
        "{folder}/state.db: is damaged: database disk image is malformed",
        BACKUP,
    ),
    "a ledger of someone else": (
        lambda path: change(path, "PRAGMA application_id=7"),
        "{folder}/state.db: is no database of zoomsync's",
        BACKUP,
    ),
    "a newer ledger": (
        lambda path: change(path, "PRAGMA user_version=3"),
        "{folder}/state.db: has format 3, and this zoomsync knows formats up to 2",
        BEFORE,
    ),
    "an older ledger": (older, "{state}: is newer than state.db beside it: files of two times", BACKUP),
    "the ledger of another state": (of_another, "{state}: its ledger state.db belongs to another state", BACKUP),
    "a pipe as ledger": (lambda path: a_pipe_instead(database(path)), "{folder}/state.db: not a regular file", CHECK),
    "an intent": (
        lambda path: change(path, "INSERT INTO intent (id, crc32, document) VALUES ('1', 0, x'ff')"),
        "{folder}/state.db: intent 1 is damaged",
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

    names = {"state": path, "folder": path.parent}
    assert (str(read.value), read.value.hint) == (message.format(**names), hint.format(**names))
    assert str(opened_to_write.value) == str(read.value)
    left = {one.name: one.read_bytes() for one in path.parent.iterdir() if one.is_file()}
    assert {name: data for name, data in left.items() if "-wal" not in name and "-shm" not in name} == before


def test_an_entry_of_another_version_is_named(path: Path) -> None:
    with opened(path) as state:
        crc32, document = shiny(state.entries["other=="])
    change(path, "UPDATE entry SET crc32 = ?, document = ? WHERE key = 2", crc32, document)

    with pytest.raises(StateUnusable, match=r"state\.db: entry \d: does not fit format 2: phase: "):
        stored(path)


def shiny(entry: object) -> tuple[int, bytes]:
    """Its document with a phase of which this version has never heard."""
    document = re.sub(r'"phase":"\w+"', '"phase":"shiny"', page.json_of(documents._ADAPTERS[Entry], entry)).encode()
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=documents._WORDS)
    compressed = deflate.compress(document) + deflate.flush()
    return zlib.crc32(compressed, zlib.crc32(document)), compressed


def test_an_older_page_goes_with_a_newer_ledger(path: Path) -> None:
    """As after a power cut between the two: what lies in between is listed again."""
    before = path.read_bytes()
    with opened(path) as state:
        state.put(an_entry(uuid="newer"))
        state.update(library_pass=3)
    path.write_bytes(before)

    assert "newer" in stored(path)[1]
    with opened(path) as state:
        state.put(an_entry(uuid="newest"))
    assert "newest" in stored(path)[1]


def test_a_ledger_that_another_program_has_locked_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoomsync.state.database.SECONDS", 0.01)
    other = sqlite3.connect(database(path), isolation_level=None)
    with opened(path) as state:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StateUnusable, match=r"state\.db: locked by another program") as refused:
            state.put(an_entry(uuid="lost"))

        other.execute("ROLLBACK")
        other.close()
        state.put(an_entry(uuid="next"))

    assert "fuser" in refused.value.hint
    assert {"lost", "next"} & set(stored(path)[1]) == {"next"}


def test_a_journal_beside_a_missing_state_is_found_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "state[1].json"
    path.with_name("state[1].json.journal-2").touch()

    with pytest.raises(StateUnusable, match="is missing, but its journal"):
        State.open(path, new_id=ID)


def test_a_path_through_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StateUnusable, match=r"file/state\.json: not a directory"):
        State.open(tmp_path / "file" / "state.json", new_id=ID)


def test_who_looks_finds_another_ledger_once_a_pass_has_changed_it(path: Path) -> None:
    """It reads the file as it lies there, and notices if that is no longer so."""
    looking = Database.to_read(database(path))
    with opened(path) as state:
        state.put(an_entry(uuid="newer"))
        during = looking.rows("SELECT max(key) FROM entry")
        state.put(*(an_entry(uuid=f"{number}") for number in range(300)))
    after = looking.rows("SELECT count(*) FROM entry")

    assert (during, after) == ([(3,)], [(303,)])


def test_a_file_system_without_shared_memory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = database_module._connected
    monkeypatch.setattr(database_module, "_connected", lambda path, how: real(path, f"{how}&vfs=unix-dotfile"))

    with pytest.raises(StateUnusable, match=r"state\.db: SQLite cannot keep its log here") as refused:
        State.open(tmp_path / "state.json", new_id=ID)

    assert "set `state` to a path on a local one" in refused.value.hint
