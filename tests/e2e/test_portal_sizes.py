"""At a portal too the bytes that come decide, not how Zoom lists them: nothing twice, nothing hidden."""

import pytest

from tests.e2e.portal_site import TRASH, AtPortal, holdings
from tests.e2e.test_sizes import ELSEWISE
from tests.sandbox.stage import Stage


@pytest.mark.parametrize("change", ELSEWISE)
def test_the_same_bytes_listed_otherwise_change_nothing_at_a_portal(
    at_portal: AtPortal, stage: Stage, change: str
) -> None:
    stage.meeting("m", "alice", 2, "M")
    for number in range(2):
        stage.video("m", number + 1, at=60 * number, seconds=1)
        stage.transcript("m", number + 1, at=60 * number, seconds=1)
    site = at_portal(stage, config=TRASH)
    assert site.sync().code == 0
    before = holdings(site.portal)
    for file in site.world.meetings[site.uuid("m")].files[:2]:
        for name, value in ELSEWISE[change](file).items():
            setattr(file, name, value)

    codes = [site.sync().code, site.sync().code]
    fetched = site.downloads()
    site.clock.advance(days=8)
    codes.append(site.sync().code)

    assert (codes, fetched, holdings(site.portal)) == ([0, 0, 0], [], before)
    assert len(site.world.deletions) == (2 if "size" in change else 4)


def test_a_text_of_another_size_is_kept_in_zoom_also_from_a_portal(at_portal: AtPortal, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "M")
    video = stage.video("m", seconds=1)
    text = stage.transcript("m", seconds=1)
    text.listed_size = 7
    site = at_portal(stage, config=TRASH)
    site.sync()
    site.clock.advance(days=8)

    assert (site.sync().code, site.sync().code) == (0, 0)

    assert [id_ for _, id_, _ in site.world.deletions] == [video.id]
    assert site.entry("m").kept.startswith("stored, but kept in Zoom: audio_transcript: ")
