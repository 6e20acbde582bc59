"""The library keeps the contract of a destination, and what a person did in it."""

import errno
import grp
import json
import os
import shutil
import stat
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import (
    CAPTIONS,
    LATE,
    VIDEO,
    DestinationContract,
    a_context,
    a_staged,
    an_attachment,
    an_item,
    with_files,
    without,
)
from tests.fakes import NOW, FakeClock, a_meeting, a_user
from zoomsync.destinations.base import DestinationContext
from zoomsync.destinations.library.destination import LibraryDestination
from zoomsync.destinations.library.settings import LibrarySettings
from zoomsync.errors import LibraryUnusable, MeetingFailed, RemovedByPerson, Stopped
from zoomsync.model import Author, Receipt, Stamp
from zoomsync.zoom import parse

ITEM = "2026-03-01 10-30 Weekly planning [0300a520]"
PLACE = f"published/ada@example.org/2026/{ITEM}"


def a_library(path: Path, clock: FakeClock | None = None, *, number: int = 1, **changes: Any) -> LibraryDestination:
    """A library attached by pass `number` of the state `state-1`, which knew it as `library-1` from pass 2 on."""
    library = unattached(path, a_context(clock=clock or FakeClock(), me="media@example.org"), **changes)
    attach(library, number=number)
    return library


def unattached(path: Path, context: DestinationContext | None = None, **changes: Any) -> LibraryDestination:
    """A library that no pass has taken yet, with these changes to its settings."""
    values = {"path": path, "dir_mode": 0o750, "file_mode": 0o640, "group": None, **changes}
    return LibraryDestination(LibrarySettings.model_construct(**values), context or a_context(me="media@example.org"))


def attach(library: LibraryDestination, *, number: int = 1, **changes: Any) -> None:
    library.attach(an_attachment(number, **changes))


def publish(library: LibraryDestination, item: Any, previous: Receipt | None = None) -> Receipt:
    return library.publish(item, library.author_for(a_user()), previous)


def tree(root: Path) -> dict[str, bytes | None]:
    """Every file below, and every folder as None."""
    return {str(p.relative_to(root)): p.read_bytes() if p.is_file() else None for p in sorted(root.rglob("*"))}


@pytest.fixture
def library(tmp_path: Path) -> LibraryDestination:
    return a_library(tmp_path / "library")


class TestLibraryAsDestination(DestinationContract):
    @pytest.fixture
    def destination(self, library: LibraryDestination) -> LibraryDestination:
        return library

    def in_a_later_pass(self, destination: Any) -> LibraryDestination:
        destination.detach()
        return a_library(destination.path, FakeClock(), number=2)

    def remove_item(self, destination: Any, receipt: Receipt) -> None:
        shutil.rmtree(destination.path / receipt.place)

    def damage(self, destination: Any, receipt: Receipt, name: str, content: bytes | None) -> None:
        path = destination.path / receipt.place / name
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)


def test_an_item_lies_where_a_person_would_look(library: LibraryDestination, tmp_path: Path) -> None:
    receipt = publish(library, an_item(tmp_path / "staging"))

    assert receipt.place == PLACE
    assert tree(library.path / "published") == {
        "ada@example.org": None,
        "ada@example.org/2026": None,
        f"ada@example.org/2026/{ITEM}": None,
        f"ada@example.org/2026/{ITEM}/captions.vtt": CAPTIONS,
        f"ada@example.org/2026/{ITEM}/recording.json": (library.path / PLACE / "recording.json").read_bytes(),
        f"ada@example.org/2026/{ITEM}/video.mp4": VIDEO,
    }
    assert list((tmp_path / "staging").iterdir()) == []


def test_a_draft_lies_apart(library: LibraryDestination, tmp_path: Path) -> None:
    receipt = publish(library, an_item(tmp_path / "staging", draft=True))

    assert receipt.place == f"drafts/ada@example.org/2026/{ITEM}"


