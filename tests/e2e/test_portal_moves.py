"""From a library to a portal and back: what is stored stays where it is, and what is new goes where the config says."""

import shutil

import pytest

from tests.e2e.harness import Site, a_stage
from tests.e2e.portal_site import AtPortal, PortalSite
from tests.sandbox.stage import Stage


@pytest.fixture
def stage() -> Stage:
    made = a_stage()
    add(made, "old")
    return made


def add(stage: Stage, name: str) -> None:
    """One more recording, of yesterday."""
    stage.meeting(name, "alice", 1, name)
    stage.video(name, seconds=1)


def to_library(site: PortalSite) -> None:
    """The config names the library again."""
    Site.configure(site)


def test_from_a_library_to_a_portal_what_is_stored_stays_and_what_is_new_goes_there(
    at_portal: AtPortal, stage: Stage
) -> None:
    site = at_portal(stage)
    to_library(site)
    site.sync()
    before = site.library()
    add(stage, "new")
    site.configure()

    result, again = site.sync(), site.sync()

    assert (result.code, result.counts["published"], again.counts["elsewhere"]) == (0, 1, 1)
    assert (len(site.media("new")), site.media("old")) == (1, [])
    assert site.library() == before


@pytest.mark.parametrize("passes", [1, 40])
def test_back_again_the_library_is_known_however_many_passes_went_to_the_portal(
    at_portal: AtPortal, stage: Stage, passes: int
) -> None:
    site = at_portal(stage)
    to_library(site)
    site.sync()
    before = site.library()
    site.configure()
    add(stage, "there")
    for _ in range(passes):
        assert site.sync().code == 0
    to_library(site)
    add(stage, "back")

    result = site.sync()

    assert (result.code, result.counts["published"]) == (0, 1), result.stderr
    assert before.items() <= site.library().items()
    assert [name for name in ("old", "there", "back") if site.media(name)] == ["there"]
    assert sum(path.endswith("recording.json") for path in site.library()) == 2
    assert site.run("status", "--check").code == 0


def test_back_at_another_library_or_an_older_copy_nothing_begins(at_portal: AtPortal, stage: Stage) -> None:
    site = at_portal(stage)
    to_library(site)
    site.sync()
    shutil.copytree(site.folder / "library", site.folder / "older")
    add(stage, "more")
    site.sync()
    site.configure()
    site.sync()
    to_library(site)

    shutil.rmtree(site.folder / "library")
    gone = site.sync()
    (site.folder / "older").rename(site.folder / "library")
    older = site.sync()

    assert (gone.code, older.code) == (5, 5)
    assert "missing, it should hold library" in gone.stderr
    assert "an older copy" in older.stderr


def test_a_library_that_was_begun_again_is_the_one_to_come_back_to(at_portal: AtPortal, stage: Stage) -> None:
    site = at_portal(stage)
    to_library(site)
    site.sync()
    shutil.rmtree(site.folder / "library")
    site.sync("--new-library")
    site.configure()
    add(stage, "there")
    site.sync()
    to_library(site)
    add(stage, "back")

    result = site.sync()

    assert (result.code, result.counts["published"]) == (0, 1), result.stderr
