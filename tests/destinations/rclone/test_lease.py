"""Whose remote it is, and that two passes never work in it at once, although a store has no locks."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import LATE, VIDEO, a_context, a_staged, an_attachment, an_item, with_files, without
from tests.destinations.rclone.stores import (
    Gate,
    Server,
    Shared,
    a_bucket,
    a_remote,
    on_server,
    reply,
    served,
    unattached,
)
from tests.destinations.rclone.test_stores import publish
from tests.fakes import NOW, FakeClock, a_meeting
from zoomsync.destinations.rclone.destination import RcloneDestination
from zoomsync.destinations.rclone.lease import LEASE, SKEW
from zoomsync.destinations.rclone.remote import Remote
from zoomsync.errors import Forbidden, LibraryUnusable, NotAuthorized, PassRunning, ServiceUnavailable, Stopped


@pytest.fixture
def where(rclone: Shared, tmp_path: Path) -> str:
    """An empty remote: a folder of this machine."""
    return f"{rclone.add(type='alias', remote=str(tmp_path / 'remote'))}:"


def marker(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp_path / "remote" / ".zoomsync" / "library.json").read_text())
    return found


def tree(tmp_path: Path) -> dict[str, bytes]:
    return {str(one): one.read_bytes() for one in sorted((tmp_path / "remote").rglob("*")) if one.is_file()}


def another(uuid: str) -> Any:
    return a_meeting(uuid=uuid, files=())


def left_by(where: str, rclone: Shared, tmp_path: Path, **context: Any) -> RcloneDestination:
    """Pass 1 in the middle of its work; it never says that it ended."""
    destination = a_remote(rclone, where, a_context(**context))
    publish(destination, an_item(tmp_path / "staging"))
    return destination


def test_a_pass_that_changes_nothing_writes_nothing(rclone: Shared, where: str, tmp_path: Path) -> None:
    a_remote(rclone, where).detach()
    before = tree(tmp_path)

    second = a_remote(rclone, where, number=2)
    second.ping()
    second.detach()

    assert tree(tmp_path) == before
    assert second.last_change == (0, "")


def test_the_pass_that_changes_it_says_so_and_until_when(rclone: Shared, where: str, tmp_path: Path) -> None:
    destination = left_by(where, rclone, tmp_path)
    held = marker(tmp_path)
    destination.detach()

    assert (held["pass"], held["run"], held["held_till"]) == (1, "run-1", (NOW + LEASE).isoformat())
    assert "held_till" not in marker(tmp_path)
    assert destination.last_change == (1, "run-1")


@pytest.mark.parametrize("known", ["run-of-another-machine", "run-1"])
def test_another_pass_keeps_away_while_one_works_also_one_whose_state_is_a_copy(
    rclone: Shared, where: str, tmp_path: Path, known: str
) -> None:
    left_by(where, rclone, tmp_path)
    before = tree(tmp_path)
    copy = unattached(rclone, where, a_context(clock=FakeClock(NOW + LEASE + SKEW - timedelta(seconds=1))))

    with pytest.raises(PassRunning, match=r"run run-1") as raised:
        copy.attach(an_attachment(2, runs=frozenset({known}), over=frozenset()))

    assert (raised.value.code, raised.value.service) == (4, "remote")
    assert "2026-03-10 12:50 UTC" in raised.value.hint
    assert tree(tmp_path) == before


def test_a_dry_run_looks_on_while_a_pass_of_its_state_works(rclone: Shared, where: str, tmp_path: Path) -> None:
    left_by(where, rclone, tmp_path)
    plan = unattached(rclone, where)

    plan.attach(an_attachment(2, over=frozenset(), dry_run=True))

    assert plan.find("/abc//DEF+ghi==") is not None


def test_once_the_lease_is_over_another_state_may_adopt_it(rclone: Shared, where: str, tmp_path: Path) -> None:
    first = left_by(where, rclone, tmp_path)
    clock = FakeClock(NOW + LEASE + SKEW)
    other = unattached(rclone, where, a_context(clock=clock))
    other.attach(an_attachment(1, state_id="state-2", runs=frozenset({"run-x"}), run="run-x", adopt=True))
    publish(other, an_item(tmp_path / "staging", another("other==")))

    with pytest.raises(LibraryUnusable, match=r"took this remote over|went away") as raised:
        publish(first, an_item(tmp_path / "staging", another("third==")))

    assert raised.value.code == 5
    assert first.remote.read("published/ada@example.org/2026/none") is None
    assert other.find("third==") is None


def test_what_an_older_state_adopts_is_noted_although_the_marker_stays_as_it_is(
    rclone: Shared, where: str, tmp_path: Path
) -> None:
    left_by(where, rclone, tmp_path).detach()
    before = marker(tmp_path)

    unattached(rclone, where).attach(an_attachment(2, runs=frozenset(), adopt=True))

    assert marker(tmp_path) == before
    assert (tmp_path / "remote" / ".zoomsync" / "inherited.txt").read_text() == "0300a520\n"


def test_what_is_refused_where_no_library_is_yet_is_a_refusal(rclone: Shared, s3: Server) -> None:
    gate = Gate(s3)
    plan = unattached(rclone, a_bucket(rclone, Server(gate.address)))
    plan.attach(an_attachment(dry_run=True))
    gate.replies = {"published": reply(401)}

    with pytest.raises(Forbidden, match=r"published.*401") as of_one:
        plan.find("/abc//DEF+ghi==")
    plan.ping()
    gate.replies = {"": reply(401)}
    with pytest.raises(NotAuthorized, match="401") as of_all:
        plan.find("/abc//DEF+ghi==")
    gate.close()

    assert (of_one.value.code, of_all.value.code) == (3, 3)
    assert of_one.value.hint == of_all.value.hint


def test_a_pass_that_slept_leaves_the_marker_to_who_took_the_remote_over(
    rclone: Shared, where: str, tmp_path: Path
) -> None:
    sleeper = left_by(where, rclone, tmp_path)
    other = unattached(rclone, where, a_context(clock=FakeClock(NOW + LEASE + SKEW)))
    other.attach(an_attachment(2, runs=frozenset({"run-1", "run-2"})))
    publish(other, an_item(tmp_path / "staging", another("other==")))

    sleeper.detach()
    held = marker(tmp_path)
    other.ping()
    other.detach()

    assert (held["run"], "held_till" in held) == ("run-2", True)
    assert "held_till" not in marker(tmp_path)


def test_what_a_killed_pass_of_this_state_held_is_taken_at_once(rclone: Shared, where: str, tmp_path: Path) -> None:
    left_by(where, rclone, tmp_path)

    second = a_remote(rclone, where, number=2)
    found = second.find("/abc//DEF+ghi==")
    second.detach()

    assert found is not None
    assert "held_till" not in marker(tmp_path)


def test_a_pass_that_ends_before_its_first_change_gives_back_what_a_killed_one_held(
    rclone: Shared, where: str, tmp_path: Path
) -> None:
    left_by(where, rclone, tmp_path)
    clock = FakeClock()
    second = a_remote(rclone, where, a_context(clock=clock), number=2)
    second._lease.note_all = clock.check  # a list of all takes longer than there is time

    clock.stop()
    second.detach()

    assert (marker(tmp_path)["run"], "held_till" in marker(tmp_path)) == ("run-1", False)
    assert a_remote(rclone, where, number=3)._lease.is_ahead


def test_a_document_on_its_way_is_given_up_once_the_lease_is_over(rclone: Shared, tmp_path: Path) -> None:
    (tmp_path / "remote").mkdir()
    gate, clock = Gate(served(rclone, "webdav", tmp_path / "remote")), FakeClock()
    sleeper = left_by(on_server(rclone, Server(gate.address), "webdav"), rclone, tmp_path, clock=clock)
    gate.hold = r"MOVE .*recording\.json"
    late = without(an_item(tmp_path / "staging", late=LATE), "video", "captions")

    with ThreadPoolExecutor(1) as pool:
        slept = pool.submit(publish, sleeper, late, sleeper.find("/abc//DEF+ghi=="))
        assert gate.holds.wait(10)
        clock.advance(LEASE.total_seconds() + 1)
        with pytest.raises(ServiceUnavailable, match="is given up"):
            slept.result(10)
    gate.close()


def test_a_store_that_hangs_does_not_keep_a_pass_that_gives_the_remote_back(rclone: Shared, tmp_path: Path) -> None:
    class Hurried(FakeClock):
        step = 0

        def monotonic(self) -> float:
            self.advance(self.step)
            return super().monotonic()

    (tmp_path / "remote").mkdir()
    gate, clock = Gate(served(rclone, "webdav", tmp_path / "remote")), Hurried()
    destination = left_by(on_server(rclone, Server(gate.address), "webdav"), rclone, tmp_path, clock=clock)
    gate.is_closed, clock.step, before = True, 10, clock.now()

    destination.detach()
    waited = clock.now() - before
    gate.is_closed = False
    gate.close()

    assert waited < timedelta(minutes=3)


def test_what_was_on_its_way_when_a_pass_fell_asleep_replaces_nothing(
    rclone: Shared, s3: Server, tmp_path: Path
) -> None:
    gate, clock, bucket = Gate(s3), FakeClock(), a_bucket(rclone, s3)
    behind_gate = f"{rclone.add(**Server(gate.address).as_s3())}:{bucket.partition(':')[2]}"
    sleeper = left_by(behind_gate, rclone, tmp_path, clock=clock)
    gate.hold = "PUT .*video.mp4"
    large = [a_staged(tmp_path / "staging", "video.mp4", VIDEO * 10_000)]

    with ThreadPoolExecutor(1) as pool:
        slept = pool.submit(publish, sleeper, with_files(another("other=="), large))
        assert gate.holds.wait(10)
        other = unattached(rclone, bucket, a_context(clock=FakeClock(NOW + LEASE + SKEW)))
        other.attach(an_attachment(2, runs=frozenset({"run-1", "run-2"})))
        receipt = publish(other, an_item(tmp_path / "staging", another("other==")))
        clock.advance(LEASE.total_seconds() + 1)
        with pytest.raises(ServiceUnavailable, match="is given up"):
            slept.result(10)
    gate.is_closed = False

    assert other.verify(receipt).safe
    with pytest.raises(LibraryUnusable, match="took this remote over"):
        publish(sleeper, an_item(tmp_path / "staging", another("third==")))
    gate.close()


def test_a_marker_that_no_list_shows_is_never_replaced(
    rclone: Shared, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_remote(rclone, where).detach()
    before = tree(tmp_path)
    monkeypatch.setattr(Remote, "folders", lambda *_: [])
    other = unattached(rclone, where)

    with pytest.raises(LibraryUnusable, match="belongs to another state"):
        other.attach(an_attachment(1, state_id="state-2", new_id="library-2"))

    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", ["remote", "remote/.zoomsync/library.json"])
def test_what_stands_where_the_root_or_the_marker_should_be_ends_the_pass(
    rclone: Shared, tmp_path: Path, name: str
) -> None:
    where = f"{rclone.add(type='alias', remote=str(tmp_path))}:remote"
    if name == "remote":
        (tmp_path / name).write_text("a file")
    else:
        (tmp_path / name).mkdir(parents=True)

    with pytest.raises(LibraryUnusable, match=f"{name}: is a") as raised:
        a_remote(rclone, where)

    assert (raised.value.code, raised.value.service) == (5, "remote")
    assert raised.value.hint


@pytest.mark.parametrize("is_slow", [True, False], ids=["slow", "hung"])
def test_a_pass_that_is_told_to_end_gives_back_what_a_slow_store_takes_and_waits_for_no_other(
    rclone: Shared, s3: Server, tmp_path: Path, is_slow: bool
) -> None:
    class Passing(FakeClock):
        def monotonic(self) -> float:
            self.advance(0 if is_slow else 1)
            return super().monotonic()

    gate, clock = Gate(s3), Passing()
    destination = left_by(a_bucket(rclone, Server(gate.address)), rclone, tmp_path, clock=clock)
    gate.delay, gate.is_closed = 0.15, not is_slow
    clock.stop()

    with nullcontext() if is_slow else pytest.raises(Stopped):
        destination.detach()
    gate.delay, gate.is_closed = 0, False
    left = unattached(rclone, destination.remote.root).remote.read(".zoomsync/library.json") or b""
    gate.close()

    assert (b"held_till" in left) != is_slow


def test_a_lease_is_renewed_before_it_ends(rclone: Shared, where: str, tmp_path: Path) -> None:
    clock = FakeClock()
    destination = left_by(where, rclone, tmp_path, clock=clock)
    clock.advance(minutes=14)
    publish(destination, an_item(tmp_path / "staging", another("second==")))
    soon = marker(tmp_path)["held_till"]
    clock.advance(minutes=2)
    publish(destination, an_item(tmp_path / "staging", another("third==")))

    assert soon == (NOW + LEASE).isoformat()
    assert marker(tmp_path)["held_till"] == (NOW + timedelta(minutes=16) + LEASE).isoformat()


KNOWN = {"number": 7, "known_pass": 5}


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    ("fields", "known", "said"),
    [
        ({"library": "library-2"}, {}, "this is library library-, the state knows library-"),
        ({"state": "state-2"}, {}, "belongs to another state"),
        ({"state": "state-2", "held_till": "2026-03-01T00:00:00+00:00"}, {}, "belongs to another state"),
        ({"held_till": "some day"}, {}, "damaged"),
        ({"held_till": 5}, {}, "damaged"),
        ({"held_till": "9999-12-31T23:59:59+00:00"}, {}, "damaged"),
        ({"held_till": "9999-12-31T23:59:59-23:00"}, {}, "damaged"),
        ({"held_till": "0001-01-01T00:00:00+23:00"}, {}, "damaged"),
        ({"library": "\ud800"}, {}, "damaged"),
        ({"pass": 4}, {}, "last changed by pass 4, the state knows of pass 5"),
        ({"pass": 12, "run": "run-12"}, {}, "of which the state knows nothing"),
        ({}, {"has_items": True}, "its folders published and drafts are gone"),
        ({"format": 2}, {}, "written by a newer zoomsync"),
        ({"pass": "five"}, {}, "damaged"),
    ],
)
def test_a_remote_that_does_not_fit_the_state_is_refused(
    rclone: Shared, where: str, tmp_path: Path, fields: dict[str, Any], known: dict[str, Any], said: str, dry_run: bool
) -> None:
    plain = {"format": 1, "zoomsync": "0.1.0", "library": "library-1", "state": "state-1", "pass": 5, "run": "run-5"}
    (tmp_path / "remote" / ".zoomsync").mkdir(parents=True)
    (tmp_path / "remote" / ".zoomsync" / "library.json").write_text(json.dumps({**plain, **fields}))
    before, destination = tree(tmp_path), unattached(rclone, where)

    with pytest.raises(LibraryUnusable, match=said) as raised:
        destination.attach(an_attachment(**{**KNOWN, **known}, dry_run=dry_run))
    destination.detach()

    assert (raised.value.code, raised.value.service) == (5, "remote")
    assert tree(tmp_path) == before


def test_a_remote_that_lost_its_marker_is_refused_and_a_new_one_can_begin(
    rclone: Shared, where: str, tmp_path: Path
) -> None:
    (tmp_path / "remote" / "published").mkdir(parents=True)

    with pytest.raises(LibraryUnusable, match="is missing"):
        unattached(rclone, where).attach(an_attachment(**KNOWN))
    begun = unattached(rclone, where)
    begun.attach(an_attachment(**KNOWN, begin_new=True, new_id="library-9"))

    assert marker(tmp_path)["library"] == begun.id == "library-9"


def test_an_older_copy_is_taken_with_reconcile_alone(rclone: Shared, where: str, tmp_path: Path) -> None:
    left_by(where, rclone, tmp_path).detach()
    older = {"number": 3, "known_pass": 2}
    with pytest.raises(LibraryUnusable, match="an older copy"):
        unattached(rclone, where).attach(an_attachment(**older))

    destination = unattached(rclone, where)
    destination.attach(an_attachment(**older, reconcile=True))

    assert destination.find("/abc//DEF+ghi==") is not None
    assert destination.find("never==") is None
