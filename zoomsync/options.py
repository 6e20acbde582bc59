"""The options that every command takes, before or after its name, and how dates and durations are written."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import click

from zoomsync.config import parse_duration
from zoomsync.console import all_written


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
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The config. Default: $ZOOMSYNC_CONFIG, else ./config.yaml, else zoomsync/config.yaml in "
        "$XDG_CONFIG_HOME, else /etc/zoomsync/config.yaml.",
    ),
    click.option("-v", "--verbose", is_flag=True, default=None, help="Say more."),
    click.option("-q", "--quiet", is_flag=True, default=None, help="Say nothing on success, as cron wants it."),
    click.option("--log-format", type=click.Choice(["text", "json"]), help="How log lines on stderr are written."),
    click.option("--json", "as_json", is_flag=True, default=None, help="Write one JSON document to stdout."),
)

EXIT_CODES = """\b
Exit codes:
  0    fine, also disabled
  1    something failed in a pass that ran to its end; status --check: unhealthy
  2    usage or config
  3    not authorized by Zoom or the destination
  4    another pass is running
  5    ffmpeg, disk, staging, state, library or clock are not fit
  6    Zoom or the destination cannot be reached, or is out of order
  70   a bug in zoomsync
  129, 130, 143  ended by SIGHUP, SIGINT, SIGTERM; the state is saved
"""


class InOrder(click.Group):
    """Lists its commands in the order in which they are first used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As they are written below."""
        del ctx
        return list(self.commands)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the common options; they win over the same ones before its name."""

    @click.pass_context
    @wraps(command)
    def wrapped(context: click.Context, /, **arguments: Any) -> Any:
        given = {name: arguments.pop(name) for name in ("config", "verbose", "quiet", "log_format", "as_json")}
        before = context.obj if isinstance(context.obj, Options) else Options()
        context.obj = replace(before, **{name: value for name, value in given.items() if value is not None})
        with all_written():
            return command(context.obj, **arguments)

    for option in reversed(COMMON):
        wrapped = option(wrapped)
    return wrapped


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
