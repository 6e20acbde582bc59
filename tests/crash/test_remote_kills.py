"""Killed at any instant and run again, passes into a remote end in the same items as undisturbed ones in a library."""

from pathlib import Path

import pytest
import yaml

from tests.crash.place import Place, serving
from tests.crash.test_kills import CHAPTERS, DELETING, Undisturbed, an_account, drawn_kills, live, undisturbed
from tests.crash.tools import SEED

__all__ = ["undisturbed"]


def a_place(folder: Path) -> Place:
    """One whose remote is a folder of this machine: where its library would be."""
    place = Place(folder, an_account(), staging=str(folder / "staging"), **DELETING)
    (folder / "rclone.conf").write_text(f"[box]\ntype = alias\nremote = {place.library}\n")
    config = yaml.safe_load(place.config.read_text())
    below = {"type": "rclone", "remote": "box:", "config": str(folder / "rclone.conf")}
    place.config.write_text(yaml.safe_dump(config | {"destination": below}))
    return place


@pytest.mark.soak
def test_a_hundred_killed_passes_into_a_remote_end_like_undisturbed_ones(
    tmp_path: Path, undisturbed: Undisturbed
) -> None:
    count = 0
    for number in range(5):
        with serving(a_place(tmp_path / str(number))) as place:
            count += live(place, drawn_kills(SEED + number, undisturbed), undisturbed, each=5)

        assert list((tmp_path / str(number) / "staging").rglob("*.part")) == []

    assert count == 5 * 5 * len(CHAPTERS)
