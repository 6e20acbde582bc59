"""The main job into a portal: what a person there would see, and what becomes of it when something goes wrong."""

import shutil
from math import inf
from typing import Any

import pytest

from tests.e2e.harness import a_stage, served
from tests.e2e.portal_site import ALICE, TRASH, AtPortal, PortalSite
from tests.sandbox.portal.faults import lost_request, portal_error
from tests.sandbox.stage import VIEWS, Stage
from zoomsync.model import Phase

SPEAKER, GALLERY, *_ = VIEWS


@pytest.fixture
def begin(at_portal: AtPortal) -> AtPortal:
    """`begin(stage, {below destination}, moderation=True, config={…})`."""
    return at_portal


@pytest.fixture
def stage() -> Stage:
    """A meeting of Alice with another view and texts, and a plain one of two segments."""
    made = a_stage()
    made.meeting("rich", "alice", 3, "The <rich> one")
    made.video("rich")
    made.video("rich", 1, GALLERY)
    made.texts("rich")
    made.meeting("long", "alice", 2, "Two segments")
    made.video("long", 1)
    made.video("long", 2, at=120)
    return made


def test_a_pass_publishes_and_the_next_one_has_nothing_to_do(begin: AtPortal, stage: Stage) -> None:
    site = begin(stage)

    first, second = site.sync(), site.sync()

    assert (first.code, first.counts["published"]) == (0, 2)
    assert (second.code, second.counts) == (0, {"up_to_date": 2, "calls": 3})
    assert [(one.title, one.status) for one in site.media("rich")] == [
        ("The <rich> one – 2026-03-07 09:30", "Published"),
        ("The <rich> one – 2026-03-07 09:30 – gallery view", "Published"),
    ]
    main = site.media("rich")[0]
    assert [one.file_name for one in main.captions] == ["video.vtt"]
    assert sorted(one.file_name for one in main.handouts) == ["chat.txt", "summary.json", "timeline.json"]
    assert "&lt;rich&gt;" in main.description
    speaker, gallery = (served(file) for file in stage.world.meetings[site.uuid("rich")].files[:2])
    assert [one.sha256 for one in site.media("rich")] == [speaker, gallery]
    assert site.portal.user(ALICE).id == main.author
    assert [one.email for one in site.portal.invitations] == [ALICE]
    assert site.state().open_intents() == ()


def test_nothing_lies_in_staging_afterwards_and_no_secret_anywhere(begin: AtPortal, stage: Stage) -> None:
    site = begin(stage)

    result = site.sync("-v")

    assert [path for path in (site.folder / "state" / "staging").rglob("*") if path.is_file()] == []
    everything = site.seen_text() + result.stdout + result.stderr
    assert site.portal.password not in everything
    assert "portal.token." not in everything
    assert not (site.folder / "library").exists()


def test_what_comes_late_is_added_and_a_late_segment_is_a_part(begin: AtPortal, stage: Stage) -> None:
    late = [stage.world.meetings[stage.world.names["long"]].files.pop()]
    texts = stage.world.meetings[stage.world.names["rich"]].files[2:]
    del stage.world.meetings[stage.world.names["rich"]].files[2:]
    site = begin(stage)
    site.sync()
    stage.world.meetings[site.uuid("long")].files += late
    stage.world.meetings[site.uuid("rich")].files += texts
    site.clock.advance(hours=1)

    result = site.sync()

    assert (result.code, result.counts["updated"]) == (0, 2)
    assert [one.title.rpartition(" – ")[2] for one in site.media("long")] == ["2026-03-08 09:30", "part 2"]
    assert [one.sha256 for one in site.media("long")][1] == served(late[0])
    main, gallery = site.media("rich")
    assert ([one.file_name for one in main.captions], len(main.handouts)) == (["video.vtt"], 3)
    assert (gallery.captions, gallery.handouts) == ([], [])
    assert site.sync().counts["up_to_date"] == 2


