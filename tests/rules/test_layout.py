"""What an item should hold: every file of a meeting in a video, a text, or as it is."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import PIECES, a_piece
from zoomsync.model import RecordingFile
from zoomsync.rules import layout
from zoomsync.rules.layout import How, Output

f = a_piece


def in_words(outputs: Sequence[Output]) -> list[str]:
    """Each output as `name: how inputs`."""
    return [f"{one.name}: {one.how} {' '.join(one.made_of)}" for one in outputs]


ONE = (f("A1", 0, 60), f("B1", 0, 60), f("S1", 0, 60), f("T1", 0, 60), f("Q1", 0, 60), f("H1", 0, 60), f("L1", 0, 60))
TWO = (*ONE, f("A2", 90, 120), f("B2", 90, 120), f("S2", 90, 120), f("T2", 90, 120), f("H2", 90, 120), f("L2", 90, 120))

CASES: dict[str, tuple[Sequence[RecordingFile], list[str]]] = {
    "nothing": ((), []),
    "one video": ((f("A1", 0, 60),), ["video.mp4: keep A1"]),
    "one segment": (
        ONE,
        [
            "video.mp4: keep A1",
            "video.gallery_view.mp4: keep B1",
            "audio.m4a: keep S1",
            "video.vtt: keep T1",
            "chat.txt: keep H1",
            "video.cc.vtt: keep Q1",
            "timeline.json: keep L1",
        ],
    ),
    "two segments": (
        TWO,
        [
            "video.mp4: stitch A1 A2",
            "video.gallery_view.mp4: stitch B1 B2",
            "audio.m4a: stitch S1 S2",
            "video.vtt: captions T1 T2",
            "segments/1 audio_transcript.vtt: keep T1",
            "segments/2 audio_transcript.vtt: keep T2",
            "chat.txt: chat H1 H2",
            "segments/1 chat_file.txt: keep H1",
            "segments/2 chat_file.txt: keep H2",
            "video.cc.vtt: captions Q1",
            "segments/1 closed_caption.vtt: keep Q1",
            "segments/1 timeline.json: keep L1",
            "segments/2 timeline.json: keep L2",
        ],
    ),
    "three segments": (
        (f("A1", 0, 60), f("A2", 90, 120), f("A3", 150, 160)),
        ["video.mp4: stitch A1 A2 A3"],
    ),
    "the primary takes the best view of each segment, a view missing in one is stitched from the others": (
        (f("A1", 0, 60), f("B1", 0, 60), f("B2", 90, 120), f("B3", 150, 160), f("A3", 150, 160)),
        ["video.mp4: stitch A1 B2 A3", "video.gallery_view.mp4: stitch B1 B2 B3"],
    ),
    "a view whose every file is in the primary is no further video": (
        (f("A1", 0, 60), f("B2", 90, 120)),
        ["video.mp4: stitch A1 B2"],
    ),
    "the primary spans a segment that has sound only": (
        (f("A1", 0, 60), f("S1", 0, 60), f("S2", 90, 120)),
        ["video.mp4: stitch A1 S2", "audio.m4a: stitch S1 S2"],
    ),
    "sound only": ((f("S1", 0, 60), f("I1", 0, 60)), ["audio.m4a: keep S1", "audio.audio_interpretation.m4a: keep I1"]),
    "sound only, two segments": ((f("S1", 0, 60), f("S2", 90, 120)), ["audio.m4a: stitch S1 S2"]),
    "sound is missing in one": (
        (f("A1", 0, 60), f("A2", 90, 120), f("S2", 90, 120)),
        ["video.mp4: stitch A1 A2", "audio.m4a: keep S2"],
    ),
    "two files of one view in one segment": (
        (f("A1", 0, 60), f("A2", 1, 60), f("A3", 90, 120)),
        ["video.mp4: stitch A1 A3", "video.shared_screen_with_speaker_view-2.mp4: keep A2"],
    ),
    "two thumbnails": (
        (f("A1", 0, 60), f("O1", 0, 60, view="thumbnail"), f("O2", 0, 60, view="thumbnail")),
        ["video.mp4: keep A1", "thumbnail.csv: keep O1", "thumbnail-2.csv: keep O2"],
    ),
    "text without times": (
        (f("A1", 0, 60), f("A2", 90, 120), f("L1", None), f("T2", 90, 120)),
        [
            "video.mp4: stitch A1 A2",
            "segments/1 timeline.json: keep L1",
            "video.vtt: captions T2",
            "segments/2 audio_transcript.vtt: keep T2",
        ],
    ),
    "a summary of the whole meeting belongs to no segment": (
        (f("A1", 0, 60), f("A2", 90, 120), f("M1", 0, 120)),
        ["video.mp4: stitch A1 A2", "summary.json: keep M1"],
    ),
    "a summary for each segment": (
        (f("A1", 0, 60), f("A2", 90, 120), f("M1", 0, 60), f("M2", 90, 120)),
        ["video.mp4: stitch A1 A2", "segments/1 summary.json: keep M1", "segments/2 summary.json: keep M2"],
    ),
    "summaries of several kinds": (
        (f("M1", 0, 60), f("M2", 0, 60, view="summary_next_steps")),
        ["summary.json: keep M1", "summary_next_steps.json: keep M2"],
    ),
    "text only": ((f("T1", 0, 60), f("H1", 0, 60)), ["video.vtt: keep T1", "chat.txt: keep H1"]),
    "captions that are not all WebVTT are not joined": (
        (f("A1", 0, 60), f("A2", 90, 120), f("T1", 0, 60), f("T2", 90, 120, extension="srt")),
        [
            "video.mp4: stitch A1 A2",
            "segments/1 audio_transcript.vtt: keep T1",
            "segments/2 audio_transcript.srt: keep T2",
        ],
    ),
    "captions of two languages in a segment go on in nobody knows which": (
        (f("A1", 0, 60), f("A2", 90, 120), f("Q1", 0, 60), f("Q9", 0, 60), f("Q2", 90, 120)),
        [
            "video.mp4: stitch A1 A2",
            "video.cc.vtt: captions Q1 Q9 Q2",
            "segments/1 closed_caption.vtt: keep Q1",
            "segments/1 closed_caption-2.vtt: keep Q9",
            "segments/2 closed_caption.vtt: keep Q2",
        ],
    ),
    "a chat is told from one in another format": (
        (f("A1", 0, 60), f("A2", 90, 120), f("H1", 0, 60, extension="json"), f("H2", 0, 60), f("H3", 90, 120)),
        [
            "video.mp4: stitch A1 A2",
            "chat.txt: chat H2 H3",
            "segments/1 chat_file.json: keep H1",
            "segments/1 chat_file-2.txt: keep H2",
            "segments/2 chat_file.txt: keep H3",
        ],
    ),
    "a chat in another format is not joined": (
        (f("A1", 0, 60), f("A2", 90, 120), f("H1", 0, 60), f("H2", 90, 120, extension="json")),
        ["video.mp4: stitch A1 A2", "segments/1 chat_file.txt: keep H1", "segments/2 chat_file.json: keep H2"],
    ),
    "files of different kinds that Zoom calls the same": (
        (f("H1", 0, 60), f("O1", 0, 60, view="chat_file", extension="txt"), f("L1", 0, 60, view="chat_file")),
        ["chat.txt: keep H1", "chat_file.json: keep L1", "chat_file.txt: keep O1"],
    ),
    "files of different kinds that would be called the same": (
        (f("H1", 0, 60), f("O1", 0, 60, view="chat", extension="txt")),
        ["chat.txt: keep O1", "chat.twin-2.txt: keep H1"],
    ),
    "views that look the same in a file name": (
        (f("A1", 0, 60), f("X1", 0, 60, view="new view"), f("X2", 0, 60, view="new/view")),
        ["video.mp4: keep A1", "video.new_view.mp4: keep X1", "video.twin-2.new_view.mp4: keep X2"],
    ),
    "no view, no extension, letters of a path": (
        (
            f("A1", 0, 60, view="", extension=""),
            f("S1", 0, 60, view="../../etc", extension="m/4\0a"),
            f("O1", 0, 60, view="", type="", extension=""),
        ),
        ["video.mp4: keep A1", "audio.etc.m4a: keep S1", "file.bin: keep O1"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_item_holds(case: str) -> None:
    files, expected = CASES[case]

    assert in_words(layout.wanted(files)) == expected


def test_without_concatenation_each_segment_is_its_own_video_with_its_own_texts() -> None:
    outputs = layout.wanted(TWO, concatenate=False)

    assert in_words(outputs) == [
        "video.1.mp4: keep A1",
        "video.1.gallery_view.mp4: keep B1",
        "audio.1.m4a: keep S1",
        "video.1.vtt: keep T1",
        "chat.1.txt: keep H1",
        "video.1.cc.vtt: keep Q1",
        "timeline.1.json: keep L1",
        "video.2.mp4: keep A2",
        "video.2.gallery_view.mp4: keep B2",
        "audio.2.m4a: keep S2",
        "video.2.vtt: keep T2",
        "chat.2.txt: keep H2",
        "timeline.2.json: keep L2",
    ]


def test_without_concatenation_a_single_segment_is_named_as_ever() -> None:
    assert layout.wanted(ONE, concatenate=False) == layout.wanted(ONE)


def test_the_configured_views_decide_on_the_primary() -> None:
    files = (f("A1", 0, 60), f("B1", 0, 60), f("A2", 90, 120))

    outputs = layout.wanted(files, views=("gallery_view",))

    assert in_words(outputs) == [
        "video.mp4: stitch B1 A2",
        "video.shared_screen_with_speaker_view.mp4: stitch A1 A2",
    ]


def test_segments_that_cannot_be_joined_are_videos_of_their_own() -> None:
    outputs = layout.wanted((f("A1", 0, 60), f("B2", 90, 120, extension="mov"), f("S3", 150, 160)))

    assert in_words(outputs[0].separate()) == [
        "video.1.mp4: keep A1",
        "video.2.mov: keep B2",
        "video.3.m4a: keep S3",
    ]


PIECE = st.builds(
    lambda letter, number, segment, changes: replace(
        f(f"{letter}{number}", 100 * segment, 100 * segment + 60), **changes
    ),
    st.sampled_from(sorted(PIECES)),
    st.integers(1, 30),
    st.integers(0, 3),
    st.sampled_from(
        [
            {},
            {},
            {"view": "chat"},
            {"view": "audio_only"},
            {"view": "video"},
            {"start": None, "end": None},
            {"end": None},
        ]
    ),
)


@given(st.lists(PIECE, unique_by=lambda file: file.id, max_size=12), st.booleans())
def test_every_file_is_held_whole_and_no_two_outputs_share_a_role_or_name(
    files: list[RecordingFile], concatenate: bool
) -> None:
    outputs = layout.wanted(files, concatenate=concatenate)

    assert {one for output in outputs if output.is_lossless for one in output.made_of} == {file.id for file in files}
    assert len({output.role for output in outputs}) == len({output.name for output in outputs}) == len(outputs)
    assert all(len(output.inputs) == 1 for output in outputs if output.how is How.KEEP)
