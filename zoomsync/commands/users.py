"""`zoomsync users`: the Zoom users that the config selects, and their authors."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from zoomsync import __version__, app
from zoomsync.clock import ending
from zoomsync.commands.surroundings import Surroundings
from zoomsync.console import Terminal
from zoomsync.errors import Forbidden, MeetingFailed
from zoomsync.model import Author, Entry, User, Zoom
from zoomsync.state import State
from zoomsync.sync.accounts import AccountFilter, account_filter, select_hosts, unknown_accounts


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


def list_members(
    wanted: AccountFilter,
    zoom: Zoom,
    entries: Collection[Entry],
    prospect: Callable[[User], Author],
    *,
    everyone: bool = True,
) -> Roster:
    """Ask Zoom about everybody whom the config selects, the destination about their authors.

    Not `everyone`: about the hosts of the ledger alone, where it has any.
    """
    users, unknown = _named(wanted, zoom, entries) if wanted.emails else _everyone(wanted, zoom, entries)
    counts = Counter(entry.host_id for entry in entries)
    members = [_member(user, counts, prospect, is_asked=everyone or not counts or user.id in counts) for user in users]
    ordered = sorted(members, key=lambda one: (one.email.lower(), one.id))
    return Roster(members=tuple(ordered), refused=unknown if wanted.unknown == "fail" else ())


def _named(wanted: AccountFilter, zoom: Zoom, entries: Collection[Entry]) -> tuple[list[User], tuple[str, ...]]:
    found = select_hosts(replace(wanted, unknown="tell"), zoom, entries)
    known = [user for user in found.users.values() if found.selects(user.id)]
    gone = [user for user in _departed(found.users, entries) if found.selects(user.id)]
    pending = {user.email.lower(): user for user in (zoom.users("pending") if found.unknown else ())}
    strangers = [pending.get(email) or User(id="", email=email, status="unknown") for email in found.unknown]
    return [*known, *gone, *strangers], found.unknown


def _everyone(wanted: AccountFilter, zoom: Zoom, entries: Collection[Entry]) -> tuple[list[User], tuple[str, ...]]:
    listed = [user for status in ("active", "inactive", "pending") for user in zoom.users(status)]
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


def _member(user: User, counts: Counter[str], prospect: Callable[[User], Author], *, is_asked: bool) -> Member:
    author, note = _author(user, prospect) if is_asked else ("", "no recordings yet: not asked about without --all")
    return Member(
        id=user.id,
        email=user.email,
        name=f"{user.first_name} {user.last_name}".strip(),
        status=user.status,
        recordings=counts[user.id] if user.id else 0,
        author=author,
        note=note,
    )


def _author(user: User, prospect: Callable[[User], Author]) -> tuple[str, str]:
    if user.status == "unknown":
        return "", "Zoom knows no such user"
    if user.status == "pending" or not user.id:
        return "", "has not accepted Zoom's invitation: records nothing"
    try:
        author = prospect(user)
    except (Forbidden, MeetingFailed) as refused:
        return "", str(refused)
    return author.email or author.id, author.note


HEAD = ("email", "name", "status", "recordings", "author", "note")


def users(named: Path | None, talk: Terminal, around: Surroundings, *, everyone: bool) -> int:
    """List them; exit code 2 where an address would keep a pass from beginning.

    `everyone` makes no difference to a library, where asking about an author costs nothing.
    """
    found = _found(named, around, everyone=everyone)
    rows = [asdict(member) for member in found.members]
    if talk.as_json:
        talk.document({"version": __version__, "users": rows})
    else:
        talk.table(HEAD, ([str(row[name]) for name in HEAD] for row in rows))
    if found.refused:
        refusal = unknown_accounts(found.refused)
        talk.error(refusal)
        return refusal.code
    return 0


def _found(named: Path | None, around: Surroundings, *, everyone: bool) -> Roster:
    config = around.config(named)
    state = State.read(config.state) or State.imagined(config.state)
    entries = list(state.entries.values())
    with ExitStack() as stack:
        stack.enter_context(ending(around.clock, lambda _: None))
        to_zoom = app.lines(config, around.clock, tries=app.WATCHED_TRIES)
        stack.callback(to_zoom.close)
        destination = app.destination(
            config, around.clock, state, around.new_id, zoom=to_zoom.zoom, tries=app.WATCHED_TRIES
        )
        stack.callback(destination.detach)
        is_free = config.destination.is_prospect_free
        if not is_free:
            app.attach(destination, state, run="", new_id="", begin_new=False, dry_run=True)
        return list_members(
            account_filter(config), to_zoom.zoom, entries, destination.prospect, everyone=everyone or is_free
        )
