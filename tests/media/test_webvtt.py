from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoomsync.errors import Unjoinable
from zoomsync.media.webvtt import Cue, Lost, Style, join_captions, parse_captions, render

FIRST = "\ufeffWEBVTT\r\n\r\n1\r\n00:00:02.130 --> 00:00:05.790\r\nAlice Smith: Hello,\r\neveryone.\r\n"
SECOND = "WEBVTT\n\n7\n00:01.000 --> 00:02.000 align:start\n<v Bob>Hi</v>\n"


def a_cue(start: int = 1000, end: int = 2000, text: str = "Alice: hello", *, settings: str = "", name: str = "") -> Cue:
    return Cue(start=start, end=end, text=text, settings=settings, name=name)


def vtt(*blocks: str) -> str:
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def joined(*parts: tuple[str, float]) -> str:
    return join_captions(parts)[0]


def found(text: str) -> tuple[list[str], int, int]:
    """The text of each cue, how many lines are left out, and the first of them."""
    (lost,) = join_captions([(text, 0)])[1]
    return [one.text for one in parse_captions(text) if isinstance(one, Cue)], lost.lines, lost.first


def written(these: list[Cue], later: int = 0) -> str:
    return vtt(*(render(one, later=later, name=one.name or str(number)) for number, one in enumerate(these, 1)))


GOOD = "00:01.000 --> 00:02.000\nAlice: hello"
words = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff"), min_size=1).filter(
    lambda text: bool(text.strip()) and "-->" not in text
)
times = st.integers(0, 400_000_000)
cues = st.builds(
    lambda start, length, **more: Cue(start=start, end=start + length, **more),
    times,
    times,
    text=st.lists(words, max_size=3).map("\n".join),
    settings=st.sampled_from(["", "align:start", "line:0 position:20%"]),
    name=st.sampled_from(["1", "17", "intro"]),
)
several = st.lists(cues, max_size=5)
quick = settings(derandomize=True, max_examples=40, deadline=None)


def test_byte_order_marks_carriage_returns_and_speakers_are_read() -> None:
    assert list(parse_captions(FIRST)) == [a_cue(2130, 5790, "Alice Smith: Hello,\neveryone.", name="1")]


def test_short_times_settings_and_voice_tags_are_read() -> None:
    assert list(parse_captions(SECOND)) == [a_cue(text="<v Bob>Hi</v>", settings="align:start", name="7")]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1\n00:00:01,000 --> 00:00:02,000\nAlice: hello\n", id="SRT"),
        pytest.param("WEBVTT\n1\n00:00:01.000 --> 00:00:02.000\nAlice: hello", id="no empty line after the header"),
        pytest.param(
            "WEBVTT - talk\nKind: captions\n\n\n\n00:00:01.000-->00:00:02.000\nAlice: hello\n\n\n", id="loose"
        ),
        pytest.param("WEBVTT\r\r1\r00:00:01.000 --> 00:00:02.000\rAlice: hello\r", id="CR alone"),
        pytest.param(
            "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n\n" + GOOD, id="a header of live streams"
        ),
        pytest.param(vtt("\ufeff" + GOOD), id="a byte order mark in the middle"),
        pytest.param(
            vtt("NOTE a word\nof comment", "STYLE\n::cue {}", "00:01.000 --> 00:02.000\nAlice: hello"), id="notes"
        ),
    ],
)
def test_what_others_write_is_read_too(text: str) -> None:
    (cue,) = [one for one in parse_captions(text) if not isinstance(one, Style)]
    assert isinstance(cue, Cue)

    assert replace(cue, name="") == a_cue()


def test_a_forgotten_empty_line_makes_two_cues_and_not_one_long_one() -> None:
    text = vtt("00:01.000 --> 00:02.000\nAlice: hello\n00:03.000 --> 00:04.000\nBob: hi")

    assert list(parse_captions(text)) == [a_cue(), a_cue(3000, 4000, "Bob: hi")]


@pytest.mark.parametrize("empty", ["", "\n", "\ufeff", "WEBVTT", "WEBVTT\n\n", "WEBVTT\n\n \n"])
def test_no_captions_are_no_error(empty: str) -> None:
    assert list(parse_captions(empty)) == []


@pytest.mark.parametrize(
    ("block", "lost"),
    [
        pytest.param("00:03.000 --> 00:04.000\nBob: first half\n\nsecond half", 1, id="an empty line within a cue"),
        pytest.param("1\n00:00:01.000 -> 00:00:02.000\nhello", 3, id="half an arrow"),
        pytest.param("00:61:01.000 --> 00:62:02.000\nhello", 2, id="minutes beyond 59"),
        pytest.param("00:03.000 --> 00:04\nhello\nthere", 3, id="no thousandths"),
        pytest.param("00:04.000 --> 00:03.999\nhello", 2, id="ends before it begins"),
        pytest.param(f"{'9' * 5000}:00:00.000 --> {'9' * 5000}:00:01.000\nhello", 2, id="5,000 digits"),
        pytest.param("10000:00:00.000 --> 10000:00:01.000\nhello", 2, id="five digits"),
        pytest.param("٠٠:٠٣.٠٠٠ --> ٠٠:٠٤.٠٠٠\nhello", 2, id="digits of another script"),
        pytest.param("7", 1, id="a name without times"),
        pytest.param("WEBVTT", 1, id="a second header"),
        pytest.param("one\ntwo\n00:03.000 --> 00:04.000\nBob: first half", 2, id="two names"),
        pytest.param("-->", 1, id="an arrow alone"),
        pytest.param("STYLE\n --> ", 2, id="an arrow in a style"),
    ],
)  # fmt: skip
def test_a_malformed_block_costs_itself_alone(block: str, lost: int) -> None:
    texts, left_out, first = found(vtt(GOOD, block, "00:05.000 --> 00:06.000\nCarol: bye"))

    assert [text for text in texts if text != "Bob: first half"] == ["Alice: hello", "Carol: bye"]
    assert (left_out, first) == (lost, 9 if "second half" in block else 6)


