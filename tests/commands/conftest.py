"""Sites on which `auth-check` finds nothing to say, until a test changes something."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.commands.checking import Begin
from tests.e2e.harness import NOW, Site, a_site
from tests.sandbox.settings import READING
from tests.sandbox.worlds import small_world


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """A site over a small world whose app may read, and no more."""
    with ExitStack() as stack:

        def new(**overrides: Any) -> Site:
            site = stack.enter_context(a_site(tmp_path, small_world(NOW, has_media=False), **overrides))
            site.sandbox.settings.scopes = READING
            return site

        yield new


@pytest.fixture
def site(begin: Begin) -> Site:
    return begin()
