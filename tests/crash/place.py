"""A place where passes run as processes: a stand-in Zoom that can kill them, a config, a library and a state."""

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.crash import dying
from tests.sandbox.message import Answer, Record, Request
from tests.sandbox.server import Sandbox
from tests.sandbox.world import World
from zoomsync.state import State, audit

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Kill:
    """When a pass is killed: when a request comes in, before a step on the disk, or after a while."""

    request: int | None = None
    """Counted from 1, of those that `path` and `method` match."""
    path: str = ""
    method: str = ""
    is_answered: bool = False
    """Whether what was asked for is done before the kill, though its answer is never seen."""
    step: int | None = None
    seconds: float | None = None


NEVER = Kill()


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a pass ended: its exit code, or `-9` for one that was killed."""

    code: int
    said: str = field(repr=False)
    steps: int = 0
    """On the disk; known of passes that were not killed."""
    requests: int = 0
    downloaded: frozenset[str] = frozenset()
    """Ids of the files of which bytes came."""


class Deadly(Sandbox):
    """A stand-in Zoom that calls `strike` when the request comes that `kill` means."""

    def arm(self, kill: Kill, strike: Callable[[], None]) -> None:
        """From now on, requests are counted."""
        self._kill, self._strike, self._left = kill, strike, kill.request or 0

    def respond(self, request: Request, record: Record) -> Answer:
        """As its base."""
        is_last = self._counts(request)
        if is_last and not self._kill.is_answered:
            self._strike()
        answer = super().respond(request, record)
        if is_last and self._kill.is_answered:
            self._strike()
        return answer

    def _counts(self, request: Request) -> bool:
        kill = self._kill
        if kill.request is None or kill.path not in request.path or kill.method not in ("", request.method):
            return False
        with self._lock:
            self._left -= 1
            return self._left == 0


class Place:
    """Runs passes one after the other, and looks at what they leave."""

    def __init__(self, folder: Path, world: World, **config: Any) -> None:
        self.folder = folder
        self.sandbox = Deadly(world)
        self.sandbox.arm(NEVER, lambda: None)
        self.library = folder / "library"
        self.state = folder / "state" / "state.json"
        self.audit = folder / "state" / "audit.jsonl"
        self.config = folder / "config.yaml"
        self._started: list[subprocess.Popen[str]] = []
        self.has_small_ranges = False
        """Whether `sync` fetches what is large by the measure of a test in ranges."""
        folder.mkdir(exist_ok=True)
        self.configure(**config)

    def configure(self, **config: Any) -> None:
        """Write the config; `config` is laid over the sandbox's own."""
        made = self.sandbox.config(**{"min_free_disk": 0, "workers": 2, **config})
        self.config.write_text(yaml.safe_dump(made, allow_unicode=True))
        self.config.chmod(0o600)

    def command(self, *arguments: str) -> "subprocess.Popen[str]":
        """`zoomsync` as one calls it; with the ffmpeg that lies in the place, if one does."""
        environ = {**os.environ, "PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}"}
        argv = [sys.executable, "-m", "zoomsync", "-c", str(self.config), *arguments]
        started = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environ
        )
        self._started.append(started)
        return started

    def end(self) -> None:
        """End what a test that failed left running."""
        for one in self._started:
            if one.poll() is None:
                one.kill()
                one.communicate()

    def sync(self, *arguments: str, kill: Kill = NEVER, strike: Callable[[], None] | None = None) -> Ended:
        """One pass in a process of its own; `strike` comes at the request that `kill` means, instead of a kill."""
        output, before = self.folder / "output", len(self.sandbox.requests)
        steps = Path(f"{output}.steps")
        steps.unlink(missing_ok=True)
        die_before = dying.NEVER if kill.step is None else kill.step
        command, small = ["-c", str(self.config), "sync", *arguments], self.has_small_ranges
        begun = [dying.start(command, output, die_before=die_before, has_small_ranges=small)]
        self.sandbox.arm(kill, strike or (lambda: _kill(begun[0].pid)))
        begun[0].join(PATIENCE_SECONDS if kill.seconds is None else kill.seconds)
        if begun[0].exitcode is None:
            _kill(begun[0].pid)
            begun[0].join()
        self.sandbox.arm(NEVER, lambda: None)
        code = begun[0].exitcode
        begun[0].close()
        news = self.sandbox.requests[before:]
        return Ended(
            code=code if code is not None else -1,
            said=output.read_text() if output.exists() else "",
            steps=int(steps.read_text()) if steps.exists() else 0,
            requests=len(news),
            downloaded=frozenset(one.path.rpartition("/")[2] for one in news if "/ssrweb/" in one.path and one.bytes),
        )

    def items(self) -> dict[str, str]:
        """Every published file: its path and the hash of its bytes; folders end with a slash."""
        tops = [path for top in ("published", "drafts") for path in (self.library / top).rglob("*")]
        return {
            f"{path.relative_to(self.library)}{'/' if path.is_dir() else ''}": _digest(path) for path in sorted(tops)
        }

    def published(self) -> frozenset[str]:
        """Ids of the cloud files that the library holds."""
        documents = [json.loads(path.read_bytes()) for path in self.library.rglob("recording.json") if _is_item(path)]
        return frozenset(one["id"] for document in documents for one in document["receipt"]["cloud"])

    def leftovers(self) -> list[str]:
        """Files that only an unfinished pass needs."""
        own = self.library / ".zoomsync"
        kept = {"library.json", "lock", "inherited.txt"}
        extra = [path for path in own.rglob("*") if path.is_file() and path.name not in kept]
        kept = {self.state.name, "state.db", f"{self.state.name}.lock", "audit.jsonl"}
        extra += [path for path in self.state.parent.iterdir() if path.name not in kept]
        return [str(path.relative_to(self.folder)) for path in extra]

    def unaccounted(self) -> list[str]:
        """Deletions of which the audit does not say how they ended, and those that happened without it."""
        lines = list(audit.read(self.audit))
        begun = {line["intent"]: line["file"] for line in lines if line["event"] == "deleting"}
        ended = [line["intent"] for line in lines if line["event"] in ("answer", "settled")]
        done = [file for _, file, _ in self.sandbox.world.deletions]
        found = [f"{file}: no answer" for intent, file in begun.items() if intent not in ended]
        found += [f"{line}: unreadable" for line in lines if line["event"] == "unreadable"]
        found += [f"{file}: deleted unannounced" for file in done if file not in begun.values()]
        found += [f"{file}: deleted twice" for file in set(done) if done.count(file) > 1]
        vain = [one.path for one in self.sandbox.seen("DELETE") if one.status not in (0, 204)]
        state = State.read(self.state)
        return found + vain + [f"{intent}: open" for intent in (state.intents if state else ())]

    def wait_for_locks(self) -> None:
        """A tool that was just being started when its pass was killed lets go of the locks a moment later."""
        for path in (Path(f"{self.state}.lock"), self.library / ".zoomsync" / "lock"):
            if path.exists():
                with path.open("a") as file:
                    fcntl.flock(file, fcntl.LOCK_EX)

    def working(self) -> list[str]:
        """Commands of the tools that work in this place."""
        return _processes(str(self.folder))

    def orphans(self) -> list[str]:
        """Tools that still work in this place a moment after the pass."""
        limit = time.monotonic() + 20
        while (found := self.working()) and time.monotonic() < limit:
            time.sleep(0.01)
        return found


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Exit code and both outputs of a command; it is gone in any case."""
    try:
        stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
    return process.returncode, stdout, stderr


@contextmanager
def serving(place: Place) -> Iterator[Place]:
    """The place while its Zoom serves."""
    with place.sandbox:
        try:
            yield place
        finally:
            place.end()


def _kill(pid: int | None) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid or 0, signal.SIGKILL)


def _is_item(path: Path) -> bool:
    return ".zoomsync" not in path.parts


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _processes(folder: str) -> list[str]:
    """Commands of processes other than passes that name something in `folder`."""
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            command = one.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found += [command] if f"{folder}/" in command and "ff" in command.split(" ")[0] else []
    return found
