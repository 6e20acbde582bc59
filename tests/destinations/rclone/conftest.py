"""One rclone for all tests of a process, and the stores that it talks to."""

from collections.abc import Iterator

import pytest

from tests.destinations.rclone.stores import Server, Shared, seaweed, shared_rclone


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """It runs until the last test has ended; its config has the remotes that tests add."""
    with shared_rclone(tmp_path_factory.mktemp("rclone")) as shared:
        yield shared


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """SeaweedFS."""
    with seaweed(tmp_path_factory.mktemp("seaweed")) as server:
        yield server
