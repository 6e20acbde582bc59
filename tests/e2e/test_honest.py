"""What is mended, asked for, altered or gone: nothing quiet, and nothing reported that is not so."""

import shutil

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import served
from tests.sandbox import faults, media
from tests.sandbox.stage import Stage

DELETING = {"delete_recordings": "trash", "delete_all_accounts": True}


def two_sizes(stage: Stage) -> None:
    """A meeting whose two segments have to be encoded again, with a transcript each."""
    stage.meeting("m", "alice", 2, "M")
    for number, width in enumerate((320, 240), 1):
        stage.video("m", number, at=120 * (number - 1), seconds=2, width=width)
        stage.transcript("m", number, at=120 * (number - 1), seconds=2)


def plain(stage: Stage, *names: str) -> None:
    """Meetings of one video each."""
    for name in names:
        stage.meeting(name, "alice", 2, name.upper())
        stage.video(name)


@pytest.mark.parametrize("gone", ["video.mp4", "video.vtt"])
def test_what_is_made_of_several_files_is_made_again_when_asked_for(begin: Begin, stage: Stage, gone: str) -> None:
    two_sizes(stage)
    site = begin(stage.world, **DELETING)
    site.sync()
    before = set(site.names("m"))
    (site.item("m") / gone).unlink()

    asked = site.sync("--meeting", site.uuid("m"))
    site.clock.advance(days=8)
    later = site.sync()

    assert (asked.code, set(site.names("m"))) == (0, before)
    assert (later.code, later.counts["deleted"]) == (0, 1)


def test_what_cannot_be_made_again_is_left_to_the_person_who_removed_it(begin: Begin, stage: Stage) -> None:
    two_sizes(stage)
    site = begin(stage.world)
    site.sync()
    (site.item("m") / "video.mp4").unlink()
    kept = [one for one in site.world.meetings[site.uuid("m")].files if one.extension != "MP4"]
    site.world.meetings[site.uuid("m")].files[:] = kept

    site.sync("--meeting", site.uuid("m"))

    assert site.entry("m").phase == "removed"
    assert "Zoom has nothing left to make it of" in site.entry("m").reason


def test_a_lost_state_mends_what_is_made_of_several_files(begin: Begin, stage: Stage) -> None:
    two_sizes(stage)
    site = begin(stage.world)
    site.sync()
    (site.item("m") / "video.mp4").write_bytes(b"x" * 1000)
    shutil.rmtree(site.folder / "state")

    begun = site.sync("--new-library")

    whole = [file for file in site.entry("m").receipt.files if str(file.role) == "video"]  # type: ignore[union-attr]  # stored
    assert begun.code == 0
    assert [(site.item("m") / file.name).stat().st_size for file in whole] == [file.size for file in whole]


def test_a_mended_video_waits_for_delete_after_anew(begin: Begin, stage: Stage) -> None:
    plain(stage, "m")
    site = begin(stage.world, **DELETING)
    site.sync()
    site.clock.advance(days=6, hours=23)
    (site.item("m") / "video.mp4").unlink()
    site.sync("--meeting", site.uuid("m"))
    site.clock.advance(hours=2)

    site.sync()

    assert site.world.deletions == []


def test_bytes_that_zoom_altered_are_never_dropped_with_the_old_video(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "M")
    second = stage.video("m", 2, at=120)
    site = begin(stage.world, **DELETING)
    site.sync()
    old = served(second)
    second.content = stage.clip(media.Clip(segment=2, seconds=6))
    stage.video("m", 1)
    site.sync()
    stage.video("m", 3, at=240)

    site.sync()

    assert old in site.library().values()


def test_a_late_file_that_was_gone_before_it_was_fetched_is_told_once(begin: Begin, stage: Stage) -> None:
    plain(stage, "m")
    site = begin(stage.world)
    site.sync()
    late = stage.transcript("m")
    site.sandbox.fail(f"/rec/download/.*{late.id}", with_=faults.page(404), times=None)
    assert site.sync().code == 1
    site.world.meetings.pop(site.uuid("m"))
    site.clock.advance(hours=3)

    passes = [site.sync(), site.sync()]

    assert [one.code for one in passes] == [1, 0]
    assert "gone from the cloud before all of it was fetched" in site.entry("m").reason


def test_what_is_parked_and_then_deleted_by_zoom_is_lost(begin: Begin, stage: Stage) -> None:
    plain(stage, "m")
    site = begin(stage.world)
    site.sandbox.fail("/rec/download/", with_=faults.page(404), times=None)
    for _ in range(10):
        site.sync()
        site.clock.advance(days=2)
    site.world.meetings.pop(site.uuid("m"))
    site.clock.advance(days=7)

    assert (site.sync().code, site.entry("m").phase) == (1, "lost")


