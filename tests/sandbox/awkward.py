"""What the full world holds: every case that once lost somebody a recording."""

import unicodedata
from datetime import timedelta
from typing import Any

from tests.sandbox import texts
from tests.sandbox.content import Text
from tests.sandbox.media import Clip
from tests.sandbox.stage import VIEWS, Stage

SPEAKER, GALLERY, ACTIVE, SCREEN, _ = VIEWS
TOPICS = {
    "topic-slashes": "Q3/Q4: plans \\ budgets",
    "topic-dots": "../../etc/passwd",
    "topic-only-dots": "..",
    "topic-reserved": 'CON: a<b>|"c"?*.',
    "topic-control": "line one\nline two\ttab\x00nul\x1b[31mred\x7f",
    "topic-emoji": "Party 🎉👩‍👩‍👧‍👦 " + unicodedata.normalize("NFD", "café"),
    "topic-long": ("An endless topic " * 24)[:400],
    "topic-right-to-left": "פגישה \u202eשבועית\u202c اجتماع",
    "topic-empty": "",
    "topic-braces": "{start} {0} %s $HOME `id`; rm -rf ~ 'quoted'",
}


def people(stage: Stage) -> None:
    """Hosts of all three states."""
    world = stage.world
    world.add_user("Alice Example", department="Physics")
    world.add_user("Bob Example")
    world.add_user("Carol Núñez-Łoś")
    world.add_user("Dan Departed", status="inactive")
    world.add_user("Erin Events")
    world.add_user("Faye", last_name="")
    world.add_user("Grace Silent")
    world.add_user("Henry Pending", status="pending")


def segments(stage: Stage) -> None:
    """Stopped and started again: two and three segments that can be joined by copying."""
    stage.meeting("pair", "alice", 2, "Stopped and started")
    for number, at in ((1, 0), (2, 60)):
        stage.video("pair", number, at=at)
        stage.texts("pair", number, at=at)
        stage.audio("pair", number, at=at)
    stage.meeting("three", "alice", 3, "Three segments, two views")
    for number, at in ((1, 0), (2, 30), (3, 300)):
        stage.video("three", number, at=at)
        stage.video("three", number, GALLERY, at=at)
    stage.transcript("three", 2, at=30)
    stage.meeting("jitter", "alice", 4, "A second of jitter")
    for number, at in ((1, 0), (2, 40)):
        stage.video("jitter", number, at=at)
        stage.video("jitter", number, GALLERY, at=at + 1, file={"seconds": 8})
        stage.audio("jitter", number, at=at + 1)
        stage.transcript("jitter", number, at=at)


def streams(stage: Stage) -> None:
    """Two segments that do not agree."""
    pairs: dict[str, dict[str, Any]] = {
        "other-size": {"width": 240, "height": 180},
        "other-codec": {"codec": "mpeg4"},
        "other-frame-rate": {"fps": 15},
        "other-time-base": {"timescale": 30_000},
        "other-sample-rate": {"sample_rate": 44_100, "channels": 2},
        "no-audio": {"sample_rate": 0},
    }
    for days, (name, change) in enumerate(pairs.items(), 5):
        stage.meeting(name, "bob", days, f"Second segment with {name.replace('-', ' ')}")
        stage.video(name, 1)
        stage.video(name, 2, at=60, **change)
    stage.meeting("third-hevc", "bob", 11, "Third segment in HEVC")
    for number, codec in ((1, "h264"), (2, "h264"), (3, "hevc")):
        stage.video("third-hevc", number, at=60 * number, codec=codec)
    stage.meeting("missing-view", "bob", 12, "A view is missing in the second segment")
    stage.video("missing-view", 1)
    stage.video("missing-view", 1, GALLERY)
    stage.video("missing-view", 2, GALLERY, at=60)


def identities(stage: Stage) -> None:
    """Numbers that repeat, uuids that need care."""
    for week in (1, 2, 3):
        stage.meeting(f"weekly-{week}", "carol", 7 * week, "Weekly", number=82_222_222_222, type=8)
        stage.video(f"weekly-{week}", segment=week)
    for name, seconds in (("twin-1", 5), ("twin-2", 41)):
        twin = stage.meeting(name, "carol", 5, "Twins", number=83_333_333_333)
        twin.start += timedelta(seconds=seconds)
        stage.video(name, segment=int(name[-1]), seconds=3)
    for name, uuid in (
        ("uuid-slash-first", "/slaShF1rstSlashF1rst0A=="),
        ("uuid-slashes-inside", "abc//defGhiJklMno0PqrSA=="),
        ("uuid-one-slash", "abcdef/GhiJklMno+PqrSTA=="),
        ("uuid-plus", "+plus+PlusPlus+PlusPlu0A=="),
    ):
        stage.meeting(name, "carol", 6, f"The {name.replace('-', ' ')}", uuid=uuid)
        stage.video(name, seconds=3)


