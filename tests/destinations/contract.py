"""The contract of a destination: one class of tests that each of them passes."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeClock, a_cloud_file, a_file, a_meeting, a_user
from zoomsync.destinations.base import Attachment, Destination, DestinationContext
from zoomsync.errors import MeetingFailed, RemovedByPerson
from zoomsync.model import Author, Intent, Item, ItemFile, Kind, Meeting, Receipt, Role

VIDEO = b"\0\0\0\x18ftypmp42 a video, or so it says " * 40
CAPTIONS = b"WEBVTT\n\n00:01.000 --> 00:02.000\nAda: hello\n"
LATE = b"10:31:00 Ada: a chat that came late\n"


class Journal:
    """Intents as the state keeps them: `open` is what would be there after a crash."""

    def __init__(self) -> None:
        self.open: dict[str, Intent] = {}
        self.written: list[Intent] = []
        self._lock = threading.Lock()

    def open_intents(self) -> tuple[Intent, ...]:
        with self._lock:
            return tuple(self.open.values())

    def begin(self, intent: Intent) -> None:
        with self._lock:
            self.open[intent.id] = intent
            self.written.append(intent)

    def settle(self, intent_id: str) -> None:
        with self._lock:
            self.open.pop(intent_id, None)


def a_context(**changes: Any) -> DestinationContext:
    """A clock that stands still, no intents, hosts as they are, their own authors."""
    plain = DestinationContext(
        clock=FakeClock(),
        new_id=lambda: "library-1",
        intents=Journal(),
        with_names=lambda host: host,
        tries=2,
        publish_as="zoom_user",
        me="",
        aliases={},
    )
    return replace(plain, **changes)


def an_attachment(number: int = 1, **changes: Any) -> Attachment:
    """Pass `number` of the state `state-1`, which knew the destination as `library-1` from pass 2 on."""
    plain = Attachment(
        state_id="state-1",
        known_id="library-1" if number > 1 else None,
        known_pass=0,
        runs=frozenset(f"run-{n}" for n in range(1, number + 1)),
        over=frozenset(f"run-{n}" for n in range(1, number)),
        has_items=False,
        pass_number=number,
        run=f"run-{number}",
        begin_new=False,
        new_id="library-1",
        dry_run=False,
    )
    return replace(plain, **changes)


def a_staged(folder: Path, name: str, content: bytes, **changes: Any) -> ItemFile:
    """A file of an item, proven and lying in staging."""
    source = folder / hashlib.sha256(name.encode() + content).hexdigest()
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_bytes(content)
    stem = name.rpartition(".")[0]
    plain = ItemFile(
        name=name,
        role=Role.parse(changes.pop("role", stem)),
        made_of=(f"file-{stem}",),
        source=source,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return replace(plain, **changes)


def an_item(folder: Path, meeting: Meeting | None = None, *, late: bytes | None = None, **changes: Any) -> Item:
    """The item of a meeting with a video and captions, and with `late` a chat, all lying in staging."""
    staged = [a_staged(folder, "video.mp4", VIDEO), a_staged(folder, "captions.vtt", CAPTIONS)]
    if late is not None:
        staged.append(a_staged(folder, "chat.txt", late))
    return with_files(meeting or a_meeting(files=()), staged, **changes)


def with_files(meeting: Meeting, files: list[ItemFile], **changes: Any) -> Item:
    """An item of these files, each made of one cloud file."""
    plain = Item(
        meeting=meeting,
        title=f"{meeting.topic} – 2026-03-01 10:30",
        folder=f"2026-03-01 10-30 {meeting.topic}",
        year="2026",
        draft=False,
        files=tuple(files),
        cloud=tuple(
            a_cloud_file(
                a_file(id=one, kind=Kind.VIDEO, size=file.size),
                stored=file.name,
                fetched_size=file.size,
                sha256=file.sha256,
            )
            for file in files
            for one in file.made_of
        ),
        metadata={"uuid": meeting.uuid, "topic": meeting.topic},
    )
    return replace(plain, **changes)


def without(item: Item, *roles: str) -> Item:
    """The item with the files of these roles kept as they are stored: nothing of them is staged."""
    files = tuple(replace(file, source=None) if str(file.role) in roles else file for file in item.files)
    return replace(item, files=files)


class DestinationContract:
    """What every destination promises. A subclass says how to get one, and how a person meddles with it."""

    @pytest.fixture
    def destination(self) -> Destination:
        """One that is ready for use and empty."""
        raise NotImplementedError

    def in_a_later_pass(self, destination: Destination) -> Destination:
        """The same destination as the next pass sees it."""
        raise NotImplementedError

    def remove_item(self, destination: Destination, receipt: Receipt) -> None:
        """Remove a whole item, as a person would."""
        raise NotImplementedError

    def damage(self, destination: Destination, receipt: Receipt, name: str, content: bytes | None) -> None:
        """Replace one stored file by `content`, or remove it."""
        raise NotImplementedError

    def published(self, destination: Destination, item: Item, previous: Receipt | None = None) -> Receipt:
        """Publish as `work` does."""
        return destination.publish(item, destination.author_for(a_user()), previous)

    def test_a_destination_has_an_id_and_says_that_it_can_be_used(self, destination: Destination) -> None:
        assert destination.id
        assert destination.id[:8] in destination.check()

    def test_what_was_never_published_is_not_found(self, destination: Destination) -> None:
        assert destination.find(a_meeting().uuid) is None

    def test_what_was_published_is_found_and_verified(self, destination: Destination, tmp_path: Path) -> None:
        receipt = self.published(destination, an_item(tmp_path / "staging"))

        verdict = destination.verify(receipt)
        assert destination.find(receipt.uuid) == receipt
        assert (verdict.safe, verdict.removed, verdict.receipt) == (True, False, receipt)

    def test_what_was_published_is_found_in_a_later_pass(self, destination: Destination, tmp_path: Path) -> None:
        receipt = self.published(destination, an_item(tmp_path / "staging"))

        later = self.in_a_later_pass(destination)
        assert later.id == destination.id
        assert later.find(receipt.uuid) == receipt
        assert later.verify(receipt).safe

    def test_the_receipt_covers_every_cloud_file(self, destination: Destination, tmp_path: Path) -> None:
        item = an_item(tmp_path / "staging")

        receipt = self.published(destination, item)

        assert (receipt.uuid, receipt.destination) == (item.meeting.uuid, destination.id)
        assert [str(file.role) for file in receipt.files] == ["video", "captions"]
        assert [(one.id, one.sha256) for one in receipt.cloud] == [(one.id, one.sha256) for one in item.cloud]
        assert all(receipt.covers(a_file(id=one.id, size=one.size, start=one.start)) for one in item.cloud)

    def test_publishing_again_changes_nothing(self, destination: Destination, tmp_path: Path) -> None:
        first = self.published(destination, an_item(tmp_path / "staging"))

        assert self.published(destination, an_item(tmp_path / "staging")) == first
        assert self.published(destination, an_item(tmp_path / "staging"), first) == first
        assert self.published(destination, without(an_item(tmp_path / "staging"), "video", "captions"), first) == first
        assert destination.find(first.uuid) == first

    def test_a_meeting_number_on_another_day_is_another_item(self, destination: Destination, tmp_path: Path) -> None:
        first = self.published(destination, an_item(tmp_path / "staging"))
        second = self.published(destination, an_item(tmp_path / "staging", a_meeting(uuid="other==", files=())))

        assert destination.find(first.uuid) == first
        assert destination.find(second.uuid) == second
        assert first.place != second.place

    def test_what_comes_late_is_added(self, destination: Destination, tmp_path: Path) -> None:
        first = self.published(destination, an_item(tmp_path / "staging"))
        more = without(an_item(tmp_path / "staging", late=LATE), "video", "captions")

        second = self.published(destination, more, first)

        assert second.files[:2] == first.files
        assert [str(file.role) for file in second.files] == ["video", "captions", "chat"]
        assert destination.find(first.uuid) == second
        assert destination.verify(second).safe
        assert not destination.verify(first).safe

    def test_a_rebuilt_file_replaces_the_old_one(self, destination: Destination, tmp_path: Path) -> None:
        first = self.published(destination, an_item(tmp_path / "staging"))
        rebuilt = a_staged(tmp_path / "staging", "video.mp4", VIDEO * 2, made_of=("file-video", "file-2"))
        captions = a_staged(tmp_path / "staging", "captions.vtt", CAPTIONS, source=None)

        second = self.published(destination, with_files(a_meeting(files=()), [rebuilt, captions]), first)

        assert [(str(file.role), file.size, file.made_of) for file in second.files] == [
            ("video", rebuilt.size, ("file-video", "file-2")),
            ("captions", captions.size, ("file-captions",)),
        ]
        assert {one.stored for one in second.cloud} == {file.name for file in second.files}
        assert destination.verify(second).safe
        assert destination.find(first.uuid) == second

    @pytest.mark.parametrize("content", [None, VIDEO[:-1], VIDEO + b"\0", b"X" + VIDEO[1:], b""])
    def test_a_file_that_a_person_changed_is_not_safe(
        self, destination: Destination, tmp_path: Path, content: bytes | None
    ) -> None:
        receipt = self.published(destination, an_item(tmp_path / "staging"))
        self.damage(destination, receipt, "video.mp4", content)

        verdict = self.in_a_later_pass(destination).verify(receipt)

        assert (verdict.safe, verdict.removed) == (False, True)
        assert "video.mp4" in verdict.reason

    def test_what_a_person_removed_stays_removed(self, destination: Destination, tmp_path: Path) -> None:
        receipt = self.published(destination, an_item(tmp_path / "staging"))
        self.remove_item(destination, receipt)
        later = self.in_a_later_pass(destination)

        with pytest.raises(RemovedByPerson, match="removed") as raised:
            self.published(later, an_item(tmp_path / "staging"), receipt)

        verdict = later.verify(receipt)
        assert raised.value.hint
        assert (verdict.safe, verdict.removed) == (False, True)
        assert later.find(receipt.uuid) is None

    def test_on_a_persons_wish_it_is_published_again(self, destination: Destination, tmp_path: Path) -> None:
        receipt = self.published(destination, an_item(tmp_path / "staging"))
        self.remove_item(destination, receipt)
        later = self.in_a_later_pass(destination)

        again = self.published(later, an_item(tmp_path / "staging"))

        assert [file.sha256 for file in again.files] == [file.sha256 for file in receipt.files]
        assert later.verify(again).safe

    def test_on_a_persons_wish_what_the_state_knows_is_published_again(
        self, destination: Destination, tmp_path: Path
    ) -> None:
        receipt = self.published(destination, an_item(tmp_path / "staging"))
        self.remove_item(destination, receipt)
        later = self.in_a_later_pass(destination)
        author = later.author_for(a_user())

        again = later.publish(an_item(tmp_path / "staging"), author, receipt, requested=True)

        assert [file.sha256 for file in again.files] == [file.sha256 for file in receipt.files]
        assert later.verify(again).safe

    def test_an_item_stays_under_its_author(self, destination: Destination, tmp_path: Path) -> None:
        first = self.published(destination, an_item(tmp_path / "staging"))
        more = without(an_item(tmp_path / "staging", late=LATE), "video", "captions")

        second = destination.publish(more, Author(id="", email=first.author), first)

        assert (second.author, len(second.files)) == (first.author, 3)

    def test_what_is_foreseen_about_an_author_comes_true(self, destination: Destination) -> None:
        foreseen = destination.prospect(a_user())

        assert destination.author_for(a_user()).email == foreseen.email

    def test_a_survey_of_a_fit_destination_refuses_nothing(self, destination: Destination) -> None:
        assert [row for row in destination.survey() if row.result == "refused"] == []

    def test_a_destination_can_be_detached_more_than_once(self, destination: Destination) -> None:
        destination.detach()
        destination.detach()

    def test_an_item_is_never_made_of_what_is_not_there(self, destination: Destination, tmp_path: Path) -> None:
        item = without(an_item(tmp_path / "staging"), "video")

        with pytest.raises(MeetingFailed) as raised:
            self.published(destination, item)

        assert raised.value.hint
        assert destination.find(item.meeting.uuid) is None

    def test_a_receipt_of_another_destination_proves_nothing(self, destination: Destination, tmp_path: Path) -> None:
        receipt = self.published(destination, an_item(tmp_path / "staging"))

        verdict = destination.verify(replace(receipt, destination="elsewhere"))

        assert (verdict.safe, verdict.removed) == (False, False)
