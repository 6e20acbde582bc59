"""Names: whatever Zoom's users type becomes one harmless path component."""

import itertools
import re
import unicodedata
from datetime import UTC, datetime
from pathlib import PurePosixPath, PureWindowsPath
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import START, a_meeting
from zoomsync import naming

ANY_TEXT = st.text(st.characters(), max_size=120) | st.text(
    st.sampled_from('aZ9 ./\\:|*?"<>\0\n\t\u202e\u2066\u200d\u200f\u0301\ufe0f👩🏽🇩🇪é~-_CONUL$1²'), max_size=40
)

DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[1-9¹²³]) *(\..*)?", re.IGNORECASE)
"""What Windows takes for a device, whatever follows the dot."""


@given(ANY_TEXT, st.integers(16, 220))
def test_any_text_becomes_one_component_that_never_escapes(text: str, max_bytes: int) -> None:
    name = naming.safe_component(text, max_bytes)

    assert name
    assert name not in (".", "..")
    assert PurePosixPath(name).name == name == PureWindowsPath(name).name
    assert not DEVICES.fullmatch(name)
    assert len(name.encode()) <= max_bytes
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name)
    assert not set(name) & set('\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200e\u200f"<>*?')
    assert name == name.strip(" .")


@given(ANY_TEXT, st.integers(16, 220))
def test_a_safe_name_stays_as_it_is(text: str, max_bytes: int) -> None:
    name = naming.safe_component(text, max_bytes)

    assert naming.safe_component(name, max_bytes) == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Weekly planning", "Weekly planning"),
        ("Q1/Q2: what\\now?", "Q1-Q2- what-now_"),
        ("../../etc/passwd", "-..-etc-passwd"),
        ("..", "untitled"),
        ("  ", "untitled"),
        ("", "untitled"),
        ("\x00\x1b[31m", "[31m"),
        ("con", "con_"),
        ("COM1.mp4", "COM1_.mp4"),
        ("NUL .txt", "_NUL .txt"),
        (" .hidden. ", "hidden"),
        ("one\n two\ttabs", "one two tabs"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("Cafe\u0301", "Café"),
        ("👩🏽‍💻 with 🇩🇪", "👩🏽‍💻 with 🇩🇪"),
        ("Zürich 東京 Київ", "Zürich 東京 Київ"),
        ("Ada@Example.org", "Ada@Example.org"),
    ],
)
def test_names_stay_readable(text: str, expected: str) -> None:
    assert naming.safe_component(text) == expected


@pytest.mark.parametrize(
    ("text", "max_bytes", "expected"),
    [
        ("abcdef", 4, "abcd"),
        ("ééé", 5, "éé"),
        ("e\u0323\u0301x", 3, ""),
        ("a👩🏽‍💻b", 15, "a"),
        ("a👩🏽‍💻b", 16, "a👩🏽‍💻"),
        ("🇩🇪🇫🇷", 15, "🇩🇪"),
        ("1️⃣2️⃣", 10, "1️⃣"),
    ],
)
def test_a_cut_never_tears_a_character(text: str, max_bytes: int, expected: str) -> None:
    assert naming.cut(text, max_bytes) == expected


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1)), ANY_TEXT)  # noqa: DTZ001  # wants naive bounds
def test_an_item_folder_is_safe_and_fits_with_its_suffix(start: datetime, topic: str) -> None:
    year, folder = naming.item_folder(start, topic, ZoneInfo("Asia/Tokyo"))

    assert folder.startswith(f"{year}-")
    assert naming.safe_component(folder, naming.FOLDER_BYTES) == folder
    assert len(f"{folder} [{naming.suffix(topic)}]".encode()) <= 143


def test_an_item_folder_has_the_date_where_the_meeting_was() -> None:
    start = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)

    assert naming.item_folder(start, "Party", UTC) == ("2026", "2026-12-31 23-30 Party")
    assert naming.item_folder(start, "Party", ZoneInfo("Europe/Berlin")) == ("2027", "2027-01-01 00-30 Party")


def test_a_suffix_is_the_beginning_of_the_hash() -> None:
    assert naming.suffix("abc") == "ba7816bf"
    assert len(naming.suffix("\ud800")) == 8


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{topic} – {start:%Y-%m-%d %H:%M}", "Weekly planning – 2026-03-01 11:30"),
        ("{start}", "2026-03-01 11:30"),
        ("{host} {number} {{x}}", "ada@example.org 85012345678 {x}"),
        ("", "untitled"),
    ],
)
def test_a_title_follows_its_template(template: str, expected: str) -> None:
    assert naming.title_problem(template) is None
    assert naming.title(template, a_meeting(start=START), ZoneInfo("Europe/Berlin")) == expected


@given(ANY_TEXT)
def test_a_topic_cannot_inject_into_the_title(topic: str) -> None:
    assert naming.title("{topic}", a_meeting(topic="{start.__class__}" + topic), UTC).startswith("{start.__class__}")


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{topic.__class__}", "{topic.__class__} is not one of {topic}, {start}, {host}, {number}"),
        ("{0}", "{0} is not one of {topic}, {start}, {host}, {number}"),
        ("{}", "{} is not one of {topic}, {start}, {host}, {number}"),
        ("{topic[0]}", "{topic[0]} is not one of {topic}, {start}, {host}, {number}"),
        ("{topic!r}", "{topic} takes no format"),
        ("{topic:>999999999}", "{topic} takes no format"),
        ("{start:{topic}}", "{start} takes a date format only"),
        ("{topic", "expected '}' before end of string"),
        ("topic}", "single '}' encountered in format string"),
        ("{start:\ud800}", "{start:\ud800} is not a date format"),
    ],
)
def test_a_template_that_asks_for_more_is_refused(template: str, problem: str) -> None:
    assert naming.title_problem(template) == problem


@given(st.text(st.sampled_from("{}:!%.[]topicstarthostnumber Ymd"), max_size=30))
def test_a_template_without_a_problem_can_be_used(template: str) -> None:
    if naming.title_problem(template) is None:
        assert naming.title(template, a_meeting(), UTC)


@pytest.mark.parametrize(
    ("configured", "own", "expected"),
    [
        ("UTC", "Europe/Berlin", "UTC"),
        ("Asia/Tokyo", "Europe/Berlin", "Asia/Tokyo"),
        ("meeting", "Europe/Berlin", "Europe/Berlin"),
        ("meeting", "", "UTC"),
        ("meeting", "Mars/Olympus", "UTC"),
        ("meeting", "../../etc/passwd", "UTC"),
        ("meeting", "Europe", "UTC"),
        ("meeting", "a\0b", "UTC"),
    ],
)
def test_the_zone_is_the_configured_one_or_the_meetings(configured: str, own: str, expected: str) -> None:
    assert str(naming.zone(configured, a_meeting(timezone=own))) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("video.mp4", ["video.mp4", "video.v2.mp4", "video.v3.mp4"]),
        ("segments/1 gallery_view.mp4", ["segments/1 gallery_view.mp4", "segments/1 gallery_view.v2.mp4"]),
        ("notes", ["notes", "notes.v2"]),
    ],
)
def test_a_name_has_further_versions(name: str, expected: list[str]) -> None:
    assert list(itertools.islice(naming.versions(name), len(expected))) == expected
