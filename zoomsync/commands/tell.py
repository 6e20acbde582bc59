"""Tells others how a pass went: a ping, messages, numbers in a file. None of it fails a pass, or holds it up long."""

import logging
import os
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, Any

from zoomsync.app import Environment
from zoomsync.clock import is_alive
from zoomsync.config import Config, TellSettings
from zoomsync.errors import ConfigError, PassRunning, Unfit, Unreachable, ZoomsyncError
from zoomsync.files import Refusals, put_in_place, write_aside
from zoomsync.model import HOUR, Run, Secret
from zoomsync.rules.request import SyncRequest
from zoomsync.state import State

if TYPE_CHECKING:
    from zoomsync.status import notices

log = logging.getLogger(__name__)

SECONDS = 10.0
"""How long a pass waits at its end for all of this together."""
MAX_AGE = 26 * HOUR
"""As for `status --check`."""
READABLE = 0o644
METRICS = Refusals(
    error=Unfit,
    no_room="free space on its file system",
    no_right="let this user write to its folder; in a systemd service: ReadWritePaths=",
    otherwise="check tell.metrics_file in the config",
    names_path=True,
)


class Teller:
    """What `tell` in the config asks for, around one whole pass; of a `--verify` what it found, without a ping."""

    def __init__(self, config: Config, env: Environment, request: SyncRequest) -> None:
        self._config = config
        self._tell = TellSettings() if request.narrowed and not request.verify else config.tell
        if request.verify:
            self._tell = self._tell.model_copy(update={"ping": None})
        self._env = env
        self._executor = ThreadPoolExecutor(thread_name_prefix="tell")
        self._begun: dict[str, Future[None]] = {}

    def started(self) -> None:
        """A pass begins; nothing waits for the answer."""
        if self._tell.ping is not None and self._config.enabled:
            self._begin("tell.ping", lambda: self._ping("/start", ""))

    def ended(self, state: State, run: Run, summary: str) -> None:
        """A pass has ended and is recorded; one that was stopped, or met another one, is told of by nobody."""
        config, now = self._config, self._env.clock.now()
        if self._tell == TellSettings() or run.code in (None, PassRunning.code):
            return
        from zoomsync import status
        from zoomsync.commands.status import status_document
        from zoomsync.status import notices
        from zoomsync.status.query import SIGNALS, has_finished

        if (run.code or 0) > SIGNALS:
            return
        if self._tell.ping is not None and config.enabled:
            start, path = tuple(self._begun.values()), "" if has_finished(run) and run.code == 0 else "/fail"

            def ping() -> None:
                wait(start)  # a start that came after the end would be taken for a pass that never ends
                self._ping(path, summary)

            self._begin("tell.ping", ping)
        document = status_document(state, config, self._env)
        troubles = status.health(state, config, now, is_alive, max_age=MAX_AGE)
        told, digest_at = state.head.told, state.head.digest_at or now
        if self._tell.metrics_file is not None:
            self._begin("tell.metrics_file", lambda: self._write(status.metrics(document, troubles)))
        if self._tell.notify:
            notice, told_then = notices.of_troubles(troubles, told)
            if notice is not None:
                self._begin("tell.notify", lambda: self._notify(notice))
            if now - digest_at >= notices.WEEK:
                week = notices.of_week(state, document, now)
                self._begin("tell.notify (week)", lambda: self._notify(week))
        failed = self._wait()
        if self._tell.notify:
            told = told if "tell.notify" in failed else told_then
            digest_at = now if now - digest_at >= notices.WEEK and "tell.notify (week)" not in failed else digest_at
            state.update(told=told, digest_at=digest_at)

    def _begin(self, name: str, call: Callable[[], None]) -> None:
        self._begun[name] = self._executor.submit(call)

    def _wait(self) -> set[str]:
        """Which of them did not succeed in time; each is warned of."""
        wait(self._begun.values(), timeout=SECONDS)
        failed = set()
        for name, future in self._begun.items():
            silent = Unreachable(f"no answer within {SECONDS:.0f} s", service="tell")
            error = future.exception() if future.done() else silent
            if error is not None:
                why, hint = (str(error), error.hint) if isinstance(error, ZoomsyncError) else (type(error).__name__, "")
                where = "" if why.startswith(name) else f"{name}: "
                log.error("%s%s: told nobody%s", where, why, f" ({hint})" if hint else "")
                failed.add(name)
        self._executor.shutdown(wait=False, cancel_futures=True)
        return failed

    def _ping(self, path: str, summary: str) -> None:
        from zoomsync.http import Http

        address = ping_address(self._tell)
        http = Http(name="tell.ping", clock=self._env.clock, rate=None, timeouts=(3, 5), tries=2)
        try:
            answer = http.request("POST", f"{address}{path}", repeatable=True, data=summary.encode())
        finally:
            http.close()
        if not answer.ok:
            raise Unreachable(f"HTTP {answer.status_code}", hint="check the address", service="tell")

    def _notify(self, notice: "notices.Notice") -> None:
        where = f"{socket.gethostname()}, {self._config.path}"
        sent_by = apprise_of(self._tell.notify)
        reached = sent_by.notify(title=f"{notice.title} ({where})", body=notice.body, notify_type=notice.kind)
        if not reached:
            hint = "try the addresses with `apprise` by hand"
            raise Unreachable("not every address took the message", hint=hint, service="tell")

    def _write(self, text: str) -> None:
        place = self._tell.metrics_file
        if place is not None:
            with METRICS.explained(place):
                put_in_place(write_aside(place, text.encode(), mode=READABLE), place)


def ping_address(tell: TellSettings) -> str:
    """The monitor's, without a slash at its end. Raises `ConfigError` for what is no web address."""
    address = tell.ping.reveal().rstrip("/") if tell.ping is not None else ""
    if not re.match(r"https?://[^/?#\s]", address):
        raise ConfigError("tell.ping: is no web address", hint="write https://…, as the monitor shows it")
    return address


def apprise_of(addresses: tuple[Secret, ...]) -> Any:
    """The `Apprise` that sends to these addresses. Raises `Unfit` without the extra, `ConfigError` if one is none."""
    try:
        import apprise
    except ImportError as missing:
        raise Unfit("tell.notify: apprise is not installed", hint="`pip install apprise` beside zoomsync") from missing
    found = apprise.Apprise()
    for number, address in enumerate(addresses):
        if not found.add(address.reveal()):
            raise ConfigError(
                f"tell.notify.{number}: is no address that apprise knows", hint="https://appriseit.com/services"
            )
    return found


def problems_of(config: Config) -> Iterator[ZoomsyncError]:
    """Why something that `tell` names could not be told; nothing is sent."""
    tell = config.tell
    checks: list[Callable[[], object]] = [partial(ping_address, tell)] if tell.ping is not None else []
    checks += [partial(apprise_of, tell.notify)] if tell.notify else []
    for check in checks:
        try:
            check()
        except ZoomsyncError as problem:
            yield problem
    folder = tell.metrics_file.parent if tell.metrics_file is not None else None
    if folder is not None and not os.access(folder, os.W_OK | os.X_OK):
        fact_of_it = "not writable" if folder.is_dir() else "no such folder"
        yield Unfit(f"tell.metrics_file: {folder}: {fact_of_it}", hint=METRICS.no_right)
