"""A remote as a destination, over a folder of this machine, which rclone reads and writes like any store."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import (
    LATE,
    VIDEO,
    DestinationContract,
    Journal,
    a_context,
    a_staged,
    an_attachment,
    an_item,
    with_files,
    without,
)
from tests.destinations.library.test_destination import unattached as a_folder
from tests.destinations.rclone.stores import (
    Gate,
    Server,
    Shared,
    a_remote,
    modes_count,
    on_server,
    reply,
    served,
    unattached,
)
from tests.destinations.rclone.test_stores import publish
from tests.fakes import a_meeting, a_user
from zoomsync.destinations.rclone.client import Answer, Client
from zoomsync.destinations.rclone.destination import RcloneDestination
from zoomsync.errors import Forbidden, MeetingFailed, RemovedByPerson, ServiceUnavailable, Unreachable
from zoomsync.files import DOCUMENT_LIMIT
from zoomsync.model import Receipt


class TestRemoteAsDestination(DestinationContract):
    @pytest.fixture(params=["hash", "download"])
    def destination(self, request: pytest.FixtureRequest, rclone: Shared, tmp_path: Path) -> RcloneDestination:
        self.rclone, self.verify = rclone, request.param
        self.root = tmp_path / "remote"
        self.name = rclone.add(type="alias", remote=str(self.root))
        return a_remote(rclone, f"{self.name}:", a_context(me="media@example.org"), verify=self.verify)

    def in_a_later_pass(self, destination: Any) -> RcloneDestination:
        destination.detach()
        return a_remote(self.rclone, f"{self.name}:", number=2, verify=self.verify)

    def remove_item(self, destination: Any, receipt: Receipt) -> None:
        del destination
        shutil.rmtree(self.root / receipt.place)

    def damage(self, destination: Any, receipt: Receipt, name: str, content: bytes | None) -> None:
        del destination
        path = self.root / receipt.place / name
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the remote lies."""
    return tmp_path / "remote"


@pytest.fixture
def where(rclone: Shared, root: Path) -> str:
    return f"{rclone.add(type='alias', remote=str(root))}:"


