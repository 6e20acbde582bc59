"""Uploads: in blocks, in parallel, resumed where they stopped, begun again where the portal forgot them."""

import hashlib
import json
import os
import tracemalloc
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.vidizmo.portals import Open, Wired
from tests.sandbox.faults import Fault
from tests.sandbox.portal.faults import busy, late, lost_request, on_answer, portal_error
from tests.sandbox.portal.server import Portal
from zoomsync.destinations.vidizmo.client import PortalRefused
from zoomsync.destinations.vidizmo.upload import Note, Uploaded, Uploads
from zoomsync.errors import MeetingFailed, Stopped, Unreachable
from zoomsync.model import ItemFile, Role

SIZE = 10 * 1000 + 17
BLOCK = 1000
BLOCKS = 11


class Desk:
    """Uploads on a portal in blocks of a thousand bytes; `pass_` begins the next one."""

    def __init__(self, site: Wired, folder: Path) -> None:
        self.site = site
        self.portal = site.portal
        self.file = a_file(folder)
        self._made: list[Uploads] = []
        self._ids = count(1)
        self.pass_()

    def pass_(self, *, block_size: int = BLOCK, threads: int = 4) -> "Desk":
        self.portal.forget()
        client = self.site.destination._client
        uploads = Uploads(client, self.site.clock, self.new_id, block_size=block_size, threads=threads)
        self._made.append(uploads)
        return self

    def new_id(self) -> str:
        return f"{next(self._ids):032x}"

    def upload(self) -> Uploaded:
        return self._made[-1].upload(self.file, "video.mp4")

    def forget(self) -> None:
        self._made[-1].forget(self.file)

    def close(self) -> None:
        for one in self._made:
            one.close()

    def sent(self) -> int:
        """Blocks since the pass began."""
        return len(self.portal.calls("upload_block"))

    def assert_arrived(self, done: Uploaded) -> None:
        blob = self.portal.blobs[done.file_guid]
        assert (blob.sha256, blob.size, blob.file_name) == (self.file.sha256, SIZE, done.file_name)


def a_file(folder: Path) -> ItemFile:
    content = b"".join(hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(SIZE // 32 + 1))[:SIZE]
    source = folder / "staged"
    source.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return ItemFile(name="video.mp4", role=Role("video"), made_of=("one",), source=source, size=SIZE, sha256=sha256)


@pytest.fixture
def desk(begin: Open, tmp_path: Path) -> Any:
    made: list[Desk] = []

    def at(**settings: Any) -> Desk:
        made.append(Desk(begin(**settings), tmp_path))
        return made[-1]

    yield at
    for one in made:
        one.close()


def kill_after(portal: Portal, desk: Desk, blocks: int) -> None:
    """The pass is stopped once so many blocks have come."""
    portal.fail(operation="upload_block", skip=blocks - 1, with_=on_answer(desk.site.clock.stop))
    with pytest.raises(Stopped):
        desk.upload()
    portal.heal()
    desk.site.clock._signum = None


def test_a_file_arrives_whole(desk: Any) -> None:
    one = desk()

    one.assert_arrived(one.upload())

    assert [record.operation for record in one.portal.requests if record.operation != "upload_block"] == [
        "upload_start",
        "upload_commit",
    ]
    assert one.sent() == BLOCKS


def test_a_killed_upload_goes_on_where_it_stopped(desk: Any) -> None:
    one = desk()
    kill_after(one.portal, one.pass_(threads=1), 6)

    one.assert_arrived(one.pass_().upload())

    assert one.sent() == BLOCKS - 6
    assert one.portal.calls("upload_start") == []


def test_a_portal_that_lists_no_blocks_is_taken_at_its_earlier_word(desk: Any) -> None:
    one = desk(block_list="unsupported")
    kill_after(one.portal, one.pass_(threads=1), 6)

    one.assert_arrived(one.pass_().upload())

    assert BLOCKS - 6 <= one.sent() <= BLOCKS - 5


def test_a_portal_that_forgot_gets_everything_again(desk: Any) -> None:
    one = desk()
    kill_after(one.portal, one.pass_(threads=1), 6)
    one.portal.forget_uploads()

    one.assert_arrived(one.pass_().upload())

    assert one.sent() == BLOCKS


def test_one_that_forgot_and_lists_nothing_gets_everything_again_at_once(desk: Any) -> None:
    one = desk(block_list="unsupported")
    kill_after(one.portal, one.pass_(threads=1), 6)
    one.portal.forget_uploads()

    one.assert_arrived(one.pass_().upload())


def test_what_was_committed_is_not_sent_again(desk: Any) -> None:
    one = desk()
    first = one.upload()

    assert one.pass_().upload() == first
    assert one.portal.requests == []


def test_what_is_forgotten_after_its_commit_is_sent_again(desk: Any) -> None:
    one = desk()
    first = one.upload()
    one.forget()

    again = one.pass_().upload()

    assert again.file_guid != first.file_guid
    one.assert_arrived(again)


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "ab" * 32},
        {"portal": "https://another.example.org"},
        {"file_name": "another.mp4"},
        {"began": "2026-02-01T00:00:00+00:00"},
        {"began": "2027-01-01T00:00:00+00:00"},
        {"began": "yesterday"},
        {"unknown": 1},
    ],
)
def test_a_note_of_something_else_is_not_gone_on_with(desk: Any, change: dict[str, Any]) -> None:
    one = desk()
    one.upload()
    note = Path(f"{one.file.source}.upload")
    first, rest = note.read_text().split("\n", 1)
    note.write_text(json.dumps({**json.loads(first), **change}) + "\n" + rest)

    one.assert_arrived(one.pass_().upload())

    assert one.sent() == BLOCKS


