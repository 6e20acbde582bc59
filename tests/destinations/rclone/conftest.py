"""One rclone for all tests of a process, and the stores that it talks to."""

import os
import shlex
from collections.abc import Iterator

import pytest

from tests.destinations.rclone.stores import BOUNDED, Server, Shared, modes_count, seaweed, shared_rclone
from zoomsync.destinations.rclone.process import _candidates


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """It runs until the last test has ended; its config has the remotes that tests add.

    Modes count for it as for any user, even if root runs the tests.
    """
    folder = tmp_path_factory.mktemp("rclone")
    if not os.geteuid() and modes_count():
        (folder / "bin").mkdir()
        (folder / "bin" / "rclone").touch(0o755)
        program = next(_candidates(os.environ["PATH"]))
        (folder / "bin" / "rclone").write_text(f'#!/bin/sh\nexec {shlex.join(BOUNDED)} {program} "$@"\n')
    with shared_rclone(folder, environ={"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}) as shared:
        yield shared


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """SeaweedFS."""
    with seaweed(tmp_path_factory.mktemp("seaweed")) as server:
        yield server
