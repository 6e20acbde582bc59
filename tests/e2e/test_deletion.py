"""Deletion: only what is proven to be stored, file by file, accounted for; and everything else stays."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site, served, sha256
from tests.sandbox import faults, media
from tests.sandbox.settings import GRANULAR, READING
from tests.sandbox.stage import Stage

TRASH: dict[str, Any] = {"delete_recordings": "trash", "filter_accounts": ["alice@example.org"]}


def stored(begin: Begin, stage: Stage, *names: str, **overrides: Any) -> Site:
    """A site that published these one-video meetings, one a day, and then a week went by."""
    for days, name in enumerate(names, 2):
        stage.meeting(name, "alice", days, f"Meeting {name}")
        stage.video(name)
    return published(begin, stage, **overrides)


def published(begin: Begin, stage: Stage, **overrides: Any) -> Site:
    """A site that published all there is, and then a week went by."""
    site = begin(stage.world, **(TRASH | overrides))
    assert site.sync().code == 0
    site.clock.advance(days=7)
    return site


def deletions(site: Site) -> list[tuple[str, str, str]]:
    """What Zoom really deleted: name of the meeting, view of the file, action."""
    names = {uuid: name for name, uuid in site.world.names.items()}
    files = {file.id: file for one in site.world.meetings.values() for file in one.files}
    return [(names[uuid], files[id_].view, action) for uuid, id_, action in site.world.deletions]


VIEW = "shared_screen_with_speaker_view"


def test_switched_off_nothing_is_ever_deleted(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a", "b", delete_recordings="never", filter_accounts=[])
    site.clock.advance(days=300)

    result = site.sync()

    assert (result.code, site.world.deletions, site.sandbox.count("DELETE")) == (0, [], 0)
    assert site.audit() == []


def test_what_is_stored_long_enough_goes_to_the_trash(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a", "b")
    site.clock.advance(seconds=-1)
    assert site.sync().counts == {"up_to_date": 2, "calls": 3}
    before = site.library()
    site.clock.advance(seconds=1)

    result = site.sync()

    assert (result.code, result.counts) == (0, {"deleted": 2, "deleted_files": 2, "calls": 9})
    assert sorted(deletions(site)) == [("a", VIEW, "trash"), ("b", VIEW, "trash")]
    assert site.library() == before
    assert (site.entry("a").phase, site.entry("a").reason) == (
        "deleted",
        "stored; deleted from Zoom 2026-03-17 12:00 UTC",
    )


def test_after_the_deletion_a_pass_has_nothing_to_do(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a", "b")
    site.sync()

    result = site.sync()

    assert (result.code, result.counts, site.sandbox.count("DELETE")) == (0, {"calls": 3}, 0)


def test_nothing_is_deleted_in_the_pass_that_published_it(begin: Begin, stage: Stage) -> None:
    stage.meeting("a", "alice", 2, "Meeting a")
    stage.video("a")
    site = begin(stage.world, **TRASH, delete_after="0s")

    assert (site.sync().counts["published"], site.world.deletions) == (1, [])
    assert site.sync().counts["deleted"] == 1


def test_the_audit_has_the_proof_before_and_the_answer_after(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a")
    (file,) = site.world.meetings[site.uuid("a")].files
    place = str(site.item("a").relative_to(site.root))

    site.sync()

    before, after = site.audit()
    verified_at = before["proof"]["verified_at"]
    times = [datetime.fromisoformat(one) for one in (verified_at, before["at"], after["at"])]
    assert times == sorted(times)
    assert all(one.startswith("2026-03-17T12:00:0") for one in (verified_at, before["at"], after["at"]))
    assert before == {
        "at": before["at"],
        "event": "deleting",
        "intent": after["intent"],
        "pass": after["pass"],
        "uuid": site.uuid("a"),
        "number": "81000000000",
        "topic": "Meeting a",
        "host": "alice@example.org",
        "start": "2026-03-08T09:30:00Z",
        "file": file.id,
        "kind": "video",
        "view": VIEW,
        "file_start": "2026-03-08T09:30:00Z",
        "size": file.size,
        "sha256": served(file),
        "action": "trash",
        "proof": {
            "destination": site.state().head.destination,
            "place": place,
            "stored": "video.mp4",
            "stored_size": file.size,
            "stored_sha256": sha256(site.root / place / "video.mp4"),
            "verified": "1 file, 86.1 kB, content verified",
            "verified_at": verified_at,
        },
    }
    assert after == {name: before[name] for name in ("intent", "pass")} | {
        "at": after["at"],
        "event": "answer",
        "answer": "204",
    }


def test_every_file_of_a_stitched_meeting_is_deleted_against_what_contains_it(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "Everything")
    for number, at in ((1, 0), (2, 60)):
        stage.video("m", number, at=at)
        stage.audio("m", number, at=at)
        stage.texts("m", number, at=at)
    site = published(begin, stage)

    result = site.sync()

    assert result.counts == {"deleted": 1, "deleted_files": 12, "calls": 18}
    proofs = {line["file"]: line["proof"]["stored"] for line in site.audit() if line["event"] == "deleting"}
    receipt = site.recording("m")["receipt"]
    assert proofs == {one["id"]: one["stored"] for one in receipt["cloud"]}
    assert not site.world.meetings[site.uuid("m")].present


def test_permanent_is_permanent(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a", delete_recordings="permanent")

    site.sync()

    assert (deletions(site), site.world.trash) == ([("a", VIEW, "delete")], [])


def test_a_held_meeting_stays(begin: Begin, stage: Stage) -> None:
    stage.world.names["held"] = ""
    site = stored(begin, stage, "a", "b")
    site.configure(hold_meetings=[site.uuid("a")])

    site.sync()

    assert deletions(site) == [("b", VIEW, "trash")]


def test_a_pass_deletes_no_more_meetings_than_its_limit_the_longest_stored_first(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a", "b", "c", delete_limit=2)

    first, second = site.sync(), site.sync()

    assert (first.counts["deleted"], second.counts["deleted"]) == (2, 1)
    assert (first.document["left"], second.document["left"]) == (["deletions beyond delete_limit (2)"], [])


def test_when_time_is_up_no_further_deletion_is_begun(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a", "b", "c")

    def ask(request: Any) -> Any:
        site.clock.advance(hours=1)
        return request

    site.sandbox.fail(method="DELETE", with_=faults.Fault(ask=ask), times=None)

    result = site.sync("--max-duration", "90m")

    assert (result.code, result.counts["deleted"]) == (0, 2)
    assert result.document["left"][0] == "deletions: time was up"


@pytest.mark.parametrize("narrowed", [["--user", "bob@example.org"], ["--since", "2026-03-09"]])
def test_a_narrowed_pass_deletes_only_what_it_names(begin: Begin, stage: Stage, narrowed: list[str]) -> None:
    stage.world.add_user("Bob Example")
    stage.meeting("bob", "bob", 1, "Of bob")
    stage.video("bob")
    site = stored(begin, stage, "a", filter_accounts=["alice@example.org", "bob@example.org"])

    assert (site.sync(*narrowed).code, deletions(site)) == (0, [("bob", VIEW, "trash")])


def test_with_no_delete_nothing_is_deleted_in_this_pass(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a")

    assert (site.sync("--no-delete").code, site.world.deletions) == (0, [])


def test_a_dry_run_says_what_would_be_deleted_and_deletes_nothing(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a", "b", delete_recordings="never")
    site.configure(delete_recordings="trash")

    result = site.sync("--dry-run")

    rows = [(row["action"], row["topic"], row["reason"]) for row in result.document["rows"]]
    assert (result.code, sorted(rows)[:2]) == (
        0,
        [("delete", "Meeting a", "stored, 1 file, 86.1 kB"), ("delete", "Meeting b", "stored, 1 file, 86.1 kB")],
    )
    assert (site.world.deletions, site.audit()) == ([], [])


def overwrite_unseen(path: Path) -> None:
    """As `rsync --inplace -t` or a bad restore does: other bytes in the same inode, the time put back."""
    status = path.stat()
    with path.open("r+b") as file:
        file.write(bytes(100))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda video: video.write_bytes(b"x" * video.stat().st_size), "its content is not what was stored"),
        (overwrite_unseen, "its content is not what was stored"),
        (lambda video: video.write_bytes(b"cut"), "has 3 bytes"),
        (lambda video: video.unlink(), "video.mp4 was removed"),
        (lambda video: (video.unlink(), (video.parent / "recording.json").unlink(), video.parent.rmdir()), "removed"),
    ],
    ids=["content", "content, with its time put back", "size", "file removed", "item removed"],
)
def test_what_is_not_whole_in_the_library_is_not_deleted_from_zoom(
    begin: Begin, stage: Stage, change: Any, said: str
) -> None:
    site = stored(begin, stage, "a", "b")
    change(site.item("a") / "video.mp4")

    result = site.sync()

    assert (result.code, deletions(site)) == (1, [("b", VIEW, "trash")])
    assert said in result.reasons("kept")[site.uuid("a")]
    assert [line.split()[1] for line in result.stderr.splitlines() if said in line] == ["error"]
    assert site.entry("a").phase == "removed"
    again = site.sync()
    assert (again.code, deletions(site)) == (0, [("b", VIEW, "trash")])


@pytest.mark.parametrize("ended", ["restored", "fetched again", "excluded"])
def test_what_has_other_bytes_is_told_until_it_is_whole_again_or_excluded(
    begin: Begin, stage: Stage, ended: str
) -> None:
    site = stored(begin, stage, "a", "b")
    video = site.item("a") / "video.mp4"
    content = video.read_bytes()
    video.write_bytes(bytes(len(content)))
    (site.item("b") / "video.mp4").unlink()

    site.sync()
    told = site.sync("--verify"), site.run("status", "--check")
    if ended == "restored":
        video.write_bytes(content)
    elif ended == "fetched again":
        assert site.sync("--meeting", site.uuid("a")).code == 0
    else:
        site.configure(exclude_meetings=[site.uuid("a")])
    verified = site.sync("--verify", "--meeting", site.uuid("a")) if ended != "excluded" else site.sync("--verify")
    site.sync("--no-delete")

    assert (told[0].code, told[0].counts) == (1, {"differs": 1})
    assert told[1].code == 1
    assert site.uuid("a") in told[1].stdout and site.uuid("b") not in told[1].stdout
    assert (verified.code, site.run("status", "--check").code) == (0, 0)
    assert site.entry("a").phase == ("removed" if ended == "excluded" else "published")


def test_what_cannot_be_read_now_is_kept_and_asked_again(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a")
    told = (site.item("a") / "recording.json").read_bytes()
    (site.item("a") / "recording.json").write_bytes(b"{")

    result = site.sync()
    assert (result.code, site.world.deletions, site.entry("a").phase) == (1, [], "published")

    (site.item("a") / "recording.json").write_bytes(told)
    assert (site.sync().code, deletions(site)) == (0, [("a", VIEW, "trash")])


def test_a_file_that_the_config_does_not_select_stays_in_the_cloud(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "With texts")
    stage.video("m")
    stage.transcript("m")
    site = published(begin, stage, recordings={"files": ["video"]})

    result = site.sync()

    assert (result.code, deletions(site)) == (0, [("m", VIEW, "trash")])
    assert [file.view for file in site.world.meetings[site.uuid("m")].present] == ["audio_transcript"]
    assert site.sync().code == 0


def test_a_file_without_an_id_stays_in_the_cloud(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "An older timeline")
    stage.video("m")
    stage.transcript("m").omit = ("id",)
    site = published(begin, stage)

    assert (site.sync().code, deletions(site)) == (0, [("m", VIEW, "trash")])


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (400, 3310, "This recording is used by a simulive webinar."),
        (400, 1010, "User does not belong to this account."),
        (400, 3303, "You can not delete an uncompleted meeting."),
    ],
)
def test_a_refused_deletion_is_told_and_tried_again_later(
    begin: Begin, stage: Stage, status: int, code: int, words: str
) -> None:
    site = stored(begin, stage, "a", "b")
    refused = site.sandbox.fail(
        site.uuid("a")[:12], method="DELETE", with_=faults.refused(status, code, words), times=None
    )

    result = site.sync()

    assert (result.code, deletions(site)) == (1, [("b", VIEW, "trash")])
    assert words.rstrip(".") in result.reasons("refused")[site.uuid("a")]
    assert [line.get("answer", "")[:8] for line in site.audit()][1::2] in (["refused:", "204"], ["204", "refused:"])

    assert "deleted from Zoom (trash): 0 files" not in result.stderr
    assert words in site.run("status").stdout
    assert (site.run("status", "--check").code, site.entry("a").phase) == (1, "published")

    again = site.sync()
    assert (again.code, refused.struck) == (0, 1)
    site.clock.advance(hours=1)
    assert (site.sync().code, refused.struck) == (1, 2)
    site.sandbox.heal()
    site.clock.advance(hours=1)
    assert (site.sync().code, len(deletions(site))) == (0, 1)
    site.clock.advance(hours=1)
    assert (site.sync().code, len(deletions(site))) == (0, 2)


@pytest.mark.parametrize(
    "uuid", ["/slaShF1rstSlashF1rst0A==", "abc//defGhiJklMno0PqrSA==", "ab/cdefGhiJ+klMno0PqrA==", "a%2Fb=="]
)
def test_a_uuid_with_slashes_is_really_deleted(begin: Begin, stage: Stage, uuid: str) -> None:
    stage.meeting("m", "alice", 2, "Slashes", uuid=uuid)
    stage.video("m")
    site = published(begin, stage)

    assert (site.sync().code, [found for found, _ in site.world.trash]) == (0, [uuid])


def test_what_a_person_took_back_from_the_trash_is_neither_fetched_nor_deleted_again(
    begin: Begin, stage: Stage
) -> None:
    site = stored(begin, stage, "a")
    site.sync()
    site.world.restore(site.uuid("a"))
    before = site.library()

    for days in (0, 8, 8):
        site.clock.advance(days=days)
        result = site.sync()
        assert (result.code, site.downloads(), site.sandbox.count("DELETE")) == (0, [], 0)

    assert site.library() == before
    assert "back from Zoom's trash" in site.entry("a").reason


@pytest.mark.parametrize(
    ("fault", "again"), [(faults.lost_answer(), 0), (faults.page(502), 1)], ids=["done", "not done"]
)
def test_a_deletion_without_an_answer_is_settled_by_the_next_pass_and_made_again_an_hour_later(
    begin: Begin, stage: Stage, fault: faults.Fault, again: int
) -> None:
    site = stored(begin, stage, "a", "b", "c")
    site.sandbox.fail(method="DELETE", with_=fault)

    first = site.sync()
    second = site.sync()

    assert (first.code, first.counts["deleted"], second.code) == (1, 2, 0)
    (said,) = first.reasons("refused").values()
    assert said.startswith("no answer, the next pass finds out what became of it: zoom: ")
    assert len(deletions(site)) == 3 - again
    assert [line["event"] for line in site.audit()].count("settled") == 1
    assert site.state().intents == {}
    site.clock.advance(hours=1)
    assert site.sync().counts.get("deleted", 0) == again
    assert sorted(deletions(site)) == [(name, VIEW, "trash") for name in "abc"]


def test_what_a_person_takes_back_after_a_deletion_without_an_answer_is_not_deleted_again(
    begin: Begin, stage: Stage
) -> None:
    site = stored(begin, stage, "a")
    site.sandbox.fail(method="DELETE", with_=faults.lost_answer())
    site.sync()
    site.sync()
    site.world.restore(site.uuid("a"))

    for days in (1, 8, 8):
        site.clock.advance(days=days)
        assert (site.sync().code, site.downloads(), site.sandbox.count("DELETE")) == (0, [], 0)

    assert (deletions(site), site.entry("a").reason.split(" after")[0]) == (
        [("a", VIEW, "trash")],
        "back from Zoom's trash",
    )


def test_a_file_that_is_altered_between_two_deletions_of_one_day_keeps_the_rest_in_zoom(
    begin: Begin, stage: Stage
) -> None:
    stage.meeting("m", "alice", 2, "Two files")
    stage.video("m")
    stage.transcript("m")
    site = published(begin, stage)
    site.sandbox.fail(method="DELETE", with_=faults.refused(400, 3303, "uncompleted"), times=1, skip=1)
    site.sync()
    overwrite_unseen(site.item("m") / "video.vtt")
    site.clock.advance(hours=2)

    assert (site.sync().code, deletions(site), site.entry("m").phase) == (1, [("m", VIEW, "trash")], "removed")


def test_three_deletions_in_a_row_without_an_answer_end_the_deletions_and_not_the_pass(
    begin: Begin, stage: Stage
) -> None:
    site = stored(begin, stage, *"abcde")
    site.sandbox.fail(method="DELETE", with_=faults.page(500), times=None)

    stage.meeting("new", "alice", 1, "New")
    stage.video("new")

    result = site.sync()

    assert (result.code, site.sandbox.count("DELETE"), site.world.deletions) == (1, 3, [])
    assert result.counts["published"] == 1
    assert "deletions: 3 in a row came back without an answer" in result.document["left"]
    site.sandbox.heal()
    site.clock.advance(hours=1)
    assert (site.sync().code, len(deletions(site))) == (0, 5)


def test_a_recording_that_cannot_be_read_before_its_deletion_stops_nothing(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a", "b")
    stage.meeting("new", "alice", 1, "New")
    stage.video("new")
    site.sandbox.fail(site.uuid("a")[:12], method="GET", with_=faults.page(500), times=None)

    result = site.sync()

    assert (result.code, result.counts["published"], deletions(site)) == (1, 1, [("b", VIEW, "trash")])


def test_a_meeting_of_which_one_deletion_is_refused_is_finished_later(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "Two files")
    stage.video("m")
    stage.transcript("m")
    site = published(begin, stage)
    site.sandbox.fail(method="DELETE", with_=faults.refused(400, 3303, "uncompleted"), times=1, skip=1)

    assert (site.sync().code, deletions(site)) == (1, [("m", VIEW, "trash")])
    site.clock.advance(hours=1)
    assert (site.sync().code, deletions(site)) == (0, [("m", VIEW, "trash"), ("m", "audio_transcript", "trash")])
    assert site.entry("m").phase == "deleted"


def test_a_segment_that_comes_after_the_deletion_is_a_part(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a")
    site.sync()
    stage.video("a", 2, at=60)

    assert (site.sync().counts["updated"], site.names("a")) == (1, ["video.mp4", "video.part-2.mp4"])
    site.clock.advance(days=7)
    assert (site.sync().code, len(deletions(site)), site.world.meetings[site.uuid("a")].present) == (0, 2, [])


def test_a_late_file_that_is_found_at_deletion_is_published_first(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a", recordings={"lookback": "1d", "sweep": "never"})
    stage.transcript("a")

    result = site.sync()
    assert (result.code, result.counts["updated"], site.world.deletions) == (0, 1, [])
    assert site.names("a") == ["video.mp4", "video.vtt"]
    assert site.recording("a")["meeting"]["host"] == {"id": "id_alice", "email": "alice@example.org"}

    site.clock.advance(days=7)
    assert site.sync().counts["deleted"] == 1
    assert sorted(deletions(site)) == [("a", "audio_transcript", "trash"), ("a", VIEW, "trash")]


def test_what_comes_after_the_deletion_is_stored_and_then_deleted_too(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a")
    site.sync()
    stage.transcript("a")

    assert (site.sync().counts["updated"], site.names("a")) == (1, ["video.mp4", "video.vtt"])
    site.clock.advance(days=7)
    assert (site.sync().code, deletions(site)) == (0, [("a", VIEW, "trash"), ("a", "audio_transcript", "trash")])


def test_a_file_that_failed_keeps_all_of_its_meeting_in_the_cloud(begin: Begin, stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "A broken transcript")
    stage.video("m")
    broken = stage.transcript("m")
    site = begin(stage.world, **TRASH)
    site.sandbox.fail(broken.id, with_=faults.page(404), times=None)
    assert (site.sync().code, site.names("m")) == (1, ["video.mp4"])
    site.clock.advance(days=30)

    assert (site.sync().code, site.world.deletions) == (1, [])


def test_a_file_that_changed_in_the_cloud_is_no_longer_covered(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a")
    (file,) = site.world.meetings[site.uuid("a")].files
    file.content = stage.clip(media.Clip(segment=2))

    site.sync()

    assert site.world.deletions == []


def test_without_the_deleting_scope_all_else_is_done_and_the_pass_fails(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a")
    stage.meeting("b", "alice", 1, "New")
    stage.video("b")
    site.sandbox.settings.scopes = READING

    result = site.sync()

    assert (result.code, result.counts["published"], site.sandbox.count("DELETE")) == (1, 1, 0)
    assert "lacks the scope to delete" in result.stderr
    site.sandbox.settings.scopes = GRANULAR
    assert (site.sync().code, deletions(site)) == (0, [("a", VIEW, "trash")])


@pytest.mark.parametrize(
    ("scopes", "asked", "reason"),
    [
        (GRANULAR, 3, "although the token has the scope"),
        (tuple(one for one in GRANULAR if "delete" not in one), 2, "the app lacks a scope"),
    ],
    ids=["as zoom says", "in truth"],
)
def test_a_scope_that_vanishes_in_the_middle_ends_the_deletions_at_most(
    begin: Begin, stage: Stage, scopes: tuple[str, ...], asked: int, reason: str
) -> None:
    site = stored(begin, stage, "a", "b")
    stage.meeting("new", "alice", 1, "New")
    stage.video("new")

    def refuse(request: Any) -> Any:
        site.sandbox.settings.scopes = scopes
        return faults.no_scope("cloud_recording:delete:recording_file:admin").instead(request)  # type: ignore[misc]

    site.sandbox.fail(method="DELETE", with_=faults.Fault(instead=refuse), times=None)

    result = site.sync()

    assert (result.code, site.world.deletions, site.sandbox.count("DELETE")) == (1, [], asked)
    assert (result.counts["published"], reason in result.stderr) == (1, True)


def test_a_host_who_is_not_selected_any_more_keeps_the_cloud_copy(begin: Begin, stage: Stage) -> None:
    stage.world.add_user("Bob Example")
    site = stored(begin, stage, "a")
    site.configure(filter_accounts=["bob@example.org"])

    assert (site.sync().code, site.world.deletions) == (0, [])


def test_a_clock_that_zoom_contradicts_ends_the_pass_before_anything(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a")
    site.sandbox.settings.sends_date = False
    nothing = site.sync()
    site.sandbox.settings.sends_date = True
    site.sandbox.settings.skew = site.clock.now() - site.clock.now().replace(hour=11, minute=49)
    wrong = site.sync()

    assert (nothing.code, wrong.code, site.world.deletions) == (5, 5, [])
    assert ("no date" in nothing.stderr, "clock" in wrong.stderr) == (True, True)


def test_meetings_gone_from_the_cloud_are_no_failure(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a")
    for file in site.world.meetings[site.uuid("a")].files:
        file.deleted = True

    result = site.sync()

    assert (result.code, site.sandbox.count("DELETE"), site.entry("a").phase) == (0, 0, "deleted")


def test_a_destination_that_is_not_the_one_of_the_receipt_proves_nothing(begin: Begin, stage: Stage) -> None:
    site = stored(begin, stage, "a")
    site.configure(destination={"path": "./other"})

    result = site.sync("--new-library")

    assert (result.code, site.world.deletions) == (0, [])
