"""Whatever Zoom leaves out or writes oddly, no recording is lost and nothing is invented."""

import json
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import NOW, START, a_file, a_meeting
from zoomsync.model import Kind, Listing, Meeting, RecordingFile, User
from zoomsync.rules.segments import VIEWS
from zoomsync.zoom import parse
from zoomsync.zoom.parse import Nonsense, Page

ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()) | st.just({"a": 1})


def a_document(**changes: Any) -> dict[str, Any]:
    plain = {
        "uuid": "/abc//DEF+ghi==",
        "id": 85012345678,
        "host_id": "host-ada",
        "host_email": "ada@example.org",
        "topic": "Weekly planning",
        "type": 2,
        "start_time": "2026-03-01T10:30:00Z",
        "timezone": "Europe/Berlin",
        "duration": 30,
        "share_url": "https://zoom.us/rec/share/x",
        "recording_play_passcode": "pass",
        "auto_delete": False,
        "recording_files": [a_file_document()],
    }
    return without(plain | changes)


def a_file_document(**changes: Any) -> dict[str, Any]:
    plain = {
        "id": "file-video",
        "meeting_id": "/abc//DEF+ghi==",
        "recording_start": "2026-03-01T10:30:00Z",
        "recording_end": "2026-03-01T11:00:00Z",
        "file_type": "MP4",
        "file_extension": "MP4",
        "file_size": 1000,
        "play_url": "https://zoom.us/rec/play/x",
        "download_url": "https://zoom.us/rec/download/file-video",
        "status": "completed",
        "recording_type": "shared_screen_with_speaker_view",
    }
    return without(plain | changes)


def without(document: dict[str, Any]) -> dict[str, Any]:
    """Ellipsis takes a key out."""
    return {name: value for name, value in document.items() if value is not ...}


def read(**changes: Any) -> Meeting:
    return parse.meeting(a_document(**changes), NOW)


def one(**changes: Any) -> RecordingFile:
    (found,) = parse.files("uuid", [a_file_document(**changes)])
    return found


def test_a_usual_meeting_is_read_whole() -> None:
    assert read() == a_meeting()
    assert read().files[0].url == "https://zoom.us/rec/download/file-video"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id": "850 1234"}, {"number": "850 1234"}),
        ({"id": ...}, {"number": ""}),
        ({"type": "8"}, {"type": "8"}),
        ({"type": ...}, {"type": ""}),
        ({"topic": ...}, {"topic": ""}),
        ({"host_email": ...}, {"host_email": ""}),
        ({"timezone": None}, {"timezone": ""}),
        ({"duration": "12"}, {"duration": 12}),
        ({"duration": ...}, {"duration": 0}),
        ({"start_time": "2026-03-01T10:30:00"}, {}),
        ({"start_time": "2026-03-01T11:30:00+01:00"}, {}),
        ({"recording_files": ...}, {"files": ()}),
        ({"recording_files": None}, {"files": ()}),
        ({"recording_files": ["x", 7]}, {"files": ()}),
        ({"recording_files": [a_file_document(deleted_time="2026-03-05T00:00:00Z")]}, {"files": ()}),
        ({"auto_delete": True, "auto_delete_date": "2026-04-01"}, {"auto_delete": datetime(2026, 4, 1, tzinfo=UTC)}),
        ({"auto_delete": ..., "auto_delete_date": "2026-04-01"}, {"auto_delete": datetime(2026, 4, 1, tzinfo=UTC)}),
        ({"auto_delete": False, "auto_delete_date": "2026-04-01"}, {}),
        ({"auto_delete": True, "auto_delete_date": "soon"}, {}),
    ],
)
def test_every_field_may_be_missing_or_odd(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert read(**changes) == replace(a_meeting(), **expected)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(a_document(), ODD)),
       st.fixed_dictionaries({}, optional=dict.fromkeys(a_file_document(), ODD)))  # fmt: skip
def test_no_meeting_is_too_odd_to_be_read_or_reported(changes: dict[str, Any], of_file: dict[str, Any]) -> None:
    document = a_document(recording_files=[a_file_document(**of_file)], auto_delete=...) | changes

    try:
        found = parse.meeting(document, NOW, "ada@example.org")
    except Nonsense as problem:
        assert str(problem)
    else:
        assert found.start.tzinfo is UTC
        assert all(file.id and (file.size is None or file.size > 0) for file in found.files)


