"""What tests of decisions share: rules, entries that stand somewhere, and an answer as the user reads it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.fakes import NOW, START, a_meeting, a_receipt, an_entry
from zoomsync.model import DAY, HOUR, MINUTE, Entry, Kind, Meeting, Phase, Retry
from zoomsync.rules.delete import Deletable, Delete
from zoomsync.rules.named import Named
from zoomsync.rules.publish import Decision, Publish, Rules, Wait


def rules(**changes: Any) -> Rules:
    """The defaults of the config, at `NOW`; meetings are named by a set of texts."""
    changes |= {name: Named(whats) for name, whats in changes.items() if isinstance(whats, set)}
    plain = Rules(
        now=NOW,
        since=START - 30 * DAY,
        settle=30 * MINUTE,
        min_duration=timedelta(0),
        views="all",
        kinds=frozenset(Kind),
        hosts=None,
        destination="library-1",
    )
    return replace(plain, **changes)


def a_retry(next_at: datetime | None, **changes: Any) -> Retry:
    """It failed three times, the last time an hour ago."""
    plain = Retry(tries=3, error="video: cut off", hint="", at=NOW - HOUR, next_at=next_at)
    return replace(plain, **changes)


def published(meeting: Meeting | None = None, **changes: Any) -> Entry:
    """The entry of a meeting of which every file is stored."""
    of = meeting or a_meeting()
    plain: dict[str, Any] = {"phase": Phase.PUBLISHED, "receipt": a_receipt(of), "stored_at": NOW - 3 * DAY}
    return an_entry(of, **plain | changes)


def in_words(answer: Decision | Deletable | Delete | None) -> str:
    """The answer as a dry run shows it, with where the meeting stands by it."""
    match answer:
        case None:
            return "due"
        case Publish():
            return f"publish: {answer.reason}" + _pending(answer.pending)
        case Wait():
            return f"wait: {answer.reason}" + (f" [due {answer.due_at:%d %H:%M}]" if answer.due_at else "")
        case Deletable():
            return f"deletable: {answer.reason}"
        case Delete():
            return f"{answer.mode}: {answer.reason}"
    flags = {"not remembered": answer.is_foreign, "elsewhere": answer.is_elsewhere, "a loss": answer.is_loss}
    standing = ", ".join([str(answer.phase), *(name for name, is_set in flags.items() if is_set)])
    return f"skip: {answer.reason} [{standing}]"


def _pending(pending: tuple[str, ...]) -> str:
    return f" [pending: {', '.join(pending)}]" if pending else ""