@pytest.mark.parametrize("text", ["", "{", "[]", "null\n", "{}\n1\n2\n", "\0" * 50, "[" * 100_000])
def test_a_damaged_note_costs_the_upload_and_nothing_else(desk: Any, text: str) -> None:
    one = desk()
    Path(f"{one.file.source}.upload").write_text(text)

    one.assert_arrived(one.upload())


@pytest.mark.timeout(20)
def test_a_pipe_in_the_place_of_the_note_fails_this_file_and_is_not_waited_for(desk: Any) -> None:
    one = desk()
    os.mkfifo(f"{one.file.source}.upload")

    with pytest.raises(MeetingFailed, match="not a regular file") as raised:
        one.upload()

    assert "staging folder" in raised.value.hint


def test_a_torn_line_of_the_note_costs_its_block(desk: Any) -> None:
    one = desk(block_list="unsupported")
    kill_after(one.portal, one.pass_(threads=1), 6)
    note = Path(f"{one.file.source}.upload")
    note.write_text(note.read_text()[:-2])

    reached = Note(one.file.source).read()

    assert reached is not None
    assert len(reached.sent) in (4, 5)
    one.assert_arrived(one.pass_().upload())


def test_blocks_that_the_portal_lost_are_sent_again(desk: Any) -> None:
    one = desk(lost_blocks={2, 7})

    one.assert_arrived(one.upload())

    assert one.sent() == BLOCKS + 2
    assert len(one.portal.calls("upload_commit")) == 2


def test_blocks_out_of_order_are_put_in_order(desk: Any) -> None:
    one = desk()
    one.portal.fail(operation="upload_block", times=2, with_=late(0.1))

    one.assert_arrived(one.upload())