def test_what_is_stored_goes_to_the_trash_and_what_a_person_removed_does_not(begin: AtPortal, stage: Stage) -> None:
    site = begin(stage, config=TRASH)
    site.sync()
    site.one("long").status = "Rejected"
    site.clock.advance(days=8)

    result = site.sync()

    files = {file.id for file in stage.world.meetings[site.uuid("rich")].files}
    assert {id_ for _, id_, _ in site.world.deletions} == files
    assert (result.counts["deleted"], result.counts["altered"]) == (1, 1)
    assert "fetches it again; what is left of it there, delete first" in result.stderr
    assert site.entry("long").phase is Phase.REMOVED
    assert "rejected in the portal" in site.entry("long").reason
    assert any("sizes verified at the portal" in str(line) for line in site.audit())


def test_what_is_still_transcoded_waits_and_is_no_failure(begin: AtPortal, stage: Stage) -> None:
    site = begin(stage, config=TRASH | {"delete_after": "1d"}, transcoding=47 * 3600)
    site.sync()
    site.clock.advance(hours=30)

    waits = site.sync()
    site.clock.advance(hours=18)
    deletes = site.sync()

    assert (waits.code, waits.counts.get("deleted")) == (0, None)
    assert "the portal still transcodes it" in waits.stderr
    assert (deletes.code, deletes.counts["deleted"]) == (0, 2)


def test_what_is_never_transcoded_is_reported_after_two_days(begin: AtPortal, stage: Stage) -> None:
    site = begin(stage, config=TRASH | {"delete_after": "1d"}, transcoding=inf)
    site.sync()
    site.clock.advance(hours=49)

    tells = site.sync()

    assert (tells.code, tells.counts.get("deleted"), tells.counts["unproven"]) == (1, None, 2)
    assert "the portal has not transcoded it since" in tells.stderr
    assert site.run("status", "--check").code == 1


def test_permanent_deletion_is_an_error_of_the_config(begin: AtPortal, stage: Stage) -> None:
    site = begin(stage, config=TRASH | {"delete_recordings": "permanent"})

    result = site.sync()

    assert result.code == 2
    assert "delete_recordings: permanent is not for a portal" in result.stderr


def test_the_best_view_alone_and_no_chat(begin: AtPortal, stage: Stage) -> None:
    stage.meeting("sound", "alice", 4, "Sound alone")
    stage.audio("sound")
    stage.audio("rich")
    site = begin(stage, {"other_views": "skip", "chat": "none"}, config=TRASH)

    first, second = site.sync(), site.sync()

    assert (first.counts["published"], second.counts["up_to_date"]) == (3, 3)
    assert [one.format for one in site.media("rich")] == ["Video"]
    assert sorted(one.file_name for one in site.one("rich").handouts) == ["summary.json", "timeline.json"]
    assert site.one("sound").format == "Audio"
    site.clock.advance(days=8)
    assert site.sync().counts["deleted"] == 3
    gone = {file_id for _, file_id, _ in site.world.deletions}
    left = [file.view for file in stage.world.meetings[site.uuid("rich")].files if file.id not in gone]
    assert sorted(left) == ["audio_only", "chat_file", GALLERY]


def test_segments_that_were_encoded_again_are_attached_as_they_were(begin: AtPortal, stage: Stage) -> None:
    stage.meeting("odd", "alice", 1, "Two sizes")
    stage.video("odd", 1, seconds=2)
    stage.video("odd", 2, at=120, seconds=2, width=240)
    site = begin(stage, config=TRASH)

    site.sync()

    originals = [served(file) for file in stage.world.meetings[site.uuid("odd")].files]
    assert [one.blob.sha256 for one in site.one("odd").handouts] == originals
    site.clock.advance(days=8)
    assert site.sync().counts["deleted"] == 3


