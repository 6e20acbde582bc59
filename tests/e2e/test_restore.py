"""State and library of different times: refused until a person decides, and nothing is trusted unread."""

import errno
import json
import os
import shutil
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Result, Site, SiteClock
from tests.sandbox.stage import Stage
from zoomsync.destinations.base import KINDS
from zoomsync.destinations.library.destination import LibraryDestination
from zoomsync.destinations.library.index import Index
from zoomsync.destinations.library.marker import LibraryLock
from zoomsync.destinations.library.transaction import Transaction
from zoomsync.errors import DiskFull, Forbidden, NotAuthorized, ServiceUnavailable, Unfit, ZoomsyncError


@pytest.fixture
def site(begin: Begin, stage: Stage) -> Site:
    """Two meetings, published by one pass each; `old-state` and `old-library` are copies from in between."""
    for name in ("first", "second"):
        stage.meeting(name, "alice", 2, f"The {name}")
        stage.video(name)
    late = stage.world.meetings.pop(stage.world.names["second"])
    begun = begin(stage.world)
    assert begun.sync().counts["published"] == 1
    shutil.copytree(begun.folder / "state", begun.folder / "old-state")
    shutil.copytree(begun.root, begun.folder / "old-library")
    stage.world.meetings[late.uuid] = late
    assert begun.sync().counts["published"] == 1
    return begun


def put_back(site: Site, name: str) -> None:
    """Restore the old copy of `state` or `library`."""
    shutil.rmtree(site.folder / name)
    shutil.copytree(site.folder / f"old-{name}", site.folder / name)


def marker_of(site: Site) -> Any:
    return json.loads((site.root / ".zoomsync" / "library.json").read_bytes())


def videos(site: Site) -> dict[str, str]:
    """The videos in the library."""
    return {name: digest for name, digest in site.library().items() if name.endswith(".mp4")}


def test_an_older_state_is_refused_however_often_it_tries(site: Site) -> None:
    put_back(site, "state")
    before = site.library()

    tries = [site.sync() for _ in range(4)]

    assert [one.code for one in tries] == [5] * 4
    assert "of which the state knows nothing" in tries[-1].stderr
    assert site.library() == before


def test_an_older_library_is_refused(site: Site) -> None:
    put_back(site, "library")

    refused = site.sync()

    assert refused.code == 5
    assert "an older copy" in refused.stderr


def test_what_an_older_copy_lacks_is_listed_and_fetched_again_on_a_persons_wish(site: Site) -> None:
    before = site.library()
    put_back(site, "library")
    refused = site.sync()
    planned = site.sync("--reconcile", "--dry-run")

    reconciled = site.sync("--reconcile")
    later = [site.sync(), site.sync()]

    assert (refused.code, "sync --reconcile" in refused.stderr) == (5, True)
    assert "1 item missing in the library, 0 items older than the state knows" in planned.stderr
    assert list(planned.reasons("publish")) == [site.uuid("second")]
    assert (reconciled.code, reconciled.counts["published"]) == (0, 1)
    assert ([one.code for one in later], videos(site)) == (
        [0, 0],
        {n: d for n, d in before.items() if n.endswith(".mp4")},
    )


def test_what_an_older_copy_lacks_and_zoom_has_no_more_is_lost_and_told(site: Site) -> None:
    second = site.world.meetings[site.uuid("second")]
    site.world.meetings.pop(second.uuid)
    put_back(site, "library")

    reconciled = site.sync("--reconcile")

    assert (reconciled.code, reconciled.counts["lost"]) == (1, 1)
    assert site.sync().code == 0


def test_late_files_that_an_older_copy_lacks_are_fetched_again(site: Site, stage: Stage) -> None:
    site.sync()
    stage.transcript("second")
    shutil.rmtree(site.folder / "old-library")
    shutil.copytree(site.root, site.folder / "old-library")
    assert site.sync().counts["updated"] == 1
    before = site.library()
    put_back(site, "library")

    reconciled = site.sync("--reconcile")

    assert (reconciled.code, reconciled.counts["updated"]) == (0, 1)
    assert {n for n in site.library() if n.endswith(".vtt")} == {n for n in before if n.endswith(".vtt")}


