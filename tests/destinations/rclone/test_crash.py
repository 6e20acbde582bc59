"""Killed before or after any request to rclone and run again, passes end in the same remote as undisturbed ones."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import CAPTIONS, LATE, VIDEO, Journal, a_context, a_staged, an_attachment, with_files
from tests.destinations.rclone.stores import Gate, Server, Shared, on_server, reply, served, unattached
from tests.destinations.rclone.test_stores import publish
from tests.fakes import NOW, FakeClock, a_meeting
from zoomsync.destinations.rclone.client import Answer, Client
from zoomsync.destinations.rclone.writer import ACTION
from zoomsync.errors import Unfit, Unreachable
from zoomsync.model import Item, Receipt


class Killed(BaseException):
    """The process is gone; no handler runs."""


@dataclass
class Fate:
    """When the one kill comes."""

    at: int
    is_answered: bool = False
    """Whether rclone does what it was asked for, and nobody hears of it."""
    count: int = 0
    is_dead: bool = field(default=False)


@dataclass(frozen=True, kw_only=True)
class Mortal(Client):
    """Its requests are counted, and at one of them it dies; a dead one does nothing any more."""

    fate: Fate

    def _request(self, method: str, path: str, *others: Any) -> Answer:
        if self.fate.is_dead:
            raise Killed
        self.fate.count += 1
        self.fate.is_dead = self.fate.count == self.fate.at
        if self.fate.is_dead and not self.fate.is_answered:
            raise Killed
        answer = super()._request(method, path, *others)
        if self.fate.is_dead:
            raise Killed
        return answer


def begun(staging: Path) -> Item:
    """What a first pass finds."""
    originals = [a_staged(staging, "segments/1 chat.txt", LATE, role="segments/1 chat")]
    files = [a_staged(staging, "video.mp4", VIDEO), a_staged(staging, "captions.vtt", CAPTIONS), *originals]
    return with_files(a_meeting(files=()), files)


def grown(staging: Path) -> Item:
    """What a later pass makes of it: another video, one more file, another original; the captions stay."""
    video = a_staged(staging, "video.mp4", VIDEO * 2, made_of=("file-video", "file-2"))
    original = a_staged(staging, "segments/1 chat.txt", LATE * 2, role="segments/1 chat")
    kept = a_staged(staging, "captions.vtt", CAPTIONS, source=None)
    return with_files(a_meeting(files=()), [video, kept, original, a_staged(staging, "chat.txt", LATE)])


def live(rclone: Shared, folder: Path, fate: Fate, verify: str) -> tuple[Receipt, dict[str, bytes], Journal]:
    """Two passes, and one more after a kill; what the last receipt is, and what lies in the remote."""
    where, journal, number = f"{rclone.add(type='alias', remote=str(folder / 'remote'))}:", Journal(), 0
    receipt: Receipt | None = None
    known: dict[str, Any] = {"known_id": None}
    chapters: list[Callable[[Path], Item]] = [begun, grown]
    while chapters:
        number += 1
        destination = unattached(rclone, where, a_context(intents=journal), verify=verify)
        if not fate.is_dead:
            destination.remote.client = Mortal(rclone=rclone.process, clock=destination._clock, fate=fate)
        try:
            destination.attach(an_attachment(number, **known))
            known = {"known_id": destination.id, "known_pass": destination.last_change[0]}
            receipt = publish(destination, chapters[0](folder / "staging"), receipt)
            destination.detach()
        except Killed:
            continue
        chapters.pop(0)
    last = unattached(rclone, where, a_context(intents=journal), verify=verify)
    last.attach(an_attachment(number + 1))
    assert receipt is not None
    assert last.verify(receipt).safe
    last.detach()
    return receipt, content(folder / "remote"), journal


def content(root: Path) -> dict[str, bytes]:
    """All but what is zoomsync's own."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    found = {str(path.relative_to(root)): path.read_bytes() for path in files}
    return {name: data for name, data in found.items() if not name.startswith(".zoomsync/")}


