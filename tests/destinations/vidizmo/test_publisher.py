"""What the portal holds of an item, and what its people read of it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import CAPTIONS, LATE, VIDEO, a_staged, an_item, with_files, without
from tests.destinations.vidizmo.portals import ME, Open, Wired, wired
from tests.fakes import START, a_meeting, a_user
from tests.sandbox.portal.media import Attribute, Media
from zoomsync.destinations.vidizmo.operations import RECEIPT_ATTRIBUTE
from zoomsync.errors import ConfigError, MeetingFailed, OutcomeUnknown, Unreachable
from zoomsync.model import Item

TAG = "zoom0300a520"
MAIN = "Weekly planning – 2026-03-01 10:30"


def shown(media: Media) -> dict[str, Any]:
    """What people see of it."""
    return {
        "title": media.title,
        "status": media.status,
        "format": media.format,
        "tags": media.tags,
        "captions": [(one.culture, one.file_name, one.blob.data) for one in media.captions],
        "handouts": [(one.file_name, one.blob.data) for one in media.handouts],
    }


def views(folder: Path) -> Item:
    """A video, another view of it, the sound and the captions."""
    files = [
        a_staged(folder, "video.mp4", VIDEO),
        a_staged(folder, "video.gallery_view.mp4", VIDEO * 2),
        a_staged(folder, "audio.m4a", b"sound"),
        a_staged(folder, "video.vtt", CAPTIONS, role="captions"),
    ]
    return with_files(a_meeting(files=()), files)


def test_an_item_is_a_media_item_with_its_captions_and_chat(begin: Open, tmp_path: Path) -> None:
    site = begin()

    receipt = site.published(an_item(tmp_path, late=LATE))

    assert shown(site.only) == {
        "title": MAIN,
        "status": "Published",
        "format": "Video",
        "tags": [TAG],
        "captions": [("en-US", "captions.vtt", CAPTIONS)],
        "handouts": [("chat.txt", LATE)],
    }
    assert site.only.content == VIDEO
    assert site.only.attributes["ZoomMeetingUUID"] == "/abc//DEF+ghi=="
    assert (receipt.place, receipt.author) == (site.only.id, "ada@example.org")
    assert [(file.name, file.place.partition("/")[2]) for file in receipt.files] == [
        ("video.mp4", ""),
        ("captions.vtt", "caption"),
        ("chat.txt", "handout"),
    ]
    assert site.portal.overridden == []


def test_the_description_tells_of_the_recording_and_every_text_is_escaped(begin: Open, tmp_path: Path) -> None:
    site = begin()
    spans = [(START, START + timedelta(minutes=20)), (START + timedelta(minutes=30), START + timedelta(minutes=45))]
    metadata = {"segments": [{"start": one.isoformat(), "end": other.isoformat()} for one, other in spans]}
    meeting = a_meeting(files=(), topic="<script>R&D</script>", host_email="ada@example.org")

    site.published(an_item(tmp_path, meeting, metadata=metadata))

    assert site.only.description == (
        "<p>&lt;script&gt;R&amp;D&lt;/script&gt;</p><ul>"
        "<li>Meeting: 85012345678</li><li>Started: 2026-03-01 10:30 UTC</li><li>Length: 35 min</li>"
        "<li>Recorded by: ada@example.org</li><li>Segments: 2 segments</li><li>Zoom UUID: /abc//DEF+ghi==</li>"
        "<li>Recorded in parts:<ol><li>2026-03-01 10:30 UTC, 20 min</li><li>2026-03-01 11:00 UTC, 15 min</li></ol></li>"
        "</ul>"
    )


@pytest.mark.parametrize(
    ("draft", "moderation", "group", "is_moderated", "expected"),
    [
        (True, "portal", "Content Manager", True, "Drafted"),
        (True, "force-pending", "Content Manager", False, "Drafted"),
        (False, "portal", "Content Manager", False, "Published"),
        (False, "portal", "Contributor", False, "Published"),
        (False, "portal", "Content Manager", True, "Published"),
        (False, "portal", "Contributor", True, "PendingForApproval"),
        (False, "force-pending", "Content Manager", False, "PendingForApproval"),
        (False, "force-pending", "Contributor", True, "PendingForApproval"),
    ],
)
def test_the_state_of_a_new_item(
    begin: Open, tmp_path: Path, draft: bool, moderation: str, group: str, is_moderated: bool, expected: str
) -> None:
    site = begin(destination={"moderation": moderation}, service_group=group, moderation=is_moderated)

    receipt = site.published(an_item(tmp_path, draft=draft))

    assert site.only.status == expected
    assert site.destination.verify(receipt).safe is (expected != "PendingForApproval")


def test_further_views_and_the_sound_are_items_tagged_with_the_same_meeting(begin: Open, tmp_path: Path) -> None:
    site = begin(destination={"tags": ["Zoom", "Lectures"]})

    receipt = site.published(views(tmp_path))

    assert [(media.title, media.format, media.tags) for media in site.portal.media.values()] == [
        (MAIN, "Video", ["Zoom", "Lectures", TAG]),
        (f"{MAIN} – gallery view", "Video", ["Zoom", "Lectures", TAG]),
        (f"{MAIN} – audio", "Audio", ["Zoom", "Lectures", TAG]),
    ]
    assert {media.attributes["ZoomMeetingUUID"] for media in site.portal.media.values()} == {receipt.uuid}
    assert [len(media.captions) for media in site.portal.media.values()] == [1, 0, 0]
    assert site.destination.find(receipt.uuid) == receipt


def test_a_late_segment_is_a_part_with_captions_of_its_own(begin: Open, tmp_path: Path) -> None:
    site = begin()
    first = site.published(an_item(tmp_path))
    whole = without(an_item(tmp_path), "video", "captions").files
    late = [
        a_staged(tmp_path, "video.part-2.mp4", VIDEO * 3),
        a_staged(tmp_path, "video.part-2.vtt", CAPTIONS * 2, role="captions.part-2"),
        a_staged(tmp_path, "segments/2 audio_transcript.vtt", CAPTIONS * 2),
    ]

    second = site.published(with_files(a_meeting(files=()), [*whole, *late]), first)

    old, new = site.portal.media.values()
    assert (old.title, new.title) == (MAIN, f"{MAIN} – part 2")
    assert [one.file_name for one in old.captions] == ["captions.vtt"]
    assert [one.file_name for one in new.captions] == ["video.part-2.vtt"]
    assert [one.file_name for one in old.handouts] == ["segments - 2 audio_transcript.vtt"]
    assert first.files[0] in second.files
    assert site.destination.verify(second).safe
    assert site.destination.find(first.uuid) == second


def test_late_captions_and_chat_are_added_to_the_media_and_nothing_else_is_touched(begin: Open, tmp_path: Path) -> None:
    site = begin()
    bare = with_files(a_meeting(files=()), [a_staged(tmp_path, "video.mp4", VIDEO)])
    first = site.published(bare)
    site.only.title, site.only.tags = "Renamed by a person", ["a person's"]
    site.portal.catalogue.attributes["1"] = Attribute(id="1", field_name="Department")
    site.only.attributes["Department"] = "Physics"

    site.published(without(an_item(tmp_path, late=LATE), "video"), first)

    assert (site.only.title, site.only.tags, site.only.attributes["Department"]) == (
        "Renamed by a person",
        ["a person's"],
        "Physics",
    )
    assert ([one.file_name for one in site.only.captions], [one.file_name for one in site.only.handouts]) == (
        ["captions.vtt"],
        ["chat.txt"],
    )
    assert len(site.portal.calls("upload_commit")) == 3


def test_captions_have_their_language_and_there_is_one_track_a_language(begin: Open, tmp_path: Path) -> None:
    site = begin(destination={"language": "de-DE"})
    french = b"WEBVTT\nLanguage: fr-FR\n\n00:01.000 --> 00:02.000\nbonjour\n"
    files = [
        a_staged(tmp_path, "video.mp4", VIDEO),
        a_staged(tmp_path, "video.vtt", CAPTIONS, role="captions"),
        a_staged(tmp_path, "video.fr.vtt", french, role="captions.fr"),
        a_staged(tmp_path, "video.cc.vtt", CAPTIONS * 2, role="captions.cc"),
    ]

    receipt = site.published(with_files(a_meeting(files=()), files))

    assert [(one.culture, one.file_name) for one in site.only.captions] == [
        ("de-DE", "video.vtt"),
        ("fr-FR", "video.fr.vtt"),
    ]
    assert [one.file_name for one in site.only.handouts] == ["video.cc.vtt"]
    assert site.destination.verify(receipt).safe


def test_a_meeting_without_media_is_a_document(begin: Open, tmp_path: Path) -> None:
    site = begin()
    texts = [a_staged(tmp_path, "chat.txt", LATE), a_staged(tmp_path, "timeline.json", b"{}")]

    first = site.published(with_files(a_meeting(files=()), texts))
    video = a_staged(tmp_path, "video.mp4", VIDEO)
    kept = [replace(one, source=None) for one in texts]
    second = site.published(with_files(a_meeting(files=()), [*kept, video]), first)

    assert [(media.format, media.title) for media in site.portal.media.values()] == [
        ("Document", MAIN),
        ("Video", MAIN),
    ]
    assert site.destination.verify(second).safe
    assert site.destination.find(first.uuid) == second


def test_a_category_is_found_by_its_name(begin: Open, tmp_path: Path) -> None:
    site = begin()
    own = site.portal.catalogue.add_category("Lectures")

    with wired(site.portal, site.clock, destination={"category": "Lectures"}) as other:
        other.published(an_item(tmp_path))

    assert site.only.category == own


def test_a_category_that_is_not_there_is_an_error_of_the_config(begin: Open) -> None:
    site = begin()
    site.portal.catalogue.add_category("Lectures")

    with pytest.raises(ConfigError, match=r"destination\.category: the portal has no Lecturs") as raised:
        Wired(site.portal, site.clock, destination={"category": "Lecturs"})

    assert raised.value.hint == "it has: Lectures; correct the name, or make the category there"


def test_the_attributes_are_made_once_and_the_receipt_is_not_searched(begin: Open, tmp_path: Path) -> None:
    site = begin(destination={"uuid_attribute": "Meeting"})
    site.published(an_item(tmp_path))
    site.later()
    site.published(an_item(tmp_path, a_meeting(uuid="other==", files=())))

    found = {one.field_name: one.is_searchable for one in site.portal.catalogue.attributes.values()}
    assert found == {"Meeting": True, RECEIPT_ATTRIBUTE: False}
    assert len(site.portal.calls("attribute_create")) == 2


def test_a_portal_that_wants_to_transcode_first_gets_captions_later(begin: Open, tmp_path: Path) -> None:
    site = begin(captions_wait=True, transcoding=3600)

    with pytest.raises(OutcomeUnknown, match=r"takes captions\.vtt once the portal has transcoded it") as raised:
        site.published(an_item(tmp_path))

    assert raised.value.until == site.clock.now() + timedelta(minutes=10)
    site.clock.advance(hours=2)
    found = site.later().find("/abc//DEF+ghi==")
    assert found is not None
    receipt = site.published(without(an_item(tmp_path), "video"), found)
    assert [str(file.role) for file in receipt.files] == ["video", "captions"]
    assert len(site.only.captions) == 1


def test_what_the_portal_refuses_names_the_operation_its_word_and_the_incident(begin: Open, tmp_path: Path) -> None:
    site = begin(destination={"endpoints": {"media_create": {"path": "mashups"}}})

    with pytest.raises(MeetingFailed) as raised:
        site.published(an_item(tmp_path))

    (incident,) = site.portal.incidents[-1:]
    assert str(raised.value) == (
        "portal: media_create: HTTP 404, ResourceNotFoundException: POST /api/v1/mashups: no such operation "
        f"(incident {incident})"
    )
    assert raised.value.hint.endswith("destination.endpoints.media_create overrides what zoomsync sends")
    assert list(site.journal.open_intents()) == []


def test_a_portal_that_does_not_show_attributes_gets_one_media_and_no_more(begin: Open, tmp_path: Path) -> None:
    """Without the meeting's uuid nothing that is made there could ever be found again."""
    site = begin(destination={"endpoints": {"media_get": {"answer": {"attributes": ""}}}})

    for uuid in ("the first==", "the second==", "the third=="):
        with pytest.raises(Unreachable, match=r"media_get: media \w+ shows no ZoomMeetingUUID"):
            site.published(an_item(tmp_path, meeting=a_meeting(uuid=uuid)))
        site.clock.advance(days=1)
        site.later()

    assert len(site.portal.media) == 1


