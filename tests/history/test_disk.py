"""The disk of a history loses what a real one may lose, and nothing else."""

import errno
import os
import sys
from pathlib import Path
from random import Random

import pytest

from tests.history.disk import Blow, Disk, Gone, Strike, files_in
from zoomsync import files

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the disk of a history looks into /proc")


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """With one file, `old`, that is as good as flushed."""
    made = Disk(tmp_path / "disk")
    made.root.mkdir()
    (made.root / "old").write_bytes(b"before")
    return made


def left(disk: Disk, seed: int = 0) -> dict[str, bytes]:
    """What a power cut leaves; of seed 0 nothing that it may take."""
    disk.lose(Random(seed), everything=seed == 0)
    return {path.name: path.read_bytes() for path in files_in(disk.root)}


def test_a_file_that_was_written_durably_stays(disk: Disk) -> None:
    with disk.watched():
        files.write(disk.root / "new", b"content")
        files.write(disk.root / "old", b"after")

    assert left(disk) == {"new": b"content", "old": b"after"}


def test_what_was_not_flushed_is_lost(disk: Disk) -> None:
    with disk.watched():
        (disk.root / "new").write_bytes(b"content")
        (disk.root / "old").unlink()

    assert left(disk) == {"old": b"before"}


def test_a_name_may_stay_without_its_content(disk: Disk) -> None:
    found = set()
    for seed in range(1, 40):
        with disk.watched():
            (disk.root / "new").write_bytes(b"content")
        found.add(left(disk, seed).get("new"))
        (disk.root / "new").unlink(missing_ok=True)

    assert found == {None, b"", b"content", b"con", b"con\0\0\0\0", bytes(7)}


def test_what_was_flushed_of_a_growing_file_is_never_torn(disk: Disk) -> None:
    for seed in range(1, 40):
        with disk.watched():
            descriptor = os.open(disk.root / "journal", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.write(descriptor, b"sure.")
            os.fsync(descriptor)
            files.sync(disk.root)
            os.write(descriptor, b"unsure")
            os.close(descriptor)
        assert left(disk, seed)["journal"].startswith(b"sure.")


def test_a_rename_into_another_folder_happens_or_not(disk: Disk) -> None:
    found = set()
    for seed in range(1, 20):
        with disk.watched():
            files.make_private_folder(disk.root / "folder")
            (disk.root / "old").rename(disk.root / "folder" / "moved")
        names = tuple(left(disk, seed))
        found.add(names)
        (disk.root / "old").write_bytes(b"before")
        (disk.root / "folder" / "moved").unlink(missing_ok=True)

    assert found == {("old",), ("moved",)}


def test_a_dead_process_does_nothing_more(disk: Disk) -> None:
    disk.strike = Strike(Blow.KILL, 2, "replace")
    with disk.watched():
        files.write(disk.root / "first", b"1")
        with pytest.raises(Gone):
            files.write(disk.root / "second", b"2")
        with pytest.raises(Gone):
            (disk.root / "old").unlink()

    assert sorted(path.name for path in files_in(disk.root)) == [".second.new", "first", "old"]


def test_a_full_disk_takes_nothing_new_and_lets_go(disk: Disk) -> None:
    disk.strike = Strike(Blow.FULL, 1)
    with disk.watched():
        with pytest.raises(OSError, match="No space left") as refused:
            (disk.root / "new").mkdir()
        (disk.root / "old").unlink()

    assert (refused.value.errno, files_in(disk.root)) == (errno.ENOSPC, [])
