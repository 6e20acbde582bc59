"""What the portal does not take: texts keep no video back, and the items of one host none of another's."""

import pytest

from tests.e2e.harness import a_stage
from tests.e2e.portal_site import ALICE, TRASH, AtPortal
from tests.sandbox.content import Text
from tests.sandbox.portal.faults import portal_error
from tests.sandbox.stage import Stage
from zoomsync.model import Phase

BOB = "bob@example.org"
EMPTY = {"chat": ("CHAT", "chat_file", "TXT"), "captions": ("TRANSCRIPT", "audio_transcript", "VTT")}


@pytest.mark.parametrize("text", EMPTY)
def test_an_empty_text_is_stored_where_the_portal_takes_one(at_portal: AtPortal, text: str) -> None:
    site = at_portal(with_text(b"", text), config=TRASH, empty_blocks=True)

    first = site.sync()
    site.clock.advance(days=8)
    last = site.sync()

    assert (first.code, first.counts["published"], last.code, last.counts["deleted"]) == (0, 1, 0, 1)
    assert len(site.portal.media) == 1


@pytest.mark.parametrize("text", EMPTY)
def test_a_text_that_is_refused_keeps_no_video_back_and_the_meeting_in_zoom(at_portal: AtPortal, text: str) -> None:
    site = at_portal(with_text(b"", text), config=TRASH)

    codes = []
    for _ in range(9):
        codes.append(site.sync().code)
        site.clock.advance(days=1)

    entry = site.entry("odd")
    assert (entry.phase, entry.receipt is not None, len(site.portal.media)) == (Phase.PUBLISHED, True, 1)
    assert "an empty block" in site.reported()["odd"]
    assert (set(codes), site.world.deletions) == ({1}, [])
    assert site.run("status", "--check").code == 1


def test_captions_that_the_portal_refuses_become_a_handout(at_portal: AtPortal) -> None:
    site = at_portal(with_text(b"00:01.000 --> 00:02.000\nno head\n", "captions"), config=TRASH)

    result = site.sync()

    media = site.one("odd")
    assert (result.code, result.counts["published"]) == (0, 1)
    assert "is attached as a handout: portal: caption_add: HTTP 400" in result.stderr
    assert (media.captions, [one.file_name for one in media.handouts]) == ([], ["video.vtt"])


def with_text(content: bytes, text: str) -> Stage:
    """One recording with this text."""
    stage = a_stage()
    stage.meeting("odd", "alice", 2, "An odd text")
    stage.video("odd", seconds=1)
    stage.file("odd", Text(content), *EMPTY[text], seconds=1)
    return stage


@pytest.mark.parametrize("newest", [1, 3])
def test_items_of_one_host_that_are_forbidden_hold_up_no_other_host(at_portal: AtPortal, newest: int) -> None:
    stage = a_stage()
    stage.world.add_user("Bob Example")
    stage.meeting("alice", "alice", 3, "Alice")
    stage.video("alice", seconds=1)
    for number in range(newest):
        stage.meeting(f"bob{number}", "bob", 1 + number / 10, "Bob")
        stage.video(f"bob{number}", seconds=1)
    below = {"groups": {"viewer": "All Users", "uploading": ["Contributor", "Viewer"]}}
    site = at_portal(stage, below, {"workers": 1, "filter_accounts": [ALICE, BOB]})
    site.portal.add_user(BOB, "Viewer")

    for _ in range(4):
        site.sync()
        site.clock.advance(days=1)

    assert len(site.media("alice")) == 1
    assert site.entry("alice").receipt is not None


def test_items_that_the_portal_breaks_down_over_hold_up_no_other(at_portal: AtPortal) -> None:
    stage = a_stage()
    for number in range(5):
        stage.meeting(f"m{number}", "alice", 5 - number, "M")
        stage.video(f"m{number}", seconds=1)
    site = at_portal(stage, config={"workers": 1})
    site.sync()
    late = [f"m{number}" for number in (2, 3, 4)]
    for name in late:
        stage.transcript(name, seconds=1)
        media = site.one(name).id
        site.portal.fail(f"/mashup/{media}$", operation="media_get", with_=portal_error(), times=None)
    stage.transcript("m0", seconds=1)
    stage.transcript("m1", seconds=1)

    for _ in range(4):
        site.clock.advance(days=1)
        site.sync()

    assert [len(site.one(name).captions) for name in ("m0", "m1")] == [1, 1]
