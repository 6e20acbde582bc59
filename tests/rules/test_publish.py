"""What to do with a meeting, and the sentence that says why."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.decisions import a_retry, in_words, published, rules
from tests.fakes import NOW, START, a_file, a_meeting, a_piece, an_entry
from zoomsync.model import DAY, HOUR, MINUTE, Entry, Kind, Meeting, Phase, RecordingFile
from zoomsync.rules.publish import (
    Publish,
    Rules,
    Wait,
    decide,
    decide_gone,
    is_open,
    lost_within_a_week,
    sorted_by_urgency,
)

UUID = a_meeting().uuid


END = a_file().end or START
TEXT = a_piece("T1", 0, 1800, id="file-text", size=500)
VIEW = a_piece("B1", 0, 1800, id="file-view", size=2_000_000)
SECOND = a_piece("A2", 3600, 5400, id="file-second", size=1_000_000)
BUSY = a_piece("O9", 0, None, id="file-busy", type="", view="", size=None, processing=True)
LATER = replace(BUSY, start=START + 2 * HOUR)


def a_fresh_meeting(*files: RecordingFile, **changes: Any) -> Meeting:
    """A meeting that has just ended."""
    end = max(file.end or START for file in (a_file(), *files))
    shift = NOW - 10 * MINUTE - end
    moved = [
        replace(file, start=file.start and file.start + shift, end=file.end and file.end + shift)
        for file in (a_file(), *files)
    ]
    return a_meeting(files=tuple(moved), start=START + shift, **changes)


Case = tuple[Meeting, Entry | None, Rules, str]

NEW: dict[str, Case] = {
    "a new meeting": (a_meeting(), None, rules(), "publish: 1 segment, 1 file, 1.0 kB"),
    "with two segments and a transcript": (
        a_meeting(files=(a_file(), SECOND, TEXT)),
        None,
        rules(),
        "publish: 2 segments, 3 files, 1.0 MB",
    ),
    "one that waited": (a_meeting(), an_entry(), rules(), "publish: 1 segment, 1 file, 1.0 kB"),
    "one that was lost is back": (
        a_meeting(),
        an_entry(phase=Phase.LOST, reason="gone"),
        rules(),
        "publish: 1 segment, 1 file, 1.0 kB",
    ),
    "a size that Zoom does not tell": (
        a_meeting(files=(a_file(size=None),)),
        None,
        rules(),
        "publish: 1 segment, 1 file, 0 bytes",
    ),
}

NOT_WANTED: dict[str, Case] = {
    "excluded": (
        a_meeting(),
        None,
        rules(excluded={UUID}),
        "skip: listed in exclude_meetings [skipped]",
    ),
    "excluded, though asked for": (
        a_meeting(),
        None,
        rules(excluded={UUID}, requested={UUID}),
        "skip: listed in exclude_meetings [skipped]",
    ),
    "erased": (
        a_meeting(),
        an_entry(phase=Phase.ERASED, reason="erased on request of the host"),
        rules(),
        "skip: erased on request of the host [erased]",
    ),
    "erased, though asked for": (
        a_meeting(),
        an_entry(phase=Phase.ERASED, reason="erased"),
        rules(requested={UUID}),
        "skip: erased [erased]",
    ),
    "erased and excluded stays erased": (
        a_meeting(),
        an_entry(phase=Phase.ERASED, reason="erased"),
        rules(excluded={UUID}),
        "skip: erased [erased]",
    ),
    "removed by a person": (
        a_meeting(),
        published(phase=Phase.REMOVED, reason="published/ada: removed from the library"),
        rules(),
        "skip: published/ada: removed from the library [removed]",
    ),
    "removed by a person, and more of it comes": (
        a_meeting(files=(a_file(), a_piece("T1", 0, 1800))),
        published(phase=Phase.REMOVED, reason="published/ada: removed from the library"),
        rules(),
        "skip: published/ada: removed from the library [removed]",
    ),
    "removed by a person, and all of it is recorded anew": (
        a_meeting(files=(a_file(id="file-other"),)),
        published(phase=Phase.REMOVED, reason="published/ada: removed from the library"),
        rules(retry_failed=True, is_sweep=True),
        "skip: published/ada: removed from the library [removed]",
    ),
    "another host": (
        a_meeting(),
        None,
        rules(hosts=frozenset({"host-bob"})),
        "skip: its host is not selected by the config [skipped, not remembered]",
    ),
    "an excluded host": (
        a_meeting(),
        None,
        rules(excluded_hosts=frozenset({"host-ada"})),
        "skip: its host is not selected by the config [skipped, not remembered]",
    ),
    "before since": (
        a_meeting(),
        None,
        rules(since=START + MINUTE),
        "skip: began before recordings.since (2026-03-01 10:31 UTC) [skipped, not remembered]",
    ),
    "before since, but known": (
        a_meeting(),
        an_entry(),
        rules(since=START + MINUTE),
        "publish: 1 segment, 1 file, 1.0 kB",
    ),
    "after --until": (
        a_meeting(),
        an_entry(),
        rules(until=START),
        "skip: began after --until (2026-03-01 10:30 UTC) [None, not remembered]",
    ),
    "too short": (
        a_meeting(files=(a_file(end=START + timedelta(seconds=45)),)),
        None,
        rules(min_duration=MINUTE),
        "skip: 45 s long, shorter than recordings.min_duration (1 min) [skipped]",
    ),
    "just long enough": (
        a_meeting(files=(a_file(end=START + MINUTE),)),
        None,
        rules(min_duration=MINUTE),
        "publish: 1 segment, 1 file, 1.0 kB",
    ),
    "long enough with its second segment": (
        a_meeting(files=(a_file(end=START + MINUTE), SECOND)),
        None,
        rules(min_duration=HOUR),
        "publish: 2 segments, 2 files, 1.0 MB",
    ),
    "of an unknown length": (
        a_meeting(files=(a_file(end=None),)),
        an_entry(first_seen=NOW - DAY),
        rules(min_duration=HOUR),
        "publish: 1 segment, 1 file, 1.0 kB",
    ),
    "of an unknown length, for it ends where it begins": (
        a_meeting(files=(a_file(end=START),)),
        None,
        rules(min_duration=HOUR),
        "publish: 1 segment, 1 file, 1.0 kB",
    ),
    "of an unknown length, though a text says when it ends": (
        a_meeting(files=(a_file(end=None), a_file(id="text", kind=Kind.CAPTIONS, end=START + MINUTE))),
        None,
        rules(min_duration=HOUR),
        "publish: 1 segment, 2 files, 2.0 kB",
    ),
    "with times that make no sense": (
        a_meeting(files=(a_file(end=START - HOUR),)),
        None,
        rules(),
        "publish: 1 segment, 1 file, 1.0 kB",
    ),
    "too short so far": (
        a_fresh_meeting(LATER, listed_at=NOW),
        None,
        rules(min_duration=2 * HOUR),
        "wait: still recorded or processed in Zoom",
    ),
    "too short, but stored": (a_meeting(), published(), rules(min_duration=2 * HOUR), "skip: stored [published]"),
    "in another destination": (
        a_meeting(),
        published(),
        rules(destination="library-2"),
        "skip: stored in another destination (library-1) [published, elsewhere]",
    ),
}

ASKED: dict[str, Case] = {
    "past the filters, since and min_duration": (
        a_meeting(),
        None,
        rules(requested={UUID}, hosts=frozenset(), since=NOW, min_duration=DAY),
        "publish: asked for by --meeting: 1 segment, 1 file, 1.0 kB",
    ),
    "before it has settled": (
        a_fresh_meeting(),
        None,
        rules(requested={UUID}),
        "publish: asked for by --meeting: 1 segment, 1 file, 1.0 kB",
    ),
    "though parked": (
        a_meeting(),
        an_entry(retry=a_retry(None, tries=10)),
        rules(requested={UUID}),
        "publish: asked for by --meeting: 1 segment, 1 file, 1.0 kB",
    ),
    "what a person removed": (
        a_meeting(),
        published(phase=Phase.REMOVED),
        rules(requested={UUID}),
        "publish: asked for by --meeting: 1 segment, 1 file, 1.0 kB",
    ),
    "what a person removed, and restored from Zoom's trash": (
        a_meeting(),
        published(phase=Phase.REMOVED, deleted={"file-video": NOW}),
        rules(requested={UUID}),
        "publish: asked for by --meeting: 1 segment, 1 file, 1.0 kB",
    ),
    "into the new destination": (
        a_meeting(),
        published(),
        rules(requested={UUID}, destination="library-2"),
        "publish: asked for by --meeting: 1 segment, 1 file, 1.0 kB",
    ),
    "what is stored": (
        a_meeting(),
        published(),
        rules(requested={UUID}),
        "publish: asked for by --meeting: what is stored is looked at, and mended",
    ),
    "what is stored and has news": (
        a_meeting(files=(a_file(), TEXT)),
        published(),
        rules(requested={UUID}),
        "publish: 1 new file: audio_transcript",
    ),
    "what is stored, and deleted by us": (
        a_meeting(),
        published(phase=Phase.DELETED, deleted={"file-video": NOW}),
        rules(requested={UUID}),
        "publish: asked for by --meeting: what is stored is looked at, and mended",
    ),
    "in an earlier pass that could not do it": (
        a_meeting(),
        published(asked="library-1"),
        rules(),
        "publish: asked for by --meeting: what is stored is looked at, and mended",
    ),
    "in an earlier pass, though a person removed it": (
        a_meeting(),
        published(asked="library-1", phase=Phase.REMOVED),
        rules(),
        "publish: asked for by --meeting: 1 segment, 1 file, 1.0 kB",
    ),
    "in an earlier pass, and it is too early to try again": (
        a_meeting(),
        published(asked="library-1", retry=a_retry(NOW + HOUR)),
        rules(),
        "wait: tried again at 2026-03-10 13:00 UTC: video: cut off [due 10 13:00]",
    ),
    "in an earlier pass, and excluded since": (
        a_meeting(),
        published(asked="library-1"),
        rules(excluded={UUID}),
        "skip: listed in exclude_meetings [skipped]",
    ),
}

UNSETTLED: dict[str, Case] = {
    "it has just ended": (
        a_fresh_meeting(),
        None,
        rules(),
        "wait: settles until 2026-03-10 12:20 UTC [due 10 12:20]",
    ),
    "it settles at this moment": (
        a_fresh_meeting(),
        None,
        rules(now=NOW + 20 * MINUTE),
        "publish: 1 segment, 1 file, 1.0 kB",
    ),
    "settle is off": (a_fresh_meeting(), None, rules(settle=timedelta(0)), "publish: 1 segment, 1 file, 1.0 kB"),
    "the newest end counts": (
        a_fresh_meeting(SECOND),
        None,
        rules(),
        "wait: settles until 2026-03-10 12:20 UTC [due 10 12:20]",
    ),
    "it is being recorded": (
        a_meeting(files=(BUSY,)),
        None,
        rules(),
        "wait: still recorded or processed in Zoom",
    ),
    "a file is processing": (
        a_fresh_meeting(replace(TEXT, processing=True)),
        None,
        rules(settle=timedelta(0)),
        "wait: still recorded or processed in Zoom",
    ),
    "a file that is not selected is processing": (
        a_fresh_meeting(replace(TEXT, processing=True)),
        None,
        rules(settle=timedelta(0), kinds=frozenset({Kind.VIDEO})),
        "wait: still recorded or processed in Zoom",
    ),
    "without an end, first seen now": (
        a_meeting(files=(a_file(end=None),)),
        None,
        rules(),
        "wait: settles until 2026-03-10 12:30 UTC [due 10 12:30]",
    ),
    "without an end, first seen 29 minutes ago": (
        a_meeting(files=(a_file(end=None),)),
        an_entry(first_seen=NOW - 29 * MINUTE),
        rules(),
        "wait: settles until 2026-03-10 12:01 UTC [due 10 12:01]",
    ),
    "without an end, first seen half an hour ago": (
        a_meeting(files=(a_file(end=None),)),
        an_entry(first_seen=NOW - 30 * MINUTE),
        rules(),
        "publish: 1 segment, 1 file, 1.0 kB",
    ),
    "an end that is years ahead": (
        a_meeting(files=(a_file(end=NOW + 400 * DAY),)),
        an_entry(first_seen=NOW - 29 * MINUTE),
        rules(),
        "wait: settles until 2026-03-10 12:01 UTC [due 10 12:01]",
    ),
    "an end that is years ahead, first seen half an hour ago": (
        a_meeting(files=(a_file(end=NOW + 400 * DAY),)),
        an_entry(first_seen=NOW - 30 * MINUTE),
        rules(),
        "publish: 1 segment, 1 file, 1.0 kB",
    ),
    "without an end, first seen in the future": (
        a_meeting(files=(a_file(end=None),)),
        an_entry(first_seen=NOW + 400 * DAY),
        rules(),
        "wait: settles until 2026-03-10 12:30 UTC [due 10 12:30]",
    ),
    "processing for 47 hours": (
        a_meeting(files=(a_file(), BUSY)),
        None,
        rules(now=END + 47 * HOUR),
        "wait: still recorded or processed in Zoom",
    ),
    "processing for 48 hours": (
        a_meeting(files=(a_file(), BUSY)),
        None,
        rules(now=END + 48 * HOUR),
        "publish: 1 segment, 1 file, 1.0 kB [pending: file: still processing]",
    ),
    "processing for 48 hours without an end": (
        a_meeting(files=(replace(BUSY, id="b1"), a_file(end=None))),
        an_entry(first_seen=NOW - 48 * HOUR),
        rules(),
        "publish: 1 segment, 1 file, 1.0 kB [pending: file: still processing]",
    ),
    "nothing is complete after 48 hours": (
        a_meeting(files=(BUSY,)),
        an_entry(first_seen=NOW - 49 * HOUR),
        rules(),
        "wait: still recorded or processed in Zoom",
    ),
    "processing 24 hours before Zoom deletes it": (
        a_fresh_meeting(replace(TEXT, processing=True), auto_delete=NOW + DAY),
        None,
        rules(),
        "publish: 1 segment, 1 file, 1.0 kB [pending: audio_transcript: still processing]",
    ),
    "processing 25 hours before Zoom deletes it": (
        a_fresh_meeting(replace(TEXT, processing=True), auto_delete=NOW + 25 * HOUR),
        None,
        rules(),
        "wait: still recorded or processed in Zoom",
    ),
    "the best view is processing for 48 hours": (
        a_meeting(files=(a_file(processing=True), VIEW)),
        None,
        rules(views="best"),
        "publish: 1 segment, 1 file, 2.0 MB [pending: shared_screen_with_speaker_view: still processing]",
    ),
}

NOTHING: dict[str, Case] = {
    "no files": (
        a_meeting(files=()),
        an_entry(first_seen=NOW - DAY),
        rules(),
        "skip: Zoom lists no files for it [skipped]",
    ),
    "no files yet": (a_meeting(files=()), None, rules(), "wait: settles until 2026-03-10 12:30 UTC [due 10 12:30]"),
    "none selected": (
        a_meeting(files=(TEXT,)),
        None,
        rules(kinds=frozenset({Kind.VIDEO})),
        "skip: none of its files is selected by recordings.files [skipped]",
    ),
    "on premise": (
        a_meeting(files=(a_file(url=""),)),
        None,
        rules(),
        "skip: Zoom gives no download address for its files (recorded on premise?) [skipped]",
    ),
    "one of two without an address": (
        a_meeting(files=(a_file(), replace(TEXT, url=""))),
        None,
        rules(),
        "publish: 1 segment, 1 file, 1.0 kB [pending: audio_transcript: no download address]",
    ),
}

STORED: dict[str, Case] = {
    "all of it": (a_meeting(), published(), rules(), "skip: stored [published]"),
    "all of it, and it has just ended": (
        a_fresh_meeting(),
        published(a_fresh_meeting()),
        rules(),
        "skip: stored [published]",
    ),
    "but for a late transcript": (
        a_meeting(files=(a_file(), TEXT)),
        published(),
        rules(),
        "publish: 1 new file: audio_transcript",
    ),
    "but for a late view and segment": (
        a_meeting(files=(a_file(), VIEW, SECOND)),
        published(),
        rules(),
        "publish: 2 new files: gallery_view, shared_screen_with_speaker_view",
    ),
    "and a late file has just ended": (
        a_fresh_meeting(TEXT),
        published(),
        rules(),
        "wait: settles until 2026-03-10 12:20 UTC [due 10 12:20]",
    ),
    "and a further segment is being recorded": (
        a_meeting(files=(a_file(end=NOW - HOUR), LATER)),
        published(a_meeting(files=(a_file(end=NOW - HOUR),))),
        rules(),
        "wait: still recorded or processed in Zoom",
    ),
    "and something is processing for good": (
        a_meeting(files=(a_file(), BUSY)),
        published(),
        rules(),
        "wait: still recorded or processed in Zoom",
    ),
    "as another size than Zoom lists now": (
        a_meeting(files=(a_file(size=1001),)),
        published(),
        rules(),
        "publish: 1 new file: shared_screen_with_speaker_view",
    ),
    "as another start than Zoom lists now": (
        a_meeting(files=(a_file(start=START + MINUTE),)),
        published(),
        rules(),
        "publish: 1 new file: shared_screen_with_speaker_view",
    ),
    "and deleted by us, back from the trash": (
        a_meeting(),
        published(phase=Phase.DELETED, deleted={"file-video": NOW}),
        rules(),
        "skip: back from Zoom's trash after zoomsync deleted it: left to whoever wanted it [deleted]",
    ),
    "and deleted by us, with a late transcript": (
        a_meeting(files=(TEXT,)),
        published(phase=Phase.DELETED, deleted={"file-video": NOW}),
        rules(),
        "publish: 1 new file: audio_transcript",
    ),
    "and deleted by us, nothing but an empty meeting is left": (
        a_meeting(files=()),
        published(phase=Phase.DELETED, deleted={"file-video": NOW}, first_seen=NOW - DAY),
        rules(),
        "skip: stored [deleted]",
    ),
}

CHANGED_CONFIG: dict[str, Case] = {
    "more kinds: what Zoom still has is added": (
        a_meeting(files=(a_file(), TEXT)),
        published(a_meeting()),
        rules(kinds=frozenset({Kind.VIDEO, Kind.CAPTIONS})),
        "publish: 1 new file: audio_transcript",
    ),
    "fewer kinds: nothing is removed": (
        a_meeting(files=(a_file(), TEXT)),
        published(a_meeting(files=(a_file(), TEXT))),
        rules(kinds=frozenset({Kind.VIDEO})),
        "skip: stored [published]",
    ),
    "all views instead of the best": (
        a_meeting(files=(a_file(), VIEW)),
        published(a_meeting()),
        rules(views="all"),
        "publish: 1 new file: gallery_view",
    ),
    "the best view instead of all": (
        a_meeting(files=(a_file(), VIEW)),
        published(a_meeting(files=(a_file(), VIEW))),
        rules(views="best"),
        "skip: stored [published]",
    ),
    "another view": (
        a_meeting(files=(a_file(), VIEW)),
        published(a_meeting()),
        rules(views=("gallery_view",)),
        "publish: 1 new file: gallery_view",
    ),
    "a later since": (a_meeting(), published(), rules(since=NOW), "skip: stored [published]"),
    "a longer min_duration": (a_meeting(), published(), rules(min_duration=DAY), "skip: stored [published]"),
    "a shorter min_duration": (
        a_meeting(),
        an_entry(phase=Phase.SKIPPED, reason="30 min long, shorter than …"),
        rules(),
        "publish: 1 segment, 1 file, 1.0 kB",
    ),
    "its host is selected no more": (
        a_meeting(),
        published(),
        rules(hosts=frozenset()),
        "skip: its host is not selected by the config [skipped, not remembered]",
    ),
    "its host is selected again": (
        a_meeting(),
        an_entry(phase=Phase.SKIPPED, reason="its host is not selected by the config"),
        rules(hosts=frozenset({"host-ada"})),
        "publish: 1 segment, 1 file, 1.0 kB",
    ),
}

FAILED: dict[str, Case] = {
    "tried again later": (
        a_meeting(),
        an_entry(retry=a_retry(NOW + HOUR)),
        rules(),
        "wait: tried again at 2026-03-10 13:00 UTC: video: cut off [due 10 13:00]",
    ),
    "tried again now": (
        a_meeting(),
        an_entry(retry=a_retry(NOW)),
        rules(),
        "publish: try 4: 1 segment, 1 file, 1.0 kB",
    ),
    "parked": (
        a_meeting(),
        an_entry(retry=a_retry(None, tries=10)),
        rules(),
        "wait: parked after 10 tries: video: cut off",
    ),
    "parked, with --retry-failed": (
        a_meeting(),
        an_entry(retry=a_retry(None, tries=10)),
        rules(retry_failed=True),
        "publish: try 11: 1 segment, 1 file, 1.0 kB",
    ),
    "parked, but excluded": (
        a_meeting(),
        an_entry(retry=a_retry(None)),
        rules(excluded={UUID}),
        "skip: listed in exclude_meetings [skipped]",
    ),
    "failed in the future, says a clock that was wrong": (
        a_meeting(),
        an_entry(retry=a_retry(NOW + 400 * DAY, at=NOW + 399 * DAY)),
        rules(),
        "publish: try 4: 1 segment, 1 file, 1.0 kB",
    ),
    "a late transcript of a stored meeting": (
        a_meeting(files=(a_file(), TEXT)),
        published(retry=a_retry(NOW + HOUR)),
        rules(),
        "wait: tried again at 2026-03-10 13:00 UTC: video: cut off [due 10 13:00]",
    ),
}

CASES = {
    f"{title}: {name}": case
    for title, cases in {
        "new": NEW,
        "not wanted": NOT_WANTED,
        "asked for": ASKED,
        "unsettled": UNSETTLED,
        "nothing to fetch": NOTHING,
        "stored": STORED,
        "changed config": CHANGED_CONFIG,
        "failed": FAILED,
    }.items()
    for name, case in cases.items()
}


@pytest.mark.parametrize("case", CASES)
def test_the_plan_says(case: str) -> None:
    found, entry, when, expected = CASES[case]

    assert in_words(decide(found, entry, when)) == expected


def test_a_publication_names_what_is_new_and_all_that_can_be_fetched() -> None:
    found = a_meeting(files=(a_file(), TEXT, VIEW))
    entry = published(a_meeting(files=(a_file(), VIEW)), deleted={"file-view": NOW})

    assert decide(found, entry, rules()) == Publish(
        meeting=found,
        files=(a_file(), TEXT),
        new=(TEXT,),
        previous=entry.receipt,
        reason="1 new file: audio_transcript",
    )


def test_a_publication_counts_the_bytes_of_what_is_new() -> None:
    answer = decide(a_meeting(files=(a_file(), TEXT, VIEW)), published(), rules())

    assert isinstance(answer, Publish)
    assert answer.size == 2_000_500


def test_what_a_person_removed_is_published_without_the_old_receipt() -> None:
    answer = decide(a_meeting(), published(phase=Phase.REMOVED), rules(requested={UUID}))

    assert isinstance(answer, Publish)
    assert answer.previous is None


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (an_entry(), "skip: gone from the cloud before it was fetched [lost, a loss]"),
        (
            published(retry=a_retry(NOW)),
            "skip: stored, but gone from the cloud before all of it was fetched: video: cut off [deleted, a loss]",
        ),
        (
            published(pending=("chat_file: late",)),
            "skip: stored, but gone from the cloud before all of it was fetched: chat_file: late [deleted, a loss]",
        ),
        (published(), "skip: stored; gone from the cloud [deleted]"),
        (published(phase=Phase.REMOVED, reason="removed"), "skip: removed [removed]"),
        (an_entry(phase=Phase.ERASED, reason="erased"), "skip: erased [erased]"),
    ],
)
def test_what_zoom_does_not_have_any_more(entry: Entry, expected: str) -> None:
    assert in_words(decide_gone(entry)) == expected


@pytest.mark.parametrize(
    ("entry", "when", "expected"),
    [
        (an_entry(), rules(), True),
        (an_entry(due_at=NOW), rules(), True),
        (an_entry(due_at=NOW + MINUTE), rules(), False),
        (an_entry(due_at=NOW + 400 * DAY, changed_at=NOW + 399 * DAY), rules(), True),
        (an_entry(), rules(hosts=frozenset()), False),
        (an_entry(), rules(excluded={UUID}), False),
        (an_entry(retry=a_retry(NOW)), rules(), True),
        (an_entry(retry=a_retry(NOW + HOUR)), rules(), False),
        (an_entry(retry=a_retry(NOW + HOUR)), rules(retry_failed=True), True),
        (an_entry(retry=a_retry(None)), rules(), False),
        (an_entry(retry=a_retry(None)), rules(retry_failed=True), True),
        (an_entry(retry=a_retry(None, at=NOW + DAY)), rules(), True),
        (an_entry(retry=a_retry(None), auto_delete=NOW), rules(), True),
        (an_entry(retry=a_retry(NOW + HOUR), auto_delete=NOW), rules(), True),
        (published(retry=a_retry(None), auto_delete=NOW - DAY), rules(), True),
        (an_entry(retry=a_retry(None), auto_delete=NOW + MINUTE), rules(), False),
        (an_entry(retry=a_retry(None), auto_delete=NOW, phase=Phase.SKIPPED), rules(), False),
        (an_entry(retry=a_retry(None), auto_delete=NOW), rules(excluded={UUID}), False),
        (an_entry(retry=a_retry(None)), rules(is_sweep=True), True),
        (an_entry(phase=Phase.SKIPPED), rules(), False),
        (an_entry(phase=Phase.LOST, retry=a_retry(NOW)), rules(), False),
        (published(), rules(), False),
        (published(pending=("audio_transcript: still processing",)), rules(), True),
        (published(pending=("settles",), due_at=NOW + MINUTE), rules(), False),
        (published(retry=a_retry(NOW)), rules(), True),
        (published(phase=Phase.REMOVED, retry=a_retry(NOW)), rules(), False),
        (published(phase=Phase.DELETED), rules(), False),
        (published(asked="library-1"), rules(), True),
        (published(asked="library-1"), rules(hosts=frozenset()), True),
        (published(asked="library-1"), rules(excluded={UUID}), False),
        (published(asked="library-1", retry=a_retry(NOW + HOUR)), rules(), False),
        (published(asked="library-1", phase=Phase.REMOVED), rules(), True),
    ],
)
def test_an_entry_is_read_again_although_no_list_shows_it(entry: Entry, when: Rules, expected: bool) -> None:
    assert is_open(entry, when) is expected


def test_what_zoom_deletes_soon_comes_first_then_the_newest() -> None:
    wait = Wait(reason="any")
    old, new = a_meeting(uuid="old"), a_meeting(uuid="new", start=START + DAY)
    soon, sooner = a_meeting(uuid="soon", auto_delete=NOW + DAY), a_meeting(uuid="sooner", auto_delete=NOW)

    ordered = sorted_by_urgency([(old, wait), (soon, wait), (new, wait), (sooner, wait)], frozenset({"soon"}), NOW)

    assert [found.uuid for found, _ in ordered] == ["sooner", "soon", "new", "old"]


def test_what_failed_before_holds_up_nothing_but_what_zoom_deletes_within_two_days() -> None:
    wait = Wait(reason="any")
    days = {"now": 0, "soon": 2, "later": 3, "failed": 2.5, "last": 20}
    found = [(a_meeting(uuid=name, auto_delete=NOW + number * DAY), wait) for name, number in days.items()]
    plain = [(a_meeting(uuid="plain"), wait), (a_meeting(uuid="failed too"), wait)]

    ordered = sorted_by_urgency([*plain, *found], frozenset({"failed", "failed too", "now"}), NOW)

    assert [meeting.uuid for meeting, _ in ordered] == ["now", "soon", "later", "last", "plain", "failed", "failed too"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (an_entry(), False),
        (an_entry(auto_delete=NOW + 7 * DAY), True),
        (an_entry(auto_delete=NOW + 8 * DAY), False),
        (an_entry(auto_delete=NOW - DAY), True),
        (an_entry(auto_delete=NOW, phase=Phase.SKIPPED), False),
        (an_entry(auto_delete=NOW, phase=Phase.LOST), False),
        (published(auto_delete=NOW), False),
        (published(auto_delete=NOW, retry=a_retry(NOW)), True),
    ],
)
def test_a_meeting_that_zoom_deletes_within_a_week_and_that_is_not_stored_is_at_risk(
    entry: Entry, expected: bool
) -> None:
    assert lost_within_a_week([entry], NOW) == ([entry] if expected else [])
