"""Who is selected: the Zoom users that the config means, and what publishing would do with each."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from zoomsync.errors import Forbidden, MeetingFailed
from zoomsync.foreseeing import Authors
from zoomsync.hosts import Directory, Wanted, select
from zoomsync.model import Entry, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One selected user, or an address that means none."""

    id: str
    """Empty for a pending or unknown one."""
    email: str
    name: str
    status: str
    """`active`, `inactive`, `pending` (invited only), `departed` (the ledger knows it, Zoom no more), `unknown`."""
    recordings: int
    """Meetings in the ledger."""
    author: str
    """Under whom they are published; empty where there is nothing to publish."""
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Everybody who is selected, by e-mail; and the addresses for which a pass would not begin."""

    members: tuple[Member, ...]
    refused: tuple[str, ...] = ()


def roster(
    wanted: Wanted, directory: Directory, entries: Collection[Entry], authors: Authors, *, everyone: bool = True
) -> Roster:
    """Ask Zoom about everybody whom the config selects, the destination about their authors.

    Not `everyone`: about the hosts of the ledger alone, where it has any.
    """
    users, unknown = _named(wanted, directory, entries) if wanted.emails else _everyone(wanted, directory, entries)
    counts = Counter(entry.host_id for entry in entries)
    members = [_member(user, counts, authors, is_asked=everyone or not counts or user.id in counts) for user in users]
    ordered = sorted(members, key=lambda one: (one.email.lower(), one.id))
    return Roster(members=tuple(ordered), refused=unknown if wanted.unknown == "fail" else ())


def _named(wanted: Wanted, directory: Directory, entries: Collection[Entry]) -> tuple[list[User], tuple[str, ...]]:
    found = select(replace(wanted, unknown="tell"), directory, entries)
    known = [user for user in found.users.values() if found.selects(user.id)]
    gone = [user for user in _departed(found.users, entries) if found.selects(user.id)]
    pending = {user.email.lower(): user for user in (directory.users("pending") if found.unknown else ())}
    strangers = [pending.get(email) or User(id="", email=email, status="unknown") for email in found.unknown]
    return [*known, *gone, *strangers], found.unknown


def _everyone(wanted: Wanted, directory: Directory, entries: Collection[Entry]) -> tuple[list[User], tuple[str, ...]]:
    listed = [user for status in ("active", "inactive", "pending") for user in directory.users(status)]
    ids = {user.id for user in listed}
    everybody = [*listed, *_departed(ids, entries)]
    return [user for user in everybody if user.email.lower() not in wanted.excluded], ()


def _departed(known: Collection[str], entries: Iterable[Entry]) -> list[User]:
    """The hosts of the ledger that are not among the known ids, as they were last called."""
    last = {entry.host_id: entry for entry in sorted(entries, key=lambda entry: entry.start)}
    return [
        User(id=host, email=entry.host_email, status="departed")
        for host, entry in last.items()
        if host and host not in known
    ]


def _member(user: User, counts: Counter[str], authors: Authors, *, is_asked: bool) -> Member:
    author, note = _author(user, authors) if is_asked else ("", "no recordings yet: not asked about without --all")
    return Member(
        id=user.id,
        email=user.email,
        name=f"{user.first_name} {user.last_name}".strip(),
        status=user.status,
        recordings=counts[user.id] if user.id else 0,
        author=author,
        note=note,
    )


def _author(user: User, authors: Authors) -> tuple[str, str]:
    if user.status == "unknown":
        return "", "Zoom knows no such user"
    if user.status == "pending" or not user.id:
        return "", "has not accepted Zoom's invitation: records nothing"
    try:
        author = authors.prospect(user)
    except (Forbidden, MeetingFailed) as refused:
        return "", str(refused)
    return author.email or author.id, author.note
