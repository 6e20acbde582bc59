"""One cluster for all tests of a module."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.machines import Machines, a_site_on, machines
from tests.e2e.harness import Site
from tests.sandbox.world import World

OnCluster = Callable[..., Site]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """A scheduler and two workers of one thread each."""
    with machines(tmp_path_factory.mktemp("cluster"), "first", "second") as found:
        yield found


@pytest.fixture
def on_cluster(cluster: Machines, tmp_path: Path) -> Iterator[OnCluster]:
    """`on_cluster(world, workers=1, …)`: a site whose meetings are made by the cluster."""
    with ExitStack() as stack:

        def new(world: World, **overrides: Any) -> Site:
            cluster.refill(1)
            return stack.enter_context(a_site_on(cluster, tmp_path, world, **overrides))

        yield new