def test_a_time_that_is_malformed_takes_no_cue_before_or_behind_it_along() -> None:
    text = vtt(f"{GOOD}\n00:99.000 --> 00:99.500\nbad\n00:05.000 --> 00:06.000\nCarol: bye")

    assert found(text) == (["Alice: hello", "Carol: bye"], 2, 5)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<html><body>sign in</body></html>", 1),
        ("\n\n{}\n", 3),
        ("WEBVTTX\n\nhello", 1),
        ("<!-- a page -->\n<p>no</p>", 1),
    ],
)
def test_what_is_no_captions_at_all_is_named_by_its_line(text: str, line: int) -> None:
    with pytest.raises(Unjoinable, match=rf"^line {line} is no caption, and nothing else is: "):
        list(parse_captions(text))


SHARDS = [
    "WEBVTT",
    "\n",
    "\n\n",
    "\r",
    "\0",
    "\ufeff",
    "\ud800",
    "-->",
    "00:01.000",
    "00:02,000",
    " ",
    "STYLE",
    "NOTE",
    ":",
]


@settings(max_examples=200, deadline=None)
@given(st.text() | st.lists(st.sampled_from(SHARDS)).map("".join))
def test_whatever_a_text_is_it_can_be_joined_or_is_unjoinable(text: str) -> None:
    try:
        once = list(parse_captions(text))
    except Unjoinable:
        return
    again, lost = join_captions([(text, 1.0), (text, 2.5)])
    twice = list(parse_captions(again))

    styles = list(dict.fromkeys(one for one in once if isinstance(one, Style)))
    cues = [one.text for one in once if isinstance(one, Cue)]
    assert twice[: len(styles)] == styles
    assert [one.text for one in twice[len(styles) :] if isinstance(one, Cue)] == cues * 2
    assert len(twice) == len(styles) + 2 * len(cues)
    assert lost[0] == lost[1]
    assert lost[0].lines == sum(one.lines for one in once if isinstance(one, Lost))


def test_joined_cues_are_shifted_and_numbered_again_with_their_speakers() -> None:
    assert joined((FIRST, 0.0), (SECOND, 3600.5)) == (
        "WEBVTT\n\n"
        "1\n00:00:02.130 --> 00:00:05.790\nAlice Smith: Hello,\neveryone.\n\n"
        "2\n01:00:01.500 --> 01:00:02.500 align:start\n<v Bob>Hi</v>\n"
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_the_language_that_a_text_says_is_kept(newline: str) -> None:
    german = f"\ufeffWEBVTT - x\nKind: captions\nLanguage: de-AT\n\n{GOOD}".replace("\n", newline)

    assert joined((german, 0), (vtt(GOOD), 2)).startswith("WEBVTT\nLanguage: de-AT\n\n1\n00:00:01.000 --> ")


def test_texts_of_several_languages_are_not_joined() -> None:
    with pytest.raises(Unjoinable, match=r"^they are in several languages: de, fr$"):
        joined(("WEBVTT\nLanguage: fr\n", 0), ("WEBVTT\nLanguage: de\n", 2), (vtt(GOOD), 4))


def test_styles_are_kept_once_before_the_cues_and_comments_are_dropped() -> None:
    styled = vtt("STYLE\n::cue { color: red }", "NOTE mine", "00:01.000 --> 00:02.000\nAlice: hello")

    assert joined((styled, 0), (styled, 10)) == vtt(
        "STYLE\n::cue { color: red }",
        "1\n00:00:01.000 --> 00:00:02.000\nAlice: hello",
        "2\n00:00:11.000 --> 00:00:12.000\nAlice: hello",
    )


@quick
@given(several)
def test_what_is_written_is_read_back(these: list[Cue]) -> None:
    assert list(parse_captions(written(these))) == these


@quick
@given(st.lists(st.tuples(several, st.integers(0, 100_000)), max_size=4))
def test_a_join_has_every_cue_in_order_later_by_its_offset(parts: list[tuple[list[Cue], int]]) -> None:
    text = joined(*((written(these), offset / 1000) for these, offset in parts))

    shifted = [replace(cue, start=cue.start + offset, end=cue.end + offset) for these, offset in parts for cue in these]
    assert list(parse_captions(text)) == [replace(cue, name=str(number)) for number, cue in enumerate(shifted, 1)]
