"""What the config asks for is what lies in the library, and what it comes to ask for later is added."""

from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site, served, sha256
from tests.sandbox import texts
from tests.sandbox.stage import VIEWS, Stage

SPEAKER, GALLERY, ACTIVE, SCREEN, _ = VIEWS
SHORT = {SPEAKER: "speaker", GALLERY: "gallery", ACTIVE: "active", SCREEN: "screen", "audio_only": "sound",
         "audio_transcript": "captions", "chat_file": "chat", "timeline": "timeline", "summary": "summary"}  # fmt: skip


def rich(stage: Stage) -> Stage:
    """A meeting, `m`, of two segments: three views, sound and all texts; then two views and a chat."""
    stage.meeting("m", "alice", 2, "Rich")
    for view in (SPEAKER, GALLERY, SCREEN):
        stage.video("m", 1, view)
    stage.audio("m")
    stage.texts("m")
    for view in (GALLERY, ACTIVE):
        stage.video("m", 2, view, at=60)
    stage.file("m", texts.chat(2), "CHAT", "chat_file", "TXT", at=60)
    return stage


def odd(stage: Stage) -> Stage:
    """A meeting, `m`, of two segments that cannot be joined by copying, with captions."""
    stage.meeting("m", "alice", 2, "Odd")
    for number, size in ((1, (320, 180)), (2, (240, 180))):
        stage.video("m", number, at=60 * (number - 1), seconds=3, width=size[0], height=size[1])
        stage.transcript("m", number, at=60 * (number - 1), seconds=3)
    return stage


def made_of(site: Site) -> dict[str, str]:
    """Of each file of the item what it was made of, e.g. `speaker1 active2`: view and segment."""
    meeting = site.world.meetings[site.uuid("m")]
    known = {one.id: f"{SHORT[one.view]}{1 if one.start == meeting.start else 2}" for one in meeting.files}
    return {
        one["name"]: " ".join(known[id_] for id_ in one["made_of"]) for one in site.recording("m")["receipt"]["files"]
    }


VIDEOS = {
    "video.mp4": "speaker1 active2",
    "video.gallery_view.mp4": "gallery1 gallery2",
    "video.shared_screen.mp4": "screen1",
}
CHATS = {"chat.txt": "chat1 chat2", "segments/1 chat_file.txt": "chat1", "segments/2 chat_file.txt": "chat2"}
OTHERS = {
    "audio.m4a": "sound1",
    "video.vtt": "captions1",
    "segments/1 audio_transcript.vtt": "captions1",
    "summary.json": "summary1",
    "segments/1 timeline.json": "timeline1",
    **CHATS,
}
SEPARATE = {
    "video.1.mp4": "speaker1",
    "video.1.gallery_view.mp4": "gallery1",
    "video.1.shared_screen.mp4": "screen1",
    "audio.1.m4a": "sound1",
    "video.1.vtt": "captions1",
    "chat.1.txt": "chat1",
    "summary.1.json": "summary1",
    "timeline.1.json": "timeline1",
    "video.2.mp4": "active2",
    "video.2.gallery_view.mp4": "gallery2",
    "chat.2.txt": "chat2",
}


@pytest.mark.parametrize(
    ("overrides", "files"),
    [
        ({}, VIDEOS | OTHERS),
        ({"concatenate_recordings": False}, SEPARATE),
        ({"recordings": {"views": "best"}}, {"video.mp4": "speaker1 active2"} | OTHERS),
        ({"recordings": {"views": [GALLERY]}}, {"video.mp4": "gallery1 gallery2"} | OTHERS),
        ({"recordings": {"views": [SCREEN, ACTIVE]}}, {"video.mp4": "screen1 active2"} | OTHERS),
        ({"recordings": {"files": ["video", "chat"]}}, VIDEOS | CHATS),
        ({"recordings": {"files": ["captions"]}}, {"video.vtt": "captions1"}),
        ({"recordings": {"files": ["audio"]}}, {"audio.m4a": "sound1"}),
        ({"recordings": {"files": ["video"], "views": "best"}}, {"video.mp4": "speaker1 active2"}),
    ],
    ids=["all", "separate", "best", "gallery", "listed", "no texts", "captions", "sound", "one video"],
)
def test_an_item_holds_what_the_config_selects(
    begin: Begin, stage: Stage, overrides: dict[str, Any], files: dict[str, str]
) -> None:
    site = begin(rich(stage).world, **overrides)

    result = site.sync()

    assert (result.code, made_of(site), site.names("m")) == (0, files, sorted(files))
    assert (site.sync().counts.get("up_to_date"), site.downloads()) == (1, [])