def names(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


def marked(root: Path) -> str:
    """The state that the remote belongs to, as its marker says."""
    return str(json.loads((root / ".zoomsync" / "library.json").read_bytes())["state"])


ADOPTING: dict[str, Any] = {"state_id": "state-2", "run": "run-x", "runs": frozenset({"run-x"}), "adopt": True}


def folders(root: Path) -> set[str]:
    return {str(one.relative_to(root)) for one in root.rglob("*") if one.is_dir()}


@pytest.mark.parametrize("before", ["", "there", "there/zoom/.zoomsync"])
def test_a_probe_leaves_what_was_there_and_nothing_else(rclone: Shared, tmp_path: Path, before: str) -> None:
    (tmp_path / "nas" / before).mkdir(parents=True)
    there = folders(tmp_path / "nas")
    name = rclone.add(type="alias", remote=str(tmp_path / "nas"))
    destination = unattached(rclone, f"{name}:there/zoom")
    destination.attach(an_attachment(dry_run=True))

    assert destination.check().endswith("written and read back: new")
    assert folders(tmp_path / "nas") == there


def test_a_probe_needs_no_right_above_the_remote(rclone: Shared, tmp_path: Path) -> None:
    (tmp_path / "nas/there").mkdir(parents=True)
    gate = Gate(served(rclone, "webdav", tmp_path / "nas"))
    destination = unattached(rclone, on_server(rclone, Server(gate.address), "webdav").replace("zoom", "there/zoom"))
    destination.attach(an_attachment(dry_run=True))
    gate.replies = {"PROPFIND /there/ ": reply(403)}

    assert destination.check().endswith("written and read back: new")
    assert folders(tmp_path / "nas") == {"there"}
    gate.close()


def test_a_library_that_was_copied_to_a_remote_is_adopted_there(
    rclone: Shared, where: str, root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    library = a_folder(tmp_path / "library")
    library.attach(an_attachment())
    stored = library.publish(an_item(tmp_path / "staging"), library.author_for(a_user()), None)
    library.detach()
    shutil.copytree(tmp_path / "library", root)
    before = names(root)

    planned = unattached(rclone, where)
    planned.attach(an_attachment(**ADOPTING, dry_run=True))
    planned.ping()
    remote, told = unattached(rclone, where), list[tuple[str, bool]]()
    with caplog.at_level("INFO"):
        remote.attach(an_attachment(**ADOPTING, adopting=lambda id_: told.append((id_, marked(root) == "state-1"))))
    found = remote.find(stored.uuid)
    known, till = remote.everything()
    again = publish(remote, an_item(tmp_path / "staging"))

    assert known == (stored, {"uuid": stored.uuid, "topic": a_meeting().topic})
    assert (isinstance(till, str), list(remote.everything(str(till)))) == (True, [])
    assert told == [(stored.destination, True)]
    assert "1 item found, the oldest of 2026-03-01 10-30" in caplog.text
    assert found == again == stored
    assert remote.verify(again).safe
    assert [one for one in names(root) if one not in before] == [".zoomsync/inherited.txt"]


@pytest.fixture
def gate(rclone: Shared, root: Path) -> Iterator[Gate]:
    """Before a WebDAV that serves that folder."""
    gate = Gate(served(rclone, "webdav", root))
    yield gate
    gate.close()


def test_of_all_items_each_that_cannot_be_read_says_why(rclone: Shared, gate: Gate, root: Path, tmp_path: Path) -> None:
    for name in ("cut", "large", "refused"):
        (root / "zoom" / "published" / f"{name} [00000000]").mkdir(parents=True)
        (root / "zoom" / "published" / f"{name} [00000000]" / "recording.json").touch()
    os.truncate(root / "zoom" / "published" / "large [00000000]" / "recording.json", DOCUMENT_LIMIT + 1)
    gate.replies = {"^GET .*refused.*recording.json": reply(403), "^GET .*cut.*recording.json": b""}
    remote = a_remote(rclone, on_server(rclone, Server(gate.address), "webdav"))
    stored = publish(remote, an_item(tmp_path / "staging"))

    found = [one for one in remote.everything() if not isinstance(one, str)]
    whole, *others = sorted(found, key=lambda item: (not isinstance(item, tuple), str(item)))

    assert whole == (stored, {"uuid": stored.uuid, "topic": a_meeting().topic})
    assert [type(one) for one in others] == [ServiceUnavailable, Unreachable, Forbidden]
    said = ("large .*recording.json: larger than", "cut .*recording.json: .*EOF", "refused .*recording.json: .*403")
    assert [bool(re.search(wanted, str(one))) for wanted, one in zip(said, others, strict=True)] == [True] * 3


counts_modes = pytest.mark.skipif(not modes_count(), reason="no mode closes a folder to root")


@counts_modes
@pytest.mark.parametrize("mode", [0o311, 0o444], ids=["no list of it", "names alone"])
@pytest.mark.parametrize("closed", ["published/archive", "published/archive/of/old/years"])
def test_a_list_that_lacks_what_a_folder_of_this_machine_hides_is_none(
    rclone: Shared, where: str, root: Path, tmp_path: Path, closed: str, mode: int
) -> None:
    first = a_remote(rclone, where)
    stored = publish(first, an_item(tmp_path / "staging"))
    moved = root / "published/archive/of/old/years/Mine [0300a520]"
    moved.parent.mkdir(parents=True)
    (root / stored.place).rename(moved)
    first.detach()
    later, other = a_remote(rclone, where, number=2), unattached(rclone, where)

    (root / closed).chmod(mode)
    try:
        with pytest.raises(Forbidden, match=rf'"[^"]*{closed}.*permission denied') as refused:
            other.attach(an_attachment(**ADOPTING))
        for question in (lambda: later.find(stored.uuid, stored), lambda: later.verify(stored)):
            with pytest.raises(Forbidden, match="permission denied"):
                question()
    finally:
        (root / closed).chmod(0o755)

    assert "list, read" in refused.value.hint
    assert marked(root) == "state-1"
    assert later.find(stored.uuid, stored) is not None


@counts_modes
def test_a_root_that_cannot_be_listed_is_not_one_whose_folders_are_gone(rclone: Shared, where: str, root: Path) -> None:
    a_remote(rclone, where).detach()
    (root / "published").mkdir()

    root.chmod(0o311)
    try:
        with pytest.raises(Forbidden, match="failed to open directory"):
            unattached(rclone, where).attach(an_attachment(2, has_items=True))
    finally:
        root.chmod(0o755)


def test_a_document_that_is_there_and_refused_is_never_taken_for_gone(
    rclone: Shared, gate: Gate, root: Path, tmp_path: Path
) -> None:
    where = on_server(rclone, Server(gate.address), "webdav")
    first = a_remote(rclone, where)
    stored = publish(first, an_item(tmp_path / "staging"))
    first.detach()
    gate.replies = {"^GET .*library.json": reply(403)}

    with pytest.raises(Forbidden, match="403"):
        unattached(rclone, where).attach(an_attachment(state_id="state-2"))
    gate.replies = {"^GET .*recording.json": reply(403)}
    with pytest.raises(Forbidden, match="403"):
        publish(a_remote(rclone, where), an_item(tmp_path / "staging"))

    videos = [str(one.parent.relative_to(root / "zoom")) for one in root.rglob("video.mp4")]
    assert videos == [stored.place]


def test_a_remote_that_was_copied_to_a_folder_is_a_library(
    rclone: Shared, where: str, root: Path, tmp_path: Path
) -> None:
    remote = a_remote(rclone, where)
    stored = publish(remote, an_item(tmp_path / "staging"))
    remote.detach()
    shutil.copytree(root, tmp_path / "library")

    library = a_folder(tmp_path / "library")
    library.attach(an_attachment(**ADOPTING))

    assert library.find(stored.uuid) == stored
    assert library.verify(stored).safe
    library.detach()


def test_what_was_adopted_is_found_in_later_passes_too_without_listing_all(
    rclone: Shared, where: str, root: Path, tmp_path: Path
) -> None:
    first = a_remote(rclone, where)
    stored = publish(first, an_item(tmp_path / "staging"))
    first.detach()
    adopting = unattached(rclone, where)
    adopting.attach(an_attachment(**ADOPTING))
    publish(adopting, an_item(tmp_path / "staging", a_meeting(uuid="new==", files=())))
    adopting.detach()
    (root / stored.place).rename((root / stored.place).with_name("renamed by a person [0300a520]"))

    later = unattached(rclone, where)
    runs = frozenset({"run-x"})
    later.attach(an_attachment(2, state_id="state-2", known_pass=1, runs=runs, ended=runs))

    assert later.find(stored.uuid) is not None
    assert later.find("never==") is None


def test_all_is_listed_one_year_of_one_author_at_a_time(
    rclone: Shared, where: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [f"published/{author}/{year}/An item [0300a520]" for author in ("ada", "bob") for year in (2025, 2026)]
    for place in places:
        (root / place).mkdir(parents=True)
        (root / place / "recording.json").write_text("{}")
    call, deep = Client.call, list[str]()

    def noted(self: Client, path: str, **parameters: Any) -> Answer:
        deep.extend([parameters["remote"]] if parameters.get("opt", {}).get("recurse") else [])
        return call(self, path, **parameters)

    monkeypatch.setattr(Client, "call", noted)

    assert sorted(unattached(rclone, where)._items.places()) == places
    assert sorted(deep) == [place.rpartition("/")[0] for place in places]


@pytest.mark.parametrize("times", [2, 3])
def test_a_list_that_breaks_as_a_folder_vanishes_is_not_an_empty_one(
    rclone: Shared, gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    where = on_server(rclone, Server(gate.address), "webdav")
    first, item = a_remote(rclone, where), an_item(tmp_path / "staging")
    stored = publish(first, with_files(item.meeting, [replace(item.files[0], name="segments/1.mp4")]))
    call, broken = Client.call, list[str]()

    def watched(self: Client, path: str, **parameters: Any) -> Answer:
        answer = call(self, path, **parameters)
        if parameters.get("opt", {}).get("recurse"):
            broken.append(parameters["remote"])
            if len(broken) == times:
                gate.replies = {}
        return answer

    def seen(vanished: str, look: Any) -> Any:
        gate.replies = {f"^PROPFIND .*{vanished}/$": reply(404)}
        broken.clear()
        try:
            return look()
        except ServiceUnavailable as error:
            return str(error).removeprefix(first.remote.fs), len(broken)

    monkeypatch.setattr(Client, "call", watched)

    year = stored.place.rpartition("/")[0]
    assert seen("0300a520[^/]*", lambda: [*unattached(rclone, where)._items.places()]) == (
        [stored.place] if times == 2 else (f"{year}: changed while it was listed", 3)
    )
    assert seen("segments", lambda: first.verify(stored).safe) == (
        True if times == 2 else (f"{stored.place}: changed while it was listed", 3)
    )


@pytest.mark.parametrize("kind", ["alias", "memory"])
@pytest.mark.parametrize("moved", ["ada@example.org", "ada@example.org/2026"])
def test_a_folder_that_is_renamed_before_it_is_listed_is_found_by_its_new_name(
    rclone: Shared, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, moved: str
) -> None:
    options = {"remote": str(root)} if kind == "alias" else {}
    where = f"{rclone.add(type=kind, **options)}:{tmp_path.name}"
    stored = publish(a_remote(rclone, where), an_item(tmp_path / "staging"))
    call, place = Client.call, f"published/{moved}"

    def moving(self: Client, path: str, **parameters: Any) -> Answer:
        if parameters.get("remote") == place:
            monkeypatch.setattr(Client, "call", call)
            fs = f"{where}/{place}"
            assert call(self, "sync/move", srcFs=fs, dstFs=f"{fs} retired", deleteEmptySrcDirs=True).is_good
        return call(self, path, **parameters)

    monkeypatch.setattr(Client, "call", moving)

    assert [*unattached(rclone, where)._items.places()] == [stored.place.replace(place, f"{place} retired")]


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("folder", ["ada@example.org/2026/Retitled", "Mine", "mine/of old/years/and deep"])
def test_an_item_that_a_person_renamed_published_or_moved_is_found(
    rclone: Shared, where: str, root: Path, tmp_path: Path, folder: str, number: int
) -> None:
    first = a_remote(rclone, where)
    draft = publish(first, an_item(tmp_path / "staging", draft=True))
    if number == 2:
        first.detach()
        first = unattached(rclone, where)
        first.attach(an_attachment(2, known_pass=1, ended=frozenset({"run-1"})))
    place = f"published/{folder} [0300a520]"
    (root / place).parent.mkdir(parents=True)
    (root / draft.place).rename(root / place)

    found = first.find(draft.uuid, draft)
    more = without(an_item(tmp_path / "staging", late=LATE), "video", "captions")
    grown = publish(first, more, draft)

    assert found is not None
    assert (found.place, grown.place) == (place, place)
    assert (root / place / "chat.txt").read_bytes() == LATE
    is_listed = first._items._places is not None
    assert is_listed == (number == 1 or "Retitled" not in folder)


def test_an_item_whose_document_is_gone_is_nobodys_guess(
    rclone: Shared, where: str, root: Path, tmp_path: Path
) -> None:
    destination = a_remote(rclone, where)
    receipt = publish(destination, an_item(tmp_path / "staging"))
    (root / receipt.place / "recording.json").unlink()

    with pytest.raises(MeetingFailed, match="missing") as raised:
        publish(destination, an_item(tmp_path / "staging"), receipt)

    assert raised.value.hint
    assert raised.value.service == "remote"
    assert "missing" in destination.verify(receipt).reason


def test_what_a_person_put_into_an_item_keeps_its_name_and_its_bytes(
    rclone: Shared, where: str, root: Path, tmp_path: Path
) -> None:
    destination = a_remote(rclone, where)
    first = publish(destination, an_item(tmp_path / "staging"))
    (root / first.place / "Chat.TXT").write_text("notes of a person")  # on some stores the same file as chat.txt
    (root / first.place / "Re\u0301union.vtt").write_text("as a Mac writes it")
    (root / first.place / "video.v2.mp4").write_text("a person's, too")
    video = a_staged(tmp_path / "staging", "video.mp4", VIDEO * 2, made_of=("file-video", "file-2"))
    chat = a_staged(tmp_path / "staging", "chat.txt", LATE)
    more = a_staged(tmp_path / "staging", "R\u00e9union.vtt", LATE, role="segments/1 captions")

    second = publish(destination, with_files(a_meeting(files=()), [video, chat, more]), first)

    assert [file.name for file in second.files] == ["video.v3.mp4", "chat.v2.txt", "R\u00e9union.v2.vtt"]
    assert (root / first.place / "Chat.TXT").read_text() == "notes of a person"
    assert (root / first.place / "video.v2.mp4").read_text() == "a person's, too"
    assert not (root / first.place / "video.mp4").exists()


def test_an_old_file_that_a_person_changed_stays(rclone: Shared, where: str, root: Path, tmp_path: Path) -> None:
    destination = a_remote(rclone, where)
    first = publish(destination, an_item(tmp_path / "staging"))
    (root / first.place / "video.mp4").write_bytes(b"!" * len(VIDEO))
    video = a_staged(tmp_path / "staging", "video.mp4", VIDEO * 2, made_of=("file-video", "file-2"))

    publish(destination, with_files(a_meeting(files=()), [video]), first)

    assert (root / first.place / "video.mp4").read_bytes() == b"!" * len(VIDEO)


def test_a_folder_in_the_way_is_left_alone(rclone: Shared, where: str, root: Path, tmp_path: Path) -> None:
    taken = root / "published/ada@example.org/2026/2026-03-01 10-30 Weekly planning [0300a520]"
    taken.mkdir(parents=True)
    (taken / "notes.txt").write_text("a person's")

    receipt = publish(a_remote(rclone, where), an_item(tmp_path / "staging"))

    assert receipt.place.endswith("Weekly planning (2) [0300a520]")
    assert names(taken) == ["notes.txt"]


def test_what_is_half_there_shows_to_nobody(rclone: Shared, where: str, root: Path, tmp_path: Path) -> None:
    journal = Journal()
    destination = a_remote(rclone, where, a_context(intents=journal))
    item = an_item(tmp_path / "staging")
    assert item.files[1].source is not None
    item.files[1].source.write_bytes(b"?" * item.files[1].size)
    with pytest.raises(MeetingFailed, match="changed in staging"):
        publish(destination, item)
    half = names(root / "published")
    (root / "published" / half[0]).with_name("captions.vtt.0123abcd.partial").write_text("cut")
    notes = (root / "published" / half[0]).with_name("chat.txt")
    notes.write_text("a person's")

    receipt = publish(destination, an_item(tmp_path / "staging", late=LATE))

    assert [one.rpartition("/")[2] for one in half] == ["video.mp4"]
    assert [one.rpartition("/")[2] for one in names(root / "published")] == [
        "captions.vtt",
        "chat.txt",
        "chat.v2.txt",
        "recording.json",
        "video.mp4",
    ]
    assert notes.read_text() == "a person's"
    assert receipt.place.endswith("Weekly planning [0300a520]")
    assert journal.open == {}


def test_an_altered_item_of_which_the_state_knows_is_left_alone(
    rclone: Shared, where: str, root: Path, tmp_path: Path
) -> None:
    destination = a_remote(rclone, where)
    receipt = publish(destination, an_item(tmp_path / "staging"))
    (root / receipt.place / "captions.vtt").write_text("mine")

    with pytest.raises(RemovedByPerson, match=r"captions\.vtt: removed or changed"):
        publish(destination, an_item(tmp_path / "staging", late=LATE), receipt)

    assert (root / receipt.place / "captions.vtt").read_text() == "mine"


@dataclass(frozen=True, kw_only=True)
class Late(Client):
    """Its lists lack what was stored a moment ago."""

    def _request(self, method: str, path: str, *others: Any) -> Answer:
        answer = super()._request(method, path, *others)
        if path != "/operations/list":
            return answer
        left = [one for one in answer.document["list"] if one["Name"] != "video.mp4"]
        return replace(answer, body=json.dumps({"list": left}).encode())


def test_a_list_that_is_late_is_no_persons_deed(rclone: Shared, where: str, tmp_path: Path) -> None:
    destination = a_remote(rclone, where)
    receipt = publish(destination, an_item(tmp_path / "staging"))
    client = destination.remote.client
    destination.remote.client = Late(rclone=client.rclone, clock=client.clock)

    verdict = destination.verify(receipt)
    grown = publish(destination, an_item(tmp_path / "staging", late=LATE), receipt)

    assert (verdict.safe, verdict.removed) == (True, False)
    assert [file.name for file in grown.files] == ["video.mp4", "captions.vtt", "chat.txt"]


@dataclass(frozen=True, kw_only=True)
class Cold(Client):
    """Its documents lie in cold storage."""

    def get(self, path: str) -> Answer:
        return Answer(status=500, body=json.dumps({"error": f"{path}: api error InvalidObjectState: no"}).encode())


def test_what_lies_in_cold_storage_cannot_be_read_now_and_is_no_damage(
    rclone: Shared, where: str, tmp_path: Path
) -> None:
    destination = a_remote(rclone, where)
    receipt = publish(destination, an_item(tmp_path / "staging"))
    client = destination.remote.client
    destination.remote.client = Cold(rclone=client.rclone, clock=client.clock)

    verdict = destination.verify(receipt)

    assert (verdict.safe, verdict.removed, verdict.unread) == (False, False, True)


def test_a_config_with_credentials_that_others_can_read_is_warned_of(rclone: Shared, where: str) -> None:
    destination = a_remote(rclone, where)
    rclone.config.chmod(0o644)
    said = [(row.result, row.message) for row in destination.survey()][3:]
    rclone.config.chmod(0o600)

    assert said == [("unchecked", f"{rclone.config}: others may read it, and it holds credentials")]
    assert len(list(destination.survey())) == 3
