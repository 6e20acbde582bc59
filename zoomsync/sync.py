"""One pass: authorize, select, delete what is due, list, plan, work off, write down. No rule lives here."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import Protocol

from zoomsync import access, gaps, hosts, plan, readings, urgency, work
from zoomsync.about import about
from zoomsync.blame import Blame
from zoomsync.book import Book, Job
from zoomsync.cleaning import Cleaning
from zoomsync.config import Config
from zoomsync.deleting import Deleting
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
from zoomsync.foreseeing import Foreseeing
from zoomsync.hosts import Hosts
from zoomsync.listing import Lister, Lists
from zoomsync.model import DAY, AuthorizationStatus, Clock, Gap, Meeting, User
from zoomsync.order import Order
from zoomsync.patience import Patience
from zoomsync.readings import Reading, Readings
from zoomsync.shop import Destination, Reader, Shop
from zoomsync.state import State
from zoomsync.team import Team
from zoomsync.words import plural

log = logging.getLogger(__name__)

FIRST_REACH = 30 * DAY
"""How far back the first pass goes when the config does not say."""
GRACE_SECONDS = 4.0
"""How long jobs in flight may take to end by themselves once the pass is stopped."""


class Zoom(Lister, Reader, Protocol):
    """Zoom, as a pass uses it."""

    def authorize(self) -> access.Authorization:
        """Get a token; raises `NotAuthorized`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What a pass is connected to; put together by the command line, or by a test."""

    config: Config
    order: Order
    zoom: Zoom
    clock: Clock
    state: State
    destination: Destination
    deleting: Deleting | None
    """None in a dry run."""
    executor: Executor
    shop: Callable[[Mapping[str, User]], Shop]
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
        self.book = Book(wiring.state, wiring.clock, wiring.destination, wiring.order)
        self._blame = Blame(self.book)
        self._users: Mapping[str, User] = {}
        self._foreseeing = Foreseeing(wiring.destination, self.book.tally.counts)
        self.not_looked_at: list[str] = []

    def run(self) -> None:
        """The whole pass. Raises what ended it early; what failed within it is in the tally."""
        may = self._authorize()
        selected = self._select(may)
        lists = Lists(self._zoom, selected, is_account_wide=self._is_account_wide(may), patience=self._patience)
        self._users = lists.users
        is_sweep = self._begin()
        rules = replace(self._rules(selected), is_sweep=is_sweep)
        reader = Readings(
            zoom=self._zoom,
            lists=lists,
            hosts=selected,
            book=self.book,
            order=self._order,
            rules=rules,
            patience=self._patience,
        )
        late = self._delete(may, reader, rules)
        lookback = Gap(since=self._now - self._config.recordings.lookback, until=self._now)
        stretches = readings.windows(self._order, rules, lookback, self.book.head.gaps)
        team = self._team(rules, lists)
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

    def _authorize(self) -> access.Access:
        deletes = self._config.delete_recordings != "never"
        authorization = self._zoom.authorize()
        access.check_clock(authorization.server_date, self._now, deletes=deletes)
        may = access.access(authorization, hosts.wanted(self._config), deletes=deletes)
        access.require(may)
        self.book.tally.is_authorized = True
        return may

    def _is_account_wide(self, may: access.Access) -> bool:
        wanted = hosts.wanted(self._config)
        return wanted.is_account_wide and (may.may_list_account or wanted.listing == "account")

    def _select(self, may: access.Access) -> Hosts:
        wanted = hosts.wanted(self._config)
        if not self._is_account_wide(may):
            wanted = replace(wanted, listing="users")
        found = hosts.select(wanted, self._zoom, self.book.entries)
        for warning in found.warnings:
            log.warning("%s", warning)
        hosts.require_somebody(found)
        return hosts.narrow(found, self._order.users, self._zoom)

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
            head = replace(head, gaps=gaps.add(head.gaps, gap), listed_till=self._now)
        if is_sweep:
            whole = gaps.add(head.gaps, Gap(since=since, until=self._now))
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

    def _rules(self, selected: Hosts) -> plan.Rules:
        config, order = self._config, self._order
        since = config.recordings.since or self.book.head.since or self._now - FIRST_REACH
        return plan.Rules(
            now=self._now,
            since=max(since, order.since or since),
            until=order.until,
            settle=config.recordings.settle,
            min_duration=config.recordings.min_duration,
            views=config.recordings.views,
            only_primary=config.only_primary,
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

    def _delete(self, may: access.Access, reader: Readings, rules: plan.Rules) -> list[Meeting]:
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
        cleaning = Cleaning(
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

    def _decide(self, reading: Reading, rules: plan.Rules) -> list[Job]:
        """What to do with each meeting that was read, most urgent first; written down before any of it begins."""
        answers = [(found, plan.meeting(found, self.book.entry(found.uuid), rules)) for found in reading.meetings]
        failed = {entry.uuid for entry in self.book.entries if entry.retry is not None}
        jobs = self.book.decide(urgency.urgent_first(answers, failed, rules.now), reading.head)
        if jobs and not self._order.dry_run:
            log.info("%s due", plural(len(jobs), "meeting"))
        if self._order.dry_run:
            self._foreseeing.look([job.action.meeting for job in jobs], self._users)
            return []
        return jobs

    def _team(self, rules: plan.Rules, lists: Lists) -> Team[Job, "work.Done | plan.Answer"]:
        shop = self._wiring.shop(lists.users)

        def run(job: Job) -> "work.Done | plan.Answer":
            with about(job.entry):
                return self._blame.put_off(job.entry, rules.now) or work.publish(job.action, job.entry, rules, shop)

        return Team(self._wiring.executor, self._config.workers, self._clock, run)

    def _work_off(self, team: Team[Job, "work.Done | plan.Answer"], jobs: list[Job]) -> None:
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

    def _take(self, job: Job, future: "Future[work.Done | plan.Answer]") -> None:
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

    def _conclude(self, job: Job, result: "work.Done | plan.Answer") -> None:
        if isinstance(result, work.Done):
            self.book.stored(job, result)
        else:
            self.book.answer(job.entry, result)

    def _drain(self, team: Team[Job, "work.Done | plan.Answer"]) -> None:
        """What was in flight when the pass was stopped: a result that still comes is written down, nothing else is."""
        if team.is_idle:
            return
        for job, future in team.drain(GRACE_SECONDS):
            if future.exception() is None:
                self._conclude(job, future.result())
