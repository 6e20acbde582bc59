"""`sync --verify`: what is stored is read again, and what differs is named; nothing is fetched, deleted or changed."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site
from tests.sandbox.stage import Stage
from zoomsync.destinations.library.destination import LibraryDestination
from zoomsync.errors import Forbidden, LibraryUnusable, MeetingFailed, ServiceUnavailable, ZoomsyncError
from zoomsync.model import Receipt, Verdict


@pytest.fixture
def site(begin: Begin, stage: Stage) -> Site:
    """Three meetings, stored."""
    for number in (1, 2, 3):
        stage.meeting(f"m{number}", "alice", number + 1, f"Meeting {number}")
        stage.video(f"m{number}")
    site = begin(stage.world)
    assert site.sync().code == 0
    return site


def in_place(path: Path) -> None:
    """Other bytes, of the same length and with the same time: what a bad restore leaves."""
    before = path.stat()
    path.write_bytes(bytes(path.stat().st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_what_is_whole_is_counted_and_zoom_is_not_asked(site: Site) -> None:
    before = site.library()

    result = site.sync("--verify")

    assert (result.code, result.counts) == (0, {"verified": 3})
    assert (site.calls(), site.downloads(), site.library()) == ([], [], before)
    assert "3 items to verify" in result.stderr


def test_what_differs_is_named_with_exit_code_1_and_left_as_it_is(site: Site) -> None:
    in_place(site.item("m1") / "video.mp4")
    (site.item("m2") / "video.mp4").unlink()
    before = site.library()

    result = site.sync("--verify")

    assert (result.code, result.counts) == (1, {"verified": 1, "differs": 2})
    reasons = result.reasons("differs")
    assert "video.mp4 was changed: its content is not what was stored" in reasons[site.uuid("m1")]
    assert "video.mp4 was removed" in reasons[site.uuid("m2")]
    assert site.library() == before


def test_what_differs_is_remembered_until_it_is_found_whole(site: Site) -> None:
    video = site.item("m1") / "video.mp4"
    content = video.read_bytes()
    in_place(video)
    site.sync("--verify")
    site.sync()
    found = site.run("status", "--check"), site.run("--json", "status").document["differs"]
    video.write_bytes(content)
    site.sync("--verify")
    again = site.run("status", "--check"), site.run("--json", "status").document["differs"]

    assert (found[0].code, [one["uuid"] for one in found[1]]) == (1, [site.uuid("m1")])
    assert "stored otherwise than its receipt says: 1 meeting" in found[0].stdout
    assert (again[0].code, again[1]) == (0, [])


def test_what_differs_and_is_fetched_again_differs_no_more(site: Site) -> None:
    in_place(site.item("m1") / "video.mp4")
    site.sync("--verify")
    site.sync("--meeting", site.uuid("m1"))

    assert site.run("status", "--check").code == 0


@pytest.mark.parametrize("spoilt", ["no JSON", json.dumps({"format": 1})])
def test_an_item_that_cannot_be_read_costs_itself_alone(site: Site, spoilt: str) -> None:
    (site.item("m3") / "recording.json").write_text(spoilt)

    result = site.sync("--verify")

    assert (result.code, result.counts) == (1, {"verified": 2, "differs": 1})


def test_the_remedy_for_a_damaged_recording_json_is_its_own_and_its_path_is_said_once(site: Site) -> None:
    (site.item("m3") / "recording.json").write_text("no JSON")

    said = next(line for line in site.sync("--verify").stderr.splitlines() if "recording.json" in line)

    assert "restore it from a backup; or move the folder of the item away" in said
    assert said.count(site.item("m3").name) == 1


def closed(receipt: Receipt) -> Verdict:
    return Verdict(safe=False, reason="video.mp4: permission denied", receipt=receipt, unread=True, hint="open it")


@pytest.mark.parametrize("problem", [Forbidden("closed"), MeetingFailed("closed"), ServiceUnavailable("away"), closed])
def test_what_cannot_be_read_now_is_named_and_what_was_known_of_it_stays(
    site: Site, problem: ZoomsyncError | Callable[[Receipt], Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_place(site.item("m2") / "video.mp4")
    site.sync("--verify")
    unread, verify = {site.uuid("m1"), site.uuid("m2")}, LibraryDestination.verify

    def answer(self: LibraryDestination, receipt: Receipt) -> Verdict:
        if receipt.uuid not in unread:
            return verify(self, receipt)
        if isinstance(problem, ZoomsyncError):
            raise problem
        return problem(receipt)

    with monkeypatch.context() as patched:
        patched.setattr(LibraryDestination, "verify", answer)
        result = site.sync("--verify")
    known = [one["uuid"] for one in site.run("--json", "status").document["differs"]]

    assert (result.code, result.counts, known) == (1, {"verified": 1, "unread": 2}, [site.uuid("m2")])
    assert {*result.reasons("unread")} == unread and result.stderr.count(" error ") == 3  # and the last line
    assert site.sync("--verify", "--sample", "0.0001%").counts == {"differs": 1}  # it always belongs to the sample


@pytest.mark.parametrize("problem", [ServiceUnavailable("no answer", service="remote"), LibraryUnusable("missing")])
def test_a_destination_that_is_out_of_order_ends_it_and_says_nothing_of_any_item(
    site: Site, problem: ZoomsyncError, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*_: object) -> None:
        raise problem

    monkeypatch.setattr(LibraryDestination, "verify", answer)
    monkeypatch.setattr(LibraryDestination, "ping", answer)
    result = site.sync("--verify")

    assert (result.code, result.counts, result.document["rows"]) == (problem.code, {"unread": 3}, [])
    assert result.document["left"] == ["3 items to be read"]
    assert site.run("status", "--check").code == 0


def test_an_item_that_a_person_removed_differs(site: Site) -> None:
    shutil.rmtree(site.item("m1"))

    assert site.sync("--verify").counts == {"verified": 2, "differs": 1}


def test_a_verification_can_be_narrowed(site: Site) -> None:
    in_place(site.item("m1") / "video.mp4")
    number = site.world.meetings[site.uuid("m2")].number

    assert site.sync("--verify", "--meeting", str(number)).counts == {"verified": 1}
    assert site.sync("--verify", "--user", "bob@example.org").counts == {}
    assert site.sync("--verify", "--until", "2026-03-08").counts == {"verified": 2}


def test_a_name_of_nothing_that_is_stored_is_refused(site: Site) -> None:
    refused = site.sync("--verify", "--meeting", "99999999999")

    assert (refused.code, "--meeting 99999999999: nothing of that name is stored" in refused.stderr) == (2, True)


def test_a_sample_reads_a_share_that_is_drawn_anew(site: Site) -> None:
    drawn = [site.sync("--verify", "--sample", "40%").counts.get("verified", 0) for _ in range(12)]

    assert set(drawn) <= {0, 1, 2, 3}
    assert 0 < sum(drawn) < 36


def test_a_verification_is_no_whole_pass(site: Site) -> None:
    site.clock.advance(hours=25)
    site.sync("--verify")
    site.clock.advance(hours=2)

    checked = site.run("status", "--check")

    assert (checked.code, "too old: last whole pass finished" in checked.stdout) == (1, True)
    assert "--verify" in json.dumps(site.run("--json", "status").document["runs"][0]["narrowed"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--sample", "5%"],
        ["--verify", "--dry-run"],
        ["--verify", "--sample", "5"],
        ["--verify", "--sample", "0%"],
        ["--verify", "--reconcile"],
        ["--verify", "--new-library"],
        ["--reconcile", "--adopt-library"],
    ],
)
def test_what_does_not_go_together_is_refused(site: Site, arguments: list[str]) -> None:
    assert site.sync(*arguments).code == 2
