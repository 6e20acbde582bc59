"""What Zoom leaves out or writes oddly about files and users, and texts that are not what they should be."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Result, Site, served
from tests.e2e.test_late import gone, made_of, segments_shown
from tests.sandbox import texts
from tests.sandbox.content import Text
from tests.sandbox.stage import VIEWS, Stage
from tests.sandbox.world import ZoomFile
from zoomsync.item import disk

SPEAKER, GALLERY, *_ = VIEWS
WITHOUT_END: dict[str, Callable[[ZoomFile], dict[str, object]]] = {
    "missing": lambda _: {},
    "null": lambda _: {"recording_end": None},
    "empty": lambda _: {"recording_end": ""},
    "absurd": lambda _: {"recording_end": "0001-01-01T00:00:00Z"},
    "its start": lambda file: {"recording_end": file.listed("", "")["recording_start"]},
    "before its start": lambda _: {"recording_end": "2026-01-01T00:00:00Z"},
}
"""Ways in which the end of a file is not told: what is listed of it."""


def endless(file: ZoomFile, way: str = "missing") -> ZoomFile:
    """The file, whose end is not told."""
    file.raw, file.omit = WITHOUT_END[way](file), ("recording_end",) if way == "missing" else ()
    return file


def synced(begin: Begin, stage: Stage, **overrides: Any) -> tuple[Site, Result]:
    """The site when what has no end has settled, which it does from when it was first seen; and what the pass said."""
    site = begin(stage.world, **overrides)
    site.sync()
    site.clock.advance(hours=1)
    return site, site.sync()


def as_fetched(site: Site) -> dict[str, str]:
    """The files of the item that are a cloud file as it was fetched: name → its id."""
    ids = {served(file): file.id for file in site.world.meetings[site.uuid("m")].files}
    return {one["name"]: ids.get(one["sha256"], "") for one in site.recording("m")["receipt"]["files"]}


@pytest.mark.parametrize("way", WITHOUT_END)
def test_two_views_without_an_end_are_two_videos_of_one_segment(begin: Begin, stage: Stage, way: str) -> None:
    stage.meeting("m", "alice", 2, "Two views")
    speaker = endless(stage.video("m", seconds=3), way)
    gallery = endless(stage.video("m", 1, GALLERY, at=2, seconds=3), way)

    site, _ = synced(begin, stage)

    assert as_fetched(site) == {"video.mp4": speaker.id, "video.gallery_view.mp4": gallery.id}
    assert len(site.recording("m")["meeting"]["segments"]) == 1


@pytest.mark.parametrize("is_gone", [False, True], ids=["the first is there", "the first is gone"])
@pytest.mark.parametrize("after", [2, 5])
def test_a_late_view_without_an_end_leaves_a_good_video_alone(
    begin: Begin, stage: Stage, after: int, is_gone: bool
) -> None:
    stage.meeting("m", "alice", 2, "A late view")
    speaker = endless(stage.video("m", seconds=3))
    site, _ = synced(begin, stage)
    if is_gone:
        gone(stage)
    gallery = endless(stage.video("m", 1, GALLERY, at=after, seconds=3))
    site.clock.advance(days=3)

    assert site.sync().counts["updated"] == 1

    assert as_fetched(site) == {"video.mp4": speaker.id, "video.gallery_view.mp4": gallery.id}


def test_segments_without_an_end_are_told_apart_by_the_next_start(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "Segments", raw={"duration": 5})
    for segment, at in ((1, 0), (2, 120)):
        endless(stage.video("m", segment, at=at))
        endless(stage.video("m", segment, GALLERY, at=at + 2))
        endless(stage.transcript("m", segment, at=at))

    site, _ = synced(begin, stage)

    item = site.item("m")
    assert segments_shown(item / "video.mp4", 8) == segments_shown(item / "video.gallery_view.mp4", 8) == [1, 2]
    assert "00:00:08.250 --> 00:00:09.750" in (item / "video.vtt").read_text()


def test_segments_of_different_views_are_told_apart_by_how_long_they_play(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "Segments of different views", raw={"duration": 5})
    endless(stage.video("m", 1))
    endless(stage.video("m", 2, GALLERY, at=120))

    site, result = synced(begin, stage)

    assert (result.code, made_of(site)) == (0, {"video.mp4": [f"{SPEAKER} 0", f"{GALLERY} 120"]})
    assert segments_shown(site.item("m") / "video.mp4", 8) == [1, 2]
    endless(stage.transcript("m", 2, at=120))
    site.clock.advance(days=3)
    site.sync()
    assert "00:00:08.250 --> 00:00:09.750" in (site.item("m") / "video.vtt").read_text()
    assert (site.sync().counts, site.downloads()) == ({"up_to_date": 1, "calls": 3}, [])


def test_what_turns_out_to_be_segments_is_stitched_only_if_there_is_room(
    begin: Begin, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.meeting("m", "alice", 2, "Segments of different views", raw={"duration": 5})
    files = [endless(stage.video("m", 1)), endless(stage.video("m", 2, GALLERY, at=120))]
    arriving = sum(file.size for file in files)
    monkeypatch.setattr(disk, "free_bytes", lambda _: arriving * 3 // 2)

    site, result = synced(begin, stage, min_free_disk="0B")

    assert result.code == 5
    monkeypatch.undo()
    assert site.sync().counts["published"] == 1
    assert site.names("m") == ["video.mp4"]


def test_a_late_segment_of_another_view_is_joined_although_nothing_has_an_end(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "A late segment", raw={"duration": 5})
    endless(stage.video("m", 1))
    site, _ = synced(begin, stage)
    endless(stage.video("m", 2, GALLERY, at=120))
    site.clock.advance(days=3)

    assert site.sync().counts["updated"] == 1

    assert made_of(site) == {"video.v2.mp4": [f"{SPEAKER} 0", f"{GALLERY} 120"]}
    assert (site.sync().counts, site.downloads()) == ({"up_to_date": 1, "calls": 3}, [])


def test_what_a_file_is_comes_from_its_recording_type_if_nothing_else_says_it(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "No types")
    stage.video("m")
    stage.video("m", 1, GALLERY)
    stage.audio("m")
    stage.texts("m")
    for file in stage.world.meetings[stage.world.names["m"]].files:
        file.omit = ("file_type", "file_extension")

    site = begin(stage.world)

    assert site.sync().code == 0
    assert site.names("m") == [
        "audio.m4a", "chat.txt", "summary.json", "timeline.json", "video.gallery_view.mp4", "video.mp4", "video.vtt",
    ]  # fmt: skip


@pytest.mark.parametrize("missing", ["file_type", "file_extension", "recording_type"])
def test_one_field_that_is_missing_changes_no_name(begin: Begin, stage: Stage, missing: str) -> None:
    stage.meeting("m", "alice", 2, "One field short")
    stage.video("m")
    stage.audio("m")
    stage.transcript("m")
    for file in stage.world.meetings[stage.world.names["m"]].files:
        file.omit = (missing,)

    site = begin(stage.world)

    assert site.sync().code == 0
    names = {"audio.m4a", "video.mp4", "video.vtt" if missing != "recording_type" else "video.transcript.vtt"}
    assert set(site.names("m")) == names


def test_a_user_with_a_display_name_alone_is_called_by_it(begin: Begin, stage: Stage) -> None:
    alice = stage.world.users["id_alice"]
    alice.first_name, alice.last_name, alice.display_name = "", "", "Alice van Example"
    stage.world.add_user("Bob", last_name="")
    site = begin(stage.world)

    rows = site.run("--json", "users", "--all").document["users"]

    assert {row["email"]: row["name"] for row in rows} == {
        "alice@example.org": "Alice van Example", "bob@example.org": "Bob",
    }  # fmt: skip


def transcripts(stage: Stage, second: bytes) -> None:
    """Two segments with captions, whose second ones are these."""
    stage.meeting("m", "alice", 2, "Texts")
    stage.video("m", 1)
    stage.video("m", 2, at=120)
    stage.transcript("m")
    stage.file("m", Text(second), "TRANSCRIPT", "audio_transcript", "VTT", at=120)


def warnings(result: Result) -> list[str]:
    """What a pass warned of."""
    return [line for line in result.stderr.splitlines() if "warning" in line.lower()]


@pytest.mark.parametrize(
    "block",
    [
        "00:00:02.000 --> 00:00:03.000\nBob: one\n\nand two",
        "00:99:02.000 --> 00:99:03.000",
        "17",
        "00:00:03.000 --> 00:00:02.000",
        f"{'9' * 5000}:00:00.000 --> {'9' * 5000}:00:01.000",
    ],
    ids=["an empty line within a cue", "a bad time", "a name without times", "ends before it begins", "5,000 digits"],
)
def test_a_malformed_caption_costs_itself_alone(begin: Begin, stage: Stage, block: str) -> None:
    good = "00:00:05.000 --> 00:00:06.000\nBob: good"
    transcripts(stage, f"WEBVTT\n\n{block}\n\n{good}\n".encode())
    site = begin(stage.world)

    result = site.sync()

    assert (result.code, result.counts["published"]) == (0, 1)
    assert (site.item("m") / "video.vtt").read_text().endswith("\n00:00:13.000 --> 00:00:14.000\nBob: good\n")
    (warning,) = warnings(result)
    assert "video.vtt: left out 1 line of segment 2, the first is line " in warning
    assert warnings(site.sync()) == []


@pytest.mark.parametrize("text", [b"WEB\0VTT", b"\xff\xfe" + "WEBVTT".encode("utf-16-le"), b"-->" * 30_000, b""])
def test_no_text_keeps_a_video_back(begin: Begin, stage: Stage, text: bytes) -> None:
    transcripts(stage, b"WEBVTT\n\n" + text)
    stage.file("m", Text(text or b"\n"), "CHAT", "chat_file", "TXT", at=120)
    site = begin(stage.world)

    result = site.sync()

    assert (result.code, result.counts["published"]) == (0, 1)
    assert segments_shown(site.item("m") / "video.mp4", 8) == [1, 2]
    assert {"segments/1 audio_transcript.vtt", "segments/2 audio_transcript.vtt"} <= set(site.names("m"))


def test_captions_of_two_languages_go_on_with_no_others(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "Languages")
    for segment, at in ((1, 0), (2, 120)):
        stage.video("m", segment, at=at)
        for language in (1, 2):
            told = texts.captions(10 * language + segment)
            stage.file("m", told, "CC", "closed_caption", "VTT", at=at)
    site = begin(stage.world)

    result = site.sync()

    assert (result.code, result.counts["published"]) == (0, 1)
    assert site.names("m") == [
        "segments/1 closed_caption-2.vtt", "segments/1 closed_caption.vtt",
        "segments/2 closed_caption-2.vtt", "segments/2 closed_caption.vtt", "video.mp4",
    ]  # fmt: skip
    (warning,) = warnings(result)
    assert "video.cc.vtt: not joined, the originals are kept under segments/: a segment has several" in warning
    assert warnings(site.sync()) == []
