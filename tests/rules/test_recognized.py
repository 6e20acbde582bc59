"""Bytes that are stored already: whatever Zoom lists them as now, nothing is stored again."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes import SHA, START, a_cloud_file, a_file, a_receipt
from zoomsync.model import Arrival, CloudFile, Fetched, RecordingFile, Role, StoredFile
from zoomsync.rules.update import recognized

VIDEO, AGAIN = a_file(), a_file(id="file-new")
ONCE = a_receipt()
LATER = START + timedelta(minutes=5)
RECOGNIZED: dict[str, tuple[RecordingFile, str, set[str], dict[str, str]]] = {
    "the same id and bytes": (VIDEO, SHA, {"file-video"}, {"file-video": "file-video"}),
    "another size": (a_file(size=7), SHA, {"file-video"}, {"file-video": "file-video"}),
    "another start": (a_file(start=LATER), SHA, {"file-video"}, {"file-video": "file-video"}),
    "another id": (AGAIN, SHA, {"file-new"}, {"file-new": "file-new"}),
    "another id, a second later": (replace(AGAIN, start=START + timedelta(seconds=1)), SHA, {"file-new"},
                                   {"file-new": "file-new"}),
    "another id, and the old one is listed too": (AGAIN, SHA, {"file-video", "file-new"},
                                                  {"file-video": "file-video", "file-new": "file-video"}),
    "other bytes": (VIDEO, "cd" * 32, {"file-video"}, {}),
    "another id of other bytes": (AGAIN, "cd" * 32, {"file-new"}, {}),
    "the same bytes in another segment": (replace(AGAIN, start=LATER), SHA, {"file-video", "file-new"}, {}),
    "the same bytes in another view": (replace(AGAIN, view="gallery_view"), SHA, {"file-video", "file-new"}, {}),
}  # fmt: skip
"""What came, with which bytes, what Zoom lists → the ids of the receipt, each with what its stored file is made of."""


@pytest.mark.parametrize("case", RECOGNIZED)
def test_bytes_that_are_stored_already_change_what_a_receipt_says_of_cloud_files_alone(case: str) -> None:
    file, sha256, listed, expected = RECOGNIZED[case]
    fetched = Fetched(path=Path("staged"), size=1000, sha256=sha256, arrival=Arrival.TWICE)

    after = recognized(ONCE, [(file, fetched)], listed)

    assert {one.id: " ".join(after.files[0].made_of) for one in after.cloud} == (
        expected or {"file-video": "file-video"}
    )
    known = {one.id: one for one in after.cloud}
    if expected:
        assert known[file.id] == CloudFile.of(file, fetched, "video.mp4")
        assert after.covers(file)
    else:
        assert after == ONCE
    assert [replace(one, made_of=()) for one in after.files] == [replace(one, made_of=()) for one in ONCE.files]


def test_two_files_of_the_same_bytes_each_get_their_own_new_id() -> None:
    old = [a_file(id=f"old-{number}") for number in (1, 2)]
    new = [a_file(id=f"new-{number}") for number in (1, 2)]
    files = tuple(
        StoredFile(name=f"video.{one.id}.mp4", role=Role("video", (one.id,)), size=1000, sha256=SHA, made_of=(one.id,))
        for one in old
    )
    cloud = tuple(a_cloud_file(one, stored=f"video.{one.id}.mp4") for one in old)
    fetched = Fetched(path=Path("staged"), size=1000, sha256=SHA)

    after = recognized(a_receipt(files=files, cloud=cloud), [(one, fetched) for one in new], {"new-1", "new-2"})

    assert sorted((one.id, one.stored) for one in after.cloud) == [
        ("new-1", "video.old-1.mp4"),
        ("new-2", "video.old-2.mp4"),
    ]
    assert [one.made_of for one in after.files] == [("new-1",), ("new-2",)]


def test_of_two_files_of_the_same_bytes_each_stays_its_own() -> None:
    pair = [a_file(id=f"file-{number}") for number in (1, 2)]
    files = tuple(
        StoredFile(name=f"{one.id}.mp4", role=Role("video", (one.id,)), size=1000, sha256=SHA, made_of=(one.id,))
        for one in pair
    )
    receipt = a_receipt(files=files, cloud=tuple(a_cloud_file(one, stored=f"{one.id}.mp4") for one in pair))
    later = START + timedelta(seconds=1)
    fetched = Fetched(path=Path("staged"), size=1000, sha256=SHA)

    after = recognized(receipt, [(replace(pair[1], start=later), fetched)], {"file-1", "file-2"})

    assert [(one.id, one.start, one.stored) for one in after.cloud] == [
        ("file-1", START, "file-1.mp4"),
        ("file-2", later, "file-2.mp4"),
    ]
