"""Roles: one text, one value."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from zoomsync.model import Kind, Role, StoredFile
from zoomsync.model.item import ORIGINAL

ALL = [
    "video",
    "audio",
    "captions",
    "chat",
    "video.gallery_view",
    "audio.audio_only-2",
    "video.2",
    "video.gallery_view.2",
    "video.2.speaker_view",
    "captions.cc",
    "captions.cc.cc",
    "captions.2",
    "chat.1",
    "timeline.timeline",
    "summary.summary_next_steps",
    "other.csv",
    "video.part-2",
    "video.part-2.1",
    "captions.part-3",
    "video.twin-2",
    "video.gallery_view-2",
]
ORIGINALS = [
    "segments/1 chat_file",
    "segments/0 gallery_view",
    "segments/12 gallery_view-2",
    "segments/2 audio_transcript.twin-2",
    "segments/1 chat_file.part-2",
    "segments/1 chat_file.part-2-2",
]

words = st.text(st.sampled_from("abz019_-"), max_size=8)
roles = st.builds(Role, st.sampled_from([kind.value for kind in Kind]), st.lists(words).map(tuple)) | st.builds(
    Role, st.just(ORIGINAL), st.lists(words, min_size=1).map(tuple), st.integers(0, 999_999_999)
)


@given(roles)
def test_what_a_role_prints_is_that_role(role: Role) -> None:
    assert Role.parse(str(role)) == role


@given(st.text() | st.from_regex(r"segments/\d* ?.*|[a-z.]*") | st.sampled_from([*ALL, *ORIGINALS]))
@example("segments/01 chat_file")
@example("segments/9999999999 chat_file")
@example("segments/1")
@example("original.chat")
@example("segments/1 two\nlines")
@example("")
def test_any_text_comes_back_as_it_was(text: str) -> None:
    assert str(Role.parse(text)) == text


@pytest.mark.parametrize("text", [*ALL, *ORIGINALS])
def test_a_document_holds_the_text(text: str) -> None:
    adapter = TypeAdapter(StoredFile)
    document = {"name": "video.mp4", "role": text, "size": 1, "sha256": "", "made_of": []}
    stored = adapter.validate_python(document)

    assert stored.role == Role.parse(text)
    assert adapter.dump_python(stored, mode="json", exclude_defaults=True) == document
    assert adapter.validate_json(adapter.dump_json(stored)) == stored


@pytest.mark.parametrize("text", [*ALL, *ORIGINALS])
def test_a_role_says_what_kind_of_file_it_is_of(text: str) -> None:
    role = Role.parse(text)

    assert role.is_original == text.startswith("segments/")
    assert role.is_media == text.startswith(("video", "audio"))
    assert role.is_primary == (text in ("video", "audio"))
    assert role.is_part == (".part-" in text)


@pytest.mark.parametrize(
    ("text", "whole", "is_within", "is_single"),
    [
        ("video", "video", True, False),
        ("video.2", "video", True, True),
        ("video.gallery_view", "video", True, False),
        ("video.gallery_view.2", "video", True, False),
        ("video.gallery_view.2", "video.gallery_view", True, True),
        ("video", "video.2", False, False),
        ("video.22", "video.2", False, False),
        ("audio.2", "video", False, False),
        ("segments/1 a.2", "segments/1 a", True, True),
        ("segments/2 a", "segments/1 a", False, False),
    ],
)
def test_a_role_is_within_another_that_begins_it(text: str, whole: str, is_within: bool, is_single: bool) -> None:
    role = Role.parse(text)

    assert (role.is_within(Role.parse(whole)), role.is_single(Role.parse(whole))) == (is_within, is_single)


def test_further_roles_of_a_kind_have_a_word_more() -> None:
    assert str(Role("video").further("gallery_view").further(2)) == "video.gallery_view.2"
    assert str(Role(ORIGINAL, ("chat_file",), 1).further("part-2")) == "segments/1 chat_file.part-2"
