"""One pass: authorize, select, delete what is due, list, plan, work off, write down. No rule lives here."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace

from zoomsync.config import Config
from zoomsync.console import log_context
from zoomsync.destinations.base import Destination
from zoomsync.errors import (
    ConfigError,
    DiskFull,
    Forbidden,
    MeetingFailed,
    NotAuthorized,
    Unfit,
    Unreachable,
    ZoomsyncError,
)
from zoomsync.formatting import plural
from zoomsync.item.worker import WorkerContext, publish
from zoomsync.model import DAY, AuthorizationStatus, Clock, Gap, Meeting, User, Zoom
from zoomsync.rules.ledger import Done
from zoomsync.rules.publish import Decision, Rules, SyncRequest, decide, sorted_by_urgency
from zoomsync.rules.windows import add_gap
from zoomsync.state import State
from zoomsync.sync.accounts import (
    GrantedScopes,
    Hosts,
    account_filter,
    check_clock,
    granted_scopes,
    narrow_hosts,
    require_scopes,
    require_somebody,
    select_hosts,
)
from zoomsync.sync.authors import AuthorForecast
from zoomsync.sync.breaker import Breaker, Patience
from zoomsync.sync.deleter import Deleter, Deletions
from zoomsync.sync.lister import Lister
from zoomsync.sync.reader import Reader, Reading, stretches_of
from zoomsync.sync.recorder import Job, Recorder
from zoomsync.sync.workers import Workers

log = logging.getLogger(__name__)

FIRST_REACH = 30 * DAY
"""How far back the first pass goes when the config does not say."""
GRACE_SECONDS = 4.0
"""How long jobs in flight may take to end by themselves once the pass is stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What a pass is connected to; put together by the command line, or by a test."""

    config: Config
    order: SyncRequest
    zoom: Zoom
    clock: Clock
    state: State
    destination: Destination
    deleting: Deleter | None
    """None in a dry run."""
    executor: Executor
    shop: Callable[[Mapping[str, User]], WorkerContext]
    """What the workers share, given the users as they become known."""


class Pass:
    """One run of `sync`, or as a dry run its plan. It alone writes the state; `book.tally` tells what happened."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._config = wiring.config
        self._order = wiring.order
        self._zoom = wiring.zoom
        self._clock = wiring.clock
        self._now = wiring.clock.now()
        self._began = wiring.clock.monotonic()
        self._ending: ZoomsyncError | None = None
        self._patience = Patience()
        self.book = Recorder(wiring.state, wiring.clock, wiring.destination, wiring.order)
        self._blame = Breaker(self.book)
        self._users: Mapping[str, User] = {}
        self._foreseeing = AuthorForecast(wiring.destination, self.book.tally.counts)
        self.not_looked_at: list[str] = []

    def run(self) -> None:
        """The whole pass. Raises what ended it early; what failed within it is in the tally."""
        may = self._authorize()
        selected = self._select(may)
        lister = Lister(self._zoom, selected, is_account_wide=self._is_account_wide(may), patience=self._patience)
        self._users = lister.users
        is_sweep = self._begin()
        rules = replace(self._rules(selected), is_sweep=is_sweep)
        reader = Reader(
            zoom=self._zoom,
            lister=lister,
            hosts=selected,
            book=self.book,
            order=self._order,
            rules=rules,
            patience=self._patience,
        )
        late = self._delete(may, reader, rules)
        lookback = Gap(since=self._now - self._config.recordings.lookback, until=self._now)
        stretches = stretches_of(self._order, rules, lookback, self.book.head.gaps)
        team = self._team(rules, lister)
        try:
            for reading in reader.run(stretches, late, is_over=self._is_over, compare=is_sweep):
                self._work_off(team, self._decide(reading, rules))
        finally:
            self._drain(team)
        if unlisted := self.book.tally.counts["unlisted"]:
            self.not_looked_at.append(f"{plural(unlisted, 'list')} that could not be read")
        self.not_looked_at += [f"recordings from {w.since:%Y-%m-%d} to {w.until:%Y-%m-%d}" for w in reader.not_listed]
        forbidden = self._blame.settle()
        self._ending = self._ending or forbidden
        self.book.remind(self._config.hold_meetings)
        if self._ending is not None:
            raise self._ending

    def _authorize(self) -> GrantedScopes:
        deletes = self._config.delete_recordings != "never"
        authorization = self._zoom.authorize()
        check_clock(authorization.server_date, self._now, deletes=deletes)
        may = granted_scopes(authorization, account_filter(self._config), deletes=deletes)
        require_scopes(may)
        self.book.tally.is_authorized = True
        return may

    def _is_account_wide(self, may: GrantedScopes) -> bool:
        wanted = account_filter(self._config)
        return wanted.is_account_wide and (may.may_list_account or wanted.listing == "account")

    def _select(self, may: GrantedScopes) -> Hosts:
        wanted = account_filter(self._config)
        if not self._is_account_wide(may):
            wanted = replace(wanted, listing="users")
        found = select_hosts(wanted, self._zoom, self.book.entries)
        for warning in found.warnings:
            log.warning("%s", warning)
        require_somebody(found)
        return narrow_hosts(found, self._order.users, self._zoom)

    def _begin(self) -> bool:
        """Fix `since`, open the gap since the last pass and, when one is due, the sweep's; whether it is."""
        head, config = self.book.head, self._config.recordings
        since = config.since or head.since or self._now - FIRST_REACH
        if since > self._now:
            raise ConfigError("recordings.since: lies in the future: nothing would ever be fetched", hint="correct it")
        is_sweep = not self._order.narrowed and self._is_sweep_due()
        if not self._order.narrowed:
            listed_till = head.listed_till if head.listed_till and head.listed_till <= self._now else since
            gap = Gap(since=max(since, listed_till), until=self._now)
            head = replace(head, gaps=add_gap(head.gaps, gap), listed_till=self._now)
        if is_sweep:
            whole = add_gap(head.gaps, Gap(since=since, until=self._now))
            head = replace(head, gaps=whole, swept_at=self._now, fingerprint=self._config.fingerprint())
        known = AuthorizationStatus(zoom="authorized", destination="authorized", checked_at=self._now)
        head = replace(head, destination=self._wiring.destination.id, authorization=known)
        self.book.put(head=replace(head, since=head.since or since))
        return is_sweep

    def _is_sweep_due(self) -> bool:
        every, head = self._config.recordings.sweep, self.book.head
        is_current = head.swept_at is not None and head.swept_at <= self._now
        is_old = every is not None and not (is_current and head.swept_at and self._now < head.swept_at + every)
        return is_old or head.fingerprint != self._config.fingerprint()

    def _rules(self, selected: Hosts) -> Rules:
        config, order = self._config, self._order
        since = config.recordings.since or self.book.head.since or self._now - FIRST_REACH
        return Rules(
            now=self._now,
            since=max(since, order.since or since),
            until=order.until,
            settle=config.recordings.settle,
            min_duration=config.recordings.min_duration,
            views=config.recordings.views,
            only_primary=config.destination.only_primary,
            kinds=config.kinds,
            hosts=selected.ids,
            excluded_hosts=selected.excluded,
            excluded=config.exclude_meetings,
            held=config.hold_meetings,
            asked=frozenset(order.meetings),
            retry_failed=order.retry_failed,
            destination=self._wiring.destination.id,
            delete="never" if order.no_delete else config.delete_recordings,
            delete_after=config.delete_after,
        )

    def _delete(self, may: GrantedScopes, reader: Reader, rules: Rules) -> list[Meeting]:
        """Delete what earlier passes published; returns the meetings that turn out to have late files."""
        if self._wiring.deleting is not None:
            self._wiring.deleting.settle_open()
        if rules.delete == "never":
            return []
        if not may.may_delete:
            self.book.tally.counts["undeletable"] += 1
            log.error("zoom: the app lacks the scope to delete: nothing is deleted; the README names the scope")
            return []
        if self._order.dry_run:
            self.not_looked_at.append("whether the stored files of what would be deleted are whole")
        cleaning = Deletions(
            zoom=self._zoom,
            book=self.book,
            destination=self._wiring.destination,
            deleting=self._wiring.deleting,
            executor=self._wiring.executor,
            clock=self._clock,
            ahead=self._config.workers,
            patience=self._patience,
        )
        entries = [entry for entry in self.book.entries if reader.is_in_order(entry)]
        late = cleaning.run(entries, rules, limit=self._config.delete_limit, is_over=self._is_over)
        self.not_looked_at += [cleaning.left] if cleaning.left else []
        return late

    def _decide(self, reading: Reading, rules: Rules) -> list[Job]:
        """What to do with each meeting that was read, most urgent first; written down before any of it begins."""
        answers = [(found, decide(found, self.book.entry(found.uuid), rules)) for found in reading.meetings]
        failed = {entry.uuid for entry in self.book.entries if entry.retry is not None}
        jobs = self.book.decide(sorted_by_urgency(answers, failed, rules.now), reading.head)
        if jobs and not self._order.dry_run:
            log.info("%s due", plural(len(jobs), "meeting"))
        if self._order.dry_run:
            self._foreseeing.look([job.action.meeting for job in jobs], self._users)
            return []
        return jobs

    def _team(self, rules: Rules, lister: Lister) -> Workers[Job, "Done | Decision"]:
        shop = self._wiring.shop(lister.users)

        def run(job: Job) -> "Done | Decision":
            with log_context(job.entry):
                return self._blame.put_off(job.entry, rules.now) or publish(job.action, job.entry, rules, shop)

        return Workers(self._wiring.executor, self._config.workers, self._clock, run)

    def _work_off(self, team: Workers[Job, "Done | Decision"], jobs: list[Job]) -> None:
        left = len(jobs)
        for job, future in team.work_off(jobs, may_begin=lambda: not self._is_over()):
            left -= 1
            self._take(job, future)
        if left:
            self.not_looked_at.append(f"{plural(left, 'meeting')} due and not begun")

    def _is_over(self) -> bool:
        """Whether nothing new may be begun."""
        limit = self._order.max_duration
        is_late = limit is not None and self._clock.monotonic() - self._began >= limit.total_seconds()
        return is_late or self._ending is not None

    def _take(self, job: Job, future: "Future[Done | Decision]") -> None:
        """Write down what became of one meeting; one that failed never stops the others, unless its cause would."""
        try:
            result = future.result()
        except (Unreachable, Forbidden) as error:
            is_too_much = self._blame.add(job.entry, error)
            self._ending = self._ending or (error if is_too_much else None)
        except (ConfigError, NotAuthorized, Unfit) as error:
            self.book.failed(job.entry, error)
            self._ending = self._ending or (error if not isinstance(error, DiskFull) else None)
            self.book.tally.counts["no_room"] += isinstance(error, DiskFull)
        except ZoomsyncError as error:
            self.book.failed(job.entry, error)
        except Exception as bug:  # the guard around one meeting: a bug in it must not stop the others
            log.exception("a bug in zoomsync")
            self.book.tally.counts["bugs"] += 1
            self.book.failed(job.entry, MeetingFailed(f"bug: {type(bug).__name__}: {bug}", hint="report it"))
        else:
            self._blame.came_through(job.entry)
            self._conclude(job, result)

    def _conclude(self, job: Job, result: "Done | Decision") -> None:
        if isinstance(result, Done):
            self.book.stored(job, result)
        else:
            self.book.answer(job.entry, result)

    def _drain(self, team: Workers[Job, "Done | Decision"]) -> None:
        """What was in flight when the pass was stopped: a result that still comes is written down, nothing else is."""
        if team.is_idle:
            return
        for job, future in team.drain(GRACE_SECONDS):
            if future.exception() is None:
                self._conclude(job, future.result())
