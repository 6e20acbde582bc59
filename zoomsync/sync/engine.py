"""One pass of `sync`, in eight numbered steps. No rule about recordings lives here."""

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from zoomsync.config import Config
from zoomsync.console import fields, log_context
from zoomsync.destinations.base import Destination
from zoomsync.errors import (
    ConfigError,
    DiskFull,
    Forbidden,
    NotAuthorized,
    StateUnusable,
    Unfit,
    Unreachable,
    ZoomsyncError,
)
from zoomsync.formatting import plural
from zoomsync.http import brief
from zoomsync.model import AuthorizationStatus, Clock, Entry, Gap, Meeting, Outcome, User, Verdict, Zoom
from zoomsync.progress import Progress
from zoomsync.rules.ledger import Done
from zoomsync.rules.publish import Decision, Rules, decide, sorted_by_urgency
from zoomsync.rules.request import SyncRequest
from zoomsync.rules.retry import is_asked_briefly
from zoomsync.rules.windows import add_gap, next_sweep, with_ids
from zoomsync.state import State
from zoomsync.sync.accounts import Hosts, authorize, count_authors, hosts_of_pass
from zoomsync.sync.breaker import Breaker, ForbiddenHosts
from zoomsync.sync.lister import Lister, troubles_of
from zoomsync.sync.lookups import Lookups
from zoomsync.sync.reader import Reader, Reading, Selection, begin_of_pass, rules_of_pass, windows_of_pass
from zoomsync.sync.recorder import Job, Recorder
from zoomsync.sync.tally import Tally
from zoomsync.sync.workers import GRACE_SECONDS, Workers

if TYPE_CHECKING:  # a pass with nothing new imports none of it
    from zoomsync.item.order import Engine
    from zoomsync.item.worker import WorkerContext
    from zoomsync.sync.deleter import Deleter

log = logging.getLogger(__name__)

