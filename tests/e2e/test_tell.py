"""How a pass went is told to others: a monitor, people, a file of numbers; none of it fails or delays a pass."""

import socket
import threading
from collections.abc import Iterator
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.conftest import Begin
from tests.e2e.harness import Site
from tests.e2e.test_failures import lasting
from tests.sandbox import faults
from tests.sandbox.stage import Stage

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # apprise imports it


class Monitor(ThreadingHTTPServer):
    """Takes pings; `status` is what it answers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Ping)
        self.pings: list[tuple[str, str]] = []
        self.status = 200
        self.address = f"http://127.0.0.1:{self.server_port}/a-secret-uuid"


class Ping(BaseHTTPRequestHandler):
    server: Monitor

    def do_POST(self) -> None:  # the name that http.server calls
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.pings.append((self.path.removeprefix("/a-secret-uuid"), body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


class Mailbox:
    """Keeps what an SMTP server is given."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  # the name that aiosmtpd calls
        mail = message_from_bytes(envelope.content)
        part = next(one for one in mail.walk() if one.get_content_type() == "text/html")
        text = part.get_payload(decode=True)
        self.mails.append((str(mail["Subject"]), text.decode() if isinstance(text, bytes) else ""))
        return "250 OK"


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    with Monitor() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    """A real SMTP server, and the address that reaches it."""
    mailbox = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield mailbox, f"mailto://127.0.0.1:{port}?from=zoomsync@example.org&to=admin@example.org&mode=insecure"
    controller.stop()


def plain(stage: Stage) -> None:
    stage.meeting("m", "alice", 2, "Plain meeting")
    stage.video("m")


