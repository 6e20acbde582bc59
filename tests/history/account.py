"""What happens in the Zoom account of a history, and what its files contain."""

from dataclasses import dataclass, field
from datetime import timedelta

from tests.sandbox.content import Text
from tests.sandbox.world import World, ZoomFile, ZoomMeeting

KINDS = {
    "A": ("MP4", "shared_screen_with_speaker_view", "MP4"),
    "B": ("MP4", "gallery_view", "MP4"),
    "S": ("M4A", "audio_only", "M4A"),
    "T": ("TRANSCRIPT", "audio_transcript", "VTT"),
    "H": ("CHAT", "chat_file", "TXT"),
    "L": ("TIMELINE", "timeline", "JSON"),
}
"""By letter: speaker view, gallery, sound, transcript, chat, timeline."""
MEDIA = "ABS"


def content(letter: str, mark: str, version: int, media: str = "") -> Text:
    """Bytes that no other file has, and no other version; `media` is what `place.joined` looks for."""
    tag = f"{mark}/{version}{'+' * version}{media}"
    if letter in MEDIA:
        body = f"<{tag}>".encode()
        atoms = b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08moov"
        return Text(atoms + (8 + len(body)).to_bytes(4, "big") + b"mdat" + body)
    if letter == "T":
        return Text(f"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nthis is {tag}.\n".encode())
    return Text(f"00:00:01\tFrom Ada : this is {tag}.\n".encode() if letter == "H" else f'{{"is": "{tag}."}}'.encode())


@dataclass(eq=False, slots=True)
class Account:
    """The cloud, as people and Zoom itself change it."""

    world: World
    names: list[str] = field(default_factory=list)
    """The uuid of each meeting, in the order in which they came."""
    offered: dict[bytes, ZoomFile] = field(default_factory=dict)
    """Every content that Zoom ever showed, and the file that had it."""
    of: dict[str, str] = field(default_factory=dict)
    """The uuid of a file's meeting."""

    def meeting(self, files: str, *, hours: int, media: str = "") -> str:
        """A meeting that began so long ago, with files as `A1 B1 T1`: letter and segment."""
        uuid = f"{'/' * (len(self.names) % 2)}meeting{len(self.names)}=="
        start = (self.world.now - timedelta(hours=hours)).replace(microsecond=0)
        self.world.add_meeting(
            ZoomMeeting(
                uuid=uuid, number=81_000_000_000 + len(self.names), host_id="id_alice", topic="Plan", start=start
            )
        )
        self.names.append(uuid)
        for one in files.split():
            self.file(uuid, one, media=media)
        return uuid

    def file(self, uuid: str, name: str, *, media: str = "") -> ZoomFile:
        """One more file of a meeting."""
        kind, view, extension = KINDS[name[0]]
        at = 100 * int(name[1:])
        mark = f"{name}-{len(self.offered)}"
        data = content(name[0], mark, 1, media)
        file = self.world.add_file(uuid, data, type=kind, view=view, extension=extension, at=at, seconds=60)
        self._offer(uuid, file)
        return file

    def alter(self, file: ZoomFile) -> None:
        """Zoom has other bytes under the same id from now on."""
        letter = next(one for one, (_, view, _) in KINDS.items() if view == file.view)
        file.listed_size = None
        file.content = content(letter, f"altered-{len(self.offered)}", 1 + len(self.offered))
        self._offer(self.of[file.id], file)

    def _offer(self, uuid: str, file: ZoomFile) -> None:
        self.of[file.id] = uuid
        self.offered[file.content.read(0, file.content.size)] = file

    @property
    def present(self) -> list[ZoomFile]:
        """What is in the cloud now."""
        return [file for one in self.world.meetings.values() for file in one.present]


def data_of(file: ZoomFile) -> bytes:
    """What Zoom serves for it now."""
    return file.content.read(0, file.content.size)
