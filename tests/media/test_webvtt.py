import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoomsync.errors import Unstitchable
from zoomsync.media.webvtt import Cue, join_captions, parse_captions, render

FIRST = "\ufeffWEBVTT\r\n\r\n1\r\n00:00:02.130 --> 00:00:05.790\r\nAlice Smith: Hello,\r\neveryone.\r\n"
SECOND = "WEBVTT\n\n7\n00:01.000 --> 00:02.000 align:start\n<v Bob>Hi</v>\n"


def a_cue(start: int = 1000, end: int = 2000, *lines: str, settings: str = "", name: str = "") -> Cue:
    return Cue(start=start, end=end, lines=lines or ("Alice: hello",), settings=settings, id=name)


def vtt(*blocks: str) -> str:
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


words = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff"), min_size=1).filter(
    lambda text: bool(text.strip()) and "-->" not in text
)
times = st.integers(0, 400_000_000)
cues = st.builds(
    Cue,
    start=times,
    end=times,
    lines=st.lists(words, max_size=3).map(tuple),
    settings=st.sampled_from(["", "align:start", "line:0 position:20%"]),
    id=st.sampled_from(["", "1", "17", "intro"]),
)
several = st.lists(cues, max_size=5)
quick = settings(derandomize=True, max_examples=40, deadline=None)


def test_byte_order_marks_carriage_returns_and_speakers_are_read() -> None:
    assert parse_captions(FIRST) == (Cue(start=2130, end=5790, lines=("Alice Smith: Hello,", "everyone."), id="1"),)


def test_short_times_settings_and_voice_tags_are_read() -> None:
    assert parse_captions(SECOND) == (a_cue(1000, 2000, "<v Bob>Hi</v>", settings="align:start", name="7"),)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1\n00:00:01,000 --> 00:00:02,000\nAlice: hello\n", id="SRT"),
        pytest.param("WEBVTT\n1\n00:00:01.000 --> 00:00:02.000\nAlice: hello", id="no empty line after the header"),
        pytest.param(
            "WEBVTT - talk\nKind: captions\n\n\n\n00:00:01.000-->00:00:02.000\nAlice: hello\n\n\n", id="loose"
        ),
        pytest.param(
            vtt("NOTE a word\nof comment", "STYLE\n::cue {}", "00:01.000 --> 00:02.000\nAlice: hello"), id="notes"
        ),
    ],
)
def test_what_others_write_is_read_too(text: str) -> None:
    assert [(cue.start, cue.end, cue.lines) for cue in parse_captions(text)] == [(1000, 2000, ("Alice: hello",))]


def test_a_forgotten_empty_line_makes_two_cues_and_not_one_long_one() -> None:
    text = vtt("00:01.000 --> 00:02.000\nAlice: hello\n00:03.000 --> 00:04.000\nBob: hi")

    assert parse_captions(text) == (a_cue(), a_cue(3000, 4000, "Bob: hi"))


@pytest.mark.parametrize("empty", ["", "\n", "\ufeff", "WEBVTT", "WEBVTT\n\n", "WEBVTT\n\n \n"])
def test_no_captions_are_no_error(empty: str) -> None:
    assert parse_captions(empty) == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<html><body>sign in</body></html>", 1),
        (vtt("1\n00:00:01.000 -> 00:00:02.000\nhello"), 3),
        (vtt("00:01.000 --> 00:02.000\nhello", "half a line"), 6),
        (vtt("00:61:01.000 --> 00:62:02.000\nhello"), 3),
        (vtt("one\ntwo\n00:01.000 --> 00:02.000\nhello"), 3),
        ("WEBVTTX\n\n00:01.000 --> 00:02.000\nhello", 1),
    ],
)
def test_what_is_no_cue_is_named_by_its_line(text: str, line: int) -> None:
    with pytest.raises(Unstitchable, match=rf"^captions: line {line}: neither a cue nor a comment$"):
        parse_captions(text)


def test_joined_cues_are_shifted_and_numbered_again_with_their_speakers() -> None:
    assert join_captions([(FIRST, 0.0), (SECOND, 3600.5)]) == (
        "WEBVTT\n\n"
        "1\n00:00:02.130 --> 00:00:05.790\nAlice Smith: Hello,\neveryone.\n\n"
        "2\n01:00:01.500 --> 01:00:02.500 align:start\n<v Bob>Hi</v>\n"
    )


def test_styles_are_kept_once_before_the_cues_and_comments_are_dropped() -> None:
    styled = vtt("STYLE\n::cue { color: red }", "NOTE mine", "00:01.000 --> 00:02.000\nAlice: hello")

    assert join_captions([(styled, 0), (styled, 10)]) == vtt(
        "STYLE\n::cue { color: red }",
        "1\n00:00:01.000 --> 00:00:02.000\nAlice: hello",
        "2\n00:00:11.000 --> 00:00:12.000\nAlice: hello",
    )


def test_an_arrow_that_someone_typed_is_not_taken_for_times() -> None:
    assert render([a_cue(1000, 2000, "a --> b")]) == vtt("00:00:01.000 --> 00:00:02.000\na --&gt; b")


@quick
@given(several)
def test_what_is_written_is_read_back(these: list[Cue]) -> None:
    assert parse_captions(render(these)) == tuple(these)


@quick
@given(several)
def test_a_shift_by_nothing_changes_nothing_but_the_numbers(these: list[Cue]) -> None:
    bare = [(cue.start, cue.end, cue.lines, cue.settings) for cue in these]

    assert [
        (cue.start, cue.end, cue.lines, cue.settings) for cue in parse_captions(join_captions([(render(these), 0)]))
    ] == bare


@quick
@given(st.lists(st.tuples(several, st.integers(0, 100_000)), max_size=4))
def test_a_join_has_every_cue_in_order_later_by_its_offset(parts: list[tuple[list[Cue], int]]) -> None:
    joined = parse_captions(join_captions([(render(these), offset / 1000) for these, offset in parts]))

    assert [(cue.start, cue.lines) for cue in joined] == [
        (cue.start + offset, cue.lines) for these, offset in parts for cue in these
    ]
    assert [cue.id for cue in joined] == [str(number) for number in range(1, len(joined) + 1)]
