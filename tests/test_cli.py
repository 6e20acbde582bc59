"""The command line: options, help, usage errors, and what ends a command, said in the form that was asked for."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import NOW, Site, a_site
from tests.sandbox.worlds import small_world
from zoomsync import __version__, cli, errors
from zoomsync.cli import EXIT_CODES
from zoomsync.errors import ZoomsyncError

COMMANDS = {
    "auth-check": ["--only"],
    "users": ["--all"],
    "sync": [
        "--dry-run",
        "--since",
        "--until",
        "--user",
        "--meeting",
        "--accept-size",
        "--no-delete",
        "--retry-failed",
        "--workers",
        "--max-duration",
        "--verify",
        "--sample",
        "--new-library",
        "--reconcile",
        "--adopt-library",
    ],
    "status": ["--meeting", "--ask", "--check", "--max-age", "--nagios", "--metrics"],
}
COMMON = ["-c, --config", "-v, --verbose", "-q, --quiet", "--log-format", "--json", "-h, --help"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path, small_world(NOW, has_media=False)) as one:
        yield one


@pytest.fixture
def nowhere(tmp_path: Path) -> Site:
    """A site whose Zoom is not there: for what fails before it is asked."""
    with a_site(tmp_path, small_world(NOW, has_media=False)) as one:
        return one


def test_the_version(nowhere: Site) -> None:
    result = nowhere.run("--version")

    assert (result.code, result.stdout) == (0, f"zoomsync {__version__}\n")


def test_without_a_command_help_is_no_data(nowhere: Site) -> None:
    asked, unasked = nowhere.run("-h"), nowhere.run()

    assert (asked.code, asked.stderr) == (0, "")
    assert (unasked.code, unasked.stdout, unasked.stderr) == (2, "", asked.stdout)


def test_help_lists_the_commands_in_the_order_of_their_use(nowhere: Site) -> None:
    commands = nowhere.run("--help").stdout.partition("Commands:\n")[2].partition("\n\n")[0]

    assert [line.split()[0] for line in commands.splitlines()] == [*COMMANDS]
    assert "..." not in commands


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_names_its_options_and_the_common_ones(nowhere: Site, command: str) -> None:
    result = nowhere.run(command, "-h")

    options = result.stdout.partition("Options:\n")[2]
    named = re.findall(r"^  (-\w, --[\w-]+|--[\w-]+)", options, re.MULTILINE)
    assert (result.code, result.stderr) == (0, "")
    assert named == [*COMMANDS[command], *COMMON]


def test_help_lists_every_exit_code(nowhere: Site) -> None:
    def kinds(kind: type[ZoomsyncError]) -> Iterator[int]:
        yield kind.code
        for one in kind.__subclasses__():
            yield from kinds(one)

    ends = {errors.Stopped(number).code for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGTERM)}
    listed = re.findall(r"^  (\d[\d, ]*)", EXIT_CODES, re.MULTILINE)
    assert {int(code) for one in listed for code in one.split(",")} == {0, *kinds(ZoomsyncError), errors.BUG, *ends}
    assert re.sub(r"\s+", " ", EXIT_CODES.removeprefix("\b\n")) in re.sub(r"\s+", " ", nowhere.run("-h").stdout + " ")


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["sync", "--foo"], "no such option '--foo'", "usage: zoomsync sync [OPTIONS]; `zoomsync sync -h` says more"),
        (
            ["--foo", "sync"],
            "no such option '--foo'",
            "usage: zoomsync [OPTIONS] COMMAND [OPTIONS]; `zoomsync -h` says more",
        ),
        (
            ["sync", "--Dry-run"],
            "no such option '--Dry-run'. Did you mean '--dry-run'?",
            "usage: zoomsync sync [OPTIONS]; `zoomsync sync -h` says more",
        ),
        (
            ["sinc"],
            "no such command 'sinc'. Did you mean 'sync'?",
            "usage: zoomsync [OPTIONS] COMMAND [OPTIONS]; `zoomsync -h` says more",
        ),
        (
            ["sync", "now"],
            "got unexpected extra argument (now)",
            "usage: zoomsync sync [OPTIONS]; `zoomsync sync -h` says more",
        ),
        (
            ["sync", "--since", "Monday"],
            "invalid value for '--since': 'Monday' is no date: write 2026-03-01 or 2026-03-01T10:30Z",
            "usage: zoomsync sync [OPTIONS]; `zoomsync sync -h` says more",
        ),
        (
            ["sync", "--max-duration", "soon"],
            "invalid value for '--max-duration': \"soon\" is not a duration (write 90s, 30m, 26h, 14d or 1h30m)",
            "usage: zoomsync sync [OPTIONS]; `zoomsync sync -h` says more",
        ),
        (["sync", "--since", "2026-03-02", "--until", "2026-03-01"], "--since is not before --until", "swap them"),
        (
            ["sync", "--max-duration", "0s"],
            "invalid value for '--max-duration': in 0s nothing can be begun: write 30m or 6h",
            "usage: zoomsync sync [OPTIONS]; `zoomsync sync -h` says more",
        ),
    ],
)
def test_a_usage_error_is_one_line_and_a_hint(nowhere: Site, arguments: list[str], message: str, hint: str) -> None:
    result = nowhere.run(*arguments)

    assert (result.code, result.stdout) == (2, "")
    assert result.stderr == f"zoomsync: error: {message}\nzoomsync: hint: {hint}\n"


@pytest.mark.parametrize("place", ["before", "after", "both"])
def test_common_options_stand_before_or_after_the_command_and_the_later_one_wins(site: Site, place: str) -> None:
    here, there = str(site.folder / "config.yaml"), str(site.folder / "other.yaml")
    Path(here).rename(there)
    arguments = {
        "before": ["-c", there, "--json", "users"],
        "after": ["users", "--json", "--config", there],
        "both": ["-c", here, "users", "--json", "-c", there],
    }

    result = site.run(*arguments[place])

    assert (result.code, [user["email"] for user in result.document["users"]]) == (0, ["alice@example.org"])


def test_an_error_is_a_document_where_one_was_asked_for(nowhere: Site) -> None:
    result = nowhere.run("users", "-c", "/nowhere.yaml", "--json")

    assert result.code == 2
    assert result.document == {
        "format": 1,
        "error": "/nowhere.yaml: no such file or directory",
        "hint": "name the config with -c, and make it readable for this user",
        "problems": [],
        "code": 2,
    }


@pytest.mark.parametrize("option", [["--log-format", "json"], ["--log-format=json"]])
def test_with_json_logs_every_line_on_stderr_is_an_object(nowhere: Site, option: list[str]) -> None:
    nowhere.configure(workers=0)
    broken = nowhere.run(*option, "users")
    nowhere.configure(workers=4)
    unreached = nowhere.run("users", *option)

    (line,) = [json.loads(line) for line in broken.stderr.splitlines()]
    assert [*line] == ["at", "level", "pass", "event", "message", "code", "hint", "problems"]
    assert (line["event"], line["code"], len(line["problems"])) == ("error", 2, 1)
    lines = [json.loads(line) for line in unreached.stderr.splitlines()]
    assert [(one["level"], one["event"]) for one in lines] == [("info", "note"), ("info", "note"), ("error", "error")]


def test_quiet_says_nothing_but_the_error(nowhere: Site) -> None:
    result = nowhere.run("-q", "users")

    assert (result.code, result.stdout) == (6, "")
    assert [line.partition(": ")[2][:6] for line in result.stderr.splitlines()] == ["error:", "hint: "]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full")
@pytest.mark.parametrize(
    "arguments", [["status", "--json"], ["status"], ["--help"], ["--version"], ["sync", "-h"]], ids=" ".join
)
def test_a_full_disk_below_stdout_is_said_whatever_goes_there(nowhere: Site, arguments: list[str]) -> None:
    code, stderr = started(nowhere.folder, arguments, Path("/dev/full"))

    assert (code, stderr.splitlines()) == (
        5,
        [
            "zoomsync: error: standard output: no space left on device",
            "zoomsync: hint: free some space where it is sent to",
        ],
    )


def test_a_reader_of_help_who_has_gone_is_no_error(nowhere: Site) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    code, stderr = started(nowhere.folder, ["--help"], writing)
    os.close(writing)

    assert (code, stderr) == (128 + signal.SIGPIPE, "")


def started(folder: Path, arguments: list[str], stdout: Path | int) -> tuple[int, str]:
    """Exit code and stderr of zoomsync in a process of its own."""
    writing = stdout if isinstance(stdout, int) else os.open(stdout, os.O_WRONLY)
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-m", "zoomsync", *arguments]
    ended = subprocess.run(
        command, cwd=folder, env=environ, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("named", [[], ["-c", "/nowhere.yaml"]], ids=["found", "named"])
def test_a_folder_that_was_removed_below_us_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], named: list[str]
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    code = cli.run(["status", *named])

    assert (code, capsys.readouterr().err.splitlines()) == (
        5,
        [
            "zoomsync: error: the current folder: no such file or directory",
            "zoomsync: hint: it was removed or is closed to this user: cd to another one",
        ],
    )


LOADED = """
import sys
before = set(sys.modules)
from zoomsync import cli
try:
    cli.run(sys.argv[1:])
