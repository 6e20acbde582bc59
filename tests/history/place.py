"""A place where passes run in this process: a disk that can fail, a Zoom without sockets, tools that are quick."""

import io
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from tests.e2e.harness import NOW, Result
from tests.history.cloud import Cloud
from tests.history.database import Databases
from tests.history.disk import Disk, Gone, Strike
from tests.late_files import TOOLS
from tests.sandbox.config import laid_over
from tests.sandbox.message import Answer, Request
from tests.sandbox.worlds import empty_world
from zoomsync import cli
from zoomsync.app import Environment
from zoomsync.clock import SystemClock
from zoomsync.config import Config
from zoomsync.errors import Unjoinable
from zoomsync.media.ffmpeg import Tools
from zoomsync.media.stitch import Stitched
from zoomsync.state import State, audit

DEFAULTS: dict[str, Any] = {
    "destination": {"path": "./disk/library"},
    "state": "./disk/state/state.json",
    "audit": "./disk/audit/audit.jsonl",
    "workers": 1,
    "min_free_disk": 0,
}


class TurnedClock(SystemClock):
    """Goes on only when somebody sleeps or turns it; the wall clock may also be turned back."""

    def __init__(self) -> None:
        super().__init__()
        self.wall = NOW
        self._passed = 1000.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self._passed

    def sleep(self, seconds: float) -> None:
        self.check()
        self.advance(seconds=seconds)

    def advance(self, **span: float) -> None:
        """Let time pass."""
        step = timedelta(**span)
        self.wall += step
        self._passed += step.total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings(Environment):
    """What the command line is given: a config is read once."""

    read: dict[str, Config] = field(default_factory=dict)

    def config(self, named: Path | None) -> Config:
        """As its base."""
        if not self.read:
            self.read["config"] = Environment.config(self, named)
        return self.read["config"]


class AtOnce(Executor):
    """Does a job when it is given, in the thread that gives it, so that a history is the same each time."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """As a pool of any size."""

    def submit(self, job: Any, /, *arguments: Any, **options: Any) -> "Future[Any]":
        """A future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(job(*arguments, **options))
        except Exception as error:  # noqa: BLE001  # what an executor does
            future.set_exception(error)
        return future

    def shutdown(self, *_: Any, **__: Any) -> None:
        """Nothing is open."""


def joined(_: Tools, inputs: Sequence[Path], target: Path, **_options: Any) -> Stitched:
    """Stitching as far as bytes go: a copy contains its segments, an encoded video (`~`) only shows them."""
    data = [path.read_bytes() for path in inputs]
    if any(b"!" in one for one in data):
        raise Unjoinable(f"{target.name}: the segments do not agree")
    is_encoded = any(b"~" in one for one in data)
    target.write_bytes(re.sub(rb"<([^<>]*)>", rb"(\1)", b"".join(data)) if is_encoded else b"".join(data))
    return Stitched(path=target, durations=(60.0,) * len(inputs), reencoded=is_encoded)


class Place:
    """One installation and the account that it fetches from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = TurnedClock()
        self.cloud = Cloud(empty_world(NOW), clock=self.clock.now)
        self.disk = Disk(folder / "disk")
        self.databases = Databases(self.disk)
        self.disk.root.mkdir()
        self.downloads = 0
        """Of the last pass."""
        self.cuts = 0
        """How many of the next downloads break off in the middle."""
        self.watch: Callable[[Request], None] = lambda _: None
        """Called with each request before it is answered."""
        self._ids = count(1)
        self._read: dict[str, Config] = {}
        self.settings: dict[str, Any] = DEFAULTS
        self.configure()

    @property
    def world(self) -> Any:
        """What is in the cloud."""
        return self.cloud.world

    @property
    def library(self) -> Path:
        """Where items go."""
        return self.disk.root / "library"

    def configure(self, **changes: Any) -> None:
        """Write the config again, with these changes to it."""
        self.settings = laid_over(self.settings, changes)
        path = self.folder / "config.yaml"
        path.touch(mode=0o600)
        self._read.clear()
        path.write_text(yaml.dump(self.cloud.config_of(**self.settings), Dumper=yaml.CSafeDumper))

    def sync(self, *arguments: str, strike: Strike | None = None) -> Result:
        """One pass; its code is -9 if it came to no end."""
        self.downloads = 0
        self.disk.strike = strike
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), self.databases.watched(), self.disk.watched():
            try:
                code = cli.run(["sync", *arguments])
            except Gone:
                code = -9
        return Result(code=code, stdout=out.getvalue(), stderr=err.getvalue())

    def environment(self) -> Environment:
        """What the command line is given."""
        return Surroundings(
            read=self._read,
            environ={},
            cwd=self.folder,
            uid=os.getuid(),
            clock=self.clock,
            new_id=lambda: f"{next(self._ids):032x}",
        )

    def around(self, request: Request, answered: Callable[[], Answer]) -> Answer:
        """A request is a step of its own, and so is its answer."""
        self._connected()
        self.watch(request)
        self.downloads += request.path.startswith("/rec/download/")
        answer = answered()
        self._connected()
        if self.cuts and request.path.startswith("/ssrweb/"):
            self.cuts -= 1
            return replace(answer, stop_after=answer.content.size // 2)
        return answer

    def _connected(self) -> None:
        try:
            self.disk.step("request")
        except OSError as error:
            raise ConnectionResetError(*error.args) from error

    def state(self) -> State | None:
        """As it is on disk."""
        return State.read(self.disk.root / "state" / "state.json")

    def audit(self) -> list[dict[str, Any]]:
        """Every line of the audit."""
        return list(audit.read(self.disk.root / "audit" / "audit.jsonl"))

    def back_up(self) -> None:
        """Copy state and library."""
        for what in ("state", "library"):
            shutil.rmtree(self.folder / what, ignore_errors=True)
            shutil.copytree(self.disk.root / what, self.folder / what)

    def restore(self, *parts: str) -> None:
        """Put the copies back."""
        for what in parts:
            shutil.rmtree(self.disk.root / what)
            shutil.copytree(self.folder / what, self.disk.root / what)

    def forget(self) -> None:
        """Move the state away, as the README says before another one begins."""
        state = self.disk.root / "state"
        shutil.rmtree(self.folder / "before", ignore_errors=True)
        state.rename(self.folder / "before")


@contextmanager
def a_place(folder: Path) -> Iterator[Place]:
    """A place in which `zoomsync` can run until the end of the block."""
    place = Place(folder)
    place.cloud.around = place.around
    with ExitStack() as patches:
        for name, ours in {
            "zoomsync.http.connection.Adapter": lambda **_: place.cloud,
            "zoomsync.commands.sync.ThreadPoolExecutor": AtOnce,
            "zoomsync.app.expect_tools": lambda **_: None,
            "zoomsync.media.ffmpeg.find_tools": lambda **_: TOOLS,
            "zoomsync.item.order.inspect": lambda *_: None,
            "zoomsync.item.fetch.inspect": lambda *_: None,
            "zoomsync.media.stitch.stitch": joined,
        }.items():
            patches.enter_context(patch(name, ours))
        patches.enter_context(patch.dict(os.environ, clear=True))  # requests looks at all of it for each request
        patches.enter_context(patch.object(cli, "environment", place.environment))
        yield place
