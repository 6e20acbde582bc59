"""The connection to a cluster: its scheduler, and which of its workers are fit for this pass."""

import asyncio
import logging
import secrets
import ssl
import threading
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoomsync.cluster import worker
from zoomsync.cluster.terms import PROBE, SAME, SHARE, Terms, account_of, version
from zoomsync.config import Config, TlsSettings
from zoomsync.errors import ConfigError, Unfit
from zoomsync.files import STAGING_ITSELF, fact, read_file, write
from zoomsync.formatting import escaped, moment, plural
from zoomsync.model import Clock
from zoomsync.sync.accounts import SKEW

if TYPE_CHECKING:
    from distributed import Client, Security

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5
INSPECT_SECONDS = 30.0
"""How long a worker may take to say that it is fit."""
WITHOUT_WORKERS = 60.0
"""Seconds for which a meeting waits for a worker if there is none any more: one that begins anew takes a few."""
LOOK_EVERY = 2.0
INSTALL = "`pip install distributed` beside zoomsync, here and on every worker"


class Cluster:
    """A scheduler and its workers, as a pass sees them. Shared by all threads; nothing is sent before `connect`."""

    def __init__(self, config: Config, staging: Path, clock: Clock, *, is_look: bool = False) -> None:
        """With `is_look` no orders follow, and what workers do for a pass goes on."""
        self._is_look = is_look
        self._config = config
        self._staging = staging
        self._clock = clock
        self._pass_id = secrets.token_hex(8)
        self._client: Client | None = None
        self._looking = threading.Lock()
        self._looked_at, self._fit_at = clock.monotonic() - LOOK_EVERY, clock.monotonic()
        self.workers: frozenset[str] = frozenset()
        """Their addresses, as of the last look."""
        self.refused: dict[str, Unfit] = {}
        """Workers that are not fit, by address: they get no orders."""

    def connect(self, heard: Callable[[Mapping[str, Any]], None] = lambda _: None) -> None:
        """Reach the scheduler; `heard` is called with each event of a worker. Raises `ConfigError` and `Unfit`."""
        require_dask()
        import distributed

        engine = self._config.engine
        for name in ("distributed", "distributed.client", "tornado.application"):  # a pass says what concerns it
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        security = _security(engine.tls)
        try:
            asyncio.run(_shake_hands(engine.scheduler, security))
            with warnings.catch_warnings():  # of versions: those that matter are compared, and told in one line
                warnings.simplefilter("ignore", distributed.versions.VersionMismatchWarning)
                self._client = distributed.Client(
                    engine.scheduler, security=security, timeout=CONNECT_SECONDS, set_as_default=False
                )
        except (OSError, ValueError, MemoryError) as error:  # MemoryError: what speaks HTTP announces petabytes
            raise self.lost("TLS failed" if _is_of_tls(error) else "cannot be reached") from error
        self._require_same_version()
        self._client.subscribe_topic(worker.topic_of(self._pass_id), lambda event: heard(event[1]))
        self._look()
        if not self.workers:
            raise Unfit(f"{engine.scheduler}: has no workers", hint="start some with `dask worker`", service="cluster")

    def _require_same_version(self) -> None:
        """Raise `Unfit` unless the scheduler, too, has this version."""
        scheduler = self._config.engine.scheduler
        try:
            there = self._connected.run_on_scheduler(version)
        except (ImportError, AttributeError) as missing:
            fact = f"{scheduler}: zoomsync cannot be imported there: {missing}"
            raise Unfit(fact, hint=SAME, service="cluster") from missing
        except OSError as error:
            raise self.lost("does not answer any more") from error
        if there != version():
            fact = f"{scheduler}: runs zoomsync {there}, and the pass {version()}"
            raise Unfit(fact, hint=SAME, service="cluster")

    def close(self) -> None:
        """End the connection; what no worker has begun is cancelled by that."""
        if self._client is not None:
            self._client.close(timeout=CONNECT_SECONDS)
            ours = f"{PROBE}{self._pass_id}*" if self._is_look else f"{PROBE}*"  # a pass removes a killed one's, too
            with suppress(OSError):
                for probe in self._staging.glob(ours):
                    probe.unlink()

    @property
    def is_connected(self) -> bool:
        """Whether `connect` has reached the scheduler."""
        return self._client is not None

    def lost(self, fact: str) -> Unfit:
        """The error for a scheduler that is not there (any more)."""
        hint = "look whether it runs, and at engine.scheduler and engine.tls; `zoomsync auth-check` tries it"
        return Unfit(f"{self._config.engine.scheduler}: {fact}", hint=hint, service="cluster")

    def submit(self, order: bytes) -> tuple[Future[dict[str, Any]], frozenset[str]]:
        """Give an order to workers that are fit; its future, and which ones may have it (empty: any).

        Raises `Unfit` once there has been none for a while.
        """
        while not (fit := self.fit()):
            self._clock.sleep(LOOK_EVERY)
        placed = {"workers": sorted(fit)} if self.refused else {}
        executor = self._connected.get_executor(pure=False)
        return executor.submit(worker.carry_out, self.terms, order, **placed), fit if placed else frozenset()

    def fit(self) -> frozenset[str]:
        """The workers that get orders now. Raises `Unfit` once there has been none for a while."""
        self._look()
        fit, now = self.workers - set(self.refused), self._clock.monotonic()
        if fit:
            self._fit_at = now
        elif now > self._fit_at + WITHOUT_WORKERS:
            raise self.problem or self.lost("has no workers any more")
        return fit

    @property
    def problem(self) -> Unfit | None:
        """What is wrong with one of the workers that get no orders."""
        return next(iter(self.refused.values()), None)

    def refuse(self, address: str, error: Unfit) -> None:
        """This worker gets no orders any more."""
        if address not in self.refused:
            self.refused[address] = error
            log.error("%s; hint: %s", error, error.hint)

    @property
    def terms(self) -> Terms:
        """What they may take is divided among the workers that there are now."""
        config, count = self._config, max(1, len(self.workers))
        return {
            "version": version(),
            "account": account_of(config),
            "staging": str(self._staging),
            "pass_id": self._pass_id,
            "is_look": self._is_look,
            "rate": (config.zoom.rate - config.own_rate) / count,
            "bandwidth": config.bandwidth and max(1, config.bandwidth // count),
            "connections": max(1, config.connections // count),
            "min_free": config.min_free_disk,
            "level": logging.getLogger("zoomsync").getEffectiveLevel(),
        }

    def inspect(self) -> None:
        """Look at all workers at the same time; those that are not fit are `refused`, and said."""
        with STAGING_ITSELF.explained(self._staging):
            write(self._staging / f"{PROBE}{self._pass_id}", self._pass_id.encode())
        client, terms = self._connected, self.terms

        async def ask(address: str) -> Any:
            answer: Any = client.run(worker.inspect, terms, workers=[address], on_error="return")  # awaited in its loop
            return (await asyncio.wait_for(answer, INSPECT_SECONDS))[address]

        async def ask_all() -> list[Any]:
            return await asyncio.gather(*map(ask, workers), return_exceptions=True)

        workers = sorted(self.workers)
        for address, answer in zip(workers, client.sync(ask_all), strict=True):
            if (error := self._problem(address, answer)) is not None:
                self.refuse(address, error)

    def _problem(self, address: str, answer: Any) -> Unfit | None:
        """What is wrong with a worker, by its answer to `inspect` or by what came instead."""
        if isinstance(answer, TimeoutError):
            return refusal(address, f"no answer within {INSPECT_SECONDS:g} s", "look at its log")
        if isinstance(answer, ImportError):
            return refusal(address, f"zoomsync cannot be imported: {answer}", INSTALL)
        if not isinstance(answer, dict):
            return refusal(address, f"cannot be asked: {type(answer).__name__}", "look at its log")
        if "refusal" in answer:
            return refusal(address, *answer["refusal"])
        try:
            is_shared = read_file(Path(answer["probe"])) == self._pass_id.encode()
        except OSError:
            is_shared = False
        if not is_shared:
            return refusal(address, f"what it writes to {self._staging} is not seen here", SHARE)
        now, there = self._clock.now(), datetime.fromisoformat(answer["now"])
        if abs(now - there) > SKEW:
            fact = f"its clock says {moment(there)}, that of this machine {moment(now)}"
            return refusal(address, fact, "set the clocks (timedatectl set-ntp true)")
        return None

    @property
    def _connected(self) -> "Client":
        if self._client is None:
            raise TypeError("`connect` comes first")
        return self._client

    def _look(self) -> None:
        """See which workers there are, now and then. Raises `Unfit` if the scheduler does not say."""
        with self._looking:
            if self._clock.monotonic() < self._looked_at + LOOK_EVERY:
                return
            try:
                self.workers = frozenset(self._connected.nthreads())
            except OSError as error:
                raise self.lost("does not answer any more") from error
            self._looked_at = self._clock.monotonic()


def survey(config: Config, staging: Path, clock: Clock) -> tuple[str, list[Unfit]]:
    """Look at a cluster as a pass would: in words which workers are fit, if any is; and what is wrong with the others.

    Raises `ConfigError` and `Unfit` if the scheduler cannot be reached.
    """
    cluster = Cluster(config, staging, clock, is_look=True)
    try:
        cluster.connect()
        cluster.inspect()
    finally:
        cluster.close()
    fit = len(cluster.workers) - len(cluster.refused)
    words = f"{config.engine.scheduler}: {plural(fit, 'worker')} of this version and account, with ffmpeg and staging"
    return words if fit else "", [*cluster.refused.values()]


def require_dask() -> None:
    """Raise `ConfigError` unless the extra is installed."""
    if find_spec("distributed") is None:
        raise ConfigError("engine: dask is not installed", hint=INSTALL)


def refusal(address: str, fact: str, hint: str) -> Unfit:
    """The error for a worker that cannot work for this pass: a machine is not fit, which concerns no meeting."""
    return Unfit(f"worker {escaped(address)}: {escaped(fact)}", hint=hint, service="cluster")


def _security(tls: TlsSettings) -> "Security | None":
    """The certificates; None: loopback without them. Raises `ConfigError` if one cannot be read."""
    from distributed import Security

    files = {"ca": tls.ca, "cert": tls.cert, "key": tls.key}
    for key, path in files.items():
        if path is None:
            return None
        try:
            read_file(path, follow=True)
        except OSError as cause:
            hint = "make it readable for this user"
            raise ConfigError(f"engine.tls.{key}: {path}: {fact(cause)}", hint=hint) from cause
    return Security(
        require_encryption=True,
        tls_ca_file=str(tls.ca),
        tls_client_cert=str(tls.cert),
        tls_client_key=str(tls.key),
    )


async def _shake_hands(address: str | None, security: "Security | None") -> None:
    """Return if a scheduler answers. Dask's client alone would wait for ever for what accepts and never speaks."""
    from distributed.comm.core import connect

    known = security.get_connection_args("client") if security is not None else {}
    comm = await asyncio.wait_for(connect(address, timeout=CONNECT_SECONDS, **known), CONNECT_SECONDS)
    await comm.close()


def _is_of_tls(error: BaseException | None) -> bool:
    """Whether TLS is what failed."""
    return error is not None and (isinstance(error, ssl.SSLError) or _is_of_tls(error.__cause__ or error.__context__))
