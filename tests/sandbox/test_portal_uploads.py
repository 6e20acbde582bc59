"""The stand-in portal: uploads, and what can go wrong with any request."""

import hashlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.sandbox import faults
from tests.sandbox.portal.client import WRONG, Client, block_id, portal_with, refusal
from tests.sandbox.portal.faults import INCIDENT, busy, expired_token, late, lost_request, on_answer
from tests.sandbox.portal.server import Portal


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    with Portal(**getattr(request, "param", {})) as portal, Client(portal) as one:
        yield one


def test_blocks_arrive_in_any_order_and_the_commit_decides(client: Client) -> None:
    address = client.start()
    sending = [threading.Thread(target=client.block, args=(address, one, b"%d" % one * 70_000)) for one in (2, 0, 1)]
    for thread in sending:
        thread.start()
    for thread in sending:
        thread.join()
    listed, done = client.listed(address).json(), client.commit(address, [0, 1, 2]).json()
    (blob,) = client.portal.blobs.values()
    whole = b"0" * 70_000 + b"1" * 70_000 + b"2" * 70_000

    assert listed == {"blockIds": [block_id(one) for one in range(3)]}
    assert done == {"fileGuid": blob.guid, "size": 210_000}
    assert (blob.data, blob.sha256) == (whole, hashlib.sha256(whole).hexdigest())


def test_a_commit_in_the_wrong_order_makes_other_bytes_of_the_same_size(client: Client) -> None:
    address = client.start()
    client.block(address, 0, b"first ")
    client.block(address, 1, b"second")
    client.commit(address, [1, 0])

    assert [one.data for one in client.portal.blobs.values()] == [b"secondfirst "]


def test_a_block_that_comes_again_replaces_itself_and_a_commit_can_be_repeated(client: Client) -> None:
    address = client.start()
    client.block(address, 0, b"half of it")
    client.block(address, 0, b"whole")
    once, again = client.commit(address, [0]), client.commit(address, [0])

    assert once.json() == again.json()
    assert [one.data for one in client.portal.blobs.values()] == [b"whole"]
    assert refusal(client.block(address, 0, b"late")) == (409, "BlobAlreadyCommittedException")


@portal_with(lost_blocks={1})
def test_a_lost_block_is_acknowledged_missing_and_sent_again(client: Client) -> None:
    address = client.start()
    statuses = [client.block(address, one, b"x").status_code for one in range(2)]
    refused = client.commit(address, [0, 1])
    client.block(address, 1, b"y")

    assert statuses == [201, 201]
    assert refusal(refused) == (400, "InvalidBlockListException")
    assert refused.json()["exceptionDetails"] == [{"message": block_id(1)}]
    assert client.commit(address, [0, 1]).json()["size"] == 2


@pytest.mark.parametrize(("form", "expected"), [("reversed", [1, 0]), ("repeated", [0, 1, 0, 1]), ("sorted", [0, 1])])
def test_blocks_are_listed_in_order_or_not(client: Client, form: Any, expected: list[int]) -> None:
    address = client.start()
    for index in range(2):
        client.block(address, index, b"x")
    client.portal.settings.block_list = form

    assert client.listed(address).json()["blockIds"] == [block_id(one) for one in expected]


@portal_with(block_list="unsupported", largest_block=10)
def test_an_upload_that_breaks_the_rules_is_refused(client: Client) -> None:
    address, unknown = client.start(), "blob/{0}/a.mp4/{0}".format("1" * 8 + "-1111" * 3 + "-" + "1" * 12)
    block = {"comp": "block", "blockid": "MQ=="}
    answers = [
        (client.ask("PUT", "blob/1/a.mp4/2?comp=initialize"), WRONG),
        (client.block(unknown, 0, b"x"), (404, "BlobNotFoundException")),
        (client.ask("PUT", address, params=block, data=b"x"), WRONG),
        (client.block(address, 0, b""), WRONG),
        (client.block(address, 0, b"eleven byte"), (413, "RequestBodyTooLargeException")),
        (client.commit(address, []), (400, "InvalidBlockListException")),
        (client.listed(address), (400, "NotSupportedException")),
        (
            client.ask("PUT", address.replace("a%20", "b%20"), params={"comp": "initialize"}),
            (409, "BlobConflictException"),
        ),
    ]

    assert [refusal(answer) for answer, _ in answers] == [expected for _, expected in answers]


