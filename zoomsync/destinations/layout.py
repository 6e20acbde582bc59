"""What a library and a remote share: where an item lies, what its files are called, what it says, when it is whole.

An item is a folder `published|drafts/<author>/<year>/<date time topic> [<suffix>]` with a `recording.json`: Zoom's
metadata and the receipt, readable without zoomsync.
"""

import json
import re
import sqlite3
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from threading import Lock
from typing import Any

from pydantic import TypeAdapter

from zoomsync import __version__
from zoomsync.destinations.base import DestinationContext, Everything
from zoomsync.errors import DiskFull, MeetingFailed, NotAuthorized, Unfit, Unreachable, ZoomsyncError
from zoomsync.formatting import json_text, plural, size_in_words
from zoomsync.model import Author, Clock, Item, ItemFile, Receipt, Stamp, StoredFile, User, Verdict
from zoomsync.naming import FOLDER_BYTES, safe_component, suffix, versions

FORMAT = 1
BATCH = 200
"""So many items are read at a time, where all are."""
MANIFEST = "recording.json"
TOPS = ("published", "drafts")
REFETCH = "`sync --meeting WHAT` fetches it again"
SUFFIX = re.compile(r"\[([0-9a-f]{8})\]")
"""Of the name of an item's folder: what ties it to its meeting."""
_DATED = re.compile(r"\d{4}-\d\d-\d\d \d\d-\d\d")
_RECEIPT = TypeAdapter(Receipt)
_KNOWN_ELSEWHERE: dict[str, Any] = {"destination": True, "place": True, "files": {"__all__": {"stamp", "place"}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What `recording.json` says."""

    revision: int
    """Counts the changes of the item, from 1."""
    title: str
    meeting: Mapping[str, object]
    """Zoom's metadata, from an allow-list."""
    receipt: Receipt

    @classmethod
    def parse(cls, data: bytes, name: str, *, place: str, destination: str, service: str) -> "Recording":
        """What the file says that messages call `name`; raises `MeetingFailed` of this service for any that is damaged.

        Where the item lies does not stand in it.
        """
        try:
            # halves of characters, which zoomsync once wrote as they came from Zoom, fit into no file of ours any more
            text = json.dumps(json.loads(data), ensure_ascii=False)
            document = json.loads(text.encode(errors="replace"))
            if document["format"] != FORMAT:
                hint = f"this is zoomsync {__version__}: use one that is at least as new as the one that wrote it"
                raise MeetingFailed(
                    f"{name}: format {document['format']} is not known here", hint=hint, service=service
                )
            receipt = _RECEIPT.validate_python({**document["receipt"], "place": place, "destination": destination})
            return cls(
                revision=int(document["revision"]),
                title=str(document["title"]),
                meeting=dict(document["meeting"]),
                receipt=receipt,
            )
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            hint = f"restore it from a backup; or move the folder of the item away, then {REFETCH}"
            raise MeetingFailed(f"{name}: damaged", hint=hint, service=service) from error

    @property
    def document(self) -> bytes:
        """The file as it is written; an item can be moved, so neither place nor destination stands in it."""
        receipt = _RECEIPT.dump_python(self.receipt, mode="json", exclude=_KNOWN_ELSEWHERE)
        fields = {"format": FORMAT, "zoomsync": __version__, "revision": self.revision, "title": self.title}
        return json_text({**fields, "meeting": dict(self.meeting), "receipt": receipt}, indent=2).encode() + b"\n"

    def superseded(self, receipt: Receipt) -> tuple[tuple[str, int, str], ...]:
        """Name, size and SHA-256 of each stored file that goes once the item is as `receipt` says."""
        names = {file.name for file in receipt.files}
        return tuple((one.name, one.size, one.sha256) for one in self.receipt.files if one.name not in names)


def newest(recordings: Iterable[Recording]) -> Recording:
    """Of several copies of one item always the same one: that with the most changes."""
    return min(recordings, key=lambda one: (-one.revision, one.receipt.place))


class Places:
    """Where all items lie, by the suffix that the folders of a meeting share. Any thread may call.

    However many there are, they take the memory of a few: SQLite gives what is too much a nameless file
    (https://www.sqlite.org/tempfiles.html). What adds or looks may raise `DiskFull`.
    """

    def __init__(self, folders: Iterable[str] = ()) -> None:
        self._rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._rows.close)
        self._lock = Lock()
        self._ask("CREATE TABLE place (suffix TEXT, folder BLOB, PRIMARY KEY (suffix, folder)) WITHOUT ROWID")
        for folder in folders:
            self.add(folder)

    def add(self, folder: str) -> None:
        """Remember a folder that has a suffix; any other is none of an item."""
        name = folder.encode(errors="surrogatepass")  # in a library a person's may be no UTF-8
        for ending in SUFFIX.findall(folder.rpartition("/")[2]):
            self._ask("INSERT OR IGNORE INTO place VALUES (?, ?)", ending, name)

    def with_one(self, folder: str) -> "Places | None":
        """These and one more; None if there is no room for it: then all is looked up anew."""
        try:
            self.add(folder)
        except DiskFull:
            return None
        return self

    def of(self, ending: str) -> list[str]:
        """The folders that have this suffix, in order."""
        found = self._ask("SELECT folder FROM place WHERE suffix = ? ORDER BY folder", ending)
        return [folder.decode(errors="surrogatepass") for (folder,) in found]

    def suffixes(self, after: str = "") -> Iterator[str]:
        """Each once, in order."""
        last = after
        while found := self._ask("SELECT DISTINCT suffix FROM place WHERE suffix > ? ORDER BY suffix LIMIT 999", last):
            yield from (ending for (ending,) in found)
            ((last,),) = found[-1:]

    def own(self, ending: str) -> list[str]:
        """As `of`, but a folder that has several suffixes has its last one alone: so it is counted once."""
        return [folder for folder in self.of(ending) if SUFFIX.findall(folder.rpartition("/")[2])[-1] == ending]

    def __iter__(self) -> Iterator[str]:
        """Each folder once."""
        return (folder for ending in self.suffixes() for folder in self.own(ending))

    @property
    def lines(self) -> bytes:
        """The suffixes, one a line."""
        found = bytearray()
        for ending in self.suffixes():
            found += f"{ending}\n".encode()
        return bytes(found)

    def _ask(self, sql: str, *values: object) -> list[Any]:
        try:
            with self._lock:
                return self._rows.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            hint = "the list of all items goes into a temporary file: make room there, or set TMPDIR to where there is"
            raise DiskFull(f"no room for a temporary file: {error}", hint=hint) from error


def each_item(places: Places, read: Callable[[str], Recording | None], after: str, *, readers: int = 1) -> Everything:
    """The items in these folders, or what is wrong with one that cannot be read; and up to which suffix that was all.

    So many `readers` read at a time.
    """

    def tried(folder: str) -> Recording | ZoomsyncError | None:
        try:
            return read(folder)
        except (MeetingFailed, NotAuthorized, Unfit, Unreachable) as problem:
            return problem.become(type(problem))  # its traceback holds all that was read

    left = places.suffixes(after)
    with ThreadPoolExecutor(readers) as pool:
        while some := list(islice(left, BATCH)):
            for found in pool.map(lambda ending: [tried(one) for one in places.own(ending)], some):
                yield from (one for one in found if isinstance(one, ZoomsyncError))
                copies = [one for one in found if isinstance(one, Recording)]
                for uuid in {one.receipt.uuid for one in copies}:
                    item = newest(one for one in copies if one.receipt.uuid == uuid)
                    yield item.receipt, item.meeting
            yield some[-1]


def again(uuid: str) -> str:
    """The remedy for an item that a person removed or changed."""
    return f"it is left alone; `zoomsync sync --meeting {uuid}` publishes it again"


def in_words(folders: Iterable[str]) -> str:
    """How many items these folders are, and how far back they go."""
    number, oldest = 0, ""
    for folder in folders:
        number += 1
        if dated := _DATED.match(folder.rpartition("/")[2]):
            oldest = min(oldest or dated[0], dated[0])
    since = f", the oldest of {oldest}: recordings.since must not be later" if oldest else ""
    return f"{plural(number, 'item')} found{since}"


def author_folder(author: Author) -> str:
    """What the folder of this author is called."""
    return safe_component(author.id)


def item_place(item: Item, author: Author) -> str:
    """Where a new item goes, relative to the destination's root."""
    top = "drafts" if item.draft else "published"
    folder = f"{safe_component(item.folder, FOLDER_BYTES)} [{suffix(item.meeting.uuid)}]"
    return f"{top}/{author_folder(author)}/{safe_component(item.year)}/{folder}"


def author_for(host: User, context: DestinationContext) -> Author:
    """The folder of `me`, or of the host's alias or e-mail in lower case; without an e-mail of `me`.

    The note says what else than the e-mail decided.
    """
    me, alias = context.me, context.aliases.get(host.email.lower(), "")
    if context.publish_as == "me" and me:
        email, note = me, "publish_as is me"
    elif alias or host.email:
        email, note = alias or host.email, "alias" if alias else ""
    elif me:
        email, note = me, "falls back to me: the host has no e-mail"
    else:
        email, note = "", "the host has no e-mail, and me is not set"
    address = email.strip().lower()
    return Author(id=safe_component(address or host.id or "unknown"), email=address, note=note)


def arrange(item: Item, receipt: Receipt, is_there: Callable[[str], bool]) -> tuple[Receipt, dict[str, ItemFile]]:
    """The receipt of the item as it will be stored; and by stored name those of its files that are new.

    `receipt`: what is stored and whole, which stays as it is unless the item has other content for its role.
    `is_there`: whether the item has a file of that name already; a person's files in it keep their names.
    """
    taken = {MANIFEST, *(file.name.casefold() for file in receipt.files)}
    by_role = {file.role: file for file in receipt.files}
    files, names, new = [], {}, {}
    for file in item.files:
        stored = by_role.get(file.role)
        if stored is None or (file.source is not None and (stored.size, stored.sha256) != (file.size, file.sha256)):
            free = (one for one in versions(file.name) if one.casefold() not in taken)
            name = next(one for one in free if not is_there(one))
            taken.add(name.casefold())
            stored = file.as_stored(name=name)
            new[name] = file
        stored = replace(stored, made_of=file.made_of)  # a cloud file can have another id by now
        files.append(stored)
        names[file.name] = stored.name
    cloud = tuple(replace(one, stored=names.get(one.stored, one.stored)) for one in item.cloud)
    return replace(receipt, files=tuple(files), cloud=cloud), new


def was_removed(file: StoredFile) -> str:
    """What became of a stored file that is not there any more; any other flaw is one of what is there."""
    return f"{file.name} was removed"


def judged(
    receipt: Receipt,
    found: Recording | None,
    flaw: Callable[[StoredFile], str],
    clock: Clock,
    *,
    where: str,
    how: str = "",
) -> Verdict:
    """Judge a receipt against the item that was found for it: the question that stands before every deletion.

    `flaw` reads the content of a file, each time, and says what became of it; empty: it is whole. `removed` means that
    a person removed or changed something: not that a file could not be read now, and not that `recording.json` says
    otherwise than the receipt.
    """
    if found is None:
        return Verdict(safe=False, reason=f"the item was removed from the {where}", receipt=receipt, removed=True)
    here = replace(receipt, place=found.receipt.place)
    if (set(found.receipt.files), set(found.receipt.cloud)) != (set(receipt.files), set(receipt.cloud)):
        return Verdict(safe=False, reason="recording.json describes another version of this item", receipt=here)
    files: list[StoredFile] = []
    lacking: dict[str, str] = {}
    altered = False
    for file in receipt.files:
        if wrong := flaw(file):
            lacking[file.name] = wrong
            altered = altered or wrong != was_removed(file)
        files.append(replace(file, stamp=Stamp(at=clock.now(), look=file.stamp.look if file.stamp else "")))
    if lacking:
        reason = next(iter(lacking.values()))
        return Verdict(safe=False, reason=reason, receipt=here, removed=True, altered=altered, lacking=tuple(lacking))
    size = size_in_words(sum(file.size for file in files))
    reason = f"{plural(len(files), 'file')}, {size}, content verified{how}"
    return Verdict(safe=True, reason=reason, receipt=replace(here, files=tuple(files)))
