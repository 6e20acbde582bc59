"""What fails: one recording never stops the others, and the exit code tells the truth."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site
from tests.sandbox import faults
from tests.sandbox.faults import Fault
from tests.sandbox.stage import Stage
from zoomsync.model import Retry

ALICE: dict[str, Any] = {"filter_accounts": ["alice@example.org"]}


def some(begin: Begin, stage: Stage, *names: str, **overrides: Any) -> Site:
    """A site with these one-video meetings, the first one the newest."""
    for days, name in enumerate(names, 2):
        stage.meeting(name, "alice", days, f"Meeting {name}")
        stage.video(name)
    return begin(stage.world, **(ALICE | overrides))


def video(site: Site, name: str) -> str:
    """The id of a meeting's first video."""
    return next(file.id for file in site.world.meetings[site.uuid(name)].files if file.type == "MP4")


def retry(site: Site, name: str) -> Retry:
    """What the state remembers of the failures of a meeting."""
    found = site.entry(name).retry
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (faults.sign_in_page(), "a page titled “Sign In | Zoom”"),
        (faults.page(404), "HTTP 404"),
        (faults.page(500), "HTTP 500"),
        (faults.truncated(-100), "bytes are announced"),
        (faults.corrupt(4, 4), "does not begin like an MP4 file"),
        (faults.cut(0, "fin"), "the connection broke"),
        (faults.cut(0, "reset"), "the connection broke"),
        (faults.foreign_redirect(), "127.0.0.2"),
        (faults.redirect_loop(), "redirected more than 5 times"),
        (faults.body('{"errorCode": 3, "errorMessage": "no"}', "application/json"), "no"),
    ],
    ids=["sign-in", "404", "500", "truncated", "no mp4", "cut", "reset", "foreign", "loop", "json"],
)
def test_what_is_not_the_video_is_never_stored_and_the_others_are(
    begin: Begin, stage: Stage, fault: Fault, said: str
) -> None:
    site = some(begin, stage, "a", "bad", "c")
    site.sandbox.fail(video(site, "bad"), with_=fault, times=None)

    result = site.sync()

    assert (result.code, result.counts["published"], result.counts["failed"]) == (1, 2, 1)
    assert said in result.reasons("failed")[site.uuid("bad")]
    assert {path.parent.name[17:26] for path in site.files()} == {"Meeting a", "Meeting c"}
    assert (retry(site, "bad").tries, retry(site, "bad").next_at) == (1, retry(site, "bad").at + timedelta(hours=1))
    site.sandbox.heal()
    site.clock.advance(hours=1)
    assert (site.sync().counts["published"], site.names("bad")) == (1, ["video.mp4"])
    assert site.entry("bad").retry is None


