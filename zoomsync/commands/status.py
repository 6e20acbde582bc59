"""`zoomsync status`: where things stand, from the state alone; no network, no secret, no lock."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from zoomsync import status
from zoomsync.app import Environment
from zoomsync.clock import is_alive
from zoomsync.config import Config
from zoomsync.console import Terminal
from zoomsync.errors import Unfit, UsageError
from zoomsync.item.disk import free_bytes
from zoomsync.model import HOUR
from zoomsync.rules.named import FORMS
from zoomsync.state import State, audit, locked_out_since
from zoomsync.status.health import Trouble

UNHEALTHY = 1
"""Exit code of `--check` when something needs a person."""
CRITICAL = 2
NAGIOS = ("OK", "WARNING", "CRITICAL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What `status` is asked for; nothing: all that a person wants to see."""

    what: str | None = None
    """The story of each meeting that this names."""
    check: bool = False
    nagios: bool = False
    metrics: bool = False
    max_age: timedelta = 26 * HOUR

    def __post_init__(self) -> None:
        given = {"--meeting": self.what is not None, "--check": self.check, "--metrics": self.metrics}
        if len(names := [name for name, is_given in given.items() if is_given]) > 1:
            raise UsageError(f"{' and '.join(names)} do not go together", hint="give one of them")
        if self.nagios and not self.check:
            raise UsageError("--nagios goes with --check only", hint="add --check")


def show(named: Path | None, terminal: Terminal, env: Environment, question: Question) -> int:
    """Print the status, with `check` its health, or the story of each meeting that `what` matches."""
    config = env.config(named)
    state = State.read(config.state, audit=config.audit) or State.imagined(config.state)
    if question.check or question.metrics:
        locked_out, now = locked_out_since(config.state), env.clock.now()
        troubles = status.health(state, config, now, is_alive, max_age=question.max_age, locked_out=locked_out)
        if question.check:
            return _show_health(terminal, troubles, question, status_document(state, config, env))
        terminal.text(status.metrics(status_document(state, config, env), troubles))
        return 0
    if question.what is not None:
        _show_stories(terminal, config, state, env, question.what)
        return 0
    document = status_document(state, config, env)
    if terminal.as_json:
        terminal.document(document)
    else:
        terminal.lines(status.lines(document))
    return 0


def status_document(state: State, config: Config, env: Environment) -> status.Facts:
    """What `status --json` prints."""
    folder = config.destination.storage
    free = None
    with suppress(Unfit):  # it is not mounted, say: then nobody knows
        free = free_bytes(folder) if folder is not None else None
    return status.document(state, config, env.clock.now(), is_alive, free)


def _show_stories(terminal: Terminal, config: Config, state: State, env: Environment, what: str) -> None:
    stories = status.stories(state, config, env.clock.now(), what, audit.read(config.audit))
    if not stories:
        raise UsageError(
            f"--meeting {what}: nothing in the state matches", hint=f"give {FORMS}, an e-mail or part of a topic"
        )
    if terminal.as_json:
        terminal.document({"meetings": stories})
    else:
        terminal.lines(line for story in stories for line in (*status.story_lines(story), ""))


def _show_health(terminal: Terminal, troubles: list[Trouble], question: Question, document: status.Facts) -> int:
    """The exit code: 1 if anything needs a person; for Nagios 2 if passes do not work or a recording may be lost."""
    reasons = [str(one) for one in troubles]
    if question.nagios:
        return _show_nagios(terminal, troubles, document)
    if terminal.as_json:
        terminal.document({"healthy": not reasons, "reasons": reasons})
    elif reasons:
        terminal.lines(f"unhealthy: {reason}" for reason in reasons)
    elif not terminal.quiet:
        terminal.lines(["healthy"])
    return UNHEALTHY if reasons else 0


def _show_nagios(terminal: Terminal, troubles: list[Trouble], document: status.Facts) -> int:
    """https://nagios-plugins.org/doc/guidelines.html#PLUGOUTPUT and #AEN201: one line, `|`, and the figures."""
    code = max((CRITICAL if one.is_critical else UNHEALTHY for one in troubles), default=0)
    figures = {name: len(document[name]) for name in ("waiting", "failed", "at_risk", "gaps")}
    figures |= {"stored": document["stored"]["items"]}
    sizes = {"bytes": document["stored"]["bytes"], "free": document["stored"]["free_bytes"]}
    shown = [f"{name}={count}" for name, count in figures.items()]
    shown += [f"{name}={size}B" for name, size in sizes.items() if size is not None]
    said = "; ".join(str(one) for one in troubles).replace("|", "/") or "healthy"
    terminal.lines([f"ZOOMSYNC {NAGIOS[code]} - {said} | {' '.join(shown)}"])
    return code
