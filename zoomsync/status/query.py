"""Which meetings and which passes `status` shows: asked of the state and the config alone. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from zoomsync.config import Config
from zoomsync.errors import PassRunning, UsageError
from zoomsync.model import DAY, Entry, Phase, Process, Retry, Run
from zoomsync.rules.delete import doubts, why_kept
from zoomsync.rules.publish import Rules, is_requested, lost_within_a_week
from zoomsync.state import State

FINISHED = {0: "Finished", 1: "Finished with failures"}
"""Exit codes of a pass that ran to its end."""
SIGNALS = 128
"""Exit codes above this are 128 + the number of the signal that ended the pass."""


def past(when: datetime | None, now: datetime) -> datetime | None:
    """A time at which something happened; one in the future counts as unset."""
    return when if when is not None and when <= now else None


def passes(state: State) -> list[Run]:
    """The runs that were passes, newest first: one that found another pass running, or was typed wrongly, was none."""
    return [run for run in reversed(state.runs) if run.code not in (PassRunning.code, UsageError.code)]


def outcome(run: Run, is_alive: Callable[[Process], bool]) -> str:
    """How a pass went: Running / Finished / Finished with failures / Failed: why / Interrupted."""
    if run.code is None:
        return "Running" if is_alive(run.process) else "Interrupted"
    if run.code > SIGNALS:
        return "Interrupted"
    is_fine = run.code == 0 or has_finished(run)
    return FINISHED[run.code] if is_fine else f"Failed: {run.why or f'exit code {run.code}'}"


def has_finished(run: Run) -> bool:
    """Whether a pass ran to its end; what ended one before that is its `why`, also if its time was over."""
    return run.code in FINISHED and not run.why


def last_finished(state: State, now: datetime) -> datetime | None:
    """When a whole pass last ran to its end; a narrowed one proves nothing about the other meetings."""
    ends = [run.ended_at for run in state.runs if has_finished(run) and not run.narrowed]
    return max((end for end in ends if end is not None and end <= now), default=None)


def rules_now(state: State, config: Config, now: datetime) -> Rules:
    """The planner's rules as far as they can be known without asking Zoom: hosts by the e-mails in the ledger."""
    emails = {host.id: host.email.lower() for host in state.entries.hosts()}
    accounts = frozenset(config.filter_accounts)
    named = frozenset(host for host, email in emails.items() if email in accounts or not email)
    return Rules(
        now=now,
        since=now,
        settle=timedelta(),
        min_duration=timedelta(),
        views="all",
        kinds=frozenset(),
        hosts=named if accounts else None,
        excluded_hosts=frozenset(host for host, email in emails.items() if email in config.exclude_accounts),
        excluded=config.named_meetings["exclude_meetings"],
        kept_in_zoom=config.named_meetings["hold_meetings"],
        destination=state.head.destination,
        delete=config.delete_recordings,
        delete_after=config.delete_after,
    )


def phase_now(entry: Entry, rules: Rules) -> tuple[Phase, str]:
    """Its phase and the reason; what the config leaves out by now is skipped, as no pass asks about it any more."""
    if entry.phase is Phase.WAITING and entry in rules.excluded:
        return Phase.SKIPPED, "listed in exclude_meetings"
    if entry.phase is Phase.WAITING and not rules.selects(entry.host_id, entry.host_email):
        return Phase.SKIPPED, "its host is not selected by the config"
    return entry.phase, entry.reason


def newest_first(entries: Iterable[Entry]) -> list[Entry]:
    """By the start of the meeting."""
    return sorted(entries, key=lambda entry: (entry.start, entry.uuid), reverse=True)


def is_parked(failure: Retry, now: datetime) -> bool:
    """Whether no pass tries it again by itself; one that lies in the future, by a wrong clock, is tried again."""
    return failure.is_parked and failure.at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingLists:
    """The meetings that a person may want to look at; each list newest first, but `at_risk`."""

    waiting: list[Entry]
    """Not stored yet, or not all of it, without having failed."""
    failed: list[Entry]
    """Failed and tried again, or parked."""
    parked: list[Entry]
    """Of the failed ones: not tried again by itself."""
    failing: list[Entry]
    """Of the failed ones: failed more than once, or for a day, and tried again. Once can be chance."""
    refused: list[Entry]
    """Their deletion was refused and is still wanted."""
    deletion_blocked: list[Entry]
    """Their cloud copy stays, or some of it: it is not proven that all of it is stored."""
    differing: list[Entry]
    """What is stored is not what the receipt says: `--verify` found it, or who was about to delete the cloud copy."""
    at_risk: list[Entry]
    """Zoom deletes them by itself within 7 days and they are not stored; soonest first."""


def meeting_lists(state: State, rules: Rules) -> MeetingLists:
    """Sort the ledger into these lists; what the config gives up is in none."""
    now = rules.now

    def is_wanted(entry: Entry) -> bool:
        is_selected = is_requested(entry, entry, rules) or rules.selects(entry.host_id, entry.host_email)
        return is_selected and entry not in rules.excluded

    def fails_again(failure: Retry) -> bool:
        is_lasting = failure.tries > 1 or (failure.since or failure.at) <= now - DAY
        return is_lasting and failure.at <= now and not failure.is_parked

    notable = [*state.entries.notable()]
    wanted = [entry for entry in notable if is_wanted(entry)]
    stored = [entry for entry in notable if entry.phase is Phase.PUBLISHED]
    failed = newest_first(
        entry
        for entry in wanted
        if entry.retry is not None
        and (entry.phase in (Phase.WAITING, Phase.PUBLISHED) or is_requested(entry, entry, rules))
    )
    at_risk = (entry for entry in lost_within_a_week(notable, now) if is_wanted(entry))
    return MeetingLists(
        waiting=newest_first(
            entry
            for entry in wanted
            if entry.retry is None
            and (entry.phase is Phase.WAITING or (entry.phase is Phase.PUBLISHED and entry.pending))
        ),
        failed=failed,
        parked=[entry for entry in failed if entry.retry and is_parked(entry.retry, now)],
        failing=[entry for entry in failed if entry.retry and fails_again(entry.retry)],
        refused=newest_first(
            entry
            for entry in stored
            if entry.refusal is not None
            and rules.delete != "never"
            and entry not in rules.kept_in_zoom
            and rules.selects(entry.host_id, entry.host_email)
        ),
        differing=newest_first(entry for entry in notable if entry.differs and entry not in rules.excluded),
        deletion_blocked=newest_first(
            entry for entry in stored if doubts(entry) or (entry.kept and why_kept(entry, rules) is None)
        ),
        at_risk=sorted(at_risk, key=lambda entry: (entry.auto_delete or now, entry.uuid)),
    )
