"""What is tidied up in staging, and how it is said that it cannot be."""

from pathlib import Path

import pytest

from tests.fakes import a_meeting, an_entry
from zoomsync import staging
from zoomsync.errors import Unfit
from zoomsync.naming import suffix


def test_only_folders_of_meetings_that_are_not_open_are_removed(tmp_path: Path) -> None:
    entry = an_entry(a_meeting())
    for name in (suffix(entry.uuid), "0123abcd", "of-a-person"):
        (tmp_path / name).mkdir()

    staging.tidy(tmp_path, [entry])

    assert {path.name for path in tmp_path.iterdir()} == {suffix(entry.uuid), "of-a-person"}


def test_what_cannot_be_removed_is_said_in_lower_case(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "0123abcd").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Unfit) as caught:
        staging.tidy(tmp_path, [])

    assert str(caught.value) == f"{tmp_path}: cannot call rmtree on a symbolic link"
