"""The stand-in Zoom keeps to what is known of Zoom."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from tests.sandbox.server import Sandbox
from tests.sandbox.worlds import small_world

NOW = datetime.now(UTC)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(small_world(NOW)) as one:
        yield one


def test_a_token_opens_the_list_and_a_file_arrives(sandbox: Sandbox) -> None:
    form = {"grant_type": "account_credentials", "account_id": sandbox.account_id}
    answer = requests.post(sandbox.oauth_url, data=form, auth=(sandbox.client_id, sandbox.client_secret), timeout=5)
    head = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    span = {"from": str((NOW - timedelta(days=20)).date()), "to": str(NOW.date())}
    meetings = requests.get(
        f"{sandbox.api_url}/users/alice@example.org/recordings", params=span, headers=head, timeout=5
    )
    url = meetings.json()["meetings"][0]["recording_files"][0]["download_url"]

    got = requests.get(url, headers=head, timeout=5)

    assert len(got.content) == 50_000
    assert [one.has_bearer for one in sandbox.seen(path="rec/download|ssrweb")] == [True, True]
