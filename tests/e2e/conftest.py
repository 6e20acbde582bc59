"""Sites for tests: new ones, and one on which the full world was synced twice."""

import fcntl
import os
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import NOW, Result, Site, a_site, a_stage
from tests.e2e.portal_site import AtPortal, PortalSite, a_portal_site
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
def at_portal(tmp_path: Path) -> Iterator[AtPortal]:
    """`at_portal(stage, {below destination}, {config}, moderation=True)`: a site that publishes into a portal."""
    with ExitStack() as stack:

        def new(
            stage: Stage,
            below: Mapping[str, Any] | None = None,
            config: Mapping[str, Any] | None = None,
            **settings: Any,
        ) -> PortalSite:
            return stack.enter_context(a_portal_site(tmp_path, stage, below or {}, config or {}, **settings))

        yield new


@pytest.fixture
def stage() -> Stage:
    """An empty world of Alice, to be filled."""
    return a_stage()


@dataclass(frozen=True, kw_only=True)
class Pass:
    """What a pass did, and the library after it."""

    result: Result
    calls: list[str]
    downloads: list[str]
    library: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Twice:
    """The full world, synced twice."""

    site: Site
    first: Pass
    second: Pass


@pytest.fixture(scope="session")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twice]:
    """For tests that look and change nothing: of several workers of xdist one makes it for all."""
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    folder = tmp_path_factory.getbasetemp().parent / "full" if is_worker else tmp_path_factory.mktemp("full")
    folder.mkdir(exist_ok=True)
    passes = folder / "passes.pickle"
    with ExitStack() as stack:
        with (folder / "passes.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            site = stack.enter_context(a_site(folder, full_world(NOW)))
            if not passes.exists():
                passes.write_bytes(pickle.dumps((a_pass(site), a_pass(site))))
        first, second = pickle.loads(passes.read_bytes())
        yield Twice(site=site, first=first, second=second)


def a_pass(site: Site) -> Pass:
    """One more pass of a site."""
    return Pass(result=site.sync(), calls=site.calls(), downloads=site.downloads(), library=site.library())