def topics(stage: Stage) -> None:
    """Topics that no file system should see."""
    for days, (name, topic) in enumerate(TOPICS.items(), 13):
        stage.meeting(name, "alice", days, topic)
        stage.video(name, seconds=3)


def kinds(stage: Stage) -> None:
    """Views, webinars, uploads, sound alone, kinds that nobody knows yet."""
    stage.meeting("views", "bob", 2, "Several views and every text")
    for view in (SPEAKER, GALLERY, ACTIVE, SCREEN):
        stage.video("views", 1, view)
    stage.audio("views")
    stage.texts("views", chat="cloud")
    views = stage.world.meetings[stage.world.names["views"]]
    views.participants.append(stage.audio("views"))
    views.files.remove(views.participants[0])
    stage.meeting("audio-only", "bob", 3, "Sound alone")
    stage.audio("audio-only")
    stage.meeting("webinar", "erin", 4, "A webinar", type="5", raw={"id": "84444444444"})
    stage.video("webinar", 1, ACTIVE)
    stage.file("webinar", Text(b"question,answer\r\nhow,so\r\n"), "CSV", "poll", "CSV")
    stage.meeting("upload", "erin", 5, "An upload", type=99, timezone="", omit=("id",))
    stage.video("upload", 1, file={"omit": ("recording_type",)})
    stage.meeting("unknown-kinds", "erin", 6, "Kinds of tomorrow")
    stage.video("unknown-kinds")
    stage.video("unknown-kinds", 1, GALLERY, file={"raw": {"recording_type": "hologram_view"}})
    stage.file("unknown-kinds", Text(b"\x00\x01tomorrow"), "HOLOGRAM", "hologram", "BIN")
    stage.meeting("on-premise", "erin", 9, "Kept on premise")
    stage.video("on-premise", file={"omit": ("download_url",), "raw": {"file_path": "/9090876528/on/premise.mp4"}})


def times(stage: Stage) -> None:
    """Very long, very short, soon deleted by Zoom, not settled yet."""
    stage.meeting("thirty-hours", "bob", 4, "Thirty hours")
    stage.video("thirty-hours", file={"seconds": 30 * 3600})
    stage.meeting("short", "bob", 13, "Shorter than a few seconds")
    stage.video("short", seconds=1)
    soon = stage.world.now + timedelta(days=3)
    stage.meeting("auto-delete", "bob", 27, "Zoom deletes this soon", auto_delete=soon)
    stage.video("auto-delete")
    stage.meeting("fresh", "alice", 15 / 24 / 60, "Just ended")
    stage.video("fresh")
    stage.meeting("departed", "dan", 8, "Of a deactivated host")
    stage.video("departed")


def lists(stage: Stage) -> None:
    """Entries that lack what one would expect, or say what is not so."""
    stage.meeting("no-files", "alice", 9, "Without recording_files", omit=("recording_files",))
    stage.meeting("old-timeline", "alice", 10, "An older timeline")
    stage.video("old-timeline")
    missing = ("id", "status", "file_size", "recording_type", "file_extension")
    stage.file("old-timeline", texts.timeline(), "TIMELINE", "", "JSON", omit=missing)
    stage.meeting("wrong-size", "alice", 11, "A text with a wrong size")
    stage.video("wrong-size")
    chat = texts.chat(1, "old")
    stage.file("wrong-size", chat, "CHAT", "chat_file", "TXT", listed_size=chat.size + 7)


def latecomers(stage: Stage) -> None:
    """What `release` lets arrive: transcript, view, segment, a finished recording, a meeting of long ago."""
    world = stage.world
    for name in ("late-transcript", "late-view", "late-segment"):
        stage.meeting(name, "carol", 2, f"With a {name.replace('-', ' ')}")
        stage.video(name)
    world.hold("late-transcript", lambda: stage.transcript("late-transcript"))
    world.hold("late-view", lambda: stage.video("late-view", 1, GALLERY))
    world.hold("late-segment", lambda: stage.video("late-segment", 2, at=120))
    stage.meeting("processing", "alice", 1 / 24, "Still being processed")
    stage.video("processing", file={"is_processing": True})
    world.hold("processing-done", lambda: _finish(stage))
    world.hold("late-meeting", lambda: _late_meeting(stage))


def _finish(stage: Stage) -> None:
    stage.world.meetings[stage.world.names["processing"]].files.clear()
    stage.video("processing")  # under another id than while it was processed


def _late_meeting(stage: Stage) -> None:
    stage.meeting("late-meeting", "bob", 40, "Appeared weeks later")
    stage.video("late-meeting")


def many(stage: Stage) -> None:
    """A hundred small ones for paging, which share one clip."""
    clip = stage.clip(Clip(seconds=1, width=160, height=90))
    for number in range(100):
        stage.meeting(f"small-{number}", "faye", 2 + number // 2, f"Small {number}", number=85_000_000_000 + number)
        stage.world.meetings[stage.world.names[f"small-{number}"]].start += timedelta(minutes=5 * number)
        stage.file(f"small-{number}", clip, "MP4", ACTIVE, "MP4", seconds=1)
