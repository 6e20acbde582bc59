"""Puts a pass together from a config: what talks to Zoom, the destination, the tools, the workers."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from zoomsync import __version__
from zoomsync import config as config_of
from zoomsync.config import Config
from zoomsync.destinations.base import Shop
from zoomsync.destinations.library.destination import LibraryDestination
from zoomsync.destinations.vidizmo.assembly import portal
from zoomsync.destinations.vidizmo.destination import VidizmoDestination
from zoomsync.destinations.vidizmo.intents import Intents
from zoomsync.http import TRIES, Http
from zoomsync.item.build import Style
from zoomsync.item.disk import Disk
from zoomsync.media.ffmpeg import Tools
from zoomsync.model import Clock, User, Zoom
from zoomsync.state import State
from zoomsync.sync.accounts import with_names
from zoomsync.zoom.client import ZoomClient
from zoomsync.zoom.download import Downloads
from zoomsync.zoom.oauth import TokenSource

USER_AGENT = f"zoomsync/{__version__}"
Destination: TypeAlias = LibraryDestination | VidizmoDestination
WATCHED_TRIES = 3
"""Tries a request while a person waits for the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines to Zoom: its API, and its downloads, which do not count as API requests."""

    zoom: ZoomClient
    downloads: Downloads
    api: Http
    files: Http

    def close(self) -> None:
        """End every connection."""
        self.api.close()
        self.files.close()


def lines(config: Config, clock: Clock, *, tries: int = TRIES) -> Lines:
    """Connections to Zoom, for up to so many tries a request; nothing is sent yet."""
    settings = config.zoom
    api = Http(name="zoom", clock=clock, rate=settings.rate, user_agent=USER_AGENT, tries=tries)
    files = Http(name="zoom", clock=clock, rate=None, user_agent=USER_AGENT, tries=tries)
    tokens = TokenSource(
        api,
        oauth_url=settings.oauth_url,
        account_id=settings.account_id,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        clock=clock,
    )
    return Lines(
        zoom=ZoomClient(api, tokens, api_url=settings.api_url, clock=clock),
        downloads=Downloads(
            files, tokens, download_hosts=settings.download_hosts, api_url=settings.api_url, clock=clock
        ),
        api=api,
        files=files,
    )


def destination(
    config: Config,
    clock: Clock,
    intents: Intents,
    new_id: Callable[[], str],
    *,
    zoom: Zoom,
    tries: int = TRIES,
) -> Destination:
    """The destination that the config names; not attached yet, nothing is sent."""
    settings = config.destination
    if isinstance(settings, config_of.VidizmoSettings):
        http = Http(name="portal", clock=clock, rate=None, user_agent=USER_AGENT, tries=tries)
        named = partial(with_names, zoom=zoom)
        return portal(config, settings, clock, http, intents=intents, new_id=new_id, named=named)
    return LibraryDestination(
        settings.path,
        clock=clock,
        publish_as=config.publish_as,
        me=config.me or "",
        aliases=config.aliases,
        dir_mode=settings.dir_mode,
        file_mode=settings.file_mode,
        group=settings.group,
    )


def attach(destination: Destination, state: State, *, run: str, new_id: str, begin_new: bool, dry_run: bool) -> None:
    """Sign in to the portal, or take the library for the pass that has begun; and remember it."""
    if isinstance(destination, LibraryDestination):
        _take(destination, state, run=run, new_id=new_id, begin_new=begin_new, dry_run=dry_run)
        library_pass, library_run = destination.last_change
        changes = {"library": destination.id, "library_pass": library_pass, "library_run": library_run}
    else:
        destination.attach(dry_run=dry_run)
        changes = {}  # of a library that it comes back to, the state still knows the last pass
    if not dry_run:
        state.update(destination=destination.id, **changes)


def _take(library: LibraryDestination, state: State, *, run: str, new_id: str, begin_new: bool, dry_run: bool) -> None:
    head = state.head
    known = head.library or None
    library.attach(
        state_id=head.id,
        known_id=known,
        library_pass=head.library_pass,
        pass_number=head.pass_number,
        run=run,
        runs=frozenset({head.library_run, *(one.id for one in state.runs)}),
        has_items=any(one.receipt and one.receipt.destination == known for one in state.entries.values()),
        begin_new=begin_new,
        new_id=new_id,
        dry_run=dry_run,
    )


def storage(config: Config) -> Path | None:
    """Where the destination keeps items on this machine, if it does."""
    settings = config.destination
    return settings.path if isinstance(settings, config_of.LibrarySettings) else None


def staging(config: Config, state_id: str) -> Path:
    """Where downloads lie while a meeting is open."""
    if config.staging is not None:
        return config.staging
    folder = storage(config)
    return folder / ".zoomsync" / state_id / "staging" if folder is not None else config.state.parent / "staging"


def shop(
    config: Config,
    clock: Clock,
    *,
    to_zoom: Lines,
    destination: Destination,
    tools: Tools,
    state_id: str,
    progress: Callable[[str, int], None],
) -> Callable[[Mapping[str, User]], Shop]:
    """What the workers share, given the users as they become known."""
    views = config.recordings.views
    disk = Disk(keep_free=config.min_free_disk, clock=clock)

    def opened(users: Mapping[str, User]) -> Shop:
        return Shop(
            zoom=to_zoom.zoom,
            fetcher=to_zoom.downloads,
            destination=destination,
            tools=tools,
            staging=staging(config, state_id),
            storage=storage(config),
            disk=disk,
            clock=clock,
            style=Style(
                concatenate=config.concatenate_recordings,
                reencode=config.reencode,
                title=config.title,
                timezone=config.timezone,
                draft=config.publish_state == "draft",
            ),
            views=views if isinstance(views, tuple) else (),
            users=users,
            progress=progress,
        )

    return opened


def executor(workers: int) -> Executor:
    """The threads on which meetings are worked on."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(max_workers=workers, thread_name_prefix="meeting")