def test_one_bad_meeting_never_stops_the_good_ones_that_are_asked_for(begin: Begin, stage: Stage) -> None:
    plain(stage, "m")
    site = begin(stage.world)

    asked = site.sync("--meeting", "nonsense==", "--meeting", site.uuid("m"))

    assert asked.code == 2
    assert site.names("m")


def test_what_is_asked_for_and_gone_everywhere_is_a_failure(begin: Begin, stage: Stage) -> None:
    plain(stage, "m")
    site = begin(stage.world, **DELETING)
    site.sync()
    site.clock.advance(days=8)
    site.sync()
    shutil.rmtree(site.item("m"))

    asked = site.sync("--meeting", site.uuid("m"))

    assert asked.code == 1
    assert "look into Zoom's trash" in asked.stderr


def test_a_dry_run_says_which_lists_it_could_not_read(begin: Begin, stage: Stage) -> None:
    plain(stage, "m")
    site = begin(stage.world, filter_accounts=["alice@example.org"])
    site.sandbox.fail("/users/.*/recordings", with_=faults.refused(400, 1010, "No."), times=None)

    planned = site.sync("--dry-run")

    assert planned.code == 1
    assert "that could not be read" in " ".join(planned.document["not_looked_at"])


def test_another_library_leaves_what_the_first_one_holds_and_says_so(begin: Begin, stage: Stage) -> None:
    plain(stage, "a", "b")
    site = begin(stage.world)
    site.sync()
    shutil.rmtree(site.root)

    begun = site.sync("--new-library")

    assert (begun.code, begun.counts["elsewhere"]) == (0, 2)
    assert "2 meetings stored in another destination than the one configured: left there" in begun.stderr


def test_a_hold_that_holds_nothing_is_reported(begin: Begin, stage: Stage) -> None:
    plain(stage, "m")
    site = begin(stage.world, hold_meetings=["oRbJ7UbWIHc0pDMX0wkYj"])

    said = site.sync().stderr
    checked = site.run("auth-check", "--only", "local").stdout

    assert "hold_meetings: oRbJ7UbWIHc0pDMX0wkYj: names no meeting that is known" in said
    shown = site.run("status").stdout

    assert "hold_meetings: oRbJ7UbWIHc0pDMX0wkYj: names no meeting that is known" in checked
    assert "no such meeting is known:\n  hold_meetings: oRbJ7UbWIHc0pDMX0wkYj\n" in shown


def test_a_hold_that_holds_nothing_is_an_error_once_deletion_is_on(begin: Begin, stage: Stage) -> None:
    plain(stage, "m")
    site = begin(stage.world, hold_meetings=["1094629"], delete_recordings="trash", delete_all_accounts=True)

    said, checked = site.run("-q", "sync"), site.run("status", "--check")

    assert "hold_meetings: 1094629: names no meeting that is known" in said.stderr
    assert (checked.code, "hold_meetings: 1094629: names no meeting" in checked.stdout) == (1, True)


def test_a_config_that_selects_nobody_is_refused(begin: Begin, stage: Stage) -> None:
    plain(stage, "m")
    accounts = ["alice@example.org"]

    assert begin(stage.world, filter_accounts=accounts, exclude_accounts=accounts).sync().code == 2


def test_a_since_in_the_future_is_refused(begin: Begin, stage: Stage) -> None:
    plain(stage, "m")

    site = begin(stage.world, recordings={"since": "2030-01-01"})
    checked = site.run("auth-check", "--only", "local")

    assert (site.sync().code, checked.code) == (2, 2)
    assert "recordings.since: 2030-01-01 lies in the future: nothing would be fetched" in checked.stdout


def test_segments_that_cannot_be_joined_are_stored_as_they_came_once_and_for_all(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "M")
    stage.video("m")
    stage.video("m", 2, at=120)
    site = begin(stage.world)
    site.sandbox.fail("/ssrweb/", with_=faults.corrupt(at=30_000, length=20_000), times=None)
    first = site.sync()
    before = site.library()
    site.sandbox.heal()
    site.clock.advance(hours=2)

    again = site.sync()

    assert (first.code, site.names("m")) == (0, ["video.1.mp4", "video.2.mp4"])
    assert "warning" in first.stderr
    assert (again.code, site.downloads(), site.library()) == (0, [], before)
