"""The full world: every awkward case lies in the library as it should, and a second pass has nothing to do."""

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from tests.e2e.conftest import Twice
from tests.e2e.harness import NOW, served, sha256
from tests.sandbox.world import ZoomFile
from zoomsync.state.documents import _expanded

SPEAKER = "shared_screen_with_speaker_view"
TEXTS = [
    f"segments/{n} {one}"
    for n in (1, 2)
    for one in ("audio_transcript.vtt", "chat_file.txt", "summary.json", "timeline.json")
]
ORIGINALS = [f"segments/1 {SPEAKER}.mp4", f"segments/2 {SPEAKER}.mp4"]
VIDEO = ["video.mp4"]

EXPECTED: dict[str, tuple[str, list[str]]] = {
    "pair": ("alice 03-08 09-30 Stopped and started", ["audio.m4a", "chat.txt", *TEXTS, "video.mp4", "video.vtt"]),
    "three": (
        "alice 03-07 09-30 Three segments, two views",
        ["segments/2 audio_transcript.vtt", "video.gallery_view.mp4", "video.mp4", "video.vtt"],
    ),
    "jitter": (
        "alice 03-06 09-30 A second of jitter",
        [
            "audio.m4a",
            "segments/1 audio_transcript.vtt",
            "segments/2 audio_transcript.vtt",
            "video.gallery_view.mp4",
            "video.mp4",
            "video.vtt",
        ],
    ),
    "other-size": ("bob 03-05 09-30 Second segment with other size", [*ORIGINALS, "video.mp4"]),
    "other-codec": ("bob 03-04 09-30 Second segment with other codec", [*ORIGINALS, "video.mp4"]),
    "other-frame-rate": ("bob 03-03 09-30 Second segment with other frame rate", [*ORIGINALS, "video.mp4"]),
    "other-time-base": ("bob 03-02 09-30 Second segment with other time base", VIDEO),
    "other-sample-rate": ("bob 03-01 09-30 Second segment with other sample rate", [*ORIGINALS, "video.mp4"]),
    "no-audio": ("bob 02-28 09-30 Second segment with no audio", [*ORIGINALS, "video.mp4"]),
    "third-hevc": ("bob 02-27 09-30 Third segment in HEVC", [*ORIGINALS, f"segments/3 {SPEAKER}.mp4", "video.mp4"]),
    "missing-view": (
        "bob 02-26 09-30 A view is missing in the second segment",
        ["video.gallery_view.mp4", "video.mp4"],
    ),
    "weekly-1": ("carol 03-03 09-30 Weekly", VIDEO),
    "weekly-2": ("carol 02-24 09-30 Weekly", VIDEO),
    "weekly-3": ("carol 02-17 09-30 Weekly", VIDEO),
    "twin-1": ("carol 03-05 09-30 Twins", VIDEO),
    "twin-2": ("carol 03-05 09-30 Twins", VIDEO),
    "uuid-slash-first": ("carol 03-04 09-30 The uuid slash first", VIDEO),
    "uuid-slashes-inside": ("carol 03-04 09-30 The uuid slashes inside", VIDEO),
    "uuid-one-slash": ("carol 03-04 09-30 The uuid one slash", VIDEO),
    "uuid-plus": ("carol 03-04 09-30 The uuid plus", VIDEO),
    "topic-slashes": ("alice 02-25 09-30 Q3-Q4- plans - budgets", VIDEO),
    "topic-dots": ("alice 02-24 09-30 -..-etc-passwd", VIDEO),
    "topic-only-dots": ("alice 02-23 09-30 untitled", VIDEO),
    "topic-reserved": ("alice 02-22 09-30 CON- a_b_-_c___", VIDEO),
    "topic-control": ("alice 02-21 09-30 line one line two tabnul[31mred", VIDEO),
    "topic-emoji": ("alice 02-20 09-30 Party 🎉👩‍👩‍👧‍👦 café", VIDEO),
    "topic-long": ("alice 02-19 09-30 " + "An endless topic " * 6 + "A", VIDEO),
    "topic-right-to-left": ("alice 02-18 09-30 פגישה שבועית اجتماع", VIDEO),
    "topic-empty": ("alice 02-17 09-30 untitled", VIDEO),
    "topic-braces": ("alice 02-16 09-30 {start} {0} %s $HOME `id`; rm -rf ~ 'quoted'", VIDEO),
    "views": (
        "bob 03-08 09-30 Several views and every text",
        [
            "audio.m4a",
            "chat.txt",
            "summary.json",
            "timeline.json",
            "video.active_speaker.mp4",
            "video.gallery_view.mp4",
            "video.mp4",
            "video.shared_screen.mp4",
            "video.vtt",
        ],
    ),
    "audio-only": ("bob 03-07 09-30 Sound alone", ["audio.m4a"]),
    "webinar": ("erin 03-06 09-30 A webinar", ["poll.csv", "video.mp4"]),
    "upload": ("erin 03-05 09-30 An upload", VIDEO),
    "unknown-kinds": (
        "erin 03-04 09-30 Kinds of tomorrow",
        ["hologram.bin", "video.hologram_view.mp4", "video.mp4"],
    ),
    "thirty-hours": ("bob 03-06 09-30 Thirty hours", VIDEO),
    "short": ("bob 02-25 09-30 Shorter than a few seconds", VIDEO),
    "auto-delete": ("bob 02-11 09-30 Zoom deletes this soon", VIDEO),
    "departed": ("dan 03-02 09-30 Of a deactivated host", VIDEO),
    "old-timeline": ("alice 02-28 09-30 An older timeline", ["timeline.json", "video.mp4"]),
    "wrong-size": ("alice 02-27 09-30 A text with a wrong size", ["chat.txt", "video.mp4"]),
    "late-transcript": ("carol 03-08 09-30 With a late transcript", VIDEO),
    "late-view": ("carol 03-08 09-30 With a late view", VIDEO),
    "late-segment": ("carol 03-08 09-30 With a late segment", VIDEO),
}
"""Of each meeting that is due: host, month, day, time and topic of the item's folder, and its files."""

