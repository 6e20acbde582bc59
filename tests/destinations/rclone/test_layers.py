"""Where a remote leads, as rclone's config has it."""

from collections.abc import Mapping

import pytest

from zoomsync.destinations.rclone.layers import layers_of, local_folder

CONFIG: Mapping[str, Mapping[str, str]] = {
    "disk": {"type": "local"},
    "archive": {"type": "alias", "remote": "/mnt/nas"},
    "near": {"type": "alias", "remote": "nas"},
    "over": {"type": "alias", "remote": "disk:"},
    "plain": {"type": "alias", "remote": ":local,links=true:nas"},
    "secret": {"type": "crypt", "remote": "near:"},
    "store": {"type": "s3"},
    "cellar": {"type": "crypt", "remote": "store:box"},
    "both": {"type": "combine", "upstreams": "one=disk:"},
}


@pytest.mark.parametrize(
    ("place", "folder"),
    [
        ("disk:/mnt/nas/zoom", "/mnt/nas/zoom"),
        ("disk:nas/zoom", "nas/zoom"),
        ("disk:", ""),
        ("archive:zoom", "/mnt/nas"),
        ("near:zoom", "nas"),
        ("over:/mnt/nas", "/mnt/nas"),
        ("over:nas", "nas"),
        ("plain:zoom", "nas"),
        ("secret:zoom", "nas"),
        ("store:box/zoom", None),
        ("cellar:zoom", None),
        ("both:one/zoom", None),
        ("nowhere:zoom", None),
    ],
)
def test_a_folder_of_this_machine_is_known_by_its_path(place: str, folder: str | None) -> None:
    layers = layers_of(place, lambda name: CONFIG.get(name, {}))

    assert local_folder(place, layers) == folder
