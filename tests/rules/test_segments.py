"""Segments: what Zoom cut a meeting into, and which of its files are wanted."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import PIECES, START, a_piece
from zoomsync.model import MINUTE, Kind, RecordingFile
from zoomsync.rules.segments import rank, segments, select

f = a_piece
SECOND = timedelta(seconds=1)
Cut = tuple[float, float, str]


def cut(files: Sequence[RecordingFile]) -> list[Cut]:
    """Each segment as seconds since `START` and the ids of its files, the best first."""
    return [
        (
            (part.start - START).total_seconds(),
            (part.end - START).total_seconds(),
            " ".join(file.id for file in part.files),
        )
        for part in segments(files)
    ]


TWO = (f("A1", 0, 60), f("B1", 0, 60), f("S1", 0, 60), f("A2", 90, 120), f("B2", 90, 120), f("S2", 90, 120))

CUTS: dict[str, tuple[Sequence[RecordingFile], list[Cut]]] = {
    "nothing": ((), []),
    "one file": ((f("A1", 0, 60),), [(0, 60, "A1")]),
    "several views at once are one segment": (
        (f("B1", 0, 60), f("S1", 0, 60), f("A1", 0, 60), f("X1", 0, 60)),
        [(0, 60, "A1 B1 X1 S1")],
    ),
    "stop and start makes another": (TWO, [(0, 60, "A1 B1 S1"), (90, 120, "A2 B2 S2")]),
    "listed newest first": (tuple(reversed(TWO)), [(0, 60, "A1 B1 S1"), (90, 120, "A2 B2 S2")]),
    "three segments": (
        (f("A1", 0, 10), f("A2", 20, 30), f("A3", 3600, 3700)),
        [(0, 10, "A1"), (20, 30, "A2"), (3600, 3700, "A3")],
    ),
    "a view is missing in the first": (
        (f("A1", 0, 60), f("A2", 90, 120), f("B2", 90, 120)),
        [(0, 60, "A1"), (90, 120, "A2 B2")],
    ),
    "no view is in both": ((f("A1", 0, 60), f("B2", 90, 120)), [(0, 60, "A1"), (90, 120, "B2")]),
    "a second of jitter does not split": (
        (f("A1", 0, 60), f("B1", 1, 59), f("S1", 1, 61), f("A2", 91, 120), f("B2", 90, 121)),
        [(0, 61, "A1 B1 S1"), (90, 121, "A2 B2")],
    ),
    "stop and start within the same second": (
        (f("A1", 0, 60), f("B1", 0, 60), f("A2", 60, 90), f("B2", 60, 90)),
        [(0, 60, "A1 B1"), (60, 90, "A2 B2")],
    ),
    "stop and start within the same second, no view in both": (
        (f("A1", 0, 60), f("B2", 60, 90)),
        [(0, 60, "A1"), (60, 90, "B2")],
    ),
    "jitter lets two segments overlap by a second": (
        (f("A1", 0, 60), f("B1", 0, 61), f("A2", 60, 90), f("B2", 60, 90)),
        [(0, 61, "A1 B1"), (60, 90, "A2 B2")],
    ),
    "jitter lets two segments overlap by a second, the early file first": (
        (f("A1", 0, 60), f("B1", 0, 60), f("B2", 59, 90), f("A2", 60, 90)),
        [(0, 60, "A1 B1"), (59, 90, "A2 B2")],
    ),
    "a longer tail of another view does not glue segments together": (
        (f("A1", 0, 60), f("C1", 0, 64), f("A2", 60, 90), f("C2", 64, 90)),
        [(0, 64, "A1 C1"), (60, 90, "A2 C2")],
    ),
    "files of one short segment miss each other by a second": (
        (f("A1", 0, 60), f("A2", 90, 90), f("B2", 91, 92)),
        [(0, 60, "A1"), (90, 92, "A2 B2")],
    ),
    "the sound of a one-second segment misses its video by a second": (
        (f("A1", 0, 1), f("S1", 2, 2)),
        [(0, 2, "A1 S1")],
    ),
    "a short piece of a view within a long segment is no segment": (
        (f("A1", 0, 60), f("B1", 0, 10), f("B2", 20, 30)),
        [(0, 60, "A1 B1 B2")],
    ),
    "two files of the same view at the same time": (
        (f("A2", 0, 60), f("A1", 1, 60)),
        [(0, 60, "A2 A1")],
    ),
    "sound only": ((f("S1", 0, 60), f("S2", 90, 120)), [(0, 60, "S1"), (90, 120, "S2")]),
    "sound is missing in one": (
        (f("A1", 0, 60), f("A2", 90, 120), f("S2", 90, 120)),
        [(0, 60, "A1"), (90, 120, "A2 S2")],
    ),
    "the second segment is sound only": (
        (f("A1", 0, 60), f("S1", 0, 60), f("S2", 90, 120), f("T2", 90, 120)),
        [(0, 60, "A1 S1"), (90, 120, "S2 T2")],
    ),
    "the second segment is sound only and follows within the same second": (
        (f("A1", 0, 60), f("S1", 0, 60), f("S2", 60, 90)),
        [(0, 60, "A1 S1"), (60, 90, "S2")],
    ),
    "the first segment is sound only": ((f("S1", 0, 60), f("A2", 90, 120)), [(0, 60, "S1"), (90, 120, "A2")]),
    "text joins the segment that it overlaps most": (
        (f("A1", 0, 60), f("A2", 60, 120), f("H1", 0, 61), f("H2", 59, 120), f("T2", 60, 120)),
        [(0, 60, "A1 H1"), (60, 120, "A2 T2 H2")],
    ),
    "text between two segments joins the nearer": (
        (f("A1", 0, 60), f("A2", 120, 180), f("H1", 70, 80), f("H2", 100, 110)),
        [(0, 60, "A1 H1"), (120, 180, "A2 H2")],
    ),
    "text without times joins the first": (
        (f("A1", 0, 60), f("A2", 90, 120), f("L1", None), f("T2", 90, 120)),
        [(0, 60, "A1 L1"), (90, 120, "A2 T2")],
    ),
    "a summary of the whole meeting draws no other file to its segment": (
        (f("A1", 0, 60), f("A2", 60, 120), f("M1", 0, 120), f("H2", 60, 120), f("S2", 60, 120)),
        [(0, 60, "A1 M1"), (60, 120, "A2 S2 H2")],
    ),
    "text only": ((f("H1", 0, 60), f("T1", 90, 120)), [(0, 120, "T1 H1")]),
    "media without times join the first": (
        (f("A1", 0, 60), f("A2", 90, 120), f("S9", None), f("B9", None)),
        [(0, 60, "A1 B9 S9"), (90, 120, "A2")],
    ),
    "an end alone is a time": ((f("A1", 0, 60), f("A2", None, 120)), [(0, 60, "A1"), (120, 120, "A2")]),
    "no ends at all, two views begin 2 s apart": ((f("A1", 0), f("B1", 2)), [(0, 2, "A1 B1")]),
    "no ends at all, two views as long as the meeting": (
        (f("A1", 0, length=MINUTE), f("B1", 2, length=MINUTE)),
        [(0, 62, "A1 B1")],
    ),
    "no ends at all, two views of 3 s begin 5 s apart": (
        (f("A1", 0, length=3 * SECOND), f("B1", 5, length=3 * SECOND)),
        [(0, 8, "A1 B1")],
    ),
    "one of two views has no end and begins after the end of the other": (
        (f("A1", 0, 3), f("B1", 5, length=3 * SECOND)),
        [(0, 8, "A1 B1")],
    ),
    "one of two views ends before it begins": ((f("A1", 0, 60), f("B1", 2, 1)), [(0, 60, "A1 B1")]),
    "sound says when a view without an end ends": (
        (f("A1", 0), f("S1", 0, 60), f("B2", 61, 90)),
        [(0, 60, "A1 S1"), (61, 90, "B2")],
    ),
    "without ends the next of a view ends each that began with the last one": (
        (f("A1", 0), f("B1", 2), f("T1", 1), f("A2", 100), f("B2", 101), f("T2", 100)),
        [(0, 100, "A1 B1 T1"), (100, 101, "A2 B2 T2")],
    ),
    "without ends a view that is missing in the second segment ends with the others": (
        (f("A1", 0, length=3 * MINUTE), f("B1", 2, length=3 * MINUTE), f("A2", 100, length=MINUTE)),
        [(0, 100, "A1 B1"), (100, 160, "A2")],
    ),
    "no view is in both, and how long the first plays is known": (
        (f("A1", 0, length=90 * SECOND), f("B2", 100, length=MINUTE)),
        [(0, 90, "A1"), (100, 160, "B2")],
    ),
    "text of the whole meeting does not say how long a view is": (
        (f("A1", 0, length=90 * SECOND), f("B2", 100, 160), f("M1", 0, 160)),
        [(0, 90, "A1 M1"), (100, 160, "B2")],
    ),
    "text says how long a view is if nothing else does": (
        (f("A1", 0), f("B2", 100, 160), f("T1", 0, 90)),
        [(0, 90, "A1 T1"), (100, 160, "B2")],
    ),
    "a view begun again within seconds, without ends": (
        (f("A1", 0), f("B1", 1), f("A2", 5, length=MINUTE), f("B2", 6, length=MINUTE)),
        [(0, 5, "A1 B1"), (5, 66, "A2 B2")],
    ),
    "two views of 3 s, 2 s apart": ((f("A1", 0, 3), f("B1", 2, 5)), [(0, 5, "A1 B1")]),
    "two views of 3 s one after the other": ((f("A1", 0, 3), f("B2", 3, 6)), [(0, 3, "A1"), (3, 6, "B2")]),
    "an end before the start": ((f("A1", 60, 0), f("B1", 60, 90)), [(60, 90, "A1 B1")]),
}


@pytest.mark.parametrize("case", CUTS)
def test_a_meeting_has_these_segments(case: str) -> None:
    files, expected = CUTS[case]

    assert cut(files) == expected


PIECE = st.builds(
    lambda letter, number, begin, length: f(f"{letter}{number}", begin, None if begin is None else begin + length),
    st.sampled_from(sorted(PIECES)),
    st.integers(1, 99),
    st.none() | st.integers(0, 120),
    st.integers(0, 60),
)


ENDLESS = st.builds(
    lambda file, length: replace(file, end=None, length=length),
    PIECE,
    st.none() | st.integers(1, 99).map(SECOND.__mul__),
)


@given(st.lists(PIECE | ENDLESS, unique_by=lambda file: file.id, max_size=8), st.randoms(use_true_random=False))
def test_every_file_is_in_one_segment_in_whatever_order_zoom_lists_them(
    files: list[RecordingFile], random: Random
) -> None:
    shuffled = random.sample(files, len(files))

    assert segments(shuffled) == segments(files)
    assert segments([file for part in segments(files) for file in part.files]) == segments(files)
    assert sorted(file.id for part in segments(files) for file in part.files) == sorted(file.id for file in files)
    assert [part.start for part in segments(files)] == sorted(part.start for part in segments(files))


@pytest.mark.parametrize(
    ("views", "expected"),
    [
        ((), "A1 C1 B1 X1 S1 I1"),
        (("gallery_view", "some_new_view"), "B1 X1 A1 C1 S1 I1"),
        (("audio_interpretation",), "A1 C1 B1 X1 I1 S1"),
    ],
)
def test_the_listed_views_rank_first_and_sound_behind_all_videos(views: tuple[str, ...], expected: str) -> None:
    files = [f(name, 0, 60) for name in ("X1", "I1", "S1", "B1", "C1", "A1")]

    assert " ".join(file.id for file in sorted(files, key=lambda file: rank(file, views))) == expected


ALL = frozenset(Kind)
MIXED = (
    f("A1", 0, 60),
    f("B1", 0, 60),
    f("S1", 0, 60),
    f("T1", 0, 60),
    f("B2", 90, 120),
    f("X2", 90, 120),
    f("H2", 90, 120),
)
UNKNOWN = f("O3", 150, None, processing=True, type="", view="", size=None)


@pytest.mark.parametrize(
    ("views", "kinds", "files", "expected"),
    [
        ("all", ALL, MIXED, "A1 B1 S1 T1 B2 X2 H2"),
        ("all", {Kind.VIDEO, Kind.CHAT}, MIXED, "A1 B1 B2 X2 H2"),
        ("best", ALL, MIXED, "A1 S1 T1 B2 H2"),
        ("best", {Kind.AUDIO, Kind.CAPTIONS}, MIXED, "S1 T1"),
        (("gallery_view",), {Kind.VIDEO}, MIXED, "B1 B2"),
        (("some_new_view",), {Kind.VIDEO}, MIXED, "A1 X2"),
        (("some_new_view", "shared_screen_with_speaker_view"), {Kind.VIDEO}, MIXED, "A1 X2"),
        (("gallery_view", "some_new_view"), {Kind.VIDEO}, MIXED, "B1 B2 X2"),
        (("host_video",), {Kind.VIDEO}, MIXED, "A1 B2"),
        ("best", ALL, (f("A1", 0), f("B2", 100), f("A3", 200)), "A1 B2 A3"),
        ("best", ALL, (f("A1", 0, length=MINUTE), f("B2", 30, length=MINUTE)), "A1 B2"),
        ("best", ALL, (f("A1", 0), f("B1", 2), f("A2", 100, 160), f("B2", 103)), "A1 A2"),
        ("best", ALL, (f("A1", 0, 3), f("B2", 5)), "A1 B2"),
        ("best", ALL, (f("A1", 0), f("S1", 0, 160), f("B2", 100, 150)), "A1 S1"),
        ("all", {Kind.VIDEO}, (f("A1", 0, 60), UNKNOWN), "A1 O3"),
        ("all", {Kind.VIDEO}, (f("A1", 0, 60), f("T1", 0, 60, processing=True)), "A1"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_config_selects(
    views: str | tuple[str, ...], kinds: frozenset[Kind], files: tuple[RecordingFile, ...], expected: str
) -> None:
    assert " ".join(file.id for file in select(files, views=views, kinds=kinds)) == expected


@pytest.mark.parametrize(
    ("views", "kinds", "files", "expected"),
    [
        ("all", ALL, MIXED, "A1 T1 B2 H2"),
        ("best", ALL, MIXED, "A1 T1 B2 H2"),
        (("gallery_view", "some_new_view"), ALL, MIXED, "B1 T1 B2 H2"),
        ("all", {Kind.AUDIO, Kind.CAPTIONS}, MIXED, "S1 T1"),
        ("all", {Kind.VIDEO}, (f("A1", 0, 60), UNKNOWN), "A1 O3"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_destination_may_take_of_each_segment_the_best_view_alone(
    views: str | tuple[str, ...], kinds: frozenset[Kind], files: tuple[RecordingFile, ...], expected: str
) -> None:
    chosen = select(files, views=views, kinds=kinds, only_primary=True)

    assert " ".join(file.id for file in chosen) == expected
