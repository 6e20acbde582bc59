"""`zoomsync status`: where things stand, from the state alone; no network, no secret, no lock."""

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from zoomsync import app, status
from zoomsync.app import Environment
from zoomsync.clock import ending, is_alive
from zoomsync.config import Config
from zoomsync.console import Terminal
from zoomsync.errors import Unfit, UsageError, ZoomsyncError
from zoomsync.formatting import iso, moment, quoted
from zoomsync.item.disk import free_bytes
from zoomsync.model import HOUR, User
from zoomsync.naming import suffix
from zoomsync.rules.named import FORMS, Named
from zoomsync.state import State, audit, locked_out_since
from zoomsync.status.health import Trouble

UNHEALTHY = 1
"""Exit code of `--check` when something needs a person."""
CRITICAL = 2
UNKNOWN = 3
NAGIOS = ("OK", "WARNING", "CRITICAL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What `status` is asked for; nothing: all that a person wants to see."""

    what: str | None = None
    """The story of each meeting that this names."""
    check: bool = False
    nagios: bool = False
    metrics: bool = False
    ask: bool = False
    """Of the meetings that `what` names, Zoom is asked too."""
    max_age: timedelta = 26 * HOUR

    def __post_init__(self) -> None:
        given = {"--meeting": self.what is not None, "--check": self.check, "--metrics": self.metrics}
        if len(names := [name for name, is_given in given.items() if is_given]) > 1:
            raise UsageError(f"{' and '.join(names)} do not go together", hint="give one of them")
        if self.nagios and not self.check:
            raise UsageError("--nagios goes with --check only", hint="add --check")
        if self.ask and self.what is None:
            raise UsageError("--ask: of which meeting?", hint="name it with --meeting")


def show(named: Path | None, terminal: Terminal, env: Environment, question: Question) -> int:
    """See `_show`; as a plugin of Nagios it says what keeps it from knowing, too."""
    try:
        return _show(named, terminal, env, question)
    except ZoomsyncError as error:
        if not question.nagios:
            raise
        terminal.lines([f"ZOOMSYNC UNKNOWN - {error}".replace("|", "/")])
        return UNKNOWN


def _show(named: Path | None, terminal: Terminal, env: Environment, question: Question) -> int:
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
        _show_stories(terminal, config, state, env, question)
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


def _show_stories(terminal: Terminal, config: Config, state: State, env: Environment, question: Question) -> None:
    what = question.what or ""
    stories = status.stories(state, config, env.clock.now(), what, audit.read(config.audit))
    asked = _asked(config, state, env, what, [story["uuid"] for story in stories]) if question.ask else []
    if not stories and not asked:
        hint = f"give {FORMS}, an e-mail or part of a topic" + ("" if question.ask else "; --ask asks Zoom too")
        raise UsageError(f"--meeting {what}: nothing in the state matches", hint=hint)
    if terminal.as_json:
        terminal.document({"meetings": stories, "asked": asked if question.ask else None})
        return
    terminal.lines(line for story in stories for line in (*status.story_lines(story), ""))
    for one in asked:
        about = f"{one['host']} {quoted(one['topic'])} {one['start']} [{suffix(one['uuid'])}]: " if one["uuid"] else ""
        terminal.lines([f"Zoom, asked now: {about}{one['answer']}"])


def _asked(config: Config, state: State, env: Environment, what: str, uuids: list[str]) -> list[dict[str, str]]:
    """What Zoom says now of the meetings that `what` names; one of which nobody knows has no uuid."""
    from zoomsync.rules.request import SyncRequest
    from zoomsync.sync.accounts import account_filter, select_hosts
    from zoomsync.sync.inquiry import Inquiry
    from zoomsync.sync.lookups import Lookups
    from zoomsync.sync.reader import begin_of_pass, rules_of_pass

    now, head, entries = env.clock.now(), state.head, state.entries
    since = begin_of_pass(config, head, now)
    with ExitStack() as stack:
        stack.enter_context(ending(env.clock, lambda _: None))
        zoom = app.connect(config, env.clock, stack, tries=app.WATCHED_TRIES).zoom
        hosts = select_hosts(account_filter(config), Lookups(zoom, entries.hosts(), now))
        request = SyncRequest()
        rules = rules_of_pass(
            config, request, hosts, destination=head.destination, since=since, now=now, is_sweep=False
        )
        known = {one.id: User(id=one.id, email=one.email, status="") for one in entries.hosts()}
        sweep = status.document(state, config, now, is_alive)["next_sweep"]
        inquiry = Inquiry(
            zoom=zoom,
            rules=rules,
            users={id_: one for id_, one in known.items() if hosts.selects(id_, one.email)} | dict(hosts.users),
            listed_from=now - config.recordings.lookback,
            next_sweep=moment(datetime.fromisoformat(sweep)) if sweep else "recordings.sweep is never",
        )
        named = Named([what], config.timezone)
        found = list(inquiry.answers(what, named, [entries[uuid] for uuid in uuids]))
    return [
        {
            "uuid": of.uuid if of else "",
            "host": (of.host_email or of.host_id) if of else "",
            "topic": of.topic if of else "",
            "start": iso(of.start) or "" if of else "",
            "answer": answer,
        }
        for of, answer in found
    ]


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
