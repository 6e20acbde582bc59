"""What is asked of the ledger, and that nothing is found by looking through all of it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import NOW, START, a_meeting, a_receipt, an_entry
from tests.state.builders import a_published_entry, opened
from zoomsync.model import DAY, Entry, Phase, Retry
from zoomsync.naming import suffix
from zoomsync.rules.named import Named
from zoomsync.state import Host, Ledger, State, ledger
from zoomsync.state.documents import PHASES

RETRY = Retry(tries=1, error="cut", hint="", at=NOW, next_at=NOW)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with opened(tmp_path / "state.json") as one:
        yield one


def uuids(entries: Any) -> list[str]:
    return [entry.uuid for entry in entries]


def stored(uuid: str, *, days: float = 9, host: str = "host-ada", size: int = 1000, **changes: Any) -> Entry:
    """Stored so many days ago."""
    receipt = a_receipt(a_meeting(uuid=uuid))
    receipt = replace(receipt, files=(replace(receipt.files[0], size=size),))
    plain = a_published_entry(uuid, host_id=host, host_email=f"{host}@example.org")
    return replace(plain, **{"receipt": receipt, "stored_at": NOW - days * DAY, **changes})


def test_every_phase_has_its_number() -> None:
    assert sorted(PHASES) == sorted(Phase)
    assert [phase.value for phase in PHASES[:4]] == ["waiting", "skipped", "published", "deleted"]  # in every row


def test_an_entry_takes_the_place_of_the_one_before(state: State) -> None:
    state.put(an_entry(uuid="a"), an_entry(uuid="b"))
    state.put(an_entry(uuid="a", topic="another", phase=Phase.SKIPPED))

    assert [(one.uuid, one.topic) for one in state.entries.everything()] == [("a", "another"), ("b", "Weekly planning")]
    assert state.entries.phases() == {Phase.SKIPPED: 1, Phase.WAITING: 1}
    assert uuids(state.entries.open()) == ["b"]


def test_two_meetings_whose_folders_end_alike_are_two(state: State) -> None:
    one, other = "8QhDTuCAAMYE2DNrD3JWAQ==", "iD5r98LTWwcBVDMYAaAAAA=="
    seen: dict[str, str] = {}
    number = 0
    while True:  # the first two of these that do
        uuid, number = f"uuid{number}", number + 1
        if (other := seen.setdefault(suffix(uuid)[:4], uuid)) != uuid:
            one = uuid
            break
    clash = lambda uuid: int(suffix(uuid)[:4], 16)  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        for module in ("documents", "ledger"):
            patch.setattr(f"zoomsync.state.{module}.ending", clash)
        state.put(an_entry(uuid=one, topic="one"), an_entry(uuid=other, topic="other"))
        state.put(an_entry(uuid=other, topic="changed"))

        assert (state.entries[one].topic, state.entries[other].topic, len(state.entries)) == ("one", "changed", 2)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("b", ["b"]),
        (f"[{suffix('b')}]", ["b"]),
        (suffix("a"), ["a"]),
        ("850 123", ["a", "c"]),
        ("850123@2026-03-01", ["a"]),
        ("0850123", []),
        ("850", []),
        ("\udcff", []),
    ],
)
def test_what_a_person_names_is_found(state: State, what: str, expected: list[str]) -> None:
    state.put(
        an_entry(uuid="a", number="850123"),
        an_entry(uuid="b", number=""),
        an_entry(uuid="c", number="850123", start=START + DAY),
    )

    assert uuids(state.entries.named(Named([what]))) == expected
    assert state.entries.unmatched(Named([what])) == ([] if expected else [what])


def test_hosts_are_known_by_their_addresses_the_last_one_last(state: State) -> None:
    state.put(an_entry(uuid="a"), an_entry(uuid="b", host_id="host-bob", host_email="bob@example.org"))
    state.put(an_entry(uuid="c", host_email="new@example.org"), an_entry(uuid="d", host_id="", host_email=""))
    state.put(an_entry(uuid="b", host_id="host-bob", host_email="Bob@example.org"))

    assert state.entries.hosts() == [
        Host(id="host-ada", email="ada@example.org", meetings=1),
        Host(id="host-bob", email="Bob@example.org", meetings=1),
        Host(id="host-ada", email="new@example.org", meetings=1),
        Host(id="", email="", meetings=1),
    ]


def test_what_is_stored_is_summed_up_by_host_and_author(state: State) -> None:
    state.put(stored("a", size=5), stored("b", size=7, days=1), stored("c", host="host-bob", size=11))
    state.put(stored("gone", phase=Phase.REMOVED), an_entry(uuid="waits"))

    found = state.entries.stored("library-1", after=NOW - 2 * DAY, till=NOW)

    assert [(one.host.id, one.host.meetings, one.size, one.recently) for one in found] == [
        ("host-ada", 2, 12, 7),
        ("host-bob", 1, 11, 0),
    ]
    assert {one.author for one in found} == {"ada@example.org"}
    assert found[0].since == NOW - 9 * DAY
    assert state.entries.stored("another", after=NOW, till=NOW) == []
    assert state.entries.stored_since(NOW - 2 * DAY) == (1, 7)
    assert state.entries.has_stored("library-1", "host-bob")
    assert not state.entries.has_stored("library-1", "host-eve")
    assert not state.entries.has_stored("another")
    assert uuids(state.entries.in_destination("library-1")) == ["a", "b", "c", "gone"]


def test_what_was_deleted_lately_is_found(state: State) -> None:
    state.put(stored("a", deleted={"f": NOW - 9 * DAY}), stored("b", deleted={"f": NOW - 9 * DAY, "g": NOW - DAY}))

    assert uuids(state.entries.deleted_since(NOW - 2 * DAY)) == ["b"]


def to_delete(state: State, selects: Callable[[str, str], bool] = lambda *_: True) -> list[str]:
    return uuids(state.entries.to_delete("library-1", selects, before=NOW - 7 * DAY, with_kept=False))


def test_what_may_be_deleted_comes_in_its_order(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "BATCH", 2)
    state.put(stored("b", days=9), stored("refused", days=40, refusal=RETRY), stored("d", days=20), stored("c", days=8))
    state.put(stored("new", days=1), stored("more to come", pending=("chat",)), stored("failed", retry=RETRY))
    state.put(stored("done", phase=Phase.DELETED), stored("e", days=8), stored("of bob", days=30, host="host-bob"))

    assert to_delete(state) == ["of bob", "d", "b", "c", "e", "refused"]
    assert to_delete(state, selects=lambda id_, _: id_ == "host-ada") == ["d", "b", "c", "e", "refused"]


def test_what_fails_while_it_is_looked_at_does_not_come_again(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "BATCH", 2)
    state.put(*(stored(name) for name in "abcd"), stored("e", refusal=RETRY))
    seen = []

    for entry in state.entries.to_delete("library-1", lambda *_: True, before=NOW, with_kept=True):
        seen.append(entry.uuid)
        state.put(replace(entry, refusal=RETRY))

    assert seen == ["a", "b", "c", "d", "e"]


def test_a_person_finds_by_topic_or_address(state: State) -> None:
    state.put(an_entry(uuid="a", topic="“Straße”\n"), an_entry(uuid="b", topic="x", host_email="Bob@Example.org"))
    state.put(an_entry(uuid="c", topic="ab" * 16))
    whats = ("“strasse”\n", "bob@example.org", "abab", "y")

    assert [uuids(state.entries.about(what)) for what in whats] == [["a"], ["b"], ["c"], []]


def test_many_are_read_a_few_at_a_time_while_others_are_written(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "BATCH", 3)
    state.put(*(an_entry(uuid=f"{number}") for number in range(10)))
    seen = []

    for entry in state.entries.open():
        seen.append(entry.uuid)
        state.put(replace(entry, phase=Phase.SKIPPED))

    assert (seen, uuids(state.entries.open())) == ([str(number) for number in range(10)], [])


def test_the_newest_of_a_phase_come_first(state: State) -> None:
    state.put(*(an_entry(uuid=f"{n}", phase=Phase.LOST, start=START + timedelta(days=n % 3)) for n in range(4)))

    assert uuids(state.entries.of_phase(Phase.LOST, 2)) == ["2", "1"]
    assert uuids(state.entries.of_phase(Phase.LOST, None)) == ["2", "1", "3", "0"]


QUERIES: list[Callable[[Ledger], object]] = [
    lambda ledger: ledger.get("a"),
    bool,
    lambda ledger: [*ledger.open()],
    lambda ledger: [*ledger.notable()],
    lambda ledger: ledger.named(Named(["a", "850", "850@2026-03-01", "0123abcd"])),
    lambda ledger: ledger.of_folder("0123abcd"),
    lambda ledger: ledger.hosts(),
    lambda ledger: ledger.phases(),
    lambda ledger: ledger.has_stored("library-1", "host-ada"),
    lambda ledger: ledger.has_stored("library-1"),
    lambda ledger: ledger.stored("library-1", after=NOW, till=NOW),
    lambda ledger: ledger.stored_since(NOW),
    lambda ledger: [*ledger.deleted_since(NOW)],
    lambda ledger: [*ledger.to_delete("library-1", lambda *_: True, before=NOW, with_kept=True)],
    lambda ledger: ledger.of_phase(Phase.LOST, 9),
    lambda ledger: [*ledger.reasons(Phase.SKIPPED)],
]
"""Everything but what a person asks for."""


@pytest.mark.parametrize("query", QUERIES)
def test_nothing_looks_through_all_entries(state: State, query: Callable[[Ledger], object]) -> None:
    state.put(stored("a"), an_entry(uuid="b"))
    connection, asked = state.entries._database._connection, set[str]()
    connection.set_trace_callback(asked.add)
    query(state.entries)
    connection.set_trace_callback(None)

    plans = [row[3] for sql in asked for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]

    assert plans
    assert [plan for plan in plans if re.match(r"SCAN entry(?! USING)|SEARCH entry .*\(rowid>", plan)] == []
