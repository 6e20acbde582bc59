"""What holds for every test."""

import ipaddress
import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from zoomsync.config import yaml_file
from zoomsync.media import ffmpeg

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, max_examples=2000, deadline=None)
settings.load_profile("repeatable")  # the suite is the same each time; `make soak` explores, with a new seed each time


sys.dont_write_bytecode = False  # else each process of the suite compiles zoomsync and its tests for itself


MEMORY = Path("/dev/shm")
"""Where tests write if there is room, and nobody set TMPDIR: a pass flushes much, and a disk makes that dear."""


def has_room(folder: Path) -> bool:
    """Whether a file system takes what a whole run writes, and runs the programs that tests write."""
    if not os.access(folder, os.W_OK):
        return False
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize > 2 << 30 and not found.f_flag & os.ST_NOEXEC


if "TMPDIR" not in os.environ and has_room(MEMORY):
    os.environ["TMPDIR"] = str(MEMORY)
    tempfile.tempdir = None  # pytest asked before


KEPT = ("PATH", "TMPDIR", "LANG", "LC_", "LD_", "PYTEST_", "PYTHONPATH", "SOAK_SEED", "ZOOMSYNC_SANDBOX_CACHE")
"""With what the variables begin that tests see of this machine; what starts zoomsync and its tools."""


@pytest.fixture(scope="session", autouse=True)
def a_machine_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of this machine shows: no /etc/zoomsync, few variables, and a HOME in which nothing can be made.

    requests looks through every variable for each request.

    What would reach outside by some default fails at once: a file below HOME, a connection to another machine.
    """
    no_folder = tmp_path_factory.mktemp("machine") / "no folder"
    no_folder.touch()
    with pytest.MonkeyPatch.context() as machine:
        for name in [*os.environ]:
            if not name.startswith(KEPT):
                machine.delenv(name)
        machine.setenv("HOME", str(no_folder))
        machine.setattr(yaml_file, "SYSTEM_FOLDER", no_folder / "etc")
        for name in ("connect", "connect_ex"):
            machine.setattr(socket.socket, name, on_this_machine(getattr(socket.socket, name)))
        yield


def on_this_machine(connect: Any) -> Any:
    """`socket.connect` or `connect_ex`, but for addresses of other machines."""

    def checked(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_loopback(address[0]):
            raise AssertionError(f"a test reached out to {address}")
        return connect(self, address)

    return checked


def is_loopback(host: str) -> bool:
    """Whether an address or a name is of this machine; of all names only `localhost` surely is."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session", autouse=True)
def tools_that_say_their_version_once() -> Iterator[None]:
    """A pass runs three programs to see whether they run; the suite has thousands of passes with the same ones."""
    real, said = ffmpeg._version, dict[object, str]()  # what runs them

    def version(command: tuple[str, ...], clean: Mapping[str, str]) -> str:
        seen = [Path(one).stat() for one in command if Path(one).exists()]
        asked = command, *((one.st_ino, one.st_mtime_ns) for one in seen), *clean.items()
        if asked not in said:
            said[asked] = real(command, clean)
        return said[asked]

    with pytest.MonkeyPatch.context() as machine:
        machine.setattr(ffmpeg, "_version", version)
        yield


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that ran in this process leaves its log level and handlers; the next test shall not have them."""
    logger = logging.getLogger("zoomsync")
    before = logger.level, list(logger.handlers), logger.propagate
    yield
    logger.handlers[:], logger.propagate = before[1:]
    logger.setLevel(before[0])  # forgets what it cached for the other level
