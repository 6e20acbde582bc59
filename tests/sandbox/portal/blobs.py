"""Uploads: initialise, blocks in any order, commit; the bytes lie on disk."""

import base64
import binascii
import hashlib
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from tests.sandbox.message import Answer, json_answer
from tests.sandbox.portal.call import Call, Handler, Refused, is_filled, list_of
from tests.sandbox.portal.settings import PortalSettings

GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
PIECE = 1 << 20


@dataclass(kw_only=True)
class Blob:
    """One upload."""

    guid: str
    blob_id: str
    file_name: str
    folder: Path
    blocks: dict[str, int] = field(default_factory=dict)
    """The size of each block that has come, by its id, in the order of arrival."""
    committed: list[str] | None = None
    size: int = 0
    sha256: str = ""

    @property
    def path(self) -> Path:
        """Where the bytes lie once they are committed."""
        return self.folder / "content"

    @property
    def data(self) -> bytes:
        """The committed bytes; for small ones."""
        return self.path.read_bytes()

    @property
    def head(self) -> bytes:
        """The first of the committed bytes."""
        with self.path.open("rb") as content:
            return content.read(PIECE)

    def put(self, block: str, body: bytes) -> None:
        """Keep one block; a repeated one replaces what was there."""
        (self.folder / block_file(block)).write_bytes(body)
        self.blocks[block] = len(body)

    def commit(self, order: list[str]) -> None:
        """Make the content of the blocks in this order."""
        hashed = hashlib.sha256()
        with self.path.open("wb") as content:
            for block in order:
                with (self.folder / block_file(block)).open("rb") as part:
                    while piece := part.read(PIECE):
                        hashed.update(piece)
                        content.write(piece)
        for block in self.blocks:
            (self.folder / block_file(block)).unlink()
        self.committed, self.size, self.sha256 = order, self.path.stat().st_size, hashed.hexdigest()


class Blobs:
    """All uploads, by file GUID."""

    def __init__(self, settings: PortalSettings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self.blobs: dict[str, Blob] = {}

    def handlers(self) -> dict[str, Handler]:
        """By the name of the operation."""
        return {"upload_start": self.start, "upload_block": self.block, "upload_status": self.status,
                "upload_commit": self.commit}  # fmt: skip

    def start(self, call: Call) -> Answer:
        """Begin an upload, or begin it again."""
        call.nothing()
        asked = call.arguments
        if not all(re.fullmatch(GUID, asked[name]) for name in ("blobId", "fileGuid")):
            raise Refused(400, "InvalidRequestException", "blobId and fileGuid must be GUIDs")
        if known := self.blobs.get(asked["fileGuid"].lower()):
            self._same(known, call)
            if self._settings.initialize_clears and known.committed is None:
                known.blocks.clear()
            return Answer()
        blob = Blob(guid=asked["fileGuid"].lower(), blob_id=asked["blobId"].lower(), file_name=asked["fileName"],
                    folder=self._folder / asked["fileGuid"].lower())  # fmt: skip
        blob.folder.mkdir()
        self.blobs[blob.guid] = blob
        return Answer(status=201)

    def block(self, call: Call) -> Answer:
        """Take one block."""
        blob, block = self._open(call), call.request.query.get("blockid", "")
        index = block_index(block)
        if not call.request.body and not self._settings.empty_blocks:
            raise Refused(400, "InvalidRequestException", "an empty block")
        if len(call.request.body) > self._settings.largest_block:
            raise Refused(413, "RequestBodyTooLargeException")
        if index in self._settings.lost_blocks:
            self._settings.lost_blocks.discard(index)
        else:
            blob.put(block, call.request.body)
        return Answer(status=201)

    def status(self, call: Call) -> Answer:
        """Which blocks have come."""
        form, blob = self._settings.block_list, self._find(call)
        if form == "unsupported":
            raise Refused(400, "NotSupportedException", "comp: unknown value")
        blocks = sorted(blob.blocks, key=block_index, reverse=form == "reversed")
        return json_answer({"blockIds": blocks * 2 if form == "repeated" else blocks})

    def commit(self, call: Call) -> Answer:
        """Make a file of the blocks, in the order in which they are named; once more changes nothing."""
        blob, order = self._find(call), call.fields({"blockIds": list_of(is_filled)})["blockIds"]
        if blob.committed is None:
            missing = [one for one in order if one not in blob.blocks]
            if missing or not order:
                raise Refused(400, "InvalidBlockListException", *missing)
            blob.commit(order)
        elif blob.committed != order:
            raise Refused(409, "BlobAlreadyCommittedException")
        return json_answer({"fileGuid": blob.guid, "size": blob.size})

    def file(self, guid: str, name: str) -> Blob:
        """A committed one; refuses any other."""
        blob = self.blobs.get(guid.lower())
        if blob is None or blob.committed is None:
            raise Refused(400, "BlobNotFoundException", f"{guid}: not committed")
        if blob.file_name != name:
            raise Refused(400, "BlobNotFoundException", f"{name}: uploaded as {blob.file_name}")
        return blob

    def forget(self) -> None:
        """What a portal does that tidies up: uploads that were never committed are gone."""
        for guid, blob in list(self.blobs.items()):
            if blob.committed is None:
                shutil.rmtree(blob.folder)
                del self.blobs[guid]

    def _open(self, call: Call) -> Blob:
        blob = self._find(call)
        if blob.committed is not None:
            raise Refused(409, "BlobAlreadyCommittedException")
        return blob

    def _find(self, call: Call) -> Blob:
        blob = self.blobs.get(call.arguments["fileGuid"].lower())
        if blob is None:
            raise Refused(404, "BlobNotFoundException", "not initialised")
        self._same(blob, call)
        return blob

    def _same(self, blob: Blob, call: Call) -> None:
        if (blob.blob_id, blob.file_name) != (call.arguments["blobId"].lower(), call.arguments["fileName"]):
            raise Refused(409, "BlobConflictException", "initialised with another blobId or fileName")


def block_index(block: str) -> int:
    """What a block's id says: base64 of six digits."""
    try:
        text = base64.b64decode(block, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        raise Refused(400, "InvalidRequestException", "blockid: not base64") from None
    if not re.fullmatch(r"\d{6}", text):
        raise Refused(400, "InvalidRequestException", "blockid: not six digits")
    return int(text)


def block_file(block: str) -> str:
    """The name of its file."""
    return f"{block_index(block):06}.block"
