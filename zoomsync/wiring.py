"""Puts a pass together from a config: what talks to Zoom, the destination, the tools, the workers."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from zoomsync import __version__, hosts
from zoomsync import config as config_of
from zoomsync.config import Config
from zoomsync.destinations.library import Library
from zoomsync.destinations.vidizmo.unanswered import Intents
from zoomsync.destinations.vidizmo.vidizmo import Vidizmo
from zoomsync.disk import Disk
from zoomsync.http import TRIES, Http
from zoomsync.item import Style
from zoomsync.media.tools import Tools
from zoomsync.model import Clock, User
from zoomsync.portal import portal
from zoomsync.shop import Shop
from zoomsync.state import State
from zoomsync.zoom.auth import Tokens
from zoomsync.zoom.client import Zoom
from zoomsync.zoom.download import Downloads

USER_AGENT = f"zoomsync/{__version__}"
Destination: TypeAlias = Library | Vidizmo
WATCHED_TRIES = 3
"""Tries a request while a person waits for the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines to Zoom: its API, and its downloads, which do not count as API requests."""

    zoom: Zoom
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
    tokens = Tokens(
        api,
        oauth_url=settings.oauth_url,
        account_id=settings.account_id,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        clock=clock,
    )
    return Lines(
        zoom=Zoom(api, tokens, api_url=settings.api_url, clock=clock),
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
    zoom: hosts.Directory,
    tries: int = TRIES,
) -> Destination:
    """The destination that the config names; not attached yet, nothing is sent."""
    settings = config.destination
    if isinstance(settings, config_of.Vidizmo):
        http = Http(name="portal", clock=clock, rate=None, user_agent=USER_AGENT, tries=tries)
        named = partial(hosts.named, directory=zoom)
        return portal(config, settings, clock, http, intents=intents, new_id=new_id, named=named)
    return Library(
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
    if isinstance(destination, Library):
        _take(destination, state, run=run, new_id=new_id, begin_new=begin_new, dry_run=dry_run)
        library_pass, library_run = destination.last_change
        changes = {"library": destination.id, "library_pass": library_pass, "library_run": library_run}
    else:
        destination.attach(dry_run=dry_run)
        changes = {}  # of a library that it comes back to, the state still knows the last pass
    if not dry_run:
        state.update(destination=destination.id, **changes)


def _take(library: Library, state: State, *, run: str, new_id: str, begin_new: bool, dry_run: bool) -> None:
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
    return settings.path if isinstance(settings, config_of.Library) else None


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
            reader=to_zoom.zoom,
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
