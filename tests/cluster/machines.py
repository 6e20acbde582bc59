"""A scheduler and workers as processes of this machine, which know each other by certificates made for them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import yaml

from tests.e2e.harness import Site, SiteClock
from tests.sandbox.server import Sandbox
from tests.sandbox.world import World
from zoomsync.clock import SystemClock
from zoomsync.naming import suffix

if TYPE_CHECKING:
    import distributed

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0
EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]


class RealClock(SiteClock):
    """The real one: workers have no other."""

    def __init__(self) -> None:
        super().__init__(datetime.now(UTC))

    now = SystemClock.now
    monotonic = SystemClock.monotonic
    sleep = SystemClock.sleep


class Machines:
    """A cluster; its workers have the config that lies in `config` when a pass asks them."""

    def __init__(self, folder: Path, before: str = "") -> None:
        """`before` is a statement that makes another scheduler of it."""
        self.folder = folder
        self.config = folder / "worker.yaml"
        self.tls = {"ca": str(folder / "ca.pem"), "cert": str(folder / "cert.pem"), "key": str(folder / "key.pem")}
        self._numbers = count(1)
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        """By name."""
        self._certificates()
        at = folder / "scheduler.json"
        self.scheduler = self._start(
            "scheduler",
            "--scheduler-file",
            str(at),
            "--protocol",
            "tls",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            before=before,
        )
        _until(lambda: at.exists() and bool(at.read_text()), self.scheduler)
        self.address: str = json.loads(at.read_text())["address"]

    @property
    def engine(self) -> dict[str, Any]:
        """What a config says of it."""
        return {"type": "dask", "scheduler": self.address, "tls": self.tls}

    def work(self, *names: str, environ: Mapping[str, str] | None = None, before: str = "") -> None:
        """Start workers; `environ` and a statement to run `before` make others of them."""
        for name in names:
            options = ["--name", name, "--no-nanny", "--nthreads", "1", "--memory-limit", "0", "--host", "127.0.0.1"]
            argv = [self.address, *options, "--local-directory", str(self.folder / name), "--death-timeout", "60"]
            self.workers[name] = self._start("worker", *argv, environ=environ, before=before)

    def wait(self) -> None:
        """Return when all workers that were started are there."""
        with self._client() as client:
            client.wait_for_workers(len(self.workers), timeout=PATIENCE_SECONDS)

    def kill(self, *names: str) -> None:
        """Kill workers in mid-work."""
        for process in [self.workers.pop(name) for name in names]:
            process.kill()
            process.wait()

    def kill_a_busy_one(self, random: Random, uuid: str = "") -> None:
        """Kill a worker that works on this meeting, or on any."""
        self.kill(random.choice([name for name in self.workers if self._at_work(name, uuid)]))

    def _at_work(self, name: str, uuid: str = "") -> bool:
        """Whether a worker has the lock of a meeting in staging."""
        links = (one.readlink() for one in Path(f"/proc/{self.workers[name].pid}/fd").iterdir())
        return any(f"/staging/{suffix(uuid) if uuid else ''}" in str(link) for link in links)

    def refill(self, size: int) -> None:
        """Have at least so many workers, and a scheduler that gives an order to four of them."""
        self.work(*(f"more-{next(self._numbers)}" for _ in range(size - len(self.workers))))
        self.allow(failures=3)
        self.wait()

    def allow(self, *, failures: int) -> None:
        """So many workers may die of one order before it fails."""

        def set_it(dask_scheduler: Any) -> None:
            dask_scheduler.allowed_failures = failures

        with self._client() as client:
            client.run_on_scheduler(set_it)

    def rest(self) -> None:
        """Return when no worker has anything to do."""
        with self._client() as client:
            _until(lambda: not any(client.processing().values()), self.scheduler)

    def _client(self) -> "distributed.Client":
        import distributed

        security = distributed.Security(
            tls_ca_file=self.tls["ca"], tls_client_cert=self.tls["cert"], tls_client_key=self.tls["key"]
        )
        return distributed.Client(self.address, security=security, set_as_default=False)

    def end(self) -> None:
        """End all of it."""
        for process in (*self.workers.values(), self.scheduler):
            process.kill()
            process.wait()

    def _start(
        self, kind: str, *arguments: str, environ: Mapping[str, str] | None = None, before: str = ""
    ) -> "subprocess.Popen[bytes]":
        files = {"--tls-ca-file": self.tls["ca"], "--tls-cert": self.tls["cert"], "--tls-key": self.tls["key"]}
        options = [*arguments, *(part for pair in files.items() for part in pair), "--no-dashboard"]
        code = f"{before}\nfrom distributed.cli.dask_{kind} import main; main()"
        quiet = {"DASK_TEMPORARY_DIRECTORY": str(self.folder)}
        quiet |= {"DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"}  # it looks a hundred times a second
        env = {**os.environ, **quiet, "ZOOMSYNC_CONFIG": str(self.config), "PYTHONPATH": str(ROOT), **(environ or {})}
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-c", code, *options], stdout=log, stderr=log, env=env, cwd=self.folder
            )

    def _certificates(self) -> None:
        """As the manual makes them."""
        ca, key, request = self.folder / "ca.key", self.tls["key"], self.folder / "cert.csr"
        _openssl("req", "-x509", *EC, "-subj", "/CN=cluster", "-keyout", str(ca), "-out", self.tls["ca"])
        _openssl("req", *EC[:-2], "-subj", "/CN=machine", "-keyout", key, "-out", str(request))
        signed = ["-CA", self.tls["ca"], "-CAkey", str(ca), "-CAcreateserial", "-days", "2"]
        _openssl("x509", "-req", "-in", str(request), *signed, "-out", self.tls["cert"])


@contextmanager
def machines(folder: Path, *names: str, before: str = "") -> Iterator[Machines]:
    """A cluster with these workers until the end of the block."""
    found = Machines(folder, before)
    try:
        found.work(*names)
        yield found
    finally:
        found.end()


@contextmanager
def a_site_on(cluster: Machines, folder: Path, world: World, **overrides: Any) -> Iterator[Site]:
    """A site whose meetings are made by this cluster."""
    clock = RealClock()
    with Sandbox(world, clock=clock.now) as sandbox:
        site = Site(folder, sandbox, clock, {"engine": cluster.engine, "recordings": {"settle": "0s"}, **overrides})
        cluster.config.touch(mode=0o600)
        cluster.config.write_text(yaml.safe_dump({"zoom": sandbox.config()["zoom"]}))
        yield site


def _until(is_so: Any, process: "subprocess.Popen[bytes]") -> None:
    limit = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert process.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.02)


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
