"""Whole passes into a remote of rclone: what is promised of a library holds there, by no line that knows of it."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.rclone.stores import KEY, SECRET, Gate, Server, on_server, reply, seaweed, served, shared_rclone
from tests.e2e.conftest import Begin
from tests.e2e.harness import Site
from tests.e2e.test_deletion import TRASH, VIEW, deletions
from tests.sandbox.stage import Stage
from zoomsync.destinations.rclone.lease import LEASE
from zoomsync.naming import suffix
from zoomsync.state import State

ToRemote = Callable[..., Site]


@pytest.fixture
def to_remote(begin: Begin, tmp_path: Path) -> ToRemote:
    """A site whose remote is a folder of this machine: where its library would be."""
    config = tmp_path / "rclone.conf"
    config.write_text(f"[box]\ntype = alias\nremote = {tmp_path / 'library'}\n")

    def new(stage: Stage, **overrides: Any) -> Site:
        return begin(stage.world, **TRASH | {"destination": below(config)} | overrides)

    return new


def below(config: Path, **more: str) -> dict[str, Any]:
    return {"type": "rclone", "path": None, "remote": "box:", "config": str(config), **more}


def a_meeting(stage: Stage, name: str = "a", days: int = 2) -> None:
    stage.meeting(name, "alice", days, f"Meeting {name}")
    stage.video(name)
    stage.texts(name)


def test_what_is_published_grows_and_is_deleted_in_zoom_once_it_is_proven(to_remote: ToRemote, stage: Stage) -> None:
    a_meeting(stage)
    stage.world.hold("late", lambda: stage.video("a", 2, at=600))
    site = to_remote(stage)
    first = site.sync()
    staged = list((site.folder / "state").rglob("*.part"))
    stage.world.release("late")
    site.clock.advance(hours=2)
    late = site.sync()
    site.clock.advance(days=8)

    deleted = site.sync()

    assert (first.code, first.counts["published"], staged) == (0, 1, [])
    assert (late.code, late.counts["updated"]) == (0, 1)
    assert {"video.v2.mp4", "video.vtt", "chat.txt"} <= set(site.names("a"))
    assert "video.mp4" not in site.names("a")
    assert deleted.code == 0, deleted.stderr
    assert {view for _, view, _ in deletions(site)} >= {VIEW}
    near = site.run("sync", "--verify")
    site.configure(destination=below(site.folder / "rclone.conf", verify="download"))
    far = site.run("sync", "--verify")
    assert (near.code, far.code) == (0, 0)
    assert "nothing of it to be downloaded" in near.stderr
    assert re.search(r"1 item to verify, (.+), \1 of it to be downloaded", far.stderr)


def test_a_pass_that_finds_nothing_new_writes_nothing(to_remote: ToRemote, stage: Stage) -> None:
    a_meeting(stage)
    site = to_remote(stage, delete_recordings="never")
    assert site.sync().code == 0
    marker = site.root / ".zoomsync" / "library.json"
    before = (marker.stat().st_mtime_ns, site.library())
    site.clock.advance(hours=1)

    assert site.sync().code == 0
    assert (marker.stat().st_mtime_ns, site.library()) == before


def test_what_a_person_removed_from_the_remote_stays_in_zoom(to_remote: ToRemote, stage: Stage) -> None:
    a_meeting(stage)
    a_meeting(stage, "b", 3)
    site = to_remote(stage)
    assert site.sync().code == 0
    shutil.rmtree(site.item("a"))
    site.clock.advance(days=8)

    told = site.sync().stderr
    again = site.sync("--meeting", site.uuid("a"))

    assert "`sync --meeting WHAT` fetches it again" in told
    assert "delete first" not in told
    assert {name for name, _, _ in deletions(site)} == {"b"}
    assert (again.code, again.counts["updated"]) == (0, 1)
    assert "video.mp4" in site.names("a")


def test_the_remote_of_a_pass_that_may_still_work_is_taken_over_once_that_one_is_over_for_sure(
    to_remote: ToRemote, stage: Stage
) -> None:
    a_meeting(stage)
    site = to_remote(stage, delete_recordings="never")
    assert site.sync().code == 0
    marker, (run,) = site.root / ".zoomsync" / "library.json", site.state().runs
    held = json.loads(marker.read_text()) | {"held_till": (site.clock.now() + LEASE).isoformat()}
    marker.write_text(json.dumps(held))
    lives, afar, died = run.process, replace(run.process, host="elsewhere"), replace(run.process, started="1")

    ended = {}
    for process in (lives, afar, died):
        with State.open(site.folder / "state" / "state.json", new_id="") as state:
            state.record(replace(run, ended_at=None, code=None, process=process))
        ended[process] = site.sync()

    assert [one.code for one in ended.values()] == [4, 4, 0]
    assert "this may go on at 2026-03-10 12:50 UTC" in ended[afar].stderr
    assert "held_till" not in marker.read_text()


def test_a_remote_that_went_away_ends_the_pass_at_its_start(to_remote: ToRemote, stage: Stage) -> None:
    a_meeting(stage)
    site = to_remote(stage)
    assert site.sync().code == 0
    shutil.rmtree(site.root)

    result = site.sync()

    assert result.code == 5
    assert "missing, it should hold library" in result.stderr
    assert site.downloads() == []


def test_what_is_in_the_way_of_one_item_costs_no_other(to_remote: ToRemote, stage: Stage) -> None:
    a_meeting(stage)
    a_meeting(stage, "b", 3)
    site = to_remote(stage, delete_recordings="never")
    year = site.root / "published" / "alice@example.org" / "2026"
    year.mkdir(parents=True)
    (year / f"2026-03-08 09-30 Meeting a [{suffix(site.uuid('a'))}]").write_text("a file where a folder should be")

    result = site.sync()

    assert (result.code, result.counts["published"], result.counts["failed"]) == (1, 1, 1), result.stderr
    assert "video.mp4" in site.names("b")
    assert list(result.reasons("failed")) == [site.uuid("a")]
    assert "may be moved aside" in result.stderr


def test_a_library_moves_to_a_remote_and_back_without_a_fetch(begin: Begin, stage: Stage, tmp_path: Path) -> None:
    a_meeting(stage)
    site = begin(stage.world, **TRASH)
    assert site.sync().code == 0
    (tmp_path / "rclone.conf").write_text(f"[box]\ntype = alias\nremote = {tmp_path / 'moved'}\n")
    shutil.copytree(site.root, tmp_path / "moved", ignore=shutil.ignore_patterns("staging", "changes", "lock"))

    site.configure(destination=below(tmp_path / "rclone.conf"))
    remote, fetched = site.sync("--no-delete"), site.downloads()
    read = site.run("sync", "--verify")
    site.configure(destination={"type": "library", "path": str(tmp_path / "moved")})
    library, again = site.sync("--no-delete"), site.downloads()

    assert (remote.code, read.code, library.code) == (0, 0, 0), remote.stderr
    assert (fetched, again) == ([], [])


def test_of_a_remote_that_is_full_the_first_refusal_ends_what_would_be_fetched_in_vain(
    begin: Begin, stage: Stage, tmp_path: Path
) -> None:
    with shared_rclone(tmp_path) as shared:
        gate = Gate(served(shared, "webdav", tmp_path / "library"))
        remote = on_server(shared, Server(gate.address), "webdav").replace("zoom", "")
        below = {"type": "rclone", "path": None, "remote": remote, "config": str(shared.config)}
        site = begin(stage.world, **TRASH, destination=below, workers=1)
        a_meeting(stage, "old", 3)
        assert site.sync().code == 0
        site.clock.advance(days=8)
        for name in ("a", "b", "c"):
            a_meeting(stage, name, -6)
        gate.replies = {"^PUT ": reply(507)}

        full, fetched = site.sync(), site.downloads()
        gate.replies = {}
        again = site.sync()
        gate.close()

    assert full.code == 5, full.stderr
    assert list(full.reasons("failed")) == [site.uuid("a")], full.stderr
    assert "raise its quota" in full.stderr
    assert {name for name, _, _ in deletions(site)} == {"old"}
    assert not {file.id for name in ("b", "c") for file in stage.world.meetings[site.uuid(name)].files} & {*fetched}
    assert (again.code, again.counts.get("published")) == (0, 3), again.stdout + again.stderr


def test_an_s3_is_checked_filled_and_read_again(begin: Begin, stage: Stage, tmp_path: Path) -> None:
    a_meeting(stage)
    (tmp_path / "weed").mkdir()
    with seaweed(tmp_path / "weed") as s3:
        site = begin(stage.world, **TRASH | {"destination": in_bucket(tmp_path, s3)})
        checked = site.run("auth-check", "--only", "destination")
        users = site.run("users")
        first = site.sync()
        read = site.run("sync", "--verify")
        site.clock.advance(days=8)
        deleted = site.sync()
        status = site.run("status")
        outputs = [one.stdout + one.stderr for one in (checked, users, first, read, deleted, status)]

    assert (checked.code, users.code, first.code, read.code, deleted.code, status.code) == (0,) * 6, outputs
    assert "hashes: its own MD5 proves content" in checked.stdout
    assert "a folder" in users.stdout
    assert {name for name, _, _ in deletions(site)} == {"a"}
    assert not [one for one in outputs if SECRET in one or KEY in one]
    assert "nothing of it to be downloaded" in read.stderr
    assert "others may read it, and it holds credentials" in checked.stdout


def in_bucket(folder: Path, server: Server) -> dict[str, Any]:
    """A config that leads into a new bucket; the secret stands in rclone's config alone."""
    lines = "".join(f"{key} = {value}\n" for key, value in server.as_s3().items())
    (folder / "rclone.conf").write_text(f"[s3]\n{lines}")
    server.make_bucket("archive", folder)
    return {"type": "rclone", "path": None, "remote": "s3:archive/zoom", "config": str(folder / "rclone.conf")}
