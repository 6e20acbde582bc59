"""Makes the remote hold an item: its files first, then `recording.json`, then what that no longer names goes.

Before the first file an intent is written down, with the names: so a later pass knows what a killed one left there,
goes on with it, and takes away what it would have taken away. Whatever else lies in an item is a person's.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from zoomsync.destinations.base import DestinationContext
from zoomsync.destinations.layout import MANIFEST, Recording
from zoomsync.destinations.rclone.items import Items
from zoomsync.destinations.rclone.lease import Lease
from zoomsync.destinations.rclone.remote import Entry
from zoomsync.errors import MeetingFailed
from zoomsync.files import chunks, has_size, open_file
from zoomsync.model import Intent, ItemFile, Receipt, Role, Stamp, StoredFile

ACTION = "store"
_PARTIAL = re.compile(r".+\.[0-9a-f]{8}\.partial")
"""What rclone calls a file on its way, if the store can rename (https://rclone.org/docs/#partial-suffix-string)."""
REFETCH = "it is fetched again by the next pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What an intent says of a change that a pass began."""

    intent: Intent

    @property
    def place(self) -> str:
        """The folder of the item."""
        return self.intent.target

    @property
    def new(self) -> frozenset[str]:
        """Names of the files that the pass was to bring."""
        return frozenset(json.loads(self.intent.details.get("new", "[]")))

    @property
    def old(self) -> tuple[StoredFile, ...]:
        """The files that go once the item is complete."""
        named = json.loads(self.intent.details.get("old", "[]"))
        return tuple(
            StoredFile(
                name=name,
                role=Role("old"),
                size=size,
                sha256=sha256,
                made_of=(),
                stamp=Stamp(at=self.intent.at, look=look),
            )
            for name, size, sha256, look in named
        )

    @property
    def is_sent(self) -> bool:
        """Whether `recording.json` may have been written."""
        return MANIFEST in self.intent.details


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Shared by all threads."""

    items: Items
    lease: Lease
    context: DestinationContext

    def begun(self, uuid: str = "") -> list[Begun]:
        """What passes began in this remote and nobody saw finished: of this meeting, or of any."""
        here = self.lease.marker.id
        return [
            Begun(intent=one)
            for one in self.context.intents.open_intents()
            if one.action == ACTION and one.details.get("library") == here and uuid in ("", one.uuid)
        ]

    def store(
        self, recording: Recording, new: Mapping[str, ItemFile], old: Recording | None, there: Mapping[str, Entry]
    ) -> Receipt:
        """Bring the new files, then the document; `there` is what the folder holds. Returns the receipt, stamped.

        Raises `MeetingFailed` for a file that is to be kept but is not stored, or is not in staging as it was proven.
        """
        for file in new.values():
            if file.source is None or not has_size(file.source, file.size):
                raise MeetingFailed(f"{file.name}: not in staging as it was proven", hint=REFETCH, service="disk")
        receipt = recording.receipt
        self.lease.begin_change()
        begun = self._begin(recording, new, old, there)
        hashes = {name: self._bring(f"{receipt.place}/{name}", file, there.get(name)) for name, file in new.items()}
        after = self.items.remote.files(receipt.place)
        for name, file in new.items():
            listed = after.get(name)
            is_other = listed is not None and hashes[name] and listed.hash and listed.hash != hashes[name]
            if listed is None or listed.size not in (file.size, -1) or is_other:
                message = f"{self.items.remote.name(receipt.place)}/{name}: not there as it was sent"
                raise MeetingFailed(message, hint="the next pass sends it again", service="remote")
        self.lease.begin_change()
        self.lease.confirm()
        details = {**begun.intent.details, MANIFEST: "sent"}
        self.context.intents.begin(replace(begun.intent, details=details))
        self.items.remote.write(f"{receipt.place}/{MANIFEST}", recording.document, replaces=old is not None)
        self.finish(begun, after)
        for other in self.begun(receipt.uuid):
            self._clear(other)
        mark, now = self.items.remote.mark, self.context.clock.now()
        known = {name: after[name].hash for name in new if after[name].hash}
        stamped = (
            replace(one, stamp=Stamp(at=now, look=f"{mark}{known[one.name]}")) if one.name in known else one
            for one in receipt.files
        )
        return replace(receipt, files=tuple(stamped))

    def finish(self, begun: Begun, there: Mapping[str, Entry]) -> None:
        """The item is complete: an old file goes if it still has its bytes, else it is a person's by now."""
        remote = self.items.remote
        for file in begun.old:
            if file.name in there and not self.items.flaw(begun.place, file, there):
                self.lease.begin_change()  # to read it back may have taken long
                remote.remove(f"{begun.place}/{file.name}")
        self._remove_folders(begun.place, (one.name for one in begun.old))
        self.context.intents.settle(begun.intent.id)

    def _clear(self, begun: Begun) -> None:
        """The item lies elsewhere, as its topic changed: what a pass brought here goes; what is a person's stays."""
        remote = self.items.remote
        there = remote.files(begun.place, hashed=False)
        if MANIFEST in there:
            return
        for name in there:
            if name in begun.new or _PARTIAL.fullmatch(name):
                remote.remove(f"{begun.place}/{name}")
        self._remove_folders(begun.place, begun.new)
        remote.remove_folder(begun.place)
        self.context.intents.settle(begun.intent.id)

    def _remove_folders(self, place: str, names: Iterable[str]) -> None:
        """In an item, where the store keeps empty ones: those that these files were in."""
        remote = self.items.remote
        folders = {name.rpartition("/")[0] for name in names} - {""}
        for folder in folders if remote.abilities and remote.abilities.keeps_folders else ():
            remote.remove_folder(f"{place}/{folder}")

    def _begin(
        self, recording: Recording, new: Mapping[str, ItemFile], old: Recording | None, there: Mapping[str, Entry]
    ) -> Begun:
        """Write down what is to come; what an earlier pass left there that is not to come goes."""
        receipt = recording.receipt
        earlier = [one for one in self.begun(receipt.uuid) if one.place == receipt.place]
        kept = {*new, *(one.name for one in receipt.files), *(one.name for one in (old.receipt.files if old else ()))}
        left = {name for one in earlier for name in one.new if name in there} - kept
        left |= {name for name in there if earlier and _PARTIAL.fullmatch(name)}
        for name in sorted(left):
            self.items.remote.remove(f"{receipt.place}/{name}")
        looks = {one.name: one.stamp.look for one in old.receipt.files if one.stamp} if old else {}
        gone = [(*one, looks.get(one[0], "")) for one in old.superseded(receipt)] if old else []
        intent = Intent(
            id=earlier[0].intent.id if earlier else self.context.new_id(),
            at=self.context.clock.now(),
            action=ACTION,
            uuid=receipt.uuid,
            target=receipt.place,
            details={"library": self.lease.marker.id, "new": json.dumps([*new]), "old": json.dumps(gone)},
        )
        self.context.intents.begin(intent)
        return Begun(intent=intent)

    def _bring(self, path: str, file: ItemFile, listed: Entry | None) -> str:
        """Upload a file, unless it is there; returns the hash by which the store will know it, empty for none."""
        remote, clock = self.items.remote, self.context.clock
        proof = remote.proof
        if file.source is None:
            raise TypeError(f"{file.name}: a file that is kept is not sent")
        sums = {name: hashlib.new(name, usedforsecurity=False) for name in ("sha256", proof) if name}
        with open_file(file.source) as staged:
            for chunk in chunks(staged, clock):
                for one in sums.values():
                    one.update(chunk)
        if sums["sha256"].hexdigest() != file.sha256:
            raise MeetingFailed(f"{file.name}: changed in staging", hint=REFETCH, service="disk")
        wanted = sums[proof].hexdigest() if proof else ""
        if wanted and listed and (listed.size, listed.hash) == (file.size, wanted):
            return wanted
        with self.context.progress.working(f"{file.name} is sent", file.size, is_due=False) as sent:

            def moved(size: int) -> None:
                self.lease.begin_change()
                sent(size)

            self.lease.begin_change()  # to hash it may have taken long
            remote.upload(file.source, path, moved)
        return wanted
