"""Puts meetings and files into a world by short names."""

import base64
import hashlib
from datetime import timedelta
from typing import Any

from tests.sandbox import texts
from tests.sandbox.content import Content, Filler
from tests.sandbox.media import Clip
from tests.sandbox.world import World, ZoomFile, ZoomMeeting

VIEWS = ("shared_screen_with_speaker_view", "gallery_view", "active_speaker", "shared_screen", "audio_only")
"""The place of a view here is what its frames say."""


class Stage:
    """A world in the making."""

    def __init__(self, world: World, *, has_media: bool = True) -> None:
        self.world = world
        self._has_media = has_media

    def meeting(self, name: str, host: str, days: float, topic: str, *, uuid: str = "", **more: Any) -> ZoomMeeting:
        """A meeting that began so many days ago; those of whole days begin at 9:30 UTC."""
        start = (self.world.now - timedelta(days=days)).replace(microsecond=0)
        if days == int(days) and days > 0:
            start = start.replace(hour=9, minute=30, second=0)
        self.world.names[name] = uuid or _uuid(name)
        fields: dict[str, Any] = {"number": 81_000_000_000 + len(self.world.meetings), "start": start} | more
        meeting = ZoomMeeting(uuid=self.world.names[name], host_id=f"id_{host}", topic=topic, **fields)
        return self.world.add_meeting(meeting)

    def file(self, name: str, content: Content, kind: str, view: str, extension: str, **more: Any) -> ZoomFile:
        """Any file."""
        uuid = self.world.names[name]
        return self.world.add_file(uuid, content, type=kind, view=view, extension=extension, **more)

    def video(
        self, name: str, segment: int = 1, view: str = VIEWS[0], *, at: float = 0, seconds: int = 8,
        file: dict[str, Any] | None = None, **clip: Any,
    ) -> ZoomFile:  # fmt: skip
        """A video whose frames say its segment and view; `clip` is for `Clip`, `file` for the listed file."""
        made = self.clip(Clip(segment=segment, view=VIEWS.index(view), seconds=seconds, **clip))
        return self.file(name, made, "MP4", view, "MP4", at=at, **{"seconds": seconds, **(file or {})})

    def audio(self, name: str, segment: int = 1, *, at: float = 0, seconds: int = 8) -> ZoomFile:
        """The sound alone."""
        clip = self.clip(Clip(segment=segment, codec="", seconds=seconds))
        return self.file(name, clip, "M4A", "audio_only", "M4A", at=at, seconds=seconds)

    def texts(self, name: str, segment: int = 1, *, at: float = 0, seconds: int = 8, chat: str = "meeting") -> None:
        """A transcript, a chat, a timeline and a summary."""
        self.transcript(name, segment, at=at, seconds=seconds)
        self.file(name, texts.chat(segment, chat), "CHAT", "chat_file", "TXT", at=at, seconds=seconds)
        self.file(name, texts.timeline(seconds), "TIMELINE", "timeline", "JSON", at=at, seconds=seconds)
        self.file(name, texts.summary(name), "SUMMARY", "summary", "JSON", at=at, seconds=seconds)

    def transcript(self, name: str, segment: int = 1, *, at: float = 0, seconds: int = 8) -> ZoomFile:
        """Captions with speakers."""
        told = texts.captions(segment, seconds)
        return self.file(name, told, "TRANSCRIPT", "audio_transcript", "VTT", at=at, seconds=seconds)

    def clip(self, clip: Clip) -> Content:
        """The clip, or filler where no media are wanted."""
        return clip if self._has_media else Filler(20_000 + 100 * clip.segment + clip.view)


def _uuid(name: str) -> str:
    code = base64.b64encode(hashlib.sha256(name.encode()).digest()[:16]).decode()
    return code.replace("/", "k").replace("+", "p")  # those with a slash or a plus are chosen by hand
