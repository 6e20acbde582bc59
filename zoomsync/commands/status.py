"""`zoomsync status`: where things stand, from the state alone; no network, no secret, no lock."""

from datetime import timedelta
from pathlib import Path

from zoomsync import status
from zoomsync.clock import is_alive
from zoomsync.commands.surroundings import Surroundings
from zoomsync.config import Config
from zoomsync.console import Terminal
from zoomsync.errors import UsageError
from zoomsync.state import State, audit

UNHEALTHY = 1
"""Exit code of `--check` when something needs a person."""


def show(
    named: Path | None, talk: Terminal, around: Surroundings, *, what: str | None, check: bool, max_age: timedelta
) -> int:
    """Print the status, with `check` its health, or the story of each meeting that `what` matches."""
    if check and what is not None:
        raise UsageError("--check and --meeting do not go together", hint="give one of them")
    config = around.config(named)
    state = State.read(config.state)
    now, terms = around.clock.now(), _terms(config)
    if what is not None:
        return _stories(talk, status.stories(state, what, audit.read(config.audit), now=now, terms=terms), what)
    if check:
        reasons = status.health(state, enabled=config.enabled, now=now, is_alive=is_alive, terms=terms, max_age=max_age)
        return _health(talk, reasons)
    document = status.document(state, enabled=config.enabled, now=now, is_alive=is_alive, terms=terms)
    if talk.as_json:
        talk.document(document)
    else:
        talk.lines(status.lines(document))
    return 0


def _health(talk: Terminal, reasons: list[str]) -> int:
    if talk.as_json:
        talk.document({"healthy": not reasons, "reasons": reasons})
    elif reasons:
        talk.lines([f"unhealthy: {reason}" for reason in reasons])
    elif not talk.quiet:
        talk.lines(["healthy"])
    return UNHEALTHY if reasons else 0


def _stories(talk: Terminal, found: list[status.Story], what: str) -> int:
    if not found:
        raise UsageError(
            f"--meeting {what}: nothing in the state matches",
            hint="give a uuid, a number, an e-mail or part of a topic",
        )
    if talk.as_json:
        talk.document(found)
    else:
        for story in found:
            talk.lines([*status.story_lines(story), ""])
    return 0


def _terms(config: Config) -> status.Terms:
    return status.Terms(
        sweep=config.recordings.sweep,
        fingerprint=config.fingerprint(),
        delete=config.delete_recordings,
        delete_after=config.delete_after,
        accounts=frozenset(config.filter_accounts),
        excluded_accounts=frozenset(config.exclude_accounts),
        excluded=config.exclude_meetings,
        held=config.hold_meetings,
        publish_as=config.publish_as,
        aliases={zoom.lower(): there for zoom, there in config.aliases.items()},
    )
