"""`zoomsync users`: the Zoom users that the config selects, and their authors."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from zoomsync import __version__, hosts, wiring
from zoomsync.clock import ending
from zoomsync.commands.surroundings import Surroundings
from zoomsync.config import Library
from zoomsync.console import Terminal
from zoomsync.roster import Roster, roster
from zoomsync.state import State

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
        refusal = hosts.unknown_accounts(found.refused)
        talk.error(refusal)
        return refusal.code
    return 0


def _found(named: Path | None, around: Surroundings, *, everyone: bool) -> Roster:
    config = around.config(named)
    state = State.read(config.state) or State.imagined(config.state)
    entries = list(state.entries.values())
    with ExitStack() as stack:
        stack.enter_context(ending(around.clock, lambda _: None))
        to_zoom = wiring.lines(config, around.clock, tries=wiring.WATCHED_TRIES)
        stack.callback(to_zoom.close)
        destination = wiring.destination(
            config, around.clock, state, around.new_id, zoom=to_zoom.zoom, tries=wiring.WATCHED_TRIES
        )
        stack.callback(destination.detach)
        is_free = isinstance(config.destination, Library)
        if not is_free:
            wiring.attach(destination, state, run="", new_id="", begin_new=False, dry_run=True)
        return roster(hosts.wanted(config), to_zoom.zoom, entries, destination, everyone=everyone or is_free)
