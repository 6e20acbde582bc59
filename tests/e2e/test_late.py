"""What comes late is fetched and finds its place, whether or not the older files are still in the cloud."""

from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site, served
from tests.sandbox import media, texts
from tests.sandbox.awkward import latecomers, people
from tests.sandbox.content import Text
from tests.sandbox.stage import VIEWS, Stage

SPEAKER, GALLERY, *_ = VIEWS
Step = Callable[[Stage], object]
SECONDS = 3
"""Of each segment: what is encoded and decoded again and again is short."""


def first(stage: Stage) -> None:
    """The first segment."""
    stage.video("m", seconds=SECONDS)


def second(stage: Stage) -> None:
    """The second segment, two minutes later."""
    stage.video("m", 2, at=120, seconds=SECONDS)


def third(stage: Stage) -> None:
    """The third segment, four minutes after the first."""
    stage.video("m", 3, at=240, seconds=SECONDS)


def second_of_another_size(stage: Stage) -> None:
    """A second segment that cannot be joined to the first by copying."""
    stage.video("m", 2, at=120, seconds=SECONDS, width=240, height=180)


def gallery(stage: Stage) -> None:
    """Another view of the first segment."""
    stage.video("m", 1, GALLERY, seconds=SECONDS)


def transcript(stage: Stage) -> None:
    """Captions of the first segment."""
    stage.transcript("m", seconds=SECONDS)


def chat_and_captions(stage: Stage) -> None:
    """Texts of the first segment."""
    stage.transcript("m", seconds=SECONDS)
    stage.file("m", chat(1), "CHAT", "chat_file", "TXT")


def second_with_texts(stage: Stage) -> None:
    """The second segment with captions and chat."""
    second(stage)
    stage.transcript("m", 2, at=120, seconds=SECONDS)
    stage.file("m", chat(2), "CHAT", "chat_file", "TXT", at=120)


def gone(stage: Stage) -> None:
    """A person deletes what is in the cloud."""
    for file in stage.world.meetings[stage.world.names["m"]].files:
        file.deleted = True


def chat(segment: int) -> Text:
    return texts.chat(segment)


def published(begin: Begin, stage: Stage, *before: Step, **overrides: object) -> Site:
    """A site that holds a meeting, `m`, with what `before` put into it."""
    stage.meeting("m", "alice", 2, "In pieces")
    for step in before:
        step(stage)
    site = begin(stage.world, **overrides)
    assert site.sync().counts["published"] == 1
    return site


def made_of(site: Site, name: str = "m") -> dict[str, list[str]]:
    """Of each file of an item what it was made of: `view of second` of the cloud files."""
    return {one["name"]: labels(site, one["made_of"]) for one in site.recording(name)["receipt"]["files"]}


def labels(site: Site, ids: list[str]) -> list[str]:
    """Cloud files in words."""
    every = {file.id: (file, one) for one in site.world.meetings.values() for file in one.files}
    pairs = [every[one] for one in ids]
    return [f"{file.view} {int((file.start - meeting.start).total_seconds())}" for file, meeting in pairs]


def segments_shown(video: Path, each: int = SECONDS) -> list[int]:
    """The numbers of the segments that a video shows, in order; each must be there for all its seconds."""
    seconds = [tick for tick, _ in groupby(media.read_clock(video))]
    assert all(second == number % each for number, (_, second) in enumerate(seconds))
    return [segment for segment, _ in groupby(segment for segment, _ in seconds)]


S1, S2, S3 = f"{SPEAKER} 0", f"{SPEAKER} 120", f"{SPEAKER} 240"
G1, C1, C2, T1, T2 = f"{GALLERY} 0", "audio_transcript 0", "audio_transcript 120", "chat_file 0", "chat_file 120"
ORIGINALS = {f"segments/1 {SPEAKER}.mp4": [S1], f"segments/2 {SPEAKER}.mp4": [S2]}