def test_of_an_adopted_library_an_older_copy_is_known_too(site: Site, stage: Stage) -> None:
    shutil.rmtree(site.folder / "state")
    assert site.sync("--adopt-library").code == 0  # the new state counts its passes from 1
    shutil.rmtree(site.folder / "old-library")
    shutil.copytree(site.root, site.folder / "old-library")
    stage.meeting("third", "alice", 2, "The third")
    stage.video("third")
    assert site.sync().counts["published"] == 1
    before = videos(site)
    put_back(site, "library")

    refused, reconciled = site.sync(), site.sync("--reconcile")

    assert (refused.code, "an older copy" in refused.stderr) == (5, True)
    assert (reconciled.code, videos(site)) == (0, before)


def test_of_an_adopted_library_a_pass_that_stores_nothing_makes_no_older_copy(
    site: Site, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(site.folder / "state")
    stage.meeting("third", "alice", 2, "The third")
    stage.video("third")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOTDIR, "is no folder", str(site.root / "published"))

    with monkeypatch.context() as then:
        then.setattr(Transaction, "create", fail)
        adopted, failed = site.sync("--adopt-library"), site.sync("--retry-failed")
    last = site.sync("--retry-failed")

    assert [adopted.counts["failed"], failed.counts["failed"], last.counts["published"]] == [1, 1, 1]
    assert (last.code, len(videos(site))) == (0, 3)


def test_a_new_library_takes_over_what_is_whole_and_passes_go_on(site: Site) -> None:
    put_back(site, "state")
    before = site.library()

    begun = site.sync("--new-library")
    later = [site.sync(), site.sync()]

    assert (begun.code, [one.code for one in later]) == (0, [0, 0])
    assert site.library() == before


@pytest.mark.parametrize("state", ["lost", "older"])
def test_a_library_that_is_ahead_is_adopted_as_it_is_and_nothing_is_fetched_again(site: Site, state: str) -> None:
    if state == "older":
        put_back(site, "state")
    else:
        shutil.rmtree(site.folder / "state")
    refused = site.sync()
    before, marker = site.library(), marker_of(site)
    site.configure(delete_recordings="trash", delete_after="0s", delete_all_accounts=True)

    adopted = site.sync("--adopt-library")
    downloads = site.downloads()
    later = [site.sync("--no-delete"), site.sync("--no-delete")]

    assert (refused.code, "sync --adopt-library" in refused.stderr) == (5, True)
    assert (adopted.code, [one.code for one in later]) == (0, [0, 0])
    assert (site.library(), downloads, adopted.counts.get("deleted", 0)) == (before, [], 0)
    assert marker_of(site)["library"] == marker["library"]
    assert "items found, the oldest of 2026-0" in adopted.stderr
    assert "delete_after begins again" in adopted.stderr
    assert ("what the other state had under way: remove it" in adopted.stderr) == (state == "lost")


def test_items_that_zoom_lists_no_more_are_adopted_too_verified_and_found_by_their_names(site: Site) -> None:
    shutil.rmtree(site.folder / "state")
    topic = site.world.meetings.pop(site.uuid("first")).topic
    (site.item("second") / "recording.json").rename(site.folder / "recording.json")
    (site.item("second") / "recording.json").write_text("{}")

    adopted = site.sync("--adopt-library")
    (site.folder / "recording.json").rename(site.item("second") / "recording.json")
    again = site.sync("--adopt-library")
    verified = site.sync("--verify")
    in_place = next(path for path in site.item("first").iterdir() if path.suffix == ".mp4")
    in_place.write_bytes(bytes(in_place.stat().st_size))
    rotten = site.sync("--verify")

    assert (adopted.code, adopted.counts["unadopted"]) == (1, 1)
    assert f"not taken over: {site.item('second')}/recording.json: damaged (restore it" in adopted.stderr
    assert "1 item of the library known, 1 of them new to the state" in adopted.stderr
    assert "then adopt again: `zoomsync sync --adopt-library`" in adopted.stderr
    assert (again.code, again.counts.get("deleted", 0), site.downloads()) == (0, 0, [])
    assert (verified.code, verified.counts) == (0, {"verified": 2})
    assert (rotten.code, rotten.counts) == (1, {"verified": 1, "differs": 1})
    assert site.uuid("first") in site.run("status", "--check").stdout
    told = site.run("--json", "status", "--meeting", topic).document
    assert site.uuid("first") in json.dumps(told) and "alice@example.org" in json.dumps(told)


