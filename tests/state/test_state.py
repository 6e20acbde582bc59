"""What the state remembers, and in what form."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

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
from zoomsync.model import Arrival, Entry, Gap, Intent, Meeting, RecordingFile, Retry, Run, Secret, Stamp
from zoomsync.state import Head, State
from zoomsync.state import state as state_module
from zoomsync.state.journal import packed, read_document, read_step, seal
from zoomsync.state.schema import Document, Step

HERE = Path("state.json")


@given(head=any_value(Head), entry=any_value(Entry), intent=any_value(Intent), run=any_value(Run))
@settings(max_examples=60, deadline=None)
def test_every_value_comes_back_as_it_was(head: Head, entry: Entry, intent: Intent, run: Run) -> None:
    step = Step(head=head, entries={entry.uuid: entry}, intents={intent.id: intent}, settled=("one",), runs=(run,))
    document = Document(format=1, journal="j", head=head, entries=step.entries, intents=step.intents, runs=step.runs)

    assert read_step(HERE, 1, packed(step)) == step
    assert read_document(HERE, seal(packed(document)))[0] == document


def test_stamps_come_back_although_receipts_compare_without_them() -> None:
    entry = a_published_entry()
    assert entry.receipt is not None
    stamped = replace(entry.receipt.files[0], stamp=Stamp(at=NOW, version="3"))
    entry = replace(entry, receipt=replace(entry.receipt, files=(stamped,)))

    back = read_step(HERE, 1, packed(Step(entries={entry.uuid: entry}))).entries[entry.uuid]

    assert back.receipt is not None
    assert back.receipt.files[0].stamp == stamped.stamp


def test_what_earlier_versions_wrote_of_stored_files_is_read_and_proves_no_more_than_it_says() -> None:
    entry = a_published_entry()
    document = json.loads(packed(Step(entries={entry.uuid: entry})))
    receipt = document["entries"][entry.uuid]["receipt"]
    receipt["files"][0]["stamp"] = {"mtime_ns": 1, "inode": 2, "at": "2026-03-10T12:00:00Z", "version": "", "look": ""}
    for one in receipt["cloud"]:
        one.pop("arrival", None)

    back = read_step(HERE, 1, json.dumps(document).encode()).entries[entry.uuid].receipt

    assert back is not None
    assert back.files[0].stamp == Stamp(at=NOW)
    assert {one.arrival for one in back.cloud} == {Arrival.ONCE}


def test_a_topic_cut_inside_an_emoji_is_remembered_without_the_half(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with opened(path) as state:
        state.put(an_entry(topic="party \ud83c"))
        state.put(an_entry(uuid="next"))
        state.fold()

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


def test_folding_changes_nothing_but_the_files(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with opened(path) as state:
        *_, last = a_history(state)
        state.fold()

        assert stored(path) == last
        assert sorted(one.name for one in tmp_path.iterdir()) == ["state.json", "state.json.journal-2"]
        assert (tmp_path / "state.json.journal-2").read_bytes() == b""
        state.settle("unknown", an_entry(uuid="after"))
        assert stored(path) == contents(state)


def test_a_step_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "state.json") as state:
        state.put()

    assert (tmp_path / "state.json.journal-1").read_bytes() == b""


def test_a_batch_is_one_line(tmp_path: Path) -> None:
    with opened(tmp_path / "state.json") as state:
        state.put(an_entry(), an_entry(uuid="other"), head=replace(state.head, pass_number=7))

    assert (tmp_path / "state.json.journal-1").read_bytes().count(b"\n") == 1


def test_an_intent_and_its_result_are_one_line(tmp_path: Path) -> None:
    with opened(tmp_path / "state.json") as state:
        state.begin(an_intent())
        state.settle(an_intent().id, an_entry())

    lines = (tmp_path / "state.json.journal-1").read_text().splitlines()
    assert [sorted(json.loads(line)) for line in lines] == [["crc32", "intents"], ["crc32", "entries", "settled"]]


def test_the_last_fifty_runs_are_kept_newest_last(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with opened(path) as state:
        for number in range(60):
            state.record(a_run(number))
        state.record(a_run(59, ended_at=NOW, code=0))

    assert [(run.number, run.code) for run in stored(path)[3]] == [(n, None) for n in range(10, 59)] + [(59, 0)]


def test_the_cost_of_a_step_does_not_grow_with_the_ledger(tmp_path: Path) -> None:
    with opened(tmp_path / "state.json") as state:
        state.put(*(a_published_entry(f"uuid {number}") for number in range(500)))
        before = (tmp_path / "state.json.journal-1").stat().st_size
        state.put(a_published_entry("uuid 7", reason="changed"))

    step = packed(Step(entries={"uuid 7": a_published_entry("uuid 7", reason="changed")}))
    assert (tmp_path / "state.json.journal-1").stat().st_size - before == len(seal(step)) + 1


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
            state.fold()
    finally:
        os.umask(before)

    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in (tmp_path / "state").iterdir()}
    assert modes == {"state.json": 0o600, "state.json.journal-2": 0o600}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_two_states_share_a_folder(tmp_path: Path) -> None:
    one, other = tmp_path / "a.json", tmp_path / "b.json"
    with opened(one) as first, opened(other) as second:
        first.put(an_entry(uuid="first"))
        second.put(an_entry(uuid="second"))
    for path in (one, other):
        with opened(path) as state:
            state.fold()

    assert [list(stored(path)[1]) for path in (one, other)] == [["first"], ["second"]]


def test_a_journal_is_folded_in_once_it_is_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.json"
    monkeypatch.setattr(state_module, "LONG", 2000)
    journals = []
    for number in range(12):
        with opened(path) as state:
            state.put(an_entry(uuid=f"uuid{number}"))
            state.fold_if_long()
        (journal,) = tmp_path.glob("state.json.journal-*")
        journals.append(journal.name)

    assert list(stored(path)[1]) == [f"uuid{number}" for number in range(12)]
    assert 1 < len(set(journals)) < 12


def test_what_is_so_already_is_not_written_again(tmp_path: Path) -> None:
    with opened(tmp_path / "state.json") as state:
        state.update(library="library-1", library_pass=3)
        before = (tmp_path / "state.json.journal-1").read_bytes()
        state.update(library="library-1", library_pass=3)

    assert (tmp_path / "state.json.journal-1").read_bytes() == before


def test_a_run_and_what_it_changes_are_one_step(tmp_path: Path) -> None:
    with opened(tmp_path / "state.json") as state:
        state.record(a_run(7), pass_number=7)

    assert (tmp_path / "state.json.journal-1").read_bytes().count(b"\n") == 1
    assert (state.head.pass_number, state.runs) == (7, (a_run(7),))
    assert stored(tmp_path / "state.json") == contents(state)


def test_a_link_to_a_state_is_that_state(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real" / "state.json")
    with opened(tmp_path / "link") as state:
        state.put(an_entry())
        state.fold()

    assert (tmp_path / "link").is_symlink()
    assert stored(tmp_path / "link") == stored(tmp_path / "real" / "state.json") == contents(state)


def test_nothing_that_is_remembered_can_hold_an_address_or_a_secret() -> None:
    assert reachable(Document) & {Entry, RecordingFile, Meeting, Secret} == {Entry}


def test_workers_write_their_intents_down_while_the_pass_writes(tmp_path: Path) -> None:
    with opened(tmp_path / "state.json") as state, ThreadPoolExecutor(4) as workers:
        intents = [replace(an_intent(), id=f"{number:032x}", action="create") for number in range(60)]
        begun = [workers.submit(state.begin, one) for one in intents]
        for number in range(60):
            state.put(an_entry(uuid=f"uuid{number}"))
        for future in begun:
            future.result()
        state.fold()
        known = [replace(one, details={"media": "7"}) for one in intents[:30]]
        list(workers.map(state.begin, known))
        state.put(an_entry(uuid="last"), settled=[one.id for one in known])

        assert {one.id for one in state.open_intents()} == {one.id for one in intents[30:]}
        found = State.read(state.path)

    assert found is not None
    assert (set(found.intents), len(found.entries)) == ({one.id for one in intents[30:]}, 61)


def test_a_state_from_before_lists_and_look_ups_were_remembered_is_read_too() -> None:
    retry = Retry(tries=1, error="cut off", hint="", at=NOW, next_at=NOW)
    gap = Gap(since=NOW, until=NOW, user="host-ada")
    entry = a_published_entry(retry=retry)
    step = Step(head=Head(id=ID, gaps=(gap,)), entries={entry.uuid: entry})
    written = json.loads(packed(step))
    head, (old,) = written["head"], written["entries"].values()
    old["retry"].pop("unanswered", None)
    for where, new in ((head, ("account_list", "lookups")), (head["gaps"][0], ("email", "retry"))):
        for key in new:
            where.pop(key, None)

    assert read_step(HERE, 1, json.dumps(written).encode()) == step
