"""Around a pass: the record of the run, what ended it, its exit code, and the folding of the journal."""

import logging
from collections.abc import Callable
from dataclasses import replace

from zoomsync.errors import BUG, DiskFull, NotAuthorized, Stopped, Unreachable, ZoomsyncError
from zoomsync.model import AuthorizationStatus, Clock, Process, Run
from zoomsync.rules.publish import SyncRequest
from zoomsync.state import State
from zoomsync.sync.recorder import Tally

log = logging.getLogger(__name__)

NO_ROOM = DiskFull("no room for some of the meetings", hint="free some space, or lower min_free_disk")


class RunRecord:
    """One run on the books of the state, from its start to its end, whatever ends it."""

    def __init__(self, state: State, clock: Clock, *, run_id: str, process: Process, order: SyncRequest) -> None:
        self._state = state
        self._clock = clock
        self.run = Run(
            id=run_id,
            number=state.head.pass_number + 1,
            started_at=clock.now(),
            process=process,
            narrowed=order.narrowed,
            authorization=state.head.authorization,
        )

    def begin(self) -> None:
        """Record the start."""
        self._state.update(pass_number=self.run.number)
        self._state.record(self.run)

    def go(self, work: Callable[[], None], tally: Callable[[], Tally]) -> tuple[Run, ZoomsyncError | None]:
        """Do the work; the finished record, and the error that ended it. A stop and a bug are recorded and go on up."""
        ending: ZoomsyncError | None = None
        is_whole = False
        try:
            work()
        except ZoomsyncError as error:
            ending = error
        except Stopped as stop:
            self.end(tally(), code=stop.code, why=str(stop))
            raise
        else:
            is_whole = True
        finally:
            if not is_whole and ending is None and self.run.ended_at is None:
                self.end(tally(), code=BUG, why="a bug in zoomsync")
        found = tally()
        if ending is None and found.counts["no_room"]:
            ending = NO_ROOM
        code = ending.code if ending is not None else BUG if found.counts["bugs"] else int(found.has_failures)
        self.end(found, code=code, why=str(ending or ""), authorization=self._authorization(ending, found))
        self._state.fold()
        return self.run, ending

    def _authorization(self, ending: ZoomsyncError | None, tally: Tally) -> AuthorizationStatus:
        """What the end tells about the credentials."""
        known = self.run.authorization
        now = self._clock.now()
        if tally.is_authorized:
            known = AuthorizationStatus(zoom="authorized", destination="authorized", checked_at=now)
        if isinstance(ending, NotAuthorized):
            return replace(_about(known, f"refused: {ending}", ending), checked_at=now)
        if isinstance(ending, Unreachable):
            return _about(known, f"unknown: {ending}", ending)
        return known

    def end(self, tally: Tally, *, code: int, why: str, authorization: AuthorizationStatus | None = None) -> None:
        """Record the end."""
        self.run = replace(
            self.run,
            ended_at=self._clock.now(),
            code=code,
            why=why,
            counts=dict(tally.counts),
            authorization=authorization or self.run.authorization,
        )
        self._state.record(self.run)
        if authorization is not None:
            self._state.update(authorization=authorization)


def _about(known: AuthorizationStatus, fact: str, ending: ZoomsyncError) -> AuthorizationStatus:
    """The status with a fact about the service that the error names."""
    return replace(known, zoom=fact) if ending.service == "zoom" else replace(known, destination=fact)