def test_another_tenant_is_another_destination(begin: Open) -> None:
    site = begin()
    address = site.portal.url.removeprefix("http://")

    assert site.destination.id == address
    assert site.destination.check() == f"portal {address}, signed in as {ME}"
    assert site.destination.can_replace is False


def test_everything_that_is_sent_is_known_to_the_table(begin: Open, tmp_path: Path) -> None:
    """The stand-in refuses unknown fields; this holds zoomsync to sending none that is a publish setting."""
    site: Wired = begin(overriding="flag")

    site.published(views(tmp_path), host=a_user())

    sent = {name for one in site.portal.calls("media_create") for name in one.document}
    assert sent == {
        "title",
        "description",
        "format",
        "status",
        "author",
        "tags",
        "customAttributes",
        "content",
    }


def test_what_has_no_more_to_tell_is_closed_at_the_start_of_a_pass(begin: Open) -> None:
    site = begin()
    intents = site.destination._intents
    intents.begin("invite", uuid="never heard of", target="ada@example.org")
    intents.learn(intents.begin("invite", uuid="known", target="bob@example.org"), user="7")
    intents.begin("create", uuid="a media item, perhaps", target="video")

    def left() -> list[str]:
        site.later()
        return [intent.uuid for intent in site.journal.open_intents()]

    assert left() == ["never heard of", "known", "a media item, perhaps"]
    site.clock.advance(days=2)
    assert left() == ["never heard of", "known", "a media item, perhaps"]
    site.clock.advance(days=30)
    assert left() == ["a media item, perhaps"]
