"""An item of fetched files: what joins, what stays separate, what is said of it."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.config.builders import a_config
from tests.fakes import FakeClock, a_meeting, a_piece
from zoomsync.errors import Unjoinable
from zoomsync.item import build
from zoomsync.item.build import ItemBuilder, ItemStyle
from zoomsync.media import stitch
from zoomsync.media.ffmpeg import Tools
from zoomsync.media.stitch import Stitched
from zoomsync.model import Fetched, Item
from zoomsync.rules.update import arrange

TOOLS = Tools(ffmpeg=Path("ffmpeg"), ffprobe=Path("ffprobe"), version="", source="PATH", environ={})
CAPTIONS = b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n"


def built(folder: Path, contents: dict[str, bytes], **config: Any) -> Item:
    """The item of these files, by the names of `a_piece`; the digit is the segment, each of a minute."""
    files = [a_piece(name, 100 * int(name[1]), 100 * int(name[1]) + 60) for name in contents]
    fetched = {}
    for name, content in contents.items():
        path = folder / f"{name}.staged"
        path.write_bytes(content)
        fetched[name] = Fetched(path=path, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    return ItemBuilder(
        meeting=replace(a_meeting(), files=tuple(files)),
        arrangement=arrange(files, None),
        fetched=fetched,
        previous=None,
        style=ItemStyle.of(a_config(title="{topic}", **config)),
        tools=TOOLS,
        clock=FakeClock(),
        folder=folder,
    ).build()


@pytest.fixture
def stitched(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stitching that joins bytes, 59.5 seconds a segment; the options of each call."""
    calls: list[dict[str, Any]] = []

    def join(_: Tools, inputs: Sequence[Path], target: Path, **options: Any) -> Stitched:
        calls.append(options)
        target.write_bytes(b"".join(path.read_bytes() for path in inputs))
        return Stitched(path=target, durations=(59.5,) * len(inputs), reencoded=False)

    monkeypatch.setattr(stitch, "stitch", join)
    return calls


def test_one_video_is_stored_as_it_was_fetched(tmp_path: Path) -> None:
    item = built(tmp_path, {"A1": b"video"}, publish_state="draft")

    (file,) = item.files
    assert (file.name, file.source, file.offsets) == ("video.mp4", tmp_path / "A1.staged", (0.0,))
    assert (item.title, item.draft, item.cloud[0].stored) == ("Weekly planning", True, "video.mp4")


def test_a_stitching_has_a_chapter_a_segment_and_time_by_the_length(
    tmp_path: Path, stitched: list[dict[str, Any]]
) -> None:
    item = built(tmp_path, {"A1": b"one", "A2": b"two", "A3": b"three"})

    (options,) = stitched
    assert options["chapters"] == ["Segment 1", "Segment 2", "Segment 3"]
    assert (options["title"], options["seconds_limit"]) == ("Weekly planning", 3600 + 2 * 3 * 60)
    assert item.files[0].offsets == (0.0, 59.5, 119.0)
    assert {one.stored for one in item.cloud} == {"video.mp4"}


def test_joined_captions_begin_where_the_video_of_their_segment_begins(
    tmp_path: Path, stitched: list[dict[str, Any]]
) -> None:
    built(tmp_path, {"A1": b"one", "A2": b"two", "T1": b"\xef\xbb\xbf" + CAPTIONS, "T2": CAPTIONS})

    text = (tmp_path / "video.vtt").read_text(encoding="utf-8")
    assert len(stitched) == 1
    assert [line for line in text.splitlines() if "-->" in line] == [
        "00:00:01.000 --> 00:00:02.000",
        "00:01:00.500 --> 00:01:01.500",
    ]


ORIGINALS = {"segments/1 audio_transcript.vtt", "segments/2 audio_transcript.vtt"}