NOT_YET = {
    "fresh": "settles until 2026-03-10 12:15 UTC",
    "processing": "still recorded or processed in Zoom",
    "no-files": "settles until 2026-03-10 12:30 UTC",
    "on-premise": "Zoom gives no download address for its files (recorded on premise?)",
}
STITCHED = ("pair", "three", "jitter", "other-time-base", "missing-view")
"""Segments that were copied into one video, which is the only stored form of them."""


def folder(uuid: str, short: str) -> str:
    """An item's place, from the short form of `EXPECTED`."""
    host, _, rest = short.partition(" ")
    ending = hashlib.sha256(uuid.encode()).hexdigest()[:8]
    return f"published/{host}@example.org/2026/2026-{rest} [{ending}]"


def small(number: int, uuid: str) -> str:
    """The place of one of the hundred: two a day, each five minutes later than the one before."""
    start = (NOW - timedelta(days=2 + number // 2)).replace(hour=9, minute=30) + timedelta(minutes=5 * number)
    return folder(uuid, f"faye {start:%m-%d %H-%M} Small {number}")


def test_every_due_meeting_is_one_item_with_its_files_and_nothing_else_lies_in_the_library(twice: Twice) -> None:
    names = twice.site.world.names
    expected = {folder(names[name], short): files for name, (short, files) in EXPECTED.items()}
    expected |= {small(number, names[f"small-{number}"]): VIDEO for number in range(100)}

    paths = sorted(f"{place}/{file}" for place, files in expected.items() for file in [*files, "recording.json"])
    assert sorted(twice.first.library) == paths


def test_the_first_pass_ends_well_and_says_why_the_rest_waits(twice: Twice) -> None:
    assert (twice.first.result.code, twice.first.result.counts) == (
        0,
        {"published": 144, "waiting": 3, "skipped": 1, "calls": 15, "downloads": 386},
    )
    assert {name: twice.site.entry(name).reason for name in NOT_YET} == NOT_YET


def test_the_first_pass_costs_no_more_calls_than_its_sweep_needs(twice: Twice) -> None:
    lists = ["GET /accounts/me/recordings", "GET /users/id_dan/recordings"]

    assert twice.first.calls[:2] == ["POST /oauth/token", "GET /users"]
    assert [twice.first.calls.count(one) for one in lists] == [3, 3]
    compared = [one for one in twice.first.calls[2:] if one not in lists]
    assert sorted(compared) == sorted(
        [f"GET /users/id_{who}/recordings" for who in ("alice", "bob", "carol")] * 2 + ["GET /users/id_faye/recordings"]
    )


def test_the_second_pass_publishes_nothing_and_fetches_nothing(twice: Twice) -> None:
    assert (twice.second.result.code, twice.second.result.counts) == (
        0,
        {"up_to_date": 60, "waiting": 3, "skipped": 1, "calls": 4},
    )
    assert twice.second.calls == [
        "POST /oauth/token",
        "GET /users",
        "GET /accounts/me/recordings",
        "GET /users/id_dan/recordings",
    ]
    assert twice.second.downloads == []
    assert twice.second.library == twice.first.library


def test_each_cloud_file_was_fetched_once_or_twice_if_its_size_is_not_the_listed_one(twice: Twice) -> None:
    due = [*EXPECTED, *(f"small-{number}" for number in range(100))]
    files = [file for name in due for file in twice.site.world.meetings[twice.site.uuid(name)].files]
    ids = [file.id for file in files for _ in range(1 if _has_right_size(file) else 2)]

    assert sorted(twice.first.downloads) == sorted(ids)


def _has_right_size(file: ZoomFile) -> bool:
    return file.size == file.content.size and "file_size" not in file.omit


def test_nothing_is_left_in_staging(twice: Twice) -> None:
    assert twice.site.leftovers() == []


@pytest.mark.parametrize("name", EXPECTED)
def test_a_receipt_covers_every_cloud_file_with_what_was_served(twice: Twice, name: str) -> None:
    site = twice.site
    meeting = site.world.meetings[site.uuid(name)]
    receipt = site.recording(name)["receipt"]
    stored = {file["name"]: file for file in receipt["files"]}

    assert {one["sha256"]: one["fetched_size"] for one in receipt["cloud"]} == {
        served(file): file.content.size for file in meeting.files
    }
    assert all(_is_contained(one, stored[one["stored"]]) for one in receipt["cloud"])
    assert {one["id"] for one in receipt["cloud"]} == {_id(file, receipt) for file in meeting.files}


def _is_contained(cloud: dict[str, Any], stored: dict[str, Any]) -> bool:
    is_itself = cloud["sha256"] == stored["sha256"]
    return cloud["id"] in stored["made_of"] and (is_itself or (cloud["kind"] in ("video", "audio")))


def _id(file: ZoomFile, receipt: dict[str, Any]) -> str:
    """The file's own, or what it got where Zoom gave it none."""
    made_up = [one["id"] for one in receipt["cloud"] if one["id"].startswith("noid-")]
    return made_up[0] if "id" in file.omit else file.id


@pytest.mark.parametrize("name", EXPECTED)
def test_a_receipt_is_true_of_the_files_on_disk_and_the_state_knows_the_same(twice: Twice, name: str) -> None:
    site = twice.site
    receipt = site.recording(name)["receipt"]
    item = site.item(name)
    known = site.entry(name).receipt

    assert {one["name"]: (one["size"], one["sha256"]) for one in receipt["files"]} == {
        one: ((item / one).stat().st_size, sha256(item / one)) for one in site.names(name)
    }
    assert known is not None
    assert known.place == str(item.relative_to(site.root))
    assert {(one.name, str(one.role), one.made_of) for one in known.files} == {
        (one["name"], one["role"], tuple(one["made_of"])) for one in receipt["files"]
    }


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - set(STITCHED)))
def test_what_was_not_joined_by_copying_is_stored_as_it_was_served(twice: Twice, name: str) -> None:
    site = twice.site
    on_disk = {sha256(site.item(name) / one) for one in site.names(name)}

    assert {served(file) for file in site.world.meetings[site.uuid(name)].files} <= on_disk


