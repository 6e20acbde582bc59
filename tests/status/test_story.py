"""`status --meeting`: the whole story of each match."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes import NOW, START, a_file, a_meeting, a_receipt, an_entry
from tests.status.builders import NO_STATE, a_retry, a_state, parked, some_config, stored
from zoomsync.model import DAY, HOUR, Entry, Intent, Phase
from zoomsync.state import State
from zoomsync.status import stories, story_lines
from zoomsync.status.story import matches

UUID = "/abc//DEF+ghi=="
DELETING = {
    "at": "2026-03-10T11:00:00Z",
    "event": "deleting",
    "intent": "i1",
    "uuid": UUID,
    "file": "file-video",
    "action": "trash",
    "proof": {"stored": "video.mp4", "verified": "1 file, 1.0 kB, content verified"},
}
ANSWER = {"at": "2026-03-10T11:01:00Z", "event": "answer", "intent": "i1", "answer": "moved to the trash"}


def the_stories(state: State, what: str, *audit: dict[str, Any], **config: Any) -> Any:
    return stories(state, some_config(**config), NOW, what, audit)


def the_text(state: State, what: str = UUID, *audit: dict[str, Any]) -> str:
    return "\n".join(line for story in the_stories(state, what, *audit) for line in story_lines(story))


def some_entries() -> list[Entry]:
    return [
        an_entry(a_meeting(uuid="plan==", topic="Weekly Planning", number="850", start=START)),
        an_entry(a_meeting(uuid="plan2==", topic="PLANNING board", number="850", start=START + DAY)),
        an_entry(a_meeting(uuid="850", topic="Café Straße", number="", host_email="Bob@example.org")),
        an_entry(a_meeting(uuid="/x==", topic="plan== is a uuid", number="851234567")),
    ]


@pytest.mark.parametrize(
    ("what", "uuids"),
    [
        ("plan==", ["plan=="]),
        ("planning", ["plan2==", "plan=="]),
        (" Weekly ", ["plan=="]),
        ("851 234 567", ["/x=="]),
        ("850", ["850"]),
        ("bob@EXAMPLE.org", ["850"]),
        ("ada@example.org", ["plan2==", "plan==", "/x=="]),
        ("STRASSE", ["850"]),
        ("nothing", []),
        ("", []),
        (" ", []),
    ],
)
def test_a_meeting_is_found_by_uuid_number_address_or_part_of_its_topic(what: str, uuids: list[str]) -> None:
    assert [entry.uuid for entry in matches(a_state(*some_entries()).entries, what)] == uuids


def test_every_occurrence_of_a_number_is_found() -> None:
    state = a_state(*(entry for entry in some_entries() if entry.uuid != "850"))

    assert [entry.uuid for entry in matches(state.entries, "850")] == ["plan2==", "plan=="]


def test_before_the_first_pass_there_is_no_story() -> None:
    assert the_stories(NO_STATE, "plan") == []


def test_the_story_of_a_meeting_that_failed() -> None:
    entry = an_entry(
        reason="failed: video: download cut at 12 bytes",
        retry=a_retry(),
        due_at=NOW + HOUR,
        auto_delete=NOW + 9 * DAY,
        first_seen=NOW - DAY,
    )

    assert (
        the_text(a_state(entry))
        == """\
“Weekly planning”
  uuid             /abc//DEF+ghi==
  number           85012345678
  host             ada@example.org (host-ada)
  began            2026-03-01 10:30 UTC (9 d 1 h ago)
  size             1.0 kB
  first seen       2026-03-09 12:00 UTC (1 d ago)
  stands           waiting: failed: video: download cut at 12 bytes
  looked at again  2026-03-10 13:00 UTC (in 1 h)
  Zoom deletes it  2026-03-19 12:00 UTC (in 9 days)
  failed           2026-03-10 11:00 UTC (1 h ago): \
video: download cut at 12 bytes (look at the network); 2 tries, again 2026-03-10 13:00 UTC (in 1 h)"""
    )


def test_the_story_of_a_stored_meeting_whose_deletion_was_refused() -> None:
    meeting = a_meeting(files=(a_file(), a_file(id="file-chat", view="chat_file", size=None)))
    entry = stored(
        meeting,
        at=NOW - 9 * DAY,
        refusal=a_retry(error="zoom: in use by a webinar", hint=""),
        deleted={"file-chat": NOW - HOUR, "file-unknown": NOW + HOUR},
        pending=("audio_transcript: still processing",),
    )
    intent = Intent(id="1" * 32, at=NOW - HOUR, action="delete", uuid=UUID, target="file-video")
    answer = {**ANSWER, "answer": "refused: zoom: in use by a webinar"}

    assert (
        the_text(a_state(entry, intents=(intent,)), UUID, DELETING, answer)
        == """\
