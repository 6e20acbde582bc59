"""Puts a pass together from a config: what talks to Zoom, the destination, the tools, the workers."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from zoomsync.config import Config
from zoomsync.destinations.base import Attachment, Destination, DestinationContext, Intents
from zoomsync.http import TRIES, USER_AGENT, Http
from zoomsync.item.build import Style
from zoomsync.item.disk import Disk
from zoomsync.item.worker import Shop
from zoomsync.media.ffmpeg import Tools
from zoomsync.model import Clock, User, Zoom
from zoomsync.state import State
from zoomsync.sync.accounts import with_names
from zoomsync.zoom.client import ZoomClient
from zoomsync.zoom.download import Downloads
from zoomsync.zoom.oauth import TokenSource

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
    context = DestinationContext(
        clock=clock,
        new_id=new_id,
        intents=intents,
        with_names=partial(with_names, zoom=zoom),
        tries=tries,
        publish_as=config.publish_as,
        me=config.me or "",
        aliases=config.aliases,
    )
    return config.destination.build(context)


def attach(destination: Destination, state: State, *, run: str, new_id: str, begin_new: bool, dry_run: bool) -> None:
    """Take the destination for the pass that has begun; and remember it, but for a dry run."""
    head = state.head
    known = head.library or None
    attachment = Attachment(
        state_id=head.id,
        known_id=known,
        known_pass=head.library_pass,
        runs=frozenset({head.library_run, *(one.id for one in state.runs)}),
        has_items=any(one.receipt and one.receipt.destination == known for one in state.entries.values()),
        pass_number=head.pass_number,
        run=run,
        begin_new=begin_new,
        new_id=new_id,
        dry_run=dry_run,
    )
    destination.attach(attachment)
    changed = destination.last_change
    if dry_run:
        return
    if changed is None:  # of a library that it comes back to, the state still knows the last pass
        state.update(destination=destination.id)
    else:
        number, run_id = changed
        state.update(destination=destination.id, library=destination.id, library_pass=number, library_run=run_id)


def staging(config: Config, state_id: str) -> Path:
    """Where downloads lie while a meeting is open."""
    if config.staging is not None:
        return config.staging
    folder = config.destination.storage
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
            storage=config.destination.storage,
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