Result: TypeAlias = Done | Decision
"""What comes of a job: a meeting is stored, or turns out not to be due any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """What a pass is given to work with; put together by the command line, or by a test."""

    config: Config
    request: SyncRequest
    state: State
    executor: Executor
    zoom: Zoom
    destination: Destination
    clock: Clock
    progress: Progress
    worker_context: "Callable[[], WorkerContext]"
    """Puts together what the workers share, once something is due; the pass adds the users that it comes to know."""
    deleter: "Deleter | None"
    """None in a dry run; and if `delete_recordings` is `never` and no earlier deletion waits to be settled."""


class Pass:
    """One run of `sync`, or its plan in a dry run. It alone writes the state; `tally` says what happened."""

    def __init__(self, connected: Connections, tally: Tally) -> None:
        self._connected = connected
        self._clock = connected.clock
        self._destination = connected.destination
        self._recorder = Recorder(connected.state, self._clock, self._destination, connected.request, tally)
        self._forbidden = ForbiddenHosts(self._recorder)
        self._zoom_breaker = Breaker(connected.zoom.ping)
        self._destination_breaker = Breaker(self._destination.ping)
        limit = connected.request.max_duration
        self._over_at = math.inf if limit is None else self._clock.monotonic() + limit.total_seconds()
        connected.zoom.over_at = self._over_at
        self._engine: Engine | None = None
        """What makes items; None: nothing was due yet."""
        self._ending: ZoomsyncError | None = None
        """What ends the pass early: nothing new is begun."""
        self._deletions_ended: ZoomsyncError | None = None
        """What ended the deletions alone, other than Zoom's answers: whether Zoom is well, the lists show."""

    def run(self) -> None:
        """The whole pass. Raises what ended it early; what failed within it is in the tally, and said at the end."""
        try:
            self._run()
        finally:
            if self._engine is not None:
                self._recorder.tally.calls, self._recorder.tally.downloads = self._engine.requests
            self._recorder.sum_up()

    def _run(self) -> None:
        request, config, zoom = self._connected.request, self._connected.config, self._connected.zoom
        recorder, tally, breaker, now = self._recorder, self._recorder.tally, self._zoom_breaker, self._clock.now()
        # 1. The command has opened config, state and destination, each with its lock.
        # 2. The token, the clocks, and what the app may do.
        wanted, may_delete = authorize(config, zoom, now)
        tally.is_authorized = True
        # 3. The users; and what became of deletions whose answer an earlier pass never saw.
        lookups = Lookups(
            zoom,
            recorder.entries.hosts(),
            now,
            breaker=breaker,
            troubles=recorder.head.lookups,
            ignores_delays=request.retry_failed,
        )
        hosts = hosts_of_pass(wanted, request.users, lookups)
        rules = self._begin(hosts, lookups.ids, now)
        selection = Selection(request=request, rules=rules, hosts=hosts)
        # 4. Deletions of what earlier passes published; some turn out to have late files. What fails ends no more.
        late = self._delete(selection, may_delete=may_delete)
        # 5. Listing, window by window, newest first; with the first window every open entry is read.
        lister = Lister(
            zoom,
            hosts,
            breaker,
            is_account_wide=wanted.is_account_wide,
            now=now,
            troubles=troubles_of(recorder.head),
            ignores_delays=request.retry_failed,
        )
        windows = windows_of_pass(request, rules, config.recordings.lookback, recorder.head)
        try:
            reader = Reader(zoom, lister, recorder, breaker, selection)
            readings = reader.run(windows, late, lookback=config.recordings.lookback, is_over=self._is_over)
            self._publish(readings, lister.users, rules)
        except Unreachable as unreachable:
            breaker.is_down(unreachable)
            self._correct(lister)
            raise
        # 8. What the pass leaves, and what ended it; the record of the run is in `run_record`.
        if unlisted := tally.outcomes[Outcome.UNLISTED]:
            tally.left.append(f"{plural(unlisted, 'list')} that could not be read")
        down = self._zoom_breaker.settle() or self._destination_breaker.settle()
        forbidden = self._forbidden.settle()
        self._correct(lister)
        recorder.warn_at_end(config.named_meetings, deletes=config.delete_recordings != "never")
        problem = self._engine.problem if self._engine is not None else None
        if ending := self._ending or down or forbidden or self._deletions_ended or problem:
            raise ending

    def _publish(self, readings: Iterable[Reading], users: Mapping[str, User], rules: Rules) -> None:
        """Plan and publish what is read; in a dry run look ahead to the authors instead."""
        due_hosts, workers = dict[str, User](), None
        try:
            for reading in readings:
                # 6. The plan: decided by pure rules, and written down before any of it is begun.
                jobs = self._plan(reading, rules)
                if not jobs:
                    continue
                workers = workers or self._open_workers(users, rules)
                if self._connected.request.dry_run:
                    due_hosts |= {job.entry.host_id: job.action.meeting.host for job in jobs}
                    continue
                # 7. One meeting is one job in a worker; this thread alone writes down what came of it.
                self._work_off(workers, jobs)
        finally:
            if workers is not None:
                self._drain(workers)
        if self._connected.request.dry_run:
            hosts = [users.get(host, user) for host, user in due_hosts.items()]
            self._recorder.tally.authors = count_authors(hosts, self._destination)

    def _correct(self, lister: Lister) -> None:
        """Write down what turned out by now of the lists that failed."""
        head = self._recorder.head
        self._recorder.move(replace(head, gaps=lister.corrected(head.gaps)), at_once=False)

    def _begin(self, hosts: Hosts, ids: Mapping[str, str], now: datetime) -> Rules:
        """Fix `since`, open the gap since the last pass and, if one is due, the sweep's; returns the rules.

        `ids` has the users' ids by their addresses: what was a gap under an address is one of its user.
        """
        config, request, head = self._connected.config, self._connected.request, self._recorder.head
        since = begin_of_pass(config, head, now)
        gaps = with_ids(head.gaps, ids)
        if not request.narrowed:
            listed_till = head.listed_till if head.listed_till and head.listed_till <= now else since
            gaps = add_gap(gaps, Gap(since=max(since, listed_till), until=now))
            head = replace(head, listed_till=now)
        is_due = next_sweep(head.swept_at, config.recordings.sweep, now) == now
        is_sweep = not request.narrowed and (is_due or head.fingerprint != config.fingerprint())
        if is_sweep:
            self._connected.state.prove()
            gaps = add_gap(gaps, Gap(since=since, until=now))
            head = replace(head, swept_at=now, fingerprint=config.fingerprint())
        destination = self._destination.id
        authorized = AuthorizationStatus(zoom="authorized", destination="authorized", checked_at=now)
        is_fixed = head.since is not None and head.since <= now
        head = replace(head, since=head.since if is_fixed else since, gaps=gaps, lookups=hosts.lookups)
        head = replace(head, destination=destination, authorization=authorized)
        self._recorder.move(head, at_once=not is_fixed)  # else a pass killed now just opens the same gap again
        return rules_of_pass(config, request, hosts, destination=destination, since=since, now=now, is_sweep=is_sweep)

    def _delete(self, selection: Selection, *, may_delete: bool) -> list[Meeting]:
        """Delete what earlier passes published; returns the meetings that turn out to have late files.

        Whatever fails here ends the deletions at most: listing and publishing have their turn.
        """
        connected, recorder = self._connected, self._recorder
        if connected.deleter is None and selection.rules.delete == "never":
            return []
        from zoomsync.sync.deleter import Deletions

        breakers = self._zoom_breaker, self._destination_breaker
        submit = connected.executor.submit
        deletions = Deletions(
            connected.zoom, recorder, breakers, lambda entry: submit(self._verify, entry), connected.deleter
        )
        try:
            if connected.deleter is not None:
                connected.deleter.settle_open(self._zoom_breaker)
            if selection.rules.delete == "never":
                return []
            if not may_delete:
                recorder.tally.outcomes[Outcome.UNDELETABLE] += 1
                log.error("zoom: the app lacks the scope to delete: nothing is deleted; the README names the scope")
                return []
            if connected.request.dry_run:
                recorder.tally.left.append("whether the stored files of what would be deleted are whole")
            deletions.run(
                selection.rules,
                includes=selection.includes,
                limit=connected.config.delete_limit,
                ahead=connected.config.workers,
                is_over=self._is_over,
            )
        except StateUnusable:
            raise  # nothing that follows could be written down either
        except ZoomsyncError as error:
            recorder.deletions_ended(error)
            self._zoom_breaker.forget()
            self._deletions_ended = error if error.service != "zoom" else None
        return deletions.late

    def _verify(self, entry: Entry) -> Verdict:
        """In a worker: what the destination says of the stored files."""
        if entry.receipt is None:
            raise TypeError("a deletion is due only with a receipt")
        with brief(on=is_asked_briefly(entry.refusal)):
            return self._destination.verify(entry.receipt)

    def _plan(self, reading: Reading, rules: Rules) -> list[Job]:
        """What to do with each meeting that was read, most urgent first."""
        recorder = self._recorder
        decisions: list[tuple[Meeting, Decision]] = []
        known: dict[str, Entry] = {}
        for found in reading.meetings:
            with recorder.guarded(found):
                if (entry := recorder.entries.get(found.uuid)) is not None:
                    known[found.uuid] = entry
                decisions.append((found, decide(found, entry, rules)))
        failed = {uuid for uuid, entry in known.items() if entry.retry is not None}
        jobs = recorder.planned(sorted_by_urgency(decisions, failed, rules.now), known)
        recorder.move(reading.head, at_once=not reading.is_lookback)  # that one is listed in every pass
        return jobs

    def _open_workers(self, users: Mapping[str, User], rules: Rules) -> Workers[Job, Result]:
        """Now that something is due, and before anything is fetched: if nothing can be made nothing is begun."""
        connected = self._connected
        context = replace(connected.worker_context(), users=users)
        engine = self._engine = context.engine
        try:
            engine.prepare(is_dry=connected.request.dry_run)
        except (ConfigError, Unfit) as error:
            self._ending = self._ending or error
        work = partial(self._work, rules=rules, context=context)
        return Workers(connected.executor, connected.config.workers, self._clock, work, lambda: engine.ahead)

    def _work(self, job: Job, rules: Rules, context: "WorkerContext") -> Result:
        """In a worker: publish one meeting, unless the destination has refused its host."""
        from zoomsync.item.worker import publish

        with log_context(job.entry):
            if (postponed := self._forbidden.postponed(job.entry, rules.now)) is not None:
                return postponed
            retry = job.entry.retry  # what disk or credential caused says nothing of how patient to be with a server
            is_silent = is_asked_briefly(retry)
            has_failed = retry is not None and retry.tries > 0
            with brief(on=is_silent or has_failed, seconds=None if is_silent else math.inf):
                return publish(job.action, job.entry, rules, context)

    def _work_off(self, workers: Workers[Job, Result], jobs: list[Job]) -> None:
        """Work off the jobs until all are done, or until nothing new may be begun."""
        size = sum(job.action.size for job in jobs)
        log.info("%s due", plural(len(jobs), "meeting"), extra=fields(event="due", meetings=len(jobs), bytes=size))
        self._connected.progress.due(len(jobs), size)
        left = len(jobs)
        for job, future in workers.work_off(jobs, may_begin=lambda: not self._is_over()):
            left -= 1
            self._connected.progress.ended()
            self._take(job, future)
        if left:
            self._recorder.tally.left.append(f"{plural(left, 'meeting')} due and not begun")

    def _is_over(self) -> bool:
        """Whether nothing new may be begun."""
        return self._ending is not None or self._clock.monotonic() >= self._over_at

    def _take(self, job: Job, future: "Future[Result]") -> None:
        """Write down what came of one job. A failure ends the pass only if its cause concerns the others too."""
        recorder, entry = self._recorder, job.entry
        try:
            with recorder.guarded(entry):
                self._write_down(job, future.result())
                self._zoom_breaker.answered()
                self._destination_breaker.answered()
                self._forbidden.succeeded(entry)
        except Forbidden as error:
            self._ending = self._ending or (error if self._forbidden.add(entry, error) else None)
        except Unreachable as error:
            recorder.failed(entry, error)
            breaker = self._zoom_breaker if error.service == "zoom" else self._destination_breaker
            try:
                breaker.failed(partial(recorder.take_back, entry, error))
            except ZoomsyncError as down:
                self._ending = self._ending or down
        except DiskFull as error:  # a smaller meeting may have room
            recorder.failed(entry, error)
            recorder.tally.outcomes[Outcome.NO_ROOM] += 1
        except (ConfigError, NotAuthorized, Unfit) as error:
            recorder.failed(entry, error)
            self._ending = self._ending or error
        except ZoomsyncError as error:
            recorder.failed(entry, error)

    def _write_down(self, job: Job, result: Result) -> None:
        if isinstance(result, Done):
            self._recorder.stored(job, result)
        else:
            self._recorder.decided(job.entry, result)

    def _drain(self, workers: Workers[Job, Result]) -> None:
        """Once the pass is stopped, a result that still comes in time is written down, and nothing else is."""
        for job, future in workers.drain(GRACE_SECONDS):
            if future.exception() is None:
                self._write_down(job, future.result())
