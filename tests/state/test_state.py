"""What the state remembers, and in what form."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings

from tests.fakes import NOW, an_entry
from tests.state.builders import (
    ID,
    a_history,
    a_published_entry,
    a_run,
    an_intent,
    any_value,
    contents,
    opened,
    reachable,
    stored,
)
from zoomsync.model import Entry, Intent, Meeting, RecordingFile, Run, Secret, Stamp
from zoomsync.state import Head, State
from zoomsync.state.documents import packed, unpacked
from zoomsync.state.page import Page, read_page, unsealed, write_page

HERE = Path("state.db")


@given(head=any_value(Head), runs=any_value(tuple[Run, ...]))
@settings(max_examples=30, deadline=None)
def test_every_page_comes_back_as_it_was_but_for_what_was_counted_to_be_none(head: Head, runs: tuple[Run, ...]) -> None:
    with TemporaryDirectory() as folder:
        path, page = Path(folder, "state.json"), Page(steps=7, head=head, runs=runs)
        write_page(path, page)
        runs = tuple(replace(one, counts={name: n for name, n in one.counts.items() if n}) for one in runs)

        assert read_page(path, unsealed(path, path.read_bytes())[0]) == replace(page, runs=runs)


@given(entry=any_value(Entry), intent=any_value(Intent))
@settings(max_examples=60, deadline=None)
def test_every_document_comes_back_as_it_was(entry: Entry, intent: Intent) -> None:
    assert unpacked(Entry, HERE, 1, *packed(entry)) == entry
    assert unpacked(Intent, HERE, 1, *packed(intent)) == intent


def test_stamps_come_back_although_receipts_compare_without_them() -> None:
    entry = a_published_entry()
    assert entry.receipt is not None
    stamped = replace(entry.receipt.files[0], stamp=Stamp(at=NOW, version="3"))
    entry = replace(entry, receipt=replace(entry.receipt, files=(stamped,)))

    back = unpacked(Entry, HERE, 1, *packed(entry))

    assert back.receipt is not None
    assert back.receipt.files[0].stamp == stamped.stamp


def test_a_topic_cut_inside_an_emoji_is_remembered_without_the_half(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with opened(path) as state:
        state.put(an_entry(topic="party \ud83c"))
        state.put(an_entry(uuid="next"))

    assert [entry.topic for entry in stored(path)[1].values()] == ["party ?", "Weekly planning"]


def test_a_message_that_names_a_file_whose_name_is_no_utf_8_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with opened(path) as state:
        state.put(an_entry(reason=os.fsdecode(b"/library/caf\xe9: permission denied")))

    assert [entry.reason for entry in stored(path)[1].values()] == ["/library/caf?: permission denied"]


def test_there_is_no_state_before_the_first_pass(tmp_path: Path) -> None:
    assert State.read(tmp_path / "not" / "yet" / "state.json") is None


def test_a_new_state_is_on_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "state.json"

    with opened(path):
        assert stored(path) == (Head(id=ID), {}, {}, ())


def test_a_state_keeps_its_id(tmp_path: Path) -> None:
    opened_first = State.open(tmp_path / "state.json", new_id=ID)
    opened_first.close()

    with State.open(tmp_path / "state.json", new_id="another") as state:
        assert state.head.id == ID


def test_each_step_is_on_disk_when_it_returns(tmp_path: Path) -> None:
    path = tmp_path / "state.json"

    with opened(path) as state:
        for after in a_history(state):
            assert stored(path) == after


def test_a_later_pass_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with opened(path) as state:
        *_, last = a_history(state)

    with opened(path) as state:
        assert contents(state) == last
        state.put(an_entry(uuid="one more"))

    assert list(stored(path)[1]) == [*last[1], "one more"]


def test_the_last_fifty_runs_are_kept_newest_last(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with opened(path) as state:
        for number in range(60):
            state.record(a_run(number))
            state.record(a_run(number, ended_at=NOW, code=1))

    assert [(run.number, run.code) for run in stored(path)[3]] == [(n, 1) for n in range(10, 60)]


def test_passes_that_meet_another_one_push_nothing_out_but_each_other(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with opened(path) as state:
        state.record(a_run(1, ended_at=NOW, code=0))
        state.record(a_run(2))
        for number in range(3, 90):
            state.record(a_run(number))
            state.record(a_run(number, ended_at=NOW, code=4))

    assert [(run.number, run.code) for run in stored(path)[3]] == [(1, 0), (2, None), (3, 4), (89, 4)]


@pytest.mark.parametrize("ended", [{}, {"code": 143}, {"code": 70}, {"code": 5}, {"code": 2}])
@pytest.mark.parametrize("changed", [1, 2])
def test_what_did_not_end_in_whole_is_known_however_many_fail_after_it_until_a_later_pass_has_changed_the_library(
    tmp_path: Path, ended: dict[str, Any], changed: int
) -> None:
    with opened(tmp_path / "state.json") as state:
        state.record(a_run(1, ended_at=NOW, code=0), library_run=a_run(1).id)
        state.record(a_run(2, **({"ended_at": NOW} if ended else {}), **ended), library_run=a_run(changed).id)
        for number in range(3, 90):
            state.record(a_run(number, ended_at=NOW, code=5))
        numbers = [run.number for run in state.runs]
        state.record(a_run(90, ended_at=NOW, code=0), library_run=a_run(90).id)

        assert numbers == [*range(2, 12), *range(50, 90)]
        assert [run.number for run in state.runs] == [*range(3, 12), *range(50, 91)]


def test_what_was_opened_to_be_read_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    opened_first = State.open(path, new_id=ID)
    opened_first.close()
    state = State.read(path)
    assert state is not None

    with pytest.raises(TypeError, match="opened to be read"):
        state.put(an_entry())


def test_all_files_are_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with opened(tmp_path / "state" / "state.json") as state:
            state.put(an_entry())
            modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in (tmp_path / "state").iterdir()}
    finally:
        os.umask(before)

    assert modes == dict.fromkeys(["state.json", "state.db", "state.db-wal", "state.db-shm"], 0o600)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", [b"caf\xe9", b"50%20 ?mode=memory#", "Übung “1”".encode()])
def test_a_folder_may_have_any_name(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name) / "state.json"
    with opened(path) as state:
        state.put(an_entry())

    assert [*stored(path)[1]] == [an_entry().uuid]
    assert sorted(one.name for one in path.parent.iterdir()) == ["state.db", "state.json"]


def test_two_states_share_a_folder(tmp_path: Path) -> None:
    one, other = tmp_path / "a.json", tmp_path / "b"
    with opened(one) as first, opened(other) as second:
        first.put(an_entry(uuid="first"))
        second.put(an_entry(uuid="second"))

    assert [list(stored(path)[1]) for path in (one, other)] == [["first"], ["second"]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.db", "a.json", "b", "b.db"]


def test_between_passes_there_are_two_files_and_the_page_can_be_read_by_a_person(tmp_path: Path) -> None:
    with opened(tmp_path / "state.json") as state:
        list(a_history(state))

    lines = (tmp_path / "state.json").read_text().splitlines()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.db", "state.json"]
    assert ' "pass_number": 1,' in lines
    assert [line for line in lines if '"code": 0' in line] == [lines[-2]]


def test_a_step_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "state.json") as state:
        state.update(library="library-1", library_pass=3)
        page = (tmp_path / "state.json").stat()
        state.put()
        state.update(library="library-1", library_pass=3)

        assert not (tmp_path / "state.db-wal").stat().st_size
        assert (tmp_path / "state.json").stat() == page


def test_a_head_that_was_set_is_written_with_the_next_page(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with opened(path) as state:
        state.head = replace(state.head, listed_till=NOW)
        assert stored(path)[0].listed_till is None
        state.record(a_run(7), pass_number=7)

        assert stored(path) == contents(state)
        assert (state.head.listed_till, state.head.pass_number) == (NOW, 7)


def test_a_link_to_a_state_is_that_state(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real" / "state.json")
    with opened(tmp_path / "link") as state:
        state.put(an_entry())
        state.update(pass_number=1)
        written = contents(state)

    assert (tmp_path / "link").is_symlink()
    assert stored(tmp_path / "link") == stored(tmp_path / "real" / "state.json") == written


def test_nothing_that_is_remembered_can_hold_an_address_or_a_secret() -> None:
    kept = reachable(Page) | reachable(Entry) | reachable(Intent)

    assert kept & {Entry, RecordingFile, Meeting, Secret} == {Entry}


def test_workers_write_their_intents_down_while_the_pass_writes(tmp_path: Path) -> None:
    with opened(tmp_path / "state.json") as state, ThreadPoolExecutor(4) as workers:
        intents = [replace(an_intent(), id=f"{number:032x}", action="create") for number in range(60)]
        begun = [workers.submit(state.begin, one) for one in intents]
        for number in range(60):
            state.put(an_entry(uuid=f"uuid{number}"))
        for future in begun:
            future.result()
        known = [replace(one, details={"media": "7"}) for one in intents[:30]]
        list(workers.map(state.begin, known))
        state.put(an_entry(uuid="last"), settled=[one.id for one in known])

        assert {one.id for one in state.open_intents()} == {one.id for one in intents[30:]}
        found = State.read(state.path)

    assert found is not None
    assert (set(found.intents), len(found.entries)) == ({one.id for one in intents[30:]}, 61)
