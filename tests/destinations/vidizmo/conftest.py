"""Portals for tests of the destination."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.destinations.vidizmo.portals import Open, Wired, a_portal, wired
from tests.fakes import FakeClock


@pytest.fixture
def begin() -> Iterator[Open]:
    """`begin(destination={…}, config={…}, moderation=True)`: a portal of these settings, and a destination on it."""
    with ExitStack() as stack:

        def opened(
            *, destination: dict[str, Any] | None = None, config: dict[str, Any] | None = None, **settings: Any
        ) -> Wired:
            clock = FakeClock()
            portal = stack.enter_context(a_portal(clock, **settings))
            return stack.enter_context(wired(portal, clock, destination=destination or {}, **(config or {})))

        yield opened
