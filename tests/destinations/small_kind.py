"""A whole kind of destination in one file, as CONTRIBUTING asks for it: each item is a folder.

In the folder every file is called by the SHA-256 of its content, and `receipt.json`, written last, says what they are.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from zoomsync.config.base import DestinationSettings
from zoomsync.config.types import Place
from zoomsync.destinations.base import Attachment, Destination, DestinationContext, Everything
from zoomsync.errors import MeetingFailed, RemovedByPerson, Unfit
from zoomsync.files import Refusals, has_content, make_private_folder, move, write
from zoomsync.model import Author, Item, Receipt, Surveyed, User, Verdict

RECEIPT = TypeAdapter(Receipt)
HINT = "check destination.path in the config"
FOLDER = Refusals(error=Unfit, no_room="free some space", no_right=HINT, otherwise=HINT)


class Settings(DestinationSettings):
    """A folder of folders."""

    type: Literal["small"]
    """small: a folder of folders."""
    path: Place
    """The folder; relative to the config file."""

    def build(self, context: DestinationContext) -> Destination:
        """What publishes there."""
        return SmallDestination(self.path, context)

    def sentence(self) -> str:
        """What `auth-check` says of it."""
        return f"publishes to the folders below {self.path}"

    def selection(self) -> Mapping[str, object]:
        """Another folder is another destination."""
        return {"type": self.type, "path": self.path}

    @property
    def storage(self) -> Path:
        """Staging lies there too."""
        return self.path


class SmallDestination:
    """See `base.Destination`."""

    last_change = None
    can_replace = True

    def __init__(self, path: Path, context: DestinationContext) -> None:
        self.path = path
        self.id = ""
        self._context = context

    def attach(self, attachment: Attachment) -> None:
        """The id lies beside the items; it is made in the first pass."""
        marker = self.path / "id"
        with FOLDER.explained(self.path):
            self.id = marker.read_text() if marker.exists() else attachment.new_id
            if not attachment.dry_run:
                make_private_folder(self.path)
                write(marker, self.id.encode())

    def detach(self) -> None:
        """Nothing is kept open."""

    def ping(self) -> None:
        """Is the folder there?"""
        self.check()

    def check(self) -> str:
        """A probe is written and removed, once there is a folder."""
        if self.path.is_dir():
            with FOLDER.explained(self.path):
                probe = self.path / "probe"
                probe.write_bytes(b"")
                probe.unlink()
        return f"small {self.id[:8]} at {self.path}"

    def survey(self) -> Iterator[Surveyed]:
        """`check` says it all."""
        return iter(())

    def author_for(self, host: User) -> Author:
        """An author is a name in the receipt, which nobody has to make."""
        context = self._context
        email = context.me if context.publish_as == "me" else context.aliases.get(host.email, host.email)
        return Author(id=email, email=email)

    def prospect(self, host: User) -> Author:
        """The same."""
        return replace(self.author_for(host), note="a name")

    def find(self, uuid: str, known: Receipt | None = None) -> Receipt | None:
        """An item without a receipt is none."""
        del known
        receipt = self._folder(uuid) / "receipt.json"
        with FOLDER.explained(self.path):
            return RECEIPT.validate_json(receipt.read_bytes()) if receipt.exists() else None

    def publish(self, item: Item, author: Author, previous: Receipt | None, *, requested: bool = False) -> Receipt:
        """The content first, then the receipt, then what that no longer names: killed in between, it is done again."""
        uuid = item.meeting.uuid
        folder, stored = self._folder(uuid), self.find(uuid)
        is_known = previous is not None and previous.destination == self.id
        if is_known and not requested and (stored is None or self._lacking(stored)):
            raise RemovedByPerson(f"{folder}: removed or changed", hint=f"`zoomsync sync --meeting {uuid}` restores it")
        receipt = Receipt(
            uuid=uuid,
            destination=self.id,
            place=folder.name,
            author=author.id if stored is None else stored.author,
            files=tuple(file.as_stored(place=file.sha256) for file in item.files),
            cloud=item.cloud,
        )
        with FOLDER.explained(folder):
            make_private_folder(folder)
            for file in item.files:
                place = folder / file.sha256
                if has_content(place, file.size, file.sha256, self._context.clock):
                    continue
                if file.source is None:
                    raise MeetingFailed(f"{folder}/{file.name}: not stored", hint="it is fetched by the next pass")
                move(file.source, place, sha256=file.sha256, clock=self._context.clock)
            write(folder / "receipt.json", RECEIPT.dump_json(receipt))
            named = {"receipt.json", *(file.place for file in receipt.files)}
            for one in folder.iterdir():
                if one.name not in named:
                    one.unlink()
        return receipt

    def verify(self, receipt: Receipt) -> Verdict:
        """By content."""
        if receipt.destination != self.id:
            return Verdict(safe=False, reason="stored in another destination", receipt=receipt)
        found = self.find(receipt.uuid)
        if found is None:
            return Verdict(safe=False, reason="removed", receipt=receipt, removed=True)
        if lacking := self._lacking(receipt):
            reason = f"removed or changed: {', '.join(lacking)}"
            return Verdict(safe=False, reason=reason, receipt=receipt, removed=True, lacking=lacking)
        if found != receipt:
            return Verdict(safe=False, reason="updated since", receipt=receipt)
        return Verdict(safe=True, reason=f"{len(receipt.files)} files, content verified", receipt=receipt)

    def everything(self, after: str = "") -> Everything:
        del after
        yield from ()

    def to_download(self, receipt: Receipt) -> int:
        """Nothing: it lies here."""
        del receipt
        return 0

    def _folder(self, uuid: str) -> Path:
        return self.path / hashlib.sha256(uuid.encode()).hexdigest()[:16]

    def _lacking(self, receipt: Receipt) -> tuple[str, ...]:
        """The names of the files that are not there as they were stored."""
        folder, clock = self._folder(receipt.uuid), self._context.clock
        with FOLDER.explained(folder):
            return tuple(
                one.name for one in receipt.files if not has_content(folder / one.place, one.size, one.sha256, clock)
            )
