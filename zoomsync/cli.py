"""The command line: options, the four commands, exit codes.

What a command needs is imported when it runs, so that help and version come at once.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from zoomsync import __version__
from zoomsync.clock import SystemClock, leave_no_core, speak_utf8
from zoomsync.console import Terminal, open_streams, stdout_errors, stdout_flushed
from zoomsync.errors import BUG, ConfigError, Stopped, Unfit, UsageError, ZoomsyncError
from zoomsync.formatting import escaped

if TYPE_CHECKING:
    from zoomsync.app import Environment

EXIT_CODES = """\b
Exit codes:
  0    fine, also disabled
  1    something failed in a pass that ran to its end; status --check: unhealthy
  2    usage or config
  3    not authorized by Zoom or the destination
  4    another pass is running
  5    ffmpeg, disk, staging, state, library, clock or cluster are not fit
  6    Zoom or the destination cannot be reached, or is out of order
  70   a bug in zoomsync
  129, 130, 141, 143  ended by SIGHUP, SIGINT, SIGPIPE, SIGTERM; the state is saved
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What every command takes, before or after its name."""

    config: Path | None = None
    verbose: bool = False
    quiet: bool = False
    log_format: str = "text"
    as_json: bool = False


COMMON = (
    click.option(
        "-c",
        "--config",
        type=click.Path(path_type=Path, readable=False),
        metavar="FILE",
        help="The config. Default: $ZOOMSYNC_CONFIG, else ./config.yaml, else zoomsync/config.yaml in "
        "$XDG_CONFIG_HOME, else /etc/zoomsync/config.yaml.",
    ),
    click.option("-v", "--verbose", is_flag=True, default=None, help="Say more."),
    click.option("-q", "--quiet", is_flag=True, default=None, help="Say nothing on success, as cron wants it."),
    click.option("--log-format", type=click.Choice(["text", "json"]), help="How log lines on stderr are written."),
    click.option("--json", "as_json", is_flag=True, default=None, help="Write one JSON document to stdout."),
)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the common options; they win over the same ones before its name."""

    @click.pass_context
    @wraps(command)
    def wrapped(context: click.Context, /, **arguments: Any) -> Any:
        given = {field.name: arguments.pop(field.name) for field in fields(Options)}
        before = context.obj if isinstance(context.obj, Options) else Options()
        context.obj = replace(before, **{name: value for name, value in given.items() if value is not None})
        with stdout_flushed():
            return command(context.obj, **arguments)

    for option in reversed(COMMON):
        wrapped = option(wrapped)
    return wrapped


def date(text: str) -> datetime:
    """A date or timestamp; without a zone UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no date: write 2026-03-01 or 2026-03-01T10:30Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def duration(text: str | timedelta) -> timedelta:
    """A duration like 90s, 30m, 26h, 14d."""
    from zoomsync.config import parse_duration

    try:
        return parse_duration(text)
    except ValueError as problem:
        raise click.BadParameter(str(problem)) from None


def limit(text: str) -> timedelta:
    """A duration in which something can be begun."""
    if not (found := duration(text)):
        raise click.BadParameter(f"in {text} nothing can be begun: write 30m or 6h")
    return found


class ZoomsyncCommand(click.Command):
    """A command whose help and version are data on stdout like any other: a full disk or a closed pipe is noticed."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the command line; here click answers `--help` and `--version`."""
        with stdout_flushed(), stdout_errors():
            return super().make_context(info_name, args, parent, **extra)


class ZoomsyncGroup(ZoomsyncCommand, click.Group):
    """Lists its commands in the order in which they are first used."""

    command_class = ZoomsyncCommand

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.commands)


