"""What must hold in every history, whatever happened."""

import hashlib
import re
from pathlib import Path
from urllib.parse import unquote

from tests.e2e.harness import Result
from tests.history.account import Account, data_of
from tests.history.disk import files_in
from tests.history.place import Place
from tests.sandbox.message import Request
from tests.sandbox.world import ZoomFile
from zoomsync.model import Entry, Retry


class Judge:
    """Looks at each pass. What is wrong is collected in `wrong`, for nothing inside a pass may catch it."""

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
        self.has_copies = False
        self.forgiven: set[str] = set()
        """Intents of which a restored state knows nothing."""
        place.watch = self._watch

    def library(self) -> dict[str, bytes]:
        """Every file of items: path and bytes."""
        root = self.place.library
        files = [path for top in ("published", "drafts") for path in files_in(root / top)]
        return {str(path)[len(str(root)) + 1 :]: path.read_bytes() for path in files}

    def judge(self, result: Result, before: dict[str, Entry], *, is_disturbed: bool) -> None:
        held = self.library()
        self.expect(result.code in (-9, 0, 1, 5, 6), f"a pass ended with {result.code}")
        if not is_disturbed:
            self.expect(result.code in (0, 1), f"a pass ended with {result.code}, and nothing was in its way")
        lost = [data for data in self.stored | self.deleted if not is_in(data, held)]
        self.expect(not lost, f"not stored any more: {lost}")
        lasting = {one for one, file in self.account.offered.items() if is_media(file) or data_of(file) == one}
        self.stored |= {data for data in lasting if is_in(data, held)}
        self._judge_items(held)
        if result.code == 0:
            failed = [uuid for uuid, entry in self.entries().items() if _tries(entry) > _tries(before.get(uuid))]
            self.expect(not failed, f"exit code 0, but these failed: {failed}")

    def _judge_items(self, held: dict[str, bytes]) -> None:
        folders = [path.rpartition("/")[0] for path in held if path.endswith("/recording.json")]
        endings = [re.findall(r"\[[0-9a-f]{8}\]", folder)[-1] for folder in folders]
        self.expect(len(endings) == len(set(endings)), f"an item twice: {folders}")
        for (uuid, name), data in self.untouchable.items():
            mine = [path for path in held if path.endswith(f"[{ending_of(uuid)}]/{name}")]
            self.expect([held[path] for path in mine] == [data], f"{name} of {uuid} is not as the person left it")
        back = [uuid for uuid in self.removed if any(f"[{ending_of(uuid)}]" in folder for folder in folders)]
        self.expect(not back, f"published again, though a person removed it: {back}")

    def judge_completeness(self) -> None:
        held, entries = self.library(), self.entries()
        for file in self.account.present:
            uuid, data = self.account.of[file.id], data_of(file)
            if uuid not in self.touched and not is_in(data, held):
                entry = entries.get(uuid)
                self.expect(entry is not None and file.id in entry.deleted, f"not stored: {data!r} of {uuid}, {entry}")

    def judge_audit(self) -> None:
        open_ones = self.unended() - self.forgiven
        self.expect(not open_ones, f"deletions without an end in the audit: {open_ones}")
        begun = {line["file"] for line in self.place.audit() if line["event"] == "deleting"}
        silent = [file for _, file, _ in self.account.world.deletions if file not in begun]
        self.expect(not silent, f"deleted, and not in the audit: {silent}")

    def unended(self) -> set[str]:
        lines = [line for line in self.place.audit() if line["event"] != "unreadable"]
        begun = {line["intent"] for line in lines if line["event"] == "deleting"}
        return begun - {line["intent"] for line in lines if line["event"] != "deleting"}

    def _watch(self, request: Request) -> None:
        """Each request before it is answered: a deletion must be safe by now, also if the power went this moment."""
        if request.method != "DELETE":
            return
        id_ = unquote(request.path.rpartition("/")[2])
        file = self.account.world.file(id_)
        held = self.library()
        self.expect(file is not None, f"{id_} is deleted twice")
        if file is None:
            return
        data = data_of(file)
        where = [path for path in held if data in held[path]]
        self.expect(bool(where), f"deleted, but not stored: {data!r}")
        self.deleted.add(data)
        folders = {self.place.library / path.rpartition("]/")[0] for path in where}
        sound = [one for one in folders if self.place.disk.is_flushed(one.with_name(f"{one.name}]"))]
        self.expect(bool(sound), f"deleted, but a power cut could still take what is stored of {data!r}")
        audit = self.place.disk.root / "audit"
        lines = [line for line in self.place.audit() if line.get("file") == id_ and line["event"] == "deleting"]
        self.expect(bool(lines) and self.place.disk.is_flushed(audit), f"deleted before the audit had it: {data!r}")
        state = self.place.state()
        intents = [one for one in (state.intents.values() if state else ()) if one.target == id_]
        is_safe = self.place.disk.is_flushed(self.place.disk.root / "state")
        self.expect(bool(intents) and is_safe, f"deleted before the state had it: {data!r}")

    def expect(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)

    def check(self) -> None:
        """Raise what is wrong."""
        lines = [f"{one['event']} {one.get('file', '')} {one.get('intent')}" for one in self.place.audit()]
        assert not self.wrong, "\n".join([*self.wrong, "", *self.log, *lines])

    def entries(self) -> dict[str, Entry]:
        state = self.place.state()
        return dict(state.entries) if state else {}


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
