"""What people are told of by `tell.notify`: each trouble once, that all is well again, and how each week went. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from zoomsync.formatting import escaped, plural, size_in_words
from zoomsync.naming import suffix
from zoomsync.state import State
from zoomsync.status.document import Facts
from zoomsync.status.health import Trouble
from zoomsync.status.text import lines

WEEK = timedelta(days=7)
LINES_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message."""

    title: str
    body: str
    kind: str = "failure"
    """As apprise has it: failure, success or info."""


def of_troubles(troubles: list[Trouble], told: Collection[str]) -> tuple[Notice | None, tuple[str, ...]]:
    """What to say of troubles that were not told yet, or of their end; and what is told once that is said."""
    keys = {suffix(key) for one in troubles for key in one.keys}
    new = [one for one in troubles if not {suffix(key) for key in one.keys} <= {*told}]
    if new:
        older = len(troubles) - len(new)
        body = [str(one) for one in new] + ([f"and {older} told of before"] if older else [])
        return Notice(title=f"zoomsync needs a person: {new[0].kind}", body="\n".join(body)), tuple(sorted(keys))
    if told and not troubles:
        return Notice(title="zoomsync is well again", body="nothing that was told of is left", kind="success"), ()
    return None, tuple(sorted(keys))


def of_week(state: State, document: Facts, now: datetime) -> Notice:
    """How the last week went, and where things stand."""
    stored, size = state.entries.stored_since(now - WEEK)
    deleted = sum(at > now - WEEK for one in state.entries.deleted_since(now - WEEK) for at in one.deleted.values())
    week = f"In the last 7 days: {plural(stored, 'meeting')} stored, {size_in_words(size)}; "
    week += f"{plural(deleted, 'file')} deleted from Zoom"
    shown = [line for line in lines(document) if line][:LINES_SHOWN]
    return Notice(
        title=f"zoomsync: the week to {now:%Y-%m-%d}", body="\n".join([escaped(week), "", *shown]), kind="info"
    )