@pytest.mark.parametrize("start", [..., "", None, "yesterday", 7])
def test_without_a_start_the_first_recording_begins_the_meeting(start: object) -> None:
    later = a_file_document(id="b", recording_start="2026-03-01T10:45:00Z")
    entries = [later, a_file_document(), a_file_document(id="c", recording_start="")]

    assert read(start_time=start, recording_files=entries).start == START


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"start_time": ..., "recording_files": ...},
         "meeting /abc//DEF+ghi==: Zoom gives neither start_time nor any recording_start"),
        ({"uuid": ...}, "meeting 85012345678: Zoom lists it without a uuid"),
        ({"uuid": "..", "id": ...}, "meeting ?: Zoom lists it without a uuid"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_meeting_is_reported(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(Nonsense) as caught:
        read(**changes)

    assert str(caught.value) == problem


def test_a_file_in_progress_is_processing() -> None:
    found = one(
        id="early", status="processing", file_type="", file_size=0, recording_end="", file_extension=...,
        recording_type=..., download_url=...,
    )  # fmt: skip

    assert found == RecordingFile(
        id="early", kind=Kind.OTHER, type="", extension="", view="", size=None, start=START, end=None, processing=True
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"file_size": "1000"}, {}),
        ({"file_size": -4}, {"size": None}),
        ({"file_size": ...}, {"size": None}),
        ({"status": ...}, {}),
        ({"file_extension": "../../etc"}, {}),
        ({"file_extension": ...}, {}),
        ({"file_extension": ".MP4"}, {}),
        ({"download_url": ..., "file_path": "/mnt/zoom/x.mp4"}, {}),
        ({"recording_end": ""}, {"end": None}),
        ({"recording_type": ...}, {"view": ""}),
    ],
)
def test_every_field_of_a_file_may_be_missing_or_odd(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert one(**changes) == replace(a_file(), **expected)


def test_a_file_on_premises_has_no_address() -> None:
    assert one(download_url=..., file_path="/mnt/zoom/x.mp4").url == ""


@pytest.mark.parametrize(
    ("type_", "view", "extension", "kind"),
    [
        ("MP4", "shared_screen", "mp4", Kind.VIDEO),
        ("mp4", "", "", Kind.VIDEO),
        ("M4A", "audio_only", "m4a", Kind.AUDIO),
        ("M4A", "audio_interpretation", "m4a", Kind.AUDIO),
        ("TRANSCRIPT", "audio_transcript", "vtt", Kind.CAPTIONS),
        ("CC", "closed_caption", "vtt", Kind.CAPTIONS),
        ("CHAT", "chat_file", "txt", Kind.CHAT),
        ("CHAT_MESSAGE", "", "json", Kind.CHAT),
        ("TIMELINE", "timeline", "json", Kind.TIMELINE),
        ("SUMMARY", "summary", "json", Kind.SUMMARY),
        ("SUMMARY_NEXT_STEPS", "", "json", Kind.SUMMARY),
        ("", "summary_smart_chapters", "json", Kind.SUMMARY),
        ("CSV", "poll", "csv", Kind.OTHER),
        ("TB", "thumbnail", "jpg", Kind.OTHER),
        ("", "audio_transcript", "", Kind.CAPTIONS),
        *(("", view, "", Kind.AUDIO if view == "audio_only" else Kind.VIDEO) for view in VIEWS),
        ("", "gallery_view", "jpg", Kind.OTHER),
        ("TB", "gallery_view", "", Kind.OTHER),
        ("NEW", "gallery_view", "", Kind.VIDEO),
        ("", "audio_interpretation", "", Kind.AUDIO),
        ("NEW", "brand_new", "mp4", Kind.VIDEO),
        ("NEW", "brand_new", "xyz", Kind.OTHER),
        ("", "", "", Kind.OTHER),
    ],
)
def test_every_file_has_a_kind(type_: str, view: str, extension: str, kind: Kind) -> None:
    assert one(file_type=type_, recording_type=view, file_extension=extension).kind is kind


@pytest.mark.parametrize(
    ("type_", "view", "extension"),
    [
        ("MP4", "", "mp4"),
        ("CC", "", "vtt"),
        (..., "shared_screen_with_speaker_view(CC)", "mp4"),
        (..., "production_studio", "mp4"),
        (..., "audio_only", "m4a"),
        (..., "audio_transcript", "vtt"),
        (..., "closed_caption", "vtt"),
        (..., "chat_file", "txt"),
        (..., "timeline", "json"),
        (..., "summary_next_steps", "json"),
        (..., "thumbnail", "jpg"),
        (..., "poll", "csv"),
        (..., "brand_new", ""),
        (..., ..., ""),
    ],
)
@pytest.mark.parametrize("missing", [..., None, "", "../x"])
def test_a_file_without_an_extension_has_that_of_its_kind(
    type_: object, view: object, extension: str, missing: object
) -> None:
    assert one(file_type=type_, recording_type=view, file_extension=missing).extension == extension


def test_a_file_without_an_id_keeps_the_one_that_was_made_up() -> None:
    old = {"file_type": "TIMELINE", "recording_start": "2026-03-01T10:30:00Z", "download_url": "https://zoom.us/a"}
    listed = parse.files("uuid", [old, a_file_document()])
    again = parse.files("uuid", [a_file_document(), old | {"download_url": "https://zoom.us/b", "file_size": 9}])

    assert listed[0].id == again[1].id
    assert listed[0].id.startswith("noid-")
    assert len({file.id for file in parse.files("uuid", [old, old, old])}) == 3
    assert parse.files("other", [old])[0].id != listed[0].id


@pytest.mark.parametrize(
    "other",
    [{"recording_type": "gallery_view"}, {"recording_start": "2026-03-01T11:10:00Z"}, {"file_size": 999}],
)
def test_an_id_that_stands_for_two_files_names_neither(other: dict[str, Any]) -> None:
    twins = [a_file_document(), a_file_document(**other)]
    found = parse.files("uuid", twins)

    assert len({file.id for file in found if file.id.startswith("noid-")}) == 2
    assert parse.files("uuid", twins) == found


def test_a_file_that_is_listed_twice_is_one() -> None:
    twice = [a_file_document(), a_file_document(download_url="https://zoom.us/rec/download/again")]

    assert [file.id for file in parse.files("uuid", twice)] == ["file-video"]


def test_a_download_token_is_a_secret() -> None:
    found = read(download_access_token="s3cret")

    assert found.download_token is not None
    assert found.download_token.reveal() == "s3cret"
    assert "s3cret" not in repr(found)


def test_a_list_is_read_with_what_it_says_of_itself() -> None:
    document = {"from": "2026-03-01", "to": "2026-03-10T00:00:00Z", "total_records": "1", "next_page_token": "t",
                "meetings": [{"uuid": "a"}]}  # fmt: skip

    page = parse.page(document, "meetings")

    assert page == Page(entries=({"uuid": "a"},), next_token="t", total=1, since="2026-03-01", until="2026-03-10")
    today = date(2026, 3, 20)
    assert page.covers(date(2026, 3, 1), date(2026, 3, 10), today)
    assert not page.covers(date(2026, 2, 1), date(2026, 3, 10), today)
    assert not page.covers(date(2026, 3, 1), date(2026, 3, 11), today)
    assert parse.page({"users": []}, "users").covers(date(2026, 3, 1), date(2026, 3, 11), today)


@pytest.mark.parametrize(
    ("since", "until", "covers"),
    [
        ("2026-03-01", "2026-03-10", True),
        ("2026-03-01", "2026-03-12", True),
        ("2026-02-27", "2026-03-11", True),
        ("2026-03-01", "2026-03-09", False),
        ("2026-03-02", "2026-03-11", False),
        ("yesterday", "soon", True),
        ("0001-01-01", "2026-W11-3", True),
    ],
    ids=["till today", "longer", "earlier", "not till today", "later", "no dates", "odd dates"],
)
def test_a_list_that_has_all_there_is_now_is_not_cut(since: str, until: str, covers: bool) -> None:
    page = parse.page({"from": since, "to": until, "meetings": []}, "meetings")

    assert page.covers(date(2026, 3, 1), date(2026, 3, 11), date(2026, 3, 10)) is covers


@pytest.mark.parametrize(
    "document", [{}, {"meetings": None}, {"meetings": "x"}, {"meetings": [1]}, {"meetings": None, "total_records": 1}]
)
def test_an_answer_without_a_list_is_no_empty_list(document: dict[str, Any]) -> None:
    with pytest.raises(Nonsense, match=r"^an answer without a list of meetings$"):
        parse.page(document, "meetings")


@pytest.mark.parametrize("document", [{"total_records": 0}, {"meetings": None, "total_records": "0"}])
def test_a_list_that_counts_nothing_may_be_missing(document: dict[str, Any]) -> None:
    assert parse.page(document, "meetings").entries == ()


def test_what_is_no_entry_spoils_no_other_one() -> None:
    assert parse.page({"meetings": [1, {"uuid": "a"}, None]}, "meetings").entries == ({}, {"uuid": "a"}, {})


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"first_name": "Ada", "last_name": "Lovelace", "display_name": "ada l."}, ("Ada", "Lovelace")),
        ({"display_name": "Ada King Lovelace"}, ("Ada King", "Lovelace")),
        ({"first_name": "", "last_name": None, "display_name": "Ada"}, ("Ada", "")),
        ({"first_name": " ", "last_name": " ", "display_name": "  Ada \t Lovelace "}, ("Ada", "Lovelace")),
        ({"first_name": "Ada", "display_name": "Ada Lovelace"}, ("Ada", "")),
        ({"last_name": "Lovelace", "display_name": "Ada Lovelace"}, ("", "Lovelace")),
        ({"display_name": "  "}, ("", "")),
        ({"display_name": 7}, ("7", "")),
        ({}, ("", "")),
    ],
)
def test_a_user_without_names_has_those_of_the_display_name(names: dict[str, Any], expected: tuple[str, str]) -> None:
    found = parse.user({"id": "u1", **names})

    assert (found.first_name, found.last_name) == expected


