"""What working on a meeting needs: where it is read, brought from and put, shared by all workers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from zoomsync.item.build import Style
from zoomsync.item.disk import Disk
from zoomsync.media.ffmpeg import Tools
from zoomsync.model import Author, Clock, Fetched, Item, Meeting, Receipt, RecordingFile, User, Verdict, Zoom


class Destination(Protocol):
    """Where items go. Every method may be called from several threads, for different meetings."""

    @property
    def id(self) -> str:
        """What identifies it: never its path."""

    @property
    def last_change(self) -> tuple[int, str] | None:
        """The last pass that changed it, and the id of its run; (0, "") when none did, None where it cannot tell."""

    @property
    def can_replace(self) -> bool:
        """Whether a stored file can be replaced by a newer one; else what is new becomes a part of the item."""

    def check(self) -> str:
        """Write and remove a probe; returns a sentence, raises `Unfit`, `NotAuthorized` or `Unreachable`."""

    def author_for(self, host: User) -> Author:
        """The author under whom this host's items are published; the note says how it comes about."""

    def prospect(self, host: User) -> Author:
        """What `author_for` would come to; changes nothing."""

    def find(self, uuid: str, known: Receipt | None = None) -> Receipt | None:
        """The receipt of what there is of this meeting's item, wherever a person may have moved it.

        `known` is what the state remembers of it. Raises `Unsettled` while it cannot be known whether there is more.
        """

    def publish(self, item: Item, author: Author, previous: Receipt | None, *, asked: bool = False) -> Receipt:
        """Make the destination hold this item; running it again changes nothing. `asked`: a person wants it whole.

        Raises `RemovedByPerson`, `Unsettled` where it can only be done later, `PartlyStored` where texts are refused.
        """

    def verify(self, receipt: Receipt) -> Verdict:
        """Look at the stored files again: by content, or by the strongest check there is."""


class Fetcher(Protocol):
    """Brings one file to staging."""

    def fetch(self, meeting: Meeting, file: RecordingFile, folder: Path, progress: Callable[[int], None]) -> Fetched:
        """The proven file; raises `DownloadFailed`, `DiskFull`, `Unreachable`, `NotAuthorized`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """All that working on a meeting needs, shared by the workers."""

    zoom: Zoom
    fetcher: Fetcher
    destination: Destination
    tools: Tools
    staging: Path
    storage: Path | None
    """Where the destination keeps items on this machine: reserved too, when it is another file system."""
    disk: Disk
    clock: Clock
    style: Style
    views: tuple[str, ...]
    """The configured views, best first; empty: zoomsync's own order."""
    users: Mapping[str, User]
    progress: Callable[[str, int], None]
    """Told uuid and bytes as they arrive."""
