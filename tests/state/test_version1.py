"""A state of version 1 is taken over once, whole or not at all, and its files stay."""

import json
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.fakes import NOW, an_entry
from tests.state.builders import ID, Contents, a_published_entry, a_run, an_intent, contents, opened, stored
from zoomsync.errors import StateUnusable
from zoomsync.model import Arrival, Entry, Gap, Intent, Retry, Run, Stamp
from zoomsync.state import Head, State
from zoomsync.state.page import seal

RETRY = Retry(tries=1, error="cut – off", hint="", at=NOW, next_at=NOW)
HEAD = Head(id=ID, pass_number=3, since=NOW, gaps=(Gap(since=NOW, until=NOW, user="host-ada"),))
ENTRIES = {one.uuid: one for one in (an_entry(topic="“quoted” 🎈"), a_published_entry("other==", retry=RETRY))}
LATER = [a_published_entry(), an_entry(uuid="new==")]
"""In the journal; the first is known already."""
EXPECTED: Contents = (
    replace(HEAD, pass_number=4),
    {one.uuid: one for one in (*ENTRIES.values(), *LATER)},
    {an_intent(2).id: an_intent(2)},
    (a_run(3, ended_at=NOW, code=0), a_run(4)),
)


def plain(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).dump_python(value, mode="json", exclude_defaults=True)


def packed(**parts: object) -> bytes:
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()


def document(entries: dict[str, Entry] = ENTRIES) -> bytes:
    return packed(
        format=1,
        journal="state.json.journal-7",
        head=plain(Head, HEAD),
        **({"entries": plain(dict[str, Entry], entries)} if entries else {}),
        intents=plain(dict[str, Intent], {an_intent(1).id: an_intent(1)}),
        runs=plain(tuple[Run, ...], (a_run(3),)),
    )


STEPS = (
    packed(runs=plain(tuple[Run, ...], (a_run(3, ended_at=NOW, code=0), a_run(4)))),
    packed(
        head=plain(Head, EXPECTED[0]), entries={one.uuid: plain(Entry, one) for one in LATER}, settled=[an_intent(1).id]
    ),
    packed(intents={an_intent(2).id: plain(Intent, an_intent(2))}),
)


def written(path: Path, body: bytes, steps: tuple[bytes, ...] = STEPS) -> Path:
    """The state as version 1 wrote it."""
    path.write_bytes(seal(body))
    lines, seed = [], zlib.crc32(body)
    for step in steps:
        lines.append(seal(step, seed) + b"\n")
        seed = zlib.crc32(step, seed)
    journal_of(path).write_bytes(b"".join(lines))
    return path


def journal_of(path: Path) -> Path:
    return path.with_name("state.json.journal-7")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    return written(tmp_path / "state" / "state.json", document())


def files(path: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in path.parent.iterdir()}


def test_all_of_it_is_taken_over_and_its_files_stay(path: Path) -> None:
    before = files(path)

    with opened(path) as state:
        assert contents(state) == EXPECTED
        state.put(an_entry(uuid="next"))

    assert [*stored(path)[1]] == [*EXPECTED[1], "next"]
    after = files(path)
    assert sorted(after) == ["state.db", "state.json", "state.json.journal-7", "state.json.version-1"]
    kept = {"state.json": after["state.json.version-1"], "state.json.journal-7": after["state.json.journal-7"]}
    assert kept == before


def test_who_looks_before_the_first_pass_sees_it_and_changes_nothing(path: Path) -> None:
    before = files(path)

    assert stored(path) == EXPECTED
    assert files(path) == before


def test_a_state_without_a_meeting_is_taken_over_too(path: Path) -> None:
    written(path, document({}), ())

    with opened(path) as state:
        assert (state.head, len(state.entries), [*state.intents]) == (HEAD, 0, [an_intent(1).id])


@pytest.mark.parametrize("torn", [bytes(40), b'{"crc32":"' + bytes(500), b'{"crc32":"' + bytes(500) + b'"}}\n', None])
def test_a_torn_last_line_is_left_out(path: Path, torn: bytes | None) -> None:
    whole = journal_of(path).read_bytes()
    journal_of(path).write_bytes(whole + torn if torn is not None else whole[:-20])

    expected = EXPECTED if torn is not None else (*EXPECTED[:2], {}, EXPECTED[3])
    assert stored(path) == expected


