"""Downloads and faults of the stand-in: each does what its name says."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.sandbox import faults
from tests.sandbox.caller import Caller
from tests.sandbox.content import Filler
from tests.sandbox.test_zoom import serve, span

SIGNED = r"^/ssrweb/"
LIST = "/users/id_alice/recordings"


@pytest.fixture
def caller() -> Iterator[Caller]:
    with serve() as sandbox, Caller(sandbox) as one:
        yield one


def url(caller: Caller) -> str:
    world = caller.sandbox.world
    return f"{caller.sandbox.url}/rec/download/{world.meetings[world.names['plain']].files[0].id}"


def whole(caller: Caller) -> bytes:
    world = caller.sandbox.world
    content = world.meetings[world.names["plain"]].files[0].content
    return content.read(0, content.size)


def test_a_download_redirects_to_a_signed_address_that_needs_no_token(caller: Caller) -> None:
    first = caller.http.get(url(caller), headers=caller.head, allow_redirects=False, timeout=5)
    second = caller.http.get(caller.sandbox.url + first.headers["Location"], timeout=5)

    assert (first.status_code, second.content, second.headers["Content-Type"]) == (302, whole(caller), "video/mp4")
    assert [(one.has_bearer, one.status) for one in caller.sandbox.seen(path="^/(rec|ssrweb)/")] == [
        (True, 302),
        (False, 200),
    ]
    assert caller.sandbox.requests[-1].bytes == len(whole(caller))


def test_a_signed_address_ends_and_cannot_be_forged(caller: Caller) -> None:
    caller.sandbox.settings.signed_lifetime = -1
    forged = caller.get(f"{caller.sandbox.url}/ssrweb/{url(caller).rpartition('/')[2]}", Expires="9e9", Signature="0")

    assert (caller.get(url(caller)).status_code, forged.status_code) == (403, 403)


def test_without_a_token_a_download_is_a_sign_in_page_with_status_200(caller: Caller) -> None:
    answer = caller.http.get(url(caller), timeout=5)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html;charset=utf-8")


@pytest.mark.parametrize(
    ("asked", "status", "told", "cut"),
    [
        ("bytes=100-", 206, "bytes 100-{last}/{size}", slice(100, None)),
        ("bytes=0-9", 206, "bytes 0-9/{size}", slice(0, 10)),
        ("bytes=99999999-", 416, "bytes */{size}", slice(0, 0)),
    ],
)
def test_a_range_is_answered(caller: Caller, asked: str, status: int, told: str, cut: slice) -> None:
    size = len(whole(caller))

    answer = caller.get(url(caller), {"Range": asked})

    assert (answer.status_code, answer.content) == (status, whole(caller)[cut])
    assert answer.headers["Content-Range"] == told.format(last=size - 1, size=size)


def test_filler_is_the_same_in_pieces_and_well_formed() -> None:
    filler = Filler(100_000, seed=7)
    data = filler.read(0, filler.size)

    assert len(data) == 100_000
    assert b"".join(filler.read(at, at + 777) for at in range(0, filler.size, 777)) == data
    assert (data[4:8], data[28:32], int.from_bytes(data[32:40]) + 24) == (b"ftyp", b"mdat", 100_000)


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (faults.sign_in_page(), 200, "text/html"),
        (faults.page(502, "Bad Gateway"), 502, "text/html"),
        (faults.page(404, "Not Found"), 404, "text/html"),
        (faults.bad_token(), 401, "application/json"),
        (faults.no_rights(), 200, "application/json"),
        (faults.body("not a video", "video/mp4"), 200, "video/mp4"),
    ],
)
def test_a_fault_answers_instead_as_often_as_told(caller: Caller, fault: faults.Fault, status: int, kind: str) -> None:
    caller.sandbox.fail(SIGNED, with_=fault, times=2, skip=1)

    answers = [caller.get(url(caller)) for _ in range(4)]

    assert [one.content == whole(caller) for one in answers] == [True, False, False, True]
    assert (answers[1].status_code, answers[1].headers["Content-Type"].partition(";")[0]) == (status, kind)


@pytest.mark.parametrize("ending", ["fin", "reset"])
def test_a_body_is_cut(caller: Caller, ending: str) -> None:
    caller.sandbox.fail(SIGNED, with_=faults.cut(5000, ending))

    with pytest.raises(requests.RequestException):
        caller.get(url(caller))

    assert caller.sandbox.requests[-1].bytes == 5000
    assert caller.get(url(caller)).content == whole(caller)


def test_a_stalled_body_never_ends_but_the_sandbox_does(caller: Caller) -> None:
    caller.sandbox.fail(SIGNED, with_=faults.stall(1000))
    begun = time.monotonic()

    with pytest.raises(requests.RequestException, match="timed out"):
        caller.http.get(url(caller), headers=caller.head, timeout=0.3)
    caller.sandbox.close()

    assert time.monotonic() - begun < 30


def test_an_answer_is_lost_after_the_deletion_was_done(caller: Caller) -> None:
    world = caller.sandbox.world
    file = world.meetings[world.names["plain"]].files[0]
    caller.sandbox.fail("/recordings/", method="DELETE", with_=faults.lost_answer())

    with pytest.raises(requests.ConnectionError):
        caller.delete(f"/meetings/{world.names['plain']}/recordings/{file.id}")

    assert world.deletions == [(world.names["plain"], file.id, "trash")]


def test_a_slow_download_takes_its_time(caller: Caller) -> None:
    caller.sandbox.fail(SIGNED, with_=faults.slow(len(whole(caller)) * 4))
    begun = time.monotonic()

    assert caller.get(url(caller)).content == whole(caller)
    assert 0.15 < time.monotonic() - begun < 20


def test_a_chunked_download_has_no_length(caller: Caller) -> None:
    caller.sandbox.settings.downloads_have_length = False

    answer = caller.get(url(caller))

    assert (answer.content, "Content-Length" in answer.headers) == (whole(caller), False)


def test_bytes_are_corrupted_or_missing(caller: Caller) -> None:
    for fault in (faults.corrupt(40, 8), faults.truncated(-100)):
        caller.sandbox.fail(SIGNED, with_=fault)
    right = whole(caller)

    corrupted, shorter = (caller.get(url(caller)).content for _ in range(2))

    assert [at for at, (is_, was) in enumerate(zip(corrupted, right, strict=True)) if is_ != was] == list(range(40, 48))
    assert shorter == right[:-100]


def test_ranges_are_ignored_or_wrong(caller: Caller) -> None:
    for fault in (faults.ignored_range(), faults.wrong_range()):
        caller.sandbox.fail(SIGNED, with_=fault, headers={"range": "bytes="})
    plain = caller.get(url(caller))

    ignored, wrong = (caller.get(url(caller), {"Range": "bytes=5-"}) for _ in range(2))

    assert plain.status_code == 200
    assert (ignored.status_code, ignored.content) == (200, whole(caller))
    assert (wrong.status_code, wrong.headers["Content-Range"]) == (206, "bytes 1-2/3")


def test_redirects_lead_to_a_foreign_host_or_nowhere(caller: Caller) -> None:
    for fault in (faults.foreign_redirect(), faults.redirect_loop()):
        caller.sandbox.fail(SIGNED, with_=fault, times=1)
    caller.get(url(caller))
    foreign = caller.sandbox.requests[-1]
    caller.sandbox.fail(SIGNED, with_=faults.redirect_loop(), times=None)

    with pytest.raises(requests.TooManyRedirects):
        caller.get(url(caller))

    assert (foreign.host, foreign.path) == (faults.FOREIGN, "/stolen.mp4")


def test_retry_after_comes_in_every_form(caller: Caller) -> None:
    told, wait = [], timedelta(seconds=30)
    begun = datetime.now(UTC).replace(microsecond=0)
    for form in ("seconds", "date", "iso", "missing"):
        caller.sandbox.fail("/v2/users", with_=faults.rate_limited(form, 30))
        answer = caller.get("/users")
        told.append(answer.headers.get("Retry-After", ""))

    assert (answer.status_code, answer.json()["code"], answer.headers["X-RateLimit-Type"]) == (429, 429, "QPS")
    assert (told[0], told[3]) == ("30", "")
    for then in (parsedate_to_datetime(told[1]), datetime.fromisoformat(told[2])):
        assert begun + wait <= then <= datetime.now(UTC) + wait


def test_a_real_limit_refuses_what_is_too_much_in_one_second() -> None:
    with serve(limits={"medium": 3}) as sandbox:
        caller = Caller(sandbox)
        begun = time.monotonic()
        statuses = [caller.get("/users").status_code for _ in range(8)]
        seconds = time.monotonic() - begun

    assert 3 <= statuses.count(200) <= 3 * (int(seconds) + 2)
    assert statuses.count(429) == 8 - statuses.count(200)


def test_lists_lie_about_pages_dates_and_totals(caller: Caller) -> None:
    caller.sandbox.settings.page_cap = 1
    query = span()
    caller.sandbox.fail(LIST, with_=faults.document(total_records=99))
    caller.sandbox.fail(LIST, with_=faults.repeated_page_token())

    first = caller.get(LIST, **query).json()
    second = caller.get(LIST, **query, next_page_token=first["next_page_token"]).json()

    assert (first["total_records"], second["next_page_token"]) == (99, first["next_page_token"])


def test_a_person_can_play_by_hand(caller: Caller) -> None:
    def post(path: str, order: Any = None) -> requests.Response:
        return caller.http.post(f"{caller.sandbox.url}/sandbox/{path}", json=order, timeout=5)

    unknown = post("faults", {"fault": "flood"})
    post("faults", {"fault": "page", "with": {"status": 500}, "path": "/v2/users", "times": None})
    failed = caller.get("/users").status_code
    seen = caller.get(f"{caller.sandbox.url}/sandbox/requests").json()
    post("heal")

    assert (unknown.status_code, failed, caller.get("/users").status_code) == (400, 500, 200)
    assert "cut" in unknown.json()["faults"]
    assert [(one["path"], one["status"]) for one in seen if "/v2/" in one["path"]] == [("/v2/users", 500)]
    assert post("release/nothing").status_code == 400


def test_a_config_points_at_the_sandbox_and_takes_changes(caller: Caller) -> None:
    config = caller.sandbox.config(workers=2, zoom={"rate": 5}, recordings={"settle": "0s"})

    assert config.pop("workers") == 2
    assert config["zoom"] == caller.sandbox.config()["zoom"] | {"rate": 5}
    assert set(config["recordings"]) == {"since", "settle"}
    assert set(config) == set(caller.sandbox.config())


def test_the_command_serves_writes_a_config_and_ends_with_its_input(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.sandbox", "--world", "empty", "--write-config", str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = process.stdout.readline().strip()
        config = yaml.safe_load((tmp_path / "config.yaml").read_text())
        assert requests.get(f"{config['zoom']['api_url']}/users", timeout=5).status_code == 401
        process.communicate(timeout=30)

    assert process.returncode == 0
    assert config["zoom"]["oauth_url"] == f"{address}/oauth/token"


def test_the_command_ends_at_a_signal() -> None:
    command = [sys.executable, "-m", "tests.sandbox", "--world", "empty"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)

        assert process.wait(30) == 0