@pytest.mark.parametrize("damage", [b"x", None])
def test_what_is_adopted_and_damaged_is_mended_if_zoom_still_has_it(site: Site, damage: bytes | None) -> None:
    shutil.rmtree(site.folder / "state")
    video = next(path for path in site.item("first").iterdir() if path.suffix == ".mp4")
    whole = video.read_bytes()
    video.unlink()
    if damage is not None:
        video.write_bytes(whole[:100] + damage + whole[101:])

    adopted, verified = site.sync("--adopt-library"), site.sync("--verify")

    assert adopted.code == 0
    assert (verified.code, verified.counts) == (0, {"verified": 2})
    assert whole in [path.read_bytes() for path in site.item("first").glob("*.mp4")]


def test_an_item_that_has_lost_its_recording_json_is_named_also_if_zoom_lists_it_no_more(site: Site) -> None:
    shutil.rmtree(site.folder / "state")
    site.world.meetings.clear()
    (site.item("second") / "recording.json").unlink()

    adopted = site.sync("--adopt-library")

    assert (adopted.code, adopted.counts["unadopted"]) == (1, 1)
    assert f"not taken over: {site.item('second')}: recording.json is missing (restore it" in adopted.stderr
    assert "left out 1 item" in site.run("status", "--check").stdout


def test_a_damaged_state_is_no_items_trouble(site: Site) -> None:
    with sqlite3.connect(site.folder / "state" / "state.db") as database:
        database.execute("UPDATE entry SET crc32 = crc32 + 1")
    database.close()

    adopted = site.sync("--adopt-library", "--since", "2099-01-01")

    assert (adopted.code, "is damaged" in adopted.stderr, "not taken over" in adopted.stderr) == (5, True, False)


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00+14:00", "2026-03-08T09:30:00", "2026-03-08", None])
def test_an_item_that_does_not_say_when_its_meeting_began_is_named_and_ends_no_adoption(
    site: Site, start: str | None
) -> None:
    shutil.rmtree(site.folder / "state")
    path = site.item("second") / "recording.json"
    said = json.loads(path.read_text())
    said["meeting"]["start"] = start
    path.write_text(json.dumps(said))

    adopted = site.sync("--adopt-library")

    assert (adopted.code, adopted.counts["unadopted"]) == (1, 1)
    assert "recording.json does not say when it began" in adopted.stderr
    assert "1 item of the library known" in adopted.stderr


@pytest.mark.parametrize("error", [Forbidden, NotAuthorized, ServiceUnavailable, Unfit])
def test_an_item_that_a_store_does_not_show_costs_an_adoption_itself_alone(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: type[ZoomsyncError]
) -> None:
    shutil.rmtree(site.folder / "state")
    site.world.meetings.clear()
    read, refused = Index._read, str(site.item("second"))

    def answer(self: Index, folder: Path, library: str) -> Any:
        if str(folder) == refused:
            raise error(f"{folder}: is not shown", hint="look there", service="library")
        return read(self, folder, library)

    monkeypatch.setattr(Index, "_read", answer)
    adopted, later = site.sync("--adopt-library"), site.sync()
    unhealthy, shown, counted = (site.run(*one.split()) for one in ("status --check", "status", "--json status"))
    monkeypatch.undo()
    again, healthy = site.sync("--adopt-library"), site.run("status", "--check")

    assert (adopted.code, adopted.counts["unadopted"]) == (1, 1)
    assert f"not taken over: {refused}: is not shown (look there)" in adopted.stderr
    assert (later.code, unhealthy.code, counted.document["unadopted"]) == (0, 1, 1)
    assert "unhealthy: not taken over: the last adoption of the library left out 1 item: `zoo" in unhealthy.stdout
    assert (
        "Left out when the library was adopted:\n  1 item: `zoomsync sync --adopt-library` names each again"
        in shown.stdout
    )
    assert "1 item of the library known" in adopted.stderr
    assert (again.code, healthy.stdout) == (0, "healthy\n")


