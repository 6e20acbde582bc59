"""The man page and the completions that the wheel has."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import shell
from tests.readme import ROOT
from zoomsync.cli import main_group

PAGE = shell.SHARE / "man/man1/zoomsync.1"


def test_what_is_shipped_is_made_of_the_command_line_as_it_is() -> None:
    """Else: make man."""
    made = shell.shipped()

    assert {path: path.read_text(encoding="utf-8") for path in made} == made


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed on this machine")
def test_groff_has_nothing_to_say_about_the_page_and_shows_every_option() -> None:
    made = subprocess.run(
        ["groff", "-man", "-Tutf8", "-P-cbou", "-ww", "-rLL=200n", "-rHY=0", PAGE],
        capture_output=True,
        text=True,
        check=True,
    )

    options = {name for command in main_group.commands.values() for one in command.params for name in one.opts}
    assert made.stderr == ""
    assert {name for name in options if name not in made.stdout} == set()


def test_a_line_that_begins_with_a_dot_is_no_request_of_the_page() -> None:
    assert shell.roff(r".config `x` -y 'z' \n") == r"\&.config \(gax\(ga \-y \(aqz\(aq \en"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("zoomsync s", ["plain,sync", "plain,status"]),
        ("zoomsync sync --max", ["plain,--max-duration"]),
        ("zoomsync auth-check --only l", ["plain,local"]),
        ("zoomsync -c conf", ["file,conf"]),
    ],
)
def test_a_shell_that_asks_is_told_what_can_stand_there(typed: str, offered: list[str], tmp_path: Path) -> None:
    environ = {"_ZOOMSYNC_COMPLETE": "bash_complete", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    environ |= {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}

    asked = subprocess.run(
        [sys.executable, "-m", "zoomsync"], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )

    assert (asked.stdout.split("\n"), asked.stderr, asked.returncode) == ([*offered, ""], "", 0)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed on this machine")
def test_bash_completes_with_the_script_that_is_shipped(tmp_path: Path) -> None:
    program = tmp_path / "zoomsync"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m zoomsync "$@"\n')
    program.chmod(0o755)
    source = f". {shell.SHARE}/completions/zoomsync.bash"
    asks = 'COMP_WORDS=(zoomsync us) COMP_CWORD=1; _zoomsync_completion zoomsync; echo "$COMPREPLY"'

    asked = subprocess.run(
        ["bash", "-c", f"{source}\n{asks}"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (asked.stdout, asked.stderr) == ("users\n", "")