def test_blocks_that_are_too_large_are_halved(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoomsync.destinations.vidizmo.upload.SMALLEST_BLOCK", 100)
    one = desk(largest_block=600)

    one.assert_arrived(one.upload())

    taken = [record for record in one.portal.calls("upload_block") if record.status == 201]
    assert (len(taken), len(one.portal.calls("upload_start"))) == (21, 2)


@pytest.mark.parametrize("fault", [busy(), portal_error(503, "ServiceUnavailableException"), lost_request()])
def test_a_block_that_fails_for_once_is_sent_again(desk: Any, fault: Fault) -> None:
    one = desk()
    one.portal.fail(operation="upload_block", skip=3, with_=fault)

    one.assert_arrived(one.upload())

    assert one.sent() == BLOCKS + 1


def test_a_block_that_fails_for_good_ends_the_upload_and_the_next_pass_goes_on(desk: Any) -> None:
    one = desk()
    one.portal.fail(operation="upload_block", skip=5, times=None, with_=portal_error())
    with pytest.raises(Unreachable, match=r"HTTP 500, InternalServerException \(incident 0badcafe"):
        one.pass_(threads=1).upload()
    one.portal.heal()

    one.assert_arrived(one.pass_().upload())

    assert one.sent() == BLOCKS - 5


def test_a_commit_whose_answer_was_lost_is_no_second_upload(desk: Any) -> None:
    one = desk()
    one.portal.fail(operation="upload_commit", times=None, with_=_answer_lost())
    with suppress(Unreachable):
        one.upload()
    one.portal.heal()

    one.assert_arrived(one.pass_().upload())

    assert one.sent() == 0


def _answer_lost() -> Fault:
    from tests.sandbox.message import Answer, Ending

    return Fault(change=lambda _, __: Answer(stop_after=-1, ending=Ending.RESET))


def test_a_commit_of_another_size_is_refused(desk: Any) -> None:
    one = desk()
    one.portal.fail(operation="upload_commit", times=None, with_=_of_size(SIZE - 1))

    with pytest.raises(MeetingFailed, match=r"upload_commit: video\.mp4: 10016 bytes arrived, 10017 were sent"):
        one.upload()


def _of_size(size: int) -> Fault:
    from tests.sandbox.message import json_answer

    return Fault(change=lambda _, __: json_answer({"fileGuid": "x", "size": size}))


@pytest.mark.parametrize("content", [b"", b"short", b"x" * (SIZE + 1)])
def test_a_file_that_is_not_as_it_was_proven_is_not_sent(desk: Any, content: bytes) -> None:
    one = desk()
    one.file.source.write_bytes(content)

    with pytest.raises(MeetingFailed, match="not in staging as it was proven"):
        one.upload()

    assert one.portal.requests == []


def test_a_file_that_is_kept_has_nothing_to_be_sent(desk: Any) -> None:
    one = desk()
    one.file = replace(one.file, source=None)

    with pytest.raises(MeetingFailed, match="not in staging"):
        one.upload()


def test_what_is_refused_for_good_is_reported_and_forgotten(desk: Any) -> None:
    one = desk()
    one.portal.fail(operation="upload_commit", times=None, with_=portal_error(400, "VirusFoundException"))

    with pytest.raises(PortalRefused, match="portal: upload_commit: HTTP 400, VirusFoundException"):
        one.upload()

    assert not Path(f"{one.file.source}.upload").exists()


def test_a_large_file_costs_no_more_memory_than_its_blocks_in_flight(begin: Open, tmp_path: Path) -> None:
    site = begin()
    source = tmp_path / "large"
    with source.open("wb") as file:
        file.truncate(48 << 20)
    whole = ItemFile(name="v", role=Role("video"), made_of=("1",), source=source, size=48 << 20, sha256="0" * 64)
    site.portal.fail(operation="upload_block", times=None, with_=_swallow())
    site.portal.fail(operation="upload_commit", times=None, with_=_of_size(48 << 20))
    uploads = Uploads(site.destination._client, site.clock, lambda: "f" * 32, block_size=1 << 20, threads=2)

    tracemalloc.start()
    uploads.upload(whole, "v.mp4")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    uploads.close()

    assert peak < 16 << 20


def _swallow() -> Fault:
    from tests.sandbox.message import Answer

    return Fault(instead=lambda _: Answer(status=201))


def test_an_old_upload_is_begun_again(desk: Any) -> None:
    one = desk()
    kill_after(one.portal, one.pass_(threads=1), 6)
    one.site.clock.advance(timedelta(days=8).total_seconds())

    one.assert_arrived(one.pass_().upload())

    assert one.sent() == BLOCKS