@pytest.mark.parametrize(("how", "code"), [("stopped", 143), ("down", 6)])
def test_an_adoption_that_is_broken_off_goes_on_in_the_next_pass_and_nothing_is_deleted_before_it_has_ended(
    site: Site, monkeypatch: pytest.MonkeyPatch, how: str, code: int
) -> None:
    put_back(site, "state")
    site.world.meetings.pop(site.uuid("second"))
    site.configure(delete_recordings="trash", delete_after="0s", delete_all_accounts=True)

    read = Index._read

    def silent(*asked: Any) -> Any:
        if how == "down":
            raise ServiceUnavailable("the store does not answer", service="library")
        site.clock.stop(signal.SIGTERM)
        return read(*asked)

    with monkeypatch.context() as then:
        then.setattr(Index, "_read", silent)
        then.setattr(LibraryDestination, "ping", silent)
        broken = site.sync("--adopt-library")
    site.clock = SiteClock()
    monkeypatch.setitem(KINDS, "small", "tests.destinations.small_kind")
    site.configure(destination={"type": "small", "path": "elsewhere"})  # which is none that could be adopted
    elsewhere = site.sync("--adopt-library")
    site.configure(destination={"type": "library", "path": str(site.root)})
    planned, going_on, later = site.sync("--dry-run"), site.sync(), site.sync()

    assert "adopt again" not in broken.stderr
    assert (elsewhere.code, "is found as Zoom lists its meetings; nothing is deleted" in elsewhere.stderr) == (0, True)
    assert (broken.code, planned.code, going_on.code, later.code) == (code, 0, 0, 0)
    assert ["goes on with it" in one.stderr for one in (broken, planned, going_on, later)] == [False, True, True, False]
    assert [one.counts.get("deleted", 0) for one in (going_on, later)] == [0, 1]
    assert site.sync("--verify").counts == {"verified": 2}


def stopped_in(site: Site, monkeypatch: pytest.MonkeyPatch, method: str) -> Result:
    """An adoption that a signal ends while the index does this."""
    real = getattr(Index, method)

    def stop(*asked: Any, **more: Any) -> Any:
        site.clock.stop(signal.SIGTERM)
        return real(*asked, **more)

    with monkeypatch.context() as then:
        then.setattr(Index, method, stop)
        stopped = site.sync("--adopt-library")
    site.clock = SiteClock()
    assert stopped.code == 143
    return stopped


@pytest.mark.parametrize("is_lost", [True, False])
def test_an_adoption_that_is_stopped_before_the_library_is_taken_says_how_it_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch, is_lost: bool
) -> None:
    put_back(site, "state")
    if is_lost:
        shutil.rmtree(site.folder / "state")
    before = marker_of(site)

    stopped = stopped_in(site, monkeypatch, "_walk")

    assert (site.sync().code, marker_of(site)) == (5, before)
    assert "goes on from here; if that one does not go on with the adoption, adopt again" in stopped.stderr


def test_a_library_that_another_state_adopted_meanwhile_is_not_taken_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = site.folder / "state"
    shutil.rmtree(state)
    stopped_in(site, monkeypatch, "_read")
    assert "an adoption of the library has not come to its end" in site.run("status", "--check").stdout
    state.rename(site.folder / "first-state")
    assert site.sync("--adopt-library").code == 0
    before = marker_of(site)
    state.rename(site.folder / "second-state")
    (site.folder / "first-state").rename(state)

    refused = site.sync()

    assert (refused.code, marker_of(site)) == (5, before)
    assert "belongs to another state" in refused.stderr


def no_room(_: LibraryLock) -> None:
    raise DiskFull("no room for the marker", hint="make room", service="library")


