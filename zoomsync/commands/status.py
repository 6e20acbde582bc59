"""`zoomsync status`: where things stand, from the state alone; no network, no secret, no lock."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from zoomsync import status
from zoomsync.app import Environment
from zoomsync.clock import is_alive
from zoomsync.console import Terminal
from zoomsync.errors import UsageError
from zoomsync.state import State, audit

UNHEALTHY = 1
"""Exit code of `--check` when something needs a person."""


def show(
    named: Path | None, talk: Terminal, env: Environment, *, what: str | None, check: bool, max_age: timedelta
) -> int:
    """Print the status, with `check` its health, or the story of each meeting that `what` matches."""
    if check and what is not None:
        raise UsageError("--check and --meeting do not go together", hint="give one of them")
    config = env.config(named)
    state = State.read(config.state) or State.imagined(config.state)
    now = env.clock.now()
    if what is not None:
        return _show_stories(talk, status.stories(state, config, now, what, audit.read(config.audit)), what)
    if check:
        return _show_health(talk, status.health(state, config, now, is_alive, max_age=max_age))
    document = status.document(state, config, now, is_alive)
    if talk.as_json:
        talk.document(document)
    else:
        talk.lines(status.lines(document))
    return 0


def _show_health(talk: Terminal, reasons: list[str]) -> int:
    if talk.as_json:
        talk.document({"healthy": not reasons, "reasons": reasons})
    elif reasons:
        talk.lines(f"unhealthy: {reason}" for reason in reasons)
    elif not talk.quiet:
        talk.lines(["healthy"])
    return UNHEALTHY if reasons else 0


def _show_stories(talk: Terminal, found: list[dict[str, Any]], what: str) -> int:
    if not found:
        fact, hint = "nothing in the state matches", "give a uuid, a number, an e-mail or part of a topic"
        raise UsageError(f"--meeting {what}: {fact}", hint=hint)
    if talk.as_json:
        talk.document(found)
    else:
        for story in found:
            talk.lines([*status.story_lines(story), ""])
    return 0
