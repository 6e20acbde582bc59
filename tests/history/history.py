"""A history: what happens at a place, week by week."""

import re
import shutil
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.e2e.harness import Result
from tests.history.account import data_of
from tests.history.disk import Blow, Strike, files_in
from tests.history.judge import Judge, ending_of, is_in, is_media, uuid_of

CONFIG: dict[str, Any] = {
    "delete_recordings": "trash",
    "delete_after": "2d",
    "delete_all_accounts": True,
    "concatenate_recordings": True,
    "reencode": True,
    "recordings": {"views": "all", "files": ["video", "audio", "captions", "chat", "timeline"]},
}
"""The one of quiet days."""
OTHERS: tuple[dict[str, Any], ...] = (
    {"delete_recordings": "never"},
    {"concatenate_recordings": False},
    {"reencode": False},
    {"recordings": {"views": "best"}},
    {"recordings": {"files": ["video"]}},
    {"recordings": {"files": ["captions", "chat"]}},
    {"aliases": {"alice@example.org": "liddell@example.org"}},
)


class History(Judge):
    """One history: what happened, in the order in which it did."""

    is_unfinished = False
    """Whether the last pass was disturbed: the next one ends what it began, as soon as it has the library."""

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

    def processes(self, meeting: int) -> None:
        """A file is announced that is not there yet."""
        uuid = self.account.names[meeting % len(self.account.names)]
        self.account.file(uuid, "T1").is_processing = True

    def finishes(self, *_: int) -> None:
        """What was announced is there."""
        for file in self.account.present:
            file.is_processing = False

    def comes_back(self, meeting: int) -> None:
        """A person takes a meeting out of Zoom's trash."""
        self.account.world.restore(self.account.names[meeting % len(self.account.names)])

    # what a person does here

    def configures(self, number: int) -> None:
        """The config is another one, or as it was."""
        self.place.configure(**{**CONFIG, **OTHERS[number]} if number < len(OTHERS) else CONFIG)

    def backs_up(self, *_: int) -> None:
        """A person copies state and library."""
        if self.place.state() is not None and self.place.library.is_dir():
            self.place.back_up()
            self.has_copies = True

    def restores_state(self, *_: int) -> None:
        """A person puts the copy of the state back."""
        self._restores("state")

    def restores_library(self, *_: int) -> None:
        """A person puts the copy of the library back."""
        self._restores("library")

    def restores_both(self, *_: int) -> None:
        """A person puts both copies back."""
        self._restores("state", "library")

    def _restores(self, *parts: str) -> None:
        """A new state begins if the one that is there now does not fit the library."""
        if not self.has_copies:
            return
        self.forgiven |= self.unended()
        self.place.restore(*parts)
        held = self.library()
        self._lose(held)
        fits = self.place.sync("--dry-run").code
        self.expect(fits in (0, 1, 5), f"a dry run ended with {fits} after {parts} were put back")
        if fits == 5:
            self.place.forget()
            self.removed.clear()
            self.syncs("--new-library", "--no-delete")

    def _lose(self, held: dict[str, bytes]) -> None:
        """What a restored library does not have is lost with it."""
        self.stored = {data for data in self.stored if is_in(data, held)}
        self.deleted = {data for data in self.deleted if is_in(data, held)}
        self.removed = {uuid for uuid in self.removed if not any(f"[{ending_of(uuid)}]" in path for path in held)}
        kept = {
            key: [held[one] for one in held if one.endswith(f"[{ending_of(key[0])}]/{key[1]}")]
            for key in self.untouchable
        }
        self.untouchable = {key: found[0] for key, found in kept.items() if found}

    def renames(self, item: int, where: int = 0, *_: int) -> None:
        """A person gives an item another name, or another place, near or far."""
        if (folder := self._item(item)) is not None:
            ending = folder.name[folder.name.rindex("[") :]
            near, far = folder.parents[1] / "Old", self.place.library / "published" / "Best of"
            there = (folder.parent, near, far)[where % 3]
            there.mkdir(exist_ok=True)
            folder.rename(there / f"Renamed {len(self.log)} {ending}")

    def writes(self, item: int, *_: int) -> None:
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

    def removes(self, item: int, *_: int) -> None:
        """A person removes an item."""
        if (folder := self._item(item)) is not None:
            uuid = uuid_of(self.account, folder)
            for path in files_in(folder):
                self._touch(path)
            entry = self.entries().get(uuid)
            if entry is not None and entry.receipt is not None:  # else nobody can know that it was there
                self.removed.add(uuid)
            self.untouchable = {key: data for key, data in self.untouchable.items() if key[0] != uuid}
            shutil.rmtree(folder)

    # what the machine does

    def waits(self, **span: float) -> None:
        """Time passes."""
        self.place.clock.advance(**span)

    def syncs(self, *arguments: str, strike: Strike | None = None, seed: int = 0, cuts: int = 0) -> Result:
        """One pass, whatever comes of it."""
        self.place.cuts = cuts
        before = self.entries()
        result = self.place.sync(*arguments, strike=strike)
        self.log.append(f"sync {' '.join(arguments)} {strike or ''} -> {result.code}\n{result.stderr}")
        if strike is not None and strike.blow is Blow.POWER and result.code == -9:
            self.place.disk.lose(Random(seed), everything=seed == 0)
        self.judge(result, before, is_disturbed=strike is not None)
        self.is_unfinished = strike is not None
        return result

    def misreads(self, number: int) -> None:
        """The clock of the machine is wrong for one pass: it must do nothing but end what a disturbed one began."""
        hours = (-800, -1, 1, 800)[number % 4]
        before, deletions = self.library(), len(self.account.world.deletions)
        self.place.cloud.settings.skew = timedelta(hours=hours)
        code = self.place.sync().code
        self.place.cloud.settings.skew = timedelta(0)
        self.expect(code == 5, f"a pass ended with {code}, and the clock was wrong by {hours} h")
        self.expect(len(self.account.world.deletions) == deletions, "it deleted something")
        self.expect(self.is_unfinished or self.library() == before, "it did something")
        self.is_unfinished = False

    def rests(self) -> None:
        """Quiet days, a sweep among them; then all is as it should be."""
        self.finishes()
        for file in self.account.present:
            file.listed_size = None  # else a list may hide that a text was altered
        self.place.configure(**CONFIG)
        for days in (2, 9, 3):
            self.waits(days=days)
            self.syncs()
        before = self.library()
        last = self.syncs()
        self.expect(last.code == 0, f"the last pass ended with {last.code}")
        self.expect(not self.place.downloads, f"{self.place.downloads} downloads by a pass that has nothing to do")
        self.expect(self.library() == before, "a pass that has nothing to do changed the library")
        self.judge_completeness()
        self.judge_audit()

    # where things are

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
