"""The process: streams that go away or are full, terminals, signals, bugs."""

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from subprocess import PIPE

import pytest

from tests.e2e.harness import NOW, Site, a_site
from tests.sandbox import faults
from tests.sandbox.worlds import small_world

ROOT = str(Path(__file__).parent.parent)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path, small_world(NOW, has_media=False)) as one:
        yield one


class Started(subprocess.Popen[str]):
    """zoomsync in a process of its own, in the folder of a site, with the real clock."""

    def __init__(
        self,
        site: Site,
        *arguments: str,
        stdout: int = PIPE,
        stderr: int = PIPE,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        site.sandbox.settings.sends_date = False  # the site's clock is not the real one
        command = [sys.executable, "-m", "zoomsync", *arguments]
        everything = {**os.environ, "PYTHONPATH": ROOT, **(environ or {})}
        super().__init__(command, cwd=site.folder, env=everything, stdout=stdout, stderr=stderr, text=True)


def test_a_reader_who_has_gone_is_no_error(site: Site) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with Started(site, "users", stdout=writing) as process:
        os.close(writing)
        _, stderr = process.communicate()

    assert (process.returncode, stderr) == (128 + signal.SIGPIPE, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full")
def test_a_full_disk_below_stdout_is_said_and_below_stderr_changes_no_exit_code(site: Site) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with Started(site, "users", stdout=full) as process:
        _, stderr = process.communicate()
    with Started(site, "users", "-c", "/nowhere.yaml", stderr=full) as silent:
        silent.communicate()
    os.close(full)

    assert (process.returncode, stderr.splitlines()[0]) == (
        5,
        "zoomsync: error: standard output: no space left on device",
    )
    assert silent.returncode == 2


def test_a_closed_stdout_is_never_taken_over_by_a_file(site: Site) -> None:
    command = 'exec "$0" -m zoomsync -q sync --until 2020-01-01 >&- 2>&-'
    site.sandbox.settings.sends_date = False
    environ = {**os.environ, "PYTHONPATH": ROOT}

    code = subprocess.call(["/bin/sh", "-c", command, sys.executable], cwd=site.folder, env=environ)

    assert code == 0
    assert len(site.state().runs) == 1


def test_letters_are_utf_8_whatever_the_terminal_is_said_to_take(site: Site) -> None:
    site.world.users["id_alice"].first_name = "Łucja"
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    with (
        Started(site, "users", environ=ascii_only) as table,
        Started(site, "users", "--json", environ=ascii_only) as data,
    ):
        shown, document = table.communicate()[0], data.communicate()[0]

    assert "Łucja Example" in shown
    assert '"name": "Łucja Example"' in document


@pytest.mark.parametrize(
    ("environ", "is_coloured"), [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)]
)
def test_colour_is_for_terminals_that_want_it(site: Site, environ: dict[str, str], is_coloured: bool) -> None:
    master, terminal = pty.openpty()
    with Started(site, "auth-check", "--only", "destination", environ=environ, stdout=terminal) as process:
        process.wait()
    os.close(terminal)
    shown = os.read(master, 65536).decode()
    os.close(master)

    assert "ok" in shown
    assert bool(re.search(r"\x1b\[[\d;]*3\d", shown)) == is_coloured


def test_an_interrupt_ends_a_command_that_waits(site: Site) -> None:
    site.sandbox.fail("/oauth/token", with_=faults.rate_limited(seconds=60))
    with Started(site, "users") as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.communicate()

    assert line.endswith("again in 60 s\n")
    assert (process.returncode, rest) == (128 + signal.SIGINT, ("", ""))


def test_a_bug_has_its_traceback_and_its_own_exit_code() -> None:
    code = "from zoomsync import cli; cli.run = lambda _: 1 // 0; cli.main()"

    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout) == (70, "")
    assert ended.stderr.splitlines()[0] == "Traceback (most recent call last):"
    assert ended.stderr.splitlines()[-2:] == [
        "zoomsync: error: this is a bug in zoomsync",
        "zoomsync: hint: report it with the lines above",
    ]
