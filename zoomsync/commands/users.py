"""`zoomsync users`: the Zoom users that the config selects, and their authors."""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoomsync import __version__, app
from zoomsync.app import Environment
from zoomsync.clock import ending
from zoomsync.console import Terminal
from zoomsync.errors import Forbidden, MeetingFailed, UserFailed
from zoomsync.model import Author, User
from zoomsync.state import Host, State
from zoomsync.sync.accounts import AccountFilter, account_filter, select_hosts, unknown_addresses
from zoomsync.sync.lookups import NOT_LOOKED_UP, Lookups

SHOWN = ("email", "name", "status", "recordings", "author", "note")


def users(named: Path | None, terminal: Terminal, env: Environment, *, everyone: bool) -> int:
    """List them; exit code 2 if an address would keep a pass from beginning.

    Unless `everyone`, the destination is asked about the hosts of the ledger alone, if there are any. That makes no
    difference to a destination where asking about an author costs nothing.
    """
    config = env.config(named)
    state = State.read(config.state, audit=config.audit) or State.imagined(config.state)
    hosts = state.entries.hosts()
    recordings = Counter[str]()
    for host in hosts:
        recordings[host.id] += host.meetings if host.id else 0
    with ExitStack() as stack:
        stack.enter_context(ending(env.clock, lambda _: None))
        connection = app.connect(config, env.clock, stack, tries=app.WATCHED_TRIES)
        destination = app.destination(config, env, connection.zoom, state, stack, tries=app.WATCHED_TRIES)
        is_free = config.destination.is_prospect_free
        if not is_free:
            app.attach(destination, env, state, app.LOOK)
        lookups = Lookups(connection.zoom, hosts, env.clock.now())
        found, unknown = selected_users(account_filter(config), lookups, hosts)
        asked = {user.id for user in found} if everyone or is_free or not hosts else {*recordings}
        rows = [row(user, recordings[user.id], destination.prospect if user.id in asked else None) for user in found]
    rows.sort(key=lambda one: (one["email"].lower(), one["id"]))
    if terminal.as_json:
        terminal.document({"version": __version__, "users": rows})
    else:
        terminal.table(SHOWN, ([str(one[name]) for name in SHOWN] for one in rows))
    lost = {email: problem for email, problem in lookups.failed.items() if problem is not None}
    for email, problem in lost.items():
        terminal.error(problem.become(UserFailed, f"filter_accounts: {email}: {problem}"))
    if unknown and config.unknown_accounts == "fail":
        refusal = unknown_addresses("filter_accounts", unknown)
        terminal.error(refusal)
        return refusal.code
    return int(bool(lost))


def selected_users(
    wanted: AccountFilter, lookups: Lookups, hosts: Iterable[Host]
) -> tuple[list[User], tuple[str, ...]]:
    """Everybody whom the config selects, those included who record nothing any more; and the addresses of nobody.

    `status` is Zoom's (`active`, `inactive`, `pending`: invited only), or `departed` (the ledger knows the user, Zoom
    no more), or `unknown`, or `not looked up` (Zoom does not say now): `lookups.failed` has those addresses.
    """
    zoom = lookups.zoom
    last = {host.id: host.email for host in hosts if host.id}
    departed = [User(id=host, email=email, status="departed") for host, email in last.items()]
    if not wanted.emails:
        listed = [user for status in ("active", "inactive", "pending") for user in zoom.users(status)]
        ids = {user.id for user in listed}
        everybody = [*listed, *(user for user in departed if user.id not in ids)]
        return [user for user in everybody if user.email.lower() not in wanted.excluded], ()
    found = select_hosts(replace(wanted, unknown="report"), lookups)
    everybody = [*found.users.values(), *(user for user in departed if user.id not in found.users)]
    pending = {user.email.lower(): user for user in (zoom.users("pending") if found.unknown else ())}
    strangers = [pending.get(email) or User(id="", email=email, status="unknown") for email in found.unknown]
    strangers += [User(id="", email=email, status=NOT_LOOKED_UP) for email in found.failed]
    return [*(user for user in everybody if found.selects(user.id, user.email)), *strangers], found.unknown


def row(user: User, recordings: int, prospect: Callable[[User], Author] | None) -> dict[str, Any]:
    """What is said of a user, or of an address that means none; `prospect` asks the destination about the author.

    `author` is under whom the meetings of the ledger, which `recordings` counts, are published; empty if there are
    none.
    """
    author, note = "", ""
    if prospect is None:
        note = "no recordings yet: not asked about without --all"
    elif user.status == "unknown":
        note = "Zoom knows no such user"
    elif user.status == NOT_LOOKED_UP and not user.id:
        note = "Zoom says nothing of this user now"
    elif user.status == "pending" or not user.id:
        note = "has not accepted Zoom's invitation: records nothing"
    else:
        try:
            found = prospect(user)
            author, note = found.email or found.id, found.note
        except (Forbidden, MeetingFailed) as refused:
            note = str(refused)
    return {
        "id": user.id,  # empty for a pending or unknown one
        "email": user.email,
        "name": f"{user.first_name} {user.last_name}".strip(),
        "status": user.status,
        "recordings": recordings,
        "author": author,
        "note": note,
    }