def test_a_transfer_that_breaks_goes_on_where_it_broke(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a")
    site.sandbox.fail("/ssrweb/", with_=faults.cut(50_000, "reset"), times=1)

    assert site.sync().code == 0

    assert [one.range for one in site.sandbox.seen("GET", "/ssrweb/")] == [None, "bytes=50000-"]


def test_failures_are_retried_with_growing_pauses_and_then_parked(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "bad")
    site.sandbox.fail(video(site, "bad"), with_=faults.page(404), times=None)
    codes, pauses = [], []
    for _ in range(10):
        codes.append(site.sync().code)
        next_at = retry(site, "bad").next_at
        if next_at is not None:
            pauses.append((next_at - site.clock.now()) / timedelta(hours=1))
            site.clock.advance(seconds=(next_at - site.clock.now()).total_seconds() - 1)
            early = site.sync()
            assert (early.code, site.downloads()) == (0, [])
            site.clock.advance(seconds=1)

    assert (codes, pauses) == ([1] * 10, [1, 2, 4, 8, 16, 24, 24, 24, 24])
    assert site.entry("bad").reason.startswith("parked after 10 tries: zoom: ")
    site.clock.advance(days=100)
    parked = site.sync()
    assert (parked.code, site.downloads()) == (0, [])
    assert site.run("status", "--check").code == 1


@pytest.mark.parametrize("how", ["--retry-failed", "--meeting"])
def test_what_is_parked_is_tried_again_when_asked_for(begin: Begin, stage: Stage, how: str) -> None:
    site = parked(begin, stage)

    result = site.sync(how, *([site.uuid("bad")] if how == "--meeting" else []))

    assert (result.code, result.counts["published"], site.entry("bad").retry) == (0, 1, None)


def test_what_is_parked_is_closed_by_excluding_it(begin: Begin, stage: Stage) -> None:
    site = parked(begin, stage)
    site.configure(exclude_meetings=[site.uuid("bad")])

    assert (site.sync().code, site.entry("bad").phase, site.entry("bad").retry) == (0, "skipped", None)
    assert site.run("status", "--check").code == 0


def parked(begin: Begin, stage: Stage) -> Site:
    """A site with one meeting that was given up, although it could be fetched now."""
    site = some(begin, stage, "bad")
    site.sandbox.fail(video(site, "bad"), with_=faults.page(404), times=None)
    for _ in range(10):
        site.sync("--retry-failed")
    site.sandbox.heal()
    assert retry(site, "bad").is_parked
    return site


def test_a_text_that_fails_is_retried_on_its_own_and_the_item_goes_out_without_it(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a")
    text = stage.transcript("a")
    site.sandbox.fail(text.id, with_=faults.sign_in_page(), times=None)

    first = site.sync()
    assert (first.code, first.counts["published"], site.names("a")) == (1, 1, ["video.mp4"])
    assert site.entry("a").pending[0].startswith("audio_transcript: ")

    site.sandbox.heal()
    site.clock.advance(hours=1)
    second = site.sync()
    assert (second.code, second.counts["updated"], site.downloads()) == (0, 1, [text.id])
    assert site.names("a") == ["video.mp4", "video.vtt"]


def test_staged_files_of_a_meeting_that_failed_are_not_fetched_again(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a")
    second = stage.video("a", 2, at=60)
    site.sandbox.fail(second.id, with_=faults.page(404), times=None)
    assert site.sync().code == 1
    site.sandbox.heal()
    site.clock.advance(hours=1)

    assert (site.sync().counts["published"], site.downloads()) == (1, [second.id])


def test_what_is_gone_before_it_was_fetched_is_lost_and_said_once(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a", "bad")
    site.sandbox.fail(video(site, "bad"), with_=faults.page(404), times=None)
    site.sync()
    for file in site.world.meetings[site.uuid("bad")].files:
        file.deleted = True
    site.clock.advance(hours=1)

    lost = site.sync()

    assert (lost.code, lost.counts["lost"], site.entry("bad").phase) == (1, 1, "lost")
    assert lost.reasons("lost")[site.uuid("bad")] == "gone from the cloud before it was fetched"
    assert site.sync().code == 0


def test_what_was_lost_and_comes_back_is_fetched(begin: Begin, stage: Stage) -> None:
    stage.meeting("a", "alice", 1 / 24, "Not settled")
    stage.video("a")
    site = begin(stage.world, **ALICE, recordings={"settle": "6h"})
    site.sync()
    for file in site.world.meetings[site.uuid("a")].files:
        file.deleted = True
    site.clock.advance(hours=6)
    assert site.sync().code == 1
    for file in site.world.meetings[site.uuid("a")].files:
        file.deleted = False

    assert (site.sync().code, site.names("a")) == (0, ["video.mp4"])


def test_an_open_recording_that_zoom_cannot_read_now_stops_nothing(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "bad", "b", recordings={"lookback": "1d", "sweep": "never"})
    site.sandbox.fail(video(site, "bad"), with_=faults.page(404), times=None)
    site.sync()
    site.clock.advance(hours=1)
    site.sandbox.heal()
    site.sandbox.fail("/meetings/", with_=faults.page(500), times=None)
    stage.meeting("new", "alice", 0.5, "New")
    stage.video("new")

    result = site.sync()

    assert (result.code, result.counts["published"], result.counts["failed"]) == (1, 1, 1)
    site.sandbox.heal()
    site.clock.advance(hours=1)
    assert site.sync().counts["published"] == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (faults.oauth_refused(), 3),
        (faults.oauth_refused("invalid_request", "Account does not exist", 400), 3),
        (faults.oauth_refused("unsupported_grant_type", "unsupported grant type", 400), 3),
        (faults.page(503), 6),
        (faults.page(200), 6),
        (faults.black_hole(), 6),
    ],
    ids=["client", "account", "grant", "out of order", "a proxy's page", "reset"],
)
def test_without_a_token_nothing_is_touched(begin: Begin, stage: Stage, fault: Fault, code: int) -> None:
    if fault.change:
        fault = faults.lost_answer()
    site = some(begin, stage, "a")
    site.sandbox.fail("/oauth/token", with_=fault, times=None)

    result = site.sync()

    assert (result.code, site.files(), set(site.calls())) == (code, [], {"POST /oauth/token"})
    assert "hint" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_zoom_that_is_down_at_the_start_is_code_6(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a")
    site.configure(zoom={"rate": 80, "oauth_url": "http://127.0.0.1:9/oauth/token", "api_url": "http://127.0.0.1:9/v2"})

    result = site.sync()

    assert (result.code, site.files()) == (6, [])
    assert "connection refused" in result.stderr


def test_a_reading_scope_that_is_missing_is_code_3_and_named(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a")
    site.sandbox.settings.scopes = tuple(one for one in site.sandbox.settings.scopes if "recording_files" not in one)

    result = site.sync()

    assert (result.code, site.calls()) == (3, ["POST /oauth/token"])
    assert "cloud_recording:read:list_recording_files:admin" in result.stderr


def test_a_token_that_ends_in_the_middle_is_renewed(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a", "b", "c", workers=1)
    site.sandbox.fail("/rec/download/", with_=revoking(site), times=1, skip=1)

    result = site.sync()

    assert (result.code, result.counts["published"]) == (0, 3)
    assert site.calls().count("POST /oauth/token") == 2


def revoking(site: Site) -> Fault:
    """Every token ends before the request is answered."""

    def ask(request: Any) -> Any:
        site.sandbox.tokens.revoke()
        return request

    return Fault(ask=ask)


def test_credentials_refused_in_the_middle_end_the_pass_and_nothing_new_is_begun(begin: Begin, stage: Stage) -> None:
    names = [f"m{number}" for number in range(6)]
    site = some(begin, stage, *names, workers=1)

    def end(request: Any) -> Any:
        site.sandbox.tokens.revoke()
        site.sandbox.settings.client_secret = "another by now"
        return request

    site.sandbox.fail("/rec/download/", with_=Fault(ask=end), times=1, skip=2)

    result = site.sync()

    assert (result.code, result.counts["published"], len(set(site.downloads()))) == (3, 2, 3)
    assert "no token" in result.stderr
    assert result.document["left"][0] == "3 meetings due and not begun"
    site.sandbox.settings.client_secret = "sandbox-secret-8b1f"
    again = site.sync()
    assert (again.code, again.counts["published"]) == (0, 4)


def test_downloads_that_cannot_be_reached_are_no_tries_and_end_no_pass_while_zoom_answers(
    begin: Begin, stage: Stage
) -> None:
    site = some(begin, stage, *"abcdef", workers=1)
    site.sandbox.fail("/rec/download/", with_=faults.redirect("http://127.0.0.1:9/gone"), times=None)

    result = site.sync()

    assert (result.code, len(set(site.downloads())), site.files()) == (1, 6, [])
    assert {(retry(site, name).tries, retry(site, name).unanswered) for name in "abcdef"} == {(0, 1)}
    site.sandbox.heal()
    site.clock.advance(hours=1)
    assert site.sync().counts["published"] == 6


def test_a_disk_without_room_is_code_5_and_is_no_try(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a", min_free_disk="1000TB")

    result = site.sync()

    assert (result.code, site.downloads(), site.files()) == (5, [], [])
    assert retry(site, "a").tries == 0
    site.configure(min_free_disk="1MB")
    assert site.sync().counts["published"] == 1


def test_time_that_is_up_leaves_the_rest_for_the_next_pass(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a", "b", "c", workers=1)
    site.sandbox.fail("/rec/download/", with_=lasting(site, hours=2), times=None)

    result = site.sync("--max-duration", "3h")

    assert (result.code, result.counts["published"], result.document["left"][0]) == (
        0,
        2,
        "1 meeting due and not begun",
    )
    assert site.sync().counts["published"] == 1


@pytest.mark.parametrize("slow", ["/users/bob", "/recordings"])
def test_time_that_is_up_before_all_is_listed_is_no_failure(begin: Begin, stage: Stage, slow: str) -> None:
    everybody = {"filter_accounts": [], "exclude_accounts": ["bob@example.org"], "unknown_accounts": "warn"}
    site = some(begin, stage, "a", **everybody, recordings={"since": "2026-01-01"})
    ends = []
    for wish, left in (["--dry-run"], "not_looked_at"), ([], "left"):
        site.sandbox.fail(slow, with_=lasting(site, hours=2), times=1)
        result = site.sync("--max-duration", "1h", *wish)
        ends.append((result.code, result.document[left][0].split(" ")[0]))

    assert ends == [(0, "whatever" if slow == "/users/bob" else "recordings")] * 2
    assert site.run("--json", "status").document["sync_process"] == "Finished"
    assert site.run("status", "--check").code == (slow == "/users/bob")  # too old: no list was read yet
    assert site.sync().counts["published"] == 1
    assert site.run("status", "--check").code == 0


def lasting(site: Site, **span: float) -> Fault:
    """So much time goes by with each download."""

    def ask(request: Any) -> Any:
        site.clock.advance(**span)
        return request

    return Fault(ask=ask)


def test_a_library_that_is_not_there_any_more_is_code_5_and_nothing_is_written_in_its_place(
    begin: Begin, stage: Stage
) -> None:
    site = some(begin, stage, "a")
    site.sync()
    site.root.rename(site.folder / "unmounted")
    stage.meeting("b", "alice", 1, "New")
    stage.video("b")

    missing = site.sync()
    assert (missing.code, site.root.exists(), site.calls()) == (5, False, [])
    assert "is its file system mounted?" in missing.stderr

    site.root.mkdir()
    empty = site.sync()
    assert (empty.code, list(site.root.iterdir())) == (5, [])

    site.root.rmdir()
    (site.folder / "unmounted").rename(site.root)
    assert (site.sync().counts["published"], site.names("a"), site.names("b")) == (1, ["video.mp4"], ["video.mp4"])


def test_a_library_that_goes_away_in_the_middle_ends_the_pass_and_nobody_removed_anything(
    begin: Begin, stage: Stage
) -> None:
    site = some(begin, stage, "a", "b", workers=1)
    site.sync()
    stage.transcript("a")
    stage.transcript("b")
    site.sandbox.fail("/rec/download/", with_=acting(lambda: site.root.rename(site.folder / "unmounted")), times=1)

    result = site.sync()

    assert result.code == 5
    assert {site.entry(name).phase for name in "ab"} == {"published"}
    left = [path.name for path in site.root.rglob("*") if path.is_file()] if site.root.exists() else []
    assert not [name for name in left if name.endswith((".mp4", ".vtt", "recording.json"))]


def acting(act: Callable[[], object]) -> Fault:
    """Something happens before the request is answered."""

    def ask(request: Any) -> Any:
        act()
        return request

    return Fault(ask=ask)


def test_two_passes_at_once_the_second_gives_way(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a")
    codes = []
    site.sandbox.fail("/rec/download/", with_=acting(lambda: codes.append(another(site))), times=1)

    assert (site.sync().code, codes) == (0, [4])


def another(site: Site) -> int:
    """A pass in another process, by the true clock."""
    command = [sys.executable, "-m", "zoomsync", "-c", str(site.folder / "config.yaml"), "sync"]
    return subprocess.run(command, capture_output=True, env=dict(os.environ), timeout=60, check=False).returncode


def test_a_late_video_that_fails_is_retried_and_keeps_the_item_as_it_is(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a", delete_recordings="trash")
    site.sync()
    before = site.library()
    late = stage.video("a", 2, at=60)
    site.sandbox.fail(late.id, with_=faults.sign_in_page(), times=None)

    failed = site.sync()
    assert (failed.code, failed.counts["failed"], site.library()) == (1, 1, before)
    site.clock.advance(days=7)
    assert (site.sync().code, site.sandbox.count("DELETE")) == (1, 0)

    site.sandbox.heal()
    site.clock.advance(hours=2)
    assert (site.sync().counts["updated"], site.names("a")) == (1, ["video.v2.mp4"])


def test_a_listing_older_than_half_an_hour_is_read_again_before_its_fetch(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a", "gone", "grown", workers=1)

    def change() -> None:
        site.clock.advance(minutes=31)
        for file in site.world.meetings[site.uuid("gone")].files:
            file.deleted = True
        stage.transcript("grown")

    site.sandbox.fail("/rec/download/", with_=acting(change), times=1)

    result = site.sync()

    assert (result.code, result.counts["published"], result.counts["lost"]) == (1, 2, 1)
    assert site.names("grown") == ["video.mp4", "video.vtt"]
    assert (site.entry("gone").phase, site.entry("grown").host_email) == ("lost", "alice@example.org")


def test_texts_without_a_length_are_fetched_twice_and_compared(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a")
    text = stage.transcript("a")
    site.sandbox.settings.downloads_have_length = False

    assert (site.sync().code, site.names("a")) == (0, ["video.mp4", "video.vtt"])

    assert sorted(site.downloads()) == sorted([video(site, "a"), text.id, text.id])


def test_a_token_that_ends_the_older_ones_is_minted_once_for_all_workers(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, *"abcdefgh", workers=8)
    site.sandbox.settings.keeps_older_tokens = False
    site.sandbox.fail("/rec/download/", with_=revoking(site), times=1, skip=3)

    result = site.sync()

    assert (result.code, result.counts["published"]) == (0, 8)
    assert site.calls().count("POST /oauth/token") <= 3


def test_a_clock_that_was_wrong_is_no_reason_to_miss_anything(begin: Begin, stage: Stage) -> None:
    site = some(begin, stage, "a")
    site.clock.advance(days=300)
    site.sync()
    stage.meeting("b", "alice", 1, "New")
    stage.video("b")
    site.clock.advance(days=-300)

    result = site.sync()

    assert (result.code, result.counts["published"], site.state().head.gaps) == (0, 1, ())
