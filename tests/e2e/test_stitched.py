"""What was stitched is right for eyes and ears: decoded frames, tones, chapters, captions and chat."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import pytest

from tests.e2e.conftest import Twice
from tests.e2e.harness import sha256
from tests.sandbox import media
from tests.sandbox.picture import Tick

SECONDS = range(8)


def ticks(*parts: tuple[int, int]) -> list[Tick | None]:
    """What the frames of these segments say, by segment and view."""
    return [Tick(segment, view, second) for segment, view in parts for second in SECONDS]


def shown(video: Path) -> list[Tick | None]:
    """What its frames say, each second once; every second must be there with the same number of frames."""
    runs = [(tick, len(list(frames))) for tick, frames in groupby(media.read_ticks(video))]
    assert len({count for _, count in runs}) == 1
    return [tick for tick, _ in runs]


def tones(*segments: int) -> list[int]:
    """What these segments sound like; 0 is one without sound."""
    return [media.tone(segment, second) if segment else 0 for segment in segments for second in SECONDS]


def heard(file: Path) -> Sequence[object]:
    """Its tones, within half a percent."""
    return [pytest.approx(hertz, rel=0.005, abs=0.1) for hertz in media.read_tones(file)]


SHOWN = {
    ("pair", "video.mp4"): (ticks((1, 0), (2, 0)), tones(1, 2)),
    ("three", "video.mp4"): (ticks((1, 0), (2, 0), (3, 0)), tones(1, 2, 3)),
    ("three", "video.gallery_view.mp4"): (ticks((1, 1), (2, 1), (3, 1)), tones(1, 2, 3)),
    ("jitter", "video.mp4"): (ticks((1, 0), (2, 0)), tones(1, 2)),
    ("jitter", "video.gallery_view.mp4"): (ticks((1, 1), (2, 1)), tones(1, 2)),
    ("other-size", "video.mp4"): (ticks((1, 0), (2, 0)), tones(1, 2)),
    ("other-codec", "video.mp4"): (ticks((1, 0), (2, 0)), tones(1, 2)),
    ("other-frame-rate", "video.mp4"): (ticks((1, 0), (2, 0)), tones(1, 2)),
    ("other-time-base", "video.mp4"): (ticks((1, 0), (2, 0)), tones(1, 2)),
    ("other-sample-rate", "video.mp4"): (ticks((1, 0), (2, 0)), tones(1, 2)),
    ("no-audio", "video.mp4"): (ticks((1, 0), (2, 0)), tones(1, 0)),
    ("third-hevc", "video.mp4"): (ticks((1, 0), (2, 0), (3, 0)), tones(1, 2, 3)),
    ("missing-view", "video.mp4"): (ticks((1, 0), (2, 1)), tones(1, 2)),
    ("missing-view", "video.gallery_view.mp4"): (ticks((1, 1), (2, 1)), tones(1, 2)),
}
"""Of each stitched video what its frames say and how it sounds, second by second."""


@pytest.mark.parametrize(("name", "file"), SHOWN)
def test_all_segments_are_seen_and_heard_in_order(twice: Twice, name: str, file: str) -> None:
    video = twice.site.item(name) / file
    frames, sound = SHOWN[name, file]

    assert shown(video) == frames
    assert heard(video) == sound


def test_sound_alone_is_joined_too(twice: Twice) -> None:
    assert heard(twice.site.item("pair") / "audio.m4a") == tones(1, 2)


@pytest.mark.parametrize("name", ["three", "third-hevc"])
def test_a_title_and_a_chapter_for_each_segment_are_in_the_video(twice: Twice, name: str) -> None:
    metadata = media._run(["-i", str(twice.site.item(name) / "video.mp4"), "-f", "ffmetadata", "pipe:1"]).decode()
    lines = [line for line in metadata.splitlines() if line.startswith(("title=", "START=", "END="))]

    assert lines == [
        f"title={twice.site.recording(name)['title']}",
        *("START=0", "END=8000", "title=Segment 1"),
        *("START=8000", "END=16000", "title=Segment 2"),
        *("START=16000", "END=24000", "title=Segment 3"),
    ]


def test_captions_of_all_segments_are_joined_with_their_speakers_and_shifted(twice: Twice) -> None:
    speakers = ["Bob Example", "Zoë Łukasz-Ng", "Alice Example", "Bob Example"]
    cues = [
        f"{number}\n00:00:{at:02}.250 --> 00:00:{at + 1:02}.750\n"
        f"{speakers[at % 8 // 2]}: This is second {at % 8} of segment {1 + at // 8}.\n"
        for number, at in enumerate(range(0, 16, 2), 1)
    ]

    assert (twice.site.item("pair") / "video.vtt").read_text() == "WEBVTT\n\n" + "\n".join(cues)


def test_captions_of_the_second_segment_alone_begin_where_it_begins(twice: Twice) -> None:
    lines = (twice.site.item("three") / "video.vtt").read_text().splitlines()

    assert lines[2:5] == ["1", "00:00:08.250 --> 00:00:09.750", "Bob Example: This is second 0 of segment 2."]


def test_a_chat_goes_on_where_the_next_segment_begins(twice: Twice) -> None:
    link = "\n\n\tSee https://example.org/a?b=c 👍\n"

    assert (twice.site.item("pair") / "chat.txt").read_text() == (
        "00:00:02\tFrom Alice Example to Everyone:\n\n\tHello from segment 1\n"
        f"00:00:05\tFrom Zoë Łukasz-Ng to Everyone:{link}"
        "00:00:10\tFrom Alice Example to Everyone:\n\n\tHello from segment 2\n"
        f"00:00:13\tFrom Zoë Łukasz-Ng to Everyone:{link}"
    )


def test_where_re_encoding_was_needed_the_originals_are_what_covers_the_cloud_files(twice: Twice) -> None:
    receipt = twice.site.recording("third-hevc")["receipt"]

    view = "shared_screen_with_speaker_view"
    assert [(one["stored"], one["sha256"]) for one in receipt["cloud"]] == [
        (f"segments/{n} {view}.mp4", sha256(twice.site.item("third-hevc") / f"segments/{n} {view}.mp4"))
        for n in (1, 2, 3)
    ]


def test_where_segments_begin_is_written_down(twice: Twice) -> None:
    offsets = {one["name"]: one["offsets"] for one in twice.site.recording("three")["receipt"]["files"]}

    assert offsets == {
        "video.mp4": [0.0, 8.0, 16.0],
        "video.gallery_view.mp4": [0.0, 8.0, 16.0],
        "video.vtt": [],
        "segments/2 audio_transcript.vtt": [],
    }