@click.group(
    name="zoomsync",
    cls=ZoomsyncGroup,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [OPTIONS]",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, message="zoomsync %(version)s")
@common
def main_group(_options: Options) -> None:
    """Moves Zoom cloud recordings to a library of your own: stitched, checked and accounted for.

    `zoomsync COMMAND -h` says more about a command. These options may stand before or after it.
    """
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        with suppress(OSError):  # as for any message on a full disk
            sys.stderr.write(f"{context.get_help()}\n")
        context.exit(UsageError.code)


@main_group.command("auth-check")
@click.option("--only", type=click.Choice(["zoom", "destination", "local"]), help="Make these checks alone.")
@common
def auth_check(options: Options, only: str | None) -> int:
    """Check the config, credentials, tools and disk.

    First says in words what the config means. Then prints a line for each check: "ok", "warn" if it is worth a look,
    "fail" if it would keep a pass from working; with the remedy. Changes nothing: in each folder
    that a pass writes to it rehearses that, and removes what it made at once.

    The exit code is the first of 2, 3, 6 and 5 that a check asks for.
    """
    from zoomsync.commands.auth_check import auth_check as run

    return run(options.config, open_terminal(options), environment(), only)


@main_group.command("users")
@click.option(
    "--all",
    "everyone",
    is_flag=True,
    help="Ask the destination about users without recordings, too. A library is always asked: it costs nothing.",
)
@common
def users(options: Options, everyone: bool) -> int:
    """List the selected Zoom users and their authors.

    "recordings" counts the meetings that zoomsync knows of by now; "author" is under whom they are, or would be,
    published. "departed" are users whom Zoom does not know any more.
    """
    from zoomsync.commands.users import users as run

    return run(options.config, open_terminal(options), environment(), everyone=everyone)


@main_group.command("sync")
@click.option("--dry-run", is_flag=True, help="Print the plan with reasons; write nothing.")
@click.option("--since", type=date, metavar="DATE", help="Only recordings from this date on.")
@click.option("--until", type=date, metavar="DATE", help="Only recordings before this date.")
@click.option("--user", multiple=True, metavar="EMAIL", help="Only recordings of this user; may be repeated.")
@click.option("--meeting", multiple=True, metavar="WHAT", help="Only these meetings, past filters; may be repeated.")
@click.option("--accept-size", is_flag=True, help="With --meeting: take video and sound of another size than listed.")
@click.option("--no-delete", is_flag=True, help="Delete nothing in this pass.")
@click.option("--retry-failed", is_flag=True, help="Try again now what failed and waits, or is parked.")
@click.option("--workers", type=click.IntRange(1, 64), metavar="N", help="Work on so many meetings at the same time.")
@click.option("--max-duration", type=limit, metavar="DURATION", help="Begin nothing new after this time, e.g. 6h.")
@click.option("--verify", is_flag=True, help="Only read again what is stored: nothing is fetched or deleted.")
@click.option("--sample", metavar="N%", help="With --verify: so much of it, drawn anew each time, and what differed.")
@click.option("--new-library", is_flag=True, help="Begin another library at destination.path, or a new state.")
@click.option("--reconcile", is_flag=True, help="Fetch again what an older copy of the library lacks.")
@click.option(
    "--adopt-library", is_flag=True, help="After the loss of the state: take the library over, delete nothing."
)
@common
def sync(options: Options, user: tuple[str, ...], meeting: tuple[str, ...], workers: int | None, **more: Any) -> int:
    """Do one pass: fetch, stitch, publish, delete.

    With --since, --until, --user or --meeting it is an extra pass: the next whole pass still lists all that it has to.
    DATE is 2026-03-01 or 2026-03-01T10:30Z; without a zone it is UTC. WHAT is a uuid, a meeting number (all its
    meetings), number@2026-03-02, or the [1857a920] of a folder.
    """
    from zoomsync.commands.sync import request_of
    from zoomsync.commands.sync import sync as run

    request = request_of(user, meeting, **more)
    return run(options.config, open_terminal(options), environment(), request, workers=workers)


@main_group.command("status")
@click.option(
    "--meeting",
    "what",
    metavar="WHAT",
    help="The story of each meeting that matches: as for `sync`, or a host's e-mail, or part of a topic.",
)
@click.option("--ask", is_flag=True, help="With --meeting: ask Zoom too, and say why a meeting is not there.")
@click.option("--check", is_flag=True, help="Health by exit code, with the reasons.")
@click.option(
    "--max-age",
    type=duration,
    metavar="DURATION",
    default="26h",
    show_default=True,
    help="With --check: how old the last pass may be.",
)
@click.option("--nagios", is_flag=True, help="With --check: as a plugin of Nagios, exit code 0, 1 or 2.")
@click.option("--metrics", is_flag=True, help="The same as numbers, in the text form of Prometheus.")
@common
def status(options: Options, **question: Any) -> int:
    """Say where things stand.

    Reads the state alone: needs no network and no secret, and does not disturb a pass that runs.
    """
    from zoomsync.commands.status import Question
    from zoomsync.commands.status import show as run

    return run(options.config, open_terminal(options), environment(), Question(**question))


def environment() -> "Environment":
    """The environment of this process."""
    from uuid import uuid4

    from zoomsync.app import Environment

    try:
        cwd = Path.cwd()
    except OSError as error:
        from zoomsync.files import fact

        hint = "it was removed or is closed to this user: cd to another one"
        raise Unfit(f"the current folder: {fact(error)}", hint=hint) from error
    clock = SystemClock()
    return Environment(environ=dict(os.environ), cwd=cwd, uid=os.getuid(), clock=clock, new_id=lambda: uuid4().hex)


def open_terminal(options: Options) -> Terminal:
    """The terminal as these options want it, with logging started."""
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or options.log_format == "json"
    terminal = Terminal(
        as_json=options.as_json,
        quiet=options.quiet,
        verbose=options.verbose,
        log_format=options.log_format,
        colour=sys.stderr.isatty() and not is_plain,
    )
    terminal.start_logging()
    return terminal


def run(arguments: list[str]) -> int:
    """The whole program; returns its exit code."""
    os.umask(os.umask(0o022) | 0o022)  # others may write nothing that no mode of the config allows them
    try:
        code = main_group.main(args=arguments, prog_name="zoomsync", standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as problem:
        return _refused(arguments, _usage(problem))
    except ZoomsyncError as error:
        return _refused(arguments, error)
    except Stopped as stop:
        return stop.code
    except click.Abort:
        return 128 + signal.SIGINT
    return code if isinstance(code, int) else 0


def _usage(problem: click.ClickException) -> UsageError:
    """Click's message in our form."""
    message = problem.format_message().strip().rstrip(".")
    context = getattr(problem, "ctx", None)
    path, usage = (context.command_path, context.get_usage()) if context else ("zoomsync", "Usage: zoomsync COMMAND")
    hint = f"{usage[:1].lower()}{usage[1:]}; `{path} -h` says more"
    return UsageError(message[:1].lower() + message[1:], hint=hint)


def _refused(arguments: list[str], error: ZoomsyncError) -> int:
    """Say what ended the command: to people, and if a document was asked for, in one."""
    log_format = "json" if "json" in (a.removeprefix("--log-format=") for a in arguments) else "text"
    as_json = "--json" in arguments
    terminal = Terminal(as_json=as_json, log_format=log_format)
    terminal.error(error)
    if as_json:
        problems = error.problems if isinstance(error, ConfigError) else ()
        with suppress(Unfit, BrokenPipeError):  # stdout may be what failed; stderr has it all
            terminal.document({"error": str(error), "hint": error.hint, "problems": problems, "code": error.code})
    return error.code


def main() -> NoReturn:
    """The console script. A bug ends with its traceback and exit code 70."""
    speak_utf8()
    leave_no_core()
    # Its plugins, found by reading about everything that is installed, would see each value of the config.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # https://docs.pydantic.dev/latest/concepts/plugins/
    open_streams()
    try:
        code = run(sys.argv[1:])
    except Exception:  # noqa: BLE001  # the error boundary: whatever comes this far is a bug
        import traceback

        sys.stderr.write("\n".join(map(escaped, traceback.format_exc().split("\n"))))
        sys.stderr.write("zoomsync: error: this is a bug in zoomsync\nzoomsync: hint: report it with the lines above\n")
        code = BUG
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # without waiting for workers that a stalled connection holds