“Weekly planning”
  uuid              /abc//DEF+ghi==
  number            85012345678
  host              ada@example.org (host-ada)
  began             2026-03-01 10:30 UTC (9 d 1 h ago)
  size              1.0 kB
  first seen        2026-03-01 12:00 UTC (9 days ago)
  stands            published: stored
  stored            2026-03-01 12:00 UTC (9 days ago)
  destination       library-1
  author            ada@example.org
  place             published/ada@example.org/2026/2026-03-01 10-30 Weekly planning [00000000]
  still to come     audio_transcript: still processing
  deletion refused  2026-03-10 11:00 UTC (1 h ago): \
zoom: in use by a webinar; 2 tries, again 2026-03-10 13:00 UTC (in 1 h)
  deletion          not deleted before all of it is stored: audio_transcript: still processing
  unanswered        deletion of file-video, 2026-03-10 11:00 UTC (1 h ago)
  Stored files:
    video.mp4  1.0 kB  from 2 cloud files
  Deleted from Zoom:
    2026-03-10 11:00 UTC (1 h ago)  chat_file       in video.mp4
    unknown                         file-unknown
  Audit:
    2026-03-10 11:00 UTC (1 h ago): deleting: \
file-video (trash); stored in video.mp4, 1 file, 1.0 kB, content verified
    2026-03-10 11:01 UTC (59 min ago): answer: refused: zoom: in use by a webinar"""
    )


@pytest.mark.parametrize(
    ("entry", "config", "deletion"),
    [
        (an_entry(), {}, None),
        (stored(), {"delete_recordings": "never"}, {"reason": "delete_recordings is never", "due_at": None}),
        (stored(), {"hold_meetings": [UUID]}, {"reason": "listed in hold_meetings", "due_at": None}),
        (
            stored(),
            {},
            {"reason": "deleted from Zoom after 2026-03-15 12:00 UTC", "due_at": "2026-03-15T12:00:00Z"},
        ),
        (stored(at=NOW - 7 * DAY), {}, {"reason": "due with the next pass", "due_at": "2026-03-10T12:00:00Z"}),
        (
            stored(at=NOW - 7 * DAY),
            {"filter_accounts": ["bob@example.org"]},
            {"reason": "its host is not selected by the config", "due_at": None},
        ),
        (
            stored(at=NOW - 7 * DAY, receipt=replace(a_receipt(), destination="elsewhere")),
            {},
            {"reason": "stored in another destination than the one configured", "due_at": None},
        ),
        (
            stored(at=NOW - 7 * DAY, refusal=parked(error="zoom: in use")),
            {},
            {"reason": "deletion refused, given up after 10 tries: zoom: in use", "due_at": None},
        ),
        (stored(phase=Phase.DELETED), {}, None),
        (
            stored(phase=Phase.REMOVED),
            {},
            {"reason": "never, unless it is fetched again: a person removed or changed it", "due_at": None},
        ),
    ],
)
def test_what_becomes_of_the_cloud_copy_is_shown_by_the_rules_of_deletion(
    entry: Entry, config: dict[str, Any], deletion: object
) -> None:
    assert the_stories(a_state(entry), UUID, **config)[0]["deletion"] == deletion


def test_a_story_has_the_audit_of_its_meeting_and_of_no_other() -> None:
    entries = (stored(), stored(a_meeting(uuid="other==")))
    other = {**DELETING, "uuid": "other==", "intent": "i2"}
    settled = {"event": "settled", "intent": "i2", "answer": "gone from the cloud"}
    noise = ({"event": "unreadable", "line": 3}, {"event": "answer", "intent": ["not a text"]}, {"uuid": "third=="})

    found = the_stories(a_state(*entries), "weekly", DELETING, other, *noise, ANSWER, settled)

    assert {story["uuid"]: story["audit"] for story in found} == {UUID: [DELETING, ANSWER], "other==": [other, settled]}


def test_an_audit_that_someone_edited_is_shown_as_far_as_it_goes() -> None:
    strange = ({"uuid": UUID}, {"uuid": UUID, "at": "yesterday", "event": "deleting", "file": 7, "proof": "none"})

    assert the_text(a_state(an_entry()), UUID, *strange).splitlines()[-2:] == [
        "    unknown: unreadable: ",
        "    unknown: deleting: 7 ()",
    ]


def test_what_the_config_leaves_out_since_is_shown_so() -> None:
    found = the_stories(a_state(an_entry()), UUID, exclude_meetings=[UUID])

    assert (found[0]["phase"], found[0]["reason"]) == ("skipped", "listed in exclude_meetings")


def test_a_meeting_without_number_and_address_is_shown_without() -> None:
    text = the_text(a_state(an_entry(number="", host_email="")))

    assert text.splitlines()[2:4] == ["  number      none", "  host        host-ada"]


def test_no_line_of_a_story_moves_a_cursor() -> None:
    entry = stored(topic="a\x1b[2J\nb", pending=("p\r",), receipt=replace(a_receipt(), place="p\x1b"))
    audit = {**DELETING, "action": "trash\a"}

    text = the_text(a_state(entry), UUID, audit)

    assert all(line.isprintable() for line in text.split("\n"))


def test_a_story_can_be_written_as_json() -> None:
    found = the_stories(a_state(stored(refusal=a_retry(), deleted={"file-video": NOW})), UUID, DELETING)

    assert json.loads(json.dumps(found)) == found
