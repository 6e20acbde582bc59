"""Download throughput on one loopback server: zoomsync's fetch, curl, and requests in a plain loop."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import requests

from tests.bench.marks import Row
from tests.bench.table import MB, show, side_by_side, speed
from tests.crash.big import Padded
from tests.sandbox.content import Text
from tests.sandbox.server import Sandbox
from tests.sandbox.stage import Stage
from tests.sandbox.world import ACCOUNT
from tests.sandbox.worlds import empty_world
from zoomsync.clock import SystemClock
from zoomsync.http import Http
from zoomsync.model import Meeting, RecordingFile, Secret
from zoomsync.zoom.client import ZoomClient
from zoomsync.zoom.download import Downloads
from zoomsync.zoom.oauth import TokenSource

SIZE = 512 * MB
ROOT = Path(__file__).parents[2]


def serve() -> None:
    """A stand-in Zoom with one big recording, in a process of its own; serves until the end of stdin."""
    now = datetime.now(UTC)
    stage = Stage(empty_world(now), has_media=False)
    stage.meeting("big", "alice", 1, "Big")
    head = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42\x00\x00\x00\x08moov\x00\x00\x00\x08mdat"
    stage.file("big", Padded(Text(head), SIZE), "MP4", "active_speaker", "MP4")
    with Sandbox(stage.world) as sandbox:
        facts = {"url": sandbox.url, "uuid": stage.world.names["big"], "token": sandbox.tokens.mint(),
                 "id": sandbox.client_id, "secret": sandbox.client_secret}  # fmt: skip
        print(json.dumps(facts), flush=True)
        sys.stdin.read()


@contextmanager
def serving() -> Iterator[dict[str, str]]:
    """What `serve` printed, while it serves."""
    argv = [sys.executable, "-c", "from tests.bench.fetching import serve; serve()"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.communicate()


def run(folder: Path) -> Iterator[Row]:
    """Print the table."""
    with serving() as server:
        meeting, downloads = _zoomsync(server)
        file = meeting.files[0]
        acts: dict[str, Callable[[], object]] = {
            "zoomsync fetch (hash, checks, fsync)": lambda: _fetch(downloads, meeting, file, folder / "staging"),
            "requests, a plain loop": lambda: _requests(file.url, server["token"], folder / "requests"),
        }
        if curl := shutil.which("curl"):
            acts["curl"] = lambda: _curl(curl, file.url, server["token"], folder / "curl")
            acts["curl, then sha256sum and sync"] = lambda: _curl_and_hash(
                curl, file.url, server["token"], folder / "curl"
            )
        found = side_by_side(acts)
    rows = [[name, *speed(times, SIZE)] for name, times in found.items()]
    show(f"fetching {SIZE // MB} MB over loopback", ["", "median", "least", "most", "speed"], rows)
    if curl:
        ratio = statistics.median(found["curl"]) / statistics.median(found["zoomsync fetch (hash, checks, fsync)"])
        what = f"one file of {SIZE // MB} MB over a fast connection: speed beside curl"
        yield Row(what=what, before="1", now=ratio, least=0.9, unit="×")


def _zoomsync(server: dict[str, str]) -> tuple[Meeting, Downloads]:
    clock = SystemClock()
    http = Http(name="zoom", clock=clock, rate=None)
    tokens = TokenSource(
        http,
        oauth_url=f"{server['url']}/oauth/token",
        account_id=Secret(lambda: ACCOUNT),
        client_id=Secret(lambda: server["id"]),
        client_secret=Secret(lambda: server["secret"]),
        clock=clock,
    )
    api_url = f"{server['url']}/v2"
    zoom = ZoomClient(http, tokens, api_url=api_url, clock=clock)
    meeting = zoom.meeting(server["uuid"])
    assert meeting is not None
    hosts = ["127.0.0.1"]
    return meeting, Downloads(
        http,
        tokens,
        accepts=zoom.accepts,
        reread=zoom.meeting,
        download_hosts=hosts,
        api_url=api_url,
        clock=clock,
    )


def _fetch(downloads: Downloads, meeting: Meeting, file: RecordingFile, folder: Path) -> None:
    folder.mkdir()
    with ThreadPoolExecutor(8) as pool:
        fetched = pool.submit(downloads.fetch, meeting, file, folder, lambda _: None, idle=pool).result()
    assert fetched.size == SIZE
    shutil.rmtree(folder)


def _requests(url: str, token: str, target: Path) -> None:
    head = {"Authorization": f"Bearer {token}"}
    with requests.get(url, headers=head, stream=True, timeout=60) as answer, target.open("wb") as out:
        for chunk in answer.iter_content(MB):
            out.write(chunk)
    _checked(target)


def _curl(curl: str, url: str, token: str, target: Path) -> None:
    subprocess.run([curl, "-sfL", "-H", f"Authorization: Bearer {token}", "-o", str(target), url], check=True)
    _checked(target)


def _curl_and_hash(curl: str, url: str, token: str, target: Path) -> None:
    subprocess.run([curl, "-sfL", "-H", f"Authorization: Bearer {token}", "-o", str(target), url], check=True)
    subprocess.run(["sha256sum", str(target)], check=True, stdout=subprocess.DEVNULL)
    with target.open("rb") as file:
        os.fsync(file.fileno())
    _checked(target)


def _checked(target: Path) -> None:
    assert target.stat().st_size == SIZE
    target.unlink()