def test_recording_json_can_be_read_without_zoomsync(library: LibraryDestination, tmp_path: Path) -> None:
    item = an_item(tmp_path / "staging", a_meeting(topic="Café 🎈", files=()), metadata={"topic": "Café 🎈"})

    receipt = publish(library, item)

    document = json.loads((library.path / receipt.place / "recording.json").read_text())
    assert (document["format"], document["revision"], document["meeting"]) == (1, 1, {"topic": "Café 🎈"})
    assert document["receipt"]["uuid"] == "/abc//DEF+ghi=="
    assert [(file["name"], file["size"]) for file in document["receipt"]["files"]] == [
        ("video.mp4", len(VIDEO)),
        ("captions.vtt", len(CAPTIONS)),
    ]
    assert library.find(receipt.uuid) == receipt


def test_halves_of_characters_end_where_zooms_answers_are_read(library: LibraryDestination, tmp_path: Path) -> None:
    half = "Café\ud83c"
    file = {"id": half, "file_type": half, "recording_type": half, "recording_start": "2026-03-01T10:30:00Z"}
    texts = dict.fromkeys(("uuid", "id", "host_id", "host_email", "topic", "type", "timezone"), half)
    meeting = parse.meeting({**texts, "recording_files": [file]}, NOW)

    receipt = publish(library, an_item(tmp_path / "staging", meeting, metadata={"topic": meeting.topic}))

    assert (receipt.uuid, [one.id for one in meeting.files]) == ("Café?", ["Café?"])
    assert library.find("Café?") == receipt
    assert json.loads((library.path / receipt.place / "recording.json").read_text())["meeting"] == {"topic": "Café?"}


def test_an_item_with_half_a_character_in_its_old_recording_json_takes_a_late_file(
    library: LibraryDestination, tmp_path: Path
) -> None:
    first = publish(library, an_item(tmp_path / "staging", metadata={"topic": "Weekly planning"}))
    manifest = library.path / first.place / "recording.json"
    manifest.write_text(manifest.read_text().replace("Weekly planning", r"Weekly \ud83d"))

    late = an_item(tmp_path / "staging", late=LATE, metadata={"topic": "Weekly planning"})
    second = publish(library, without(late, "video", "captions"), first)

    document = json.loads(manifest.read_text())
    assert (document["revision"], document["title"]) == (2, "Weekly ? – 2026-03-01 10:30")
    assert [str(file.role) for file in second.files] == ["video", "captions", "chat"]
    assert library.verify(second).safe


def test_modes_and_group_are_those_of_the_config(tmp_path: Path) -> None:
    group = grp.getgrgid(os.getgid()).gr_name
    library = a_library(tmp_path / "library", dir_mode=0o2770, file_mode=0o660, group=group)

    receipt = publish(library, with_segments(tmp_path))

    item = library.path / receipt.place
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (library.path / "published").rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o2770}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o660}
    assert (item / "segments" / "1 gallery_view.mp4").stat().st_gid == os.getgid()


def with_segments(tmp_path: Path) -> Any:
    files = [
        a_staged(tmp_path / "staging", "video.mp4", VIDEO),
        a_staged(tmp_path / "staging", "segments/1 gallery_view.mp4", b"one"),
    ]
    return with_files(a_meeting(files=()), files)


def test_a_group_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LibraryUnusable, match="no group 'no-such-group'"):
        a_library(tmp_path / "library", group="no-such-group")


def test_staging_on_another_file_system_is_copied_and_proven(library: LibraryDestination, elsewhere: Path) -> None:
    receipt = publish(library, an_item(elsewhere))

    assert library.verify(receipt).safe
    assert list(elsewhere.iterdir()) == []


def test_a_copy_that_differs_from_what_was_proven_is_not_published(
    library: LibraryDestination, elsewhere: Path
) -> None:
    item = an_item(elsewhere)
    source = item.files[0].source
    assert source is not None
    source.write_bytes(b"X" + VIDEO[1:])

    with pytest.raises(MeetingFailed, match="changed in staging"):
        publish(library, item)
    assert library.find(item.meeting.uuid) is None


