"""Download throughput over loopback: zoomsync's fetch, curl, and requests in a plain loop.

The bytes come from a process that has the kernel send them from its cache, so that it takes next to nothing of the
processors. All write to the same disk.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import requests

from tests.bench.marks import Row
from tests.bench.table import IS_QUICK, MB, show, side_by_side, speed
from tests.crash.big import Padded
from tests.sandbox import faults
from tests.sandbox.content import Text
from tests.sandbox.downloads import byte_range
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

SIZE = (64 if IS_QUICK else 1024) * MB
RUNS = 5
HEAD = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42\x00\x00\x00\x08moov\x00\x00\x00\x08mdat"
ROOT = Path(__file__).parents[2]


class _Storage(BaseHTTPRequestHandler):
    """Where the address of the recording leads to."""

    protocol_version = "HTTP/1.1"
    path_served: ClassVar[Path]

    def handle(self) -> None:
        with suppress(ConnectionError):  # who asked may have enough
            super().handle()

    def do_GET(self) -> None:
        span = byte_range(self.headers.get("Range", ""), SIZE)
        start, stop = span or (0, SIZE)
        self.send_response(206 if span else 200)
        for name, value in {"ETag": '"1"', "Accept-Ranges": "bytes", "Content-Length": str(stop - start)}.items():
            self.send_header(name, value)
        if span:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{SIZE}")
        self.end_headers()
        with self.path_served.open("rb") as file:
            self.connection.sendfile(file, start, stop - start)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def serve(folder: str) -> None:
    """A stand-in Zoom with one big recording, in a process of its own; serves until the end of stdin."""
    _Storage.path_served = Path(folder) / "recording"
    with _Storage.path_served.open("wb+") as file:
        file.write(HEAD)
        file.truncate(SIZE)
        file.seek(0)
        while file.read(MB):  # so that the cache has it
            pass
    stage = Stage(empty_world(datetime.now(UTC)), has_media=False)
    stage.meeting("big", "alice", 1, "Big")
    stage.file("big", Padded(Text(HEAD), SIZE), "MP4", "active_speaker", "MP4")
    with Sandbox(stage.world) as sandbox, ThreadingHTTPServer(("127.0.0.1", 0), _Storage) as storage:
        Thread(target=storage.serve_forever, daemon=True).start()
        there = faults.headers(location=f"http://127.0.0.1:{storage.server_address[1]}/")
        sandbox.fail("/rec/download/", with_=there, times=None)
        facts = {"url": sandbox.url, "uuid": stage.world.names["big"], "token": sandbox.tokens.mint(),
                 "id": sandbox.client_id, "secret": sandbox.client_secret}  # fmt: skip
        print(json.dumps(facts), flush=True)
        sys.stdin.read()
        storage.shutdown()


@contextmanager
def serving(folder: Path) -> Iterator[dict[str, str]]:
    """What `serve` printed, while it serves."""
    argv = [sys.executable, "-c", f"from tests.bench.fetching import serve; serve({str(folder)!r})"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.communicate()


def run(folder: Path) -> Iterator[Row]:
    """Print the table."""
    with serving(folder) as server:
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
        found = side_by_side(acts, runs=RUNS)
    rows = [[name, *speed(times, SIZE)] for name, times in found.items()]
    show(f"fetching {SIZE // MB} MB over loopback", ["", "median", "least", "most", "speed"], rows)
    if curl:
        pairs = zip(found["curl"], found["zoomsync fetch (hash, checks, fsync)"], strict=True)
        ratio = statistics.median(curls / ours for curls, ours in pairs)
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
