"""A place where zoomsync runs: its config, library and state, the stand-in Zoom that it talks to, and their clock."""

import hashlib
import io
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from tests import documents
from tests.sandbox.server import Sandbox
from tests.sandbox.stage import Stage
from tests.sandbox.world import World, ZoomFile
from tests.sandbox.worlds import empty_world
from zoomsync import cli
from zoomsync.app import Environment
from zoomsync.clock import SystemClock
from zoomsync.model import Entry
from zoomsync.state import State, audit

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
"""When every site begins: names of items do not depend on the day on which a test runs."""
DAY = timedelta(days=1)


class SiteClock(SystemClock):
    """Stands still but for `advance` and for sleepers, who wait a hundredth of a second at most."""

    def __init__(self, now: datetime = NOW) -> None:
        super().__init__()
        self._begin = now
        self._shift = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._begin + timedelta(seconds=self._shift)

    def monotonic(self) -> float:
        return 1000.0 + self._shift

    def sleep(self, seconds: float) -> None:
        self.check()
        time.sleep(min(seconds, 0.01))
        self.slept.append(seconds)
        self._shift += seconds

    def advance(self, **span: float) -> None:
        """Let time pass: `clock.advance(days=8)`."""
        self._shift += timedelta(**span).total_seconds()


@dataclass(frozen=True, kw_only=True)
class Result:
    """How one command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        """What `--json` printed."""
        return json.loads(self.stdout)

    @property
    def counts(self) -> dict[str, int]:
        """What a pass with `--json` counted, zeros left out."""
        counts = self.document["run"]["counts"]
        return {name: count for name, count in counts.items() if count and name not in ("bytes", "due")}

    def reasons(self, action: str = "") -> dict[str, str]:
        """uuid → reason of the rows that `--json` printed."""
        return {row["uuid"]: row["reason"] for row in self.document["rows"] if action in ("", row["action"])}


def run_in(folder: Path, clock: SiteClock, *arguments: str) -> Result:
    """Any command in this process, for the installation in this folder."""
    out, err = io.StringIO(), io.StringIO()
    env = Environment(
        environ=dict(os.environ),
        cwd=folder,
        uid=os.getuid(),
        clock=clock,
        new_id=lambda: os.urandom(16).hex(),
    )
    with redirect_stdout(out), redirect_stderr(err), patch.object(cli, "environment", lambda: env):
        code = cli.run(list(arguments))
    if "--json" in arguments and out.getvalue():
        documents.check(documents.name_of(arguments, found := json.loads(out.getvalue())), found)
    return Result(code=code, stdout=out.getvalue(), stderr=err.getvalue())


class Site:
    """One installation. `overrides` is laid over the sandbox's config."""

    def __init__(self, folder: Path, sandbox: Sandbox, clock: SiteClock, overrides: Mapping[str, Any]) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.world = sandbox.world
        self.clock = clock
        self._overrides: dict[str, Any] = {"zoom": {"rate": 80}, **overrides}
        self.configure()

    def configure(self, **overrides: Any) -> None:
        """Write the config again, with these changes to it."""
        self._overrides |= overrides
        path = self.folder / "config.yaml"
        path.touch(mode=0o600)
        path.write_text(yaml.dump(self.sandbox.config(**self._overrides), Dumper=yaml.CSafeDumper))

    def uuid(self, name: str) -> str:
        """Of a meeting, by the short name that its world gives it."""
        return self.world.names[name]

    def sync(self, *arguments: str) -> Result:
        """One pass with `--json`; the sandbox remembers the requests of this pass alone."""
        return self.run("--json", "sync", *arguments)

    def run(self, *arguments: str) -> Result:
        """Any command, in this process."""
        self.sandbox.forget()
        return run_in(self.folder, self.clock, *arguments)

    @property
    def root(self) -> Path:
        """The library."""
        return self.folder / "library"

    def library(self) -> dict[str, str]:
        """Every file but zoomsync's own: relative path → SHA-256."""
        return {str(path.relative_to(self.root)): sha256(path) for path in self.files()}

    def files(self) -> list[Path]:
        """Every file in the library but zoomsync's own."""
        return sorted(
            path
            for path in self.root.rglob("*")
            if path.is_file() and path.relative_to(self.root).parts[0] != ".zoomsync"
        )

    def leftovers(self) -> list[str]:
        """What lies in staging and in unfinished changes."""
        own = self.root / ".zoomsync"
        return sorted(str(p.relative_to(own)) for p in own.rglob("*") if p.is_file() and p.parent != own)

    def state(self) -> State:
        """As it is on disk."""
        found = State.read(self.folder / "state" / "state.json")
        assert found is not None
        return found

    def entry(self, name: str) -> Entry:
        """What the state remembers of a meeting."""
        return self.state().entries[self.uuid(name)]

    def item(self, name: str) -> Path:
        """The folder of a meeting's one item."""
        ending = f" [{hashlib.sha256(self.uuid(name).encode()).hexdigest()[:8]}]"
        (found,) = [path for path in self.root.rglob("*") if path.name.endswith(ending)]
        return found

    def names(self, name: str) -> list[str]:
        """The files of a meeting's item, `recording.json` left out."""
        item = self.item(name)
        found = (str(path.relative_to(item)) for path in item.rglob("*") if path.is_file())
        return sorted(one for one in found if one != "recording.json")

    def recording(self, name: str) -> Any:
        """What `recording.json` of a meeting's item says."""
        return json.loads((self.item(name) / "recording.json").read_bytes())

    def audit(self) -> list[dict[str, Any]]:
        """Every line of the audit."""
        return list(audit.read(self.folder / "state" / "audit.jsonl"))

    def downloads(self) -> list[str]:
        """Ids of the files that were fetched since the last command began, in order of request."""
        return [one.path.rpartition("/")[2] for one in self.sandbox.seen("GET", "^/rec/download/")]

    def calls(self) -> list[str]:
        """Requests to the API since the last command began: `GET /users?status=inactive`, dates left out."""
        asked = [one for one in self.sandbox.seen() if one.path.startswith(("/v2/", "/oauth/"))]
        return [f"{one.method} {one.path.removeprefix('/v2')}" for one in asked]


def sha256(path: Path) -> str:
    """Of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def served(file: ZoomFile) -> str:
    """SHA-256 of what the sandbox serves for a file."""
    return hashlib.sha256(file.content.read(0, file.content.size)).hexdigest()


def a_stage() -> Stage:
    """A world of Alice, to be filled."""
    return Stage(empty_world(NOW))


@contextmanager
def a_site(folder: Path, world: World, **overrides: Any) -> Iterator[Site]:
    """A site whose sandbox serves until the end of the block, by the site's clock."""
    clock = SiteClock()
    with Sandbox(world, clock=clock.now) as sandbox:
        yield Site(folder, sandbox, clock, overrides)
