"""Meetings made by a real scheduler and real workers: the same items, and trouble that stays with whom it concerns."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGTERM
from typing import Any

import yaml

from tests.cluster.conftest import OnCluster
from tests.cluster.machines import Machines, RealClock
from tests.e2e.harness import Site, served, sha256
from tests.e2e.test_failures import retry
from tests.sandbox import faults
from tests.sandbox.faults import Fault
from tests.sandbox.message import Request
from tests.sandbox.stage import Stage
from tests.sandbox.worlds import empty_world, small_world
from zoomsync.naming import suffix


def now() -> datetime:
    """To the second, so that two worlds are of one time."""
    return datetime.now(UTC).replace(microsecond=0)


def videos(*names: str) -> Stage:
    """These meetings of one video that no decoder is needed for, the first one the newest."""
    stage = Stage(empty_world(now()))
    for days, name in enumerate(names, 2):
        stage.meeting(name, "alice", days, f"Meeting {name}")
        stage.video(name)
    return stage


def at_download(site: Site, name: str, act: Any) -> None:
    """Have this done when the first video of a meeting is asked for, before it is answered."""
    (file, *_) = site.world.meetings[site.uuid(name)].files

    def ask(request: Request) -> Request:
        act()
        return request

    site.sandbox.fail(f"/ssrweb/{file.id}", with_=Fault(ask=ask), times=1)


def test_workers_make_whole_items_and_their_log_lines_name_the_meeting(on_cluster: OnCluster) -> None:
    site = on_cluster(small_world(now()))
    (file,) = site.world.meetings[site.uuid("plain")].files
    site.sandbox.fail(f"/ssrweb/{file.id}", with_=faults.page(503), times=1)

    result = site.sync()

    (line,) = [one for one in result.stderr.splitlines() if "HTTP 503" in one]
    assert (result.code, result.counts.get("published"), "“Plain meeting”" in line) == (0, 3, True), result.stderr
    assert sha256(site.item("plain") / "video.mp4") == served(file)
    assert list(site.names("pair")) == ["video.mp4"]
    assert {"video.mp4", "video.vtt", "chat.txt"} < set(site.names("texts"))
    assert not list(site.root.rglob(".cluster-probe-*"))


def test_what_a_killed_worker_was_at_is_made_by_another_one(on_cluster: OnCluster, cluster: Machines) -> None:
    site = on_cluster(videos("a", "b", "c", "d").world)
    at_download(site, "b", lambda: cluster.kill_who_has(suffix(site.uuid("b"))))

    result = site.sync()

    assert (result.code, result.counts.get("published"), len(cluster.workers)) == (0, 4, 2), result.stderr


def test_a_meeting_that_kills_its_workers_is_its_own_failure(on_cluster: OnCluster, cluster: Machines) -> None:
    cluster.allow(failures=0)
    site = on_cluster(videos("a", "b", "c").world, workers=1)
    at_download(site, "b", lambda: cluster.kill_who_has(suffix(site.uuid("b"))))

    result = site.sync()

    assert (result.code, result.counts.get("published")) == (1, 2), result.stderr
    assert "1 worker died while they made it" in result.reasons("failed")[site.uuid("b")]


def test_a_worker_that_is_not_fit_gets_no_orders_and_is_told_at_the_end(
    on_cluster: OnCluster, cluster: Machines, tmp_path: Path
) -> None:
    site = on_cluster(videos("a", "b").world)
    (tmp_path / "other.yaml").write_text(yaml.safe_dump({"zoom": site.sandbox.config()["zoom"] | {"account_id": "b"}}))
    cluster.work("odd", environ={"ZOOMSYNC_CONFIG": str(tmp_path / "other.yaml")})
    cluster.wait()

    result = site.sync()
    cluster.kill("odd")

    assert (result.code, result.counts.get("published")) == (5, 2), result.stderr
    assert "other.yaml: is for another Zoom account" in result.stderr
    assert "hint: set ZOOMSYNC_CONFIG for the worker" in result.stderr


def test_a_pass_that_is_stopped_cancels_what_no_worker_has_begun(on_cluster: OnCluster, cluster: Machines) -> None:
    site, go = on_cluster(videos(*"abcd").world, workers=4), threading.Event()

    def stop(request: Request) -> Request:
        site.clock.stop(SIGTERM)
        go.wait(20)
        return request

    site.sandbox.fail("/ssrweb/", with_=Fault(ask=stop), times=None)

    code = site.sync().code
    site.sandbox.heal()
    go.set()
    cluster.rest()

    assert (code, len(set(site.downloads()))) == (128 + SIGTERM, len(cluster.workers))
    site.clock = RealClock()
    again = site.sync()
    assert (again.code, again.counts["published"]) == (0, 4), again.stderr


def test_a_scheduler_that_dies_ends_the_pass_and_what_was_done_is_written_down(
    on_cluster: OnCluster, cluster: Machines
) -> None:
    site = on_cluster(videos("a", "b", "c").world, workers=1)
    at_download(site, "b", cluster.scheduler.kill)

    result = site.sync()

    assert (result.code, result.counts.get("published")) == (5, 1), result.stderr
    assert "does not answer any more" in result.stderr
    assert retry(site, "b").tries == 0
    refused = site.sync()
    assert (refused.code, "cannot be reached" in refused.stderr) == (5, True)
    site.configure(engine=None)
    alone = site.sync()
    assert (alone.code, alone.counts["published"]) == (0, 2)
