"""One tree of errors; each leaf says what the caller can do, with its exit code and a hint.

Exit codes are promised in the README and held to it by a test.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from zoomsync.model import Receipt


class ZoomsyncError(Exception):
    """Something that a user, Zoom, the destination or the disk caused.

    `str(error)` names the thing and the fact, `hint` the remedy: lower case, no full stop.
    """

    code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(ZoomsyncError):
    """The command line asks for something that cannot be."""

    code = 2


class ConfigError(ZoomsyncError):
    """The config cannot be used; `problems` holds every finding, each `path: fact`."""

    code = 2

    def __init__(self, message: str, *, hint: str = "", problems: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class NotAuthorized(ZoomsyncError):
    """Zoom or the destination refuses the credential, or a scope is missing."""

    code = 3


class Forbidden(NotAuthorized):
    """Who signed in may not do this one thing; other things may be allowed."""


class AccountListRefused(ZoomsyncError):
    """Zoom refuses the list for the whole account; lists per user may be allowed."""

    code = 3


class PassRunning(ZoomsyncError):
    """Another pass holds the lock; no alarm."""

    code = 4


class Unfit(ZoomsyncError):
    """The environment is not fit: ffmpeg, disk, staging, state, library or clock."""

    code = 5


class ToolMissing(Unfit):
    """ffmpeg or ffprobe is absent or does not run."""


class DiskFull(Unfit):
    """A file system has no room for what must be written."""


class StateUnusable(Unfit):
    """The state is damaged, newer than this program, unreadable or another user's."""


class LibraryUnusable(Unfit):
    """The library is missing, foreign, not writable, or does not fit the state."""


class ClockWrong(Unfit):
    """This machine's clock and Zoom's differ too much, or Zoom's is unknown while deletion is on."""


class Unreachable(ZoomsyncError):
    """Zoom or the destination does not answer, or answers nonsense, after all retries."""

    code = 6


class MeetingFailed(ZoomsyncError):
    """Something about one meeting failed; counts as a try, stops no other meeting."""


class DownloadFailed(MeetingFailed):
    """A file did not arrive as Zoom announced it: refused, cut, or not what it claims to be."""


class Unstitchable(MeetingFailed):
    """ffmpeg cannot make one proven video of these segments."""


class Unjoinable(Unstitchable):
    """The segments do not agree and re-encoding is switched off."""


class StillProcessing(MeetingFailed):
    """Zoom has not finished this recording; not a try, it waits."""


class OutcomeUnknown(MeetingFailed):
    """What became of an earlier call shows only later: no try, it is asked again; `until` says from when."""

    def __init__(self, message: str, *, hint: str = "", until: datetime | None = None) -> None:
        super().__init__(message, hint=hint)
        self.until = until


class DestinationUnsupported(MeetingFailed):
    """The destination fails over something that this meeting needs, whatever the meeting: no try."""


class RemovedByPerson(MeetingFailed):
    """The item was taken out of, or changed in, the destination by a person; it is left alone."""


class PartlyStored(MeetingFailed):
    """The destination holds the item, as `receipt` says, but for some files that are neither video nor sound."""

    def __init__(self, message: str, *, hint: str, receipt: "Receipt", lacking: Mapping[str, MeetingFailed]) -> None:
        super().__init__(message, hint=hint)
        self.receipt = receipt
        self.lacking = lacking
        """Id of a cloud file → why it is not stored."""


class DeletionRefused(MeetingFailed):
    """Zoom refuses to delete this file; other deletions go on."""


class ListingFailed(MeetingFailed):
    """One user's list could not be read completely; it becomes a gap of that user."""


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
