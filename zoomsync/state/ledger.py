"""What is remembered of each meeting, in `state.db`: found by index, read one by one.

An entry is kept as one compressed document with its checksum; the columns beside it are `rules.ledger.facts` and what
a person may name it by. Nothing but what a person asks for reads all of them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from zoomsync.model import Entry, Intent, Phase
from zoomsync.rules.ledger import Turn
from zoomsync.rules.named import Named
from zoomsync.state.database import Database
from zoomsync.state.documents import PHASES, ending, seconds, text, time_of, topic_of, unpacked

BATCH = 200
"""So many entries are read at a time, where many are."""
_NAME = "(SELECT key FROM name WHERE text = ?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A user of whom something is remembered, under one address."""

    id: str
    email: str
    meetings: int
    """That are meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What a destination has of one host under one author."""

    host: Host
    author: str
    size: int
    since: datetime | None
    """When the first of them was stored, or last gained a file."""
    recently: int
    """The bytes of those that were stored in the time that was asked for."""


class Ledger(Mapping[str, Entry]):
    """The entries by uuid, in the order in which they came. What it returns is as of the moment of the call."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = database.rows

    def __getitem__(self, uuid: str) -> Entry:
        for found in self._found("ending = ?", ending(uuid)):
            if found.uuid == uuid:
                return found
        raise KeyError(uuid)

    def __iter__(self) -> Iterator[str]:
        return (one.uuid for one in self.everything())

    def __len__(self) -> int:
        return int(self._number("SELECT count(*) FROM entry"))

    def __bool__(self) -> bool:
        return bool(self._number("SELECT EXISTS (SELECT 1 FROM entry)"))

    def everything(self) -> Iterator[Entry]:
        """All of them, a few at a time."""
        return self._stream("1")

    def open(self) -> Iterator[Entry]:
        """Those of which something is to come."""
        return self._stream("is_open")

    def notable(self) -> Iterator[Entry]:
        """Those that may be in one of the lists that a person looks at, the open ones among them."""
        return self._stream("is_notable")

    def named(self, named: Named) -> list[Entry]:
        """Those that a person names."""
        found: dict[int, Entry] = {}
        endings = {*map(ending, named.uuids), *(int(one, 16) for one in named.suffixes)}
        numbers = {text(one) for one in (*named.numbers, *(number for number, _ in named.days))}
        for where, values in (("ending = ?", endings), ("number = ?", numbers)):
            for value in values:
                found |= {key: one for key, one in self._keyed(where, value) if one in named}
        return [found[key] for key in sorted(found)]

    def unmatched(self, named: Named) -> list[str]:
        """The texts that name nothing that is known."""
        return [what for what, one in named.each() if not self.named(one)]

    def of_folder(self, suffix: str) -> list[Entry]:
        """Those whose folder's name ends with these 8 hex digits."""
        return self._found("ending = ?", int(suffix, 16))

    def about(self, folded: str) -> Iterator[Entry]:
        """Those with this case-folded text in their topic, or as their host's address: all are looked through."""
        hosts = {key for key, _, email in self._rows("SELECT * FROM host") if email.casefold() == folded}
        last, sql = 0, f"SELECT key, host, document FROM entry WHERE key > ? ORDER BY key LIMIT {BATCH}"
        while rows := self._rows(sql, last):
            last = rows[-1][0]
            for key, host, document in rows:
                if host in hosts or folded in topic_of(document).casefold():
                    yield from self._found("key = ?", key)

    def of_phase(self, phase: Phase, limit: int | None) -> list[Entry]:
        """Those that stand there, the newest first; None: all of them."""
        most = -1 if limit is None else limit
        return self._found("phase = ? ORDER BY start DESC, key DESC LIMIT ?", PHASES.index(phase), most)

    def reasons(self, phase: Phase) -> Iterator[str]:
        """Why they stand there, of all that do."""
        return (entry.reason for entry in self._stream("phase = ?", PHASES.index(phase)))

    def phases(self) -> dict[Phase, int]:
        """How many stand where."""
        return {
            PHASES[number]: count for number, count in self._rows("SELECT phase, count(*) FROM entry GROUP BY phase")
        }

    def hosts(self) -> list[Host]:
        """Everybody of whom something is remembered, in the order of the last one of each."""
        sql = """SELECT id, email, meetings FROM host JOIN
            (SELECT host, count(*) AS meetings, max(key) AS newest FROM entry GROUP BY host) ON host = host.key
            ORDER BY newest"""
        return [Host(id=id_, email=email, meetings=meetings) for id_, email, meetings in self._rows(sql)]

    def has_stored(self, destination: str | None, host: str | None = None) -> bool:
        """Whether anything, or anything of this host (id), is stored in this destination."""
        of_host = "" if host is None else "AND host IN (SELECT key FROM host WHERE id = ?)"
        sql = f"SELECT EXISTS (SELECT 1 FROM entry WHERE destination = {_NAME} {of_host})"
        return bool(self._number(sql, destination, *([] if host is None else [host])))

    def stored(self, destination: str, *, after: datetime, till: datetime) -> list[Stored]:
        """What this destination has, but for what a person removed."""
        sql = f"""SELECT id, email, name.text, count(*), sum(size), min(stored_at),
            sum(size * (stored_at BETWEEN ? AND ?))
            FROM entry JOIN host ON host.key = host LEFT JOIN name ON name.key = author
            WHERE destination = {_NAME} AND phase <> {PHASES.index(Phase.REMOVED)} GROUP BY host, author"""
        return [
            Stored(
                host=Host(id=id_, email=email, meetings=items),
                author=author,
                size=size,
                since=time_of(since),
                recently=recently or 0,
            )
            for id_, email, author, items, size, since, recently in self._rows(
                sql, seconds(after), seconds(till), destination
            )
        ]

    def in_destination(self, destination: str) -> Iterator[Entry]:
        """All that was stored there."""
        return self._stream(f"destination = {_NAME}", destination)

    def stored_since(self, when: datetime) -> tuple[int, int]:
        """How many meetings were stored after this, anywhere, and their bytes."""
        ((count, size),) = self._rows(
            "SELECT count(*), sum(size) FROM entry INDEXED BY stored WHERE destination IS NOT NULL AND stored_at > ?",
            seconds(when),
        )
        return count, size or 0

    def deleted_since(self, when: datetime) -> Iterator[Entry]:
        """Those of which we deleted something after this."""
        sql = "SELECT key FROM entry INDEXED BY stored WHERE destination IS NOT NULL AND deleted_at > ?"
        return (one for (key,) in self._rows(sql, seconds(when)) for one in self._found("key = ?", key))

    def to_delete(
        self, destination: str, selects: Callable[[str, str], bool], *, before: datetime, with_kept: bool
    ) -> Iterator[Entry]:
        """What may be due for deletion: stored there before this moment, of hosts that are selected.

        The longest stored comes first, what failed before last. What is known to stay comes only if it is wanted.
        """
        chosen = {key for key, id_, email in self._rows("SELECT * FROM host") if selects(id_, email)}
        of_turn = f"FROM entry WHERE destination = {_NAME} AND turn = ? AND stored_at <= ?"
        order, till = "ORDER BY stored_at, key", seconds(before)
        # found now, so that what fails in the first turn does not come again in the next one
        last_turns = [
            key
            for turn in ([Turn.FAILED_BEFORE, Turn.KEPT] if with_kept else [Turn.FAILED_BEFORE])
            for key, host in self._rows(f"SELECT key, host {of_turn} {order}", destination, turn, till)
            if host in chosen
        ]
        values = (destination, Turn.FIRST, till)
        at, last = -(2**62), 0
        sql = f"SELECT stored_at, key, host {of_turn} AND (stored_at, key) > (?, ?) {order} LIMIT {BATCH}"
        while rows := self._rows(sql, *values, at, last):
            at, last, _ = rows[-1]
            for _, key, host in rows:
                yield from self._found("key = ?", key) if host in chosen else ()
        for key in last_turns:
            yield from self._found("key = ?", key)

    def intents(self) -> dict[str, Intent]:
        """What was begun and is not settled, by id, oldest first."""
        rows = self._rows("SELECT key, crc32, document FROM intent ORDER BY key")
        found = [unpacked(Intent, self._database.path, key, crc32, document) for key, crc32, document in rows]
        return {one.id: one for one in found}

    # reading rows

    def _number(self, sql: str, *values: Any) -> Any:
        return self._rows(sql, *values)[0][0]

    def _keyed(self, where: str, *values: Any) -> list[tuple[int, Entry]]:
        rows = self._rows(f"SELECT key, crc32, document FROM entry WHERE {where}", *values)
        return [(key, unpacked(Entry, self._database.path, key, crc32, document)) for key, crc32, document in rows]

    def _found(self, where: str, *values: Any) -> list[Entry]:
        return [one for _, one in self._keyed(where, *values)]

    def _stream(self, where: str, *values: Any) -> Iterator[Entry]:
        """A few at a time, each batch as of its own moment."""
        last = 0
        while rows := self._keyed(f"({where}) AND key > ? ORDER BY key LIMIT {BATCH}", *values, last):
            yield from (one for _, one in rows)
            last = rows[-1][0]
