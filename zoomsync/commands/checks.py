"""`zoomsync auth-check`: what the config means, and whether everything that it needs is there."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from zoomsync import __version__, checks, hosts, wiring
from zoomsync.access import Access, Authorization, access
from zoomsync.checks import Check
from zoomsync.clock import ending
from zoomsync.commands.surroundings import Surroundings
from zoomsync.config import Config
from zoomsync.console import Terminal
from zoomsync.errors import ConfigError, StateUnusable, Unfit, ZoomsyncError
from zoomsync.media.tools import find_tools
from zoomsync.state import State, owner_check


def auth_check(named: Path | None, talk: Terminal, around: Surroundings, only: str | None) -> int:
    """Tell what is found, each thing as soon as it is known; returns the exit code."""
    try:
        config = around.config(named)
    except ConfigError as error:
        if not talk.as_json:
            raise
        return _told(talk, [], checks.unreadable_config(error))
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
    code = checks.exit_code(told)
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
        self._lines = wiring.lines(config, around.clock, tries=wiring.WATCHED_TRIES)
        self._wanted = hosts.wanted(config)
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
            Part(name="audit", groups=local, ask=lambda: checks.audit(self._config.audit)),
            Part(name="destination", groups=frozenset({"destination"}), ask=self._destination, needs=("state",)),
            Part(name="staging", groups=local, ask=self._staging),
            Part(name="disk", groups=local, ask=self._disk),
        )

    def _asked(self, part: Part) -> Iterator[Check]:
        culprit = next((need for need in part.needs if need in self._failed), None)
        if culprit:
            yield checks.not_checked(part.name, culprit)
            return
        try:
            yield from part.ask()
        except ZoomsyncError as error:
            yield checks.failed(part.name, error)
        except OSError as error:
            fact = f"{error.filename}: {(error.strerror or '').lower()}"
            yield checks.failed(part.name, Unfit(fact, hint="check this path, and what this user may do there"))

    def _secrets(self) -> list[Check]:
        return checks.config(self._config.path, self._config.secrets(), self._config.secret_findings())

    def _authorization(self) -> Authorization:
        return self._lines.zoom.authorize()

    def _token(self) -> list[Check]:
        self._authorization()
        return [checks.ok("token", "Zoom accepts account_id, client_id and client_secret")]

    def _clock(self) -> list[Check]:
        return checks.clock(self._authorization(), self._around.clock.now(), deletes=self._deletes)

    def _scopes(self) -> Iterator[Check]:
        authorization = self._authorization()
        may: Access = access(authorization, self._wanted, deletes=self._deletes)
        return checks.scopes(authorization, may, deletes=self._deletes)

    def _accounts(self) -> list[Check]:
        state = self._known()
        return checks.accounts(self._wanted, self._lines.zoom, state.entries.values() if state else ())

    def _holds(self) -> list[Check]:
        state = self._known()
        return checks.holds(self._config.hold_meetings, state.entries if state else {})

    def _tools(self) -> list[Check]:
        environ = self._around.environ
        return checks.tools(lambda: find_tools(path=environ.get("PATH", ""), environ=environ))

    def _read(self) -> State | None:
        owner_check(self._config.state, self._around.uid)
        return State.read(self._config.state)

    def _known(self) -> State | None:
        """The state, as far as it helps another check: what is wrong with it, its own says."""
        with suppress(StateUnusable):
            return self._read()
        return None

    def _state(self) -> list[Check]:
        return checks.state(self._config.state, self._read())

    def _destination(self) -> Iterator[Check]:
        around = self._around
        state = self._read() or State.imagined(self._config.state)
        tries = wiring.WATCHED_TRIES
        destination = wiring.destination(
            self._config, around.clock, state, around.new_id, zoom=self._lines.zoom, tries=tries
        )
        self._closing.append(destination.detach)
        new_id = around.new_id()

        def attach() -> None:
            wiring.attach(destination, state, run="", new_id=new_id, begin_new=False, dry_run=True)

        return checks.destination(attach, destination)

    def _staging(self) -> list[Check]:
        is_within = self._config.staging is None and wiring.storage(self._config) is not None
        if is_within and "destination" in self._failed:
            return [checks.not_checked("staging", "destination")]
        return checks.staging(self._staging_folder())

    def _staging_folder(self) -> Path:
        """Within the library, unless it is set; where in there, only the state knows."""
        state, config = self._known(), self._config
        is_within = config.staging is None and wiring.storage(config) is not None
        if state is None and is_within:
            return wiring.staging(config, "new").parent.parent
        return wiring.staging(config, state.head.id if state is not None else "")

    def _disk(self) -> list[Check]:
        config = self._config
        folders = {"state": config.state.parent, "audit": config.audit.parent}
        library = wiring.storage(config)
        if library is None:
            folders = {"staging": self._staging_folder(), **folders}
        elif "destination" not in self._failed:
            folders = {"library": library, "staging": self._staging_folder(), **folders}
        return checks.disk(folders, config.min_free_disk)
