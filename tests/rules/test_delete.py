"""Why a cloud copy stays, and when it goes: only what a verified receipt covers."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.decisions import a_retry, in_words, published, rules
from tests.fakes import NOW, START, a_file, a_meeting, a_piece, a_receipt, an_entry
from zoomsync.model import DAY, HOUR, MINUTE, Arrival, Entry, Kind, Meeting, Phase, Receipt, Verdict
from zoomsync.rules.delete import Deletable, Delete, decide_deletion, doubts, recheck, why_kept
from zoomsync.rules.named import Named
from zoomsync.rules.publish import Rules

UUID = a_meeting().uuid
TEXT = a_piece("T1", 0, 1800, id="file-text", size=500)
SECOND = a_piece("A2", 3600, 5400, id="file-second", size=1_000_000)
BUSY = a_piece("O9", 7200, None, id="file-busy", type="", view="", size=None, processing=True)
BOTH = a_meeting(files=(a_file(), TEXT))
LISTED = "shared_screen_with_speaker_view"
CHANGED = "Zoom lists it no more as it did when it was fetched"


def trash(**changes: Any) -> Rules:
    """Deleting to the trash, a week after publishing, switched on."""
    return rules(**{"delete": "trash", "delete_after": 7 * DAY} | changes)


def old(meeting: Meeting | None = None, **changes: Any) -> Entry:
    """A meeting that was stored eight days ago."""
    return published(meeting, **{"stored_at": NOW - 8 * DAY} | changes)


WAITING: dict[str, tuple[Entry, Rules, str]] = {
    "all is well": (old(), trash(), "due"),
    "permanently": (old(), trash(delete="permanent"), "due"),
    "never": (old(), trash(delete="never"), "skip: delete_recordings is never [published]"),
    "not published": (an_entry(), trash(), "skip: not stored [waiting]"),
    "parked without having been stored": (
        an_entry(retry=a_retry(None)),
        trash(),
        "skip: not stored [waiting]",
    ),
    "deleted already": (old(phase=Phase.DELETED), trash(), "skip: not stored [deleted]"),
    "removed by a person": (old(phase=Phase.REMOVED), trash(), "skip: not stored [removed]"),
    "erased": (old(phase=Phase.ERASED), trash(), "skip: not stored [erased]"),
    "nobody knows since when it is stored": (old(stored_at=None), trash(), "skip: not stored [published]"),
    "to be kept in Zoom": (old(), trash(kept_in_zoom={UUID}), "skip: listed in hold_meetings [published]"),
    "another host": (
        old(),
        trash(hosts=frozenset({"host-bob"})),
        "skip: its host is not selected by the config [published]",
    ),
    "an excluded host": (
        old(),
        trash(excluded_hosts=frozenset({"host-ada"})),
        "skip: its host is not selected by the config [published]",
    ),
    "another destination": (
        old(),
        trash(destination="library-2"),
        "skip: stored in another destination than the one configured [published]",
    ),
    "no destination": (
        old(),
        trash(destination=""),
        "skip: stored in another destination than the one configured [published]",
    ),
    "too early": (
        old(stored_at=NOW - 7 * DAY + MINUTE),
        trash(),
        "wait: deleted from Zoom after 2026-03-10 12:01 UTC [due 10 12:01]",
    ),
    "at this moment": (old(stored_at=NOW - 7 * DAY), trash(), "due"),
    "in the pass after": (old(stored_at=NOW), trash(delete_after=timedelta(0)), "due"),
    "stored in the future, says a clock that was wrong": (
        old(stored_at=NOW + 30 * DAY),
        trash(),
        "wait: deleted from Zoom after 2026-04-16 12:00 UTC [due 16 12:00]",
    ),
    "a late file failed": (
        old(retry=a_retry(NOW + HOUR)),
        trash(),
        "wait: not deleted before all of it is stored: video: cut off",
    ),
    "a person asked for it, and it is not looked at yet": (
        old(asked="library-1"),
        trash(),
        "wait: not deleted before it is looked at and mended, as --meeting asked for",
    ),
    "a late file is parked": (
        old(retry=a_retry(None)),
        trash(),
        "wait: not deleted before all of it is stored: video: cut off",
    ),
    "a late file is still to come": (
        old(pending=("a: still processing", "b: no download address")),
        trash(),
        "wait: not deleted before all of it is stored: a: still processing, b: no download address",
    ),
    "refused": (
        old(refusal=a_retry(NOW + HOUR, error="in use by a webinar")),
        trash(),
        "wait: deletion refused, tried again at 2026-03-10 13:00 UTC: in use by a webinar [due 10 13:00]",
    ),
    "refused, tried again now": (old(refusal=a_retry(NOW)), trash(), "due"),
    "refused, with --retry-failed": (old(refusal=a_retry(None)), trash(retry_failed=True), "due"),
    "refused in the future, says a clock that was wrong": (
        old(refusal=a_retry(NOW + 9 * DAY, at=NOW + 8 * DAY)),
        trash(),
        "due",
    ),
    "refused ten times": (
        old(refusal=a_retry(None, tries=10, error="in use by a webinar")),
        trash(),
        "wait: deletion refused, given up after 10 tries: in use by a webinar",
    ),
}


TWICE = {"fetched_size": 400, "arrival": Arrival.TWICE}


def came(entry: Entry, **files: dict[str, Any]) -> Entry:
    """With these facts about how the files came: `came(entry, file_text=TWICE)`."""
    receipt = entry.receipt or a_receipt()
    cloud = tuple(replace(one, **files.get(one.id.replace("-", "_"), {})) for one in receipt.cloud)
    return replace(entry, receipt=replace(receipt, cloud=cloud))


DOUBT = "audio_transcript: 400 bytes came twice, Zoom lists 500"
WAITING |= {
    "some of it came in another size": (came(old(BOTH), file_text=TWICE), trash(), "due"),
    "what is left of it came in another size": (
        came(old(BOTH, deleted={"file-video": NOW}), file_text=TWICE),
        trash(),
        f"wait: stored, but kept in Zoom: {DOUBT}",
    ),
    "what is left of it came in another size, and a sweep looks whether it is still there": (
        came(old(BOTH, deleted={"file-video": NOW}), file_text=TWICE),
        trash(is_sweep=True),
        "due",
    ),
    "what is left of it came in another size, and another file has no id": (
        came(old(a_meeting(files=(a_file(id="noid-1"), TEXT))), file_text=TWICE),
        trash(),
        f"wait: stored, but kept in Zoom: {DOUBT}",
    ),
    "what is left of it came once in another size, which is to be healed": (
        came(old(BOTH, deleted={"file-video": NOW}), file_text={"fetched_size": 400}),
        trash(),
        "due",
    ),
    "all of it is deleted, and nobody wrote that down": (
        came(old(BOTH, deleted={"file-video": NOW, "file-text": NOW}), file_text=TWICE),
        trash(),
        "due",
    ),
}


@pytest.mark.parametrize("case", WAITING)
def test_from_the_ledger_alone_a_deletion_is(case: str) -> None:
    entry, when, expected = WAITING[case]

    assert in_words(why_kept(entry, when)) == expected


def test_what_is_excluded_from_fetching_is_deleted_nevertheless() -> None:
    assert why_kept(old(), trash(excluded={UUID})) is None


READ_AGAIN: dict[str, tuple[Meeting | None, Entry, Rules, str]] = {
    "all is well": (a_meeting(), old(), trash(), "deletable: stored, 1 file, 1.0 kB"),
    "two files": (BOTH, old(BOTH), trash(), "deletable: stored, 2 files, 1.5 kB"),
    "it is to be kept in Zoom": (
        a_meeting(),
        old(),
        trash(kept_in_zoom={UUID}),
        "skip: listed in hold_meetings [published]",
    ),
    "it is to be kept in Zoom, by the day in its own time zone": (
        a_meeting(timezone="Pacific/Kiritimati"),  # 14 hours ahead: the next day
        old(),
        trash(kept_in_zoom=Named([f"{a_meeting().number}@{START + DAY:%Y-%m-%d}"], "meeting")),
        "skip: listed in hold_meetings [published]",
    ),
    "it is not stored": (a_meeting(), an_entry(), trash(), "skip: not stored [waiting]"),
    "it is gone": (None, old(), trash(), "skip: stored; gone from the cloud [deleted]"),
    "it was transferred to a host whom the config does not select": (
        a_meeting(host_id="host-bob"),
        old(),
        trash(hosts=frozenset({"host-ada"})),
        "skip: it belongs to another host now, whom the config does not select [published]",
    ),
    "it was transferred to a host whom the config selects": (
        a_meeting(host_id="host-bob"),
        old(),
        trash(),
        "deletable: stored, 1 file, 1.0 kB",
    ),
    "a late transcript": (BOTH, old(), trash(), "publish: 1 new file: audio_transcript"),
    "a late segment": (a_meeting(files=(a_file(), SECOND)), old(), trash(), f"publish: 1 new file: {LISTED}"),
    "another size": (a_meeting(files=(a_file(size=999),)), old(), trash(), f"publish: 1 new file: {LISTED}"),
    "another start": (
        a_meeting(files=(a_file(start=START + MINUTE),)),
        old(),
        trash(),
        f"publish: 1 new file: {LISTED}",
    ),
    "another id": (a_meeting(files=(a_file(id="file-other"),)), old(), trash(), f"publish: 1 new file: {LISTED}"),
    "a late segment is being recorded": (
        a_meeting(files=(a_file(end=NOW - HOUR), replace(BUSY, start=NOW - HOUR))),
        old(a_meeting(files=(a_file(end=NOW - HOUR),))),
        trash(),
        "wait: still recorded or processed in Zoom",
    ),
    "a late segment is being recorded, and only videos are selected": (
        a_meeting(files=(a_file(), BUSY)),
        old(),
        trash(kinds=frozenset({Kind.VIDEO})),
        "wait: still recorded or processed in Zoom",
    ),
    "a selected file has no address": (
        a_meeting(files=(a_file(), replace(TEXT, url=""))),
        old(),
        trash(),
        "wait: not deleted before all of it is stored: audio_transcript",
    ),
    "a file that is not selected stays": (
        BOTH,
        old(),
        trash(kinds=frozenset({Kind.VIDEO})),
        "deletable: stored, 1 file, 1.0 kB; 1 file not stored here stay",
    ),
    "a file that zoomsync has deleted is back": (
        BOTH,
        old(BOTH, deleted={"file-text": NOW - DAY}),
        trash(),
        "deletable: stored, 1 file, 1.0 kB",
    ),
    "all that zoomsync has deleted is back": (
        a_meeting(),
        old(deleted={"file-video": NOW - DAY}),
        trash(),
        "skip: stored; nothing of it that zoomsync may delete is left in the cloud [deleted]",
    ),
    "a file without an id stays": (
        a_meeting(files=(a_file(), replace(TEXT, id="noid-1"))),
        old(a_meeting(files=(a_file(), replace(TEXT, id="noid-1")))),
        trash(),
        "deletable: stored, 1 file, 1.0 kB",
    ),
    "an empty meeting is left": (
        a_meeting(files=()),
        old(first_seen=NOW - 9 * DAY),
        trash(),
        "skip: stored; nothing of it that zoomsync may delete is left in the cloud [deleted]",
    ),
}


READ_AGAIN |= {
    "some of it came in another size": (
        BOTH,
        came(old(BOTH), file_text=TWICE),
        trash(),
        f"deletable: stored, 1 file, 1.0 kB; stored, but kept in Zoom: {DOUBT}",
    ),
    "all of it came in another size, says a sweep": (
        a_meeting(files=(TEXT,)),
        came(old(BOTH), file_text=TWICE),
        trash(is_sweep=True),
        f"wait: stored, but kept in Zoom: {DOUBT}",
    ),
    "what came in another size is gone, says a sweep": (
        a_meeting(files=()),
        came(old(BOTH, deleted={"file-video": NOW}), file_text=TWICE),
        trash(is_sweep=True),
        "skip: stored; nothing of it that zoomsync may delete is left in the cloud [deleted]",
    ),
    "a text came once in another size": (
        BOTH,
        came(old(BOTH), file_text={"fetched_size": 0}),
        trash(),
        "publish: 1 new file: audio_transcript",
    ),
    "a text came once in another size, and is not selected any more": (
        BOTH,
        came(old(BOTH), file_text={"fetched_size": 0}),
        trash(kinds=frozenset({Kind.VIDEO})),
        "deletable: stored, 1 file, 1.0 kB; 1 file not stored here stay",
    ),
    "Zoom lists no size any more": (
        a_meeting(files=(a_file(size=None),)),
        old(),
        trash(),
        f"wait: stored, but kept in Zoom: {LISTED}: {CHANGED}",
    ),
    "Zoom lists no size of one file any more": (
        a_meeting(files=(a_file(size=None), TEXT)),
        old(BOTH),
        trash(),
        f"deletable: stored, 1 file, 500 bytes; stored, but kept in Zoom: {LISTED}: {CHANGED}",
    ),
}


@pytest.mark.parametrize("case", READ_AGAIN)
def test_after_reading_the_meeting_again(case: str) -> None:
    found, entry, when, expected = READ_AGAIN[case]

    assert in_words(recheck(entry, found, when)) == expected


def test_only_covered_files_are_deletable_and_the_others_are_counted() -> None:
    poll = a_piece("O1", 0, 1800, id="file-poll")
    found = a_meeting(files=(a_file(), TEXT, poll))
    entry = old(BOTH)

    assert recheck(entry, found, trash(kinds=frozenset({Kind.VIDEO}))) == Deletable(
        meeting=found,
        receipt=entry.receipt or a_receipt(),
        files=(a_file(), TEXT),
        reason="stored, 2 files, 1.5 kB; 1 file not stored here stay",
    )


def a_verdict(meeting: Meeting = BOTH, **changes: Any) -> Verdict:
    """The stored files were just found whole."""
    return replace(Verdict(safe=True, reason="1 file, content verified", receipt=a_receipt(meeting)), **changes)


def a_deletable(meeting: Meeting = BOTH) -> Deletable:
    return Deletable(meeting=meeting, receipt=a_receipt(meeting), files=meeting.files, reason="stored")


@pytest.mark.parametrize(
    ("verdict", "mode", "expected"),
    [
        (a_verdict(), "trash", "trash: stored"),
        (a_verdict(), "permanent", "delete: stored"),
        (
            a_verdict(safe=False, reason="video.mp4: input/output error"),
            "trash",
            "wait: not deleted: video.mp4: input/output error",
        ),
        (
            a_verdict(safe=False, removed=True, reason="video.mp4 was removed"),
            "trash",
            "skip: left alone, cloud copy kept: video.mp4 was removed [removed]",
        ),
        (a_verdict(removed=True), "trash", "skip: left alone, cloud copy kept: 1 file, content verified [removed]"),
        (a_verdict(a_meeting()), "trash", "wait: not deleted: 1 file, content verified"),
    ],
)
def test_after_verifying_the_stored_files(verdict: Verdict, mode: str, expected: str) -> None:
    assert in_words(decide_deletion(a_deletable(), verdict, mode)) == expected


def test_a_deletion_carries_its_proof() -> None:
    verdict = a_verdict(receipt=a_receipt(BOTH, place="drafts/moved by a person"))

    assert decide_deletion(a_deletable(), verdict, "trash") == Delete(
        meeting=BOTH, receipt=verdict.receipt, verdict=verdict, files=BOTH.files, mode="trash", reason="stored"
    )


def of_receipt(receipt: Receipt | None) -> dict[str, Any]:
    """A deletion on this receipt, which was just verified."""
    assert receipt is not None
    return {"receipt": receipt, "verdict": a_verdict(receipt=receipt)}


def a_delete(**changes: Any) -> Delete:
    verdict = a_verdict()
    plain: dict[str, Any] = {
        "meeting": BOTH,
        "receipt": verdict.receipt,
        "verdict": verdict,
        "files": BOTH.files,
        "mode": "trash",
        "reason": "stored",
    }
    return Delete(**plain | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": a_verdict(safe=False)},
        {"verdict": a_verdict(receipt=a_receipt(BOTH, destination="library-2"))},
        {"receipt": a_receipt(a_meeting())},
        {"meeting": a_meeting(uuid="another==", files=BOTH.files)},
        {"files": ()},
        {"files": (*BOTH.files, SECOND)},
        {"files": (a_file(size=999),)},
        {"files": (a_file(start=START + MINUTE),)},
        {"files": (a_file(id="noid-1"),)},
        {"files": (a_file(size=None),)},
        of_receipt(came(old(BOTH), file_text=TWICE).receipt),
        of_receipt(came(old(BOTH), file_text={"fetched_size": 0}).receipt),
        {
            "receipt": a_receipt(BOTH, files=()),
            "verdict": a_verdict(receipt=a_receipt(BOTH, files=())),
        },
    ],
    ids=[
        "an unsafe verdict",
        "a verdict on another receipt",
        "another receipt",
        "another meeting's receipt",
        "no file",
        "a file that is not covered",
        "another size",
        "another start",
        "another id",
        "no size",
        "a text that came twice in another size",
        "a text that came empty",
        "a stored file that is not there",
    ],
)
def test_a_deletion_cannot_be_built_without_a_safe_verdict_on_a_receipt_that_covers_every_file(
    changes: dict[str, Any],
) -> None:
    assert a_delete().files == BOTH.files

    with pytest.raises(ValueError, match="a deletion needs a verified receipt that covers every file"):
        a_delete(**changes)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, ""),
        (TWICE, DOUBT),
        ({"fetched_size": 400, "arrival": Arrival.OPEN}, DOUBT),
        ({"size": None, "arrival": Arrival.OPEN}, "audio_transcript: 500 bytes came twice, Zoom lists no size"),
        ({"size": None, "arrival": Arrival.TWICE}, ""),
        ({"fetched_size": 0}, "audio_transcript: it is not proven that all of it came"),
    ],
)
def test_what_came_otherwise_than_listed_is_told_until_it_is_gone(facts: dict[str, Any], said: str) -> None:
    entry = came(old(BOTH), file_text=facts)

    assert (doubts(entry), doubts(replace(entry, deleted={"file-text": NOW}))) == (said, "")
