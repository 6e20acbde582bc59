"""What is tidied up in staging."""

from pathlib import Path

from tests.fakes import a_meeting, an_entry
from zoomsync.item.disk import tidy
from zoomsync.naming import suffix


def test_only_folders_of_meetings_that_are_not_open_are_removed(tmp_path: Path) -> None:
    entry = an_entry(a_meeting())
    for name in (suffix(entry.uuid), "0123abcd", "of-a-person"):
        (tmp_path / name).mkdir()

    tidy(tmp_path, lambda name: [entry] if name == suffix(entry.uuid) else [])

    assert {path.name for path in tmp_path.iterdir()} == {suffix(entry.uuid), "of-a-person"}


def test_a_link_is_a_persons_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "0123abcd").symlink_to(tmp_path / "elsewhere")

    tidy(tmp_path, lambda _: [])

    assert (tmp_path / "0123abcd").is_symlink()
    assert (tmp_path / "elsewhere").is_dir()