@portal_with(initialize_clears=True)
def test_initialising_again_can_forget_the_blocks_and_so_can_time(client: Client) -> None:
    address = client.start()
    client.block(address, 0, b"x")
    again = client.ask("PUT", address, params={"comp": "initialize"})
    left = client.listed(address).json()
    client.portal.forget_uploads()

    assert (again.status_code, left) == (200, {"blockIds": []})
    assert refusal(client.listed(address)) == (404, "BlobNotFoundException")


def test_a_fault_strikes_one_operation(client: Client) -> None:
    client.portal.fail(operation="media_search", with_=expired_token())
    client.portal.fail(operation="group_list", with_=busy(7))
    others, expired, again = client.create().status_code, client.search(), client.search().status_code
    slow_down = client.ask("GET", "group")

    assert (others, refusal(expired), again) == (201, (400, "InvalidAccessTokenException"), 200)
    assert (refusal(slow_down)[0], slow_down.headers["Retry-After"]) == (429, "7")
    assert expired.json()["incidentId"] == INCIDENT
    assert [one.status for one in client.portal.calls("media_search")] == [400, 200]


def test_a_lost_answer_is_done_and_a_lost_request_is_not(client: Client) -> None:
    content = client.upload()
    for fault in (faults.lost_answer(), lost_request()):
        client.portal.fail(operation="media_create", with_=fault)
        with pytest.raises(requests.ConnectionError):
            client.create(content=content)

    assert len(client.portal.media) == 1


def test_answers_can_be_pages_cut_slow_late_or_stalled(client: Client) -> None:
    for fault in (faults.page(502), faults.cut(5), faults.slow(5000), late(0.1), faults.stall()):
        client.portal.fail(operation="group_list", with_=fault)
    page = client.ask("GET", "group")
    with pytest.raises(requests.RequestException):
        client.ask("GET", "group")
    began = time.monotonic()
    client.ask("GET", "group")
    client.ask("GET", "group")
    took = time.monotonic() - began
    with pytest.raises(requests.RequestException):
        client.ask("GET", "group", timeout=0.2)

    assert (page.status_code, page.headers["Content-Type"]) == (502, "text/html;charset=utf-8")
    assert took > 0.1


def test_a_test_can_step_in_between_deed_and_answer(client: Client) -> None:
    seen: list[int] = []
    client.portal.fail(operation="media_create", with_=on_answer(lambda: seen.append(len(client.portal.media))))
    client.create()

    assert seen == [1]


@portal_with(rate=3)
def test_more_than_the_rate_gets_a_429(client: Client) -> None:
    assert 429 in [client.ask("GET", "group").status_code for _ in range(8)]


def test_a_body_that_was_cut_off_does_nothing(client: Client) -> None:
    address = client.start()

    def cut() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError

    url = f"{client.portal.url}/api/v1/{address}?comp=block&blockid={block_id(0)}"
    request = requests.Request("PUT", url, data=cut(), headers=dict(client.http.headers)).prepare()
    del request.headers["Transfer-Encoding"]
    request.headers["Content-Length"] = "8"
    with pytest.raises(requests.ConnectionError):
        client.http.send(request, timeout=5)

    assert client.listed(address).json() == {"blockIds": []}


def test_the_requests_hold_what_was_sent_and_the_config_points_here(client: Client) -> None:
    client.create(title="Sent")

    assert client.portal.calls("media_create")[0].document["title"] == "Sent"
    assert client.portal.config(category="Meetings") == {
        "type": "vidizmo",
        "url": client.portal.url,
        "email": client.portal.email,
        "password": client.portal.password,
        "category": "Meetings",
    }


def test_faults_can_be_switched_by_hand(client: Client) -> None:
    hand = f"{client.portal.url}/sandbox"
    order = {"fault": "portal_error", "with": {"status": 503}, "operation": "group_list", "times": None}
    client.http.post(f"{hand}/faults", json=order, timeout=5)
    broken = client.ask("GET", "group").status_code
    client.http.post(f"{hand}/heal", timeout=5)

    assert (broken, client.ask("GET", "group").status_code) == (503, 200)
    assert client.http.get(f"{client.portal.url}/api/v1/doc/index.html", timeout=5).status_code == 200