@pytest.mark.parametrize(("is_taken", "is_there"), [(True, True), (True, False), (False, True)])
def test_while_an_adoption_is_open_no_other_library_begins_where_its_own_is_not_mounted(
    site: Site, monkeypatch: pytest.MonkeyPatch, is_taken: bool, is_there: bool
) -> None:
    shutil.rmtree(site.folder / "state")
    if is_taken:
        stopped_in(site, monkeypatch, "_read")
    else:
        with monkeypatch.context() as then:
            then.setattr(LibraryLock, "_write_marker", no_room)
            assert site.sync("--adopt-library").code == 5
    site.root.rename(site.folder / "unmounted")
    if is_there:
        site.root.mkdir()

    refused, unhealthy = [site.sync(), site.sync("--adopt-library")], site.run("status", "--check")

    assert [one.code for one in refused] == [5, 5]
    assert all("missing" in one.stderr and "--new-library" in one.stderr for one in refused)
    assert "not all taken over" in unhealthy.stdout
    shutil.rmtree(site.root, ignore_errors=True)
    (site.folder / "unmounted").rename(site.root)
    assert site.sync(*[] if is_taken else ["--adopt-library"]).code == 0
    assert (site.run("status", "--check").code, site.sync("--verify").counts) == (0, {"verified": 2})


