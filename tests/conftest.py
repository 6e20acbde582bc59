"""What holds for every test."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=2000, deadline=None)
settings.load_profile("repeatable")  # the suite is the same each time; `make soak` explores


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that ran in this process leaves its log level and handlers; the next test shall not have them."""
    logger = logging.getLogger("zoomsync")
    before = logger.level, list(logger.handlers), logger.propagate
    yield
    logger.handlers[:], logger.propagate = before[1:]
    logger.setLevel(before[0])  # forgets what it cached for the other level