@pytest.mark.parametrize("end", [..., None, "", "2026-03-01T10:31:00Z", "2026-03-01T10:30:59Z", "soon"])
@pytest.mark.parametrize(
    ("duration", "length"), [(30, 29), ("30", 29), (1, None), (0, None), (..., None), (2**50, None), (-1, None)]
)
def test_a_file_without_an_end_lasts_as_long_as_the_meeting(end: object, duration: object, length: int | None) -> None:
    entry = a_file_document(recording_start="2026-03-01T10:31:00Z", recording_end=end)

    (found,) = read(duration=duration, recording_files=[entry]).files

    assert found.length == (length and timedelta(minutes=length))


def test_users_may_lack_everything() -> None:
    pending = {"email": "new@example.org", "status": "pending"}

    assert parse.user(pending) == User(id="", email="new@example.org", status="pending")
    assert parse.user({}) == User(id="", email="")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2000-01-01", datetime(2000, 1, 1, tzinfo=UTC)),
        ("2200-12-31T23:59:59Z", datetime(2200, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("1999-12-31T23:59:59Z", None),
        ("2201-01-01", None),
        ("0001-01-01", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("10000-01-01", None),
        ("2026-13-01", None),
    ],
)
def test_a_time_of_another_age_is_none(written: str, expected: datetime | None) -> None:
    assert parse.moment(written) == expected


def test_a_meeting_listed_twice_is_one_with_every_file() -> None:
    late = a_file(id="late", kind=Kind.CAPTIONS, size=5)
    first, second = a_meeting(topic="old"), a_meeting(topic="new", files=(late, a_file(size=1001)))

    assert parse.listing([first, a_meeting(uuid="other"), second], ["odd", "odd"]) == Listing(
        meetings=(a_meeting(topic="new", files=(a_file(size=1001), late)), a_meeting(uuid="other")),
        unreadable=("odd",),
    )


def test_numbers_and_texts_are_read_from_whatever_form_they_have() -> None:
    numbers: tuple[object, ...] = (7, "7", 7.0, 7.5, True, None, "x", "٣", [1])
    absurd: tuple[object, ...] = (2**53 + 1, -(2**60), 2.0**60, str(2**60), "9" * 30, float("nan"), float("inf"))
    texts: tuple[object, ...] = ("a", 85012345678901, None, True, {}, "\ud800x")

    assert [parse.number(value) for value in numbers] == [7, 7, 7, None, None, None, None, None, None]
    assert {parse.number(value) for value in absurd} == {None}
    assert [parse.number(value) for value in (2**53, -(2**53), "0", -4)] == [2**53, -(2**53), 0, -4]
    assert [parse.text(value) for value in texts] == ["a", "85012345678901", "", "", "", "?x"]


SURROGATES = st.text(st.characters(categories=["Cs", "Lu", "Po"]), min_size=1, max_size=8)
TEXTS_OF_A_MEETING = ["uuid", "id", "host_id", "host_email", "topic", "type", "timezone", "download_access_token"]


@given(st.fixed_dictionaries(dict.fromkeys(TEXTS_OF_A_MEETING, SURROGATES)),
       st.fixed_dictionaries(dict.fromkeys(a_file_document(), SURROGATES)))  # fmt: skip
def test_no_lone_surrogate_gets_past_the_border(of_meeting: dict[str, str], of_file: dict[str, str]) -> None:
    found = parse.meeting(a_document(recording_files=[of_file]) | of_meeting | {"uuid": f"u{of_meeting['uuid']}"}, NOW)

    assert found.download_token is not None
    assert found.download_token.reveal().encode()
    assert json.dumps(asdict(found), ensure_ascii=False, default=str).encode()
    assert json.dumps(asdict(parse.user({"email": of_meeting["topic"]} | of_meeting)), ensure_ascii=False).encode()


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    found = read(topic="half a smile: \ud83d", recording_files=[a_file_document(id="\ud800", recording_type="x\udfff")])

    assert (found.topic, found.files[0].id, found.files[0].view) == ("half a smile: ?", "?", "x?")


def test_an_answer_without_a_list_names_no_lone_surrogate() -> None:
    with pytest.raises(Nonsense) as caught:
        read(uuid=..., id="\ud83d")

    assert str(caught.value).encode()
