"""The command line: options, the four commands, exit codes."""

import os
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import click

from zoomsync import __version__
from zoomsync.clock import SystemClock
from zoomsync.config import Config, find_config, load, parse_duration
from zoomsync.console import Terminal
from zoomsync.errors import BUG, Stopped, UsageError, ZoomsyncError
from zoomsync.order import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What every command takes, before or after its name."""

    config: Path | None = None
    verbose: bool = False
    quiet: bool = False
    log_format: str = "text"
    as_json: bool = False


COMMON = (
    click.option("-c", "--config", type=click.Path(path_type=Path), help="The config file."),
    click.option("-v", "--verbose", is_flag=True, default=None, help="Say more."),
    click.option("-q", "--quiet", is_flag=True, default=None, help="Say nothing unless something is wrong."),
    click.option("--log-format", type=click.Choice(["text", "json"]), help="How log lines are written."),
    click.option("--json", "as_json", is_flag=True, default=None, help="One JSON document on stdout."),
)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the common options; they win over the same ones before its name."""

    @click.pass_context
    @wraps(command)
    def wrapped(context: click.Context, /, **arguments: Any) -> Any:
        given = {name: arguments.pop(name) for name in ("config", "verbose", "quiet", "log_format", "as_json")}
        before = context.obj if isinstance(context.obj, Options) else Options()
        context.obj = replace(before, **{name: value for name, value in given.items() if value is not None})
        return command(context.obj, **arguments)

    for option in reversed(COMMON):
        wrapped = option(wrapped)
    return wrapped


@click.group(name="zoomsync", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="zoomsync %(version)s")
@common
def main_group(_options: Options) -> None:
    """Moves Zoom cloud recordings to a library of your own, stitched, checked and accounted for."""


def moment(text: str) -> datetime:
    """A date or timestamp; without a zone UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no date: write 2026-03-01 or 2026-03-01T10:30Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def span(text: str | timedelta) -> timedelta:
    """A duration like 90s, 30m, 26h, 14d."""
    try:
        return parse_duration(text)
    except ValueError as problem:
        raise click.BadParameter(str(problem)) from None


@main_group.command("auth-check")
@click.option("--only", type=click.Choice(["zoom", "destination", "local"]), help="Only these checks.")
@common
def auth_check(options: Options, only: str | None) -> int:
    """Say what the config means and check credentials, tools and disk."""
    from zoomsync.commands.checks import auth_check as run

    return run(options.config, terminal(options), surroundings(), only)


@main_group.command("users")
@click.option("--all", "everyone", is_flag=True, help="Ask the destination about every user.")
@common
def users(options: Options, everyone: bool) -> int:
    """List the Zoom users that the config selects, and their authors."""
    from zoomsync.commands.users import users as run

    return run(options.config, terminal(options), surroundings(), everyone=everyone)


@main_group.command("sync")
@click.option("--dry-run", is_flag=True, help="Print the plan with reasons; write nothing.")
@click.option("--since", type=moment, metavar="DATE", help="Only recordings from then on.")
@click.option("--until", type=moment, metavar="DATE", help="Only recordings before then.")
@click.option("--user", "user", multiple=True, metavar="EMAIL", help="Only this user's; may be repeated.")
@click.option(
    "--meeting", "meeting", multiple=True, metavar="UUID", help="Only this one, past filters; may be repeated."
)
@click.option("--no-delete", is_flag=True, help="Delete nothing in this pass.")
@click.option("--retry-failed", is_flag=True, help="Try now what failed and waits, or is parked.")
@click.option("--workers", type=click.IntRange(1, 64), help="How many meetings at the same time.")
@click.option("--max-duration", type=span, metavar="DURATION", help="Begin nothing new after this, e.g. 6h.")
@click.option("--new-library", is_flag=True, help="Begin another library at destination.path.")
@common
def sync(options: Options, user: tuple[str, ...], meeting: tuple[str, ...], workers: int | None, **asked: Any) -> int:
    """Do one pass."""
    from zoomsync.commands.sync import sync as run

    begin_new = asked.pop("new_library")
    order = Order(users=tuple(one.lower() for one in user), meetings=meeting, **asked)
    if order.since and order.until and order.since >= order.until:
        raise UsageError("--since is not before --until", hint="swap them")
    return run(options.config, terminal(options), surroundings(), order, workers=workers, begin_new=begin_new)


@main_group.command("status")
@click.option("--meeting", "what", help="The story of each match: uuid, number, e-mail, or part of a topic.")
@click.option("--check", is_flag=True, help="Health by exit code, with the reasons.")
@click.option(
    "--max-age",
    type=span,
    metavar="DURATION",
    default="26h",
    show_default=True,
    help="With --check: how old the last pass may be.",
)
@common
def status(options: Options, what: str | None, check: bool, max_age: timedelta) -> int:
    """Say where things stand, from the state alone."""
    from zoomsync.commands.status import status as run

    return run(options.config, terminal(options), surroundings(), what=what, check=check, max_age=max_age)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the process was given: its environment, folder, user, clock, and a source of new ids."""

    environ: dict[str, str]
    cwd: Path
    uid: int
    clock: SystemClock
    new_id: Callable[[], str]

    def config(self, named: Path | None) -> Config:
        """The config that these options mean."""
        return load(find_config(named, self.environ, self.cwd, self.uid), self.environ)


def surroundings() -> Surroundings:
    """The real ones."""
    return Surroundings(
        environ=dict(os.environ),
        cwd=Path.cwd(),
        uid=os.getuid(),
        clock=SystemClock(),
        new_id=lambda: uuid.uuid4().hex,
    )


def terminal(options: Options) -> Terminal:
    """How to talk, with logging started."""
    is_tty = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    made = Terminal(
        as_json=options.as_json,
        quiet=options.quiet,
        verbose=options.verbose,
        log_format=options.log_format,
        colour=is_tty and options.log_format == "text",
    )
    made.start_logging()
    return made


def run(arguments: list[str]) -> int:
    """The whole program; returns its exit code."""
    log_format = "json" if "--log-format=json" in arguments or "json" in arguments else "text"
    talk = Terminal(as_json=False, quiet=False, verbose=False, log_format=log_format, colour=False)
    try:
        code = main_group.main(args=arguments, prog_name="zoomsync", standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as problem:
        usage = problem.ctx.get_usage() if isinstance(problem, click.UsageError) and problem.ctx else ""
        talk.error(UsageError(problem.format_message().lower().rstrip("."), hint=usage.replace("Usage: ", "usage: ")))
        return UsageError.code
    except ZoomsyncError as error:
        talk.error(error)
        return error.code
    except (Stopped, click.Abort) as stop:
        return stop.code if isinstance(stop, Stopped) else 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return code if isinstance(code, int) else 0


def main() -> NoReturn:
    """The console script. A bug ends with its traceback and exit code 70."""
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except Exception:  # noqa: BLE001  # the error boundary: whatever comes this far is a bug
        import traceback

        traceback.print_exc()
        sys.stderr.write("zoomsync: error: this is a bug in zoomsync\nzoomsync: hint: report it with the lines above\n")
        code = BUG
    sys.stderr.flush()
    os._exit(code)  # without waiting for workers that a stalled connection holds


__all__ = ["main", "run"]