@dataclass(frozen=True, kw_only=True)
class Sick(Client):
    """Of one thing the store does what it is asked for, or nothing (`is_deaf`), and always answers that it failed."""

    word: str
    is_deaf: bool = False

    def _request(self, method: str, path: str, body: bytes, *others: Any) -> Answer:
        is_it = self.word.encode() in path.encode() + body and "stats" not in path
        if is_it and self.is_deaf:
            return Answer(status=500, body=json.dumps({"error": "nobody knows why"}).encode())
        answer = super()._request(method, path, body, *others)
        return Answer(status=500, body=b'{"error": "EOF"}') if is_it and "copyfile" in path else answer


def sick(destination: Any, word: str, *, is_deaf: bool = False) -> None:
    client = destination.remote.client
    destination.remote.client = Sick(rclone=client.rclone, clock=client.clock, word=word, is_deaf=is_deaf)


def left_half(rclone: Shared, tmp_path: Path, word: str) -> tuple[str, Journal]:
    """A remote in which a pass has ended without an answer for what has this in its name; where, and what it began."""
    where, journal = f"{rclone.add(type='alias', remote=str(tmp_path / 'remote'))}:", Journal()
    first = unattached(rclone, where, a_context(intents=journal))
    first.attach(an_attachment())
    sick(first, word)
    with pytest.raises(Unreachable):
        publish(first, begun(tmp_path / "staging"))
    first.detach()
    return where, journal


ENDED = frozenset({"run-1"})


@pytest.mark.parametrize("word", ["recording.json", "segments"])
def test_what_was_stored_without_an_answer_is_found_where_a_person_moved_it(
    rclone: Shared, tmp_path: Path, word: str
) -> None:
    where, journal = left_half(rclone, tmp_path, word)
    (folder,) = (tmp_path / "remote/published").glob("*/*/*")
    folder.rename(tmp_path / "remote/published" / folder.name)

    second = unattached(rclone, where, a_context(intents=journal))
    second.attach(an_attachment(2, known_pass=1, ended=ENDED))
    second.detach()
    third = unattached(rclone, where, a_context(intents=journal))
    third.attach(an_attachment(3, known_pass=second.last_change[0], ended=ENDED | {"run-2"}))
    publish(third, begun(tmp_path / "staging"))
    third.detach()

    assert len([one for one in content(tmp_path / "remote") if one.endswith("recording.json")]) == 1
    assert second._items._places is None  # nothing was listed for it
    assert (tmp_path / "remote/.zoomsync/inherited.txt").exists() == (word == "recording.json")


def test_what_turns_out_late_to_be_stored_keeps_no_pass_from_giving_the_remote_back(
    rclone: Shared, tmp_path: Path
) -> None:
    where, journal = left_half(rclone, tmp_path, "recording.json")
    (tmp_path / "remote/.zoomsync/inherited.txt").write_text("ffffffff\n")
    clock = FakeClock()
    second = unattached(rclone, where, a_context(intents=journal, clock=clock))
    client = second.remote.client
    sick(second, "0300a520", is_deaf=True)
    second.attach(an_attachment(2, known_pass=1, ended=ENDED))
    publish(second, replace(begun(tmp_path / "staging"), meeting=a_meeting(uuid="other==", files=()), folder="Other"))
    second.remote.client = client
    publish(second, begun(tmp_path / "staging"))
    second._lease.note_all = clock.check  # a list of all takes longer than there is time

    clock.stop()
    second.detach()

    marker = json.loads((tmp_path / "remote/.zoomsync/library.json").read_text())
    assert (marker["run"], "held_till" in marker) == ("run-2", False)
    assert (tmp_path / "remote/.zoomsync/inherited.txt").read_text() == "ffffffff\n0300a520\n"


def test_what_was_stored_without_an_answer_is_found_under_another_topic(rclone: Shared, tmp_path: Path) -> None:
    where, journal = left_half(rclone, tmp_path, "recording.json")

    second = unattached(rclone, where, a_context(intents=journal))
    second.attach(an_attachment(2, known_pass=1, ended=ENDED))
    second.detach()  # killed, or over, before this meeting had its turn
    third = unattached(rclone, where, a_context(intents=journal))
    third.attach(an_attachment(3, known_pass=2, ended=ENDED | {"run-2"}))
    publish(third, replace(begun(tmp_path / "staging"), folder="2026-03-01 10-30 Renamed"))
    third.detach()

    assert len([one for one in content(tmp_path / "remote") if one.endswith("recording.json")]) == 1


