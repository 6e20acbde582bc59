"""What holds for every test."""

import ipaddress
import logging
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from zoomsync.config import yaml_file

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=2000, deadline=None)
settings.load_profile("repeatable")  # the suite is the same each time; `make soak` explores


GIVEN = (
    "ZOOMSYNC_CONFIG",
    "STATE_DIRECTORY",
    "CREDENTIALS_DIRECTORY",
    "NO_COLOR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)
"""What a shell or a service may have set, and zoomsync reads; proxies and XDG folders besides."""


@pytest.fixture(scope="session", autouse=True)
def a_machine_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of this machine shows: no /etc/zoomsync, no proxy, and a HOME in which nothing can be made.

    What would reach outside by some default fails at once: a file below HOME, a connection to another machine.
    """
    no_folder = tmp_path_factory.mktemp("machine") / "no folder"
    no_folder.touch()
    with pytest.MonkeyPatch.context() as machine:
        for name in [*os.environ]:
            if name in GIVEN or name.startswith("XDG_") or name.lower().endswith("_proxy"):
                machine.delenv(name)
        machine.setenv("HOME", str(no_folder))
        machine.setattr(yaml_file, "SYSTEM_FOLDER", no_folder / "etc")
        machine.setattr(socket.socket, "connect", connect_on_this_machine(socket.socket.connect))
        yield


def connect_on_this_machine(connect: Any) -> Any:
    """`socket.connect`, but for addresses of other machines."""

    def checked(self: socket.socket, address: Any) -> Any:
        is_network = self.family in (socket.AF_INET, socket.AF_INET6)
        if is_network and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test reached out to {address}")
        return connect(self, address)

    return checked


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that ran in this process leaves its log level and handlers; the next test shall not have them."""
    logger = logging.getLogger("zoomsync")
    before = logger.level, list(logger.handlers), logger.propagate
    yield
    logger.handlers[:], logger.propagate = before[1:]
    logger.setLevel(before[0])  # forgets what it cached for the other level
