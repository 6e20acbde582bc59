"""A remote as a destination, over a folder of this machine, which rclone reads and writes like any store."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import DestinationContract, a_context
from tests.destinations.rclone.stores import Shared, a_remote
from zoomsync.destinations.rclone.destination import RcloneDestination
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