CASES: list[tuple[str, list[Step], list[Step], dict[str, list[str]], list[str]]] = [
    ("a transcript", [first], [transcript], {"video.mp4": [S1], "video.vtt": [C1]}, [C1]),
    ("a transcript, the video gone", [first], [gone, transcript], {"video.mp4": [S1], "video.vtt": [C1]}, [C1]),
    ("a view", [first], [gallery], {"video.mp4": [S1], "video.gallery_view.mp4": [G1]}, [G1]),
    ("a view, the video gone", [first], [gone, gallery], {"video.mp4": [S1], "video.gallery_view.mp4": [G1]}, [G1]),
    ("a segment", [first], [second], {"video.v2.mp4": [S1, S2]}, [S1, S2]),
    ("a segment, the video gone", [first], [gone, second], {"video.mp4": [S1], "video.part-2.mp4": [S2]}, [S2]),
    ("the first segment", [second], [first], {"video.v2.mp4": [S1, S2]}, [S1, S2]),
    ("the first, the second gone", [second], [gone, first], {"video.mp4": [S2], "video.part-2.mp4": [S1]}, [S1]),
    ("a third segment", [first, second], [third], {"video.v2.mp4": [S1, S2, S3]}, [S1, S2, S3]),
    (
        "two segments, the video gone",
        [first],
        [gone, second, third],
        {"video.mp4": [S1], "video.part-2.mp4": [S2, S3]},
        [S2, S3],
    ),
    (
        "a segment that needs re-encoding",
        [first],
        [second_of_another_size],
        {"video.v2.mp4": [S1, S2], **ORIGINALS},
        [S1, S2],
    ),
    (
        "a third to a re-encoded video whose files are gone",
        [first, second_of_another_size],
        [gone, third],
        {"video.mp4": [S1, S2], **ORIGINALS, "video.part-2.mp4": [S3]},
        [S3],
    ),
    (
        "a segment with texts",
        [first, chat_and_captions],
        [second_with_texts],
        {
            "video.v2.mp4": [S1, S2],
            "video.v2.vtt": [C1, C2],
            "chat.v2.txt": [T1, T2],
            "segments/1 audio_transcript.vtt": [C1],
            "segments/2 audio_transcript.vtt": [C2],
            "segments/1 chat_file.txt": [T1],
            "segments/2 chat_file.txt": [T2],
        },
        [S1, S2, C1, C2, T1, T2],
    ),
    (
        "a segment with texts, the older files gone",
        [first, chat_and_captions],
        [gone, second_with_texts],
        {
            "video.mp4": [S1],
            "video.vtt": [C1],
            "chat.txt": [T1],
            "video.part-2.mp4": [S2],
            "video.part-2.vtt": [C2],
            "chat.part-2.txt": [T2],
            "segments/2 audio_transcript.vtt": [C2],
            "segments/2 chat_file.txt": [T2],
        },
        [S2, C2, T2],
    ),
]


