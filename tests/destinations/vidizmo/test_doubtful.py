"""Answers that may come from something before the portal, and media that are not what they were."""

from pathlib import Path

import pytest

from tests.destinations.contract import VIDEO, a_staged, an_item, with_files
from tests.destinations.vidizmo.portals import Open
from tests.fakes import a_meeting, a_user
from tests.sandbox.faults import Fault
from tests.sandbox.message import json_answer
from zoomsync.errors import OutcomeUnknown, ZoomsyncError


@pytest.mark.parametrize("status", [303, 403, 408, 409, 423])
def test_a_refusal_though_the_media_was_made_does_not_lead_to_a_second_one(
    begin: Open, tmp_path: Path, status: int
) -> None:
    site = begin(index_lag=600)
    made_yet_refused = Fault(change=lambda _, __: json_answer({"name": "GatewayException"}, status=status))
    site.portal.fail(operation="media_create", with_=made_yet_refused)
    with pytest.raises(ZoomsyncError, match="GatewayException"):
        site.published(an_item(tmp_path))

    site.clock.advance(minutes=5)
    with pytest.raises(OutcomeUnknown):
        site.later().publish(an_item(tmp_path), site.destination.author_for(a_user()), None)
    site.clock.advance(minutes=11)
    site.later()
    site.published(an_item(tmp_path))

    assert len(site.portal.media) == 1


@pytest.mark.parametrize(("uuid", "is_silent"), [("another==", False), ("", True)])
def test_a_media_item_that_is_not_of_this_meeting_by_now_proves_nothing(
    begin: Open, tmp_path: Path, uuid: str, is_silent: bool
) -> None:
    site = begin()
    receipt = site.published(with_files(a_meeting(files=()), [a_staged(tmp_path, "video.mp4", VIDEO)]))
    site.settle()
    site.only.attributes = {"ZoomMeetingUUID": uuid}

    verdict = site.later().verify(receipt)

    assert (verdict.safe, verdict.removed, verdict.silent) == (False, False, is_silent)