@pytest.fixture
def elsewhere(tmp_path: Path) -> Any:
    for other in map(Path, ("/dev/shm", "/var/tmp")):
        if other.is_dir() and other.stat().st_dev != tmp_path.stat().st_dev:
            with tempfile.TemporaryDirectory(prefix="zoomsync-test-", dir=other) as folder:
                yield Path(folder)
            return
    pytest.skip("needs a second file system")


@pytest.mark.parametrize("name", ["../escape.mp4", "/tmp/escape.mp4", "a/../../escape.mp4"])
def test_no_name_leads_out_of_the_item(library: LibraryDestination, tmp_path: Path, name: str) -> None:
    file = replace(a_staged(tmp_path / "staging", "video.mp4", VIDEO), name=name)

    with pytest.raises(MeetingFailed, match="leads out of the library"):
        publish(library, with_files(a_meeting(files=()), [file]))
    assert list(tmp_path.rglob("escape.mp4")) == []


def test_an_authors_folder_that_leads_out_is_refused_until_it_does_not(
    library: LibraryDestination, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = library.path / "published" / "ada@example.org"
    link.parent.mkdir()
    link.symlink_to(outside)

    with pytest.raises(MeetingFailed, match="leads out of the library"):
        publish(library, an_item(tmp_path / "staging"))

    assert list(outside.iterdir()) == []
    link.unlink()
    assert library.verify(publish(library, an_item(tmp_path / "staging"))).safe


def test_a_very_long_topic_fits(library: LibraryDestination, tmp_path: Path) -> None:
    item = replace(an_item(tmp_path / "staging"), folder="2026-03-01 10-30 " + "会議" * 300)

    receipt = publish(library, item)

    assert max(len(part.encode()) for part in receipt.place.split("/")) <= 143
    assert library.verify(receipt).safe


def test_workers_publish_at_the_same_time(library: LibraryDestination, tmp_path: Path) -> None:
    items = [an_item(tmp_path / str(n), a_meeting(uuid=f"{n}==", files=())) for n in range(24)]

    with ThreadPoolExecutor(8) as workers:
        receipts = list(workers.map(lambda item: publish(library, item), items))

    assert [library.find(item.meeting.uuid) for item in items] == receipts
    assert all(library.verify(receipt).safe for receipt in receipts)
    assert len(list((library.path / "published" / "ada@example.org" / "2026").iterdir())) == 24


class TestAuthors:
    @pytest.mark.parametrize(
        ("changes", "host", "expected"),
        [
            (
                {},
                a_user(),
                Author(id="ada@example.org", email="ada@example.org"),
            ),
            (
                {},
                a_user(email="Ada@Example.ORG"),
                Author(id="ada@example.org", email="ada@example.org"),
            ),
            (
                {"aliases": {"ada@example.org": "lady@example.com"}},
                a_user(),
                Author(id="lady@example.com", email="lady@example.com", note="alias"),
            ),
            (
                {"publish_as": "me"},
                a_user(),
                Author(id="media@example.org", email="media@example.org", note="publish_as is me"),
            ),
            (
                {},
                a_user(email=""),
                Author(
                    id="media@example.org", email="media@example.org", note="falls back to me: the host has no e-mail"
                ),
            ),
            (
                {"me": ""},
                a_user(email=""),
                Author(id="host-ada", email="", note="the host has no e-mail, and me is not set"),
            ),
            ({}, a_user(email="../ada"), Author(id="-ada", email="../ada")),
        ],
    )
    def test_the_author_of_a_host(self, tmp_path: Path, changes: dict[str, Any], host: Any, expected: Author) -> None:
        library = unattached(tmp_path, a_context(**{"me": "Media@example.org", **changes}))

        assert library.author_for(host) == expected


class TestAPersonsDoings:
    def test_a_moved_and_renamed_item_stays_where_it_is(self, library: LibraryDestination, tmp_path: Path) -> None:
        first = publish(library, an_item(tmp_path / "staging", draft=True))
        target = library.path / "published" / "Best of" / "Planning [0300a520]"
        target.parent.mkdir(parents=True)
        (library.path / first.place).rename(target)

        second = publish(library, without(an_item(tmp_path / "staging", late=LATE), "video", "captions"), first)

        assert second.place == "published/Best of/Planning [0300a520]"
        assert (target / "chat.txt").read_bytes() == LATE
        assert library.verify(first).receipt.place == second.place
        assert library.verify(second).safe

    def test_files_of_a_person_are_never_touched(self, library: LibraryDestination, tmp_path: Path) -> None:
        first = publish(library, an_item(tmp_path / "staging"))
        item = library.path / first.place
        (item / "chat.txt").write_text("my own notes")
        (item / "notes.txt").write_text("more notes")

        second = publish(library, without(an_item(tmp_path / "staging", late=LATE), "video", "captions"), first)

        assert [file.name for file in second.files] == ["video.mp4", "captions.vtt", "chat.v2.txt"]
        assert (item / "chat.txt").read_text() == "my own notes"
        assert (item / "notes.txt").read_text() == "more notes"
        assert library.verify(second).safe

    def test_a_rebuilt_video_gets_a_new_name_and_the_old_one_goes(
        self, library: LibraryDestination, tmp_path: Path
    ) -> None:
        first = publish(library, an_item(tmp_path / "staging"))

        second = publish(library, rebuilt(tmp_path), first)

        names = sorted(path.name for path in (library.path / second.place).iterdir())
        assert names == ["captions.vtt", "recording.json", "video.v2.mp4"]
        assert json.loads((library.path / second.place / "recording.json").read_text())["revision"] == 2

    def test_an_old_file_that_a_person_edited_is_left(self, library: LibraryDestination, tmp_path: Path) -> None:
        first = publish(library, an_item(tmp_path / "staging"))
        edited = b"E" + VIDEO[1:]
        (library.path / first.place / "video.mp4").write_bytes(edited)

        second = publish(library, rebuilt(tmp_path), first)

        assert (library.path / second.place / "video.mp4").read_bytes() == edited
        assert library.verify(second).safe

    @pytest.mark.parametrize("content", [None, b"cut"])
    def test_an_item_with_a_missing_file_is_left_alone(
        self, library: LibraryDestination, tmp_path: Path, content: bytes | None
    ) -> None:
        first = publish(library, an_item(tmp_path / "staging"))
        captions = library.path / first.place / "captions.vtt"
        captions.unlink()
        if content is not None:
            captions.write_bytes(content)
        before = tree(library.path)

        with pytest.raises(RemovedByPerson, match=r"captions.vtt: removed or changed"):
            publish(library, without(an_item(tmp_path / "staging", late=LATE), "video", "captions"), first)
        assert tree(library.path) == before

    def test_an_item_found_damaged_without_knowledge_is_mended(
        self, library: LibraryDestination, tmp_path: Path
    ) -> None:
        first = publish(library, an_item(tmp_path / "staging"))
        (library.path / first.place / "video.mp4").write_bytes(b"X" + VIDEO[1:])

        second = publish(library, an_item(tmp_path / "staging"))

        assert [file.name for file in second.files] == ["video.v2.mp4", "captions.vtt"]
        assert library.verify(second).safe

    def test_of_two_copies_always_the_same_is_taken_and_none_removed(
        self, library: LibraryDestination, tmp_path: Path
    ) -> None:
        first = publish(library, an_item(tmp_path / "staging"))
        item = library.path / first.place
        shutil.copytree(item, item.with_name(f"Copy of {item.name}"))
        library.detach()

        later = a_library(library.path, number=2)

        assert later.find(first.uuid) == first
        second = publish(later, without(an_item(tmp_path / "staging", late=LATE), "video", "captions"), first)
        assert later.find(first.uuid) == second
        assert len(list(item.parent.iterdir())) == 2

    @pytest.mark.parametrize(
        "content",
        [None, "", "{", "[]", '{"format": 1}', '{"format": 99}', "[" * 100_000, "1e999"],
    )
    def test_an_item_without_its_recording_json_fails_alone(
        self, library: LibraryDestination, tmp_path: Path, content: str | None
    ) -> None:
        receipt = publish(library, an_item(tmp_path / "staging"))
        path = library.path / receipt.place / "recording.json"
        whole = path.read_text()
        path.unlink()
        if content is not None:
            path.write_text(whole.replace('"revision": 1', '"revision": 1e999') if content == "1e999" else content)

        with pytest.raises(MeetingFailed, match=r"recording.json") as raised:
            publish(library, rebuilt(tmp_path), receipt)
        assert raised.value.hint
        with pytest.raises(MeetingFailed, match=r"recording.json"):
            library.find(receipt.uuid)
        verdict = library.verify(receipt)
        assert (verdict.safe, verdict.removed) == (False, False)
        other = publish(library, an_item(tmp_path / "staging", a_meeting(uuid="other==", files=())))
        assert library.verify(other).safe

    def test_a_folder_of_another_meeting_with_the_same_suffix_is_not_taken(
        self, library: LibraryDestination, tmp_path: Path
    ) -> None:
        other = publish(library, an_item(tmp_path / "staging", a_meeting(uuid="other==", files=())))
        twin = library.path / PLACE
        (library.path / other.place).rename(twin)
        library.detach()
        later = a_library(library.path, number=2)

        receipt = publish(later, an_item(tmp_path / "staging"))

        assert receipt.place == f"published/ada@example.org/2026/{ITEM.replace(' [', ' (2) [')}"
        assert later.verify(receipt).safe

    def test_an_item_that_moves_within_a_pass_is_found(self, library: LibraryDestination, tmp_path: Path) -> None:
        receipt = publish(library, an_item(tmp_path / "staging"))
        assert library.find(receipt.uuid)
        (library.path / "drafts").mkdir()
        (library.path / receipt.place).rename(library.path / "drafts" / ITEM)

        assert library.find(receipt.uuid) == replace(receipt, place=f"drafts/{ITEM}")

    def test_a_library_that_vanishes_in_a_pass_is_no_persons_deed(
        self, library: LibraryDestination, tmp_path: Path
    ) -> None:
        receipt = publish(library, an_item(tmp_path / "staging"))
        library.path.rename(tmp_path / "unmounted")

        with pytest.raises(LibraryUnusable, match="went away during the pass"):
            library.verify(receipt)
        with pytest.raises(LibraryUnusable, match="went away during the pass"):
            publish(library, rebuilt(tmp_path), receipt)
        with pytest.raises(LibraryUnusable, match="went away during the pass"):
            publish(library, an_item(tmp_path / "staging"))
        assert not library.path.exists()


def rebuilt(tmp_path: Path) -> Any:
    """The item of `an_item` with a longer video, its captions kept."""
    video = a_staged(tmp_path / "staging", "video.mp4", VIDEO * 2, made_of=("file-video", "file-2"))
    captions = a_staged(tmp_path / "staging", "captions.vtt", CAPTIONS, source=None)
    return with_files(a_meeting(files=()), [video, captions])


class TestVerification:
    def test_content_is_read_each_time(self, library: LibraryDestination, tmp_path: Path) -> None:
        first = library.verify(publish(library, an_item(tmp_path / "staging")))
        change_unseen(library.path / first.receipt.place / "video.mp4")

        second = library.verify(first.receipt)

        assert (first.safe, first.reason) == (True, "2 files, 1.5 kB, content verified")
        assert (second.safe, second.removed) == (False, True)
        assert second.reason == "video.mp4 was changed: its content is not what was stored"

    def test_the_receipt_says_when_each_file_was_read(self, tmp_path: Path) -> None:
        clock = FakeClock()
        library = a_library(tmp_path / "library", clock)
        receipt = publish(library, an_item(tmp_path / "staging"))
        clock.advance(hours=3)

        verdict = library.verify(receipt)

        assert [file.stamp for file in verdict.receipt.files] == [Stamp(at=clock.now())] * 2

    def test_an_update_that_the_state_missed_is_nobodys_deed(self, library: LibraryDestination, tmp_path: Path) -> None:
        first = publish(library, an_item(tmp_path / "staging"))
        publish(library, rebuilt(tmp_path), first)

        verdict = library.verify(first)

        assert (verdict.safe, verdict.removed) == (False, False)
        assert verdict.reason == "recording.json describes another version of this item"

    @pytest.mark.parametrize("code", [errno.EACCES, errno.EHOSTDOWN, errno.EIO], ids=errno.errorcode.get)
    def test_what_cannot_be_read_now_is_nobodys_deed(
        self, library: LibraryDestination, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
    ) -> None:
        receipt, really_open = publish(library, an_item(tmp_path / "staging")), os.open

        def refusing(path: Any, *arguments: Any, **more: Any) -> int:
            if Path(path).name != "video.mp4":
                return really_open(path, *arguments, **more)
            if code == errno.EIO:
                return really_open("/proc/self/mem", os.O_RDONLY)  # reading its first page fails so
            raise OSError(code, os.strerror(code), path)

        monkeypatch.setattr(os, "open", refusing)

        verdict = library.verify(receipt)

        assert (verdict.safe, verdict.removed, verdict.unread) == (False, False, code != errno.EIO)
        assert ("still mounted" in verdict.hint) == (code == errno.EHOSTDOWN)
        assert f"video.mp4: {os.strerror(code).lower()}" in verdict.reason

    def test_a_disk_that_fails_while_a_file_is_read_proves_nothing_and_is_nobodys_deed(
        self, library: LibraryDestination, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        receipt = publish(library, an_item(tmp_path / "staging"))

        def fail(path: Path, _: object) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

        monkeypatch.setattr("zoomsync.destinations.library.verify.digest", fail)
        verdict = library.verify(receipt)

        assert (verdict.safe, verdict.removed, verdict.lacking) == (False, False, ())
        assert verdict.reason.endswith("video.mp4: input/output error, it could not be verified")

    def test_a_stopped_pass_ends_the_reading(self, tmp_path: Path) -> None:
        clock = FakeClock()
        library = a_library(tmp_path / "library", clock)
        receipt = publish(library, an_item(tmp_path / "staging"))
        clock.stop()

        with pytest.raises(Stopped):
            library.verify(receipt)

    def test_a_link_in_the_place_of_a_file_is_not_safe(self, library: LibraryDestination, tmp_path: Path) -> None:
        receipt = publish(library, an_item(tmp_path / "staging"))
        path = library.path / receipt.place / "video.mp4"
        path.rename(tmp_path / "video.mp4")
        path.symlink_to(tmp_path / "video.mp4")

        verdict = library.verify(receipt)

        assert (verdict.safe, verdict.removed, verdict.reason) == (False, True, "video.mp4 is not a file any more")


def change_unseen(path: Path) -> None:
    """Change a byte in place and turn the modification time back."""
    status = path.stat()
    with path.open("r+b") as file:
        file.write(b"X")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_an_item_that_a_person_took_a_file_from_is_mended_when_it_is_asked_for(
    library: LibraryDestination, tmp_path: Path
) -> None:
    receipt = publish(library, an_item(tmp_path / "staging"))
    (library.path / receipt.place / "video.mp4").unlink()

    again = publish(library, an_item(tmp_path / "again"))

    assert again == receipt
    assert library.verify(again).safe
