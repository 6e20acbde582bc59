"""What zoomsync asks of a destination, and the kinds of destinations that there are.

A new kind is one module (or folder) that has a `Settings`, and one line in `KINDS`; nothing else names it.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from zoomsync.errors import ZoomsyncError
from zoomsync.model import Author, Clock, Intent, Item, Receipt, Surveyed, User, Verdict
from zoomsync.progress import Progress

KINDS = {
    "library": "zoomsync.destinations.library",
    "vidizmo": "zoomsync.destinations.vidizmo",
    "rclone": "zoomsync.destinations.rclone",
}
"""What `destination.type` can be → the module whose `Settings` is a `config.base.DestinationSettings`.

The first is the default. A module is imported when a config names its kind, and then alone.
"""

NOBODY_WATCHES = Progress()


class Intents(Protocol):
    """The state, as far as a destination may write to it: each line is durable when the method returns."""

    def open_intents(self) -> tuple[Intent, ...]:
        """Those that are not settled."""

    def begin(self, intent: Intent) -> None:
        """Write it down; under the id of an open one, instead of that."""

    def settle(self, intent_id: str) -> None:
        """Close it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationContext:
    """What a destination is built with, beside its own settings."""

    clock: Clock
    new_id: Callable[[], str]
    """32 hex digits, never twice."""
    intents: Intents
    """For calls that cannot be repeated."""
    with_names: Callable[[User], User]
    """A host with the names that Zoom has for it."""
    tries: int
    """How often a request is tried."""
    publish_as: str
    """`me` or `zoom_user`."""
    me: str
    """The e-mail of that author; empty where the config has none."""
    aliases: Mapping[str, str]
    """E-mail in Zoom → at the destination, both in lower case."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """The environment, for programs that the destination starts."""
    progress: Progress = NOBODY_WATCHES
    """Where transfers are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """What a destination is told about the pass that takes it, and what the state knows of it."""

    state_id: str
    known_id: str | None
    """The destination to which this state was attached last, of those that count passes; None: to none yet, or to one
    that holds nothing of it."""
    known_pass: int
    """The last pass that the state knows to have changed it."""
    runs: frozenset[str]
    """The ids of the runs that the state remembers, the last one that changed the destination among them."""
    ended: frozenset[str] = frozenset()
    """Those of them that came to their end: all that they published is known to the state."""
    over: frozenset[str] = frozenset()
    """Those of them that work no more for sure. The state may be a copy, and the original's pass still work."""
    has_items: bool
    """Whether the state knows of items in it."""
    pass_number: int
    run: str
    """The id of the run: a restored state comes to the same number again, never to the same id."""
    begin_new: bool
    """Whether a person wants a new destination begun, whatever the state knows."""
    new_id: str
    """The id of a destination that begins."""
    reconcile: bool = False
    """Whether a person wants an older copy of it to do; the state forgets what that lacks."""
    adopt: bool = False
    """Whether a person wants the state, a new or an older one, to take over the destination with all that is in it."""
    adopting: Callable[[str], None] = lambda _: None
    """Told the id of the library, `NEW_LIBRARY` if it gets one, before its marker says that it is this state's."""
    dry_run: bool
    """Refuse what is wrong all the same, but take no lock and write nothing."""


NEW_LIBRARY = "new"
"""No library has this id."""
Everything: TypeAlias = Generator[tuple[Receipt, Mapping[str, object]] | ZoomsyncError | str, None, None]
"""Of each item its receipt, and Zoom's metadata of its meeting; or why that could not be read; now and then how far
that came."""


class Destination(Protocol):
    """Where items go. `attach` comes first; then every method may be called from any thread, for different meetings.

    All raise `NotAuthorized`, `Unreachable` or `Unfit` where the destination as a whole cannot be used.
    """

    @property
    def id(self) -> str:
        """What identifies it, never its path; it may be "" before `attach`."""

    @property
    def last_change(self) -> tuple[int, str] | None:
        """The last pass that changed it, and the id of its run; (0, "") when none did, None if it counts no passes."""

    @property
    def can_replace(self) -> bool:
        """Whether a stored file can be replaced by a newer one; else what is new becomes a part of the item."""

    def attach(self, attachment: Attachment) -> None:
        """Take it for a pass. Raises `LibraryUnusable` if it is not the one that the state knows, `PassRunning`."""

    def detach(self) -> None:
        """Let go of it, also if `attach` failed or was never called."""

    def ping(self) -> None:
        """The reference question, which concerns no item and no author; returns if the destination answers."""

    def check(self) -> str:
        """Write and remove a probe, if that can be done; what it is, in words."""

    def survey(self) -> Iterator[Surveyed]:
        """What else can be tried out, one by one, and what came of it; none if `check` says it all."""

    def author_for(self, host: User) -> Author:
        """The author under whom this host's items are published; the note says how it comes about."""

    def prospect(self, host: User) -> Author:
        """What `author_for` would come to; changes nothing."""

    def find(self, uuid: str, known: Receipt | None = None) -> Receipt | None:
        """The receipt of what there is of this meeting's item, wherever a person may have moved it.

        `known` is what the state remembers of it. Raises `OutcomeUnknown` while it cannot be known whether there is
        more.
        """

    def everything(self, after: str = "") -> Everything:
        """Each item, as it says itself what it is; a kind of destination that cannot be adopted has no such items.

        In one order always: `after` is how far an earlier call came.
        """

    def publish(self, item: Item, author: Author, previous: Receipt | None, *, requested: bool = False) -> Receipt:
        """Make the destination hold this item, under its author if it is there; running it again changes nothing.

        Given `previous`, which the state knows, what is gone or altered is a person's deed and raises
        `RemovedByPerson`; unless `requested`: then a person wants the item whole again. Raises `OutcomeUnknown` if it
        can only be done later, `PartlyStored` if texts are refused.
        """

    def verify(self, receipt: Receipt) -> Verdict:
        """Look at the stored files again: by content, or by the strongest check there is."""

    def to_download(self, receipt: Receipt) -> int:
        """The bytes that `verify` would download for it, as far as that is known before."""
