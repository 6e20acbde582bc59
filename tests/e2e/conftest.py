"""Sites for tests: new ones, and one on which the full world was synced twice."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import NOW, Result, Site, a_site, a_stage
from tests.sandbox.stage import Stage
from tests.sandbox.world import World
from tests.sandbox.worlds import full_world

Begin = Callable[..., Site]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """`begin(world, delete_recordings="trash", …)`: a site over this world, with these changes to its config."""
    with ExitStack() as stack:

        def new(world: World, **overrides: Any) -> Site:
            return stack.enter_context(a_site(tmp_path, world, **overrides))

        yield new


@pytest.fixture
def stage() -> Stage:
    """An empty world of Alice, to be filled."""
    return a_stage()


@dataclass(frozen=True, kw_only=True)
class Twice:
    """The full world, synced twice."""

    site: Site
    first: Result
    after_first: dict[str, str]
    first_calls: list[str]
    first_downloads: list[str]
    second: Result
    second_calls: list[str]
    second_downloads: list[str]


@pytest.fixture(scope="session")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twice]:
    """For tests that look and change nothing; they belong to one group of xdist."""
    with a_site(tmp_path_factory.mktemp("full"), full_world(NOW)) as site:
        first = site.sync()
        library, calls, downloads = site.library(), site.calls(), site.downloads()
        second = site.sync()
        yield Twice(
            site=site,
            first=first,
            after_first=library,
            first_calls=calls,
            first_downloads=downloads,
            second=second,
            second_calls=site.calls(),
            second_downloads=site.downloads(),
        )