finally:
    print(*sys.modules.keys() - before, file=sys.stderr)
"""


def loaded(folder: Path, *arguments: str, **environ: str) -> set[str]:
    """Which libraries and which of our modules a command has imported, from its start to its end."""
    ended = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    names = ended.stderr.splitlines()[-1].split()
    tops = {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"zoomsync"}
    return tops | {name for name in names if name.startswith("zoomsync.")}


AT_ONCE = {"click", *(f"zoomsync.{name}" for name in ("cli", "clock", "console", "errors", "formatting"))}
"""What help needs."""


@pytest.mark.parametrize(
    "arguments", [["--version"], ["--help"], *([name, "-h"] for name in COMMANDS), ["sync", "--nonsense"]]
)
def test_help_version_and_usage_errors_import_nothing_heavy(tmp_path: Path, arguments: list[str]) -> None:
    assert loaded(tmp_path, *arguments) == AT_ONCE


def test_what_a_shell_completes_comes_without_anything_heavy(tmp_path: Path) -> None:
    asked = {"_ZOOMSYNC_COMPLETE": "bash_complete", "COMP_WORDS": "zoomsync sync --re", "COMP_CWORD": "2"}

    assert loaded(tmp_path, **asked) == AT_ONCE


def test_status_imports_nothing_that_talks_to_servers_or_a_terminal(site: Site) -> None:
    found = loaded(site.folder, "status")

    assert "pydantic" in found  # it has read the config
    assert found & {"requests", "urllib3", "tenacity", "rich", "ffmpeg"} == set()
    assert found & {f"zoomsync.{room}" for room in ("http", "media", "sync", "zoom", "item.order")} == set()
