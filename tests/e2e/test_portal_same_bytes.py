"""The same bytes, listed otherwise by Zoom than before: a portal gets no further media item, and nothing twice."""

import shutil
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.e2e.harness import a_stage
from tests.e2e.portal_site import TRASH, AtPortal, PortalSite, holdings
from tests.sandbox.world import ZoomFile

SECOND = timedelta(seconds=1)
ELSEWISE: dict[str, Callable[[ZoomFile], dict[str, object]]] = {
    "no size": lambda _: {"listed_size": 0},
    "another size": lambda file: {"listed_size": file.content.size + 5},
    "another id": lambda file: {"id": f"9{file.id[1:]}"},
    "another id a second later": lambda file: {"id": f"9{file.id[1:]}", "start": file.start + SECOND},
}
"""https://github.com/JosephMcEvoy/PSZoom/issues/7 has sizes that become 0."""


def relisted(site: PortalSite, change: str) -> None:
    """Zoom lists each file of the meeting otherwise."""
    for file in site.world.meetings[site.uuid("m")].files:
        for name, value in ELSEWISE[change](file).items():
            setattr(file, name, value)


@pytest.mark.parametrize("change", ELSEWISE)
def test_the_same_bytes_listed_otherwise_are_no_further_media_item(at_portal: AtPortal, change: str) -> None:
    stage = a_stage()
    stage.meeting("m", "alice", 2, "M")
    for number in (1, 2):
        stage.video("m", number, at=60 * number, seconds=1)
        stage.transcript("m", number, at=60 * number, seconds=1)
    site = at_portal(stage, config=TRASH)
    site.sync()
    before = holdings(site.portal)
    relisted(site, change)
    site.clock.advance(hours=1)

    codes = [site.sync().code, site.sync().code]
    site.clock.advance(days=8)
    last = site.sync()

    assert (codes, last.code, holdings(site.portal) == before) == ([0, 0], 0, True)
    assert len(site.world.deletions) == (0 if "size" in change else 4)


def test_a_lost_state_leads_to_no_further_media_item_either(at_portal: AtPortal) -> None:
    stage = a_stage()
    stage.meeting("m", "alice", 2, "M")
    stage.video("m", seconds=1)
    stage.texts("m", seconds=1)
    site = at_portal(stage, config=TRASH)
    site.sync()
    before = holdings(site.portal)
    relisted(site, "another id")
    shutil.rmtree(site.folder / "state")
    site.clock.advance(hours=1)

    first = site.sync()
    site.clock.advance(days=8)
    last = site.sync()

    assert (first.code, last.code, holdings(site.portal) == before) == (0, 0, True)
    assert len(site.world.deletions) == 5
