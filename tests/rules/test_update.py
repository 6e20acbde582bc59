"""What comes late: what of an item is kept, what is rebuilt, what becomes a part. Nothing is ever built from less."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes import PIECES
from tests.late_files import ItemInMemory, cloud, joined, text_of
from zoomsync.model import RecordingFile


@pytest.fixture(autouse=True)
def _without_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoomsync.media.stitch.stitch", joined)


A, B = "video.shared_screen_with_speaker_view", "video.gallery_view"
LATE: dict[str, tuple[list[str], str, list[str]]] = {
    "everything at once": (["A1 B1 T1"], "A1 B1 T1", ["video: A1", f"{B}: B1", "captions: T1"]),
    "nothing new": (["A1 T1", "A1 T1"], "", ["video: A1", "captions: T1"]),
    "nothing left in the cloud": (["A1 T1", ""], "", ["video: A1", "captions: T1"]),
    "a late transcript": (["A1", "A1 T1"], "T1", ["video: A1", "captions: T1"]),
    "a late transcript when the video is gone from the cloud": (["A1", "T1"], "T1", ["video: A1", "captions: T1"]),
    "a late transcript of the second segment": (
        ["A1 A2 T1", "A1 A2 T1 T2"],
        "T1 T2",
        [
            "video: A1 A2",
            "segments/1 audio_transcript: T1",
            "captions: T1 T2",
            "segments/2 audio_transcript: T2",
        ],
    ),
    "a late transcript of the second segment when the first is gone from the cloud": (
        ["A1 A2 T1", "A2 T2"],
        "T2",
        [
            "video: A1 A2",
            "captions: T1",
            "segments/1 audio_transcript: T1",
            "segments/2 audio_transcript: T2",
            "captions.part-2: T2",
        ],
    ),
    "a late view": (["A1", "A1 B1"], "B1", ["video: A1", f"{B}: B1"]),
    "a late view of one segment only": (
        ["A1 A2 B2", "A1 A2 B2 B1"],
        "B1 B2",
        ["video: A1 A2", f"{B}: B1 B2"],
    ),
    "a late view of one segment, the other is gone from the cloud": (
        ["A1 A2 B2", "B1"],
        "B1",
        ["video: A1 A2", f"{B}: B2", f"{B}.part-2: B1"],
    ),
    "a late view that ranks best is a further video": (["B1", "B1 A1"], "A1", ["video: B1", f"{A}: A1"]),
    "late views that rank best are a further video": (
        ["B1 B2", "B1 B2 A1 A2"],
        "A1 A2",
        ["video: B1 B2", f"{A}: A1 A2"],
    ),
    "a late segment after a late view that ranks best": (
        ["B1", "B1 A1", "B1 A1 B2 A2"],
        "A1 A2 B1 B2",
        ["video: A1 A2", f"{B}: B1 B2"],
    ),
    "a late segment": (["A1", "A1 A2"], "A1 A2", ["video: A1 A2"]),
    "a late segment before the others": (["A2 A3", "A1 A2 A3"], "A1 A2 A3", ["video: A1 A2 A3"]),
    "a late segment that the primary takes another view from": (
        ["A1 B1", "A1 B1 B2"],
        "A1 B2 B1",
        ["video: A1 B2", f"{B}: B1 B2"],
    ),
    "a late segment when the first is gone from the cloud": (["A1", "A2"], "A2", ["video: A1", "video.part-2: A2"]),
    "a late segment when one of two is gone from the cloud": (
        ["A1 A2", "A2 A3"],
        "A3",
        ["video: A1 A2", "video.part-2: A3"],
    ),
    "two late segments are one part": (["A1", "A2 A3"], "A2 A3", ["video: A1", "video.part-2: A2 A3"]),
    "a part is never rebuilt from less": (
        ["A1", "A2", "A3"],
        "A3",
        ["video: A1", "video.part-2: A2", "video.part-3: A3"],
    ),
    "a late segment of sound only": (["S1", "S2"], "S2", ["audio: S1", "audio.part-2: S2"]),
    "a late segment with its texts": (
        ["A1 T1 H1", "A1 T1 H1 A2 T2 H2"],
        "A1 A2 T1 T2 H1 H2",
        [
            "video: A1 A2",
            "captions: T1 T2",
            "segments/2 audio_transcript: T2",
            "chat: H1 H2",
            "segments/2 chat_file: H2",
            "segments/1 audio_transcript: T1",
            "segments/1 chat_file: H1",
        ],
    ),
    "a late segment with its texts when the first is gone from the cloud": (
        ["A1 T1", "A2 T2"],
        "A2 T2",
        [
            "video: A1",
            "captions: T1",
            "segments/2 audio_transcript: T2",
            "video.part-2: A2",
            "captions.part-2: T2",
        ],
    ),
    "an altered text and another one of its segment, after texts were stored apart": (
        ["A1 A2 T1 T2", "T1+", "T1+ T2+"],
        "T1 T2",
        [
            "video: A1 A2",
            "captions: T1+ T2+",
            "segments/1 audio_transcript: T1+",
            "segments/2 audio_transcript: T2+",
        ],
    ),
    "an earlier segment comes late: the originals keep the numbers under which they are stored": (
        ["A2 A3 H2 H3", "A1 A2 A3 H1 H2 H3"],
        "A1 A2 A3 H1 H2 H3",
        [
            "video: A1 A2 A3",
            "chat: H1 H2 H3",
            "segments/1 chat_file: H2",
            "segments/2 chat_file: H3",
            "segments/1 chat_file.part-2: H1",
        ],
    ),
    "a late text in a segment that has one": (
        ["A1 H1", "A1 H1 H91"],
        "H91",
        ["video: A1", "chat: H1", "chat.chat_file-2: H91"],
    ),
    "a late segment that must be encoded": (
        ["A1 A2", "A1 A2 A3~"],
        "A1 A2 A3",
        ["video: (A1) (A2) (A3)", f"segments/1 {A[6:]}: A1", f"segments/2 {A[6:]}: A2", f"segments/3 {A[6:]}: A3~"],
    ),
    "Zoom altered a text": (["A1 H1", "A1 H1+"], "H1", ["video: A1", "chat: H1+"]),
    "Zoom altered a video": (["A1", "A1+"], "A1", ["video: A1", "video.part-2: A1+"]),
    "Zoom altered a video, and a segment comes late": (
        ["A1 A2", "A1+ A2", "A1+ A2 A3"],
        "A3",
        ["video: A1 A2", "video.part-2: A1+", "video.part-3: A3"],
    ),
    "segments that cannot be joined": (["A1 A2!"], "A1 A2", ["video.1: A1", "video.2: A2!"]),
    "a late segment when the others could not be joined": (
        ["A1 A2!", "A1 A2! A3"],
        "A1 A2 A3",
        ["video.1: A1", "video.2: A2!", "video.3: A3"],
    ),
    "late segments that cannot be joined, each time": (
        ["A1! A2!", "A3! A4!", "A5! A6!"],
        "A5 A6",
        [
            "video.1: A1!",
            "video.2: A2!",
            "video.part-2.1: A3!",
            "video.part-2.2: A4!",
            "video.part-3.1: A5!",
            "video.part-3.2: A6!",
        ],
    ),
}


@pytest.mark.parametrize("case", LATE)
def test_after_the_last_pass_an_item_holds(case: str) -> None:
    (*earlier, last), fetched, expected = LATE[case]
    item = ItemInMemory()
    for listing in earlier:
        item.work(cloud(listing))

    arrangement = item.work(cloud(last))

    assert sorted(file.id for file in arrangement.fetch) == sorted(fetched.split())
    assert sorted(item.described()) == sorted(expected)


KEEPING: dict[str, tuple[list[str], str, list[str]]] = {
    "a late segment": (["A1", "A1 A2"], "A2", ["video: A1", "video.part-2: A2"]),
    "late segments, one after the other": (
        ["A1", "A1 A2", "A1 A2 A3 A4"],
        "A3 A4",
        ["video: A1", "video.part-2: A2", "video.part-3: A3 A4"],
    ),
    "a late transcript and a late view": (["A1", "A1 B1 T1"], "B1 T1", ["video: A1", f"{B}: B1", "captions: T1"]),
    "a late segment with its texts": (
        ["A1 T1 H1", "A1 A2 T1 T2 H1 H2"],
        "A2 T2 H2",
        [
            "video: A1",
            "captions: T1",
            "chat: H1",
            "video.part-2: A2",
            "captions.part-2: T2",
            "chat.part-2: H2",
            "segments/2 audio_transcript: T2",
            "segments/2 chat_file: H2",
        ],
    ),
    "the texts of both segments, which lie in different videos": (
        ["A1", "A1 A2", "A1 A2 T1 T2"],
        "T1 T2",
        [
            "video: A1",
            "video.part-2: A2",
            "segments/1 audio_transcript: T1",
            "segments/2 audio_transcript: T2",
        ],
    ),
    "Zoom altered a text": (["A1 H1", "A1 H1+"], "H1", ["video: A1", "chat: H1", "chat.part-2: H1+"]),
    "a late segment that must be encoded": (["A1", "A1 A2~"], "A2", ["video: A1", "video.part-2: A2~"]),
}


@pytest.mark.parametrize("case", KEEPING)
def test_where_nothing_can_be_replaced_what_is_new_becomes_a_part(case: str) -> None:
    (*earlier, last), fetched, expected = KEEPING[case]
    item = ItemInMemory(can_replace=False)
    for listing in earlier:
        item.work(cloud(listing))
    before = set(item.described())

    arrangement = item.work(cloud(last))

    assert sorted(file.id for file in arrangement.fetch) == sorted(fetched.split())
    assert sorted(item.described()) == sorted(expected)
    assert before <= set(item.described())
    assert item.look(cloud(last)).build == ()


def test_what_has_nothing_new_is_kept_as_it_is_stored() -> None:
    item = ItemInMemory()
    item.work(cloud("A1 B1 T1"))
    before = item.receipt

    arrangement = item.work(cloud("A1 B1 T1 H1"))

    assert before is not None
    assert arrangement.keep == before.files
    assert [str(one.role) for one in arrangement.build] == ["chat"]


def test_nothing_is_stitched_again_because_the_config_changed() -> None:
    item = ItemInMemory()
    item.work(cloud("A1 A2 T1 T2"), concatenate=False)

    assert item.look(cloud("A1 A2 T1 T2"), concatenate=True).build == ()


def test_a_late_segment_joins_what_was_stored_apart() -> None:
    item = ItemInMemory()
    item.work(cloud("A1 A2 T1 T2"), concatenate=False)

    item.work(cloud("A1 A2 A3 T1 T2"), concatenate=True)

    assert sorted(item.described()) == ["captions.1: T1", "captions.2: T2", "video: A1 A2 A3"]


PASSES = 4
LETTERS = st.lists(st.sampled_from(sorted(PIECES)), min_size=1, max_size=4, unique=True)
MARKS = st.sampled_from(["", "", "", "!", "~"])
CHANCES = st.lists(st.booleans(), min_size=PASSES, max_size=PASSES)


@st.composite
def histories(draw: st.DrawFn) -> list[list[RecordingFile]]:
    """What the cloud holds of one meeting, pass by pass: files come and go, of a text the content may change."""
    letters = draw(LETTERS)
    names = st.builds("{}{}{}".format, st.sampled_from(letters), st.sampled_from(["", "", "9"]), st.integers(1, 4))
    meeting = draw(st.dictionaries(names, st.tuples(MARKS, CHANCES, CHANCES), min_size=1, max_size=10))
    return [
        cloud(
            " ".join(_marked(name, mark, altered[now]) for name, (mark, here, altered) in meeting.items() if here[now])
        )
        for now in range(draw(st.integers(1, PASSES)))
    ]


def _marked(name: str, mark: str, is_altered: bool) -> str:
    is_text = not PIECES[name[0]]["kind"].is_media
    return name + ("+" if is_text and is_altered else mark)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories(), CHANCES)
def test_whatever_comes_and_goes_nothing_stored_is_lost_and_nothing_is_done_twice(
    history: list[list[RecordingFile]], concatenated: list[bool]
) -> None:
    item = ItemInMemory()
    ever: dict[str, str] = {}
    for files, concatenate in zip(history, concatenated, strict=False):
        item.work(files, concatenate=concatenate)

        assert item.receipt is None or all(item.receipt.covers(file) for file in files)
        assert item.look(files, concatenate=concatenate).build == ()
        ever |= {file.id: text_of(file) for file in files}
        stored = "".join(item.content.values())
        assert [name for name, text in ever.items() if text not in stored] == []
