"""An item in a destination in memory, and a cloud written as a line: what tests of late files share."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.config.builders import a_config
from tests.fakes import FakeClock, a_meeting, a_piece
from zoomsync.errors import Unjoinable
from zoomsync.item.build import ItemBuilder, ItemStyle
from zoomsync.media.ffmpeg import Tools
from zoomsync.media.stitch import Stitched
from zoomsync.model import Arrival, Fetched, Item, Kind, Receipt, RecordingFile
from zoomsync.rules.update import Arrangement, arrange

SIZES = {"": 1000, "+": 1001, "~": 2000, "!": 3000}
"""How a file is marked: `+` Zoom altered it, `~` it can only be stitched by encoding, `!` not at all."""
TEXTS = {Kind.CAPTIONS: "WEBVTT\n\n00:01.000 --> 00:02.000\n<{}>\n", Kind.CHAT: "00:00:01\tFrom Ada : <{}>\n"}
CONFIG = a_config(title="{topic}")
TOOLS = Tools(ffmpeg=Path("ffmpeg"), ffprobe=Path("ffprobe"), version="", source="PATH", environ={})


def cloud(listing: str) -> list[RecordingFile]:
    """`A1 B2~`: the speaker view of segment 1 and the gallery view of segment 2, which must be encoded.

    The last digit is the segment: `A91` is a further file of view A in segment 1.
    """
    return [_piece(name.rstrip("+~!"), SIZES[name.lstrip(name.rstrip("+~!"))]) for name in listing.split()]


def _piece(name: str, size: int) -> RecordingFile:
    begin = 100 * int(name[-1])
    return a_piece(name, begin, begin + 60, size=size)


def joined(_: Tools, inputs: Sequence[Path], target: Path, **_options: Any) -> Stitched:
    """Stitching as far as bytes go: a copy contains its segments, an encoded video only shows them."""
    data = " ".join(path.read_text() for path in inputs)
    if "/3000" in data:
        raise Unjoinable(f"{target.name}: the segments do not agree")
    is_encoded = "/2000" in data
    target.write_text(re.sub(r"<(\w+)/\d+>", r"(\1)", data) if is_encoded else data)
    return Stitched(path=target, durations=(60.0,) * len(inputs), reencoded=is_encoded)


@dataclass
class ItemInMemory:
    """An item in a destination in memory, worked on pass by pass as `work` does."""

    receipt: Receipt | None = None
    content: dict[str, str] = field(default_factory=dict)
    """By stored name."""
    passes: int = 0
    can_replace: bool = True

    def look(self, files: Sequence[RecordingFile], **style: Any) -> Arrangement:
        """What is to be done when these files are in the cloud."""
        return arrange(files, self.receipt, can_replace=self.can_replace, **style)

    def work(self, files: Sequence[RecordingFile], **style: Any) -> Arrangement:
        """One pass with these files in the cloud."""
        arrangement = self.look(files, **style)
        self.passes += 1
        if arrangement.build:
            with TemporaryDirectory() as folder:
                self._store(self._make(arrangement, Path(folder)))
        return arrangement

    def described(self) -> list[str]:
        """Its files as `role: what they contain`, marked as in `cloud`; what was encoded is in brackets."""
        files = self.receipt.files if self.receipt is not None else ()
        return [f"{one.role}: {' '.join(_contents(self.content[one.name]))}" for one in files]

    def _make(self, arrangement: Arrangement, folder: Path) -> Item:
        return ItemBuilder(
            meeting=a_meeting(),
            arrangement=arrangement,
            fetched={file.id: _fetched(file, folder) for file in arrangement.fetch},
            previous=self.receipt,
            style=ItemStyle.of(CONFIG),
            tools=TOOLS,
            clock=FakeClock(),
            folder=folder,
        ).build()

    def _store(self, made: Item) -> None:
        names = {one.name: one.name if one.source is None else f"{one.name} v{self.passes}" for one in made.files}
        assert len(names) == len(made.files)
        self.content = {
            names[one.name]: one.source.read_text() if one.source is not None else self.content[one.name]
            for one in made.files
        }
        self.receipt = Receipt(
            uuid=made.meeting.uuid,
            destination="library-1",
            place="here",
            author="ada",
            files=tuple(one.as_stored(name=names[one.name]) for one in made.files),
            cloud=tuple(replace(one, stored=names[one.stored]) for one in made.cloud),
        )


def _contents(text: str) -> list[str]:
    marks = {str(size): mark for mark, size in SIZES.items()}
    found = re.findall(r"<(\w+)/(\d+)>|(\(\w+\))", text)
    return [encoded or f"{name}{marks[size]}" for name, size, encoded in found]


def _fetched(file: RecordingFile, folder: Path) -> Fetched:
    data = text_of(file).encode()
    path = folder / f"{file.id}.staged"
    path.write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    return Fetched(path=path, size=len(data), sha256=sha256, arrival=Arrival.TWICE)


def text_of(file: RecordingFile) -> str:
    """What a file contains."""
    return TEXTS.get(file.kind, "<{}>").format(f"{file.id}/{file.size}")
