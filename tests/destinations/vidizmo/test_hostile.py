"""Portals that keep less than they are given, or say more than they should."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import an_item
from tests.destinations.vidizmo.portals import Open, a_portal, wired
from tests.fakes import FakeClock, a_meeting
from tests.sandbox.faults import Fault
from tests.sandbox.message import json_answer
from zoomsync.errors import MeetingFailed, NotAuthorized, ZoomsyncError

SHORT = 200
"""Characters: enough for a uuid, too few for what a media item says of itself."""


def test_an_attribute_that_is_too_long_for_the_portal_is_named_and_nothing_made(begin: Open, tmp_path: Path) -> None:
    site = begin(attribute_length=SHORT)

    with pytest.raises(MeetingFailed, match=f"ZoomsyncReceipt: longer than {SHORT} characters"):
        site.published(an_item(tmp_path / "staging"))

    assert site.portal.media == {}


def test_where_attributes_are_cut_it_is_reported_and_nothing_is_made_twice(
    begin: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = begin(attribute_length=SHORT, attribute_cut=True)
    receipt = site.published(an_item(tmp_path / "staging"))
    site.settle()

    assert "does not give back its custom attributes whole: only the state knows of it" in caplog.text
    assert site.published(an_item(tmp_path / "staging"), receipt) == receipt
    for ask in (site.destination.find, lambda _: site.published(an_item(tmp_path / "staging"))):
        with pytest.raises(MeetingFailed, match="what it holds cannot be read from its attribute ZoomsyncReceipt"):
            ask(a_meeting().uuid)
    assert len(site.portal.media) == 1


@pytest.mark.parametrize("secret", ["plain-secret", 'a "quoted" back\\slash', "Schlüssel"])
@pytest.mark.parametrize("mode", ["password", "client_secret"])
def test_what_signs_in_is_not_shown_though_the_portal_says_it_back(mode: str, secret: str) -> None:
    with a_portal(echoes_secrets=True, secret_is_expired=True) as portal:
        below = {"password": None, mode: secret}
        with pytest.raises(NotAuthorized) as raised, wired(portal, FakeClock(), destination=below):
            pass

    assert "sign-in refused: HTTP 401, cannot take" in str(raised.value)
    shown = f"{raised.value} {raised.value.hint}"
    assert [one for one in (secret, json.dumps(secret)[1:-1]) if one in shown] == []


@pytest.mark.parametrize("settings", [{"manages_users": False}, {"attribute_length": SHORT}], ids=["users", "media"])
def test_a_token_is_not_shown_though_the_portal_says_it_back(
    begin: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture, settings: dict[str, Any]
) -> None:
    caplog.set_level(logging.DEBUG)

    with pytest.raises(ZoomsyncError) as raised:
        site = begin(echoes_secrets=True, **settings)
        site.published(an_item(tmp_path / "staging"))

    assert "cannot take" in str(raised.value)
    assert "portal.token" not in f"{raised.value} {raised.value.hint} {caplog.text}"


@pytest.mark.parametrize("before", [270, 280, 290])
def test_a_secret_that_a_message_is_cut_within_is_not_shown_in_part(before: int) -> None:
    with a_portal() as portal:
        said = {"message": "x" * before + portal.password}
        portal.fail(operation="sign_in", with_=Fault(instead=lambda _: json_answer(said, status=401)))
        with pytest.raises(NotAuthorized) as raised, wired(portal, FakeClock()):
            pass

    assert f"x{portal.password[:6]}" not in str(raised.value)
