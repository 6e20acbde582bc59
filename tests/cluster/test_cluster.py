"""Meetings made by a real scheduler and real workers: the same items, and trouble that stays with whom it concerns."""

import gc
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from signal import SIGKILL, SIGTERM

import pytest
import yaml

from tests.cluster.conftest import OnCluster
from tests.cluster.machines import PATIENCE_SECONDS, Machines, RealClock, a_site_on, machines
from tests.e2e.harness import Site, served, sha256
from tests.e2e.test_failures import retry
from tests.sandbox import faults
from tests.sandbox.faults import Fault
from tests.sandbox.message import Request
from tests.sandbox.stage import Stage
from tests.sandbox.worlds import empty_world, small_world
from zoomsync.cluster import client
from zoomsync.formatting import plural


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


def at_request(site: Site, path: str, act: Callable[[], object], skip: int = 0) -> None:
    """Have this done when Zoom is asked for this path, after so many times, before it answers."""

    def ask(request: Request) -> Request:
        act()
        return request

    site.sandbox.fail(path, with_=Fault(ask=ask), times=1, skip=skip)


def at_download(site: Site, name: str, act: Callable[[], object]) -> None:
    """Likewise when the first video of a meeting is downloaded."""
    at_request(site, f"/ssrweb/{site.world.meetings[site.uuid(name)].files[0].id}", act)


def test_workers_make_whole_items_and_their_log_lines_name_the_meeting(on_cluster: OnCluster) -> None:
    site = on_cluster(small_world(now()))
    (file,) = site.world.meetings[site.uuid("plain")].files
    site.sandbox.fail(f"/ssrweb/{file.id}", with_=faults.page(503), times=1)

    result = site.sync()

    (line,) = [one for one in result.stderr.splitlines() if "HTTP 503" in one]
    assert (result.code, result.counts.get("published"), "“Plain meeting”" in line) == (0, 3, True), result.stderr
    assert sha256(site.item("plain") / "video.mp4") == served(file)
    sent = [one.path.startswith(("/v2/", "/oauth/")) for one in site.sandbox.seen()]
    run = result.document["run"]["counts"]
    assert (run["calls"], run["downloads"]) == (sum(sent), len(sent) - sum(sent))
    assert list(site.names("pair")) == ["video.mp4"]
    assert {"video.mp4", "video.vtt", "chat.txt"} < set(site.names("texts"))
    assert not list(site.root.rglob(".cluster-probe-*"))


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(3, 60))])
def test_whoever_is_killed_and_whenever_the_library_becomes_the_same(
    on_cluster: OnCluster, cluster: Machines, tmp_path: Path, seed: int
) -> None:
    """A worker is killed, or with an even seed the pass: then the next one begins while workers are still at it."""
    cluster.refill(2)
    random = Random(seed)
    site = on_cluster(videos("a", "b", "c").world)
    when = random.choice(["/v2/meetings/", "/rec/download/", "/ssrweb/"])
    at_request(site, when, lambda: cluster.kill_a_busy_one(random) if seed % 2 else running.kill(), random.randrange(3))
    argv = [sys.executable, "-m", "zoomsync", "-q", "-c", str(tmp_path / "config.yaml"), "sync"]

    with subprocess.Popen(argv, stderr=subprocess.PIPE) as running:
        _, said = running.communicate(timeout=PATIENCE_SECONDS)
    again = site.sync()

    assert (running.returncode, again.code) == (0 if seed % 2 else -SIGKILL, 0), said.decode() + again.stderr
    for name in "abc":
        (file,) = site.world.meetings[site.uuid(name)].files
        assert sha256(site.item(name) / "video.mp4") == served(file)
    assert site.leftovers() == []


def test_a_meeting_that_kills_its_workers_is_its_own_failure(on_cluster: OnCluster, cluster: Machines) -> None:
    cluster.refill(2)
    site = on_cluster(videos("a", "b", "c").world, workers=1)
    cluster.allow(failures=0)
    at_download(site, "b", lambda: cluster.kill_a_busy_one(Random(0), site.uuid("b")))

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

    result, check = site.sync(), site.run("auth-check", "--only", "local")
    cluster.kill("odd")

    assert (result.code, result.counts.get("published")) == (5, 2), result.stderr
    assert (check.code, f"{plural(len(cluster.workers), 'worker')} of this version" in check.stdout) == (5, True)
    assert "other.yaml: is for another Zoom account" in result.stderr
    assert "hint: set ZOOMSYNC_CONFIG for the worker" in result.stderr


@pytest.mark.soak
def test_a_worker_that_begins_anew_gets_the_orders_that_only_the_dead_one_might_have(
    on_cluster: OnCluster, cluster: Machines, tmp_path: Path
) -> None:
    site = on_cluster(videos("a", "b").world, workers=1)
    (tmp_path / "other.yaml").write_text("zoom: {}")
    cluster.work("odd", environ={"ZOOMSYNC_CONFIG": str(tmp_path / "other.yaml")})
    cluster.refill(2)

    def replace_all() -> None:
        cluster.kill(*(name for name in cluster.workers if name != "odd"))
        cluster.work("anew")

    at_download(site, "b", replace_all)

    result = site.sync()
    cluster.kill("odd")

    assert (result.code, result.counts.get("published")) == (5, 2), result.stderr


@pytest.mark.soak
def test_a_scheduler_without_zoomsync_is_told_before_anything_is_begun(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    blocked = "import sys; sys.modules['zoomsync'] = None"
    with (
        machines(tmp_path / "cluster", "first", before=blocked) as cluster,
        a_site_on(cluster, tmp_path, videos("a").world) as site,
    ):
        result = site.sync()

    assert (result.code, result.document["run"]["why"].partition(": zoomsync cannot be imported")[1] != "") == (5, True)


@pytest.mark.soak
def test_without_any_worker_the_pass_ends_after_a_minute(
    on_cluster: OnCluster, cluster: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "WITHOUT_WORKERS", 1)
    site = on_cluster(videos("a", "b").world, workers=1)
    at_download(site, "b", lambda: cluster.kill(*cluster.workers))

    result = site.sync()

    assert (result.code, result.counts.get("published")) == (5, 1), result.stderr
    assert "has no workers any more" in result.stderr


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


# of an attempt to connect that takes too long distributed leaves the socket to the garbage collector
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
def test_a_scheduler_that_dies_ends_the_pass_and_what_was_done_is_written_down(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "CONNECT_SECONDS", 1)
    world = videos("a", "b", "c").world
    with machines(tmp_path_factory.mktemp("mortal"), "only") as its_own:
        its_own.wait()
        with a_site_on(its_own, tmp_path, world, workers=1) as site:
            at_download(site, "b", its_own.scheduler.kill)

            result, after = site.sync(), retry(site, "b")
            refused = site.sync()
            site.configure(engine=None)
            alone = site.sync()
    gc.collect()

    assert (result.code, result.counts.get("published")) == (5, 1), result.stderr
    assert "does not answer any more" in result.stderr
    assert after.tries == 0
    assert (refused.code, "cannot be reached" in refused.stderr) == (5, True)
    assert (alone.code, alone.counts["published"]) == (0, 2)
