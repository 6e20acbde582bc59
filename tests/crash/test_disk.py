"""A disk that is full, wherever: an error with its remedy, exit 5, and the next pass with room completes all."""

import errno
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.crash.place import Kill, Place, ended, serving
from tests.crash.tools import PROVING, STITCHING, fake_tools
from tests.sandbox import texts
from tests.sandbox.stage import Stage
from tests.sandbox.world import World
from tests.sandbox.worlds import empty_world
from zoomsync.state import audit

NOW = datetime.now(UTC)
DELETING = {"delete_recordings": "trash", "delete_after": "0s", "delete_all_accounts": True}
FULL = "no space left"


def an_account() -> World:
    stage = Stage(empty_world(NOW))
    stage.meeting("pair", "alice", 8, "Two segments")  # the oldest: one worker comes to it last
    for number, at in ((1, 0), (2, 60)):
        stage.video("pair", number, at=at)
        long = texts.captions(number, 4000)  # joined, more than the video leaves behind when it is made
        stage.file("pair", long, "TRANSCRIPT", "audio_transcript", "VTT", at=at, seconds=8)
    for number in range(4):
        stage.meeting(f"plain-{number}", "alice", 4 + number, "With texts")
        stage.video(f"plain-{number}", seconds=1)
        stage.texts(f"plain-{number}", seconds=1)
    return stage.world


class Room:
    """A small file system of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Leave not a byte."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as error:
                    assert error.errno == errno.ENOSPC

    def free(self) -> None:
        """Take back what filled it."""
        self._ballast.unlink()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """3 MB."""
    path = tmp_path / "room"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(path)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a file system of its own cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield Room(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with serving(Place(tmp_path / "place", an_account())) as place:
        yield place


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The library when nothing goes wrong."""
    with serving(Place(tmp_path_factory.mktemp("whole"), an_account())) as place:
        assert place.sync().code == 0
        return place.items()


def complete(place: Place, whole: dict[str, str], room: Room | None = None) -> None:
    """With room again, one pass brings all that is missing."""
    found = place.items()
    assert found.items() <= whole.items()
    if room:
        room.free()
    again = place.sync()
    assert (again.code, place.leftovers()) == (0, []), again.said
    assert place.items() == whole


def said(text: str) -> tuple[bool, bool]:
    """Whether it reports the full disk, and a remedy."""
    return FULL in text.lower(), "free some space" in text


def test_what_min_free_disk_keeps_is_not_touched(place: Place, whole: dict[str, str]) -> None:
    place.configure(min_free_disk="900TB")
    refused = place.sync()

    assert (refused.code, refused.downloaded, place.items()) == (5, frozenset(), {}), refused.said
    assert "are to stay free (min_free_disk)" in refused.said
    assert "zoomsync: hint: free some space, or lower min_free_disk" in refused.said
    place.configure()
    complete(place, whole)


def test_a_library_without_room_is_found_out_before_anything_is_fetched(
    place: Place, room: Room, whole: dict[str, str]
) -> None:
    place.library = room.path / "library"
    place.configure(destination={"path": str(place.library)}, staging=str(place.folder / "staging"))
    room.fill()
    refused = place.sync()

    assert refused.code == 5, refused.said
    room.free()
    (room.path / "most").write_bytes(bytes((3 << 20) - 300_000))
    refused = place.sync()
    assert (refused.code, "needs" in refused.said) == (5, True), refused.said
    pair = {file.id for file in place.sandbox.world.meetings[place.sandbox.world.names["pair"]].files}
    assert not refused.downloaded & pair
    (room.path / "most").unlink()
    room.fill()
    complete(place, whole, room)


@pytest.mark.parametrize(
    "config",
    [
        {"staging": "{room}/staging"},
        {"destination": {"path": "{room}/library"}, "staging": "{place}/staging"},
        {"state": "{room}/state/state.json"},
    ],
    ids=["staging", "library", "state"],
)
def test_a_disk_that_fills_up_in_mid_pass(
    config: dict[str, Any], place: Place, room: Room, whole: dict[str, str]
) -> None:
    placed(place, room, config)
    full = place.sync(kill=Kill(request=1, path="/ssrweb/"), strike=room.fill)

    assert (full.code, said(full.said)) == (5, (True, True)), full.said
    complete(place, whole, room)


@pytest.mark.parametrize("at", [STITCHING, PROVING], ids=["video", "captions"])
def test_a_disk_that_fills_up_when_segments_are_joined(
    at: str, place: Place, room: Room, whole: dict[str, str]
) -> None:
    placed(place, room, {"staging": "{room}/staging", "workers": 1})
    fake_tools(place.folder, at=at, first=f"cat /dev/zero >{room.path}/ballast 2>/dev/null")
    code, _, stderr = ended(place.command("sync"))

    assert (code, said(stderr)) == (5, (True, True)), stderr
    assert place.items() == {name: digest for name, digest in whole.items() if "Two segments" not in name}
    complete(place, whole, room)


@pytest.mark.parametrize(("request_path", "method", "most"), [("/oauth/", "POST", 0), ("", "DELETE", 10)])
def test_an_audit_that_cannot_be_written_ends_deleting(
    request_path: str, method: str, most: int, place: Place, room: Room
) -> None:
    place.audit = room.path / "audit.jsonl"
    place.configure(audit=str(place.audit), **DELETING)
    assert place.sync("--no-delete").code == 0
    place.audit.write_text(json.dumps({"event": "earlier", "intent": "x" * 4050}) + "\n")  # fills most of a block
    full = place.sync(kill=Kill(request=1, path=request_path, method=method), strike=room.fill)

    assert (full.code, said(full.said)) == (5, (True, True)), full.said
    assert len(place.sandbox.world.deletions) <= most
    room.free()
    again = place.sync()
    cut = [line for line in audit.read(place.audit) if line["event"] == "unreadable"]
    assert len(cut) <= 1
    assert (again.code, len(place.sandbox.world.deletions)) == (0, 24), again.said
    assert [fact for fact in place.unaccounted() if "unreadable" not in fact] == []


def placed(place: Place, room: Room, config: dict[str, Any]) -> None:
    """Write a config in which `{room}` and `{place}` stand for folders."""

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(one) for key, one in value.items()}
        return value.format(room=room.path, place=place.folder) if isinstance(value, str) else value

    ready = filled(config)
    place.library = Path(ready.get("destination", {}).get("path", place.library))
    place.state = Path(ready.get("state", place.state))
    place.audit = place.state.with_name("audit.jsonl")
    place.configure(**ready)