@pytest.mark.usefixtures("stitched")
def test_lines_that_are_no_captions_are_left_out_and_counted_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = CAPTIONS + b"\nno\n\n00:09.000 --> 00:08.000\nno\n\n00:03.000 --> 00:04.000\nBye\n"

    with caplog.at_level(logging.WARNING):
        item = built(tmp_path, {"A1": b"one", "A2": b"two", "T1": CAPTIONS, "T2": broken})

    assert {file.name for file in item.files} == {"video.mp4", "video.vtt"} | ORIGINALS
    assert (tmp_path / "video.vtt").read_text().splitlines()[9:] == ["", "3", "00:01:02.500 --> 00:01:03.500", "Bye"]
    (message,) = caplog.messages
    assert message == (
        "video.vtt: left out 3 lines of segment 2, the first is line 6: no player can read them; "
        "the original is kept under segments/"
    )


@pytest.mark.usefixtures("stitched")
@pytest.mark.parametrize(
    ("second", "limit", "why"),
    [
        (b"<html>sign in</html>", 1000, "line 1 is no caption, and nothing else is: it is neither WebVTT nor SRT"),
        (b"\xff\xfe\x00", 1000, "line 1 is no caption, and nothing else is: it is neither WebVTT nor SRT"),
        (CAPTIONS, 2 * len(CAPTIONS) - 1, "76 bytes of text, and 75 bytes at most are joined"),
    ],
)  # fmt: skip
def test_captions_that_cannot_be_joined_are_kept_by_segment(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    second: bytes,
    limit: int,
    why: str,
) -> None:
    monkeypatch.setattr(build, "TEXT_LIMIT", limit)

    with caplog.at_level(logging.WARNING):
        item = built(tmp_path, {"A1": b"one", "A2": b"two", "T1": CAPTIONS, "T2": second})

    names = {file.name for file in item.files}
    assert names == {"video.mp4"} | ORIGINALS
    assert {one.stored for one in item.cloud} == names
    assert caplog.messages == [f"video.vtt: not joined, the originals are kept under segments/: {why}"]


@pytest.mark.usefixtures("stitched")
def test_captions_of_two_languages_in_a_segment_are_not_joined_by_chance(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    contents = {"A1": b"one", "A2": b"two", "Q1": CAPTIONS, "Q1 other": CAPTIONS, "Q2": CAPTIONS, "T1": CAPTIONS}

    with caplog.at_level(logging.WARNING):
        item = built(tmp_path, contents)

    assert {file.name for file in item.files} == {
        "video.mp4",
        "video.vtt",
        "segments/1 audio_transcript.vtt",
        "segments/1 closed_caption.vtt",
        "segments/1 closed_caption-2.vtt",
        "segments/2 closed_caption.vtt",
    }
    (message,) = caplog.messages
    assert message == (
        "video.cc.vtt: not joined, the originals are kept under segments/: "
        "a segment has several of its kind, which nothing tells apart"
    )


@pytest.mark.usefixtures("stitched")
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(), st.binary())
def test_no_text_keeps_a_video_back(tmp_path: Path, captions: bytes, chat: bytes) -> None:
    item = built(
        tmp_path, {"A1": b"1", "A2": b"2", "T1": CAPTIONS, "T2": b"WEBVTT" + captions, "H1": captions, "H2": chat}
    )

    names = {file.name for file in item.files}
    assert names >= {"video.mp4", "chat.txt", "segments/2 chat_file.txt"} | ORIGINALS
    assert [one.sha256 for one in item.cloud if one.id == "H2"] == [hashlib.sha256(chat).hexdigest()]


def test_a_segment_that_two_videos_need_has_a_source_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Stitched:
        raise Unjoinable("the segments do not agree")

    monkeypatch.setattr(stitch, "stitch", refuse)

    item = built(tmp_path, {"A1": b"speaker", "B1": b"gallery", "B2": b"late"})

    content = {file.name: file.source.read_bytes() for file in item.files if file.source is not None}
    assert content == {
        "video.1.mp4": b"speaker",
        "video.2.mp4": b"late",
        "video.1.gallery_view.mp4": b"gallery",
        "video.2.gallery_view.mp4": b"late",
    }
    assert len({file.source for file in item.files}) == len(item.files)


def test_recording_json_is_about_the_meeting_and_has_no_address(tmp_path: Path) -> None:
    item = built(tmp_path, {"A1": b"video"})

    assert set(item.metadata) == {
        "uuid", "number", "topic", "title", "type", "start", "timezone", "host", "segments",
    }  # fmt: skip
    assert "http" not in str(item.metadata)