@pytest.mark.parametrize(
    ("before", "after", "files", "fetched"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_what_comes_late(
    begin: Begin, stage: Stage, before: list[Step], after: list[Step], files: dict[str, list[str]], fetched: list[str]
) -> None:
    site = published(begin, stage, *before)
    covered = {one["id"]: one["sha256"] for one in site.recording("m")["receipt"]["cloud"]}
    for step in after:
        step(stage)

    result = site.sync()

    assert (result.code, result.counts["updated"]) == (0, 1)
    assert made_of(site) == files
    assert sorted(site.names("m")) == sorted(files)
    assert sorted(labels(site, site.downloads())) == sorted(fetched)
    cloud = {one["id"]: one["sha256"] for one in site.recording("m")["receipt"]["cloud"]}
    every = site.world.meetings[site.uuid("m")].files
    assert cloud == covered | {file.id: served(file) for file in every}
    shown = {
        name: segments_shown(site.item("m") / name) for name in files if name.startswith("video") and "mp4" in name
    }
    numbers = {S1: 1, S2: 2, S3: 3, G1: 1}
    assert shown == {name: [numbers[one] for one in files[name]] for name in shown}
    assert site.leftovers() == []
    assert (site.sync().counts, site.downloads()) == ({"up_to_date": 1, "calls": 3}, [])


def test_late_captions_are_shifted_where_a_part_begins_anew(begin: Begin, stage: Stage) -> None:
    site = published(begin, stage, first, chat_and_captions)
    gone(stage)
    second_with_texts(stage)

    site.sync()

    item = site.item("m")
    assert (item / "video.part-2.vtt").read_text().splitlines()[3] == "00:00:00.250 --> 00:00:01.750"
    assert (item / "chat.part-2.txt").read_text().startswith("00:00:02\tAlice Example:")


@pytest.mark.parametrize("late", ["late-transcript", "late-view", "late-segment"])
def test_each_latecomer_of_the_full_world_arrives(begin: Begin, stage: Stage, late: str) -> None:
    stage.world.users.clear()
    people(stage)
    latecomers(stage)
    site = begin(stage.world)
    site.sync()
    before = site.library()
    site.world.release(late)

    result = site.sync()

    assert (result.code, result.counts.get("updated"), result.counts.get("published")) == (0, 1, None)
    changed = {path for path, digest in site.library().items() if before.get(path) != digest}
    place = str(site.item(late).relative_to(site.root))
    new = {"late-transcript": "video.vtt", "late-view": "video.gallery_view.mp4", "late-segment": "video.v2.mp4"}[late]
    assert changed == {f"{place}/recording.json", f"{place}/{new}"}
    assert set(before) - set(site.library()) == ({f"{place}/video.mp4"} if late == "late-segment" else set())


def test_what_is_processed_waits_and_is_published_once_it_has_settled(begin: Begin, stage: Stage) -> None:
    latecomers_of_alice(stage)
    site = begin(stage.world)
    assert site.sync().counts == {"waiting": 1, "calls": 6}
    assert site.entry("processing").reason == "still recorded or processed in Zoom"
    site.world.release("processing-done")

    result = site.sync()

    assert result.counts["published"] == 1
    assert site.names("processing") == ["video.mp4"]


def latecomers_of_alice(stage: Stage) -> None:
    """A recording in progress."""
    stage.meeting("processing", "alice", 1 / 24, "Still being processed")
    stage.video("processing", file={"is_processing": True})

    def finish() -> None:
        stage.world.meetings[stage.world.names["processing"]].files.clear()
        stage.video("processing")

    stage.world.hold("processing-done", finish)


def test_a_recording_of_weeks_ago_is_found_by_the_next_sweep(begin: Begin, stage: Stage) -> None:
    first_of = published(begin, stage, first)
    stage.meeting("late", "alice", 40, "Appeared weeks later")
    stage.video("late")
    assert first_of.sync().counts["up_to_date"] == 1

    first_of.clock.advance(days=7)
    result = first_of.sync()

    assert (result.code, result.counts["published"]) == (0, 1)
    assert first_of.names("late") == ["video.mp4"]


def test_a_recording_that_runs_for_thirty_hours_is_fetched_though_newer_ones_were(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 1.5, "Thirty hours")
    going = stage.video("m", file={"is_processing": True})
    stage.meeting("newer", "alice", 1, "Newer")
    stage.video("newer")
    site = begin(stage.world)
    assert site.sync().counts == {"published": 1, "waiting": 1, "calls": 6, "downloads": 2}
    going.is_processing = False

    assert site.sync().counts["published"] == 1


def test_what_is_complete_is_taken_after_two_days_and_the_rest_comes_late(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 1, "Half done")
    stage.video("m")
    stuck = stage.video("m", 1, GALLERY, file={"is_processing": True})
    site = begin(stage.world)
    assert site.sync().counts["waiting"] == 1
    site.clock.advance(days=1, hours=1)

    result = site.sync()
    assert (result.code, result.counts["published"], site.names("m")) == (0, 1, ["video.mp4"])
    assert site.entry("m").pending == ("file: still processing",)

    stuck.is_processing = False
    site.clock.advance(days=1)
    assert (site.sync().counts["updated"], site.names("m")) == (1, ["video.gallery_view.mp4", "video.mp4"])


def test_what_zoom_deletes_tomorrow_is_taken_as_it_is(begin: Begin, stage: Stage) -> None:
    soon = stage.world.now.replace(hour=20)
    stage.meeting("m", "alice", 1 / 24, "Zoom deletes it today", auto_delete=soon)
    stage.video("m")
    site = begin(stage.world, recordings={"settle": "6h"})

    assert site.sync().counts["published"] == 1