@pytest.mark.parametrize("method", ["_walk", "_read"])
def test_items_whose_marker_is_gone_are_all_known_however_their_adoption_is_stopped(
    site: Site, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    site.world.meetings.clear()
    shutil.rmtree(site.folder / "state")
    (site.root / ".zoomsync" / "library.json").unlink()
    stopped_in(site, monkeypatch, method)
    monkeypatch.setitem(KINDS, "small", "tests.destinations.small_kind")
    site.configure(destination={"type": "small", "path": "elsewhere"})
    assert site.sync().code == 0
    site.configure(destination={"type": "library", "path": str(site.root)})

    assert site.sync().code == 0
    assert site.sync("--verify").counts == {"verified": 2}


def test_an_adoption_that_time_ends_goes_on_by_itself_and_begins_anew_if_it_is_asked_for_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(site.folder / "state")
    read, shown = Index._read, list[str]()

    def slow(self: Index, folder: Path, library: str) -> Any:
        site.clock.advance(hours=1)
        shown.append(folder.name)
        return read(self, folder, library)

    monkeypatch.setattr(Index, "_read", slow)
    monkeypatch.setattr("zoomsync.destinations.layout.BATCH", 1)

    wishes: list[list[str]] = [["--adopt-library"], ["--adopt-library"], [], []]
    tries = [site.sync(*one, "--max-duration", "30m", "--user", "nobody@example.org") for one in wishes]

    assert [*map(shown.count, shown[:1])] == [2]
    assert len(set(shown)) == 2
    assert ["the next pass goes on with it" in one.stderr for one in tries] == [True, True, True, False]


@pytest.mark.parametrize("what", ["first", "second", "archive"])
def test_a_folder_that_is_closed_while_an_adoption_is_open_is_left_out_and_nothing_of_it_is_published_again(
    site: Site, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    shutil.rmtree(site.folder / "state")
    stopped_in(site, monkeypatch, "_read")
    scan, archive = os.scandir, site.root / "published" / "archive"
    closed = archive if what == "archive" else site.item(what)
    if what == "archive":
        archive.mkdir()
        site.item("first").rename(archive / site.item("first").name)

    def refuse(path: Any = ".") -> Any:
        if str(path) == str(closed):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scan(path)

    def refuse_to_read(path: Path) -> bytes:
        for folder in path.parents:
            refuse(folder) if folder == closed else None
        return path.read_bytes()

    before = site.library()
    with monkeypatch.context() as then:
        then.setattr(os, "scandir", refuse)
        then.setattr(os, "listdir", refuse)
        then.setattr("zoomsync.destinations.library.index.read_file", refuse_to_read)
        going_on = site.sync()
    unhealthy = site.run("status", "--check")

    assert (going_on.code, going_on.counts["unadopted"], "published: " in going_on.stderr) == (1, 1, False)
    assert f"not taken over: {closed}: permission denied" in going_on.stderr
    assert "left out" in unhealthy.stdout
    assert site.library() == before
    site.sync("--adopt-library")
    assert site.sync("--verify").counts == {"verified": 2}


def test_a_refused_adoption_leaves_nothing_behind_that_a_plain_pass_would_begin_with(site: Site) -> None:
    (site.folder / "state" / "audit.jsonl").write_text('{"event": "deleting"}\n')
    for name in ("state.json", "state.db"):
        (site.folder / "state" / name).unlink()
    site.root.rename(site.folder / "unmounted")
    site.root.mkdir()

    tries = [site.sync(), site.sync("--adopt-library"), site.sync(), site.run("status")]

    assert [one.code for one in tries] == [5, 5, 5, 5]
    assert ["--new-library" in one.stderr for one in tries] == [True] * 4
    assert "no library that could be adopted" in tries[1].stderr
    assert "knows nothing yet, but" in tries[2].stderr
    assert [*site.root.iterdir()] == []
    site.root.rmdir()
    (site.folder / "unmounted").rename(site.root)
    assert (site.sync("--adopt-library").code, site.sync("--verify").counts) == (0, {"verified": 2})


def test_a_library_that_cannot_be_read_is_not_adopted_and_named(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(site.folder / "state")
    scan, closed = os.scandir, site.item("first").parent

    def refuse(path: Any = ".") -> Any:
        if str(path) == str(closed):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    refused = site.sync("--adopt-library")

    assert (refused.code, f"{closed}: permission denied" in refused.stderr) == (5, True)


def test_an_older_copy_or_a_missing_library_cannot_be_adopted(site: Site) -> None:
    put_back(site, "library")
    older = site.sync("--adopt-library")
    shutil.rmtree(site.root)
    missing = site.sync("--adopt-library")

    assert (older.code, missing.code) == (5, 5)
    assert "missing, it should hold library" in missing.stderr


def test_a_library_of_this_very_state_needs_no_adoption(site: Site) -> None:
    before = site.library()

    adopted = site.sync("--adopt-library")

    assert (adopted.code, site.library()) == (0, before)
    assert "2 items of the library known, none of them is new to the state" in adopted.stderr
    assert "lost" not in adopted.stderr


def test_a_lost_state_takes_over_what_is_whole_and_mends_what_is_not(site: Site) -> None:
    shutil.rmtree(site.folder / "state")
    before = videos(site)
    broken = next(path for path in site.files() if path.name == "video.mp4")
    broken.write_bytes(b"not a video any more")

    begun = site.sync("--new-library")

    assert begun.code == 0
    assert set(before.values()) <= set(videos(site).values())


def test_an_item_without_its_video_is_whole_again_when_it_is_asked_for(site: Site) -> None:
    before = videos(site)
    gone = next(path for path in site.files() if path.name == "video.mp4" and "first" in str(path))
    gone.unlink()

    asked = site.sync("--meeting", site.uuid("first"))

    assert asked.code == 0
    assert videos(site) == before


TRACES = {
    "the ledger and the audit": ["state.json"],
    "the audit alone": ["state.*"],
}


@pytest.mark.parametrize("lost", TRACES.values(), ids=TRACES)
@pytest.mark.parametrize("place", ["library", "elsewhere"])
def test_a_state_that_is_lost_after_a_normal_pass_is_told_and_none_begins_in_silence(
    begin: Begin, stage: Stage, lost: list[str], place: str
) -> None:
    stage.meeting("first", "alice", 2, "The first")
    stage.video("first")
    options = {"delete_recordings": "trash", "filter_accounts": ["alice@example.org"]}
    site = begin(stage.world, **options)
    assert site.sync().code == 0
    site.clock.advance(days=8)
    assert site.sync().counts["deleted"] == 1
    for path in [path for pattern in lost for path in (site.folder / "state").glob(pattern)]:
        path.unlink()
    if place == "elsewhere":  # where no marker tells of another state
        site.configure(destination={"path": "elsewhere"})
    before = sorted(path.name for path in (site.folder / "state").iterdir() if path.suffix != ".lock")

    commands = ("sync", "sync --dry-run", "status", "status --check", "users", "auth-check --only local")
    ended = {command: site.run(*command.split()) for command in commands}

    assert {name: one.code for name, one in ended.items()} == dict.fromkeys(commands, 5)
    assert [name for name, one in ended.items() if "state.json: is missing, but " not in one.stdout + one.stderr] == []
    assert sorted(path.name for path in (site.folder / "state").iterdir() if path.suffix != ".lock") == before


def test_after_its_loss_a_new_state_begins_on_a_persons_wish(begin: Begin, stage: Stage) -> None:
    stage.meeting("first", "alice", 2, "The first")
    stage.video("first")
    site = begin(stage.world, delete_recordings="trash", filter_accounts=["alice@example.org"], delete_after="0s")
    assert [site.sync().code, site.sync().counts["deleted"]] == [0, 1]
    for path in (site.folder / "state").glob("state.*"):
        path.unlink()
    audited = site.audit()

    codes = [site.sync("--new-library", "--no-delete").code, site.sync().code]

    assert (codes, site.audit()[: len(audited)]) == ([0, 0], audited)


def test_a_first_pass_that_never_got_as_far_as_a_state_leaves_no_alarm(site: Site) -> None:
    """An audit without a line, a lock, and half a ledger are what a kill at the very beginning leaves."""
    shutil.rmtree(site.folder / "state")
    shutil.rmtree(site.root)
    (site.folder / "state").mkdir()
    for name in ("audit.jsonl", "state.json.lock", ".state.db.new"):
        (site.folder / "state" / name).touch()

    assert site.sync().code == 0


def test_what_zoom_has_no_more_of_an_item_that_is_an_older_one_is_told(site: Site, stage: Stage) -> None:
    site.sync()
    stage.transcript("second")
    shutil.rmtree(site.folder / "old-library")
    shutil.copytree(site.root, site.folder / "old-library")
    assert site.sync().counts["updated"] == 1
    site.world.meetings.pop(site.uuid("second"))
    put_back(site, "library")

    reconciled = site.sync("--reconcile")

    assert (reconciled.code, reconciled.counts["lost"]) == (1, 1)
    assert "an older one" in reconciled.reasons("lost")[site.uuid("second")]
    assert site.sync().code == 0


def test_a_late_file_that_was_deleted_from_zoom_comes_again_once_it_is_back(site: Site, stage: Stage) -> None:
    site.sync()
    stage.transcript("second")
    shutil.rmtree(site.folder / "old-library")
    shutil.copytree(site.root, site.folder / "old-library")
    site.sync()
    site.configure(delete_recordings="trash", delete_after="0s", delete_all_accounts=True)
    assert site.sync().counts["deleted"] == 2
    before = site.library()
    put_back(site, "library")
    site.world.restore(site.uuid("second"))

    reconciled = site.sync("--reconcile", "--no-delete")

    assert "1 file of it zoomsync deleted from Zoom: look into Zoom's trash" in reconciled.stderr
    assert {n for n in site.library() if n.endswith(".vtt")} == {n for n in before if n.endswith(".vtt")}


def test_what_a_person_removed_from_a_library_that_is_no_older_copy_is_not_reconciled(site: Site) -> None:
    shutil.rmtree(site.item("first"))

    refused = site.sync("--reconcile")

    assert (refused.code, "not an older copy" in refused.stderr) == (2, True)


@pytest.mark.parametrize("wish", ["--reconcile", "--new-library"])
def test_a_wish_that_is_not_needed_is_refused_and_is_no_failed_pass(site: Site, wish: str) -> None:
    before = site.library()

    refused = site.sync(wish)

    assert (refused.code, f"{wish}: {site.root} is" in refused.stderr) == (2, True)
    assert (site.run("status", "--check").code, site.library()) == (0, before)


def test_a_state_that_has_stored_nothing_begins_with_another_library_by_itself(begin: Begin, stage: Stage) -> None:
    site = begin(stage.world)
    first = site.sync()
    (site.root / "published").mkdir(exist_ok=True)
    site.configure(destination={"path": "elsewhere"})
    stage.meeting("later", "alice", 2, "Later")
    stage.video("later")

    moved = site.sync()
    site.configure(destination={"path": "a third"})
    bound = site.sync()

    assert (first.code, moved.code, moved.counts["published"]) == (0, 0, 1)
    assert (bound.code, "it should hold library" in bound.stderr) == (5, True)


def test_a_sweep_refuses_a_ledger_whose_index_hides_what_it_has(site: Site) -> None:
    connection = sqlite3.connect(site.folder / "state" / "state.db")
    connection.execute("PRAGMA writable_schema=ON")  # what is in it is of another column now
    connection.execute("UPDATE sqlite_schema SET sql = replace(sql, '(ending)', '(size)') WHERE name = 'by_ending'")
    connection.commit()
    connection.close()
    site.clock.advance(days=8)

    tries = [site.sync() for _ in range(2)]

    assert [one.code for one in tries] == [5, 5]
    assert "index by_ending" in tries[-1].stderr