def test_recording_json_tells_of_the_meeting_what_a_person_needs_and_no_link(twice: Twice) -> None:
    recording = twice.site.recording("uuid-slashes-inside")
    (file,) = twice.site.world.meetings["abc//defGhiJklMno0PqrSA=="].files

    assert recording == {
        "format": 1,
        "zoomsync": recording["zoomsync"],
        "revision": 1,
        "title": "The uuid slashes inside – 2026-03-04 09:30",
        "meeting": {
            "uuid": "abc//defGhiJklMno0PqrSA==",
            "number": "81000000017",
            "topic": "The uuid slashes inside",
            "title": "The uuid slashes inside – 2026-03-04 09:30",
            "type": "2",
            "start": "2026-03-04T09:30:00+00:00",
            "timezone": "Europe/Berlin",
            "host": {"id": "id_carol", "email": "carol@example.org"},
            "segments": [{"start": "2026-03-04T09:30:00+00:00", "end": "2026-03-04T09:30:03+00:00"}],
        },
        "receipt": {
            "uuid": "abc//defGhiJklMno0PqrSA==",
            "author": "carol@example.org",
            "files": [
                {
                    "name": "video.mp4",
                    "role": "video",
                    "size": file.size,
                    "sha256": served(file),
                    "made_of": [file.id],
                    "offsets": [0.0],
                }
            ],
            "cloud": [
                {
                    "id": file.id,
                    "kind": "video",
                    "type": "MP4",
                    "view": SPEAKER,
                    "extension": "mp4",
                    "start": "2026-03-04T09:30:00Z",
                    "end": "2026-03-04T09:30:03Z",
                    "size": file.size,
                    "fetched_size": file.size,
                    "sha256": served(file),
                    "stored": "video.mp4",
                    "arrival": "once",
                }
            ],
        },
    }


