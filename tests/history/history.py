"""A history: what happens at a place, week by week, and what must hold whatever happened."""

import hashlib
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote

from tests.e2e.harness import Result
from tests.history.account import Account, data_of
from tests.history.disk import Blow, files_in
from tests.history.place import Place
from tests.sandbox.message import Request
from tests.sandbox.world import ZoomFile
from zoomsync.model import Entry, Retry

DELETING = {"delete_recordings": "trash", "delete_after": "2d", "delete_all_accounts": True}
KINDS = {"video": "AB", "audio": "S", "captions": "T", "chat": "H", "timeline": "L"}
ALL = tuple(KINDS)


class History:
    """One history. What is wrong is collected in `wrong` as it shows, for nothing inside a pass may catch it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.account = Account(place.world)
        self.wrong: list[str] = []
        self.log: list[str] = []
        self.untouchable: dict[tuple[str, str], bytes] = {}
        """What a person wrote: uuid, name in the item, and its bytes."""
        self.touched: set[str] = set()
        """The uuids of items of which a person removed or changed something."""
        self.removed: set[str] = set()
        """Of items that a person removed."""
        self.deleted: set[bytes] = set()
        """Contents that zoomsync deleted in Zoom, and that must be stored."""
        self.stored: set[bytes] = set()
        """Contents that were in the library after a pass, and must stay there."""
        self.kinds: Sequence[str] = ALL
        self.copies: dict[str, Path] = {}
        self._forgiven: set[str] = set()
        """Intents of which a restored state knows nothing."""
        place.watch = self._watch
        place.configure(**DELETING)

    # what happens in Zoom

    def meets(self, files: str, *, hours: int = 3, media: str = "") -> None:
        """A meeting was recorded."""
        self.account.world.now = self.place.clock.wall
        self.account.meeting(files, hours=hours, media=media)

    def adds(self, meeting: int, name: str) -> None:
        """A file comes late."""
        self.account.file(self.account.names[meeting % len(self.account.names)], name)

    def alters(self, file: int) -> None:
        """Zoom changes the bytes of a file, and its size."""
        if present := self.account.present:
            altered = present[file % len(present)]
            if not is_media(altered):  # the new text takes the place of the stored one
                self.stored.discard(data_of(altered))
            self.account.alter(altered)

    def lists_badly(self, file: int) -> None:
        """The list has another size for a text than it has."""
        if texts := [one for one in self.account.present if not is_media(one)]:
            texts[file % len(texts)].listed_size = (0, 7, 5000)[file % 3]

    def expires(self, meeting: int) -> None:
        """Zoom deletes a meeting by itself."""
        uuid = self.account.names[meeting % len(self.account.names)]
        for file in self.account.world.meetings[uuid].present:
            file.deleted = True

    def comes_back(self, meeting: int) -> None:
        """A person takes a meeting out of Zoom's trash."""
        self.account.world.restore(self.account.names[meeting % len(self.account.names)])

    # what a person does here

    def configures(self, **changes: Any) -> None:
        """The config changes."""
        self.kinds = changes.get("recordings", {}).get("files", self.kinds)
        self.place.configure(**changes)

    def renames(self, item: int, _: int = 0) -> None:
        """A person gives an item another name."""
        if (folder := self._item(item)) is not None:
            ending = folder.name[folder.name.rindex("[") :]
            folder.rename(folder.with_name(f"Renamed {len(self.log)} {ending}"))

    def writes(self, item: int, _: int = 0) -> None:
        """A person puts a file into an item."""
        if (folder := self._item(item)) is not None:
            self._wrote(folder / f"notes {len(self.untouchable)}.txt", b"mine")

    def edits(self, item: int, file: int) -> None:
        """A person changes a stored file."""
        if (path := self._file(item, file)) is not None:
            self._touch(path)
            self._wrote(path, path.read_bytes() + b"edited")

    def removes_file(self, item: int, file: int) -> None:
        """A person removes a stored file."""
        if (path := self._file(item, file)) is not None:
            self._touch(path)
            self.untouchable.pop(self._named(path), None)
            path.unlink()

    def removes(self, item: int, _: int = 0) -> None:
        """A person removes an item."""
        if (folder := self._item(item)) is not None:
            uuid = uuid_of(self.account, folder)
            for path in files_in(folder):
                self._touch(path)
            entry = self._entries().get(uuid)
            if entry is not None and entry.receipt is not None:  # else nobody can know that it was there
                self.removed.add(uuid)
            self.untouchable = {key: data for key, data in self.untouchable.items() if key[0] != uuid}
            shutil.rmtree(folder)

    # what the machine does

    def waits(self, **span: float) -> None:
        """Time passes."""
        self.place.clock.advance(**span)

    def syncs(self, *arguments: str, blow: tuple[Blow, int] | None = None, seed: int = 0) -> Result:
        """One pass, whatever comes of it."""
        before = self._entries()
        result = self.place.sync(*arguments, blow=blow)
        self.log.append(f"sync {' '.join(arguments)} {blow or ''} -> {result.code}\n{result.stderr}")
        if blow is not None and blow[0] is Blow.POWER and result.code == -9:
            self.place.disk.lose(Random(seed), everything=seed == 0)
        self._judge(result, before, is_disturbed=blow is not None)
        return result

    def rests(self) -> None:
        """Quiet days, a sweep among them; then all is as it should be."""
        for days in (2, 9, 3):
            self.waits(days=days)
            self.syncs()
        before = self.library()
        last = self.syncs()
        self._expect(last.code == 0, f"the last pass ended with {last.code}")
        self._expect(not self.place.downloads, f"{self.place.downloads} downloads by a pass that has nothing to do")
        self._expect(self.library() == before, "a pass that has nothing to do changed the library")
        self._judge_completeness()
        self._judge_audit()

    # what must hold

    def library(self) -> dict[str, bytes]:
        """Every file of items: path and bytes."""
        root = self.place.library
        files = [path for top in ("published", "drafts") for path in files_in(root / top)]
        return {str(path)[len(str(root)) + 1 :]: path.read_bytes() for path in files}

    def _judge(self, result: Result, before: dict[str, Entry], *, is_disturbed: bool) -> None:
        held = self.library()
        self._expect(result.code in (-9, 0, 1, 5, 6), f"a pass ended with {result.code}")
        if not is_disturbed:
            self._expect(result.code in (0, 1), f"a pass ended with {result.code}, and nothing was in its way")
        lost = [data for data in self.stored | self.deleted if not is_in(data, held)]
        self._expect(not lost, f"not stored any more: {lost}")
        lasting = {one for one, file in self.account.offered.items() if is_media(file) or data_of(file) == one}
        self.stored |= {data for data in lasting if is_in(data, held)}
        self._judge_items(held)
        if result.code == 0:
            failed = [uuid for uuid, entry in self._entries().items() if _tries(entry) > _tries(before.get(uuid))]
            self._expect(not failed, f"exit code 0, but these failed: {failed}")

    def _judge_items(self, held: dict[str, bytes]) -> None:
        folders = [path.rpartition("/")[0] for path in held if path.endswith("/recording.json")]
        endings = [re.findall(r"\[[0-9a-f]{8}\]", folder)[-1] for folder in folders]
        self._expect(len(endings) == len(set(endings)), f"an item twice: {folders}")
        for (uuid, name), data in self.untouchable.items():
            mine = [path for path in held if path.endswith(f"[{ending_of(uuid)}]/{name}")]
            self._expect([held[path] for path in mine] == [data], f"{name} of {uuid} is not as the person left it")
        back = [uuid for uuid in self.removed if any(f"[{ending_of(uuid)}]" in folder for folder in folders)]
        self._expect(not back, f"published again, though a person removed it: {back}")

    def _judge_completeness(self) -> None:
        held, entries = self.library(), self._entries()
        for file in self.account.present:
            uuid, data = self.account.of[file.id], data_of(file)
            is_wanted = any(self._letter(file) in KINDS[kind] for kind in self.kinds)
            if is_wanted and uuid not in self.touched and not is_in(data, held):
                entry = entries.get(uuid)
                self._expect(entry is not None and file.id in entry.deleted, f"not stored: {data!r} of {uuid}, {entry}")

    def _judge_audit(self) -> None:
        lines = [line for line in self.place.audit() if line["event"] != "unreadable"]
        begun = {line["intent"]: line["file"] for line in lines if line["event"] == "deleting"}
        ended = {line["intent"] for line in lines if line["event"] in ("answer", "settled")}
        open_ones = [file for intent, file in begun.items() if intent not in ended | self._forgiven]
        self._expect(not open_ones, f"deletions without an end in the audit: {open_ones}")
        done = [file for _, file, _ in self.account.world.deletions]
        silent = [file for file in done if file not in begun.values()]
        self._expect(not silent, f"deleted, and not in the audit: {silent}")

    def _watch(self, request: Request) -> None:
        """Each request before it is answered: a deletion must be safe by now, also if the power went this moment."""
        if request.method != "DELETE":
            return
        id_ = unquote(request.path.rpartition("/")[2])
        file = self.account.world.file(id_)
        held = self.library()
        self._expect(file is not None, f"{id_} is deleted twice")
        if file is None:
            return
        data = data_of(file)
        where = [path for path in held if data in held[path]]
        self._expect(bool(where), f"deleted, but not stored: {data!r}")
        self.deleted.add(data)
        folders = {self.place.library / path.rpartition("]/")[0] for path in where}
        sound = [one for one in folders if self.place.disk.is_flushed(one.with_name(f"{one.name}]"))]
        self._expect(bool(sound), f"deleted, but a power cut could still take what is stored of {data!r}")
        audit = self.place.disk.root / "audit"
        lines = [line for line in self.place.audit() if line.get("file") == id_ and line["event"] == "deleting"]
        self._expect(bool(lines) and self.place.disk.is_flushed(audit), f"deleted before the audit had it: {data!r}")
        state = self.place.state()
        intents = [one for one in (state.intents.values() if state else ()) if one.target == id_]
        is_safe = self.place.disk.is_flushed(self.place.disk.root / "state")
        self._expect(bool(intents) and is_safe, f"deleted before the state had it: {data!r}")

    def _expect(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)

    def check(self) -> None:
        """Raise what is wrong."""
        lines = [f"{one['event']} {one.get('file', '')} {one.get('intent')}" for one in self.place.audit()]
        assert not self.wrong, "\n".join([*self.wrong, "", *self.log, *lines])

    # where things are

    def _entries(self) -> dict[str, Entry]:
        state = self.place.state()
        return dict(state.entries) if state else {}

    def _item(self, number: int) -> Path | None:
        files = [path for top in ("published", "drafts") for path in files_in(self.place.library / top)]
        found = [path.parent for path in files if path.name == "recording.json"]
        return found[number % len(found)] if found else None

    def _file(self, item: int, number: int) -> Path | None:
        folder = self._item(item)
        files = [] if folder is None else files_in(folder)
        found = [path for path in files if path.name != "recording.json"]
        return found[number % len(found)] if found else None

    def _named(self, path: Path) -> tuple[str, str]:
        """Whose item a file lies in, and its name there."""
        folder = next(one for one in path.parents if re.search(r"\[[0-9a-f]{8}\]$", one.name))
        return uuid_of(self.account, folder), str(path.relative_to(folder))

    def _wrote(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)
        self.untouchable[self._named(path)] = data

    def _touch(self, path: Path) -> None:
        data = path.read_bytes()
        self.touched.add(self._named(path)[0])
        gone = {one for one in self.stored | self.deleted if one in data}
        self.stored -= gone
        self.deleted -= gone

    def _letter(self, file: ZoomFile) -> str:
        views = {"shared_screen_with_speaker_view": "A", "gallery_view": "B", "audio_only": "S"}
        return views.get(file.view) or {"TRANSCRIPT": "T", "CHAT": "H"}.get(file.type, "L")


def is_media(file: ZoomFile) -> bool:
    """Whether it is a video or sound."""
    return file.extension in ("MP4", "M4A")


def is_in(data: bytes, held: dict[str, bytes]) -> bool:
    """Whether these bytes are stored."""
    return any(data in one for one in held.values())


def ending_of(uuid: str) -> str:
    """By which an item is found."""
    return hashlib.sha256(uuid.encode()).hexdigest()[:8]


def uuid_of(account: Account, folder: Path) -> str:
    """Whose item it is."""
    return next(uuid for uuid in account.names if f"[{ending_of(uuid)}]" in folder.name)


def _tries(entry: Entry | None) -> int:
    retry: Retry | None = entry.retry if entry is not None else None
    return retry.tries if retry is not None else 0
