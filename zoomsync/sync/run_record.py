"""Around a pass: the record of the run, what ended it, and its exit code."""

import logging
from collections.abc import Callable
from dataclasses import replace

from zoomsync.errors import BUG, DiskFull, NotAuthorized, Stopped, TimeOver, Unreachable, ZoomsyncError
from zoomsync.model import AuthorizationStatus, Clock, Outcome, Process, Run
from zoomsync.rules.request import SyncRequest
from zoomsync.state import State
from zoomsync.sync.tally import Tally

log = logging.getLogger(__name__)

NO_ROOM = DiskFull("no room for some of the meetings", hint="free some space, or lower min_free_disk")


class RunRecord:
    """The record of one run in the state, from its start to its end, whatever ends it."""

    def __init__(self, state: State, clock: Clock, *, run_id: str, process: Process, request: SyncRequest) -> None:
        self._state = state
        self._clock = clock
        self.run = Run(
            id=run_id,
            number=state.head.pass_number + 1,
            started_at=clock.now(),
            process=process,
            narrowed=request.narrowed,
            authorization=state.head.authorization,
        )

    def begin(self) -> None:
        """Record the start."""
        self._state.record(self.run, pass_number=self.run.number)

    def go(self, work: Callable[[], None], tally: Tally) -> tuple[Run, ZoomsyncError | None]:
        """Do the work; the finished record, and the error that ended it. A stop and a bug are recorded and go on up."""
        ending: ZoomsyncError | None = None
        is_explained, why = False, ""
        try:
            work()
            is_explained = True
        except TimeOver as over:  # no failure, and no pass that has finished
            is_explained, why = True, str(over)
        except ZoomsyncError as error:
            ending, is_explained = error, True
        except Stopped as stop:
            self.end(tally, code=stop.code, why=str(stop))
            raise
        finally:
            if not is_explained and self.run.ended_at is None:
                self.end(tally, code=BUG, why="a bug in zoomsync")
        if ending is None and tally.outcomes[Outcome.NO_ROOM]:
            ending = NO_ROOM
        code = ending.code if ending is not None else tally.code
        if tally.outcomes[Outcome.BUGS] and (ending is NO_ROOM or code == ZoomsyncError.code):
            code = BUG
        self.end(tally, code=code, why=str(ending or why), authorization=self._authorization(ending, tally))
        return self.run, ending

    def end(self, tally: Tally, *, code: int, why: str, authorization: AuthorizationStatus | None = None) -> None:
        """Record the end; if that fails, the run has none: nobody is told that all went well."""
        ended = replace(
            self.run,
            ended_at=self._clock.now(),
            code=code,
            why=why,
            counts=tally.counts,
            authorization=authorization or self.run.authorization,
        )
        self._state.record(ended, **({} if authorization is None else {"authorization": authorization}))
        self.run = ended

    def _authorization(self, ending: ZoomsyncError | None, tally: Tally) -> AuthorizationStatus:
        """What this run found out about the credentials. An error that names no service is the destination's."""
        now, known = self._clock.now(), self.run.authorization
        if tally.is_authorized:
            known = AuthorizationStatus(zoom="authorized", destination="authorized", checked_at=now)
        if isinstance(ending, NotAuthorized):
            fact, known = f"refused: {ending}", replace(known, checked_at=now)
        elif isinstance(ending, Unreachable):
            fact = f"unknown: {ending}"
        else:
            return known
        return replace(known, zoom=fact) if ending.service == "zoom" else replace(known, destination=fact)
