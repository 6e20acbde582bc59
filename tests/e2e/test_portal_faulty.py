"""A portal that is down, slow or answers by halves: nothing is lost, nothing is there twice, and `status` says why."""

from threading import Thread
from typing import Any

import pytest

from tests.e2e.harness import Result, a_stage
from tests.e2e.portal_site import ALICE, AtPortal, PortalSite, a_portal_site, holdings, impatient
from tests.sandbox.content import Text
from tests.sandbox.faults import Fault, black_hole, cut, page
from tests.sandbox.message import Answer
from tests.sandbox.portal.faults import late, on_arrival, portal_error
from tests.sandbox.stage import VIEWS, Stage
from zoomsync.http import Http

LAGS: dict[str, Any] = {"index_lag": 300}


def an_account() -> Stage:
    """A recording with another view and texts, and a plain one."""
    stage = a_stage()
    stage.meeting("rich", "alice", 3, "Rich")
    stage.video("rich", seconds=1)
    stage.video("rich", 1, VIEWS[1], seconds=1)
    stage.texts("rich", seconds=1)
    stage.meeting("plain", "alice", 2, "Plain")
    stage.video("plain", seconds=1)
    return stage


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """What a portal holds where nothing goes wrong."""
    with a_portal_site(tmp_path_factory.mktemp("undisturbed"), an_account(), {}, {}) as site:
        assert site.sync().code == 0
        return holdings(site.portal)


def answering(text: str) -> Fault:
    """What was asked is done, and something else is answered."""
    return Fault(change=lambda _, __: Answer(headers={"Content-Type": "text/html"}, content=Text(text.encode())))


def unpublished(site: PortalSite) -> set[str]:
    """Short names of the meetings of which the state has no receipt."""
    entries = site.state().entries
    stored = {uuid for uuid, entry in entries.items() if entry.receipt is not None}
    return {name for name, uuid in site.world.names.items() if uuid not in stored}


def require_whole(site: PortalSite, wanted: list[tuple[Any, ...]]) -> None:
    """All is at the portal, once, and nobody was invited twice."""
    assert holdings(site.portal) == wanted
    assert [one.email for one in site.portal.invitations] == [ALICE]
    assert site.state().open_intents() == ()
    assert site.reported() == {}


def half_a_day(site: PortalSite, operation: str, fault: Fault) -> tuple[Result, set[str], dict[str, str]]:
    """A pass with that fault, what it left unpublished and what it told of; another one, and one after it is healed."""
    site.portal.fail(operation=operation, with_=fault, times=None)
    first = site.sync()
    left = unpublished(site), site.reported()
    site.clock.advance(minutes=2)
    site.sync()
    site.portal.heal()
    site.clock.advance(hours=3)
    assert site.sync().code == 0
    return first, *left


@pytest.mark.parametrize(
    ("operation", "fault", "said"),
    [
        ("user_create", answering("<html>"), "answers an HTML page instead of JSON"),
        ("upload_commit", cut(5), "the connection broke (6 tries)"),
        ("media_create", cut(5), "the connection broke"),
        ("media_get", answering('{"id": 5}'), "media_get: the answer holds no status"),
        ("media_search", answering("[]"), "media_search: the answer holds no found"),
        ("handout_add", answering("<html>"), "answers an HTML page instead of JSON"),
        ("media_update", portal_error(500), "HTTP 500, InternalServerException (incident"),
    ],
)
def test_an_operation_that_answers_by_halves_is_reported_and_once_it_is_whole_again_all_is_there_once(
    at_portal: AtPortal, undisturbed: list[tuple[Any, ...]], operation: str, fault: Fault, said: str
) -> None:
    site = at_portal(an_account(), **LAGS)

    first, missing, reported = half_a_day(site, operation, fault)

    assert first.code == 1
    assert said in first.stderr
    assert set() < missing <= set(reported)
    assert [why for why in reported.values() if said in why] != []
    require_whole(site, undisturbed)


def test_a_sign_in_that_answers_a_page_ends_the_pass_before_any_meeting(
    at_portal: AtPortal, undisturbed: list[tuple[Any, ...]]
) -> None:
    site = at_portal(an_account(), **LAGS)

    first, missing, reported = half_a_day(site, "sign_in", page(200, "Hotel"))

    assert (first.code, missing, reported) == (6, set(site.world.names), {})
    assert "no token" in first.stderr
    require_whole(site, undisturbed)


def test_a_slow_portal_is_waited_for(at_portal: AtPortal, undisturbed: list[tuple[Any, ...]]) -> None:
    site = at_portal(an_account(), **LAGS)
    site.portal.fail(with_=late(0.01), times=None)

    result = site.sync()

    assert (result.code, result.counts["published"]) == (0, 2)
    require_whole(site, undisturbed)


@pytest.mark.parametrize("operation", ["user_create", "media_create", "handout_add"])
def test_what_is_done_but_answered_too_late_is_not_done_twice(
    at_portal: AtPortal,
    undisturbed: list[tuple[Any, ...]],
    operation: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = at_portal(an_account(), **LAGS)
    site.portal.fail(operation=operation, with_=black_hole())
    with monkeypatch.context() as patch:
        patch.setattr(Http, "__init__", impatient(2.0))
        first = site.sync()
        missing, reported = unpublished(site), site.reported()
    site.clock.advance(hours=1)
    last = site.sync()

    assert first.code == 1
    assert "no answer within 2 s" in first.stderr
    assert missing
    assert missing <= set(reported)
    assert any("no answer within 2 s" in why for why in reported.values())
    assert last.code == 0
    require_whole(site, undisturbed)


def test_a_portal_that_never_answers_ends_the_pass(at_portal: AtPortal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Http, "__init__", impatient(0.1))
    site = at_portal(an_account())
    site.portal.fail(with_=black_hole(), times=None)

    result = site.sync()

    assert result.code == 6
    assert "no answer within 0.1 s (6 tries)" in result.stderr
    assert site.calls() == []


def test_a_portal_that_goes_down_in_the_middle_ends_the_pass_and_every_meeting_has_a_reason(
    at_portal: AtPortal,
) -> None:
    stage = a_stage()
    for number in range(6):
        stage.meeting(f"m{number}", "alice", 2 + number, f"Meeting {number}")
        stage.video(f"m{number}", seconds=1)
    site = at_portal(stage, config={"workers": 2}, **LAGS)
    end = Thread(target=site.portal.go_down)
    site.portal.fail(operation="media_create", skip=1, with_=on_arrival(end.start))

    broken = site.sync()
    end.join()
    missing, reported, status = unpublished(site), site.reported(), site.run("status").stdout
    refused = site.sync()
    site.portal.heal()
    site.portal.come_up()
    site.clock.advance(hours=1)
    healed = site.sync()

    assert (broken.code, refused.code, healed.code) == (6, 6, 0)
    assert "connection refused (6 tries)" in refused.stderr
    assert len(missing) >= 3  # two workers, and one more meeting that is fetched meanwhile
    assert missing <= set(reported)
    assert "Sync process: Failed: portal: sign_in: 127.0.0.1" in status
    assert sorted(one.title.partition(" – ")[0] for one in site.portal.media.values()) == [
        f"Meeting {number}" for number in range(6)
    ]
    assert [one.email for one in site.portal.invitations] == [ALICE]
    assert site.state().open_intents() == ()
