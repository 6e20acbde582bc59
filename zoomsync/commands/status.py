"""`zoomsync status`: where things stand, from the state alone; no network, no secret, no lock."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from zoomsync import status
from zoomsync.app import Environment
from zoomsync.clock import is_alive
from zoomsync.console import Terminal
from zoomsync.errors import UsageError
from zoomsync.state import State, audit, locked_out_since

UNHEALTHY = 1
"""Exit code of `--check` when something needs a person."""


def show(
    named: Path | None, terminal: Terminal, env: Environment, *, what: str | None, check: bool, max_age: timedelta
) -> int:
    """Print the status, with `check` its health, or the story of each meeting that `what` matches."""
    if check and what is not None:
        raise UsageError("--check and --meeting do not go together", hint="give one of them")
    config = env.config(named)
    state = State.read(config.state) or State.imagined(config.state)
    now = env.clock.now()
    if check:
        locked_out = locked_out_since(config.state)
        reasons = status.health(state, config, now, is_alive, max_age=max_age, locked_out=locked_out)
        return _show_health(terminal, reasons)
    if what is None:
        document: Any = status.document(state, config, now, is_alive)
    else:
        document = status.stories(state, config, now, what, audit.read(config.audit))
        if not document:
            fact, hint = (
                "nothing in the state matches",
                "give a uuid, a number, number@2026-03-02, the [1857a920] of a folder, an e-mail or part of a topic",
            )
            raise UsageError(f"--meeting {what}: {fact}", hint=hint)
    if terminal.as_json:
        terminal.document(document)
    elif what is None:
        terminal.lines(status.lines(document))
    else:
        terminal.lines(line for story in document for line in (*status.story_lines(story), ""))
    return 0


def _show_health(terminal: Terminal, reasons: list[str]) -> int:
    if terminal.as_json:
        terminal.document({"healthy": not reasons, "reasons": reasons})
    elif reasons:
        terminal.lines(f"unhealthy: {reason}" for reason in reasons)
    elif not terminal.quiet:
        terminal.lines(["healthy"])
    return UNHEALTHY if reasons else 0
