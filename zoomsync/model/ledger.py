"""What the state remembers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from zoomsync.model.item import Receipt


class Phase(StrEnum):
    """Where a meeting stands in the ledger."""

    WAITING = "waiting"
    SKIPPED = "skipped"
    PUBLISHED = "published"
    DELETED = "deleted"
    """Published, and every covered cloud file was deleted by us."""
    LOST = "lost"
    """Gone from the cloud before it was fetched."""
    REMOVED = "removed"
    """A person took it out of, or changed it in, the destination: left alone."""
    ERASED = "erased"
    """Erased on request: never fetched again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """What went wrong with one meeting, and when it is tried again."""

    tries: int
    """Failures that the meeting itself caused."""
    error: str
    hint: str
    at: datetime
    """When it last failed."""
    next_at: datetime | None
    """None: parked."""
    since: datetime | None = None
    """When it failed first; None: not remembered."""
    unanswered: int = 0
    """How often in a row a server did not answer about it, although it answered about others: no tries."""

    @property
    def is_parked(self) -> bool:
        """Whether it is not tried again by itself."""
        return self.next_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the state remembers of one meeting."""

    uuid: str
    number: str
    host_id: str
    host_email: str
    topic: str
    start: datetime
    timezone: str = ""
    """Its own, an IANA name, if Zoom said it."""
    phase: Phase
    reason: str
    """The sentence that `status` shows: why it is where it is."""
    first_seen: datetime
    changed_at: datetime
    due_at: datetime | None = None
    """Waiting: no question is worth asking before this."""
    auto_delete: datetime | None = None
    size: int = 0
    receipt: Receipt | None = None
    stored_at: datetime | None = None
    """When the last new file was stored: `delete_after` counts from here. None although there is a receipt:
    adopted, and not read yet."""
    retry: Retry | None = None
    """A failed publication, also of late files of a published item."""
    refusal: Retry | None = None
    """A refused deletion."""
    kept: str = ""
    """Why the destination did not let the cloud copy go when it was last asked: something that passes by itself."""
    differs: str = ""
    """What is stored otherwise than the receipt says, until `--verify` finds it whole or it is stored anew. Of what a
    person removed it is empty."""
    asked: str = ""
    """Id of the destination in which `--meeting` wants it whole again, and could not do it: later passes go on."""
    deleted: Mapping[str, datetime] = field(default_factory=dict)
    """Ids of cloud files that we deleted, and when."""
    pending: tuple[str, ...] = ()
    """Published: what is still to come, in words (a caption that failed, …)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch of time that has not been listed completely yet, for all users or for one."""

    since: datetime
    until: datetime
    user: str | None = None
    """A user's id, or the address if Zoom gave no id; None: all users."""
    email: str = ""
    """That user's, as it was last known."""
    retry: Retry | None = None
    """Why that user's list could not be read, and when it is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Written before a call that cannot be repeated; settled after its answer, or at the next start."""

    id: str
    """Made up by us: 32 hex digits."""
    at: datetime
    action: str
    """`delete`; at a portal `create` (a media item of the meeting), `attach` (a file to one) and `invite` (a user);
    at a remote `store` (the files of an item).
    """
    uuid: str
    target: str
    """What it is done to: the cloud file's id; the role of media or file; the user's e-mail; the item's place."""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Who runs a pass, so that `status` can tell running from interrupted without a lock."""

    pid: int
    host: str
    started: str
    """The kernel's start time of the process, so that a reused pid is not taken for it; may be `""`."""


class Outcome(StrEnum):
    """What came of one thing in a pass, of a meeting mostly; counted in `Run.counts` under its value."""

    # decided on a meeting
    DUE = "due"
    WAITING = "waiting"
    SKIPPED = "skipped"
    UP_TO_DATE = "up_to_date"
    ELSEWHERE = "elsewhere"
    """Stored in another destination than the one configured."""

    # a publication
    PUBLISHED = "published"
    UPDATED = "updated"
    FAILED = "failed"
    PARKED = "parked"
    """Failed for the last time: not tried again by itself."""
    REMOVED = "removed"
    """A person had taken it out of the destination, or changed it there."""
    NO_ROOM = "no_room"
    BUGS = "bugs"
    LOST = "lost"
    """Gone from the cloud before it was fetched."""
    GONE = "gone"
    """Named by `--meeting`, and Zoom does not have it."""

    # the deletion of a cloud copy
    DELETE = "delete"
    """A dry run would delete it."""
    DELETED = "deleted"
    REFUSED = "refused"
    UNPROVEN = "unproven"
    """The destination did not prove that it has all of it."""
    ALTERED = "altered"
    """A person had removed or changed what is stored."""

    # `--verify`
    VERIFIED = "verified"
    DIFFERS = "differs"
    """What is stored is not what its receipt says."""
    UNVERIFIED = "unverified"
    """Nothing speaks against it, but the destination does not say enough, or not yet."""
    UNREAD = "unread"
    """It could not be read now, which says nothing of it."""

    # `--adopt-library`
    UNADOPTED = "unadopted"
    """An item of the library that could not be taken over."""

    # what is not about a meeting that is known
    UNLISTED = "unlisted"
    """A list that could not be read."""
    UNREADABLE = "unreadable"
    """A recording that Zoom lists in a way that no meeting can be made of it."""
    UNDELETABLE = "undeletable"
    """The app lacks the right to delete."""

    @property
    def is_failure(self) -> bool:
        """Whether a pass in which this happened ends with exit code 1."""
        return self in (
            Outcome.FAILED,
            Outcome.PARKED,
            Outcome.LOST,
            Outcome.GONE,
            Outcome.REFUSED,
            Outcome.UNPROVEN,
            Outcome.ALTERED,
            Outcome.DIFFERS,
            Outcome.UNREAD,
            Outcome.UNADOPTED,
            Outcome.UNLISTED,
            Outcome.UNREADABLE,
            Outcome.UNDELETABLE,
        )


COUNTS = (*(outcome.value for outcome in Outcome), "deleted_files", "bytes", "calls", "downloads")
"""Every key of `Run.counts`: the outcomes, files deleted in Zoom, bytes fetched, requests to Zoom's API, downloads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationStatus:
    """What was last known about the credentials."""

    zoom: str = "not checked yet"
    destination: str = "not checked yet"
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The record of one pass."""

    id: str
    """Eight hex digits; on every log line of the pass."""
    number: int
    started_at: datetime
    process: Process
    ended_at: datetime | None = None
    code: int | None = None
    """The exit code; None while it runs."""
    why: str = ""
    """What ended it, when something did."""
    narrowed: str = ""
    """How the pass was narrowed, in words; empty for a whole pass."""
    authorization: AuthorizationStatus = field(default_factory=AuthorizationStatus)
    counts: Mapping[str, int] = field(default_factory=dict)
    """How often each of `COUNTS` happened; none while it runs."""