def test_a_pass_pings_its_start_and_its_success_with_the_summary(
    begin: Begin, stage: Stage, monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain(stage)
    site = begin(stage.world, tell={"ping": "${PING}"})

    monkeypatch.setenv("PING", monitor.address)
    result = site.run("sync")

    assert (result.code, [path for path, _ in monitor.pings]) == (0, ["/start", ""])
    assert "pass 1 ended with exit code 0: 1 published" in monitor.pings[1][1]
    assert "a-secret-uuid" not in result.stderr


def test_a_failed_pass_pings_its_failure(begin: Begin, stage: Stage, monitor: Monitor) -> None:
    plain(stage)
    site = begin(stage.world, tell={"ping": monitor.address})
    site.sandbox.fail("/v2/", with_=faults.page(500), times=None)

    assert (site.sync().code, [path for path, _ in monitor.pings]) == (6, ["/start", "/fail"])


def test_a_pass_whose_time_was_over_before_it_read_a_list_pings_no_success(
    begin: Begin, stage: Stage, monitor: Monitor
) -> None:
    plain(stage)
    everybody = {"filter_accounts": [], "exclude_accounts": ["bob@example.org"], "unknown_accounts": "warn"}
    site = begin(stage.world, tell={"ping": monitor.address}, **everybody)
    site.sandbox.fail("/users/bob", with_=lasting(site, hours=2), times=1)

    assert site.sync("--max-duration", "1h").code == 0
    assert site.sync("--max-duration", "1h").counts["published"] == 1
    assert [path for path, _ in monitor.pings] == ["/start", "/fail", "/start", ""]


def test_no_ping_is_sent_for_what_is_no_whole_pass(begin: Begin, stage: Stage, monitor: Monitor) -> None:
    plain(stage)
    site = begin(stage.world, tell={"ping": monitor.address})

    site.sync("--user", "alice@example.org")
    site.sync("--dry-run")
    site.configure(enabled=False)
    site.sync()

    assert monitor.pings == []


@pytest.mark.parametrize("status", [404, 500])
def test_a_monitor_that_refuses_changes_no_exit_code_and_is_warned_of(
    begin: Begin, stage: Stage, monitor: Monitor, status: int
) -> None:
    plain(stage)
    monitor.status = status
    result = begin(stage.world, tell={"ping": monitor.address}).sync()

    assert result.code == 0
    assert f"HTTP {status}" in result.stderr
    assert "told nobody" in result.stderr
    assert "a-secret-uuid" not in result.stderr


def test_a_monitor_that_is_silent_delays_a_pass_by_seconds_only(
    begin: Begin, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoomsync.commands.tell.SECONDS", 0.5)
    plain(stage)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        result = begin(stage.world, tell={"ping": address}).sync()
    for thread in threading.enumerate():
        if thread.name.startswith("tell"):  # its connection is gone with the server
            thread.join()

    assert result.code == 0
    assert "tell.ping: no answer within" in result.stderr


def test_each_trouble_is_told_once_and_so_is_its_end(begin: Begin, stage: Stage, mailbox: tuple[Mailbox, str]) -> None:
    plain(stage)
    box, address = mailbox
    site = begin(stage.world, tell={"notify": [address]})
    site.sandbox.fail("/v2/", with_=faults.page(500), times=None)
    for _ in range(3):
        site.sync()
        site.clock.advance(hours=1)
    site.sandbox.heal()
    for _ in range(2):
        site.sync()

    where = f"({socket.gethostname()}, {site.folder}/config.yaml)"
    assert [subject.replace("\n", "") for subject, _ in box.mails] == [
        f"zoomsync needs a person: failed {where}",
        f"zoomsync is well again {where}",
    ]
    assert "pass 1, exit code 6" in box.mails[0][1]


def test_a_trouble_of_another_kind_is_told_while_the_first_lasts(
    begin: Begin, stage: Stage, mailbox: tuple[Mailbox, str]
) -> None:
    plain(stage)
    box, address = mailbox
    site = begin(stage.world, tell={"notify": [address]})
    site.sandbox.fail("/v2/", with_=faults.page(500), times=None)
    site.sync()
    site.sandbox.heal()
    site.sandbox.fail("/oauth/token", with_=faults.oauth_refused(), times=None)
    site.sync()

    assert ["exit code 6" in box.mails[0][1], "exit code 3" in box.mails[1][1]] == [True, True]


def test_what_a_verification_finds_is_told(begin: Begin, stage: Stage, mailbox: tuple[Mailbox, str]) -> None:
    plain(stage)
    box, address = mailbox
    site = begin(stage.world, tell={"notify": [address]})
    site.sync()
    (site.item("m") / "video.mp4").write_bytes(b"no video")
    site.sync("--verify")

    assert [subject.partition(" (")[0] for subject, _ in box.mails] == [
        "zoomsync needs a person: stored otherwise than its receipt says"
    ]


def test_each_week_is_told_of(begin: Begin, stage: Stage, mailbox: tuple[Mailbox, str]) -> None:
    plain(stage)
    box, address = mailbox
    site = begin(stage.world, tell={"notify": [address]})
    site.sync()
    for _ in range(3):
        site.clock.advance(days=4)
        site.sync()

    assert [subject.partition(" (")[0] for subject, _ in box.mails] == ["zoomsync: the week to 2026-03-18"]
    assert "1 published" in box.mails[0][1]


def test_what_could_not_be_told_is_told_by_the_next_pass(
    begin: Begin, stage: Stage, mailbox: tuple[Mailbox, str]
) -> None:
    plain(stage)
    box, address = mailbox
    site = begin(
        stage.world, tell={"notify": ["mailto://127.0.0.1:1?from=a@example.org&to=b@example.org&mode=insecure"]}
    )
    site.sandbox.fail("/v2/", with_=faults.page(500), times=None)
    first = site.sync()
    site.configure(tell={"notify": [address]})
    site.sync()

    assert (first.code, len(box.mails)) == (6, 1)
    assert "tell.notify: not every address took the message: told nobody" in first.stderr


def test_numbers_are_written_after_each_pass_and_are_those_of_status(
    begin: Begin, stage: Stage, tmp_path: Path
) -> None:
    plain(stage)
    place = tmp_path / "zoomsync.prom"
    site = begin(stage.world, tell={"metrics_file": str(place)})
    site.sync()
    shown = site.run("status", "--metrics").stdout

    found = {one.name: one for one in text_string_to_metric_families(place.read_text(encoding="utf-8"))}
    values = {(s.name, *s.labels.values()): s.value for one in found.values() for s in one.samples}
    assert {one.type for one in found.values()} == {"gauge"}
    assert values["zoomsync_healthy",] == 1
    assert values["zoomsync_meetings", "published"] == 1
    assert values["zoomsync_last_pass_exit_code",] == 0
    assert values["zoomsync_last_pass_count", "published"] == 1
    assert values["zoomsync_last_finished_timestamp_seconds",] == site.clock.now().timestamp()
    assert place.stat().st_mode & 0o777 == 0o644

    def settled(text: str) -> list[str]:
        return [line for line in text.splitlines() if not line.startswith("zoomsync_free_bytes")]

    assert settled(shown) == settled(place.read_text(encoding="utf-8"))


def test_a_file_of_numbers_that_cannot_be_written_is_warned_of(begin: Begin, stage: Stage, tmp_path: Path) -> None:
    plain(stage)
    result = begin(stage.world, tell={"metrics_file": str(tmp_path / "nowhere" / "zoomsync.prom")}).sync()

    assert result.code == 0
    assert (
        f"tell.metrics_file: {tmp_path}/nowhere/zoomsync.prom: no such file or directory: told nobody" in result.stderr
    )


def test_each_kind_of_trouble_is_one_number(begin: Begin, stage: Stage) -> None:
    plain(stage)
    site = begin(stage.world, filter_accounts=["alice@example.org"])
    site.sandbox.fail("/recordings", with_=faults.refused(400, 200, "No permission."), times=None)
    site.sync()

    lines = [one for one in site.run("status", "--metrics").stdout.splitlines() if "zoomsync_troubles{" in one]

    assert lines == ['zoomsync_troubles{kind="not listed"} 2']


@pytest.mark.parametrize(
    ("tell", "said"),
    [
        ({"ping": "healthchecks"}, "tell.ping: is no web address"),
        ({"notify": ["smoke://signals"]}, "tell.notify.0: is no address that apprise knows"),
        ({"ping": "${UNSET}"}, "tell.ping: environment variable UNSET is not set"),
        ({"metrics_file": "/nowhere/zoomsync.prom"}, "tell.metrics_file: /nowhere: no such folder"),
    ],
)
def test_what_could_not_be_told_is_found_before_it_matters(
    begin: Begin, stage: Stage, tell: dict[str, object], said: str
) -> None:
    result = begin(stage.world, tell=tell).run("auth-check", "--only", "local")

    assert (result.code, f"warn  tell         {said}" in result.stdout) == (0, True)


@pytest.mark.parametrize(
    ("tell", "said"),
    [
        ({"ping": "${UNSET}"}, "tell.ping: environment variable UNSET is not set: told nobody (set it"),
        ({"ping": "https://"}, "tell.ping: is no web address: told nobody (write https://…"),
    ],
)
def test_with_q_it_is_said_that_nobody_was_told_and_the_remedy(
    begin: Begin, stage: Stage, tell: dict[str, object], said: str
) -> None:
    plain(stage)
    result = begin(stage.world, tell=tell).run("-q", "sync")

    assert (result.code, said in result.stderr) == (0, True), result.stderr


def test_nagios_is_told_what_keeps_zoomsync_from_knowing(begin: Begin, stage: Stage) -> None:
    plain(stage)
    site = begin(stage.world)
    site.sync()
    (site.folder / "state" / "state.json").write_text("{")
    damaged = nagios(site)
    missing = site.run("-c", "/nowhere.yaml", "status", "--check", "--nagios")

    assert (damaged[0], damaged[1].startswith("ZOOMSYNC UNKNOWN - ")) == (3, True)
    assert (missing.code, missing.stdout.startswith("ZOOMSYNC UNKNOWN - /nowhere.yaml")) == (3, True)


def nagios(site: Site) -> tuple[int, str, list[str]]:
    result = site.run("status", "--check", "--nagios")
    said, _, figures = result.stdout.strip().partition(" | ")
    return result.code, said, figures.split()


def test_nagios_is_told_in_one_line_with_figures(begin: Begin, stage: Stage) -> None:
    plain(stage)
    site = begin(stage.world)
    never = nagios(site)
    site.sync()
    well = nagios(site)
    site.clock.advance(days=2)
    old = nagios(site)

    assert never[:2] == (2, "ZOOMSYNC CRITICAL - never run: the first pass is still to come")
    assert well[:2] == (0, "ZOOMSYNC OK - healthy")
    assert [figure.partition("=")[0] for figure in well[2]] == [
        "waiting", "failed", "at_risk", "gaps", "stored", "bytes", "free",
    ]  # fmt: skip
    assert (old[0], old[1].startswith("ZOOMSYNC CRITICAL - too old: last whole pass finished")) == (2, True)


def test_a_list_that_cannot_be_read_is_a_warning_to_nagios(begin: Begin, stage: Stage) -> None:
    plain(stage)
    site = begin(stage.world, filter_accounts=["alice@example.org"])
    site.sandbox.fail("/recordings", with_=faults.refused(400, 200, "No permission."), times=None)
    site.sync()

    code, said, _ = nagios(site)

    assert (code, said.partition(";")[0]) == (1, "ZOOMSYNC WARNING - not listed: pass 1 could not read 3 lists")
    assert "not listed: recordings of alice@example.org: " in said
