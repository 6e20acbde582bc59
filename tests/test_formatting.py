"""How people read numbers, sizes, spans and times."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import NOW
from zoomsync import formatting


@pytest.mark.parametrize(
    ("count", "noun", "expected"),
    [
        (0, "file", "0 files"),
        (1, "file", "1 file"),
        (2, "file", "2 files"),
        (1, "try", "1 try"),
        (10, "try", "10 tries"),
        (2, "entry", "2 entries"),
        (1234567, "new file", "1,234,567 new files"),
    ],
)
def test_a_count(count: int, noun: str, expected: str) -> None:
    assert formatting.plural(count, noun) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (1_234_000_000, "1.2 GB"),
        (5e18, "5000.0 PB"),
    ],
)
def test_a_size(size: float, expected: str) -> None:
    assert formatting.size_in_words(size) == expected


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (timedelta(0), "0 s"),
        (timedelta(milliseconds=900), "0 s"),
        (timedelta(seconds=45), "45 s"),
        (timedelta(minutes=30), "30 min"),
        (timedelta(hours=1, minutes=30), "1 h 30 min"),
        (timedelta(hours=1, seconds=5), "1 h 5 s"),
        (timedelta(days=1), "1 d"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=30), "30 days"),
        (timedelta(days=2, hours=3, minutes=4), "2 d 3 h"),
    ],
)
def test_a_span(span: timedelta, expected: str) -> None:
    assert formatting.span_in_words(span) == expected


def test_a_moment_is_written_in_utc() -> None:
    assert formatting.moment(datetime(2026, 3, 1, 10, 30, 59, tzinfo=UTC)) == "2026-03-01 10:30 UTC"
    assert formatting.moment(datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))) == "2026-02-28 22:30 UTC"
    assert formatting.moment(None) == "never"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=-59), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=-1), "1 min ago"),
        (-timedelta(hours=2, minutes=5, seconds=59), "2 h 5 min ago"),
        (timedelta(days=-3), "3 days ago"),
        (timedelta(hours=1, seconds=1), "in 1 h"),
        (-timedelta(days=9, hours=1), "9 d 1 h ago"),
    ],
)
def test_how_far_a_time_lies_away_is_said_to_the_minute(span: timedelta, words: str) -> None:
    assert formatting.distance(NOW + span, NOW) == words


def test_a_time_is_written_in_utc_with_how_long_ago() -> None:
    written = formatting.iso(NOW - timedelta(hours=2))

    assert formatting.moment_and_distance(written, NOW) == "2026-03-10 10:00 UTC (2 h ago)"


def test_no_time_is_written_in_the_words_that_fit() -> None:
    assert formatting.iso(None) is None
    assert formatting.moment_and_distance(None, NOW) == "unknown"
    assert formatting.moment_and_distance(None, NOW, unset="never") == "never"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("still recorded or processed in Zoom", "still recorded or processed in Zoom"),
        ("settles until 2026-03-10 12:30 UTC", "settles"),
        ("tried again at 2026-03-10 12:30 UTC: video: cut off", "tried again"),
        ("parked after 10 tries: video: cut off", "parked"),
        ("deletion refused, tried again at 2026-03-10 12:30 UTC: in use", "deletion refused, tried again"),
        (
            "45 s long, shorter than recordings.min_duration (1 min)",
            "shorter than recordings.min_duration (1 min)",
        ),
    ],
)
def test_the_kind_of_a_reason_leaves_out_what_differs_from_meeting_to_meeting(reason: str, expected: str) -> None:
    assert formatting.kind(reason) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zürich 東京 👩🏽‍💻", "Zürich 東京 👩🏽‍💻"),
        ("line\nfeed\ttab", "line\\nfeed\\ttab"),
        ("\x1b[31mred\x7f", "\\x1b[31mred\\x7f"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("\ud800", "\\ud800"),
        ("C1 \x9b31m", "C1 \\x9b31m"),
    ],
)
def test_control_characters_are_shown_not_obeyed(text: str, expected: str) -> None:
    assert formatting.escaped(text) == expected


@given(st.text(st.characters()))
def test_what_is_visible_stays_as_it_is_and_can_be_printed(text: str) -> None:
    shown = formatting.escaped(text)

    assert formatting.escaped(shown) == shown
    assert all(char.isprintable() or char == "\u200d" for char in shown)
    assert shown.encode().decode() == shown


@given(st.recursive(st.none() | st.integers() | st.text(st.characters()), lambda one: st.dictionaries(st.text(), one)))
def test_json_says_the_same_and_disturbs_no_terminal(value: object) -> None:
    text = formatting.json_text(value, indent=2)

    assert json.loads(text) == value
    assert all(formatting.is_harmless(line) for line in text.split("\n"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DEL \x7f, C1 \x9b31m", r"DEL \u007f, C1 \u009b31m"),
        ("\u061c\u200e\u200f\u202a\u202e\u2066\u2069", r"\u061c\u200e\u200f\u202a\u202e\u2066\u2069"),
        ("\u2028\u2029\x85\ufeff", r"\u2028\u2029\u0085\ufeff"),
        ("half \ud83c", r"half \ud83c"),
        ("tag \U000e0041", r"tag \udb40\udc41"),
        ("Größe 会議 👨‍👩‍👧 🎈", "Größe 会議 👨‍👩‍👧 🎈"),
    ],
)
def test_in_json_letters_stay_and_what_could_disturb_is_escaped(text: str, expected: str) -> None:
    assert formatting.json_text(text) == f'"{expected}"'


def test_a_column_is_as_wide_as_its_widest_cell_once_escaped() -> None:
    assert formatting.columns([("a", "b", "c"), ("long\n", "", "")]) == ["a       b  c", "long\\n"]


def test_a_long_topic_is_cut() -> None:
    assert formatting.quoted("x" * 60) == f"“{'x' * 60}”"
    assert formatting.quoted("x" * 61) == f"“{'x' * 59}…”"