def test_what_was_half_sent_under_another_topic_goes(rclone: Shared, tmp_path: Path) -> None:
    where, journal = left_half(rclone, tmp_path, "segments")
    (half,) = {one.rpartition("/segments")[0] for one in content(tmp_path / "remote") if "segments" in one}

    second = unattached(rclone, where, a_context(intents=journal))
    second.attach(an_attachment(2, known_pass=1, ended=ENDED))
    stored = publish(second, replace(begun(tmp_path / "staging"), folder="2026-03-01 10-30 Renamed"))
    second.detach()

    assert "Renamed" in stored.place
    assert not (tmp_path / "remote" / half).exists()
    assert {one.startswith(stored.place) for one in content(tmp_path / "remote")} == {True}
    assert journal.open == {}


@pytest.mark.parametrize("days", [1, 61])
def test_a_change_that_was_begun_costs_no_other_meeting_and_is_not_asked_about_for_ever(
    rclone: Shared, tmp_path: Path, days: int
) -> None:
    where, journal = f"{rclone.add(type='alias', remote=str(tmp_path / 'remote'))}:", Journal()
    first = unattached(rclone, where, a_context(intents=journal))
    first.attach(an_attachment())
    sick(first, "captions.vtt")
    with pytest.raises(Unreachable):
        publish(first, begun(tmp_path / "staging"))
    first.detach()
    left = content(tmp_path / "remote")

    clock = FakeClock(NOW + timedelta(days=days))
    second = unattached(rclone, where, a_context(intents=journal, clock=clock))
    sick(second, "0300a520", is_deaf=True)
    second.attach(an_attachment(2, known_pass=1, ended=ENDED))
    publish(second, replace(begun(tmp_path / "staging"), meeting=a_meeting(uuid="other==", files=()), folder="Other"))
    second.detach()
    third = unattached(rclone, where, a_context(intents=journal, clock=clock))
    third.attach(an_attachment(3, known_pass=2, ended=ENDED | {"run-2"}))

    assert len(journal.open) == (days < 60)
    assert left.items() <= content(tmp_path / "remote").items()


def test_a_full_store_ends_no_pass_over_what_an_earlier_one_completed(rclone: Shared, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    gate, journal = Gate(served(rclone, "webdav", tmp_path / "store")), Journal()
    where = on_server(rclone, Server(gate.address), "webdav")
    first = unattached(rclone, where, a_context(intents=journal))
    first.attach(an_attachment())
    sick(first, "recording.json")
    with pytest.raises(Unreachable):
        publish(first, begun(tmp_path / "staging"))
    first.detach()
    gate.replies["PUT"] = reply(507)

    second = unattached(rclone, where, a_context(intents=journal))
    second.attach(an_attachment(2, known_pass=1, ended=ENDED))
    found = second.find("/abc//DEF+ghi==")
    with pytest.raises(Unfit):
        publish(second, begun(tmp_path / "staging"))
    gate.close()

    assert found is not None
    assert second.verify(found).safe


def lives_on(rclone: Shared, folder: Path, verify: str, step: int) -> None:
    """A life for each `step`-th request, killed there: once before it and once after; by turns, if some do."""
    whole = Fate(at=-1)
    _, wanted, _ = live(rclone, folder / "undisturbed", whole, verify)
    assert whole.count > 30
    for number, at in enumerate(range(1 + step // 2, whole.count + 1, step)):
        for is_answered in (False, True) if step == 1 else (number % 2 == 1,):
            receipt, found, journal = live(rclone, folder / "life", Fate(at=at, is_answered=is_answered), verify)
            assert found == wanted, (at, is_answered)
            assert [one for one in journal.open.values() if one.action == ACTION] == [], (at, is_answered)
            assert [file.name for file in receipt.files] == [
                "video.v2.mp4",
                "captions.vtt",
                "segments/1 chat.v2.txt",
                "chat.txt",
            ]
            shutil.rmtree(folder / "life")


def test_killed_at_some_requests_all_is_there_once(rclone: Shared, tmp_path: Path) -> None:
    lives_on(rclone, tmp_path, "hash", step=17)


@pytest.mark.soak
@pytest.mark.parametrize("verify", ["hash", "download"])
def test_killed_at_any_request_all_is_there_once(rclone: Shared, tmp_path: Path, verify: str) -> None:
    lives_on(rclone, tmp_path, verify, step=1)