def test_after_the_loss_of_the_state_nothing_is_published_twice(begin: AtPortal, stage: Stage) -> None:
    site = begin(stage)
    site.sync()
    before = {one.id: one.sha256 for one in site.portal.media.values()}
    receipts = {name: site.entry(name).receipt for name in ("rich", "long")}
    shutil.rmtree(site.folder / "state")

    result = site.sync()

    assert (result.code, result.counts["published"]) == (0, 2)
    assert site.downloads() == []
    assert {one.id: one.sha256 for one in site.portal.media.values()} == before
    assert {name: site.entry(name).receipt for name in ("rich", "long")} == receipts


@pytest.mark.parametrize("lag", [0, 300])
def test_an_answer_that_was_lost_is_found_out_about(begin: AtPortal, stage: Stage, lag: float) -> None:
    site = begin(stage, index_lag=lag)
    site.portal.fail(operation="media_create", with_=_answer_lost())

    first = site.sync()
    open_after = [intent.action for intent in site.state().open_intents()]
    second = site.sync()
    site.clock.advance(minutes=16)
    third = site.sync()

    assert (first.code, open_after) == (1, ["create"])
    assert (second.code, third.code) == (0, 0)
    assert (second.counts.get("waiting", 0) > 0) == (lag > 0)
    assert [len(site.media(name)) for name in ("rich", "long")] == [2, 1]
    assert site.state().open_intents() == ()


def _answer_lost() -> Any:
    from tests.sandbox.faults import Fault
    from tests.sandbox.message import Answer, Ending

    return Fault(change=lambda _, __: Answer(stop_after=-1, ending=Ending.RESET))


def test_a_wrong_password_ends_the_pass_before_anything_is_touched(begin: AtPortal, stage: Stage) -> None:
    site = begin(stage, {"password": "wrong"})

    result = site.sync()

    assert result.code == 3
    assert "portal: 127.0.0.1" in result.stderr
    assert "sign-in refused: HTTP 401, InvalidCredentialsException: " in result.stderr
    assert site.calls() == []
    assert "destination: refused: portal:" in site.run("status").stdout


def test_a_portal_that_is_down_is_unreachable(begin: AtPortal, stage: Stage) -> None:
    site = begin(stage)
    site.portal.close()

    result = site.sync()

    assert result.code == 6
    assert "portal: sign_in: 127.0.0.1" in result.stderr
    assert site.calls() == []


def test_uploads_that_all_fail_end_no_pass_while_the_portal_lets_us_in_and_a_later_one_goes_on(
    begin: AtPortal, stage: Stage
) -> None:
    for number in range(4):
        stage.meeting(f"more{number}", "alice", 5 + number, "More")
        stage.video(f"more{number}")
    site = begin(stage, config={"workers": 1})
    rule = site.portal.fail(operation="upload_block", times=None, with_=portal_error())

    broken = site.sync()
    fetched = set(site.downloads())
    rule.times = 0
    site.portal.heal()
    site.clock.advance(hours=1)
    healed = site.sync()

    assert (broken.code, bool(fetched)) == (1, True)
    assert (healed.code, healed.counts["published"]) == (0, 6)
    assert fetched.isdisjoint(site.downloads())


def test_one_meeting_that_the_portal_refuses_stops_no_other(begin: AtPortal, stage: Stage) -> None:
    site = begin(stage, config={"workers": 1})
    site.portal.fail(operation="media_create", with_=portal_error(400, "TitleTooLongException"))

    result = site.sync()

    assert (result.code, result.counts["published"], result.counts["failed"]) == (1, 1, 1)
    assert "portal: media_create: HTTP 400, TitleTooLongException (incident" in result.stderr


def test_drafts_are_drafts(begin: AtPortal, stage: Stage) -> None:
    site = begin(stage, config={"publish_state": "draft"})

    site.sync()

    assert {one.status for one in site.portal.media.values()} == {"Drafted"}


def test_users_says_what_publishing_would_do(begin: AtPortal) -> None:
    stage = a_stage()
    for name in ("Bob Example", "Carol Example"):
        stage.world.add_user(name)
    site = begin(stage)
    _move_in(site)

    reported = {row["email"]: (row["author"], row["note"]) for row in site.run("--json", "users").document["users"]}

    service = site.portal.email
    assert reported[ALICE] == (ALICE, "would be created and invited")
    assert reported["bob@example.org"] == ("bob@example.org", "Viewer would become Contributor")
    assert reported["carol@example.org"] == (service, "falls back to me: disabled in the portal")
    assert site.portal.invitations == []