def test_what_it_wrote_of_stored_files_proves_no_more_than_it_says(path: Path) -> None:
    old = json.loads(document())
    receipt = old["entries"]["other=="]["receipt"]
    receipt["files"][0]["stamp"] = {"mtime_ns": 1, "inode": 2, "at": "2026-03-10T12:00:00Z", "version": "", "look": ""}
    for one in receipt["cloud"]:
        one.pop("arrival", None)
    old["entries"]["other=="]["retry"].pop("unanswered", None)
    written(path, packed(**old), ())

    entry = stored(path)[1]["other=="]

    assert entry.receipt is not None
    assert entry.receipt.files[0].stamp == Stamp(at=NOW)
    assert {one.arrival for one in entry.receipt.cloud} == {Arrival.ONCE}
    assert entry.retry == RETRY


def flipped(name: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        data = bytearray(path.with_name(name).read_bytes())
        data[len(data) // 2] ^= 1
        path.with_name(name).write_bytes(data)

    return damage


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bit": (flipped("state.json"), r"state\.json: is damaged"),
    "a bit of the journal": (flipped("state.json.journal-7"), r"journal-7: line 2 is damaged"),
    "the journal": (
        lambda path: journal_of(path).unlink(),
        r"state\.json: its journal .*-7 is missing",
    ),
    "state.json": (Path.unlink, r"state\.json: is missing, but its journal state\.json\.journal-7 is there"),
    "a line": (
        lambda path: journal_of(path).write_bytes(b"".join(journal_of(path).read_bytes().splitlines(True)[1:])),
        r"journal-7: line 1 is damaged",
    ),
    "a step of another version": (
        lambda path: written(path, document(), (b'{"shiny":true}',)),
        r"journal-7: line 1: does not fit format 1: shiny: unexpected keyword",
    ),
    "an entry of another version": (
        lambda path: written(path, document().replace(b'"phase":"published"', b'"phase":"shiny"')),
        r"state\.json: does not fit format 1: phase: ",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_told_and_nothing_is_taken_over(path: Path, case: str) -> None:
    damage, message = DAMAGE[case]
    damage(path)
    before = files(path)

    for opening in (lambda: stored(path), lambda: State.open(path, new_id=ID)):
        with pytest.raises(StateUnusable, match=message) as refused:
            opening()
        assert "restore the whole folder" in refused.value.hint

    assert files(path) == before


DIE_AT_EACH_CALL = """
import os, shutil, sys
from pathlib import Path
from zoomsync.state import State

folder = Path(sys.argv[1])
for place in range(100):
    there = folder.with_name(f"left-{place}")
    shutil.copytree(folder, there)
    child = os.fork()
    if child == 0:
        left = [place]
        for name in ("open", "write", "fsync", "replace", "unlink"):
            def counted(*args, real=getattr(os, name), **options):
                left[0] -= 1
                if left[0] < 0:
                    os._exit(9)
                return real(*args, **options)
            setattr(os, name, counted)
        State.open(there / "state.json", new_id="")
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
print(place)
"""


def test_killed_anywhere_while_it_is_taken_over_and_run_again_it_ends_well(path: Path) -> None:
    command = [sys.executable, "-c", DIE_AT_EACH_CALL, str(path.parent)]
    places = int(subprocess.check_output(command, text=True, cwd=Path(__file__).parents[2]))

    assert places > 12
    for place in range(places):
        left = path.parent.with_name(f"left-{place}") / path.name
        assert stored(left) == EXPECTED, place
        with opened(left) as state:
            assert contents(state) == EXPECTED
        assert stored(left) == EXPECTED
        assert sorted(files(left)) == ["state.db", "state.json", "state.json.journal-7", "state.json.version-1"]


def test_what_was_taken_over_is_no_state_that_only_begins(path: Path) -> None:
    with opened(path):
        pass
    for one in path.parent.iterdir():
        if one.name != "state.db":
            one.unlink()

    with pytest.raises(StateUnusable, match=r"state\.json: is missing, but its state\.db is there"):
        State.open(path, new_id=ID)


def test_after_the_way_back_it_is_taken_over_as_it_is_then(path: Path) -> None:
    old = path.read_bytes()
    with opened(path) as state:
        state.put(an_entry(uuid="of the new version"))
    shutil.move(path.with_name("state.json.version-1"), path)
    assert path.read_bytes() == old

    with opened(path) as state:
        assert contents(state) == EXPECTED