def test_without_re_encoding_segments_that_differ_stay_separate_videos(begin: Begin, stage: Stage) -> None:
    site = begin(odd(stage).world, reencode=False)

    assert site.sync().code == 0

    assert made_of(site) == {
        "video.1.mp4": "speaker1",
        "video.2.mp4": "speaker2",
        "video.1.vtt": "captions1",
        "video.2.vtt": "captions2",
        "segments/1 audio_transcript.vtt": "captions1",
        "segments/2 audio_transcript.vtt": "captions2",
    }
    served_videos = [served(one) for one in site.world.meetings[site.uuid("m")].files if one.type == "MP4"]
    assert [sha256(site.item("m") / f"video.{n}.mp4") for n in (1, 2)] == served_videos
    assert (site.item("m") / "video.2.vtt").read_text().splitlines()[3] == "00:00:00.250 --> 00:00:01.750"


def test_segments_that_differ_but_stay_separate_are_deleted_against_their_own_files(begin: Begin, stage: Stage) -> None:
    site = begin(odd(stage).world, reencode=False, delete_recordings="trash", filter_accounts=["alice@example.org"])
    site.sync()
    site.clock.advance(days=7)

    assert (site.sync().counts["deleted_files"], site.world.meetings[site.uuid("m")].present) == (4, [])


@pytest.mark.parametrize(
    ("overrides", "place"),
    [
        ({}, "published/alice@example.org/2026/2026-01-01 00-30 New year"),
        ({"timezone": "America/New_York"}, "published/alice@example.org/2025/2025-12-31 19-30 New year"),
        ({"timezone": "meeting"}, "published/alice@example.org/2026/2026-01-01 01-30 New year"),
        ({"publish_state": "draft"}, "drafts/alice@example.org/2026/2026-01-01 00-30 New year"),
        ({"publish_as": "me", "me": "Media@example.org"}, "published/media@example.org/2026/2026-01-01 00-30 New year"),
        (
            {"aliases": {"Alice@example.org": "a@corp.example"}},
            "published/a@corp.example/2026/2026-01-01 00-30 New year",
        ),
    ],
    ids=["default", "zone", "meeting's zone", "draft", "me", "alias"],
)
def test_an_item_lies_where_the_config_says(begin: Begin, stage: Stage, overrides: dict[str, Any], place: str) -> None:
    stage.meeting("m", "alice", 2, "New year").start = stage.world.now.replace(month=1, day=1, hour=0, minute=30)
    stage.video("m")
    site = begin(stage.world, recordings={"since": "2025-12-01"}, **overrides)

    assert site.sync().code == 0

    assert str(site.item("m").relative_to(site.root))[:-11] == place


def test_a_title_is_written_as_the_config_says(begin: Begin, stage: Stage) -> None:
    site = begin(odd(stage).world, title="{host}: {topic} ({number}) {start:%d.%m.%Y}")

    site.sync()

    assert site.recording("m")["title"] == "alice@example.org: Odd (81000000000) 08.03.2026"


def test_what_the_config_newly_wants_is_added_and_nothing_is_made_anew_or_removed(begin: Begin, stage: Stage) -> None:
    site = begin(rich(stage).world, recordings={"files": ["video"], "views": "best", "lookback": "1d"})
    site.sync()
    before = site.library()
    site.configure(recordings={"files": ["video", "chat", "captions"], "views": [SPEAKER, SCREEN], "lookback": "1d"})

    result = site.sync()

    assert (result.code, result.counts["updated"]) == (0, 1)
    assert made_of(site) == {
        "video.mp4": "speaker1 active2",
        "video.shared_screen.mp4": "screen1",
        "video.vtt": "captions1",
        "segments/1 audio_transcript.vtt": "captions1",
        **CHATS,
    }
    assert {path: digest for path, digest in site.library().items() if path in before and "json" not in path} == {
        path: digest for path, digest in before.items() if "json" not in path
    }
    site.configure(recordings={"files": ["video"], "views": "best", "lookback": "1d"})
    after = site.library()
    assert (site.sync().code, site.library()) == (0, after)


def test_a_config_that_changes_its_title_or_author_moves_and_retitles_nothing(begin: Begin, stage: Stage) -> None:
    site = begin(rich(stage).world)
    site.sync()
    before = site.library()
    site.configure(
        title="{topic}", publish_as="me", me="media@example.org", publish_state="draft", timezone="Asia/Tokyo"
    )

    assert (site.sync().code, site.library()) == (0, before)