def test_users_asks_about_the_hosts_of_the_ledger_unless_about_all(begin: AtPortal, stage: Stage) -> None:
    stage.world.add_user("Bob Example")
    stage.world.add_user("Henry Pending", status="pending")
    site = begin(stage)
    site.sync()

    def notes(*options: str) -> dict[str, str]:
        return {row["email"]: row["note"] for row in site.run("--json", "users", *options).document["users"]}

    some, every = notes(), notes("--all")
    others = set(some) - {ALICE}
    assert some[ALICE] == every[ALICE] == "exists"
    assert {some[one] for one in others} <= {
        "no recordings yet: not asked about without --all",
        "has not accepted Zoom's invitation: records nothing",
    }
    assert {every[one] for one in others} <= {
        "would be created and invited",
        "has not accepted Zoom's invitation: records nothing",
    }


def _move_in(site: PortalSite) -> None:
    site.portal.add_user("bob@example.org", "Viewer")
    site.portal.add_user("carol@example.org", "Contributor", active=False)


def test_a_dry_run_counts_the_authors_and_changes_nothing(begin: AtPortal, stage: Stage) -> None:
    site = begin(stage)

    result = site.run("sync", "--dry-run")

    assert result.code == 0
    assert "authors: 1 would be created" in result.stdout
    assert "free for staging" in result.stdout
    assert {one.operation for one in site.portal.requests} == {"sign_in", "user_find", "group_list"}
    assert not (site.folder / "state").exists()


def test_auth_check_says_of_each_row_what_it_is_worth(begin: AtPortal, stage: Stage) -> None:
    site = begin(stage, {"endpoints": {"category_list": {"path": "categories"}}})
    site.sync()

    result = site.run("--json", "auth-check", "--only", "destination")

    rows = {
        row["message"].partition(":")[0]: (row["level"], row["message"].partition(": ")[2].partition(":")[0])
        for row in result.document["checks"]
        if row["name"] == "operation"
    }
    unchecked = "not checkable without writing"
    assert rows == {
        "sign_in": ("ok", "confirmed"),
        "user_find": ("ok", "confirmed"),
        "user_create": ("warn", unchecked),
        "user_invite": ("warn", unchecked),
        "group_list": ("ok", "confirmed"),
        "group_add_user": ("warn", unchecked),
        "upload_start": ("warn", unchecked),
        "upload_block": ("warn", unchecked),
        "upload_status": ("warn", "not checkable without an upload"),
        "upload_commit": ("warn", unchecked),
        "media_create": ("warn", unchecked),
        "media_get": ("ok", "confirmed"),
        "media_update": ("warn", unchecked),
        "media_search": ("ok", "confirmed"),
        "caption_add": ("warn", unchecked),
        "handout_add": ("warn", unchecked),
        "category_list": ("fail", "portal"),
        "attribute_list": ("ok", "confirmed"),
        "attribute_create": ("warn", unchecked),
    }
    assert result.code == 6


def test_auth_check_tells_of_a_wrong_password_with_code_3(begin: AtPortal, stage: Stage) -> None:
    site = begin(stage, {"password": "wrong"})

    result = site.run("auth-check", "--only", "destination")

    assert result.code == 3
    assert "check destination.email and password" in result.stdout


def test_an_invitation_lost_on_the_way_is_not_sent_twice(begin: AtPortal, stage: Stage) -> None:
    site = begin(stage)
    site.portal.fail(operation="user_create", with_=lost_request())

    first = site.sync()
    site.clock.advance(minutes=20)
    second = site.sync()

    assert (first.code, second.code) == (1, 0)
    assert [one.email for one in site.portal.invitations] == [ALICE]
    assert site.state().open_intents() == ()
