"""One tree of errors: each leaf says what the caller can do, and has its exit code.

Each error names its `service`, which is what failed, and its `subject`, which is whom or what that concerns.
Exit codes are promised in the README and held to it by a test.
"""

import copyreg
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal, TypedDict, TypeVar, Unpack

if TYPE_CHECKING:
    from zoomsync.model import Receipt


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom or what an error concerns, when it concerns less than the whole service."""

    kind: Literal["user", "meeting", "file"]
    id: str
    """Of a user: id or e-mail address, as it was asked for; of a meeting: its uuid."""


class Details(TypedDict, total=False):
    """What every error takes besides its message."""

    hint: str
    service: str
    subject: Subject | None


class ZoomsyncError(Exception):
    """Something that a user, Zoom, the destination or the disk caused.

    `str(error)` names the thing and the fact, `hint` the remedy: lower case, no full stop.
    """

    code: ClassVar[int] = 1
    service: str = ""
    """What failed: zoom, portal, library, remote, disk, state, ffmpeg, clock, config, cluster, machine; or `""`."""

    def __init__(self, message: str, *, hint: str = "", service: str = "", subject: Subject | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.service = service or self.service
        self.subject = subject
        """None: the service itself, or the credential."""

    def __reduce__(self) -> tuple[object, ...]:
        """Every error can go to another process and back, whatever its constructor takes."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]  # for pickle

    def become(self, kind: "type[Kind]", message: str = "") -> "Kind":
        """The same trouble as another kind of error or in other words: hint, service and subject stay."""
        return kind(message or str(self), hint=self.hint, service=self.service, subject=self.subject)


Kind = TypeVar("Kind", bound=ZoomsyncError)


class UsageError(ZoomsyncError):
    """The command line asks for something that cannot be."""

    code = 2
    service = "command line"


class ConfigError(ZoomsyncError):
    """The config cannot be used; `problems` holds every finding, each `path: fact`."""

    code = 2
    service = "config"

    def __init__(self, message: str, *, problems: Sequence[str] = (), **details: Unpack[Details]) -> None:
        super().__init__(message, **details)
        self.problems = tuple(problems)


class NotAuthorized(ZoomsyncError):
    """Zoom or the destination refuses the credential, or a scope is missing."""

    code = 3


class Forbidden(NotAuthorized):
    """Who signed in may not do this one thing; other things may be allowed."""


class AccountListFailed(ZoomsyncError):
    """The list for the whole account is refused, broken or incomplete; the lists of its users may be good."""

    service = "zoom"


class TimeOver(ZoomsyncError):
    """The time that the pass was given is over while a list is read; nothing failed, the next pass reads it."""

    service = "zoom"


class ListTooLong(ZoomsyncError):
    """The list for the whole account has too much for one window; shorter windows have less."""

    service = "zoom"


class UserFailed(ZoomsyncError):
    """Zoom says neither that it knows this user nor that it does not; this concerns no other user."""

    service = "zoom"


class PassRunning(ZoomsyncError):
    """Another pass holds the lock; no alarm."""

    code = 4
    service = "state"


class Unfit(ZoomsyncError):
    """The environment is not fit: ffmpeg, disk, staging, state, library, clock or cluster."""

    code = 5
    service = "machine"


class ToolMissing(Unfit):
    """ffmpeg or ffprobe is absent or does not run."""

    service = "ffmpeg"


class DiskFull(Unfit):
    """A file system has no room for what must be written. `room` says what there is, whoever needs it."""

    service = "disk"

    def __init__(self, message: str, *, room: str = "", **details: Unpack[Details]) -> None:
        super().__init__(message, **details)
        self.room = room


class StateUnusable(Unfit):
    """The state is damaged, newer than this program, unreadable or another user's."""

    service = "state"


class LibraryUnusable(Unfit):
    """The library is missing, foreign, not writable, or does not fit the state."""

    service = "library"


class ClockWrong(Unfit):
    """This machine's clock and Zoom's differ too much, or Zoom's is unknown while deletion is on."""

    service = "clock"


class Unreachable(ZoomsyncError):
    """Zoom or the destination does not answer, or answers nonsense, after all retries."""

    code = 6


class ServiceUnavailable(Unreachable):
    """It can be reached, but answers with an error of its own, or not in time, after all retries."""


class MeetingFailed(ZoomsyncError):
    """Something about one meeting failed; counts as a try, stops no other meeting."""


class DownloadFailed(MeetingFailed):
    """A file did not arrive as Zoom announced it: refused, cut, or not what it claims to be."""

    service = "zoom"


class Unstitchable(MeetingFailed):
    """ffmpeg cannot make one proven video of these segments."""

    service = "ffmpeg"


class Unjoinable(Unstitchable):
    """The segments do not agree and re-encoding is switched off; or their texts cannot become one."""


class StillProcessing(MeetingFailed):
    """Zoom has not finished this recording; not a try, it waits."""

    service = "zoom"


class OutcomeUnknown(MeetingFailed):
    """What became of an earlier call shows only later: no try, it is asked again; `until` says from when."""

    def __init__(self, message: str, *, until: datetime | None = None, **details: Unpack[Details]) -> None:
        super().__init__(message, **details)
        self.until = until


class DestinationUnsupported(MeetingFailed):
    """The destination fails over something that this meeting needs, whatever the meeting: no try."""


class RemovedByPerson(MeetingFailed):
    """The item was taken out of, or changed in, the destination by a person; it is left alone."""

    def __init__(self, message: str, *, altered: bool = False, **details: Unpack[Details]) -> None:
        super().__init__(message, **details)
        self.altered = altered
        """Whether something is there with other bytes, which may as well be damage."""


class PartlyStored(MeetingFailed):
    """The destination holds the item, as `receipt` says, but for some files that are neither video nor sound."""

    def __init__(
        self, message: str, *, receipt: "Receipt", lacking: Mapping[str, MeetingFailed], **details: Unpack[Details]
    ) -> None:
        super().__init__(message, **details)
        self.receipt = receipt
        self.lacking = lacking
        """Id of a cloud file → why it is not stored."""


class DeletionRefused(MeetingFailed):
    """Zoom refuses to delete this file; other deletions go on."""

    service = "zoom"


class ListingFailed(MeetingFailed):
    """One user's list could not be read completely; it becomes a gap of that user."""

    service = "zoom"


class UserUnknown(ListingFailed):
    """Zoom says that it knows no such user; one who left has no list any more."""


class Stopped(BaseException):
    """A signal asked the pass to end; not an `Exception`, so that no guard swallows it."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"stopped by signal {signum}")
        self.signum = signum

    @property
    def code(self) -> int:
        """128 + the signal's number, as a shell would report it."""
        return 128 + self.signum


BUG = 70
"""Exit code for a bug in zoomsync: the only one with a traceback."""
