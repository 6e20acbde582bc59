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
    """When the last new file was stored: `delete_after` counts from here."""
    retry: Retry | None = None
    """A failed publication, also of late files of a published item."""
    refusal: Retry | None = None
    """A refused deletion."""
    kept: str = ""
    """Why the destination did not let the cloud copy go when it was last asked: something that passes by itself."""
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
    """A user's id; None: all users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Written before a call that cannot be repeated; settled after its answer, or at the next start."""

    id: str
    """Made up by us: 32 hex digits."""
    at: datetime
    action: str
    """`delete`; at a portal `create` (a media of the meeting), `attach` (a file to one) and `invite` (a user)."""
    uuid: str
    target: str
    """What it is done to: the cloud file's id; the role of the media or file; the user's e-mail."""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Who runs a pass, so that `status` can tell running from interrupted without a lock."""

    pid: int
    host: str
    started: str
    """The kernel's start time of the process, so that a reused pid is not taken for it; may be `""`."""


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
    """`published`, `updated`, `deleted`, `waiting`, `skipped`, `failed`, `bytes`, `calls`, `downloads` …"""
