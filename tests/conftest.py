"""What holds for every test."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that ran in this process leaves its log level and handlers; the next test shall not have them."""
    logger = logging.getLogger("zoomsync")
    before = logger.level, list(logger.handlers), logger.propagate
    yield
    logger.handlers[:], logger.propagate = before[1:]
    logger.setLevel(before[0])  # forgets what it cached for the other level
