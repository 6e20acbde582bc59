"""What a person does to an item is respected: removed, moved, renamed, changed, added to."""

import shutil
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site, served, sha256
from tests.sandbox.stage import Stage

ALICE: dict[str, Any] = {"filter_accounts": ["alice@example.org"]}


def published(begin: Begin, stage: Stage, **overrides: Any) -> Site:
    """A site that holds one meeting, `m`."""
    stage.meeting("m", "alice", 2, "Of a person")
    stage.video("m")
    site = begin(stage.world, **(ALICE | overrides))
    assert site.sync().code == 0
    return site


def moved_to(site: Site, place: Path) -> Path:
    """The item of `m` after a person moved it there."""
    place.parent.mkdir(parents=True, exist_ok=True)
    return site.item("m").rename(place)


def test_an_item_that_was_removed_stays_removed_also_when_something_comes_late(begin: Begin, stage: Stage) -> None:
    site = published(begin, stage)
    shutil.rmtree(site.item("m"))
    assert (site.sync().code, site.files()) == (0, [])
    stage.transcript("m")

    late = site.sync()

    assert (late.code, late.counts["removed"], site.files()) == (0, 1, [])
    assert "warning" in late.stderr
    assert "removed from the library" in site.entry("m").reason
    assert (site.sync().counts, site.downloads()) == ({"skipped": 1, "calls": 3}, [])


def test_an_item_that_was_removed_comes_back_when_it_is_asked_for(begin: Begin, stage: Stage) -> None:
    site = published(begin, stage)
    before = site.library()
    shutil.rmtree(site.item("m"))

    result = site.sync("--meeting", site.uuid("m"))

    assert (result.code, list(before)) == (0, list(site.library()))
    assert site.sync().counts == {"up_to_date": 1, "calls": 3}


def test_an_item_that_was_changed_is_not_overwritten(begin: Begin, stage: Stage) -> None:
    site = published(begin, stage)
    (site.item("m") / "video.mp4").write_bytes(b"cut by hand")
    stage.transcript("m")

    late = site.sync()

    assert (late.code, late.counts["removed"], site.names("m")) == (0, 1, ["video.mp4"])
    assert (site.item("m") / "video.mp4").read_bytes() == b"cut by hand"


def test_a_draft_that_was_published_by_moving_it_is_found_and_completed(begin: Begin, stage: Stage) -> None:
    site = published(begin, stage, publish_state="draft")
    item = site.item("m")
    assert item.relative_to(site.root).parts[0] == "drafts"
    here = site.root / "published" / "2026" / f"Shown to all {item.name}"
    moved_to(site, here)
    stage.transcript("m")

    result = site.sync()

    assert (result.code, result.counts["updated"], site.item("m"), site.names("m")) == (
        0,
        1,
        here,
        ["video.mp4", "video.vtt"],
    )
    receipt = site.entry("m").receipt
    assert receipt is not None
    assert receipt.place == str(here.relative_to(site.root))
    assert not list((site.root / "drafts").rglob("*.mp4"))


def test_an_item_that_was_renamed_is_what_a_deletion_relies_on(begin: Begin, stage: Stage) -> None:
    site = published(begin, stage, delete_recordings="trash")
    item = site.item("m")
    here = moved_to(site, item.with_name(f"Another name {item.name[-10:]}"))
    site.clock.advance(days=7)

    result = site.sync()

    assert (result.code, result.counts["deleted"]) == (0, 1)
    assert site.audit()[0]["proof"]["place"] == str(here.relative_to(site.root))


def test_files_that_a_person_put_there_stay_as_they_are(begin: Begin, stage: Stage) -> None:
    site = published(begin, stage)
    (site.item("m") / "notes.txt").write_text("mine")
    (site.item("m") / "video.vtt").write_text("mine too")
    transcript = stage.transcript("m")

    assert site.sync().code == 0

    assert site.names("m") == ["notes.txt", "video.mp4", "video.v2.vtt", "video.vtt"]
    assert (site.item("m") / "video.vtt").read_text() == "mine too"
    assert sha256(site.item("m") / "video.v2.vtt") == served(transcript)


def test_a_topic_that_changes_moves_nothing(begin: Begin, stage: Stage) -> None:
    site = published(begin, stage)
    before = site.library()
    site.world.meetings[site.uuid("m")].topic = "Renamed in Zoom"

    assert (site.sync().code, site.library()) == (0, before)


def test_a_host_that_changes_moves_nothing(begin: Begin, stage: Stage) -> None:
    stage.world.add_user("Bob Example")
    site = published(begin, stage, filter_accounts=["alice@example.org", "bob@example.org"])
    before = site.library()
    site.world.meetings[site.uuid("m")].host_id = "id_bob"

    assert (site.sync().code, site.library()) == (0, before)