def test_the_roles_of_an_item_name_what_each_file_is(twice: Twice) -> None:
    roles = {one["name"]: one["role"] for one in twice.site.recording("views")["receipt"]["files"]}

    assert roles == {
        "video.mp4": "video",
        "video.gallery_view.mp4": "video.gallery_view",
        "video.active_speaker.mp4": "video.active_speaker",
        "video.shared_screen.mp4": "video.shared_screen",
        "audio.m4a": "audio",
        "video.vtt": "captions",
        "chat.txt": "chat",
        "timeline.json": "timeline.timeline",
        "summary.json": "summary.summary",
    }


def test_topics_and_metadata_keep_what_a_folder_name_cannot(twice: Twice) -> None:
    topics = {name: twice.site.recording(name)["meeting"]["topic"] for name in EXPECTED if name.startswith("topic-")}

    assert topics == {name: twice.site.world.meetings[twice.site.uuid(name)].topic for name in topics}


def test_no_secret_and_no_link_reaches_library_state_or_output(twice: Twice) -> None:
    site = twice.site
    texts = [path for path in site.folder.rglob("*") if path.suffix in (".json", ".jsonl") and path.is_file()]
    with closing(sqlite3.connect(site.folder / "state/state.db")) as database:
        rows = database.execute("SELECT document FROM entry").fetchall()
    remembered = [_expanded(document).decode() for (document,) in rows]
    said = twice.first.result.stdout + twice.first.result.stderr
    said += "".join([*(path.read_text() for path in texts), *remembered])

    found = [word for word in ("sandbox-secret", "sandbox.token", "Signature=", "/rec/", "yYNEFgg5") if word in said]
    assert (len(texts) > 100, len(remembered) > 50, found) == (True, True, [])


def test_what_was_fetched_last_is_remembered(twice: Twice) -> None:
    head = twice.site.state().head

    assert (str(head.fetched_till), head.gaps) == ("2026-03-08 09:35:00+00:00", ())
    assert json.loads(twice.first.result.stdout)["left"] == []
